/* Debug prints and their filters. */
#include "vf_test.h"

#include <dpfilter.h>

static VF_LOG_LINE Line;

static const char *LastText(void)
{
    static char Text[sizeof(Line.Text) + 1];
    ULONG64 Next = 1;

    Text[0] = 0;
    while (VfLogRead(Next, &Line)) {
        memcpy(Text, Line.Text, Line.Length);
        Text[Line.Length] = 0;
        Next = Line.Sequence + 1;
    }
    return Text;
}

static void APrintIsALineOfTheLog(void **Unused)
{
    assert_false(VfLogRead(1, &Line));
    assert_int_equal(DbgPrint("%s has %d\n", "driver", 3), STATUS_SUCCESS);
    assert_true(VfLogRead(1, &Line));
    assert_int_equal(Line.Sequence, 1);
    assert_int_equal(Line.Length, 13);
    assert_memory_equal(Line.Text, "driver has 3\n", 13);
    assert_string_equal(Line.Driver, "testdriver");
    assert_false(VfLogRead(2, &Line));
}

static void UnicodeStringsPrint(void **Unused)
{
    UNICODE_STRING Name = {8, 8, (PWSTR)L"Name"};

    DbgPrint("%wZ %ws", &Name, L"wide");
    assert_string_equal(LastText(), "Name wide");
}

static void OneCallTransmits512Bytes(void **Unused)
{
    char Long[1024];

    memset(Long, 'x', sizeof(Long) - 1);
    Long[sizeof(Long) - 1] = 0;
    DbgPrint("%s", Long);
    LastText();
    assert_int_equal(Line.Length, 512);
}

static void AMaskDecidesWhetherAComponentIsSeen(void **Unused)
{
    assert_int_equal(DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "hidden"), STATUS_SUCCESS);
    assert_string_equal(LastText(), "");
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "error");
    assert_string_equal(LastText(), "error");
    assert_int_equal(DbgSetDebugFilterState(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, TRUE),
                     STATUS_SUCCESS);
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "shown");
    assert_string_equal(LastText(), "shown");
    DbgPrintEx(DPFLTR_IHVBUS_ID, DPFLTR_INFO_LEVEL, "other");
    assert_string_equal(LastText(), "shown");
}

static void ALevelFrom32OnIsABitField(void **Unused)
{
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_MASK | 0x10, "hidden");
    assert_string_equal(LastText(), "");
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_MASK | 0x1, "shown");
    assert_string_equal(LastText(), "shown");
}

static void TheFilterCanBeAsked(void **Unused)
{
    assert_int_equal(DbgQueryDebugFilterState(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL), TRUE);
    assert_int_equal(DbgQueryDebugFilterState(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL), FALSE);
    assert_int_equal(DbgSetDebugFilterState(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, FALSE),
                     STATUS_SUCCESS);
    assert_int_equal(DbgQueryDebugFilterState(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL), FALSE);
    assert_int_equal(DbgQueryDebugFilterState(100000, 0), STATUS_INVALID_PARAMETER_1);
    assert_int_equal(DbgSetDebugFilterState(100000, 0, TRUE), STATUS_INVALID_PARAMETER_1);
}

static ULONG PrintWithPrefix(PCCH Prefix, PCCH Format, ...)
{
    va_list List;
    ULONG Status;

    va_start(List, Format);
    Status = vDbgPrintExWithPrefix(Prefix, DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, List);
    va_end(List);
    return Status;
}

static void APrefixComesFirst(void **Unused)
{
    assert_int_equal(PrintWithPrefix("mydriver: ", "%d", 7), STATUS_SUCCESS);
    assert_string_equal(LastText(), "mydriver: 7");
}

static ULONG Woken;

static void Wake(void)
{
    __atomic_fetch_add(&Woken, 1, __ATOMIC_RELAXED);
}

static void PrintMany(void *Argument)
{
    for (int i = 0; i < 1000; i++)
        DbgPrint("%d %d\n", (int)(ULONG_PTR)Argument, i);
}

static void ConcurrentPrintsStayWhole(void **Unused)
{
    host_thread *Threads[4];
    ULONG64 Next = 1, Count = 0, Last = 0;

    Woken = 0;
    VfLogSubscribe(Wake);
    for (ULONG_PTR i = 0; i < 4; i++)
        assert_int_equal(host_thread_start(&Threads[i], "print", PrintMany, (void *)i), 0);
    for (int i = 0; i < 4; i++)
        host_thread_join(Threads[i]);
    assert_int_equal(Woken, 4000);
    for (; VfLogRead(Next, &Line); Next = Line.Sequence + 1, Count++) {
        assert_true(Line.Sequence > Last);
        assert_true(Line.Text[0] >= '0' && Line.Text[0] <= '3' &&
                    Line.Text[Line.Length - 1] == '\n');
        Last = Line.Sequence;
    }
    assert_int_equal(Last, 4000);
    assert_true(Count > 0 && Count < 4000); /* the oldest lines have been overwritten */
}

static void PrintWithEcho(void *Argument)
{
    VfLogEcho(TRUE);
    DbgPrint("echoed");
}

static void LinesCanGoToStandardError(void **Unused)
{
    char Text[256];

    assert_int_equal(VfTestChild(PrintWithEcho, NULL, Text, sizeof(Text)), 0);
    assert_string_equal(Text, "testdriver: echoed\n");
}

static void ARestartForgetsTheLog(void **Unused)
{
    DbgPrint("before");
    VfTestStop(NULL);
    VfTestBoot(NULL);
    assert_false(VfLogRead(1, &Line));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        VF_TEST(APrintIsALineOfTheLog),     VF_TEST(UnicodeStringsPrint),
        VF_TEST(OneCallTransmits512Bytes),  VF_TEST(AMaskDecidesWhetherAComponentIsSeen),
        VF_TEST(ALevelFrom32OnIsABitField), VF_TEST(TheFilterCanBeAsked),
        VF_TEST(APrefixComesFirst),         VF_TEST(ConcurrentPrintsStayWhole),
        VF_TEST(LinesCanGoToStandardError), VF_TEST(ARestartForgetsTheLog),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
