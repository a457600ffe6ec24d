/*
 * Notify routines for processes, threads and images: three tables of 64, called in order of
 * registration at PASSIVE_LEVEL inside a critical region. Removing a routine waits until no call of
 * it is under way.
 */
#include "ps/psp.h"

#define PSP_MAX_CALLBACKS 64

typedef struct PSP_CALLBACK {
    PVOID Routine; /* NULL: free. With Kind written under the mutex, while nobody can hold the
                      rundown reference under which they are read */
    ULONG Kind;
    BOOLEAN Leaving; /* under the mutex: being removed, by one only */
    EX_RUNDOWN_REF Rundown;
} PSP_CALLBACK;

typedef struct PSP_CALLBACKS {
    FAST_MUTEX Mutex;
    _Atomic LONG Count;
    PSP_CALLBACK Slots[PSP_MAX_CALLBACKS];
} PSP_CALLBACKS;

enum { PspClassic, PspExtended, PspExtended2, PspInNewThread };

static struct {
    PSP_CALLBACKS Processes, Threads, Images;
} PspNotify;

static void PspInitCallbacks(PSP_CALLBACKS *Table)
{
    ExInitializeFastMutex(&Table->Mutex);
    Table->Count = 0;
    for (ULONG I = 0; I < PSP_MAX_CALLBACKS; I++) {
        Table->Slots[I].Routine = NULL;
        Table->Slots[I].Leaving = FALSE;
        ExInitializeRundownProtection(&Table->Slots[I].Rundown);
        ExWaitForRundownProtectionRelease(&Table->Slots[I].Rundown);
    }
}

void PspInitNotify(void)
{
    PspInitCallbacks(&PspNotify.Processes);
    PspInitCallbacks(&PspNotify.Threads);
    PspInitCallbacks(&PspNotify.Images);
}

static PSP_CALLBACK *PspFindCallback(PSP_CALLBACKS *Table, PVOID Routine, ULONG Kind)
{
    for (ULONG I = 0; I < PSP_MAX_CALLBACKS; I++) {
        PSP_CALLBACK *Slot = &Table->Slots[I];

        if (Slot->Routine == Routine && !Slot->Leaving && (!Routine || Slot->Kind == Kind))
            return Slot;
    }
    return NULL;
}

/* FALSE: registered already, or no room. */
static BOOLEAN PspAddCallback(PSP_CALLBACKS *Table, PVOID Routine, ULONG Kind, BOOLEAN Once)
{
    PSP_CALLBACK *Slot = NULL;

    ExAcquireFastMutex(&Table->Mutex);
    if (!Once || !PspFindCallback(Table, Routine, Kind))
        Slot = PspFindCallback(Table, NULL, 0);
    if (Slot) {
        Slot->Routine = Routine;
        Slot->Kind = Kind;
        Table->Count++;
        ExReInitializeRundownProtection(&Slot->Rundown);
    }
    ExReleaseFastMutex(&Table->Mutex);
    return Slot != NULL;
}

static BOOLEAN PspRemoveCallback(PSP_CALLBACKS *Table, PVOID Routine, ULONG Kind)
{
    PSP_CALLBACK *Slot;

    ExAcquireFastMutex(&Table->Mutex);
    Slot = PspFindCallback(Table, Routine, Kind);
    if (Slot)
        Slot->Leaving = TRUE;
    ExReleaseFastMutex(&Table->Mutex);
    if (!Slot)
        return FALSE;
    ExWaitForRundownProtectionRelease(&Slot->Rundown);
    ExAcquireFastMutex(&Table->Mutex);
    Slot->Routine = NULL;
    Slot->Leaving = FALSE;
    Table->Count--;
    ExReleaseFastMutex(&Table->Mutex);
    return TRUE;
}

/* The routine of a slot, held until PspLeaveCallback; NULL: none. */
static PVOID PspEnterCallback(PSP_CALLBACK *Slot)
{
    return ExAcquireRundownProtection(&Slot->Rundown) ? Slot->Routine : NULL;
}

static void PspLeaveCallback(PSP_CALLBACK *Slot)
{
    ExReleaseRundownProtection(&Slot->Rundown);
}

#define PSP_FOR_EACH_CALLBACK(slot, routine, table)                                                \
    for (PSP_CALLBACK *slot = (table)->Slots;                                                      \
         (table)->Count && slot < (table)->Slots + PSP_MAX_CALLBACKS; slot++)                      \
        for (PVOID routine = PspEnterCallback(slot); routine;                                      \
             PspLeaveCallback(slot), routine = NULL)

static void PspCallProcess(PSP_CALLBACK *Slot, PVOID Routine, PEPROCESS Process,
                           PPS_CREATE_NOTIFY_INFO Info)
{
    if (Slot->Kind == PspClassic)
        NT_CALL((PCREATE_PROCESS_NOTIFY_ROUTINE)Routine, Process->ParentId,
                Process->UniqueProcessId, Info != NULL);
    else
        NT_CALL((PCREATE_PROCESS_NOTIFY_ROUTINE_EX)Routine, Process, Process->UniqueProcessId,
                Info);
}

NTSTATUS PspNotifyProcessCreate(PEPROCESS Process)
{
    PS_CREATE_NOTIFY_INFO Info = {.Size = sizeof(Info),
                                  .ParentProcessId = Process->ParentId,
                                  .ImageFileName = &Process->ImagePath};

    if (!PspNotify.Processes.Count)
        return STATUS_SUCCESS;
    Info.CreatingThreadId = (CLIENT_ID){PsSelf()->UniqueProcessId, PsSelf()->UniqueThreadId};
    KeEnterCriticalRegion();
    PSP_FOR_EACH_CALLBACK (Slot, Routine, &PspNotify.Processes)
        PspCallProcess(Slot, Routine, Process, &Info);
    KeLeaveCriticalRegion();
    return NT_ERROR(Info.CreationStatus) ? Info.CreationStatus : STATUS_SUCCESS;
}

void PspNotifyProcessExit(PEPROCESS Process)
{
    KeEnterCriticalRegion();
    PSP_FOR_EACH_CALLBACK (Slot, Routine, &PspNotify.Processes)
        PspCallProcess(Slot, Routine, Process, NULL);
    KeLeaveCriticalRegion();
}

void PspNotifyThread(PETHREAD Thread, BOOLEAN Create)
{
    KeEnterCriticalRegion();
    PSP_FOR_EACH_CALLBACK (Slot, Routine, &PspNotify.Threads) {
        if (!Create || Slot->Kind == PspClassic)
            NT_CALL((PCREATE_THREAD_NOTIFY_ROUTINE)Routine, Thread->UniqueProcessId,
                    Thread->UniqueThreadId, Create);
    }
    KeLeaveCriticalRegion();
}

/* Those that asked to be called by the new thread itself. */
void PspNotifyThreadInContext(PETHREAD Thread)
{
    if (!PspNotify.Threads.Count || Thread->Tcb.SystemThread)
        return;
    KeEnterCriticalRegion();
    PSP_FOR_EACH_CALLBACK (Slot, Routine, &PspNotify.Threads) {
        if (Slot->Kind == PspInNewThread)
            NT_CALL((PCREATE_THREAD_NOTIFY_ROUTINE)Routine, Thread->UniqueProcessId,
                    Thread->UniqueThreadId, TRUE);
    }
    KeLeaveCriticalRegion();
}

void PsCallImageNotify_(PUNICODE_STRING Name, HANDLE ProcessId, PIMAGE_INFO Information)
{
    if (!PspNotify.Images.Count)
        return;
    KeEnterCriticalRegion();
    PSP_FOR_EACH_CALLBACK (Slot, Routine, &PspNotify.Images)
        NT_CALL((PLOAD_IMAGE_NOTIFY_ROUTINE)Routine, Name, ProcessId, Information);
    KeLeaveCriticalRegion();
}

PVOID PsFindNotifyInRange_(PVOID Base, SIZE_T Bytes)
{
    PSP_CALLBACKS *Tables[] = {&PspNotify.Processes, &PspNotify.Threads, &PspNotify.Images};

    for (ULONG T = 0; T < RTL_NUMBER_OF(Tables); T++) {
        for (ULONG I = 0; I < PSP_MAX_CALLBACKS; I++) {
            ULONG_PTR Routine;

            ExAcquireFastMutex(&Tables[T]->Mutex);
            Routine = (ULONG_PTR)Tables[T]->Slots[I].Routine;
            ExReleaseFastMutex(&Tables[T]->Mutex);
            if (Routine && Routine - (ULONG_PTR)Base < Bytes)
                return (PVOID)Routine;
        }
    }
    return NULL;
}

static NTSTATUS PspSetProcessNotify(PVOID Routine, ULONG Kind, BOOLEAN Remove)
{
    BOOLEAN Done = Remove ? PspRemoveCallback(&PspNotify.Processes, Routine, Kind)
                          : Routine && PspAddCallback(&PspNotify.Processes, Routine, Kind, TRUE);

    if (Done)
        return STATUS_SUCCESS;
    return Remove ? STATUS_PROCEDURE_NOT_FOUND : STATUS_INVALID_PARAMETER;
}

/* Adds or removes a routine that is called when a process begins and ends.
 * STATUS_INVALID_PARAMETER: registered already, or 64 are; STATUS_PROCEDURE_NOT_FOUND: not
 * registered. IRQL PASSIVE_LEVEL. Doc: ntddk/nf-ntddk-pssetcreateprocessnotifyroutine */
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE NotifyRoutine,
                                               BOOLEAN Remove)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return PspSetProcessNotify(NotifyRoutine, PspClassic, Remove);
}

/* As above; the routine may refuse a process through CreateInfo->CreationStatus. The signature
 * check on the driver's image does not exist here. IRQL PASSIVE_LEVEL. Doc:
 * ntddk/nf-ntddk-pssetcreateprocessnotifyroutineex */
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX NotifyRoutine,
                                                 BOOLEAN Remove)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return PspSetProcessNotify(NotifyRoutine, PspExtended, Remove);
}

/* Doc: ntddk/nf-ntddk-pssetcreateprocessnotifyroutineex2 */
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType,
                                                  PVOID NotifyInformation, BOOLEAN Remove)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (NotifyType != PsCreateProcessNotifySubsystems)
        return STATUS_INVALID_PARAMETER;
    return PspSetProcessNotify(NotifyInformation, PspExtended2, Remove);
}

static NTSTATUS PspAdd(PSP_CALLBACKS *Table, PVOID Routine, ULONG Kind)
{
    return Routine && PspAddCallback(Table, Routine, Kind, FALSE) ? STATUS_SUCCESS
                                                                  : STATUS_INSUFFICIENT_RESOURCES;
}

/* The routine is called by the creator of a thread and by a thread that ends. At most 64:
 * STATUS_INSUFFICIENT_RESOURCES. IRQL PASSIVE_LEVEL. Doc:
 * ntddk/nf-ntddk-pssetcreatethreadnotifyroutine */
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return PspAdd(&PspNotify.Threads, NotifyRoutine, PspClassic);
}

/* PsCreateThreadNotifyNonSystem: the routine is called by the new thread itself. Doc:
 * ntddk/nf-ntddk-pssetcreatethreadnotifyroutineex */
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType,
                                                PVOID NotifyInformation)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (NotifyType != PsCreateThreadNotifyNonSystem && NotifyType != PsCreateThreadNotifySubsystems)
        return STATUS_INVALID_PARAMETER;
    return PspAdd(&PspNotify.Threads, NotifyInformation,
                  NotifyType == PsCreateThreadNotifyNonSystem ? PspInNewThread : PspClassic);
}

/* Waits for calls that are under way. IRQL <= APC_LEVEL. Doc:
 * ntddk/nf-ntddk-psremovecreatethreadnotifyroutine */
NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
    VF_IRQL_MAX(APC_LEVEL);
    if (PspRemoveCallback(&PspNotify.Threads, NotifyRoutine, PspClassic) ||
        PspRemoveCallback(&PspNotify.Threads, NotifyRoutine, PspInNewThread))
        return STATUS_SUCCESS;
    return STATUS_PROCEDURE_NOT_FOUND;
}

/* The routine is called when a driver or program image has been mapped. At most 64:
 * STATUS_INSUFFICIENT_RESOURCES. IRQL PASSIVE_LEVEL. Doc:
 * ntddk/nf-ntddk-pssetloadimagenotifyroutine */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return PspAdd(&PspNotify.Images, NotifyRoutine, PspClassic);
}

/* Flags: 0, or PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE (1), which changes nothing here: there is
 * one architecture. Doc: ntddk/nf-ntddk-pssetloadimagenotifyroutineex */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine,
                                             ULONG_PTR Flags)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (Flags & ~(ULONG_PTR)1)
        return STATUS_INVALID_PARAMETER;
    return PspAdd(&PspNotify.Images, NotifyRoutine, PspClassic);
}

/* Waits for calls that are under way; so the routine itself must not call this. IRQL <= APC_LEVEL.
 * Doc: ntddk/nf-ntddk-psremoveloadimagenotifyroutine */
NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    VF_IRQL_MAX(APC_LEVEL);
    return PspRemoveCallback(&PspNotify.Images, NotifyRoutine, PspClassic)
               ? STATUS_SUCCESS
               : STATUS_PROCEDURE_NOT_FOUND;
}
