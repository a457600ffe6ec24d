/* What the tests of the drivers include: an embedded executive, the drivers just built, system
 * calls as a client makes them. */
#pragma once

#include "nt/test/nt_test.h"

/* Boots with 1 GiB, loads the drivers DriverTestLoaded[] (ends with NULL); unloads them, checks
 * that their tags are back to zero. */
extern const char *DriverTestLoaded[];
int DriverTestBoot(void **Unused);
int DriverTestStop(void **Unused);
#define DRIVER_TEST(test) cmocka_unit_test_setup_teardown(test, DriverTestBoot, DriverTestStop)
NTSTATUS DriverTestLoad(const char *Name);
NTSTATUS DriverTestUnload(const char *Name);
/* A value in the key of a service; the driver reads it when it is loaded the next time. */
void DriverTestSetting(const char *Name, PCWSTR Value, ULONG Type, const void *Data, ULONG Bytes);
void DriverTestReload(const char *Name);

/* Device: "Example\\name". The client's calls; Information is the last one's. */
extern ULONG_PTR Information;
NTSTATUS DriverTestOpen(const char *Device, ACCESS_MASK Access, HANDLE *File);
HANDLE DriverTestOpened(const char *Device); /* for reading and writing; must succeed */
NTSTATUS DriverTestControl(HANDLE File, ULONG Code, PVOID In, ULONG InLength, PVOID Out,
                           ULONG OutLength);
NTSTATUS DriverTestWrite(HANDLE File, const void *Data, ULONG Length);
NTSTATUS DriverTestRead(HANDLE File, void *Data, ULONG Length);
void DriverTestClose(HANDLE File);

/* Live blocks of a tag, in both pools. */
ULONG64 DriverTestBlocks(ULONG Tag);
/* The nth allocation from now on fails (1: the next); 0: none. Tells whether one did since. */
void DriverTestFailAllocation(ULONG Number);
BOOLEAN DriverTestHasFailed(void);

/* Runs Do in a process of its own, which ends after it; returns when it has ended. */
void DriverTestElsewhere(void (*Do)(void *Context), void *Context);
void DriverTestElsewhereAs(ULONG UserId, void (*Do)(void *Context), void *Context);
/* Another thread of this process; DriverTestJoin waits for it. */
typedef struct DRIVER_THREAD {
    host_thread *Host;
    void (*Do)(void *);
    void *Context;
} DRIVER_THREAD;
void DriverTestThread(DRIVER_THREAD *Thread, void (*Do)(void *), void *Context);
void DriverTestJoin(DRIVER_THREAD *Thread);
/* Waits until Condition holds. */
#define DRIVER_TEST_WAIT(condition)                                                                \
    while (!(condition))                                                                           \
    DriverTestPause()
void DriverTestPause(void);
