/* Four requests that show the four ways in which buffers reach a driver. */
#include "pipe.h"

#define SHOWN 200 /* characters of a client's text in the log */

typedef struct _DEMO {
    const CHAR *Method;
    const CHAR *Answer;
    ULONG AnswerSize; /* with its NUL */
    const CHAR *Input;
    ULONG InputLength;
    CHAR *Output;
    ULONG OutputLength;
} DEMO;

/* Looks for the end of the text and logs it: a copy, for the client may change what is in its
 * memory. */
static BOOLEAN Show(const DEMO *Demo)
{
    CHAR Copy[SHOWN + 1];
    ULONG Length = 0, Shown;

    while (Length < Demo->InputLength && Demo->Input[Length])
        Length++;
    if (Length == Demo->InputLength)
        return FALSE;
    Shown = Length < SHOWN ? Length : SHOWN;
    RtlCopyMemory(Copy, Demo->Input, Shown);
    Copy[Shown] = 0;
    DbgPrint("Example: %s: \"%s\"\n", Demo->Method, Copy);
    return TRUE;
}

static NTSTATUS Check(const DEMO *Demo, ULONG_PTR *Information)
{
    if (!Demo->Input || !Demo->Output || !Show(Demo))
        return STATUS_UNSUCCESSFUL;
    if (Demo->OutputLength < Demo->AnswerSize) {
        *Information = Demo->AnswerSize;
        return STATUS_BUFFER_TOO_SMALL;
    }
    return STATUS_SUCCESS;
}

/* Input is read before output is written: they may be one buffer. */
static NTSTATUS Answer(const DEMO *Demo, ULONG_PTR *Information)
{
    NTSTATUS Status = Check(Demo, Information);

    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory(Demo->Output, Demo->Answer, Demo->AnswerSize);
    *Information = Demo->AnswerSize;
    return STATUS_SUCCESS;
}

#include "../../common/seh.h"

/* The client's own addresses: everything that touches them stands inside __try. */
static NTSTATUS AnswerUser(const DEMO *Demo, KPROCESSOR_MODE Mode, ULONG_PTR *Information)
{
    NTSTATUS Status;

    __try {
        if (Mode != KernelMode) {
            ProbeForRead((PVOID)Demo->Input, Demo->InputLength, 1);
            ProbeForWrite(Demo->Output, Demo->OutputLength, 1);
        }
        Status = Answer(Demo, Information);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        *Information = 0;
        Status = GetExceptionCode();
    }
    return Status;
}

/* The second buffer of IN_DIRECT is input as well: it is looked at, never written. */
static NTSTATUS LogSecond(DEMO *Demo, ULONG_PTR *Information)
{
    NTSTATUS Status = Check(Demo, Information);

    if (!NT_SUCCESS(Status))
        return Status;
    Demo->Method = "direct in, second buffer";
    Demo->Input = Demo->Output;
    Demo->InputLength = Demo->OutputLength;
    Show(Demo);
    return STATUS_SUCCESS;
}

static CHAR *MappedOutput(PIRP Irp)
{
    return Irp->MdlAddress ? MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority)
                           : NULL;
}

static VOID Describe(DEMO *Demo, PIRP Irp, const CHAR *Method, const CHAR *Text, ULONG TextSize)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    Demo->Method = Method;
    Demo->Answer = Text;
    Demo->AnswerSize = TextSize;
    Demo->InputLength = Stack->Parameters.DeviceIoControl.InputBufferLength;
    Demo->OutputLength = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    Demo->Input = Demo->InputLength ? Irp->AssociatedIrp.SystemBuffer : NULL;
    Demo->Output = NULL;
}

static NTSTATUS DirectIn(PIRP Irp, ULONG_PTR *Information)
{
    DEMO Demo;

    Describe(&Demo, Irp, "direct in", EXAMPLE_TEXT_DIRECT_IN, sizeof(EXAMPLE_TEXT_DIRECT_IN));
    Demo.Output = MappedOutput(Irp);
    return LogSecond(&Demo, Information);
}

static NTSTATUS DirectOut(PIRP Irp, ULONG_PTR *Information)
{
    DEMO Demo;

    Describe(&Demo, Irp, "direct out", EXAMPLE_TEXT_DIRECT_OUT, sizeof(EXAMPLE_TEXT_DIRECT_OUT));
    Demo.Output = MappedOutput(Irp);
    return Answer(&Demo, Information);
}

static NTSTATUS Buffered(PIRP Irp, ULONG_PTR *Information)
{
    DEMO Demo;

    Describe(&Demo, Irp, "buffered", EXAMPLE_TEXT_BUFFERED, sizeof(EXAMPLE_TEXT_BUFFERED));
    Demo.Output = Demo.OutputLength ? Irp->AssociatedIrp.SystemBuffer : NULL;
    return Answer(&Demo, Information);
}

static NTSTATUS Neither(PIRP Irp, ULONG_PTR *Information)
{
    DEMO Demo;

    Describe(&Demo, Irp, "neither", EXAMPLE_TEXT_NEITHER, sizeof(EXAMPLE_TEXT_NEITHER));
    Demo.Input = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.Type3InputBuffer;
    Demo.Output = Irp->UserBuffer;
    return AnswerUser(&Demo, Irp->RequestorMode, Information);
}

NTSTATUS DemoControl(PIRP Irp, ULONG Code, ULONG_PTR *Information)
{
    switch (Code) {
    case IOCTL_EXAMPLE_DIRECT_IN:
        return DirectIn(Irp, Information);
    case IOCTL_EXAMPLE_DIRECT_OUT:
        return DirectOut(Irp, Information);
    case IOCTL_EXAMPLE_BUFFERED:
        return Buffered(Irp, Information);
    case IOCTL_EXAMPLE_NEITHER:
        return Neither(Irp, Information);
    }
    return STATUS_NOT_SUPPORTED;
}
