/* A run without end: stories of what is open, of what was told early and went on, and what is kept of it all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endless_own.h"
#include "event/text.h"
#include "story/tell/teller.h"
#include "support/lines.h"
#include "support/tell.h"

static int keep(void *data, struct story *story)
{
    struct run *run = data;
    if (run->count == 8) fail_msg("too many stories");
    run->stories[run->count++] = story;
    return 0;
}

struct run run_of(const char *text, const struct teller_bounds *bounds)
{
    struct run run = {.log = event_log_new()};
    struct err err = {0};
    assert_non_null(run.log);
    if (event_text_read("text", text, strlen(text), run.log, &err)) fail_msg("%s", err.text);
    event_log_sort(run.log);
    run.teller = teller_new(keep, NULL);
    assert_non_null(run.teller);
    if (bounds) teller_set_bounds(run.teller, bounds);
    return run;
}

/* All that happened up to that moment. */
void feed(struct run *run, int64_t until_us)
{
    run->teller->data = run;
    for (; run->fed < event_log_count(run->log); run->fed++) {
        const struct event *event = event_log_at(run->log, run->fed);
        if (event->t_ns > until_us * 1000) return;
        assert_int_equal(teller_feed(run->teller, event), 0);
    }
}

void finish(struct run *run)
{
    feed(run, INT64_MAX / 1000);
    assert_int_equal(teller_finish(run->teller), 0);
}

void run_free(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) story_free(run->stories[i]);
    teller_free(run->teller);
    event_log_free(run->log);
}

static struct story *so_far(struct run *run, uint32_t number, int64_t now_us)
{
    struct story *story;
    feed(run, now_us);
    assert_int_equal(teller_story_of(run->teller, number, now_us * 1000, &story), 0);
    return story;
}

static const struct story_finding *finding(const struct story *story, const char *id)
{
    for (size_t i = 0; i < story->finding_count; i++)
        if (strcmp(story->findings[i].id, id) == 0) return &story->findings[i];
    return NULL;
}

static void a_close_wait_leak_is_told_while_it_lasts(void **state)
{
    (void)state;
    struct run run = run_of(TRACE LEAK KILLED, &teller_live);
    struct story *early = so_far(&run, 1, 502000), *late = so_far(&run, 1, 1002010);
    assert_true(early->so_far);
    assert_int_equal(early->outcome, OUTCOME_OPEN);
    assert_int_equal(early->end[STORY_SERVER].state, STATE_CLOSE_WAIT);
    assert_int_equal(early->end[STORY_CLIENT].state, STATE_FIN_WAIT_2);
    assert_null(finding(early, "close-wait-leak"));
    const struct story_finding *leak = finding(late, "close-wait-leak");
    assert_non_null(leak);
    assert_non_null(strstr(leak->text, "stays in CLOSE_WAIT"));
    assert_non_null(strstr(leak->text, "has not closed it so far"));
    assert_int_equal(run.count, 0);
    story_free(early);
    story_free(late);
    finish(&run);
    assert_int_equal(run.count, 1);
    assert_false(run.stories[0]->so_far);
    assert_int_equal(run.stories[0]->outcome, OUTCOME_CLOSED);
    assert_int_equal(run.stories[0]->end[STORY_SERVER].state, STATE_CLOSED);
    run_free(&run);
}

/* Of a course alone the number of a RST does not tell whether it fits: the kernel says when a socket of this host took it. */
#define RST_CAME                                                                                                                   \
    "# tcpwhy events 1\ntrace t=1 recorder=bpf course_only=1 ports=3333\nvantage t=1 vantage=1 netns=9 name=eth0\n" MARK(          \
        1000, WC, SYN, WC_SOCK) PACKET(1000, WC, SYN) PACKET(1100, WS, SYN_ACK) MARK(1200, WC, HANDSHAKE_ACK, WC_SOCK)             \
        PACKET(1200, WC, HANDSHAKE_ACK) PACKET(2000, WS, "flags=R seq=601")
#define TOOK_IT(t) "reset t=" #t US " netns=9 " WC_SOCK " sock.state=ESTABLISHED\n"

static void a_rst_that_its_receiver_did_not_take_ends_no_story(void **state)
{
    (void)state;
    struct run run = run_of(RST_CAME LATER(9000000), &teller_live);
    feed(&run, 9000000);
    assert_int_equal(run.count, 0);
    struct story *story = so_far(&run, 1, 9000000);
    assert_int_equal(story->end[STORY_CLIENT].state, STATE_ESTABLISHED);
    story_free(story);
    run_free(&run);
    run = run_of(RST_CAME TOOK_IT(2001) LATER(9000000), &teller_live);
    feed(&run, 9000000);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.stories[0]->outcome, OUTCOME_RESET);
    run_free(&run);
}

/* What a view shows of it must not depend on whether somebody had asked before. */
static void asking_for_a_story_so_far_changes_nothing(void **state)
{
    (void)state;
    struct run asked = run_of(TRACE LEAK KILLED, NULL), left = run_of(TRACE LEAK KILLED, NULL);
    for (int64_t us = 900; us < 3003000; us += us < 2100 ? 7 : 40000) story_free(so_far(&asked, 1, us));
    finish(&asked);
    finish(&left);
    const struct story *a = asked.stories[0], *b = left.stories[0];
    assert_int_equal(asked.count, 1);
    assert_int_equal(left.count, 1);
    assert_int_equal(a->step_count, b->step_count);
    assert_int_equal(a->finding_count, b->finding_count);
    assert_int_equal(a->summary.calls, b->summary.calls);
    for (size_t i = 0; i < a->step_count; i++) {
        assert_int_equal(a->steps[i].kind, b->steps[i].kind);
        if (a->steps[i].kind == STEP_SEGMENT) assert_string_equal(a->steps[i].segment->cause.why, b->steps[i].segment->cause.why);
    }
    run_free(&asked);
    run_free(&left);
}

static void a_handshake_under_way_is_open_and_not_half_open(void **state)
{
    (void)state;
    struct run run = run_of(TRACE PACKET(1000, C, SYN) LATER(1100), NULL);
    struct story *story = so_far(&run, 1, 1100);
    assert_int_equal(story->outcome, OUTCOME_OPEN);
    assert_int_equal(story->end[STORY_CLIENT].state, STATE_SYN_SENT);
    assert_int_equal(story->finding_count, 0);
    story_free(story);
    finish(&run);
    assert_int_equal(run.stories[0]->outcome, OUTCOME_HALF_OPEN);
    run_free(&run);
}

/* Between two hosts: what has not arrived may be under way, for a second and no longer. */
static void a_segment_that_may_be_under_way_is_not_called_lost(void **state)
{
    (void)state;
    struct run run = run_of(TRACE TWO_ENDS FAR_HANDSHAKE PACKET(2000, WC, C_DATA), NULL);
    struct story *fresh = so_far(&run, 1, 1001999), *old = so_far(&run, 1, 1002000);
    assert_false(told_segment(fresh, STORY_CLIENT, "data", 1)->lost);
    assert_true(told_segment(old, STORY_CLIENT, "data", 1)->lost);
    story_free(fresh);
    story_free(old);
    run_free(&run);
}

static void all_open_connections_are_told_in_order(void **state)
{
    (void)state;
    struct run run = run_of(TRACE HANDSHAKE
                            "packet t=1500000 vantage=1 number=1 src=127.0.0.1:40001 dst=127.0.0.1:3333 proto=tcp flags=S seq=7\n",
                            NULL);
    struct run open = {0};
    feed(&run, 2000);
    assert_int_equal(teller_tell_open(run.teller, 0, keep, &open), 0);
    assert_int_equal(open.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(open.stories[i]->number, i + 1);
        story_free(open.stories[i]);
    }
    struct story *none = so_far(&run, 3, 2000);
    assert_null(none);
    finish(&run);
    assert_int_equal(run.count, 2);
    run_free(&run);
}

static const struct teller_bounds quick = {.quiet_ns = 1000000000, .closed_max = 8};

static void a_closed_connection_is_told_when_it_is_quiet(void **state)
{
    (void)state;
    struct run run = run_of(TRACE CLOSED LATER(1002020) LATER(1002021), &quick);
    feed(&run, 1002020);
    assert_int_equal(run.count, 0); /* a second, and no more */
    feed(&run, 1002021);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.stories[0]->outcome, OUTCOME_CLOSED);
    assert_int_equal(run.stories[0]->end[STORY_CLIENT].state, STATE_TIME_WAIT);
    finish(&run);
    assert_int_equal(run.count, 1);
    run_free(&run);
}

/* On a host where nothing else happens no event would say that it is later. */
static void a_closed_connection_is_told_though_nothing_else_happens(void **state)
{
    (void)state;
    struct run run = run_of(TRACE CLOSED LATER(5000000), &quick);
    feed(&run, 2020);
    assert_int_equal(teller_pass(run.teller, 1002020 * 1000LL), 0);
    assert_int_equal(run.count, 0);                              /* a second, and no more */
    assert_int_equal(teller_pass(run.teller, 1000 * 1000LL), 0); /* time does not go back */
    assert_int_equal(teller_pass(run.teller, 1002021 * 1000LL), 0);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.stories[0]->outcome, OUTCOME_CLOSED);
    finish(&run);
    assert_int_equal(run.count, 1);
    run_free(&run);
}

static void a_stored_run_waits_for_the_end_of_time_wait(void **state)
{
    (void)state;
    struct run run = run_of(TRACE CLOSED LATER(60002020) LATER(60002021), NULL);
    feed(&run, 60002020);
    assert_int_equal(run.count, 0);
    feed(&run, 60002021);
    assert_int_equal(run.count, 1);
    finish(&run);
    run_free(&run);
}

/* Its FIN comes again, because the last ACK was lost; TIME_WAIT answers. */
static void a_fin_that_comes_again_after_the_story_is_the_sequel_of_it(void **state)
{
    (void)state;
    struct run run = run_of(TRACE CLOSED LATER(5000000) PACKET(60002000, S, S_FIN_US) PACKET(60002010, C, "flags=. seq=102 ack=502")
                                LATER(70000000),
                            &quick);
    finish(&run);
    assert_int_equal(run.count, 2);
    const struct story *sequel = run.stories[1];
    assert_false(run.stories[0]->sequel);
    assert_true(sequel->sequel);
    assert_int_equal(sequel->number, run.stories[0]->number);
    assert_int_equal(sequel->outcome, OUTCOME_CLOSED);
    assert_int_equal(sequel->finding_count, 0);
    assert_true(address_equal(&sequel->end[STORY_CLIENT].address, &run.stories[0]->end[STORY_CLIENT].address));
    const struct story_segment *fin = told_segment(sequel, STORY_SERVER, "FIN", 1);
    assert_true(fin->retransmission);
    assert_int_equal(fin->seq, 1);
    assert_int_equal(sequel->end[STORY_CLIENT].state, STATE_TIME_WAIT);
    assert_int_equal(sequel->end[STORY_SERVER].state, STATE_CLOSED);
    run_free(&run);
}

static void after_time_waits_minute_nothing_is_known_of_it(void **state)
{
    (void)state;
    struct run run = run_of(TRACE CLOSED LATER(5000000) LATER(60002021) PACKET(60002030, S, S_FIN_US), &quick);
    finish(&run);
    assert_int_equal(run.count, 2);
    assert_false(run.stories[1]->sequel);
    assert_int_equal(run.stories[1]->number, 2);
    run_free(&run);
}

static void a_new_connection_of_the_same_addresses_is_no_sequel(void **state)
{
    (void)state;
    struct run run = run_of(TRACE CLOSED LATER(5000000) PACKET(6000000, C, "flags=S seq=70000")
                                PACKET(6000010, S, "flags=S. seq=9000 ack=70001"),
                            &quick);
    finish(&run);
    assert_int_equal(run.count, 2);
    assert_false(run.stories[1]->sequel);
    assert_int_equal(run.stories[1]->number, 2);
    assert_non_null(finding(run.stories[1], "time-wait-reuse"));
    run_free(&run);
}

/* A process that still has a descriptor may yet call close(), which belongs to the story. */
static void a_closed_connection_that_somebody_holds_is_not_told_early(void **state)
{
    (void)state;
    struct run run = run_of(TRACE LEAK PACKET(2500, S, S_FIN_US) PACKET(2510, C, "flags=. seq=102 ack=502") LATER(5000000)
                                CALL(6000000, 6000010, S_THREAD, "close", S_SOCK) LATER(7500000),
                            &quick);
    feed(&run, 5000000);
    assert_int_equal(run.count, 0);
    finish(&run);
    assert_int_equal(run.count, 1);
    (void)told_call(run.stories[0], STORY_SERVER, "close", 1);
    run_free(&run);
}

/* ---- long connections ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_close_wait_leak_is_told_while_it_lasts),
        cmocka_unit_test(a_rst_that_its_receiver_did_not_take_ends_no_story),
        cmocka_unit_test(asking_for_a_story_so_far_changes_nothing),
        cmocka_unit_test(a_handshake_under_way_is_open_and_not_half_open),
        cmocka_unit_test(a_segment_that_may_be_under_way_is_not_called_lost),
        cmocka_unit_test(all_open_connections_are_told_in_order),
        cmocka_unit_test(a_closed_connection_is_told_when_it_is_quiet),
        cmocka_unit_test(a_closed_connection_is_told_though_nothing_else_happens),
        cmocka_unit_test(a_stored_run_waits_for_the_end_of_time_wait),
        cmocka_unit_test(a_fin_that_comes_again_after_the_story_is_the_sequel_of_it),
        cmocka_unit_test(after_time_waits_minute_nothing_is_known_of_it),
        cmocka_unit_test(a_new_connection_of_the_same_addresses_is_no_sequel),
        cmocka_unit_test(a_closed_connection_that_somebody_holds_is_not_told_early),
        cmocka_unit_test(of_too_many_open_connections_the_most_silent_is_told_and_counted),
        cmocka_unit_test(what_is_silent_for_long_is_told_as_it_is),
        cmocka_unit_test(an_attempt_that_its_kernel_gave_up_is_told_without_another_segment),
        cmocka_unit_test(what_a_drop_will_bring_again_is_waited_for),
        cmocka_unit_test(whoever_waits_does_not_hold_up_those_behind),
        cmocka_unit_test(of_too_many_that_wait_one_is_told),
        cmocka_unit_test(what_children_do_to_a_listener_that_they_inherit_is_no_loss),
        cmocka_unit_test(a_long_connection_keeps_what_its_story_needs),
        cmocka_unit_test(calls_of_a_long_connection_are_folded_and_the_last_is_told_right),
        cmocka_unit_test(a_connection_of_trouble_alone_is_told_and_goes_on_as_its_sequel),
        cmocka_unit_test(a_connection_that_is_not_longer_is_not_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
