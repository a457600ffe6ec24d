/*
 * Security descriptors of objects.
 */
#include "nt/capture.h"

static ACCESS_MASK AccessFor(SECURITY_INFORMATION Information, BOOLEAN Set)
{
    ACCESS_MASK Access = 0;
    if ((Information & (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION)) != 0)
        Access |= Set ? WRITE_OWNER : READ_CONTROL;
    if ((Information & DACL_SECURITY_INFORMATION) != 0)
        Access |= Set ? WRITE_DAC : READ_CONTROL;
    if ((Information & SACL_SECURITY_INFORMATION) != 0)
        Access |= ACCESS_SYSTEM_SECURITY;
    return Access;
}

/* Self-relative. STATUS_BUFFER_TOO_SMALL with the needed length. Doc:
 * ntifs/nf-ntifs-ntquerysecurityobject */
NTSTATUS NTAPI NtQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION Information,
                                     PSECURITY_DESCRIPTOR Descriptor, ULONG Length, PULONG Needed)
{
    KPROCESSOR_MODE Mode = NtpMode();
    NTP_OUTPUT Output;
    PVOID Object;
    NTSTATUS Status = NtpProbe(Mode, Needed, sizeof(*Needed));
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, AccessFor(Information, FALSE), NULL, Mode, &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtpBeginOutput(&Output, Mode, Descriptor, Length);
    if (NT_SUCCESS(Status)) {
        ULONG Bytes = Output.Length;
        Status = ObQuerySecurity_(Object, Information, Output.Buffer, &Bytes);
        Status = NtpEndQuery(&Output, Status, NT_SUCCESS(Status) ? Bytes : 0, Needed, Bytes);
    }
    ObDereferenceObject(Object);
    return Status;
}

/* Doc: ntifs/nf-ntifs-ntsetsecurityobject */
NTSTATUS NTAPI NtSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION Information,
                                   PSECURITY_DESCRIPTOR Descriptor)
{
    KPROCESSOR_MODE Mode = NtpMode();
    PVOID Object, Copy = NULL;
    if (Descriptor == NULL)
        return STATUS_ACCESS_VIOLATION;
    NTSTATUS Status = NtpReference(Handle, AccessFor(Information, TRUE), NULL, Mode, &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Mode != KernelMode)
        Status = NtpCaptureSecurity(Descriptor, &Copy);
    if (NT_SUCCESS(Status))
        Status = ObSetSecurity_(Object, Information, Copy != NULL ? Copy : Descriptor);
    if (Copy != NULL)
        ExFreePoolWithTag(Copy, NTP_TAG);
    ObDereferenceObject(Object);
    return Status;
}
