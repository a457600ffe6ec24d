/*
 * Sequenced-packet unix sockets: whole packets, at most one descriptor with each, the peer's
 * credentials from Linux.
 *
 * What arrives is the peer's choice: a packet longer than the buffer is refused, descriptors that
 * were not asked for are not received.
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 8 /* received at once; Linux closes the rest */
#define ENDING_TIME 1000  /* milliseconds that a process may take to end */

static int fill_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path))
        return -ENAMETOOLONG;
    strcpy(address->sun_path, path);
    return 0;
}

static int close_with(int fd, int error)
{
    close(fd);
    return error;
}

/* A program whose standard streams are closed must not read from its kernel, nor print to it. */
static int above_streams(int fd)
{
    int moved;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return moved;
}

int host_connect(const char *path)
{
    struct sockaddr_un address;
    int error = fill_address(&address, path);
    int fd;

    if (error)
        return error;
    fd = above_streams(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return close_with(fd, -errno);
    return fd;
}

/* Linux closes the sockets of a process that ends in no order of ours: its clients may know of the
 * end, and somebody start the next server, while it still listens. Then it hangs up in a moment. */
static int hangs_up(int fd)
{
    struct pollfd end = {.fd = fd};

    return poll(&end, 1, ENDING_TIME) == 1;
}

/* The socket of a server that has died refuses connections. */
static int remove_dead_socket(const char *path)
{
    int fd = host_connect(path);

    if (fd >= 0 && hangs_up(fd)) {
        close(fd);
        fd = host_connect(path);
    }
    if (fd >= 0)
        return close_with(fd, -EADDRINUSE);
    if (fd == -ENOENT)
        return 0;
    if (fd != -ECONNREFUSED)
        return -EADDRINUSE;
    return unlink(path) < 0 ? -errno : 0;
}

static int bind_and_listen(const char *path, unsigned mode)
{
    struct sockaddr_un address;
    int fd, error = fill_address(&address, path);

    if (error)
        return error;
    error = remove_dead_socket(path);
    if (error)
        return error;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    fchmod(fd, mode); /* the file is born with these rights, less the umask */
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, mode) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return close_with(fd, -errno);
    return fd;
}

/* Two servers that start at the same time must not take each other's socket for a dead one. */
int host_listen(const char *path, unsigned mode)
{
    char lock_path[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];
    int lock, fd;

    if (snprintf(lock_path, sizeof(lock_path), "%s.lock", path) >= (int)sizeof(lock_path))
        return -ENAMETOOLONG;
    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return -errno;
    if (flock(lock, LOCK_EX) < 0)
        return close_with(lock, -errno);
    fd = bind_and_listen(path, mode);
    close(lock);
    return fd;
}

int host_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int host_send_now(int socket, const void *data, size_t bytes)
{
    ssize_t sent;

    do
        sent = send(socket, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static void set_timeout(int socket, int option, unsigned ms)
{
    struct timeval time = {ms / 1000, ms % 1000 * 1000};

    setsockopt(socket, SOL_SOCKET, option, &time, sizeof(time));
}

void host_set_patience(int socket, unsigned receive_ms, unsigned send_ms)
{
    set_timeout(socket, SO_RCVTIMEO, receive_ms);
    set_timeout(socket, SO_SNDTIMEO, send_ms);
}

int host_send(int socket, const void *data, size_t bytes, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec vector = {(void *)data, bytes};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t sent;

    if (fd >= 0) {
        control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* The first descriptor of a message, or -1; the others are closed. */
static int take_descriptor(struct msghdr *message)
{
    int first = -1;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
            if (first < 0)
                first = fd;
            else
                close(fd);
        }
    }
    return first;
}

ssize_t host_receive(int socket, void *data, size_t bytes, int *fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } control;
    struct iovec vector = {data, bytes};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = fd ? &control : NULL,
                             .msg_controllen = fd ? sizeof(control) : 0};
    ssize_t got;
    int descriptor;

    if (fd)
        *fd = -1;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == ECONNRESET ? 0 : -errno;
    descriptor = take_descriptor(&message);
    if (fd && !(message.msg_flags & MSG_TRUNC))
        *fd = descriptor;
    else if (descriptor >= 0)
        close(descriptor);
    return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : got;
}

int host_peer(int socket, uint32_t *pid, uint32_t *uid)
{
    struct ucred peer;
    socklen_t bytes = sizeof(peer);

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0)
        return -errno;
    *pid = (uint32_t)peer.pid;
    *uid = peer.uid;
    return 0;
}

static int poll_all(struct pollfd *polled, int *sockets, bool *ready, size_t count, int timeout_ms)
{
    int got;

    for (size_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = sockets[i], .events = POLLIN};
    got = poll(polled, count, timeout_ms);
    if (got < 0)
        return -errno;
    for (size_t i = 0; i < count; i++)
        ready[i] = polled[i].revents != 0;
    return got;
}

int host_poll(int *sockets, bool *ready, size_t count, int timeout_ms)
{
    struct pollfd few[32], *polled = few;
    int result;

    if (count > sizeof(few) / sizeof(few[0])) {
        polled = calloc(count, sizeof(*polled));
        if (!polled)
            return -ENOMEM;
    }
    result = poll_all(polled, sockets, ready, count, timeout_ms);
    if (polled != few)
        free(polled);
    return result;
}

void host_hang_up(int socket)
{
    shutdown(socket, SHUT_RDWR);
}

void host_close(int fd)
{
    close(fd);
}

int host_event_file(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

void host_event_signal(int fd)
{
    eventfd_write(fd, 1);
}

void host_event_drain(int fd)
{
    eventfd_t count;

    eventfd_read(fd, &count);
}
