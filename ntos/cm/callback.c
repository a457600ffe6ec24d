/*
 * Registry callbacks: drivers that are asked before operations on keys and told after.
 *
 * The list stands in order of altitude, highest first; those registered without one come last. A
 * callback is protected from unregistering while an operation is between its two calls.
 */
#include "cm/cmp.h"

typedef struct CMP_CALLBACK {
    LIST_ENTRY Link;
    PEX_CALLBACK_FUNCTION Function;
    PVOID Context;
    LARGE_INTEGER Cookie;
    UNICODE_STRING Altitude;
    EX_RUNDOWN_REF Rundown;
} CMP_CALLBACK;

#define CMP_CALLBACK_LIMIT 16

static NTSTATUS CmpInsertCallback(CMP_CALLBACK *New)
{
    PLIST_ENTRY Entry;
    NTSTATUS Status = STATUS_SUCCESS;
    LONG Order = 1;

    ExLockExclusive_(&CmpState.CallbackLock);
    for (Entry = CmpState.Callbacks.Flink;
         New->Altitude.Length != 0 && Entry != &CmpState.Callbacks; Entry = Entry->Flink) {
        CMP_CALLBACK *Other = CONTAINING_RECORD(Entry, CMP_CALLBACK, Link);
        Order =
            Other->Altitude.Length == 0 ? 1 : ObCompareAltitudes_(&New->Altitude, &Other->Altitude);
        if (Order >= 0)
            break;
    }
    if (New->Altitude.Length == 0)
        Entry = &CmpState.Callbacks;
    if (Order == 0)
        Status = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
    else if (atomic_load(&CmpState.CallbackCount) == CMP_CALLBACK_LIMIT)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    else {
        New->Cookie.QuadPart = ++CmpState.NextCookie;
        InsertTailList(Entry, &New->Link);
        atomic_fetch_add(&CmpState.CallbackCount, 1);
    }
    ExUnlockExclusive_(&CmpState.CallbackLock);
    return Status;
}

static NTSTATUS CmpRegister(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude,
                            PVOID Context, PLARGE_INTEGER Cookie)
{
    USHORT Length = Altitude != NULL ? Altitude->Length : 0;
    CMP_CALLBACK *New = ExAllocatePoolWithTag(NonPagedPool, sizeof(*New) + Length, CMP_TAG);
    NTSTATUS Status;

    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *New = (CMP_CALLBACK){
        .Function = Function, .Context = Context, .Altitude = {Length, Length, (PWCH)(New + 1)}};
    if (Length != 0)
        RtlCopyMemory(New->Altitude.Buffer, Altitude->Buffer, Length);
    ExInitializeRundownProtection(&New->Rundown);
    Status = CmpInsertCallback(New);
    if (NT_SUCCESS(Status))
        *Cookie = New->Cookie;
    else
        ExFreePoolWithTag(New, CMP_TAG);
    return Status;
}

/* IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-cmregistercallback */
NTSTATUS NTAPI CmRegisterCallback(PEX_CALLBACK_FUNCTION Function, PVOID Context,
                                  PLARGE_INTEGER Cookie)
{
    VF_IRQL_MAX(APC_LEVEL);
    return CmpRegister(Function, NULL, Context, Cookie);
}

/* STATUS_FLT_INSTANCE_ALTITUDE_COLLISION, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER.
 * IRQL <= APC_LEVEL. Doc: wdm/nf-wdm-cmregistercallbackex */
NTSTATUS NTAPI CmRegisterCallbackEx(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude,
                                    PVOID Driver, PVOID Context, PLARGE_INTEGER Cookie,
                                    PVOID Reserved)
{
    VF_IRQL_MAX(APC_LEVEL);
    if (Altitude == NULL || Altitude->Length == 0 || Driver == NULL)
        return STATUS_INVALID_PARAMETER;
    return CmpRegister(Function, Altitude, Context, Cookie);
}

static void CmpCleanContext(CMP_CALLBACK *Callback, CM_KEY *Key, CMP_CONTEXT *Context)
{
    REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION Information = {.Object = Key,
                                                            .ObjectContext = Context->Context};

    NT_CALL(Callback->Function, Callback->Context,
            (PVOID)(ULONG_PTR)RegNtCallbackObjectContextCleanup, &Information);
}

static CMP_CALLBACK *CmpFindCallback(LARGE_INTEGER Cookie)
{
    PLIST_ENTRY Entry;

    for (Entry = CmpState.Callbacks.Flink; Entry != &CmpState.Callbacks; Entry = Entry->Flink)
        if (CONTAINING_RECORD(Entry, CMP_CALLBACK, Link)->Cookie.QuadPart == Cookie.QuadPart)
            return CONTAINING_RECORD(Entry, CMP_CALLBACK, Link);
    return NULL;
}

/* The key object dies: the callbacks give their contexts for it back. */
void CmpDropContexts(CM_KEY *Key, LARGE_INTEGER *Cookie)
{
    for (;;) {
        CMP_CALLBACK *Callback = NULL;
        CMP_CONTEXT *Context = NULL;

        ExLockExclusive_(&CmpState.CallbackLock);
        if (!IsListEmpty(&Key->Contexts)) {
            Context = CONTAINING_RECORD(RemoveHeadList(&Key->Contexts), CMP_CONTEXT, Link);
            Callback = CmpFindCallback(Context->Cookie);
            if (Callback != NULL && !ExAcquireRundownProtection(&Callback->Rundown))
                Callback = NULL;
        }
        ExUnlockExclusive_(&CmpState.CallbackLock);
        if (Context == NULL)
            return;
        if (Callback != NULL) {
            CmpCleanContext(Callback, Key, Context);
            ExReleaseRundownProtection(&Callback->Rundown);
        }
        ExFreePoolWithTag(Context, CMP_TAG);
    }
}

/* Returns when the callback does not run any more. Contexts that it set on key objects stay with
 * it: they are not given back later. STATUS_INVALID_PARAMETER: no such cookie. IRQL <= APC_LEVEL.
 * Doc: wdm/nf-wdm-cmunregistercallback */
NTSTATUS NTAPI CmUnRegisterCallback(LARGE_INTEGER Cookie)
{
    CMP_CALLBACK *Callback;

    VF_IRQL_MAX(APC_LEVEL);
    ExLockExclusive_(&CmpState.CallbackLock);
    Callback = CmpFindCallback(Cookie);
    if (Callback != NULL) {
        RemoveEntryList(&Callback->Link);
        atomic_fetch_sub(&CmpState.CallbackCount, 1);
    }
    ExUnlockExclusive_(&CmpState.CallbackLock);
    if (Callback == NULL)
        return STATUS_INVALID_PARAMETER;
    ExWaitForRundownProtectionRelease(&Callback->Rundown);
    ExFreePoolWithTag(Callback, CMP_TAG);
    return STATUS_SUCCESS;
}

/* A callback whose function lies there; NULL: none. IRQL <= APC_LEVEL. */
PVOID CmFindCallbackInRange_(PVOID Base, SIZE_T Bytes)
{
    PVOID Found = NULL;

    ExLockShared_(&CmpState.CallbackLock);
    for (PLIST_ENTRY Entry = CmpState.Callbacks.Flink; Entry != &CmpState.Callbacks && !Found;
         Entry = Entry->Flink) {
        CMP_CALLBACK *Callback = CONTAINING_RECORD(Entry, CMP_CALLBACK, Link);

        if ((ULONG_PTR)Callback->Function - (ULONG_PTR)Base < Bytes)
            Found = Callback;
    }
    ExUnlockShared_(&CmpState.CallbackLock);
    return Found;
}

/* Doc: wdm/nf-wdm-cmgetcallbackversion */
VOID NTAPI CmGetCallbackVersion(PULONG Major, PULONG Minor)
{
    if (Major != NULL)
        *Major = 1;
    if (Minor != NULL)
        *Minor = 1;
}

static CMP_CONTEXT *CmpFindContext(CM_KEY *Key, LARGE_INTEGER Cookie)
{
    PLIST_ENTRY Entry;

    for (Entry = Key->Contexts.Flink; Entry != &Key->Contexts; Entry = Entry->Flink)
        if (CONTAINING_RECORD(Entry, CMP_CONTEXT, Link)->Cookie.QuadPart == Cookie.QuadPart)
            return CONTAINING_RECORD(Entry, CMP_CONTEXT, Link);
    return NULL;
}

/* What the callback's later calls for this key object find as ObjectContext. Doc:
 * wdm/nf-wdm-cmsetcallbackobjectcontext */
NTSTATUS NTAPI CmSetCallbackObjectContext(PVOID Object, PLARGE_INTEGER Cookie, PVOID NewContext,
                                          PVOID *OldContext)
{
    CMP_CONTEXT *New = ExAllocatePoolWithTag(PagedPool, sizeof(*New), CMP_TAG), *Context;
    CM_KEY *Key = Object;

    VF_IRQL_MAX(APC_LEVEL);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExLockExclusive_(&CmpState.CallbackLock);
    Context = CmpFindContext(Key, *Cookie);
    if (OldContext != NULL)
        *OldContext = Context != NULL ? Context->Context : NULL;
    if (Context != NULL) {
        Context->Context = NewContext;
    } else {
        *New = (CMP_CONTEXT){.Cookie = *Cookie, .Context = NewContext};
        InsertTailList(&Key->Contexts, &New->Link);
        New = NULL;
    }
    ExUnlockExclusive_(&CmpState.CallbackLock);
    if (New != NULL)
        ExFreePoolWithTag(New, CMP_TAG);
    return STATUS_SUCCESS;
}

/* ---- calling ---- */

static void CmpCollect(CMP_CALL *Call)
{
    PLIST_ENTRY Entry;

    Call->Count = 0;
    ExLockShared_(&CmpState.CallbackLock);
    for (Entry = CmpState.Callbacks.Flink; Entry != &CmpState.Callbacks; Entry = Entry->Flink) {
        CMP_CALLBACK *Callback = CONTAINING_RECORD(Entry, CMP_CALLBACK, Link);
        if (ExAcquireRundownProtection(&Callback->Rundown))
            Call->Callbacks[Call->Count++] = Callback;
    }
    ExUnlockShared_(&CmpState.CallbackLock);
}

static PVOID CmpContextOf(PVOID Object, CMP_CALLBACK *Callback)
{
    CMP_CONTEXT *Context = NULL;
    PVOID Result = NULL;

    if (Object == NULL)
        return NULL;
    ExLockShared_(&CmpState.CallbackLock);
    Context = CmpFindContext(Object, Callback->Cookie);
    if (Context != NULL)
        Result = Context->Context;
    ExUnlockShared_(&CmpState.CallbackLock);
    return Result;
}

/* A callback that fails ends the operation: those below it are not asked, and only those that were
 * asked are told. */
NTSTATUS CmpBefore(CMP_CALL *Call, REG_NOTIFY_CLASS Class)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Index;

    CmpCollect(Call);
    for (Index = 0; Index < Call->Count && NT_SUCCESS(Status); Index++) {
        CMP_CALLBACK *Callback = Call->Callbacks[Index];
        *Call->CallContext = NULL;
        *Call->ObjectContext = CmpContextOf(Call->Object, Callback);
        Status = NT_CALL(Callback->Function, Callback->Context, (PVOID)(ULONG_PTR)Class,
                         Call->Information);
        Call->Contexts[Index] = *Call->CallContext;
    }
    while (Call->Count > Index)
        ExReleaseRundownProtection(&Call->Callbacks[--Call->Count]->Rundown);
    return NT_SUCCESS(Status) ? STATUS_SUCCESS : Status;
}

/* The operation's final status: a callback may change it in a post-notification. */
NTSTATUS CmpAfter(CMP_CALL *Call, NTSTATUS Status)
{
    REG_POST_OPERATION_INFORMATION Information = {.Object = Call->Object,
                                                  .PreInformation = Call->Information};

    if (Status == STATUS_CALLBACK_BYPASS)
        Status = STATUS_SUCCESS;
    while (Call->Count != 0) {
        CMP_CALLBACK *Callback = Call->Callbacks[--Call->Count];
        NTSTATUS Answer;
        Information.Status = Information.ReturnStatus = Status;
        Information.CallContext = Call->Contexts[Call->Count];
        Information.ObjectContext = CmpContextOf(Call->Object, Callback);
        Answer = NT_CALL(Callback->Function, Callback->Context, (PVOID)(ULONG_PTR)Call->Post,
                         &Information);
        if (Answer == STATUS_CALLBACK_BYPASS)
            Status = Information.ReturnStatus;
        ExReleaseRundownProtection(&Callback->Rundown);
    }
    return Status;
}

/* ---- names of key objects ---- */

/* The full name, valid until the key object goes (ObjectName), and a number that is the same for
 * every object of the key. Doc: wdm/nf-wdm-cmcallbackgetkeyobjectid */
NTSTATUS NTAPI CmCallbackGetKeyObjectID(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID,
                                        PCUNICODE_STRING *ObjectName)
{
    CM_KEY *Key = Object;
    UNICODE_STRING Path = {0};
    NTSTATUS Status = STATUS_SUCCESS;

    VF_IRQL_MAX(APC_LEVEL);
    if (Object == NULL || ObHeader(Object)->Type != CmKeyObjectType_)
        return STATUS_INVALID_PARAMETER;
    if (ObjectID != NULL)
        *ObjectID = (ULONG_PTR)Key->Node;
    if (ObjectName == NULL)
        return STATUS_SUCCESS;
    ExLockExclusive_(&CmpState.CallbackLock);
    if (Key->IdName.Buffer == NULL) {
        Status = CmpMakePath(Key->Node, &Path);
        if (NT_SUCCESS(Status))
            Key->IdName = Path;
    }
    ExUnlockExclusive_(&CmpState.CallbackLock);
    *ObjectName = &Key->IdName;
    return Status;
}

/* The caller gives ObjectName back with CmCallbackReleaseKeyObjectIDEx. Doc:
 * wdm/nf-wdm-cmcallbackgetkeyobjectidex */
NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID,
                                          PCUNICODE_STRING *ObjectName, ULONG Flags)
{
    UNICODE_STRING Path, *Name;
    NTSTATUS Status;

    VF_IRQL_MAX(APC_LEVEL);
    if (Object == NULL || ObHeader(Object)->Type != CmKeyObjectType_ || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    if (ObjectID != NULL)
        *ObjectID = (ULONG_PTR)CmpNode(Object);
    if (ObjectName == NULL)
        return STATUS_SUCCESS;
    Status = CmpMakePath(CmpNode(Object), &Path);
    if (!NT_SUCCESS(Status))
        return Status;
    Name = ExAllocatePoolWithTag(PagedPool, sizeof(*Name) + Path.MaximumLength, CMP_TAG);
    if (Name != NULL) {
        *Name = (UNICODE_STRING){Path.Length, Path.MaximumLength, (PWCH)(Name + 1)};
        RtlCopyMemory(Name->Buffer, Path.Buffer, Path.MaximumLength);
        *ObjectName = Name;
    }
    ExFreePoolWithTag(Path.Buffer, CMP_TAG);
    return Name != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* Doc: wdm/nf-wdm-cmcallbackreleasekeyobjectidex */
VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName)
{
    ExFreePoolWithTag((PVOID)ObjectName, CMP_TAG);
}

/* There are no transactions. Doc: wdm/nf-wdm-cmgetboundtransaction */
PVOID NTAPI CmGetBoundTransaction(PLARGE_INTEGER Cookie, PVOID Object)
{
    return NULL;
}
