/* I/O rings, on the poor man's pipe in its mode that waits. */
#include "tap.h"

#include <ioringapi.h>
#include "pipe.h"

static HIORING new_ring(UINT32 Submission)
{
    IORING_CREATE_FLAGS Flags = {IORING_CREATE_REQUIRED_FLAGS_NONE,
                                 IORING_CREATE_ADVISORY_FLAGS_NONE};
    HIORING Ring = NULL;

    return CreateIoRing(IORING_VERSION_3, Flags, Submission, 0, &Ring) == S_OK ? Ring : NULL;
}

static HRESULT build_write(HIORING Ring, HANDLE File, void *Data, UINT32 Bytes, UINT_PTR Id)
{
    IORING_HANDLE_REF Handle = IoRingHandleRefFromHandle(File);
    IORING_BUFFER_REF Buffer = IoRingBufferRefFromPointer(Data);

    return BuildIoRingWriteFile(Ring, Handle, Buffer, Bytes, 0, FILE_WRITE_FLAGS_NONE, Id,
                                IOSQE_FLAGS_NONE);
}

static HRESULT build_read(HIORING Ring, HANDLE File, void *Data, UINT32 Bytes, UINT_PTR Id)
{
    IORING_HANDLE_REF Handle = IoRingHandleRefFromHandle(File);
    IORING_BUFFER_REF Buffer = IoRingBufferRefFromPointer(Data);

    return BuildIoRingReadFile(Ring, Handle, Buffer, Bytes, 0, Id, IOSQE_FLAGS_NONE);
}

static BOOL pop(HIORING Ring, UINT_PTR Id, HRESULT Result, ULONG_PTR Information)
{
    IORING_CQE Completion;

    if (PopIoRingCompletion(Ring, &Completion) != S_OK)
        return FALSE;
    if (Completion.UserData == Id && Completion.ResultCode == Result &&
        Completion.Information == Information)
        return TRUE;
    printf("# completion %u: 0x%08x, %u bytes\n", (unsigned)Completion.UserData,
           (unsigned)Completion.ResultCode, (unsigned)Completion.Information);
    return FALSE;
}

static void a_ring_is_made_as_asked_or_larger(void)
{
    IORING_CREATE_FLAGS Flags = {IORING_CREATE_REQUIRED_FLAGS_NONE,
                                 IORING_CREATE_ADVISORY_FLAGS_NONE};
    IORING_CAPABILITIES Can;
    IORING_INFO Info;
    HIORING Ring;

    CHECK(QueryIoRingCapabilities(&Can) == S_OK && Can.MaxVersion == IORING_VERSION_3);
    CHECK(CreateIoRing((IORING_VERSION)77, Flags, 10, 10, &Ring) == IORING_E_VERSION_NOT_SUPPORTED);
    CHECK(CreateIoRing(IORING_VERSION_1, Flags, Can.MaxSubmissionQueueSize + 1, 10, &Ring) ==
          IORING_E_SUBMISSION_QUEUE_TOO_BIG);
    CHECK(CreateIoRing(IORING_VERSION_1, Flags, 10, 10, &Ring) == S_OK);
    CHECK(GetIoRingInfo(Ring, &Info) == S_OK && Info.SubmissionQueueSize == 16 &&
          Info.CompletionQueueSize == 32 && Info.IoRingVersion == IORING_VERSION_1);
    CHECK(IsIoRingOpSupported(Ring, IORING_OP_READ) && !IsIoRingOpSupported(Ring, IORING_OP_WRITE));
    CHECK(build_write(Ring, NULL, "x", 1, 0) == IORING_E_VERSION_NOT_SUPPORTED);
    CHECK(CloseIoRing(Ring) == S_OK);
}

static void many_writes_go_in_one_submission_in_order(void)
{
    HANDLE Pipe = open_pipe("ring", 0);
    HIORING Ring = new_ring(100);
    UINT32 Submitted = 0;
    char Text[100][4], Back[400];
    IORING_CQE None;
    DWORD Done;

    CHECK(Pipe != INVALID_HANDLE_VALUE && Ring);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(Text[i], 4, "%03u", i);
        CHECK(build_write(Ring, Pipe, Text[i], 4, i) == S_OK);
    }
    CHECK(PopIoRingCompletion(Ring, &None) == S_FALSE);
    CHECK(SubmitIoRing(Ring, 0, 0, &Submitted) == S_OK && Submitted == 100);
    for (unsigned i = 0; i < 100; i++)
        CHECK(pop(Ring, i, S_OK, 4));
    CHECK(PopIoRingCompletion(Ring, &None) == S_FALSE);
    CHECK(ReadFile(Pipe, Back, sizeof(Back), &Done, NULL) && Done == 400);
    CHECK(!memcmp(Back, Text, 400));
    CHECK(CloseIoRing(Ring) == S_OK && CloseHandle(Pipe));
}

static void reads_wait_until_there_is_something(void)
{
    HANDLE Pipe = open_pipe("ring", FILE_FLAG_OVERLAPPED), Other = open_pipe("ring", 0);
    HIORING Ring = new_ring(8);
    char Small[8] = "", Large[5000] = "";
    DWORD Done;

    CHECK(Pipe != INVALID_HANDLE_VALUE && Other != INVALID_HANDLE_VALUE && Ring);
    CHECK(build_read(Ring, Pipe, Small, 5, 1) == S_OK);
    CHECK(build_read(Ring, Pipe, Large, sizeof(Large), 2) == S_OK);
    CHECK(SubmitIoRing(Ring, 1, 1, NULL) == IORING_E_WAIT_TIMEOUT);
    CHECK(WriteFile(Other, "hello", 5, &Done, NULL));
    CHECK(SubmitIoRing(Ring, 1, INFINITE, NULL) == S_OK);
    CHECK(pop(Ring, 1, S_OK, 5) && !memcmp(Small, "hello", 5));
    CHECK(WriteFile(Other, "world", 5, &Done, NULL));
    CHECK(SubmitIoRing(Ring, IORING_SUBMIT_WAIT_ALL, INFINITE, NULL) == S_OK);
    CHECK(pop(Ring, 2, S_OK, 5) && !memcmp(Large, "world", 6));
    CHECK(CloseIoRing(Ring) == S_OK && CloseHandle(Pipe) && CloseHandle(Other));
}

/* More than go round in the ring's own order. */
static void what_completes_first_is_popped_first(void)
{
    HANDLE First = open_pipe("ring", FILE_FLAG_OVERLAPPED), ToFirst = open_pipe("ring", 0);
    HANDLE Second = open_pipe("ring2", FILE_FLAG_OVERLAPPED), ToSecond = open_pipe("ring2", 0);
    HANDLE Third = open_pipe("ring3", 0);
    HIORING Ring = new_ring(8);
    char Bytes[5] = "";
    IORING_CQE None;
    DWORD Done;

    for (unsigned Round = 0; Round < 20; Round++) {
        CHECK(build_read(Ring, First, &Bytes[0], 1, 1) == S_OK);
        CHECK(build_read(Ring, Second, &Bytes[1], 1, 2) == S_OK);
        CHECK(build_write(Ring, Third, "ab", 2, 3) == S_OK);
        CHECK(build_write(Ring, Third, "c", 1, 4) == S_OK);
        CHECK(SubmitIoRing(Ring, 2, INFINITE, NULL) == S_OK);
        CHECK(pop(Ring, 3, S_OK, 2));
        CHECK(build_read(Ring, Third, &Bytes[2], 3, 5) == S_OK);
        CHECK(pop(Ring, 4, S_OK, 1) && PopIoRingCompletion(Ring, &None) == S_FALSE);
        CHECK(SubmitIoRing(Ring, 1, INFINITE, NULL) == S_OK && pop(Ring, 5, S_OK, 3));
        CHECK(WriteFile(ToSecond, "2", 1, &Done, NULL));
        CHECK(SubmitIoRing(Ring, 1, INFINITE, NULL) == S_OK && pop(Ring, 2, S_OK, 1));
        CHECK(PopIoRingCompletion(Ring, &None) == S_FALSE);
        CHECK(WriteFile(ToFirst, "1", 1, &Done, NULL));
        CHECK(SubmitIoRing(Ring, 1, INFINITE, NULL) == S_OK && pop(Ring, 1, S_OK, 1));
        CHECK(!memcmp(Bytes, "12abc", 5));
        memset(Bytes, 0, sizeof(Bytes));
    }
    CHECK(CloseIoRing(Ring) == S_OK && CloseHandle(First) && CloseHandle(ToFirst));
    CHECK(CloseHandle(Second) && CloseHandle(ToSecond) && CloseHandle(Third));
}

static void a_request_is_cancelled_by_its_number(void)
{
    HANDLE Pipe = open_pipe("ring", FILE_FLAG_OVERLAPPED);
    IORING_HANDLE_REF File = IoRingHandleRefFromHandle(Pipe);
    HIORING Ring = new_ring(8);
    char Byte;

    CHECK(build_read(Ring, Pipe, &Byte, 1, 1) == S_OK);
    CHECK(SubmitIoRing(Ring, 0, 0, NULL) == S_OK);
    CHECK(BuildIoRingCancelRequest(Ring, File, 1, 2) == S_OK);
    CHECK(BuildIoRingCancelRequest(Ring, File, 77, 3) == S_OK);
    CHECK(SubmitIoRing(Ring, IORING_SUBMIT_WAIT_ALL, INFINITE, NULL) == S_OK);
    CHECK(pop(Ring, 1, HRESULT_FROM_WIN32(ERROR_OPERATION_ABORTED), 0));
    CHECK(pop(Ring, 2, S_OK, 0));
    CHECK(pop(Ring, 3, HRESULT_FROM_WIN32(ERROR_NOT_FOUND), 0));
    CHECK(CloseIoRing(Ring) == S_OK && CloseHandle(Pipe));
}

static void files_and_buffers_are_registered(void)
{
    HANDLE Handles[] = {INVALID_HANDLE_VALUE, open_pipe("ring", 0)};
    char Data[16] = "0123456789abcdef", Back[4];
    IORING_BUFFER_INFO Buffers[] = {{Data, sizeof(Data)}};
    IORING_HANDLE_REF Second = IoRingHandleRefFromIndex(1), First = IoRingHandleRefFromIndex(0);
    IORING_BUFFER_REF Part = IoRingBufferRefFromIndexAndOffset(0, 12);
    HIORING Ring = new_ring(8);
    DWORD Done;

    CHECK(BuildIoRingRegisterFileHandles(Ring, 2, Handles, 1) == S_OK);
    CHECK(BuildIoRingRegisterBuffers(Ring, 1, Buffers, 2) == S_OK);
    CHECK(BuildIoRingWriteFile(Ring, Second, Part, 4, 0, FILE_WRITE_FLAGS_NONE, 3,
                               IOSQE_FLAGS_NONE) == S_OK);
    CHECK(BuildIoRingWriteFile(Ring, Second, Part, 5, 0, FILE_WRITE_FLAGS_NONE, 4,
                               IOSQE_FLAGS_NONE) == E_INVALIDARG);
    CHECK(BuildIoRingWriteFile(Ring, First, Part, 4, 0, FILE_WRITE_FLAGS_NONE, 4,
                               IOSQE_FLAGS_NONE) == E_INVALIDARG);
    CHECK(SubmitIoRing(Ring, 3, INFINITE, NULL) == S_OK);
    CHECK(pop(Ring, 1, S_OK, 0) && pop(Ring, 2, S_OK, 0) && pop(Ring, 3, S_OK, 4));
    CHECK(ReadFile(Handles[1], Back, 4, &Done, NULL) && !memcmp(Back, "cdef", 4));
    CHECK(CloseIoRing(Ring) == S_OK && CloseHandle(Handles[1]));
}

static void an_entry_that_is_wrong_completes_with_an_error(void)
{
    HANDLE Pipe = open_pipe("ring", 0);
    HIORING Ring = new_ring(8);

    CHECK(build_write(Ring, (HANDLE)0x7ff0, "x", 1, 1) == S_OK);
    CHECK(build_write(Ring, Pipe, (void *)(ULONG_PTR)0x10, 5, 2) == S_OK);
    CHECK(build_write(Ring, Pipe, "x", 1, 3) == S_OK);
    for (unsigned i = 3; i < 8; i++)
        CHECK(build_write(Ring, Pipe, "x", 1, i + 1) == S_OK);
    CHECK(build_write(Ring, Pipe, "x", 1, 9) == IORING_E_SUBMISSION_QUEUE_FULL);
    CHECK(SubmitIoRing(Ring, 8, INFINITE, NULL) == S_OK);
    CHECK(pop(Ring, 1, HRESULT_FROM_WIN32(ERROR_INVALID_HANDLE), 0));
    CHECK(pop(Ring, 2, HRESULT_FROM_WIN32(ERROR_NOACCESS), 0));
    CHECK(pop(Ring, 3, S_OK, 1));
    CHECK(CloseIoRing(Ring) == S_OK && CloseHandle(Pipe));
}

static void the_event_says_that_there_is_something_to_pop(void)
{
    HANDLE Pipe = open_pipe("ring", FILE_FLAG_OVERLAPPED), Other = open_pipe("ring", 0);
    HANDLE Event = CreateEventA(NULL, FALSE, FALSE, NULL);
    HIORING Ring = new_ring(8);
    char Byte = 0;
    DWORD Done;

    CHECK(SetIoRingCompletionEvent(Ring, INVALID_HANDLE_VALUE) == E_INVALIDARG);
    CHECK(SetIoRingCompletionEvent(Ring, Event) == S_OK);
    CHECK(build_read(Ring, Pipe, &Byte, 1, 1) == S_OK);
    CHECK(SubmitIoRing(Ring, 0, 0, NULL) == S_OK);
    CHECK(WaitForSingleObject(Event, 0) == WAIT_TIMEOUT);
    CHECK(WriteFile(Other, "!", 1, &Done, NULL));
    CHECK(WaitForSingleObject(Event, INFINITE) == WAIT_OBJECT_0);
    CHECK(pop(Ring, 1, S_OK, 1) && Byte == '!');
    CHECK(CloseIoRing(Ring) == S_OK && CloseHandle(Event));
    CHECK(CloseHandle(Pipe) && CloseHandle(Other));
}

static void a_closed_ring_lets_its_requests_go_on(void)
{
    HANDLE Pipe = open_pipe("ring", FILE_FLAG_OVERLAPPED), Other = open_pipe("ring", 0);
    HIORING Ring = new_ring(8);
    static char Byte;
    DWORD Done;

    CHECK(build_read(Ring, Pipe, &Byte, 1, 1) == S_OK);
    CHECK(SubmitIoRing(Ring, 0, 0, NULL) == S_OK && CloseIoRing(Ring) == S_OK);
    CHECK(WriteFile(Other, "!", 1, &Done, NULL)); /* taken by the read */
    Ring = new_ring(8);
    CHECK(CloseIoRing(Ring) == S_OK && CloseHandle(Pipe) && CloseHandle(Other));
}

int main(void)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct tap_test Tests[] = {TEST(a_ring_is_made_as_asked_or_larger),
                                            TEST(many_writes_go_in_one_submission_in_order),
                                            TEST(reads_wait_until_there_is_something),
                                            TEST(what_completes_first_is_popped_first),
                                            TEST(a_request_is_cancelled_by_its_number),
                                            TEST(files_and_buffers_are_registered),
                                            TEST(an_entry_that_is_wrong_completes_with_an_error),
                                            TEST(the_event_says_that_there_is_something_to_pop),
                                            TEST(a_closed_ring_lets_its_requests_go_on),
                                            {0}};
    return tap_run(Tests);
}
