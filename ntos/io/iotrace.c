/*
 * A line for each request that a driver completes, in the order of completion: nt boot --trace.
 *
 *   example: IRP_MJ_CREATE "\HELLO" -> STATUS_SUCCESS 0 (process 4711, file 0x7c0000012340)
 *   example: IRP_MJ_DEVICE_CONTROL 0x00222040, in 16, out 0 -> STATUS_SUCCESS 0 (process ...
 *   example: IRP_MJ_WRITE 6 -> STATUS_SUCCESS 6 (process ...
 *
 * What follows the arrow is IoStatus; what is before the parenthesis does not depend on where
 * things lie in memory. Nothing in this system preempts a thread to run a DPC or an APC, so a lock
 * of libc's serves at any IRQL at which requests are completed.
 */
#include "io/iop.h"
#include "vf/names.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define IOP_TRACE_NAME 128 /* characters, of a file's name */
#define IOP_TRACE_DRIVER 32

BOOLEAN IopTracing;

static struct {
    FILE *File;
    int Error; /* the first one, negative */
    char Path[512];
} IopTrace;

typedef struct IOP_LINE {
    ULONG Used;
    char Text[1536]; /* enough: names of at most 160 characters, six bytes each, and little else */
} IOP_LINE;

static __attribute__((format(printf, 2, 3))) void IopPut(IOP_LINE *Line, PCSTR Format, ...)
{
    SIZE_T Room = sizeof(Line->Text) - Line->Used;
    va_list List;
    int Length;

    va_start(List, Format);
    Length = vsnprintf(Line->Text + Line->Used, Room, Format, List);
    va_end(List);
    NT_ASSERT(Length >= 0 && (SIZE_T)Length < Room);
    Line->Used += (ULONG)Length;
}

/* A client chose it: no blank, quote or control character of its is one of the line. */
static void IopPutName(IOP_LINE *Line, PCWCH Name, ULONG Characters)
{
    for (ULONG i = 0; i < Characters && i < IOP_TRACE_NAME; i++) {
        if (Name[i] > L' ' && Name[i] < 0x7F && Name[i] != L'"')
            Line->Text[Line->Used++] = (char)Name[i];
        else
            IopPut(Line, "\\u%04x", Name[i]);
    }
    if (Characters > IOP_TRACE_NAME)
        IopPut(Line, "...");
}

/* "\Driver\example" is "example". */
static void IopPutDriver(IOP_LINE *Line, PDRIVER_OBJECT Driver)
{
    PCUNICODE_STRING Name = &Driver->DriverName;
    ULONG End = Name->Length / sizeof(WCHAR), Begin = End;

    while (Begin > 0 && Name->Buffer[Begin - 1] != L'\\')
        Begin--;
    if (End - Begin > IOP_TRACE_DRIVER)
        End = Begin + IOP_TRACE_DRIVER;
    IopPutName(Line, Name->Buffer + Begin, End - Begin);
}

static void IopPutTransfer(IOP_LINE *Line, PIO_STACK_LOCATION Location)
{
    IopPut(Line, " %u", Location->Parameters.Read.Length);
    if (Location->Parameters.Read.ByteOffset.QuadPart)
        IopPut(Line, " at %lld", Location->Parameters.Read.ByteOffset.QuadPart);
}

/* What is asked for, beyond the major function. */
static void IopPutRequest(IOP_LINE *Line, PIO_STACK_LOCATION Location)
{
    switch (Location->MajorFunction) {
    case IRP_MJ_CREATE:
        if (Location->FileObject && Location->FileObject->FileName.Length) {
            IopPut(Line, " \"");
            IopPutName(Line, Location->FileObject->FileName.Buffer,
                       Location->FileObject->FileName.Length / sizeof(WCHAR));
            IopPut(Line, "\"");
        }
        break;
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        IopPutTransfer(Line, Location);
        break;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        IopPut(Line, " 0x%08x, in %u, out %u", Location->Parameters.DeviceIoControl.IoControlCode,
               Location->Parameters.DeviceIoControl.InputBufferLength,
               Location->Parameters.DeviceIoControl.OutputBufferLength);
        break;
    default:
        if (Location->MinorFunction)
            IopPut(Line, " minor 0x%02x", Location->MinorFunction);
    }
}

static void IopPutOutcome(IOP_LINE *Line, PIRP Irp)
{
    PCSTR Name = VfStatusName(Irp->IoStatus.Status);

    if (Name)
        IopPut(Line, " -> %s", Name);
    else
        IopPut(Line, " -> 0x%08x", (unsigned)Irp->IoStatus.Status);
    IopPut(Line, " %llu", (unsigned long long)Irp->IoStatus.Information);
}

static void IopPutOrigin(IOP_LINE *Line, PIRP Irp, PFILE_OBJECT File)
{
    IopPut(Line, " (process %u", IoGetRequestorProcessId(Irp));
    if (File)
        IopPut(Line, ", file %p", (void *)File);
    IopPut(Line, ")\n");
}

/* What cannot be written is the end of the trace, and somebody is told. */
static void IopTraceFailed(int Error)
{
    if (!__atomic_exchange_n(&IopTracing, FALSE, __ATOMIC_RELAXED))
        return;
    IopTrace.Error = -Error;
    fprintf(stderr, "nt boot: the trace %s ends here: %s\n", IopTrace.Path, strerror(Error));
}

/* By the driver whose location is the current one; nothing, if none has been sent the IRP. The
 * line is written before anybody can know that the request is complete. IRQL <= DISPATCH_LEVEL. */
void IopTraceCompletion(PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    IOP_LINE Line = {.Used = 0};
    PCSTR Major;

    if (Irp->CurrentLocation > Irp->StackCount || !Location->DeviceObject)
        return;
    Major = VfMajorName(Location->MajorFunction);
    IopPutDriver(&Line, Location->DeviceObject->DriverObject);
    IopPut(&Line, ": %s", Major ? Major : "(bad major function)");
    IopPutRequest(&Line, Location);
    IopPutOutcome(&Line, Irp);
    IopPutOrigin(&Line, Irp, Location->FileObject);
    if (fputs(Line.Text, IopTrace.File) < 0)
        IopTraceFailed(errno);
}

static int IopEndTrace(void)
{
    int Result;

    if (IopTrace.File && fclose(IopTrace.File) < 0)
        IopTraceFailed(errno);
    Result = IopTrace.Error;
    IopTrace.File = NULL;
    IopTrace.Error = 0;
    __atomic_store_n(&IopTracing, FALSE, __ATOMIC_RELAXED);
    return Result;
}

static int IopOpenTrace(PCSTR Path)
{
    if (strlen(Path) >= sizeof(IopTrace.Path))
        return -ENAMETOOLONG;
    IopTrace.File = fopen(Path, "we");
    return IopTrace.File ? 0 : -errno;
}

/* While the system does not run: from its boot on completions are written to a new file; NULL: no
 * more. Returns 0 or a negative errno: why there is no file (which is told on standard error too);
 * of NULL, what ended the trace early. */
int IoTraceTo(PCSTR Path)
{
    int Result = IopEndTrace();

    if (!Path)
        return Result;
    Result = IopOpenTrace(Path);
    if (Result < 0) {
        fprintf(stderr, "nt boot: cannot write %s: %s\n", Path, strerror(-Result));
        return Result;
    }
    strcpy(IopTrace.Path, Path);
    setvbuf(IopTrace.File, NULL, _IOLBF, 0); /* whoever reads it finds whole lines */
    __atomic_store_n(&IopTracing, TRUE, __ATOMIC_RELAXED);
    return 0;
}
