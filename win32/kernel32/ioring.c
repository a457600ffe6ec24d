/* I/O rings: made, asked about, closed; and their completions. A ring is used by one thread at a
 * time, as documented. */
#include "win32/kernel32/ioring.h"

#include <stdlib.h>

#define SUBMISSION_LEAST 8u
#define SUBMISSION_MOST 4096u
#define COMPLETION_MOST 16384u

static struct {
    host_lock Lock;
    struct ring *First;
} Dying;

HRESULT WINAPI QueryIoRingCapabilities(IORING_CAPABILITIES *Capabilities)
{
    *Capabilities = (IORING_CAPABILITIES){.MaxVersion = IORING_VERSION_3,
                                          .MaxSubmissionQueueSize = SUBMISSION_MOST,
                                          .MaxCompletionQueueSize = COMPLETION_MOST,
                                          .FeatureFlags = IORING_FEATURE_UM_EMULATION |
                                                          IORING_FEATURE_SET_COMPLETION_EVENT};
    return S_OK;
}

WINBOOL WINAPI IsIoRingOpSupported(HIORING Handle, IORING_OP_CODE Op)
{
    int First = Op >= IORING_OP_READ && Op <= IORING_OP_CANCEL;
    int Third = Op == IORING_OP_WRITE || Op == IORING_OP_FLUSH;

    return Handle && (First || (Third && ring_of(Handle)->Version >= IORING_VERSION_3));
}

static UINT32 power_of_two(UINT32 Size, UINT32 Least)
{
    UINT32 Power = Least;

    while (Power < Size)
        Power *= 2;
    return Power;
}

static void destroy(struct ring *Ring)
{
    for (UINT32 i = 0; Ring->Ops && i < Ring->SubmissionSize + Ring->CompletionSize; i++)
        if (Ring->Ops[i].Block)
            VirtualFree(Ring->Ops[i].Block, 0, MEM_RELEASE);
    if (Ring->Ops)
        VirtualFree(Ring->Ops, 0, MEM_RELEASE);
    if (Ring->Calls)
        VirtualFree(Ring->Calls, 0, MEM_RELEASE);
    if (Ring->Event)
        CloseHandle(Ring->Event);
    if (Ring->UserEvent)
        CloseHandle(Ring->UserEvent);
    free(Ring->CallOp);
    free(Ring->Order);
    free(Ring->Files);
    free(Ring->Buffers);
    free(Ring);
}

static BOOL in_progress(const struct ring *Ring)
{
    for (UINT32 i = 0; i < Ring->Submitted; i++)
        if (!ring_op_complete(ring_op_at(Ring, i)))
            return TRUE;
    return FALSE;
}

/* Closed rings whose last request has completed. */
static void bury(void)
{
    host_lock_acquire(&Dying.Lock);
    for (struct ring **Link = &Dying.First; *Link;) {
        struct ring *Ring = *Link;

        if (in_progress(Ring)) {
            Link = &Ring->NextDying;
        } else {
            *Link = Ring->NextDying;
            destroy(Ring);
        }
    }
    host_lock_release(&Dying.Lock);
}

static BOOL allocate(struct ring *Ring)
{
    UINT32 Ops = Ring->SubmissionSize + Ring->CompletionSize;

    Ring->Ops =
        VirtualAlloc(NULL, Ops * sizeof(*Ring->Ops), MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    Ring->Calls = VirtualAlloc(NULL, Ring->SubmissionSize * sizeof(*Ring->Calls),
                               MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    Ring->Event = CreateEventW(NULL, FALSE, FALSE, NULL);
    Ring->CallOp = calloc(Ring->SubmissionSize, sizeof(UINT32));
    Ring->Order = calloc(2 * Ring->CompletionSize, sizeof(UINT32));
    if (!Ring->Ops || !Ring->Calls || !Ring->Event || !Ring->CallOp || !Ring->Order)
        return FALSE;
    for (UINT32 i = 0; i < Ops; i++)
        Ring->Ops[i].Next = i + 1;
    return TRUE;
}

/* The submission queue is of a power of two, the completion queue at least twice as long. Doc:
 * ioringapi/nf-ioringapi-createioring */
HRESULT WINAPI CreateIoRing(IORING_VERSION Version, IORING_CREATE_FLAGS Flags, UINT32 Submission,
                            UINT32 Completion, HIORING *Handle)
{
    struct ring *Ring;

    *Handle = NULL;
    if (Version != IORING_VERSION_1 && Version != IORING_VERSION_2 && Version != IORING_VERSION_3)
        return IORING_E_VERSION_NOT_SUPPORTED;
    if (Flags.Required != IORING_CREATE_REQUIRED_FLAGS_NONE)
        return IORING_E_REQUIRED_FLAG_NOT_SUPPORTED;
    if (Submission > SUBMISSION_MOST)
        return IORING_E_SUBMISSION_QUEUE_TOO_BIG;
    if (Completion > COMPLETION_MOST)
        return IORING_E_COMPLETION_QUEUE_TOO_BIG;
    bury();
    Ring = calloc(1, sizeof(*Ring));
    if (!Ring)
        return E_OUTOFMEMORY;
    Ring->Version = Version;
    Ring->SubmissionSize = power_of_two(Submission, SUBMISSION_LEAST);
    Ring->CompletionSize = power_of_two(Completion, 2 * Ring->SubmissionSize);
    if (!allocate(Ring)) {
        destroy(Ring);
        return E_OUTOFMEMORY;
    }
    *Handle = (HIORING)Ring;
    return S_OK;
}

/* What was built and not submitted is dropped; what is in progress goes on. Doc:
 * ioringapi/nf-ioringapi-closeioring */
HRESULT WINAPI CloseIoRing(HIORING Handle)
{
    struct ring *Ring = ring_of(Handle);

    if (!Ring)
        return E_INVALIDARG;
    host_lock_acquire(&Dying.Lock);
    Ring->NextDying = Dying.First;
    Dying.First = Ring;
    host_lock_release(&Dying.Lock);
    bury();
    return S_OK;
}

HRESULT WINAPI GetIoRingInfo(HIORING Handle, IORING_INFO *Info)
{
    struct ring *Ring = ring_of(Handle);

    if (!Ring)
        return E_INVALIDARG;
    *Info = (IORING_INFO){.IoRingVersion = Ring->Version,
                          .SubmissionQueueSize = Ring->SubmissionSize,
                          .CompletionQueueSize = Ring->CompletionSize};
    return S_OK;
}

/* The event is set when there is a completion to pop, here at every completion. The ring keeps a
 * handle of its own. Doc: ioringapi/nf-ioringapi-setioringcompletionevent */
HRESULT WINAPI SetIoRingCompletionEvent(HIORING Handle, HANDLE Event)
{
    struct ring *Ring = ring_of(Handle);
    HANDLE Own = NULL;

    if (!Ring)
        return E_INVALIDARG;
    if (Event && (Event == INVALID_HANDLE_VALUE ||
                  !DuplicateHandle(GetCurrentProcess(), Event, GetCurrentProcess(), &Own, 0, FALSE,
                                   DUPLICATE_SAME_ACCESS)))
        return E_INVALIDARG;
    if (Ring->UserEvent)
        CloseHandle(Ring->UserEvent);
    Ring->UserEvent = Own;
    return S_OK;
}

void ring_op_free(struct ring *Ring, UINT32 Index)
{
    Ring->Ops[Index].Next = Ring->FirstFree;
    Ring->FirstFree = Index;
    if (Ring->Ops[Index].Block) {
        VirtualFree(Ring->Ops[Index].Block, 0, MEM_RELEASE);
        Ring->Ops[Index].Block = NULL;
    }
}

/* What a completed read has brought goes to the program. */
static NTSTATUS deliver(struct ring_op *Op)
{
    NTSTATUS Status = Op->Iosb.Status;
    ULONG_PTR Bytes = Op->Iosb.Information < Op->Bytes ? Op->Iosb.Information : Op->Bytes;

    if (Op->User && !NT_ERROR(Status) && !ntdll_copy(Op->User, Op->Copy, Bytes))
        return STATUS_ACCESS_VIOLATION;
    return Status;
}

/* Those that are older move up. Nearly always there is none. */
static void leave_order(struct ring *Ring, UINT32 At)
{
    for (; At; At--)
        *ring_place(Ring, At) = *ring_place(Ring, At - 1);
    Ring->Oldest++;
    Ring->Submitted--;
}

/* The oldest that is complete; S_FALSE: none. Doc: ioringapi/nf-ioringapi-popioringcompletion */
HRESULT WINAPI PopIoRingCompletion(HIORING Handle, IORING_CQE *Completion)
{
    struct ring *Ring = ring_of(Handle);
    struct ring_op *Op;
    NTSTATUS Status;
    UINT32 At = 0;

    if (!Ring)
        return E_INVALIDARG;
    while (At < Ring->Submitted && !ring_op_complete(ring_op_at(Ring, At)))
        At++;
    if (At == Ring->Submitted)
        return S_FALSE;
    Op = ring_op_at(Ring, At);
    Status = deliver(Op);
    *Completion = (IORING_CQE){
        .UserData = Op->UserData,
        .ResultCode = NT_ERROR(Status) ? HRESULT_FROM_WIN32(RtlNtStatusToDosError(Status)) : S_OK,
        .Information = NT_ERROR(Status) ? 0 : Op->Iosb.Information};
    ring_op_free(Ring, *ring_place(Ring, At));
    leave_order(Ring, At);
    return S_OK;
}
