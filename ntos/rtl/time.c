/* System times: 100 ns units since 1 January 1601, and their parts. */
#include "rtl.h"

#define UNITS_PER_MILLISECOND 10000ll
#define UNITS_PER_SECOND 10000000ll
#define SECONDS_PER_DAY 86400ll
#define SECONDS_1601_TO_1970 11644473600ll
#define SECONDS_1601_TO_1980 11960006400ll
#define DAYS_PER_400_YEARS 146097

static BOOLEAN RtlpIsLeapYear(LONG Year)
{
    return Year % 4 == 0 && (Year % 100 != 0 || Year % 400 == 0);
}

static LONG RtlpDaysOfMonth(LONG Year, LONG Month)
{
    static const UCHAR Days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return Days[Month - 1] + (Month == 2 && RtlpIsLeapYear(Year));
}

/* Days from 1 January 1601 to that of Year. */
static LONG64 RtlpDaysBeforeYear(LONG Year)
{
    LONG Past = Year - 1601;
    return Past * 365ll + Past / 4 - Past / 100 + Past / 400;
}

/* Any IRQL. Doc: wdm/nf-wdm-rtltimetotimefields */
VOID NTAPI RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields)
{
    ULONG64 Units = (ULONG64)Time->QuadPart;
    ULONG64 Days = Units / (SECONDS_PER_DAY * UNITS_PER_SECOND);
    ULONG Milliseconds =
        (ULONG)(Units % (SECONDS_PER_DAY * UNITS_PER_SECOND) / UNITS_PER_MILLISECOND);
    LONG Year = 1601 + (LONG)(Days / DAYS_PER_400_YEARS * 400);
    LONG Month = 1;
    ULONG Rest = (ULONG)(Days % DAYS_PER_400_YEARS);
    LONG Guess = Year + (LONG)(Rest / 366);
    while (RtlpDaysBeforeYear(Guess + 1) - RtlpDaysBeforeYear(Year) <= (LONG64)Rest)
        Guess++;
    Rest -= (ULONG)(RtlpDaysBeforeYear(Guess) - RtlpDaysBeforeYear(Year));
    while ((LONG)Rest >= RtlpDaysOfMonth(Guess, Month))
        Rest -= RtlpDaysOfMonth(Guess, Month++);
    TimeFields->Year = (CSHORT)Guess;
    TimeFields->Month = (CSHORT)Month;
    TimeFields->Day = (CSHORT)(Rest + 1);
    TimeFields->Hour = (CSHORT)(Milliseconds / 3600000);
    TimeFields->Minute = (CSHORT)(Milliseconds / 60000 % 60);
    TimeFields->Second = (CSHORT)(Milliseconds / 1000 % 60);
    TimeFields->Milliseconds = (CSHORT)(Milliseconds % 1000);
    TimeFields->Weekday = (CSHORT)((Days + 1) % 7); /* that day was a Monday; 0 is Sunday */
}

static BOOLEAN RtlpValidTimeFields(const TIME_FIELDS *Fields)
{
    return Fields->Year >= 1601 && Fields->Month >= 1 && Fields->Month <= 12 && Fields->Day >= 1 &&
           Fields->Day <= RtlpDaysOfMonth(Fields->Year, Fields->Month) && Fields->Hour >= 0 &&
           Fields->Hour <= 23 && Fields->Minute >= 0 && Fields->Minute <= 59 &&
           Fields->Second >= 0 && Fields->Second <= 59 && Fields->Milliseconds >= 0 &&
           Fields->Milliseconds <= 999;
}

/* Any IRQL. FALSE for a date that does not exist; the weekday is ignored. Doc:
 * wdm/nf-wdm-rtltimefieldstotime */
BOOLEAN NTAPI RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time)
{
    if (!RtlpValidTimeFields(TimeFields))
        return FALSE;
    LONG64 Days = RtlpDaysBeforeYear(TimeFields->Year) + TimeFields->Day - 1;
    for (LONG Month = 1; Month < TimeFields->Month; Month++)
        Days += RtlpDaysOfMonth(TimeFields->Year, Month);
    LONG64 Seconds = Days * SECONDS_PER_DAY + TimeFields->Hour * 3600ll +
                     TimeFields->Minute * 60ll + TimeFields->Second;
    if (__builtin_mul_overflow(Seconds, UNITS_PER_SECOND, &Time->QuadPart))
        return FALSE;
    return !__builtin_add_overflow(Time->QuadPart, TimeFields->Milliseconds * UNITS_PER_MILLISECOND,
                                   &Time->QuadPart);
}

static BOOLEAN RtlpSecondsSince(const LARGE_INTEGER *Time, LONG64 Epoch, PULONG Seconds)
{
    LONG64 Elapsed = Time->QuadPart / UNITS_PER_SECOND - Epoch;
    if (Time->QuadPart < 0 || Elapsed < 0 || Elapsed > MAXULONG)
        return FALSE;
    *Seconds = (ULONG)Elapsed;
    return TRUE;
}

/* IRQL < DISPATCH_LEVEL. FALSE outside 1970 to 2106. Doc: ntifs/nf-ntifs-rtltimetosecondssince1970
 */
BOOLEAN NTAPI RtlTimeToSecondsSince1970(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpSecondsSince(Time, SECONDS_1601_TO_1970, ElapsedSeconds);
}

/* IRQL < DISPATCH_LEVEL. FALSE outside 1980 to 2116. Doc: ntifs/nf-ntifs-rtltimetosecondssince1980
 */
BOOLEAN NTAPI RtlTimeToSecondsSince1980(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    RTL_IRQL_MAX(APC_LEVEL);
    return RtlpSecondsSince(Time, SECONDS_1601_TO_1980, ElapsedSeconds);
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlsecondssince1970totime */
VOID NTAPI RtlSecondsSince1970ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    RTL_IRQL_MAX(APC_LEVEL);
    Time->QuadPart = (ElapsedSeconds + SECONDS_1601_TO_1970) * UNITS_PER_SECOND;
}

/* IRQL < DISPATCH_LEVEL. Doc: ntifs/nf-ntifs-rtlsecondssince1980totime */
VOID NTAPI RtlSecondsSince1980ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    RTL_IRQL_MAX(APC_LEVEL);
    Time->QuadPart = (ElapsedSeconds + SECONDS_1601_TO_1980) * UNITS_PER_SECOND;
}
