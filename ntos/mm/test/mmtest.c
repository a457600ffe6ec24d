#include "mmtest.h"

#include <ntseh.h>

KPROCESS_NT MmTestProcess;
MM_ADDRESS_SPACE MmTestSpace;
ULONG MmTestHandCalls, MmTestHandFailsAt;
static struct _KTHREAD MmTestSelf;
static BOOLEAN MmTestHasSpace;

#define MM_TEST_CLIENT_AT ((char *)0x7a8000000000) /* where the client's slot is, as it were */

void *MmTestClientView(const void *Address)
{
    return MM_TEST_CLIENT_AT + ((ULONG_PTR)Address - MmTestSpace.Low);
}

static BOOLEAN MmTestHandFails(void)
{
    return ++MmTestHandCalls == MmTestHandFailsAt;
}

static NTSTATUS MmTestMap(void *Context, int File, ULONG64 Offset, PVOID Base, SIZE_T Bytes,
                          int Protection)
{
    if (MmTestHandFails())
        return STATUS_PROCESS_IS_TERMINATING;
    return host_map(MmTestClientView(Base), Bytes, File, Offset, Protection & ~HOST_EXECUTE) < 0
               ? STATUS_ACCESS_DENIED
               : STATUS_SUCCESS;
}

static NTSTATUS MmTestUnmap(void *Context, PVOID Base, SIZE_T Bytes)
{
    host_decommit(MmTestClientView(Base), Bytes);
    return STATUS_SUCCESS;
}

static NTSTATUS MmTestProtect(void *Context, PVOID Base, SIZE_T Bytes, int Protection)
{
    return host_protect(MmTestClientView(Base), Bytes, Protection & ~HOST_EXECUTE) < 0
               ? STATUS_ACCESS_DENIED
               : STATUS_SUCCESS;
}

static NTSTATUS MmTestCopyIn(void *Context, PVOID To, const void *From, SIZE_T Bytes)
{
    memset(To, 0x5C, Bytes);
    return MmTestHandFails() ? STATUS_ACCESS_VIOLATION : STATUS_SUCCESS;
}

static NTSTATUS MmTestCopyOut(void *Context, PVOID To, const void *From, SIZE_T Bytes)
{
    return MmTestHandFails() ? STATUS_ACCESS_VIOLATION : STATUS_SUCCESS;
}

static const MM_HAND MmTestHand = {MmTestMap, MmTestUnmap, MmTestProtect, MmTestCopyIn,
                                   MmTestCopyOut};

int MmTestBoot(void **Unused)
{
    MmTestHasSpace = FALSE;
    MmTestHandCalls = MmTestHandFailsAt = 0;
    assert_success(VfInitSystem());
    assert_success(KeInitSystem(2));
    assert_success(MmInitSystem(64 << 20));
    KeInitializeProcess(&MmTestProcess);
    memset(&MmTestSelf, 0, sizeof(MmTestSelf));
    KeAdoptHostThread(&MmTestSelf, &MmTestProcess);
    return 0;
}

int MmTestBootUser(void **Unused)
{
    MmTestBoot(Unused);
    assert_success(MmCreateAddressSpace(&MmTestSpace, TRUE));
    MmTestProcess.AddressSpace = &MmTestSpace;
    MmTestHasSpace = TRUE;
    return 0;
}

int MmTestBootClient(void **Unused)
{
    MmTestBoot(Unused);
    assert_success(MmCreateAddressSpace(&MmTestSpace, FALSE));
    assert_int_equal(host_reserve(MM_TEST_CLIENT_AT, MM_SLOT_BYTES), 0);
    MmSetHand(&MmTestSpace, &MmTestHand, NULL);
    MmTestProcess.AddressSpace = &MmTestSpace;
    MmTestHasSpace = TRUE;
    return 0;
}

static void MmTestDropSpace(void)
{
    MmCleanAddressSpace(&MmTestSpace);
    if (MmTestSpace.Hand)
        host_unmap(MM_TEST_CLIENT_AT, MM_SLOT_BYTES);
    MmTestProcess.AddressSpace = NULL;
    MmDeleteAddressSpace(&MmTestSpace);
}

int MmTestStop(void **Unused)
{
    MM_STATISTICS Statistics;

    if (MmTestHasSpace)
        MmTestDropSpace();
    MmQueryStatistics(&Statistics);
    assert_int_equal(Statistics.PagedPoolBytes, 0);
    assert_int_equal(Statistics.NonPagedPoolBytes, 0);
    assert_int_equal(Statistics.SystemPtes, 0);
    assert_int_equal(Statistics.LockedPages, 0);
    assert_int_equal(Statistics.SharedFrames, 0);
    assert_int_equal(Statistics.Slots, 0);
    MmThreadPoolRelease(&MmTestSelf);
    KeReleaseHostThread();
    MmShutdownSystem();
    KeShutdownSystem();
    VfShutdownSystem();
    return 0;
}

static void MmTestEntry(void *Parameter)
{
    MM_TEST_THREAD *Thread = Parameter;

    KeAdoptHostThread(&Thread->Thread, &MmTestProcess);
    Thread->Body(Thread->Argument);
    MmThreadPoolRelease(&Thread->Thread);
    KeReleaseHostThread();
}

void MmTestThread(MM_TEST_THREAD *Thread, void (*Body)(void *), void *Argument)
{
    memset(&Thread->Thread, 0, sizeof(Thread->Thread));
    Thread->Body = Body;
    Thread->Argument = Argument;
    assert_int_equal(host_thread_start(&Thread->Host, "mm-test", MmTestEntry, Thread), 0);
}

void MmTestJoin(MM_TEST_THREAD *Thread)
{
    host_thread_join(Thread->Host);
}

NTSTATUS MmTestRaises(void (*Body)(void *), void *Argument)
{
    volatile NTSTATUS Status = STATUS_SUCCESS;

    __try {
        Body(Argument);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}
