/*
 * Heaps. The process heap is libc's. A heap of HeapCreate is a list of libc's blocks, which go with
 * it.
 */
#include "win32/kernel32/base.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define PROCESS_HEAP ((HANDLE)(ULONG_PTR)1)
#define HEAP_MAGIC 0x70616548u

struct heap {
    ULONG Magic;
    DWORD Flags;
    SIZE_T Limit, Used; /* Limit 0: it may grow */
    host_lock Lock;
    LIST_ENTRY Blocks;
};

struct block { /* before the caller's memory, which is aligned to 16 bytes */
    LIST_ENTRY Link;
    struct heap *Heap;
    SIZE_T Bytes;
};

static void link_block(struct heap *Heap, struct block *Block)
{
    Block->Link.Flink = Heap->Blocks.Flink;
    Block->Link.Blink = &Heap->Blocks;
    Heap->Blocks.Flink->Blink = &Block->Link;
    Heap->Blocks.Flink = &Block->Link;
    Heap->Used += Block->Bytes;
}

static void unlink_block(struct heap *Heap, struct block *Block)
{
    Block->Link.Flink->Blink = Block->Link.Blink;
    Block->Link.Blink->Flink = Block->Link.Flink;
    Heap->Used -= Block->Bytes;
}

/* NULL and last error: no heap. */
static struct heap *heap_of(HANDLE Handle)
{
    struct heap *Heap = Handle;

    if (Heap && Heap->Magic == HEAP_MAGIC)
        return Heap;
    SetLastError(ERROR_INVALID_HANDLE);
    return NULL;
}

HANDLE WINAPI GetProcessHeap(void)
{
    return PROCESS_HEAP;
}

/* Maximum 0: it grows as needed. Handles are the process's own. */
HANDLE WINAPI HeapCreate(DWORD Options, SIZE_T Initial, SIZE_T Maximum)
{
    struct heap *Heap;

    if (Maximum && Initial > Maximum) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    if (!(Heap = calloc(1, sizeof(*Heap)))) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    Heap->Magic = HEAP_MAGIC;
    Heap->Flags = Options;
    Heap->Limit = Maximum;
    Heap->Blocks.Flink = Heap->Blocks.Blink = &Heap->Blocks;
    return Heap;
}

/* Its blocks go with it. Not for the process heap. */
BOOL WINAPI HeapDestroy(HANDLE Handle)
{
    struct heap *Heap = Handle == PROCESS_HEAP ? heap_of(NULL) : heap_of(Handle);

    if (!Heap)
        return FALSE;
    while (Heap->Blocks.Flink != &Heap->Blocks) {
        struct block *Block = (struct block *)Heap->Blocks.Flink;

        unlink_block(Heap, Block);
        free(Block);
    }
    Heap->Magic = 0;
    free(Heap);
    return TRUE;
}

static LPVOID allocate(struct heap *Heap, DWORD Flags, SIZE_T Bytes)
{
    struct block *Block;
    BOOL Fits;

    if (Bytes > (SIZE_T)-1 - sizeof(*Block) || !(Block = malloc(sizeof(*Block) + Bytes)))
        return NULL;
    Block->Heap = Heap;
    Block->Bytes = Bytes;
    host_lock_acquire(&Heap->Lock);
    Fits = !Heap->Limit || Bytes <= Heap->Limit - Heap->Used;
    if (Fits)
        link_block(Heap, Block);
    host_lock_release(&Heap->Lock);
    if (!Fits) {
        free(Block);
        return NULL;
    }
    if (Flags & HEAP_ZERO_MEMORY)
        memset(Block + 1, 0, Bytes);
    return Block + 1;
}

LPVOID WINAPI HeapAlloc(HANDLE Handle, DWORD Flags, SIZE_T Bytes)
{
    struct heap *Heap;

    if (Handle != PROCESS_HEAP && Handle)
        return (Heap = heap_of(Handle)) ? allocate(Heap, Flags | Heap->Flags, Bytes) : NULL;
    return Flags & HEAP_ZERO_MEMORY ? calloc(1, Bytes ? Bytes : 1) : malloc(Bytes ? Bytes : 1);
}

/* The block of a heap that a caller's memory is; NULL and last error: it is none. */
static struct block *block_of(HANDLE Handle, LPCVOID Memory)
{
    struct heap *Heap = heap_of(Handle);
    struct block *Block = (struct block *)Memory - 1;

    if (!Heap)
        return NULL;
    if (Memory && Block->Heap == Heap)
        return Block;
    SetLastError(ERROR_INVALID_PARAMETER);
    return NULL;
}

BOOL WINAPI HeapFree(HANDLE Handle, DWORD Flags, LPVOID Memory)
{
    struct block *Block;

    (void)Flags;
    if (!Memory)
        return TRUE;
    if (Handle == PROCESS_HEAP || !Handle) {
        free(Memory);
        return TRUE;
    }
    if (!(Block = block_of(Handle, Memory)))
        return FALSE;
    host_lock_acquire(&Block->Heap->Lock);
    unlink_block(Block->Heap, Block);
    host_lock_release(&Block->Heap->Lock);
    Block->Heap = NULL;
    free(Block);
    return TRUE;
}

SIZE_T WINAPI HeapSize(HANDLE Handle, DWORD Flags, LPCVOID Memory)
{
    struct block *Block;

    (void)Flags;
    if (Handle == PROCESS_HEAP)
        return Memory ? malloc_usable_size((void *)Memory) : (SIZE_T)-1;
    return (Block = block_of(Handle, Memory)) ? Block->Bytes : (SIZE_T)-1;
}

LPVOID WINAPI HeapReAlloc(HANDLE Handle, DWORD Flags, LPVOID Memory, SIZE_T Bytes)
{
    SIZE_T Had = Memory ? HeapSize(Handle ? Handle : PROCESS_HEAP, 0, Memory) : 0;
    char *New;

    if (Had == (SIZE_T)-1)
        return NULL;
    if (Handle == PROCESS_HEAP || !Handle) {
        New = realloc(Memory, Bytes ? Bytes : 1);
        if (New && (Flags & HEAP_ZERO_MEMORY) && Bytes > Had)
            memset(New + Had, 0, Bytes - Had);
        return New;
    }
    if ((Flags & HEAP_REALLOC_IN_PLACE_ONLY) && Bytes > Had)
        return NULL;
    if (!(New = HeapAlloc(Handle, Flags, Bytes)))
        return NULL;
    memcpy(New, Memory, Had < Bytes ? Had : Bytes);
    HeapFree(Handle, 0, Memory);
    return New;
}

/* Whether the memory is a block of the heap; NULL: whether the heap is sound. */
BOOL WINAPI HeapValidate(HANDLE Handle, DWORD Flags, LPCVOID Memory)
{
    struct heap *Heap;
    BOOL Found = FALSE;

    (void)Flags;
    if (Handle == PROCESS_HEAP)
        return TRUE;
    if (!(Heap = heap_of(Handle)))
        return FALSE;
    host_lock_acquire(&Heap->Lock);
    for (LIST_ENTRY *Link = Heap->Blocks.Flink; Link != &Heap->Blocks && !Found; Link = Link->Flink)
        Found = (struct block *)Link + 1 == Memory;
    host_lock_release(&Heap->Lock);
    return Found || !Memory;
}
