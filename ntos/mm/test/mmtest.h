/* What the tests of mm share: a started system, an attached thread, more threads, a client's hand
 * that plays along. */
#ifndef MMTEST_H
#define MMTEST_H

#include "mm/mm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* A sanitizer's own memory makes resident bytes mean nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MM_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MM_TEST_SANITIZED 1
#endif
#endif
#ifndef MM_TEST_SANITIZED
#define MM_TEST_SANITIZED 0
#endif

extern KPROCESS_NT
    MmTestProcess; /* of the calling thread; has no address space until a test gives it one */
extern MM_ADDRESS_SPACE MmTestSpace;

int MmTestBoot(void **Unused);       /* 64 MiB of RAM */
int MmTestBootUser(void **Unused);   /* the process has an embedded address space */
int MmTestBootClient(void **Unused); /* the process has one of a client, with MmTestHand */
int MmTestStop(void **Unused);       /* also asserts that nothing was left behind */
#define MM_TEST(test) cmocka_unit_test_setup_teardown(test, MmTestBoot, MmTestStop)
#define MM_TEST_USER(test) cmocka_unit_test_setup_teardown(test, MmTestBootUser, MmTestStop)
#define MM_TEST_CLIENT(test) cmocka_unit_test_setup_teardown(test, MmTestBootClient, MmTestStop)

/* The hand maps what the client would see at another address of this process: the client's view of
 * a slot address. */
void *MmTestClientView(const void *Address);
extern ULONG MmTestHandCalls, MmTestHandFailsAt; /* the call that fails, from 1; 0: none */

typedef struct MM_TEST_THREAD {
    struct _KTHREAD Thread;
    host_thread *Host;
    void (*Body)(void *);
    void *Argument;
} MM_TEST_THREAD;
void MmTestThread(MM_TEST_THREAD *Thread, void (*Body)(void *),
                  void *Argument); /* attached, in MmTestProcess */
void MmTestJoin(MM_TEST_THREAD *Thread);

/* Runs Body; the status that it raised, or success. */
NTSTATUS MmTestRaises(void (*Body)(void *), void *Argument);

#define assert_bugcheck(record, code, p1, p2, p3, p4)                                              \
    do {                                                                                           \
        assert_int_equal((record).Code, (ULONG)(code));                                            \
        assert_int_equal((record).Parameters[0], (ULONG_PTR)(p1));                                 \
        assert_int_equal((record).Parameters[1], (ULONG_PTR)(p2));                                 \
        assert_int_equal((record).Parameters[2], (ULONG_PTR)(p3));                                 \
        assert_int_equal((record).Parameters[3], (ULONG_PTR)(p4));                                 \
    } while (0)
#define assert_status(status, expected) assert_int_equal((ULONG)(status), (ULONG)(expected))
#define assert_success(status) assert_status(status, STATUS_SUCCESS)

#endif
