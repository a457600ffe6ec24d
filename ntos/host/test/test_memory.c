/* Memory files and mappings. */
#include "host_test.h"

static char *const arena = (char *)0x7c0000000000;

static int new_file(void)
{
    int fd = host_memory_file("test", 4 * HOST_PAGE_SIZE);

    assert_true(fd >= 0);
    return fd;
}

static void a_memory_file_can_be_neither_shrunk_nor_grown(void **unused)
{
    int fd = new_file();

    (void)unused;
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, 1 << 20), -1);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    host_close(fd);
}

static void a_read_only_descriptor_cannot_be_mapped_writable(void **unused)
{
    int fd = new_file(), copy = host_memory_file_read_only(fd);

    (void)unused;
    assert_true(copy >= 0);
    assert_int_equal(host_reserve(arena, HOST_PAGE_SIZE), 0);
    assert_int_equal(host_map(arena, HOST_PAGE_SIZE, copy, 0, HOST_READ | HOST_WRITE), -EACCES);
    assert_int_equal(host_map(arena, HOST_PAGE_SIZE, copy, 0, HOST_READ), 0);
    assert_int_equal(host_protect(arena, HOST_PAGE_SIZE, HOST_READ | HOST_WRITE), -EACCES);
    host_unmap(arena, HOST_PAGE_SIZE);
    host_close(copy);
    host_close(fd);
}

static void reserved_space_cannot_be_reserved_again(void **unused)
{
    (void)unused;
    assert_int_equal(host_reserve(arena, 8 * HOST_PAGE_SIZE), 0);
    assert_int_equal(host_reserve(arena + HOST_PAGE_SIZE, HOST_PAGE_SIZE), -EEXIST);
    assert_int_equal(host_unmap(arena, 8 * HOST_PAGE_SIZE), 0);
    assert_int_equal(host_reserve(arena, HOST_PAGE_SIZE), 0);
    host_unmap(arena, HOST_PAGE_SIZE);
    assert_int_equal(host_reserve(NULL, HOST_PAGE_SIZE), -EINVAL);
}

static void two_mappings_of_one_page_show_the_same_bytes(void **unused)
{
    int fd = new_file();

    (void)unused;
    assert_int_equal(host_reserve(arena, 2 * HOST_PAGE_SIZE), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(host_map(arena + i * HOST_PAGE_SIZE, HOST_PAGE_SIZE, fd, HOST_PAGE_SIZE,
                                  HOST_READ | HOST_WRITE),
                         0);
    strcpy(arena, "hello");
    assert_string_equal(arena + HOST_PAGE_SIZE, "hello");
    host_unmap(arena, 2 * HOST_PAGE_SIZE);
    host_close(fd);
}

static void decommitted_space_is_unreadable_and_still_reserved(void **unused)
{
    int fd = new_file();
    char byte;

    (void)unused;
    assert_int_equal(host_reserve(arena, HOST_PAGE_SIZE), 0);
    assert_int_equal(host_map(arena, HOST_PAGE_SIZE, fd, 0, HOST_READ | HOST_WRITE), 0);
    assert_true(host_read_memory(&byte, arena, 1));
    assert_int_equal(host_decommit(arena, HOST_PAGE_SIZE), 0);
    assert_false(host_read_memory(&byte, arena, 1));
    assert_int_equal(host_reserve(arena, HOST_PAGE_SIZE), -EEXIST);
    host_unmap(arena, HOST_PAGE_SIZE);
    host_close(fd);
}

static void punched_pages_read_as_zero(void **unused)
{
    int fd = new_file();

    (void)unused;
    assert_int_equal(host_reserve(arena, 2 * HOST_PAGE_SIZE), 0);
    assert_int_equal(host_map(arena, 2 * HOST_PAGE_SIZE, fd, 0, HOST_READ | HOST_WRITE), 0);
    memset(arena, 'x', 2 * HOST_PAGE_SIZE);
    assert_int_equal(host_punch(fd, 0, HOST_PAGE_SIZE), 0);
    assert_int_equal(arena[0], 0);
    assert_int_equal(arena[HOST_PAGE_SIZE], 'x');
    host_unmap(arena, 2 * HOST_PAGE_SIZE);
    host_close(fd);
}

static void private_memory_is_zero(void **unused)
{
    char *at = host_private(HOST_PAGE_SIZE);

    (void)unused;
    assert_non_null(at);
    assert_int_equal(at[17], 0);
    host_private_free(at, HOST_PAGE_SIZE);
    host_private_free(NULL, HOST_PAGE_SIZE);
}

static void the_resident_size_is_known(void **unused)
{
    (void)unused;
    assert_true(host_resident_bytes() > HOST_PAGE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_memory_file_can_be_neither_shrunk_nor_grown),
        cmocka_unit_test(a_read_only_descriptor_cannot_be_mapped_writable),
        cmocka_unit_test(reserved_space_cannot_be_reserved_again),
        cmocka_unit_test(two_mappings_of_one_page_show_the_same_bytes),
        cmocka_unit_test(decommitted_space_is_unreadable_and_still_reserved),
        cmocka_unit_test(punched_pages_read_as_zero),
        cmocka_unit_test(private_memory_is_zero),
        cmocka_unit_test(the_resident_size_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
