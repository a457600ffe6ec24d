/*
 * The start and the end of ob: the first directories and links; the search for what is left over.
 */
#include "ob/obp.h"

#include <stdio.h>

OBP_STATE ObpState;

static NTSTATUS ObpMakeRoot(void)
{
    OBJECT_HEADER_NT *Header;
    NTSTATUS Status = ObpAllocateObject(ObpDirectoryType, sizeof(OB_DIRECTORY), &Header);

    if (!NT_SUCCESS(Status))
        return Status;
    Header->Attributes = OBJ_PERMANENT;
    Header->KernelObject = TRUE;
    ObpState.Root = OBP_BODY(Header);
    return ObpInitDirectory(ObpState.Root);
}

/* \GLOBAL??\GLOBALROOT is the root itself: the rest of the path, from the root. */
static NTSTATUS ObpMakeGlobalRoot(void)
{
    OBP_SYMBOLIC_LINK *Link;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, L"\\GLOBAL??\\GLOBALROOT");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    Status = ObCreateObject(KernelMode, ObpSymbolicLinkType, &Attributes, KernelMode, NULL,
                            sizeof(*Link), 0, 0, (PVOID *)&Link);
    return NT_SUCCESS(Status) ? ObInsertObject(Link, NULL, 0, 0, NULL, NULL) : Status;
}

static NTSTATUS ObpMakeConditions(void)
{
    static const struct {
        PCWSTR Name;
        BOOLEAN Signalled;
    } Conditions[] = {{L"\\KernelObjects\\LowMemoryCondition", FALSE},
                      {L"\\KernelObjects\\HighMemoryCondition", TRUE},
                      {L"\\KernelObjects\\LowPagedPoolCondition", FALSE},
                      {L"\\KernelObjects\\HighPagedPoolCondition", TRUE},
                      {L"\\KernelObjects\\LowNonPagedPoolCondition", FALSE},
                      {L"\\KernelObjects\\HighNonPagedPoolCondition", TRUE}};
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    NTSTATUS Status = STATUS_SUCCESS;
    PKEVENT Event;
    ULONG Index;

    for (Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(Conditions); Index++) {
        RtlInitUnicodeString(&Name, Conditions[Index].Name);
        InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE, NULL,
                                   NULL);
        Status = ObCreateObject(KernelMode, ObpEventType, &Attributes, KernelMode, NULL,
                                sizeof(KEVENT), 0, 0, (PVOID *)&Event);
        if (!NT_SUCCESS(Status))
            break;
        KeInitializeEvent(Event, NotificationEvent, Conditions[Index].Signalled);
        Status = ObInsertObject(Event, NULL, 0, 0, NULL, NULL);
    }
    return Status;
}

static NTSTATUS ObpMakeNamespace(void)
{
    static const PCWSTR Directories[] = {
        L"\\ObjectTypes",      L"\\Device",   L"\\GLOBAL??",      L"\\Driver",  L"\\FileSystem",
        L"\\BaseNamedObjects", L"\\Callback", L"\\KernelObjects", L"\\Security"};
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Directory;
    ULONG Index;

    for (Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(Directories); Index++) {
        Status = ObpMakeDirectory(Directories[Index], &Directory);
        if (!NT_SUCCESS(Status))
            return Status;
        if (Index == 0)
            ObpState.TypeDirectory = Directory; /* which has a permanent name */
        ObDereferenceObject(Directory);
    }
    ObpNameTypes();
    if (NT_SUCCESS(Status))
        Status = ObpMakeLink(L"\\??", L"\\GLOBAL??");
    if (NT_SUCCESS(Status))
        Status = ObpMakeLink(L"\\DosDevices", L"\\??");
    if (NT_SUCCESS(Status))
        Status = ObpMakeLink(L"\\GLOBAL??\\Global", L"\\GLOBAL??");
    if (NT_SUCCESS(Status))
        Status = ObpMakeGlobalRoot();
    return Status;
}

NTSTATUS ObInitSystem(void)
{
    NTSTATUS Status;

    RtlZeroMemory(&ObpState, sizeof(ObpState));
    InitializeListHead(&ObpState.CallbackList);
    ObpState.KernelTable = ExCreateHandleTable_(NULL);
    if (ObpState.KernelTable == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ObpCreateTypes();
    if (NT_SUCCESS(Status))
        Status = ObpMakeRoot();
    if (NT_SUCCESS(Status))
        Status = ObpMakeNamespace();
    if (NT_SUCCESS(Status))
        Status = ObpMakeConditions();
    if (NT_SUCCESS(Status))
        Status = ObpMakeCallbacks();
    return Status;
}

/* Takes every name away, from the leaves up. */
static void ObpEmptyDirectory(OB_DIRECTORY *Directory)
{
    ULONG Bucket;
    OBJECT_HEADER_NT *Header;

    for (Bucket = 0; Bucket < Directory->BucketCount; Bucket++)
        while ((Header = Directory->Buckets[Bucket]) != NULL) {
            if (Header->Type == ObpDirectoryType)
                ObpEmptyDirectory(OBP_BODY(Header));
            ObpUnname(Header, FALSE);
        }
}

static ULONG ObpReportLeft(POBJECT_TYPE Type)
{
    PLIST_ENTRY Entry;
    char Line[160] = "";
    ULONG Count = 0;

    for (Entry = Type->Objects.Flink; Entry != &Type->Objects; Entry = Entry->Flink) {
        OBJECT_HEADER_NT *Header = CONTAINING_RECORD(Entry, OBJECT_HEADER_NT, TypeEntry);
        Count++;
        _snprintf(Line, sizeof(Line) - 1,
                  "ob: %wZ left at shutdown: %p, %ld references, %ld handles\n", &Type->Name,
                  OBP_BODY(Header), (long)atomic_load(&Header->PointerCount),
                  (long)atomic_load(&Header->HandleCount));
        host_write_error(Line);
    }
    return Count;
}

/* ps has gone; handles left in the kernel's table are closed. */
void ObShutdownSystem(void)
{
    ULONG Index, Left = 0;

    ObKillProcess(NULL);
    ObpEmptyDirectory(ObpState.Root);
    ObpState.TypeDirectory = NULL;
    ObDereferenceObject(ObpState.Root);
    ExWaitForRundownProtectionRelease(&ObpState.DeferredRunning);
    ObpRunDeferred();
    for (Index = 0; Index < ObpState.TypeCount; Index++)
        Left += ObpReportLeft(ObpState.Types[Index]);
    NT_ASSERT(Left == 0);
    ObpDeleteTypes();
    ExDestroyHandleTable_(ObpState.KernelTable);
}
