/* GUIDs as text: {8-4-4-4-12} hexadecimal digits, in braces. */
#include "rtlp.h"

#include <nt_crt.h>

#define GUID_UNITS 38

/*
 * PASSIVE_LEVEL. Allocates the string, which the caller frees with RtlFreeUnicodeString.
 * STATUS_NO_MEMORY. Doc: wdm/nf-wdm-rtlstringfromguid
 */
NTSTATUS NTAPI RtlStringFromGUID(const GUID *const Guid, PUNICODE_STRING GuidString)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    SIZE_T Bytes = (GUID_UNITS + 1) * sizeof(WCHAR);
    PWCHAR Buffer = RtlpAllocate(Bytes);
    if (!Buffer)
        return STATUS_NO_MEMORY;
    RTLP_GIVE_TO_CALLER(Buffer);
    const UCHAR *Tail = Guid->Data4;
    swprintf_s(Buffer, GUID_UNITS + 1, L"{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
               Guid->Data1, Guid->Data2, Guid->Data3, Tail[0], Tail[1], Tail[2], Tail[3], Tail[4],
               Tail[5], Tail[6], Tail[7]);
    *GuidString = (UNICODE_STRING){GUID_UNITS * sizeof(WCHAR), (USHORT)Bytes, Buffer};
    return STATUS_SUCCESS;
}

/* Where the form has a digit, its value; MAXULONG for anything else. */
static ULONG RtlpGuidDigit(WCHAR Unit)
{
    if (Unit >= '0' && Unit <= '9')
        return Unit - '0';
    if ((Unit | 0x20) >= 'a' && (Unit | 0x20) <= 'f')
        return (Unit | 0x20) - 'a' + 10;
    return MAXULONG;
}

/*
 * PASSIVE_LEVEL. STATUS_INVALID_PARAMETER when the text has another form.
 * Doc: wdm/nf-wdm-rtlguidfromstring
 */
NTSTATUS NTAPI RtlGUIDFromString(PUNICODE_STRING GuidString, GUID *Guid)
{
    RTL_IRQL_MAX(PASSIVE_LEVEL);
    static const CHAR Form[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
    UCHAR Bytes[16] = {0};
    ULONG Digits = 0;
    if (GuidString->Length != GUID_UNITS * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    for (ULONG i = 0; i < GUID_UNITS; i++) {
        ULONG Digit = RtlpGuidDigit(GuidString->Buffer[i]);
        if (Form[i] != 'x' ? GuidString->Buffer[i] != (WCHAR)Form[i] : Digit == MAXULONG)
            return STATUS_INVALID_PARAMETER;
        if (Form[i] == 'x') {
            Bytes[Digits / 2] |= (UCHAR)(Digit << (Digits % 2 ? 0 : 4));
            Digits++;
        }
    }
    Guid->Data1 = (ULONG)Bytes[0] << 24 | Bytes[1] << 16 | Bytes[2] << 8 | Bytes[3];
    Guid->Data2 = (USHORT)(Bytes[4] << 8 | Bytes[5]);
    Guid->Data3 = (USHORT)(Bytes[6] << 8 | Bytes[7]);
    RtlCopyMemory(Guid->Data4, Bytes + 8, 8);
    return STATUS_SUCCESS;
}
