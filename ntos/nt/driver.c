/*
 * Loading and unloading drivers.
 */
#include "nt/capture.h"

static NTSTATUS Run(NTSTATUS (*Routine)(PUNICODE_STRING ServiceKey), PUNICODE_STRING ServiceKey)
{
    KPROCESSOR_MODE Mode = NtpMode();
    UNICODE_STRING Captured;
    if (!SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_LOAD_DRIVER_PRIVILEGE), Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    NTSTATUS Status = NtpCaptureString(Mode, ServiceKey, &Captured);
    if (NT_SUCCESS(Status) && Captured.Length == 0)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = Routine(&Captured);
    NtpReleaseString(Mode, &Captured);
    return Status;
}

/* ServiceKey: \Registry\Machine\System\CurrentControlSet\Services\NAME. Needs
 * SeLoadDriverPrivilege. Doc: wdm/nf-wdm-zwloaddriver */
NTSTATUS NTAPI NtLoadDriver(PUNICODE_STRING ServiceKey)
{
    return Run(LdrLoadDriver, ServiceKey);
}

/* Doc: wdm/nf-wdm-zwunloaddriver */
NTSTATUS NTAPI NtUnloadDriver(PUNICODE_STRING ServiceKey)
{
    return Run(LdrUnloadDriver, ServiceKey);
}
