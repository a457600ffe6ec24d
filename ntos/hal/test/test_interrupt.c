/* Connecting interrupts, delivering them, synchronising with them. */
#include "hal_test.h"

#include <ntddk.h>

typedef struct DEVICE {
    PKINTERRUPT Interrupt;
    KSPIN_LOCK Lock;
    KDPC Dpc;
    ULONG Calls, DpcCalls, Order;
    KIRQL Irql, DpcIrql;
    BOOLEAN Claims, LockHeld;
} DEVICE;

static VF_BUGCHECK Record;
static ULONG Orders;
static DEVICE A, B;
static ULONG Vector;
static KIRQL Irql;
static KAFFINITY Processors;

static void OnDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    DEVICE *Device = Context;

    Device->DpcCalls++;
    Device->DpcIrql = KeGetCurrentIrql();
}

static BOOLEAN NTAPI OnInterrupt(PKINTERRUPT Interrupt, PVOID Context)
{
    DEVICE *Device = Context;

    assert_ptr_equal(Interrupt, Device->Interrupt);
    Device->Calls++;
    Device->Order = ++Orders;
    Device->Irql = KeGetCurrentIrql();
    Device->LockHeld = !KeTestSpinLock(&Device->Lock);
    KeInsertQueueDpc(&Device->Dpc, NULL, NULL);
    return Device->Claims;
}

static void Prepare(void)
{
    Orders = 0;
    for (DEVICE *Device = &A;; Device = &B) {
        memset(Device, 0, sizeof(*Device));
        KeInitializeSpinLock(&Device->Lock);
        KeInitializeDpc(&Device->Dpc, OnDpc, Device);
        Device->Claims = TRUE;
        if (Device == &B)
            break;
    }
    Vector = HalGetInterruptVector(PCIBus, 0, 11, 11, &Irql, &Processors);
}

static NTSTATUS Connect(DEVICE *Device, KINTERRUPT_MODE Mode, BOOLEAN Share)
{
    return IoConnectInterrupt(&Device->Interrupt, OnInterrupt, Device, &Device->Lock, Vector, Irql,
                              Irql, Mode, Share, Processors, FALSE);
}

static void EachLineHasAVectorAndAnIrql(void **Unused)
{
    ULONG Other;
    KIRQL OtherIrql;

    Prepare();
    assert_int_not_equal(Vector, 0);
    assert_in_range(Irql, DISPATCH_LEVEL + 1, 11);
    assert_int_equal(Processors, KeQueryActiveProcessors());
    Other = HalGetInterruptVector(Isa, 0, 12, 12, &OtherIrql, &Processors);
    assert_int_not_equal(Other, Vector);
    assert_int_equal(HalGetInterruptVector(PCIBus, 0, 1000, 0, &OtherIrql, &Processors), 0);
    assert_int_equal(HalGetInterruptVector(TurboChannel, 0, 1, 1, &OtherIrql, &Processors), 0);
}

static void AServiceRoutineRunsAtItsIrqlWithItsLock(void **Unused)
{
    Prepare();
    assert_success(Connect(&A, LevelSensitive, FALSE));
    assert_success(HalInterrupt(Vector));
    assert_int_equal(A.Calls, 1);
    assert_int_equal(A.Irql, Irql);
    assert_true(A.LockHeld);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_int_equal(A.DpcCalls, 1);
    assert_int_equal(A.DpcIrql, DISPATCH_LEVEL);
    IoDisconnectInterrupt(A.Interrupt);
    assert_status(HalInterrupt(Vector), STATUS_NOT_FOUND);
    assert_int_equal(A.Calls, 1);
}

static void ALevelIsDoneWhenSomebodyClaimsIt(void **Unused)
{
    Prepare();
    assert_success(Connect(&A, LevelSensitive, TRUE));
    assert_success(Connect(&B, LevelSensitive, TRUE));
    HalInterrupt(Vector);
    assert_int_equal(A.Calls, 1);
    assert_int_equal(B.Calls, 0);
    A.Claims = FALSE;
    HalInterrupt(Vector);
    assert_int_equal(B.Calls, 1);
    assert_true(A.Order < B.Order);
    IoDisconnectInterrupt(A.Interrupt);
    IoDisconnectInterrupt(B.Interrupt);
}

static void OfALatchedInterruptAllAreTold(void **Unused)
{
    Prepare();
    assert_success(Connect(&A, Latched, TRUE));
    assert_success(Connect(&B, Latched, TRUE));
    HalInterrupt(Vector);
    assert_int_equal(A.Calls, 1);
    assert_int_equal(B.Calls, 1);
    IoDisconnectInterrupt(A.Interrupt);
    IoDisconnectInterrupt(B.Interrupt);
}

static void AVectorIsSharedByThoseWhoShare(void **Unused)
{
    Prepare();
    assert_success(Connect(&A, LevelSensitive, FALSE));
    assert_status(Connect(&B, LevelSensitive, TRUE), STATUS_INVALID_PARAMETER);
    IoDisconnectInterrupt(A.Interrupt);
    assert_success(Connect(&A, LevelSensitive, TRUE));
    assert_status(Connect(&B, Latched, TRUE), STATUS_INVALID_PARAMETER);
    IoDisconnectInterrupt(A.Interrupt);
}

static void BadConnectionsAreRefused(void **Unused)
{
    Prepare();
    Processors = 0;
    assert_status(Connect(&A, Latched, FALSE), STATUS_INVALID_PARAMETER);
    Processors = 1;
    Vector = 3;
    assert_status(Connect(&A, Latched, FALSE), STATUS_INVALID_PARAMETER);
    Vector = 0x40;
    Irql = DISPATCH_LEVEL;
    assert_status(Connect(&A, Latched, FALSE), STATUS_INVALID_PARAMETER);
}

static void AnInterruptWaitsForTheIrqlToFall(void **Unused)
{
    KIRQL Old;

    Prepare();
    assert_success(Connect(&A, LevelSensitive, FALSE));
    Old = KfRaiseIrql(Irql);
    assert_success(HalInterrupt(Vector));
    assert_int_equal(A.Calls, 0);
    KeLowerIrql(Old);
    assert_int_equal(A.Calls, 1);
    assert_int_equal(A.Irql, Irql);
    IoDisconnectInterrupt(A.Interrupt);
}

static BOOLEAN NTAPI Touch(PVOID Context)
{
    DEVICE *Device = Context;

    Device->Irql = KeGetCurrentIrql();
    Device->LockHeld = !KeTestSpinLock(&Device->Lock);
    return Device->Claims;
}

static void SynchronisedCodeRunsAsTheServiceRoutineDoes(void **Unused)
{
    Prepare();
    assert_success(Connect(&A, LevelSensitive, FALSE));
    assert_true(KeSynchronizeExecution(A.Interrupt, Touch, &A));
    assert_int_equal(A.Irql, Irql);
    assert_true(A.LockHeld);
    A.Claims = FALSE;
    assert_false(KeSynchronizeExecution(A.Interrupt, Touch, &A));
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_true(KeTestSpinLock(&A.Lock));
    IoDisconnectInterrupt(A.Interrupt);
}

static void TheLockOfAnInterruptCanBeHeld(void **Unused)
{
    KIRQL Old;

    Prepare();
    assert_success(Connect(&A, LevelSensitive, FALSE));
    Old = KeAcquireInterruptSpinLock(A.Interrupt);
    assert_int_equal(Old, PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), Irql);
    assert_false(KeTestSpinLock(&A.Lock));
    KeReleaseInterruptSpinLock(A.Interrupt, Old);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    IoDisconnectInterrupt(A.Interrupt);
}

static void SynchronisingNeedsAnIrqlBelow(void **Unused)
{
    KIRQL Old;

    Prepare();
    assert_success(Connect(&A, LevelSensitive, FALSE));
    Old = KfRaiseIrql(HIGH_LEVEL);
    VF_EXPECT_BUGCHECK (&Record)
        KeSynchronizeExecution(A.Interrupt, Touch, &A);
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, IRQL_NOT_LESS_OR_EQUAL);
    IoDisconnectInterrupt(A.Interrupt);
}

static void ConnectingNeedsPassiveLevel(void **Unused)
{
    KIRQL Old;

    Prepare();
    Old = KfRaiseIrql(APC_LEVEL);
    VF_EXPECT_BUGCHECK (&Record)
        Connect(&A, LevelSensitive, FALSE);
    KeLowerIrql(Old);
    assert_int_equal(Record.Code, IRQL_NOT_LESS_OR_EQUAL);
}

static void AFullySpecifiedInterruptIsConnected(void **Unused)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters;
    IO_DISCONNECT_INTERRUPT_PARAMETERS Disconnect = {.Version = CONNECT_FULLY_SPECIFIED};

    Prepare();
    memset(&Parameters, 0, sizeof(Parameters));
    Parameters.Version = CONNECT_FULLY_SPECIFIED;
    Parameters.FullySpecified.InterruptObject = &A.Interrupt;
    Parameters.FullySpecified.ServiceRoutine = OnInterrupt;
    Parameters.FullySpecified.ServiceContext = &A;
    Parameters.FullySpecified.Vector = Vector;
    Parameters.FullySpecified.Irql = Parameters.FullySpecified.SynchronizeIrql = Irql;
    Parameters.FullySpecified.InterruptMode = Latched;
    Parameters.FullySpecified.ProcessorEnableMask = Processors;
    assert_success(IoConnectInterruptEx(&Parameters));
    HalInterrupt(Vector);
    assert_int_equal(A.Calls, 1);
    Disconnect.ConnectionContext.InterruptObject = A.Interrupt;
    IoDisconnectInterruptEx(&Disconnect);
}

static void WithoutPlugAndPlayALineIsNotKnown(void **Unused)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};

    assert_status(IoConnectInterruptEx(&Parameters), STATUS_NOT_SUPPORTED);
    assert_int_equal(Parameters.Version, CONNECT_FULLY_SPECIFIED);
    Parameters.Version = 99;
    assert_status(IoConnectInterruptEx(&Parameters), STATUS_INVALID_PARAMETER);
}

static void AServiceRoutineIsFoundByItsAddress(void **Unused)
{
    Prepare();
    assert_success(Connect(&A, LevelSensitive, FALSE));
    assert_ptr_equal(HalFindInterruptInRange_((PVOID)OnInterrupt, 16), OnInterrupt);
    assert_null(HalFindInterruptInRange_(&A, sizeof(A)));
    IoDisconnectInterrupt(A.Interrupt);
    assert_null(HalFindInterruptInRange_((PVOID)OnInterrupt, 16));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        HAL_TEST(EachLineHasAVectorAndAnIrql),
        HAL_TEST(AServiceRoutineRunsAtItsIrqlWithItsLock),
        HAL_TEST(ALevelIsDoneWhenSomebodyClaimsIt),
        HAL_TEST(OfALatchedInterruptAllAreTold),
        HAL_TEST(AVectorIsSharedByThoseWhoShare),
        HAL_TEST(BadConnectionsAreRefused),
        HAL_TEST(AnInterruptWaitsForTheIrqlToFall),
        HAL_TEST(SynchronisedCodeRunsAsTheServiceRoutineDoes),
        HAL_TEST(TheLockOfAnInterruptCanBeHeld),
        HAL_TEST(SynchronisingNeedsAnIrqlBelow),
        HAL_TEST(ConnectingNeedsPassiveLevel),
        HAL_TEST(AFullySpecifiedInterruptIsConnected),
        HAL_TEST(WithoutPlugAndPlayALineIsNotKnown),
        HAL_TEST(AServiceRoutineIsFoundByItsAddress),
    };

    return cmocka_run_group_tests(Tests, NULL, NULL);
}
