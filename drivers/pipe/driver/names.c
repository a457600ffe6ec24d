/*
 * The table of names: linear hashing. There are NAMES_ROOM buckets for each name, since a pipe of
 * another name in the same bucket costs a look at memory that is far away. When there are too few,
 * one bucket is split in two; when there are twice as many, the last one is merged back; at most
 * NAMES_STEPS at a time. Buckets lie in segments that never move.
 */
#include "pipe.h"

#define NAMES_ROOM 2
#define NAMES_STEPS 4

/* Names that fall into one bucket cannot be chosen without knowing the seed. */
static ULONGLONG MakeSeed(const NAMES *Names)
{
    LARGE_INTEGER Counter = KeQueryPerformanceCounter(NULL);

    return (ULONGLONG)Counter.QuadPart * 0x9E3779B97F4A7C15 ^
           (ULONGLONG)(ULONG_PTR)KeGetCurrentThread() << 20 ^ (ULONG_PTR)Names;
}

VOID NamesInitialize(NAMES *Names)
{
    RtlZeroMemory(Names, sizeof(*Names));
    ExInitializeFastMutex(&Names->Lock);
    Names->Seed = MakeSeed(Names);
    Names->Buckets = Names->Level = NAMES_FIRST;
}

VOID NamesLock(NAMES *Names)
{
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&Names->Lock);
}

VOID NamesUnlock(NAMES *Names)
{
    ExReleaseFastMutexUnsafe(&Names->Lock);
    KeLeaveCriticalRegion();
}

VOID NamesEnd(NAMES *Names)
{
    ULONG i;

    NT_ASSERT(Names->Count == 0);
    for (i = 0; i < NAMES_SEGMENTS; i++)
        if (Names->Segments[i])
            ExFreePoolWithTag(Names->Segments[i], TABLE_TAG);
}

static ULONG HashOf(ULONGLONG Hash, const WCHAR *Text, ULONG Length)
{
    ULONG i;

    for (i = 0; i < Length; i++) {
        Hash = (Hash ^ Text[i]) * 0x9E3779B97F4A7C15;
        Hash ^= Hash >> 32;
    }
    return (ULONG)Hash;
}

NTSTATUS NamesPrepare(const NAMES *Names, PCUNICODE_STRING Given, NAME *Name)
{
    UNICODE_STRING Upper;
    NTSTATUS Status;

    if (Given->Length > sizeof(Name->Text))
        return STATUS_NAME_TOO_LONG;
    Upper.Buffer = Name->Text;
    Upper.Length = 0;
    Upper.MaximumLength = sizeof(Name->Text);
    Status = RtlUpcaseUnicodeString(&Upper, Given, FALSE);
    if (!NT_SUCCESS(Status))
        return Status;
    Name->Length = Upper.Length / sizeof(WCHAR);
    Name->Hash = HashOf(Names->Seed, Name->Text, Name->Length);
    return STATUS_SUCCESS;
}

/* Which segment holds a bucket beyond the first ones: the power of two below its index. */
static ULONG SegmentOf(ULONG Index)
{
    ULONG Segment = 0;

    while (Index >= (ULONG)NAMES_FIRST << (Segment + 1))
        Segment++;
    return Segment;
}

static PIPE **BucketAt(NAMES *Names, ULONG Index)
{
    ULONG Segment;

    if (Index < NAMES_FIRST)
        return &Names->First[Index];
    Segment = SegmentOf(Index);
    return &Names->Segments[Segment][Index - ((ULONG)NAMES_FIRST << Segment)];
}

static PIPE **BucketOf(NAMES *Names, ULONG Hash)
{
    ULONG Index = Hash & (2 * Names->Level - 1);

    return BucketAt(Names, Index < Names->Buckets ? Index : Index - Names->Level);
}

PIPE *NamesFind(NAMES *Names, const NAME *Name)
{
    PIPE *Pipe;

    for (Pipe = *BucketOf(Names, Name->Hash); Pipe; Pipe = Pipe->Next)
        if (Pipe->Hash == Name->Hash && Pipe->NameLength == Name->Length &&
            RtlEqualMemory(Pipe->Name, Name->Text, Name->Length * sizeof(WCHAR)))
            return Pipe;
    return NULL;
}

/* Without memory the table stays as it is: buckets get longer, nothing fails. */
static BOOLEAN HaveSegment(NAMES *Names, ULONG Index)
{
    ULONG Segment = SegmentOf(Index);

    if (Segment >= NAMES_SEGMENTS)
        return FALSE;
    if (!Names->Segments[Segment])
        Names->Segments[Segment] =
            DriverAllocate(((SIZE_T)NAMES_FIRST << Segment) * sizeof(PIPE *), TABLE_TAG);
    return Names->Segments[Segment] != NULL;
}

static VOID Split(NAMES *Names)
{
    ULONG New = Names->Buckets;
    PIPE **From, **To, *Pipe;

    if (!HaveSegment(Names, New))
        return;
    From = BucketAt(Names, New - Names->Level);
    To = BucketAt(Names, New);
    while ((Pipe = *From) != NULL) {
        if ((Pipe->Hash & (2 * Names->Level - 1)) != New) {
            From = &Pipe->Next;
            continue;
        }
        *From = Pipe->Next;
        Pipe->Next = *To;
        *To = Pipe;
    }
    if (++Names->Buckets == 2 * Names->Level)
        Names->Level *= 2;
}

static VOID FreeSegment(NAMES *Names, ULONG FirstIndex)
{
    PIPE ***Segment = &Names->Segments[SegmentOf(FirstIndex)];

    ExFreePoolWithTag(*Segment, TABLE_TAG);
    *Segment = NULL;
}

static VOID Merge(NAMES *Names)
{
    ULONG Last = Names->Buckets - 1;
    PIPE **End;

    if (Last < NAMES_FIRST)
        return;
    if (Names->Buckets == Names->Level)
        Names->Level /= 2;
    for (End = BucketAt(Names, Last - Names->Level); *End; End = &(*End)->Next)
        ;
    *End = *BucketAt(Names, Last);
    *BucketAt(Names, Last) = NULL;
    Names->Buckets = Last;
    if (Last == Names->Level)
        FreeSegment(Names, Last);
}

VOID NamesInsert(NAMES *Names, PIPE *Pipe)
{
    PIPE **Bucket = BucketOf(Names, Pipe->Hash);
    ULONG i;

    Pipe->Next = *Bucket;
    *Bucket = Pipe;
    Names->Count++;
    for (i = 0; i < NAMES_STEPS && Names->Buckets < NAMES_ROOM * Names->Count; i++)
        Split(Names);
}

VOID NamesRemove(NAMES *Names, PIPE *Pipe)
{
    PIPE **Link = BucketOf(Names, Pipe->Hash);
    ULONG i;

    while (*Link != Pipe)
        Link = &(*Link)->Next;
    *Link = Pipe->Next;
    Names->Count--;
    for (i = 0; i < NAMES_STEPS && Names->Buckets / 2 > NAMES_ROOM * Names->Count; i++)
        Merge(Names);
}
