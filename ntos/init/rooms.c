/*
 * The order of the rooms. Each is started when those it may use run; a failure stops those that
 * run, in reverse.
 */
#include "init/init.h"

ULONG InitFailingRoom = MAXULONG;

/* The starting thread is a thread of ke's until ps makes it one of the System process, and again
 * after ps has stopped. */
static struct {
    KPROCESS_NT Process;
    struct _KTHREAD Thread;
} InitBoot;

static void EnterBoot(void)
{
    KeInitializeProcess(&InitBoot.Process);
    KeAdoptHostThread(&InitBoot.Thread, &InitBoot.Process);
}

/* A fault point before each room. */
#define START(number, expression)                                                                  \
    (InitFailingRoom == (number) ? STATUS_INSUFFICIENT_RESOURCES : (expression))

NTSTATUS InitStartRooms(const USERNT_OPTIONS *Options)
{
    NTSTATUS Status;
    if (!NT_SUCCESS(Status = START(0, VfInitSystem())))
        return Status;
    VfLogEcho(Options->EchoDebugPrint);
    if (!NT_SUCCESS(Status = START(1, KeInitSystem(Options->Processors))))
        goto stopVf;
    EnterBoot();
    if (!NT_SUCCESS(Status = START(2, MmInitSystem(Options->PhysicalBytes))))
        goto stopKe;
    if (!NT_SUCCESS(Status = START(3, HalInitSystem_())))
        goto stopMm;
    if (!NT_SUCCESS(Status = START(4, ExInitSystem())))
        goto stopHal;
    if (!NT_SUCCESS(Status = START(5, ObInitSystem())))
        goto stopEx;
    if (!NT_SUCCESS(Status = START(6, SeInitSystem(Options->BootUserId))))
        goto stopOb;
    if (!NT_SUCCESS(Status = START(7, CmInitSystem(Options->StateDirectory))))
        goto stopSe;
    if (!NT_SUCCESS(Status = START(8, PsInitSystem())))
        goto stopCm;
    if (!NT_SUCCESS(Status = START(9, IoInitSystem())))
        goto stopPs;
    if (!NT_SUCCESS(Status = START(10, LdrInitSystem(Options->DriverPath))))
        goto stopIo;
    if (!NT_SUCCESS(Status = START(11, NtServicesInit())))
        goto stopLdr;
    if (!NT_SUCCESS(Status = START(12, InitProtectNamespace())))
        goto stopNt;
    return STATUS_SUCCESS;

stopNt:
    NtServicesShutdown();
stopLdr:
    LdrShutdownSystem();
stopIo:
    IoShutdownSystem();
stopPs:
    PsShutdownSystem();
stopCm:
    CmShutdownSystem();
stopSe:
    SeShutdownSystem();
stopOb:
    ObShutdownSystem();
stopEx:
    ExShutdownSystem();
stopHal:
    HalShutdownSystem_();
stopMm:
    MmShutdownSystem();
stopKe:
    KeReleaseHostThread();
    KeShutdownSystem();
stopVf:
    VfShutdownSystem();
    return Status;
}

void InitStopRooms(void)
{
    NtServicesShutdown();
    LdrShutdownSystem();
    IoShutdownSystem();
    PsShutdownSystem();
    CmShutdownSystem();
    SeShutdownSystem();
    ObShutdownSystem();
    ExShutdownSystem();
    HalShutdownSystem_();
    MmShutdownSystem();
    KeReleaseHostThread();
    KeShutdownSystem();
    VfShutdownSystem();
}
