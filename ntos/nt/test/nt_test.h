/* What every test of room nt includes: each test runs in a fresh boot, as a client. */
#pragma once

#include "nt/nt.h"
#include <usernt.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

int NtTestBoot(void **Unused);
int NtTestStop(void **Unused);
#define NT_TEST(test) cmocka_unit_test_setup_teardown(test, NtTestBoot, NtTestStop)

/* A system call as a client makes it: SYS(NtClose, Handle). */
#define SYS_1_(a) (ULONG_PTR)(a)
#define SYS_2_(a, ...) (ULONG_PTR)(a), SYS_1_(__VA_ARGS__)
#define SYS_3_(a, ...) (ULONG_PTR)(a), SYS_2_(__VA_ARGS__)
#define SYS_4_(a, ...) (ULONG_PTR)(a), SYS_3_(__VA_ARGS__)
#define SYS_5_(a, ...) (ULONG_PTR)(a), SYS_4_(__VA_ARGS__)
#define SYS_6_(a, ...) (ULONG_PTR)(a), SYS_5_(__VA_ARGS__)
#define SYS_7_(a, ...) (ULONG_PTR)(a), SYS_6_(__VA_ARGS__)
#define SYS_8_(a, ...) (ULONG_PTR)(a), SYS_7_(__VA_ARGS__)
#define SYS_9_(a, ...) (ULONG_PTR)(a), SYS_8_(__VA_ARGS__)
#define SYS_10_(a, ...) (ULONG_PTR)(a), SYS_9_(__VA_ARGS__)
#define SYS_11_(a, ...) (ULONG_PTR)(a), SYS_10_(__VA_ARGS__)
#define SYS_PICK_(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, name, ...) name
#define SYS_EACH_(...)                                                                             \
    SYS_PICK_(__VA_ARGS__, SYS_11_, SYS_10_, SYS_9_, SYS_8_, SYS_7_, SYS_6_, SYS_5_, SYS_4_,       \
              SYS_3_, SYS_2_, SYS_1_, )                                                            \
    (__VA_ARGS__)
#define SYS(name, ...) UserNtCall(NtService##name, (const ULONG_PTR[]){SYS_EACH_(__VA_ARGS__)})
#define SYS0(name) UserNtCall(NtService##name, NULL)

/* Statuses are shown in hexadecimal. */
void NtTestStatus(NTSTATUS Status, NTSTATUS Expected, const char *File, int Line);
#define assert_status(call, expected) NtTestStatus((call), (expected), __FILE__, __LINE__)
#define assert_ok(call) assert_status((call), STATUS_SUCCESS)

/* Attributes for a name; the string lives in *Name. */
OBJECT_ATTRIBUTES NtTestName(PUNICODE_STRING Name, PCWSTR Text);
ULONG NtTestHandleCount(void);
HANDLE NtTestEvent(EVENT_TYPE Type, BOOLEAN State);

/* A page of the client's with that protection, and one that is not there any more. */
PVOID NtTestPage(ULONG Protect);
PVOID NtTestGonePage(void);
