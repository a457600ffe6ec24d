/*
 * Named device objects with a security descriptor, for builds without the WDK's wdmsec.lib.
 *
 * The descriptor is what the documentation allows here: a list of access, "D:P(A;;GA;;;SY)…", its
 * users two letters or S-1-…. It is set while the device is still being initialised, before anyone
 * can open it. PASSIVE_LEVEL.
 */
#include <ntifs.h>

#include <wdmsec.h>

#include "../../include/nt_devobj.h"

#define SECURITY_TAG 'ceSW'
#define SECURITY_ACL_BYTES 1024

typedef struct _SID_BUFFER {
    SID Sid;
    ULONG More[SID_MAX_SUB_AUTHORITIES - 1];
} SID_BUFFER;

/* What is left of the text. */
typedef struct _TEXT {
    PCWCH Next, End;
} TEXT;

static BOOLEAN Take(TEXT *Text, PCSTR Expected)
{
    PCWCH Next = Text->Next;

    for (; *Expected; Expected++, Next++)
        if (Next == Text->End || *Next != (WCHAR)*Expected)
            return FALSE;
    Text->Next = Next;
    return TRUE;
}

static LONG Digit(WCHAR Letter, ULONG Base)
{
    LONG Value = Letter >= L'0' && Letter <= L'9'   ? Letter - L'0'
                 : Letter >= L'a' && Letter <= L'f' ? Letter - L'a' + 10
                 : Letter >= L'A' && Letter <= L'F' ? Letter - L'A' + 10
                                                    : -1;

    return Value < (LONG)Base ? Value : -1;
}

static BOOLEAN TakeNumber(TEXT *Text, ULONG *Number)
{
    ULONG Base = Take(Text, "0x") ? 16 : 10;
    PCWCH First = Text->Next;

    for (*Number = 0; Text->Next != Text->End && Digit(*Text->Next, Base) >= 0; Text->Next++) {
        if (*Number > (MAXULONG - 15) / Base)
            return FALSE;
        *Number = *Number * Base + Digit(*Text->Next, Base);
    }
    return Text->Next != First;
}

static BOOLEAN TakeAccess(TEXT *Text, ACCESS_MASK *Access)
{
    static const struct {
        PCSTR Letters;
        ACCESS_MASK Access;
    } Names[] = {{"GA", GENERIC_ALL},     {"GR", GENERIC_READ}, {"GW", GENERIC_WRITE},
                 {"GX", GENERIC_EXECUTE}, {"RC", READ_CONTROL}, {"SD", DELETE},
                 {"WD", WRITE_DAC},       {"WO", WRITE_OWNER}};
    ULONG i, Number;

    *Access = 0;
    if (Text->Next != Text->End && Digit(*Text->Next, 10) >= 0) {
        if (!TakeNumber(Text, &Number))
            return FALSE;
        *Access = Number;
        return TRUE;
    }
    do {
        for (i = 0; i < RTL_NUMBER_OF(Names) && !Take(Text, Names[i].Letters); i++)
            ;
        if (i < RTL_NUMBER_OF(Names))
            *Access |= Names[i].Access;
    } while (i < RTL_NUMBER_OF(Names));
    return *Access != 0;
}

static BOOLEAN TakeLongSid(TEXT *Text, SID_BUFFER *Sid)
{
    ULONG Number;

    if (!TakeNumber(Text, &Number))
        return FALSE;
    Sid->Sid.IdentifierAuthority.Value[2] = (UCHAR)(Number >> 24);
    Sid->Sid.IdentifierAuthority.Value[3] = (UCHAR)(Number >> 16);
    Sid->Sid.IdentifierAuthority.Value[4] = (UCHAR)(Number >> 8);
    Sid->Sid.IdentifierAuthority.Value[5] = (UCHAR)Number;
    while (Take(Text, "-")) {
        if (Sid->Sid.SubAuthorityCount == SID_MAX_SUB_AUTHORITIES || !TakeNumber(Text, &Number))
            return FALSE;
        Sid->Sid.SubAuthority[Sid->Sid.SubAuthorityCount++] = Number;
    }
    return Sid->Sid.SubAuthorityCount != 0;
}

static BOOLEAN TakeSid(TEXT *Text, SID_BUFFER *Sid)
{
    static const struct {
        PCSTR Letters;
        UCHAR Authority, Count;
        ULONG First, Second;
    } Names[] = {{"WD", 1, 1, 0, 0},    {"AN", 5, 1, 7, 0},    {"AU", 5, 1, 11, 0},
                 {"RC", 5, 1, 12, 0},   {"SY", 5, 1, 18, 0},   {"LS", 5, 1, 19, 0},
                 {"NS", 5, 1, 20, 0},   {"BA", 5, 2, 32, 544}, {"BU", 5, 2, 32, 545},
                 {"BG", 5, 2, 32, 546}, {"IU", 5, 1, 4, 0},    {"NU", 5, 1, 2, 0}};
    ULONG i;

    RtlZeroMemory(Sid, sizeof(*Sid));
    Sid->Sid.Revision = SID_REVISION;
    if (Take(Text, "S-1-"))
        return TakeLongSid(Text, Sid);
    for (i = 0; i < RTL_NUMBER_OF(Names); i++) {
        if (!Take(Text, Names[i].Letters))
            continue;
        Sid->Sid.IdentifierAuthority.Value[5] = Names[i].Authority;
        Sid->Sid.SubAuthorityCount = Names[i].Count;
        Sid->Sid.SubAuthority[0] = Names[i].First;
        Sid->More[0] = Names[i].Second;
        return TRUE;
    }
    return FALSE;
}

/* "(A;;access;;;user)" */
static NTSTATUS AddEntry(TEXT *Text, PACL Acl)
{
    ACCESS_MASK Access;
    SID_BUFFER Sid;

    if (!Take(Text, "(A;;") || !TakeAccess(Text, &Access) || !Take(Text, ";;;") ||
        !TakeSid(Text, &Sid) || !Take(Text, ")"))
        return STATUS_INVALID_PARAMETER;
    return RtlAddAccessAllowedAce(Acl, ACL_REVISION, Access, &Sid.Sid);
}

static NTSTATUS ParseAccess(PCUNICODE_STRING String, PACL Acl)
{
    TEXT Text = {String->Buffer, String->Buffer + String->Length / sizeof(WCHAR)};
    NTSTATUS Status = RtlCreateAcl(Acl, SECURITY_ACL_BYTES, ACL_REVISION);

    if (NT_SUCCESS(Status) && !Take(&Text, "D:P") && !Take(&Text, "D:"))
        Status = STATUS_INVALID_PARAMETER;
    while (NT_SUCCESS(Status) && Text.Next != Text.End)
        Status = AddEntry(&Text, Acl);
    return Status;
}

static NTSTATUS SetAccess(PDEVICE_OBJECT Device, PACL Acl)
{
    SECURITY_DESCRIPTOR Descriptor;
    HANDLE Handle;
    NTSTATUS Status = RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);

    if (NT_SUCCESS(Status))
        Status = RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, Acl, FALSE);
    if (NT_SUCCESS(Status))
        Status = ObOpenObjectByPointer(Device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, NULL, KernelMode,
                                       &Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Descriptor);
    ZwClose(Handle);
    return Status;
}

/* The class would let an administrator override the descriptor in the registry; it is not looked
 * up here. */
NTSTATUS WdmlibIoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
                                    PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType,
                                    ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                                    PCUNICODE_STRING DefaultSDDLString, LPCGUID DeviceClassGuid,
                                    PDEVICE_OBJECT *DeviceObject)
{
    PACL Acl = ExAllocatePoolWithTag(PagedPool, SECURITY_ACL_BYTES, SECURITY_TAG);
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DeviceClassGuid);
    if (!Acl)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ParseAccess(DefaultSDDLString, Acl);
    if (NT_SUCCESS(Status))
        Status = IoCreateDevice(DriverObject, DeviceExtensionSize, DeviceName, DeviceType,
                                DeviceCharacteristics, Exclusive, DeviceObject);
    if (NT_SUCCESS(Status)) {
        Status = SetAccess(*DeviceObject, Acl);
        if (!NT_SUCCESS(Status))
            IoDeleteDevice(*DeviceObject);
    }
    ExFreePoolWithTag(Acl, SECURITY_TAG);
    return Status;
}
