/*
 * nt, inside: arguments in, results out.
 *
 * Everything a client passes by address is read once, into kernel memory, before it is looked at;
 * results are written last. With previous mode KernelMode the addresses are trusted and a bad one
 * is the driver's bug (a fault). The rooms below are handed kernel memory only; their Mode argument
 * decides about access checks and handles, never about whether to probe.
 */
#ifndef NT_CAPTURE_H
#define NT_CAPTURE_H

#include "nt/nt.h"

#define NTP_TAG 'tNtN'
#define NTP_OUTPUT_LIMIT 0x1000000u /* no service returns more than 16 MiB */

static inline KPROCESSOR_MODE NtpMode(void)
{
    return KiSelf->PreviousMode;
}

NTSTATUS NtpRead(KPROCESSOR_MODE Mode, PVOID To, const void *From, SIZE_T Bytes);
NTSTATUS NtpWrite(KPROCESSOR_MODE Mode, PVOID To, const void *From, SIZE_T Bytes);
/* STATUS_ACCESS_VIOLATION if the caller could not be given a result there. Says nothing about
 * later: NtpWrite may still fail. */
NTSTATUS NtpProbe(KPROCESSOR_MODE Mode, const void *Address, SIZE_T Bytes);

#define NTP_READ(mode, variable, from) NtpRead((mode), &(variable), (from), sizeof(variable))
#define NTP_WRITE(mode, to, variable) NtpWrite((mode), (to), &(variable), sizeof(variable))
/* The address of a member behind a client's pointer, which may be anything: unaligned, null. */
#define NTP_MEMBER(type, pointer, member)                                                          \
    ((PVOID)((ULONG_PTR)(pointer) + FIELD_OFFSET(type, member)))
/* A result that the caller need not want. */
#define NTP_WRITE_OPTIONAL(mode, to, variable)                                                     \
    ((to) ? NTP_WRITE((mode), (to), variable) : STATUS_SUCCESS)
#define NTP_PROBE_OPTIONAL(mode, to) ((to) ? NtpProbe((mode), (to), sizeof(*(to))) : STATUS_SUCCESS)

/* A counted string; NtpReleaseString always, also after a failure. STATUS_INVALID_PARAMETER: an odd
 * length, or no buffer. */
NTSTATUS NtpCaptureString(KPROCESSOR_MODE Mode, PUNICODE_STRING String, PUNICODE_STRING Captured);
void NtpReleaseString(KPROCESSOR_MODE Mode, PUNICODE_STRING Captured);

typedef struct NTP_ATTRIBUTES {
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    PVOID Security;
    SECURITY_QUALITY_OF_SERVICE Quality;
} NTP_ATTRIBUTES;
/* *Captured is what the rooms below take: NULL if the caller gave none. NtpReleaseAttributes
 * always, also after a failure. Attributes that only the kernel may ask for are dropped in user
 * mode. */
NTSTATUS NtpCaptureAttributes(KPROCESSOR_MODE Mode, POBJECT_ATTRIBUTES Attributes,
                              NTP_ATTRIBUTES *Storage, POBJECT_ATTRIBUTES *Captured);
void NtpReleaseAttributes(KPROCESSOR_MODE Mode, NTP_ATTRIBUTES *Storage);

/* A client's security descriptor, as a checked self-relative copy (paged pool, NTP_TAG). */
NTSTATUS NtpCaptureSecurity(PSECURITY_DESCRIPTOR Descriptor, PVOID *Captured);

/* A block of Length bytes of input. A zero length gives a NULL block. */
NTSTATUS NtpCaptureBlock(KPROCESSOR_MODE Mode, const void *From, ULONG Length, PVOID *Block);
void NtpReleaseBlock(KPROCESSOR_MODE Mode, PVOID Block);

/* A buffer for output of variable length, zeroed for a client: fill at most Length bytes at Buffer,
 * then end with the status and the count. The bytes go to the caller for success and warnings
 * (STATUS_BUFFER_OVERFLOW). */
typedef struct NTP_OUTPUT {
    KPROCESSOR_MODE Mode;
    PVOID Buffer, User;
    ULONG Length;
    DECLSPEC_ALIGN(16) UCHAR Small[256];
} NTP_OUTPUT;
NTSTATUS NtpBeginOutput(NTP_OUTPUT *Output, KPROCESSOR_MODE Mode, PVOID User, ULONG Length);
NTSTATUS NtpEndOutput(NTP_OUTPUT *Output, NTSTATUS Status, ULONG Bytes);
/* The same, and the returned-length argument (may be NULL) is written too, whatever the status. */
NTSTATUS NtpEndQuery(NTP_OUTPUT *Output, NTSTATUS Status, ULONG Bytes, PULONG Returned,
                     ULONG Needed);

/* An answer written piece by piece: what is needed is counted in any case, and written as far as
 * there is room. */
typedef struct NTP_ANSWER {
    NTP_OUTPUT Output;
    ULONG Needed;
} NTP_ANSWER;
PVOID NtpReserve(NTP_ANSWER *Answer, ULONG Bytes); /* the next Bytes, NULL if they do not fit */
NTSTATUS NtpEndAnswer(NTP_ANSWER *Answer, NTSTATUS Status, NTSTATUS TooSmall, PULONG Returned);

/* A structure of fixed size asked for by class: STATUS_INFO_LENGTH_MISMATCH unless Length is its
 * size. One with padding has been zeroed before its members were set: all of it goes out. */
NTSTATUS NtpQueryFixed(KPROCESSOR_MODE Mode, PVOID User, ULONG Length, PULONG Returned,
                       const void *Data, ULONG Size);

/* A new handle to the caller; closed again if it cannot be written. */
NTSTATUS NtpReturnHandle(KPROCESSOR_MODE Mode, PHANDLE To, HANDLE Handle, NTSTATUS Status);
/* A timeout: NULL stays NULL. */
NTSTATUS NtpCaptureTimeout(KPROCESSOR_MODE Mode, PLARGE_INTEGER From, PLARGE_INTEGER Storage,
                           PLARGE_INTEGER *Captured);

/* A handle's object, referenced, with the access asked for. Type NULL: any. */
static inline NTSTATUS NtpReference(HANDLE Handle, ACCESS_MASK Access, POBJECT_TYPE Type,
                                    KPROCESSOR_MODE Mode, PVOID *Object)
{
    return ObReferenceObjectByHandle(Handle, Access, Type, Mode, Object, NULL);
}

/* The common body of NtCreateX and NtOpenX. Initialize makes the fresh body; a failure deletes the
 * object. */
typedef NTSTATUS NTP_INITIALIZE(PVOID Body, PVOID Context);
NTSTATUS NtpCreateObject(POBJECT_TYPE Type, ULONG BodySize, NTP_INITIALIZE *Initialize,
                         PVOID Context, PHANDLE Handle, ACCESS_MASK Desired,
                         POBJECT_ATTRIBUTES Attributes);
NTSTATUS NtpOpenObject(POBJECT_TYPE Type, PHANDLE Handle, ACCESS_MASK Desired,
                       POBJECT_ATTRIBUTES Attributes);

/* A process whose address space stays while it is held: STATUS_PROCESS_IS_TERMINATING too late. */
NTSTATUS NtpReferenceSpace(HANDLE Handle, ACCESS_MASK Access, struct _EPROCESS **Process);
void NtpReleaseSpace(struct _EPROCESS *Process);
/* Processes and threads are opened by id. */
NTSTATUS NtpCaptureClientId(POBJECT_ATTRIBUTES Attributes, PCLIENT_ID From, CLIENT_ID *Id,
                            PULONG Flags);
NTSTATUS NtpOpenFound(PVOID Object, POBJECT_TYPE Type, ULONG Flags, ACCESS_MASK Desired,
                      PHANDLE Handle);
/* KeReleaseSemaphore, with its exception as a status. */
NTSTATUS NtpReleaseSemaphore(PRKSEMAPHORE Semaphore, LONG Count, BOOLEAN Wait, PLONG Was);
NTSTATUS NtpInitCompletionPorts(void);
/* The timer type's delete procedure. */
void NtpDeleteTimer(PVOID Body);

#endif
