/* What a story makes of chains that end at a border: makers below it, calls of the other end, kinds of repeats, reasons of resets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "borders_own.h"
#include "support/lines.h"
#include "support/tell.h"

static const char *finding_text(const struct story *story, const char *id)
{
    for (size_t i = 0; i < story->finding_count; i++)
        if (strcmp(story->findings[i].id, id) == 0) return story->findings[i].text;
    return NULL;
}

static bool has_finding(const struct story *story, const char *id)
{
    return finding_text(story, id) != NULL;
}

static void check_firewall(const char *chain, const char *says)
{
    char text[4096];
    snprintf(text, sizeof(text),
             TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "")
                 PACKET(1000, C, SYN) "mark t=1005000 netns=9 " S S_RST " " C_CUR RX_SYN " chain=ip_output;nf_send_reset;"
                                      "nft_reject_inet_eval;nf_hook_slow;%s\n" PACKET(1006, S, S_RST)
                                          EXIT(1030, C_THREAD, "connect", C_SOCK, " ret=-111"),
             chain);
    struct told *told = tell_text(text, 0);
    const struct story *story = told->stories[0];
    const struct story_cause *cause = &told_segment(story, STORY_SERVER, "RST", 1)->cause;
    assert_int_equal(cause->kind, CAUSE_KERNEL);
    assert_string_equal(cause->name, "firewall");
    assert_int_equal(cause->evidence, EVIDENCE_STACK);
    if (!strstr(cause->why, says)) fail_msg("%s", cause->why);
    assert_string_equal(story->steps[cause->step].segment->label, "SYN");
    assert_false(has_finding(story, "refused"));
    for (size_t i = 0; i < story->step_count; i++) /* the server's TCP had no part in it */
        if (story->steps[i].kind == STEP_STATE && !story->steps[i].state->kernel)
            assert_int_equal(story->steps[i].side, STORY_CLIENT);
    told_free(told);
}

static void a_firewalls_reset_is_its_hosts_and_no_calls(void **data)
{
    (void)data;
    check_firewall("ip_local_deliver" IN_CONNECT, "a firewall rule of the server's host, which rejects SYN #1");
    check_firewall("ip_forward" IN_CONNECT, "a router or bridge on the way");
    check_firewall("__ip_local_out;__ip_queue_xmit;tcp_connect;__sys_connect;__x64_sys_connect", "the client's own host");
    check_firewall("ip_rcv" IN_CONNECT, "a host that SYN #1 came to");
}

static void a_firewalls_icmp_error_does_not_say_that_nobody_has_a_socket(void **data)
{
    (void)data;
    static const char *const makers[] = {"__udp4_lib_rcv;ip_local_deliver_finish",
                                         "nft_reject_inet_eval;nf_hook_slow;ip_local_deliver"};
    for (size_t i = 0; i < 2; i++) {
        char text[4096];
        snprintf(text, sizeof(text),
                 TRACE PACKET(1000, UDP_C,
                              "len=5") "mark t=1005000 netns=9 src=127.0.0.1:0 dst=127.0.0.1:0 proto=icmp len=33 " C_CUR
                                       "softirq=1 chain=ip_push_pending_frames;__icmp_send;%s;net_rx_action\n"
                                       "packet t=1006000 vantage=1 number=2 src=127.0.0.1:0 dst=127.0.0.1:0 proto=icmp "
                                       "len=33 icmp.type=3 icmp.code=3 icmp.quotes=1 icmp.proto=udp icmp.src=127.0.0.1:40000 "
                                       "icmp.dst=127.0.0.1:3333\n",
                 makers[i]);
        struct told *told = tell_text(text, 0);
        const char *found = finding_text(told->stories[0], "udp-unreachable");
        assert_non_null(found);
        assert_int_equal(strstr(found, "no process has a UDP socket on port 3333") != NULL, i == 0);
        assert_int_equal(strstr(found, "a firewall's rule refused the datagram") != NULL, i == 1);
        told_free(told);
    }
}

/* The answer to the handshake's last ACK comes from a request socket where the accept queue was full, and from none where the
 * listening process is gone. */
static void only_a_request_socket_says_that_its_queue_is_full(void **data)
{
    (void)data;
    static const char *const ways[] = {"tcp_check_req;tcp_v4_rcv", "tcp_v4_rcv"};
    for (size_t i = 0; i < 2; i++) {
        char text[4096];
        snprintf(text, sizeof(text),
                 TRACE "enter t=100000 " S_THREAD "name=listen fd=3 how=5 level=-1 " LISTENER "\n"
                       "exit t=101000 " S_THREAD "name=listen fd=3 how=5 level=-1 slept=-1 ret=0 " LISTENER "\n" HANDSHAKE
                       "mark t=1030000 netns=9 " S "flags=R seq=501 " C_CUR RX_C_ACK
                       " chain=tcp_v4_send_reset;%s;net_rx_action\n" PACKET(1031, S, "flags=R seq=501"),
                 ways[i]);
        struct told *told = tell_text(text, 0);
        assert_int_equal(has_finding(told->stories[0], "reset-full-queue"), i == 0);
        told_free(told);
    }
}

/* The nearest thing that is no firewall's: nobody listens. */
static void a_reset_of_a_closed_port_is_still_refused_by_nobody(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN)
            MARK(1005, S, S_RST, C_CUR RX_SYN " chain=ip_output;tcp_v4_send_reset;tcp_v4_rcv;ip_local_deliver_finish" IN_CONNECT)
                PACKET(1006, S, S_RST) EXIT(1030, C_THREAD, "connect", C_SOCK, " ret=-111"),
        0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->cause.kind, CAUSE_SEGMENT);
    assert_true(has_finding(told->stories[0], "refused"));
    told_free(told);
}

static const struct story_segment *check_cause(struct told *told, enum story_side side, const char *label,
                                               enum story_cause_kind kind, const char *name, enum story_evidence evidence)
{
    const struct story_segment *segment = told_segment(told->stories[0], side, label, 1);
    const struct story_cause *cause = &segment->cause;
    if (cause->kind != kind || cause->evidence != evidence || strcmp(cause->name ? cause->name : "", name ? name : "") != 0)
        fail_msg("%s %s, evidence %s: %s", story_cause_name(cause->kind), cause->name ? cause->name : "-",
                 story_evidence_name(cause->evidence), cause->why);
    return segment;
}

/* However it came into the chain: connect() of the client works on the client's socket. */
static void a_call_of_the_other_end_sends_nothing(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN)
                                      MARK(1005, S, S_RST, C_CUR "chain=made_by_whom;__sys_connect;__x64_sys_connect")
                                          PACKET(1006, S, S_RST) EXIT(1030, C_THREAD, "connect", C_SOCK, " ret=-111"),
                                  0);
    assert_int_not_equal(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->cause.kind, CAUSE_CALL);
    told_free(told);
}

static void a_kernel_function_without_a_row_is_the_kernels_by_its_name(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN)
                      MARK(1005, S, S_RST, C_CUR RX_SYN " chain=ip_output;tarpit_reset;nf_hook_slow;ip_local_deliver" IN_CONNECT)
                          PACKET(1006, S, S_RST) EXIT(1030, C_THREAD, "connect", C_SOCK, " ret=-111"),
                  0);
    const struct story_segment *reset = check_cause(told, STORY_SERVER, "RST", CAUSE_KERNEL, "tarpit_reset", EVIDENCE_STACK);
    assert_non_null(strstr(reset->cause.why, "tarpit_reset()"));
    told_free(told);
}

static void what_is_made_while_receiving_another_packet_is_not_the_last_arrivals(void **data)
{
    (void)data;
    const char *chain = " chain=__tcp_transmit_skb;tcp_v4_rcv;ip_local_deliver_finish;net_rx_action";
    char text[4096];
    snprintf(text, sizeof(text),
             TRACE HANDSHAKE "%s"
                             "mark t=2000000 netns=9 " C "flags=. seq=101 ack=501 " C_CUR RX_ICMP
                             "%s\n" PACKET(2001, C, "flags=. seq=101 ack=501"),
             "", chain);
    struct told *told = tell_text(text, 0);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "ACK", 2)->cause.kind, CAUSE_UNKNOWN);
    told_free(told);
}

/* Which segment was being received is not known: the last that had come, by its order alone. */
static void what_is_made_while_receiving_something_unknown_is_the_last_arrivals_by_rule(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(1990, S, S_DATA)
                      MARK(2000, C, "flags=. seq=101 ack=506",
                           C_CUR "softirq=1 chain=__tcp_transmit_skb;tcp_v4_rcv;ip_local_deliver_finish;net_rx_action")
                          PACKET(2001, C, "flags=. seq=101 ack=506"),
                  0);
    const struct story_segment *ack = told_segment(told->stories[0], STORY_CLIENT, "ACK", 2);
    assert_int_equal(ack->cause.kind, CAUSE_SEGMENT);
    assert_int_equal(ack->cause.evidence, EVIDENCE_RULE);
    told_free(told);
}

/* The SYN waited for the answer to ARP, whose reception ran in somebody's write(). */
static void what_waited_for_its_neighbour_is_the_calls_that_spans_it(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") MARK(
            999, C, SYN, S_CUR C_SOCK " softirq=1 chain=__dev_queue_xmit;__neigh_update;arp_process;net_rx_action;__x64_sys_write")
            PACKET(1000, C, SYN) EXIT(1030, C_THREAD, "connect", C_SOCK, ""),
        0);
    check_cause(told, STORY_CLIENT, "SYN", CAUSE_CALL, "connect", EVIDENCE_INTERVAL);
    told_free(told);
}

static void a_mark_of_a_packet_that_is_passed_on_is_nobodys(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE PACKET(1000, C, SYN)
            MARK(1005, C, SYN,
                 S_CUR "softirq=1 chain=__dev_queue_xmit;ip_output;__netif_receive_skb_one_core;net_rx_action;__x64_sys_write")
                PACKET(1010, S, SYN_ACK),
        0);
    assert_int_equal(told->stories[0]->summary.segments, 2);
    check_cause(told, STORY_CLIENT, "SYN", CAUSE_CALL, "OPEN", EVIDENCE_RULE);
    told_free(told);
}

static void an_icmp_error_ends_and_wakes_a_connect(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN) ICMP_ERROR(
            1999000) "wake t=2000000 " C_THREAD S_CUR RX_ICMP
                     " chain=try_to_wake_up;sock_def_wakeup;tcp_done;tcp_v4_err;icmp_unreach;icmp_rcv;net_rx_action\n"
                     "state t=2001000 netns=9 from=SYN_SENT to=CLOSE " S_CUR C_SOCK " " RX_ICMP
                     " chain=inet_sk_state_store;tcp_done;tcp_v4_err;icmp_unreach;icmp_rcv;net_rx_action;__x64_sys_write\n"
                     "exit t=2010000 " C_THREAD "name=connect fd=3 how=-1 level=-1 slept=900000 ret=-113 " C_SOCK "\n",
        0);
    const struct story *story = told->stories[0];
    const struct story_wake *wake = &told_call(story, STORY_CLIENT, "connect", 1)->wake;
    assert_int_equal(wake->evidence, EVIDENCE_STACK);
    assert_non_null(strstr(wake->why, "ICMP"));
    assert_int_equal(story->steps[wake->step].kind, STEP_DATAGRAM);
    bool found = false;
    for (size_t i = 0; i < story->step_count; i++) {
        if (story->steps[i].kind != STEP_STATE || !story->steps[i].state->kernel) continue;
        assert_int_equal(story->steps[i].state->cause.kind, CAUSE_KERNEL);
        assert_string_equal(story->steps[i].state->cause.name, "icmp-error");
        assert_int_equal(story->steps[i].state->cause.step, wake->step);
        found = true;
    }
    assert_true(found);
    told_free(told);
}

static void a_smaller_path_mtu_refers_to_the_icmp_error_that_told_it(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE HANDSHAKE PACKET(2000, C, C_DATA) ICMP_ERROR(5002100000)
            MARK(5002102, C, C_DATA,
                 S_CUR C_SOCK " " RX_ICMP " chain=__tcp_retransmit_skb;tcp_xmit_retransmit_queue;tcp_v4_err;icmp_rcv;net_rx_action")
                PACKET(5002103, C, C_DATA),
        0);
    const struct story *story = told->stories[0];
    const struct story_segment *again = told_segment(story, STORY_CLIENT, "data", 2);
    assert_int_equal(again->repeat, STORY_REPEAT_PATH_MTU);
    assert_string_equal(again->cause.name, "path-mtu");
    assert_int_equal(story->steps[again->cause.step].kind, STEP_DATAGRAM);
    told_free(told);
}

/* ---- kinds of repeats ---- */

#define SENT_TWICE(chain)                                                                                                          \
    TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2001, S, S_DATA_2) PACKET(2100, C, C_ACK)                                       \
        MARK(5250000, S, S_DATA, S_CUR RX_C_ACK " " S_SOCK " chain=__tcp_transmit_skb;__tcp_retransmit_skb;" chain)                \
            PACKET(5250001, S, S_DATA)

static void each_chain_tells_the_kind_of_its_repeat(void **data)
{
    (void)data;
    static const struct {
        const char *text;
        enum story_repeat repeat;
    } cases[] = {
        {SENT_TWICE("tcp_retransmit_skb;tcp_retransmit_timer;tcp_write_timer;call_timer_fn"), STORY_REPEAT_RTO},
        {SENT_TWICE("tcp_send_loss_probe;tcp_write_timer;call_timer_fn"), STORY_REPEAT_LOSS_PROBE},
        {SENT_TWICE("tcp_xmit_retransmit_queue;tcp_rack_reo_timeout;tcp_write_timer;call_timer_fn"), STORY_REPEAT_FAST},
        {SENT_TWICE("tcp_xmit_retransmit_queue.part.0;tcp_ack;tcp_rcv_established;tcp_v4_rcv;net_rx_action"), STORY_REPEAT_FAST},
        {SENT_TWICE("tcp_xmit_retransmit_queue;tcp_ack;tcp_rcv_established;__release_sock;__x64_sys_sendto"), STORY_REPEAT_FAST},
        {SENT_TWICE("tcp_xmit_retransmit_queue;tcp_tsq_write;tcp_tsq_handler;tcp_pace_kick;__hrtimer_run_queues"),
         STORY_REPEAT_FAST},
        {SENT_TWICE("tcp_simple_retransmit;tcp_v4_mtu_reduced;tcp_v4_err;icmp_rcv;net_rx_action"), STORY_REPEAT_PATH_MTU},
        {SENT_TWICE("tcp_rcv_fastopen_synack;tcp_rcv_state_process;tcp_v4_rcv;net_rx_action"), STORY_REPEAT_FAST_OPEN},
        {SENT_TWICE("made_by_whom;tcp_v4_rcv;net_rx_action"), STORY_REPEAT_UNKNOWN},
        /* no chain: without SACK there is no loss probe (tcp_schedule_loss_probe), and the retransmission timer alone is so late */
        {TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(5250000, S, S_DATA), STORY_REPEAT_RTO},
        {TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(192000, S, S_DATA), STORY_REPEAT_RTO},
        {TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(191999, S, S_DATA), STORY_REPEAT_UNKNOWN},
        {TRACE PACKET(1000, C, SYN " opt=sackok") PACKET(1010, S, SYN_ACK " opt=sackok") PACKET(1020, C, HANDSHAKE_ACK)
             PACKET(2000, S, S_DATA) PACKET(5250000, S, S_DATA),
         STORY_REPEAT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        const struct story *story = told->stories[0];
        size_t nth = strstr(cases[i].text, "mark t=") ? 3 : 2;
        const struct story_segment *again = told_segment(story, STORY_SERVER, "data", nth);
        assert_true(again->retransmission);
        if (again->repeat != cases[i].repeat) fail_msg("case %zu: %s", i, story_repeat_name(again->repeat));
        assert_int_equal(told_segment(story, STORY_SERVER, "data", 1)->repeat, STORY_REPEAT_NONE);
        told_free(told);
    }
}

static void a_syn_and_a_syn_ack_tell_their_kind_by_themselves(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE PACKET(1000, C, SYN) PACKET(2001000, C, SYN) PACKET(2001010, S, SYN_ACK) PACKET(3001010, S, SYN_ACK), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->repeat, STORY_REPEAT_NONE);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 2)->repeat, STORY_REPEAT_SYN);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "SYN-ACK", 2)->repeat, STORY_REPEAT_SYN_ACK);
    told_free(told);
}

/* ---- the kernel's reasons for resets ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_firewalls_reset_is_its_hosts_and_no_calls),
        cmocka_unit_test(a_firewalls_icmp_error_does_not_say_that_nobody_has_a_socket),
        cmocka_unit_test(only_a_request_socket_says_that_its_queue_is_full),
        cmocka_unit_test(a_reset_of_a_closed_port_is_still_refused_by_nobody),
        cmocka_unit_test(a_call_of_the_other_end_sends_nothing),
        cmocka_unit_test(a_kernel_function_without_a_row_is_the_kernels_by_its_name),
        cmocka_unit_test(what_is_made_while_receiving_another_packet_is_not_the_last_arrivals),
        cmocka_unit_test(what_is_made_while_receiving_something_unknown_is_the_last_arrivals_by_rule),
        cmocka_unit_test(what_waited_for_its_neighbour_is_the_calls_that_spans_it),
        cmocka_unit_test(a_mark_of_a_packet_that_is_passed_on_is_nobodys),
        cmocka_unit_test(an_icmp_error_ends_and_wakes_a_connect),
        cmocka_unit_test(a_smaller_path_mtu_refers_to_the_icmp_error_that_told_it),
        cmocka_unit_test(each_chain_tells_the_kind_of_its_repeat),
        cmocka_unit_test(a_syn_and_a_syn_ack_tell_their_kind_by_themselves),
        cmocka_unit_test(a_timeouts_recovery_lasts_until_all_that_was_sent_before_is_acknowledged),
        cmocka_unit_test(who_hands_over_operations_by_a_ring_may_have_closed_before_its_end),
        cmocka_unit_test(a_reset_has_the_kernels_reason_that_was_reported_with_it),
        cmocka_unit_test(a_firewalls_reset_does_not_take_the_reason_of_anothers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
