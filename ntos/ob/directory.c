/*
 * Directories: names in hashed chains that double when they get long. Hashes ignore case;
 * comparison does as the caller asks. A name in a directory is a reference to the object, and one
 * to the directory.
 */
#include "ob/obp.h"

#define OBP_FIRST_BUCKETS 8

static ULONG ObpHash(PCUNICODE_STRING Name)
{
    ULONG Hash = 2166136261u, Index;

    for (Index = 0; Index < Name->Length / sizeof(WCHAR); Index++)
        Hash = (Hash ^ RtlUpcaseUnicodeChar(Name->Buffer[Index])) * 16777619u;
    return Hash ^ (Hash >> 15);
}

NTSTATUS ObpInitDirectory(OB_DIRECTORY *Directory)
{
    Directory->Buckets =
        ExAllocatePoolWithTag(PagedPool, OBP_FIRST_BUCKETS * sizeof(PVOID), OBP_TABLE_TAG);
    if (Directory->Buckets == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Directory->Buckets, OBP_FIRST_BUCKETS * sizeof(PVOID));
    Directory->BucketCount = OBP_FIRST_BUCKETS;
    Directory->Count = 0;
    return STATUS_SUCCESS;
}

void ObpDeleteDirectory(PVOID Object)
{
    OB_DIRECTORY *Directory = Object;

    NT_ASSERT(Directory->Count == 0);
    if (Directory->Buckets != NULL)
        ExFreePoolWithTag(Directory->Buckets, OBP_TABLE_TAG);
}

OBJECT_HEADER_NT *ObpFind(OB_DIRECTORY *Directory, PCUNICODE_STRING Name, BOOLEAN IgnoreCase)
{
    ULONG Hash = ObpHash(Name);
    OBJECT_HEADER_NT *Header;

    for (Header = Directory->Buckets[Hash & (Directory->BucketCount - 1)]; Header != NULL;
         Header = Header->Next)
        if (Header->NameHash == Hash && RtlEqualUnicodeString(&Header->Name, Name, IgnoreCase))
            return Header;
    return NULL;
}

/* Without memory the chains stay as long as they are. */
static void ObpGrow(OB_DIRECTORY *Directory)
{
    ULONG Count = Directory->BucketCount * 2, Index;
    OBJECT_HEADER_NT **Buckets = ExAllocatePoolWithTag(PagedPool, (SIZE_T)Count * sizeof(PVOID),
                                                       OBP_TABLE_TAG),
                     *Header, *Next;

    if (Buckets == NULL)
        return;
    RtlZeroMemory(Buckets, (SIZE_T)Count * sizeof(PVOID));
    for (Index = 0; Index < Directory->BucketCount; Index++)
        for (Header = Directory->Buckets[Index]; Header != NULL; Header = Next) {
            Next = Header->Next;
            Header->Next = Buckets[Header->NameHash & (Count - 1)];
            Buckets[Header->NameHash & (Count - 1)] = Header;
        }
    ExFreePoolWithTag(Directory->Buckets, OBP_TABLE_TAG);
    Directory->Buckets = Buckets;
    Directory->BucketCount = Count;
}

NTSTATUS ObpLink(OB_DIRECTORY *Directory, OBJECT_HEADER_NT *Header, PCUNICODE_STRING Name)
{
    OBJECT_HEADER_NT **Bucket;
    NTSTATUS Status;

    NT_ASSERT(Header->Directory == NULL && Header->Name.Buffer == NULL);
    Status = ObpCopyString(Name, &Header->Name);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Directory->Count >= Directory->BucketCount)
        ObpGrow(Directory);
    Header->NameHash = ObpHash(Name);
    Bucket = &Directory->Buckets[Header->NameHash & (Directory->BucketCount - 1)];
    Header->Next = *Bucket;
    *Bucket = Header;
    __atomic_store_n(&Header->Directory, Directory, __ATOMIC_RELAXED);
    Directory->Count++;
    ObReferenceObject(OBP_BODY(Header));
    ObReferenceObject(Directory);
    return STATUS_SUCCESS;
}

BOOLEAN ObpUnlink(OBJECT_HEADER_NT *Header)
{
    OB_DIRECTORY *Directory = Header->Directory;
    OBJECT_HEADER_NT **Link;

    if (Directory == NULL)
        return FALSE;
    Link = &Directory->Buckets[Header->NameHash & (Directory->BucketCount - 1)];
    while (*Link != Header)
        Link = &(*Link)->Next;
    *Link = Header->Next;
    Header->Next = NULL;
    __atomic_store_n(&Header->Directory, NULL, __ATOMIC_RELAXED);
    Directory->Count--;
    return TRUE;
}

void ObpUnname(OBJECT_HEADER_NT *Header, BOOLEAN OnlyIfUnused)
{
    OB_DIRECTORY *Directory;
    BOOLEAN Unlinked = FALSE;
    PWCH Name = NULL;

    if (__atomic_load_n(&Header->Directory, __ATOMIC_RELAXED) == NULL)
        return;
    ExLockExclusive_(&ObpState.Names);
    Directory = Header->Directory;
    if (!OnlyIfUnused ||
        (atomic_load(&Header->HandleCount) == 0 &&
         (__atomic_load_n(&Header->Attributes, __ATOMIC_RELAXED) & OBJ_PERMANENT) == 0))
        Unlinked = ObpUnlink(Header);
    if (Unlinked) {
        Name = Header->Name.Buffer;
        Header->Name = (UNICODE_STRING){0};
    }
    ExUnlockExclusive_(&ObpState.Names);
    if (!Unlinked)
        return;
    ExFreePoolWithTag(Name, OBP_NAME_TAG);
    ObDereferenceObject(Directory);
    ObDereferenceObject(OBP_BODY(Header));
}

/* A permanent directory of the executive itself, with one reference for the caller. */
NTSTATUS ObpMakeDirectory(PCWSTR Name, PVOID *Directory)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Path;
    NTSTATUS Status;

    RtlInitUnicodeString(&Path, Name);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    Status = ObCreateObject(KernelMode, ObpDirectoryType, &Attributes, KernelMode, NULL,
                            sizeof(OB_DIRECTORY), 0, 0, Directory);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpInitDirectory(*Directory);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(*Directory);
        return Status;
    }
    return ObInsertObject(*Directory, NULL, 0, 1, NULL, NULL);
}

/* STATUS_OBJECT_NAME_COLLISION, or STATUS_OBJECT_NAME_EXISTS (success) with OBJ_OPENIF. Doc:
 * wdm/nf-wdm-zwcreatedirectoryobject */
NTSTATUS ObCreateDirectory_(PHANDLE Handle, ACCESS_MASK Desired, POBJECT_ATTRIBUTES Attributes,
                            KPROCESSOR_MODE Mode)
{
    PVOID Directory;
    NTSTATUS Status = ObCreateObject(Mode, ObpDirectoryType, Attributes, Mode, NULL,
                                     sizeof(OB_DIRECTORY), 0, 0, &Directory);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpInitDirectory(Directory);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Directory);
        return Status;
    }
    return ObInsertObject(Directory, NULL, Desired, 0, NULL, Handle);
}

/* *Context counts the names already given; the order holds while the directory does not change.
 * Each is called with the namespace locked. */
NTSTATUS ObEnumerateDirectory_(PVOID Object, ULONG *Context,
                               BOOLEAN (*Each)(PVOID Context, PUNICODE_STRING Name,
                                               PUNICODE_STRING Type),
                               PVOID EachContext)
{
    OB_DIRECTORY *Directory = Object;
    ULONG Bucket, Index = 0;
    OBJECT_HEADER_NT *Header;
    BOOLEAN GoOn = TRUE;

    ExLockShared_(&ObpState.Names);
    for (Bucket = 0; GoOn && Bucket < Directory->BucketCount; Bucket++)
        for (Header = Directory->Buckets[Bucket]; GoOn && Header != NULL; Header = Header->Next) {
            if (Index++ < *Context)
                continue;
            GoOn = Each(EachContext, &Header->Name, &Header->Type->Name);
            if (GoOn)
                ++*Context;
        }
    ExUnlockShared_(&ObpState.Names);
    return STATUS_SUCCESS;
}
