/* "Did you mean …?" */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *const words[] = {"reset-unread-data", "refused", NULL, "retransmitted", "reset-linger-zero"};
enum { WORDS = sizeof(words) / sizeof(words[0]) };

static void up_to_two_slips_are_forgiven(void **state)
{
    (void)state;
    assert_string_equal(nearest_word("refusd", words, WORDS), "refused");
    assert_string_equal(nearest_word("rafusad", words, WORDS), "refused");
    assert_null(nearest_word("rafasad", words, WORDS));
}

static void a_beginning_is_enough_where_only_one_has_it(void **state)
{
    (void)state;
    assert_string_equal(nearest_word("reset-u", words, WORDS), "reset-unread-data");
    assert_string_equal(nearest_word("ret", words, WORDS), "retransmitted");
    assert_null(nearest_word("reset-", words, WORDS));
    assert_null(nearest_word("re", words, WORDS));
    assert_null(nearest_word("", words, WORDS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_two_slips_are_forgiven),
        cmocka_unit_test(a_beginning_is_enough_where_only_one_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
