/* What the tests of ob share: the system up to ob, and a process of the test's own behind ob's
 * hooks. */
#pragma once

#include "../../ex/test/ex_test.h"
#include "ob/ob.h"
#include "rtl/rtl.h"

int ObTestBoot(void **Unused);
int ObTestStop(void **Unused);
#define OB_TEST(test) cmocka_unit_test_setup_teardown(test, ObTestBoot, ObTestStop)

/* Processes: a handle table and a count of nothing else. ObTestProcesses[0] is System and current
 * after ObTestUseProcesses. */
typedef struct OB_TEST_PROCESS {
    EX_HANDLE_TABLE *Table;
} OB_TEST_PROCESS;
extern PEPROCESS ObTestProcess[3], ObTestCurrent;
extern POBJECT_TYPE ObTestProcessType;
void ObTestUseProcesses(void);
void ObTestEndProcesses(void);

OBJECT_ATTRIBUTES *ObTestName(PCWSTR Name,
                              ULONG Attributes); /* overwritten by the next but three */
NTSTATUS ObTestEvent(PCWSTR Name, ULONG Attributes, PHANDLE Handle);
