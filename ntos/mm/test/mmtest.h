/* What the tests of mm share: a started system and an attached thread. */
#ifndef MMTEST_H
#define MMTEST_H

#include "mm/mm.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static KPROCESS_NT MmTestProcess;
static struct _KTHREAD MmTestThread;

static inline VF_CONTEXT_PROVIDER *MmTestContext(void)
{
    return &VfContext;
}

static inline void MmTestSetIrql(KIRQL Irql)
{
    if (KiSelf)
        KiSelf->Irql = Irql;
}

static inline int MmTestStartWith(ULONG64 PhysicalBytes)
{
    if (!NT_SUCCESS(VfInitSystem()) || !NT_SUCCESS(KeInitSystem(2)) || !NT_SUCCESS(MmInitSystem(PhysicalBytes)))
        return -1;
    KeInitializeProcess(&MmTestProcess);
    memset(&MmTestThread, 0, sizeof(MmTestThread));
    KeAdoptHostThread(&MmTestThread, &MmTestProcess);
    return 0;
}

static inline int MmTestStart(void **State)
{
    return MmTestStartWith(64 << 20);
}

static inline int MmTestStop(void **State)
{
    MmThreadPoolRelease(&MmTestThread);
    KeReleaseHostThread();
    MmShutdownSystem();
    KeShutdownSystem();
    VfShutdownSystem();
    return 0;
}

#define assert_bugcheck(record, code, p1, p2, p3, p4)                                                                  \
    do {                                                                                                               \
        assert_int_equal((record).Code, (code));                                                                       \
        assert_int_equal((record).Parameters[0], (p1));                                                                \
        assert_int_equal((record).Parameters[1], (ULONG_PTR)(p2));                                                     \
        assert_int_equal((record).Parameters[2], (ULONG_PTR)(p3));                                                     \
        assert_int_equal((record).Parameters[3], (ULONG_PTR)(p4));                                                     \
    } while (0)
#define assert_success(status) assert_int_equal((ULONG)(status), STATUS_SUCCESS)
#define assert_status(status, expected) assert_int_equal((ULONG)(status), (ULONG)(expected))

#endif
