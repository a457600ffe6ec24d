/*
 * CreateProcess: starts a Linux program that is a client of the same kernel. It is known to the
 * kernel (its libntdll says hello before main) when this returns, so its handles can be given. With
 * bInheritHandles it gets the caller's inheritable handles, under the same values; the kernel
 * checks that it really is the caller's child.
 */
#include "win32/kernel32/base.h"
#include "win32/kernel32/linux.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS 256

/* Splits as the C runtime of Windows does: quotes group; backslashes count only before a quote. In
 * place. */
static const char *next_argument(const char *At, char **Out)
{
    BOOL Quoted = FALSE;

    while (*At && (Quoted || (*At != ' ' && *At != '\t'))) {
        size_t Slashes = strspn(At, "\\");

        At += Slashes;
        memset(*Out, '\\', *At == '"' ? Slashes / 2 : Slashes);
        *Out += *At == '"' ? Slashes / 2 : Slashes;
        if (*At == '"' && !(Slashes & 1))
            Quoted = !Quoted, At++;
        else if (*At && (Quoted || (*At != ' ' && *At != '\t')))
            *(*Out)++ = *At++;
    }
    *(*Out)++ = 0;
    return At + strspn(At, " \t");
}

static BOOL split(const char *Line, char *Out, char **Arguments)
{
    unsigned Count = 0;

    Line += strspn(Line, " \t");
    while (*Line && Count < ARGUMENTS - 1) {
        Arguments[Count++] = Out;
        Line = next_argument(Line, &Out);
    }
    Arguments[Count] = NULL;
    return Count > 0 && !*Line;
}

/* The environment of the child: Block (NUL-separated), else our own; and the two words that
 * libntdll understands. */
static char **environment(const char *Block, char *Birth, char *Parent)
{
    char **From = linux_environment(), **All;
    size_t Count = 0, At = 0;

    if (Block)
        for (const char *One = Block; *One; One += strlen(One) + 1)
            Count++;
    else
        while (From[Count])
            Count++;
    All = calloc(Count + 3, sizeof(*All));
    if (!All)
        return NULL;
    for (; At < Count; At++) {
        All[At] = Block ? (char *)Block : From[At];
        Block = Block ? Block + strlen(Block) + 1 : NULL;
    }
    All[At++] = Birth;
    if (*Parent)
        All[At] = Parent;
    return All;
}

static DWORD error_of(int Error)
{
    switch (-Error) {
    case ENOENT:
        return ERROR_FILE_NOT_FOUND;
    case EACCES:
        return ERROR_ACCESS_DENIED;
    case ENOEXEC:
        return ERROR_BAD_EXE_FORMAT;
    case ENOTDIR:
        return ERROR_DIRECTORY;
    }
    return ERROR_NOT_ENOUGH_MEMORY;
}

static BOOL give_handles(const struct linux_birth *Birth, LPSECURITY_ATTRIBUTES ProcessSecurity,
                         LPSECURITY_ATTRIBUTES ThreadSecurity, LPPROCESS_INFORMATION Out)
{
    Out->dwProcessId = Birth->Process;
    Out->dwThreadId = Birth->Thread;
    Out->hProcess = OpenProcess(PROCESS_ALL_ACCESS,
                                ProcessSecurity && ProcessSecurity->bInheritHandle, Birth->Process);
    Out->hThread = Out->hProcess
                       ? OpenThread(THREAD_ALL_ACCESS,
                                    ThreadSecurity && ThreadSecurity->bInheritHandle, Birth->Thread)
                       : NULL;
    if (Out->hThread)
        return TRUE;
    if (Out->hProcess)
        CloseHandle(Out->hProcess);
    return FALSE;
}

BOOL WINAPI CreateProcessA(LPCSTR Program, LPSTR Line, LPSECURITY_ATTRIBUTES ProcessSecurity,
                           LPSECURITY_ATTRIBUTES ThreadSecurity, BOOL Inherit, DWORD Flags,
                           LPVOID Environment, LPCSTR Folder, LPSTARTUPINFOA Startup,
                           LPPROCESS_INFORMATION Out)
{
    char Birth[32] = "USERNT_BIRTH=", Parent[40] = "", *Arguments[ARGUMENTS];
    const char *Text = Line ? Line : Program;
    struct linux_birth Born;
    char *Split, **Own = NULL;
    int Error = -ENOMEM;
    BOOL Fine;

    (void)Startup;
    if (!Text || (Flags & (CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | DEBUG_PROCESS |
                           DEBUG_ONLY_THIS_PROCESS))) {
        SetLastError(Text ? ERROR_NOT_SUPPORTED : ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (Inherit)
        snprintf(Parent, sizeof(Parent), "USERNT_PARENT=%u", (unsigned)GetCurrentProcessId());
    Split = malloc(strlen(Text) + 2);
    if (Split && (Line ? split(Line, Split, Arguments)
                       : (Arguments[0] = (char *)Program, Arguments[1] = NULL, TRUE)))
        Own = environment(Environment, Birth, Parent);
    if (Own)
        Error = linux_spawn(Program ? Program : Arguments[0], Arguments, Own, Folder, &Born);
    free(Own);
    free(Split);
    if (Error) {
        SetLastError(error_of(Error));
        return FALSE;
    }
    Fine = give_handles(&Born, ProcessSecurity, ThreadSecurity, Out);
    linux_release(&Born);
    return Fine;
}

BOOL WINAPI CreateProcessW(LPCWSTR Program, LPWSTR Line, LPSECURITY_ATTRIBUTES ProcessSecurity,
                           LPSECURITY_ATTRIBUTES ThreadSecurity, BOOL Inherit, DWORD Flags,
                           LPVOID Environment, LPCWSTR Folder, LPSTARTUPINFOW Startup,
                           LPPROCESS_INFORMATION Out)
{
    char *NarrowProgram = Program ? BaseNarrow(Program) : NULL,
         *NarrowLine = Line ? BaseNarrow(Line) : NULL;
    char *NarrowFolder = Folder ? BaseNarrow(Folder) : NULL;
    BOOL Fine = CreateProcessA(NarrowProgram, NarrowLine, ProcessSecurity, ThreadSecurity, Inherit,
                               Flags, Environment, NarrowFolder, NULL, Out);

    (void)Startup;
    free(NarrowProgram);
    free(NarrowLine);
    free(NarrowFolder);
    return Fine;
}

/* A program is started with its standard streams, which are Linux's. */
void WINAPI GetStartupInfoA(LPSTARTUPINFOA Startup)
{
    memset(Startup, 0, sizeof(*Startup));
    Startup->cb = sizeof(*Startup);
    Startup->hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    Startup->hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    Startup->hStdError = GetStdHandle(STD_ERROR_HANDLE);
}

DWORD WINAPI GetProcessId(HANDLE Process)
{
    struct {
        NTSTATUS ExitStatus;
        PVOID Peb;
        ULONG_PTR Affinity;
        LONG Base;
        ULONG_PTR Id, Parent;
    } Basic;

    if (!BaseResult(NtQueryInformationProcess(Process, ProcessBasicInformation, &Basic,
                                              sizeof(Basic), NULL)))
        return 0;
    return (DWORD)Basic.Id;
}

DWORD WINAPI GetThreadId(HANDLE Thread)
{
    struct {
        NTSTATUS ExitStatus;
        PVOID Teb;
        CLIENT_ID Id;
        ULONG_PTR Affinity;
        LONG Priority, Base;
    } Basic;

    if (!BaseResult(
            NtQueryInformationThread(Thread, (THREADINFOCLASS)0, &Basic, sizeof(Basic), NULL)))
        return 0;
    return (DWORD)(ULONG_PTR)Basic.Id.UniqueThread;
}

BOOL WINAPI TerminateThread(HANDLE Thread, DWORD Code)
{
    return BaseResult(NtTerminateThread(Thread, (NTSTATUS)Code));
}
