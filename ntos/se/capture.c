/* Security descriptors captured from a caller, who may lie and may change them meanwhile. */
#include "se/sep.h"

#include <ntseh.h>

/*
 * Copies a part whose length stands in its first bytes, which the caller can still change: they are
 * read once. The copy is in *Slot before it is filled, so that a fault loses nothing.
 */
static void SepCapturePart(const VOID *PartUnsafe, BOOLEAN Acl, KPROCESSOR_MODE Mode,
                           PVOID volatile *Slot)
{
    UCHAR Head[sizeof(ACL)];
    if (!PartUnsafe)
        return;
    if (Mode != KernelMode)
        ProbeForRead((PVOID)PartUnsafe, sizeof(Head), sizeof(UCHAR));
    RtlCopyMemory(Head, PartUnsafe, sizeof(Head));
    ULONG Bytes =
        Acl ? ((PACL)Head)->AclSize : RtlLengthRequiredSid(((SID *)Head)->SubAuthorityCount);
    if (Bytes < sizeof(Head))
        ExRaiseStatus(Acl ? STATUS_INVALID_ACL : STATUS_INVALID_SID);
    if (Mode != KernelMode)
        ProbeForRead((PVOID)PartUnsafe, Bytes, sizeof(UCHAR));
    PUCHAR Copy = ExAllocatePoolWithTag(PagedPool, Bytes, SEP_TAG);
    if (!Copy)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    *Slot = Copy;
    RtlCopyMemory(Copy, Head, sizeof(Head));
    RtlCopyMemory(Copy + sizeof(Head), (const UCHAR *)PartUnsafe + sizeof(Head),
                  Bytes - sizeof(Head));
}

static void SepFreeCaptured(RTLP_SECURITY_PARTS *Parts)
{
    const PVOID All[] = {Parts->Owner, Parts->Group, Parts->Sacl, Parts->Dacl};
    for (ULONG i = 0; i < RTL_NUMBER_OF(All); i++)
        if (All[i])
            ExFreePoolWithTag(All[i], SEP_TAG);
}

/* One copy of the header, then of each part; the volatile copies survive a fault in between. */
static NTSTATUS SepCaptureParts(PSECURITY_DESCRIPTOR DescriptorUnsafe, KPROCESSOR_MODE Mode,
                                volatile RTLP_SECURITY_PARTS *Copies)
{
    union {
        SECURITY_DESCRIPTOR Absolute;
        SECURITY_DESCRIPTOR_RELATIVE Relative;
    } Header = {0};
    const VOID *Parts[4];
    NTSTATUS Status = STATUS_SUCCESS;
    __try {
        if (Mode != KernelMode)
            ProbeForRead(DescriptorUnsafe, sizeof(Header.Relative), sizeof(UCHAR));
        RtlCopyMemory(&Header, DescriptorUnsafe, sizeof(Header.Relative));
        if (Header.Relative.Revision != SECURITY_DESCRIPTOR_REVISION)
            ExRaiseStatus(STATUS_UNKNOWN_REVISION);
        if (Header.Relative.Control & SE_SELF_RELATIVE) {
            const ULONG Offsets[] = {Header.Relative.Owner, Header.Relative.Group,
                                     Header.Relative.Sacl, Header.Relative.Dacl};
            for (ULONG i = 0; i < RTL_NUMBER_OF(Parts); i++)
                Parts[i] = Offsets[i] ? (PUCHAR)DescriptorUnsafe + Offsets[i] : NULL;
        } else {
            if (Mode != KernelMode)
                ProbeForRead(DescriptorUnsafe, sizeof(Header.Absolute), sizeof(UCHAR));
            RtlCopyMemory(&Header, DescriptorUnsafe, sizeof(Header.Absolute));
            Header.Absolute.Control &= ~SE_SELF_RELATIVE;
            const VOID *const All[] = {Header.Absolute.Owner, Header.Absolute.Group,
                                       Header.Absolute.Sacl, Header.Absolute.Dacl};
            RtlCopyMemory(Parts, All, sizeof(Parts));
        }
        USHORT Control = Header.Relative.Control;
        Copies->Control = Control;
        SepCapturePart(Parts[0], FALSE, Mode, &Copies->Owner);
        SepCapturePart(Parts[1], FALSE, Mode, &Copies->Group);
        if (Control & SE_SACL_PRESENT)
            SepCapturePart(Parts[2], TRUE, Mode, (PVOID volatile *)&Copies->Sacl);
        if (Control & SE_DACL_PRESENT)
            SepCapturePart(Parts[3], TRUE, Mode, (PVOID volatile *)&Copies->Dacl);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

static NTSTATUS SepValidParts(const RTLP_SECURITY_PARTS *Parts)
{
    if ((Parts->Owner && !RtlValidSid(Parts->Owner)) ||
        (Parts->Group && !RtlValidSid(Parts->Group)))
        return STATUS_INVALID_SID;
    if ((Parts->Sacl && !RtlValidAcl(Parts->Sacl)) || (Parts->Dacl && !RtlValidAcl(Parts->Dacl)))
        return STATUS_INVALID_ACL;
    return STATUS_SUCCESS;
}

/*
 * PASSIVE_LEVEL. A self-relative copy, checked, of a descriptor in either form that may lie in user
 * memory. From kernel mode the original is returned unless CaptureIfKernel. For
 * SeReleaseSecurityDescriptor. STATUS_UNKNOWN_REVISION, STATUS_INVALID_SID, STATUS_INVALID_ACL,
 * STATUS_ACCESS_VIOLATION, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS NTAPI SeCaptureSecurityDescriptor(PSECURITY_DESCRIPTOR OriginalSecurityDescriptor,
                                           KPROCESSOR_MODE CurrentMode, POOL_TYPE PoolType,
                                           BOOLEAN CaptureIfKernel,
                                           PSECURITY_DESCRIPTOR *CapturedSecurityDescriptor)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    volatile RTLP_SECURITY_PARTS Copies = {0};
    *CapturedSecurityDescriptor = NULL;
    if (!OriginalSecurityDescriptor)
        return STATUS_SUCCESS;
    if (CurrentMode == KernelMode && !CaptureIfKernel) {
        *CapturedSecurityDescriptor = OriginalSecurityDescriptor;
        return STATUS_SUCCESS;
    }
    NTSTATUS Status = SepCaptureParts(OriginalSecurityDescriptor, CurrentMode, &Copies);
    RTLP_SECURITY_PARTS Parts = Copies;
    if (NT_SUCCESS(Status))
        Status = SepValidParts(&Parts);
    if (NT_SUCCESS(Status))
        Status = SepStoreParts(&Parts, PoolType, CapturedSecurityDescriptor);
    SepFreeCaptured(&Parts);
    return Status;
}

/* The arguments of the capture. */
NTSTATUS NTAPI SeReleaseSecurityDescriptor(PSECURITY_DESCRIPTOR CapturedSecurityDescriptor,
                                           KPROCESSOR_MODE CurrentMode, BOOLEAN CaptureIfKernelMode)
{
    VF_IRQL_MAX(PASSIVE_LEVEL);
    if (CapturedSecurityDescriptor && (CurrentMode != KernelMode || CaptureIfKernelMode))
        ExFreePoolWithTag(CapturedSecurityDescriptor, SEP_DESCRIPTOR_TAG);
    return STATUS_SUCCESS;
}
