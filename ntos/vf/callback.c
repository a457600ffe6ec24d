/*
 * Bug check callbacks of drivers. They run after the report is written, each record at most once,
 * so that a bad callback costs nothing but itself.
 *
 * There is no crash dump file: of the reasons, KbCallbackSecondaryDumpData and KbCallbackAddPages
 * are called as documented and what they hand over is only noted in the report; KbCallbackDumpIo is
 * told that the dump is complete.
 */
#include "vfp.h"

#include <string.h>

#define VF_SECONDARY_BYTES 4096

static struct {
    host_lock Lock;
    LIST_ENTRY Plain, Reason;
} VfCallbackState = {
    .Plain = {&VfCallbackState.Plain, &VfCallbackState.Plain},
    .Reason = {&VfCallbackState.Reason, &VfCallbackState.Reason},
};

static void VfLink(LIST_ENTRY *Head, LIST_ENTRY *Entry)
{
    Entry->Flink = Head;
    Entry->Blink = Head->Blink;
    Head->Blink->Flink = Entry;
    Head->Blink = Entry;
}

static void VfUnlink(LIST_ENTRY *Entry)
{
    Entry->Flink->Blink = Entry->Blink;
    Entry->Blink->Flink = Entry->Flink;
}

static ULONG_PTR VfChecksum(const void *Routine, const void *Buffer, ULONG_PTR Length,
                            const void *Component)
{
    return (ULONG_PTR)Routine + (ULONG_PTR)Buffer + Length + (ULONG_PTR)Component;
}

/*
 * Adds a routine that is called with Buffer and Length when the system stops. The record must have
 * been initialised and stays the system's until it is deregistered. FALSE: it is registered
 * already. Any IRQL. Doc: wdm/nf-wdm-keregisterbugcheckcallback
 */
BOOLEAN NTAPI KeRegisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord,
                                         PKBUGCHECK_CALLBACK_ROUTINE CallbackRoutine, PVOID Buffer,
                                         ULONG Length, PUCHAR Component)
{
    BOOLEAN Added = FALSE;

    host_lock_acquire(&VfCallbackState.Lock);
    if (CallbackRecord->State == BufferEmpty) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Buffer = Buffer;
        CallbackRecord->Length = Length;
        CallbackRecord->Component = Component;
        CallbackRecord->Checksum = VfChecksum(CallbackRoutine, Buffer, Length, Component);
        CallbackRecord->State = BufferInserted;
        VfLink(&VfCallbackState.Plain, &CallbackRecord->Entry);
        Added = TRUE;
    }
    host_lock_release(&VfCallbackState.Lock);
    return Added;
}

/* The two kinds of records keep their state at different places. */
static BOOLEAN VfDeregister(UCHAR *State, LIST_ENTRY *Entry)
{
    BOOLEAN Removed = FALSE;

    host_lock_acquire(&VfCallbackState.Lock);
    if (*State == BufferInserted) {
        *State = BufferEmpty;
        VfUnlink(Entry);
        Removed = TRUE;
    }
    host_lock_release(&VfCallbackState.Lock);
    return Removed;
}

/*
 * Takes a routine back. FALSE: the record is not registered.
 * Any IRQL. Doc: wdm/nf-wdm-kederegisterbugcheckcallback
 */
BOOLEAN NTAPI KeDeregisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord)
{
    return VfDeregister(&CallbackRecord->State, &CallbackRecord->Entry);
}

static BOOLEAN VfReasonIsKnown(KBUGCHECK_CALLBACK_REASON Reason)
{
    return Reason == KbCallbackSecondaryDumpData || Reason == KbCallbackDumpIo ||
           Reason == KbCallbackAddPages;
}

/*
 * Adds a routine that is called for one step of a crash. FALSE: the record is registered already,
 * or the reason is not one that this system has. Any IRQL. Doc:
 * wdm/nf-wdm-keregisterbugcheckreasoncallback
 */
BOOLEAN NTAPI KeRegisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord,
                                               PKBUGCHECK_REASON_CALLBACK_ROUTINE CallbackRoutine,
                                               KBUGCHECK_CALLBACK_REASON Reason, PUCHAR Component)
{
    BOOLEAN Added = FALSE;

    host_lock_acquire(&VfCallbackState.Lock);
    if (CallbackRecord->State == BufferEmpty && VfReasonIsKnown(Reason)) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Component = Component;
        CallbackRecord->Reason = Reason;
        CallbackRecord->Checksum = VfChecksum(CallbackRoutine, NULL, Reason, Component);
        CallbackRecord->State = BufferInserted;
        VfLink(&VfCallbackState.Reason, &CallbackRecord->Entry);
        Added = TRUE;
    }
    host_lock_release(&VfCallbackState.Lock);
    return Added;
}

/*
 * Takes a routine back. FALSE: the record is not registered.
 * Any IRQL. Doc: wdm/nf-wdm-kederegisterbugcheckreasoncallback
 */
BOOLEAN NTAPI KeDeregisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord)
{
    return VfDeregister(&CallbackRecord->State, &CallbackRecord->Entry);
}

static BOOLEAN VfInRange(const void *Address, const void *Base, SIZE_T Bytes)
{
    return (ULONG_PTR)Address - (ULONG_PTR)Base < Bytes;
}

/* A record that lies there, or whose routine does; NULL: none. */
PVOID VfFindBugCheckCallback(PVOID Base, SIZE_T Bytes)
{
    LIST_ENTRY *Plain = &VfCallbackState.Plain, *Reason = &VfCallbackState.Reason;
    PVOID Found = NULL;

    host_lock_acquire(&VfCallbackState.Lock);
    for (LIST_ENTRY *Entry = Plain->Flink; Entry != Plain && !Found; Entry = Entry->Flink) {
        KBUGCHECK_CALLBACK_RECORD *Record =
            CONTAINING_RECORD(Entry, KBUGCHECK_CALLBACK_RECORD, Entry);

        if (VfInRange(Record, Base, Bytes) || VfInRange(Record->CallbackRoutine, Base, Bytes))
            Found = Record;
    }
    for (LIST_ENTRY *Entry = Reason->Flink; Entry != Reason && !Found; Entry = Entry->Flink) {
        KBUGCHECK_REASON_CALLBACK_RECORD *Record =
            CONTAINING_RECORD(Entry, KBUGCHECK_REASON_CALLBACK_RECORD, Entry);

        if (VfInRange(Record, Base, Bytes) || VfInRange(Record->CallbackRoutine, Base, Bytes))
            Found = Record;
    }
    host_lock_release(&VfCallbackState.Lock);
    return Found;
}

static void VfRunPlain(PKBUGCHECK_CALLBACK_RECORD Record, void (*Put)(const char *Format, ...))
{
    if (Record->State != BufferInserted ||
        Record->Checksum != VfChecksum(Record->CallbackRoutine, Record->Buffer, Record->Length,
                                       Record->Component)) {
        Put("Bug check callback record %p is damaged: not called\n", (void *)Record);
        return;
    }
    Put("Bug check callback of %.64s\n", Record->Component ? (char *)Record->Component : "?");
    Record->State = BufferStarted;
    NT_CALL(Record->CallbackRoutine, Record->Buffer, Record->Length);
    Record->State = BufferFinished;
}

static void VfRunSecondary(PKBUGCHECK_REASON_CALLBACK_RECORD Record,
                           void (*Put)(const char *Format, ...))
{
    static ULONG64 Buffer[VF_SECONDARY_BYTES / sizeof(ULONG64)];
    KBUGCHECK_SECONDARY_DUMP_DATA Data = {
        .InBuffer = Buffer, .InBufferLength = sizeof(Buffer), .MaximumAllowed = sizeof(Buffer)};

    NT_CALL(Record->CallbackRoutine, KbCallbackSecondaryDumpData, Record, &Data, sizeof(Data));
    Put("    %u bytes of secondary dump data\n", Data.OutBuffer ? Data.OutBufferLength : 0);
}

static void VfRunAddPages(PKBUGCHECK_REASON_CALLBACK_RECORD Record, ULONG Code,
                          void (*Put)(const char *Format, ...))
{
    KBUGCHECK_ADD_PAGES Pages = {.BugCheckCode = Code};
    ULONG_PTR Count = 0;

    do {
        Pages.Flags = 0;
        Pages.Count = 0;
        NT_CALL(Record->CallbackRoutine, KbCallbackAddPages, Record, &Pages, sizeof(Pages));
        Count += Pages.Count;
    } while (Pages.Count && (Pages.Flags & KB_ADD_PAGES_FLAG_ADDITIONAL_RANGES_EXIST));
    Put("    %llu pages for a dump\n", (unsigned long long)Count);
}

static void VfRunReason(PKBUGCHECK_REASON_CALLBACK_RECORD Record, ULONG Code,
                        void (*Put)(const char *Format, ...))
{
    KBUGCHECK_DUMP_IO Io = {.Offset = MAXULONG64, .Type = KbDumpIoComplete};

    if (Record->State != BufferInserted ||
        Record->Checksum !=
            VfChecksum(Record->CallbackRoutine, NULL, Record->Reason, Record->Component)) {
        Put("Bug check callback record %p is damaged: not called\n", (void *)Record);
        return;
    }
    Put("Bug check callback of %.64s\n", Record->Component ? (char *)Record->Component : "?");
    Record->State = BufferStarted;
    if (Record->Reason == KbCallbackSecondaryDumpData)
        VfRunSecondary(Record, Put);
    else if (Record->Reason == KbCallbackAddPages)
        VfRunAddPages(Record, Code, Put);
    else
        NT_CALL(Record->CallbackRoutine, KbCallbackDumpIo, Record, &Io, sizeof(Io));
    Record->State = BufferFinished;
}

/* Without the lock: the thread that stopped may hold it. Damaged links end the walk. */
void VfRunBugCheckCallbacks(ULONG Code, void (*Put)(const char *Format, ...))
{
    LIST_ENTRY *Head = &VfCallbackState.Plain;

    for (LIST_ENTRY *Entry = Head->Flink; Entry != Head; Entry = Entry->Flink)
        VfRunPlain(CONTAINING_RECORD(Entry, KBUGCHECK_CALLBACK_RECORD, Entry), Put);
    Head = &VfCallbackState.Reason;
    for (LIST_ENTRY *Entry = Head->Flink; Entry != Head; Entry = Entry->Flink)
        VfRunReason(CONTAINING_RECORD(Entry, KBUGCHECK_REASON_CALLBACK_RECORD, Entry), Code, Put);
}

void VfForgetBugCheckCallbacks(void)
{
    VfCallbackState.Plain.Flink = VfCallbackState.Plain.Blink = &VfCallbackState.Plain;
    VfCallbackState.Reason.Flink = VfCallbackState.Reason.Blink = &VfCallbackState.Reason;
}
