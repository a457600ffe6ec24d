/*
 * Names of objects.
 */
#include "ob/obp.h"

/* Under ObpState.Names: bytes of the full path; FALSE for an object without a name. */
static BOOLEAN ObpPathLength(PVOID Object, ULONG *Bytes)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);

    *Bytes = sizeof(WCHAR);
    if (Object == ObpState.Root)
        return TRUE;
    if (Header->Directory == NULL)
        return FALSE;
    for (*Bytes = 0; Header->Directory != NULL; Header = ObHeader(Header->Directory))
        *Bytes += Header->Name.Length + sizeof(WCHAR);
    return TRUE;
}

static void ObpWritePath(PVOID Object, PWCH Buffer, ULONG Bytes)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);
    PUCHAR End = (PUCHAR)Buffer + Bytes;

    *(PWCH)End = 0;
    if (Object == ObpState.Root)
        Buffer[0] = L'\\';
    for (; Header->Directory != NULL; Header = ObHeader(Header->Directory)) {
        End -= Header->Name.Length;
        RtlCopyMemory(End, Header->Name.Buffer, Header->Name.Length);
        End -= sizeof(WCHAR);
        *(PWCH)End = L'\\';
    }
}

static NTSTATUS ObpQueryPath(PVOID Object, POBJECT_NAME_INFORMATION Information, ULONG Length,
                             PULONG ReturnLength)
{
    ULONG Bytes, Needed = sizeof(OBJECT_NAME_INFORMATION);
    NTSTATUS Status = STATUS_SUCCESS;
    BOOLEAN Named;

    ExLockShared_(&ObpState.Names);
    Named = ObpPathLength(Object, &Bytes);
    if (Named)
        Needed += Bytes + sizeof(WCHAR);
    if (Length < Needed || Information == NULL) {
        Status = STATUS_INFO_LENGTH_MISMATCH;
    } else if (Bytes > UNICODE_STRING_MAX_BYTES - sizeof(WCHAR)) {
        Status = STATUS_NAME_TOO_LONG;
    } else if (Named) {
        Information->Name.Buffer = (PWCH)(Information + 1);
        Information->Name.Length = (USHORT)Bytes;
        Information->Name.MaximumLength = (USHORT)(Bytes + sizeof(WCHAR));
        ObpWritePath(Object, Information->Name.Buffer, Bytes);
    } else {
        Information->Name = (UNICODE_STRING){0};
    }
    ExUnlockShared_(&ObpState.Names);
    *ReturnLength = Needed;
    return Status;
}

/* The full path, terminated, behind the structure; an empty string for an unnamed object.
 * STATUS_INFO_LENGTH_MISMATCH with the needed length. IRQL <= APC_LEVEL. Doc:
 * ntifs/nf-ntifs-obquerynamestring */
NTSTATUS NTAPI ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION ObjectNameInfo,
                                 ULONG Length, PULONG ReturnLength)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);

    VF_IRQL_MAX(APC_LEVEL);
    if (Header->Type->Procedures.QueryName != NULL)
        return Header->Type->Procedures.QueryName(Object, Header->Directory != NULL, ObjectNameInfo,
                                                  Length, ReturnLength, KernelMode);
    return ObpQueryPath(Object, ObjectNameInfo, Length, ReturnLength);
}
