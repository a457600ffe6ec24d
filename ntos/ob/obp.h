/*
 * What the files of ob share.
 *
 * ObpState.Names (a push lock) protects every directory's contents and every header's Directory,
 * Name and Next.
 */
#pragma once

#include "ob/ob.h"
#include "rtl/rtl.h"
#include "vf/bugcodes.h"

#ifndef STATUS_REPARSE_POINT_ENCOUNTERED
#define STATUS_REPARSE_POINT_ENCOUNTERED ((NTSTATUS)0xC000050B)
#endif

#define OBP_NAME_TAG 'mNbO'
#define OBP_TABLE_TAG 'tDbO'
#define OBP_REPARSE_LIMIT 32
#define OBP_FILTER_LIMIT 16
#define OBP_KERNEL_HANDLE ((ULONG_PTR)(LONG_PTR)(LONG)0x80000000)
#define OBP_HEADER(object) ObHeader(object)
#define OBP_BODY(header) ((PVOID)((OBJECT_HEADER_NT *)(header) + 1))

_Static_assert(sizeof(OBJECT_HEADER_NT) % 16 == 0, "bodies are 16-byte aligned");

typedef struct OB_DIRECTORY {
    OBJECT_HEADER_NT **Buckets;
    ULONG BucketCount; /* a power of two */
    ULONG Count;
} OB_DIRECTORY;

typedef struct OBP_SYMBOLIC_LINK {
    LARGE_INTEGER CreationTime;
    UNICODE_STRING Target;
} OBP_SYMBOLIC_LINK;

/* OBJECT_ATTRIBUTES, decoded. Name is a copy of ours. */
typedef struct OBP_CREATE_INFO {
    HANDLE Root;
    UNICODE_STRING Name;
    ULONG Attributes;
    PSECURITY_DESCRIPTOR Security; /* the caller's */
    PSECURITY_QUALITY_OF_SERVICE Quality;
    KPROCESSOR_MODE Mode;
    PVOID ParseContext;
} OBP_CREATE_INFO;

typedef struct OBP_COUNT {
    PEPROCESS Process;
    ULONG Count;
} OBP_COUNT;

/* How many handles each process has to one object. */
typedef struct OBP_HANDLE_COUNTS {
    ULONG Size;
    OBP_COUNT Entries[];
} OBP_HANDLE_COUNTS;

typedef struct OBP_STATE {
    EX_PUSH_LOCK Names;
    EX_PUSH_LOCK Counts; /* of every header's Counts */
    EX_PUSH_LOCK Callbacks;
    EX_PUSH_LOCK Descriptors; /* of every stored security descriptor */
    PVOID Root;
    PVOID TypeDirectory;
    EX_HANDLE_TABLE *KernelTable;
    OB_PROCESS_HOOKS Process;
    OB_SECURITY_HOOKS Security;
    POBJECT_TYPE Types[64];
    ULONG TypeCount;
    _Atomic(OBJECT_HEADER_NT *) Deferred;
    EX_RUNDOWN_REF DeferredRunning; /* held by the worker while it deletes */
    LIST_ENTRY CallbackList;
    atomic_long CallbackCount;
} OBP_STATE;
extern OBP_STATE ObpState;

/* attributes.c */
NTSTATUS ObpDecodeAttributes(POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE Mode,
                             OBP_CREATE_INFO *Info);
void ObpReleaseAttributes(OBP_CREATE_INFO *Info);
NTSTATUS ObpCopyString(PCUNICODE_STRING From, PUNICODE_STRING To); /* paged pool, OBP_NAME_TAG */

/* object.c */
NTSTATUS ObpAllocateObject(POBJECT_TYPE Type, ULONG BodySize, OBJECT_HEADER_NT **Header);
void ObpRunDeferred(void);
BOOLEAN ObpTryReference(OBJECT_HEADER_NT *Header);

/* directory.c: under ObpState.Names */
NTSTATUS ObpInitDirectory(OB_DIRECTORY *Directory);
OBJECT_HEADER_NT *ObpFind(OB_DIRECTORY *Directory, PCUNICODE_STRING Name, BOOLEAN IgnoreCase);
NTSTATUS ObpLink(OB_DIRECTORY *Directory, OBJECT_HEADER_NT *Header,
                 PCUNICODE_STRING Name);     /* references both */
BOOLEAN ObpUnlink(OBJECT_HEADER_NT *Header); /* FALSE: it had no name. The caller then dereferences:
                                                ObpUnname does */
void ObpUnname(OBJECT_HEADER_NT *Header, BOOLEAN OnlyIfUnused); /* takes the lock */
void ObpDeleteDirectory(PVOID Object);
NTSTATUS ObpMakeDirectory(PCWSTR Name, PVOID *Directory);

/* lookup.c */
typedef struct OBP_LOOKUP {
    PVOID Root; /* referenced by the caller; NULL: the path is absolute */
    UNICODE_STRING
    Path; /* pool, OBP_NAME_TAG; a parse procedure may replace it; the caller frees it */
    ULONG Attributes;
    POBJECT_TYPE Type;
    KPROCESSOR_MODE Mode;
    PACCESS_STATE AccessState;
    PVOID ParseContext;
    PSECURITY_QUALITY_OF_SERVICE Quality;
    PVOID Insert;                  /* a new object to be named so, or NULL */
    PSECURITY_DESCRIPTOR Security; /* given for Insert */
    PVOID Found;                   /* referenced */
} OBP_LOOKUP;
/* With Insert: STATUS_SUCCESS means that Insert has the name now; STATUS_OBJECT_NAME_COLLISION that
 * Found had it before. */
NTSTATUS ObpLookup(OBP_LOOKUP *Lookup);

/* link.c */
NTSTATUS ObpParseLink(PVOID ParseObject, POBJECT_TYPE Type, PACCESS_STATE AccessState,
                      KPROCESSOR_MODE Mode, ULONG Attributes, PUNICODE_STRING Path,
                      PUNICODE_STRING Remaining, PVOID Context, PSECURITY_QUALITY_OF_SERVICE Qos,
                      PVOID *Found);
void ObpDeleteLink(PVOID Object);
NTSTATUS ObpMakeLink(PCWSTR Name, PCWSTR Target);

/* access.c */
typedef struct OBP_ACCESS {
    ACCESS_STATE Local;
    ULONG_PTR Aux[64];
    PACCESS_STATE State;
    BOOLEAN Made;
} OBP_ACCESS;
NTSTATUS ObpBeginAccess(OBP_ACCESS *Access, PACCESS_STATE Passed, ACCESS_MASK Desired,
                        POBJECT_TYPE Type);
void ObpEndAccess(OBP_ACCESS *Access);
/* What of Desired a handle to the object may have, given who asks. */
NTSTATUS ObpCheckAccess(PVOID Object, PACCESS_STATE State, ACCESS_MASK Desired,
                        KPROCESSOR_MODE Mode, PACCESS_MASK Granted);
NTSTATUS ObpCheckOpen(PVOID Object, PACCESS_STATE State, KPROCESSOR_MODE Mode,
                      PACCESS_MASK Granted);
ACCESS_MASK ObpMapAccess(POBJECT_TYPE Type, ACCESS_MASK Desired);
NTSTATUS ObpAssignSecurity(PVOID Object, PVOID Parent, PSECURITY_DESCRIPTOR Given);
void ObpFreeSecurity(OBJECT_HEADER_NT *Header);

/* handle.c */
typedef struct OBP_HANDLE {
    OB_OPEN_REASON Reason;
    PVOID Object;
    ACCESS_MASK Granted;
    ULONG Attributes;
    PEPROCESS Process;       /* NULL: the current one */
    PEPROCESS SourceProcess; /* duplication */
} OBP_HANDLE;
NTSTATUS ObpMakeHandle(OBP_HANDLE *Request, PHANDLE Handle);
static inline EX_HANDLE_TABLE *ObpTableOf(PEPROCESS Process)
{
    return Process != NULL ? *ObpState.Process.HandleTable(Process) : ObpState.KernelTable;
}
static inline PEPROCESS ObpCurrentProcess(void)
{
    return ObpState.Process.Current != NULL ? ObpState.Process.Current() : NULL;
}
PEPROCESS ObpSystemProcess(void);
NTSTATUS ObpCloseEntry(EX_HANDLE_TABLE *Table, PEPROCESS Process, HANDLE Plain,
                       KPROCESSOR_MODE Mode, BOOLEAN Force);
/* A counted handle is gone: Close, and the name of a temporary object if it was the last. Key is
 * Process, NULL for the kernel's table. */
void ObpHandleGone(OBJECT_HEADER_NT *Header, PEPROCESS Key, ACCESS_MASK Granted);

/* count.c: handle counts. Process is a key only; NULL stands for the kernel's table. */
NTSTATUS ObpCountUp(OBJECT_HEADER_NT *Header, PEPROCESS Process, ULONG *Before);
ULONG ObpCountDown(OBJECT_HEADER_NT *Header, PEPROCESS Process); /* the count before */
BOOLEAN ObpIsCounted(POBJECT_TYPE Type);

/* filter.c */
typedef struct OBP_FILTER_CALL {
    OB_OPERATION Operation;
    PVOID Object;
    BOOLEAN KernelHandle;
    ACCESS_MASK Desired;
    PVOID SourceProcess, TargetProcess;
    ULONG Count;
    struct OBP_FILTER_ENTRY *Entries[OBP_FILTER_LIMIT];
    PVOID Contexts[OBP_FILTER_LIMIT];
} OBP_FILTER_CALL;
ACCESS_MASK ObpFilterBefore(OBP_FILTER_CALL *Call);
void ObpFilterAfter(OBP_FILTER_CALL *Call, NTSTATUS Status, ACCESS_MASK Granted);
static inline BOOLEAN ObpIsFiltered(POBJECT_TYPE Type)
{
    return Type->SupportsCallbacks &&
           atomic_load_explicit(&ObpState.CallbackCount, memory_order_relaxed) != 0;
}

/* callback.c */
void ObpDeleteCallback(PVOID Object);
NTSTATUS ObpMakeCallbacks(void);

/* type.c */
NTSTATUS ObpCreateTypes(void);
void ObpNameTypes(void);
void ObpDeleteTypes(void);
