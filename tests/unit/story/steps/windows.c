/* Windows: in bytes by the scale that both SYNs agreed on, and which of them a row should say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

#define SCALED_SYN "flags=S seq=100 win=64240 opt=mss,wscale opt.mss=1460 opt.wscale=7"
#define SCALED_SYN_ACK "flags=S. seq=500 ack=101 win=65160 opt=mss,wscale opt.mss=1460 opt.wscale=9"
#define PLAIN_SYN_ACK "flags=S. seq=500 ack=101 win=65160 opt=mss opt.mss=1460"
#define BARE_SYN "flags=S seq=100 win=64240"
#define LAST_ACK "flags=. seq=101 ack=501 win=502"
#define OPEN(syn, syn_ack) TRACE PACKET(1000, C, syn) PACKET(1010, S, syn_ack) PACKET(1020, C, LAST_ACK)

static const struct story_segment *segment_at(const struct told *told, uint32_t number)
{
    const struct story *story = told->stories[0];
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_SEGMENT && story->steps[i].segment->number == number) return story->steps[i].segment;
    fail_msg("there is no segment %u", number);
    return NULL;
}

static void check(const char *text, uint32_t number, enum story_window kind, uint32_t bytes, bool matters)
{
    struct told *told = tell_text(text, 0);
    const struct story_segment *segment = segment_at(told, number);
    assert_int_equal(segment->window_kind, kind);
    assert_int_equal(segment->window_bytes, bytes);
    assert_int_equal(segment->window_matters, matters);
    told_free(told);
}

static void both_offers_scale_each_senders_windows_by_its_own(void **state)
{
    (void)state;
    check(OPEN(SCALED_SYN, SCALED_SYN_ACK), 3, WINDOW_BYTES, 502 << 7, false);
    check(OPEN(SCALED_SYN, SCALED_SYN_ACK) PACKET(1030, S, "flags=. seq=501 ack=101 win=128"), 4, WINDOW_BYTES, 128 << 9, false);
}

static void a_syns_own_window_is_never_scaled(void **state)
{
    (void)state;
    check(OPEN(SCALED_SYN, SCALED_SYN_ACK), 1, WINDOW_BYTES, 64240, false);
    check(OPEN(SCALED_SYN, SCALED_SYN_ACK), 2, WINDOW_BYTES, 65160, false);
}

static void one_end_that_does_not_scale_keeps_both_from_it(void **state)
{
    (void)state;
    check(OPEN(SCALED_SYN, PLAIN_SYN_ACK), 3, WINDOW_BYTES, 502, false);
    check(TRACE PACKET(1010, S, PLAIN_SYN_ACK) PACKET(1020, C, LAST_ACK), 2, WINDOW_BYTES, 502, false);
}

static void a_scale_that_was_not_seen_is_not_guessed(void **state)
{
    (void)state;
    check(TRACE PACKET(1020, C, LAST_ACK), 1, WINDOW_UNSCALED, 502, false);
    check(TRACE PACKET(1000, C, SCALED_SYN) PACKET(1020, C, LAST_ACK), 2, WINDOW_UNSCALED, 502, false);
    check(OPEN(BARE_SYN, SCALED_SYN_ACK), 3, WINDOW_UNSCALED, 502, false);
}

static void nothing_is_scaled_beyond_what_the_rfc_allows(void **state)
{
    (void)state;
    check(OPEN("flags=S seq=100 win=64240 opt=wscale opt.wscale=255", SCALED_SYN_ACK), 3, WINDOW_BYTES, 502 << 14, false);
}

static void a_window_that_closes_and_opens_again_matters(void **state)
{
    (void)state;
#define CLOSES OPEN(SCALED_SYN, SCALED_SYN_ACK) PACKET(2000, S, "flags=. seq=501 ack=201 win=0")
    check(CLOSES, 4, WINDOW_BYTES, 0, true);
    check(CLOSES PACKET(3000, C, "flags=. seq=200 ack=501 win=502"), 5, WINDOW_BYTES, 502 << 7, false);
    check(CLOSES PACKET(3000, S, "flags=. seq=501 ack=201 win=0"), 5, WINDOW_BYTES, 0, true);
    check(CLOSES PACKET(3000, S, "flags=. seq=501 ack=201 win=8"), 5, WINDOW_BYTES, 8 << 9, true);
    check(CLOSES PACKET(3000, S, "flags=. seq=501 ack=201 win=8") PACKET(4000, S, "flags=. seq=501 ack=201 win=9"), 6, WINDOW_BYTES,
          9 << 9, false);
}

static void a_closed_window_needs_no_scale(void **state)
{
    (void)state;
    check(TRACE PACKET(1020, C, "flags=. seq=101 ack=501 win=0"), 1, WINDOW_BYTES, 0, true);
}

static void a_reset_offers_no_window(void **state)
{
    (void)state;
    check(OPEN(SCALED_SYN, SCALED_SYN_ACK) PACKET(2000, S, "flags=R. seq=501 ack=101 win=0"), 4, WINDOW_UNKNOWN, 0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_offers_scale_each_senders_windows_by_its_own),
        cmocka_unit_test(a_syns_own_window_is_never_scaled),
        cmocka_unit_test(one_end_that_does_not_scale_keeps_both_from_it),
        cmocka_unit_test(a_scale_that_was_not_seen_is_not_guessed),
        cmocka_unit_test(nothing_is_scaled_beyond_what_the_rfc_allows),
        cmocka_unit_test(a_window_that_closes_and_opens_again_matters),
        cmocka_unit_test(a_closed_window_needs_no_scale),
        cmocka_unit_test(a_reset_offers_no_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
