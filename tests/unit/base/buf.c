/* The growing buffer: its limit, its failures that stay, its NUL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "base/buf.h"

static void an_empty_buffer_is_an_empty_string(void **state)
{
    (void)state;
    struct buf buf = buf_new(10);
    assert_string_equal(buf_string(&buf), "");
    assert_int_equal(buf.length, 0);
    assert_int_equal(buf_append(&buf, NULL, 0), 0);
    assert_string_equal(buf_string(&buf), "");
    buf_free(&buf);
    buf_free(&buf);
    buf_free(NULL);
}

static void what_is_appended_stands_in_order_with_a_nul_behind_it(void **state)
{
    (void)state;
    struct buf buf = buf_new(1000);
    assert_int_equal(buf_text(&buf, "ab"), 0);
    assert_int_equal(buf_char(&buf, 'c'), 0);
    assert_int_equal(buf_printf(&buf, "%d-%s", 42, "x"), 0);
    assert_int_equal(buf_append(&buf, "\0z", 2), 0);
    assert_int_equal(buf.length, 9);
    assert_memory_equal(buf.data, "abc42-x\0z", 10);
    buf_free(&buf);
}

static void it_holds_its_limit_and_not_a_byte_more(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 200; limit++) {
        struct buf buf = buf_new(limit);
        for (size_t i = 0; i < limit; i++) assert_int_equal(buf_char(&buf, 'x'), 0);
        assert_int_equal(buf_char(&buf, 'y'), -EMSGSIZE);
        assert_true(buf.failed);
        assert_int_equal(buf.length, limit);
        buf_free(&buf);
    }
}

static void after_a_failure_it_keeps_what_it_had_and_refuses_the_rest(void **state)
{
    (void)state;
    struct buf buf = buf_new(4);
    assert_int_equal(buf_text(&buf, "abc"), 0);
    assert_int_equal(buf_text(&buf, "de"), -EMSGSIZE);
    assert_true(buf_char(&buf, 'd') < 0); /* it would fit, but something is missing before it */
    assert_true(buf_printf(&buf, "%s", "") < 0);
    assert_string_equal(buf_string(&buf), "abc");
    buf_clear(&buf);
    assert_false(buf.failed);
    assert_string_equal(buf_string(&buf), "");
    assert_int_equal(buf_text(&buf, "abcd"), 0);
    buf_free(&buf);
}

static void a_formatted_text_past_the_limit_is_refused_whole(void **state)
{
    (void)state;
    struct buf buf = buf_new(4);
    assert_int_equal(buf_printf(&buf, "%d", 12345), -EMSGSIZE);
    assert_int_equal(buf.length, 0);
    buf_free(&buf);
}

static void a_formatted_text_of_any_length_goes_behind_what_is_there_or_leaves_it(void **state)
{
    (void)state;
    char text[300];
    for (size_t before = 0; before < 140; before++) {
        for (int length = 0; length < 140; length++) {
            struct buf buf = buf_new(200);
            memset(text, 'x', sizeof(text));
            assert_int_equal(buf_append(&buf, text, before), 0);
            memset(text + before, 'y', (size_t)length);
            bool fits = before + (size_t)length <= 200;
            assert_int_equal(buf_printf(&buf, "%.*s", length, text + before), fits ? 0 : -EMSGSIZE);
            text[fits ? before + (size_t)length : before] = 0;
            assert_string_equal(buf_string(&buf), text);
            assert_int_equal(buf.length, strlen(text));
            buf_free(&buf);
        }
    }
}

static void it_grows_as_needed(void **state)
{
    (void)state;
    struct buf buf = buf_new(1 << 20);
    for (int i = 0; i < 1 << 16; i++) assert_int_equal(buf_printf(&buf, "%08x", (unsigned)i), 0);
    assert_int_equal(buf.length, 8 << 16);
    for (size_t i = 0; i < 1 << 16; i += 4099) {
        char text[9] = {0};
        memcpy(text, buf.data + i * 8, 8);
        unsigned value = 0;
        for (const char *c = text; *c; c++) value = value * 16 + (unsigned)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
        assert_int_equal(value, i);
    }
    buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(what_is_appended_stands_in_order_with_a_nul_behind_it),
        cmocka_unit_test(it_holds_its_limit_and_not_a_byte_more),
        cmocka_unit_test(after_a_failure_it_keeps_what_it_had_and_refuses_the_rest),
        cmocka_unit_test(a_formatted_text_past_the_limit_is_refused_whole),
        cmocka_unit_test(a_formatted_text_of_any_length_goes_behind_what_is_there_or_leaves_it),
        cmocka_unit_test(it_grows_as_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
