/*
 * ob: objects, types, the namespace, handles.
 *
 * Lock order: directory lock (namespace, one push lock) > handle entry > object header. Type
 * procedures are called with nothing held.
 */
#ifndef OB_H
#define OB_H

#include "ex/ex.h"

NTSTATUS ObInitSystem(
    void); /* types Directory, SymbolicLink, Event, Mutant, Semaphore, Timer, Section, Callback; \,
              \Device, \??, \DosDevices, \GLOBAL??, \Driver, \FileSystem, \BaseNamedObjects,
              \Callback, \KernelObjects, \ObjectTypes, \Registry's place is cm's */
void ObShutdownSystem(void); /* asserts that no object is left; names those that are */

typedef enum OB_OPEN_REASON {
    ObCreateHandle,
    ObOpenHandle,
    ObDuplicateHandle,
    ObInheritHandle
} OB_OPEN_REASON;

/* What an object type does. NULL members have the default behaviour. */
typedef struct OB_TYPE_PROCEDURES {
    /* A handle is about to be made (count = handles of this process to the object, before). A
     * failure refuses it. */
    NTSTATUS(*Open)
    (OB_OPEN_REASON Reason, PEPROCESS Process, PVOID Object, ACCESS_MASK Granted,
     ULONG ProcessHandleCount);
    /* A handle is closed, in the context of Process. SystemHandleCount: handles left in the system
     * before this close (1: the last). */
    void (*Close)(PEPROCESS Process, PVOID Object, ACCESS_MASK Granted, ULONG ProcessHandleCount,
                  ULONG SystemHandleCount);
    void (*Delete)(PVOID Object); /* last reference; at PASSIVE_LEVEL */
    /* The rest of a path beyond this object: may consume it (Remaining empty), return
     * STATUS_REPARSE with *Path replaced, and put another object into *Found (referenced).
     * Path->Buffer is paged pool: who replaces it frees the old one and leaves a new one. Called
     * with the name's last component too (Remaining empty). */
    NTSTATUS(*Parse)
    (PVOID ParseObject, struct _OBJECT_TYPE *Type, PACCESS_STATE AccessState, KPROCESSOR_MODE Mode,
     ULONG Attributes, PUNICODE_STRING Path, PUNICODE_STRING Remaining, PVOID Context,
     PSECURITY_QUALITY_OF_SERVICE Qos, PVOID *Found);
    NTSTATUS(*Security)
    (PVOID Object, ULONG Operation, PSECURITY_INFORMATION Information,
     PSECURITY_DESCRIPTOR Descriptor, PULONG Length, PSECURITY_DESCRIPTOR *Stored, POOL_TYPE Pool,
     PGENERIC_MAPPING Mapping);
    NTSTATUS(*QueryName)
    (PVOID Object, BOOLEAN HasName, POBJECT_NAME_INFORMATION Information, ULONG Length,
     PULONG Returned, KPROCESSOR_MODE Mode);
} OB_TYPE_PROCEDURES;

typedef struct _OBJECT_TYPE {
    UNICODE_STRING Name;
    OB_TYPE_PROCEDURES Procedures;
    GENERIC_MAPPING Mapping;
    ACCESS_MASK ValidAccess;
    POOL_TYPE Pool;
    ULONG Tag, Index;
    ULONG_PTR WaitOffset; /* offset of the DISPATCHER_HEADER in the body; OB_NOT_WAITABLE;
                             OB_WAIT_POINTER|offset: pointer to a KEVENT is… see io */
    atomic_long ObjectCount, HandleCount;
    KSPIN_LOCK Lock;           /* of Objects */
    LIST_ENTRY Objects;        /* every object, for `nt handles` and leak reports */
    BOOLEAN SupportsCallbacks; /* Process and Thread: ObRegisterCallbacks accepts them */
    WCHAR NameBuffer[32];
} OBJECT_TYPE_NT;
#define OB_NOT_WAITABLE MAXULONG_PTR
NTSTATUS ObCreateObjectType_(PCWSTR Name, const OB_TYPE_PROCEDURES *Procedures,
                             const GENERIC_MAPPING *Mapping, ACCESS_MASK ValidAccess,
                             POOL_TYPE Pool, ULONG Tag, ULONG_PTR WaitOffset, POBJECT_TYPE *Type);

typedef struct _OBJECT_HEADER {
    atomic_long PointerCount;
    atomic_long HandleCount;
    POBJECT_TYPE Type;
    struct OB_DIRECTORY *Directory; /* where it is named; NULL: unnamed */
    UNICODE_STRING Name;
    ULONG Attributes; /* OBJ_PERMANENT … */
    BOOLEAN KernelObject;
    PSECURITY_DESCRIPTOR SecurityDescriptor;
    LIST_ENTRY TypeEntry;
    PEPROCESS ExclusiveProcess;       /* OBJ_EXCLUSIVE: the only process that may open it */
    struct OBP_CREATE_INFO *Create;   /* between ObCreateObject and ObInsertObject */
    struct OBP_HANDLE_COUNTS *Counts; /* handles of each process, for types with Open or Close */
    struct _OBJECT_HEADER
        *Next; /* in its directory's chain, or in the list of deferred deletions */
    ULONG NameHash;
    ULONG BodySize;
    ULONG_PTR Reserved;
    /* the body follows, 16-byte aligned */
} OBJECT_HEADER_NT;
static inline OBJECT_HEADER_NT *ObHeader(PVOID Object)
{
    return (OBJECT_HEADER_NT *)Object - 1;
}

/* All that is passed by address here (attributes, names, handles out) is kernel memory: nt has
 * captured it. Mode decides about access checks and handles only. */
/* The NT pair, as ntoskrnl has it. ObCreateObject returns an object with one reference;
 * ObInsertObject consumes it and names, checks, makes a handle. */
NTSTATUS NTAPI ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE Type,
                              POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE OwnershipMode,
                              PVOID ParseContext, ULONG BodySize, ULONG PagedCharge,
                              ULONG NonPagedCharge, PVOID *Object);
/* STATUS_OBJECT_NAME_EXISTS (success) when OBJ_OPENIF met an existing object: *NewObject is that
 * one, referenced, if asked for. */
NTSTATUS NTAPI ObInsertObject(PVOID Object, PACCESS_STATE PassedAccessState,
                              ACCESS_MASK DesiredAccess, ULONG AdditionalReferences,
                              PVOID *NewObject, PHANDLE Handle);
NTSTATUS NTAPI ObOpenObjectByName(POBJECT_ATTRIBUTES Attributes, POBJECT_TYPE Type,
                                  KPROCESSOR_MODE Mode, PACCESS_STATE AccessState,
                                  ACCESS_MASK DesiredAccess, PVOID ParseContext, PHANDLE Handle);
NTSTATUS NTAPI ObReferenceObjectByName(PUNICODE_STRING Name, ULONG Attributes,
                                       PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess,
                                       POBJECT_TYPE Type, KPROCESSOR_MODE Mode, PVOID ParseContext,
                                       PVOID *Object);
void NTAPI ObMakeTemporaryObject(PVOID Object); /* also removes the name now */

/* Handles. A kernel handle has the sign bit set, as on NT. */
NTSTATUS ObCloseHandle_(HANDLE Handle, KPROCESSOR_MODE Mode);
#ifndef OBJ_PROTECT_CLOSE
#define OBJ_PROTECT_CLOSE                                                                          \
    1u /* in EX_HANDLE_ENTRY.Attributes: closing fails with STATUS_HANDLE_NOT_CLOSABLE */
#endif
NTSTATUS ObSetHandleFlags_(
    HANDLE Handle, ULONG Attributes,
    KPROCESSOR_MODE Mode); /* OBJ_INHERIT and OBJ_PROTECT_CLOSE, of the current process's handle */
NTSTATUS ObDuplicateHandle_(PEPROCESS Source, HANDLE SourceHandle, PEPROCESS Target,
                            PHANDLE TargetHandle, ACCESS_MASK DesiredAccess, ULONG Attributes,
                            ULONG Options, KPROCESSOR_MODE Mode);
#ifndef OBJ_PROTECT_CLOSE
#define OBJ_PROTECT_CLOSE                                                                          \
    1u /* in EX_HANDLE_ENTRY.Attributes: closing fails with STATUS_HANDLE_NOT_CLOSABLE */
#endif
NTSTATUS ObSetHandleFlags_(
    HANDLE Handle, ULONG Attributes,
    KPROCESSOR_MODE Mode); /* OBJ_INHERIT and OBJ_PROTECT_CLOSE, of the current process's handle */
NTSTATUS ObInitProcess(PEPROCESS Process, PEPROCESS Parent,
                       BOOLEAN Inherit); /* makes its handle table */
void ObKillProcess(PEPROCESS Process); /* closes every handle, in the context of Process (the caller
                                          is attached) */
/* The waitable header of an object, or STATUS_OBJECT_TYPE_MISMATCH. */
NTSTATUS ObWaitObject_(PVOID Object, PVOID *Header);

typedef struct OB_PROCESS_HOOKS { /* ps registers: ob stands below it */
    PEPROCESS (*Current)(void);
    PEPROCESS (*System)(void);
    EX_HANDLE_TABLE **(*HandleTable)(PEPROCESS Process);
    HANDLE (*ProcessId)(PEPROCESS Process);
} OB_PROCESS_HOOKS;
void ObSetProcessHooks(const OB_PROCESS_HOOKS *Hooks);
typedef struct OB_SECURITY_HOOKS { /* se registers */
    BOOLEAN(*AccessCheck)
    (PSECURITY_DESCRIPTOR Descriptor, PACCESS_STATE AccessState, ACCESS_MASK Desired,
     PGENERIC_MAPPING Mapping, KPROCESSOR_MODE Mode, PACCESS_MASK Granted, PNTSTATUS Status);
    NTSTATUS(*Assign)
    (PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Given, BOOLEAN Container,
     PGENERIC_MAPPING Mapping, PSECURITY_DESCRIPTOR *New);
    void (*Free)(PSECURITY_DESCRIPTOR Descriptor);
    NTSTATUS(*CreateAccessState)
    (PACCESS_STATE State, PVOID AuxData, ACCESS_MASK Desired, PGENERIC_MAPPING Mapping);
    void (*DeleteAccessState)(PACCESS_STATE State);
    /* The contracts of SeQuerySecurityDescriptorInfo and SeSetSecurityDescriptorInfo. */
    NTSTATUS(*Query)
    (PSECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Descriptor, PULONG Length,
     PSECURITY_DESCRIPTOR *Stored);
    NTSTATUS(*Set)
    (PVOID Object, PSECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Modification,
     PSECURITY_DESCRIPTOR *Stored, POOL_TYPE Pool, PGENERIC_MAPPING Mapping);
} OB_SECURITY_HOOKS;
void ObSetSecurityHooks(const OB_SECURITY_HOOKS *Hooks);

/* Directory listing for NtQueryDirectoryObject and `nt obj`. */
NTSTATUS ObEnumerateDirectory_(PVOID Directory, ULONG *Context,
                               BOOLEAN (*Each)(PVOID Context, PUNICODE_STRING Name,
                                               PUNICODE_STRING Type),
                               PVOID EachContext);
/* Every handle of every process (class 16). Each is called with the entry locked: it copies, no
 * more. */
void ObEnumerateHandles_(BOOLEAN (*Each)(PVOID Context, PEPROCESS Process, HANDLE Handle,
                                         PVOID Object, ACCESS_MASK Granted, ULONG Attributes),
                         PVOID Context);

/* The services' backs. As above: everything given is captured already, nothing here probes. */
NTSTATUS ObCreateDirectory_(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                            KPROCESSOR_MODE Mode);
NTSTATUS ObCreateSymbolicLink_(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                               PCUNICODE_STRING Target, KPROCESSOR_MODE Mode);
NTSTATUS ObQuerySymbolicLink_(
    PVOID Link, PUNICODE_STRING Target,
    PULONG Returned); /* STATUS_BUFFER_TOO_SMALL: *Returned bytes (with a terminator) are needed */
NTSTATUS ObQuerySecurity_(PVOID Object, SECURITY_INFORMATION Information,
                          PSECURITY_DESCRIPTOR Descriptor, PULONG Length);
NTSTATUS ObSetSecurity_(PVOID Object, SECURITY_INFORMATION Information,
                        PSECURITY_DESCRIPTOR Descriptor);

/* Exported by NT, but not in the DDK headers. */
NTKERNELAPI NTSTATUS NTAPI
ObSetHandleAttributes(HANDLE Handle, PVOID HandleFlags,
                      KPROCESSOR_MODE PreviousMode); /* OBJECT_HANDLE_FLAG_INFORMATION */
NTKERNELAPI POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object);

/* Altitudes ("385201.5") as numbers: < 0, 0, > 0. */
LONG ObCompareAltitudes_(PCUNICODE_STRING Left, PCUNICODE_STRING Right);

/* For types that keep descriptors of their own: the default security procedure on *Stored; a new
 * descriptor (STATUS_NOT_SUPPORTED before se); its end. */
NTSTATUS ObDefaultSecurity_(PVOID Object, ULONG Operation, PSECURITY_INFORMATION Information,
                            PSECURITY_DESCRIPTOR Descriptor, PULONG Length,
                            PSECURITY_DESCRIPTOR *Stored, PGENERIC_MAPPING Mapping);
NTSTATUS ObAssignDescriptor_(PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Given,
                             BOOLEAN Container, PGENERIC_MAPPING Mapping,
                             PSECURITY_DESCRIPTOR *New);
void ObFreeDescriptor_(PSECURITY_DESCRIPTOR Descriptor);
/* Whether somebody of Mode may have Desired of the object, by its descriptor. */
NTSTATUS ObCheckObjectAccess_(PVOID Object, PACCESS_STATE AccessState, ACCESS_MASK Desired,
                              KPROCESSOR_MODE Mode);

/* A registration of ObRegisterCallbacks with a routine there; NULL: none. IRQL <= APC_LEVEL. */
PVOID ObFindCallbackInRange_(PVOID Base, SIZE_T Bytes);

/* Types of ob's own; the DDK's ExEventObjectType ... point at these. Bodies: KEVENT, KMUTANT,
 * KSEMAPHORE, a struct that begins with KTIMER, MM_SECTION. */
extern POBJECT_TYPE ObpTypeType, ObpDirectoryType, ObpSymbolicLinkType, ObpEventType, ObpMutantType,
    ObpSemaphoreType, ObpTimerType, ObpSectionType, ObpCallbackType;
extern POBJECT_TYPE *ExMutantObjectType, *ExTimerObjectType, *MmSectionObjectType;
#endif
