/* The ring of lines. Writing never waits: the oldest lines make room. One byte is always free. */
#include "protocol.h"

#define SIZE SPY_DATA_BUFFER

ULONG RingCount(const SPY_PROTOCOL *Data)
{
    return (Data->sh.dWrite + SIZE - Data->sh.dRead) % SIZE;
}

/* How many bytes the oldest line has, its newline included; 0: none is complete. */
static ULONG LineLength(const SPY_PROTOCOL *Data)
{
    ULONG Count = RingCount(Data), i;

    for (i = 0; i < Count; i++)
        if (Data->abData[(Data->sh.dRead + i) % SIZE] == '\n')
            return i + 1;
    return 0;
}

static VOID Skip(SPY_PROTOCOL *Data, ULONG Count)
{
    Data->sh.dRead = (Data->sh.dRead + Count) % SIZE;
}

/* A ring that is all one line loses half of it. */
static VOID MakeRoom(SPY_PROTOCOL *Data, ULONG Count)
{
    while (SIZE - 1 - RingCount(Data) < Count) {
        ULONG Length = LineLength(Data);

        Skip(Data, Length ? Length : (RingCount(Data) + 1) / 2);
    }
}

static VOID CopyOut(const SPY_PROTOCOL *Data, CHAR *To, ULONG Count)
{
    ULONG First = SIZE - Data->sh.dRead;

    if (First > Count)
        First = Count;
    RtlCopyMemory(To, Data->abData + Data->sh.dRead, First);
    RtlCopyMemory(To + First, Data->abData, Count - First);
}

VOID RingWrite(SPY_PROTOCOL *Data, const VOID *Bytes, ULONG Count)
{
    const UCHAR *From = Bytes;
    ULONG First;

    if (Count == 0)
        return;
    if (Count > SIZE - 1) { /* its end is what counts */
        From += Count - (SIZE - 1);
        Count = SIZE - 1;
    }
    MakeRoom(Data, Count);
    First = SIZE - Data->sh.dWrite;
    if (First > Count)
        First = Count;
    RtlCopyMemory(Data->abData + Data->sh.dWrite, From, First);
    RtlCopyMemory(Data->abData, From + First, Count - First);
    Data->sh.dWrite = (Data->sh.dWrite + Count) % SIZE;
}

ULONG RingReadLine(SPY_PROTOCOL *Data, CHAR *To, ULONG Size)
{
    ULONG Length = LineLength(Data), Count;

    if (!Size)
        return 0;
    To[0] = 0;
    if (!Length)
        return 0;
    Count = Length <= Size ? Length : Size;
    CopyOut(Data, To, Count - 1);
    To[Count - 1] = 0;
    Skip(Data, Length);
    return Count;
}

ULONG RingReadRaw(SPY_PROTOCOL *Data, CHAR *To, ULONG Size)
{
    ULONG Count = RingCount(Data);

    if (Count > Size)
        Count = Size;
    CopyOut(Data, To, Count);
    Skip(Data, Count);
    return Count;
}
