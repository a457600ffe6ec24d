/* Reads, writes and controls: the services that may pend. */
#include "win32/ntdll/stage.h"

#include <stdlib.h>
#include <string.h>

enum { IOSB = 4, APC = 2 };

struct request {
    struct stage Stage;
    uint64_t Staged[CHANNEL_ARGUMENTS];
    IO_STATUS_BLOCK *User, *Copy;
    char *To, *From; /* the output buffer, if it was copied */
    size_t Bytes;
    int Whole;
};

/* The answer goes back at completion; what the driver was not given to write stays as the program
 * has it. */
static char *stage_output(struct request *Request, void *User, size_t Bytes, int Whole)
{
    char *Copy = stage_buffer(&Request->Stage, User, Bytes, STAGE_IN);

    if (Copy == User || !stage_writable(User, Bytes))
        return User;
    Request->To = User;
    Request->From = Copy;
    Request->Bytes = Bytes;
    Request->Whole = Whole;
    return Copy;
}

static int stage_iosb(struct request *Request, uint64_t Argument)
{
    Request->User = (IO_STATUS_BLOCK *)Argument;
    Request->Copy = stage_buffer(&Request->Stage, Request->User, sizeof(IO_STATUS_BLOCK), STAGE_IN);
    if (Request->Copy != Request->User) {
        if (!stage_writable((char *)Request->User, sizeof(IO_STATUS_BLOCK)))
            Request->Copy = Request->User;
        else
            Request->Copy->Status = STATUS_PENDING;
    }
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

static struct ntdll_pending *new_pending(const struct request *Request)
{
    struct ntdll_pending *Pending = malloc(sizeof(*Pending));

    if (Pending)
        *Pending = (struct ntdll_pending){.Staged = Request->Copy,
                                          .User = Request->User,
                                          .To = Request->To,
                                          .From = Request->From,
                                          .Bytes = Request->Bytes,
                                          .Whole = Request->Whole,
                                          .Apc = Request->Staged[APC] != 0};
    return Pending;
}

static NTSTATUS call_staged(struct ntdll_thread *Thread, uint32_t Service, struct request *Request)
{
    struct ntdll_pending *Pending = new_pending(Request);
    NTSTATUS Status = STATUS_NO_MEMORY;
    int Fine = 1;

    if (!Pending)
        goto end;
    Status = ntdll_call(Thread, Service, Request->Staged);
    if (Status == STATUS_PENDING || (Pending->Apc && !NT_ERROR(Status))) {
        stage_keep(&Request->Stage, Pending);
        ntdll_pending_add(Pending);
        ntdll_pending_settle(Thread);
        return Status;
    }
    Fine = give_answer(Request, Status);
    free(Pending);
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
    memset(Request->Staged, 0, sizeof(Request->Staged));
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
            (uint64_t)stage_output(&Request, (void *)Arguments[BUFFER], Length, 0);
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
        Request.Staged[OUTPUT] =
            (uint64_t)stage_output(&Request, (void *)Arguments[OUTPUT], OutputLength,
                                   (Arguments[CODE] & 3) != METHOD_BUFFERED);
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
    Request.Staged[BUFFER] =
        (uint64_t)stage_output(&Request, (void *)Arguments[BUFFER], (uint32_t)Arguments[LENGTH], 0);
    return issue(Thread, Service, &Request, Arguments[IOSB]);
}
