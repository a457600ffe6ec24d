/* ELF images, symbols and stacks; whole files. */
#include "host_test.h"

/* Where meson built the images of this test. */
static char good[512], bad[512], scratch[64];

static void missing_name(void *context, const char *name)
{
    strcat(strcat(context, name), ";");
}

static void a_missing_import_is_named(void **unused)
{
    char names[256] = "";

    (void)unused;
    assert_int_equal(host_image_missing(good, missing_name, names), 0);
    assert_int_equal(host_image_missing(bad, missing_name, names), 1);
    assert_string_equal(names, "usernt_no_such_routine;");
}

static void an_image_with_a_missing_import_is_not_loaded(void **unused)
{
    host_image *image;
    char error[256];

    (void)unused;
    assert_int_equal(host_image_load(bad, &image, error, sizeof(error)), -ENOEXEC);
    assert_non_null(strstr(error, "usernt_no_such_routine"));
}

static void an_image_loaded_again_has_fresh_globals(void **unused)
{
    host_image *image, *second;
    char error[256];

    (void)unused;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(host_image_load(good, &image, error, sizeof(error)), 0);
        int (*next)(void) = (int (*)(void))host_image_symbol(image, "image_next");

        assert_non_null(next);
        assert_int_equal(next(), 1);
        assert_int_equal(next(), 2);
        assert_int_equal(host_image_load(good, &second, error, sizeof(error)), -EEXIST);
        host_image_unload(image);
    }
}

static void an_address_leads_to_its_image(void **unused)
{
    struct host_image_info info, other;
    host_image *image;
    char error[256];
    char *next;

    (void)unused;
    assert_int_equal(host_image_load(good, &image, error, sizeof(error)), 0);
    next = host_image_symbol(image, "image_next");
    host_image_info(image, &info);
    assert_true((char *)info.base <= next && next < (char *)info.base + info.bytes);
    assert_string_equal(info.path, good);
    assert_true(host_image_of(next, &other));
    assert_ptr_equal(other.base, info.base);
    host_image_unload(image);
    assert_false(host_image_of(next, &other));
}

/* A copy of the good image, cut or damaged. */
static int missing_in(const char *data, size_t bytes)
{
    assert_int_equal(host_write_file(scratch, data, bytes), 0);
    return host_image_missing(scratch, NULL, NULL);
}

static void a_damaged_file_is_an_error_and_never_a_crash(void **unused)
{
    size_t bytes;
    char *data = host_read_file(good, &bytes), error[256];
    host_image *image;

    (void)unused;
    assert_non_null(data);
    assert_int_equal(missing_in("", 0), -ENOEXEC);
    assert_int_equal(missing_in("#!/bin/sh\n", 10), -ENOEXEC);
    for (size_t length = 1; length < 4096; length += 61)
        assert_true(missing_in(data, length) < 0);
    assert_int_equal(host_image_load(scratch, &image, error, sizeof(error)), -ENOEXEC);
    assert_int_equal(host_image_missing("/nonexistent", NULL, NULL), -ENOENT);
    for (unsigned seed = 1; seed < 300; seed++) {
        char *copy = malloc(bytes);

        memcpy(copy, data, bytes);
        for (unsigned i = 0; i < 8; i++)
            copy[(seed * 2654435761u + i * 40503u) % bytes] ^= (char)(seed + i);
        missing_in(copy, bytes);
        free(copy);
    }
    free(data);
    host_remove_file(scratch);
}

static void find_export(void *context, const char *name, void *address)
{
    if (!strcmp(name, "host_each_export"))
        *(void **)context = address;
}

static void exports_of_the_executive_are_listed(void **unused)
{
    void *found = NULL;

    (void)unused;
    host_each_export(find_export, &found);
    assert_non_null(found);
    assert_ptr_equal(found, host_symbol("host_each_export"));
    assert_null(host_symbol("usernt_no_such_routine"));
}

static void the_executive_knows_where_it_lies(void **unused)
{
    struct host_image_info info;

    (void)unused;
    host_image_self(&info);
    assert_non_null(strstr(info.path, "libntoskrnl"));
}

__attribute__((noinline)) static void *innermost(char *text, size_t size)
{
    void *frames[16];
    size_t count = host_backtrace(frames, 16, 0);

    assert_true(count >= 3);
    host_symbolise(frames[0], text, size);
    return frames[0];
}

static void a_stack_has_functions_files_and_modules(void **unused)
{
    char text[256];

    (void)unused;
    innermost(text, sizeof(text));
    assert_non_null(strstr(text, "innermost"));
    assert_non_null(strstr(text, "(test_image.c:"));
    assert_non_null(strstr(text, "[test-host-image]"));
    host_symbols_forget();
}

static void an_address_without_a_name_stays_a_number(void **unused)
{
    char text[64];

    (void)unused;
    host_symbolise((void *)0x1234, text, sizeof(text));
    assert_string_equal(text, "0x1234");
    host_symbols_forget();
}

static void a_file_is_replaced_at_once(void **unused)
{
    size_t bytes;
    char *data;

    (void)unused;
    assert_int_equal(host_write_file(scratch, "first", 5), 0);
    assert_int_equal(host_write_file(scratch, "second", 6), 0);
    data = host_read_file(scratch, &bytes);
    assert_int_equal(bytes, 6);
    assert_string_equal(data, "second");
    free(data);
    host_remove_file(scratch);
    assert_false(host_file_exists(scratch));
    assert_null(host_read_file(scratch, &bytes));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(host_write_file("/nonexistent/file", "", 0), -ENOENT);
}

static void a_file_without_a_size_is_read_to_its_end(void **unused)
{
    size_t bytes;
    char *data = host_read_file("/proc/self/maps", &bytes);

    (void)unused;
    assert_non_null(data);
    assert_true(bytes > 100 && data[bytes] == 0 && strlen(data) == bytes);
    free(data);
}

static void a_directory_is_made_with_its_parents(void **unused)
{
    char path[128];

    (void)unused;
    snprintf(path, sizeof(path), "%s-dir/a/b", scratch);
    assert_int_equal(host_make_directory(path), 0);
    assert_int_equal(host_make_directory(path), 0);
    assert_true(host_file_exists(path));
    for (int i = 0; i < 3; i++) {
        rmdir(path);
        *strrchr(path, '/') = 0;
    }
    assert_int_equal(host_make_directory("/dev/null/x"), -ENOTDIR);
}

static void random_bytes_differ(void **unused)
{
    uint64_t a[4], b[4];

    (void)unused;
    host_random(a, sizeof(a));
    host_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_import_is_named),
        cmocka_unit_test(an_image_with_a_missing_import_is_not_loaded),
        cmocka_unit_test(an_image_loaded_again_has_fresh_globals),
        cmocka_unit_test(an_address_leads_to_its_image),
        cmocka_unit_test(a_damaged_file_is_an_error_and_never_a_crash),
        cmocka_unit_test(exports_of_the_executive_are_listed),
        cmocka_unit_test(the_executive_knows_where_it_lies),
        cmocka_unit_test(a_stack_has_functions_files_and_modules),
        cmocka_unit_test(an_address_without_a_name_stays_a_number),
        cmocka_unit_test(a_file_is_replaced_at_once),
        cmocka_unit_test(a_file_without_a_size_is_read_to_its_end),
        cmocka_unit_test(a_directory_is_made_with_its_parents),
        cmocka_unit_test(random_bytes_differ),
    };

    (void)count;
    char *slash = strrchr(arguments[0], '/');

    snprintf(good, sizeof(good), "%.*s/test-image-good.so", (int)(slash - arguments[0]),
             arguments[0]);
    snprintf(bad, sizeof(bad), "%.*s/test-image-bad.so", (int)(slash - arguments[0]), arguments[0]);
    snprintf(scratch, sizeof(scratch), "/tmp/usernt-test-%d", getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
