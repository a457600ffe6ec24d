/* Entries of an I/O ring. Registrations take effect for what is built behind them. */
#include "win32/kernel32/ioring.h"

#include <stdlib.h>
#include <string.h>

static BOOL file_of(const struct ring *Ring, IORING_HANDLE_REF Ref, struct ring_file *File)
{
    if (Ref.Kind == IORING_REF_RAW) {
        *File = (struct ring_file){Ref.Handle.Handle, FALSE};
        return TRUE;
    }
    if (Ref.Kind != IORING_REF_REGISTERED || Ref.Handle.Index >= Ring->FileCount)
        return FALSE;
    *File = Ring->Files[Ref.Handle.Index];
    return File->Handle != INVALID_HANDLE_VALUE;
}

static BOOL buffer_of(const struct ring *Ring, IORING_BUFFER_REF Ref, UINT32 Bytes, char **Buffer)
{
    IORING_REGISTERED_BUFFER At = Ref.Buffer.IndexAndOffset;

    if (Ref.Kind == IORING_REF_RAW) {
        *Buffer = Ref.Buffer.Address;
        return TRUE;
    }
    if (Ref.Kind != IORING_REF_REGISTERED || At.BufferIndex >= Ring->BufferCount ||
        At.Offset > Ring->Buffers[At.BufferIndex].Length ||
        Bytes > Ring->Buffers[At.BufferIndex].Length - At.Offset)
        return FALSE;
    *Buffer = (char *)Ring->Buffers[At.BufferIndex].Address + At.Offset;
    return TRUE;
}

static HRESULT new_op(struct ring *Ring, UINT_PTR UserData, UINT32 *Index)
{
    struct ring_op *Op;

    if (!Ring)
        return E_INVALIDARG;
    if (Ring->Built == Ring->SubmissionSize)
        return IORING_E_SUBMISSION_QUEUE_FULL;
    *Index = Ring->FirstFree;
    Op = &Ring->Ops[*Index];
    Ring->FirstFree = Op->Next;
    Op->Iosb.Status = STATUS_PENDING;
    Op->Iosb.Information = 0;
    Op->UserData = UserData;
    Op->User = NULL;
    Op->Bytes = 0;
    return S_OK;
}

static void enqueue(struct ring *Ring, UINT32 Index)
{
    *ring_place(Ring, Ring->Submitted + Ring->Built++) = Index;
}

/* An entry that needs no call: it completes when it is submitted. */
static HRESULT enqueue_done(struct ring *Ring, UINT32 Index, NTSTATUS Status)
{
    Ring->Ops[Index].Iosb.Status = Status;
    enqueue(Ring, Index);
    return S_OK;
}

/* The caller fills it. */
static struct channel_part *enqueue_call(struct ring *Ring, UINT32 Index)
{
    struct channel_part *Call = &Ring->Calls[Ring->Parts];

    Ring->CallOp[Ring->Parts++] = Index;
    enqueue(Ring, Index);
    return Call;
}

/* Where the kernel finds the data. A buffer that is not there stays, and is refused by the kernel.
 */
static char *data_of(struct ring_op *Op, char *User, UINT32 Bytes, BOOL Read)
{
    char *Copy = Op->Small;

    if (!User || !Bytes || ntdll_in_slot(User))
        return User;
    if (Bytes > RING_SMALL)
        Copy = Op->Block = VirtualAlloc(NULL, Bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!Copy || (Read && !ntdll_touch(User, Bytes)) || !ntdll_copy(Copy, User, Bytes))
        return User;
    if (Read) {
        Op->User = User;
        Op->Copy = Copy;
        Op->Bytes = Bytes;
    }
    return Copy;
}

static HRESULT build_transfer(HIORING Handle, uint32_t Service, IORING_HANDLE_REF FileRef,
                              IORING_BUFFER_REF DataRef, UINT32 Bytes, UINT64 Offset,
                              UINT_PTR UserData, IORING_SQE_FLAGS Flags)
{
    struct ring *Ring = ring_of(Handle);
    struct ring_file File;
    struct channel_part *Call;
    struct ring_op *Op;
    UINT32 Index;
    char *Buffer;
    HRESULT Result = new_op(Ring, UserData, &Index);

    if (FAILED(Result))
        return Result;
    Op = &Ring->Ops[Index];
    Result = Flags != IOSQE_FLAGS_NONE ? IORING_E_REQUIRED_FLAG_NOT_SUPPORTED
             : !file_of(Ring, FileRef, &File) || !buffer_of(Ring, DataRef, Bytes, &Buffer)
                 ? E_INVALIDARG
                 : S_OK;
    if (FAILED(Result)) {
        ring_op_free(Ring, Index);
        return Result;
    }
    Op->Offset.QuadPart = (LONGLONG)Offset;
    Buffer = data_of(Op, Buffer, Bytes, Service == ServiceNtReadFile);
    Call = enqueue_call(Ring, Index);
    Call->service = Service;
    Call->status = STATUS_SUCCESS;
    Call->arguments[0] = (uint64_t)File.Handle;
    Call->arguments[1] = File.Waits ? 0 : (uint64_t)ring_event(Ring);
    Call->arguments[2] = Call->arguments[3] = 0; /* no APC */
    Call->arguments[4] = (uint64_t)&Op->Iosb;
    Call->arguments[5] = (uint64_t)Buffer;
    Call->arguments[6] = Bytes;
    Call->arguments[7] = (uint64_t)&Op->Offset;
    Call->arguments[8] = 0; /* no key; the service has no more arguments */
    return S_OK;
}

/* Doc: ioringapi/nf-ioringapi-buildioringreadfile */
HRESULT WINAPI BuildIoRingReadFile(HIORING Ring, IORING_HANDLE_REF File, IORING_BUFFER_REF Data,
                                   UINT32 Bytes, UINT64 Offset, UINT_PTR UserData,
                                   IORING_SQE_FLAGS Flags)
{
    return build_transfer(Ring, ServiceNtReadFile, File, Data, Bytes, Offset, UserData, Flags);
}

/* For version 3. */
HRESULT WINAPI BuildIoRingWriteFile(HIORING Ring, IORING_HANDLE_REF File, IORING_BUFFER_REF Data,
                                    UINT32 Bytes, UINT64 Offset, FILE_WRITE_FLAGS WriteFlags,
                                    UINT_PTR UserData, IORING_SQE_FLAGS Flags)
{
    if (Ring && ring_of(Ring)->Version < IORING_VERSION_3)
        return IORING_E_VERSION_NOT_SUPPORTED;
    if (WriteFlags != FILE_WRITE_FLAGS_NONE && WriteFlags != FILE_WRITE_FLAGS_WRITE_THROUGH)
        return E_INVALIDARG;
    return build_transfer(Ring, ServiceNtWriteFile, File, Data, Bytes, Offset, UserData, Flags);
}

HRESULT WINAPI BuildIoRingFlushFile(HIORING Handle, IORING_HANDLE_REF FileRef, FILE_FLUSH_MODE Mode,
                                    UINT_PTR UserData, IORING_SQE_FLAGS Flags)
{
    struct ring *Ring = ring_of(Handle);
    struct ring_file File;
    UINT32 Index;
    HRESULT Result;

    if (Ring && Ring->Version < IORING_VERSION_3)
        return IORING_E_VERSION_NOT_SUPPORTED;
    if (!Ring || Flags != IOSQE_FLAGS_NONE || (unsigned)Mode > FILE_FLUSH_NO_SYNC ||
        !file_of(Ring, FileRef, &File))
        return E_INVALIDARG;
    Result = new_op(Ring, UserData, &Index);
    if (FAILED(Result))
        return Result;
    *enqueue_call(Ring, Index) = (struct channel_part){
        .service = ServiceNtFlushBuffersFile,
        .arguments = {(uint64_t)File.Handle, (uint64_t)&Ring->Ops[Index].Iosb}};
    return S_OK;
}

static struct ring_op *find_op(struct ring *Ring, UINT_PTR UserData)
{
    for (UINT32 i = 0; i < Ring->Submitted + Ring->Built; i++)
        if (ring_op_at(Ring, i)->UserData == UserData)
            return ring_op_at(Ring, i);
    return NULL;
}

/* Completes with ERROR_NOT_FOUND if there is no such request, or it is complete already. Doc:
 * ioringapi/nf-ioringapi-buildioringcancelrequest */
HRESULT WINAPI BuildIoRingCancelRequest(HIORING Handle, IORING_HANDLE_REF FileRef,
                                        UINT_PTR OpToCancel, UINT_PTR UserData)
{
    struct ring *Ring = ring_of(Handle);
    struct ring_op *Target;
    struct ring_file File;
    UINT32 Index;
    HRESULT Result;

    if (!Ring || !file_of(Ring, FileRef, &File))
        return E_INVALIDARG;
    Target = find_op(Ring, OpToCancel);
    Result = new_op(Ring, UserData, &Index);
    if (FAILED(Result))
        return Result;
    if (!Target)
        return enqueue_done(Ring, Index, STATUS_NOT_FOUND);
    *enqueue_call(Ring, Index) =
        (struct channel_part){.service = ServiceNtCancelIoFileEx,
                              .arguments = {(uint64_t)File.Handle, (uint64_t)&Target->Iosb,
                                            (uint64_t)&Ring->Ops[Index].Iosb}};
    return S_OK;
}

static BOOL waits(HANDLE File)
{
    ULONG Mode = 0;
    IO_STATUS_BLOCK Iosb;

    return File != INVALID_HANDLE_VALUE &&
           STATUS_OK(NtQueryInformationFile(File, &Iosb, &Mode, sizeof(Mode), 16)) &&
           (Mode & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT));
}

/* Replaces what is registered. Doc: ioringapi/nf-ioringapi-buildioringregisterfilehandles */
HRESULT WINAPI BuildIoRingRegisterFileHandles(HIORING Handle, UINT32 Count, HANDLE const Handles[],
                                              UINT_PTR UserData)
{
    struct ring *Ring = ring_of(Handle);
    struct ring_file *Files = calloc(Count ? Count : 1, sizeof(*Files));
    UINT32 Index;
    HRESULT Result = Files ? new_op(Ring, UserData, &Index) : E_OUTOFMEMORY;

    if (FAILED(Result)) {
        free(Files);
        return Result;
    }
    for (UINT32 i = 0; i < Count; i++)
        Files[i] = (struct ring_file){Handles[i], waits(Handles[i])};
    free(Ring->Files);
    Ring->Files = Files;
    Ring->FileCount = Count;
    return enqueue_done(Ring, Index, STATUS_SUCCESS);
}

/* Replaces what is registered. Doc: ioringapi/nf-ioringapi-buildioringregisterbuffers */
HRESULT WINAPI BuildIoRingRegisterBuffers(HIORING Handle, UINT32 Count,
                                          IORING_BUFFER_INFO const Buffers[], UINT_PTR UserData)
{
    struct ring *Ring = ring_of(Handle);
    IORING_BUFFER_INFO *Copy = calloc(Count ? Count : 1, sizeof(*Copy));
    UINT32 Index;
    HRESULT Result = Copy ? new_op(Ring, UserData, &Index) : E_OUTOFMEMORY;

    if (FAILED(Result)) {
        free(Copy);
        return Result;
    }
    memcpy(Copy, Buffers, Count * sizeof(*Copy));
    free(Ring->Buffers);
    Ring->Buffers = Copy;
    Ring->BufferCount = Count;
    return enqueue_done(Ring, Index, STATUS_SUCCESS);
}
