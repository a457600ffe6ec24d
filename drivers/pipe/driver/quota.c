/*
 * What a process may hold of this device: so many names, so many bytes. A name and the pipe behind
 * it count for the process that opened it first, a ring for the one that made it, a handle for the
 * one that opened it, a request that waits for the one whose handle it came through; each until it
 * is gone.
 */
#include "pipe.h"

VOID QuotaInitialize(DEVICE *Device)
{
    ULONG i;

    for (i = 0; i < QUOTA_BUCKETS; i++)
        InitializeListHead(&Device->Quotas[i]);
}

static QUOTA *Find(PLIST_ENTRY Head, PEPROCESS Process)
{
    PLIST_ENTRY Link;

    for (Link = Head->Flink; Link != Head; Link = Link->Flink) {
        QUOTA *Quota = CONTAINING_RECORD(Link, QUOTA, Link);

        if (Quota->Process == Process)
            return Quota;
    }
    return NULL;
}

QUOTA *QuotaReference(DEVICE *Device)
{
    PEPROCESS Process = PsGetCurrentProcess();
    ULONG_PTR Id = (ULONG_PTR)PsGetCurrentProcessId();
    PLIST_ENTRY Head = &Device->Quotas[(Id >> 2) % QUOTA_BUCKETS];
    QUOTA *Quota = Find(Head, Process);

    if (!Quota) {
        Quota = DriverAllocate(sizeof(*Quota), PIPE_TAG);
        if (!Quota)
            return NULL;
        ObReferenceObject(Process);
        Quota->Process = Process;
        Quota->BytesMost = Device->BytesMost;
        InsertHeadList(Head, &Quota->Link);
    }
    Quota->References++;
    return Quota;
}

VOID QuotaDereference(QUOTA *Quota)
{
    if (--Quota->References)
        return;
    NT_ASSERT(Quota->Names == 0 && Quota->Bytes == 0);
    RemoveEntryList(&Quota->Link);
    ObDereferenceObject(Quota->Process);
    ExFreePoolWithTag(Quota, PIPE_TAG);
}

/* Never more than there may be, not even for a moment: others would be refused for it. */
NTSTATUS QuotaCharge(QUOTA *Quota, SIZE_T Bytes)
{
    ULONG Old;

    if (Bytes > Quota->BytesMost)
        return STATUS_QUOTA_EXCEEDED;
    do {
        Old = (ULONG)InterlockedCompareExchange(&Quota->Bytes, 0, 0);
        if (Old > Quota->BytesMost - (ULONG)Bytes)
            return STATUS_QUOTA_EXCEEDED;
    } while (InterlockedCompareExchange(&Quota->Bytes, (LONG)(Old + (ULONG)Bytes), (LONG)Old) !=
             (LONG)Old);
    return STATUS_SUCCESS;
}

VOID QuotaReturn(QUOTA *Quota, SIZE_T Bytes)
{
    InterlockedExchangeAdd(&Quota->Bytes, -(LONG)Bytes);
}
