/*
 * Symbolic links that drivers make. Io remembers them, so that a driver that forgets one is named,
 * and nothing is left at shutdown.
 */
#include "io/iop.h"

typedef struct IOP_LINK {
    LIST_ENTRY Entry;
    PDRIVER_OBJECT
    Driver; /* who made it: only compared and, while it is on the list of drivers, named */
    UNICODE_STRING Name;
    WCHAR Text[];
} IOP_LINK;

static IOP_LINK *IopNewLink(PUNICODE_STRING Name)
{
    IOP_LINK *Link = ExAllocatePoolWithTag(PagedPool, sizeof(*Link) + Name->Length, IOP_NAME_TAG);

    if (!Link)
        return NULL;
    Link->Driver = KiSelf->CurrentDriver;
    Link->Name = (UNICODE_STRING){0, Name->Length, Link->Text};
    RtlCopyUnicodeString(&Link->Name, Name);
    return Link;
}

static NTSTATUS IopMakeLink(PUNICODE_STRING Name, PUNICODE_STRING Target)
{
    OBJECT_ATTRIBUTES Attributes;
    IOP_LINK *Link = IopNewLink(Name);
    HANDLE Handle;
    NTSTATUS Status;

    if (!Link)
        return STATUS_INSUFFICIENT_RESOURCES;
    InitializeObjectAttributes(&Attributes, Name,
                               OBJ_CASE_INSENSITIVE | OBJ_PERMANENT | OBJ_KERNEL_HANDLE, NULL,
                               IopState.DefaultSecurity);
    Status =
        ObCreateSymbolicLink_(&Handle, SYMBOLIC_LINK_ALL_ACCESS, &Attributes, Target, KernelMode);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Link, IOP_NAME_TAG);
        return Status;
    }
    ObCloseHandle_(Handle, KernelMode);
    ExLockExclusive_(&IopState.LinkLock);
    InsertTailList(&IopState.SymbolicLinks, &Link->Entry);
    ExUnlockExclusive_(&IopState.LinkLock);
    return STATUS_SUCCESS;
}

/* A permanent link, until IoDeleteSymbolicLink. STATUS_OBJECT_NAME_COLLISION: the name exists.
 * IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iocreatesymboliclink */
NTSTATUS NTAPI IoCreateSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return IopMakeLink(SymbolicLinkName, DeviceName);
}

/* Doc: wdm/nf-wdm-iocreateunprotectedsymboliclink */
NTSTATUS NTAPI IoCreateUnprotectedSymbolicLink(PUNICODE_STRING SymbolicLinkName,
                                               PUNICODE_STRING DeviceName)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    return IopMakeLink(SymbolicLinkName, DeviceName);
}

static NTSTATUS IopRemoveLink(PUNICODE_STRING Name)
{
    PVOID Link;
    NTSTATUS Status = ObReferenceObjectByName(Name, OBJ_CASE_INSENSITIVE, NULL, DELETE,
                                              ObpSymbolicLinkType, KernelMode, NULL, &Link);

    if (!NT_SUCCESS(Status))
        return Status;
    ObMakeTemporaryObject(Link);
    ObDereferenceObject(Link);
    return STATUS_SUCCESS;
}

static void IopForgetLink(PUNICODE_STRING Name)
{
    ExLockExclusive_(&IopState.LinkLock);
    for (PLIST_ENTRY Entry = IopState.SymbolicLinks.Flink; Entry != &IopState.SymbolicLinks;
         Entry = Entry->Flink) {
        IOP_LINK *Link = CONTAINING_RECORD(Entry, IOP_LINK, Entry);

        if (RtlEqualUnicodeString(&Link->Name, Name, TRUE)) {
            RemoveEntryList(Entry);
            ExFreePoolWithTag(Link, IOP_NAME_TAG);
            break;
        }
    }
    ExUnlockExclusive_(&IopState.LinkLock);
}

/* IRQL PASSIVE_LEVEL. Doc: wdm/nf-wdm-iodeletesymboliclink */
NTSTATUS NTAPI IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName)
{
    NTSTATUS Status;

    VF_IRQL_MAX(PASSIVE_LEVEL);
    Status = IopRemoveLink(SymbolicLinkName);
    if (NT_SUCCESS(Status))
        IopForgetLink(SymbolicLinkName);
    return Status;
}

/* At shutdown. */
void IopForgetLinks(void)
{
    while (!IsListEmpty(&IopState.SymbolicLinks)) {
        IOP_LINK *Link =
            CONTAINING_RECORD(RemoveHeadList(&IopState.SymbolicLinks), IOP_LINK, Entry);

        DbgPrint("IO: symbolic link %wZ was never deleted.\n", &Link->Name);
        IopRemoveLink(&Link->Name);
        ExFreePoolWithTag(Link, IOP_NAME_TAG);
    }
}
