/*
 * Privileges of tokens and access checks.
 */
#include "nt/capture.h"
#include <string.h>

#define PRIVILEGE_LIMIT 64u /* a token has fewer */

static LUID_AND_ATTRIBUTES *Find(SE_TOKEN *Token, const LUID *Luid)
{
    for (ULONG i = 0; i < Token->PrivilegeCount; i++)
        if (RtlEqualLuid(&Token->Privileges[i].Luid, Luid))
            return &Token->Privileges[i];
    return NULL;
}

/* What is to be, and what was: decided before anything changes. */
typedef struct ADJUSTMENT {
    ULONG Count, Missing;
    struct {
        LUID Luid;
        ULONG Was;
        BOOLEAN Enable;
    } Changes[PRIVILEGE_LIMIT];
} ADJUSTMENT;

static void Want(ADJUSTMENT *Adjustment, SE_TOKEN *Token, const LUID *Luid, BOOLEAN Enable)
{
    LUID_AND_ATTRIBUTES *Privilege = Find(Token, Luid);
    if (Privilege == NULL) {
        Adjustment->Missing++;
    } else if (((Privilege->Attributes & SE_PRIVILEGE_ENABLED) != 0) != Enable &&
               Adjustment->Count < PRIVILEGE_LIMIT) {
        Adjustment->Changes[Adjustment->Count].Luid = *Luid;
        Adjustment->Changes[Adjustment->Count].Was = Privilege->Attributes;
        Adjustment->Changes[Adjustment->Count++].Enable = Enable;
    }
}

static void Decide(ADJUSTMENT *Adjustment, SE_TOKEN *Token, const LUID_AND_ATTRIBUTES *Wanted,
                   ULONG Count)
{
    RtlZeroMemory(Adjustment, sizeof(*Adjustment));
    ExLockShared_(&Token->Lock);
    if (Wanted == NULL)
        for (ULONG i = 0; i < Token->PrivilegeCount; i++)
            Want(Adjustment, Token, &Token->Privileges[i].Luid, FALSE);
    for (ULONG i = 0; Wanted != NULL && i < Count; i++)
        Want(Adjustment, Token, &Wanted[i].Luid,
             (Wanted[i].Attributes & SE_PRIVILEGE_ENABLED) != 0);
    ExUnlockShared_(&Token->Lock);
}

static NTSTATUS Apply(const ADJUSTMENT *Adjustment, SE_TOKEN *Token)
{
    BOOLEAN Was;
    for (ULONG i = 0; i < Adjustment->Count; i++)
        SeAdjustPrivilege_(Token, &Adjustment->Changes[i].Luid, Adjustment->Changes[i].Enable,
                           &Was);
    return Adjustment->Missing != 0 ? STATUS_NOT_ALL_ASSIGNED : STATUS_SUCCESS;
}

/* The previous state goes out before the change: if it cannot be written nothing changes. */
static NTSTATUS Adjust(SE_TOKEN *Token, const LUID_AND_ATTRIBUTES *Wanted, ULONG Count,
                       ULONG Length, PVOID Previous, PULONG Returned)
{
    ADJUSTMENT Adjustment;
    NTP_OUTPUT Output;
    Decide(&Adjustment, Token, Wanted, Count);
    if (Previous == NULL)
        return Apply(&Adjustment, Token);
    ULONG Needed = FIELD_OFFSET(TOKEN_PRIVILEGES, Privileges) +
                   Adjustment.Count * (ULONG)sizeof(LUID_AND_ATTRIBUTES);
    NTSTATUS Status = NtpBeginOutput(&Output, NtpMode(), Previous, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Length < Needed)
        return NtpEndQuery(&Output, STATUS_BUFFER_TOO_SMALL, 0, Returned, Needed);
    PTOKEN_PRIVILEGES Out = Output.Buffer;
    Out->PrivilegeCount = Adjustment.Count;
    for (ULONG i = 0; i < Adjustment.Count; i++)
        Out->Privileges[i] =
            (LUID_AND_ATTRIBUTES){Adjustment.Changes[i].Luid, Adjustment.Changes[i].Was};
    Status = NtpEndQuery(&Output, STATUS_SUCCESS, Needed, Returned, Needed);
    return NT_SUCCESS(Status) ? Apply(&Adjustment, Token) : Status;
}

static NTSTATUS CapturePrivileges(PTOKEN_PRIVILEGES From, PVOID *Block, PULONG Count)
{
    NTSTATUS Status =
        NTP_READ(NtpMode(), *Count, NTP_MEMBER(TOKEN_PRIVILEGES, From, PrivilegeCount));
    if (NT_SUCCESS(Status) && *Count > PRIVILEGE_LIMIT)
        Status = STATUS_INVALID_PARAMETER;
    return NT_SUCCESS(Status)
               ? NtpCaptureBlock(NtpMode(), NTP_MEMBER(TOKEN_PRIVILEGES, From, Privileges),
                                 *Count * (ULONG)sizeof(LUID_AND_ATTRIBUTES), Block)
               : Status;
}

/* STATUS_NOT_ALL_ASSIGNED (a success): the token lacks some of them, the others are changed. Needs
 * TOKEN_ADJUST_PRIVILEGES, and TOKEN_QUERY for the previous state. Doc:
 * ntifs/nf-ntifs-ntadjustprivilegestoken */
NTSTATUS NTAPI NtAdjustPrivilegesToken(HANDLE Handle, BOOLEAN DisableAll,
                                       PTOKEN_PRIVILEGES NewState, ULONG Length,
                                       PTOKEN_PRIVILEGES Previous, PULONG Returned)
{
    KPROCESSOR_MODE Mode = NtpMode();
    SE_TOKEN *Token;
    PVOID Wanted = NULL;
    ULONG Count = 0;
    if (!DisableAll && NewState == NULL)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status =
        Previous != NULL ? NtpProbe(Mode, Returned, sizeof(*Returned)) : STATUS_SUCCESS;
    if (NT_SUCCESS(Status) && !DisableAll)
        Status = CapturePrivileges(NewState, &Wanted, &Count);
    if (NT_SUCCESS(Status))
        Status =
            NtpReference(Handle, TOKEN_ADJUST_PRIVILEGES | (Previous != NULL ? TOKEN_QUERY : 0),
                         SeTokenObjectType_, Mode, (PVOID *)&Token);
    if (NT_SUCCESS(Status)) {
        static const LUID_AND_ATTRIBUTES None;
        Status = Adjust(Token,
                        DisableAll   ? NULL
                        : Count == 0 ? &None
                                     : Wanted,
                        Count, Length, Previous, Returned);
        ObDereferenceObject(Token);
    }
    NtpReleaseBlock(Mode, Wanted);
    return Status;
}

static BOOLEAN CheckSet(SE_TOKEN *Token, PLUID_AND_ATTRIBUTES Set, ULONG Count, BOOLEAN All)
{
    ULONG Held = 0;
    ExLockShared_(&Token->Lock);
    for (ULONG i = 0; i < Count; i++) {
        LUID_AND_ATTRIBUTES *Privilege = Find(Token, &Set[i].Luid);
        Set[i].Attributes &= ~SE_PRIVILEGE_USED_FOR_ACCESS;
        if (Privilege != NULL && (Privilege->Attributes & SE_PRIVILEGE_ENABLED) != 0) {
            Set[i].Attributes |= SE_PRIVILEGE_USED_FOR_ACCESS;
            Held++;
        }
    }
    ExUnlockShared_(&Token->Lock);
    return All ? Held == Count : Held != 0;
}

/* Marks the privileges that are held in the caller's set. Needs TOKEN_QUERY. Doc:
 * ntifs/nf-ntifs-ntprivilegecheck */
NTSTATUS NTAPI NtPrivilegeCheck(HANDLE Handle, PPRIVILEGE_SET Required, PBOOLEAN Result)
{
    KPROCESSOR_MODE Mode = NtpMode();
    struct {
        ULONG Count, Control;
        LUID_AND_ATTRIBUTES Set[PRIVILEGE_LIMIT];
    } Captured;
    SE_TOKEN *Token;
    NTSTATUS Status = NtpRead(Mode, &Captured, Required, FIELD_OFFSET(PRIVILEGE_SET, Privilege));
    if (NT_SUCCESS(Status))
        Status = NtpProbe(Mode, Result, sizeof(*Result));
    if (NT_SUCCESS(Status) && Captured.Count > PRIVILEGE_LIMIT)
        Status = STATUS_INVALID_PARAMETER;
    ULONG Bytes = NT_SUCCESS(Status) ? Captured.Count * (ULONG)sizeof(LUID_AND_ATTRIBUTES) : 0;
    if (NT_SUCCESS(Status))
        Status = NtpRead(Mode, Captured.Set, NTP_MEMBER(PRIVILEGE_SET, Required, Privilege), Bytes);
    if (NT_SUCCESS(Status))
        Status = NtpReference(Handle, TOKEN_QUERY, SeTokenObjectType_, Mode, (PVOID *)&Token);
    if (!NT_SUCCESS(Status))
        return Status;
    BOOLEAN Held = FALSE;
    if (Token->Type == TokenImpersonation && Token->Level < SecurityIdentification)
        Status = STATUS_BAD_IMPERSONATION_LEVEL;
    else
        Held = CheckSet(Token, Captured.Set, Captured.Count,
                        (Captured.Control & PRIVILEGE_SET_ALL_NECESSARY) != 0);
    ObDereferenceObject(Token);
    if (NT_SUCCESS(Status))
        Status =
            NtpWrite(Mode, NTP_MEMBER(PRIVILEGE_SET, Required, Privilege), Captured.Set, Bytes);
    return NT_SUCCESS(Status) ? NTP_WRITE(Mode, Result, Held) : Status;
}

typedef struct CHECK {
    ACCESS_MASK Granted;
    NTSTATUS Status;
    PRIVILEGE_SET Privileges;
} CHECK;

static NTSTATUS Check(PSECURITY_DESCRIPTOR Descriptor, SE_TOKEN *Token, ACCESS_MASK Desired,
                      PGENERIC_MAPPING Mapping, CHECK *Result)
{
    /* SeAccessCheck wants impersonation; for this service identification is enough. */
    SECURITY_SUBJECT_CONTEXT Subject = {.ClientToken = Token,
                                        .ImpersonationLevel = SecurityImpersonation,
                                        .PrimaryToken = PsSelf()->Process->Token};
    PPRIVILEGE_SET Used = NULL;
    if (Token->Type != TokenImpersonation)
        return STATUS_NO_IMPERSONATION_TOKEN;
    if (Token->Level < SecurityIdentification)
        return STATUS_BAD_IMPERSONATION_LEVEL;
    RtlMapGenericMask(&Desired, Mapping);
    SeAccessCheck(Descriptor, &Subject, FALSE, Desired, 0, &Used, Mapping, UserMode,
                  &Result->Granted, &Result->Status);
    if (Used != NULL)
        SeFreePrivileges(Used);
    return STATUS_SUCCESS;
}

/* For a client's own objects. Token: an impersonation token, with TOKEN_QUERY. The privilege set
 * comes back empty. */
NTSTATUS NTAPI NtAccessCheck(PSECURITY_DESCRIPTOR Descriptor, HANDLE TokenHandle,
                             ACCESS_MASK Desired, PGENERIC_MAPPING Mapping,
                             PPRIVILEGE_SET Privileges, PULONG PrivilegesLength,
                             PACCESS_MASK Granted, PNTSTATUS AccessStatus)
{
    KPROCESSOR_MODE Mode = NtpMode();
    GENERIC_MAPPING Map;
    SE_TOKEN *Token;
    PVOID Copy = NULL;
    ULONG Length;
    CHECK Result = {0, STATUS_ACCESS_DENIED, {0}};
    NTSTATUS Status = NTP_READ(Mode, Map, Mapping);
    if (NT_SUCCESS(Status))
        Status = NTP_READ(Mode, Length, PrivilegesLength);
    if (NT_SUCCESS(Status) && Length < sizeof(PRIVILEGE_SET))
        Status = STATUS_BUFFER_TOO_SMALL;
    if (NT_SUCCESS(Status))
        Status = NtpReference(TokenHandle, TOKEN_QUERY, SeTokenObjectType_, Mode, (PVOID *)&Token);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Mode != KernelMode)
        Status = NtpCaptureSecurity(Descriptor, &Copy);
    if (NT_SUCCESS(Status))
        Status = Check(Copy != NULL ? Copy : Descriptor, Token, Desired, &Map, &Result);
    ObDereferenceObject(Token);
    if (Copy != NULL)
        ExFreePoolWithTag(Copy, NTP_TAG);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE(Mode, Privileges, Result.Privileges);
    if (NT_SUCCESS(Status))
        Status = NTP_WRITE(Mode, Granted, Result.Granted);
    return NT_SUCCESS(Status) ? NTP_WRITE(Mode, AccessStatus, Result.Status) : Status;
}
