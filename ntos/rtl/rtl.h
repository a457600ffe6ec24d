/*
 * Room rtl: the run-time library. Data and algorithms only: it never waits, never touches Linux,
 * and knows no room above it. What it needs from above it is given: an allocator by mm, and what
 * to do on a broken contract by vf and ke.
 *
 * The ANSI and the OEM code page of this system are UTF-8 (65001), a setting that Windows offers
 * too. A driver sees NlsMbCodePageTag and NlsMbOemCodePageTag set.
 */
#pragma once

#include <ntifs.h>
#include <stdarg.h>
#include <stddef.h>

/* ---- what the rooms above provide ------------------------------------------------------------ */

#define RTL_POOL_TAG 'grtS' /* strings and descriptors that rtl allocates for its caller */

typedef PVOID (*RTLP_ALLOCATE)(SIZE_T Bytes, ULONG Tag);
typedef VOID (*RTLP_FREE)(PVOID Buffer);

/* Until mm has registered its paged pool, malloc and free serve. NULL goes back to them. */
/* Give (or NULL) says whose a buffer is that the caller of an rtl routine has to free. */
typedef VOID (*RTLP_GIVE)(PVOID Buffer, const void *Caller);
VOID RtlpSetAllocator(RTLP_ALLOCATE Allocate, RTLP_FREE Free, RTLP_GIVE Give);
VOID RtlpGive(PVOID Buffer, const void *Caller);
#define RTLP_GIVE_TO_CALLER(Buffer) RtlpGive((Buffer), __builtin_return_address(0))
PVOID RtlpAllocate(SIZE_T Bytes);
VOID RtlpFree(PVOID Buffer);

typedef struct _RTLP_HOOKS {
    /* Called at the head of a routine with a documented limit; reports when the IRQL is above. */
    VOID (*CheckIrql)(PCSTR Routine, KIRQL Maximum);
    /* A corrupted list or other broken invariant: code of __fastfail; must not return. */
    VOID (*FailFast)(ULONG Code);
    /* A failed ASSERT of a checked driver. */
    VOID (*AssertFailed)(PCSTR Expression, PCSTR File, ULONG Line, PCSTR Message);
    /* Raises a structured exception (sdk/seh); returns only for a continuable one. */
    VOID (*Raise)(PEXCEPTION_RECORD Record);
} RTLP_HOOKS;

/* Members that are NULL keep what they were; RtlpResetHooks goes back to abort(). */
VOID RtlpSetHooks(const RTLP_HOOKS *Hooks);
VOID RtlpResetHooks(VOID);
VOID RtlpCheckIrql(PCSTR Routine, KIRQL Maximum);
DECLSPEC_NORETURN VOID RtlpFailFast(ULONG Code);

#define RTL_IRQL_MAX(Level) RtlpCheckIrql(__func__, (Level))

/* ---- formatted output ------------------------------------------------------------------------ */

/*
 * Where the engine takes arguments from: a System V va_list, or the 8-byte slots that make a
 * Microsoft x64 va_list (integers and doubles alike).
 */
typedef struct _RTLP_ARGUMENTS {
    ULONG64 (*NextInteger)(struct _RTLP_ARGUMENTS *Arguments);
    double (*NextDouble)(struct _RTLP_ARGUMENTS *Arguments);
    const ULONG64 *Slots;
    va_list List;
} RTLP_ARGUMENTS;

VOID RtlpArgumentsFromVaList(RTLP_ARGUMENTS *Arguments, va_list List);
VOID RtlpArgumentsFromSlots(RTLP_ARGUMENTS *Arguments, const VOID *Slots);
VOID RtlpEndArguments(RTLP_ARGUMENTS *Arguments);

/*
 * Both write at most Capacity units, never a terminator, and return the number of units of the
 * whole text (as if Capacity were endless), or -1 for a format that is refused (%n).
 */
LONG64 RtlpFormatNarrow(PCHAR Buffer, SIZE_T Capacity, PCSTR Format, RTLP_ARGUMENTS *Arguments);
LONG64 RtlpFormatWide(PWCHAR Buffer, SIZE_T Capacity, PCWSTR Format, RTLP_ARGUMENTS *Arguments);

/* ---- system version -------------------------------------------------------------------------- */

#define RTL_VERSION_MAJOR 10
#define RTL_VERSION_MINOR 0
#define RTL_VERSION_BUILD 19045

/* ---- routines that mingw's DDK headers leave out --------------------------------------------- */

typedef STRING UTF8_STRING, *PUTF8_STRING;
typedef const STRING *PCUTF8_STRING;

extern BOOLEAN NlsMbCodePageTag;
extern BOOLEAN NlsMbOemCodePageTag;

NTSTATUS NTAPI RtlInitStringEx(PSTRING DestinationString, PCSZ SourceString);
VOID NTAPI RtlInitUTF8String(PUTF8_STRING DestinationString, PCSZ SourceString);
NTSTATUS NTAPI RtlInitUTF8StringEx(PUTF8_STRING DestinationString, PCSZ SourceString);
VOID NTAPI RtlFreeUTF8String(PUTF8_STRING Utf8String);
NTSTATUS NTAPI RtlUnicodeStringToUTF8String(PUTF8_STRING DestinationString,
                                            PCUNICODE_STRING SourceString,
                                            BOOLEAN AllocateDestinationString);
NTSTATUS NTAPI RtlUTF8StringToUnicodeString(PUNICODE_STRING DestinationString,
                                            const STRING *SourceString,
                                            BOOLEAN AllocateDestinationString);
WCHAR NTAPI RtlAnsiCharToUnicodeChar(PUCHAR *SourceCharacter);
PWCHAR NTAPI RtlFindUnicodeSubstring(PCUNICODE_STRING FullString, PCUNICODE_STRING SearchString,
                                     BOOLEAN CaseInSensitive);
BOOLEAN NTAPI RtlPrefixString(const STRING *String1, const STRING *String2,
                              BOOLEAN CaseInSensitive);
BOOLEAN NTAPI RtlSuffixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                                     BOOLEAN CaseInSensitive);
NTSTATUS NTAPI RtlInt64ToChar(ULONGLONG Value, ULONG Base, LONG Length, PCHAR String);
NTSTATUS NTAPI RtlIntegerToChar(ULONG Value, ULONG Base, LONG Length, PCHAR String);
ULONG NTAPI RtlCrc32(const VOID *Buffer, SIZE_T Size, ULONG InitialCrc);
ULONGLONG NTAPI RtlCrc64(const VOID *Buffer, SIZE_T Size, ULONGLONG InitialCrc);
BOOLEAN NTAPI RtlIsZeroMemory(PVOID Buffer, SIZE_T Length);
VOID NTAPI RtlpCheckListEntry(PLIST_ENTRY Entry);
VOID NTAPI RtlInitializeSListHead(PSLIST_HEADER ListHead);
PSLIST_ENTRY NTAPI RtlInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry);
PSLIST_ENTRY NTAPI RtlInterlockedPushListSListEx(PSLIST_HEADER ListHead, PSLIST_ENTRY List,
                                                 PSLIST_ENTRY ListEnd, ULONG Count);
PSLIST_ENTRY NTAPI RtlInterlockedPopEntrySList(PSLIST_HEADER ListHead);
PSLIST_ENTRY NTAPI RtlInterlockedFlushSList(PSLIST_HEADER ListHead);
PSLIST_ENTRY NTAPI RtlFirstEntrySList(const SLIST_HEADER *ListHead);
USHORT NTAPI RtlQueryDepthSList(PSLIST_HEADER ListHead);
DECLSPEC_NORETURN VOID NTAPI RtlRaiseStatus(NTSTATUS Status);
VOID NTAPI RtlRaiseException(PEXCEPTION_RECORD ExceptionRecord);

NTSTATUS NTAPI RtlAddAccessDeniedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid);
NTSTATUS NTAPI RtlAddAccessDeniedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
                                       ACCESS_MASK AccessMask, PSID Sid);
BOOLEAN NTAPI RtlValidAcl(PACL Acl);
BOOLEAN NTAPI RtlFirstFreeAce(PACL Acl, PVOID *FirstFree);

/* ---- security descriptors, for se ------------------------------------------------------------ */

/* Either form taken apart; an ACL that is not present is NULL here, as one that grants everything
 * is. */
typedef struct _RTLP_SECURITY_PARTS {
    SECURITY_DESCRIPTOR_CONTROL Control;
    PSID Owner;
    PSID Group;
    PACL Sacl;
    PACL Dacl;
} RTLP_SECURITY_PARTS;

VOID RtlpViewSecurityDescriptor(PSECURITY_DESCRIPTOR Descriptor, RTLP_SECURITY_PARTS *Parts);
ULONG RtlpSelfRelativeLength(const RTLP_SECURITY_PARTS *Parts);
VOID RtlpWriteSelfRelative(const RTLP_SECURITY_PARTS *Parts, PSECURITY_DESCRIPTOR Descriptor);
