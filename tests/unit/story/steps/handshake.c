/* How the time of a handshake was spent: what the network took, and what was waited for timers that sent again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

#define SECOND_ACK(t) PACKET(t, C, HANDSHAKE_ACK)

/* In microseconds. */
static void check(const char *text, int64_t whole, int64_t network, int64_t timer)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(told->count, 1);
    const struct story_summary *summary = &told->stories[0]->summary;
    assert_int_equal(summary->handshake_ns, whole * 1000);
    assert_int_equal(summary->handshake_network_ns, network * 1000);
    assert_int_equal(summary->handshake_timer_ns, timer * 1000);
    told_free(told);
}

static void without_loss_no_timer_was_waited_for(void **state)
{
    (void)state;
    check(TRACE HANDSHAKE, 20, 10, 0);
}

static void a_syn_sent_again_was_waited_for(void **state)
{
    (void)state;
    check(TRACE PACKET(1000, C, SYN) PACKET(1001000, C, SYN) PACKET(1001010, S, SYN_ACK) SECOND_ACK(1001020), 1000020, 10, 1000000);
    check(TRACE PACKET(1000, C, SYN) PACKET(1001000, C, SYN) PACKET(3001000, C, SYN) PACKET(3001010, S, SYN_ACK)
              SECOND_ACK(3001020),
          3000020, 10, 3000000);
}

static void a_syn_ack_sent_again_by_its_timer_was_waited_for(void **state)
{
    (void)state;
    check(TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK) SECOND_ACK(1001020), 1000020, 10,
          1000000);
}

static void a_syn_ack_sent_again_because_the_syn_came_again_waited_for_the_syns_timer(void **state)
{
    (void)state;
    check(TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001000, C, SYN) PACKET(1001030, S, SYN_ACK)
              SECOND_ACK(1001040),
          1000040, 30, 1000000);
}

static void a_syn_ack_that_came_after_the_last_ack_was_not_waited_for(void **state)
{
    (void)state;
    check(TRACE HANDSHAKE PACKET(1001010, S, SYN_ACK) PACKET(1001020, C, HANDSHAKE_ACK), 20, 10, 0);
}

static void what_the_far_end_took_stays_with_the_network(void **state)
{
    (void)state;
    check(TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(21000, WC, SYN) ARRIVES(21010, WS, SYN_ACK) PACKET(41010, WS, SYN_ACK)
              PACKET(41020, WC, HANDSHAKE_ACK) ARRIVES(61020, WC, HANDSHAKE_ACK),
          40020, 40010, 0);
}

static void of_two_hosts_the_repeat_that_arrived_counts(void **state)
{
    (void)state;
    check(TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) ARRIVES(1021000, WC, SYN) ARRIVES(1021010, WS, SYN_ACK)
              PACKET(1041010, WS, SYN_ACK) PACKET(1041020, WC, HANDSHAKE_ACK) ARRIVES(1061020, WC, HANDSHAKE_ACK),
          1040020, 40010, 1000000);
}

/* Both opened at once, and one SYN was not captured: that its peer's SYN,ACK acknowledges it is as good. A listener's SYN,ACK had
 * nothing acknowledged before. */
static void whose_syn_was_acknowledged_before_its_syn_ack_was_no_listener(void **state)
{
    (void)state;
#define CROSSED(ack)                                                                                                               \
    TRACE PACKET(1000, C, SYN) PACKET(1010, C, "flags=S. seq=100 ack=" ack) PACKET(1020, S, "flags=S. seq=500 ack=101")
    struct told *told = tell_text(CROSSED("501"), 0);
    told_states(told->stories[0], STORY_SERVER, "CLOSED SYN_SENT SYN_RCVD");
    assert_string_equal(told_segment(told->stories[0], STORY_SERVER, "SYN-ACK", 1)->cause.why,
                        "the kernel's answer to the SYN that crossed ours: both ends opened at once");
    told_free(told);
    told = tell_text(TRACE PACKET(1000, C, SYN) PACKET(1020, S, "flags=S. seq=500 ack=101"), 0);
    told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD");
    assert_string_equal(told_segment(told->stories[0], STORY_SERVER, "SYN-ACK", 1)->cause.why,
                        "the kernel's answer to the SYN: the socket is in LISTEN; accept() had no part in it");
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_syn_was_acknowledged_before_its_syn_ack_was_no_listener),
        cmocka_unit_test(without_loss_no_timer_was_waited_for),
        cmocka_unit_test(a_syn_sent_again_was_waited_for),
        cmocka_unit_test(a_syn_ack_sent_again_by_its_timer_was_waited_for),
        cmocka_unit_test(a_syn_ack_sent_again_because_the_syn_came_again_waited_for_the_syns_timer),
        cmocka_unit_test(a_syn_ack_that_came_after_the_last_ack_was_not_waited_for),
        cmocka_unit_test(what_the_far_end_took_stays_with_the_network),
        cmocka_unit_test(of_two_hosts_the_repeat_that_arrived_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
