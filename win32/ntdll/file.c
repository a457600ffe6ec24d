/* Reads, writes and controls: the services that may pend. */
#include "win32/ntdll/stage.h"

#include <stdlib.h>
#include <string.h>

enum { IOSB = 4, APC = 2 };

/* What goes back of an output buffer: Information bytes, all of which the kernel has filled or some
 * of which the driver may have left as they were; or the whole buffer. */
enum output { OUTPUT_FILLED, OUTPUT_SPARSE, OUTPUT_WHOLE };

struct request {
    struct stage Stage;
    uint64_t Staged[CHANNEL_ARGUMENTS];
    IO_STATUS_BLOCK *User, *Copy;
    char *To, *From; /* the output buffer, if it was copied */
    size_t Bytes;
    int Whole;
    uint32_t Flags; /* with the service's number */
};

/* The answer goes back at completion; what the driver was not given to write stays as the program
 * has it: the copy begins as the program's buffer is, unless the kernel fills all that goes back.
 */
static char *stage_output(struct request *Request, void *User, size_t Bytes, enum output Kind)
{
    int Whole = Kind == OUTPUT_WHOLE;
    char *Copy = Kind == OUTPUT_FILLED ? stage_empty(&Request->Stage, User, Bytes)
                                       : stage_buffer(&Request->Stage, User, Bytes, STAGE_IN);

    if (Copy == User || !ntdll_touch(User, Bytes))
        return User;
    Request->To = User;
    Request->From = Copy;
    Request->Bytes = Bytes;
    Request->Whole = Whole;
    return Copy;
}

/* The channel's own status block comes with the answer; the kernel half prepares it. */
static IO_STATUS_BLOCK *iosb_copy(struct request *Request)
{
    struct stage *Stage = &Request->Stage;
    IO_STATUS_BLOCK *Copy;

    if (Stage->Alone) {
        Request->Flags = CHANNEL_IOSB;
        return (IO_STATUS_BLOCK *)Stage->Thread->Channel->iosb;
    }
    Copy = (IO_STATUS_BLOCK *)stage_room(Stage, sizeof(*Copy));
    if (!Copy)
        return Request->User;
    Copy->Status = STATUS_PENDING;
    return Copy;
}

static int stage_iosb(struct request *Request, uint64_t Argument)
{
    Request->Flags = 0;
    Request->User = Request->Copy = (IO_STATUS_BLOCK *)Argument;
    if (Argument && !ntdll_in_slot(Request->User) &&
        ntdll_touch(Request->User, sizeof(*Request->User)))
        Request->Copy = iosb_copy(Request);
    Request->Staged[IOSB] = (uint64_t)Request->Copy;
    return Request->Copy != Request->User;
}

/* The kernel's part is over: the answer goes to the program. An IO_STATUS_BLOCK that the kernel did
 * not write stays. */
static int give_answer(struct request *Request, NTSTATUS Status)
{
    IO_STATUS_BLOCK *Copy = Request->Copy;
    int Written = Copy->Status != STATUS_PENDING;
    size_t Bytes = Request->Whole ? Request->Bytes : Written ? Copy->Information : 0;
    int Fine = 1;

    if (Request->To && !NT_ERROR(Status))
        Fine =
            ntdll_copy(Request->To, Request->From, Bytes < Request->Bytes ? Bytes : Request->Bytes);
    if (Written)
        Fine &= ntdll_copy(Request->User, Copy, sizeof(*Copy));
    return Fine;
}

/* Memory for a request that may turn out to pend: a call that has been made cannot fail for want of
 * it. The thread keeps one that was not needed. */
static struct ntdll_pending *take_spare(struct ntdll_thread *Thread)
{
    struct ntdll_pending *Spare = Thread->Spare;

    Thread->Spare = NULL;
    return Spare ? Spare : malloc(sizeof(*Spare));
}

static void return_spare(struct ntdll_thread *Thread, struct ntdll_pending *Spare)
{
    if (Thread->Spare)
        free(Spare);
    else
        Thread->Spare = Spare;
}

static NTSTATUS keep_pending(struct ntdll_thread *Thread, struct ntdll_pending *Pending,
                             struct request *Request, NTSTATUS Status)
{
    *Pending = (struct ntdll_pending){.Staged = Request->Copy,
                                      .User = Request->User,
                                      .To = Request->To,
                                      .From = Request->From,
                                      .Bytes = Request->Bytes,
                                      .Whole = Request->Whole,
                                      .Apc = Request->Staged[APC] != 0};
    stage_keep(&Request->Stage, Pending);
    ntdll_pending_add(Pending);
    ntdll_pending_settle(Thread);
    return Status;
}

static NTSTATUS call_staged(struct ntdll_thread *Thread, uint32_t Service, struct request *Request)
{
    struct ntdll_pending *Pending = take_spare(Thread);
    NTSTATUS Status = STATUS_NO_MEMORY;
    int Fine = 1;

    if (!Pending)
        goto end;
    Status = ntdll_call(Thread, Service | Request->Flags, Request->Staged);
    if (Status == STATUS_PENDING || (Request->Staged[APC] && !NT_ERROR(Status)))
        return keep_pending(Thread, Pending, Request, Status);
    Fine = give_answer(Request, Status);
    return_spare(Thread, Pending);
end:
    stage_end(&Request->Stage);
    return Fine ? Status : STATUS_ACCESS_VIOLATION;
}

/* Without a staged IO_STATUS_BLOCK the program's own lies in the slot, or is a bad address that the
 * kernel refuses. Then nothing tells when a pending request is over, so buffers outside the slot
 * are refused. */
static NTSTATUS call_plain(struct ntdll_thread *Thread, uint32_t Service, struct request *Request)
{
    NTSTATUS Status = ntdll_call(Thread, Service, Request->Staged);

    if (Request->To && !NT_ERROR(Status))
        ntdll_copy(Request->To, Request->From, Request->Bytes);
    stage_end(&Request->Stage);
    return Status;
}

static NTSTATUS issue(struct ntdll_thread *Thread, uint32_t Service, struct request *Request,
                      uint64_t Iosb)
{
    return stage_iosb(Request, Iosb) ? call_staged(Thread, Service, Request)
                                     : call_plain(Thread, Service, Request);
}

static struct ntdll_thread *begin(struct request *Request, const uint64_t *Arguments,
                                  unsigned Count, NTSTATUS *Status)
{
    struct ntdll_thread *Thread = ntdll_thread(Status);

    if (!Thread)
        return NULL;
    Request->To = Request->From = NULL;
    Request->Bytes = 0;
    Request->Whole = 0;
    memcpy(Request->Staged, Arguments, Count * sizeof(*Arguments));
    stage_begin(&Request->Stage, Thread);
    return Thread;
}

static uint64_t stage_in(struct request *Request, uint64_t User, size_t Bytes)
{
    return (uint64_t)stage_buffer(&Request->Stage, (void *)User, Bytes, STAGE_IN);
}

NTSTATUS ntdll_read_write(uint32_t Service, const uint64_t *Arguments)
{
    enum { BUFFER = 5, LENGTH, OFFSET, KEY, COUNT };
    size_t Length = (uint32_t)Arguments[LENGTH];
    struct request Request;
    NTSTATUS Status;
    struct ntdll_thread *Thread = begin(&Request, Arguments, COUNT, &Status);

    if (!Thread)
        return Status;
    if (Service == ServiceNtReadFile)
        Request.Staged[BUFFER] =
            (uint64_t)stage_output(&Request, (void *)Arguments[BUFFER], Length, OUTPUT_SPARSE);
    else
        Request.Staged[BUFFER] = stage_in(&Request, Arguments[BUFFER], Length);
    Request.Staged[OFFSET] = stage_in(&Request, Arguments[OFFSET], sizeof(LARGE_INTEGER));
    Request.Staged[KEY] = stage_in(&Request, Arguments[KEY], sizeof(ULONG));
    return issue(Thread, Service, &Request, Arguments[IOSB]);
}

/* Only METHOD_BUFFERED says how much of the output buffer was written; the other methods write into
 * the buffer itself. METHOD_IN_DIRECT only reads it. */
NTSTATUS ntdll_control(uint32_t Service, const uint64_t *Arguments)
{
    enum { CODE = 5, INPUT, INPUT_LENGTH, OUTPUT, OUTPUT_LENGTH, COUNT };
    size_t OutputLength = (uint32_t)Arguments[OUTPUT_LENGTH];
    struct request Request;
    NTSTATUS Status;
    struct ntdll_thread *Thread = begin(&Request, Arguments, COUNT, &Status);

    if (!Thread)
        return Status;
    Request.Staged[INPUT] = stage_in(&Request, Arguments[INPUT], (uint32_t)Arguments[INPUT_LENGTH]);
    if ((Arguments[CODE] & 3) == METHOD_IN_DIRECT)
        Request.Staged[OUTPUT] = stage_in(&Request, Arguments[OUTPUT], OutputLength);
    else
        Request.Staged[OUTPUT] = (uint64_t)stage_output(
            &Request, (void *)Arguments[OUTPUT], OutputLength,
            (Arguments[CODE] & 3) == METHOD_BUFFERED ? OUTPUT_FILLED : OUTPUT_WHOLE);
    return issue(Thread, Service, &Request, Arguments[IOSB]);
}

NTSTATUS ntdll_notify(uint32_t Service, const uint64_t *Arguments)
{
    enum { BUFFER = 7, LENGTH, ASYNCHRONOUS, COUNT };
    struct request Request;
    NTSTATUS Status;
    struct ntdll_thread *Thread = begin(&Request, Arguments, COUNT, &Status);

    if (!Thread)
        return Status;
    Request.Staged[BUFFER] = (uint64_t)stage_output(&Request, (void *)Arguments[BUFFER],
                                                    (uint32_t)Arguments[LENGTH], OUTPUT_SPARSE);
    return issue(Thread, Service, &Request, Arguments[IOSB]);
}
