/* What the tests of w2k_spy share. */
#pragma once

#include "drivers/test/driver_test.h"
#include "drivers/w2k_spy/public.h"

#define SPY_TEST_TAG '>YPS'

extern HANDLE Spy; /* open for reading and writing, between SpyTestBoot and SpyTestStop */
int SpyTestBoot(void **State);
int SpyTestStop(void **State);
#define SPY_TEST(test) cmocka_unit_test_setup_teardown(test, SpyTestBoot, SpyTestStop)

NTSTATUS SpyAsk(ULONG Code, const void *In, ULONG InLength, void *Out, ULONG OutLength);
/* What must succeed, with a full output. */
void SpyAnswer(ULONG Code, const void *In, ULONG InLength, void *Out, ULONG OutLength);
SPY_PAGE_ENTRY SpyEntry(const void *Address);
ULONGLONG SpyWhere(const void *Address); /* its physical address */
