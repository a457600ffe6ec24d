/*
 * The trace ring: what every thread did last.
 *
 * Threads are spread over shards, so that two of them seldom write to one cache line. A record is
 * four relaxed stores; a reader may see a record that is half overwritten, and two threads of a
 * shard may write to the same record, which a report can bear: every request is traced four times.
 *
 * Reading the time stamp counter takes longer than all the rest. So an event that follows at once
 * upon another of the same thread has the time of that one, plus one: a request is sent right after
 * the service began, the service ends right after the request was completed, and of many services
 * that are called at once each begins right after the one before.
 */
#include "vfp.h"

#include <stdlib.h>

#define VF_SHARDS 64
#define VF_SHARD_RECORDS 64
#define VF_REPORTED 32

typedef struct VF_TRACE_RECORD {
    ULONG64 Ticks; /* of the time stamp counter, 0: empty */
    ULONG64 EventAndThread;
    ULONG64 A, B;
} VF_TRACE_RECORD;

typedef struct VF_TRACE_SHARD {
    ULONG Next;
    VF_TRACE_RECORD Records[VF_SHARD_RECORDS];
} __attribute__((aligned(64))) VF_TRACE_SHARD;

static struct {
    VF_TRACE_SHARD Shards[VF_SHARDS];
    ULONG Threads;
    ULONG64 StartTicks, StartTime; /* ns */
} VfTraceState;

static _Thread_local struct {
    VF_TRACE_SHARD *Shard;
    ULONG ThreadId;
    VF_EVENT AtOnce; /* the event that, if it is the next, follows at once; 0: none */
    ULONG64 LastTicks;
} VfTraceSelf __attribute__((tls_model("initial-exec")));

static void VfStore(ULONG64 *Word, ULONG64 Value)
{
    __atomic_store_n(Word, Value, __ATOMIC_RELAXED);
}

static ULONG64 VfTicks(VF_EVENT Event)
{
    static const UCHAR AtOnce[VfEvents] = {
        [VfEventServiceEnter] = VfEventIrpCall, [VfEventIrpComplete] = VfEventServiceLeave};

    VfTraceSelf.LastTicks =
        Event == VfTraceSelf.AtOnce ? VfTraceSelf.LastTicks + 1 : __builtin_ia32_rdtsc();
    VfTraceSelf.AtOnce = AtOnce[Event];
    return VfTraceSelf.LastTicks;
}

void VfTraceGoesOn(void)
{
    VfTraceSelf.AtOnce = VfEventServiceEnter;
}

void VfTraceWaits(void)
{
    VfTraceSelf.AtOnce = 0;
}

/* The thread's first event. */
static __attribute__((noinline)) void VfTraceFirst(VF_EVENT Event, ULONG_PTR A, ULONG_PTR B)
{
    ULONG Number = __atomic_fetch_add(&VfTraceState.Threads, 1, __ATOMIC_RELAXED);

    VfTraceSelf.Shard = &VfTraceState.Shards[Number % VF_SHARDS];
    VfTraceSelf.ThreadId = host_thread_id();
    VfTrace(Event, A, B);
}

void VfTrace(VF_EVENT Event, ULONG_PTR A, ULONG_PTR B)
{
    VF_TRACE_SHARD *Shard = VfTraceSelf.Shard;
    VF_TRACE_RECORD *Record;
    ULONG Index;

    if (__builtin_expect(!Shard, 0)) {
        VfTraceFirst(Event, A, B);
        return;
    }
    Index = __atomic_load_n(&Shard->Next, __ATOMIC_RELAXED);
    __atomic_store_n(&Shard->Next, Index + 1, __ATOMIC_RELAXED);
    Record = &Shard->Records[Index % VF_SHARD_RECORDS];
    VfStore(&Record->Ticks, VfTicks(Event));
    VfStore(&Record->EventAndThread, (ULONG64)Event << 32 | VfTraceSelf.ThreadId);
    VfStore(&Record->A, A);
    VfStore(&Record->B, B);
}

void VfResetTrace(void)
{
    for (ULONG i = 0; i < VF_SHARDS; i++)
        for (ULONG k = 0; k < VF_SHARD_RECORDS; k++)
            VfStore(&VfTraceState.Shards[i].Records[k].Ticks, 0);
    VfTraceState.StartTicks = __builtin_ia32_rdtsc();
    VfTraceState.StartTime = host_now();
}

/* ---- the report ---- */

static ULONG64 VfLoad(const ULONG64 *Word)
{
    return __atomic_load_n(Word, __ATOMIC_RELAXED);
}

static VF_TRACE_RECORD VfReadRecord(const VF_TRACE_RECORD *Record)
{
    return (VF_TRACE_RECORD){VfLoad(&Record->Ticks), VfLoad(&Record->EventAndThread),
                             VfLoad(&Record->A), VfLoad(&Record->B)};
}

/* Keeps the latest, oldest first. */
static ULONG VfKeepLatest(VF_TRACE_RECORD *Kept, ULONG Count, VF_TRACE_RECORD Record)
{
    ULONG At = Count;

    if (Count == VF_REPORTED) {
        if (Record.Ticks <= Kept[0].Ticks)
            return Count;
        for (At = 0; At + 1 < Count; At++)
            Kept[At] = Kept[At + 1];
        Count--;
    }
    for (; At > 0 && Kept[At - 1].Ticks > Record.Ticks; At--)
        Kept[At] = Kept[At - 1];
    Kept[At] = Record;
    return Count + 1;
}

static const char *VfEventName(ULONG Event)
{
    static const char *const Names[] = {
        [VfEventIrpCall] = "IRP call",
        [VfEventIrpComplete] = "IRP complete",
        [VfEventServiceEnter] = "service enter",
        [VfEventServiceLeave] = "service leave",
        [VfEventDpc] = "DPC",
        [VfEventTimer] = "timer",
        [VfEventLoad] = "load",
        [VfEventUnload] = "unload",
        [VfEventRaise] = "raise",
    };

    return Event && Event < RTL_NUMBER_OF(Names) ? Names[Event] : "?";
}

void VfReportTrace(void (*Put)(const char *Format, ...))
{
    VF_TRACE_RECORD Kept[VF_REPORTED];
    ULONG Count = 0;
    ULONG64 Now;
    double Rate;

    for (ULONG i = 0; i < VF_SHARDS; i++)
        for (ULONG k = 0; k < VF_SHARD_RECORDS; k++) {
            VF_TRACE_RECORD Record = VfReadRecord(&VfTraceState.Shards[i].Records[k]);

            if (Record.Ticks)
                Count = VfKeepLatest(Kept, Count, Record);
        }
    Now = __builtin_ia32_rdtsc(); /* behind all that was read: the others go on meanwhile */
    Rate = (double)(host_now() - VfTraceState.StartTime) /
           (double)(Now - VfTraceState.StartTicks + 1) / 1000;
    if (Count)
        Put("Last events (microseconds ago, Linux thread):\n");
    for (ULONG i = 0; i < Count; i++)
        Put("    %12.1f %7u %-14s 0x%llx 0x%llx\n", (double)(Now - Kept[i].Ticks) * Rate,
            (ULONG)Kept[i].EventAndThread, VfEventName((ULONG)(Kept[i].EventAndThread >> 32)),
            (unsigned long long)Kept[i].A, (unsigned long long)Kept[i].B);
}
