/*
 * Functions 11 to 18, and what happens in a hooked call.
 *
 * A call that is on its way holds one of SPY_CALLS slots (one that finds none is counted, and not
 * logged); a slot is given back when the call returns, or when its thread ends without returning.
 * While a hook is installed, and until no call is on its way any more, the driver holds a file
 * object of its own device, the pin: so it is not unloaded under them. The pin is dropped by a work
 * item; NtUnloadDriver, which is hooked too, removes the hooks first if it is about this driver.
 *
 * The dispatch mutex orders installation and removal; Lock guards the protocol.
 */
#include "spy.h"
#include "hooks.h"
#include "table.h"

#define DRAIN_STEP (-10 * 10000LL) /* 10 ms */
#define DRAIN_STEPS 20             /* that a removal waits itself */

typedef struct _HOOK_STATE {
    PVOID Original;
    BOOLEAN Direct; /* the original may be called as a function of ours */
    LONG Service;   /* -1: this system has it not */
    HOOK_HANDLE Kind;
    ULONG HandleAt; /* among the values */
    BOOLEAN On;
} HOOK_STATE;

static struct {
    PDEVICE_OBJECT Device;
    UNICODE_STRING Service; /* our own key */
    HOOK_STATE Hooks[HOOK_COUNT];
    SPY_HOOK_ENTRY Entries[SPY_SERVICES];
    PROTOCOL *Protocol;
    SPY_CALL *Calls;
    FAST_MUTEX Lock;
    volatile LONG Installed, Paused, Filter;
    volatile LONG Installer;   /* a thread's id */
    volatile LONG WithoutSlot; /* calls on their way */
    PFILE_OBJECT Owner;        /* through which the hooks were installed; not referenced */
    PFILE_OBJECT Pin;
    PIO_WORKITEM Drain;
    KEVENT Drained; /* set: the work item is not queued, and done with all of this */
    BOOLEAN Draining, Notified;
} Spy;

/* ---- calls on their way ---- */

/* Whose slot it is, hThread tells, and claims it. */
static SPY_CALL *Enter(HANDLE Thread)
{
    ULONG First = (ULONG)((ULONG_PTR)Thread >> 2) % SPY_CALLS, i;

    for (i = 0; i < SPY_CALLS; i++) {
        SPY_CALL *Call = &Spy.Calls[(First + i) % SPY_CALLS];

        if (!DriverLoadPointer(&Call->hThread) &&
            !InterlockedCompareExchangePointer(&Call->hThread, Thread, NULL)) {
            DriverStore(&Call->fInUse, 1);
            return Call;
        }
    }
    InterlockedIncrement(&Spy.WithoutSlot);
    return NULL;
}

static VOID Free(SPY_CALL *Call)
{
    DriverStore(&Call->fInUse, 0);
    DriverStorePointer(&Call->hThread, NULL);
}

VOID HookLeave(SPY_CALL *Call)
{
    if (Call)
        Free(Call);
    else
        InterlockedDecrement(&Spy.WithoutSlot);
}

/* Calls of Except do not count: that thread is here. */
static BOOLEAN Quiet(HANDLE Except)
{
    ULONG i;

    if (DriverLoad(&Spy.WithoutSlot))
        return FALSE;
    for (i = 0; i < SPY_CALLS; i++) {
        HANDLE Thread = DriverLoadPointer(&Spy.Calls[i].hThread);

        if (Thread && Thread != Except)
            return FALSE;
    }
    return TRUE;
}

/* A thread that ends inside a call never comes back. */
static VOID NTAPI ThreadNotify(HANDLE Process, HANDLE Thread, BOOLEAN Create)
{
    ULONG i;

    UNREFERENCED_PARAMETER(Process);
    if (Create)
        return;
    InterlockedCompareExchange(&Spy.Installer, 0, (LONG)(LONG_PTR)Thread);
    for (i = 0; i < SPY_CALLS; i++)
        if (DriverLoadPointer(&Spy.Calls[i].hThread) == Thread)
            Free(&Spy.Calls[i]);
}

/* ---- a hooked call ---- */

static SIZE_T ReadArgument(PVOID To, const VOID *From, SIZE_T Bytes, BOOLEAN User)
{
    return User && !SpyIsUsers(From, Bytes) ? 0 : SpyRead(To, From, Bytes);
}

static LONGLONG Now(VOID)
{
    LARGE_INTEGER Time;

    KeQuerySystemTime(&Time);
    return Time.QuadPart;
}

/* With the filter on, most calls are none of its business: that is seen before anything else. */
static BOOLEAN Wanted(const HOOK_STATE *Hook, const ULONG_PTR *Values, HANDLE Thread)
{
    if (DriverLoad(&Spy.Paused) || !DriverLoad(&Spy.Installed) ||
        DriverLoad(&Spy.Installer) == (LONG)(LONG_PTR)Thread)
        return FALSE;
    if (!DriverLoad(&Spy.Filter) || (Hook->Kind != HANDLE_USED && Hook->Kind != HANDLE_CLOSED))
        return TRUE;
    return ProtocolMayKnow(Spy.Protocol, PsGetCurrentProcessId(), (HANDLE)Values[Hook->HandleAt]);
}

static VOID Record(SPY_CALL *Slot, ULONG Number, const ULONG_PTR *Values, PVOID Caller)
{
    ULONG Parameters = HookRows[Number].Count + 1;
    LONG Service = Spy.Hooks[Number].Service;

    Slot->pCaller = Caller;
    Slot->pshe = Service < SPY_SERVICES ? &Spy.Entries[Service] : NULL;
    Slot->dParameters = Parameters;
    RtlCopyMemory(Slot->adParameters, Values, Parameters * sizeof(ULONG_PTR));
}

static VOID Log(ULONG Number, const ULONG_PTR *Values, PROTOCOL_CALL *Call)
{
    Call->Format = HookRows[Number].Format;
    Call->Parameters = HookRows[Number].Count + 1;
    Call->Values = Values;
    Call->Filter = DriverLoad(&Spy.Filter) != 0;
    ExAcquireFastMutex(&Spy.Lock);
    ProtocolLog(Spy.Protocol, Call);
    ExReleaseFastMutex(&Spy.Lock);
}

static NTSTATUS CallOriginal(ULONG Number, const ULONG_PTR *Arguments)
{
    const HOOK_STATE *Hook = &Spy.Hooks[Number];

    return Hook->Direct ? HookCallOriginal(Hook->Original, HookRows[Number].Count, Arguments)
                        : TableCall(Hook->Original, HookRows[Number].Count, Arguments);
}

static NTSTATUS Logged(ULONG Number, ULONG_PTR *Values, SPY_CALL *Slot)
{
    const HOOK_STATE *Hook = &Spy.Hooks[Number];
    WCHAR *Name = NULL;
    PROTOCOL_CALL Call;
    NTSTATUS Status;

    RtlZeroMemory(&Call, sizeof(Call));
    Call.Process = PsGetCurrentProcessId();
    Call.Thread = PsGetCurrentThreadId();
    Call.User = ExGetPreviousMode() == UserMode;
    if (Hook->Kind == HANDLE_CLOSED &&
        ProtocolMayKnow(Spy.Protocol, Call.Process, (HANDLE)Values[Hook->HandleAt]) &&
        (Name = DriverAllocate((PROTOCOL_TEXT + 1) * sizeof(WCHAR), SPY_TAG)) != NULL) {
        ExAcquireFastMutex(&Spy.Lock);
        Call.Closed =
            ProtocolClosing(Spy.Protocol, Call.Process, (HANDLE)Values[Hook->HandleAt], Name);
        ExReleaseFastMutex(&Spy.Lock);
        Call.ClosedName = Name;
    }
    Status = CallOriginal(Number, Values + 1);
    Values[0] = Slot->adParameters[0] = (ULONG)Status;
    Log(Number, Values, &Call);
    if (Name)
        ExFreePoolWithTag(Name, SPY_TAG);
    return Status;
}

static VOID BeforeUnload(ULONG_PTR Key);

PVOID HookPass(ULONG Number, HANDLE First, SPY_CALL **Slot)
{
    const HOOK_STATE *Hook = &Spy.Hooks[Number];
    HANDLE Thread = PsGetCurrentThreadId();
    ULONG_PTR Values[2];

    *Slot = Enter(Thread);
    if (Number == HOOK_NtUnloadDriver || Hook->HandleAt > 1)
        return NULL;
    Values[1] = (ULONG_PTR)First;
    return !Hook->Direct || Wanted(Hook, Values, Thread) ? NULL : Hook->Original;
}

NTSTATUS HookCall(ULONG Number, ULONG_PTR *Values, SPY_CALL *Slot, PVOID Caller)
{
    const HOOK_STATE *Hook = &Spy.Hooks[Number];
    BOOLEAN IsWanted = Wanted(Hook, Values, PsGetCurrentThreadId());
    NTSTATUS Status;

    if (Number == HOOK_NtUnloadDriver)
        BeforeUnload(Values[1]);
    if (IsWanted && Slot) {
        Record(Slot, Number, Values, Caller);
        Status = Logged(Number, Values, Slot);
    } else {
        if (IsWanted)
            InterlockedIncrement((volatile LONG *)&Spy.Protocol->Data->sh.dMisses);
        Status = CallOriginal(Number, Values + 1);
    }
    HookLeave(Slot);
    return Status;
}

/* ---- state ---- */

static VOID FreeState(VOID)
{
    if (Spy.Protocol && Spy.Protocol->Data)
        ExFreePoolWithTag(Spy.Protocol->Data, SPY_TAG);
    if (Spy.Protocol)
        ExFreePoolWithTag(Spy.Protocol, SPY_TAG);
    if (Spy.Calls)
        ExFreePoolWithTag(Spy.Calls, SPY_TAG);
    if (Spy.Drain)
        IoFreeWorkItem(Spy.Drain);
    Spy.Protocol = NULL;
    Spy.Calls = NULL;
    Spy.Drain = NULL;
}

static PROTOCOL *NewProtocol(VOID)
{
    PROTOCOL *Protocol = DriverAllocate(sizeof(*Protocol), SPY_TAG);

    if (!Protocol)
        return NULL;
    Protocol->Data = DriverAllocate(sizeof(SPY_PROTOCOL), SPY_TAG);
    if (!Protocol->Data) {
        ExFreePoolWithTag(Protocol, SPY_TAG);
        return NULL;
    }
    Protocol->Read = ReadArgument;
    Protocol->Time = Now;
    ProtocolReset(Protocol);
    return Protocol;
}

/* From the first use to the unloading of the driver. */
static NTSTATUS NeedState(VOID)
{
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (!TableFind())
        return STATUS_NOT_SUPPORTED;
    if (Spy.Notified)
        return STATUS_SUCCESS;
    Spy.Protocol = NewProtocol();
    Spy.Calls = DriverAllocate(SPY_CALLS * sizeof(SPY_CALL), SPY_TAG);
    Spy.Drain = IoAllocateWorkItem(Spy.Device);
    if (Spy.Protocol && Spy.Calls && Spy.Drain)
        Status = PsSetCreateThreadNotifyRoutine(ThreadNotify);
    if (NT_SUCCESS(Status))
        Spy.Notified = TRUE;
    else
        FreeState();
    return Status;
}

/* The first of %+ %! %-, as the filter sees it. */
static VOID Classify(HOOK_STATE *Hook, PCSTR Format)
{
    ULONG Value = 0;

    for (; *Format; Format++) {
        if (*Format != '%')
            continue;
        Format++;
        if (*Format == '+' || *Format == '!' || *Format == '-') {
            Hook->Kind = *Format == '+' ? HANDLE_NEW : *Format == '!' ? HANDLE_USED : HANDLE_CLOSED;
            Hook->HandleAt = Value;
            return;
        }
        Value++;
    }
}

/* ---- install and remove ---- */

static VOID Describe(ULONG Number)
{
    HOOK_STATE *Hook = &Spy.Hooks[Number];

    if (Hook->Service < 0 || Hook->Service >= SPY_SERVICES)
        return;
    Spy.Entries[Hook->Service].Handler = Hook->On ? Hook->Original : HookRows[Number].Stub;
    Spy.Entries[Hook->Service].pbFormat = HookRows[Number].Format;
}

/* A call of an earlier installation may still read it; mostly it stays what it was. */
static VOID SetOriginal(HOOK_STATE *Hook, PVOID Original)
{
    if (Hook->Original == Original)
        return;
    Hook->Direct = TableIsDirect(Original);
    Hook->Original = Original;
}

static ULONG InstallAll(PVOID *Table)
{
    ULONG i, Count = 0;

    for (i = 0; i < HOOK_COUNT; i++) {
        HOOK_STATE *Hook = &Spy.Hooks[i];

        if (Hook->Service < 0)
            continue;
        do
            SetOriginal(Hook, InterlockedCompareExchangePointer(&Table[Hook->Service], NULL, NULL));
        while (InterlockedCompareExchangePointer(&Table[Hook->Service], HookRows[i].Stub,
                                                 Hook->Original) != Hook->Original);
        Hook->On = TRUE;
        Describe(i);
        Count++;
    }
    return Count;
}

/* An entry that somebody else has changed since leads to them, and through them to us: it stays,
 * and with it the pin. */
static ULONG RemoveAll(PVOID *Table)
{
    ULONG i, Count = 0;

    for (i = 0; i < HOOK_COUNT; i++) {
        HOOK_STATE *Hook = &Spy.Hooks[i];

        if (!Hook->On || InterlockedCompareExchangePointer(&Table[Hook->Service], Hook->Original,
                                                           HookRows[i].Stub) != HookRows[i].Stub)
            continue;
        Hook->On = FALSE;
        Describe(i);
        Count++;
    }
    return Count;
}

static BOOLEAN AnyOn(VOID)
{
    ULONG i;

    for (i = 0; i < HOOK_COUNT; i++)
        if (Spy.Hooks[i].On)
            return TRUE;
    return FALSE;
}

static NTSTATUS SetPin(VOID)
{
    PDEVICE_OBJECT Device;
    UNICODE_STRING Name;

    if (Spy.Pin)
        return STATUS_SUCCESS;
    RtlInitUnicodeString(&Name, SPY_DEVICE);
    return IoGetDeviceObjectPointer(&Name, FILE_READ_ATTRIBUTES, &Spy.Pin, &Device);
}

/* The pin, if nothing needs it any more. Dispatch mutex held. */
static PFILE_OBJECT TakePin(VOID)
{
    PFILE_OBJECT Pin = Spy.Pin;

    if (AnyOn() || !Quiet(NULL))
        return NULL;
    Spy.Pin = NULL;
    return Pin;
}

static VOID Pause(VOID)
{
    LARGE_INTEGER Step;

    Step.QuadPart = DRAIN_STEP;
    KeDelayExecutionThread(KernelMode, FALSE, &Step);
}

/* Asks again until no call is on its way; the slowest thread has then left our code for good. */
static VOID NTAPI DrainWork(PDEVICE_OBJECT Device, PVOID Context)
{
    PFILE_OBJECT Pin;
    BOOLEAN Again;

    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
    Pause();
    SpyLock();
    Pin = TakePin();
    Again = !Pin && Spy.Pin && !AnyOn();
    Spy.Draining = Again;
    if (!Again)
        KeSetEvent(&Spy.Drained, IO_NO_INCREMENT, FALSE);
    SpyUnlock();
    if (Again)
        IoQueueWorkItem(Spy.Drain, DrainWork, DelayedWorkQueue, NULL);
    if (Pin)
        ObDereferenceObject(Pin);
}

static VOID BeginDrain(VOID)
{
    if (Spy.Draining || !Spy.Pin)
        return;
    Spy.Draining = TRUE;
    KeClearEvent(&Spy.Drained);
    IoQueueWorkItem(Spy.Drain, DrainWork, DelayedWorkQueue, NULL);
}

/* Dispatch mutex held. */
static NTSTATUS Remove(ULONG *Count)
{
    TABLE_WINDOW Window;
    NTSTATUS Status = TableOpen(&Window);

    if (!NT_SUCCESS(Status))
        return Status;
    *Count = RemoveAll(Window.Entries);
    TableClose(&Window);
    InterlockedExchange(&Spy.Installed, 0);
    InterlockedExchange(&Spy.Installer, 0);
    InterlockedExchangePointer((PVOID *)&Spy.Owner, NULL);
    return STATUS_SUCCESS;
}

/* Whoever installed the hooks is gone, perhaps without having removed them: nobody else would. At
 * IRP_MJ_CLOSE once more, because a request may be on its way during IRP_MJ_CLEANUP. */
VOID SpyHooksForget(PFILE_OBJECT File)
{
    ULONG Count;

    if (InterlockedCompareExchangePointer((PVOID *)&Spy.Owner, NULL, NULL) != File)
        return;
    SpyLock();
    if (Spy.Owner == File) {
        Remove(&Count);
        BeginDrain();
    }
    SpyUnlock();
}

/* NtUnloadDriver(Key) is about to run, on our way to it: if it means us, the hooks go first. */
static VOID BeforeUnload(ULONG_PTR Key)
{
    BOOLEAN User = ExGetPreviousMode() == UserMode;
    WCHAR Text[128];
    UNICODE_STRING Name;
    ULONG Count;

    if (ReadArgument(&Name, (PVOID)Key, sizeof(Name), User) != sizeof(Name) ||
        Name.Length > sizeof(Text) || Name.Length != Spy.Service.Length ||
        ReadArgument(Text, Name.Buffer, Name.Length, User) != Name.Length)
        return;
    Name.Buffer = Text;
    if (!RtlEqualUnicodeString(&Name, &Spy.Service, TRUE))
        return;
    SpyLock();
    if (DriverLoad(&Spy.Installed))
        Remove(&Count);
    BeginDrain();
    SpyUnlock();
}

static VOID ResetProtocol(VOID)
{
    ExAcquireFastMutex(&Spy.Lock);
    ProtocolReset(Spy.Protocol);
    ExReleaseFastMutex(&Spy.Lock);
}

NTSTATUS SpyHookInstall(SPY_REQUEST *Request)
{
    TABLE_WINDOW Window;
    NTSTATUS Status = NeedState();

    if (!NT_SUCCESS(Status))
        return Status;
    if (DriverLoad(&Spy.Installed))
        return STATUS_INVALID_DEVICE_STATE;
    Status = SetPin();
    if (!NT_SUCCESS(Status))
        return Status;
    Status = TableOpen(&Window);
    if (!NT_SUCCESS(Status)) {
        BeginDrain();
        return Status;
    }
    if (Request->In.Flag)
        ResetProtocol();
    InterlockedExchange(&Spy.Installer, (LONG)(LONG_PTR)PsGetCurrentThreadId());
    InterlockedExchangePointer((PVOID *)&Spy.Owner, Request->File);
    InterlockedExchange(&Spy.Installed, 1);
    *(ULONG *)Request->Buffer = InstallAll(Window.Entries);
    TableClose(&Window);
    return STATUS_SUCCESS;
}

/* Waits a moment for calls on their way. They may stay longer: the driver stays with them. */
NTSTATUS SpyHookRemove(SPY_REQUEST *Request)
{
    NTSTATUS Status = NeedState();
    ULONG Count = 0, i;

    if (!NT_SUCCESS(Status))
        return Status;
    if (!DriverLoad(&Spy.Installed))
        return STATUS_INVALID_DEVICE_STATE;
    Status = Remove(&Count);
    if (!NT_SUCCESS(Status))
        return Status;
    for (i = 0; i < DRAIN_STEPS && !Quiet(PsGetCurrentThreadId()); i++)
        Pause();
    BeginDrain();
    if (Request->In.Flag)
        ResetProtocol();
    *(ULONG *)Request->Buffer = Count;
    return STATUS_SUCCESS;
}

NTSTATUS SpyHookPause(SPY_REQUEST *Request)
{
    NTSTATUS Status = NeedState();
    LONG New = Request->In.Flag != 0;

    if (!NT_SUCCESS(Status))
        return Status;
    *(LONG *)Request->Buffer = InterlockedExchange(&Spy.Paused, New);
    if (!New)
        ResetProtocol();
    return STATUS_SUCCESS;
}

NTSTATUS SpyHookFilter(SPY_REQUEST *Request)
{
    NTSTATUS Status = NeedState();

    if (NT_SUCCESS(Status))
        *(LONG *)Request->Buffer = InterlockedExchange(&Spy.Filter, Request->In.Flag != 0);
    return Status;
}

NTSTATUS SpyHookReset(SPY_REQUEST *Request)
{
    NTSTATUS Status = NeedState();

    UNREFERENCED_PARAMETER(Request);
    if (NT_SUCCESS(Status))
        ResetProtocol();
    return Status;
}

NTSTATUS SpyHookRead(SPY_REQUEST *Request)
{
    NTSTATUS Status = NeedState();
    SPY_PROTOCOL *Data;

    if (!NT_SUCCESS(Status))
        return Status;
    Data = Spy.Protocol->Data;
    ExAcquireFastMutex(&Spy.Lock);
    Request->Information = Request->In.Flag
                               ? RingReadLine(Data, Request->Buffer, Request->OutLength)
                               : RingReadRaw(Data, Request->Buffer, Request->OutLength);
    ExReleaseFastMutex(&Spy.Lock);
    return STATUS_SUCCESS;
}

NTSTATUS SpyHookWrite(SPY_REQUEST *Request)
{
    NTSTATUS Status = NeedState();

    if (!NT_SUCCESS(Status))
        return Status;
    ExAcquireFastMutex(&Spy.Lock);
    RingWrite(Spy.Protocol->Data, Request->Buffer, Request->InLength);
    ExReleaseFastMutex(&Spy.Lock);
    return STATUS_SUCCESS;
}

NTSTATUS SpyHookInfo(SPY_REQUEST *Request)
{
    SPY_HOOK_INFO *Out = Request->Buffer;
    NTSTATUS Status = NeedState();
    ULONG Services;

    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(Out, sizeof(*Out));
    Out->psdt = TableFind();
    SpyRead(&Out->sdt, Out->psdt, sizeof(Out->sdt));
    Out->ServiceLimit = (ULONG)Out->sdt.ntoskrnl.ServiceLimit;
    Services = Out->ServiceLimit < SPY_SERVICES ? Out->ServiceLimit : SPY_SERVICES;
    SpyRead(Out->ServiceTable, Out->sdt.ntoskrnl.ServiceTable, Services * sizeof(PVOID));
    SpyRead(Out->ArgumentTable, Out->sdt.ntoskrnl.ArgumentTable, Services);
    RtlCopyMemory(Out->SpyHooks, Spy.Entries, sizeof(Out->SpyHooks));
    Out->psc = Spy.Calls;
    Out->psp = Spy.Protocol->Data;
    ExAcquireFastMutex(&Spy.Lock);
    Out->sh = Spy.Protocol->Data->sh;
    ExReleaseFastMutex(&Spy.Lock);
    return STATUS_SUCCESS;
}

/* ---- the driver's life ---- */

VOID SpyHooksInitialize(PDEVICE_OBJECT Device, PUNICODE_STRING RegistryPath)
{
    ULONG i;

    TableInitialize();
    ExInitializeFastMutex(&Spy.Lock);
    KeInitializeEvent(&Spy.Drained, NotificationEvent, TRUE);
    Spy.Device = Device;
    Spy.Service.Buffer = DriverAllocate(RegistryPath->Length, SPY_TAG);
    if (Spy.Service.Buffer) {
        Spy.Service.Length = Spy.Service.MaximumLength = RegistryPath->Length;
        RtlCopyMemory(Spy.Service.Buffer, RegistryPath->Buffer, RegistryPath->Length);
    }
    for (i = 0; i < HOOK_COUNT; i++) {
        Spy.Hooks[i].Service = TableService(HookRows[i].Name, HookRows[i].Count);
        Classify(&Spy.Hooks[i], HookRows[i].Format);
        Describe(i);
    }
}

/* At shutdown: calls on their way end with their processes. */
VOID SpyHooksShutdown(VOID)
{
    PFILE_OBJECT Pin = NULL;
    ULONG Count, i;

    SpyLock();
    if (DriverLoad(&Spy.Installed))
        Remove(&Count);
    for (i = 0; i < DRAIN_STEPS && !Pin && Spy.Pin; i++) {
        Pin = TakePin();
        if (!Pin)
            Pause();
    }
    BeginDrain();
    SpyUnlock();
    if (Pin)
        ObDereferenceObject(Pin);
}

/* There is no pin: no hook is installed, and every call has left. At shutdown the work item may not
 * have seen that yet. */
VOID SpyHooksUnload(VOID)
{
    KeWaitForSingleObject(&Spy.Drained, Executive, KernelMode, FALSE, NULL);
    if (Spy.Notified) {
        PsRemoveCreateThreadNotifyRoutine(ThreadNotify);
        Pause();
    }
    FreeState();
    if (Spy.Service.Buffer)
        ExFreePoolWithTag(Spy.Service.Buffer, SPY_TAG);
}
