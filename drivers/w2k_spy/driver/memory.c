/* Functions 4 and 6 to 10: memory, page tables, handles. */
#include "spy.h"
#include "paging.h"
#include "processor.h"

typedef NTSTATUS(NTAPI SPY_COPY_MEMORY)(PVOID, MM_COPY_ADDRESS, SIZE_T, ULONG, PSIZE_T);
static SPY_COPY_MEMORY *CopyMemory; /* Windows 8.1 and later */

NTSTATUS SpyMemoryInitialize(VOID)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, L"MmCopyMemory");
    CopyMemory = (SPY_COPY_MEMORY *)MmGetSystemRoutineAddress(&Name);
    return CopyMemory ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

SIZE_T SpyRead(PVOID To, const VOID *From, SIZE_T Bytes)
{
    MM_COPY_ADDRESS Source;
    SIZE_T Copied = 0;

    Source.VirtualAddress = (PVOID)From;
    CopyMemory(To, Source, Bytes, MM_COPY_MEMORY_VIRTUAL, &Copied);
    return Copied;
}

NTSTATUS SpyReadText(PCSTR From, CHAR *To, ULONG Size)
{
    ULONG At;

    if (!From)
        return STATUS_INVALID_PARAMETER;
    for (At = 0; At < Size; At++) {
        if (SpyRead(&To[At], From + At, 1) != 1)
            return STATUS_INVALID_PARAMETER;
        if (!To[At])
            return STATUS_SUCCESS;
    }
    return STATUS_NAME_TOO_LONG;
}

BOOLEAN SpyReadPhysical(PVOID To, ULONGLONG Physical, ULONG Bytes)
{
    MM_COPY_ADDRESS Source;
    SIZE_T Copied = 0;

    Source.PhysicalAddress.QuadPart = (LONGLONG)Physical;
    CopyMemory(To, Source, Bytes, MM_COPY_MEMORY_PHYSICAL, &Copied);
    return Copied == Bytes;
}

static BOOLEAN ReadEntry(PVOID Context, ULONGLONG Physical, PVOID Entry, ULONG Bytes)
{
    UNREFERENCED_PARAMETER(Context);
    return SpyReadPhysical(Entry, Physical, Bytes);
}

VOID SpyPaging(PAGING *Paging)
{
    Paging->Kind = PagingKind((ULONG_PTR)__readcr4());
    Paging->Cr3 = __readcr3();
    Paging->Read = ReadEntry;
    Paging->Context = NULL;
}

static VOID Walk(PVOID Address, PAGE_WALK *Found)
{
    PAGING Paging;

    SpyPaging(&Paging);
    PagingWalk(&Paging, (ULONG_PTR)Address, Found);
}

NTSTATUS SpyPhysical(SPY_REQUEST *Request)
{
    PAGE_WALK Found;

    Walk(Request->In.Address, &Found);
    *(ULONGLONG *)Request->Buffer = Found.Present ? Found.Physical : 0;
    return STATUS_SUCCESS;
}

/* The directory is copied as a whole or not at all. */
NTSTATUS SpyPdeArray(SPY_REQUEST *Request)
{
    PAGING Paging;

    SpyPaging(&Paging);
    if (Paging.Kind == PAGING_PAE)
        return STATUS_NOT_SUPPORTED;
    if (!SpyReadPhysical(Request->Buffer, Paging.Cr3 & 0x000FFFFFFFFFF000ULL,
                         sizeof(SPY_PDE_ARRAY)))
        return STATUS_NOT_SUPPORTED;
    return STATUS_SUCCESS;
}

NTSTATUS SpyPageEntry(SPY_REQUEST *Request)
{
    SPY_PAGE_ENTRY *Out = Request->Buffer;
    PAGE_WALK Found;

    Walk(Request->In.Address, &Found);
    RtlZeroMemory(Out, sizeof(*Out));
    Out->pe = (SPY_PE)Found.Entry;
    Out->dSize = (ULONG_PTR)Found.Size;
    Out->fPresent = Found.Present;
#ifdef _WIN64
    Out->dLevel = Found.Level;
#endif
    return STATUS_SUCCESS;
}

/* The bytes from Address to the end of its page, Most of them at most. */
static ULONG Piece(ULONG_PTR Address, ULONG Most)
{
    ULONG Left = PAGE_SIZE - BYTE_OFFSET(Address);

    return Left < Most ? Left : Most;
}

static VOID Expand(USHORT *To, const UCHAR *From, ULONG Valid, ULONG Bytes)
{
    ULONG i;

    for (i = 0; i < Valid; i++)
        To[i] = From[i] | SPY_BYTE_VALID;
    for (; i < Bytes; i++)
        To[i] = 0;
}

NTSTATUS SpyMemoryData(SPY_REQUEST *Request)
{
    SPY_MEMORY_BLOCK Block = Request->In.Block;
    SPY_MEMORY_DATA *Out = Request->Buffer;
    ULONG Done = 0, Bytes;
    UCHAR Bounce[256];

    if (Request->OutLength < SPY_MEMORY_DATA_HEAD ||
        (Request->OutLength - SPY_MEMORY_DATA_HEAD) / sizeof(USHORT) < Block.dBytes)
        return STATUS_BUFFER_TOO_SMALL;
    RtlZeroMemory(&Out->smb, sizeof(Out->smb));
    Out->smb.pAddress = Block.pAddress;
    Out->smb.dBytes = Block.dBytes;
    for (; Done < Block.dBytes; Done += Bytes) {
        ULONG_PTR At = (ULONG_PTR)Block.pAddress + Done;

        Bytes = Piece(At, Block.dBytes - Done);
        Bytes = Bytes < sizeof(Bounce) ? Bytes : sizeof(Bounce);
        Expand(Out->awData + Done, Bounce, (ULONG)SpyRead(Bounce, (PVOID)At, Bytes), Bytes);
    }
    Request->Information = SPY_MEMORY_DATA_HEAD + Block.dBytes * sizeof(USHORT);
    return STATUS_SUCCESS;
}

/* All bytes, or none. */
NTSTATUS SpyMemoryBlock(SPY_REQUEST *Request)
{
    SPY_MEMORY_BLOCK Block = Request->In.Block;

    if (Request->OutLength < Block.dBytes)
        return STATUS_BUFFER_TOO_SMALL;
    if (Block.dBytes && SpyRead(Request->Buffer, Block.pAddress, Block.dBytes) != Block.dBytes)
        return STATUS_INVALID_PARAMETER;
    Request->Information = Block.dBytes;
    return STATUS_SUCCESS;
}

/* The object may be gone when the caller looks: its body is an address, not a reference. A handle
 * of the kernel's is looked up as the kernel does, any other as the calling process does. */
NTSTATUS SpyHandleInfo(SPY_REQUEST *Request)
{
    KPROCESSOR_MODE Mode = (LONG_PTR)Request->In.Handle < 0 ? KernelMode : UserMode;
    SPY_HANDLE_INFO *Out = Request->Buffer;
    OBJECT_HANDLE_INFORMATION Information;
    PVOID Body;
    NTSTATUS Status;

    if (!Request->In.Handle)
        return STATUS_INVALID_PARAMETER;
    Status = ObReferenceObjectByHandle(Request->In.Handle, 0, NULL, Mode, &Body, &Information);
    if (!NT_SUCCESS(Status))
        return Status;
    Out->pObjectBody = Body;
    Out->dHandleAttributes = Information.HandleAttributes;
#ifdef _WIN64
    Out->dGrantedAccess = Information.GrantedAccess;
#endif
    ObDereferenceObject(Body);
    return STATUS_SUCCESS;
}
