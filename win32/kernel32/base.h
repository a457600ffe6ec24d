/*
 * base: what the files of kernel32 and advapi32 share.
 */
#ifndef BASE_H
#define BASE_H

#include "win32/ntdll/native.h"
#include "host/host.h"

#define STATUS_OK(status) ((NTSTATUS)(status) >= 0)

/* Remembers the status as the thread's last error; TRUE for success. */
BOOL BaseResult(NTSTATUS Status);

/* A name in the form that a service takes. Wide text from ANSI is malloc'd: free() it. NULL and
 * last error on failure. */
PWSTR BaseWide(LPCSTR Text);
char *BaseNarrow(LPCWSTR Text);
/* "\\.\Name" → "\??\Name"; a DOS path is absolute already ("C:\x" → "\??\C:\x"); a bare name goes
 * below \??. malloc'd in Nt->Buffer. */
BOOL BaseDevicePath(LPCWSTR Path, PUNICODE_STRING Nt);
/* Attributes of a named object in \BaseNamedObjects ("Global\" and "Local\" are dropped); Name may
 * be NULL. */
struct base_name {
    UNICODE_STRING String;
    WCHAR Text[300];
    OBJECT_ATTRIBUTES Attributes;
};
BOOL BaseObjectName(struct base_name *Name, LPCWSTR Text, LPSECURITY_ATTRIBUTES Security,
                    BOOL Inherit);
/* CreateFile for a file on disk (disk.c); INVALID_HANDLE_VALUE and last error. */
BOOL BaseIsDiskName(LPCWSTR Name); /* not "\\.\Name" */
HANDLE BaseOpenDisk(LPCWSTR Name, DWORD Access, DWORD Creation);
/* The Linux descriptor of a standard handle or of a file on disk; -1: neither. */
int BaseStream(HANDLE Handle);
BOOL BaseStreamRead(int Stream, LPVOID Buffer, DWORD Length, LPDWORD Done);
BOOL BaseStreamWrite(int Stream, LPCVOID Buffer, DWORD Length, LPDWORD Done);
/* What Get…(Buffer, Size) returns for a text: its length, or the size needed with nothing (Windows)
 * written. */
DWORD BaseGiveA(const char *Text, LPSTR Buffer, DWORD Size);
DWORD BaseGiveW(const char *Text, LPWSTR Buffer, DWORD Size);
/* Milliseconds to an NT timeout: NULL for INFINITE. */
PLARGE_INTEGER BaseTimeout(PLARGE_INTEGER Time, DWORD Milliseconds);

#endif
