/* Every finding by the events that prove it, and by the nearest events that don't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "finding_lines.h"
#include "findings_own.h"
#include "support/tell.h"

struct finding_case {
    const char *id;
    bool there;
    const char *text;
};

#include "finding_cases.h"

static void every_finding_is_made_by_its_proof_and_by_nothing_less(void **data)
{
    (void)data;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        bool there = false;
        for (size_t k = 0; k < told->count; k++)
            for (size_t j = 0; j < told->stories[k]->finding_count; j++)
                if (strcmp(told->stories[k]->findings[j].id, cases[i].id) == 0) there = true;
        if (there != cases[i].there) {
            for (size_t k = 0; k < told->count; k++)
                for (size_t j = 0; j < told->stories[k]->finding_count; j++)
                    print_error("found %s: %s\n", told->stories[k]->findings[j].id, told->stories[k]->findings[j].text);
            print_error("case %zu: %s is %sexpected\n", i, cases[i].id, cases[i].there ? "" : "not ");
            wrong++;
        }
        told_free(told);
    }
    assert_int_equal(wrong, 0);
}

static void every_finding_has_a_case_that_fires_and_one_that_must_not(void **data)
{
    (void)data;
    size_t count, wrong = 0;
    const char *const *ids = story_finding_ids(&count);
    for (size_t i = 0; i < count; i++) {
        bool has[2] = {false, false};
        for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
            if (strcmp(cases[k].id, ids[i]) == 0) has[cases[k].there] = true;
        if (has[0] && has[1]) continue;
        print_error("%s has no case that %s\n", ids[i], has[1] ? "must not fire" : "fires");
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void what_was_lost_does_not_arrive_with_its_repetition(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE TWO_ENDS PACKET(1000, WC, SYN " opt=ts opt.ts_value=1") PACKET(1001000, WC, SYN " opt=ts opt.ts_value=1001")
                      ARRIVES(1001010, WC, SYN " opt=ts opt.ts_value=1001"),
                  0);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->received_ns, 0);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 2)->received_ns, 1001010000);
    told_free(told);
}

static void a_lost_fin_moves_its_receiver_only_when_it_comes_again(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)
                      PACKET(1020, WC, HANDSHAKE_ACK) ARRIVES(1021, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_FIN),
                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1");
    told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD ESTABLISHED");
    told_free(told);
}

/* tcp_release_cb(): chains as recorded on Linux 6.18, where it is jumped to and leaves no frame of its own. */
static void an_ack_put_off_until_the_call_lets_go_answers_what_it_acknowledges(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE ENTER(1400, C_THREAD, "sendto", C_SOCK, "") PACKET(1500, S, S_DATA)
                                      MARK(1600, C, "flags=. seq=101 ack=506",
                                           C_CUR C_SOCK CHAIN("__tcp_transmit_skb;release_sock;tcp_sendmsg;__x64_sys_sendto"))
                                          PACKET(1601, C, "flags=. seq=101 ack=506") EXIT(1700, C_THREAD, "sendto", C_SOCK, ""),
                                  0);
    const struct story *story = told->stories[0];
    const struct story_cause *cause = &told_segment(story, STORY_CLIENT, "ACK", 2)->cause;
    assert_int_equal(cause->kind, CAUSE_SEGMENT);
    assert_string_equal(story->steps[cause->step].segment->label, "data");
    told_free(told);
}

static void data_put_off_until_the_call_lets_go_is_not_that_call_s(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE HANDSHAKE ENTER(1400, C_THREAD, "recvfrom", C_SOCK, "")
            MARK(1600, C, C_DATA, C_CUR C_SOCK CHAIN("tcp_write_xmit;tcp_release_cb;release_sock;tcp_recvmsg;__x64_sys_recvfrom"))
                PACKET(1601, C, C_DATA) EXIT(1700, C_THREAD, "recvfrom", C_SOCK, ""),
        0);
    const struct story_cause *cause = &told_segment(told->stories[0], STORY_CLIENT, "data", 1)->cause;
    assert_int_equal(cause->kind, CAUSE_KERNEL);
    assert_string_equal(cause->name, "held-back");
    told_free(told);
}

/* A RST without ACK answers a segment; close() acknowledges when it aborts. */
static void a_reset_that_answers_is_not_taken_for_the_close_around_it(void **data)
{
    (void)data;
    struct told *told = tell_text(UNFILTERED HANDSHAKE ENTER(1400, S_THREAD, "close", S_SOCK, "") PACKET(1500, C, C_DATA)
                                      PACKET(1510, S, "flags=R seq=501") EXIT(1600, S_THREAD, "close", S_SOCK, ""),
                                  0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->cause.kind, CAUSE_SEGMENT);
    told_free(told);
    told = tell_text(TRACE HANDSHAKE PACKET(1500, C, C_DATA) PACKET(1510, S, "flags=R. seq=501 ack=106"), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->cause.kind, CAUSE_UNKNOWN);
    told_free(told);
}

static void a_reset_after_unanswered_probes_is_the_keepalive_timer_s(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE OPEN PACKET(1000000, C, "flags=. seq=100 ack=501") PACKET(2000000, C, "flags=R. seq=101 ack=501"), 0);
    const struct story_cause *cause = &told_segment(told->stories[0], STORY_CLIENT, "RST", 1)->cause;
    assert_int_equal(cause->kind, CAUSE_TIMER);
    assert_string_equal(cause->name, "keepalive");
    told_free(told);
}

static void an_ack_of_a_fin_that_took_forty_ms_at_its_own_host_was_delayed(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(42000, S, "flags=. seq=501 ack=102"), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->cause.kind, CAUSE_TIMER);
    told_free(told);
    /* a few ms may be a short delay, or a busy host */
    told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(5000, S, "flags=. seq=501 ack=102"), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->cause.kind, CAUSE_UNKNOWN);
    told_free(told);
    /* at once: the kernel's own answer, or the timer at the next tick */
    told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2050, S, "flags=. seq=501 ack=102"), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->cause.kind, CAUSE_UNKNOWN);
    told_free(told);
    /* seen on the way alone, it may as well have travelled that long */
    told = tell_text(TRACE PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK) PACKET(1020, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_FIN)
                         PACKET(42000, WS, "flags=. seq=501 ack=102"),
                     0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->cause.kind, CAUSE_UNKNOWN);
    told_free(told);
}

static void a_deferred_accept_is_woken_by_data(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN
        "enter t=950" US " " S_THREAD "name=accept fd=3 how=-1 level=-1 " LISTENER "\n" HANDSHAKE PACKET(
            300000, C, C_DATA) "exit t=300100" US " " S_THREAD "name=accept fd=3 how=-1 level=-1 slept=-1 ret=4 " LISTENER
                               " other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000\n",
        0);
    const struct story *story = told->stories[0];
    const struct story_call *accept = told_call(story, STORY_SERVER, "accept", 1);
    assert_int_equal(accept->wake.kind, WAKE_SEGMENT);
    assert_string_equal(story->steps[accept->wake.step].segment->label, "data");
    told_free(told);
}

static void giving_up_ends_in_closed(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE ENTER(999, C_THREAD, "connect", C_SOCK, "")
                                      PACKET(1000, C, SYN) "exit t=3001000000 " C_THREAD
                                                           "name=connect fd=3 how=-1 level=-1 slept=-1 ret=-110 " C_SOCK "\n",
                                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT CLOSED");
    const struct story *story = told->stories[0];
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_STATE && story->steps[i].state->to_state == STATE_CLOSED) {
            assert_int_equal(story->steps[i].state->cause.kind, CAUSE_TIMER);
            assert_int_equal(story->steps[i].state->cause.evidence, EVIDENCE_RULE);
        }
    told_free(told);
}

static void the_kernel_shows_the_timer_that_gave_up(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE CALL(1030, 1040, C_THREAD, "write", C_SOCK) "state t=5000000 from=ESTABLISHED "
                                                                              "to=CLOSE netns=9 " C_SOCK " " C_CUR
                                                                              "softirq=1 chain=tcp_done;tcp_write_err;"
                                                                              "tcp_retransmit_timer;tcp_write_timer\n",
                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED CLOSED");
    told_free(told);
}

/* Linux 6.18: reqsk_timer_handler() lets a second pass, then two, four, … A RST before that is not the forgetful listener's. */
static void a_request_whose_time_is_over_never_was_a_connection(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK)
                                      PACKET(3500000, C, HANDSHAKE_ACK) PACKET(3500010, S, "flags=R seq=501"),
                                  0);
    const struct story *story = told->stories[0];
    told_states(story, STORY_SERVER, "CLOSED LISTEN SYN_RCVD CLOSED");
    assert_int_equal(story->outcome, OUTCOME_RESET);
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_STATE && story->steps[i].state->from_state == STATE_SYN_RCVD) {
            assert_int_equal(story->steps[i].state->cause.kind, CAUSE_TIMER);
            assert_string_equal(story->steps[i].state->cause.name, "syn-ack");
            assert_int_equal(story->steps[i].state->cause.evidence, EVIDENCE_RULE);
        }
    told_free(told);
}

static void a_late_ack_that_is_taken_completes_the_handshake(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(3500000, C, HANDSHAKE_ACK), 0);
    told_states(told->stories[0], STORY_SERVER, "CLOSED LISTEN SYN_RCVD ESTABLISHED");
    told_free(told);
}

static void a_connection_that_an_end_gave_up_timed_out(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE CALL(1030, 1040, C_THREAD, "write", C_SOCK)
                      PACKET(2000, C, C_FIN) "state t=5000000 from=FIN_WAIT1 to=CLOSE netns=9 " C_SOCK " " C_CUR
                                             "softirq=1 chain=tcp_done;tcp_write_err;tcp_retransmit_timer;tcp_write_timer\n",
                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSED");
    assert_int_equal(told->stories[0]->outcome, OUTCOME_TIMED_OUT);
    told_free(told);
    /* an orphan's FIN_WAIT_2 ends too, but there nothing was left to acknowledge */
    told = tell_text(TRACE HANDSHAKE CALL(1030, 1040, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN)
                         PACKET(2010, S, "flags=. seq=501 ack=102") "state t=5000000 from=FIN_WAIT2 to=CLOSE netns=9 " C_SOCK
                                                                    " " C_CUR "softirq=1 chain=tcp_done;tcp_keepalive_timer\n",
                     0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED");
    assert_int_equal(told->stories[0]->outcome, OUTCOME_OPEN);
    told_free(told);
}

/* What the sentence of a finding must and must not say. */
static void check_words(const char *text, const char *id, const char *says, const char *never)
{
    struct told *told = tell_text(text, 0);
    const char *found = NULL;
    for (size_t i = 0; i < told->stories[0]->finding_count; i++)
        if (strcmp(told->stories[0]->findings[i].id, id) == 0) found = told->stories[0]->findings[i].text;
    if (!found) fail_msg("%s was not found", id);
    if (!strstr(found, says) || strstr(found, never)) fail_msg("%s says: %s", id, found);
    told_free(told);
}

static void a_simultaneous_close_that_is_cut_short_is_not_said_to_end_in_time_wait(void **data)
{
    (void)data;
#define W_FIN "flags=F. seq=501 ack=101"
#define W_SENDS_BOTH                                                                                                               \
    TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)               \
        PACKET(1020, WC, HANDSHAKE_ACK) ARRIVES(1021, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_FIN) PACKET(2001, WS, W_FIN)
#define W_CROSSED W_SENDS_BOTH ARRIVES(2005, WS, W_FIN) ARRIVES(2005, WC, C_FIN)
#define W_ACK(t, from, what) PACKET(t, from, what) ARRIVES(t, from, what)
    check_words(W_CROSSED W_ACK(2010, WC, "flags=. seq=102 ack=502") W_ACK(2010, WS, "flags=. seq=502 ack=102"),
                "simultaneous-close", "both hold TIME_WAIT", "the client");
    check_words(W_CROSSED W_ACK(2010, WC, "flags=R. seq=102 ack=502"), "simultaneous-close", "both pass through CLOSING",
                "TIME_WAIT");
    check_words(W_SENDS_BOTH ARRIVES(2005, WS, W_FIN), "simultaneous-close", "the client, whose own was not acknowledged yet",
                "both pass");
}

static void who_listens_a_moment_too_late_is_named(void **data)
{
    (void)data;
#define LISTENS_AT(from, to)                                                                                                       \
    "enter t=" #from US " " S_THREAD "name=listen fd=3 how=0 level=-1 " LISTENER "\n"                                              \
    "exit t=" #to US " " S_THREAD "name=listen fd=3 how=0 level=-1 slept=-1 " LISTENER "\n"
#define NO_SOCKET REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")
    check_words(TRACE NO_SOCKET LISTENS_AT(1011, 1020), "refused", "server[20] began to", "start the server");
    check_words(TRACE NO_SOCKET, "refused", "start the server", "began to");
    check_words(TRACE NO_SOCKET LISTENS_AT(1010, 1020), "refused", "start the server",
                "began to"); /* it may have listened before */
    /* Another was started in its place, later. */
#define LATER_LISTENER "sock.cookie=6 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"
#define STARTED_LATER                                                                                                              \
    "enter t=900000000 pid=30 tid=30 comm=another name=listen fd=3 how=0 level=-1 " LATER_LISTENER "\n"                            \
    "exit t=900000001 pid=30 tid=30 comm=another name=listen fd=3 how=0 level=-1 slept=-1 " LATER_LISTENER "\n"
    check_words(TRACE NO_SOCKET LISTENS_AT(1011, 1020) STARTED_LATER, "refused", "server[20] began to", "another");
}

static void a_time_wait_that_an_abort_ended_was_not_assassinated_by_an_old_segment(void **data)
{
    (void)data;
    check_words(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
                    PACKET(2030, S, "flags=R seq=502"),
                "time-wait-assassination", "the ACK of the peer's FIN", "an old segment");
    check_words(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
                    PACKET(300000, S, "flags=. seq=400 ack=102 len=5") PACKET(300010, C, "flags=. seq=102 ack=502")
                        PACKET(300020, S, "flags=R seq=502"),
                "time-wait-assassination", "an old segment", "aborted");
    check_words(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
                    ENTER(2025, S_THREAD, "close", S_SOCK, "") PACKET(2030, S, "flags=R. seq=502 ack=102")
                        EXIT(2040, S_THREAD, "close", S_SOCK, ""),
                "time-wait-assassination", "the peer aborted", "an old segment");
}

static void a_simultaneous_open_passes_syn_rcvd_at_both_ends(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1001, WS, "flags=S seq=500") ARRIVES(1010, WC, SYN)
                      ARRIVES(1011, WS, "flags=S seq=500") PACKET(1020, WC, "flags=S. seq=100 ack=501") PACKET(1021, WS, SYN_ACK)
                          ARRIVES(1030, WC, "flags=S. seq=100 ack=501") ARRIVES(1031, WS, SYN_ACK),
                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED");
    told_states(told->stories[0], STORY_SERVER, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED");
    told_free(told);
}

static void a_socket_connected_to_itself_is_one_end(void **data)
{
    (void)data;
#define SELF "src=127.0.0.1:40000 dst=127.0.0.1:40000 proto=tcp "
    struct told *told = tell_text(TRACE PACKET(1000, SELF, SYN) PACKET(1001, SELF, "flags=S. seq=100 ack=101"), 0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED");
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN-ACK", 1)->cause.kind, CAUSE_SEGMENT);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_is_made_by_its_proof_and_by_nothing_less),
        cmocka_unit_test(every_finding_has_a_case_that_fires_and_one_that_must_not),
        cmocka_unit_test(what_was_lost_does_not_arrive_with_its_repetition),
        cmocka_unit_test(a_lost_fin_moves_its_receiver_only_when_it_comes_again),
        cmocka_unit_test(a_slow_answer_s_calls_are_those_between_request_and_answer),
        cmocka_unit_test(a_slow_answer_may_have_been_lost_where_nobody_watched_the_server),
        cmocka_unit_test(who_gave_an_unanswered_syn_up_is_named),
        cmocka_unit_test(a_close_that_was_not_the_last_is_told_of_both_ends),
        cmocka_unit_test(the_listener_s_own_end_is_the_proof_that_it_was_gone),
        cmocka_unit_test(an_ack_put_off_until_the_call_lets_go_answers_what_it_acknowledges),
        cmocka_unit_test(data_put_off_until_the_call_lets_go_is_not_that_call_s),
        cmocka_unit_test(a_reset_that_answers_is_not_taken_for_the_close_around_it),
        cmocka_unit_test(a_reset_after_unanswered_probes_is_the_keepalive_timer_s),
        cmocka_unit_test(an_ack_of_a_fin_that_took_forty_ms_at_its_own_host_was_delayed),
        cmocka_unit_test(a_deferred_accept_is_woken_by_data),
        cmocka_unit_test(giving_up_ends_in_closed),
        cmocka_unit_test(the_kernel_shows_the_timer_that_gave_up),
        cmocka_unit_test(a_request_whose_time_is_over_never_was_a_connection),
        cmocka_unit_test(a_late_ack_that_is_taken_completes_the_handshake),
        cmocka_unit_test(a_connection_that_an_end_gave_up_timed_out),
        cmocka_unit_test(a_simultaneous_close_that_is_cut_short_is_not_said_to_end_in_time_wait),
        cmocka_unit_test(who_listens_a_moment_too_late_is_named),
        cmocka_unit_test(a_time_wait_that_an_abort_ended_was_not_assassinated_by_an_old_segment),
        cmocka_unit_test(a_simultaneous_open_passes_syn_rcvd_at_both_ends),
        cmocka_unit_test(a_socket_connected_to_itself_is_one_end),
    };
    return cmocka_run_group_tests_name("findings", tests, NULL, NULL);
}
