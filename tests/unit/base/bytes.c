/* The bounded reader: what it gives, and that it gives nothing past the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "support/guard.h"

static void numbers_are_in_network_byte_order(void **state)
{
    (void)state;
    const uint8_t data[] = {0xfe, 1, 2, 0x80, 0, 0, 3};
    struct bytes bytes = bytes_new(data, sizeof(data));
    assert_int_equal(bytes_u8(&bytes), 0xfe);
    assert_int_equal(bytes_u16(&bytes), 0x0102);
    assert_int_equal(bytes_u32(&bytes), 0x80000003);
    assert_int_equal(bytes.left, 0);
    assert_false(bytes.failed);
}

static void a_read_past_the_end_gives_zero_and_fails_for_good(void **state)
{
    (void)state;
    for (size_t length = 0; length < 4; length++) {
        struct guard guard = guard_new("\xff\xff\xff", length);
        struct bytes bytes = bytes_new(guard.bytes, length);
        assert_int_equal(bytes_u32(&bytes), 0);
        assert_true(bytes.failed);
        assert_int_equal(bytes_u8(&bytes), 0); /* one byte may be there, but what came before it is missing */
        assert_int_equal(bytes_u16(&bytes), 0);
        assert_null(bytes_take(&bytes, 1));
        assert_true(bytes.failed);
        guard_free(&guard);
    }
}

static void taking_moves_on(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3};
    struct bytes bytes = bytes_new(data, sizeof(data));
    assert_ptr_equal(bytes_take(&bytes, 2), data);
    assert_ptr_equal(bytes_take(&bytes, 0), data + 2);
    assert_ptr_equal(bytes_take(&bytes, 1), data + 2);
    assert_false(bytes.failed);
    assert_null(bytes_take(&bytes, 1));
    assert_true(bytes.failed);
    bytes = bytes_new(data, sizeof(data));
    assert_null(bytes_take(&bytes, SIZE_MAX));
}

static void a_slice_ends_where_it_was_told(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3, 4};
    struct bytes bytes = bytes_new(data, sizeof(data));
    struct bytes slice = bytes_slice(&bytes, 3);
    assert_int_equal(slice.left, 3);
    assert_int_equal(bytes_u8(&bytes), 4);
    assert_int_equal(bytes_u32(&slice), 0);
    assert_true(slice.failed);
    assert_false(bytes.failed); /* a failure in the slice is the slice's */
}

static void a_slice_past_the_end_is_shorter_and_fails_its_source(void **state)
{
    (void)state;
    struct guard guard = guard_new("\1\2", 2);
    struct bytes bytes = bytes_new(guard.bytes, 2);
    struct bytes slice = bytes_slice(&bytes, 3);
    assert_true(bytes.failed);
    assert_false(slice.failed);
    assert_int_equal(slice.left, 2);
    assert_int_equal(bytes_u16(&slice), 0x0102);
    assert_int_equal(bytes_u8(&slice), 0);
    assert_true(slice.failed);
    guard_free(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_in_network_byte_order),
        cmocka_unit_test(a_read_past_the_end_gives_zero_and_fails_for_good),
        cmocka_unit_test(taking_moves_on),
        cmocka_unit_test(a_slice_ends_where_it_was_told),
        cmocka_unit_test(a_slice_past_the_end_is_shorter_and_fails_its_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
