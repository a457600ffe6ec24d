/*
 * ObRegisterCallbacks: drivers that are asked before handles to processes and threads are made, and
 * told after.
 *
 * The list stands in order of altitude, highest first. A call takes run-down protection of the
 * entries it needs, calls with nothing held, and gives the protection back after the
 * post-operation, so that unregistering waits for callbacks that run.
 */
#include "ob/obp.h"

#define OBP_FILTER_TAG 'lFbO'

typedef struct OBP_FILTER_ENTRY {
    POBJECT_TYPE Type;
    OB_OPERATION Operations;
    POB_PRE_OPERATION_CALLBACK Pre;
    POB_POST_OPERATION_CALLBACK Post;
    struct OBP_REGISTRATION *Registration;
} OBP_FILTER_ENTRY;

typedef struct OBP_REGISTRATION {
    LIST_ENTRY Link;
    UNICODE_STRING Altitude;
    PVOID Context;
    EX_RUNDOWN_REF Rundown;
    ULONG Count;
    OBP_FILTER_ENTRY Entries[];
} OBP_REGISTRATION;

static LONG ObpCompareDigits(PCWCH Left, ULONG LeftCount, PCWCH Right, ULONG RightCount)
{
    ULONG Index;

    for (Index = 0; Index < LeftCount || Index < RightCount; Index++) {
        LONG Difference =
            (Index < LeftCount ? Left[Index] : '0') - (Index < RightCount ? Right[Index] : '0');
        if (Difference != 0)
            return Difference;
    }
    return 0;
}

static void ObpSplitNumber(PCUNICODE_STRING Text, UNICODE_STRING *Whole, UNICODE_STRING *Fraction)
{
    USHORT Point = 0;

    *Whole = *Fraction = *Text;
    while (Whole->Length != 0 && Whole->Buffer[0] == L'0') {
        Whole->Buffer++;
        Whole->Length -= sizeof(WCHAR);
    }
    while (Point < Whole->Length / sizeof(WCHAR) && Whole->Buffer[Point] != L'.')
        Point++;
    Fraction->Buffer = Whole->Buffer + Point + 1;
    Fraction->Length =
        Whole->Length > Point * sizeof(WCHAR) ? Whole->Length - (Point + 1) * sizeof(WCHAR) : 0;
    Whole->Length = Point * sizeof(WCHAR);
}

LONG ObCompareAltitudes_(PCUNICODE_STRING Left, PCUNICODE_STRING Right)
{
    UNICODE_STRING LeftWhole, LeftPart, RightWhole, RightPart;
    LONG Result;

    ObpSplitNumber(Left, &LeftWhole, &LeftPart);
    ObpSplitNumber(Right, &RightWhole, &RightPart);
    if (LeftWhole.Length != RightWhole.Length)
        return LeftWhole.Length - RightWhole.Length;
    Result = ObpCompareDigits(LeftWhole.Buffer, LeftWhole.Length / sizeof(WCHAR), RightWhole.Buffer,
                              RightWhole.Length / sizeof(WCHAR));
    if (Result != 0)
        return Result;
    return ObpCompareDigits(LeftPart.Buffer, LeftPart.Length / sizeof(WCHAR), RightPart.Buffer,
                            RightPart.Length / sizeof(WCHAR));
}

static NTSTATUS ObpCheckRegistration(POB_CALLBACK_REGISTRATION Given)
{
    ULONG Index;

    if (Given == NULL || Given->Version != OB_FLT_REGISTRATION_VERSION ||
        Given->OperationRegistrationCount == 0 || Given->Altitude.Length == 0)
        return STATUS_INVALID_PARAMETER;
    if (Given->OperationRegistrationCount > OBP_FILTER_LIMIT)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (Index = 0; Index < Given->OperationRegistrationCount; Index++) {
        OB_OPERATION_REGISTRATION *Entry = &Given->OperationRegistration[Index];
        if (Entry->ObjectType == NULL || *Entry->ObjectType == NULL ||
            !(*Entry->ObjectType)->SupportsCallbacks)
            return STATUS_INVALID_PARAMETER;
        if (Entry->Operations == 0 || (Entry->Operations & ~(OB_OPERATION_HANDLE_CREATE |
                                                             OB_OPERATION_HANDLE_DUPLICATE)) != 0)
            return STATUS_INVALID_PARAMETER;
        if (Entry->PreOperation == NULL && Entry->PostOperation == NULL)
            return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static OBP_REGISTRATION *ObpCopyRegistration(POB_CALLBACK_REGISTRATION Given)
{
    ULONG Count = Given->OperationRegistrationCount, Index;
    OBP_REGISTRATION *New = ExAllocatePoolWithTag(
        NonPagedPool, sizeof(*New) + Count * sizeof(OBP_FILTER_ENTRY), OBP_FILTER_TAG);

    if (New == NULL)
        return NULL;
    if (!NT_SUCCESS(ObpCopyString(&Given->Altitude, &New->Altitude))) {
        ExFreePoolWithTag(New, OBP_FILTER_TAG);
        return NULL;
    }
    New->Context = Given->RegistrationContext;
    New->Count = Count;
    ExInitializeRundownProtection(&New->Rundown);
    for (Index = 0; Index < Count; Index++) {
        OB_OPERATION_REGISTRATION *Entry = &Given->OperationRegistration[Index];
        New->Entries[Index] = (OBP_FILTER_ENTRY){*Entry->ObjectType, Entry->Operations,
                                                 Entry->PreOperation, Entry->PostOperation, New};
    }
    return New;
}

static void ObpFreeRegistration(OBP_REGISTRATION *Registration)
{
    ExFreePoolWithTag(Registration->Altitude.Buffer, OBP_NAME_TAG);
    ExFreePoolWithTag(Registration, OBP_FILTER_TAG);
}

static NTSTATUS ObpInsertRegistration(OBP_REGISTRATION *New)
{
    PLIST_ENTRY Entry;
    NTSTATUS Status = STATUS_SUCCESS;
    LONG Order = 1;

    ExLockExclusive_(&ObpState.Callbacks);
    for (Entry = ObpState.CallbackList.Flink; Entry != &ObpState.CallbackList;
         Entry = Entry->Flink) {
        Order = ObCompareAltitudes_(&New->Altitude,
                                    &CONTAINING_RECORD(Entry, OBP_REGISTRATION, Link)->Altitude);
        if (Order >= 0)
            break;
    }
    if (Entry != &ObpState.CallbackList && Order == 0)
        Status = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
    else if (atomic_load(&ObpState.CallbackCount) + New->Count > OBP_FILTER_LIMIT)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    else {
        InsertTailList(Entry, &New->Link);
        atomic_fetch_add(&ObpState.CallbackCount, New->Count);
    }
    ExUnlockExclusive_(&ObpState.Callbacks);
    return Status;
}

static BOOLEAN ObpCallsInto(const OBP_REGISTRATION *Registration, ULONG_PTR Base, SIZE_T Bytes)
{
    for (ULONG Index = 0; Index < Registration->Count; Index++) {
        const OBP_FILTER_ENTRY *Entry = &Registration->Entries[Index];

        if ((ULONG_PTR)Entry->Pre - Base < Bytes || (ULONG_PTR)Entry->Post - Base < Bytes)
            return TRUE;
    }
    return FALSE;
}

/* A registration with a routine there; NULL: none. IRQL <= APC_LEVEL. */
PVOID ObFindCallbackInRange_(PVOID Base, SIZE_T Bytes)
{
    PVOID Found = NULL;

    ExLockShared_(&ObpState.Callbacks);
    for (PLIST_ENTRY Link = ObpState.CallbackList.Flink; Link != &ObpState.CallbackList && !Found;
         Link = Link->Flink) {
        OBP_REGISTRATION *Registration = CONTAINING_RECORD(Link, OBP_REGISTRATION, Link);

        if (ObpCallsInto(Registration, (ULONG_PTR)Base, Bytes))
            Found = Registration;
    }
    ExUnlockShared_(&ObpState.Callbacks);
    return Found;
}

/* STATUS_INVALID_PARAMETER, STATUS_FLT_INSTANCE_ALTITUDE_COLLISION, STATUS_INSUFFICIENT_RESOURCES.
 * IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-obregistercallbacks */
NTSTATUS NTAPI ObRegisterCallbacks(POB_CALLBACK_REGISTRATION CallbackRegistration,
                                   PVOID *RegistrationHandle)
{
    NTSTATUS Status = ObpCheckRegistration(CallbackRegistration);
    OBP_REGISTRATION *New;

    VF_IRQL_MAX(APC_LEVEL);
    if (!NT_SUCCESS(Status))
        return Status;
    New = ObpCopyRegistration(CallbackRegistration);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ObpInsertRegistration(New);
    if (!NT_SUCCESS(Status)) {
        ObpFreeRegistration(New);
        return Status;
    }
    *RegistrationHandle = New;
    return STATUS_SUCCESS;
}

/* Returns when no callback of the registration runs any more. IRQL <= APC_LEVEL. Doc:
 * wdm/nf-wdm-obunregistercallbacks */
VOID NTAPI ObUnRegisterCallbacks(PVOID RegistrationHandle)
{
    OBP_REGISTRATION *Registration = RegistrationHandle;

    VF_IRQL_MAX(APC_LEVEL);
    ExLockExclusive_(&ObpState.Callbacks);
    RemoveEntryList(&Registration->Link);
    atomic_fetch_sub(&ObpState.CallbackCount, Registration->Count);
    ExUnlockExclusive_(&ObpState.Callbacks);
    ExWaitForRundownProtectionRelease(&Registration->Rundown);
    ObpFreeRegistration(Registration);
}

/* Doc: wdm/nf-wdm-obgetfilterversion */
USHORT NTAPI ObGetFilterVersion(VOID)
{
    return OB_FLT_REGISTRATION_VERSION;
}

static void ObpCollect(OBP_FILTER_CALL *Call)
{
    POBJECT_TYPE Type = ObHeader(Call->Object)->Type;
    PLIST_ENTRY Link;
    ULONG Index;

    Call->Count = 0;
    ExLockShared_(&ObpState.Callbacks);
    for (Link = ObpState.CallbackList.Flink; Link != &ObpState.CallbackList; Link = Link->Flink) {
        OBP_REGISTRATION *Registration = CONTAINING_RECORD(Link, OBP_REGISTRATION, Link);
        for (Index = 0; Index < Registration->Count; Index++) {
            OBP_FILTER_ENTRY *Entry = &Registration->Entries[Index];
            if (Entry->Type == Type && (Entry->Operations & Call->Operation) != 0 &&
                ExAcquireRundownProtection(&Registration->Rundown))
                Call->Entries[Call->Count++] = Entry;
        }
    }
    ExUnlockShared_(&ObpState.Callbacks);
}

/* A callback can take rights away, not add any. */
ACCESS_MASK ObpFilterBefore(OBP_FILTER_CALL *Call)
{
    ACCESS_MASK Desired = Call->Desired;
    OB_PRE_OPERATION_PARAMETERS Parameters;
    ULONG Index;

    ObpCollect(Call);
    for (Index = 0; Index < Call->Count; Index++) {
        OBP_FILTER_ENTRY *Entry = Call->Entries[Index];
        OB_PRE_OPERATION_INFORMATION Information = {.Operation = Call->Operation,
                                                    .KernelHandle = Call->KernelHandle,
                                                    .Object = Call->Object,
                                                    .ObjectType = Entry->Type,
                                                    .Parameters = &Parameters};
        if (Entry->Pre == NULL)
            continue;
        Parameters.DuplicateHandleInformation = (OB_PRE_DUPLICATE_HANDLE_INFORMATION){
            Desired, Call->Desired, Call->SourceProcess, Call->TargetProcess};
        NT_CALL(Entry->Pre, Entry->Registration->Context, &Information);
        Desired &= Parameters.CreateHandleInformation.DesiredAccess;
        Call->Contexts[Index] = Information.CallContext;
    }
    return Desired;
}

void ObpFilterAfter(OBP_FILTER_CALL *Call, NTSTATUS Status, ACCESS_MASK Granted)
{
    OB_POST_OPERATION_PARAMETERS Parameters = {.CreateHandleInformation = {Granted}};
    ULONG Index;

    for (Index = Call->Count; Index-- > 0;) {
        OBP_FILTER_ENTRY *Entry = Call->Entries[Index];
        OB_POST_OPERATION_INFORMATION Information = {.Operation = Call->Operation,
                                                     .KernelHandle = Call->KernelHandle,
                                                     .Object = Call->Object,
                                                     .ObjectType = Entry->Type,
                                                     .CallContext = Call->Contexts[Index],
                                                     .ReturnStatus = Status,
                                                     .Parameters = &Parameters};
        if (Entry->Post != NULL)
            NT_CALL(Entry->Post, Entry->Registration->Context, &Information);
        ExReleaseRundownProtection(&Entry->Registration->Rundown);
    }
}
