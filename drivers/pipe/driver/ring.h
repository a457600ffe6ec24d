/*
 * ring: a circular buffer of bytes. One byte stays free, so that Start == Stop means empty: a ring
 * of 2000 bytes holds 1999.
 *
 * Knows nothing of IRPs and locks. The caller serialises. A copy that faults (user memory) has
 * changed nothing: the indices move after the bytes.
 */
#ifndef RING_H
#define RING_H

typedef struct _RING {
    UCHAR *Data;
    ULONG Size;
    ULONG Start; /* the oldest byte */
    ULONG Stop;  /* where the next one goes */
} RING;

VOID RingInitialize(RING *Ring, UCHAR *Data, ULONG Size);

static __inline ULONG RingCapacity(const RING *Ring)
{
    return Ring->Size - 1;
}

static __inline ULONG RingUsed(const RING *Ring)
{
    return Ring->Stop >= Ring->Start ? Ring->Stop - Ring->Start
                                     : Ring->Size - Ring->Start + Ring->Stop;
}

static __inline ULONG RingFree(const RING *Ring)
{
    return RingCapacity(Ring) - RingUsed(Ring);
}

/* Each returns how many bytes it moved: as many as fit, or as there are. */
ULONG RingWrite(RING *Ring, const VOID *Source, ULONG Length);
ULONG RingRead(RING *Ring, VOID *Target, ULONG Length);
ULONG RingDrop(RING *Ring, ULONG Length);
/* As RingRead from Offset bytes behind the oldest; nothing is removed. */
ULONG RingPeek(const RING *Ring, ULONG Offset, VOID *Target, ULONG Length);
/* RingWrite in two steps: bytes put at Offset behind the newest become visible with RingCommit. */
ULONG RingPut(RING *Ring, ULONG Offset, const VOID *Source, ULONG Length);
VOID RingCommit(RING *Ring, ULONG Length);

#endif
