/*
 * The report of a bug check: to standard error as it grows, and whole into a file at the end.
 *
 * What needs no memory comes first; names of functions, which do, later. Everything that a driver
 * may have damaged (its IRP) is read with a copy that cannot fault.
 */
#include "vfp.h"
#include "vf/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VF_REPORT_BYTES (64 * 1024)

static struct {
    char Text[VF_REPORT_BYTES];
    size_t Used, Shown;
    char Directory[512];
} VfReportState;

void VfSetReportDirectory(const char *Path)
{
    snprintf(VfReportState.Directory, sizeof(VfReportState.Directory), "%s", Path ? Path : "");
}

static __attribute__((format(printf, 1, 2))) void VfPut(const char *Format, ...)
{
    size_t Room = VF_REPORT_BYTES - VfReportState.Used;
    va_list List;
    int Length;

    va_start(List, Format);
    Length = vsnprintf(VfReportState.Text + VfReportState.Used, Room, Format, List);
    va_end(List);
    if (Length > 0)
        VfReportState.Used += (size_t)Length < Room ? (size_t)Length : Room - 1;
}

static void VfShow(void)
{
    host_write_error(VfReportState.Text + VfReportState.Shown);
    VfReportState.Shown = VfReportState.Used;
}

/* ---- the head ---- */

/* The innermost frame that belongs to a driver; without one the innermost frame. */
static const char *VfBlame(const VF_STOP *Stop, ULONG64 *Offset)
{
    for (size_t i = 0; i < Stop->FrameCount && VfContext.DriverNameOf; i++) {
        const char *Name = VfContext.DriverNameOf(Stop->Frames[i], Offset);

        if (Name)
            return Name;
    }
    return NULL;
}

static void VfPutWhere(const VF_STOP *Stop)
{
    ULONG64 Offset = 0;
    const char *Driver = VfBlame(Stop, &Offset);

    if (Driver)
        VfPut("    driver %s+0x%llx\n", Driver, (unsigned long long)Offset);
    VfPut("    process %u, thread %u, IRQL %u\n",
          VfContext.CurrentProcessId ? VfContext.CurrentProcessId() : host_process_id(),
          VfContext.CurrentThreadId ? VfContext.CurrentThreadId() : host_thread_id(),
          VfCurrentIrql());
}

static void VfPutHead(const VF_STOP *Stop)
{
    const char *Name = VfBugCheckName(Stop->Code);
    const VF_CODE_TEXT *Text = VfBugCheckText(Stop->Code, Stop->Parameters);

    VfPut("\n*** STOP 0x%08X %s\n", Stop->Code, Name ? Name : "(a code of the driver's own)");
    if (Text && Text->Cause[0])
        VfPut("    %s\n", Text->Cause);
    if (Stop->Text[0])
        VfPut("    %s\n", Stop->Text);
    VfPutWhere(Stop);
    for (int i = 0; i < 4; i++) {
        const char *Meaning = Text ? Text->Meanings[i] : "";

        VfPut("    %d: 0x%016llx%s%s\n", i + 1, (unsigned long long)Stop->Parameters[i],
              Meaning[0] ? "  " : "", Meaning);
    }
}

static void VfPutDetails(void)
{
    static char Text[8192];
    char *Line = Text, *Next;

    if (!VfTakeDetails(Text, sizeof(Text)))
        return;
    VfPut("Details:\n");
    for (; *Line; Line = Next + 1) {
        Next = strchr(Line, '\n');
        if (!Next)
            break;
        VfPut("    %.*s\n", (int)(Next - Line), Line);
    }
}

/* ---- the request ---- */

static void VfPutStackLocation(const IO_STACK_LOCATION *Stack)
{
    const char *Name = VfMajorName(Stack->MajorFunction);

    VfPut("    %s minor 0x%02x, device %p, file %p", Name ? Name : "(bad major function)",
          Stack->MinorFunction, (void *)Stack->DeviceObject, (void *)Stack->FileObject);
    if (Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL ||
        Stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL)
        VfPut(", code 0x%08x, in %u, out %u", Stack->Parameters.DeviceIoControl.IoControlCode,
              Stack->Parameters.DeviceIoControl.InputBufferLength,
              Stack->Parameters.DeviceIoControl.OutputBufferLength);
    else if (Stack->MajorFunction == IRP_MJ_READ || Stack->MajorFunction == IRP_MJ_WRITE)
        VfPut(", %u bytes at %lld", Stack->Parameters.Read.Length,
              (long long)Stack->Parameters.Read.ByteOffset.QuadPart);
    VfPut("\n");
}

static void VfPutIrp(void)
{
    PIRP Address = VfContext.CurrentIrp ? VfContext.CurrentIrp() : NULL;
    IO_STACK_LOCATION Stack;
    IRP Irp;

    if (!Address)
        return;
    VfPut("IRP %p:\n", (void *)Address);
    if (!host_read_memory(&Irp, Address, sizeof(Irp))) {
        VfPut("    cannot be read\n");
        return;
    }
    VfPut("    %s mode, stack location %d of %d, status 0x%08x, cancel %u, pending %u\n",
          Irp.RequestorMode == UserMode ? "user" : "kernel", Irp.CurrentLocation, Irp.StackCount,
          (unsigned)Irp.IoStatus.Status, Irp.Cancel, Irp.PendingReturned);
    if (host_read_memory(&Stack, Irp.Tail.Overlay.CurrentStackLocation, sizeof(Stack)))
        VfPutStackLocation(&Stack);
}

/* ---- the machine and the stack ---- */

static void VfPutRegisters(const VF_STOP *Stop)
{
    const struct host_registers *R = &Stop->Registers;

    if (!Stop->HasRegisters)
        return;
#define VF_R(name) (unsigned long long)R->name
    VfPut("Registers:\n"
          "    rax=%016llx rbx=%016llx rcx=%016llx rdx=%016llx\n"
          "    rsi=%016llx rdi=%016llx rbp=%016llx rsp=%016llx\n"
          "    r8 =%016llx r9 =%016llx r10=%016llx r11=%016llx\n"
          "    r12=%016llx r13=%016llx r14=%016llx r15=%016llx\n"
          "    rip=%016llx efl=%08llx\n",
          VF_R(rax), VF_R(rbx), VF_R(rcx), VF_R(rdx), VF_R(rsi), VF_R(rdi), VF_R(rbp), VF_R(rsp),
          VF_R(r8), VF_R(r9), VF_R(r10), VF_R(r11), VF_R(r12), VF_R(r13), VF_R(r14), VF_R(r15),
          VF_R(rip), VF_R(eflags));
#undef VF_R
}

static void VfPutFrame(size_t Number, const void *Frame)
{
    char Text[256];
    ULONG64 Offset;
    const char *Driver = VfContext.DriverNameOf ? VfContext.DriverNameOf(Frame, &Offset) : NULL;

    host_symbolise(Frame, Text, sizeof(Text));
    VfPut("    %2zu %s", Number, Text);
    if (Driver)
        VfPut(" %s+0x%llx", Driver, (unsigned long long)Offset);
    VfPut("\n");
}

static void VfPutStack(const VF_STOP *Stop)
{
    VfPut("Stack:\n");
    for (size_t i = 0; i < Stop->FrameCount; i++) {
        VfPutFrame(i, Stop->Frames[i]);
        VfShow();
    }
}

static void VfPutAddresses(const VF_STOP *Stop)
{
    VfPut("Addresses:");
    for (size_t i = 0; i < Stop->FrameCount; i++)
        VfPut("%s%p", i % 6 ? " " : "\n    ", Stop->Frames[i]);
    VfPut("\n");
}

/* ---- the whole ---- */

static void VfWriteReportFile(const VF_STOP *Stop)
{
    const char *Directory = VfReportState.Directory;
    char Path[600];
    int Error;

    if (!Directory[0])
        Directory = getenv("USERNT_BUGCHECK_DIR");
    if (!Directory || !Directory[0])
        return;
    snprintf(Path, sizeof(Path), "%s/bugcheck-%08X-%u.txt", Directory, Stop->Code,
             host_process_id());
    Error = host_make_directory(Directory);
    if (!Error)
        Error = host_write_file(Path, VfReportState.Text, VfReportState.Used);
    VfPut("Report: %s%s%s\n", Path, Error ? ": " : "", Error ? strerror(-Error) : "");
    VfShow();
}

void VfReport(const VF_STOP *Stop)
{
    VfPutHead(Stop);
    VfPutDetails();
    VfShow();
    VfPutIrp();
    VfPutRegisters(Stop);
    VfPutAddresses(Stop);
    VfReportTrace(VfPut);
    VfReportLog(VfPut);
    VfShow();
    VfPutStack(Stop);
    VfWriteReportFile(Stop);
    if (!VfContext.RunBugCheckCallbacks || VfContext.RunBugCheckCallbacks())
        VfRunBugCheckCallbacks(Stop->Code, VfPut);
    VfShow();
}
