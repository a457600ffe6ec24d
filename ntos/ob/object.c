/*
 * Objects: header and body, references, death.
 *
 * A body dies when its reference count reaches 0: at once at PASSIVE_LEVEL, else by a worker
 * (ObpState.Deferred is a stack of headers, linked by Next). A handle is a reference, and so is a
 * name in a directory.
 */
#include "ob/obp.h"

NTSTATUS ObpAllocateObject(POBJECT_TYPE Type, ULONG BodySize, OBJECT_HEADER_NT **Header)
{
    OBJECT_HEADER_NT *New =
        ExAllocatePoolWithTag(NonPagedPool, sizeof(*New) + (SIZE_T)BodySize, Type->Tag);
    KIRQL Irql;

    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(New, sizeof(*New) + BodySize);
    atomic_init(&New->PointerCount, 1);
    New->Type = Type;
    New->BodySize = BodySize;
    KeAcquireSpinLock(&Type->Lock, &Irql);
    InsertTailList(&Type->Objects, &New->TypeEntry);
    KeReleaseSpinLock(&Type->Lock, Irql);
    atomic_fetch_add(&Type->ObjectCount, 1);
    *Header = New;
    return STATUS_SUCCESS;
}

/* The body is zeroed. Attributes (kernel memory) are kept until ObInsertObject; their security
 * descriptor and quality of service must live until then. ProbeMode says only whether attributes of
 * the kernel are allowed. IRQL PASSIVE_LEVEL. Doc: ntifs/nf-ntifs-obcreateobject */
NTSTATUS NTAPI ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE Type,
                              POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE OwnershipMode,
                              PVOID ParseContext, ULONG BodySize, ULONG PagedCharge,
                              ULONG NonPagedCharge, PVOID *Object)
{
    OBP_CREATE_INFO *Info = ExAllocatePoolWithTag(PagedPool, sizeof(*Info), OBP_NAME_TAG);
    OBJECT_HEADER_NT *Header;
    NTSTATUS Status;

    VF_IRQL_MAX(APC_LEVEL);
    if (Info == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ObpDecodeAttributes(Attributes, ProbeMode, Info);
    if (!NT_SUCCESS(Status))
        goto FreeInfo;
    Info->ParseContext = ParseContext;
    Info->Mode = OwnershipMode;
    Status = ObpAllocateObject(Type, BodySize, &Header);
    if (!NT_SUCCESS(Status))
        goto FreeInfo;
    Header->Create = Info;
    Header->Attributes = Info->Attributes & (OBJ_PERMANENT | OBJ_EXCLUSIVE);
    Header->KernelObject = OwnershipMode == KernelMode;
    *Object = OBP_BODY(Header);
    return STATUS_SUCCESS;
FreeInfo:
    ObpReleaseAttributes(Info);
    ExFreePoolWithTag(Info, OBP_NAME_TAG);
    return Status;
}

static void ObpFreeObject(OBJECT_HEADER_NT *Header)
{
    POBJECT_TYPE Type = Header->Type;
    KIRQL Irql;

    if (Type->Procedures.Delete != NULL)
        Type->Procedures.Delete(OBP_BODY(Header));
    ObpFreeSecurity(Header);
    if (Header->Create != NULL) {
        ObpReleaseAttributes(Header->Create);
        ExFreePoolWithTag(Header->Create, OBP_NAME_TAG);
    }
    if (Header->Name.Buffer != NULL)
        ExFreePoolWithTag(Header->Name.Buffer, OBP_NAME_TAG);
    if (Header->Counts != NULL)
        ExFreePoolWithTag(Header->Counts, OBP_TABLE_TAG);
    KeAcquireSpinLock(&Type->Lock, &Irql);
    RemoveEntryList(&Header->TypeEntry);
    KeReleaseSpinLock(&Type->Lock, Irql);
    atomic_fetch_sub(&Type->ObjectCount, 1);
    ExFreePoolWithTag(Header, Type->Tag);
}

void ObpRunDeferred(void)
{
    OBJECT_HEADER_NT *Header, *Next;

    while ((Header = atomic_exchange(&ObpState.Deferred, NULL)) != NULL)
        for (; Header != NULL; Header = Next) {
            Next = Header->Next;
            ObpFreeObject(Header);
        }
}

/* Not in ObpState: the item may still be queued when ob ends and begins again. */
static struct {
    WORK_QUEUE_ITEM Item;
    atomic_bool Queued;
} ObpReaper;

static void NTAPI ObpDeferredWorker(PVOID Context)
{
    atomic_store(&ObpReaper.Queued, FALSE);
    if (!ExAcquireRundownProtection(&ObpState.DeferredRunning))
        return; /* ob ends, and deletes them itself */
    ObpRunDeferred();
    ExReleaseRundownProtection(&ObpState.DeferredRunning);
}

static void ObpDefer(OBJECT_HEADER_NT *Header)
{
    Header->Next = atomic_load(&ObpState.Deferred);
    while (!atomic_compare_exchange_weak(&ObpState.Deferred, &Header->Next, Header))
        continue;
    if (!atomic_exchange(&ObpReaper.Queued, TRUE)) {
        ExInitializeWorkItem(&ObpReaper.Item, ObpDeferredWorker, NULL);
        ExQueueWorkItem(&ObpReaper.Item, CriticalWorkQueue);
    }
}

static LONG_PTR ObpDereference(PVOID Object, BOOLEAN Defer)
{
    OBJECT_HEADER_NT *Header = ObHeader(Object);
    LONG_PTR Left = atomic_fetch_sub_explicit(&Header->PointerCount, 1, memory_order_acq_rel) - 1;

    if (Left > 0)
        return Left;
    if (Left < 0)
        VfBugCheck(REFERENCE_BY_POINTER, (ULONG_PTR)Header->Type, (ULONG_PTR)Object, 2,
                   (ULONG_PTR)Left,
                   "an object of type %S is dereferenced more often than it was referenced",
                   Header->Type->Name.Buffer);
    if (Defer || KeGetCurrentIrql() > PASSIVE_LEVEL)
        ObpDefer(Header);
    else
        ObpFreeObject(Header);
    return 0;
}

/* IRQL <= DISPATCH_LEVEL; the object must be alive: 0xC4/3F. Doc: wdm/nf-wdm-obfreferenceobject */
LONG_PTR FASTCALL ObfReferenceObject(PVOID Object)
{
    LONG_PTR Before;

    VF_IRQL_MAX(DISPATCH_LEVEL);
    Before = atomic_fetch_add_explicit(&ObHeader(Object)->PointerCount, 1, memory_order_relaxed);
    if (Before <= 0)
        VfBugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3F, (ULONG_PTR)Object,
                   (ULONG_PTR)Before + 1, 0,
                   "an object is referenced that nobody had a reference to");
    return Before + 1;
}

/* Doc: wdm/nf-wdm-obreferenceobjectwithtag. Tags are not recorded. */
LONG_PTR FASTCALL ObfReferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    return ObfReferenceObject(Object);
}

/* The last one deletes the object: at PASSIVE_LEVEL here and now, above by a worker. Too many: bug
 * check 0x18. IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-obdereferenceobject */
LONG_PTR FASTCALL ObfDereferenceObject(PVOID Object)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return ObpDereference(Object, FALSE);
}

/* Doc: wdm/nf-wdm-obdereferenceobjectwithtag */
LONG_PTR FASTCALL ObfDereferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return ObpDereference(Object, FALSE);
}

/* For callers who hold locks that the object's deletion would take. Doc:
 * wdm/nf-wdm-obdereferenceobjectdeferdelete */
VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    ObpDereference(Object, TRUE);
}

/* Doc: wdm/nf-wdm-obdereferenceobjectdeferdeletewithtag */
VOID NTAPI ObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    ObpDereference(Object, TRUE);
}

BOOLEAN ObpTryReference(OBJECT_HEADER_NT *Header)
{
    long Count = atomic_load_explicit(&Header->PointerCount, memory_order_relaxed);

    while (Count > 0)
        if (atomic_compare_exchange_weak_explicit(&Header->PointerCount, &Count, Count + 1,
                                                  memory_order_acquire, memory_order_relaxed))
            return TRUE;
    return FALSE;
}

/* FALSE: the object is being deleted. Doc: wdm/nf-wdm-obreferenceobjectsafe */
BOOLEAN NTAPI ObReferenceObjectSafe(PVOID Object)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    return ObpTryReference(ObHeader(Object));
}

/* Doc: ntifs/nf-ntifs-obgetobjectpointercount */
ULONG NTAPI ObGetObjectPointerCount(PVOID Object)
{
    return (ULONG)atomic_load(&ObHeader(Object)->PointerCount);
}

/* The type of an object; not referenced. */
POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object)
{
    return ObHeader(Object)->Type;
}

/* STATUS_OBJECT_TYPE_MISMATCH unless the object is of the given type (NULL: any, for kernel mode).
 * IRQL <= DISPATCH_LEVEL. Doc: wdm/nf-wdm-obreferenceobjectbypointer */
NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess,
                                          POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode)
{
    VF_IRQL_MAX(DISPATCH_LEVEL);
    if (ObHeader(Object)->Type != ObjectType && (AccessMode != KernelMode || ObjectType != NULL))
        return STATUS_OBJECT_TYPE_MISMATCH;
    ObfReferenceObject(Object);
    return STATUS_SUCCESS;
}

/* Doc: wdm/nf-wdm-obreferenceobjectbypointerwithtag */
NTSTATUS NTAPI ObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess,
                                                 POBJECT_TYPE ObjectType,
                                                 KPROCESSOR_MODE AccessMode, ULONG Tag)
{
    return ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode);
}

/* The object loses OBJ_PERMANENT, and its name if no handle is left. IRQL <= APC_LEVEL. Doc:
 * ntifs/nf-ntifs-obmaketemporaryobject */
VOID NTAPI ObMakeTemporaryObject(PVOID Object)
{
    VF_IRQL_MAX(APC_LEVEL);
    __atomic_fetch_and(&ObHeader(Object)->Attributes, ~OBJ_PERMANENT, __ATOMIC_RELAXED);
    ObpUnname(ObHeader(Object), TRUE);
}

NTSTATUS ObWaitObject_(PVOID Object, PVOID *Header)
{
    ULONG_PTR Offset = ObHeader(Object)->Type->WaitOffset;

    if (Offset == OB_NOT_WAITABLE)
        return STATUS_OBJECT_TYPE_MISMATCH;
    *Header = (PUCHAR)Object + Offset;
    return STATUS_SUCCESS;
}
