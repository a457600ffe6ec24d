/*
 * store: what a pipe keeps, bytes or messages, in a ring. A message is its length
 * (EXAMPLE_MESSAGE_COST bytes) and its bytes.
 *
 * Knows nothing of IRPs and locks. Buffers may be user memory, under the caller's __try: a fault
 * changes nothing, except that StoreOverwrite may have dropped old data.
 */
#ifndef STORE_H
#define STORE_H

#include "ring.h"

typedef struct _STORE {
    RING Ring;
    BOOLEAN Messages;
    ULONGLONG Dropped; /* bytes that nobody will read, in all */
} STORE;

/* STATUS_SUCCESS: all of it is in. STATUS_PENDING: the rest has no room (a message goes in whole or
 * not at all). STATUS_INVALID_BUFFER_SIZE: a message that is larger than the store. Done: the bytes
 * taken now. */
NTSTATUS StoreWrite(STORE *Store, const UCHAR *Data, ULONG Length, ULONG *Done);
/* As StoreWrite after as much of the oldest as necessary was dropped; of more than the store holds,
 * the last bytes stay. */
NTSTATUS StoreOverwrite(STORE *Store, const UCHAR *Data, ULONG Length, ULONG *Done);
/* STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW: a part of a message, the rest stays; STATUS_PENDING:
 * there is nothing. */
NTSTATUS StoreRead(STORE *Store, UCHAR *Buffer, ULONG Length, ULONG *Done);
VOID StoreDiscard(STORE *Store); /* all of it */
BOOLEAN StoreEmpty(const STORE *Store);

#endif
