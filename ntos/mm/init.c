/* Starting and stopping mm, and the numbers that describe it. */
#include "mi.h"
#include "rtl/rtl.h"

static struct {
    BOOLEAN Running;
} MiState;

PVOID MmHighestUserAddress = (PVOID)(MM_SYSTEM_LOW - 1);
PVOID MmSystemRangeStart = (PVOID)MM_SYSTEM_LOW;
ULONG64 MmUserProbeAddress = MM_SYSTEM_LOW - 0x10000;

static BOOLEAN MiClaim(const struct host_fault *Fault)
{
    return MiState.Running && (MiClaimMove(Fault) || MiClaimGuarded(Fault));
}

static void MiRegister(void)
{
    MiState.Running = TRUE;
    VfAddFaultClaim(MiClaim);
    VfSetSystemRange((void *)MM_SYSTEM_LOW, (void *)MM_SYSTEM_HIGH);
}

static PVOID MiAllocateForRtl(SIZE_T Bytes, ULONG Tag)
{
    return ExAllocatePoolWithTag(PagedPool, Bytes, Tag);
}

static VOID MiFreeForRtl(PVOID Buffer)
{
    ExFreePoolWithTag(Buffer, 0);
}

#define MI_DEFAULT_RAM ((ULONG64)1 << 30)

/* PhysicalBytes of RAM, 0 for 1 GiB; none of it is used before it is touched. */
NTSTATUS MmInitSystem(ULONG64 PhysicalBytes)
{
    NTSTATUS Status;

    if (host_reserve((void *)MM_SYSTEM_LOW, MM_SYSTEM_HIGH - MM_SYSTEM_LOW) < 0)
        return STATUS_CONFLICTING_ADDRESSES;
    MiInitDevices();
    Status = MiInitFrames(PhysicalBytes ? PhysicalBytes : MI_DEFAULT_RAM);
    if (!NT_SUCCESS(Status))
        goto Unreserve;
    Status = MiInitTables();
    if (NT_SUCCESS(Status))
        Status = MiInitDescriptors();
    if (!NT_SUCCESS(Status))
        goto Frames;
    MiInitPool();
    MiInitSystemPtes();
    MiInitShares();
    MiInitSlots();
    MiInitBudget();
    MiRegister();
    RtlpSetAllocator(MiAllocateForRtl, MiFreeForRtl, MmSetPoolOwner);
    KeNoteObject = MmNoteObject;
    return STATUS_SUCCESS;

Frames:
    MiShutdownFrames();
    MiShutdownDevices();
    MiResetBanks();
Unreserve:
    host_unmap((void *)MM_SYSTEM_LOW, MM_SYSTEM_HIGH - MM_SYSTEM_LOW);
    return Status;
}

void MmShutdownSystem(void)
{
    KeNoteObject = NULL;
    RtlpSetAllocator(NULL, NULL, NULL);
    MiShutdownSlots();
    MiShutdownShares();
    MiShutdownSystemPtes();
    MiShutdownPool();
    MiState.Running = FALSE;
    MiSystemDirectory = 0;
    MiShutdownFrames();
    MiShutdownDevices();
    MiResetBanks();
    host_unmap((void *)MM_SYSTEM_LOW, MM_SYSTEM_HIGH - MM_SYSTEM_LOW);
}

void MmQueryStatistics(MM_STATISTICS *Statistics)
{
    SIZE_T Total, Free;

    MiCountFrames(&Total, &Free);
    *Statistics = (MM_STATISTICS){
        .TotalFrames = Total,
        .FreeFrames = Free,
        .SystemPtes = MiSystemPtesInUse(),
        .LockedPages = MiLockedPages,
        .SharedFrames = MiSharedFrames(),
        .Slots = MiSlotsInUse(),
    };
    MiPoolStatistics(&Statistics->PagedPoolBytes, &Statistics->NonPagedPoolBytes);
}
