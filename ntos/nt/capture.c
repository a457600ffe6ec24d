/*
 * Arguments in, results out: every touch of a client's memory by a service is here.
 */
#include "nt/capture.h"
#include <string.h>

NTSTATUS NtpRead(KPROCESSOR_MODE Mode, PVOID To, const void *From, SIZE_T Bytes)
{
    if (Mode != KernelMode)
        return MmCopyFromUser(To, From, Bytes);
    memcpy(To, From, Bytes);
    return STATUS_SUCCESS;
}

NTSTATUS NtpWrite(KPROCESSOR_MODE Mode, PVOID To, const void *From, SIZE_T Bytes)
{
    if (Mode != KernelMode)
        return MmCopyToUser(To, From, Bytes);
    memcpy(To, From, Bytes);
    return STATUS_SUCCESS;
}

NTSTATUS NtpProbe(KPROCESSOR_MODE Mode, const void *Address, SIZE_T Bytes)
{
    if (Mode == KernelMode || Bytes == 0 || MmIsUserRange(Address, Bytes))
        return STATUS_SUCCESS;
    return STATUS_ACCESS_VIOLATION;
}

NTSTATUS NtpCaptureString(KPROCESSOR_MODE Mode, PUNICODE_STRING String, PUNICODE_STRING Captured)
{
    UNICODE_STRING Unsafe;
    RtlZeroMemory(Captured, sizeof(*Captured));
    NTSTATUS Status = NTP_READ(Mode, Unsafe, String);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Unsafe.Length % sizeof(WCHAR) != 0)
        return STATUS_INVALID_PARAMETER;
    if (Mode == KernelMode) {
        *Captured = Unsafe;
        return STATUS_SUCCESS;
    }
    if (Unsafe.Length == 0)
        return STATUS_SUCCESS;
    PWCH Copy = ExAllocatePoolWithTag(PagedPool, Unsafe.Length, NTP_TAG);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Captured->Buffer = Copy;
    Captured->Length = Captured->MaximumLength = Unsafe.Length;
    return MmCopyFromUser(Copy, Unsafe.Buffer, Unsafe.Length);
}

void NtpReleaseString(KPROCESSOR_MODE Mode, PUNICODE_STRING Captured)
{
    if (Mode != KernelMode && Captured->Buffer != NULL)
        ExFreePoolWithTag(Captured->Buffer, NTP_TAG);
    RtlZeroMemory(Captured, sizeof(*Captured));
}

static NTSTATUS CaptureQuality(KPROCESSOR_MODE Mode, NTP_ATTRIBUTES *Storage)
{
    if (Storage->Attributes.SecurityQualityOfService == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status =
        NTP_READ(Mode, Storage->Quality, Storage->Attributes.SecurityQualityOfService);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Storage->Quality.Length != sizeof(SECURITY_QUALITY_OF_SERVICE))
        return STATUS_INVALID_PARAMETER;
    Storage->Attributes.SecurityQualityOfService = &Storage->Quality;
    return STATUS_SUCCESS;
}

NTSTATUS NtpCaptureAttributes(KPROCESSOR_MODE Mode, POBJECT_ATTRIBUTES Attributes,
                              NTP_ATTRIBUTES *Storage, POBJECT_ATTRIBUTES *Captured)
{
    RtlZeroMemory(Storage, sizeof(*Storage));
    *Captured = NULL;
    if (Attributes == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = NTP_READ(Mode, Storage->Attributes, Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    OBJECT_ATTRIBUTES *Copy = &Storage->Attributes;
    if (Copy->Length != sizeof(*Copy) || (Copy->Attributes & ~OBJ_VALID_ATTRIBUTES) != 0)
        return STATUS_INVALID_PARAMETER;
    if (Mode != KernelMode)
        Copy->Attributes &= ~OBJ_KERNEL_HANDLE;
    if (Copy->ObjectName != NULL) {
        Status = NtpCaptureString(Mode, Copy->ObjectName, &Storage->Name);
        if (Status == STATUS_INVALID_PARAMETER)
            Status = STATUS_OBJECT_NAME_INVALID;
        Copy->ObjectName = &Storage->Name;
    }
    if (NT_SUCCESS(Status))
        Status = CaptureQuality(Mode, Storage);
    if (NT_SUCCESS(Status) && Mode != KernelMode && Copy->SecurityDescriptor != NULL) {
        Status = NtpCaptureSecurity(Copy->SecurityDescriptor, &Storage->Security);
        Copy->SecurityDescriptor = Storage->Security;
    }
    if (NT_SUCCESS(Status))
        *Captured = Copy;
    return Status;
}

void NtpReleaseAttributes(KPROCESSOR_MODE Mode, NTP_ATTRIBUTES *Storage)
{
    NtpReleaseString(Mode, &Storage->Name);
    if (Storage->Security != NULL)
        ExFreePoolWithTag(Storage->Security, NTP_TAG);
    Storage->Security = NULL;
}

NTSTATUS NtpCaptureBlock(KPROCESSOR_MODE Mode, const void *From, ULONG Length, PVOID *Block)
{
    *Block = NULL;
    if (Length == 0)
        return STATUS_SUCCESS;
    if (Mode == KernelMode) {
        *Block = (PVOID)From;
        return STATUS_SUCCESS;
    }
    NTSTATUS Status = NtpProbe(Mode, From, Length); /* before a hostile length costs memory */
    if (!NT_SUCCESS(Status))
        return Status;
    PVOID Copy = ExAllocatePoolWithTag(PagedPool, Length, NTP_TAG);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = MmCopyFromUser(Copy, From, Length);
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(Copy, NTP_TAG);
    else
        *Block = Copy;
    return Status;
}

void NtpReleaseBlock(KPROCESSOR_MODE Mode, PVOID Block)
{
    if (Mode != KernelMode && Block != NULL)
        ExFreePoolWithTag(Block, NTP_TAG);
}

NTSTATUS NtpBeginOutput(NTP_OUTPUT *Output, KPROCESSOR_MODE Mode, PVOID User, ULONG Length)
{
    Output->Mode = Mode;
    Output->User = User;
    Output->Length = Length;
    Output->Buffer = Mode == KernelMode ? User : Output->Small;
    if (Mode == KernelMode)
        return STATUS_SUCCESS;
    NTSTATUS Status = NtpProbe(Mode, User, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Length > sizeof(Output->Small)) {
        Output->Length = min(Length, NTP_OUTPUT_LIMIT);
        Output->Buffer = ExAllocatePoolWithTag(PagedPool, Output->Length, NTP_TAG);
    }
    if (Output->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Output->Buffer, Output->Length); /* gaps between what is written go out too */
    return STATUS_SUCCESS;
}

NTSTATUS NtpEndOutput(NTP_OUTPUT *Output, NTSTATUS Status, ULONG Bytes)
{
    if (Output->Mode == KernelMode)
        return Status;
    NT_ASSERT(Bytes <= Output->Length || NT_ERROR(Status));
    if (!NT_ERROR(Status) && Bytes != 0) {
        NTSTATUS Written = MmCopyToUser(Output->User, Output->Buffer, Bytes);
        if (!NT_SUCCESS(Written))
            Status = Written;
    }
    if (Output->Buffer != Output->Small)
        ExFreePoolWithTag(Output->Buffer, NTP_TAG);
    return Status;
}

NTSTATUS NtpEndQuery(NTP_OUTPUT *Output, NTSTATUS Status, ULONG Bytes, PULONG Returned,
                     ULONG Needed)
{
    Status = NtpEndOutput(Output, Status, Bytes);
    NTSTATUS Written = NTP_WRITE_OPTIONAL(Output->Mode, Returned, Needed);
    return NT_SUCCESS(Written) ? Status : Written;
}

PVOID NtpReserve(NTP_ANSWER *Answer, ULONG Bytes)
{
    ULONG Offset = Answer->Needed;
    Answer->Needed += Bytes;
    return Answer->Needed <= Answer->Output.Length ? (UCHAR *)Answer->Output.Buffer + Offset : NULL;
}

NTSTATUS NtpEndAnswer(NTP_ANSWER *Answer, NTSTATUS Status, NTSTATUS TooSmall, PULONG Returned)
{
    if (NT_SUCCESS(Status) && Answer->Needed > Answer->Output.Length)
        Status = TooSmall;
    return NtpEndQuery(&Answer->Output, Status, NT_SUCCESS(Status) ? Answer->Needed : 0, Returned,
                       Answer->Needed);
}

NTSTATUS NtpQueryFixed(KPROCESSOR_MODE Mode, PVOID User, ULONG Length, PULONG Returned,
                       const void *Data, ULONG Size)
{
    NTSTATUS Status =
        Length == Size ? NtpWrite(Mode, User, Data, Size) : STATUS_INFO_LENGTH_MISMATCH;
    if (Status == STATUS_ACCESS_VIOLATION)
        return Status;
    NTSTATUS Written = NTP_WRITE_OPTIONAL(Mode, Returned, Size);
    return NT_SUCCESS(Written) ? Status : Written;
}

NTSTATUS NtpReturnHandle(KPROCESSOR_MODE Mode, PHANDLE To, HANDLE Handle, NTSTATUS Status)
{
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Written = NTP_WRITE(Mode, To, Handle);
    if (NT_SUCCESS(Written))
        return Status;
    ObCloseHandle_(Handle, Mode);
    return Written;
}

NTSTATUS NtpCaptureTimeout(KPROCESSOR_MODE Mode, PLARGE_INTEGER From, PLARGE_INTEGER Storage,
                           PLARGE_INTEGER *Captured)
{
    *Captured = From == NULL ? NULL : Storage;
    return From == NULL ? STATUS_SUCCESS : NTP_READ(Mode, *Storage, From);
}
