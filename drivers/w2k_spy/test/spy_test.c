#include "spy_test.h"

const char *DriverTestLoaded[] = {"w2k_spy", "sharingmemory", NULL};
HANDLE Spy;

int SpyTestBoot(void **State)
{
    if (DriverTestBoot(State))
        return -1;
    Spy = DriverTestOpened("w2k_spy");
    return 0;
}

int SpyTestStop(void **State)
{
    DriverTestClose(Spy);
    assert_ok(DriverTestUnload("w2k_spy")); /* which may wait for calls that are on their way */
    DRIVER_TEST_WAIT(!DriverTestBlocks(SPY_TEST_TAG));
    DRIVER_TEST_WAIT(NT_SUCCESS(DriverTestLoad("w2k_spy")));
    return DriverTestStop(State);
}

NTSTATUS SpyAsk(ULONG Code, const void *In, ULONG InLength, void *Out, ULONG OutLength)
{
    return DriverTestControl(Spy, Code, (PVOID)In, InLength, Out, OutLength);
}

void SpyAnswer(ULONG Code, const void *In, ULONG InLength, void *Out, ULONG OutLength)
{
    assert_ok(SpyAsk(Code, In, InLength, Out, OutLength));
    assert_int_equal(Information, OutLength);
}

SPY_PAGE_ENTRY SpyEntry(const void *Address)
{
    SPY_PAGE_ENTRY Entry;

    SpyAnswer(SPY_IO_PAGE_ENTRY, &Address, sizeof(Address), &Entry, sizeof(Entry));
    return Entry;
}

ULONGLONG SpyWhere(const void *Address)
{
    ULONGLONG Physical;

    SpyAnswer(SPY_IO_PHYSICAL, &Address, sizeof(Address), &Physical, sizeof(Physical));
    return Physical;
}
