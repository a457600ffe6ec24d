/* The circular buffer. A copy is at most two runs: up to the end of the array, and from its
 * beginning. */
#include <ntddk.h>
#include "ring.h"

VOID RingInitialize(RING *Ring, UCHAR *Data, ULONG Size)
{
    Ring->Data = Data;
    Ring->Size = Size;
    Ring->Start = 0;
    Ring->Stop = 0;
}

/* Index and Count are at most Size, and Size is far below half of a ULONG. */
static ULONG Advance(const RING *Ring, ULONG Index, ULONG Count)
{
    Index += Count;
    return Index >= Ring->Size ? Index - Ring->Size : Index;
}

static ULONG FirstRun(const RING *Ring, ULONG Index, ULONG Length)
{
    ULONG ToEnd = Ring->Size - Index;

    return Length < ToEnd ? Length : ToEnd;
}

ULONG RingPeek(const RING *Ring, ULONG Offset, VOID *Target, ULONG Length)
{
    ULONG Used = RingUsed(Ring), Index, Run;

    if (!Length || Offset >= Used)
        return 0;
    if (Length > Used - Offset)
        Length = Used - Offset;
    Index = Advance(Ring, Ring->Start, Offset);
    Run = FirstRun(Ring, Index, Length);
    RtlCopyMemory(Target, Ring->Data + Index, Run);
    if (Run < Length)
        RtlCopyMemory((UCHAR *)Target + Run, Ring->Data, Length - Run);
    return Length;
}

ULONG RingPut(RING *Ring, ULONG Offset, const VOID *Source, ULONG Length)
{
    ULONG Free = RingFree(Ring), Index, Run;

    if (!Length || Offset >= Free)
        return 0;
    if (Length > Free - Offset)
        Length = Free - Offset;
    Index = Advance(Ring, Ring->Stop, Offset);
    Run = FirstRun(Ring, Index, Length);
    RtlCopyMemory(Ring->Data + Index, Source, Run);
    if (Run < Length)
        RtlCopyMemory(Ring->Data, (const UCHAR *)Source + Run, Length - Run);
    return Length;
}

VOID RingCommit(RING *Ring, ULONG Length)
{
    Ring->Stop = Advance(Ring, Ring->Stop, Length);
}

ULONG RingDrop(RING *Ring, ULONG Length)
{
    ULONG Used = RingUsed(Ring);

    if (Length > Used)
        Length = Used;
    Ring->Start = Advance(Ring, Ring->Start, Length);
    return Length;
}

ULONG RingWrite(RING *Ring, const VOID *Source, ULONG Length)
{
    Length = RingPut(Ring, 0, Source, Length);
    RingCommit(Ring, Length);
    return Length;
}

ULONG RingRead(RING *Ring, VOID *Target, ULONG Length)
{
    return RingDrop(Ring, RingPeek(Ring, 0, Target, Length));
}
