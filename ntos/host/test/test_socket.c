/* Sequenced-packet sockets. */
#include "host_test.h"

#include <poll.h>
#include <pthread.h>

static char path[64];

static int new_path(void **unused)
{
    (void)unused;
    snprintf(path, sizeof(path), "/tmp/usernt-test-%d.sock", getpid());
    return 0;
}

static int remove_path(void **unused)
{
    char lock[80];

    (void)unused;
    snprintf(lock, sizeof(lock), "%s.lock", path);
    host_remove_file(path);
    host_remove_file(lock);
    return 0;
}

static void connected(int *client, int *server)
{
    int listener = host_listen(path, 0600);

    assert_true(listener >= 0);
    *client = host_connect(path);
    assert_true(*client >= 0);
    *server = host_accept(listener);
    assert_true(*server >= 0);
    host_close(listener);
}

static void packets_keep_their_bounds(void **unused)
{
    int client, server;
    char text[16];

    (void)unused;
    connected(&client, &server);
    assert_int_equal(host_send(client, "one", 3, -1), 0);
    assert_int_equal(host_send(client, "three", 5, -1), 0);
    assert_int_equal(host_receive(server, text, sizeof(text), NULL), 3);
    assert_int_equal(host_receive(server, text, sizeof(text), NULL), 5);
    assert_memory_equal(text, "three", 5);
    host_close(client);
    assert_int_equal(host_receive(server, text, sizeof(text), NULL), 0);
    assert_int_equal(host_send(server, "x", 1, -1), -EPIPE);
    host_close(server);
}

static void a_descriptor_travels_with_a_packet(void **unused)
{
    int client, server, got, fd = host_memory_file("travels", HOST_PAGE_SIZE);
    char text[4];

    (void)unused;
    connected(&client, &server);
    assert_int_equal(pwrite(fd, "sent", 4, 0), 4);
    assert_int_equal(host_send(client, "fd", 2, fd), 0);
    assert_int_equal(host_receive(server, text, sizeof(text), &got), 2);
    assert_true(got >= 0 && got != fd);
    assert_int_equal(pread(got, text, 4, 0), 4);
    assert_memory_equal(text, "sent", 4);
    assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
    host_close(got);
    host_close(fd);
    host_close(client);
    host_close(server);
}

static void a_descriptor_nobody_asked_for_is_closed(void **unused)
{
    int client, server, before, after, fd = host_memory_file("unwanted", HOST_PAGE_SIZE);
    char text[4];

    (void)unused;
    connected(&client, &server);
    before = dup(fd);
    close(before);
    assert_int_equal(host_send(client, "fd", 2, fd), 0);
    assert_int_equal(host_receive(server, text, sizeof(text), NULL), 2);
    after = dup(fd);
    close(after);
    assert_int_equal(after, before);
    host_close(fd);
    host_close(client);
    host_close(server);
}

static void a_packet_larger_than_the_buffer_is_refused(void **unused)
{
    int client, server, got;
    char text[4];

    (void)unused;
    connected(&client, &server);
    assert_int_equal(host_send(client, "too long", 8, client), 0);
    assert_int_equal(host_receive(server, text, sizeof(text), &got), -EMSGSIZE);
    assert_int_equal(got, -1);
    host_close(client);
    host_close(server);
}

static void a_live_server_is_not_replaced(void **unused)
{
    int first = host_listen(path, 0600);

    (void)unused;
    assert_true(first >= 0);
    assert_int_equal(host_listen(path, 0600), -EADDRINUSE);
    host_close(first);
}

static void the_socket_of_a_dead_server_is_replaced(void **unused)
{
    int first = host_listen(path, 0600), second;

    (void)unused;
    host_close(first);
    assert_int_equal(host_connect(path), -ECONNREFUSED);
    second = host_listen(path, 0600);
    assert_true(second >= 0);
    host_close(second);
}

/* Ends as soon as somebody has connected, whom it does not accept. */
static void *end_when_asked(void *listener)
{
    struct pollfd asked = {.fd = *(int *)listener, .events = POLLIN};

    assert_int_equal(poll(&asked, 1, -1), 1);
    host_close(asked.fd);
    return NULL;
}

static void a_server_that_is_about_to_end_is_replaced(void **unused)
{
    int first = host_listen(path, 0600), second;
    pthread_t thread;

    (void)unused;
    assert_true(first >= 0);
    assert_int_equal(pthread_create(&thread, NULL, end_when_asked, &first), 0);
    second = host_listen(path, 0600);
    assert_true(second >= 0);
    pthread_join(thread, NULL);
    host_close(second);
}

static void the_peer_is_known(void **unused)
{
    int client, server;
    uint32_t pid, uid;

    (void)unused;
    connected(&client, &server);
    assert_int_equal(host_peer(server, &pid, &uid), 0);
    assert_int_equal(pid, getpid());
    assert_int_equal(uid, getuid());
    host_close(client);
    host_close(server);
}

static void polling_tells_who_is_ready(void **unused)
{
    int client, server, event = host_event_file();
    bool ready[2];

    (void)unused;
    connected(&client, &server);
    int polled[2] = {server, event};

    assert_int_equal(host_poll(polled, ready, 2, 0), 0);
    host_event_signal(event);
    assert_int_equal(host_poll(polled, ready, 2, -1), 1);
    assert_true(!ready[0] && ready[1]);
    host_event_drain(event);
    host_close(client);
    assert_int_equal(host_poll(polled, ready, 2, -1), 1);
    assert_true(ready[0] && !ready[1]);
    host_close(server);
    host_close(event);
}

static void a_path_too_long_is_refused(void **unused)
{
    char name[300];

    (void)unused;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    assert_int_equal(host_listen(name, 0600), -ENAMETOOLONG);
    assert_int_equal(host_connect(name), -ENAMETOOLONG);
}

#define SOCKET_TEST(test) cmocka_unit_test_setup_teardown(test, new_path, remove_path)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOCKET_TEST(packets_keep_their_bounds),
        SOCKET_TEST(a_descriptor_travels_with_a_packet),
        SOCKET_TEST(a_descriptor_nobody_asked_for_is_closed),
        SOCKET_TEST(a_packet_larger_than_the_buffer_is_refused),
        SOCKET_TEST(a_live_server_is_not_replaced),
        SOCKET_TEST(the_socket_of_a_dead_server_is_replaced),
        SOCKET_TEST(a_server_that_is_about_to_end_is_replaced),
        SOCKET_TEST(the_peer_is_known),
        SOCKET_TEST(polling_tells_who_is_ready),
        SOCKET_TEST(a_path_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
