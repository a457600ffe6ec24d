/* w2k_mem: the two passes over the command line, and where a base leads. */
#include "mem.h"
#include "module.h"
#include <string.h>

typedef struct _MEM_RUN {
    DEVICE *Device;
    MEM_OPTIONS Options;
    ULONGLONG Last; /* the last base */
    ULONGLONG Received;
    ULONG ViewsDone;
    BOOL Failed;
} MEM_RUN;

static const MEM_OPTIONS AtFirst = {ADDRESS_LINEAR, 1, BASE_PLAIN, 0, FALSE, MEM_DEFAULT_SIZE};

static int Complain(const char *Text, const char *Argument)
{
    fprintf(stderr, "w2k_mem: %s%s%s\nw2k_mem without arguments tells how it is used\n",
            Argument ? Argument : "", Argument ? ": " : "", Text);
    return SPY_EXIT_USAGE;
}

static void *Module(const char *Path, BOOL Execute)
{
    void *Base;

    SetLastError(ERROR_MOD_NOT_FOUND);
    Base = ModuleBase(Path, Execute);
    if (!Base)
        ClientFails(Path, GetLastError());
    return Base;
}

int MemValidate(int Count, char **Arguments, ULONGLONG *Requested)
{
    MEM_OPTIONS Options = AtFirst;
    ULONGLONG Value;
    ULONG Views = 0;

    *Requested = 0;
    for (int i = 0; i < Count; i++) {
        switch (OptionsTake(Arguments[i], &Options, &Value)) {
        case ITEM_BAD:
            return Complain(*Arguments[i] == '+' || *Arguments[i] == '-' ? "there is no such option"
                                                                         : "this is no number",
                            Arguments[i]);
        case ITEM_PATH:
            if (!Module(Arguments[i] + 1, Options.Execute))
                return SPY_EXIT_FAILED;
            break;
        case ITEM_BASE:
            *Requested += Options.Size;
            break;
        default:
            break;
        }
        Views |= Options.Views;
    }
    return *Requested || Views ? SPY_EXIT_OK : Complain("no data is asked for", NULL);
}

static BOOL ReadPointer(DEVICE *Device, ULONGLONG At, ULONGLONG *Pointer)
{
    SPY_MEMORY_BLOCK Block;
    PVOID Value;

    memset(&Block, 0, sizeof(Block));
    Block.pAddress = (PVOID)(ULONG_PTR)At;
    Block.dBytes = sizeof(Value);
    if (!DEVICE_ASK(Device, SPY_IO_MEMORY_BLOCK, &Block, &Value))
        return FALSE;
    *Pointer = (ULONG_PTR)Value;
    return TRUE;
}

/* The control block of the thread or of the processor. 0: there is none. */
static ULONGLONG ControlBlock(DEVICE *Device, BOOL Thread)
{
    SPY_OS_INFO Os;

    if (!DEVICE_GET(Device, SPY_IO_OS_INFO, &Os))
        return 0;
    return (ULONG_PTR)(Thread ? Os.pThreadEnvironmentBlock : Os.pProcessorControlRegion);
}

static BOOL Object(DEVICE *Device, ULONGLONG Handle, ULONGLONG *Base)
{
    HANDLE Value = (HANDLE)(ULONG_PTR)Handle;
    SPY_HANDLE_INFO Info;

    if (!DEVICE_ASK(Device, SPY_IO_HANDLE_INFO, &Value, &Info))
        return FALSE;
    *Base = (ULONG_PTR)Info.pObjectBody;
    return TRUE;
}

static BOOL InBlock(MEM_RUN *Run, ULONGLONG Value, ULONGLONG *Base)
{
    MEM_BASE Mode = Run->Options.Base;
    BOOL Thread = Mode == BASE_TEB || Mode == BASE_TEB_POINTER;
    ULONGLONG Block = ControlBlock(Run->Device, Thread);

    if (!Block) {
        ClientFails(Thread ? "the thread has no environment block"
                           : "the processor has no control region",
                    0);
        return FALSE;
    }
    *Base = Block + Value;
    return Mode == BASE_TEB || Mode == BASE_PCR || ReadPointer(Run->Device, *Base, Base);
}

static BOOL FindBase(MEM_RUN *Run, ULONGLONG Value, ULONGLONG *Base)
{
    switch (Run->Options.Base) {
    case BASE_TEB:
    case BASE_PCR:
    case BASE_TEB_POINTER:
    case BASE_PCR_POINTER:
        return InBlock(Run, Value, Base);
    case BASE_HANDLE:
        return Object(Run->Device, Value, Base);
    case BASE_ADD:
        *Base = Run->Last + Value;
        return TRUE;
    case BASE_SUBTRACT:
        *Base = Run->Last - Value;
        return TRUE;
    case BASE_POINTER:
        return ReadPointer(Run->Device, Run->Last + Value, Base);
    default:
        *Base = Value;
        return TRUE;
    }
}

static void Show(MEM_RUN *Run, const char *Argument, ULONGLONG Value)
{
    ULONGLONG Base;

    if (!FindBase(Run, Value, &Base)) {
        fprintf(stderr, "w2k_mem: %s leads nowhere\n", Argument);
        Run->Failed = TRUE;
        return;
    }
    Run->Last = Base = (ULONG_PTR)Base;
    if (Run->Options.Size)
        Run->Received += DumpMemory(Run->Device, &Run->Options, Base, Run->Options.Size);
}

static void Views(MEM_RUN *Run)
{
    static BOOL (*const All[])(DEVICE *) = {ViewOs, ViewCpu, ViewGdt, ViewIdt, ViewBlocks};
    ULONG Wanted = Run->Options.Views & ~Run->ViewsDone;

    for (ULONG i = 0; i < sizeof(All) / sizeof(All[0]); i++)
        if ((Wanted >> i & 1) && !All[i](Run->Device))
            Run->Failed = TRUE;
    Run->ViewsDone |= Wanted;
}

static void Execute(MEM_RUN *Run, int Count, char **Arguments)
{
    for (int i = 0; i < Count; i++) {
        ULONGLONG Value = 0;

        switch (OptionsTake(Arguments[i], &Run->Options, &Value)) {
        case ITEM_PATH:
            Run->Last = (ULONG_PTR)Module(Arguments[i] + 1, Run->Options.Execute);
            break;
        case ITEM_BASE:
            Show(Run, Arguments[i], Value);
            break;
        default:
            break;
        }
    }
}

/* JSON: the views are members, so they come before the array of dumps. */
static void CollectViews(MEM_RUN *Run, int Count, char **Arguments)
{
    MEM_OPTIONS Before = Run->Options;
    ULONGLONG Value;

    for (int i = 0; i < Count; i++) {
        OptionsTake(Arguments[i], &Run->Options, &Value);
        Views(Run);
    }
    Run->Options = Before;
}

int MemRun(DEVICE *Device, int Count, char **Arguments)
{
    MEM_RUN Run = {.Device = Device, .Options = AtFirst};
    ULONGLONG Requested;
    int Code = MemValidate(Count, Arguments, &Requested);

    if (Code)
        return Code;
    if (Output.Json)
        JsonOpen(NULL, '{');
    CollectViews(&Run, Count, Arguments);
    if (Output.Json)
        JsonOpen("dumps", '[');
    Execute(&Run, Count, Arguments);
    if (Output.Json) {
        JsonClose(']');
        JsonNumber("requested", Requested);
        JsonNumber("received", Run.Received);
        JsonClose('}');
    } else if (Requested) {
        fprintf(Output.File, "\n%llu byte%s requested, %llu received\n",
                (unsigned long long)Requested, Requested == 1 ? "" : "s",
                (unsigned long long)Run.Received);
    }
    if (Run.Failed)
        return SPY_EXIT_FAILED;
    return Requested && !Run.Received ? SPY_EXIT_NOTHING : SPY_EXIT_OK;
}
