/*
 * nt, inside: the information classes of NtQuerySystemInformation. Each routine fills an answer;
 * the caller of it has begun the output, ends it, and turns too little room into
 * STATUS_INFO_LENGTH_MISMATCH with the needed length.
 */
#ifndef NT_SYSINFO_H
#define NT_SYSINFO_H

#include "nt/capture.h"

NTSTATUS NtpQueryBasic(NTP_ANSWER *Answer);
NTSTATUS NtpQueryProcessor(NTP_ANSWER *Answer);
NTSTATUS NtpQueryPerformance(NTP_ANSWER *Answer);
NTSTATUS NtpQueryTimeOfDay(NTP_ANSWER *Answer);
NTSTATUS NtpQueryProcessorPerformance(NTP_ANSWER *Answer);
NTSTATUS NtpQueryDebugger(NTP_ANSWER *Answer);
NTSTATUS NtpQueryPoolTags(NTP_ANSWER *Answer);
NTSTATUS NtpQueryStatus(NTP_ANSWER *Answer);

NTSTATUS NtpQueryProcesses(NTP_ANSWER *Answer);
NTSTATUS NtpQueryHandles(NTP_ANSWER *Answer);
NTSTATUS NtpQueryHandlesEx(NTP_ANSWER *Answer);
void NtpCountProcesses(PULONG Processes, PULONG Threads, PULONG Handles);

NTSTATUS NtpQueryModules(NTP_ANSWER *Answer);
NTSTATUS NtpQueryModulesEx(NTP_ANSWER *Answer);
NTSTATUS NtpQueryDriverModules(NTP_ANSWER *Answer);
NTSTATUS NtpQueryExports(NTP_ANSWER *Answer);
ULONG NtpCountModules(void);
/* The caller is the kernel or an administrator. */
BOOLEAN NtpIsAdministrator(void);

/* The debug log takes a sequence number in the caller's buffer. For administrators. */
NTSTATUS NtpReadLog(PVOID Information, ULONG Length, PULONG Returned);
NTSTATUS NtpWaitLog(PVOID Information, ULONG Length, PULONG Returned);
void NtpInitLog(void);
void NtpShutdownLog(void);

#endif
