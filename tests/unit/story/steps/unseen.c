/* What a story says of what nobody captured: of segments whose cause is not known, and of bytes that numbers alone tell of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

static void unknown_because(const char *text, enum story_side side, const char *label, unsigned n, const char *words)
{
    struct told *told = tell_text(text, 0);
    const struct story_segment *segment = told_segment(told->stories[0], side, label, n);
    assert_non_null(segment);
    assert_int_equal(segment->cause.kind, CAUSE_UNKNOWN);
    if (!strstr(segment->cause.why, words)) fail_msg("'%s' does not say '%s'", segment->cause.why, words);
    told_free(told);
}

static void a_reset_with_the_senders_next_number_and_an_ack_is_an_abort(void **state)
{
    (void)state;
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=R. seq=106 ack=501"), STORY_CLIENT, "RST", 1,
                    "an abort, not an answer");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=R. seq=999 ack=501"), STORY_CLIENT, "RST", 1,
                    "nothing that was recorded");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=R seq=106"), STORY_CLIENT, "RST", 1,
                    "nothing that was recorded");
}

/* Of before the connection; and so much data that its relative numbers look like that. */
static void numbers_before_the_first_are_told_from_those_of_much_data(void **state)
{
    (void)state;
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(2000, C, "flags=R seq=96") PACKET(2100, S, "flags=. seq=501 ack=90"), 0);
    assert_true(told_segment(told->stories[0], STORY_CLIENT, "RST", 1)->seq_below);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "RST", 1)->seq, (uint32_t)-4);
    assert_true(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->ack_below);
    assert_false(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->seq_below);
    told_free(told);
    told = tell_text(
        TRACE HANDSHAKE PACKET(2000, C, "flags=. seq=101 ack=501 len=1000")
            PACKET(2100, C, "flags=. seq=1000000000 ack=501 len=1000") PACKET(2200, C, "flags=. seq=2000000000 ack=501 len=1000")
                PACKET(2300, C, "flags=. seq=3000000000 ack=501 len=1000") PACKET(2400, S, "flags=. seq=501 ack=3000001000"),
        0);
    assert_false(told_segment(told->stories[0], STORY_CLIENT, "data", 4)->seq_below);
    assert_false(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->ack_below);
    told_free(told);
}

static void an_ack_says_why_nothing_explains_it(void **state)
{
    (void)state;
    unknown_because(TRACE PACKET(1000, C, SYN) PACKET(1020, C, HANDSHAKE_ACK), STORY_CLIENT, "ACK", 1, "what was not captured");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, "flags=. seq=101 ack=777"), STORY_CLIENT, "ACK", 2, "what was not captured");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, HANDSHAKE_ACK), STORY_CLIENT, "ACK", 2, "something that was old");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, HANDSHAKE_ACK " opt=sack"), STORY_CLIENT, "ACK", 2, "its SACK option");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, HANDSHAKE_ACK " win=9"), STORY_CLIENT, "ACK", 2, "another window");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, HANDSHAKE_ACK " opt=mptcp"), STORY_CLIENT, "ACK", 2, "Multipath TCP option");
}

static void missed(const char *text, uint64_t client, uint64_t server)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(told->stories[0]->end[STORY_CLIENT].bytes_missed, client);
    assert_int_equal(told->stories[0]->end[STORY_SERVER].bytes_missed, server);
    told_free(told);
}

static void numbers_and_acks_tell_of_bytes_that_nobody_captured(void **state)
{
    (void)state;
    missed(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, S, "flags=. seq=501 ack=106"), 0, 0);
    missed(TRACE HANDSHAKE PACKET(2100, S, "flags=. seq=501 ack=141"), 40, 0);
    missed(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=P. seq=116 ack=501 len=4")
               PACKET(2200, S, "flags=. seq=501 ack=120"),
           10, 0);
    /* further than any window: a capture may have lost as much */
    missed(TRACE HANDSHAKE PACKET(2000, S, "flags=. seq=501 ack=1500000000"), 1499999899, 0);
    /* one direction alone */
    missed(TRACE PACKET(1000, C, SYN) PACKET(1020, C, HANDSHAKE_ACK) PACKET(2000, C, "flags=. seq=101 ack=601"), 0, 100);
    /* its beginning was not captured */
    missed(TRACE PACKET(2000, C, C_DATA) PACKET(2100, S, "flags=. seq=501 ack=126"), 20, 0);
}

static void numbers_that_may_mean_something_else_are_not_counted(void **state)
{
    (void)state;
    /* The ACK of a FIN. */
    missed(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2100, S, "flags=. seq=501 ack=102"), 0, 0);
    /* Not yet acknowledged: it may have been lost before it was captured, or come later. */
    missed(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=P. seq=116 ack=501 len=4"), 0, 0);
    /* A challenge ACK to a SYN is of another connection; a RST acknowledges nothing. */
    missed(TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=. seq=9000 ack=8000"), 0, 0);
    missed(TRACE HANDSHAKE PACKET(2000, S, "flags=R. seq=501 ack=8000"), 0, 0);
}

/* Who serves in a connection whose beginning nobody saw: by the higher port alone the server would be taken for the client. */
#define NO_PORTS "# tcpwhy events 1\ntrace t=1 recorder=test\nvantage t=1 vantage=1 netns=9 name=lo\n"
#define HIGH_S "src=127.0.0.1:60000 dst=127.0.0.1:40000 proto=tcp "
#define HIGH_LISTENER "sock.cookie=6 sock.proto=tcp sock.local=0.0.0.0:60000 sock.state=LISTEN"

static void serves(const char *text, uint16_t port)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(told->stories[0]->end[STORY_SERVER].address.port, port);
    told_free(told);
}

static void whoever_listens_serves_though_its_port_is_the_higher(void **state)
{
    (void)state;
    serves(NO_PORTS PACKET(2000, HIGH_S, "flags=P. seq=501 ack=101 len=5"), 40000);
    serves(NO_PORTS ENTER(1000, S_THREAD, "accept", HIGH_LISTENER, "") PACKET(2000, HIGH_S, "flags=P. seq=501 ack=101 len=5"),
           60000);
    serves("# tcpwhy events 1\ntrace t=1 recorder=test ports=60000\nvantage t=1 vantage=1 netns=9 name=lo\n" PACKET(
               2000, HIGH_S, "flags=P. seq=501 ack=101 len=5"),
           60000);
}

/* ---- what the kernel did not show, because a program of the recorder did not run ---- */

static void the_mark_of_what_was_sent_again_is_not_the_first_ones(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_DATA)
                                      MARK(202000, C, C_DATA, C_CUR C_SOCK " softirq=1 chain=tcp_retransmit_timer;tcp_write_timer")
                                          PACKET(202005, C, C_DATA),
                                  0);
    const struct story *story = told->stories[0];
    (void)state;
    assert_int_not_equal(told_segment(story, STORY_CLIENT, "data", 1)->cause.kind, CAUSE_TIMER);
    assert_int_equal(told_segment(story, STORY_CLIENT, "data", 2)->cause.kind, CAUSE_TIMER);
    assert_int_equal(told_segment(story, STORY_CLIENT, "data", 2)->cause.evidence, EVIDENCE_STACK);
    told_free(told);
}

static void the_packet_of_what_was_sent_again_is_not_the_first_marks(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE MARK(2000, C, C_DATA, C_CUR C_SOCK " chain=tcp_sendmsg;__x64_sys_sendto")
                                      MARK(202000, C, C_DATA, C_CUR C_SOCK " softirq=1 chain=tcp_retransmit_timer;tcp_write_timer")
                                          PACKET(202005, C, C_DATA),
                                  0);
    const struct story_segment *again = told_segment(told->stories[0], STORY_CLIENT, "data", 2);
    (void)state;
    assert_non_null(again->captured);
    assert_int_equal(again->cause.kind, CAUSE_TIMER);
    told_free(told);
}

#define ASLEEP(from) ENTER(from, C_THREAD, "recvfrom", C_SOCK, "")
#define WOKEN(t)                                                                                                                   \
    "wake t=" #t US " " C_THREAD "softirq=1 receiving=1 rx.src=127.0.0.1:3333 rx.dst=127.0.0.1:40000 rx.proto=tcp rx.flags=P. "    \
    "rx.seq=501 rx.ack=101 rx.len=5 chain=sock_def_readable;tcp_v4_rcv\n"
#define RETURNED(t, more) "exit t=" #t US " " C_THREAD "name=recvfrom fd=3 how=-1 level=-1 ret=5 " C_SOCK " " more "\n"

static const struct story_wake *wake_of(const struct told *told)
{
    return &told_call(told->stories[0], STORY_CLIENT, "recvfrom", 1)->wake;
}

static void what_woke_a_call_is_not_believed_where_another_wake_went_unseen(void **state)
{
#define UP_TO_THE_WAKE TRACE HANDSHAKE ASLEEP(1500) PACKET(2000, S, S_DATA) WOKEN(2010)
    struct told *told = tell_text(UP_TO_THE_WAKE RETURNED(2050, "slept=500000"), 0);
    (void)state;
    assert_int_equal(wake_of(told)->evidence, EVIDENCE_STACK);
    told_free(told);
    told = tell_text(UP_TO_THE_WAKE RETURNED(2050, "slept=-1 wake_unseen=1"), 0);
    assert_int_equal(wake_of(told)->kind, WAKE_SEGMENT);
    assert_int_equal(wake_of(told)->evidence, EVIDENCE_INTERVAL);
    told_free(told);
#undef UP_TO_THE_WAKE
}

static void a_call_whose_thread_went_on_had_returned(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE ASLEEP(1500) PACKET(2000, S, S_DATA), 0);
    (void)state;
    assert_int_equal(wake_of(told)->kind, WAKE_NOT_YET);
    told_free(told);
    told = tell_text(TRACE HANDSHAKE ASLEEP(1500) PACKET(2000, S, S_DATA) ENTER(2100, C_THREAD, "close", C_SOCK, ""), 0);
    assert_int_equal(wake_of(told)->kind, WAKE_UNKNOWN);
    assert_string_equal(wake_of(told)->why, "its return was not seen");
    told_free(told);
    told = tell_text(TRACE HANDSHAKE ASLEEP(1500) "process t=2100" US " " C_THREAD "change=exit\n", 0);
    assert_int_equal(wake_of(told)->kind, WAKE_UNKNOWN);
    told_free(told);
    told = tell_text(TRACE HANDSHAKE ASLEEP(1500) "process t=2100" US " " C_THREAD "change=exit status=-1 signal=9\n", 0);
    assert_int_equal(wake_of(told)->kind, WAKE_NOT_YET);
    assert_string_equal(wake_of(told)->why, "its process was killed before it was seen to return");
    told_free(told);
}

static void what_had_come_before_a_call_that_slept_is_not_what_it_waited_for(void **state)
{
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(1400, S, S_DATA) ASLEEP(1500) RETURNED(2050, "slept=500000"), 0);
    (void)state;
    assert_int_equal(wake_of(told)->kind, WAKE_UNKNOWN);
    told_free(told);
    told = tell_text(TRACE HANDSHAKE PACKET(1400, S, S_DATA) ASLEEP(1500) RETURNED(2050, "slept=0"), 0);
    assert_int_equal(wake_of(told)->kind, WAKE_NEVER_SLEPT);
    told_free(told);
}

static void a_listen_whose_return_was_not_seen_had_made_a_listener(void **state)
{
    struct told *told =
        tell_text(TRACE ENTER(900, S_THREAD, "listen", "sock.cookie=3 sock.proto=tcp sock.local=0.0.0.0:3333", "") HANDSHAKE, 0);
    (void)state;
    told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD ESTABLISHED");
    assert_int_equal(told->stories[0]->finding_count, 0);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_with_the_senders_next_number_and_an_ack_is_an_abort),
        cmocka_unit_test(numbers_before_the_first_are_told_from_those_of_much_data),
        cmocka_unit_test(an_ack_says_why_nothing_explains_it),
        cmocka_unit_test(numbers_and_acks_tell_of_bytes_that_nobody_captured),
        cmocka_unit_test(numbers_that_may_mean_something_else_are_not_counted),
        cmocka_unit_test(whoever_listens_serves_though_its_port_is_the_higher),
        cmocka_unit_test(the_mark_of_what_was_sent_again_is_not_the_first_ones),
        cmocka_unit_test(the_packet_of_what_was_sent_again_is_not_the_first_marks),
        cmocka_unit_test(what_woke_a_call_is_not_believed_where_another_wake_went_unseen),
        cmocka_unit_test(a_call_whose_thread_went_on_had_returned),
        cmocka_unit_test(what_had_come_before_a_call_that_slept_is_not_what_it_waited_for),
        cmocka_unit_test(a_listen_whose_return_was_not_seen_had_made_a_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
