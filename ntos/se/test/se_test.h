/* What the tests of se share: the system up to se, the calling thread attached, its subject chosen
 * by the test. */
#pragma once

#include "se/sep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define TEST_BOOT_USER 1000u

static KPROCESS_NT SeTestProcess;
static struct _KTHREAD SeTestThread;
static SE_TOKEN *SeTestPrimary, *SeTestClient;
static const GENERIC_MAPPING SeTestMapping = {0x120089, 0x120116, 0x1200A0, 0x1F01FF};
#define MAPPING ((PGENERIC_MAPPING)&SeTestMapping)

static SE_TOKEN *SeTestCurrent(void)
{
    return SeTestClient ? SeTestClient : SeTestPrimary;
}

static SE_TOKEN *SeTestTokenOf(PEPROCESS Process)
{
    return SeTestPrimary;
}

static inline int SeTestBoot(void **State)
{
    static const SE_SUBJECT_HOOKS Hooks = {SeTestCurrent, SeTestTokenOf};
    if (!NT_SUCCESS(VfInitSystem()) || !NT_SUCCESS(KeInitSystem(2)) ||
        !NT_SUCCESS(MmInitSystem(64 << 20)))
        return -1;
    KeInitializeProcess(&SeTestProcess);
    memset(&SeTestThread, 0, sizeof(SeTestThread));
    KeAdoptHostThread(&SeTestThread, &SeTestProcess);
    if (!NT_SUCCESS(ExInitSystem()) || !NT_SUCCESS(ObInitSystem()) ||
        !NT_SUCCESS(SeInitSystem(TEST_BOOT_USER)))
        return -1;
    SeSetSubjectHooks(&Hooks);
    SeTestPrimary = SeSystemToken();
    SeTestClient = NULL;
    return 0;
}

static inline int SeTestStop(void **State)
{
    SeShutdownSystem();
    ObShutdownSystem();
    ExShutdownSystem();
    MmThreadPoolRelease(&SeTestThread);
    KeReleaseHostThread();
    MmShutdownSystem();
    KeShutdownSystem();
    VfShutdownSystem();
    return 0;
}

#define SE_TEST(test) cmocka_unit_test_setup_teardown(test, SeTestBoot, SeTestStop)
#define U(text) (&(UNICODE_STRING){sizeof(L"" text) - 2, sizeof(L"" text), (PWCHAR)L"" text})
#define assert_status(status, expected) assert_int_equal((ULONG)(status), (ULONG)(expected))
#define assert_success(status) assert_status(status, STATUS_SUCCESS)

static inline SE_TOKEN *SeTestToken(ULONG UserId)
{
    SE_TOKEN *Token = NULL;
    assert_success(SeCreateTokenForHostUser(UserId, &Token));
    return Token;
}

static inline PSECURITY_DESCRIPTOR SeTestSddl(PCWSTR Text)
{
    PSECURITY_DESCRIPTOR Descriptor = NULL;
    UNICODE_STRING String;
    ULONG Length;
    RtlInitUnicodeString(&String, Text);
    assert_success(SeSddlToSecurityDescriptor(&String, &Descriptor, &Length));
    assert_true(RtlValidRelativeSecurityDescriptor(Descriptor, Length, 0));
    return Descriptor;
}
