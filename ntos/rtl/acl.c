/* Access control lists: a header, and entries of several sizes behind each other. */
#include "rtlp.h"

#include <string.h>

#define LOWEST_ACL_REVISION 2
#define HIGHEST_ACL_REVISION 4

/* The entries with a mask and a SID right behind the header. */
typedef struct _RTLP_SIMPLE_ACE {
    ACE_HEADER Header;
    ACCESS_MASK Mask;
    ULONG SidStart;
} RTLP_SIMPLE_ACE;

#define SIMPLE_ACE_SIZE(Sid) (FIELD_OFFSET(RTLP_SIMPLE_ACE, SidStart) + RtlLengthSid(Sid))

/*
 * IRQL <= APC_LEVEL. STATUS_BUFFER_TOO_SMALL, or STATUS_INVALID_PARAMETER for an unknown revision
 * or a length that an ACL cannot have. Doc: ntifs/nf-ntifs-rtlcreateacl
 */
NTSTATUS NTAPI RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision)
{
    if (AclLength < sizeof(ACL))
        return STATUS_BUFFER_TOO_SMALL;
    if (AclRevision < LOWEST_ACL_REVISION || AclRevision > HIGHEST_ACL_REVISION ||
        AclLength > MAXUSHORT)
        return STATUS_INVALID_PARAMETER;
    *Acl = (ACL){.AclRevision = (UCHAR)AclRevision, .AclSize = (USHORT)(AclLength & ~3u)};
    return STATUS_SUCCESS;
}

/* FALSE when the entries do not fit their ACL; FirstFree is NULL when there is no room behind them.
 */
BOOLEAN NTAPI RtlFirstFreeAce(PACL Acl, PVOID *FirstFree)
{
    PUCHAR End = (PUCHAR)Acl + Acl->AclSize;
    PUCHAR At = (PUCHAR)(Acl + 1);
    *FirstFree = NULL;
    for (USHORT i = 0; i < Acl->AceCount; i++) {
        if (At + sizeof(ACE_HEADER) > End || ((PACE_HEADER)At)->AceSize < sizeof(ACE_HEADER))
            return FALSE;
        At += ((PACE_HEADER)At)->AceSize;
    }
    if (At > End)
        return FALSE;
    *FirstFree = At < End ? At : NULL;
    return TRUE;
}

/* Where the SID of an entry begins; 0 for the kinds whose inside nobody looks at. */
static ULONG RtlpSidOffset(PACE_HEADER Ace)
{
    ULONG Simple = FIELD_OFFSET(RTLP_SIMPLE_ACE, SidStart);
    if (Ace->AceType <= SYSTEM_ALARM_ACE_TYPE || Ace->AceType == SYSTEM_MANDATORY_LABEL_ACE_TYPE)
        return Simple;
    if (Ace->AceType < ACCESS_ALLOWED_OBJECT_ACE_TYPE ||
        Ace->AceType > SYSTEM_ALARM_OBJECT_ACE_TYPE)
        return 0;
    if (Ace->AceSize < Simple + sizeof(ULONG))
        return MAXUSHORT;
    ULONG Kinds = *(PULONG)((PUCHAR)Ace + Simple);
    return Simple + sizeof(ULONG) + __builtin_popcount(Kinds & 3) * sizeof(GUID);
}

static BOOLEAN RtlpValidAce(PACE_HEADER Ace, SIZE_T Room)
{
    if (Room < sizeof(ACE_HEADER) || Ace->AceSize < sizeof(ACE_HEADER) || Ace->AceSize > Room ||
        Ace->AceSize % sizeof(ULONG))
        return FALSE;
    ULONG Offset = RtlpSidOffset(Ace);
    if (!Offset)
        return TRUE;
    if (Ace->AceSize < Offset + RtlLengthRequiredSid(0))
        return FALSE;
    PSID Sid = (PUCHAR)Ace + Offset;
    return RtlValidSid(Sid) && Offset + RtlLengthSid(Sid) <= Ace->AceSize;
}

/* Do revision, sizes and SIDs hold? The caller vouches that AclSize bytes are readable. */
BOOLEAN NTAPI RtlValidAcl(PACL Acl)
{
    if (Acl->AclRevision < LOWEST_ACL_REVISION || Acl->AclRevision > HIGHEST_ACL_REVISION ||
        Acl->AclSize < sizeof(ACL) || Acl->AclSize % sizeof(ULONG))
        return FALSE;
    PUCHAR End = (PUCHAR)Acl + Acl->AclSize;
    PUCHAR At = (PUCHAR)(Acl + 1);
    for (USHORT i = 0; i < Acl->AceCount; i++) {
        if (!RtlpValidAce((PACE_HEADER)At, End - At))
            return FALSE;
        At += ((PACE_HEADER)At)->AceSize;
    }
    return TRUE;
}

/* STATUS_INVALID_PARAMETER when there is no such entry. Doc: ntifs/nf-ntifs-rtlgetace */
NTSTATUS NTAPI RtlGetAce(PACL Acl, ULONG AceIndex, PVOID *Ace)
{
    PUCHAR At = (PUCHAR)(Acl + 1);
    if (AceIndex >= Acl->AceCount || !RtlValidAcl(Acl))
        return STATUS_INVALID_PARAMETER;
    while (AceIndex--)
        At += ((PACE_HEADER)At)->AceSize;
    *Ace = At;
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_PARAMETER when there is no such entry. Doc: ntifs/nf-ntifs-rtldeleteace */
NTSTATUS NTAPI RtlDeleteAce(PACL Acl, ULONG AceIndex)
{
    PVOID Ace, FirstFree;
    NTSTATUS Status = RtlGetAce(Acl, AceIndex, &Ace);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlFirstFreeAce(Acl, &FirstFree);
    PUCHAR End = FirstFree ? FirstFree : (PUCHAR)Acl + Acl->AclSize;
    USHORT Size = ((PACE_HEADER)Ace)->AceSize;
    memmove(Ace, (PUCHAR)Ace + Size, End - (PUCHAR)Ace - Size);
    memset(End - Size, 0, Size);
    Acl->AceCount--;
    return STATUS_SUCCESS;
}

static BOOLEAN RtlpCountAces(PVOID List, ULONG Length, PULONG Count)
{
    PUCHAR At = List;
    for (*Count = 0; Length; ++*Count) {
        if (!RtlpValidAce((PACE_HEADER)At, Length))
            return FALSE;
        Length -= ((PACE_HEADER)At)->AceSize;
        At += ((PACE_HEADER)At)->AceSize;
    }
    return TRUE;
}

/*
 * Inserts a list of entries before the entry at StartingAceIndex (MAXULONG: behind all).
 * STATUS_INVALID_PARAMETER, STATUS_BUFFER_TOO_SMALL. Doc: ntifs/nf-ntifs-rtladdace
 */
NTSTATUS NTAPI RtlAddAce(PACL Acl, ULONG AceRevision, ULONG StartingAceIndex, PVOID AceList,
                         ULONG AceListLength)
{
    PVOID FirstFree;
    ULONG Count;
    if (!RtlValidAcl(Acl) || !RtlFirstFreeAce(Acl, &FirstFree) ||
        AceRevision > HIGHEST_ACL_REVISION || !RtlpCountAces(AceList, AceListLength, &Count))
        return STATUS_INVALID_PARAMETER;
    PUCHAR End = (PUCHAR)Acl + Acl->AclSize;
    PUCHAR Free = FirstFree ? FirstFree : End;
    if (AceListLength > (SIZE_T)(End - Free))
        return STATUS_BUFFER_TOO_SMALL;
    PUCHAR At = (PUCHAR)(Acl + 1);
    for (ULONG i = 0; i < StartingAceIndex && i < Acl->AceCount; i++)
        At += ((PACE_HEADER)At)->AceSize;
    memmove(At + AceListLength, At, Free - At);
    memcpy(At, AceList, AceListLength);
    Acl->AceCount += (USHORT)Count;
    Acl->AclRevision = max(Acl->AclRevision, (UCHAR)AceRevision);
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpAddSimpleAce(PACL Acl, ULONG Revision, ULONG Flags, ACCESS_MASK Mask, PSID Sid,
                                 UCHAR Type)
{
    PVOID FirstFree;
    if (!RtlValidSid(Sid))
        return STATUS_INVALID_SID;
    if (Acl->AclRevision > HIGHEST_ACL_REVISION || Revision > HIGHEST_ACL_REVISION)
        return STATUS_REVISION_MISMATCH;
    if (Flags & ~(ULONG)VALID_INHERIT_FLAGS)
        return STATUS_INVALID_PARAMETER;
    if (!RtlFirstFreeAce(Acl, &FirstFree))
        return STATUS_INVALID_ACL;
    SIZE_T Size = SIMPLE_ACE_SIZE(Sid);
    if (!FirstFree || Size > (SIZE_T)((PUCHAR)Acl + Acl->AclSize - (PUCHAR)FirstFree))
        return STATUS_ALLOTTED_SPACE_EXCEEDED;
    RTLP_SIMPLE_ACE *Ace = FirstFree;
    Ace->Header = (ACE_HEADER){Type, (UCHAR)Flags, (USHORT)Size};
    Ace->Mask = Mask;
    memcpy(&Ace->SidStart, Sid, RtlLengthSid(Sid));
    Acl->AceCount++;
    Acl->AclRevision = max(Acl->AclRevision, (UCHAR)Revision);
    return STATUS_SUCCESS;
}

/*
 * IRQL < DISPATCH_LEVEL. Appends. STATUS_ALLOTTED_SPACE_EXCEEDED, STATUS_INVALID_ACL,
 * STATUS_INVALID_SID, STATUS_REVISION_MISMATCH. Doc: ntifs/nf-ntifs-rtladdaccessallowedace
 */
NTSTATUS NTAPI RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlpAddSimpleAce(Acl, AceRevision, 0, AccessMask, Sid, ACCESS_ALLOWED_ACE_TYPE);
}

/* With inheritance flags: STATUS_INVALID_PARAMETER for others. Doc:
 * ntifs/nf-ntifs-rtladdaccessallowedaceex */
NTSTATUS NTAPI RtlAddAccessAllowedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
                                        ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlpAddSimpleAce(Acl, AceRevision, AceFlags, AccessMask, Sid, ACCESS_ALLOWED_ACE_TYPE);
}

/* As RtlAddAccessAllowedAce. */
NTSTATUS NTAPI RtlAddAccessDeniedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlpAddSimpleAce(Acl, AceRevision, 0, AccessMask, Sid, ACCESS_DENIED_ACE_TYPE);
}

/* As RtlAddAccessAllowedAceEx. */
NTSTATUS NTAPI RtlAddAccessDeniedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags,
                                       ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlpAddSimpleAce(Acl, AceRevision, AceFlags, AccessMask, Sid, ACCESS_DENIED_ACE_TYPE);
}
