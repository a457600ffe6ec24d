/* Whole files, standard error, and the end of the process. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *data, size_t bytes)
{
    while (bytes) {
        ssize_t written = write(fd, data, bytes);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        bytes -= (size_t)written;
    }
    return 0;
}

static ssize_t read_some(int fd, char *data, size_t bytes)
{
    ssize_t got;

    do
        got = read(fd, data, bytes);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Reads to the end: the size that Linux tells is a hint (it is 0 for files of /proc). */
static char *read_to_end(int fd, size_t hint, size_t *bytes)
{
    size_t room = hint + 1, used = 0;
    char *data = malloc(room + 1);
    ssize_t got = 0;

    while (data && (got = read_some(fd, data + used, room - used)) > 0) {
        used += (size_t)got;
        if (used == room) {
            char *larger = realloc(data, (room *= 2) + 1);

            if (!larger)
                free(data);
            data = larger;
        }
    }
    if (!data)
        return NULL;
    if (got < 0) {
        int error = errno;

        free(data);
        errno = error;
        return NULL;
    }
    data[used] = 0;
    *bytes = used;
    return data;
}

char *host_read_file(const char *path, size_t *bytes)
{
    struct stat status;
    char *data = NULL;
    int error, fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    if (!fstat(fd, &status)) {
        if (S_ISDIR(status.st_mode))
            errno = EISDIR;
        else
            data = read_to_end(fd, status.st_size > 0 ? (size_t)status.st_size : 4095, bytes);
    }
    error = errno;
    close(fd);
    errno = error;
    return data;
}

static int write_and_rename(int fd, const char *temporary, const char *path, const void *data,
                            size_t bytes)
{
    int error = write_all(fd, data, bytes);

    if (!error && fsync(fd) < 0)
        error = -errno;
    if (close(fd) < 0 && !error)
        error = -errno;
    if (!error && rename(temporary, path) < 0)
        error = -errno;
    return error;
}

int host_write_file(const char *path, const void *data, size_t bytes)
{
    char *temporary;
    int fd, error;

    if (asprintf(&temporary, "%s.%d.%d.tmp", path, getpid(), gettid()) < 0)
        return -ENOMEM;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        error = -errno;
    } else {
        error = write_and_rename(fd, temporary, path, data, bytes);
        if (error)
            unlink(temporary);
    }
    free(temporary);
    return error;
}

int host_make_directory(const char *path)
{
    char *copy = strdup(path);
    struct stat status;
    int error = 0;

    if (!copy)
        return -ENOMEM;
    for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        mkdir(copy, 0777); /* the last one's result decides */
        *at = '/';
    }
    if (mkdir(copy, 0777) < 0)
        error = -errno;
    if (error == -EEXIST && !stat(copy, &status) && S_ISDIR(status.st_mode))
        error = 0;
    free(copy);
    return error;
}

int host_check_directory(const char *path)
{
    int error = host_make_directory(path);

    if (!error && access(path, R_OK | W_OK | X_OK) < 0)
        error = -errno;
    return error;
}

#define LIMIT_MOST 0x1000000u /* "unlimited" */

unsigned host_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    return limit.rlim_cur > LIMIT_MOST ? LIMIT_MOST : (unsigned)limit.rlim_cur;
}

unsigned host_raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return host_file_limit();
}

unsigned host_mapping_limit(void)
{
    size_t bytes;
    char *text = host_read_file("/proc/sys/vm/max_map_count", &bytes);
    unsigned long limit = text ? strtoul(text, NULL, 10) : 65530;

    free(text);
    return limit > LIMIT_MOST ? LIMIT_MOST : (unsigned)limit;
}

bool host_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void host_write_error(const char *text)
{
    write_all(STDERR_FILENO, text, strlen(text));
}

_Noreturn void host_exit(int code)
{
    _exit(code);
}

void host_remove_file(const char *path)
{
    unlink(path);
}

static int exit_code;

static void on_alarm(int signal)
{
    (void)signal;
    _exit(exit_code);
}

void host_exit_within(unsigned seconds, int code)
{
    sigset_t set;

    exit_code = code;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    alarm(seconds);
}

bool host_is_traced(void)
{
    char text[4096], *line;
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read_some(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = 0;
    line = strstr(text, "TracerPid:");
    return line && atoi(line + strlen("TracerPid:")) != 0;
}
