/* The event log: order, ownership, interned chains, forgetting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event/log.h"

static void append_at(struct event_log *log, int64_t t_ns, uint64_t mark)
{
    struct event event = {.kind = EVENT_LOST, .t_ns = t_ns, .order = 999, .lost = {.count = mark}};
    assert_int_equal(event_log_append(log, &event), 0);
}

static void a_new_log_is_empty(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    event_log_sort(log);
    assert_int_equal(event_log_count(log), 0);
    event_log_free(log);
    event_log_free(NULL);
}

static void events_are_copied_and_numbered_in_order_of_arrival(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    for (uint64_t i = 0; i < 1000; i++) append_at(log, (int64_t)i, i * 7);
    assert_int_equal(event_log_count(log), 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(event_log_at(log, i)->order, i);
        assert_int_equal(event_log_at(log, i)->lost.count, i * 7);
    }
    event_log_free(log);
}

static void sorting_goes_by_time_and_keeps_the_order_of_arrival_in_a_tie(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    for (uint64_t i = 0; i < 500; i++) append_at(log, (int64_t)(i * 7919 % 13) - 6, i);
    event_log_sort(log);
    for (size_t i = 1; i < 500; i++) {
        const struct event *a = event_log_at(log, i - 1), *b = event_log_at(log, i);
        assert_true(a->t_ns < b->t_ns || (a->t_ns == b->t_ns && a->order < b->order));
    }
    append_at(log, INT64_MIN, 500);
    append_at(log, INT64_MAX, 501);
    event_log_sort(log);
    assert_int_equal(event_log_at(log, 0)->lost.count, 500);
    assert_int_equal(event_log_at(log, 501)->lost.count, 501);
    event_log_free(log);
}

/* As a stream sorts: again and again, what stands first being given away meanwhile. In the end all have come in the order that one
 * sorting would have given them, whatever belonged far ahead of what had been sorted before. */
static void sorting_in_turns_with_arrivals_is_sorting_once(void **state)
{
    (void)state;
    enum { TURNS = 200, A_TURN = 37, STAY = 90 };
    struct event_log *log = event_log_new(), *whole = event_log_new();
    uint64_t number = 0, given = 0, random = 1;
    static uint64_t order[TURNS * A_TURN];
    for (int64_t turn = 0; turn < TURNS; turn++) {
        for (size_t i = 0; i < A_TURN; i++, number++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            int64_t t_ns = turn * 50 + (int64_t)(random >> 33) % 100; /* behind those of the turn before, or between them */
            append_at(log, t_ns, number);
            append_at(whole, t_ns, number);
        }
        event_log_sort_from(log, 0);
        size_t gone = event_log_count(log) > STAY ? event_log_count(log) - STAY : 0;
        for (size_t i = 0; i < gone; i++) order[given++] = event_log_at(log, i)->lost.count;
        event_log_forget(log, gone);
    }
    for (size_t i = 0; i < event_log_count(log); i++) order[given++] = event_log_at(log, i)->lost.count;
    event_log_sort(whole);
    assert_int_equal(given, number);
    for (size_t i = 0; i < number; i++) assert_int_equal(order[i], event_log_at(whole, i)->lost.count);
    event_log_free(log);
    event_log_free(whole);
}

/* What has been given away keeps its place, though something came that belongs before it. */
static void sorting_from_a_place_on_leaves_what_stands_before_it(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    for (uint64_t i = 0; i < 20; i++) append_at(log, (int64_t)(i * 7 % 20), i);
    event_log_sort_from(log, 0);
    append_at(log, 3, 100);
    append_at(log, 15, 101);
    event_log_sort_from(log, 10);
    append_at(log, 12, 102);
    event_log_sort_from(log, 12);
    const int64_t expected[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3, 10, 11, 12, 12, 13, 14, 15, 15, 16, 17, 18, 19};
    assert_int_equal(event_log_count(log), sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < event_log_count(log); i++) assert_int_equal(event_log_at(log, i)->t_ns, expected[i]);
    event_log_sort(log);
    for (size_t i = 1; i < event_log_count(log); i++) assert_true(event_log_at(log, i - 1)->t_ns <= event_log_at(log, i)->t_ns);
    event_log_free(log);
}

static void an_event_stays_where_it_is_while_others_come(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    append_at(log, 5, 42);
    const struct event *first = event_log_at(log, 0);
    for (uint64_t i = 0; i < 5000; i++) append_at(log, -(int64_t)i, i);
    event_log_sort(log);
    assert_int_equal(first->lost.count, 42);
    assert_ptr_equal(event_log_at(log, 5000), first);
    event_log_free(log);
}

static void equal_chains_are_one_object(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    char name[] = "tcp_connect";
    const char *one[] = {name, "tcp_v4_connect"}, *other[] = {"tcp_connect", "tcp_v4_connect", "x"};
    const struct event_chain *chain = event_log_chain(log, one, 2);
    name[0] = 'X'; /* the log has its own copy */
    assert_string_equal(chain->names[0], "tcp_connect");
    assert_ptr_equal(event_log_chain(log, other, 2), chain);
    assert_ptr_not_equal(event_log_chain(log, other, 3), chain);
    assert_ptr_not_equal(event_log_chain(log, other, 1), chain);
    assert_null(event_log_chain(log, other, 0));
    event_log_free(log);
}

static void chains_that_differ_only_in_where_a_name_ends_differ(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    const char *a[] = {"ab", "c"}, *b[] = {"a", "bc"}, *c[] = {"abc"}, *d[] = {"abc", ""};
    const struct event_chain *chains[] = {event_log_chain(log, a, 2), event_log_chain(log, b, 2), event_log_chain(log, c, 1),
                                          event_log_chain(log, d, 2)};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++) assert_ptr_not_equal(chains[i], chains[j]);
    event_log_free(log);
}

static void of_too_long_a_chain_the_innermost_names_are_kept(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    char texts[EVENT_CHAIN_MAX + 9][8];
    const char *names[EVENT_CHAIN_MAX + 9];
    for (size_t i = 0; i < EVENT_CHAIN_MAX + 9; i++) {
        snprintf(texts[i], sizeof(texts[i]), "f%zu", i);
        names[i] = texts[i];
    }
    const struct event_chain *chain = event_log_chain(log, names, EVENT_CHAIN_MAX + 9);
    assert_int_equal(chain->count, EVENT_CHAIN_MAX);
    assert_string_equal(chain->names[0], "f0");
    assert_string_equal(chain->names[EVENT_CHAIN_MAX - 1], "f47");
    event_log_free(log);
}

static void bytes_are_copied(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    uint8_t bytes[] = {1, 2, 3};
    const uint8_t *copy = event_log_bytes(log, bytes, 3);
    bytes[1] = 9;
    assert_ptr_not_equal(copy, bytes);
    assert_int_equal(copy[1], 2);
    assert_null(event_log_bytes(log, bytes, 0));
    event_log_free(log);
}

/* Run with the address sanitizer, this also shows that nothing leaks and nothing is freed twice. */
static void forgetting_drops_the_first_and_frees_their_bytes(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    uint8_t bytes[32] = {0};
    for (uint8_t i = 0; i < 200; i++) {
        bytes[0] = i;
        struct event event = {.kind = EVENT_PACKET, .t_ns = 200 - i};
        event.packet.vantage = i; /* packets of one vantage stay in order, whatever their times */
        event.packet.bytes = event_log_bytes(log, bytes, sizeof(bytes));
        event.packet.captured_bytes = sizeof(bytes);
        assert_int_equal(event_log_append(log, &event), 0);
        event_log_bytes(log, bytes, sizeof(bytes)); /* one that no event takes */
    }
    event_log_sort(log);
    event_log_forget(log, 150);
    assert_int_equal(event_log_count(log), 50);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(event_log_at(log, i)->t_ns, 151 + i);
        assert_int_equal(event_log_at(log, i)->packet.bytes[0], 49 - i);
    }
    append_at(log, 1000, 7);
    assert_int_equal(event_log_at(log, 50)->order, 200);
    event_log_forget(log, 1000);
    assert_int_equal(event_log_count(log), 0);
    event_log_free(log);
}

/* A reader that streams for ever must not grow: places of forgotten events are used again. */
static void places_of_forgotten_events_are_used_again(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    append_at(log, 0, 0);
    const struct event *place = event_log_at(log, 0);
    bool again = false;
    for (uint64_t i = 1; i < 1000; i++) {
        event_log_forget(log, 1);
        append_at(log, (int64_t)i, i);
        again = again || event_log_at(log, 0) == place;
        assert_int_equal(event_log_at(log, 0)->lost.count, i);
    }
    assert_true(again);
    event_log_free(log);
}

static void kernel_states_have_the_names_of_the_kernels_headers(void **state)
{
    (void)state;
    /* include/net/tcp_states.h: TCP_ESTABLISHED = 1 … TCP_NEW_SYN_RECV = 12. */
    static const char *const names[] = {"UNKNOWN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",
                                        "CLOSE",   "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) assert_string_equal(event_kernel_state_name(i), names[i]);
    assert_string_equal(event_kernel_state_name(KERNEL_STATES), "?");
    assert_string_equal(event_kernel_state_name(~0u), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_log_is_empty),
        cmocka_unit_test(events_are_copied_and_numbered_in_order_of_arrival),
        cmocka_unit_test(sorting_goes_by_time_and_keeps_the_order_of_arrival_in_a_tie),
        cmocka_unit_test(sorting_in_turns_with_arrivals_is_sorting_once),
        cmocka_unit_test(sorting_from_a_place_on_leaves_what_stands_before_it),
        cmocka_unit_test(an_event_stays_where_it_is_while_others_come),
        cmocka_unit_test(equal_chains_are_one_object),
        cmocka_unit_test(chains_that_differ_only_in_where_a_name_ends_differ),
        cmocka_unit_test(of_too_long_a_chain_the_innermost_names_are_kept),
        cmocka_unit_test(bytes_are_copied),
        cmocka_unit_test(forgetting_drops_the_first_and_frees_their_bytes),
        cmocka_unit_test(places_of_forgotten_events_are_used_again),
        cmocka_unit_test(kernel_states_have_the_names_of_the_kernels_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
