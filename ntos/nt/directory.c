/*
 * Object directories and symbolic links.
 */
#include "nt/capture.h"
#include <string.h>

/* Doc: wdm/nf-wdm-zwcreatedirectoryobject */
NTSTATUS NTAPI NtCreateDirectoryObject(PHANDLE Handle, ACCESS_MASK Desired,
                                       POBJECT_ATTRIBUTES Attributes)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_ATTRIBUTES Storage;
    POBJECT_ATTRIBUTES Captured;
    HANDLE New = NULL;
    NTSTATUS Status = NtpProbe(Mode, Handle, sizeof(*Handle));
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureAttributes(Mode, Attributes, &Storage, &Captured);
    if (NT_SUCCESS(Status))
        Status = ObCreateDirectory_(&New, Desired, Captured, Mode);
    NtpReleaseAttributes(Mode, &Storage);
    return NtpReturnHandle(Mode, Handle, New, Status);
}

/* Doc: ntifs/nf-ntifs-zwopendirectoryobject */
NTSTATUS NTAPI NtOpenDirectoryObject(PHANDLE Handle, ACCESS_MASK Desired,
                                     POBJECT_ATTRIBUTES Attributes)
{
    return NtpOpenObject(ObpDirectoryType, Handle, Desired, Attributes);
}

/* The listing is laid out from both ends of the buffer: entries from its start, text down from its
 * end. */
typedef struct LISTING {
    POBJECT_DIRECTORY_INFORMATION Entries;
    ULONG Count, Length, TextLow; /* TextLow: offset of the text so far */
    BOOLEAN Single, Full;
} LISTING;

static void AddText(LISTING *Listing, PUNICODE_STRING To, PUNICODE_STRING From)
{
    Listing->TextLow -= From->Length + (ULONG)sizeof(WCHAR);
    PWCH Text = (PWCH)((UCHAR *)Listing->Entries + Listing->TextLow);
    memcpy(Text, From->Buffer, From->Length);
    Text[From->Length / sizeof(WCHAR)] = 0;
    *To = (UNICODE_STRING){From->Length, (USHORT)(From->Length + sizeof(WCHAR)), Text};
}

static BOOLEAN AddEntry(PVOID Context, PUNICODE_STRING Name, PUNICODE_STRING Type)
{
    LISTING *Listing = Context;
    SIZE_T Text = Name->Length + Type->Length + 2 * sizeof(WCHAR);
    SIZE_T Entries = (Listing->Count + 2) *
                     sizeof(OBJECT_DIRECTORY_INFORMATION); /* this one and the empty last */
    if ((Listing->Single && Listing->Count == 1) || Listing->TextLow < Entries + Text) {
        Listing->Full = TRUE;
        return FALSE;
    }
    POBJECT_DIRECTORY_INFORMATION Entry = &Listing->Entries[Listing->Count++];
    AddText(Listing, &Entry->Name, Name);
    AddText(Listing, &Entry->TypeName, Type);
    return TRUE;
}

/* Closes the gap between entries and text, and makes the addresses the caller's. Returns the bytes
 * used. */
static ULONG FinishListing(LISTING *Listing, const NTP_OUTPUT *Output)
{
    UCHAR *Base = Output->Buffer;
    ULONG TextStart = (Listing->Count + 1) * (ULONG)sizeof(OBJECT_DIRECTORY_INFORMATION);
    ULONG TextBytes = Listing->Length - Listing->TextLow;
    ULONG_PTR Shift = (ULONG_PTR)Output->User + TextStart - ((ULONG_PTR)Base + Listing->TextLow);
    for (ULONG i = 0; i < Listing->Count; i++) {
        Listing->Entries[i].Name.Buffer =
            (PWCH)((ULONG_PTR)Listing->Entries[i].Name.Buffer + Shift);
        Listing->Entries[i].TypeName.Buffer =
            (PWCH)((ULONG_PTR)Listing->Entries[i].TypeName.Buffer + Shift);
    }
    RtlZeroMemory(&Listing->Entries[Listing->Count], sizeof(OBJECT_DIRECTORY_INFORMATION));
    memmove(Base + TextStart, Base + Listing->TextLow, TextBytes);
    return TextStart + TextBytes;
}

static NTSTATUS List(PVOID Directory, NTP_OUTPUT *Output, BOOLEAN Single, PULONG Index,
                     PULONG Bytes)
{
    ULONG Length = Output->Length & ~1u;
    LISTING Listing = {
        .Entries = Output->Buffer, .Length = Length, .TextLow = Length, .Single = Single};
    *Bytes = 0;
    if (Length < sizeof(OBJECT_DIRECTORY_INFORMATION))
        return STATUS_BUFFER_TOO_SMALL;
    NTSTATUS Status = ObEnumerateDirectory_(Directory, Index, AddEntry, &Listing);
    if (!NT_SUCCESS(Status) && Listing.Count == 0 && !Listing.Full)
        return Status;
    if (Listing.Count == 0)
        return Listing.Full ? STATUS_BUFFER_TOO_SMALL : STATUS_NO_MORE_ENTRIES;
    *Bytes = FinishListing(&Listing, Output);
    return Listing.Full && !Single ? STATUS_MORE_ENTRIES : STATUS_SUCCESS;
}

/* Context counts the entries already returned. STATUS_MORE_ENTRIES: the buffer is full;
 * STATUS_NO_MORE_ENTRIES: the end; STATUS_BUFFER_TOO_SMALL: not even one. Doc:
 * ntifs/nf-ntifs-zwquerydirectoryobject */
NTSTATUS NTAPI NtQueryDirectoryObject(HANDLE Handle, PVOID Buffer, ULONG Length,
                                      BOOLEAN SingleEntry, BOOLEAN RestartScan, PULONG Context,
                                      PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_OUTPUT Output;
    PVOID Directory;
    ULONG Index = 0, Bytes;
    NTSTATUS Status =
        RestartScan ? NtpProbe(Mode, Context, sizeof(*Context)) : NTP_READ(Mode, Index, Context);
    if (NT_SUCCESS(Status))
        Status = NTP_PROBE_OPTIONAL(Mode, Returned);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, DIRECTORY_QUERY, ObpDirectoryType, Mode, &Directory);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpBeginOutput(&Output, Mode, Buffer, Length);
    if (NT_SUCCESS(Status)) {
        Status = List(Directory, &Output, SingleEntry, &Index, &Bytes);
        Status = NtpEndQuery(&Output, Status, Bytes, Returned, Bytes);
        NTSTATUS Written = NT_ERROR(Status) ? STATUS_SUCCESS : NTP_WRITE(Mode, Context, Index);
        Status = NT_SUCCESS(Written) ? Status : Written;
    }
    ObDereferenceObject(Directory);
    return Status;
}

/* Doc: ntifs/nf-ntifs-zwcreatesymboliclinkobject */
NTSTATUS NTAPI NtCreateSymbolicLinkObject(PHANDLE Handle, ACCESS_MASK Desired,
                                          POBJECT_ATTRIBUTES Attributes, PUNICODE_STRING Target)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_ATTRIBUTES Storage;
    POBJECT_ATTRIBUTES Captured;
    UNICODE_STRING Path;
    HANDLE New = NULL;
    NTSTATUS Status = NtpProbe(Mode, Handle, sizeof(*Handle));
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpCaptureAttributes(Mode, Attributes, &Storage, &Captured);
    if (NT_SUCCESS(Status)) {
        Status = NtpCaptureString(Mode, Target, &Path);
        if (NT_SUCCESS(Status) && Path.Length == 0)
            Status = STATUS_INVALID_PARAMETER;
        if (NT_SUCCESS(Status))
            Status = ObCreateSymbolicLink_(&New, Desired, Captured, &Path, Mode);
        NtpReleaseString(Mode, &Path);
    }
    NtpReleaseAttributes(Mode, &Storage);
    return NtpReturnHandle(Mode, Handle, New, Status);
}

/* Doc: wdm/nf-wdm-zwopensymboliclinkobject */
NTSTATUS NTAPI NtOpenSymbolicLinkObject(PHANDLE Handle, ACCESS_MASK Desired,
                                        POBJECT_ATTRIBUTES Attributes)
{
    return NtpOpenObject(ObpSymbolicLinkType, Handle, Desired, Attributes);
}

static NTSTATUS ReadTarget(PVOID Link, KPROCESSOR_MODE Mode, UNICODE_STRING Unsafe,
                           PUNICODE_STRING User, PULONG Returned)
{
    NTP_OUTPUT Output;
    ULONG Needed = 0;
    NTSTATUS Status = NtpBeginOutput(&Output, Mode, Unsafe.Buffer, Unsafe.MaximumLength);
    if (!NT_SUCCESS(Status))
        return Status;
    UNICODE_STRING Target = {0, Unsafe.MaximumLength, Output.Buffer};
    Status = ObQuerySymbolicLink_(Link, &Target, &Needed);
    Status = NtpEndQuery(&Output, Status, NT_SUCCESS(Status) ? Target.Length : 0, Returned, Needed);
    return NT_SUCCESS(Status)
               ? NTP_WRITE(Mode, NTP_MEMBER(UNICODE_STRING, User, Length), Target.Length)
               : Status;
}

/* STATUS_BUFFER_TOO_SMALL with the needed length. Doc: wdm/nf-wdm-zwquerysymboliclinkobject */
NTSTATUS NTAPI NtQuerySymbolicLinkObject(HANDLE Handle, PUNICODE_STRING Target, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    UNICODE_STRING Unsafe;
    PVOID Link;
    NTSTATUS Status = NTP_READ(Mode, Unsafe, Target);
    if (NT_SUCCESS(Status))
        Status = NTP_PROBE_OPTIONAL(Mode, Returned);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, SYMBOLIC_LINK_QUERY, ObpSymbolicLinkType, Mode, &Link);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ReadTarget(Link, Mode, Unsafe, Target, Returned);
    ObDereferenceObject(Link);
    return Status;
}
