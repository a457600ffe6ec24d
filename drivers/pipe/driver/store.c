/* Bytes and messages. */
#include <ntddk.h>
#include "store.h"
#include "../public.h"

BOOLEAN StoreEmpty(const STORE *Store)
{
    return RingUsed(&Store->Ring) == 0;
}

static NTSTATUS WriteBytes(RING *Ring, const UCHAR *Data, ULONG Length, ULONG *Done)
{
    *Done = RingWrite(Ring, Data, Length);
    return *Done == Length ? STATUS_SUCCESS : STATUS_PENDING;
}

static NTSTATUS WriteMessage(RING *Ring, const UCHAR *Data, ULONG Length, ULONG *Done)
{
    ULONG Capacity = RingCapacity(Ring);

    if (Capacity < EXAMPLE_MESSAGE_COST || Length > Capacity - EXAMPLE_MESSAGE_COST)
        return STATUS_INVALID_BUFFER_SIZE;
    if (RingFree(Ring) < Length + EXAMPLE_MESSAGE_COST)
        return STATUS_PENDING;
    RingPut(Ring, 0, &Length, EXAMPLE_MESSAGE_COST);
    RingPut(Ring, EXAMPLE_MESSAGE_COST, Data, Length);
    RingCommit(Ring, EXAMPLE_MESSAGE_COST + Length);
    *Done = Length;
    return STATUS_SUCCESS;
}

NTSTATUS StoreWrite(STORE *Store, const UCHAR *Data, ULONG Length, ULONG *Done)
{
    *Done = 0;
    if (Store->Messages)
        return WriteMessage(&Store->Ring, Data, Length, Done);
    return WriteBytes(&Store->Ring, Data, Length, Done);
}

static ULONG HeadLength(const RING *Ring)
{
    ULONG Length = 0;

    RingPeek(Ring, 0, &Length, EXAMPLE_MESSAGE_COST);
    return Length;
}

static ULONG DropMessage(RING *Ring)
{
    ULONG Length = HeadLength(Ring);

    RingDrop(Ring, EXAMPLE_MESSAGE_COST + Length);
    return Length;
}

static NTSTATUS OverwriteMessage(STORE *Store, const UCHAR *Data, ULONG Length, ULONG *Done)
{
    NTSTATUS Status;

    for (;;) {
        Status = WriteMessage(&Store->Ring, Data, Length, Done);
        if (Status != STATUS_PENDING)
            return Status;
        Store->Dropped += DropMessage(&Store->Ring);
    }
}

static NTSTATUS OverwriteBytes(STORE *Store, const UCHAR *Data, ULONG Length, ULONG *Done)
{
    RING *Ring = &Store->Ring;
    ULONG Kept = Length < RingCapacity(Ring) ? Length : RingCapacity(Ring), Free = RingFree(Ring);

    if (Kept > Free)
        Store->Dropped += RingDrop(Ring, Kept - Free);
    RingWrite(Ring, Data + (Length - Kept), Kept);
    Store->Dropped += Length - Kept;
    *Done = Length;
    return STATUS_SUCCESS;
}

NTSTATUS StoreOverwrite(STORE *Store, const UCHAR *Data, ULONG Length, ULONG *Done)
{
    *Done = 0;
    if (Store->Messages)
        return OverwriteMessage(Store, Data, Length, Done);
    return OverwriteBytes(Store, Data, Length, Done);
}

VOID StoreDiscard(STORE *Store)
{
    while (Store->Messages && !StoreEmpty(Store))
        Store->Dropped += DropMessage(&Store->Ring);
    Store->Dropped += RingDrop(&Store->Ring, RingUsed(&Store->Ring));
}

/* What is left of a message gets a new length in front, where the bytes just read were. */
static VOID CutHead(RING *Ring, ULONG Taken, ULONG Left)
{
    RING Front = *Ring;

    RingDrop(Ring, Taken);
    Front.Start = Front.Stop = Ring->Start;
    RingPut(&Front, 0, &Left, EXAMPLE_MESSAGE_COST);
}

static NTSTATUS ReadMessage(RING *Ring, UCHAR *Buffer, ULONG Length, ULONG *Done)
{
    ULONG Whole = HeadLength(Ring);

    *Done = RingPeek(Ring, EXAMPLE_MESSAGE_COST, Buffer, Length < Whole ? Length : Whole);
    if (*Done < Whole) {
        CutHead(Ring, *Done, Whole - *Done);
        return STATUS_BUFFER_OVERFLOW;
    }
    RingDrop(Ring, EXAMPLE_MESSAGE_COST + Whole);
    return STATUS_SUCCESS;
}

NTSTATUS StoreRead(STORE *Store, UCHAR *Buffer, ULONG Length, ULONG *Done)
{
    *Done = 0;
    if (StoreEmpty(Store))
        return STATUS_PENDING;
    if (Store->Messages)
        return ReadMessage(&Store->Ring, Buffer, Length, Done);
    *Done = RingRead(&Store->Ring, Buffer, Length);
    return STATUS_SUCCESS;
}
