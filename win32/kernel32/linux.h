/*
 * linux: what kernel32 needs of Linux beyond ntos/host, in plain C types. Its .c file is an
 * ordinary Linux file.
 */
#ifndef KERNEL32_LINUX_H
#define KERNEL32_LINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Standard streams: read and write as read(2) and write(2) do; a negative errno. */
ssize_t linux_read(int File, void *Buffer, size_t Bytes);
ssize_t linux_write(int File, const void *Buffer, size_t Bytes);
enum { LINUX_CLOSED, LINUX_TERMINAL, LINUX_PIPE, LINUX_FILE };
int linux_kind(int File);
int linux_is_terminal(int File); /* of the LINUX_TERMINAL ones: not /dev/null and the like */
int linux_read_ready(int File);

/* Files on disk. Results: a descriptor, a size, a position, 0; or a negative errno. A path in Path
 * has room for two characters before it (LINUX_PATH). */
enum { LINUX_FOLDER = 16, LINUX_READ_ONLY, LINUX_ORDINARY, LINUX_PATH = 4200 };
int linux_open(const char *Path, int Reads, int Writes, int MustBeNew, int MayCreate, int Truncate,
               int *Existed);
void linux_close(int File);
int64_t linux_size(int File);
int64_t linux_seek(int File, int64_t Distance, int Whence); /* 0 start, 1 here, 2 end */
int linux_path_kind(const char *Path);
int linux_delete(const char *Path);
int linux_folder(char *Path); /* LINUX_PATH - 2 bytes */

/* Programs. The arguments end with NULL; Own is the child's environment. The child writes two words
 * into a socket once it is known to the kernel, and goes on when linux_release closes the socket.
 * Negative errno if it cannot be started, or ends (or closes the socket) without that. */
struct linux_birth {
    uint32_t Process, Thread;
    int Socket;
};
void linux_release(struct linux_birth *Birth);
int linux_spawn(const char *Program, char *const *Arguments, char *const *Own, const char *Folder,
                struct linux_birth *Birth);

/* Modules, by the host's dynamic linker. */
void *linux_module(const char *File, int Load);
void *linux_symbol(void *Module, const char *Name);
void linux_module_close(void *Module);
int linux_module_path(void *Module, char *Path, size_t Size); /* NULL: the program */

char **linux_environment(void);
int linux_arguments(char *Text, size_t Size); /* NUL-separated, as in /proc/self/cmdline; bytes */
void linux_host_name(char *Name, size_t Size);
void linux_memory(uint64_t *Total, uint64_t *Free);
int linux_on_interrupt(int (*Routine)(
    int Hangup)); /* SIGINT, SIGTERM, SIGHUP: a thread of ours calls it; 0: the default follows */
void linux_trap(void);
void linux_free_with_thread(void *Block); /* one block a thread, freed when the thread ends */

#endif
