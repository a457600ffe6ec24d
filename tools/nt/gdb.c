/* nt gdb: a debugger on the kernel process, which knows the drivers. */
#include "tools/nt/nt.h"
#include "server/address.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_DRIVERS 256
#define COMMAND_LENGTH (PATH_MAX + 64)

/* struct ucred, as SO_PEERCRED gives it */
struct peer {
    pid_t Process;
    uid_t User;
    gid_t Group;
};

/* Who listens where clients connect; 0: nobody. */
static pid_t kernel_process(void)
{
    struct sockaddr_un Address = {.sun_family = AF_UNIX};
    struct peer Peer = {0};
    socklen_t Size = sizeof(Peer);
    int Socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    char Path[512];

    address_default((unsigned)geteuid(), Path, sizeof(Path));
    if (Socket < 0 || strlen(Path) >= sizeof(Address.sun_path))
        return 0;
    strcpy(Address.sun_path, Path);
    if (connect(Socket, (struct sockaddr *)&Address, sizeof(Address)) < 0 ||
        getsockopt(Socket, SOL_SOCKET, SO_PEERCRED, &Peer, &Size) < 0)
        Peer.Process = 0;
    close(Socket);
    return Peer.Process;
}

/* Where a Windows image would like to lie. FALSE: it is none, or cannot be read. */
static int preferred_base(const char *Path, uint64_t *Base)
{
    unsigned char Head[4096] = {0};
    FILE *File = fopen(Path, "rb");
    size_t Length = File ? fread(Head, 1, sizeof(Head), File) : 0;
    uint32_t At;

    if (File)
        fclose(File);
    memcpy(&At, Head + 0x3C, sizeof(At));
    if (Length < 0x40 || memcmp(Head, "MZ", 2) || At > Length - 64 ||
        memcmp(Head + At, "PE\0\0", 4))
        return 0;
    memcpy(Base, Head + At + 24 + 24, sizeof(*Base)); /* PE32+: ImageBase */
    return 1;
}

/* gdb finds the native drivers by itself. Returns a command, malloc'd; NULL: none is needed. */
static char *symbols_of(const USERNT_MODULE *Module)
{
    uint64_t Preferred;
    char *Command;

    if (!preferred_base(Module->HostPath, &Preferred))
        return NULL;
    Command = malloc(COMMAND_LENGTH);
    if (Command)
        snprintf(Command, COMMAND_LENGTH, "add-symbol-file \"%s\" -o 0x%llx", Module->HostPath,
                 (unsigned long long)(Module->Base - Preferred));
    return Command;
}

/* gdb -q -p PID -ex …: signals that the kernel handles itself do not stop it. */
static int run_gdb(pid_t Kernel, const USERNT_MODULE *Modules, size_t Number, int Count,
                   char **Arguments)
{
    char Process[32];
    char **Given = calloc(24 + 2 * MOST_DRIVERS + (size_t)Count, sizeof(char *));
    int At = 0;

    if (!Given)
        return EXIT_REFUSED;
    snprintf(Process, sizeof(Process), "%d", (int)Kernel);
    Given[At++] = "gdb";
    Given[At++] = "-q";
    Given[At++] = "-iex";
    Given[At++] = "set confirm off";
    Given[At++] = "-p";
    Given[At++] = Process;
    Given[At++] = "-ex";
    Given[At++] = "handle all nostop noprint pass";
    /* Images lie in shared memory, which no debugger may write: the processor's breakpoints. */
    Given[At++] = "-ex";
    Given[At++] = "mem 0x7cc000000000 0x7cd000000000 ro";
    Given[At++] = "-ex";
    Given[At++] = "set mem inaccessible-by-default off";
    for (size_t i = 0; i < Number && i < MOST_DRIVERS; i++) {
        char *Command = symbols_of(&Modules[i]);

        if (!Command)
            continue;
        Given[At++] = "-ex";
        Given[At++] = Command;
    }
    for (int i = 1; i < Count; i++)
        Given[At++] = Arguments[i];
    execvp("gdb", Given);
    fprintf(stderr, "nt gdb: cannot run gdb: %s\n", strerror(errno));
    return EXIT_REFUSED;
}

int verb_gdb(const struct verb *Verb, int Count, char **Arguments)
{
    size_t Bytes;
    int Code;
    USERNT_MODULE *Modules = query_system(Verb, SystemUserNtModules, &Bytes, &Code);
    pid_t Kernel;

    if (!Modules)
        return Code;
    Kernel = kernel_process();
    if (!Kernel) {
        fprintf(stderr, "nt gdb: the kernel's process is not known\n");
        return EXIT_REFUSED;
    }
    return run_gdb(Kernel, Modules, Bytes / sizeof(*Modules), Count, Arguments);
}
