/* Start and stop of ke. */
#include "ke/ki.h"

static ULONG KiChooseCount(ULONG Processors)
{
    ULONG Count = Processors ? Processors : host_cpu_count();

    if (!Processors && Count < 2)
        Count = 2;
    return Count < KI_MAXIMUM_PROCESSORS ? Count : KI_MAXIMUM_PROCESSORS;
}

static ULONG64 KiProviderTime(void)
{
    return KiScheduler->SystemTime();
}

static PDRIVER_OBJECT KiProviderDriver(void)
{
    return KiSelf ? KiSelf->CurrentDriver : NULL;
}

static PIRP KiProviderIrp(void)
{
    return KiSelf ? KiSelf->CurrentIrp : NULL;
}

static void KiProvideContext(BOOLEAN Provide)
{
    VfContext.CurrentIrql = Provide ? KeGetCurrentIrql : NULL;
    VfContext.SetIrqlAfterExpected = Provide ? KiForceIrql : NULL;
    VfContext.CurrentDriver = Provide ? KiProviderDriver : NULL;
    VfContext.CurrentIrp = Provide ? KiProviderIrp : NULL;
    VfContext.SystemTime = Provide ? KiProviderTime : NULL;
}

/* By a Linux thread that is not attached. */
NTSTATUS KeInitSystem(ULONG Processors)
{
    NTSTATUS Status;

    NT_ASSERT(!KiState.Prcbs);
    KiResetScheduler();
    KiInitializeTimers();
    Status = KiMapSharedData();
    if (!NT_SUCCESS(Status))
        return Status;
    KiProvideContext(TRUE);
    Status = KiStartProcessors(KiChooseCount(Processors));
    if (!NT_SUCCESS(Status))
        KeShutdownSystem();
    return Status;
}

/* By a Linux thread that is not attached, when every thread but ke's own has ended. */
void KeShutdownSystem(void)
{
    KiStopProcessors();
    KiProvideContext(FALSE);
    KiUnmapSharedData();
}
