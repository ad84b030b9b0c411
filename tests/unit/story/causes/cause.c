/* Every cause rule by a case of its own: with the rule the cause is this; without it, it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story/causes/cause.h"
#include "support/lines.h"
#include "support/tell.h"

struct cause_case {
    const char *rule;
    enum story_side side;
    const char *label; /* "ICMP": the datagram with an ICMP error */
    enum story_cause_kind kind;
    enum story_evidence evidence;
    const char *name; /* NULL: none */
    const char *text;
};

static const struct cause_case cases[] = {
    {"network-copy", STORY_CLIENT, "SYN", CAUSE_KERNEL, EVIDENCE_RULE, "duplicated",
     TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1010, WC, SYN) ARRIVES(1011, WC, SYN)},
    {"chain-call", STORY_CLIENT, "SYN", CAUSE_CALL, EVIDENCE_STACK, "connect",
     TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "")
         MARK(999, C, SYN, C_CUR C_SOCK " chain=tcp_connect;__sys_connect;__x64_sys_connect") PACKET(1000, C, SYN)
             EXIT(1030, C_THREAD, "connect", C_SOCK, "")},
    {"chain-receive", STORY_SERVER, "SYN-ACK", CAUSE_SEGMENT, EVIDENCE_STACK, NULL,
     TRACE PACKET(1000, C, SYN)
         MARK(1005, S, SYN_ACK, C_CUR RX_SYN " chain=tcp_conn_request;tcp_v4_rcv;net_rx_action;tcp_connect;__x64_sys_connect")
             PACKET(1010, S, SYN_ACK)},
    {"chain-backlog", STORY_CLIENT, "ACK", CAUSE_SEGMENT, EVIDENCE_STACK, NULL,
     TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK)
         MARK(1015, C, HANDSHAKE_ACK, C_CUR C_SOCK " chain=tcp_rcv_state_process;__release_sock;release_sock;__x64_sys_connect")
             PACKET(1020, C, HANDSHAKE_ACK)},
    {"chain-timer", STORY_SERVER, "ACK", CAUSE_TIMER, EVIDENCE_STACK, "delayed-ack",
     TRACE HANDSHAKE PACKET(1030, C, C_DATA)
         MARK(1040, S, "flags=. seq=501 ack=106", C_CUR "softirq=1 " S_SOCK " chain=tcp_delack_timer;call_timer_fn;__x64_sys_write")
             PACKET(1041, S, "flags=. seq=501 ack=106")},
    {"chain-deferred", STORY_CLIENT, "FIN", CAUSE_CALL, EVIDENCE_STACK, "dup2",
     TRACE HANDSHAKE CALL(2000, 2010, C_THREAD, "dup2",
                          "other.cookie=7 other.proto=tcp other.local=127.0.0.1:40000 other.remote=127.0.0.1:3333")
         MARK(9020, C, C_FIN, C_CUR C_SOCK " chain=tcp_send_fin;sock_close;task_work_run;exit_to_user_mode_loop")
             PACKET(9021, C, C_FIN)},
    {"chain-exit", STORY_CLIENT, "FIN", CAUSE_EXIT, EVIDENCE_STACK, "SIGKILL",
     TRACE HANDSHAKE
         CALL(1900, 1910, C_THREAD, "write", C_SOCK) "process t=1990000 " C_THREAD "change=exit status=-1 signal=9\n" MARK(
             2000, C, C_FIN, C_CUR C_SOCK " chain=tcp_send_fin;sock_close;task_work_run;do_exit;do_group_exit")
             PACKET(2001, C, C_FIN)},
    {"chain-kernel", STORY_CLIENT, "data", CAUSE_KERNEL, EVIDENCE_STACK, "small-queues",
     TRACE HANDSHAKE MARK(2000, C, C_DATA, C_CUR C_SOCK " softirq=1 chain=tcp_write_xmit;tcp_tsq_handler;tasklet_action")
         PACKET(2001, C, C_DATA)},
    {"context-receive", STORY_SERVER, "ACK", CAUSE_SEGMENT, EVIDENCE_CONTEXT, NULL,
     TRACE HANDSHAKE PACKET(1030, C, C_DATA) MARK(1031, S, "flags=. seq=501 ack=106", C_CUR RX_C_DATA " " S_SOCK)
         PACKET(1032, S, "flags=. seq=501 ack=106")},
    {"context-call", STORY_CLIENT, "data", CAUSE_CALL, EVIDENCE_CONTEXT, "write",
     TRACE HANDSHAKE ENTER(1025, C_THREAD, "write", C_SOCK, "") MARK(1029, C, C_DATA, C_CUR C_SOCK) PACKET(1030, C, C_DATA)
         EXIT(1040, C_THREAD, "write", C_SOCK, "")},
    {"span-call", STORY_CLIENT, "data", CAUSE_CALL, EVIDENCE_INTERVAL, "write",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "write", C_SOCK, "") PACKET(2000, C, C_DATA) EXIT(2010, C_THREAD, "write", C_SOCK, "")},
    {"rule-exit", STORY_CLIENT, "FIN", CAUSE_EXIT, EVIDENCE_RULE, "SIGKILL",
     TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN) "process t=2050000 " C_THREAD
                                                                                        "change=exit status=-1 signal=9\n"},
    {"span-deferred", STORY_CLIENT, "FIN", CAUSE_CALL, EVIDENCE_INTERVAL, "dup2",
     TRACE HANDSHAKE CALL(2000, 2010, C_THREAD, "dup2",
                          "other.cookie=7 other.proto=tcp other.local=127.0.0.1:40000 other.remote=127.0.0.1:3333")
         PACKET(2030, C, C_FIN)},
    {"rule-repeat", STORY_CLIENT, "SYN", CAUSE_TIMER, EVIDENCE_RULE, "retransmit",
     TRACE PACKET(1000, C, SYN) PACKET(1001000, C, SYN)},
    {"rule-probe", STORY_CLIENT, "ACK", CAUSE_TIMER, EVIDENCE_RULE, "keepalive",
     TRACE ROOMY PACKET(9000000, C, "flags=. seq=100 ack=501 win=512")},
    {"rule-syn-ack", STORY_SERVER, "SYN-ACK", CAUSE_SEGMENT, EVIDENCE_RULE, NULL, TRACE HANDSHAKE},
    {"rule-reset", STORY_CLIENT, "RST", CAUSE_SEGMENT, EVIDENCE_RULE, NULL,
     TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=S. seq=500 ack=77") PACKET(1020, C, "flags=R seq=77")},
    {"rule-answer", STORY_SERVER, "ACK", CAUSE_SEGMENT, EVIDENCE_RULE, NULL,
     TRACE ROOMY PACKET(9000000, C, "flags=. seq=100 ack=501 win=512") PACKET(9000010, S, "flags=. seq=501 ack=101 win=512")},
    {"rule-ack", STORY_CLIENT, "ACK", CAUSE_SEGMENT, EVIDENCE_RULE, NULL, TRACE HANDSHAKE},
    {"rule-released", STORY_CLIENT, "data", CAUSE_SEGMENT, EVIDENCE_RULE, NULL,
     TRACE TWO_ENDS FAR_HANDSHAKE CALL(1900, 1910, C_THREAD, "write", WC_SOCK) THERE(1905, 1915, C_DATA)
         CALL(1950, 1960, C_THREAD, "write", WC_SOCK) BACK(2990, 3000, "flags=. seq=501 ack=106")
             THERE(3001, 3010, "flags=P. seq=106 ack=501 len=5")},
    {"rule-user-call", STORY_CLIENT, "FIN", CAUSE_CALL, EVIDENCE_RULE, "CLOSE", TRACE ROOMY PACKET(2000, C, C_FIN)},
    {"rule-icmp", STORY_SERVER, "ICMP", CAUSE_SEGMENT, EVIDENCE_RULE, NULL,
     TRACE PACKET(1000, UDP_C, "len=5")
         PACKET(1010, "src=127.0.0.1:0 dst=127.0.0.1:0 proto=icmp ",
                "icmp.type=3 icmp.code=3 icmp.quotes=1 icmp.proto=udp icmp.src=127.0.0.1:40000 icmp.dst=127.0.0.1:3333")},
};

/* The last of the side's packets with this label: retransmissions come after what they repeat. */
static const struct story_cause *last_cause(const struct told *told, const struct cause_case *c)
{
    const struct story_cause *cause = NULL;
    assert_int_equal(told->count, 1);
    const struct story *story = told->stories[0];
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->side != c->side) continue;
        if (step->kind == STEP_SEGMENT && strcmp(step->segment->label, c->label) == 0) cause = &step->segment->cause;
        if (step->kind == STEP_DATAGRAM && step->datagram->icmp && strcmp(c->label, "ICMP") == 0) cause = &step->datagram->cause;
    }
    if (!cause) fail_msg("%s: no such packet", c->rule);
    return cause;
}

static bool as_expected(const struct cause_case *c, const struct story_cause *cause)
{
    return cause->kind == c->kind && cause->evidence == c->evidence && (cause->name != NULL) == (c->name != NULL) &&
           (!c->name || strcmp(cause->name, c->name) == 0);
}

static size_t rule_number(const char *name)
{
    for (size_t i = 0; i < cause_rule_count(); i++)
        if (strcmp(cause_rule_name(i), name) == 0) return i;
    fail_msg("no rule %s", name);
    return 0;
}

static void every_rule_finds_its_cause_and_nothing_else_does(void **data)
{
    (void)data;
    uint64_t covered = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct cause_case *c = &cases[i];
        struct told *told = tell_text(c->text, 0);
        const struct story_cause *cause = last_cause(told, c);
        if (!as_expected(c, cause))
            fail_msg("%s: %s %s, evidence %s: %s", c->rule, story_cause_name(cause->kind), cause->name ? cause->name : "-",
                     story_evidence_name(cause->evidence), cause->why);
        told_free(told);
        covered |= 1ull << rule_number(c->rule);
        told = tell_text(c->text, 1ull << rule_number(c->rule));
        if (as_expected(c, last_cause(told, c))) fail_msg("%s: the cause is found without the rule", c->rule);
        told_free(told);
    }
    assert_int_equal(covered, (1ull << cause_rule_count()) - 1);
}

/* ---- what must not be said ---- */

static void check(const char *text, const char *label, enum story_side side, enum story_cause_kind kind,
                  enum story_evidence evidence)
{
    struct cause_case c = {.rule = "check", .side = side, .label = label};
    struct told *told = tell_text(text, 0);
    const struct story_cause *cause = last_cause(told, &c);
    if (cause->kind != kind || cause->evidence != evidence)
        fail_msg("%s, evidence %s: %s", story_cause_name(cause->kind), story_evidence_name(cause->evidence), cause->why);
    told_free(told);
}

static void the_clients_connect_does_not_send_the_syn_ack_though_it_was_running(void **data)
{
    (void)data;
    check(TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN) MARK(1005, S, SYN_ACK, C_CUR RX_SYN)
              PACKET(1010, S, SYN_ACK) EXIT(1030, C_THREAD, "connect", C_SOCK, ""),
          "SYN-ACK", STORY_SERVER, CAUSE_SEGMENT, EVIDENCE_CONTEXT);
}

#define BACKLOG " chain=tcp_rcv_established;tcp_v4_do_rcv;__release_sock;release_sock;__x64_sys_sendto"
#define ACK_OF_FIRST "flags=. seq=501 ack=106"

static void off_the_backlog_the_segment_is_sure_only_where_no_other_could_be_meant(void **data)
{
    (void)data;
    /* one segment had come, and it is acknowledged */
    check(TRACE HANDSHAKE PACKET(2000, C, C_DATA) MARK(2010, S, ACK_OF_FIRST, S_CUR S_SOCK BACKLOG) PACKET(2011, S, ACK_OF_FIRST),
          "ACK", STORY_SERVER, CAUSE_SEGMENT, EVIDENCE_STACK);
    /* another had come behind it, out of order */
    check(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2005, C, "flags=P. seq=111 ack=501 len=5")
              MARK(2010, S, ACK_OF_FIRST, S_CUR S_SOCK BACKLOG) PACKET(2011, S, ACK_OF_FIRST),
          "ACK", STORY_SERVER, CAUSE_SEGMENT, EVIDENCE_CONTEXT);
    /* it had come twice */
    check(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2005, C, C_DATA) MARK(2010, S, ACK_OF_FIRST, S_CUR S_SOCK BACKLOG)
              PACKET(2011, S, ACK_OF_FIRST),
          "ACK", STORY_SERVER, CAUSE_SEGMENT, EVIDENCE_CONTEXT);
}

static void an_end_that_has_sent_its_fin_delays_no_ack(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(3000, S, "flags=F. seq=501 ack=102")
              PACKET(3500, C, "flags=. seq=102 ack=502"),
          "ACK", STORY_CLIENT, CAUSE_SEGMENT, EVIDENCE_RULE);
    check(TRACE HANDSHAKE PACKET(3000, S, "flags=F. seq=501 ack=101") PACKET(3500, C, "flags=. seq=101 ack=502"), "ACK",
          STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
}

/* RFC 9293 section 3.10.7.1: who knows no such connection answers a SYN with sequence number 0. */
static void a_refusal_is_not_the_end_of_a_process_that_ended_soon_after(void **data)
{
    (void)data;
    check(TRACE CALL(900, 910, S_THREAD, "listen", "sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN")
              PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101") "process t=2000000 " S_THREAD
                                                                             "change=exit status=0 signal=0\n",
          "RST", STORY_SERVER, CAUSE_UNKNOWN, EVIDENCE_NONE);
}

/* The ACK that opened the window did not come to the end that asks: what asks goes on to be the persist timer. */
static void a_probe_after_a_lost_window_update_is_no_keepalive(void **data)
{
    (void)data;
    const struct cause_case c = {.rule = "check",
                                 .side = STORY_CLIENT,
                                 .label = "ACK",
                                 .kind = CAUSE_TIMER,
                                 .evidence = EVIDENCE_RULE,
                                 .name = "zero-window-probe"};
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, "flags=. seq=501 ack=106 win=0")
                      PACKET(202000, C, "flags=. seq=105 ack=501") PACKET(202010, S, "flags=. seq=501 ack=106 win=0")
                          PACKET(300000, S, "flags=. seq=501 ack=106 win=900") PACKET(602000, C, "flags=. seq=105 ack=501"),
                  0);
    assert_true(as_expected(&c, last_cause(told, &c)));
    told_free(told);
}

static void two_closes_at_once_leave_the_fin_unknown(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1990, C_THREAD, "close", C_SOCK, "") ENTER(1991, "pid=11 tid=11 comm=child ", "close", C_SOCK, "")
              PACKET(2000, C, C_FIN) EXIT(2010, C_THREAD, "close", C_SOCK, "")
                  EXIT(2011, "pid=11 tid=11 comm=child ", "close", C_SOCK, ""),
          "FIN", STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
}

/* The last call that was recorded of a thread need not be the last that it made. */
static void a_close_at_the_return_of_a_call_is_that_calls_only_where_it_can_be(void **data)
{
    (void)data;
#define LET_GO                                                                                                                     \
    MARK(2000, C, C_FIN, C_CUR C_SOCK " chain=tcp_send_fin;sock_close;task_work_run;exit_to_user_mode_loop") PACKET(2001, C, C_FIN)
    check(TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "close", C_SOCK) LET_GO, "FIN", STORY_CLIENT, CAUSE_CALL, EVIDENCE_STACK);
    check(TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "io_uring_enter", "sock.cookie=9 sock.proto=tcp") LET_GO, "FIN", STORY_CLIENT,
          CAUSE_CALL, EVIDENCE_STACK);
    check(TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "recvfrom", C_SOCK) LET_GO, "FIN", STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
    check(TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "close", "sock.cookie=9 sock.proto=tcp") LET_GO, "FIN", STORY_CLIENT,
          CAUSE_UNKNOWN, EVIDENCE_NONE);
    check(TRACE HANDSHAKE ENTER(1800, C_THREAD, "recvfrom", C_SOCK, "")
              CALL(1850, 1860, "pid=10 tid=11 comm=client ", "close", C_SOCK) EXIT(1910, C_THREAD, "recvfrom", C_SOCK, "") LET_GO,
          "FIN", STORY_CLIENT, CAUSE_CALL, EVIDENCE_STACK);
}

/* What close() before Linux 6.6, or close_range(), left to its return; the process ends a moment later. */
static void the_end_of_a_process_that_came_after_its_fin_did_not_send_it(void **data)
{
    (void)data;
#define CLOSED CALL(1990, 1999, C_THREAD, "close", C_SOCK) PACKET(2000, C, C_FIN)
#define ENDS(ns) "process t=" ns " " C_THREAD "change=exit status=0 signal=0\n"
#define BY_BPF(more) "# tcpwhy events 1\ntrace t=1 recorder=bpf ports=3333" more "\nvantage t=1 vantage=1 netns=9 name=lo\n"
    check(BY_BPF("") HANDSHAKE CLOSED ENDS("3000001"), "FIN", STORY_CLIENT, CAUSE_CALL, EVIDENCE_INTERVAL);
    check(BY_BPF("") HANDSHAKE CLOSED ENDS("3000000"), "FIN", STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
    check(BY_BPF(" course_only=1") HANDSHAKE CLOSED ENDS("2000001"), "FIN", STORY_CLIENT, CAUSE_CALL, EVIDENCE_INTERVAL);
    /* who waits for processes sees them end late */
    check(TRACE HANDSHAKE CLOSED ENDS("3000001"), "FIN", STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
    check(TRACE HANDSHAKE PACKET(2000, C, C_FIN) CALL(900, 901, C_THREAD, "write", C_SOCK) ENDS("3000001"), "FIN", STORY_CLIENT,
          CAUSE_EXIT, EVIDENCE_RULE);
}

static void a_close_that_leaves_a_copy_open_did_not_send_the_fin(void **data)
{
    (void)data;
#define OF_FD(t, name, more) "exit t=" #t US " " C_THREAD "name=" name " how=-1 level=-1 slept=-1 " more " " C_SOCK "\n"
#define COPIED TRACE HANDSHAKE OF_FD(1501, "dup", "fd=3 ret=5")
    check(COPIED CLOSED, "FIN", STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
    check(COPIED ENTER(1990, C_THREAD, "close", C_SOCK, "") PACKET(2000, C, C_FIN) EXIT(2010, C_THREAD, "close", C_SOCK, ""), "FIN",
          STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
    check(COPIED CALL(1980, 1985, C_THREAD, "close", C_SOCK) OF_FD(1999, "close", "fd=5") PACKET(2000, C, C_FIN), "FIN",
          STORY_CLIENT, CAUSE_CALL, EVIDENCE_INTERVAL); /* the last one */
}

static void a_blocked_read_that_spans_a_fin_did_not_send_it(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "") PACKET(2000, C, C_FIN), "FIN", STORY_CLIENT, CAUSE_UNKNOWN,
          EVIDENCE_NONE);
}

static void a_fin_of_multipath_tcp_may_be_its_workers(void **data)
{
    (void)data;
    check(TRACE PACKET(1000, C, SYN " opt=mptcp") PACKET(1010, S, SYN_ACK " opt=mptcp") PACKET(1020, C, HANDSHAKE_ACK)
              ENTER(1990, C_THREAD, "close", C_SOCK, "") PACKET(2000, C, C_FIN) EXIT(2010, C_THREAD, "close", C_SOCK, ""),
          "FIN", STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
}

static void shutdown_for_reading_sends_no_fin(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE "enter t=1990000 " C_THREAD "name=shutdown fd=3 how=0 level=-1 " C_SOCK "\n" PACKET(2000, C, C_FIN),
          "FIN", STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
}

static void data_sent_again_too_soon_for_the_timer_is_unknown(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(3000, C, C_DATA), "data", STORY_CLIENT, CAUSE_UNKNOWN, EVIDENCE_NONE);
}

/* Whoever opened too has a socket of its own, and that socket's timer; a request socket has another. */
static void a_syn_ack_sent_again_after_a_simultaneous_open_is_the_retransmission_timers(void **data)
{
    (void)data;
    static const struct {
        const char *text, *timer;
    } opens[] = {
        {TRACE PACKET(1000, C, SYN) PACKET(1001, S, "flags=S seq=500") PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK),
         "retransmit"},
        {TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK), "syn-ack"},
    };
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        struct told *told = tell_text(opens[i].text, 0);
        const struct story_cause *cause = &told_segment(told->stories[0], STORY_SERVER, "SYN-ACK", 2)->cause;
        assert_int_equal(cause->kind, CAUSE_TIMER);
        assert_string_equal(cause->name, opens[i].timer);
        told_free(told);
    }
}

static void an_old_call_of_another_name_is_not_the_one_in_the_chain(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE CALL(1500, 1510, C_THREAD, "write", C_SOCK)
              MARK(1999, C, C_FIN, C_CUR C_SOCK " chain=tcp_close;__x64_sys_close") PACKET(2000, C, C_FIN),
          "FIN", STORY_CLIENT, CAUSE_CALL, EVIDENCE_STACK);
}

static void a_port_that_is_used_again_is_another_connection(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=F. seq=501 ack=102")
                      PACKET(2020, C, "flags=. seq=102 ack=502") PACKET(3000, C, "flags=S seq=90000")
                          PACKET(3010, S, "flags=S. seq=70000 ack=90001") PACKET(3020, C, "flags=. seq=90001 ack=70001"),
                  0);
    assert_int_equal(told->count, 2);
    assert_int_equal(told->stories[0]->outcome, OUTCOME_CLOSED);
    assert_int_equal(told->stories[1]->outcome, OUTCOME_OPEN);
    assert_int_equal(told->stories[1]->summary.segments, 3);
    told_free(told);
}

/* GSO: the kernel marks one large segment, the wire shows its parts; the FIN rides on the last. */
static void one_mark_explains_all_the_segments_cut_from_it(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE HANDSHAKE ENTER(1990, C_THREAD, "close", C_SOCK, "")
            MARK(1999, C, "flags=FP. seq=101 ack=501 len=25", C_CUR C_SOCK " chain=tcp_write_xmit;tcp_close;__x64_sys_close")
                PACKET(2000, C, "flags=. seq=101 ack=501 len=10") PACKET(2001, C, "flags=. seq=111 ack=501 len=10")
                    PACKET(2002, C, "flags=FP. seq=121 ack=501 len=5") EXIT(2010, C_THREAD, "close", C_SOCK, ""),
        0);
    const struct story *story = told->stories[0];
    assert_int_equal(story->summary.segments, 6);
    assert_int_equal(told_segment(story, STORY_CLIENT, "data", 1)->cause.evidence, EVIDENCE_STACK);
    assert_int_equal(told_segment(story, STORY_CLIENT, "data", 2)->cause.evidence, EVIDENCE_STACK);
    assert_int_equal(told_segment(story, STORY_CLIENT, "FIN", 1)->cause.evidence, EVIDENCE_STACK);
    assert_int_equal(told_segment(story, STORY_CLIENT, "FIN", 1)->length_bytes, 5);
    assert_int_equal(teller_trace(told->teller)->marks_unjoined, 0);
    told_free(told);
}

static void a_mark_whose_packet_was_dropped_is_still_told_and_counted(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE MARK(2000, C, C_FIN, C_CUR C_SOCK " chain=tcp_close;__x64_sys_close"), 0);
    assert_null(told_segment(told->stories[0], STORY_CLIENT, "FIN", 1)->place.vantage);
    assert_int_equal(teller_trace(told->teller)->marks_unjoined, 1);
    assert_int_equal(teller_trace(told->teller)->packets_unmarked, 3);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_finds_its_cause_and_nothing_else_does),
        cmocka_unit_test(the_clients_connect_does_not_send_the_syn_ack_though_it_was_running),
        cmocka_unit_test(off_the_backlog_the_segment_is_sure_only_where_no_other_could_be_meant),
        cmocka_unit_test(an_end_that_has_sent_its_fin_delays_no_ack),
        cmocka_unit_test(a_refusal_is_not_the_end_of_a_process_that_ended_soon_after),
        cmocka_unit_test(a_probe_after_a_lost_window_update_is_no_keepalive),
        cmocka_unit_test(two_closes_at_once_leave_the_fin_unknown),
        cmocka_unit_test(a_close_at_the_return_of_a_call_is_that_calls_only_where_it_can_be),
        cmocka_unit_test(the_end_of_a_process_that_came_after_its_fin_did_not_send_it),
        cmocka_unit_test(a_close_that_leaves_a_copy_open_did_not_send_the_fin),
        cmocka_unit_test(a_blocked_read_that_spans_a_fin_did_not_send_it),
        cmocka_unit_test(a_fin_of_multipath_tcp_may_be_its_workers),
        cmocka_unit_test(shutdown_for_reading_sends_no_fin),
        cmocka_unit_test(data_sent_again_too_soon_for_the_timer_is_unknown),
        cmocka_unit_test(a_syn_ack_sent_again_after_a_simultaneous_open_is_the_retransmission_timers),
        cmocka_unit_test(an_old_call_of_another_name_is_not_the_one_in_the_chain),
        cmocka_unit_test(a_port_that_is_used_again_is_another_connection),
        cmocka_unit_test(one_mark_explains_all_the_segments_cut_from_it),
        cmocka_unit_test(a_mark_whose_packet_was_dropped_is_still_told_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
