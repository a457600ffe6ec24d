/*
 * Memory files and mappings.
 *
 * A memory file is a sealed memfd: whoever holds a descriptor, a hostile client too, can neither
 * shrink it (and so make the kernel process fault) nor grow it. Its mode keeps users other than the
 * owner from opening it again with more rights than the descriptor they were given.
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int mapping_protection(int prot)
{
    return (prot & HOST_READ ? PROT_READ : 0) | (prot & HOST_WRITE ? PROT_WRITE : 0) |
           (prot & HOST_EXECUTE ? PROT_EXEC : 0);
}

static int result_of(int result)
{
    return result < 0 ? -errno : 0;
}

int host_memory_file(const char *name, uint64_t bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)bytes) < 0 || fchmod(fd, S_IRUSR | S_IWUSR) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    return fd;
}

int host_memory_file_read_only(int fd)
{
    char path[64];
    int copy;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    copy = open(path, O_RDONLY | O_CLOEXEC);
    return copy < 0 ? -errno : copy;
}

int host_reserve(void *at, size_t bytes)
{
    void *got;

    if (!at || !bytes)
        return -EINVAL;
    got = mmap(at, bytes, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == MAP_FAILED)
        return -errno;
    if (got != at) { /* a Linux that does not know the flag takes the address for a hint */
        munmap(got, bytes);
        return -EEXIST;
    }
    madvise(at, bytes, MADV_DONTDUMP);
    return 0;
}

/* Whoever uses the addresses meanwhile has the old memory or the new: no race of ours. */
static int replace(void *at, size_t bytes, int prot, int flags, int fd, uint64_t offset)
{
    int error;

    host_new_memory_begin();
    error = mmap(at, bytes, prot, flags | MAP_FIXED, fd, (off_t)offset) == MAP_FAILED ? -errno : 0;
    host_new_memory_end();
    return error;
}

int host_map(void *at, size_t bytes, int fd, uint64_t offset, int prot)
{
    return replace(at, bytes, mapping_protection(prot), prot & HOST_COPY ? MAP_PRIVATE : MAP_SHARED,
                   fd, offset);
}

int host_decommit(void *at, size_t bytes)
{
    return replace(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

int host_unmap(void *at, size_t bytes)
{
    return result_of(munmap(at, bytes));
}

int host_protect(void *at, size_t bytes, int prot)
{
    return result_of(mprotect(at, bytes, mapping_protection(prot)));
}

/* Linux's own copy, not libc's, which a sanitizer watches. */
int host_write_at(int fd, const void *from, size_t bytes, uint64_t offset)
{
    while (bytes) {
        long done = syscall(SYS_pwrite64, fd, from, bytes, offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -ENOSPC;
        from = (const char *)from + done;
        bytes -= (size_t)done;
        offset += (uint64_t)done;
    }
    return 0;
}

int host_punch(int fd, uint64_t offset, uint64_t bytes)
{
    return result_of(
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes));
}

void *host_private(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

void host_private_free(void *at, size_t bytes)
{
    if (at)
        munmap(at, bytes);
}

size_t host_resident_bytes(void)
{
    unsigned long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * HOST_PAGE_SIZE;
}

bool host_read_memory(void *to, const void *from, size_t bytes)
{
    struct iovec local = {to, bytes}, remote = {(void *)from, bytes};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)bytes;
}
