/* What the teller keeps of a whole recording: its losses, its vantages, and moments that no clock has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/moment.h"
#include "story/tell/teller.h"
#include "story/track/track.h"
#include "support/lines.h"
#include "support/tell.h"

static int keep_none(void *data, struct story *story)
{
    (void)data;
    story_free(story);
    return 0;
}

static struct teller *new_teller(void)
{
    struct teller *teller = teller_new(keep_none, NULL);
    assert_non_null(teller);
    return teller;
}

static void lose(struct teller *teller, const char *source, const char *what, uint64_t count)
{
    struct event event = {.kind = EVENT_LOST, .t_ns = 1000, .lost = {.received = 10 * count, .count = count}};
    snprintf(event.lost.source, sizeof(event.lost.source), "%s", source);
    snprintf(event.lost.what, sizeof(event.lost.what), "%s", what);
    assert_int_equal(teller_feed(teller, &event), 0);
}

/* From 256 on what is said twice is added up, and of more than 512 whatever is said. */
static void a_recording_without_end_keeps_some_losses(void **state)
{
    (void)state;
    struct teller *teller = new_teller();
    lose(teller, "ring", "0", 1);
    for (int i = 0; i < 255; i++) lose(teller, "ring", "0", 1);
    assert_int_equal(teller->loss_count, 256);
    lose(teller, "ring", "0", 5); /* the newest of the same */
    assert_int_equal(teller->loss_count, 256);
    assert_int_equal(teller->losses[255].count, 6);
    assert_int_equal(teller->losses[255].received, 60);
    lose(teller, "capture", "0", 1);
    lose(teller, "ring", "1", 1);
    assert_int_equal(teller->loss_count, 258);
    for (int i = 2; i < 256; i++) {
        char what[16];
        snprintf(what, sizeof(what), "%d", i);
        lose(teller, "ring", what, 1);
    }
    assert_int_equal(teller->loss_count, 512);
    lose(teller, "other", "thing", 7);
    assert_int_equal(teller->loss_count, 512);
    assert_int_equal(teller->losses[511].count, 8);
    assert_string_equal(teller->losses[511].what, "255");
    lose(teller, "ring", "0", 1);
    assert_int_equal(teller->losses[255].count, 7);
    teller_free(teller);
}

static void fewer_losses_are_kept_apart(void **state)
{
    (void)state;
    struct teller *teller = new_teller();
    for (int i = 0; i < 255; i++) lose(teller, "ring", "0", 1);
    lose(teller, "ring", "0", 1);
    assert_int_equal(teller->loss_count, 256);
    assert_int_equal(teller->losses[254].count, 1);
    teller_free(teller);
}

static void a_captures_losses_are_packets_and_a_recorders_are_events(void **state)
{
    (void)state;
    struct teller *teller = new_teller();
    lose(teller, "capture", "packets", 3);
    lose(teller, "captured", "packets", 20);
    lose(teller, "captur", "events", 400);
    assert_int_equal(teller_trace(teller)->dropped, 23);
    assert_int_equal(teller_trace(teller)->lost, 400);
    teller_free(teller);
}

static void every_vantage_has_its_name(void **state)
{
    (void)state;
    struct told *told = tell_text(TRACE TWO_ENDS HANDSHAKE, 0);
    const struct story_trace *trace = teller_trace(told->teller);
    assert_int_equal(trace->vantage_count, 2);
    assert_string_equal(trace->vantages[0], "lo");
    assert_string_equal(trace->vantages[1], "far");
    told_free(told);
}

static void moments_are_bounded(void **state)
{
    (void)state;
    static const int64_t moments[][2] = {{INT64_MAX, MOMENT_MOST_NS}, {MOMENT_MOST_NS, MOMENT_MOST_NS}, {17, 17}};
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        struct teller *teller = new_teller();
        struct event event = {.kind = EVENT_LOST, .t_ns = moments[i][0], .lost = {.source = "ring", .what = "events"}};
        assert_int_equal(teller_feed(teller, &event), 0);
        assert_int_equal(teller->now_ns, moments[i][1]);
        teller_free(teller);
    }
}

static void how_long_a_call_slept_is_bounded(void **state)
{
    (void)state;
    struct told *told = tell_text(
        TRACE HANDSHAKE ENTER(2000, C_THREAD, "read", C_SOCK, "") "exit t=3000000 " C_THREAD "name=read fd=3 how=-1 level=-1 "
                                                                  "slept=9223372036854775807 ret=0 " C_SOCK "\n",
        0);
    assert_int_equal(told_call(told->stories[0], STORY_CLIENT, "read", 1)->slept_ns, MOMENT_MOST_NS);
    told_free(told);
}

static void what_is_no_event_is_passed_over(void **state)
{
    (void)state;
    struct teller *teller = new_teller();
    struct event event = {.kind = EVENT_KINDS, .t_ns = 5};
    assert_int_equal(teller_feed(teller, &event), 0);
    assert_int_equal(teller->now_ns, 5);
    teller_free(teller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_without_end_keeps_some_losses),
        cmocka_unit_test(fewer_losses_are_kept_apart),
        cmocka_unit_test(a_captures_losses_are_packets_and_a_recorders_are_events),
        cmocka_unit_test(every_vantage_has_its_name),
        cmocka_unit_test(moments_are_bounded),
        cmocka_unit_test(how_long_a_call_slept_is_bounded),
        cmocka_unit_test(what_is_no_event_is_passed_over),
    };
    return cmocka_run_group_tests_name("losses", tests, NULL, NULL);
}
