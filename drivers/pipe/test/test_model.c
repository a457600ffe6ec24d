/*
 * The pipe against a model: a plain queue. Random requests of random and of awkward sizes, until
 * 10^7 bytes have gone through, in each mode; after each one status, count, bytes and state are
 * what the model says. USERNT_SEED repeats a run.
 */
#include "pipe_test.h"
#include <stdlib.h>

const char *DriverTestLoaded[] = {NT_VARIANT, NULL};

enum { ENOUGH = 10000000, LARGEST = 5000, QUEUE = 65536 };

static struct {
    EXAMPLE_MODE Mode;
    UCHAR Bytes[QUEUE];
    ULONG Count; /* bytes */
    ULONG Messages[QUEUE / EXAMPLE_MESSAGE_COST];
    ULONG MessageCount;
    ULONGLONG Dropped, Refused, Read, Written;
} Model;

static unsigned long long Seed, First;
static UCHAR Data[LARGEST], Out[LARGEST + 1];

static unsigned chance(unsigned Below)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(Seed >> 33) % Below;
}

static BOOLEAN has(ULONG Flag)
{
    return (Model.Mode.Flags & Flag) != 0;
}

static ULONG model_used(void)
{
    return Model.Count + Model.MessageCount * EXAMPLE_MESSAGE_COST;
}

static void model_remove(ULONG Bytes)
{
    Model.Count -= Bytes;
    memmove(Model.Bytes, Model.Bytes + Bytes, Model.Count);
}

static void model_remove_message(void)
{
    memmove(Model.Messages, Model.Messages + 1, --Model.MessageCount * sizeof(ULONG));
}

static void model_append(const UCHAR *From, ULONG Bytes)
{
    memcpy(Model.Bytes + Model.Count, From, Bytes);
    Model.Count += Bytes;
}

static NTSTATUS model_write_message(ULONG Length)
{
    ULONG Capacity = Model.Mode.Capacity;

    if (Capacity < EXAMPLE_MESSAGE_COST || Length > Capacity - EXAMPLE_MESSAGE_COST)
        return STATUS_INVALID_BUFFER_SIZE;
    while (model_used() + EXAMPLE_MESSAGE_COST + Length > Capacity) {
        if (Model.Mode.WhenFull != EXAMPLE_FULL_OVERWRITE)
            return STATUS_PENDING;
        Model.Dropped += Model.Messages[0];
        model_remove(Model.Messages[0]);
        model_remove_message();
    }
    model_append(Data, Length);
    Model.Messages[Model.MessageCount++] = Length;
    return STATUS_SUCCESS;
}

static NTSTATUS model_overwrite(ULONG Length)
{
    ULONG Capacity = Model.Mode.Capacity, Kept = Length < Capacity ? Length : Capacity, Gone;

    Gone = Model.Count + Kept > Capacity ? Model.Count + Kept - Capacity : 0;
    model_remove(Gone);
    model_append(Data + Length - Kept, Kept);
    Model.Dropped += Gone + Length - Kept;
    return STATUS_SUCCESS;
}

static NTSTATUS model_full(void)
{
    return has(EXAMPLE_CLEAR_STATUS) ? STATUS_PIPE_BUSY : STATUS_UNSUCCESSFUL;
}

static NTSTATUS model_empty(void)
{
    return has(EXAMPLE_CLEAR_STATUS) ? STATUS_PIPE_EMPTY : STATUS_BUFFER_TOO_SMALL;
}

static NTSTATUS model_write(ULONG Length, ULONG *Done)
{
    ULONG Free = Model.Mode.Capacity - model_used();
    NTSTATUS Status = STATUS_SUCCESS;

    *Done = Length;
    if (has(EXAMPLE_MESSAGES))
        Status = model_write_message(Length);
    else if (!Length)
        return has(EXAMPLE_CLEAR_STATUS) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
    else if (Model.Mode.WhenFull == EXAMPLE_FULL_OVERWRITE)
        Status = model_overwrite(Length);
    else {
        *Done = Length < Free ? Length : Free;
        model_append(Data, *Done);
        Status = *Done ? STATUS_SUCCESS : STATUS_PENDING;
        Model.Refused += *Done ? Length - *Done : 0;
    }
    if (!NT_SUCCESS(Status) || Status == STATUS_PENDING)
        *Done = 0;
    if (Status == STATUS_PENDING)
        Model.Refused += Length;
    Model.Written += *Done;
    return Status == STATUS_PENDING ? model_full() : Status;
}

static NTSTATUS model_read(ULONG Length, ULONG *Done)
{
    ULONG There = has(EXAMPLE_MESSAGES) ? Model.Messages[0] : Model.Count;

    *Done = 0;
    if (!has(EXAMPLE_MESSAGES) && !Length)
        return has(EXAMPLE_CLEAR_STATUS) ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
    if (!model_used())
        return model_empty();
    *Done = Length < There ? Length : There;
    Model.Read += *Done;
    if (!has(EXAMPLE_MESSAGES))
        return STATUS_SUCCESS;
    Model.Messages[0] -= *Done;
    if (Model.Messages[0])
        return STATUS_BUFFER_OVERFLOW;
    model_remove_message();
    return STATUS_SUCCESS;
}

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s; USERNT_SEED=%llu, mode %u/%u/%u, %llu bytes read", #condition, First,    \
                     (unsigned)Model.Mode.Capacity, (unsigned)Model.Mode.WhenFull,                 \
                     (unsigned)Model.Mode.Flags, Model.Read);                                      \
    } while (0)

static ULONG some_size(void)
{
    ULONG Capacity = Model.Mode.Capacity,
          Sizes[] = {0, 1, Capacity - 1, Capacity, Capacity + 1, 5000};
    ULONG Size = chance(3) ? chance(Capacity + Capacity / 3 + 2) : Sizes[chance(6)];

    return Size < LARGEST ? Size : LARGEST;
}

/* In the mode that waits, a request that would wait is not sent: nobody else is there. */
static BOOLEAN would_wait(BOOLEAN Write, ULONG Length)
{
    ULONG Free = Model.Mode.Capacity - model_used();

    if (Model.Mode.WhenFull != EXAMPLE_FULL_WAIT)
        return FALSE;
    if (!Write)
        return !model_used();
    return Length + (has(EXAMPLE_MESSAGES) ? EXAMPLE_MESSAGE_COST : 0) > Free &&
           !(has(EXAMPLE_MESSAGES) && Length + EXAMPLE_MESSAGE_COST > Model.Mode.Capacity);
}

static void write_some(HANDLE Pipe)
{
    ULONG Length = some_size(), Done;
    NTSTATUS Status, Expected;

    if (would_wait(TRUE, Length))
        return;
    for (ULONG i = 0; i < Length; i++)
        Data[i] = (UCHAR)(Seed >> 40) ^ (UCHAR)(i * 31);
    Status = DriverTestWrite(Pipe, Data, Length);
    Expected = model_write(Length, &Done);
    HOLDS(Status == Expected);
    HOLDS(NT_ERROR(Status) || Information == Done);
}

static void read_some(HANDLE Pipe)
{
    ULONG Length = some_size(), Done;
    NTSTATUS Status, Expected;

    if (would_wait(FALSE, Length))
        return;
    memset(Out, 0xEE, sizeof(Out));
    Status = DriverTestRead(Pipe, Out, Length);
    Expected = model_read(Length, &Done);
    HOLDS(Status == Expected);
    HOLDS(NT_ERROR(Status) || Information == Done);
    HOLDS(!memcmp(Out, Model.Bytes, Done) && Out[Length] == 0xEE);
    model_remove(Done);
}

static void change_capacity(HANDLE Pipe)
{
    ULONG Capacity = 1 + chance(chance(2) ? 2500 : 20);
    NTSTATUS Status = set(Pipe, Capacity, EXAMPLE_KEEP, EXAMPLE_KEEP, EXAMPLE_KEEP);

    HOLDS(Status == (Capacity < model_used() ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS));
    if (NT_SUCCESS(Status))
        Model.Mode.Capacity = Capacity;
}

static void discard(HANDLE Pipe)
{
    assert_ok(DriverTestControl(Pipe, IOCTL_EXAMPLE_DISCARD, NULL, 0, NULL, 0));
    Model.Dropped += Model.Count;
    Model.Count = Model.MessageCount = 0;
}

static void compare_state(HANDLE Writer, HANDLE Reader)
{
    EXAMPLE_STATE Now = state(Writer);

    HOLDS(!memcmp(&Now.Mode, &Model.Mode, sizeof(Now.Mode)) && Now.Used == model_used());
    HOLDS(Now.Dropped == Model.Dropped && Now.Refused == Model.Refused);
    HOLDS(Now.BytesWritten == Model.Written && state(Reader).BytesRead == Model.Read);
    HOLDS(!(Now.Conditions & EXAMPLE_READABLE) == !model_used());
}

static void step(HANDLE Writer, HANDLE Reader)
{
    unsigned Dice = chance(1000);

    if (Dice < 500)
        write_some(Writer);
    else if (Dice < 985)
        read_some(Reader);
    else if (Dice < 990)
        compare_state(Writer, Reader);
    else if (Dice < 998)
        change_capacity(Writer);
    else
        discard(Writer);
}

static void is_a_queue(ULONG Full, ULONG Empty, ULONG Flags)
{
    HANDLE Writer = opened("model"), Reader = opened("MODEL");

    memset(&Model, 0, sizeof(Model));
    Model.Mode = (EXAMPLE_MODE){EXAMPLE_CAPACITY, Full, Empty, Flags};
    Seed = First;
    assert_ok(set(Writer, 0, Full, Empty, Flags));
    while (Model.Read < ENOUGH)
        step(Writer, Reader);
    compare_state(Writer, Reader);
    DriverTestClose(Writer);
    DriverTestClose(Reader);
}

#define MODEL(name, full, empty, flags)                                                            \
    static void name(void **State)                                                                 \
    {                                                                                              \
        is_a_queue(full, empty, flags);                                                            \
    }
MODEL(bytes_that_are_dropped_when_new, EXAMPLE_FULL_DROP_NEW, EXAMPLE_EMPTY_FAIL, 0)
MODEL(bytes_that_are_overwritten_when_old, EXAMPLE_FULL_OVERWRITE, EXAMPLE_EMPTY_FAIL, 0)
MODEL(bytes_in_the_mode_that_waits, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, 0)
MODEL(bytes_with_clear_statuses, EXAMPLE_FULL_DROP_NEW, EXAMPLE_EMPTY_FAIL, EXAMPLE_CLEAR_STATUS)
MODEL(messages_that_are_dropped_when_new, EXAMPLE_FULL_DROP_NEW, EXAMPLE_EMPTY_FAIL,
      EXAMPLE_MESSAGES)
MODEL(messages_that_are_overwritten_when_old, EXAMPLE_FULL_OVERWRITE, EXAMPLE_EMPTY_FAIL,
      EXAMPLE_MESSAGES | EXAMPLE_CLEAR_STATUS)
MODEL(messages_in_the_mode_that_waits, EXAMPLE_FULL_WAIT, EXAMPLE_EMPTY_WAIT, EXAMPLE_MESSAGES)

int main(void)
{
    const struct CMUnitTest Tests[] = {
        DRIVER_TEST(bytes_that_are_dropped_when_new),
        DRIVER_TEST(bytes_that_are_overwritten_when_old),
        DRIVER_TEST(bytes_in_the_mode_that_waits),
        DRIVER_TEST(bytes_with_clear_statuses),
        DRIVER_TEST(messages_that_are_dropped_when_new),
        DRIVER_TEST(messages_that_are_overwritten_when_old),
        DRIVER_TEST(messages_in_the_mode_that_waits),
    };
    const char *Given = getenv("USERNT_SEED");
    unsigned long long Now = host_wall_clock();

    First = Given ? strtoull(Given, NULL, 0) : Now;
    return cmocka_run_group_tests(Tests, NULL, NULL);
}
