/*
 * Bitmaps. Bit n is bit n % 32 of word n / 32. A range outside the map is the caller's error:
 * setting or clearing there fails fast, since it would write into another's memory.
 */
#include "rtlp.h"

#define WORD_BITS 32
#define FAST_FAIL_INVALID_ARG_CODE 5

static VOID RtlpRequireRange(PRTL_BITMAP Map, ULONG Start, ULONG Count)
{
    if (Start > Map->SizeOfBitMap || Count > Map->SizeOfBitMap - Start)
        RtlpFailFast(FAST_FAIL_INVALID_ARG_CODE);
}

/* The bits of word Index that lie in [Start, Start + Count). */
static ULONG RtlpMaskOfWord(ULONG Index, ULONG Start, ULONG Count)
{
    ULONG64 First = (ULONG64)Index * WORD_BITS;
    ULONG64 End = (ULONG64)Start + Count;
    ULONG Mask = MAXULONG;
    if (Start > First)
        Mask &= MAXULONG << (Start - First);
    if (End < First + WORD_BITS)
        Mask &= (1u << (End - First)) - 1;
    return Mask;
}

static VOID RtlpWriteRange(PRTL_BITMAP Map, ULONG Start, ULONG Count, BOOLEAN Value)
{
    RtlpRequireRange(Map, Start, Count);
    if (!Count)
        return;
    for (ULONG i = Start / WORD_BITS; i <= (Start + Count - 1) / WORD_BITS; i++) {
        ULONG Mask = RtlpMaskOfWord(i, Start, Count);
        Map->Buffer[i] = Value ? Map->Buffer[i] | Mask : Map->Buffer[i] & ~Mask;
    }
}

/* The first bit from Start on that has Value, or End. */
ULONG RtlpNextBit(PRTL_BITMAP Map, ULONG Start, ULONG End, BOOLEAN Value)
{
    for (ULONG Index = Start / WORD_BITS; Start < End; Index++) {
        ULONG Word = Value ? Map->Buffer[Index] : ~Map->Buffer[Index];
        Word &= MAXULONG << (Start % WORD_BITS);
        if (Word) {
            ULONG Found = Index * WORD_BITS + (ULONG)__builtin_ctz(Word);
            return min(Found, End);
        }
        if (Index == (End - 1) / WORD_BITS)
            break;
        Start = (Index + 1) * WORD_BITS;
    }
    return End;
}

/* Any IRQL with resident memory, for this and all below. Doc: wdm/nf-wdm-rtlinitializebitmap */
VOID NTAPI RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

/* Doc: wdm/nf-wdm-rtlclearbit */
VOID NTAPI RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    RtlpWriteRange(BitMapHeader, BitNumber, 1, FALSE);
}

/* Doc: wdm/nf-wdm-rtlsetbit */
VOID NTAPI RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    RtlpWriteRange(BitMapHeader, BitNumber, 1, TRUE);
}

/* Doc: wdm/nf-wdm-rtltestbit */
BOOLEAN NTAPI RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    RtlpRequireRange(BitMapHeader, BitNumber, 1);
    return BitMapHeader->Buffer[BitNumber / WORD_BITS] >> (BitNumber % WORD_BITS) & 1;
}

/* Doc: wdm/nf-wdm-rtlclearbits */
VOID NTAPI RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    RtlpWriteRange(BitMapHeader, StartingIndex, NumberToClear, FALSE);
}

/* Doc: wdm/nf-wdm-rtlsetbits */
VOID NTAPI RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    RtlpWriteRange(BitMapHeader, StartingIndex, NumberToSet, TRUE);
}

/* Doc: wdm/nf-wdm-rtlclearallbits */
VOID NTAPI RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    RtlpWriteRange(BitMapHeader, 0, BitMapHeader->SizeOfBitMap, FALSE);
}

/* Doc: wdm/nf-wdm-rtlsetallbits */
VOID NTAPI RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    RtlpWriteRange(BitMapHeader, 0, BitMapHeader->SizeOfBitMap, TRUE);
}

static BOOLEAN RtlpAllAre(PRTL_BITMAP Map, ULONG Start, ULONG Count, BOOLEAN Value)
{
    if (!Count || Start > Map->SizeOfBitMap || Count > Map->SizeOfBitMap - Start)
        return FALSE;
    return RtlpNextBit(Map, Start, Start + Count, !Value) == Start + Count;
}

/* FALSE too for an empty range or one that leaves the map. Doc: wdm/nf-wdm-rtlarebitsclear */
BOOLEAN NTAPI RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return RtlpAllAre(BitMapHeader, StartingIndex, Length, FALSE);
}

/* FALSE too for an empty range or one that leaves the map. Doc: wdm/nf-wdm-rtlarebitsset */
BOOLEAN NTAPI RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return RtlpAllAre(BitMapHeader, StartingIndex, Length, TRUE);
}

/* Doc: wdm/nf-wdm-rtlnumberofsetbits */
ULONG NTAPI RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    ULONG Size = BitMapHeader->SizeOfBitMap;
    ULONG Count = 0;
    for (ULONG i = 0; i < (Size + WORD_BITS - 1) / WORD_BITS; i++)
        Count += __builtin_popcount(BitMapHeader->Buffer[i] & RtlpMaskOfWord(i, 0, Size));
    return Count;
}

/* Doc: wdm/nf-wdm-rtlnumberofclearbits */
ULONG NTAPI RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
    return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}

/* Any IRQL. Doc: wdm/nf-wdm-rtlnumberofsetbitsulongptr */
ULONG NTAPI RtlNumberOfSetBitsUlongPtr(ULONG_PTR Target)
{
    return (ULONG)__builtin_popcountll(Target);
}

/* Any IRQL. -1 when no bit is set. Doc: wdm/nf-wdm-rtlfindleastsignificantbit */
CCHAR NTAPI RtlFindLeastSignificantBit(ULONGLONG Set)
{
    return (CCHAR)(Set ? __builtin_ctzll(Set) : -1);
}

/* Any IRQL. -1 when no bit is set. Doc: wdm/nf-wdm-rtlfindmostsignificantbit */
CCHAR NTAPI RtlFindMostSignificantBit(ULONGLONG Set)
{
    return (CCHAR)(Set ? 63 - __builtin_clzll(Set) : -1);
}
