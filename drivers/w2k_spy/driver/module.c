/* Functions 19 to 22: loaded modules, and what their images export. */
#include "spy.h"
#include "image.h"
#include "module.h"

#define MODULE_CLASS 11
#define LIST_MOST 0x1000000
#define FORWARDERS_MOST 8

typedef struct _MODULE_ROW { /* RTL_PROCESS_MODULE_INFORMATION */
    HANDLE Section;
    PVOID MappedBase, ImageBase;
    ULONG ImageSize, Flags;
    USHORT LoadOrderIndex, InitOrderIndex, LoadCount, OffsetToFileName;
    CHAR FullPathName[SPY_PATH_SIZE];
} MODULE_ROW;

typedef struct _MODULE_LIST {
    ULONG Count;
    MODULE_ROW Rows[1];
} MODULE_LIST;

NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG Class, PVOID Buffer, ULONG Length,
                                                 PULONG Returned);

/* The list may grow between two questions. */
static NTSTATUS Query(MODULE_LIST **List)
{
    NTSTATUS Status = STATUS_NO_MEMORY;
    ULONG Size;

    for (Size = PAGE_SIZE; Size <= LIST_MOST; Size *= 2) {
        ULONG Returned = 0, Fit;

        *List = ExAllocatePoolWithTag(PagedPool, Size, SPY_TAG);
        if (!*List)
            return STATUS_NO_MEMORY;
        Status = ZwQuerySystemInformation(MODULE_CLASS, *List, Size, &Returned);
        Fit = (Size - FIELD_OFFSET(MODULE_LIST, Rows)) / sizeof(MODULE_ROW);
        if (NT_SUCCESS(Status) && (*List)->Count <= Fit)
            return STATUS_SUCCESS;
        ExFreePoolWithTag(*List, SPY_TAG);
        if (Status != STATUS_INFO_LENGTH_MISMATCH)
            return NT_SUCCESS(Status) ? STATUS_DATA_ERROR : Status;
    }
    return Status;
}

static CHAR Lower(CHAR Letter)
{
    return Letter >= 'A' && Letter <= 'Z' ? (CHAR)(Letter + ('a' - 'A')) : Letter;
}

/* Length letters of Wanted, in any case, against the base name; Stem: up to its extension. */
static BOOLEAN Matches(MODULE_ROW *Row, PCSTR Wanted, ULONG Length, BOOLEAN Stem)
{
    ULONG i, At;

    Row->FullPathName[SPY_PATH_SIZE - 1] = 0;
    At = Row->OffsetToFileName < SPY_PATH_SIZE ? Row->OffsetToFileName : 0;
    for (i = 0; i < Length; i++)
        if (!Row->FullPathName[At + i] || Lower(Row->FullPathName[At + i]) != Lower(Wanted[i]))
            return FALSE;
    return !Row->FullPathName[At + Length] || (Stem && Row->FullPathName[At + Length] == '.');
}

static VOID Fill(const MODULE_ROW *Row, SPY_MODULE_INFO *Info)
{
    RtlZeroMemory(Info, sizeof(*Info));
    Info->pBase = Row->ImageBase;
    Info->dSize = Row->ImageSize;
    Info->dFlags = Row->Flags;
    Info->dIndex = Row->LoadOrderIndex;
    Info->dLoadCount = Row->LoadCount;
    Info->dNameOffset = Row->OffsetToFileName < SPY_PATH_SIZE ? Row->OffsetToFileName : 0;
    RtlCopyMemory(Info->abPath, Row->FullPathName, sizeof(Info->abPath));
    Info->abPath[SPY_PATH_SIZE - 1] = 0;
}

static NTSTATUS ModuleFind(PCSTR Name, ULONG Length, BOOLEAN Stem, SPY_MODULE_INFO *Info)
{
    MODULE_LIST *List;
    NTSTATUS Status = Query(&List);
    ULONG i;

    if (!NT_SUCCESS(Status))
        return Status;
    Status = STATUS_NO_SUCH_FILE;
    for (i = 0; i < List->Count && !NT_SUCCESS(Status); i++)
        if (Matches(&List->Rows[i], Name, Length, Stem)) {
            Fill(&List->Rows[i], Info);
            Status = STATUS_SUCCESS;
        }
    ExFreePoolWithTag(List, SPY_TAG);
    return Status;
}

/* Is it the base of a module, though of another format? */
static BOOLEAN IsModule(PVOID Base)
{
    BOOLEAN Found = FALSE;
    MODULE_LIST *List;
    ULONG i;

    if (!NT_SUCCESS(Query(&List)))
        return FALSE;
    for (i = 0; i < List->Count && !Found; i++)
        Found = List->Rows[i].ImageBase == Base;
    ExFreePoolWithTag(List, SPY_TAG);
    return Found;
}

static NTSTATUS Open(IMAGE *Image, PVOID Base)
{
    NTSTATUS Status = ImageOpen(Image, Base, SpyRead);

    return Status == STATUS_INVALID_IMAGE_FORMAT && !IsModule(Base) ? STATUS_INVALID_PARAMETER
                                                                    : Status;
}

static ULONG TextLength(PCSTR Text)
{
    ULONG Length = 0;

    while (Text[Length])
        Length++;
    return Length;
}

/* "module!symbol"; without a module ntoskrnl.exe's. Stem: the module's name has no extension. */
static NTSTATUS Find(PCSTR Text, BOOLEAN Stem, PVOID *Address, CHAR *Forwarder, ULONG Length)
{
    static const CHAR Kernel[] = "ntoskrnl.exe";
    PCSTR Module = Kernel, Symbol = Text;
    ULONG ModuleLength = sizeof(Kernel) - 1, i;
    SPY_MODULE_INFO Info;
    IMAGE Image;
    NTSTATUS Status;

    for (i = 0; Text[i]; i++)
        if (Text[i] == '!') {
            Module = Text;
            ModuleLength = i;
            Symbol = Text + i + 1;
            break;
        }
    if (ModuleLength >= SPY_PATH_SIZE)
        return STATUS_NO_SUCH_FILE;
    Status = ModuleFind(Module, ModuleLength, Stem, &Info);
    if (NT_SUCCESS(Status))
        Status = Open(&Image, Info.pBase);
    return NT_SUCCESS(Status) ? ImageSymbol(&Image, Symbol, Address, Forwarder, Length) : Status;
}

/* "hal.Name" as "hal!Name", in place of Text. FALSE: it has no point. */
static BOOLEAN FollowForwarder(const CHAR *Forwarder, CHAR *Text)
{
    ULONG Point = 0, i;

    for (i = 0; Forwarder[i]; i++) {
        Text[i] = Forwarder[i];
        if (Forwarder[i] == '.')
            Point = i;
    }
    Text[i] = 0;
    Text[Point] = '!';
    return Point && Text[Point + 1];
}

NTSTATUS ModuleSymbol(CHAR Text[SPY_NAME], PVOID *Address)
{
    CHAR Forwarder[SPY_PATH_SIZE];
    NTSTATUS Status;
    ULONG i;

    for (i = 0; i < FORWARDERS_MOST; i++) {
        Status = Find(Text, i > 0, Address, Forwarder, sizeof(Forwarder));
        if (!NT_SUCCESS(Status) || !Forwarder[0])
            return Status;
        if (!FollowForwarder(Forwarder, Text))
            return STATUS_DATA_ERROR;
    }
    return STATUS_DATA_ERROR;
}

/* A caller's text in pool: it is too long for a stack. */
NTSTATUS ModuleSymbolAt(PCSTR Where, PVOID *Address)
{
    CHAR *Text = ExAllocatePoolWithTag(PagedPool, SPY_NAME, SPY_TAG);
    NTSTATUS Status;

    if (!Text)
        return STATUS_NO_MEMORY;
    Status = SpyReadText(Where, Text, SPY_NAME);
    if (NT_SUCCESS(Status))
        Status = ModuleSymbol(Text, Address);
    ExFreePoolWithTag(Text, SPY_TAG);
    return Status;
}

NTSTATUS SpyModuleInfo(SPY_REQUEST *Request)
{
    CHAR Name[SPY_PATH_SIZE];
    NTSTATUS Status = SpyReadText(Request->In.Address, Name, sizeof(Name));

    if (Status == STATUS_NAME_TOO_LONG)
        return STATUS_NO_SUCH_FILE;
    return NT_SUCCESS(Status) ? ModuleFind(Name, TextLength(Name), FALSE, Request->Buffer) : Status;
}

NTSTATUS SpyPeHeader(SPY_REQUEST *Request)
{
    IMAGE Image;
    NTSTATUS Status = Open(&Image, Request->In.Address);

    if (NT_SUCCESS(Status))
        RtlCopyMemory(Request->Buffer, &Image.Headers, sizeof(Image.Headers));
    return Status;
}

NTSTATUS SpyPeExport(SPY_REQUEST *Request)
{
    IMAGE Image;
    NTSTATUS Status = Open(&Image, Request->In.Address);
    ULONG Rva, Size;

    if (NT_SUCCESS(Status))
        Status = ImageExports(&Image, &Rva, &Size);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Request->OutLength < Size)
        return STATUS_BUFFER_TOO_SMALL;
    if (SpyRead(Request->Buffer, (PVOID)(Image.Base + Rva), Size) != Size)
        return STATUS_DATA_ERROR;
    ImageRelocateExports(&Image, Rva, Request->Buffer, Size);
    Request->Information = Size;
    return STATUS_SUCCESS;
}

NTSTATUS SpyPeSymbol(SPY_REQUEST *Request)
{
    PVOID Address;
    NTSTATUS Status = ModuleSymbolAt(Request->In.Address, &Address);

    if (NT_SUCCESS(Status))
        *(PVOID *)Request->Buffer = Address;
    return Status;
}
