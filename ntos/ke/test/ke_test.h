/* What every test of room ke includes: boots vf and ke alone, with the calling thread attached, and
 * starts threads. */
#pragma once

#include "ke/ke.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

extern KPROCESS_NT KeTestProcess;
extern KTHREAD_NT KeTestSelf;

int KeTestBoot(void **Unused); /* 4 processors */
int KeTestStop(void **Unused);
#define KE_TEST(test) cmocka_unit_test_setup_teardown(test, KeTestBoot, KeTestStop)

/* A thread of the test. Thread comes first: an entry routine gets it. */
typedef struct KE_TEST_THREAD {
    KTHREAD_NT Thread;
    void (*Body)(void *);
    void *Argument;
} KE_TEST_THREAD;
void KeTestThread(KE_TEST_THREAD *Thread, void (*Body)(void *), void *Argument);
void KeTestJoin(KE_TEST_THREAD *Thread); /* waits for the thread object, then reaps it */

/* Until the thread waits for something. */
void KeTestUntilWaiting(KE_TEST_THREAD *Thread);

/* Relative time-outs. */
LARGE_INTEGER KeTestMilliseconds(LONG Milliseconds);
extern LARGE_INTEGER KeTestZero;

/* KeWaitForSingleObject without a time-out, in KernelMode. */
NTSTATUS KeTestWait(PVOID Object);
/* The same that does not wait: STATUS_TIMEOUT if it would have to. */
NTSTATUS KeTestPoll(PVOID Object);
