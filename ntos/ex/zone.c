/*
 * Local time, and facts about the machine that the shared page holds.
 */
#include "ex/exp.h"

/* Seconds east of UTC become 100 ns west of it. */
VOID ExpInitializeTimeZone(VOID)
{
    KUSER_SHARED_DATA *Shared = KeSharedDataWritable();
    LARGE_INTEGER Bias = {.QuadPart = -(LONG64)host_utc_offset(host_wall_clock()) * 10000000};

    Shared->TimeZoneBias.High2Time = Bias.HighPart;
    Shared->TimeZoneBias.LowPart = Bias.LowPart;
    Shared->TimeZoneBias.High1Time = Bias.HighPart;
}

static LONG64 ExpBias(VOID)
{
    volatile KSYSTEM_TIME *Bias = &((KUSER_SHARED_DATA *)KI_USER_SHARED_DATA)->TimeZoneBias;
    LONG High;
    ULONG Low;

    do {
        High = Bias->High1Time;
        Low = Bias->LowPart;
    } while (High != Bias->High2Time);
    return ((LONG64)High << 32) | Low;
}

/* With the bias of now, also for other times of the year. Any IRQL. Doc:
 * wdm/nf-wdm-exsystemtimetolocaltime */
VOID NTAPI ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
    LocalTime->QuadPart = SystemTime->QuadPart - ExpBias();
}

/* Doc: wdm/nf-wdm-exlocaltimetosystemtime */
VOID NTAPI ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
    SystemTime->QuadPart = LocalTime->QuadPart + ExpBias();
}

/* A random (version 4) identifier. PASSIVE_LEVEL. Doc: ntddk/nf-ntddk-exuuidcreate */
NTSTATUS NTAPI ExUuidCreate(UUID *Uuid)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    host_random(Uuid, sizeof(*Uuid));
    Uuid->Data3 = (Uuid->Data3 & 0x0FFF) | 0x4000;
    Uuid->Data4[0] = (Uuid->Data4[0] & 0x3F) | 0x80;
    return STATUS_SUCCESS;
}

/* Doc: wdm/nf-wdm-exisprocessorfeaturepresent */
BOOLEAN NTAPI ExIsProcessorFeaturePresent(ULONG ProcessorFeature)
{
    return ProcessorFeature < PROCESSOR_FEATURE_MAX &&
           ((KUSER_SHARED_DATA *)KI_USER_SHARED_DATA)->ProcessorFeatures[ProcessorFeature];
}

/* Doc: wdm/nf-wdm-exverifysuite */
BOOLEAN NTAPI ExVerifySuite(SUITE_TYPE SuiteType)
{
    return (((KUSER_SHARED_DATA *)KI_USER_SHARED_DATA)->SuiteMask >> SuiteType & 1) != 0;
}
