/* What the tests of room vf share. */
#include "vf_test.h"

#include <sys/wait.h>
#include <unistd.h>

KIRQL TestIrql;
ULONG TestThreadKind;

static KIRQL CurrentIrql(void)
{
    return TestIrql;
}

static void SetIrql(KIRQL Irql)
{
    TestIrql = Irql;
}

static ULONG ThreadKind(void)
{
    return TestThreadKind;
}

/* The test program itself plays the driver. */
static const char *DriverNameOf(const void *Address, ULONG64 *Offset)
{
    struct host_image_info Mine, Other;

    if (!host_image_of((const void *)DriverNameOf, &Mine) || !host_image_of(Address, &Other) ||
        Mine.base != Other.base)
        return NULL;
    *Offset = (ULONG64)((const char *)Address - (const char *)Mine.base);
    return "testdriver";
}

int VfTestBoot(void **Unused)
{
    TestIrql = PASSIVE_LEVEL;
    TestThreadKind = VfThreadOther;
    VfContext.CurrentIrql = CurrentIrql;
    VfContext.SetIrqlAfterExpected = SetIrql;
    VfContext.ThreadKind = ThreadKind;
    VfContext.DriverNameOf = DriverNameOf;
    return VfInitSystem() == STATUS_SUCCESS ? 0 : -1;
}

int VfTestStop(void **Unused)
{
    VfShutdownSystem();
    return 0;
}

static size_t ReadAll(int Fd, char *Text, size_t Bytes)
{
    size_t Used = 0;
    ssize_t Got;
    char Rest[512];

    while (Used + 1 < Bytes && (Got = read(Fd, Text + Used, Bytes - 1 - Used)) > 0)
        Used += (size_t)Got;
    while (read(Fd, Rest, sizeof(Rest)) > 0)
        ;
    Text[Used] = 0;
    return Used;
}

int VfTestChild(void (*Body)(void *), void *Argument, char *Text, size_t Bytes)
{
    int Pipe[2], Status;
    pid_t Child;

    fflush(stdout);
    if (pipe(Pipe) < 0 || (Child = fork()) < 0)
        return -1000;
    if (!Child) {
        dup2(Pipe[1], STDERR_FILENO);
        close(Pipe[0]);
        close(Pipe[1]);
        Body(Argument);
        _exit(0);
    }
    close(Pipe[1]);
    ReadAll(Pipe[0], Text, Bytes);
    close(Pipe[0]);
    waitpid(Child, &Status, 0);
    return WIFEXITED(Status) ? WEXITSTATUS(Status) : -1 - WTERMSIG(Status);
}
