/*
 * What the files of mm share.
 *
 * Lock order: address space lock > share lock > table lock > frame lock; a pool class lock > frame
 * lock. All but the first are small locks, held for a few hundred instructions, never across a
 * callout and never across a wait.
 */
#ifndef MI_H
#define MI_H

#include "mm/mm.h"

#pragma GCC visibility push(hidden)

/* A small lock, usable at any IRQL and by a thread that the executive does not know. */
typedef host_lock MI_LOCK;
#define MiAcquire(Lock) host_lock_acquire(Lock)
#define MiRelease(Lock) host_lock_release(Lock)

#if defined(__SANITIZE_ADDRESS__)
#define MI_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MI_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define MI_THREAD_SANITIZER 1
#endif
#endif
#ifndef MI_THREAD_SANITIZER
#define MI_THREAD_SANITIZER 0
#endif
#ifdef MI_ADDRESS_SANITIZER
/* For the few functions that touch what drivers must not: block headers and free memory. */
#define MI_RAW __attribute__((no_sanitize("address"))) __attribute__((no_sanitize("undefined")))
#define MI_RAW_INLINE static __attribute__((unused)) MI_RAW
#else
#define MI_ADDRESS_SANITIZER 0
#define MI_RAW
#define MI_RAW_INLINE static inline __attribute__((always_inline, unused))
#endif

/* For those that look at what threads allocate and free meanwhile, which is then seen or not. */
#define MI_WHILE_OTHERS_WRITE MI_RAW __attribute__((no_sanitize("thread")))

/* Frames. */
typedef enum MI_FRAME_STATE {
    MiFrameReserved, /* frame 0, and the frames of banks that are no RAM */
    MiFrameFree,     /* first of a free run of 2^Order frames */
    MiFrameFreeTail,
    MiFrameUsed, /* given out, kind unknown to the allocator */
    MiFrameTable,
    MiFrameSlab,
    MiFrameBlock, /* first of a pool block of whole pages */
    MiFrameBlockTail,
    MiFrameContiguous, /* first of a MmAllocateContiguousMemory */
    MiFrameNonCached,  /* first of a MmAllocateNonCachedMemory */
    MiFrameMdl,        /* MmAllocatePagesForMdl */
    MiFrameShadow,     /* stands for ordinary memory that is locked */
} MI_FRAME_STATE;

#define MI_FRAME_DIRTY 1     /* of a free run: its memory has been touched */
#define MI_FRAME_PAGED 2     /* of a pool frame */
#define MI_FRAME_OBJECT 8    /* of a pool frame: the executive may use something in it */
#define MI_FRAME_PROTECTED 4 /* MmProtectMdlSystemAddress has changed the direct map */

struct MI_SHARE;
typedef struct MI_FRAME {
    union {
        struct {
            UCHAR State, Order, Class, Flags;
        };
        ULONG Word;
    };
    atomic_uint Locks; /* by MmProbeAndLockPages */
    LIST_ENTRY Link;   /* free run, or slab with free blocks */
    SIZE_T Bytes;      /* of a pool block or contiguous memory: as asked for */
    ULONG Tag, FreeBlocks;
    ULONG_PTR Owner;
    void *FreeList;         /* of a slab */
    struct MI_SHARE *Share; /* where the frame has moved to */
    ULONG ShareIndex, ShareCount;
} MI_FRAME;
_Static_assert(sizeof(MI_FRAME) <= 80, "a frame's entry stays small");

/* By the frame's owner; neighbours that are freed look at it, and whoever walks all of memory. */
static inline void MiSetFrameState(MI_FRAME *Frame, UCHAR State)
{
    __atomic_store_n(&Frame->State, State, __ATOMIC_RELEASE);
}

/* Another thread may note an object in the page meanwhile, or one that it held (MmNoteObject). */
static inline UCHAR MiFrameFlags(const MI_FRAME *Frame)
{
    return __atomic_load_n(&Frame->Flags, __ATOMIC_RELAXED);
}

static inline UCHAR MiFrameState(const MI_FRAME *Frame)
{
    return __atomic_load_n(&Frame->State, __ATOMIC_ACQUIRE);
}

static inline void MiSetFrameFlags(MI_FRAME *Frame, UCHAR Flags)
{
    __atomic_store_n(&Frame->Flags, Flags, __ATOMIC_RELAXED);
}

#define MI_GRANULE_SHIFT 12 /* banks begin at multiples of 4,096 frames: 16 MiB */
#define MI_GRANULE_FRAMES ((SIZE_T)1 << MI_GRANULE_SHIFT)
#define MI_GRANULES ((MM_SYSTEM_PTE_LOW - MM_SYSTEM_LOW) >> (PAGE_SHIFT + MI_GRANULE_SHIFT))
#define MI_ORDERS 24

typedef struct MI_BANK {
    MM_BANK Bank;
    MI_FRAME *Frames;
} MI_BANK;

NTSTATUS MiCreateBank(const char *Name, SIZE_T Frames, MI_BANK **Bank); /* mapped in system space */
void MiDeleteBank(MI_BANK *Bank);
MI_BANK *MiBankOf(PFN_NUMBER Frame);
MI_FRAME *MiFrameOf(PFN_NUMBER Frame); /* NULL: no such frame */
NTSTATUS MiAllocateRun(SIZE_T Count, MI_FRAME_STATE State, PPFN_NUMBER First);
NTSTATUS MiAllocateRunIn(SIZE_T Count, PFN_NUMBER Lowest, PFN_NUMBER Highest, SIZE_T Boundary,
                         SIZE_T Alignment, MI_FRAME_STATE State, PPFN_NUMBER First);
void MiCheckUnused(PFN_NUMBER First, SIZE_T Count); /* or bug check 0x4E */
NTSTATUS MiInitFrames(ULONG64 PhysicalBytes);
void MiShutdownFrames(void);
void MiResetBanks(void);
SIZE_T MiFramesInUse(void); /* page tables are not counted */
void MiCountFrames(SIZE_T *Total, SIZE_T *Free);

/* RAM is bank 0: its entries by index, without a look-up. */
typedef struct MI_RAM {
    SIZE_T Count;
    MI_FRAME *Frames;
    MM_PTE *Ptes; /* of the direct map of RAM, one after the other */
} MI_RAM;
extern MI_RAM MiRam;

static inline BOOLEAN MiIsRamAddress(const void *Address)
{
    return ((ULONG_PTR)Address - MM_SYSTEM_LOW) >> PAGE_SHIFT < MiRam.Count;
}

static inline PFN_NUMBER MiRamFrameNumber(const void *Address)
{
    return ((ULONG_PTR)Address - MM_SYSTEM_LOW) >> PAGE_SHIFT;
}

/* Budgets of processes. */
typedef enum MI_RESOURCE { MiMappings, MiFiles, MiGranules, MiResources } MI_RESOURCE;
typedef struct MI_ACCOUNT MI_ACCOUNT;
void MiInitBudget(void);
MI_ACCOUNT *MiOpenAccount(void);
MI_ACCOUNT *MiShareAccount(MI_ACCOUNT *Account);
void MiCloseAccount(MI_ACCOUNT *Account);
BOOLEAN MiTake(MI_ACCOUNT *Account, MI_RESOURCE Resource, LONG Count);
void MiGive(MI_ACCOUNT *Account, MI_RESOURCE Resource, LONG Count);
BOOLEAN MiTakeEach(MI_ACCOUNT *Account, const LONG Counts[MiResources]);
void MiGiveEach(MI_ACCOUNT *Account, const LONG Counts[MiResources]);
static inline LONG MiGranulesOf(SIZE_T Frames)
{
    return (LONG)((Frames + MI_GRANULE_FRAMES - 1) >> MI_GRANULE_SHIFT);
}

/* Physical addresses that are no RAM (device.c). */
#define MI_HOLE_LOW 0xC0000000ull
#define MI_HOLE_HIGH 0x100000000ull
#define MI_PHYSICAL_LIMIT (1ull << 52)
void MiInitDevices(void);
void MiShutdownDevices(void);
BOOLEAN MiIsDeviceFrame(PFN_NUMBER Number);
BOOLEAN MiDeviceFile(PFN_NUMBER Number, int *File, ULONG64 *Offset);
BOOLEAN MiIsNothingFile(int File);

/* Page tables. */
#define MI_PTES_PER_TABLE 512
#define MI_PTE_PRESENT 0x1ull
#define MI_PTE_WRITE 0x2ull
#define MI_PTE_USER 0x4ull
#define MI_PTE_ACCESSED 0x20ull
#define MI_PTE_DIRTY 0x40ull
#define MI_PTE_LARGE 0x80ull
#define MI_PTE_GLOBAL 0x100ull
#define MI_PTE_NX 0x8000000000000000ull
#define MI_PTE_FRAME 0x000FFFFFFFFFF000ull
#define MI_PTE_TOUCHED (MI_PTE_PRESENT | MI_PTE_ACCESSED | MI_PTE_DIRTY)
#define MI_PTE_SYSTEM (MI_PTE_TOUCHED | MI_PTE_WRITE | MI_PTE_GLOBAL | MI_PTE_NX)

extern PFN_NUMBER MiSystemDirectory;
NTSTATUS MiInitTables(void);
NTSTATUS MiMapLargePages(PFN_NUMBER Directory, ULONG_PTR Address, PFN_NUMBER Frame, SIZE_T Count,
                         ULONG64 Flags);
NTSTATUS MiSetPte(PFN_NUMBER Directory, ULONG_PTR Address,
                  ULONG64 Value); /* 0 removes; never fails then */
void MiClearPtes(PFN_NUMBER Directory, ULONG_PTR Address, SIZE_T Pages);
NTSTATUS MiCreateDirectory(PFN_NUMBER *Directory);
void MiDeleteDirectory(PFN_NUMBER Directory, ULONG_PTR Low, ULONG_PTR High);
/* The entry that maps Address in system space or the current process, as a 4 KiB entry. FALSE:
 * none. */
BOOLEAN MiTranslate(const void *Address, MM_PTE *Pte);
BOOLEAN MiTranslateIn(PFN_NUMBER Directory, ULONG_PTR Address, MM_PTE *Pte);
static inline PFN_NUMBER MiPteFrame(MM_PTE Pte)
{
    return (Pte.Value & MI_PTE_FRAME) >> PAGE_SHIFT;
}

static inline MM_PTE MiReadPte(const MM_PTE *Entry)
{
    return (MM_PTE){__atomic_load_n(&Entry->Value, __ATOMIC_ACQUIRE)};
}

/* A slot lies in one table of 2 MiB entries, which is there as long as the slot: so a walk for one
 * of its pages begins with it. */
const MM_PTE *MiSlotTable(PFN_NUMBER Directory, ULONG_PTR Low);

/* The entry of a page (by its number) of the slot: the 4 KiB one, or that of the 2 MiB around it.
 */
static inline ULONG64 MiSlotEntry(const MM_ADDRESS_SPACE *Space, ULONG_PTR Page)
{
    MM_PTE Pte = MiReadPte(&Space->SlotTable[Page / MI_PTES_PER_TABLE % MI_PTES_PER_TABLE]);
    const MM_PTE *Table;

    if ((Pte.Value & (MI_PTE_PRESENT | MI_PTE_LARGE)) != MI_PTE_PRESENT)
        return Pte.Value;
    Table = MmFrameAddress(MiPteFrame(Pte));
    return MiReadPte(&Table[Page % MI_PTES_PER_TABLE]).Value;
}

/* System PTEs: address ranges above the direct map, and what is mapped there. */
void MiInitSystemPtes(void);
void MiShutdownSystemPtes(void);
void *MiReserveSystemPtes(SIZE_T Pages, ULONG Tag); /* NULL: none left */
void MiReleaseSystemPtes(void *Base);
SIZE_T MiSystemPteRange(const void *Base,
                        ULONG *Tag);           /* pages of the range that begins there, or 0 */
void *MiSystemPteRangeOf(const void *Address); /* the base of the range in which it lies, or NULL */
void *MiSetSystemPteContext(const void *Base, void *Context);
NTSTATUS MiMapFrames(void *Base, const PFN_NUMBER *Frames, SIZE_T Count, int Protection);
SIZE_T MiUnmapFrames(void *Base);
SIZE_T MiMappedFrames(void *Base); /* 0: nothing, or no such range */
NTSTATUS MiProtectMapped(void *Base, int Protection);
SIZE_T MiFileRun(const PFN_NUMBER *Frames, SIZE_T Count, int *File, ULONG64 *Offset);
NTSTATUS MiMapHere(void *Base, const PFN_NUMBER *Frames, SIZE_T Count, int Protection);
/* After frames have moved: every system mapping of them is made again. */
typedef enum MI_MOVE_STEP { MiFreeze, MiThaw, MiRemap } MI_MOVE_STEP;
BOOLEAN MiMoveSystemFrame(PFN_NUMBER Frame, MI_MOVE_STEP Step);
BOOLEAN MiMoveImageFrame(PFN_NUMBER Frame, MI_MOVE_STEP Step);
SIZE_T MiSystemPtesInUse(void);

/* Pool. */
NTSTATUS MiInitPool(void);
void MiShutdownPool(void);
void *MiAllocatePool(SIZE_T Bytes,
                     ULONG Tag); /* nonpaged, for mm itself, not counted as a driver's */
void MiFreePool(void *Block);
void MiPoolStatistics(ULONG64 *PagedBytes, ULONG64 *NonPagedBytes);
BOOLEAN MiIsPagedPool(const void *Address);
BOOLEAN MiFailInjected(ULONG Tag, SIZE_T Bytes);

/* Guarded copies: bytes copied, fewer than asked for if a page could not be reached. Any memory. */
SIZE_T MiCopyGuarded(void *To, const void *From, SIZE_T Bytes);
BOOLEAN MiTouchGuarded(void *Address, BOOLEAN Write); /* TRUE: readable (writable) */
BOOLEAN MiCallGuarded(void (*Operate)(void *), void *Context);
BOOLEAN MiClaimGuarded(const struct host_fault *Fault);

/* Address spaces. */
typedef enum MI_VIEW_KIND { MiViewControl, MiViewPrivate, MiViewMdl, MiViewSection } MI_VIEW_KIND;
typedef struct MI_VIEW {
    LIST_ENTRY Link; /* MM_ADDRESS_SPACE.Views, by address */
    MI_VIEW_KIND Kind;
    ULONG_PTR Base;
    SIZE_T Bytes;
    ULONG Protect; /* of the allocation */
    ULONG Secured; /* MmSecureVirtualMemory */
    UCHAR *Pages;  /* private: protection of each page, 0: reserved */
    PMDL Mdl;      /* MDL */
    PFN_NUMBER *Frames;
    SIZE_T Count;
    BOOLEAN Shared;
    MM_SECTION *Section; /* section */
    ULONG64 Offset;
    LONG Mappings, Files; /* of the process's budget */
    void (*Release)(void *);
    void *Context;
} MI_VIEW;

void MiInitSlots(void);
void MiShutdownSlots(void);
ULONG MiSlotsInUse(void);
void MiLockSpace(MM_ADDRESS_SPACE *Space);
void MiUnlockSpace(MM_ADDRESS_SPACE *Space);
MI_VIEW *MiViewOf(MM_ADDRESS_SPACE *Space, ULONG_PTR Address);
ULONG_PTR MiFindUserRange(MM_ADDRESS_SPACE *Space, SIZE_T Bytes, BOOLEAN TopDown);
BOOLEAN MiUserRangeIsFree(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, SIZE_T Bytes);
void MiInsertView(MM_ADDRESS_SPACE *Space, MI_VIEW *View);
NTSTATUS MiMapUserFrames(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, const PFN_NUMBER *Frames,
                         SIZE_T Count, ULONG Protect);
void MiUnmapUserRange(MM_ADDRESS_SPACE *Space, ULONG_PTR Base, SIZE_T Bytes);
int MiHostProtection(ULONG Protect);
int MiClientProtection(ULONG Protect);
ULONG64 MiPteProtection(ULONG Protect);
NTSTATUS MiRemoveView(MM_ADDRESS_SPACE *Space, MI_VIEW *View); /* any kind; frees it */
struct _KPROCESS *MiCurrentProcess(void);

/* Moving frames. */
NTSTATUS MiInitDescriptors(void);
void MiInitShares(void);
void MiShutdownShares(void);
SIZE_T MiSharedFrames(void);
BOOLEAN MiClaimMove(const struct host_fault *Fault);

/* Locked pages, process-wide. */
extern atomic_ulong MiLockedPages;

#pragma GCC visibility pop
#endif
