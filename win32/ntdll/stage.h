/*
 * stage: copies of a call's buffers in the slot, where the kernel can reach them.
 *
 * A buffer that is not there (in the program) is left where it is: the kernel then refuses it, as
 * it must.
 */
#ifndef STAGE_H
#define STAGE_H

#include "win32/ntdll/ntdll.h"

#define STAGE_MOST 24
enum stage_use { STAGE_IN = 0, STAGE_BACK = 1, STAGE_MOVE_POINTERS = 3 };

struct staged {
    char *User, *Copy;
    size_t Bytes;
    enum stage_use Use;
};

struct stage {
    struct ntdll_thread *Thread;
    int Alone;   /* no other call of the thread is in progress, and no request pends */
    char *Floor; /* where the thread's staging was when the call began */
    unsigned Count;
    struct staged Item[STAGE_MOST];
    struct ntdll_block Large[STAGE_LARGE];
    unsigned LargeCount;
};

void stage_begin(struct stage *Stage, struct ntdll_thread *Thread);
/* Room in the slot, not filled; NULL: none. */
char *stage_room(struct stage *Stage, size_t Bytes);
/* The address the kernel is to be given for a buffer of the program. */
void *stage_buffer(struct stage *Stage, void *User, size_t Bytes, enum stage_use Use);
/* The same without what is in it, for the one buffer of a request that is only written. The caller
 * copies it back. */
void *stage_empty(struct stage *Stage, void *User, size_t Bytes);
/* Copies back what is to be copied back; FALSE if the program's memory has gone meanwhile. */
int stage_back(struct stage *Stage);
void stage_end(struct stage *Stage);
/* Instead of stage_end: the kernel still uses the copies, which stay until *Pending is settled. */
void stage_keep(struct stage *Stage, struct ntdll_pending *Pending);

#endif
