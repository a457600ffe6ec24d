/*
 * Handles of each process to each object, for types that want to know (those with Open or Close).
 */
#include "ob/obp.h"

BOOLEAN ObpIsCounted(POBJECT_TYPE Type)
{
    return Type->Procedures.Open != NULL || Type->Procedures.Close != NULL;
}

static OBP_COUNT *ObpFindCount(OBP_HANDLE_COUNTS *Counts, PEPROCESS Process, BOOLEAN Free)
{
    ULONG Index;

    for (Index = 0; Counts != NULL && Index < Counts->Size; Index++) {
        OBP_COUNT *Entry = &Counts->Entries[Index];
        if (Free ? Entry->Count == 0 : Entry->Count != 0 && Entry->Process == Process)
            return Entry;
    }
    return NULL;
}

static OBP_COUNT *ObpGrowCounts(OBJECT_HEADER_NT *Header)
{
    ULONG Old = Header->Counts != NULL ? Header->Counts->Size : 0, New = Old == 0 ? 1 : Old * 2;
    SIZE_T Bytes = sizeof(OBP_HANDLE_COUNTS) + New * sizeof(OBP_COUNT);
    OBP_HANDLE_COUNTS *Counts = ExAllocatePoolWithTag(NonPagedPool, Bytes, OBP_TABLE_TAG);

    if (Counts == NULL)
        return NULL;
    RtlZeroMemory(Counts, Bytes);
    Counts->Size = New;
    if (Old != 0) {
        RtlCopyMemory(Counts->Entries, Header->Counts->Entries, Old * sizeof(OBP_COUNT));
        ExFreePoolWithTag(Header->Counts, OBP_TABLE_TAG);
    }
    Header->Counts = Counts;
    return &Counts->Entries[Old];
}

NTSTATUS ObpCountUp(OBJECT_HEADER_NT *Header, PEPROCESS Process, ULONG *Before)
{
    OBP_COUNT *Entry;

    *Before = 0;
    if (ObpIsCounted(Header->Type)) {
        ExLockExclusive_(&ObpState.Counts);
        Entry = ObpFindCount(Header->Counts, Process, FALSE);
        if (Entry == NULL)
            Entry = ObpFindCount(Header->Counts, NULL, TRUE);
        if (Entry == NULL)
            Entry = ObpGrowCounts(Header);
        if (Entry != NULL) {
            Entry->Process = Process;
            *Before = Entry->Count++;
        }
        ExUnlockExclusive_(&ObpState.Counts);
        if (Entry == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    atomic_fetch_add(&Header->HandleCount, 1);
    atomic_fetch_add(&Header->Type->HandleCount, 1);
    return STATUS_SUCCESS;
}

ULONG ObpCountDown(OBJECT_HEADER_NT *Header, PEPROCESS Process)
{
    ULONG Before = 0;
    OBP_COUNT *Entry;

    if (!ObpIsCounted(Header->Type))
        return 0;
    ExLockExclusive_(&ObpState.Counts);
    Entry = ObpFindCount(Header->Counts, Process, FALSE);
    NT_ASSERT(Entry != NULL);
    Before = Entry->Count--;
    ExUnlockExclusive_(&ObpState.Counts);
    return Before;
}
