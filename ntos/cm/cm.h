/*
 * cm: the registry. Keys are objects of type Key below \Registry; two hives: \Registry\Machine
 * (kept in a file if a state directory was given) and \Registry\User (volatile).
 */
#ifndef CM_H
#define CM_H

#include "se/se.h"

NTSTATUS CmInitSystem(
    const char *HiveDirectory); /* NULL: nothing is kept. A damaged hive file is set aside as
                                   NAME.damaged, said on standard error, and a fresh one begun */
void CmShutdownSystem(void);    /* flushes */
NTSTATUS CmFlush_(void);

/* The services' backs. All that is given is captured already (attributes, strings, data, handles
 * out): nothing here probes. */
NTSTATUS CmCreateKey_(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                      ULONG Options, PULONG Disposition, KPROCESSOR_MODE Mode);
NTSTATUS CmOpenKey_(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                    KPROCESSOR_MODE Mode);
NTSTATUS CmDeleteKey_(PVOID Key);
NTSTATUS CmSetValue_(PVOID Key, PCUNICODE_STRING Name, ULONG Type, PVOID Data, ULONG Length);
NTSTATUS CmDeleteValue_(PVOID Key, PCUNICODE_STRING Name);
NTSTATUS CmQueryValue_(PVOID Key, PCUNICODE_STRING Name, KEY_VALUE_INFORMATION_CLASS Class,
                       PVOID Information, ULONG Length, PULONG Returned);
NTSTATUS CmEnumerateValue_(PVOID Key, ULONG Index, KEY_VALUE_INFORMATION_CLASS Class,
                           PVOID Information, ULONG Length, PULONG Returned);
NTSTATUS CmEnumerateKey_(PVOID Key, ULONG Index, KEY_INFORMATION_CLASS Class, PVOID Information,
                         ULONG Length, PULONG Returned);
NTSTATUS CmQueryKey_(PVOID Key, KEY_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                     PULONG Returned);
NTSTATUS CmFlushKey_(PVOID Key);
/* One notification: Done runs once, with STATUS_NOTIFY_ENUM_DIR when the key (or its tree) changed,
 * or STATUS_NOTIFY_CLEANUP when the key object goes. */
NTSTATUS CmNotifyChange_(PVOID Key, ULONG Filter, BOOLEAN WatchTree,
                         void (*Done)(PVOID Context, NTSTATUS Status), PVOID Context);
extern POBJECT_TYPE CmKeyObjectType_;
PVOID CmFindCallbackInRange_(PVOID Base, SIZE_T Bytes); /* its function lies there; NULL: none */

/* Documented, but not in the DDK headers at hand. */
NTSYSAPI NTSTATUS NTAPI RtlQueryRegistryValuesEx(ULONG RelativeTo, PCWSTR Path,
                                                 PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                                 PVOID Context, PVOID Environment);
NTKERNELAPI NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(PLARGE_INTEGER Cookie, PVOID Object,
                                                      PULONG_PTR ObjectID,
                                                      PCUNICODE_STRING *ObjectName, ULONG Flags);
NTKERNELAPI VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName);
#endif
