/*
 * mm: physical frames, page tables, pools, MDLs, user slots, sections.
 *
 * Lock order: address space mutex > frame lock > pool locks. Pool may be used at DISPATCH_LEVEL,
 * the rest at <= APC_LEVEL unless the routine says otherwise.
 */
#ifndef MM_H
#define MM_H

#include "ke/ke.h"

#define MM_SLOT_LOW ((ULONG_PTR)0x7b0000000000)
#define MM_SLOT_BYTES ((ULONG_PTR)0x10000000) /* 256 MiB */
#define MM_SLOT_COUNT 4096
#define MM_SYSTEM_LOW ((ULONG_PTR)0x7c0000000000) /* direct map */
#define MM_SYSTEM_PTE_LOW ((ULONG_PTR)0x7c8000000000)
#define MM_SYSTEM_HIGH ((ULONG_PTR)0x7d0000000000)

NTSTATUS
MmInitSystem(ULONG64 PhysicalBytes); /* also registers rtl's allocator and vf's fault claim */
void MmShutdownSystem(void);         /* asserts that every frame came back; reports leaked tags */

static inline BOOLEAN MmIsSystemAddress(const void *Address)
{
    return (ULONG_PTR)Address >= MM_SYSTEM_LOW && (ULONG_PTR)Address < MM_SYSTEM_HIGH;
}

/* ldr tells which of Linux's addresses belong to an image; NULL: none. */
void MmSetImageQuery(BOOLEAN (*IsImage)(const void *Address));

/* Frames. PFN_NUMBER is an index over all banks. */
NTSTATUS MmAllocateFrames(SIZE_T Count,
                          PPFN_NUMBER First); /* a run of consecutive frames; contents undefined */
void MmFreeFrames(PFN_NUMBER First, SIZE_T Count);
static inline void *MmFrameAddress(PFN_NUMBER Frame) /* direct map */
{
    return (void *)(MM_SYSTEM_LOW + ((ULONG_PTR)Frame << PAGE_SHIFT));
}
typedef struct MM_BANK {
    PFN_NUMBER First;
    SIZE_T Count;
    int File;
} MM_BANK;
BOOLEAN MmFrameFile(PFN_NUMBER Frame, int *File, ULONG64 *Offset);
/* Memory of a simulated device: in [3, 4) GiB, unless that is RAM, or from 512 GiB on. */
NTSTATUS MmAddDeviceMemory(ULONG64 Physical, ULONG64 Bytes);
BOOLEAN MmPhysicalToVirtual(PHYSICAL_ADDRESS Physical, void **Virtual); /* FALSE: no such memory */

/* The client's hand: what only the client's own process can do. All may fail with
 * STATUS_PROCESS_IS_TERMINATING. NULL in an embedded process: mm does it directly. Called at
 * PASSIVE_LEVEL, may block until the client answers or dies. */
typedef struct MM_HAND {
    NTSTATUS(*Map)
    (void *Context, int File, ULONG64 Offset, PVOID Base, SIZE_T Bytes, int Protection);
    NTSTATUS (*Unmap)(void *Context, PVOID Base, SIZE_T Bytes); /* back to reserved */
    NTSTATUS (*Protect)(void *Context, PVOID Base, SIZE_T Bytes, int Protection);
    NTSTATUS(*CopyIn)
    (void *Context, PVOID To, const void *From, SIZE_T Bytes); /* client's memory to the kernel's */
    NTSTATUS(*CopyOut)
    (void *Context, PVOID To, const void *From, SIZE_T Bytes); /* the kernel's to the client's */
} MM_HAND;

/* A process's user memory: its slot. */
typedef struct MM_ADDRESS_SPACE {
    ULONG Slot;
    ULONG_PTR Low, High;            /* the slot's range */
    int File;                       /* the slot's sealed memory file */
    PFN_NUMBER FirstFrame;          /* its bank */
    PFN_NUMBER DirectoryFrame;      /* CR3 >> 12 */
    const struct MM_PTE *SlotTable; /* the directory's table of 2 MiB entries for the slot */
    BOOLEAN Embedded;
    const MM_HAND *Hand;
    void *HandContext;
    KEVENT Lock; /* mm's; signalled: free */
    struct MI_BANK *Bank;
    struct MI_ACCOUNT *Account; /* its share of what the kernel process has */
    LIST_ENTRY Views;           /* mapped sections, MDL mappings, allocations: mm's */
    ULONG_PTR Hint;
    LONG LockedPages;
} MM_ADDRESS_SPACE;

/* The first MM_SLOT_CONTROL bytes of a slot belong to server and libntdll (channels, staging):
 * committed at creation. */
#define MM_SLOT_CONTROL ((ULONG_PTR)0x2000000) /* 32 MiB, sparse */
NTSTATUS MmCreateAddressSpace(MM_ADDRESS_SPACE *Space, BOOLEAN Embedded);
void MmSetHand(MM_ADDRESS_SPACE *Space, const MM_HAND *Hand, void *Context);
void MmCleanAddressSpace(MM_ADDRESS_SPACE *Space);  /* at process end, in its context: unmaps every
                                                       view; 0x76 if pages are still locked */
void MmDeleteAddressSpace(MM_ADDRESS_SPACE *Space); /* gives the slot back */
static inline MM_ADDRESS_SPACE *MmCurrentAddressSpace(void) /* NULL: none */
{
    struct _KPROCESS *Process = KiSelf ? KiSelf->ApcState.Process : NULL;

    return Process ? Process->AddressSpace : NULL;
}
BOOLEAN MmTakeThread_(MM_ADDRESS_SPACE *Space); /* what a kernel half costs; FALSE: no more */
void MmReturnThread_(MM_ADDRESS_SPACE *Space);

/* User memory of the current process. None of these raise. */
BOOLEAN MmIsUserRange(
    const void *Address,
    SIZE_T Bytes); /* may lie there: in the slot and committed, or (embedded) ordinary memory */
BOOLEAN MmIsUserRangeWritable(const void *Address,
                              SIZE_T Bytes); /* the same, and no page of the slot is read-only */
NTSTATUS MmCopyFromUser(PVOID To, const void *From,
                        SIZE_T Bytes); /* slot, ordinary memory, or the hand */
NTSTATUS MmCopyToUser(PVOID To, const void *From, SIZE_T Bytes);

/* Virtual memory of a process (NtAllocateVirtualMemory …): inside its slot. */
NTSTATUS MmAllocateUser(MM_ADDRESS_SPACE *Space, PVOID *Base, SIZE_T *Bytes, ULONG Type,
                        ULONG Protect);
NTSTATUS MmFreeUser(MM_ADDRESS_SPACE *Space, PVOID *Base, SIZE_T *Bytes, ULONG Type);
NTSTATUS MmProtectUser(MM_ADDRESS_SPACE *Space, PVOID *Base, SIZE_T *Bytes, ULONG Protect,
                       PULONG Old);
typedef struct MM_BASIC_INFORMATION { /* MEMORY_BASIC_INFORMATION, which the DDK's headers lack */
    PVOID BaseAddress, AllocationBase;
    ULONG AllocationProtect;
    SIZE_T RegionSize;
    ULONG State, Protect, Type;
} MM_BASIC_INFORMATION;
_Static_assert(sizeof(MM_BASIC_INFORMATION) == 48, "as a client declares it");
NTSTATUS MmQueryUser(MM_ADDRESS_SPACE *Space, PVOID Base, PVOID Information, SIZE_T Length,
                     PSIZE_T Returned);

/* Pools. ExAllocatePool…, ExFreePool… and the quota and priority forms are here (NT exports them as
 * Ex). */
typedef struct MM_POOL_TAG {
    ULONG Tag;
    ULONG64 PagedAllocs, PagedFrees, PagedBytes, NonPagedAllocs, NonPagedFrees, NonPagedBytes;
} MM_POOL_TAG;
ULONG MmQueryPoolTags(MM_POOL_TAG *Tags,
                      ULONG Count);                /* how many there are; writes at most Count */
SIZE_T MmPoolBlockSize(PVOID Block);               /* 0: not a block. Any IRQL */
void MmThreadPoolRelease(struct _KTHREAD *Thread); /* flushes its magazines at thread exit */
/* A block remembers the address that asked for it. A routine that allocates for its caller, who
 * has to free the block, hands it over. */
void MmSetPoolOwner(PVOID Block, const void *Caller);
#define MM_GIVE_TO_CALLER(Block) MmSetPoolOwner((Block), __builtin_return_address(0))
/* A pool block that is freed may hold nothing that the executive still uses. Whoever makes such a
 * thing known to the executive notes it, after that; Check looks into a range and, if Stop, ends in
 * the bug check. Any IRQL <= DISPATCH_LEVEL. */
void MmNoteObject(const void *Object);
void MmSetFreeCheck(BOOLEAN (*Check)(const void *Base, SIZE_T Bytes, BOOLEAN Stop));
typedef struct MM_POOL_BLOCK {
    PVOID Address;
    const void *Caller;
    SIZE_T Bytes;
    ULONG Tag;
    BOOLEAN Paged;
} MM_POOL_BLOCK;
/* What code of that range asked for and is not freed: the count; reports each. */
void MmCheckFreedPool(void); /* or bug check 0xC6: the stock's free blocks and the thread's own */
ULONG MmFindPoolOf(const void *Base, SIZE_T Bytes,
                   void (*Report)(void *Context, const MM_POOL_BLOCK *Block), void *Context);
void MmSetPoolFault(BOOLEAN (*Fail)(
    ULONG Tag, SIZE_T Bytes)); /* fault injection: asked before each allocation; NULL: off */

/* Frames made reachable for a client and back (see architecture: moving). Counted. */
NTSTATUS MmShareFrames(PPFN_NUMBER Frames, SIZE_T Count, BOOLEAN ReadOnly, int *File,
                       ULONG64 *Offset);
void MmUnshareFrames(PPFN_NUMBER Frames, SIZE_T Count);

/* Memory of Windows images. Protection: HOST_READ … */
NTSTATUS MmAllocateImage(SIZE_T Bytes, PVOID *Base);
NTSTATUS MmProtectImage(PVOID Base, SIZE_T Offset, SIZE_T Bytes, int Protection);
void MmFreeImage(PVOID Base);

/* Page tables. */
typedef struct MM_PTE {
    ULONG64 Value;
} MM_PTE; /* hardware format: P RW US PWT PCD A D PS G, software 9-11, frame 12-51, NX */
BOOLEAN MmWalk(PFN_NUMBER Directory, ULONG_PTR Address, MM_PTE Levels[4],
               ULONG *PageShift); /* FALSE: not present; Levels as far as walked */

/* Sections: body of a SECTION object; ob and nt wrap it. */
typedef struct MM_SECTION {
    ULONG64 Bytes;
    ULONG Protect, Attributes;
    int File;
    PFN_NUMBER FirstFrame;
    LONG Views;
    struct MI_ACCOUNT *Account; /* of the process that made it; NULL: the kernel's own */
} MM_SECTION;
NTSTATUS MmCreateSection_(MM_SECTION *Section, ULONG64 Bytes, ULONG Protect,
                          ULONG Attributes); /* pagefile-backed */
void MmDeleteSection_(MM_SECTION *Section);
NTSTATUS MmMapView_(MM_SECTION *Section, MM_ADDRESS_SPACE *Space, PVOID *Base, ULONG64 Offset,
                    SIZE_T *Bytes, ULONG Protect, void (*Release)(void *),
                    void *Context); /* Release runs when the view goes */
NTSTATUS MmUnmapView_(MM_ADDRESS_SPACE *Space, PVOID Base);
NTSTATUS MmMapSystemView_(MM_SECTION *Section, PVOID *Base, SIZE_T *Bytes);
NTSTATUS MmUnmapSystemView_(PVOID Base,
                            MM_SECTION **Section); /* whose reference the caller drops */

typedef struct MM_STATISTICS {
    ULONG64 TotalFrames, FreeFrames, PagedPoolBytes, NonPagedPoolBytes, SystemPtes, LockedPages,
        SharedFrames, Slots;
} MM_STATISTICS;
void MmQueryStatistics(MM_STATISTICS *Statistics);

#endif
