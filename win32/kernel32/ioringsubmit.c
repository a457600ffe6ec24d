/* Handing over what was built: one call of the kernel for all of it. */
#include "win32/kernel32/ioring.h"

static UINT32 completions(const struct ring *Ring, UINT32 Enough)
{
    UINT32 Count = 0;

    for (UINT32 i = 0; i < Ring->Submitted && Count < Enough; i++)
        Count += (UINT32)ring_op_complete(ring_op_at(Ring, i));
    return Count;
}

/* A service that fails at once leaves the status block alone. */
static void take_failures(struct ring *Ring)
{
    for (UINT32 i = 0; i < Ring->Parts; i++) {
        struct ring_op *Op = &Ring->Ops[Ring->CallOp[i]];

        if (NT_ERROR(Ring->Calls[i].status) && !ring_op_complete(Op))
            __atomic_store_n(&Op->Iosb.Status, Ring->Calls[i].status, __ATOMIC_RELEASE);
    }
}

static HRESULT submit(struct ring *Ring)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (Ring->Built > Ring->CompletionSize - Ring->Submitted)
        return IORING_E_COMPLETION_QUEUE_TOO_FULL;
    if (Ring->Parts)
        Status = ntdll_call_many(Ring->Calls, Ring->Parts);
    if (!STATUS_OK(Status))
        return HRESULT_FROM_WIN32(RtlNtStatusToDosError(Status));
    take_failures(Ring);
    Ring->Submitted += Ring->Built;
    Ring->Built = Ring->Parts = 0;
    /* A new request clears the event, perhaps after an earlier one was completed. */
    if (Ring->UserEvent && completions(Ring, 1))
        SetEvent(Ring->UserEvent);
    return S_OK;
}

static HRESULT await(struct ring *Ring, UINT32 Wanted, UINT32 Milliseconds)
{
    ULONGLONG Start = GetTickCount64();
    HRESULT Result = S_OK;

    while (Result == S_OK && completions(Ring, Wanted) < Wanted) {
        ULONGLONG Passed = GetTickCount64() - Start;
        DWORD Left = Milliseconds == INFINITE ? INFINITE
                     : Passed >= Milliseconds ? 0
                                              : Milliseconds - (DWORD)Passed;

        switch (WaitForSingleObject(ring_event(Ring), Left)) {
        case WAIT_OBJECT_0:
            break;
        case WAIT_TIMEOUT:
            Result = IORING_E_WAIT_TIMEOUT;
            break;
        default:
            Result = HRESULT_FROM_WIN32(GetLastError());
        }
    }
    if (Ring->UserEvent && completions(Ring, 1))
        SetEvent(Ring->UserEvent); /* the wait may have taken what the program waits for */
    return Result;
}

/* On a handle without FILE_FLAG_OVERLAPPED a request is complete when this returns. Doc:
 * ioringapi/nf-ioringapi-submitioring */
HRESULT WINAPI SubmitIoRing(HIORING Handle, UINT32 WaitOperations, UINT32 Milliseconds,
                            UINT32 *SubmittedEntries)
{
    struct ring *Ring = ring_of(Handle);
    UINT32 Built;
    HRESULT Result;

    if (!Ring)
        return E_INVALIDARG;
    Built = Ring->Built;
    if (WaitOperations == IORING_SUBMIT_WAIT_ALL)
        WaitOperations = Built + Ring->Submitted;
    if (WaitOperations > Built + Ring->Submitted)
        return E_INVALIDARG;
    Result = submit(Ring);
    if (FAILED(Result))
        return Result;
    if (SubmittedEntries)
        *SubmittedEntries = Built;
    return WaitOperations ? await(Ring, WaitOperations, Milliseconds) : S_OK;
}
