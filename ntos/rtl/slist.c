/*
 * Sequenced singly linked lists. The header is swapped as one 16-byte unit with a 48-bit sequence,
 * so that a pop between another's read and its swap is noticed. A reader may look at the Next of an
 * entry that was popped meanwhile: entries must stay readable, and what it read is then thrown
 * away.
 */
#include "rtl.h"

#if defined(__SANITIZE_THREAD__)
#define RTLP_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RTLP_TSAN /* which sees atomic operations of the compiler, not an instruction */
#endif
#endif

typedef unsigned __int128 RTLP_SLIST_VALUE;

typedef union _RTLP_SLIST {
    RTLP_SLIST_VALUE Value;
    SLIST_HEADER Header;
} RTLP_SLIST;

_Static_assert(sizeof(SLIST_HEADER) == 16 && _Alignof(SLIST_HEADER) == 16, "one 16-byte unit");

static RTLP_SLIST RtlpReadSList(PSLIST_HEADER ListHead)
{
    /* Two loads; a torn value fails the swap. */
    RTLP_SLIST Now;
    Now.Header.Alignment = __atomic_load_n(&ListHead->Alignment, __ATOMIC_ACQUIRE);
    Now.Header.Region = __atomic_load_n(&ListHead->Region, __ATOMIC_ACQUIRE);
    return Now;
}

__attribute__((target("cx16"))) static BOOLEAN
RtlpSwapSList(PSLIST_HEADER ListHead, RTLP_SLIST *Expected, RTLP_SLIST Desired)
{
#ifdef RTLP_TSAN
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Watomic-alignment"
    return __atomic_compare_exchange_n((RTLP_SLIST_VALUE *)ListHead, &Expected->Value,
                                       Desired.Value, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
#pragma clang diagnostic pop
#else
    BOOLEAN Swapped;
    ULONG64 Low = Expected->Header.Alignment;
    ULONG64 High = Expected->Header.Region;
    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(Swapped), "+m"(*ListHead), "+a"(Low), "+d"(High)
                     : "b"(Desired.Header.Alignment), "c"(Desired.Header.Region)
                     : "memory");
    Expected->Header.Alignment = Low;
    Expected->Header.Region = High;
    return Swapped;
#endif
}

static PSLIST_ENTRY RtlpFirst(const RTLP_SLIST *List)
{
    return (PSLIST_ENTRY)(List->Header.Region & ~15ull);
}

static RTLP_SLIST RtlpSListOf(const RTLP_SLIST *Old, PSLIST_ENTRY First, USHORT Depth)
{
    RTLP_SLIST New = {0};
    New.Header.HeaderX64.Depth = Depth;
    New.Header.HeaderX64.Sequence = Old->Header.HeaderX64.Sequence + 1;
    New.Header.HeaderX64.HeaderType = 1;
    New.Header.HeaderX64.NextEntry = (ULONG64)First >> 4;
    return New;
}

/* Any IRQL. Doc: wdm/nf-wdm-exinitializeslisthead */
VOID NTAPI InitializeSListHead(PSLIST_HEADER ListHead)
{
    RTLP_SLIST Empty = {0};
    Empty.Header.HeaderX64.HeaderType = 1;
    *ListHead = Empty.Header;
}

/* See InitializeSListHead. */
VOID NTAPI RtlInitializeSListHead(PSLIST_HEADER ListHead)
{
    InitializeSListHead(ListHead);
}

static PSLIST_ENTRY RtlpPushChain(PSLIST_HEADER ListHead, PSLIST_ENTRY First, PSLIST_ENTRY Last,
                                  ULONG Count)
{
    RTLP_SLIST Old = RtlpReadSList(ListHead);
    RTLP_SLIST New;
    do {
        __atomic_store_n(&Last->Next, RtlpFirst(&Old), __ATOMIC_RELAXED);
        New = RtlpSListOf(&Old, First, (USHORT)(Old.Header.HeaderX64.Depth + Count));
    } while (!RtlpSwapSList(ListHead, &Old, New));
    return RtlpFirst(&Old);
}

/*
 * Any IRQL <= DISPATCH_LEVEL. Returns the entry that was first, or NULL. Entries are aligned to 16
 * bytes. Doc: wdm/nf-wdm-exinterlockedpushentryslist
 */
PSLIST_ENTRY NTAPI ExpInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
    return RtlpPushChain(ListHead, ListEntry, ListEntry, 1);
}

/* As ExpInterlockedPushEntrySList. */
PSLIST_ENTRY NTAPI RtlInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
    return RtlpPushChain(ListHead, ListEntry, ListEntry, 1);
}

/* Pushes a chain of Count entries at once. */
PSLIST_ENTRY NTAPI RtlInterlockedPushListSListEx(PSLIST_HEADER ListHead, PSLIST_ENTRY List,
                                                 PSLIST_ENTRY ListEnd, ULONG Count)
{
    return RtlpPushChain(ListHead, List, ListEnd, Count);
}

/*
 * The next of an entry that another thread may just have popped and be writing: the value counts
 * only if the swap succeeds, and then nobody has written.
 */
__attribute__((no_sanitize("thread", "address"))) static PSLIST_ENTRY
RtlpNextUnsafe(PSLIST_ENTRY Entry)
{
    return *(PSLIST_ENTRY volatile *)&Entry->Next;
}

/* IRQL <= DISPATCH_LEVEL. The first entry, or NULL. Doc: wdm/nf-wdm-exinterlockedpopentryslist */
PSLIST_ENTRY NTAPI ExpInterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
    RTLP_SLIST Old = RtlpReadSList(ListHead);
    RTLP_SLIST New;
    do {
        if (!RtlpFirst(&Old))
            return NULL;
        New = RtlpSListOf(&Old, RtlpNextUnsafe(RtlpFirst(&Old)), Old.Header.HeaderX64.Depth - 1);
    } while (!RtlpSwapSList(ListHead, &Old, New));
    return RtlpFirst(&Old);
}

/* As ExpInterlockedPopEntrySList. */
PSLIST_ENTRY NTAPI RtlInterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
    return ExpInterlockedPopEntrySList(ListHead);
}

/* IRQL <= DISPATCH_LEVEL. Takes all entries, as a chain. Doc: wdm/nf-wdm-exinterlockedflushslist */
PSLIST_ENTRY NTAPI ExpInterlockedFlushSList(PSLIST_HEADER ListHead)
{
    RTLP_SLIST Old = RtlpReadSList(ListHead);
    do {
        if (!RtlpFirst(&Old))
            return NULL;
    } while (!RtlpSwapSList(ListHead, &Old, RtlpSListOf(&Old, NULL, 0)));
    return RtlpFirst(&Old);
}

/* As ExpInterlockedFlushSList. */
PSLIST_ENTRY NTAPI RtlInterlockedFlushSList(PSLIST_HEADER ListHead)
{
    return ExpInterlockedFlushSList(ListHead);
}

/* Any IRQL. A hint: others may push and pop meanwhile. Doc: wdm/nf-wdm-exquerydepthslist */
USHORT NTAPI ExQueryDepthSList(PSLIST_HEADER ListHead)
{
    return (USHORT)RtlpReadSList(ListHead).Header.HeaderX64.Depth;
}

/* As ExQueryDepthSList. */
USHORT NTAPI RtlQueryDepthSList(PSLIST_HEADER ListHead)
{
    return ExQueryDepthSList(ListHead);
}

/* The first entry, which stays; meaningful only while nobody pops. */
PSLIST_ENTRY NTAPI RtlFirstEntrySList(const SLIST_HEADER *ListHead)
{
    RTLP_SLIST Now = RtlpReadSList((PSLIST_HEADER)ListHead);
    return RtlpFirst(&Now);
}
