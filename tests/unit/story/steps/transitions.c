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
#include "transitions_own.h"

/* The n-th (from 1) step of the RFC's machine at this end; NULL where it has fewer. */
const struct story_state *change_of(const struct story *story, enum story_side side, size_t n)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_STATE && step->side == side && !step->state->kernel && --n == 0) return step->state;
    }
    return NULL;
}

int64_t time_of(const struct story *story, const struct story_state *state)
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

/* One place: the server's FIN, again if asked for, and the client's ACK of it, or not. */
#define CLOSED_FIRST_BY_CLIENT                                                                                                     \
    TRACE PACKET(1000, WC, SYN) PACKET(1100, WS, SYN_ACK) PACKET(1110, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_FIN)                  \
        PACKET(2100, WS, "flags=F. seq=501 ack=102")
#define SERVERS_FIN_AGAIN PACKET(302100, WS, "flags=F. seq=501 ack=102")

static void a_fin_that_comes_again_unanswered_shows_no_time_wait(void **state)
{
    static const struct {
        const char *text;
        int32_t side;
    } cases[] = {
        {CLOSED_FIRST_BY_CLIENT, STORY_CLIENT},
        {CLOSED_FIRST_BY_CLIENT SERVERS_FIN_AGAIN, -1},
        {CLOSED_FIRST_BY_CLIENT SERVERS_FIN_AGAIN PACKET(302110, WC, "flags=. seq=102 ack=501"), -1},
        {CLOSED_FIRST_BY_CLIENT SERVERS_FIN_AGAIN PACKET(302110, WC, "flags=. seq=102 ack=502"), STORY_CLIENT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        assert_int_equal(told->stories[0]->summary.time_wait_side, cases[i].side);
        told_free(told);
    }
}

static void without_the_kernels_word_time_wait_ends_by_the_clock_as_a_rule(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE CLOSE_FROM_BOTH CLOCK(61000000), 0);
    (void)state;
    assert_last_timer(told->stories[0], "time-wait", EVIDENCE_RULE, 60002020);
    told_free(told);
}

/* Its clock was set meanwhile, or the machine slept: TIME_WAIT goes on, whatever the clock says. */
static void a_watched_kernel_that_did_not_run_the_timer_has_not_ended_time_wait(void **state)
{
    struct told *told = tell_text(TRACE WATCHED HANDSHAKE CLOSE_FROM_BOTH CLOCK(600000000), 0);
    (void)state;
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
    told_free(told);
    told =
        tell_text(TRACE "lost t=0 source=bpf what=\"no tw_timer_handler\"\n" WATCHED HANDSHAKE CLOSE_FROM_BOTH CLOCK(61000000), 0);
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

#define LISTENING "sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"
#define LISTENS                                                                                                                    \
    "enter t=900" US " " S_THREAD "name=listen fd=3 how=0 level=-1 " LISTENING "\n"                                                \
    "exit t=901" US " " S_THREAD "name=listen fd=3 how=0 level=-1 slept=-1 " LISTENING "\n"
#define LISTENER_CLOSES(t) "exit t=" #t US " " S_THREAD "name=close fd=3 how=-1 level=-1 slept=-1 " LISTENING "\n"

static void the_timer_of_a_request_ends_syn_rcvd_when_it_runs_and_not_when_an_ack_comes_late(void **state)
{
    (void)state;
    assert_request_ends(TRACE SYN_AND_SYN_ACK REQUEST_TIMER(3000000) LATE_ACK, "CLOSED", CAUSE_TIMER, EVIDENCE_CONTEXT, 3000000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK REQUEST_TIMER(3000000), "CLOSED", CAUSE_TIMER, EVIDENCE_CONTEXT, 3000000);
    /* and without it the late ACK's answer tells, where its listener is known to stand: else it may have gone with that */
    assert_request_ends(TRACE LISTENS SYN_AND_SYN_ACK LATE_ACK, "CLOSED", CAUSE_TIMER, EVIDENCE_RULE, 4000000);
    assert_request_ends(TRACE SYN_AND_SYN_ACK LATE_ACK, "CLOSED", CAUSE_UNKNOWN, EVIDENCE_NONE, 4000000);
    assert_request_ends(TRACE LISTENS SYN_AND_SYN_ACK LISTENER_CLOSES(3999999) LATE_ACK, "CLOSED", CAUSE_UNKNOWN, EVIDENCE_NONE,
                        4000000);
    assert_request_ends(TRACE LISTENS SYN_AND_SYN_ACK LATE_ACK LISTENER_CLOSES(4000001), "CLOSED", CAUSE_TIMER, EVIDENCE_RULE,
                        4000000);
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

/* ---- ETIMEDOUT ---- */

/* With all acknowledged it was another timer, keepalive or an unwelcome window; with a byte on its way only the retransmission's.
 */
static void whose_patience_etimedout_was_is_told_of_what_was_unacknowledged(void **state)
{
#define TIMES_OUT "exit t=900000" US " " C_THREAD "name=recvfrom fd=3 how=-1 level=-1 slept=-1 ret=-110 " C_SOCK "\n"
#define SAYS PACKET(2000, C, C_DATA)
    static const struct {
        const char *text;
        enum story_cause_kind kind;
    } cases[] = {
        {TRACE HANDSHAKE TIMES_OUT, CAUSE_UNKNOWN},
        {TRACE HANDSHAKE SAYS TIMES_OUT, CAUSE_TIMER},
        {TRACE HANDSHAKE SAYS PACKET(2010, S, "flags=. seq=501 ack=105") TIMES_OUT, CAUSE_TIMER},
        {TRACE HANDSHAKE SAYS PACKET(2010, S, "flags=. seq=501 ack=106") TIMES_OUT, CAUSE_UNKNOWN},
        {TRACE PACKET(1000, C, SYN) TIMES_OUT, CAUSE_TIMER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        const struct story_state *last = NULL;
        for (size_t n = 1; change_of(told->stories[0], STORY_CLIENT, n); n++) last = change_of(told->stories[0], STORY_CLIENT, n);
        assert_non_null(last);
        assert_string_equal(last->to, "CLOSED");
        if (last->cause.kind != cases[i].kind) fail_msg("case %zu: %s", i, last->cause.why);
        assert_int_equal(last->cause.evidence, cases[i].kind == CAUSE_TIMER ? EVIDENCE_RULE : EVIDENCE_NONE);
        assert_int_equal(told->stories[0]->outcome, OUTCOME_TIMED_OUT);
        told_free(told);
    }
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

/* ---- what has no arrow ---- */

/* ---- a handshake's last ACK that meets nobody ---- */

/* ---- what is taken back is not told ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ack_that_is_answered_by_nobody_established_nobody),
        cmocka_unit_test(an_abort_of_its_own_accord_was_established),
        cmocka_unit_test(a_reset_that_answers_a_later_segment_says_nothing_of_the_ack),
        cmocka_unit_test(a_reset_answers_within_a_second_or_is_no_answer),
        cmocka_unit_test(a_connection_that_accept_took_was_established),
        cmocka_unit_test(the_timer_of_a_timewait_socket_is_the_kernels_own_end_of_time_wait),
        cmocka_unit_test(a_fin_that_comes_again_unanswered_shows_no_time_wait),
        cmocka_unit_test(without_the_kernels_word_time_wait_ends_by_the_clock_as_a_rule),
        cmocka_unit_test(a_watched_kernel_that_did_not_run_the_timer_has_not_ended_time_wait),
        cmocka_unit_test(a_segment_that_reaches_time_wait_begins_the_wait_anew),
        cmocka_unit_test(the_same_timer_ends_fin_wait_2_of_an_orphan),
        cmocka_unit_test(a_timer_of_another_socket_between_the_same_ends_says_nothing),
        cmocka_unit_test(the_timer_of_a_request_ends_syn_rcvd_when_it_runs_and_not_when_an_ack_comes_late),
        cmocka_unit_test(a_request_whose_timer_gave_up_had_not_taken_the_ack_before),
        cmocka_unit_test(a_requests_timer_says_nothing_of_what_the_kernel_reports_as_established),
        cmocka_unit_test(a_reset_that_cancelled_the_requests_timer_is_what_ended_it),
        cmocka_unit_test(a_timer_that_something_else_cancelled_is_no_witness_of_a_reset),
        cmocka_unit_test(a_reset_that_cancelled_the_timewait_sockets_timer_assassinated_it),
        cmocka_unit_test(whose_patience_etimedout_was_is_told_of_what_was_unacknowledged),
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
