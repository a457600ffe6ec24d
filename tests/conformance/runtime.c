/* Strings, conversions, times, bitmaps. */
#include "driver.h"

static VOID SayString(REPORT *Report, PCSTR What, PCUNICODE_STRING String)
{
    ANSI_STRING Ansi;
    CHAR Text[64];

    Ansi.Buffer = Text;
    Ansi.Length = 0;
    Ansi.MaximumLength = sizeof(Text);
    if (NT_SUCCESS(RtlUnicodeStringToAnsiString(&Ansi, String, FALSE)))
        Say(Report, What, "%.*s", Ansi.Length, Text);
    else
        Say(Report, What, "(none)");
}

VOID TestStrings(REPORT *Report)
{
    UNICODE_STRING First, Second, Copy;
    WCHAR Text[8];
    NTSTATUS Status;

    RtlInitUnicodeString(&First, L"Abc");
    RtlInitUnicodeString(&Second, L"aBC\x00E9");
    SAY_NUMBER(Report, "strings.length", First.Length);
    SAY_NUMBER(Report, "strings.maximum", First.MaximumLength);
    SAY_NUMBER(Report, "strings.compare-sign", RtlCompareUnicodeString(&First, &Second, FALSE) < 0);
    SAY_NUMBER(Report, "strings.compare-shorter",
               RtlCompareUnicodeString(&First, &Second, TRUE) < 0);
    SAY_NUMBER(Report, "strings.prefix", RtlPrefixUnicodeString(&First, &Second, TRUE));
    SAY_NUMBER(Report, "strings.prefix-case", RtlPrefixUnicodeString(&First, &Second, FALSE));
    SAY_NUMBER(Report, "strings.equal", RtlEqualUnicodeString(&First, &Second, TRUE));
    Copy.Buffer = Text;
    Copy.Length = 0;
    Copy.MaximumLength = sizeof(Text);
    RtlCopyUnicodeString(&Copy, &Second);
    SAY_NUMBER(Report, "strings.copied", Copy.Length);
    SAY_STATUS(Report, "strings.append", RtlAppendUnicodeToString(&Copy, L"xy"));
    SAY_STATUS(Report, "strings.append-too-long", RtlAppendUnicodeStringToString(&Copy, &Second));
    SAY_NUMBER(Report, "strings.append-left-it", Copy.Length);
    Status = RtlUpcaseUnicodeString(&Copy, &Second, TRUE);
    SAY_STATUS(Report, "strings.upcase", Status);
    if (NT_SUCCESS(Status)) {
        Say(Report, "strings.upcased", "%04x %04x", Copy.Buffer[0], Copy.Buffer[3]);
        RtlFreeUnicodeString(&Copy);
        SAY_NUMBER(Report, "strings.freed", Copy.Buffer == NULL);
    }
    Say(Report, "strings.upper", "%c%c", RtlUpperChar('q'), RtlUpperChar('1'));
    Say(Report, "strings.upcase-char", "%04x", RtlUpcaseUnicodeChar(0x00FC));
}

VOID TestConversions(REPORT *Report)
{
    UNICODE_STRING String;
    ANSI_STRING Ansi;
    WCHAR Text[48];
    ULONG Number = 77;
    GUID Guid;

    String.Buffer = Text;
    String.Length = 0;
    String.MaximumLength = sizeof(Text);
    SAY_STATUS(Report, "conversions.hex", RtlIntegerToUnicodeString(0xBEEF, 16, &String));
    SayString(Report, "conversions.hex-text", &String);
    SAY_STATUS(Report, "conversions.base", RtlIntegerToUnicodeString(5, 7, &String));
    String.MaximumLength = 4;
    SAY_STATUS(Report, "conversions.short", RtlIntegerToUnicodeString(12345, 10, &String));
    RtlInitUnicodeString(&String, L"0x1F");
    SAY_STATUS(Report, "conversions.to-number", RtlUnicodeStringToInteger(&String, 0, &Number));
    SAY_NUMBER(Report, "conversions.number", Number);
    RtlInitUnicodeString(&String, L"  -12z");
    SAY_STATUS(Report, "conversions.to-negative", RtlUnicodeStringToInteger(&String, 10, &Number));
    SAY_NUMBER(Report, "conversions.negative", Number);
    RtlInitUnicodeString(&String, L"{12345678-1234-5678-9ABC-DEF012345678}");
    SAY_STATUS(Report, "conversions.guid", RtlGUIDFromString(&String, &Guid));
    Say(Report, "conversions.guid-parts", "%08x %04x %02x", Guid.Data1, Guid.Data2, Guid.Data4[7]);
    RtlInitUnicodeString(&String, L"{12345678}");
    SAY_STATUS(Report, "conversions.no-guid", RtlGUIDFromString(&String, &Guid));
    RtlInitAnsiString(&Ansi, "narrow");
    SAY_STATUS(Report, "conversions.widen", RtlAnsiStringToUnicodeString(&String, &Ansi, TRUE));
    SAY_NUMBER(Report, "conversions.wide-length", String.Length);
    SAY_NUMBER(Report, "conversions.wide-size", RtlxAnsiStringToUnicodeSize(&Ansi));
    RtlFreeUnicodeString(&String);
}

VOID TestTimes(REPORT *Report)
{
    LARGE_INTEGER Time = {.QuadPart = 125911584000000000LL}, Back, Local; /* 2000-01-01 */
    TIME_FIELDS Fields;
    ULONG Seconds = 0;

    RtlTimeToTimeFields(&Time, &Fields);
    Say(Report, "times.fields", "%d-%d-%d %d %d", Fields.Year, Fields.Month, Fields.Day,
        Fields.Hour, Fields.Weekday);
    SAY_NUMBER(Report, "times.back", RtlTimeFieldsToTime(&Fields, &Back));
    SAY_NUMBER(Report, "times.same", Back.QuadPart == Time.QuadPart);
    Fields.Month = 13;
    SAY_NUMBER(Report, "times.no-month", RtlTimeFieldsToTime(&Fields, &Back));
    SAY_NUMBER(Report, "times.seconds", RtlTimeToSecondsSince1970(&Time, &Seconds));
    SAY_NUMBER(Report, "times.seconds-1970", Seconds);
    ExSystemTimeToLocalTime(&Time, &Local);
    ExLocalTimeToSystemTime(&Local, &Back);
    SAY_NUMBER(Report, "times.local-and-back", Back.QuadPart == Time.QuadPart);
    SAY_NUMBER(Report, "times.increment", KeQueryTimeIncrement() > 0);
}

VOID TestBitmaps(REPORT *Report)
{
    ULONG Bits[2] = {0};
    RTL_BITMAP Map;

    RtlInitializeBitMap(&Map, Bits, 40);
    SAY_NUMBER(Report, "bitmaps.find", RtlFindClearBitsAndSet(&Map, 5, 0));
    SAY_NUMBER(Report, "bitmaps.find-next", RtlFindClearBitsAndSet(&Map, 5, 3));
    SAY_NUMBER(Report, "bitmaps.set", RtlNumberOfSetBits(&Map));
    SAY_NUMBER(Report, "bitmaps.find-none", RtlFindClearBits(&Map, 39, 0));
    RtlClearBits(&Map, 2, 3);
    SAY_NUMBER(Report, "bitmaps.are-clear", RtlAreBitsClear(&Map, 2, 3));
    SAY_NUMBER(Report, "bitmaps.clear", RtlNumberOfClearBits(&Map));
    RtlSetAllBits(&Map);
    SAY_NUMBER(Report, "bitmaps.all", RtlNumberOfSetBits(&Map));
}
