/* Copies of a call's buffers in the slot. */
#include "win32/ntdll/stage.h"

#include <string.h>

#define LARGEST ((size_t)0x0c000000) /* more than this never fits a slot */

void stage_begin(struct stage *Stage, struct ntdll_thread *Thread)
{
    Stage->Alone =
        Thread->Depth++ == 0 && !atomic_load_explicit(&Thread->Outstanding, memory_order_acquire);
    if (Stage->Alone)
        Thread->Next = Thread->Kept = Thread->Staging;
    Stage->Thread = Thread;
    Stage->Floor = Thread->Next;
    Stage->Count = Stage->LargeCount = 0;
}

/* Allocating in the slot costs calls of its own, so a thread keeps its largest buffer. */
static char *large_room(struct stage *Stage, size_t Bytes)
{
    struct ntdll_thread *Thread = Stage->Thread;
    struct ntdll_block *Block = &Stage->Large[Stage->LargeCount];

    if (Bytes > LARGEST || Stage->LargeCount == STAGE_LARGE)
        return NULL;
    if (Thread->Large.Bytes >= Bytes) {
        *Block = Thread->Large;
        Thread->Large = (struct ntdll_block){0};
    } else if (!ntdll_slot_allocate(Thread, Bytes, Block)) {
        return NULL;
    }
    Stage->LargeCount++;
    return Block->Base;
}

char *stage_room(struct stage *Stage, size_t Bytes)
{
    struct ntdll_thread *Thread = Stage->Thread;
    char *Room = Thread->Next;

    if (Bytes > (size_t)(Thread->StagingEnd - Room))
        return large_room(Stage, Bytes);
    Thread->Next = (char *)(((uintptr_t)Room + Bytes + 15) & ~(uintptr_t)15);
    if (Thread->Next > Thread->StagingEnd)
        Thread->Next = Thread->StagingEnd;
    return Room;
}

void *stage_buffer(struct stage *Stage, void *User, size_t Bytes, enum stage_use Use)
{
    char *Copy;

    if (!User || !Bytes || ntdll_in_slot(User) || Stage->Count == STAGE_MOST)
        return User;
    Copy = stage_room(Stage, Bytes);
    if (!Copy)
        return User;
    if (!ntdll_copy(Copy, User, Bytes) || (Use != STAGE_IN && !ntdll_touch(User, Bytes)))
        return User;
    Stage->Item[Stage->Count++] = (struct staged){User, Copy, Bytes, Use};
    return Copy;
}

void *stage_empty(struct stage *Stage, void *User, size_t Bytes)
{
    struct channel *Channel = Stage->Thread->Channel;
    char *Copy;

    if (!User || !Bytes || ntdll_in_slot(User))
        return User;
    if (Stage->Alone && Bytes <= sizeof(Channel->answer))
        return Channel->answer;
    Copy = stage_room(Stage, Bytes);
    return Copy ? Copy : User;
}

/* Structures that the kernel returns may hold pointers into themselves (UNICODE_STRING.Buffer,
 * SIDs). */
static void move_pointers(struct staged *Item)
{
    for (size_t At = 0; At + sizeof(char *) <= Item->Bytes; At += sizeof(char *)) {
        char **Word = (char **)(Item->Copy + At);

        if (*Word >= Item->Copy && *Word < Item->Copy + Item->Bytes)
            *Word = Item->User + (*Word - Item->Copy);
    }
}

int stage_back(struct stage *Stage)
{
    int Fine = 1;

    for (unsigned i = 0; i < Stage->Count; i++) {
        struct staged *Item = &Stage->Item[i];

        if (Item->Use == STAGE_MOVE_POINTERS)
            move_pointers(Item);
        if (Item->Use != STAGE_IN)
            Fine &= ntdll_copy(Item->User, Item->Copy, Item->Bytes);
    }
    return Fine;
}

static void give_back(struct ntdll_thread *Thread, struct ntdll_block *Block)
{
    struct ntdll_block Smaller = *Block;

    if (Thread->Large.Bytes < Block->Bytes) {
        Smaller = Thread->Large;
        Thread->Large = *Block;
    }
    if (Smaller.Base)
        ntdll_slot_free(Thread, &Smaller);
}

void stage_end(struct stage *Stage)
{
    struct ntdll_thread *Thread = Stage->Thread;

    /* An APC that ran inside this call may have left copies above it. */
    Thread->Next = Stage->Floor > Thread->Kept ? Stage->Floor : Thread->Kept;
    for (unsigned i = 0; i < Stage->LargeCount; i++)
        give_back(Thread, &Stage->Large[i]);
    Thread->Depth--;
}

void stage_keep(struct stage *Stage, struct ntdll_pending *Pending)
{
    Pending->Thread = Stage->Thread;
    Pending->LargeCount = Stage->LargeCount;
    memcpy(Pending->Large, Stage->Large, sizeof(Stage->Large));
    Stage->Thread->Kept = Stage->Thread->Next;
    atomic_fetch_add(&Stage->Thread->Outstanding, 1);
    Stage->Thread->Depth--;
}
