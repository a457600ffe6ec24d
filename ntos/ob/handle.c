/*
 * Handles: made, looked up, duplicated, closed.
 *
 * A handle with the sign bit is the kernel's: valid in every process, for kernel mode only. Others
 * belong to the table of the current process; before there is a process, to the kernel's table too.
 */
#include "ob/obp.h"

PEPROCESS ObpSystemProcess(void)
{
    return ObpState.Process.System != NULL ? ObpState.Process.System() : NULL;
}

void ObSetProcessHooks(const OB_PROCESS_HOOKS *Hooks)
{
    ObpState.Process = *Hooks;
}

/* Finds table, process and plain handle of a handle of the current process, or of the kernel. */
static inline EX_HANDLE_TABLE *ObpSelectTable(HANDLE Handle, KPROCESSOR_MODE Mode,
                                              PEPROCESS *Process, HANDLE *Plain)
{
    *Process = NULL;
    *Plain = NULL;
    if ((LONG_PTR)Handle < 0) {
        if (Mode != KernelMode)
            return NULL;
        *Plain = (HANDLE)((ULONG_PTR)Handle ^ OBP_KERNEL_HANDLE);
        return ObpState.KernelTable;
    }
    *Process = ObpCurrentProcess();
    *Plain = Handle;
    return ObpTableOf(*Process);
}

/* ---- making ---- */

static NTSTATUS ObpCheckExclusive(OBJECT_HEADER_NT *Header, ULONG Attributes, PEPROCESS Process,
                                  OB_OPEN_REASON Reason)
{
    if ((__atomic_load_n(&Header->Attributes, __ATOMIC_RELAXED) & OBJ_EXCLUSIVE) == 0)
        return (Attributes & OBJ_EXCLUSIVE) != 0 && Reason == ObOpenHandle
                   ? STATUS_INVALID_PARAMETER
                   : STATUS_SUCCESS;
    if (atomic_load(&Header->HandleCount) == 0)
        __atomic_store_n(&Header->ExclusiveProcess, Process, __ATOMIC_RELAXED);
    return __atomic_load_n(&Header->ExclusiveProcess, __ATOMIC_RELAXED) == Process
               ? STATUS_SUCCESS
               : STATUS_ACCESS_DENIED;
}

static NTSTATUS ObpEnterHandle(OBP_HANDLE *Request, EX_HANDLE_TABLE *Table, PEPROCESS Process,
                               PHANDLE Handle)
{
    OBJECT_HEADER_NT *Header = ObHeader(Request->Object);
    PEPROCESS Key = Table == ObpState.KernelTable ? NULL : Process;
    ULONG Before, Kept = Request->Attributes & (OBJ_INHERIT | OBJ_PROTECT_CLOSE);
    NTSTATUS Status = ObpCheckExclusive(Header, Request->Attributes, Process, Request->Reason);

    if (NT_SUCCESS(Status))
        Status = ObpCountUp(Header, Key, &Before);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Header->Type->Procedures.Open != NULL) {
        Status = Header->Type->Procedures.Open(Request->Reason, Process, Request->Object,
                                               Request->Granted, Before);
        if (!NT_SUCCESS(Status)) {
            ObpCountDown(Header, Key);
            atomic_fetch_sub(&Header->Type->HandleCount, 1);
            if (atomic_fetch_sub(&Header->HandleCount, 1) == 1)
                ObpUnname(Header, TRUE);
            return Status;
        }
    }
    ObReferenceObject(Request->Object);
    *Handle = ExCreateHandle_(Table, Request->Object, Request->Granted, Kept);
    if (*Handle != NULL)
        return STATUS_SUCCESS;
    ObpHandleGone(Header, Key, Request->Granted);
    ObDereferenceObject(Request->Object);
    return STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS ObpMakeHandle(OBP_HANDLE *Request, PHANDLE Handle)
{
    POBJECT_TYPE Type = ObHeader(Request->Object)->Type;
    BOOLEAN Kernel = (Request->Attributes & OBJ_KERNEL_HANDLE) != 0, Filtered = ObpIsFiltered(Type);
    PEPROCESS Process = Kernel                     ? ObpSystemProcess()
                        : Request->Process != NULL ? Request->Process
                                                   : ObpCurrentProcess();
    EX_HANDLE_TABLE *Table = Kernel ? ObpState.KernelTable : ObpTableOf(Process);
    OBP_FILTER_CALL Call;
    HANDLE Plain = NULL;
    NTSTATUS Status;

    if (Table == NULL)
        return STATUS_PROCESS_IS_TERMINATING;
    Request->Granted &= Type->ValidAccess | ACCESS_SYSTEM_SECURITY;
    if (Filtered) {
        Call = (OBP_FILTER_CALL){.Operation = Request->Reason == ObDuplicateHandle
                                                  ? OB_OPERATION_HANDLE_DUPLICATE
                                                  : OB_OPERATION_HANDLE_CREATE,
                                 .Object = Request->Object,
                                 .KernelHandle = Kernel,
                                 .Desired = Request->Granted,
                                 .SourceProcess = Request->SourceProcess,
                                 .TargetProcess = Process};
        Request->Granted = ObpFilterBefore(&Call);
    }
    Status = ObpEnterHandle(Request, Table, Process, &Plain);
    if (Filtered)
        ObpFilterAfter(&Call, Status, Request->Granted);
    if (NT_SUCCESS(Status))
        *Handle = Kernel ? (HANDLE)((ULONG_PTR)Plain | OBP_KERNEL_HANDLE) : Plain;
    return Status;
}

/* ---- looking up ---- */

static NTSTATUS ObpReferencePseudo(PVOID Self, ACCESS_MASK AllAccess, POBJECT_TYPE ObjectType,
                                   PVOID *Object, POBJECT_HANDLE_INFORMATION Information)
{
    if (Self == NULL)
        return STATUS_INVALID_HANDLE;
    if (ObjectType != NULL && ObHeader(Self)->Type != ObjectType)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (Information != NULL) {
        Information->HandleAttributes = 0;
        Information->GrantedAccess = AllAccess;
    }
    ObReferenceObject(Self);
    *Object = Self;
    return STATUS_SUCCESS;
}

static NTSTATUS ObpReferenceEntry(EX_HANDLE_TABLE *Table, HANDLE Plain, ACCESS_MASK DesiredAccess,
                                  POBJECT_TYPE ObjectType, KPROCESSOR_MODE Mode, PVOID *Object,
                                  POBJECT_HANDLE_INFORMATION Information)
{
    EX_HANDLE_ENTRY *Entry = Table != NULL ? ExLockHandle_(Table, Plain) : NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Body;

    if (Entry == NULL)
        return STATUS_INVALID_HANDLE;
    Body = (PVOID)(atomic_load_explicit(&Entry->Object, memory_order_relaxed) & ~(ULONG_PTR)1);
    if (ObjectType != NULL && ObHeader(Body)->Type != ObjectType) {
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    } else if (Mode != KernelMode && (DesiredAccess & ~Entry->GrantedAccess) != 0) {
        Status = STATUS_ACCESS_DENIED;
    } else {
        ObReferenceObject(Body);
        *Object = Body;
        if (Information != NULL) {
            Information->HandleAttributes = Entry->Attributes & (OBJ_INHERIT | OBJ_PROTECT_CLOSE);
            Information->GrantedAccess = Entry->GrantedAccess;
        }
    }
    ExUnlockHandle_(Entry);
    return Status;
}

/* Of the current process, or the kernel's (kernel mode only); NtCurrentProcess and NtCurrentThread
 * too. STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED (user mode: a right
 * that the handle lacks). The caller dereferences the object. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-obreferenceobjectbyhandle */
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
                                         POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                         PVOID *Object,
                                         POBJECT_HANDLE_INFORMATION HandleInformation)
{
    EX_HANDLE_TABLE *Table;
    PEPROCESS Process;
    HANDLE Plain;

    VF_IRQL_MAX(APC_LEVEL);
    *Object = NULL;
    if (Handle == NtCurrentProcess())
        return ObpReferencePseudo(ObpCurrentProcess(), PROCESS_ALL_ACCESS, ObjectType, Object,
                                  HandleInformation);
    if (Handle == NtCurrentThread())
        return ObpReferencePseudo(ObpCurrentProcess() != NULL ? KiSelf : NULL, THREAD_ALL_ACCESS,
                                  ObjectType, Object, HandleInformation);
    Table = ObpSelectTable(Handle, AccessMode, &Process, &Plain);
    return ObpReferenceEntry(Table, Plain, DesiredAccess, ObjectType, AccessMode, Object,
                             HandleInformation);
}

/* Doc: wdm/nf-wdm-obreferenceobjectbyhandlewithtag */
NTSTATUS NTAPI ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess,
                                                POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                                ULONG Tag, PVOID *Object,
                                                POBJECT_HANDLE_INFORMATION HandleInformation)
{
    return ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object,
                                     HandleInformation);
}

/* Doc: ntifs/nf-ntifs-obiskernelhandle */
BOOLEAN NTAPI ObIsKernelHandle(HANDLE Handle)
{
    return (LONG_PTR)Handle < 0 && Handle != NtCurrentProcess() && Handle != NtCurrentThread();
}

/* ---- closing ---- */

void ObpHandleGone(OBJECT_HEADER_NT *Header, PEPROCESS Key, ACCESS_MASK Granted)
{
    ULONG Before = ObpCountDown(Header, Key);
    LONG System = atomic_fetch_sub(&Header->HandleCount, 1);

    atomic_fetch_sub(&Header->Type->HandleCount, 1);
    if (Header->Type->Procedures.Close != NULL)
        Header->Type->Procedures.Close(Key != NULL ? Key : ObpSystemProcess(), OBP_BODY(Header),
                                       Granted, Before, System);
    if (System == 1)
        ObpUnname(Header, TRUE);
}

NTSTATUS ObpCloseEntry(EX_HANDLE_TABLE *Table, PEPROCESS Process, HANDLE Plain,
                       KPROCESSOR_MODE Mode, BOOLEAN Force)
{
    EX_HANDLE_ENTRY *Entry = Table != NULL ? ExLockHandle_(Table, Plain) : NULL;
    ACCESS_MASK Granted;
    PVOID Object;

    if (Entry == NULL)
        return STATUS_INVALID_HANDLE;
    if ((Entry->Attributes & OBJ_PROTECT_CLOSE) != 0 && !Force) {
        ExUnlockHandle_(Entry);
        return STATUS_HANDLE_NOT_CLOSABLE;
    }
    Granted = Entry->GrantedAccess;
    Object = ExRemoveHandle_(Table, Entry, Plain);
    ObpHandleGone(ObHeader(Object), Table == ObpState.KernelTable ? NULL : Process, Granted);
    ObDereferenceObject(Object);
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_HANDLE, STATUS_HANDLE_NOT_CLOSABLE; for the kernel's own handles bug check 0x93,
 * since only a driver can have lost one. PASSIVE_LEVEL. Doc: ntifs/nf-ntifs-ntclose */
NTSTATUS ObCloseHandle_(HANDLE Handle, KPROCESSOR_MODE Mode)
{
    EX_HANDLE_TABLE *Table;
    PEPROCESS Process;
    NTSTATUS Status;
    HANDLE Plain;

    if (Handle == NtCurrentProcess() || Handle == NtCurrentThread())
        return STATUS_SUCCESS;
    Table = ObpSelectTable(Handle, Mode, &Process, &Plain);
    Status = ObpCloseEntry(Table, Process, Plain, Mode, FALSE);
    if (!NT_SUCCESS(Status) && Table != NULL && (LONG_PTR)Handle < 0)
        VfBugCheck(INVALID_KERNEL_HANDLE, (ULONG_PTR)Handle,
                   Status == STATUS_HANDLE_NOT_CLOSABLE ? 0 : 1, 0, 0,
                   "a kernel handle is closed that is not open, or is protected");
    return Status;
}

/* Doc: wdm/nf-wdm-obclosehandle */
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return ObCloseHandle_(Handle, PreviousMode);
}

NTSTATUS ObSetHandleFlags_(HANDLE Handle, ULONG Attributes, KPROCESSOR_MODE Mode)
{
    PEPROCESS Process;
    HANDLE Plain;
    EX_HANDLE_TABLE *Table = ObpSelectTable(Handle, Mode, &Process, &Plain);
    EX_HANDLE_ENTRY *Entry = Table != NULL ? ExLockHandle_(Table, Plain) : NULL;

    if (Entry == NULL)
        return STATUS_INVALID_HANDLE;
    Entry->Attributes = (Entry->Attributes & ~(OBJ_INHERIT | OBJ_PROTECT_CLOSE)) |
                        (Attributes & (OBJ_INHERIT | OBJ_PROTECT_CLOSE));
    ExUnlockHandle_(Entry);
    return STATUS_SUCCESS;
}

/* The structure is OBJECT_HANDLE_FLAG_INFORMATION: inherit, protect from close. PASSIVE_LEVEL. */
NTSTATUS NTAPI ObSetHandleAttributes(HANDLE Handle, PVOID HandleFlags, KPROCESSOR_MODE PreviousMode)
{
    PBOOLEAN Flags = HandleFlags;

    VF_IRQL_MAX(APC_LEVEL);
    return ObSetHandleFlags_(
        Handle, (Flags[0] ? OBJ_INHERIT : 0) | (Flags[1] ? OBJ_PROTECT_CLOSE : 0), PreviousMode);
}
