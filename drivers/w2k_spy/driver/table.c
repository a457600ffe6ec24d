/*
 * The system service table of 32-bit Windows and of UserNT: pointers, and bytes of arguments. The
 * number of a service is what the first instruction of its Zw routine loads (mov eax, number);
 * UserNT tells the names by number instead,
 * and calls entries for those who cannot: its own services follow another convention than a .sys.
 */
#include "table.h"
#ifdef USERNT
#include <usernt_call.h>
#endif

typedef PCSTR(NTAPI SERVICE_NAME)(ULONG Number);
typedef NTSTATUS(NTAPI SERVICE_CALL)(PVOID Entry, ULONG Count, const ULONG_PTR *Arguments);

static SERVICE_CALL *Caller; /* UserNT's */

static PVOID Exported(PCWSTR Text)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Text);
    return MmGetSystemRoutineAddress(&Name);
}

SPY_SERVICE_DESCRIPTOR_TABLE *TableFind(VOID)
{
    return Exported(L"KeServiceDescriptorTable");
}

VOID TableInitialize(VOID)
{
    Caller = (SERVICE_CALL *)Exported(L"KiCallService");
}

BOOLEAN TableIsDirect(PVOID Entry)
{
#ifdef USERNT
    return !Caller || !USERNT_IS_WINDOWS_CODE(Entry);
#else
    UNREFERENCED_PARAMETER(Entry);
    return !Caller;
#endif
}

NTSTATUS TableCall(PVOID Entry, ULONG Count, const ULONG_PTR *Arguments)
{
    return Caller(Entry, Count, Arguments);
}

static BOOLEAN Same(PCSTR A, PCSTR B)
{
    while (*A && *A == *B) {
        A++;
        B++;
    }
    return *A == *B;
}

static LONG ByName(SERVICE_NAME *NameOf, ULONG_PTR Limit, PCSTR Name)
{
    ULONG i;

    for (i = 0; i < Limit; i++)
        if (Same(NameOf(i), Name))
            return (LONG)i;
    return -1;
}

#define MOV_EAX 0xB8

static LONG ByInstruction(PCSTR Name)
{
    WCHAR Text[64] = L"Zw";
    UCHAR Code[5];
    PVOID Routine;
    ULONG i;
    LONG Number;

    for (i = 2; i < RTL_NUMBER_OF(Text) - 1 && Name[i]; i++)
        Text[i] = Name[i];
    Text[i] = 0;
    Routine = Exported(Text);
    if (!Routine || SpyRead(Code, Routine, sizeof(Code)) != sizeof(Code) || Code[0] != MOV_EAX)
        return -1;
    RtlCopyMemory(&Number, Code + 1, sizeof(Number));
    return Number;
}

LONG TableService(PCSTR Name, ULONG Arguments)
{
    SPY_SERVICE_DESCRIPTOR_TABLE *Table = TableFind();
    SERVICE_NAME *NameOf = (SERVICE_NAME *)Exported(L"KiServiceName");
    LONG Number;

    if (!Table)
        return -1;
    Number = NameOf ? ByName(NameOf, Table->ntoskrnl.ServiceLimit, Name) : ByInstruction(Name);
    if (Number < 0 || (ULONG)Number >= Table->ntoskrnl.ServiceLimit ||
        Table->ntoskrnl.ArgumentTable[Number] != Arguments * sizeof(ULONG_PTR))
        return -1;
    return Number;
}

#include "../../common/seh.h"

NTSTATUS TableOpen(TABLE_WINDOW *Window)
{
    SPY_SERVICE_TABLE *Table = &TableFind()->ntoskrnl;
    NTSTATUS Status = STATUS_SUCCESS;

    Window->Mdl = IoAllocateMdl(Table->ServiceTable, (ULONG)(Table->ServiceLimit * sizeof(PVOID)),
                                FALSE, FALSE, NULL);
    if (!Window->Mdl)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(Window->Mdl, KernelMode, IoReadAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (!NT_SUCCESS(Status)) {
        IoFreeMdl(Window->Mdl);
        return Status;
    }
    Window->Entries = MmMapLockedPagesSpecifyCache(Window->Mdl, KernelMode, MmCached, NULL, FALSE,
                                                   NormalPagePriority);
    if (Window->Entries)
        return STATUS_SUCCESS;
    MmUnlockPages(Window->Mdl);
    IoFreeMdl(Window->Mdl);
    return STATUS_INSUFFICIENT_RESOURCES;
}

VOID TableClose(TABLE_WINDOW *Window)
{
    MmUnmapLockedPages(Window->Entries, Window->Mdl);
    MmUnlockPages(Window->Mdl);
    IoFreeMdl(Window->Mdl);
}
