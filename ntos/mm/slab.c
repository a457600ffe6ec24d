/*
 * The central stock of small blocks: pages that are cut into blocks of one size class.
 *
 * Size classes divide a page with little waste, so a block never crosses a page. A page whose
 * blocks have all come back is kept if it is its class's only empty one, and freed otherwise.
 */
#include "pool.h"

static const USHORT MiSizes[MI_CLASSES] = {32,  48,  64,  80,  96,  112,  128,  144,  160, 176,
                                           192, 208, 224, 240, 256, 288,  304,  336,  368, 400,
                                           448, 512, 576, 672, 816, 1024, 1360, 2048, 4096};
MI_CLASS MiClasses[MI_CLASSES];
UCHAR MiStarts[MI_CLASS_SLOTS][PAGE_SIZE / 16];
UCHAR MiClassOfSize[PAGE_SIZE / 16 + 1];
atomic_size_t MiPoolFrames[MI_POOL_KINDS];

static struct {
    struct MI_STOCK {
        MI_LOCK Lock;
        LIST_ENTRY Partial; /* slabs with a free block */
        ULONG Empty;        /* of them, with no other */
    } Stock[MI_POOL_KINDS][MI_CLASSES];
} MiSlabs;

static void MiDescribeClass(ULONG Class)
{
    USHORT Size = MiSizes[Class];
    ULONG Room = Size - sizeof(MI_BLOCK);

    MiClasses[Class] = (MI_CLASS){
        .Size = Size,
        .Fill = (USHORT)(Room == MI_FILL_BYTES + 16 ? MI_FILL_BYTES : min(Room, MI_FILL_MOST)),
        .Capacity = PAGE_SIZE / Size,
        .Limit = Size <= 256    ? 64
                 : Size <= 512  ? 32
                 : Size <= 1024 ? 16
                 : Size <= 2048 ? 8
                                : 4,
        .Reciprocal = ((1u << 24) + Size - 1) / Size,
    };
    for (ULONG i = 0; i < PAGE_SIZE / Size; i++)
        MiStarts[Class][(i * Size + sizeof(MI_BLOCK)) / 16] = TRUE;
}

void MiInitSlabs(void)
{
    ULONG Class = 0;

    for (ULONG i = 0; i < MI_CLASSES; i++)
        MiDescribeClass(i);
    for (ULONG Units = 0; Units <= PAGE_SIZE / 16; Units++) {
        if (Units * 16 > MiSizes[Class])
            Class++;
        MiClassOfSize[Units] = (UCHAR)Class;
    }
    for (ULONG Kind = 0; Kind < MI_POOL_KINDS; Kind++) {
        MiPoolFrames[Kind] = 0;
        for (ULONG i = 0; i < MI_CLASSES; i++) {
            InitializeListHead(&MiSlabs.Stock[Kind][i].Partial);
            MiSlabs.Stock[Kind][i].Empty = 0;
        }
    }
}

/* A block as it lies in the stock: header of a free block, memory filled and out of bounds. */
MI_RAW static void MiCutBlock(MI_FRAME *Frame, MI_BLOCK *Block, ULONG Class)
{
    Block->Word = MiBlockWord(0, 0, Class, MI_BLOCK_FREE);
    Block->Next = Frame->FreeList;
    Frame->FreeList = Block;
    MiFill(Block + 1, MI_FILL_FREE, MiClasses[Class].Fill);
}

static MI_FRAME *MiCreateSlab(ULONG Kind, ULONG Class)
{
    PFN_NUMBER Number;
    MI_FRAME *Frame;
    char *Page;

    if (!NT_SUCCESS(MiAllocateRun(1, MiFrameUsed, &Number)))
        return NULL;
    Frame = &MiRam.Frames[Number];
    Page = MmFrameAddress(Number);
    Frame->Class = (UCHAR)Class;
    MiSetFrameFlags(Frame, Kind == MiPaged ? MI_FRAME_PAGED : 0);
    Frame->FreeList = NULL;
    Frame->FreeBlocks = MiClasses[Class].Capacity;
    for (ULONG i = Frame->FreeBlocks; i-- > 0;)
        MiCutBlock(Frame, (MI_BLOCK *)(Page + i * MiClasses[Class].Size), Class);
    host_poison(Page, PAGE_SIZE);
    MiSetFrameState(Frame, MiFrameSlab);
    MiPoolFrames[Kind]++;
    return Frame;
}

/* A slab with a free block; stock's lock held. */
static MI_FRAME *MiSlabWithRoom(struct MI_STOCK *Stock, ULONG Kind, ULONG Class)
{
    MI_FRAME *Frame;

    if (!IsListEmpty(&Stock->Partial))
        return CONTAINING_RECORD(Stock->Partial.Flink, MI_FRAME, Link);
    Frame = MiCreateSlab(Kind, Class);
    if (Frame) {
        InsertHeadList(&Stock->Partial, &Frame->Link);
        Stock->Empty++;
    }
    return Frame;
}

/* Takes one from the stock, whose lock is held; NULL: no memory. */
MI_RAW static MI_BLOCK *MiTakeFromStock(struct MI_STOCK *Stock, ULONG Kind, ULONG Class)
{
    MI_FRAME *Frame = MiSlabWithRoom(Stock, Kind, Class);
    MI_BLOCK *Block;

    if (!Frame)
        return NULL;
    if (Frame->FreeBlocks == MiClasses[Class].Capacity)
        Stock->Empty--;
    Block = Frame->FreeList;
    MiCheckFreed(Block, Class);
    Frame->FreeList = Block->Next;
    if (!--Frame->FreeBlocks)
        RemoveEntryList(&Frame->Link);
    Block->Owner = 0;
    return Block;
}

/* They are used before those that rest. FALSE: no memory. */
MI_RAW BOOLEAN MiRefill(MI_POOL_CACHE *Cache, ULONG Kind, ULONG Class)
{
    struct MI_STOCK *Stock = &MiSlabs.Stock[Kind][Class];
    MI_MAGAZINE *Magazine = &Cache->Magazines[Kind][Class];
    ULONG Wanted = Magazine->Resting + max(MiClasses[Class].Limit / 2u, 1u);

    MiAcquire(&Stock->Lock);
    while (MiBlocksIn(Magazine) < Wanted) {
        MI_BLOCK *Block = MiTakeFromStock(Stock, Kind, Class);

        if (!Block)
            break;
        Magazine->Ring[--Magazine->Oldest % MI_RING] = Block;
    }
    MiRelease(&Stock->Lock);
    return MiBlocksIn(Magazine) != 0;
}

static void MiDeleteSlab(MI_FRAME *Frame, ULONG Kind)
{
    RemoveEntryList(&Frame->Link);
    MiPoolFrames[Kind]--;
    MiSetFrameState(Frame, MiFrameUsed);
    MmFreeFrames((PFN_NUMBER)(Frame - MiRam.Frames), 1);
}

MI_RAW static void MiReturnBlock(struct MI_STOCK *Stock, MI_BLOCK *Block, ULONG Kind, ULONG Class)
{
    MI_FRAME *Frame = &MiRam.Frames[MiRamFrameNumber(Block)];

    Block->Next = Frame->FreeList;
    Frame->FreeList = Block;
    if (!Frame->FreeBlocks++)
        InsertHeadList(&Stock->Partial, &Frame->Link);
    if (Frame->FreeBlocks < MiClasses[Class].Capacity)
        return;
    if (Stock->Empty)
        MiDeleteSlab(Frame, Kind);
    else
        Stock->Empty++;
}

/* The oldest go. */
MI_RAW void MiFlush(MI_POOL_CACHE *Cache, ULONG Kind, ULONG Class, ULONG Keep)
{
    struct MI_STOCK *Stock = &MiSlabs.Stock[Kind][Class];
    MI_MAGAZINE *Magazine = &Cache->Magazines[Kind][Class];

    if (MiBlocksIn(Magazine) <= Keep)
        return;
    for (ULONG i = Magazine->Oldest; Magazine->Next - i > Keep; i++)
        MiCheckFreed(Magazine->Ring[i % MI_RING], Class);
    MiAcquire(&Stock->Lock);
    while (MiBlocksIn(Magazine) > Keep)
        MiReturnBlock(Stock, Magazine->Ring[Magazine->Oldest++ % MI_RING], Kind, Class);
    MiRelease(&Stock->Lock);
}

/* Looks at every block of the stock: what a driver that goes has written to freed memory. */
MI_RAW static void MiCheckStock(ULONG Kind, ULONG Class)
{
    struct MI_STOCK *Stock = &MiSlabs.Stock[Kind][Class];

    MiAcquire(&Stock->Lock);
    for (LIST_ENTRY *Entry = Stock->Partial.Flink; Entry != &Stock->Partial; Entry = Entry->Flink) {
        MI_BLOCK *Block = CONTAINING_RECORD(Entry, MI_FRAME, Link)->FreeList;

        for (; Block; Block = Block->Next)
            MiCheckFreed(Block, Class);
    }
    MiRelease(&Stock->Lock);
}

MI_RAW void MmCheckFreedPool(void)
{
    MI_POOL_CACHE *Cache = KiSelf ? KiSelf->PoolCache : NULL;

    for (ULONG Kind = 0; Kind < MI_POOL_KINDS; Kind++) {
        for (ULONG Class = 0; Class < MI_CLASSES; Class++) {
            MI_MAGAZINE *Magazine = Cache ? &Cache->Magazines[Kind][Class] : NULL;

            for (ULONG i = Magazine ? Magazine->Oldest : 0; Magazine && i != Magazine->Next; i++)
                MiCheckFreed(Magazine->Ring[i % MI_RING], Class);
            MiCheckStock(Kind, Class);
        }
    }
}

/* Gives back the empty slabs that were kept. */
void MiTrimSlabs(void)
{
    for (ULONG Kind = 0; Kind < MI_POOL_KINDS; Kind++) {
        for (ULONG Class = 0; Class < MI_CLASSES; Class++) {
            struct MI_STOCK *Stock = &MiSlabs.Stock[Kind][Class];
            LIST_ENTRY *Entry = Stock->Partial.Flink;

            MiAcquire(&Stock->Lock);
            while (Entry != &Stock->Partial) {
                MI_FRAME *Frame = CONTAINING_RECORD(Entry, MI_FRAME, Link);

                Entry = Entry->Flink;
                if (Frame->FreeBlocks == MiClasses[Class].Capacity) {
                    MiDeleteSlab(Frame, Kind);
                    Stock->Empty--;
                }
            }
            MiRelease(&Stock->Lock);
        }
    }
}

MI_WHILE_OTHERS_WRITE void MiEachSlabBlock(MI_FRAME *Frame, PFN_NUMBER Number,
                                           void (*Each)(void *, MI_BLOCK *), void *Context)
{
    char *Page = MmFrameAddress(Number);

    for (ULONG i = 0; i < MiClasses[Frame->Class].Capacity; i++)
        Each(Context, (MI_BLOCK *)(Page + i * MiClasses[Frame->Class].Size));
}
