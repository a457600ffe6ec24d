/*
 * ex: resources, fast and guarded mutexes, push locks, rundown protection, look-aside lists, work
 * items, handle tables, time zones. (Callback objects are objects: ExCreateCallback and its family
 * are in ob.)
 */
#ifndef EX_H
#define EX_H

#include "mm/mm.h"

NTSTATUS ExInitSystem(
    void); /* starts the worker threads' queues; threads come with ps (ExpSetThreadFactory) */
void ExShutdownSystem(void); /* runs queued work items to the end first */

/* Worker threads need thread objects, which ps makes. Called by ps at init and before its shutdown.
 */
NTSTATUS ExStartWorkers(NTSTATUS (*StartThread)(void (*Routine)(void *), void *Context,
                                                struct _KTHREAD **Thread));
void ExStopWorkers(void (*JoinThread)(struct _KTHREAD *Thread));

/* Handle tables: handle values are multiples of 4, starting at 4. Two levels, grown on demand; a
 * lookup takes only its entry's lock bit. */
typedef struct EX_HANDLE_ENTRY {
    atomic_uintptr_t Object; /* pointer, bit 0: locked; 0: free */
    ULONG GrantedAccess;
    ULONG Attributes; /* OBJ_INHERIT, OBJ_PROTECT_CLOSE, and ob's */
} EX_HANDLE_ENTRY;
typedef struct EX_HANDLE_TABLE EX_HANDLE_TABLE;
EX_HANDLE_TABLE *ExCreateHandleTable_(struct _KPROCESS *Process);
/* A table for a child: the entries for which Copy (called with the parent's entry locked) says
 * TRUE, at the same handles. */
EX_HANDLE_TABLE *ExDuplicateHandleTable_(EX_HANDLE_TABLE *Parent, struct _KPROCESS *Process,
                                         BOOLEAN (*Copy)(PVOID Context, PVOID Object,
                                                         EX_HANDLE_ENTRY *Entry),
                                         PVOID Context);
void ExDestroyHandleTable_(EX_HANDLE_TABLE *Table); /* must be empty of entries */
HANDLE ExCreateHandle_(EX_HANDLE_TABLE *Table, PVOID Object, ULONG GrantedAccess,
                       ULONG Attributes); /* NULL: no memory */
EX_HANDLE_ENTRY *
ExLockHandle_(EX_HANDLE_TABLE *Table,
              HANDLE Handle); /* NULL: no such handle. <= APC_LEVEL; hold for a few instructions */
void ExUnlockHandle_(EX_HANDLE_ENTRY *Entry);
PVOID ExRemoveHandle_(EX_HANDLE_TABLE *Table, EX_HANDLE_ENTRY *LockedEntry,
                      HANDLE Handle); /* unlocks and frees; the object */
ULONG ExHandleCount_(EX_HANDLE_TABLE *Table);
/* Calls Each with every live entry locked; stops when it returns FALSE. */
void ExEnumerateHandles_(EX_HANDLE_TABLE *Table,
                         BOOLEAN (*Each)(PVOID Context, HANDLE Handle, EX_HANDLE_ENTRY *Entry),
                         PVOID Context);

/* Every table that exists, in order of creation; stops when Each returns FALSE. Each may not create
 * or destroy a table. */
void ExEnumerateHandleTables_(BOOLEAN (*Each)(PVOID Context, struct _KPROCESS *Process,
                                              EX_HANDLE_TABLE *Table),
                              PVOID Context);
struct _KPROCESS *ExHandleTableProcess_(EX_HANDLE_TABLE *Table);

/* Push locks (nt_wdm.h): one word, zero is free. Fair: who asks while another waits, waits too. Not
 * recursive. <= APC_LEVEL, normal kernel APCs disabled. These enter a critical region around it:
 * what the executive's own rooms use. */
static inline void ExLockExclusive_(PEX_PUSH_LOCK Lock)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(Lock);
}
static inline void ExUnlockExclusive_(PEX_PUSH_LOCK Lock)
{
    ExReleasePushLockExclusive(Lock);
    KeLeaveCriticalRegion();
}
static inline void ExLockShared_(PEX_PUSH_LOCK Lock)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(Lock);
}
static inline void ExUnlockShared_(PEX_PUSH_LOCK Lock)
{
    ExReleasePushLockShared(Lock);
    KeLeaveCriticalRegion();
}

/* For the check of freed memory: a live resource (Kind 0xD2) or look-aside list (0xCC) inside, as
 * 0xC4 names them. */
BOOLEAN ExFindObjectInRange(const void *Base, SIZE_T Bytes, ULONG *Kind, PVOID *Object);
/* A queued work item that lies there or whose routine does; NULL: none. */
PVOID ExFindWorkInRange(const void *Base, SIZE_T Bytes);

#endif
