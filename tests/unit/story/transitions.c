/* What makes an end's state change, and how that is known: each kind of evidence by a story that has it, and by one that lacks it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

#define CLOSE_FROM_CLIENT PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=. seq=501 ack=102")
#define S_FIN "flags=F. seq=501 ack=102"
#define LAST_ACK "flags=. seq=102 ack=502"
#define CLOSE_FROM_BOTH CLOSE_FROM_CLIENT PACKET(2020, S, S_FIN) PACKET(2030, C, LAST_ACK)
#define RX_S_FIN "softirq=1 receiving=1 rx.src=127.0.0.1:3333 rx.dst=127.0.0.1:40000 rx.proto=tcp rx.flags=F. rx.seq=501 rx.ack=102"
#define RX_ACK "softirq=1 receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=. rx.seq=101 rx.ack=501"
/* The kernel is watched: something of the run has its mark. */
#define WATCHED MARK(1000, C, SYN, C_CUR C_SOCK " chain=tcp_connect;__x64_sys_connect")
#define TIMER(t, state) "timer t=" #t US " function=tw_timer_handler netns=9 " C_SOCK " sock.state=" state "\n"
/* Another connection's packet, so that the clock goes on. */
#define CLOCK(t) "packet t=" #t US " vantage=1 number=1 src=127.0.0.1:40001 dst=127.0.0.1:3333 proto=tcp flags=S seq=1\n"

/* The n-th (from 1) step of the RFC's machine at this end; NULL where it has fewer. */
static const struct story_state *change_of(const struct story *story, enum story_side side, size_t n)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_STATE && step->side == side && !step->state->kernel && --n == 0) return step->state;
    }
    return NULL;
}

static int64_t time_of(const struct story *story, const struct story_state *state)
{
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_STATE && story->steps[i].state == state) return story->steps[i].t_ns;
    return 0;
}

static void assert_last_timer(const struct story *story, const char *name, enum story_evidence evidence, int64_t t_us)
{
    const struct story_state *last = NULL;
    for (size_t n = 1; change_of(story, STORY_CLIENT, n); n++) last = change_of(story, STORY_CLIENT, n);
    assert_non_null(last);
    assert_string_equal(last->to, "CLOSED");
    assert_int_equal(last->cause.kind, CAUSE_TIMER);
    assert_string_equal(last->cause.name, name);
    assert_int_equal(last->cause.evidence, evidence);
    assert_int_equal(time_of(story, last), t_us * 1000);
}

/* ---- timewait sockets ---- */

static void the_timer_of_a_timewait_socket_is_the_kernels_own_end_of_time_wait(void **state)
{
    struct told *told = tell_text(TRACE WATCHED HANDSHAKE CLOSE_FROM_BOTH CLOCK(61000000) TIMER(61500000, "TIME_WAIT"), 0);
    (void)state;
    assert_last_timer(told->stories[0], "time-wait", EVIDENCE_CONTEXT, 61500000);
    assert_int_equal(told->stories[0]->summary.time_wait_side, STORY_CLIENT);
    assert_int_equal(told->stories[0]->summary.time_wait_until_ns, 61500000000);
    told_free(told);
}

static void without_the_kernels_word_time_wait_ends_by_the_clock_as_a_rule(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE CLOSE_FROM_BOTH CLOCK(61000000), 0);
    (void)state;
    assert_last_timer(told->stories[0], "time-wait", EVIDENCE_RULE, 60002020);
    told_free(told);
}

static void a_watched_kernel_that_did_not_run_the_timer_is_waited_for(void **state)
{
    struct told *told = tell_text(TRACE WATCHED HANDSHAKE CLOSE_FROM_BOTH CLOCK(61000000), 0);
    (void)state;
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
    told_free(told);
    told = tell_text(TRACE WATCHED HANDSHAKE CLOSE_FROM_BOTH CLOCK(67000000), 0);
    assert_last_timer(told->stories[0], "time-wait", EVIDENCE_RULE, 60002020);
    told_free(told);
}

static void a_segment_that_reaches_time_wait_begins_the_wait_anew(void **state)
{
    struct told *told =
        tell_text(TRACE HANDSHAKE CLOSE_FROM_BOTH PACKET(5000000, S, S_FIN) PACKET(5000010, C, LAST_ACK) CLOCK(64000000), 0);
    (void)state;
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
    assert_int_equal(told->stories[0]->summary.time_wait_until_ns, 65000000000);
    told_free(told);
}

static void the_same_timer_ends_fin_wait_2_of_an_orphan(void **state)
{
    struct told *told = tell_text(TRACE WATCHED HANDSHAKE CLOSE_FROM_CLIENT TIMER(3000000, "FIN_WAIT2") PACKET(4000000, S, S_FIN)
                                      PACKET(4000010, C, "flags=R seq=102"),
                                  0);
    (void)state;
    assert_last_timer(told->stories[0], "fin-wait-2", EVIDENCE_CONTEXT, 3000000);
    told_free(told);
    told = tell_text(TRACE HANDSHAKE CLOSE_FROM_CLIENT PACKET(4000000, S, S_FIN) PACKET(4000010, C, "flags=R seq=102"), 0);
    assert_last_timer(told->stories[0], "fin-wait-2", EVIDENCE_RULE, 4000000);
    told_free(told);
}

static void a_timer_of_another_socket_between_the_same_ends_says_nothing(void **state)
{
    struct told *told = tell_text(TRACE WATCHED HANDSHAKE CALL(1030, 1040, C_THREAD, "write", C_SOCK) CLOSE_FROM_BOTH
                                  "timer t=61500000" US " function=tw_timer_handler netns=9 sock.cookie=99 sock.proto=tcp "
                                  "sock.local=127.0.0.1:40000 sock.remote=127.0.0.1:3333 sock.state=TIME_WAIT\n",
                                  0);
    (void)state;
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
    told_free(told);
}

/* ---- request sockets, and what ends a mini socket before its timer ---- */

#define REQUEST "sock.proto=tcp sock.local=127.0.0.1:3333 sock.remote=127.0.0.1:40000 sock.state=NEW_SYN_RECV"
#define REQUEST_TIMER(t) "timer t=" #t US " function=reqsk_timer_handler netns=9 " REQUEST "\n"
#define SYN_AND_SYN_ACK PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK)
#define LATE_ACK PACKET(4000000, C, HANDSHAKE_ACK) PACKET(4000010, S, "flags=R seq=501")

/* The server's last change, from SYN_RCVD. */
static void assert_request_ends(const char *text, const char *to, enum story_cause_kind kind, enum story_evidence evidence,
                                int64_t t_us)
{
    struct told *told = tell_text(text, 0);
    const struct story_state *last = NULL;
    for (size_t n = 1; change_of(told->stories[0], STORY_SERVER, n); n++) last = change_of(told->stories[0], STORY_SERVER, n);
    assert_non_null(last);
    assert_string_equal(last->from, "SYN_RCVD");
    assert_string_equal(last->to, to);
    assert_int_equal(last->cause.kind, kind);
    assert_int_equal(last->cause.evidence, evidence);
    assert_int_equal(time_of(told->stories[0], last), t_us * 1000);
    told_free(told);
}

static void the_timer_of_a_request_ends_syn_rcvd_when_it_runs_and_not_when_an_ack_comes_late(void **state)
{
    (void)state;
    assert_request_ends(TRACE SYN_AND_SYN_ACK REQUEST_TIMER(3000000) LATE_ACK, "CLOSED", CAUSE_TIMER, EVIDENCE_CONTEXT, 3000000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK REQUEST_TIMER(3000000), "CLOSED", CAUSE_TIMER, EVIDENCE_CONTEXT, 3000000);
    /* and without it the late ACK's answer tells */
    assert_request_ends(TRACE SYN_AND_SYN_ACK LATE_ACK, "CLOSED", CAUSE_TIMER, EVIDENCE_RULE, 4000000);
}

static void a_request_whose_timer_gave_up_had_not_taken_the_ack_before(void **state)
{
    (void)state;
    assert_request_ends(TRACE HANDSHAKE REQUEST_TIMER(3000000), "CLOSED", CAUSE_TIMER, EVIDENCE_CONTEXT, 3000000);
}

static void a_requests_timer_says_nothing_of_what_the_kernel_reports_as_established(void **state)
{
    (void)state;
    struct told *told =
        tell_text(TRACE SYN_AND_SYN_ACK REQUEST_TIMER(1019)
                      PACKET(1020, C, HANDSHAKE_ACK) "state t=1021" US " netns=9 from=SYN_RECV to=ESTABLISHED " S_SOCK "\n",
                  0);
    told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD ESTABLISHED");
    told_free(told);
}

#define RX_RESET "softirq=1 receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=R rx.seq=101"
#define C_RESET PACKET(2000, C, "flags=R seq=101")
#define REQUEST_CANCELLED(context) "timer t=2005" US " function=reqsk_timer_handler cancelled=1 netns=9 " REQUEST " " context "\n"

static void a_reset_that_cancelled_the_requests_timer_is_what_ended_it(void **state)
{
    (void)state;
    assert_request_ends(TRACE SYN_AND_SYN_ACK C_RESET REQUEST_CANCELLED(
                            RX_RESET " chain=timer_delete_sync;inet_csk_reqsk_queue_drop;tcp_check_req;tcp_v4_rcv"),
                        "LISTEN", CAUSE_SEGMENT, EVIDENCE_STACK, 2000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK C_RESET REQUEST_CANCELLED(RX_RESET), "LISTEN", CAUSE_SEGMENT, EVIDENCE_CONTEXT, 2000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK C_RESET, "LISTEN", CAUSE_SEGMENT, EVIDENCE_RULE, 2000);
}

static void a_timer_that_something_else_cancelled_is_no_witness_of_a_reset(void **state)
{
    (void)state;
    /* set anew; by a timer's own expiry; while another segment came; of another kind of socket; before the RST */
    assert_request_ends(
        TRACE SYN_AND_SYN_ACK C_RESET REQUEST_CANCELLED(RX_RESET " chain=__mod_timer;mod_timer;tcp_check_req;tcp_v4_rcv"), "LISTEN",
        CAUSE_SEGMENT, EVIDENCE_RULE, 2000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK C_RESET REQUEST_CANCELLED(RX_RESET " chain=expire_timers;__run_timers"), "LISTEN",
                        CAUSE_SEGMENT, EVIDENCE_RULE, 2000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK C_RESET REQUEST_CANCELLED(RX_ACK " chain=tcp_check_req;tcp_v4_rcv"), "LISTEN",
                        CAUSE_SEGMENT, EVIDENCE_RULE, 2000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK C_RESET "timer t=2005" US " function=tw_timer_handler cancelled=1 netns=9 " S_SOCK
                                                      " sock.state=TIME_WAIT " RX_RESET
                                                      " chain=tcp_timewait_state_process;tcp_v4_rcv\n",
                        "LISTEN", CAUSE_SEGMENT, EVIDENCE_RULE, 2000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK "timer t=1500" US " function=reqsk_timer_handler cancelled=1 netns=9 " REQUEST
                                              " " RX_RESET " chain=tcp_check_req;tcp_v4_rcv\n" C_RESET,
                        "LISTEN", CAUSE_SEGMENT, EVIDENCE_RULE, 2000);
}

#define RX_S_RESET "softirq=1 receiving=1 rx.src=127.0.0.1:3333 rx.dst=127.0.0.1:40000 rx.proto=tcp rx.flags=R rx.seq=502"
#define ASSASSINATED(end)                                                                                                          \
    TRACE HANDSHAKE CLOSE_FROM_BOTH PACKET(3000, S, "flags=R seq=502") "timer t=3001" US                                           \
                                                                       " function=tw_timer_handler cancelled=1 netns=9 " C_SOCK    \
                                                                       " sock.state=TIME_WAIT " RX_S_RESET end "\n"

static void assert_assassinated(const char *text, enum story_evidence evidence)
{
    struct told *told = tell_text(text, 0);
    const struct story_state *last = change_of(told->stories[0], STORY_CLIENT, 6);
    assert_non_null(last);
    assert_string_equal(last->from, "TIME_WAIT");
    assert_string_equal(last->to, "CLOSED");
    assert_int_equal(last->cause.kind, CAUSE_SEGMENT);
    assert_int_equal(last->cause.evidence, evidence);
    assert_int_equal(time_of(told->stories[0], last), 3000000);
    told_free(told);
}

static void a_reset_that_cancelled_the_timewait_sockets_timer_assassinated_it(void **state)
{
    (void)state;
    assert_assassinated(ASSASSINATED(" chain=timer_shutdown_sync;inet_twsk_deschedule_put;tcp_timewait_state_process;tcp_v4_rcv"),
                        EVIDENCE_STACK);
    assert_assassinated(ASSASSINATED(""), EVIDENCE_CONTEXT);
}

/* ---- who answers a FIN has taken it ---- */

static enum story_evidence evidence_of_time_wait(const char *text)
{
    struct told *told = tell_text(text, 0);
    const struct story_state *change = change_of(told->stories[0], STORY_CLIENT, 5);
    assert_non_null(change);
    assert_string_equal(change->to, "TIME_WAIT");
    enum story_evidence evidence = change->cause.evidence;
    told_free(told);
    return evidence;
}

#define LAST_ACK_MARK(context) MARK(2025, C, LAST_ACK, context)

static void the_ack_that_a_fin_made_is_witness_of_what_that_fin_changed(void **state)
{
    (void)state;
    assert_int_equal(evidence_of_time_wait(TRACE HANDSHAKE CLOSE_FROM_BOTH LAST_ACK_MARK(
                         "cur.pid=20 cur.tid=20 " RX_S_FIN " chain=tcp_v4_send_ack;tcp_v4_timewait_ack;tcp_v4_rcv")),
                     EVIDENCE_STACK);
    assert_int_equal(evidence_of_time_wait(TRACE HANDSHAKE CLOSE_FROM_BOTH LAST_ACK_MARK("cur.pid=20 cur.tid=20 " RX_S_FIN)),
                     EVIDENCE_CONTEXT);
    assert_int_equal(evidence_of_time_wait(TRACE HANDSHAKE CLOSE_FROM_BOTH), EVIDENCE_RULE);
}

static void an_ack_that_something_else_made_is_no_witness(void **state)
{
    (void)state;
    assert_int_equal(evidence_of_time_wait(TRACE HANDSHAKE CLOSE_FROM_BOTH LAST_ACK_MARK(
                         C_CUR "softirq=1 chain=__tcp_send_ack;tcp_delack_timer_handler;tcp_delack_timer;call_timer_fn")),
                     EVIDENCE_RULE);
}

/* ---- the handshake's last ACK, as the server's kernel took it ---- */

#define ESTABLISHED_AT(t, rx)                                                                                                      \
    "state t=" #t US " netns=9 from=SYN_RECV to=ESTABLISHED " S_SOCK rx                                                            \
    " chain=tcp_rcv_state_process;tcp_child_process;tcp_v4_rcv\n"
#define C_FIRST_DATA PACKET(9000, C, C_DATA)

/* When the server became ESTABLISHED, in microseconds, and how that is known. */
static void assert_established(const char *text, int64_t t_us, enum story_evidence evidence)
{
    struct told *told = tell_text(text, 0);
    const struct story_state *change = NULL;
    for (size_t n = 1; (change = change_of(told->stories[0], STORY_SERVER, n)); n++)
        if (change->to_state == STATE_ESTABLISHED) break;
    if (t_us == 0) {
        assert_null(change);
    } else {
        assert_non_null(change);
        assert_int_equal(time_of(told->stories[0], change), t_us * 1000);
        assert_int_equal(change->cause.evidence, evidence);
    }
    told_free(told);
}

static void an_ack_that_the_server_deferred_leaves_it_in_syn_rcvd(void **state)
{
    (void)state;
    assert_established(TRACE HANDSHAKE C_FIRST_DATA ESTABLISHED_AT(9010, " " RX_C_DATA), 9000, EVIDENCE_STACK);
    assert_established(TRACE HANDSHAKE C_FIRST_DATA ESTABLISHED_AT(1025, " " RX_ACK), 1020, EVIDENCE_STACK);
    /* A clock that is a little behind does not make it an earlier one. */
    assert_established(TRACE HANDSHAKE C_FIRST_DATA ESTABLISHED_AT(1019, " " RX_ACK), 1020, EVIDENCE_RULE);
    /* The kernel's report names no segment; there is no report: the RFC's view, as a rule. */
    assert_established(TRACE HANDSHAKE C_FIRST_DATA ESTABLISHED_AT(9010, ""), 1020, EVIDENCE_RULE);
    assert_established(TRACE HANDSHAKE C_FIRST_DATA, 1020, EVIDENCE_RULE);
}

static void of_equal_acks_the_one_counts_that_the_kernel_took(void **state)
{
    (void)state;
    assert_established(TRACE HANDSHAKE PACKET(3001010, S, SYN_ACK) PACKET(3001020, C, HANDSHAKE_ACK)
                           ESTABLISHED_AT(3001025, " " RX_ACK),
                       3001020, EVIDENCE_STACK);
    /* and where a clock is a little behind, not the one before */
    assert_established(TRACE HANDSHAKE PACKET(3001010, S, SYN_ACK) PACKET(3001020, C, HANDSHAKE_ACK)
                           ESTABLISHED_AT(3001019, " " RX_ACK),
                       3001020, EVIDENCE_RULE);
}

static void a_syn_ack_that_the_requests_timer_repeats_shows_that_the_ack_was_dropped(void **state)
{
    (void)state;
    assert_established(TRACE HANDSHAKE PACKET(3001010, S, SYN_ACK)
                           MARK(3001009, S, SYN_ACK, "softirq=1 chain=inet_rtx_syn_ack;reqsk_timer_handler;call_timer_fn"),
                       0, EVIDENCE_NONE);
    /* A duplicate SYN makes the listener answer again, whatever became of the ACK. */
    assert_established(TRACE HANDSHAKE PACKET(3001010, S, SYN_ACK)
                           MARK(3001009, S, SYN_ACK, RX_SYN " chain=tcp_check_req;tcp_v4_rcv"),
                       1020, EVIDENCE_RULE);
    assert_established(TRACE HANDSHAKE PACKET(3001010, S, SYN_ACK), 1020, EVIDENCE_RULE);
}

static void a_reset_in_answer_to_the_ack_shows_that_it_completed_nothing(void **state)
{
    (void)state;
    assert_established(TRACE HANDSHAKE PACKET(1030, S, "flags=R seq=501")
                           MARK(1029, S, "flags=R seq=501", RX_ACK " chain=tcp_v4_send_reset;tcp_check_req;tcp_v4_rcv"),
                       0, EVIDENCE_NONE);
    assert_established(TRACE HANDSHAKE PACKET(1030, S, "flags=R seq=501")
                           MARK(1029, S, "flags=R seq=501", RX_ACK " chain=tcp_v4_send_reset;tcp_v4_rcv"),
                       0, EVIDENCE_NONE);
}

/* ---- what has no arrow ---- */

/* NULL: the finding is not there. */
static void assert_no_arrow(const char *text, const char *sentence)
{
    struct told *told = tell_text(text, 0);
    const struct story_finding *found = NULL;
    for (size_t i = 0; i < told->stories[0]->finding_count; i++)
        if (strcmp(told->stories[0]->findings[i].id, "no-arrow") == 0) found = &told->stories[0]->findings[i];
    if (!sentence && found) fail_msg("said of what stays by right: %s", found->text);
    if (sentence && !found) fail_msg("not said: %s", sentence);
    if (sentence && strncmp(found->text, sentence, strlen(sentence)) != 0) assert_string_equal(found->text, sentence);
    told_free(told);
}

static void a_fin_that_reaches_syn_sent_is_told_and_moves_nothing(void **state)
{
    const char *text = TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=F. seq=500 ack=90");
    (void)state;
    assert_no_arrow(text,
                    "a FIN reached the client in SYN_SENT: figure 5 of RFC 9293 has no arrow for that, so the end is taken to "
                    "stay there (section 3.10.7.3: its sequence number can't be checked: it is dropped)");
    struct told *told = tell_text(text, 0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT");
    told_free(told);
}

static void what_should_not_occur_is_told(void **state)
{
    (void)state;
    assert_no_arrow(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2100, C, "flags=P. seq=102 ack=501 len=5"),
                    "data reached the server in CLOSE_WAIT");
    assert_no_arrow(TRACE HANDSHAKE PACKET(2000, C, "flags=F seq=101"), "a FIN reached the server in ESTABLISHED");
    assert_no_arrow(TRACE HANDSHAKE CLOSE_FROM_BOTH PACKET(3000, C, "flags=R. seq=102 ack=502"),
                    "a RST left the client in TIME_WAIT");
}

static void what_stays_by_right_is_not_told(void **state)
{
    (void)state;
    /* a RST that answers a segment, as a host does that knows no such connection: nobody waits there */
    assert_no_arrow(TRACE HANDSHAKE CLOSE_FROM_BOTH PACKET(3000, C, "flags=R seq=102"), NULL);
    /* a FIN of an end whose SYN,ACK was not captured: it has had it */
    assert_no_arrow(TRACE PACKET(1000, C, SYN) PACKET(1010, C, C_FIN), NULL);
    assert_no_arrow(TRACE HANDSHAKE CLOSE_FROM_BOTH, NULL);
    /* again: data, a FIN, the last ACK; a SYN that was answered already */
    assert_no_arrow(TRACE HANDSHAKE PACKET(1500, C, C_DATA) PACKET(1600, C, C_DATA) PACKET(2000, S, "flags=F. seq=501 ack=106")
                        PACKET(2100, S, "flags=F. seq=501 ack=106") PACKET(2200, C, "flags=. seq=106 ack=502"),
                    NULL);
    assert_no_arrow(TRACE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001000, C, SYN) PACKET(1001010, S, SYN_ACK)
                        PACKET(1001020, C, HANDSHAKE_ACK),
                    NULL);
    /* data that the FIN overtook, and comes when the FIN is known */
    assert_no_arrow(TRACE HANDSHAKE PACKET(1900, C, "flags=F. seq=106 ack=501") PACKET(2000, C, C_DATA) PACKET(2100, C, C_DATA),
                    NULL);
    /* a RST to a closed end; data to it, which it answers with RST */
    assert_no_arrow(TRACE HANDSHAKE PACKET(2000, C, "flags=R. seq=101 ack=501") PACKET(2010, S, S_DATA)
                        PACKET(2020, C, "flags=R seq=101"),
                    NULL);
    /* whatever reaches a closed end */
    assert_no_arrow(TRACE HANDSHAKE PACKET(2000, S, "flags=R. seq=501 ack=101") PACKET(2010, S, "flags=F seq=501")
                        PACKET(2020, S, "flags=P. seq=501 ack=101 len=5"),
                    NULL);
    /* the ACK of the SYN,ACK reaches an end that closed in SYN_RCVD */
    assert_no_arrow(TRACE PACKET(1000, C, SYN) PACKET(1001, S, "flags=S seq=500") PACKET(1010, C, "flags=S. seq=100 ack=501")
                        PACKET(1011, C, C_FIN) PACKET(1020, S, "flags=. seq=501 ack=102"),
                    NULL);
    /* a host that knows nothing of the connection answers a SYN with an ACK of its own (RFC 9293 figure 9) */
    assert_no_arrow(TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=. seq=900 ack=700") PACKET(1020, C, "flags=R seq=700"), NULL);
}

/* ---- a handshake's last ACK that meets nobody ---- */

#define BARE_RESET "flags=R seq=501"

static void server_passes(const char *text, const char *states)
{
    struct told *told = tell_text(text, 0);
    told_states(told->stories[0], STORY_SERVER, states);
    told_free(told);
}

static void an_ack_that_is_answered_by_nobody_established_nobody(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE PACKET(1030, S, BARE_RESET), "LISTEN SYN_RCVD CLOSED");
    server_passes(TRACE SYN_AND_SYN_ACK PACKET(1020, C, C_DATA) PACKET(1030, S, BARE_RESET), "LISTEN SYN_RCVD CLOSED");
}

static void an_abort_of_its_own_accord_was_established(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE PACKET(1030, S, "flags=R. seq=501 ack=101"), "LISTEN SYN_RCVD ESTABLISHED CLOSED");
}

static void a_reset_that_answers_a_later_segment_says_nothing_of_the_ack(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE PACKET(1025, C, C_DATA) PACKET(1030, S, BARE_RESET), "LISTEN SYN_RCVD ESTABLISHED CLOSED");
}

static void a_reset_answers_within_a_second_or_is_no_answer(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE PACKET(1001020, S, BARE_RESET), "LISTEN SYN_RCVD CLOSED");
    server_passes(TRACE HANDSHAKE PACKET(1001021, S, BARE_RESET), "LISTEN SYN_RCVD ESTABLISHED CLOSED");
}

static void a_connection_that_accept_took_was_established(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE ENTER(
                      1021, S_THREAD, "accept", "sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN",
                      "") "exit t=1025" US " " S_THREAD
                          "name=accept fd=3 how=-1 level=-1 slept=0 ret=4 sock.cookie=5 sock.proto=tcp "
                          "sock.local=127.0.0.1:3333 sock.state=LISTEN other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 "
                          "other.remote=127.0.0.1:40000\n" PACKET(1030, S, BARE_RESET),
                  "LISTEN SYN_RCVD ESTABLISHED CLOSED");
}

/* ---- what is taken back is not told ---- */

/* Everything that counts steps counts them as they are. */
static void assert_steps_fit(const struct story *story)
{
    size_t segments = 0, calls = 0;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_STATE) assert_non_null(step->state);
        if (step->kind == STEP_SEGMENT) assert_int_equal(step->segment->number, ++segments);
        if (step->kind == STEP_ENTER && ++calls) assert_int_equal(step->call->enter_step, i);
        if (step->kind == STEP_EXIT && ++calls) assert_int_equal(step->call->exit_step, i);
        if (step->kind == STEP_SEGMENT && step->segment->retransmission && step->segment->of_step != STORY_NO_STEP)
            assert_int_equal(story->steps[step->segment->of_step].kind, STEP_SEGMENT);
    }
    assert_true(segments > 2 && calls > 2);
}

#define LIFE                                                                                                                       \
    CALL(1600, 2600, C_THREAD, "sendto", C_SOCK)                                                                                   \
    PACKET(2000, C, C_DATA)                                                                                                        \
    PACKET(2010, S, "flags=P. seq=501 ack=106 len=5")                                                                              \
    PACKET(3000, S, "flags=P. seq=506 ack=106 len=5")                                                                              \
    PACKET(3010, C, "flags=. seq=106 ack=511")                                                                                     \
    CALL(3020, 3030, S_THREAD, "recvfrom", S_SOCK) PACKET(300000, S, "flags=P. seq=506 ack=106 len=5")

static void a_rst_after_which_its_sender_goes_on_ends_nothing(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(1500, S, "flags=R seq=501") LIFE, 0);
    (void)state;
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED");
    told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD ESTABLISHED");
    assert_steps_fit(told->stories[0]);
    told_free(told);
    /* one that does end it */
    told = tell_text(TRACE HANDSHAKE CALL(1300, 1310, C_THREAD, "sendto", C_SOCK) PACKET(1305, C, C_DATA)
                         PACKET(1500, S, "flags=R. seq=501 ack=106") CALL(1600, 1610, C_THREAD, "recvfrom", C_SOCK),
                     0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED CLOSED");
    told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD ESTABLISHED CLOSED");
    assert_steps_fit(told->stories[0]);
    told_free(told);
}

#define ALONE(t, what) PACKET(t, WS, what)

static void a_syn_ack_that_comes_again_was_not_taken(void **state)
{
    struct told *told = tell_text(TRACE PACKET(1000, WC, SYN) ALONE(1010, SYN_ACK) ALONE(1001010, SYN_ACK), 0);
    (void)state;
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT");
    told_free(told);
    told =
        tell_text(TRACE PACKET(1000, WC, SYN) ALONE(1010, SYN_ACK) ALONE(1001010, SYN_ACK) PACKET(1001020, WC, HANDSHAKE_ACK), 0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED");
    const struct story_state *last = change_of(told->stories[0], STORY_CLIENT, 2);
    assert_non_null(last);
    assert_null(strstr(last->cause.why, "not captured"));
    told_free(told);
    /* refused by who never waited for it */
    told = tell_text(TRACE PACKET(1000, WC, SYN) ALONE(1010, SYN_ACK) PACKET(1020, WC, "flags=R seq=101"), 0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT CLOSED");
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ack_that_is_answered_by_nobody_established_nobody),
        cmocka_unit_test(an_abort_of_its_own_accord_was_established),
        cmocka_unit_test(a_reset_that_answers_a_later_segment_says_nothing_of_the_ack),
        cmocka_unit_test(a_reset_answers_within_a_second_or_is_no_answer),
        cmocka_unit_test(a_connection_that_accept_took_was_established),
        cmocka_unit_test(the_timer_of_a_timewait_socket_is_the_kernels_own_end_of_time_wait),
        cmocka_unit_test(without_the_kernels_word_time_wait_ends_by_the_clock_as_a_rule),
        cmocka_unit_test(a_watched_kernel_that_did_not_run_the_timer_is_waited_for),
        cmocka_unit_test(a_segment_that_reaches_time_wait_begins_the_wait_anew),
        cmocka_unit_test(the_same_timer_ends_fin_wait_2_of_an_orphan),
        cmocka_unit_test(a_timer_of_another_socket_between_the_same_ends_says_nothing),
        cmocka_unit_test(the_timer_of_a_request_ends_syn_rcvd_when_it_runs_and_not_when_an_ack_comes_late),
        cmocka_unit_test(a_request_whose_timer_gave_up_had_not_taken_the_ack_before),
        cmocka_unit_test(a_requests_timer_says_nothing_of_what_the_kernel_reports_as_established),
        cmocka_unit_test(a_reset_that_cancelled_the_requests_timer_is_what_ended_it),
        cmocka_unit_test(a_timer_that_something_else_cancelled_is_no_witness_of_a_reset),
        cmocka_unit_test(a_reset_that_cancelled_the_timewait_sockets_timer_assassinated_it),
        cmocka_unit_test(the_ack_that_a_fin_made_is_witness_of_what_that_fin_changed),
        cmocka_unit_test(an_ack_that_something_else_made_is_no_witness),
        cmocka_unit_test(an_ack_that_the_server_deferred_leaves_it_in_syn_rcvd),
        cmocka_unit_test(of_equal_acks_the_one_counts_that_the_kernel_took),
        cmocka_unit_test(a_syn_ack_that_the_requests_timer_repeats_shows_that_the_ack_was_dropped),
        cmocka_unit_test(a_reset_in_answer_to_the_ack_shows_that_it_completed_nothing),
        cmocka_unit_test(a_fin_that_reaches_syn_sent_is_told_and_moves_nothing),
        cmocka_unit_test(what_should_not_occur_is_told),
        cmocka_unit_test(what_stays_by_right_is_not_told),
        cmocka_unit_test(a_rst_after_which_its_sender_goes_on_ends_nothing),
        cmocka_unit_test(a_syn_ack_that_comes_again_was_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
