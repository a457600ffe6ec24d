/*
 * Finding processes and threads by their ids: a hash table for each. PspState.Lock is held.
 */
#include "ps/psp.h"

static PLIST_ENTRY PspBucket(LIST_ENTRY *Table, HANDLE Id)
{
    return &Table[(HandleToULong(Id) * 0x9E3779B1u) >> (32 - PSP_ID_BITS)];
}

void PspInitIds(void)
{
    for (ULONG i = 0; i < PSP_ID_BUCKETS; i++) {
        InitializeListHead(&PspState.ProcessIds[i]);
        InitializeListHead(&PspState.ThreadIds[i]);
    }
}

void PspEnterProcessId(PEPROCESS Process)
{
    InsertTailList(PspBucket(PspState.ProcessIds, Process->UniqueProcessId), &Process->IdLinks);
}

void PspEnterThreadId(PETHREAD Thread)
{
    InsertTailList(PspBucket(PspState.ThreadIds, Thread->UniqueThreadId), &Thread->IdLinks);
}

PEPROCESS PspFindProcess(HANDLE Id)
{
    PLIST_ENTRY Bucket = PspBucket(PspState.ProcessIds, Id);

    for (PLIST_ENTRY Entry = Bucket->Flink; Entry != Bucket; Entry = Entry->Flink) {
        PEPROCESS Process = CONTAINING_RECORD(Entry, EPROCESS_NT, IdLinks);

        if (Process->UniqueProcessId == Id)
            return Process;
    }
    return NULL;
}

/* One that has not ended: Linux uses ids again. */
PETHREAD PspFindThread(HANDLE Id)
{
    PLIST_ENTRY Bucket = PspBucket(PspState.ThreadIds, Id);

    for (PLIST_ENTRY Entry = Bucket->Flink; Entry != Bucket; Entry = Entry->Flink) {
        PETHREAD Thread = CONTAINING_RECORD(Entry, ETHREAD_NT, IdLinks);

        if (Thread->UniqueThreadId == Id && Thread->ExitStatus == STATUS_PENDING)
            return Thread;
    }
    return NULL;
}
