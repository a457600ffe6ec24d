/*
 * The documented pool routines. NT exports them as Ex.
 *
 * Modelled is a system with Driver Verifier on: a wrong IRQL, an empty allocation, a wrong tag are
 * bug checks, at once. Quota is not limited. Pool is never executable.
 */
#include "poolfast.h"

#include <string.h>

#define MI_TYPE_ALIGNED 4u /* NonPagedPoolCacheAligned, PagedPoolCacheAligned */
#define MI_TYPE_MUST_SUCCEED 2u
#define MI_RAISE POOL_RAISE_IF_ALLOCATION_FAILURE
#define MI_DEFAULT_TAG 'enoN' /* of the routines without one */
#define MI_CALLER __builtin_return_address(0)

/* What every routine does first. TRUE: fail. */
static inline __attribute__((always_inline)) BOOLEAN MiRefuse(ULONG Kind, SIZE_T Bytes, ULONG Tag)
{
    if (__builtin_expect(KiIrql() > (Kind == MiPaged ? APC_LEVEL : DISPATCH_LEVEL), 0))
        MiBadAllocateIrql(Kind, Bytes);
    if (__builtin_expect(!Bytes, 0))
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x00, KiIrql(),
                   Kind == MiPaged ? PagedPool : NonPagedPool, 0,
                   "no bytes of pool were asked for");
    return __builtin_expect(MiPoolFault != NULL, 0) && MiPoolFault(Tag, Bytes);
}

BOOLEAN MiFailInjected(ULONG Tag, SIZE_T Bytes)
{
    return MiPoolFault && MiPoolFault(Tag, Bytes);
}

/* Flags are the bits of a POOL_TYPE. */
__attribute__((noinline)) static void *MiAllocateTyped(ULONG Type, SIZE_T Bytes, ULONG Tag,
                                                       void *Caller)
{
    ULONG Kind = Type & 1;
    void *Block = NULL;

    if (__builtin_expect((Type & MI_TYPE_MUST_SUCCEED) != 0, 0))
        VfBugCheck(BAD_POOL_CALLER, 0x9A, Type, Bytes, Tag,
                   "must-succeed pool is no longer supported");
    if (!MiRefuse(Kind, Bytes, Tag))
        Block = MiAllocateAny(Kind, Bytes, Tag, (Type & MI_TYPE_ALIGNED) != 0, Caller);
    if (__builtin_expect(!Block, 0)) {
        if (Type & MI_RAISE)
            ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
        return NULL;
    }
    if (Type & POOL_ZERO_ALLOCATION)
        memset(Block, 0, Bytes);
    return Block;
}

/* Plain nonpaged or paged pool takes the fast path. */
MI_RAW_INLINE void *MiAllocate(ULONG Type, SIZE_T Bytes, ULONG Tag, void *Caller)
{
    void *Block = NULL;

    if (!(Type & ~(ULONG)POOL_NX_ALLOCATION))
        Block = MiTryAllocate(MiNonPaged, Bytes, Tag, Caller);
    else if (Type == PagedPool)
        Block = MiTryAllocate(MiPaged, Bytes, Tag, Caller);
    return __builtin_expect(Block != NULL, 1) ? Block : MiAllocateTyped(Type, Bytes, Tag, Caller);
}

/*
 * A block of pool, with garbage in it; NULL without memory. Aligned to 16 bytes, within one page if
 * smaller than a page, page-aligned otherwise. IRQL <= DISPATCH_LEVEL, paged pool <= APC_LEVEL.
 * Doc: wdm/nf-wdm-exallocatepoolwithtag
 */
PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return MiAllocate(PoolType, NumberOfBytes, Tag, MI_CALLER);
}

/* The same, for tag 'None'. Doc: wdm/nf-wdm-exallocatepool */
PVOID NTAPI(ExAllocatePool)(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return MiAllocate(PoolType, NumberOfBytes, MI_DEFAULT_TAG, MI_CALLER);
}

/* The same; the priority is a hint for a machine that runs short. Doc:
 * wdm/nf-wdm-exallocatepoolwithtagpriority */
PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                          EX_POOL_PRIORITY Priority)
{
    return MiAllocateTyped(PoolType, NumberOfBytes, Tag, MI_CALLER);
}

static ULONG MiQuotaType(ULONG Type)
{
    return (Type & ~(ULONG)POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) |
           (Type & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE ? 0 : MI_RAISE);
}

/*
 * Charged to the current process. Raises STATUS_INSUFFICIENT_RESOURCES without memory, unless
 * POOL_QUOTA_FAIL_INSTEAD_OF_RAISE is in the type. Doc: wdm/nf-wdm-exallocatepoolwithquotatag
 */
PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return MiAllocateTyped(MiQuotaType(PoolType), NumberOfBytes, Tag, MI_CALLER);
}

/* The same, for tag 'None'. Doc: wdm/nf-wdm-exallocatepoolwithquota */
PVOID NTAPI(ExAllocatePoolWithQuota)(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return MiAllocateTyped(MiQuotaType(PoolType), NumberOfBytes, MI_DEFAULT_TAG, MI_CALLER);
}

#define MI_POOL2_WHERE (POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED)
#define MI_POOL2_KNOWN                                                                             \
    (MI_POOL2_WHERE | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_CACHE_ALIGNED |    \
     POOL_FLAG_RAISE_ON_FAILURE)

/* One place, and no required flag that is unknown or reserved; optional flags may be anything. */
static BOOLEAN MiPoolFlagsAreGood(POOL_FLAGS Flags)
{
    ULONG Where = (ULONG)(Flags & MI_POOL2_WHERE);

    return Where && !(Where & (Where - 1)) && !((ULONG)Flags & ~(ULONG)MI_POOL2_KNOWN);
}

static PVOID MiFailPool2(POOL_FLAGS Flags, NTSTATUS Status)
{
    if (Flags & POOL_FLAG_RAISE_ON_FAILURE)
        ExRaiseStatus(Status);
    return NULL;
}

__attribute__((noinline)) static PVOID MiAllocatePool2(POOL_FLAGS Flags, SIZE_T Bytes, ULONG Tag,
                                                       void *Caller)
{
    ULONG Kind = Flags & POOL_FLAG_PAGED ? MiPaged : MiNonPaged;
    void *Block = NULL;

    if (!Tag || !MiPoolFlagsAreGood(Flags))
        return MiFailPool2(Flags, STATUS_INVALID_PARAMETER);
    if (!MiRefuse(Kind, Bytes, Tag))
        Block = MiAllocateAny(Kind, Bytes, Tag, (Flags & POOL_FLAG_CACHE_ALIGNED) != 0, Caller);
    if (__builtin_expect(!Block, 0))
        return MiFailPool2(Flags, STATUS_INSUFFICIENT_RESOURCES);
    if (!(Flags & POOL_FLAG_UNINITIALIZED))
        memset(Block, 0, Bytes);
    return Block;
}

/*
 * A block of pool, zeroed unless POOL_FLAG_UNINITIALIZED. NULL, or raises if
 * POOL_FLAG_RAISE_ON_FAILURE, without memory (STATUS_INSUFFICIENT_RESOURCES), with tag 0 or with
 * bad flags (STATUS_INVALID_PARAMETER). Doc: wdm/nf-wdm-exallocatepool2
 */
PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    if (Flags == POOL_FLAG_NON_PAGED || Flags == POOL_FLAG_PAGED) {
        void *Block = NULL;

        if (Tag)
            Block = MiTryAllocate(Flags == POOL_FLAG_PAGED, NumberOfBytes, Tag, MI_CALLER);

        if (Block)
            return memset(Block, 0, NumberOfBytes);
    }
    return MiAllocatePool2(Flags, NumberOfBytes, Tag, MI_CALLER);
}

/* A parameter that is not known is refused, unless it is optional; there is no secure pool. */
static BOOLEAN MiParametersAreGood(PCPOOL_EXTENDED_PARAMETER Parameters, ULONG Count)
{
    if (Count && !Parameters)
        return FALSE;
    for (ULONG i = 0; i < Count; i++) {
        ULONG Type = (ULONG)Parameters[i].Type;

        if (Type == PoolExtendedParameterInvalidType || Parameters[i].Reserved)
            return FALSE;
        if (Type != PoolExtendedParameterPriority && Type != PoolExtendedParameterNumaNode &&
            !Parameters[i].Optional)
            return FALSE;
    }
    return TRUE;
}

/* ExAllocatePool2 with extended parameters: bad ones make it fail in the same way. Doc:
 * wdm/nf-wdm-exallocatepool3 */
PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                            PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                            ULONG ExtendedParametersCount)
{
    if (!MiParametersAreGood(ExtendedParameters, ExtendedParametersCount))
        return MiFailPool2(Flags, STATUS_INVALID_PARAMETER);
    return MiAllocatePool2(Flags, NumberOfBytes, Tag, MI_CALLER);
}

/*
 * Frees a block of any pool. IRQL <= DISPATCH_LEVEL, paged pool <= APC_LEVEL. A wrong tag, a second
 * free, an address that is no block, damage behind the block: a bug check. Doc:
 * wdm/nf-wdm-exfreepoolwithtag
 */
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    MiFreeAny(P, Tag);
}

/* The same, whatever the tag. Doc: wdm/nf-wdm-exfreepool */
VOID NTAPI(ExFreePool)(PVOID P)
{
    MiFreeAny(P, 0);
}

/* The same; there is no secure pool whose parameters could be needed. Doc: wdm (ExFreePool2) */
VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                       ULONG ExtendedParametersCount)
{
    MiFreeAny(P, Tag);
}

/* For mm itself: no fault injection, no driver's error. */
void *MiAllocatePool(SIZE_T Bytes, ULONG Tag)
{
    return MiAllocateAny(MiNonPaged, Bytes, Tag, FALSE, NULL);
}

void MiFreePool(void *Block)
{
    MiFreeAny(Block, 0);
}

void MmSetPoolFault(BOOLEAN (*Fail)(ULONG Tag, SIZE_T Bytes))
{
    MiPoolFault = Fail;
}

NTSTATUS MiInitPool(void)
{
    MiPoolFault = NULL;
    MiInitSlabs();
    MiInitTags();
    MiInitPoolCaches();
    return STATUS_SUCCESS;
}
