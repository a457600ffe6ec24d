/* Finding runs in bitmaps. */
#include "rtlp.h"

#define NOT_FOUND MAXULONG

/* The first run of at least Count bits of Value that begins in [Start, Limit) and ends within the
 * map. */
static ULONG RtlpFindRun(PRTL_BITMAP Map, ULONG Start, ULONG Limit, ULONG Count, BOOLEAN Value)
{
    ULONG Size = Map->SizeOfBitMap;
    while (Start < Limit) {
        Start = RtlpNextBit(Map, Start, Size, Value);
        if (Start >= Limit || Count > Size - Start)
            break;
        ULONG End = RtlpNextBit(Map, Start, Start + Count, !Value);
        if (End == Start + Count)
            return Start;
        Start = End;
    }
    return NOT_FOUND;
}

static ULONG RtlpFindFromHint(PRTL_BITMAP Map, ULONG Count, ULONG Hint, BOOLEAN Value)
{
    if (Count > Map->SizeOfBitMap)
        return NOT_FOUND;
    if (Hint >= Map->SizeOfBitMap)
        Hint = 0;
    if (!Count)
        return Hint;
    ULONG Found = RtlpFindRun(Map, Hint, Map->SizeOfBitMap, Count, Value);
    return Found != NOT_FOUND ? Found : RtlpFindRun(Map, 0, Hint, Count, Value);
}

/*
 * From the hint to the end, then from the beginning; 0xFFFFFFFF when there is no such run.
 * Any IRQL with resident memory, for this and all below. Doc: wdm/nf-wdm-rtlfindclearbits
 */
ULONG NTAPI RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return RtlpFindFromHint(BitMapHeader, NumberToFind, HintIndex, FALSE);
}

/* Doc: wdm/nf-wdm-rtlfindsetbits */
ULONG NTAPI RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return RtlpFindFromHint(BitMapHeader, NumberToFind, HintIndex, TRUE);
}

/* Doc: wdm/nf-wdm-rtlfindclearbitsandset */
ULONG NTAPI RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG Found = RtlpFindFromHint(BitMapHeader, NumberToFind, HintIndex, FALSE);
    if (Found != NOT_FOUND)
        RtlSetBits(BitMapHeader, Found, NumberToFind);
    return Found;
}

/* Doc: wdm/nf-wdm-rtlfindsetbitsandclear */
ULONG NTAPI RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG Found = RtlpFindFromHint(BitMapHeader, NumberToFind, HintIndex, TRUE);
    if (Found != NOT_FOUND)
        RtlClearBits(BitMapHeader, Found, NumberToFind);
    return Found;
}

/* The length of the first clear run at or behind FromIndex; 0: none. Doc:
 * wdm/nf-wdm-rtlfindnextforwardrunclear */
ULONG NTAPI RtlFindNextForwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex,
                                       PULONG StartingRunIndex)
{
    ULONG Size = BitMapHeader->SizeOfBitMap;
    *StartingRunIndex = FromIndex;
    if (FromIndex >= Size)
        return 0;
    ULONG Start = RtlpNextBit(BitMapHeader, FromIndex, Size, FALSE);
    *StartingRunIndex = Start;
    return RtlpNextBit(BitMapHeader, Start, Size, TRUE) - Start;
}

/* Doc: wdm/nf-wdm-rtlfindfirstrunclear */
ULONG NTAPI RtlFindFirstRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    return RtlFindNextForwardRunClear(BitMapHeader, 0, StartingIndex);
}

/* The clear run that ends at or before FromIndex. Doc: wdm/nf-wdm-rtlfindlastbackwardrunclear */
ULONG NTAPI RtlFindLastBackwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex,
                                        PULONG StartingRunIndex)
{
    LONG64 Last = FromIndex;
    if (FromIndex >= BitMapHeader->SizeOfBitMap)
        Last = (LONG64)BitMapHeader->SizeOfBitMap - 1;
    while (Last >= 0 && RtlTestBit(BitMapHeader, (ULONG)Last))
        Last--;
    LONG64 First = Last;
    while (First > 0 && !RtlTestBit(BitMapHeader, (ULONG)First - 1))
        First--;
    *StartingRunIndex = Last < 0 ? 0 : (ULONG)First;
    return Last < 0 ? 0 : (ULONG)(Last - First + 1);
}

/* Keeps the longest runs, longest first; of equally long ones the first found comes first. */
static ULONG RtlpKeepLongest(PRTL_BITMAP_RUN Runs, ULONG Count, ULONG Capacity, RTL_BITMAP_RUN Run)
{
    ULONG At = Count;
    while (At > 0 && Runs[At - 1].NumberOfBits < Run.NumberOfBits)
        At--;
    if (At == Capacity)
        return Count;
    if (Count < Capacity)
        Count++;
    for (ULONG i = Count - 1; i > At; i--)
        Runs[i] = Runs[i - 1];
    Runs[At] = Run;
    return Count;
}

/* The number of runs stored: the first ones, or the longest, sorted. Doc:
 * wdm/nf-wdm-rtlfindclearruns */
ULONG NTAPI RtlFindClearRuns(PRTL_BITMAP BitMapHeader, PRTL_BITMAP_RUN RunArray,
                             ULONG SizeOfRunArray, BOOLEAN LocateLongestRuns)
{
    ULONG Count = 0;
    RTL_BITMAP_RUN Run = {0};
    for (ULONG From = 0;; From = Run.StartingIndex + Run.NumberOfBits) {
        if (!LocateLongestRuns && Count == SizeOfRunArray)
            break;
        Run.NumberOfBits = RtlFindNextForwardRunClear(BitMapHeader, From, &Run.StartingIndex);
        if (!Run.NumberOfBits)
            break;
        if (LocateLongestRuns)
            Count = RtlpKeepLongest(RunArray, Count, SizeOfRunArray, Run);
        else
            RunArray[Count++] = Run;
    }
    return Count;
}

/* The length of the longest clear run; 0: none. Doc: wdm/nf-wdm-rtlfindlongestrunclear */
ULONG NTAPI RtlFindLongestRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    RTL_BITMAP_RUN Run = {0};
    RtlFindClearRuns(BitMapHeader, &Run, 1, TRUE);
    *StartingIndex = Run.StartingIndex;
    return Run.NumberOfBits;
}
