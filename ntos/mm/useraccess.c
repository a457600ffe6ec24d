/*
 * User memory of the current process, reached without raising: the slot directly, ordinary memory
 * of an embedding program by a guarded copy, everything else by the client's hand.
 */
#include "mi.h"

atomic_ulong MiLockedPages;

typedef enum MI_WHERE { MiNowhere, MiInSlot, MiOrdinary, MiElsewhere } MI_WHERE;

static BOOLEAN MiOverlaps(const void *Address, SIZE_T Bytes, ULONG_PTR Low, ULONG_PTR High)
{
    return (ULONG_PTR)Address < High && (ULONG_PTR)Address + Bytes > Low;
}

/* Bytes is not 0. */
static inline BOOLEAN MiIsInSlot(const MM_ADDRESS_SPACE *Space, ULONG_PTR Start, SIZE_T Bytes)
{
    return Start - Space->Low < MM_SLOT_BYTES && Bytes <= Space->High - Start;
}

static MI_WHERE MiClassifyOther(const MM_ADDRESS_SPACE *Space, const void *Address, SIZE_T Bytes)
{
    ULONG_PTR Start = (ULONG_PTR)Address;

    if (Start + Bytes < Start || (Start + Bytes) >> 47)
        return MiNowhere;
    if (MiOverlaps(Address, Bytes, MM_SLOT_LOW, MM_SYSTEM_HIGH))
        return MiNowhere;
    if (Start < 0x10000)
        return MiNowhere;
    return Space->Embedded ? MiOrdinary : Space->Hand ? MiElsewhere : MiNowhere;
}

/* What a range of user addresses is; the whole range is of one sort. Bytes is not 0. */
static inline MI_WHERE MiClassify(const MM_ADDRESS_SPACE *Space, const void *Address, SIZE_T Bytes)
{
    if (!Space)
        return MiNowhere;
    return __builtin_expect(MiIsInSlot(Space, (ULONG_PTR)Address, Bytes), 1)
               ? MiInSlot
               : MiClassifyOther(Space, Address, Bytes);
}

/* Every page's entry has all these bits. */
static inline BOOLEAN MiSlotHas(const MM_ADDRESS_SPACE *Space, ULONG_PTR Address, SIZE_T Bytes,
                                ULONG64 Bits)
{
    ULONG_PTR Page = Address >> PAGE_SHIFT, Last = (Address + Bytes - 1) >> PAGE_SHIFT;

    for (; Page <= Last; Page++)
        if (Bits & ~MiSlotEntry(Space, Page))
            return FALSE;
    return TRUE;
}

static inline BOOLEAN MiIsUserRange(const void *Address, SIZE_T Bytes, ULONG64 Bits)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();
    MI_WHERE Where;

    if (!Bytes)
        return TRUE;
    Where = MiClassify(Space, Address, Bytes);
    return Where == MiInSlot ? MiSlotHas(Space, (ULONG_PTR)Address, Bytes, Bits)
                             : Where == MiOrdinary;
}

BOOLEAN MmIsUserRange(const void *Address, SIZE_T Bytes)
{
    return MiIsUserRange(Address, Bytes, MI_PTE_PRESENT);
}

BOOLEAN MmIsUserRangeWritable(const void *Address, SIZE_T Bytes)
{
    return MiIsUserRange(Address, Bytes, MI_PTE_PRESENT | MI_PTE_WRITE);
}

/* Any IRQL for the slot and ordinary memory; the hand wants PASSIVE_LEVEL. */
NTSTATUS MmCopyFromUser(PVOID To, const void *From, SIZE_T Bytes)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();

    if (!Bytes)
        return STATUS_SUCCESS;
    switch (MiClassify(Space, From, Bytes)) {
    case MiInSlot:
    case MiOrdinary:
        return host_copy(To, From, Bytes) ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION;
    case MiElsewhere:
        return Space->Hand->CopyIn(Space->HandContext, To, From, Bytes);
    default:
        return STATUS_ACCESS_VIOLATION;
    }
}

NTSTATUS MmCopyToUser(PVOID To, const void *From, SIZE_T Bytes)
{
    MM_ADDRESS_SPACE *Space = MmCurrentAddressSpace();

    if (!Bytes)
        return STATUS_SUCCESS;
    switch (MiClassify(Space, To, Bytes)) {
    case MiInSlot:
    case MiOrdinary:
        return host_copy(To, From, Bytes) ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION;
    case MiElsewhere:
        return Space->Hand->CopyOut(Space->HandContext, To, From, Bytes);
    default:
        return STATUS_ACCESS_VIOLATION;
    }
}

static void MiProbe(const void *Address, SIZE_T Length, ULONG Alignment)
{
    if ((ULONG_PTR)Address & (Alignment - 1))
        ExRaiseDatatypeMisalignment();
    switch (MiClassify(MmCurrentAddressSpace(), Address, Length)) {
    case MiInSlot:
    case MiOrdinary:
        return;
    default:
        ExRaiseAccessViolation();
    }
}

/*
 * Raises STATUS_ACCESS_VIOLATION if the range is not of user addresses that a driver can reach, and
 * STATUS_DATATYPE_MISALIGNMENT. Nothing is touched; Length 0 is never wrong. IRQL <= APC_LEVEL.
 * Doc: wdm/nf-wdm-probeforread
 */
VOID NTAPI ProbeForRead(CONST VOID *Address, SIZE_T Length, ULONG Alignment)
{
    VF_IRQL_MAX(APC_LEVEL);
    if (Length)
        MiProbe(Address, Length, Alignment);
}

/* The same, and each page is tested for write. Doc: wdm/nf-wdm-probeforwrite */
VOID NTAPI ProbeForWrite(PVOID Address, SIZE_T Length, ULONG Alignment)
{
    ULONG_PTR At = (ULONG_PTR)Address, End = At + Length;

    VF_IRQL_MAX(APC_LEVEL);
    if (!Length)
        return;
    MiProbe(Address, Length, Alignment);
    for (; At < End; At = (At & ~(ULONG_PTR)(PAGE_SIZE - 1)) + PAGE_SIZE)
        if (!MiTouchGuarded((void *)At, TRUE))
            ExRaiseAccessViolation();
}
