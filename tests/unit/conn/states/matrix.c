/* The event and state matrix of RFC 9293 section 3.10: the table of tcp/processing.c against matrices written down by hand from the
 * text, and the judge (src/conn), which sees only what the wire shows, against that table, with real segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn/conn.h"
#include "matrix_own.h"
#include "tcp/processing.h"

/* A letter a state: where the event leads; '.': it stays. */
static const char letters[] = "?CLSRE12WGAT";

static const char *const leads[STATE_COUNT] = {
    [STATE_CLOSED] = ROW("LS.....", "....", "....", "..", "....", "...", "..."),
    [STATE_LISTEN] = ROW(".SS.CC.", "RR..", "....", "..", "....", "...", ".C."),
    [STATE_SYN_SENT] = ROW("....CC.", "RRE.", "....", "..", "....", "C..", ".C."),
    [STATE_SYN_RCVD] = ROW("....1C.", "..E.", "E...", "E.", "WW..", "C..", ".C."),
    [STATE_ESTABLISHED] = ROW("....1C.", "....", "....", "..", "WW..", "C..", ".C."),
    [STATE_FIN_WAIT_1] = ROW(".....C.", "....", ".2..", "..", "GT..", "C..", ".C."),
    [STATE_FIN_WAIT_2] = ROW(".....C.", "....", "....", "..", "TT..", "C..", ".C."),
    [STATE_CLOSE_WAIT] = ROW("....AC.", "....", "....", "..", "....", "C..", ".C."),
    [STATE_CLOSING] = ROW(".....C.", "....", ".T..", "..", ".T..", "C..", ".C."),
    [STATE_LAST_ACK] = ROW(".....C.", "....", ".C..", "..", ".C..", "C..", ".C."),
    [STATE_TIME_WAIT] = ROW(".....C.", "....", "....", "..", "....", "C..", ".CC"),
};
static const char *const syn_rcvd_after_a_passive_open = ROW("....1C.", "L..L", "E...", "E.", "WW..", "L..", ".C.");

/* What the user is told: e: "error: …", c: connection closing, r: connection reset or refused, s: the state, '.': nothing. */
static const char *const tells[STATE_COUNT] = {
    [STATE_CLOSED] = ROW("..eeeee", "....", "....", "..", "....", "...", "..."),
    [STATE_LISTEN] = ROW("....ers", "....", "....", "..", "....", "...", ".e."),
    [STATE_SYN_SENT] = ROW("ee..ers", "....", "....", "..", "....", "e..", ".e."),
    [STATE_SYN_RCVD] = ROW("ee...rs", "....", "....", "..", "cc..", "r..", ".e."),
    [STATE_ESTABLISHED] = ROW("ee...rs", "....", "....", "..", "cc..", "r..", ".e."),
    [STATE_FIN_WAIT_1] = ROW("eee.ers", "....", "....", "..", "cc..", "r..", ".e."),
    [STATE_FIN_WAIT_2] = ROW("eee.ers", "....", "....", "..", "cc..", "r..", ".e."),
    [STATE_CLOSE_WAIT] = ROW("ee.e.rs", "....", "....", "..", "....", "r..", ".e."),
    [STATE_CLOSING] = ROW("eeeee.s", "....", "....", "..", "....", "...", ".e."),
    [STATE_LAST_ACK] = ROW("eeeee.s", "....", "....", "..", "....", "...", ".e."),
    [STATE_TIME_WAIT] = ROW("eeeee.s", "....", "....", "..", "....", "...", ".e."),
};

static void every_event_in_every_state_leads_where_the_rfc_says(void **data)
{
    (void)data;
    EACH_PAIR(state, event)
    {
        assert_int_equal(strlen(leads[state]), ON_EVENTS);
        enum tcp_state to = processing_next(state, event, false);
        char got = to == state ? '.' : letters[to];
        if (got != leads[state][event])
            fail_msg("%s in %s leads to %c, not %c", processing_event_name(event), tcp_state_name(state), got, leads[state][event]);
        const char *passive = state == STATE_SYN_RCVD ? syn_rcvd_after_a_passive_open : leads[state];
        to = processing_next(state, event, true);
        got = to == state ? '.' : letters[to];
        if (got != passive[event])
            fail_msg("after a passive OPEN %s in %s leads to %c, not %c", processing_event_name(event), tcp_state_name(state), got,
                     passive[event]);
    }
}

static void every_event_in_every_state_is_answered_as_the_rfc_says(void **data)
{
    (void)data;
    EACH_PAIR(state, event)
    {
        assert_int_equal(strlen(sends[state]), ON_EVENTS);
        char got = send_letters[processing_find(state, event)->sends];
        if (got != sends[state][event])
            fail_msg("%s in %s sends %c, not %c", processing_event_name(event), tcp_state_name(state), got, sends[state][event]);
    }
}

static char tell_letter(const char *tells_user)
{
    if (!tells_user) return '.';
    if (strncmp(tells_user, "error: ", 7) == 0) return 'e';
    if (strcmp(tells_user, "connection closing") == 0) return 'c';
    if (strcmp(tells_user, "connection reset") == 0 || strcmp(tells_user, "connection refused") == 0) return 'r';
    return strcmp(tells_user, "the state") == 0 ? 's' : '?';
}

static void the_user_is_told_what_the_rfc_says(void **data)
{
    (void)data;
    EACH_PAIR(state, event)
    {
        assert_int_equal(strlen(tells[state]), ON_EVENTS);
        char got = tell_letter(processing_find(state, event)->tells);
        if (got != tells[state][event])
            fail_msg("%s in %s tells %c, not %c", processing_event_name(event), tcp_state_name(state), got, tells[state][event]);
    }
}

static void every_pair_has_exactly_one_row_with_a_sentence_and_a_section(void **data)
{
    (void)data;
    size_t count;
    const struct processing_row *rows = processing_rows(&count);
    EACH_PAIR(state, event)
    {
        size_t found = 0;
        for (size_t i = 0; i < count; i++) found += rows[i].event == event && rows[i].states & 1u << state;
        if (found != 1) fail_msg("%s in %s has %zu rows", processing_event_name(event), tcp_state_name(state), found);
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(rows[i].does) > 10);
        assert_true(rows[i].does[strlen(rows[i].does) - 1] != '.');
        assert_int_equal(rows[i].section[0], '3');
        assert_int_equal(rows[i].states & 1u << STATE_UNKNOWN, 0);
        if (rows[i].never) assert_int_equal(rows[i].sends, SENDS_NOTHING);
    }
    assert_null(processing_find(STATE_UNKNOWN, ON_SYN));
    assert_null(processing_find(STATE_COUNT, ON_SYN));
    assert_null(processing_find(STATE_CLOSED, ON_EVENTS));
    assert_int_equal(processing_next(STATE_COUNT, ON_SYN, false), STATE_UNKNOWN);
    for (int event = 0; event < ON_EVENTS; event++) assert_true(strlen(processing_event_name((enum processing_event)event)) > 2);
    assert_string_equal(processing_event_name(ON_EVENTS), "?");
    assert_string_equal(processing_sends_name(SENDS_COUNT), "?");
    assert_string_equal(processing_sends_name(SENDS_SYN_ACK), "SYN,ACK");
}

/* ---- the judge, driven by segments ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_in_every_state_leads_where_the_rfc_says),
        cmocka_unit_test(every_event_in_every_state_is_answered_as_the_rfc_says),
        cmocka_unit_test(the_user_is_told_what_the_rfc_says),
        cmocka_unit_test(every_pair_has_exactly_one_row_with_a_sentence_and_a_section),
        cmocka_unit_test(the_state_machine_agrees_after_an_active_open),
        cmocka_unit_test(the_state_machine_agrees_after_a_passive_open),
        cmocka_unit_test(a_segment_that_changes_nothing_derails_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
