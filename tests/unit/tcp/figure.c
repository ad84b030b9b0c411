/* The arrows of figure 5: complete against the state machine's table, and told apart by what a story knows of a transition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/figure.h"

/* Figure 5, read from the RFC by hand, in the order of the numbers: from, to. */
static const char drawn[] = "CL LC CS SC LR LS RL SR RE SE R1 E1 EW 12 1G WA 2T GT TC AC";
static const char letters[] = "?CLSRE12WGAT";

static void the_first_twenty_are_those_that_the_figure_draws(void **data)
{
    (void)data;
    size_t count;
    const struct figure_arrow *arrows = figure_arrows(&count);
    assert_true(count <= FIGURE_MAX);
    assert_int_equal(sizeof(drawn), 3 * FIGURE_DRAWN);
    for (size_t i = 0; i < FIGURE_DRAWN; i++) {
        assert_int_equal(letters[arrows[i].from], drawn[3 * i]);
        assert_int_equal(letters[arrows[i].to], drawn[3 * i + 1]);
        assert_true(arrows[i].input != INPUT_COUNT);
    }
}

static void every_transition_of_the_state_machine_has_one_number(void **data)
{
    (void)data;
    size_t count, total;
    const struct tcp_arrow *table = tcp_arrows(&total);
    const struct figure_arrow *arrows = figure_arrows(&count);
    for (size_t i = 0; i < total; i++) {
        if (table[i].from == table[i].to) continue;
        unsigned number = figure_number(table[i].from, table[i].to, table[i].why);
        if (!number) fail_msg("%s on %s has no number", tcp_state_name(table[i].from), tcp_input_name(table[i].input));
        assert_int_equal(number, figure_number_of(table[i].from, table[i].input));
        assert_int_equal(arrows[number - 1].input, table[i].input);
    }
    for (size_t i = 0; i < count; i++) {
        if (arrows[i].input == INPUT_COUNT) continue;
        const struct tcp_arrow *arrow = tcp_next(arrows[i].from, arrows[i].input);
        assert_non_null(arrow);
        assert_int_equal(arrow->to, arrows[i].to);
    }
    assert_int_equal(figure_number(STATE_CLOSED, STATE_TIME_WAIT, "no such thing"), 0);
    assert_int_equal(figure_number_of(STATE_CLOSED, INPUT_COUNT), 0);
}

static void each_arrow_says_where_in_the_kernel_to_look(void **data)
{
    (void)data;
    size_t count, never = 0;
    const struct figure_arrow *arrows = figure_arrows(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(arrows[i].event) > 3);
        assert_non_null(strstr(arrows[i].function, "()"));
        never += arrows[i].never != NULL;
        if (arrows[i].never) assert_true(strlen(arrows[i].never) > 20);
    }
    assert_true(never > 0);
    assert_non_null(arrows[figure_number_of(STATE_LISTEN, INPUT_SENT_SYN) - 1].never);
    const struct figure_arrow *note_2 = &arrows[figure_number_of_note_2() - 1];
    assert_int_equal(note_2->from, STATE_FIN_WAIT_1);
    assert_int_equal(note_2->to, STATE_TIME_WAIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_twenty_are_those_that_the_figure_draws),
        cmocka_unit_test(every_transition_of_the_state_machine_has_one_number),
        cmocka_unit_test(each_arrow_says_where_in_the_kernel_to_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
