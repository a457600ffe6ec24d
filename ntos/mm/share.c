/*
 * Moving frames: pages of RAM that a client is to see get a memory file of their own, so that the
 * client can be given a descriptor that leads to them and to nothing else. When the last mapping
 * has gone they move back.
 *
 * A move: the frames' mappings in this process become read-only, the bytes are copied, the mappings
 * are switched. Who writes meanwhile faults, waits until the move is over, and repeats. Nothing
 * that a writer could hold is taken during a move but the locks of mm, and mm does not write to
 * pages of others.
 */
#include "mi.h"

#include <stdlib.h>

typedef struct MI_SHARE {
    int File;
    SIZE_T Live; /* frames that are still there */
} MI_SHARE;

static struct {
    MI_LOCK Lock;
    atomic_uint Moving;
    atomic_size_t Frames;
} MiShares;

void MiInitShares(void)
{
    MiShares.Moving = 0;
    MiShares.Frames = 0;
}

void MiShutdownShares(void)
{
    NT_ASSERT(!MiShares.Frames);
}

SIZE_T MiSharedFrames(void)
{
    return MiShares.Frames;
}

/* Where a frame's bytes lie now. FALSE: no such frame. */
BOOLEAN MmFrameFile(PFN_NUMBER Number, int *File, ULONG64 *Offset)
{
    MI_FRAME *Frame = MiFrameOf(Number);
    MI_BANK *Bank = MiBankOf(Number);

    if (!Frame)
        return MiDeviceFile(Number, File, Offset);
    if (Frame->Share) {
        *File = Frame->Share->File;
        *Offset = (ULONG64)Frame->ShareIndex << PAGE_SHIFT;
    } else {
        *File = Bank->Bank.File;
        *Offset = (ULONG64)(Number - Bank->Bank.First) << PAGE_SHIFT;
    }
    return TRUE;
}

#define MI_REPEATS 1000

/* A write to a page that our tables call writable: it was moving, or is. Not for ever, in case they
 * are wrong. */
BOOLEAN MiClaimMove(const struct host_fault *Fault)
{
    static _Thread_local struct {
        void *Address;
        ULONG Count;
    } Last __attribute__((tls_model("initial-exec")));
    MM_PTE Pte;

    if (Fault->kind != HOST_FAULT_MEMORY || !Fault->write || !MmIsSystemAddress(Fault->address))
        return FALSE;
    if (!MiTranslateIn(MiSystemDirectory, (ULONG_PTR)Fault->address, &Pte) ||
        !(Pte.Value & MI_PTE_WRITE))
        return FALSE;
    Last.Count = Last.Address == Fault->address ? Last.Count + 1 : 0;
    Last.Address = Fault->address;
    if (Last.Count > MI_REPEATS)
        return FALSE;
    while (MiShares.Moving)
        host_yield();
    return TRUE;
}

#if MI_THREAD_SANITIZER
void AnnotateIgnoreWritesBegin(const char *File, int Line);
void AnnotateIgnoreWritesEnd(const char *File, int Line);
#else
#define AnnotateIgnoreWritesBegin(File, Line) ((void)0)
#define AnnotateIgnoreWritesEnd(File, Line) ((void)0)
#endif

/* Nobody's data changes by it, though a sanitizer takes a new mapping for a write. */
static BOOLEAN MiMoveSystemFrames(PFN_NUMBER First, SIZE_T Count, MI_MOVE_STEP Step)
{
    BOOLEAN Done = TRUE;

    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    for (SIZE_T i = 0; i < Count; i++)
        Done &= MiMoveSystemFrame(First + i, Step);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    return Done;
}

static BOOLEAN MiProtectDirect(PFN_NUMBER First, SIZE_T Count, int Protection)
{
    return host_protect(MmFrameAddress(First), Count << PAGE_SHIFT, Protection) == 0;
}

/* The same holds here. */
static BOOLEAN MiMapDirect(PFN_NUMBER First, SIZE_T Count, int File, ULONG64 Offset)
{
    BOOLEAN Done;

    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    Done = host_map(MmFrameAddress(First), Count << PAGE_SHIFT, File, Offset,
                    HOST_READ | HOST_WRITE) == 0;
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    return Done;
}

static void MiSetShare(PFN_NUMBER First, SIZE_T Count, MI_SHARE *Share, ULONG64 Offset)
{
    for (SIZE_T i = 0; i < Count; i++) {
        MiRam.Frames[First + i].Share = Share;
        MiRam.Frames[First + i].ShareIndex = (ULONG)(Offset >> PAGE_SHIFT) + (ULONG)i;
    }
}

/* Every mapping of the frames follows them to File. FALSE: all is as it was. */
static BOOLEAN MiSwitchRun(PFN_NUMBER First, SIZE_T Count, int File, ULONG64 Offset,
                           MI_SHARE *Share)
{
    MI_SHARE *OldShare = MiRam.Frames[First].Share;
    ULONG64 OldOffset;
    int OldFile;

    MmFrameFile(First, &OldFile, &OldOffset);
    if (!MiMapDirect(First, Count, File, Offset))
        return FALSE;
    MiSetShare(First, Count, Share, Offset);
    if (MiMoveSystemFrames(First, Count, MiRemap))
        return TRUE;
    MiSetShare(First, Count, OldShare, OldOffset);
    NT_ASSERT(MiMapDirect(First, Count, OldFile, OldOffset)); /* it cuts nothing */
    MiMoveSystemFrames(First, Count, MiRemap);                /* those that had followed */
    return FALSE;
}

/* A run of consecutive frames goes to File at Offset. FALSE: Linux refused; nothing has moved. */
static BOOLEAN MiMoveRun(PFN_NUMBER First, SIZE_T Count, int File, ULONG64 Offset, MI_SHARE *Share)
{
    BOOLEAN Done;

    MiShares.Moving++;
    Done = MiProtectDirect(First, Count, HOST_READ) && MiMoveSystemFrames(First, Count, MiFreeze) &&
           host_write_at(File, MmFrameAddress(First), Count << PAGE_SHIFT, Offset) == 0 &&
           MiSwitchRun(First, Count, File, Offset, Share);
    if (!Done) {
        MiMoveSystemFrames(First, Count, MiThaw);
        MiProtectDirect(First, Count, HOST_READ | HOST_WRITE);
    }
    MiShares.Moving--;
    return Done;
}

/* RAM that some driver owns; the rest is not ours to hand out. */
static BOOLEAN MiMayShare(PFN_NUMBER Number)
{
    return Number && Number < MiRam.Count && MiRam.Frames[Number].State > MiFrameFreeTail &&
           MiRam.Frames[Number].State != MiFrameTable;
}

static SIZE_T MiRunOfUnshared(const PFN_NUMBER *Frames, SIZE_T Count)
{
    SIZE_T Run = 1;

    while (Run < Count && Frames[Run] == Frames[0] + Run && !MiRam.Frames[Frames[Run]].Share)
        Run++;
    return Run;
}

/* The frames that have not moved yet go to a new file, one after the other. */
static BOOLEAN MiMoveOut(const PFN_NUMBER *Frames, SIZE_T Count, MI_SHARE *Share)
{
    for (SIZE_T i = 0; i < Count;) {
        int File;
        ULONG64 Old;
        SIZE_T Run;

        if (MiRam.Frames[Frames[i]].Share) {
            i++;
            continue;
        }
        Run = MiRunOfUnshared(Frames + i, Count - i);
        MmFrameFile(Frames[i], &File, &Old);
        if (!MiMoveRun(Frames[i], Run, Share->File, (ULONG64)Share->Live << PAGE_SHIFT, Share))
            return FALSE;
        host_punch(File, Old, (ULONG64)Run << PAGE_SHIFT);
        Share->Live += Run;
        MiShares.Frames += Run;
        i += Run;
    }
    return TRUE;
}

/* A run goes back to RAM's file. Those who mapped it have paid for the mappings that this takes. */
static void MiMoveBack(PFN_NUMBER First, SIZE_T Count)
{
    MI_SHARE *Share = MiRam.Frames[First].Share;
    MI_BANK *Bank = MiBankOf(First);

    NT_ASSERT(MiMoveRun(First, Count, Bank->Bank.File, (ULONG64)First << PAGE_SHIFT, NULL));
    MiShares.Frames -= Count;
    Share->Live -= Count;
}

static void MiCloseShare(MI_SHARE *Share)
{
    host_close(Share->File);
    free(Share);
}

static NTSTATUS MiShareNew(const PFN_NUMBER *Frames, SIZE_T Count, SIZE_T New)
{
    MI_SHARE *Share = calloc(1, sizeof(*Share));

    if (!Share)
        return STATUS_INSUFFICIENT_RESOURCES;
    Share->File = host_memory_file("usernt-shared", (ULONG64)New << PAGE_SHIFT);
    if (Share->File < 0) {
        free(Share);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (MiMoveOut(Frames, Count, Share)) {
        NT_ASSERT(Share->Live == New);
        return STATUS_SUCCESS;
    }
    for (SIZE_T i = 0; i < Count; i++)
        if (MiRam.Frames[Frames[i]].Share == Share)
            MiMoveBack(Frames[i], 1);
    MiCloseShare(Share);
    return STATUS_INSUFFICIENT_RESOURCES;
}

/*
 * Makes frames reachable for a client; counted for each frame. File and Offset are where the first
 * lies; the others follow it there unless they had moved before (MmFrameFile tells). The descriptor
 * is mm's: for a mapping that may not be written to, the caller opens it again read-only. IRQL <=
 * APC_LEVEL.
 */
NTSTATUS MmShareFrames(PPFN_NUMBER Frames, SIZE_T Count, BOOLEAN ReadOnly, int *File,
                       ULONG64 *Offset)
{
    NTSTATUS Status = STATUS_SUCCESS;
    SIZE_T New = 0;

    for (SIZE_T i = 0; i < Count; i++)
        if (!MiMayShare(Frames[i]))
            return STATUS_ACCESS_DENIED;
    MiAcquire(&MiShares.Lock);
    for (SIZE_T i = 0; i < Count; i++)
        New += !MiRam.Frames[Frames[i]].Share && !MiRam.Frames[Frames[i]].ShareCount++;
    for (SIZE_T i = 0; i < Count; i++)
        MiRam.Frames[Frames[i]].ShareCount += MiRam.Frames[Frames[i]].Share != NULL;
    if (New)
        Status = MiShareNew(Frames, Count, New);
    if (!NT_SUCCESS(Status))
        for (SIZE_T i = 0; i < Count; i++)
            MiRam.Frames[Frames[i]].ShareCount--;
    if (NT_SUCCESS(Status) && File)
        MmFrameFile(Frames[0], File, Offset);
    MiRelease(&MiShares.Lock);
    return Status;
}

static SIZE_T MiRunOfUnused(const PFN_NUMBER *Frames, SIZE_T Count)
{
    SIZE_T Run = 1;

    while (Run < Count && Frames[Run] == Frames[0] + Run && !MiRam.Frames[Frames[Run]].ShareCount &&
           MiRam.Frames[Frames[Run]].Share == MiRam.Frames[Frames[0]].Share)
        Run++;
    return Run;
}

void MmUnshareFrames(PPFN_NUMBER Frames, SIZE_T Count)
{
    MiAcquire(&MiShares.Lock);
    for (SIZE_T i = 0; i < Count; i++) {
        NT_ASSERT(MiRam.Frames[Frames[i]].Share && MiRam.Frames[Frames[i]].ShareCount);
        MiRam.Frames[Frames[i]].ShareCount--;
    }
    for (SIZE_T i = 0; i < Count;) {
        SIZE_T Run = 1;

        if (!MiRam.Frames[Frames[i]].ShareCount && MiRam.Frames[Frames[i]].Share) {
            MI_SHARE *Share = MiRam.Frames[Frames[i]].Share;

            Run = MiRunOfUnused(Frames + i, Count - i);
            MiMoveBack(Frames[i], Run);
            if (!Share->Live)
                MiCloseShare(Share);
        }
        i += Run;
    }
    MiRelease(&MiShares.Lock);
}
