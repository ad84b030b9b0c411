/* Deferred ACKs, resets, and what should not occur. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"
#include "transitions_own.h"

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

void an_ack_that_the_server_deferred_leaves_it_in_syn_rcvd(void **state)
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

void of_equal_acks_the_one_counts_that_the_kernel_took(void **state)
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

void a_syn_ack_that_the_requests_timer_repeats_shows_that_the_ack_was_dropped(void **state)
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

void a_reset_in_answer_to_the_ack_shows_that_it_completed_nothing(void **state)
{
    (void)state;
    assert_established(TRACE HANDSHAKE PACKET(1030, S, "flags=R seq=501")
                           MARK(1029, S, "flags=R seq=501", RX_ACK " chain=tcp_v4_send_reset;tcp_check_req;tcp_v4_rcv"),
                       0, EVIDENCE_NONE);
    assert_established(TRACE HANDSHAKE PACKET(1030, S, "flags=R seq=501")
                           MARK(1029, S, "flags=R seq=501", RX_ACK " chain=tcp_v4_send_reset;tcp_v4_rcv"),
                       0, EVIDENCE_NONE);
}

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

void a_fin_that_reaches_syn_sent_is_told_and_moves_nothing(void **state)
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

void what_should_not_occur_is_told(void **state)
{
    (void)state;
    assert_no_arrow(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2100, C, "flags=P. seq=102 ack=501 len=5"),
                    "data reached the server in CLOSE_WAIT");
    assert_no_arrow(TRACE HANDSHAKE PACKET(2000, C, "flags=F seq=101"), "a FIN reached the server in ESTABLISHED");
    assert_no_arrow(TRACE HANDSHAKE CLOSE_FROM_BOTH PACKET(3000, C, "flags=R. seq=102 ack=502"),
                    "a RST left the client in TIME_WAIT");
}

void what_stays_by_right_is_not_told(void **state)
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

#define BARE_RESET "flags=R seq=501"

static void server_passes(const char *text, const char *states)
{
    struct told *told = tell_text(text, 0);
    told_states(told->stories[0], STORY_SERVER, states);
    told_free(told);
}

void an_ack_that_is_answered_by_nobody_established_nobody(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE PACKET(1030, S, BARE_RESET), "LISTEN SYN_RCVD CLOSED");
    server_passes(TRACE SYN_AND_SYN_ACK PACKET(1020, C, C_DATA) PACKET(1030, S, BARE_RESET), "LISTEN SYN_RCVD CLOSED");
}

void an_abort_of_its_own_accord_was_established(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE PACKET(1030, S, "flags=R. seq=501 ack=101"), "LISTEN SYN_RCVD ESTABLISHED CLOSED");
}

void a_reset_that_answers_a_later_segment_says_nothing_of_the_ack(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE PACKET(1025, C, C_DATA) PACKET(1030, S, BARE_RESET), "LISTEN SYN_RCVD ESTABLISHED CLOSED");
}

void a_reset_answers_within_a_second_or_is_no_answer(void **state)
{
    (void)state;
    server_passes(TRACE HANDSHAKE PACKET(1001020, S, BARE_RESET), "LISTEN SYN_RCVD CLOSED");
    server_passes(TRACE HANDSHAKE PACKET(1001021, S, BARE_RESET), "LISTEN SYN_RCVD ESTABLISHED CLOSED");
}

void a_connection_that_accept_took_was_established(void **state)
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

void a_rst_after_which_its_sender_goes_on_ends_nothing(void **state)
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

void a_syn_ack_that_comes_again_was_not_taken(void **state)
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
