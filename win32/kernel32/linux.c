/* The Linux side of kernel32. */
#include "win32/kernel32/linux.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

ssize_t linux_read(int File, void *Buffer, size_t Bytes)
{
    ssize_t Got;

    do
        Got = read(File, Buffer, Bytes);
    while (Got < 0 && errno == EINTR);
    return Got < 0 ? -errno : Got;
}

ssize_t linux_write(int File, const void *Buffer, size_t Bytes)
{
    size_t Done = 0;

    while (Done < Bytes) {
        ssize_t Got = write(File, (const char *)Buffer + Done, Bytes - Done);

        if (Got < 0 && errno != EINTR)
            return -errno;
        Done += Got > 0 ? (size_t)Got : 0;
    }
    return (ssize_t)Done;
}

int linux_kind(int File)
{
    struct stat Stat;

    if (fstat(File, &Stat) < 0)
        return LINUX_CLOSED;
    if (S_ISFIFO(Stat.st_mode) || S_ISSOCK(Stat.st_mode))
        return LINUX_PIPE;
    return S_ISCHR(Stat.st_mode) ? LINUX_TERMINAL : LINUX_FILE;
}

int linux_is_terminal(int File)
{
    return isatty(File);
}

int linux_read_ready(int File)
{
    struct pollfd Poll = {.fd = File, .events = POLLIN};

    return poll(&Poll, 1, 0) > 0;
}

int linux_open(const char *Path, int Reads, int Writes, int MustBeNew, int MayCreate, int Truncate,
               int *Existed)
{
    int Flags = (Reads && Writes ? O_RDWR : Writes ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NOCTTY;
    struct stat Stat;
    int File;

    *Existed = access(Path, F_OK) == 0;
    if (Truncate && !Writes)
        return -EACCES;
    File = open(Path,
                Flags | (MayCreate ? O_CREAT : 0) | (MustBeNew ? O_EXCL : 0) |
                    (Truncate ? O_TRUNC : 0),
                0666);
    if (File < 0)
        return -errno;
    if (fstat(File, &Stat) == 0 && S_ISDIR(Stat.st_mode)) { /* wants FILE_FLAG_BACKUP_SEMANTICS */
        close(File);
        return -EISDIR;
    }
    return File;
}

void linux_close(int File)
{
    close(File);
}

int64_t linux_size(int File)
{
    struct stat Stat;

    return fstat(File, &Stat) < 0 ? -errno : Stat.st_size;
}

int64_t linux_seek(int File, int64_t Distance, int Whence)
{
    static const int Table[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    off_t At = lseek(File, Distance, Table[Whence]);

    return At < 0 ? -errno : At;
}

int linux_path_kind(const char *Path)
{
    struct stat Stat;

    if (stat(Path, &Stat) < 0)
        return -errno;
    if (S_ISDIR(Stat.st_mode))
        return LINUX_FOLDER;
    return Stat.st_mode & 0222 ? LINUX_ORDINARY : LINUX_READ_ONLY;
}

int linux_delete(const char *Path)
{
    return unlink(Path) < 0 ? -errno : 0;
}

int linux_folder(char *Path)
{
    return getcwd(Path, LINUX_PATH - 2) ? 0 : -errno;
}

static void *reap(void *Process)
{
    while (waitpid((pid_t)(intptr_t)Process, NULL, 0) < 0 && errno == EINTR)
        ;
    return NULL;
}

/* A child that has gone must not stay a zombie, and nobody but this library waits for it. */
static void reap_later(pid_t Process)
{
    pthread_t Thread;

    if (pthread_create(&Thread, NULL, reap, (void *)(intptr_t)Process) == 0)
        pthread_detach(Thread);
}

static int start(const char *Program, char *const *Arguments, char *const *Own, const char *Folder,
                 pid_t *Process)
{
    posix_spawn_file_actions_t Actions;
    int Error = posix_spawn_file_actions_init(&Actions);

    if (Error)
        return Error;
    if (Folder)
        Error = posix_spawn_file_actions_addchdir_np(&Actions, Folder);
    if (!Error)
        Error = posix_spawnp(Process, Program, &Actions, NULL, Arguments, Own);
    posix_spawn_file_actions_destroy(&Actions);
    return Error;
}

/* Own has room for USERNT_BIRTH=number, which tells the child its end of the pipe. */
int linux_spawn(const char *Program, char *const *Arguments, char *const *Own, const char *Folder,
                struct linux_birth *Birth)
{
    static pthread_mutex_t One = PTHREAD_MUTEX_INITIALIZER;
    char Text[32];
    int Pair[2], Error;
    pid_t Process;
    ssize_t Got;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, Pair) < 0)
        return -errno;
    /* Only this child gets the other end: nobody else starts one meanwhile (in this library). */
    pthread_mutex_lock(&One);
    fcntl(Pair[1], F_SETFD, 0);
    snprintf(Text, sizeof(Text), "USERNT_BIRTH=%d", Pair[1]);
    for (char *const *Variable = Own; *Variable; Variable++)
        if (!strncmp(*Variable, "USERNT_BIRTH=", 13))
            strcpy(*Variable, Text);
    Error = start(Program, Arguments, Own, Folder, &Process);
    close(Pair[1]);
    pthread_mutex_unlock(&One);
    Birth->Socket = Pair[0];
    if (Error)
        goto failed;
    Got = linux_read(Pair[0], Birth, 8);
    reap_later(Process);
    if (Got == 8)
        return 0;
    Error = ENOEXEC;
failed:
    linux_release(Birth);
    return -Error;
}

void linux_release(struct linux_birth *Birth)
{
    close(Birth->Socket);
}

void *linux_module(const char *File, int Load)
{
    return dlopen(File, RTLD_NOW | (Load ? 0 : RTLD_NOLOAD));
}

void *linux_symbol(void *Module, const char *Name)
{
    return dlsym(Module, Name);
}

void linux_module_close(void *Module)
{
    dlclose(Module);
}

int linux_module_path(void *Module, char *Path, size_t Size)
{
    struct link_map *Map;
    ssize_t Length;

    if (Module && dlinfo(Module, RTLD_DI_LINKMAP, &Map) == 0 && Map->l_name[0])
        return snprintf(Path, Size, "%s", Map->l_name);
    Length = readlink("/proc/self/exe", Path, Size - 1);
    Path[Length > 0 ? Length : 0] = 0;
    return (int)Length;
}

char **linux_environment(void)
{
    return environ;
}

int linux_arguments(char *Text, size_t Size)
{
    int File = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t Length = File < 0 ? 0 : linux_read(File, Text, Size);

    if (File >= 0)
        close(File);
    return Length > 0 ? (int)Length : 0;
}

void linux_host_name(char *Name, size_t Size)
{
    if (gethostname(Name, Size) < 0)
        strcpy(Name, "localhost");
    Name[Size - 1] = 0;
}

void linux_memory(uint64_t *Total, uint64_t *Free)
{
    struct sysinfo Info = {0};

    sysinfo(&Info);
    *Total = (uint64_t)Info.totalram * Info.mem_unit;
    *Free = (uint64_t)Info.freeram * Info.mem_unit;
}

static struct {
    int Pipe[2];
    int (*Routine)(int Hangup);
} Interrupt = {.Pipe = {-1, -1}};

static void note_signal(int Signal)
{
    char Byte = (char)Signal;
    int Error = errno;

    if (write(Interrupt.Pipe[1], &Byte, 1) != 1)
        abort();
    errno = Error;
}

static void *call_routines(void *Unused)
{
    char Signal;

    (void)Unused;
    while (linux_read(Interrupt.Pipe[0], &Signal, 1) == 1)
        if (!Interrupt.Routine(Signal != SIGINT)) {
            signal(Signal, SIG_DFL);
            raise(Signal);
        }
    return NULL;
}

int linux_on_interrupt(int (*Routine)(int Hangup))
{
    static const int Signals[] = {SIGINT, SIGTERM, SIGHUP};
    pthread_t Thread;

    if (Interrupt.Routine)
        return 0;
    if (pipe2(Interrupt.Pipe, O_CLOEXEC) < 0)
        return -errno;
    Interrupt.Routine = Routine;
    if (pthread_create(&Thread, NULL, call_routines, NULL))
        return -EAGAIN;
    pthread_detach(Thread);
    for (unsigned i = 0; i < sizeof(Signals) / sizeof(Signals[0]); i++)
        signal(Signals[i], note_signal);
    return 0;
}

static pthread_key_t Key;

static void make_key(void)
{
    pthread_key_create(&Key, free);
}

void linux_free_with_thread(void *Block)
{
    static pthread_once_t Once = PTHREAD_ONCE_INIT;

    pthread_once(&Once, make_key);
    pthread_setspecific(Key, Block);
}

void linux_trap(void)
{
    raise(SIGTRAP);
}
