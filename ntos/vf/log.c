/*
 * The debug print log: a ring of lines.
 *
 * A line is formatted on its thread's stack and then copied under a lock that is held for the copy
 * alone. A reader asks for sequence numbers; a line that has been overwritten is skipped.
 */
#include "vfp.h"

#include <stdio.h>
#include <string.h>

#define VF_LOG_LINES 2048
#define VF_LINES_REPORTED 20

static struct {
    host_lock Lock;
    ULONG64 Next; /* sequence number of the next line; the first is 1 */
    BOOLEAN Echo;
    void (*Wake)(void);
    VF_LOG_LINE Lines[VF_LOG_LINES];
} VfLogState = {.Next = 1};

static void VfEchoLine(const VF_LOG_LINE *Line)
{
    char Text[sizeof(Line->Driver) + sizeof(Line->Text) + 8];
    BOOLEAN Ended = Line->Length && Line->Text[Line->Length - 1] == '\n';

    snprintf(Text, sizeof(Text), "%s%s%.*s%s", Line->Driver, Line->Driver[0] ? ": " : "",
             (int)Line->Length, Line->Text, Ended ? "" : "\n");
    host_write_error(Text);
}

static void VfStamp(VF_LOG_LINE *Line, const void *Caller)
{
    ULONG64 Offset;
    const char *Driver = VfContext.DriverNameOf ? VfContext.DriverNameOf(Caller, &Offset) : NULL;

    Line->Time = VfContext.SystemTime ? VfContext.SystemTime() : 0;
    Line->ProcessId = VfContext.CurrentProcessId ? VfContext.CurrentProcessId() : host_process_id();
    Line->ThreadId = VfContext.CurrentThreadId ? VfContext.CurrentThreadId() : host_thread_id();
    snprintf(Line->Driver, sizeof(Line->Driver), "%s", Driver ? Driver : "");
}

void VfLogWrite(const void *Caller, const char *Text, size_t Length)
{
    VF_LOG_LINE Line, *Slot;
    void (*Wake)(void);
    BOOLEAN Echo;

    VfStamp(&Line, Caller);
    Line.Length = (USHORT)(Length < sizeof(Line.Text) ? Length : sizeof(Line.Text));
    memcpy(Line.Text, Text, Line.Length);
    host_lock_acquire(&VfLogState.Lock);
    Line.Sequence = VfLogState.Next++;
    Slot = &VfLogState.Lines[Line.Sequence % VF_LOG_LINES];
    memcpy(Slot, &Line, FIELD_OFFSET(VF_LOG_LINE, Text) + Line.Length);
    Echo = VfLogState.Echo;
    Wake = VfLogState.Wake;
    host_lock_release(&VfLogState.Lock);
    if (Echo)
        VfEchoLine(&Line);
    if (Wake)
        Wake();
}

BOOLEAN VfLogRead(ULONG64 Sequence, VF_LOG_LINE *Line)
{
    BOOLEAN Found;

    host_lock_acquire(&VfLogState.Lock);
    if (Sequence + VF_LOG_LINES < VfLogState.Next)
        Sequence = VfLogState.Next - VF_LOG_LINES;
    Sequence = Sequence ? Sequence : 1;
    Found = Sequence < VfLogState.Next;
    if (Found)
        *Line = VfLogState.Lines[Sequence % VF_LOG_LINES];
    host_lock_release(&VfLogState.Lock);
    return Found;
}

void VfLogSubscribe(void (*Wake)(void))
{
    host_lock_acquire(&VfLogState.Lock);
    VfLogState.Wake = Wake;
    host_lock_release(&VfLogState.Lock);
}

void VfLogEcho(BOOLEAN ToStandardError)
{
    host_lock_acquire(&VfLogState.Lock);
    VfLogState.Echo = ToStandardError;
    host_lock_release(&VfLogState.Lock);
}

void VfResetLog(void)
{
    host_lock_acquire(&VfLogState.Lock);
    VfLogState.Next = 1;
    VfLogState.Echo = FALSE;
    VfLogState.Wake = NULL;
    host_lock_release(&VfLogState.Lock);
}

/* Without the lock: the thread that stopped may hold it. A line that is being written may be torn.
 */
void VfReportLog(void (*Put)(const char *Format, ...))
{
    ULONG64 Next = __atomic_load_n(&VfLogState.Next, __ATOMIC_RELAXED);
    ULONG64 First = Next > VF_LINES_REPORTED ? Next - VF_LINES_REPORTED : 1;

    if (First < Next)
        Put("Last debug prints:\n");
    for (; First < Next; First++) {
        const VF_LOG_LINE *Line = &VfLogState.Lines[First % VF_LOG_LINES];
        int Length = Line->Length < sizeof(Line->Text) ? Line->Length : (int)sizeof(Line->Text);

        while (Length && (Line->Text[Length - 1] == '\n' || Line->Text[Length - 1] == '\r'))
            Length--;
        Put("    %.31s%s%.*s\n", Line->Driver, Line->Driver[0] ? ": " : "", Length, Line->Text);
    }
}
