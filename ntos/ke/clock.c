/*
 * The clock: a thread that expires timers and, every 15.625 ms, writes the times in
 * KUSER_SHARED_DATA.
 *
 * The page is mapped twice: read-only at its documented user address, and writable for the clock.
 * The three words of a time are written High2Time, LowPart, High1Time and read the other way round,
 * so a reader sees when it was interrupted.
 */
#include "ke/ki.h"

#define KI_WRITABLE_ALIAS ((void *)0x7FFC0000)
#define KI_JUMP 100000 /* 10 ms: a larger change of the system time moves absolute timers */
#define KI_FREQUENCY 10000000

static struct {
    KUSER_SHARED_DATA *Shared; /* the writable alias */
    int File, ReadOnlyFile;
    KTHREAD_NT *Thread;
    ULONG64 NextTick;
    LONG64 SystemOffset; /* system time less interrupt time */
} KiClock;

KUSER_SHARED_DATA *KeSharedDataWritable(void)
{
    return KiClock.Shared;
}

int KeSharedDataFile(void)
{
    return KiClock.ReadOnlyFile;
}

static void KiWriteTime(volatile KSYSTEM_TIME *Time, ULONG64 Value)
{
    __atomic_store_n(&Time->High2Time, (LONG)(Value >> 32), __ATOMIC_RELAXED);
    __atomic_store_n(&Time->LowPart, (ULONG)Value, __ATOMIC_RELEASE);
    __atomic_store_n(&Time->High1Time, (LONG)(Value >> 32), __ATOMIC_RELEASE);
}

static ULONG64 KiReadTime(const volatile KSYSTEM_TIME *Time)
{
    LONG High;
    ULONG Low;

    do {
        High = __atomic_load_n(&Time->High1Time, __ATOMIC_ACQUIRE);
        Low = __atomic_load_n(&Time->LowPart, __ATOMIC_ACQUIRE);
    } while (High != __atomic_load_n(&Time->High2Time, __ATOMIC_RELAXED));
    return (ULONG64)(ULONG)High << 32 | Low;
}

static void KiWriteTimes(ULONG64 Now)
{
    ULONG64 Ticks = Now / KI_TICK;
    KUSER_SHARED_DATA *Shared = KiClock.Shared;

    KiWriteTime(&Shared->InterruptTime, Now);
    KiWriteTime(&Shared->SystemTime, KiScheduler->SystemTime());
    __atomic_store_n(&Shared->TickCountQuad, Ticks, __ATOMIC_RELEASE);
    __atomic_store_n((LONG volatile *)&Shared->TickCount.High2Time, (LONG)(Ticks >> 32),
                     __ATOMIC_RELEASE);
    __atomic_store_n(&Shared->TickCountLowDeprecated, (ULONG)Ticks, __ATOMIC_RELAXED);
}

static void KiWriteTimeZone(void)
{
    LONG64 Seconds = host_utc_offset(host_wall_clock());

    KiWriteTime(&KiClock.Shared->TimeZoneBias, (ULONG64)(-Seconds * KI_FREQUENCY));
}

static void KiWriteSystemRoot(KUSER_SHARED_DATA *Shared)
{
    static const WCHAR Root[] = L"C:\\Windows";

    memcpy(Shared->NtSystemRoot, Root, sizeof(Root));
}

static void KiFillSharedData(KUSER_SHARED_DATA *Shared)
{
    Shared->TickCountMultiplier = (ULONG)((ULONG64)KI_TICK * (1 << 24) / 10000);
    Shared->ImageNumberLow = Shared->ImageNumberHigh = 0x8664; /* IMAGE_FILE_MACHINE_AMD64 */
    Shared->NtProductType = NtProductWinNt;
    Shared->ProductTypeIsValid = TRUE;
    Shared->NtMajorVersion = 10;
    Shared->NtMinorVersion = 0;
    Shared->LargePageMinimum = 0x200000;
    Shared->SuiteMask = 0x110; /* terminal services, single user */
    Shared->ActiveConsoleId = 1;
    Shared->ProcessorFeatures[PF_COMPARE_EXCHANGE_DOUBLE] = TRUE;
    Shared->ProcessorFeatures[PF_MMX_INSTRUCTIONS_AVAILABLE] = TRUE;
    Shared->ProcessorFeatures[PF_XMMI_INSTRUCTIONS_AVAILABLE] = TRUE;
    Shared->ProcessorFeatures[PF_XMMI64_INSTRUCTIONS_AVAILABLE] = TRUE;
    Shared->ProcessorFeatures[PF_RDTSC_INSTRUCTION_AVAILABLE] = TRUE;
    Shared->ProcessorFeatures[PF_NX_ENABLED] = TRUE;
    KiWriteSystemRoot(Shared);
}

static NTSTATUS KiMapAt(void *At, int Protection)
{
    if (host_reserve(At, PAGE_SIZE))
        return STATUS_CONFLICTING_ADDRESSES;
    if (!host_map(At, PAGE_SIZE, KiClock.File, 0, Protection))
        return STATUS_SUCCESS;
    host_unmap(At, PAGE_SIZE);
    return STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS KiMapSharedData(void)
{
    NTSTATUS Status;

    memset(&KiClock, 0, sizeof(KiClock));
    KiClock.ReadOnlyFile = -1;
    KiClock.File = host_memory_file("nt-shared-data", PAGE_SIZE);
    if (KiClock.File < 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    KiClock.ReadOnlyFile = host_memory_file_read_only(KiClock.File);
    Status = KiClock.ReadOnlyFile < 0 ? STATUS_INSUFFICIENT_RESOURCES
                                      : KiMapAt(KI_WRITABLE_ALIAS, HOST_READ | HOST_WRITE);
    if (!NT_SUCCESS(Status))
        goto closeFiles;
    Status = KiMapAt((void *)KI_USER_SHARED_DATA, HOST_READ);
    if (!NT_SUCCESS(Status))
        goto unmapAlias;
    KiClock.Shared = KI_WRITABLE_ALIAS;
    KiFillSharedData(KiClock.Shared);
    KiWriteTimeZone();
    KiWriteTimes(KiNow());
    return STATUS_SUCCESS;

unmapAlias:
    host_unmap(KI_WRITABLE_ALIAS, PAGE_SIZE);
closeFiles:
    host_close(KiClock.ReadOnlyFile);
    host_close(KiClock.File);
    return Status;
}

void KiUnmapSharedData(void)
{
    if (!KiClock.Shared)
        return;
    host_unmap((void *)KI_USER_SHARED_DATA, PAGE_SIZE);
    host_unmap(KI_WRITABLE_ALIAS, PAGE_SIZE);
    host_close(KiClock.ReadOnlyFile);
    host_close(KiClock.File);
    memset(&KiClock, 0, sizeof(KiClock));
}

static LONG64 KiSystemOffset(void)
{
    return (LONG64)(KiScheduler->SystemTime() - KiNow());
}

/* Small corrections of the system clock accumulate in the offset without a jump. */
static void KiWatchSystemTime(void)
{
    LONG64 Offset = KiSystemOffset();
    LONG64 Change = Offset - KiClock.SystemOffset;

    if (Change > -KI_JUMP && Change < KI_JUMP)
        return;
    KiClock.SystemOffset = Offset;
    KiShiftAbsoluteTimers(Change);
    KiWriteTimeZone();
}

static void KiTickClock(ULONG64 Now)
{
    if (Now < KiClock.NextTick)
        return;
    KiClock.NextTick = (Now / KI_TICK + 1) * KI_TICK;
    KiWriteTimes(Now);
    KiWatchSystemTime();
}

void KiClockThread(KTHREAD_NT *Thread)
{
    while (!KiStopping(Thread)) {
        ULONG64 Now = KiNow(), Next;
        KIRQL Old;

        KiTickClock(Now);
        Old = KfRaiseIrql(DISPATCH_LEVEL);
        KiCount(&Thread->Prcb->Interrupts);
        Next = KiExpireTimers(Now, Thread->Prcb);
        KeLowerIrql(Old);
        KiScheduler->Park(Thread, Next < KiClock.NextTick ? Next : KiClock.NextTick);
    }
}

NTSTATUS KiStartClock(KTHREAD_NT *Thread)
{
    KiClock.Thread = Thread;
    KiClock.SystemOffset = KiSystemOffset();
    return KiStartServiceThread(Thread, KiClockThread, NULL, "nt-clock");
}

void KiWakeClock(void)
{
    if (KiClock.Thread != KiSelf)
        KiScheduler->Unpark(KiClock.Thread);
}

static const KUSER_SHARED_DATA *KiSharedData(void)
{
    return (const KUSER_SHARED_DATA *)KI_USER_SHARED_DATA;
}

/* Any IRQL. 100 ns since 1601, UTC; changes every tick. Doc: wdm/nf-wdm-kequerysystemtime~r1 */
VOID NTAPI KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = (LONGLONG)KiReadTime(&KiSharedData()->SystemTime);
}

/* Any IRQL. As KeQuerySystemTime, of this moment. Doc: wdm/nf-wdm-kequerysystemtimeprecise */
VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = (LONGLONG)KiScheduler->SystemTime();
}

/* Any IRQL. 100 ns since boot; changes every tick. Doc: wdm/nf-wdm-kequeryinterrupttime */
ULONGLONG NTAPI KeQueryInterruptTime(VOID)
{
    return KiReadTime(&KiSharedData()->InterruptTime);
}

/* Any IRQL. As KeQueryInterruptTime, of this moment, with the performance counter of it.
 * Doc: wdm/nf-wdm-kequeryinterrupttimeprecise */
ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    ULONG64 Now = KiNow();

    *QpcTimeStamp = Now;
    return Now;
}

/* Any IRQL. Interrupt time without sleep states, which there are none of. Doc:
 * wdm/nf-wdm-kequeryunbiasedinterrupttime */
ULONGLONG NTAPI KeQueryUnbiasedInterruptTime(VOID)
{
    return KeQueryInterruptTime();
}

/* Any IRQL. */
ULONGLONG NTAPI KeQueryUnbiasedInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    return KeQueryInterruptTimePrecise(QpcTimeStamp);
}

/* Any IRQL. Ticks of KeQueryTimeIncrement since boot. Doc: wdm/nf-wdm-kequerytickcount */
VOID NTAPI KeQueryTickCount(PLARGE_INTEGER CurrentCount)
{
    CurrentCount->QuadPart =
        (LONGLONG)__atomic_load_n(&KiSharedData()->TickCountQuad, __ATOMIC_ACQUIRE);
}

/* Any IRQL. 100 ns a tick. Doc: wdm/nf-wdm-kequerytimeincrement */
ULONG NTAPI KeQueryTimeIncrement(VOID)
{
    return KI_TICK;
}

/* Any IRQL. The frequency is 10 MHz. Doc: wdm/nf-wdm-kequeryperformancecounter */
LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER Counter;

    if (PerformanceFrequency)
        PerformanceFrequency->QuadPart = KI_FREQUENCY;
    Counter.QuadPart = (LONGLONG)KiNow();
    return Counter;
}

/* Any IRQL. Spins; not for more than 50 microseconds. Doc: wdm/nf-wdm-kestallexecutionprocessor */
VOID NTAPI KeStallExecutionProcessor(ULONG MicroSeconds)
{
    ULONG64 End = KiNow() + (ULONG64)MicroSeconds * 10;

    if (KiSelf)
        KiWakeHeld(KiSelf); /* perhaps one of them is stalled for */
    while (KiNow() < End)
        KiScheduler->Relax(0);
}

/* What a Windows image imports as KeTickCount: the shared page's. */
const volatile KSYSTEM_TIME *const KiTickCount =
    (const volatile KSYSTEM_TIME *)(KI_USER_SHARED_DATA +
                                    FIELD_OFFSET(KUSER_SHARED_DATA, TickCount));
