/*
 * Handles, from one process to another.
 */
#include "ob/obp.h"

static NTSTATUS ObpReferenceSource(PEPROCESS Source, HANDLE Handle, KPROCESSOR_MODE Mode,
                                   PVOID *Object, POBJECT_HANDLE_INFORMATION Information)
{
    EX_HANDLE_TABLE *Table;
    EX_HANDLE_ENTRY *Entry;

    if (Source == ObpCurrentProcess() || (LONG_PTR)Handle < 0)
        return ObReferenceObjectByHandle(Handle, 0, NULL, Mode, Object, Information);
    Table = ObpTableOf(Source);
    Entry = Table != NULL ? ExLockHandle_(Table, Handle) : NULL;
    if (Entry == NULL)
        return STATUS_INVALID_HANDLE;
    *Object = (PVOID)(atomic_load_explicit(&Entry->Object, memory_order_relaxed) & ~(ULONG_PTR)1);
    ObReferenceObject(*Object);
    Information->HandleAttributes = Entry->Attributes;
    Information->GrantedAccess = Entry->GrantedAccess;
    ExUnlockHandle_(Entry);
    return STATUS_SUCCESS;
}

static void ObpCloseSource(PEPROCESS Source, HANDLE Handle, KPROCESSOR_MODE Mode)
{
    if (Source == ObpCurrentProcess() || (LONG_PTR)Handle < 0)
        ObCloseHandle_(Handle, Mode);
    else
        ObpCloseEntry(ObpTableOf(Source), Source, Handle, Mode, FALSE);
}

/* Rights beyond those of the source handle are checked anew. DUPLICATE_CLOSE_SOURCE closes the
 * source whatever else happens; Target may be NULL then. Doc: ntifs/nf-ntifs-zwduplicateobject */
NTSTATUS ObDuplicateHandle_(PEPROCESS Source, HANDLE SourceHandle, PEPROCESS Target,
                            PHANDLE TargetHandle, ACCESS_MASK DesiredAccess, ULONG Attributes,
                            ULONG Options, KPROCESSOR_MODE Mode)
{
    OBJECT_HANDLE_INFORMATION Information;
    OBP_HANDLE Request = {.Reason = ObDuplicateHandle, .Process = Target, .SourceProcess = Source};
    NTSTATUS Status = ObpReferenceSource(Source, SourceHandle, Mode, &Request.Object, &Information);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Target == NULL) {
        Status =
            (Options & DUPLICATE_CLOSE_SOURCE) != 0 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
        goto Done;
    }
    Request.Attributes =
        (Options & DUPLICATE_SAME_ATTRIBUTES) != 0 ? Information.HandleAttributes : Attributes;
    if (Mode != KernelMode)
        Request.Attributes &= ~OBJ_KERNEL_HANDLE;
    Request.Granted = Information.GrantedAccess;
    if ((Options & DUPLICATE_SAME_ACCESS) == 0) {
        Request.Granted = DesiredAccess;
        RtlMapGenericMask(&Request.Granted, &ObHeader(Request.Object)->Type->Mapping);
        if ((Request.Granted & ~Information.GrantedAccess) != 0) {
            OBP_ACCESS Access;
            Status = ObpBeginAccess(&Access, NULL, Request.Granted, ObHeader(Request.Object)->Type);
            if (NT_SUCCESS(Status))
                Status = ObpCheckAccess(Request.Object, Access.State, Request.Granted, Mode,
                                        &Request.Granted);
            ObpEndAccess(&Access);
        }
    }
    if (NT_SUCCESS(Status))
        Status = ObpMakeHandle(&Request, TargetHandle);
Done:
    if ((Options & DUPLICATE_CLOSE_SOURCE) != 0)
        ObpCloseSource(Source, SourceHandle, Mode);
    ObDereferenceObject(Request.Object);
    return Status;
}
