/* A library that is loaded when it is needed; libz stands for any: it is there wherever tcpwhy is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/library.h"

#define FUNCTIONS(each) each(crc32) each(zlibVersion) each(adler32)

struct functions {
    FUNCTIONS(LIBRARY_POINTER)
};

static void each_pointer_is_the_function_of_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {FUNCTIONS(LIBRARY_NAME) NULL};
    static const unsigned char digits[] = "123456789";
    struct functions found;
    struct err err;
    assert_int_equal(library_load("libz.so.1", names, &found, &err), 0);
    assert_int_equal(found.crc32(0, digits, 9), 0xcbf43926); /* the check value of that CRC */
    assert_int_equal(found.adler32(1, digits, 9), 0x091e01de);
    assert_int_equal(found.zlibVersion()[0], '1');
}

static void one_that_is_not_here_is_named_with_its_package(void **state)
{
    (void)state;
    static const char *const names[] = {NULL};
    struct err err;
    assert_int_equal(library_load("libnosuch.so.0.8", names, NULL, &err), -ENOENT);
    assert_string_equal(err.text, "libnosuch.so.0.8 is needed for this, and can't be loaded (Debian: libnosuch0.8): "
                                  "libnosuch.so.0.8: cannot open shared object file: No such file or directory");
}

static void one_that_lacks_a_function_is_too_old(void **state)
{
    (void)state;
    static const char *const names[] = {"crc32", "crc33", NULL};
    void *found[2] = {NULL, NULL};
    struct err err;
    assert_int_equal(library_load("libz.so.1", names, found, &err), -ENOENT);
    assert_string_equal(err.text, "libz.so.1 is too old: it has no crc33");
    assert_null(found[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pointer_is_the_function_of_its_name),
        cmocka_unit_test(one_that_is_not_here_is_named_with_its_package),
        cmocka_unit_test(one_that_lacks_a_function_is_too_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
