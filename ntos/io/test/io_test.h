/*
 * What the tests of room io share: the rooms up to io, a client process in which the test's thread
 * is a client, and drivers whose DriverEntry is in the test.
 */
#ifndef IO_TEST_H
#define IO_TEST_H

#include "io/iop.h"
#include <stdarg.h>
#include <cmocka.h>

int IoTestBoot(void **Unused);
int IoTestStop(void **Unused);

PDRIVER_OBJECT IoTestLoad(PCWSTR Name, PDRIVER_INITIALIZE Entry); /* asserts success */
NTSTATUS IoTestTryLoad(PCWSTR Name, PDRIVER_INITIALIZE Entry);
NTSTATUS IoTestUnload(PCWSTR Name);
BOOLEAN IoTestExists(PCWSTR Path); /* in the namespace */
PDEVICE_OBJECT IoTestDevice(PDRIVER_OBJECT Driver, PCWSTR Name, ULONG ExtensionSize);

/* Opens as a client does; the handle in *File. */
NTSTATUS IoTestOpen(PCWSTR Path, ACCESS_MASK Access, ULONG Options, PHANDLE File);
HANDLE IoTestOpenSynchronous(PCWSTR Path); /* read and write; asserts success */
HANDLE IoTestOpenAsynchronous(PCWSTR Path);
void IoTestClose(HANDLE File);
NTSTATUS IoTestControl(HANDLE File, ULONG Code, PVOID Input, ULONG InputLength, PVOID Output,
                       ULONG OutputLength, PULONG_PTR Information);
HANDLE IoTestEvent(void);
NTSTATUS IoTestWaitHandle(HANDLE Handle);

/* A client thread. */
typedef struct IO_TEST_THREAD {
    PETHREAD Thread;
    void (*Body)(PVOID);
    PVOID Argument;
} IO_TEST_THREAD;
void IoTestStart(IO_TEST_THREAD *Thread, void (*Body)(PVOID), PVOID Argument);
void IoTestJoin(IO_TEST_THREAD *Thread);
void IoTestUntil(volatile LONG *Word, LONG Value); /* spins, yielding */
extern PEPROCESS IoTestProcess;

NTSTATUS IoTestComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);

#define IO_TEST_BUGCHECK(code, p1, statement)                                                      \
    do {                                                                                           \
        VF_BUGCHECK Record_ = {0};                                                                 \
        VF_EXPECT_BUGCHECK (&Record_) {                                                            \
            statement;                                                                             \
        }                                                                                          \
        assert_int_equal(Record_.Code, (code));                                                    \
        assert_int_equal(Record_.Parameters[0], (ULONG_PTR)(p1));                                  \
    } while (0)

#endif
