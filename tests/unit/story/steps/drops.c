/* What the kernel threw away, and how full a listener was: told of the segment that it happened to, and of no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

#define DROP(t, from, what, why) "drop t=" #t US " netns=9 " from what " " why "\n"
#define QUEUE(t, from, what, how) "queue t=" #t US " netns=9 " from what " sock.cookie=3 sock.proto=tcp sock.state=LISTEN " how "\n"
#define FIREWALL "reason=NETFILTER_DROP function=nf_hook_slow"

static void a_segment_that_a_firewall_drops_is_told_so_and_moves_no_state(void **state)
{
    struct told *told = tell_text(TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1020, C, HANDSHAKE_ACK)
                                      DROP(1025, C, HANDSHAKE_ACK, FIREWALL),
                                  0);
    const struct story *story = told->stories[0];
    const struct story_drop *dropped = told_segment(story, STORY_CLIENT, "ACK", 1)->dropped;
    (void)state;
    assert_non_null(dropped);
    assert_string_equal(dropped->reason, "NETFILTER_DROP");
    assert_string_equal(dropped->function, "nf_hook_slow");
    assert_int_equal(dropped->by, STORY_DROPPED_BY_RECEIVER);
    assert_int_equal(dropped->t_ns, 1025000);
    assert_true(dropped->untaken);
    assert_null(told_segment(story, STORY_CLIENT, "SYN", 1)->dropped);
    told_states(story, STORY_SERVER, "LISTEN SYN_RCVD");
    told_free(told);
}

static void what_tcp_itself_throws_away_had_reached_it(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, "flags=. seq=501 ack=106")
                                      PACKET(3000, C, C_DATA) DROP(3005, C, C_DATA, "reason=TCP_OLD_DATA function=tcp_data_queue"),
                                  0);
    const struct story *story = told->stories[0];
    (void)state;
    assert_null(told_segment(story, STORY_CLIENT, "data", 1)->dropped); /* of equals, the one that came last */
    assert_false(told_segment(story, STORY_CLIENT, "data", 2)->dropped->untaken);
    told_free(told);
}

#define PURGED "reason=QUEUE_PURGE function=sk_stream_kill_queues"

static void what_a_socket_takes_with_it_as_it_goes_had_come(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=. seq=501 ack=102")
                                      PACKET(3000, S, "flags=F. seq=501 ack=102") DROP(3005, S, "flags=F. seq=501 ack=102", PURGED)
                                          PACKET(3010, C, "flags=. seq=102 ack=502"),
                                  0);
    (void)state;
    assert_null(told_segment(told->stories[0], STORY_SERVER, "FIN", 1)->dropped); /* nothing of it was left to be read */
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
    told_free(told);
    told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_DATA) DROP(2005, C, C_DATA, PURGED), 0);
    assert_false(told_segment(told->stories[0], STORY_CLIENT, "data", 1)->dropped->untaken);
    told_free(told);
}

static void a_segment_without_a_socket_was_looked_at_as_in_closed(void **state)
{
    struct told *told = tell_text(TRACE PACKET(1000, C, SYN) DROP(1005, C, SYN, "reason=NO_SOCKET function=tcp_v4_rcv")
                                      PACKET(1010, S, "flags=R. seq=0 ack=101"),
                                  0);
    (void)state;
    assert_false(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->dropped->untaken);
    assert_int_equal(told->stories[0]->outcome, OUTCOME_REFUSED);
    told_free(told);
}

static void who_dropped_it_is_told_by_the_way_it_had_come(void **state)
{
    struct told *told = tell_text(
        TRACE HANDSHAKE PACKET(2000, C, C_DATA) DROP(2001, C, C_DATA, "outgoing=1 reason=QDISC_DROP function=__dev_queue_xmit")
            PACKET(3000, S, S_DATA) DROP(3001, S, S_DATA, FIREWALL " chain=nf_hook_slow;ip_forward;ip_rcv"),
        0);
    const struct story *story = told->stories[0];
    (void)state;
    assert_int_equal(told_segment(story, STORY_CLIENT, "data", 1)->dropped->by, STORY_DROPPED_BY_SENDER);
    assert_int_equal(told_segment(story, STORY_SERVER, "data", 1)->dropped->by, STORY_DROPPED_BETWEEN);
    told_free(told);
}

static void segments_that_were_joined_are_dropped_together(void **state)
{
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(2000, C, "flags=. seq=101 ack=501 len=5") PACKET(2001, C, "flags=P. seq=106 ack=501 len=5")
                      DROP(2005, C, "flags=P. seq=101 ack=501 len=10", FIREWALL),
                  0);
    const struct story *story = told->stories[0];
    (void)state;
    assert_non_null(told_segment(story, STORY_CLIENT, "data", 1)->dropped);
    assert_non_null(told_segment(story, STORY_CLIENT, "data", 2)->dropped);
    told_free(told);
}

static void a_syn_has_the_queues_of_the_listener_that_it_reached(void **state)
{
    struct told *told = tell_text(TRACE QUEUE(999, C, SYN, "accept=2 accept_most=1 requests=4") PACKET(1000, C, SYN)
                                      QUEUE(1001, C, SYN, "accept=2 accept_most=1 requests=4"),
                                  0);
    const struct story_queue *queue = told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->queue;
    (void)state;
    assert_int_equal(told->count, 1);
    assert_non_null(queue);
    assert_int_equal(queue->accept_length, 2);
    assert_int_equal(queue->accept_most, 1);
    assert_int_equal(queue->request_length, 4);
    assert_int_equal(queue->listener_cookie, 3);
    assert_false(queue->dropped);
    told_free(told);
}

/* The kernel looks at the queue before the capture has the segment. */
static void a_syn_that_comes_again_has_the_queues_that_it_met_itself(void **state)
{
    struct told *told =
        tell_text(TRACE QUEUE(999, C, SYN, "accept=1") PACKET(1000, C, SYN) QUEUE(2000999, C, SYN, "accept=1 accept_most=10")
                      PACKET(2001999, C, SYN) QUEUE(4000998, C, SYN, "accept=1 accept_most=20") PACKET(4001999, C, SYN),
                  0);
    const struct story *story = told->stories[0];
    (void)state;
    assert_int_equal(told_segment(story, STORY_CLIENT, "SYN", 1)->queue->accept_most, 0);
    assert_int_equal(told_segment(story, STORY_CLIENT, "SYN", 2)->queue->accept_most, 20); /* a millisecond, and not more */
    assert_null(told_segment(story, STORY_CLIENT, "SYN", 3)->queue);
    told_free(told);
}

static void queues_without_a_captured_segment_and_drops_without_a_flow_make_no_story(void **state)
{
    struct told *told = tell_text(TRACE QUEUE(1001, C, SYN, "accept=2 accept_most=1") DROP(1002, WC, SYN, FIREWALL), 0);
    (void)state;
    assert_int_equal(told->count, 0);
    told_free(told);
}

#define SENT_BY                                                                                                                    \
    "sk_skb_reason_drop;nft_do_chain;nf_hook_slow;__ip_local_out;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;__x64_sys_connect"
#define OUT FIREWALL " outgoing=1 " C_CUR C_SOCK " chain="

static void a_syn_that_a_rule_lets_go_as_it_is_sent_is_a_segment_that_did_not_leave(void **state)
{
    struct told *told = tell_text(TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") DROP(1000, C, SYN, OUT SENT_BY)
                                      DROP(1001000, C, SYN,
                                           OUT "sk_skb_reason_drop;nft_do_chain;__ip_local_out;__tcp_transmit_skb;"
                                               "tcp_retransmit_timer;tcp_write_timer;call_timer_fn"),
                                  0);
    (void)state;
    assert_int_equal(told->count, 1);
    const struct story *story = told->stories[0];
    const struct story_segment *first = told_segment(story, STORY_CLIENT, "SYN", 1),
                               *second = told_segment(story, STORY_CLIENT, "SYN", 2);
    assert_true(first->lost);
    assert_int_equal(first->dropped->by, STORY_DROPPED_BY_SENDER);
    assert_int_equal(first->cause.kind, CAUSE_CALL);
    assert_int_equal(first->cause.evidence, EVIDENCE_STACK);
    assert_int_equal(second->cause.kind, CAUSE_TIMER);
    assert_true(second->retransmission);
    assert_int_equal(second->dropped->t_ns, 1001000000);
    assert_int_equal(teller_trace(told->teller)->marks_unjoined, 0); /* no capture could have seen it */
    told_states(story, STORY_CLIENT, "CLOSED SYN_SENT");
    told_free(told);
}

/* An ICMP error ended the attempt; close() had nothing left to end. */
static void a_close_after_the_kernels_own_end_of_an_attempt_ends_nothing(void **state)
{
    static const struct {
        const char *kernel, *passes;
    } closes[] = {{" sock.state=CLOSE", "CLOSED SYN_SENT"}, {" sock.state=SYN_SENT", "CLOSED SYN_SENT CLOSED"}};
    (void)state;
    for (size_t i = 0; i < sizeof(closes) / sizeof(closes[0]); i++) {
        char text[4000];
        snprintf(text, sizeof(text),
                 "%senter t=3000000 " C_THREAD "name=close fd=3 how=-1 level=-1 " C_SOCK "%s\nexit t=3001000 " C_THREAD
                 "name=close fd=3 how=-1 level=-1 slept=-1 " C_SOCK "%s\n",
                 TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN), closes[i].kernel, closes[i].kernel);
        struct told *told = tell_text(text, 0);
        told_states(told->stories[0], STORY_CLIENT, closes[i].passes);
        told_free(told);
    }
}

static void what_a_device_had_or_waited_for_one_is_no_segment_of_its_own(void **state)
{
    (void)state;
    struct told *told = tell_text(TRACE DROP(1000, C, SYN, OUT "kfree_skb;__dev_queue_xmit;ip_output;" SENT_BY)
                                      DROP(2000, C, SYN, OUT "neigh_invalidate;neigh_timer_handler;call_timer_fn")
                                          DROP(3000, C, HANDSHAKE_ACK, OUT SENT_BY) DROP(4000, C, SYN, FIREWALL " chain=" SENT_BY),
                                  0);
    assert_int_equal(told->count, 0);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_that_a_firewall_drops_is_told_so_and_moves_no_state),
        cmocka_unit_test(what_tcp_itself_throws_away_had_reached_it),
        cmocka_unit_test(what_a_socket_takes_with_it_as_it_goes_had_come),
        cmocka_unit_test(a_segment_without_a_socket_was_looked_at_as_in_closed),
        cmocka_unit_test(who_dropped_it_is_told_by_the_way_it_had_come),
        cmocka_unit_test(segments_that_were_joined_are_dropped_together),
        cmocka_unit_test(a_syn_has_the_queues_of_the_listener_that_it_reached),
        cmocka_unit_test(a_syn_that_comes_again_has_the_queues_that_it_met_itself),
        cmocka_unit_test(a_syn_that_a_rule_lets_go_as_it_is_sent_is_a_segment_that_did_not_leave),
        cmocka_unit_test(a_close_after_the_kernels_own_end_of_an_attempt_ends_nothing),
        cmocka_unit_test(what_a_device_had_or_waited_for_one_is_no_segment_of_its_own),
        cmocka_unit_test(queues_without_a_captured_segment_and_drops_without_a_flow_make_no_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
