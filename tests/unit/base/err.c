/* The sentence for a person: one line, cut where it is too long, nothing in it that steers a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "base/err.h"

static void the_code_is_handed_through(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set(&err, -EINVAL, "port %d", 70000), -EINVAL);
    assert_string_equal(err.text, "port 70000");
    assert_int_equal(err_set(NULL, -ENOENT, "nobody reads this"), -ENOENT);
    assert_int_equal(err_set_errno(NULL, -ENOENT, "nor this"), -ENOENT);
    err_prefix(NULL, "nor this");
}

static void the_errnos_text_stands_behind_the_sentence(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set_errno(&err, -ECONNREFUSED, "connect to %s", "x"), -ECONNREFUSED);
    assert_string_equal(err.text, "connect to x: Connection refused");
}

static void a_prefix_stands_before_the_sentence(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, 0, "no such port");
    err_prefix(&err, "line %d", 3);
    assert_string_equal(err.text, "line 3: no such port");
}

static void control_characters_do_not_get_through(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, 0, "a%sb", "\033[31m\n\177\tz");
    assert_string_equal(err.text, "a?[31m???zb");
    err_prefix(&err, "%s", "x\r\n");
    assert_string_equal(err.text, "x??: a?[31m???zb");
    err_set(&err, 0, "caf\xc3\xa9");
    assert_string_equal(err.text, "caf\xc3\xa9");
}

static void too_long_a_sentence_is_cut(void **state)
{
    (void)state;
    char text[3 * ERR_TEXT_BYTES];
    struct err err;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&err, 0, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    err_set_errno(&err, -EPERM, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    err_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    err_prefix(&err, "here");
    assert_int_equal(strncmp(err.text, "here: x", 7), 0);
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
}

static void an_errno_has_its_symbolic_name(void **state)
{
    (void)state;
    assert_string_equal(err_errno_name(ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(err_errno_name(EINPROGRESS), "EINPROGRESS");
    assert_null(err_errno_name(0));
    assert_null(err_errno_name(-ECONNREFUSED));
    assert_null(err_errno_name(100000));
}

static void only_the_kernels_notes_to_itself_are_restarts(void **state)
{
    (void)state;
    for (int64_t result = 1; result >= -4096; result--)
        assert_int_equal(err_is_restart(result), result == -512 || result == -513 || result == -514 || result == -516);
}

static void a_long_story_stands_behind_its_sentence_until_there_is_another(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, -EPERM, "no");
    assert_string_equal(err_long_story(&err), "");
    err_more(&err, "because\n%s", "so");
    assert_string_equal(err.text, "no");
    assert_string_equal(err_long_story(&err), "because?so");
    err_prefix(&err, "here");
    assert_string_equal(err.text, "here: no");
    assert_string_equal(err_long_story(&err), "because?so");
    err_set_errno(&err, -EPERM, "other");
    assert_string_equal(err_long_story(&err), "");
    char text[2 * ERR_TEXT_BYTES];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&err, 0, "%s", text);
    err_more(&err, "no room");
    assert_string_equal(err_long_story(&err), "");
    err_set(&err, 0, "room");
    err_more(&err, "%s", text);
    assert_int_equal(strlen(err_long_story(&err)), ERR_TEXT_BYTES - sizeof("room") - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_is_handed_through),
        cmocka_unit_test(the_errnos_text_stands_behind_the_sentence),
        cmocka_unit_test(a_prefix_stands_before_the_sentence),
        cmocka_unit_test(control_characters_do_not_get_through),
        cmocka_unit_test(too_long_a_sentence_is_cut),
        cmocka_unit_test(an_errno_has_its_symbolic_name),
        cmocka_unit_test(a_long_story_stands_behind_its_sentence_until_there_is_another),
        cmocka_unit_test(only_the_kernels_notes_to_itself_are_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
