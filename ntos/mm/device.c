/*
 * Physical addresses that are no RAM: the memory of simulated devices, and nothing.
 *
 * A window is a memory file. It lies in the last gigabyte below 4 GiB, which no bank takes, or
 * above what the direct map can show. Where nothing answers, all ones are read; what is written
 * there stays in the mapping it was written through.
 */
#include "mi.h"

#include <stdlib.h>
#include <string.h>

#define MI_NOTHING_PAGES 256u /* of all ones; further pages of nothing are these again */
#define MI_DIRECT_LIMIT ((ULONG64)MI_GRANULES << (MI_GRANULE_SHIFT + PAGE_SHIFT))

typedef struct MI_WINDOW {
    LIST_ENTRY Link;
    PFN_NUMBER First;
    SIZE_T Count;
    int File;
} MI_WINDOW;

static struct {
    MI_LOCK Lock;
    LIST_ENTRY Windows;
    int Nothing; /* -1: not made yet */
} MiDevices;

void MiInitDevices(void)
{
    InitializeListHead(&MiDevices.Windows);
    MiDevices.Nothing = -1;
}

void MiShutdownDevices(void)
{
    while (!IsListEmpty(&MiDevices.Windows)) {
        MI_WINDOW *Window = CONTAINING_RECORD(RemoveHeadList(&MiDevices.Windows), MI_WINDOW, Link);

        host_close(Window->File);
        free(Window);
    }
    if (MiDevices.Nothing >= 0)
        host_close(MiDevices.Nothing);
    MiDevices.Nothing = -1;
}

/* Lock held. NULL: no device answers in the range. */
static MI_WINDOW *MiWindowIn(PFN_NUMBER First, SIZE_T Count)
{
    for (LIST_ENTRY *Entry = MiDevices.Windows.Flink; Entry != &MiDevices.Windows;
         Entry = Entry->Flink) {
        MI_WINDOW *Window = CONTAINING_RECORD(Entry, MI_WINDOW, Link);

        if (First < Window->First + Window->Count && Window->First < First + Count)
            return Window;
    }
    return NULL;
}

static BOOLEAN MiMayBeDevice(ULONG64 Physical, ULONG64 Bytes)
{
    ULONG64 End = Physical + Bytes;

    if (!Bytes || End < Physical || End > MI_PHYSICAL_LIMIT)
        return FALSE;
    return Physical >= MI_DIRECT_LIMIT || (Physical >= MI_HOLE_LOW && End <= MI_HOLE_HIGH &&
                                           Physical >= (ULONG64)MiRam.Count << PAGE_SHIFT);
}

/* Zeroed memory of a device, in whole pages, until shutdown. STATUS_CONFLICTING_ADDRESSES: not a
 * place for a device, or another one's. IRQL <= APC_LEVEL. */
NTSTATUS MmAddDeviceMemory(ULONG64 Physical, ULONG64 Bytes)
{
    PFN_NUMBER First = Physical >> PAGE_SHIFT;
    SIZE_T Count = (SIZE_T)((BYTE_OFFSET(Physical) + Bytes + PAGE_SIZE - 1) >> PAGE_SHIFT);
    MI_WINDOW *Window, *Other;

    if (!MiMayBeDevice(Physical, Bytes))
        return STATUS_CONFLICTING_ADDRESSES;
    if (!(Window = calloc(1, sizeof(*Window))))
        return STATUS_INSUFFICIENT_RESOURCES;
    Window->First = First;
    Window->Count = Count;
    Window->File = host_memory_file("usernt-device", (ULONG64)Count << PAGE_SHIFT);
    if (Window->File < 0) {
        free(Window);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MiAcquire(&MiDevices.Lock);
    Other = MiWindowIn(First, Count);
    if (!Other)
        InsertTailList(&MiDevices.Windows, &Window->Link);
    MiRelease(&MiDevices.Lock);
    if (!Other)
        return STATUS_SUCCESS;
    host_close(Window->File);
    free(Window);
    return STATUS_CONFLICTING_ADDRESSES;
}

/* Lock held. */
static BOOLEAN MiMakeNothing(void)
{
    SIZE_T Bytes = (SIZE_T)MI_NOTHING_PAGES << PAGE_SHIFT;
    char *Ones;

    if (MiDevices.Nothing >= 0)
        return TRUE;
    if (!(Ones = malloc(Bytes)))
        return FALSE;
    memset(Ones, 0xFF, Bytes);
    MiDevices.Nothing = host_memory_file("usernt-nothing", Bytes);
    if (MiDevices.Nothing >= 0 && host_write_at(MiDevices.Nothing, Ones, Bytes, 0) < 0) {
        host_close(MiDevices.Nothing);
        MiDevices.Nothing = -1;
    }
    free(Ones);
    return MiDevices.Nothing >= 0;
}

BOOLEAN MiDeviceFile(PFN_NUMBER Number, int *File, ULONG64 *Offset)
{
    MI_WINDOW *Window;
    BOOLEAN Found;

    if (!MiIsDeviceFrame(Number))
        return FALSE;
    MiAcquire(&MiDevices.Lock);
    Window = MiWindowIn(Number, 1);
    Found = Window || MiMakeNothing();
    *File = Window ? Window->File : MiDevices.Nothing;
    *Offset = (Window ? Number - Window->First : Number % MI_NOTHING_PAGES) << PAGE_SHIFT;
    MiRelease(&MiDevices.Lock);
    return Found;
}

/* Neither RAM nor a process's. */
BOOLEAN MiIsDeviceFrame(PFN_NUMBER Number)
{
    return Number < MI_PHYSICAL_LIMIT >> PAGE_SHIFT && !MiBankOf(Number);
}

BOOLEAN MiIsNothingFile(int File)
{
    return File >= 0 && File == __atomic_load_n(&MiDevices.Nothing, __ATOMIC_RELAXED);
}
