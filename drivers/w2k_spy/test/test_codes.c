/* Each of the 24 codes, with each kind of input and output: status and Information as tabled, and
 * nothing changed on failure. */
#include "spy_test.h"
#include <ntimage.h>

#define VARIABLE 0xFFFFFFFF

/* Kinds of input that make the longest output meaningful. */
typedef struct ROW {
    ULONG Code, Read;
    ULONG In, Out;
    NTSTATUS Full; /* with exact lengths and an input of zeros */
} ROW;

static const ROW Rows[SPY_IO_COUNT] = {
    {0x80006000, 0, 0, sizeof(SPY_VERSION_INFO), STATUS_SUCCESS},
    {0x80006004, 0, 0, sizeof(SPY_OS_INFO), STATUS_SUCCESS},
    {0x80006008, 0, 4, sizeof(SPY_SEGMENT), STATUS_SUCCESS},
    {0x8000600C, 0, 4, sizeof(SPY_INTERRUPT), STATUS_SUCCESS},
    {0x80006010, 0, 8, 8, STATUS_SUCCESS},
    {0x80006014, 0, 0, sizeof(SPY_CPU_INFO), STATUS_SUCCESS},
    {0x80006018, 0, 0, 4096, STATUS_SUCCESS},
    {0x8000601C, 0, 8, sizeof(SPY_PAGE_ENTRY), STATUS_SUCCESS},
    {0x80006020, 0, 16, 16, STATUS_SUCCESS}, /* no bytes: the head alone */
    {0x80006024, 0, 16, 0, STATUS_SUCCESS},
    {0x80006028, 0, 8, sizeof(SPY_HANDLE_INFO), STATUS_INVALID_PARAMETER},
    {0x8000602C, 0, 0, sizeof(SPY_HOOK_INFO), STATUS_SUCCESS},
    {0x8000E030, 0, 4, 4, STATUS_SUCCESS},
    {0x8000E034, 0, 4, 4, STATUS_SUCCESS},
    {0x8000E038, 0, 4, 4, STATUS_SUCCESS},
    {0x8000E03C, 0, 4, 4, STATUS_SUCCESS},
    {0x8000E040, 0, 0, 0, STATUS_SUCCESS},
    {0x8000E044, 0x80006044, 4, VARIABLE, STATUS_SUCCESS},
    {0x8000E048, 0, 0, 0, STATUS_SUCCESS},
    {0x8000E04C, 0x8000604C, 8, sizeof(SPY_MODULE_INFO), STATUS_INVALID_PARAMETER},
    {0x8000E050, 0x80006050, 8, sizeof(IMAGE_NT_HEADERS64), STATUS_INVALID_PARAMETER},
    {0x8000E054, 0x80006054, 8, VARIABLE, STATUS_INVALID_PARAMETER},
    {0x8000E058, 0x80006058, 8, 8, STATUS_INVALID_PARAMETER},
    {0x8000E05C, 0, sizeof(SPY_CALL_INPUT), sizeof(SPY_CALL_OUTPUT), STATUS_ACCESS_DENIED},
};

static UCHAR In[64], Out[8192];

/* Untouched: the bytes of Out from At on. */
static void expect_untouched(ULONG At)
{
    for (; At < sizeof(Out); At++)
        assert_int_equal(Out[At], 0xCC);
}

static void ask(const ROW *Row, ULONG Code, ULONG InLength, ULONG OutLength)
{
    NTSTATUS Wanted = Row->Full, Status;

    if (InLength < Row->In)
        Wanted = STATUS_INVALID_BUFFER_SIZE;
    else if (Row->Out != VARIABLE && OutLength < Row->Out)
        Wanted = STATUS_BUFFER_TOO_SMALL;
    memset(Out, 0xCC, sizeof(Out));
    Status = SpyAsk(Code, InLength ? In : NULL, InLength, OutLength ? Out : NULL, OutLength);
    if (Status != Wanted)
        fail_msg("code %08x, in %u, out %u: %08x instead of %08x", Code, InLength, OutLength,
                 (unsigned)Status, (unsigned)Wanted);
    if (!NT_SUCCESS(Wanted))
        assert_int_equal(Information, 0);
    else if (Row->Out != VARIABLE)
        assert_int_equal(Information, Row->Out);
    expect_untouched((ULONG)Information);
}

/* The hooks' own functions change state when they succeed: bring it back. */
static void restore(ULONG Number)
{
    LONG No = FALSE;
    ULONG Count;

    if (Number == 12)
        SpyAsk(SPY_IO_HOOK_REMOVE, &No, sizeof(No), &Count, sizeof(Count));
    if (Number == 13)
        SpyAsk(SPY_IO_HOOK_INSTALL, &No, sizeof(No), &Count, sizeof(Count));
}

static void each_code_checks_both_lengths(void **State)
{
    for (ULONG i = 0; i < SPY_IO_COUNT; i++) {
        const ROW *Row = &Rows[i];
        ULONG OutExact = Row->Out == VARIABLE ? 64 : Row->Out;
        ULONG Ins[] = {0, Row->In ? Row->In - 1 : 0, Row->In, Row->In + 1};
        ULONG Outs[] = {0, OutExact ? OutExact - 1 : 0, OutExact, OutExact + 1};

        if (i == 13)
            restore(i);
        for (ULONG a = 0; a < 4; a++)
            for (ULONG b = 0; b < 4; b++) {
                ask(Row, Row->Code, Ins[a], Outs[b]);
                if (Ins[a] >= Row->In && Outs[b] >= Row->Out)
                    restore(i);
                if (Row->Read)
                    ask(Row, Row->Read, Ins[a], Outs[b]);
            }
        if (i == 13) {
            LONG No = FALSE;

            SpyAnswer(SPY_IO_HOOK_REMOVE, &No, sizeof(No), Out, sizeof(ULONG));
        }
    }
}

static void refused_requests_leave_the_hooks_as_they_were(void **State)
{
    LONG Yes = TRUE, Before;
    ULONG Count;
    PVOID Close = KeServiceDescriptorTable->ntoskrnl.ServiceTable[NtServiceNtClose];

    assert_status(SpyAsk(SPY_IO_HOOK_INSTALL, &Yes, 4, &Count, 3), STATUS_BUFFER_TOO_SMALL);
    assert_ptr_equal(KeServiceDescriptorTable->ntoskrnl.ServiceTable[NtServiceNtClose], Close);
    assert_status(SpyAsk(SPY_IO_HOOK_PAUSE, &Yes, 4, &Before, 0), STATUS_BUFFER_TOO_SMALL);
    Yes = FALSE;
    SpyAnswer(SPY_IO_HOOK_PAUSE, &Yes, 4, &Before, 4);
    assert_int_equal(Before, FALSE);
    assert_status(SpyAsk(SPY_IO_HOOK_FILTER, &Yes, 3, &Before, 4), STATUS_INVALID_BUFFER_SIZE);
}

static void other_codes_are_no_functions(void **State)
{
    static const ULONG Codes[] = {0x80006060, 0x80006001, 0x8000A000, 0x8000E000, 0x80002000,
                                  0x80006030, 0x80006048, 0x8000605C, 0x00226000, 0x80005FFC};

    for (ULONG i = 0; i < RTL_NUMBER_OF(Codes); i++) {
        assert_status(SpyAsk(Codes[i], In, sizeof(In), Out, sizeof(Out)), STATUS_INVALID_PARAMETER);
        assert_int_equal(Information, 0);
    }
}

/* The access bits of a code against those of the handle. */
static void a_handle_for_reading_may_not_hook(void **State)
{
    LONG Flag = FALSE;
    HANDLE File;

    assert_ok(DriverTestOpen("w2k_spy", GENERIC_READ, &File));
    assert_ok(DriverTestControl(File, SPY_IO_VERSION_INFO, NULL, 0, Out, sizeof(Out)));
    assert_ok(DriverTestControl(File, SPY_IO_HOOK_READ_R, &Flag, 4, Out, sizeof(Out)));
    assert_status(DriverTestControl(File, SPY_IO_HOOK_READ, &Flag, 4, Out, sizeof(Out)),
                  STATUS_ACCESS_DENIED);
    assert_status(DriverTestControl(File, SPY_IO_HOOK_INSTALL, &Flag, 4, Out, sizeof(Out)),
                  STATUS_ACCESS_DENIED);
    assert_status(DriverTestControl(File, SPY_IO_CALL, In, sizeof(In), Out, sizeof(Out)),
                  STATUS_ACCESS_DENIED);
    DriverTestClose(File);
}

/* A code of the second column is for readers too; one with both bits needs a handle with both. */
static void each_code_asks_the_handle_for_its_access_bits(void **State)
{
    static const ACCESS_MASK Accesses[] = {GENERIC_READ, GENERIC_WRITE};

    for (ULONG a = 0; a < RTL_NUMBER_OF(Accesses); a++) {
        HANDLE File;

        assert_ok(DriverTestOpen("w2k_spy", Accesses[a], &File));
        for (ULONG i = 0; i < SPY_IO_COUNT; i++)
            for (ULONG Form = 0; Form < 2; Form++) {
                ULONG Code = Form ? Rows[i].Read : Rows[i].Code;
                BOOLEAN Refused = a == 1 || Code >> 14 & 2;
                NTSTATUS Status;

                if (!Code)
                    continue;
                Status = DriverTestControl(File, Code, NULL, 0, NULL, 0);
                if ((Status == STATUS_ACCESS_DENIED) != Refused)
                    fail_msg("code %08x, access %08x: %08x", Code, (unsigned)Accesses[a],
                             (unsigned)Status);
            }
        DriverTestClose(File);
    }
}

static void other_requests_are_not_implemented(void **State)
{
    char Byte;

    assert_status(DriverTestRead(Spy, &Byte, 1), STATUS_NOT_IMPLEMENTED);
    assert_status(DriverTestWrite(Spy, "x", 1), STATUS_NOT_IMPLEMENTED);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        SPY_TEST(each_code_checks_both_lengths),
        SPY_TEST(refused_requests_leave_the_hooks_as_they_were),
        SPY_TEST(other_codes_are_no_functions),
        SPY_TEST(a_handle_for_reading_may_not_hook),
        SPY_TEST(each_code_asks_the_handle_for_its_access_bits),
        SPY_TEST(other_requests_are_not_implemented),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
