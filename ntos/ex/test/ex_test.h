/* What the tests of ex, ob and cm share: a system up to ex (or a room above), the calling thread
 * attached, threads. */
#pragma once

#include "ex/ex.h"
#include "vf/bugcodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern KPROCESS_NT ExTestProcess;
extern KTHREAD_NT ExTestSelf;

int ExTestBoot(void **Unused); /* 4 processors; work items have workers */
int ExTestStop(void **Unused); /* asserts that no pool is left */
#define EX_TEST(test) cmocka_unit_test_setup_teardown(test, ExTestBoot, ExTestStop)

typedef struct EX_TEST_THREAD {
    KTHREAD_NT Thread; /* first: an entry routine gets it */
    void (*Body)(void *);
    void *Argument;
} EX_TEST_THREAD;
void ExTestThread(EX_TEST_THREAD *Thread, void (*Body)(void *), void *Argument);
void ExTestJoin(EX_TEST_THREAD *Thread);
void ExTestUntilWaiting(EX_TEST_THREAD *Thread);
NTSTATUS ExTestWait(PVOID Object);
void ExTestYield(void);

#define assert_status(status, expected) assert_int_equal((ULONG)(status), (ULONG)(expected))
#define assert_success(status) assert_status(status, STATUS_SUCCESS)
