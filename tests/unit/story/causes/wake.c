/* What a call was waiting for: by the waker's context, by what the call must have needed, or honestly not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

#define RETURNS(t, who, name, sock, more) "exit t=" #t US " " who "name=" name " fd=3 how=-1 level=-1 " sock more "\n"
#define RX_S_DATA                                                                                                                  \
    "softirq=1 receiving=1 rx.src=127.0.0.1:3333 rx.dst=127.0.0.1:40000 rx.proto=tcp rx.flags=P. rx.seq=501 rx.ack=101 rx.len=5"
#define LISTENER "sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"
#define CHILD "other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000"

static void check(const char *text, enum story_side side, const char *name, enum story_wake_kind kind, enum story_evidence evidence,
                  const char *label)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(told->count, 1);
    const struct story_call *call = told_call(told->stories[0], side, name, 1);
    if (call->wake.kind != kind || call->wake.evidence != evidence)
        fail_msg("%s, evidence %s: %s", story_wake_name(call->wake.kind), story_evidence_name(call->wake.evidence), call->wake.why);
    if (label) {
        assert_int_not_equal(call->wake.step, STORY_NO_STEP);
        assert_string_equal(told->stories[0]->steps[call->wake.step].segment->label, label);
    } else {
        assert_int_equal(call->wake.step, STORY_NO_STEP);
    }
    told_free(told);
}

static void a_read_is_woken_by_the_segment_that_the_waker_was_receiving(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "")
              PACKET(2000, S, S_DATA) "wake t=2001000 " C_THREAD S_CUR RX_S_DATA " chain=try_to_wake_up;tcp_v4_rcv\n" RETURNS(
                  2010, C_THREAD, "read", C_SOCK, " ret=5 slept=500000"),
          STORY_CLIENT, "read", WAKE_SEGMENT, EVIDENCE_STACK, "data");
}

/* Two segments of five bytes each; how many a read of so many bytes took, and its last. */
static void a_read_names_all_segments_that_it_took(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2100, S, "flags=P. seq=506 ack=101 len=5")
                      PACKET(2200, S, "flags=P. seq=511 ack=101 len=5") ENTER(3000, C_THREAD, "read", C_SOCK, "")
                          RETURNS(3010, C_THREAD, "read", C_SOCK, " ret=7 slept=0") ENTER(4000, C_THREAD, "read", C_SOCK, "")
                              RETURNS(4010, C_THREAD, "read", C_SOCK, " ret=3 slept=0") ENTER(5000, C_THREAD, "read", C_SOCK, "")
                                  RETURNS(5010, C_THREAD, "read", C_SOCK, " ret=5 slept=0"),
                  0);
    const struct story *story = told->stories[0];
    static const uint32_t counts[] = {2, 1, 1}, lasts[] = {5, 5, 6};
    for (uint32_t i = 0; i < 3; i++) {
        const struct story_call *call = told_call(story, STORY_CLIENT, "read", i + 1);
        assert_int_equal(call->took_count, counts[i]);
        assert_int_equal(story->steps[call->took_last].segment->number, lasts[i]);
    }
    told_free(told);
}

static void a_wake_without_a_chain_is_context(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "")
              PACKET(2000, S, S_DATA) "wake t=2001000 " C_THREAD S_CUR RX_S_DATA
                                      "\n" RETURNS(2010, C_THREAD, "read", C_SOCK, " ret=5 slept=500000"),
          STORY_CLIENT, "read", WAKE_SEGMENT, EVIDENCE_CONTEXT, "data");
}

static void a_timer_that_wakes_is_the_timeout(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "") "wake t=2001000 " C_THREAD
                                                                    "chain=try_to_wake_up;hrtimer_wakeup\n" RETURNS(
                                                                        2010, C_THREAD, "read", C_SOCK, " ret=-11 slept=500000"),
          STORY_CLIENT, "read", WAKE_TIMER, EVIDENCE_STACK, NULL);
}

/* What a timer had left on the socket, the next call takes without sleeping: no timer woke it. */
static void a_timeout_that_came_before_the_call_woke_nobody(void **data)
{
    (void)data;
#define TIMED_OUT(slept) TRACE HANDSHAKE RETURNS(2010, C_THREAD, "read", C_SOCK, " ret=-110 slept=" slept)
    check(TIMED_OUT("0"), STORY_CLIENT, "read", WAKE_NEVER_SLEPT, EVIDENCE_RULE, NULL);
    check(TIMED_OUT("1"), STORY_CLIENT, "read", WAKE_TIMER, EVIDENCE_RULE, NULL);
}

/* A time to wait may be as short as the rest of a tick: only who knows the socket from its making knows that it has none. */
static void a_read_that_finds_nothing_never_slept_where_that_is_known(void **data)
{
    (void)data;
#define MADE RETURNS(900, C_THREAD, "socket", C_SOCK, " ret=3")
#define MAY_WAIT                                                                                                                   \
    "enter t=910" US " " C_THREAD "name=setsockopt fd=3 level=1 how=20 value=0 " C_SOCK "\n"                                       \
    "exit t=911" US " " C_THREAD "name=setsockopt fd=3 level=1 how=20 slept=-1 ret=0 " C_SOCK "\n"
#define FINDS_NOTHING(slept)                                                                                                       \
    HANDSHAKE ENTER(2000, C_THREAD, "read", C_SOCK, "") RETURNS(2010, C_THREAD, "read", C_SOCK, " ret=-11 slept=" slept)
    check(TRACE FINDS_NOTHING("-1"), STORY_CLIENT, "read", WAKE_UNKNOWN, EVIDENCE_NONE, NULL);
    check(TRACE FINDS_NOTHING("0"), STORY_CLIENT, "read", WAKE_NEVER_SLEPT, EVIDENCE_RULE, NULL);
    check(TRACE MADE FINDS_NOTHING("-1"), STORY_CLIENT, "read", WAKE_NEVER_SLEPT, EVIDENCE_RULE, NULL);
    check(TRACE MADE MAY_WAIT FINDS_NOTHING("-1"), STORY_CLIENT, "read", WAKE_UNKNOWN, EVIDENCE_NONE, NULL);
}

static void a_signal_that_wakes_is_told_as_one(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "") "wake t=2001000 " C_THREAD
                                                                    "chain=try_to_wake_up;signal_wake_up_state\n" RETURNS(
                                                                        2010, C_THREAD, "read", C_SOCK, " ret=-4 slept=500000"),
          STORY_CLIENT, "read", WAKE_SIGNAL, EVIDENCE_STACK, NULL);
}

static void an_interrupted_call_says_so_without_a_waker(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "") RETURNS(2010, C_THREAD, "read", C_SOCK, " ret=-512 slept=-1"),
          STORY_CLIENT, "read", WAKE_SIGNAL, EVIDENCE_RULE, NULL);
}

static void connect_waits_for_the_syn_ack(void **data)
{
    (void)data;
    check(TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") HANDSHAKE RETURNS(1030, C_THREAD, "connect", C_SOCK, " slept=-1"),
          STORY_CLIENT, "connect", WAKE_SEGMENT, EVIDENCE_INTERVAL, "SYN-ACK");
}

static void a_connect_that_worked_off_the_syn_ack_itself_has_the_kernels_word(void **data)
{
    (void)data;
    check(TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") HANDSHAKE
          "state t=1015000 from=SYN_SENT to=ESTABLISHED " C_SOCK " " C_CUR
          "chain=tcp_finish_connect;__release_sock\n" RETURNS(1030, C_THREAD, "connect", C_SOCK, ""),
          STORY_CLIENT, "connect", WAKE_SEGMENT, EVIDENCE_STACK, "SYN-ACK");
}

static void a_refused_connect_waits_for_the_reset(void **data)
{
    (void)data;
    check(TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101")
              RETURNS(1030, C_THREAD, "connect", C_SOCK, " ret=-111 slept=-1"),
          STORY_CLIENT, "connect", WAKE_SEGMENT, EVIDENCE_INTERVAL, "RST");
}

static void a_connect_that_dissolves_waits_for_nobody(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1100, C_THREAD, "connect", C_SOCK, " args=\"3, AF_UNSPEC\"")
              RETURNS(1110, C_THREAD, "connect", C_SOCK, " slept=0"),
          STORY_CLIENT, "connect", WAKE_NEVER_SLEPT, EVIDENCE_CONTEXT, NULL);
}

/* RFC 5961 section 3.2: the first RST is not at the next number, and gets a challenge ACK. */
static void a_read_fails_by_the_reset_that_counts(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(2000, C, "flags=R. seq=102 ack=501") PACKET(2010, S, "flags=. seq=501 ack=101")
                      PACKET(2020, C, "flags=R seq=101") ENTER(2100, S_THREAD, "read", S_SOCK, "")
                          RETURNS(2110, S_THREAD, "read", S_SOCK, " ret=-104 slept=0"),
                  0);
    const struct story_call *call = told_call(told->stories[0], STORY_SERVER, "read", 1);
    assert_int_equal(told->stories[0]->steps[call->wake.step].segment->number, 6);
    told_free(told);
}

static void accept_waits_for_the_handshakes_last_ack(void **data)
{
    (void)data;
    check(TRACE ENTER(500, S_THREAD, "accept", LISTENER, "")
              HANDSHAKE RETURNS(1030, S_THREAD, "accept", LISTENER, " ret=4 slept=-1 " CHILD),
          STORY_SERVER, "accept", WAKE_SEGMENT, EVIDENCE_INTERVAL, "ACK");
}

static void a_late_accept_never_slept(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(5000, S_THREAD, "accept", LISTENER, "")
              RETURNS(5010, S_THREAD, "accept", LISTENER, " ret=4 slept=-1 " CHILD),
          STORY_SERVER, "accept", WAKE_NEVER_SLEPT, EVIDENCE_INTERVAL, "ACK");
}

static void the_end_of_file_is_the_peers_fin(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, S_THREAD, "read", S_SOCK, "") PACKET(2000, C, C_FIN)
              RETURNS(2010, S_THREAD, "read", S_SOCK, " slept=-1"),
          STORY_SERVER, "read", WAKE_SEGMENT, EVIDENCE_INTERVAL, "FIN");
}

static void a_read_needs_the_segment_with_its_first_byte_not_an_earlier_one(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE HANDSHAKE PACKET(2000, C, C_DATA) ENTER(2100, S_THREAD, "read", S_SOCK, "")
            RETURNS(2110, S_THREAD, "read", S_SOCK, " ret=5 slept=-1") ENTER(2200, S_THREAD, "read", S_SOCK, "")
                PACKET(2300, C, "flags=P. seq=106 ack=501 len=7") RETURNS(2310, S_THREAD, "read", S_SOCK, " ret=7 slept=-1"),
        0);
    const struct story *story = told->stories[0];
    const struct story_call *first = told_call(story, STORY_SERVER, "read", 1), *second = told_call(story, STORY_SERVER, "read", 2);
    assert_int_equal(first->wake.kind, WAKE_NEVER_SLEPT);
    assert_int_equal(story->steps[first->wake.step].segment->length_bytes, 5);
    assert_int_equal(second->wake.kind, WAKE_SEGMENT);
    assert_int_equal(story->steps[second->wake.step].segment->length_bytes, 7);
    told_free(told);
}

static void an_aborted_read_waits_for_the_reset(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "") PACKET(2000, S, "flags=R seq=501")
              RETURNS(2010, C_THREAD, "read", C_SOCK, " ret=-104 slept=-1"),
          STORY_CLIENT, "read", WAKE_SEGMENT, EVIDENCE_INTERVAL, "RST");
}

static void a_call_that_never_returned_says_so(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, ""), STORY_CLIENT, "read", WAKE_NOT_YET, EVIDENCE_NONE, NULL);
}

static void a_call_that_began_before_recording_is_closed_properly(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE RETURNS(1030, S_THREAD, "accept", LISTENER, " ret=4 slept=-1 " CHILD), 0);
    const struct story_call *call = told_call(told->stories[0], STORY_SERVER, "accept", 1);
    assert_int_equal(call->enter_ns, 0);
    assert_int_equal(call->enter_step, STORY_NO_STEP);
    assert_null(call->args);
    assert_int_equal(call->wake.kind, WAKE_SEGMENT);
    assert_int_equal(call->wake.evidence, EVIDENCE_RULE);
    told_free(told);
}

#define ADD_CHILD "exit t=1100000 " S_THREAD "name=epoll_ctl fd=4 how=-1 level=-1 slept=-1 epoll=10 watch=0:77:1 " S_SOCK "\n"

static void epoll_is_woken_by_the_only_packet_that_arrived_meanwhile(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ADD_CHILD "enter t=1500000 " S_THREAD "name=epoll_wait fd=9 how=-1 level=-1 epoll=10\n" PACKET(
              2000, C, C_DATA) "exit t=2010000 " S_THREAD
                               "name=epoll_wait fd=9 how=-1 level=-1 epoll=10 ret=1 slept=-1 watch=0:77:1\n",
          STORY_SERVER, "epoll_wait", WAKE_SEGMENT, EVIDENCE_INTERVAL, "data");
}

static void epoll_that_reported_several_sockets_is_not_guessed_at(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ADD_CHILD "enter t=1500000 " S_THREAD "name=epoll_wait fd=9 how=-1 level=-1 epoll=10\n" PACKET(
              2000, C, C_DATA) "exit t=2010000 " S_THREAD
                               "name=epoll_wait fd=9 how=-1 level=-1 epoll=10 ret=2 slept=-1 watch=0:77:1,0:78:1\n",
          STORY_SERVER, "epoll_wait", WAKE_UNKNOWN, EVIDENCE_NONE, NULL);
}

static void epoll_woken_by_another_connection_says_so(void **data)
{
    (void)data;
    check(TRACE HANDSHAKE ADD_CHILD "enter t=1500000 " S_THREAD "name=epoll_wait fd=9 how=-1 level=-1 epoll=10\n" PACKET(
              2000, C, C_DATA) "wake t=2001000 " S_THREAD "softirq=1 receiving=1 rx.src=127.0.0.1:41111 rx.dst=127.0.0.1:3333 "
                               "rx.proto=tcp rx.flags=. chain=try_to_wake_up;tcp_v4_rcv\n"
                               "exit t=2010000 " S_THREAD
                               "name=epoll_wait fd=9 how=-1 level=-1 epoll=10 ret=1 slept=400000 watch=0:77:1\n",
          STORY_SERVER, "epoll_wait", WAKE_SEGMENT, EVIDENCE_STACK, NULL);
}

static void both_ends_pass_the_states_of_figure_5(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE CALL(10, 20, S_THREAD, "listen", LISTENER) HANDSHAKE PACKET(2000, C, C_FIN)
                                      PACKET(2010, S, "flags=. seq=501 ack=102") PACKET(2020, S, "flags=F. seq=501 ack=102")
                                          PACKET(2030, C, "flags=. seq=102 ack=502"),
                                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
    told_states(told->stories[0], STORY_SERVER, "CLOSED LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
    assert_int_equal(told->stories[0]->summary.time_wait_side, STORY_CLIENT);
    assert_int_equal(told->stories[0]->summary.time_wait_until_ns, 2020000 + 60000000000);
    told_free(told);
}

static void time_wait_ends_where_recording_went_on_long_enough(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=F. seq=501 ack=102")
                                      PACKET(2020, C, "flags=. seq=102 ack=502") "lost t=60002010001 source=capture count=0\n",
                                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT CLOSED");
    told_free(told);
}

static void reads_find_what_brought_their_bytes_though_it_came_out_of_order(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(2000, S, "flags=P. seq=506 ack=101 len=5") PACKET(2100, S, S_DATA)
                      ENTER(3000, C_THREAD, "read", C_SOCK, "") RETURNS(3010, C_THREAD, "read", C_SOCK, " ret=5 slept=-1")
                          ENTER(3100, C_THREAD, "read", C_SOCK, "") RETURNS(3110, C_THREAD, "read", C_SOCK, " ret=5 slept=-1"),
                  0);
    const struct story *story = told->stories[0];
    const struct story_call *first = told_call(story, STORY_CLIENT, "read", 1), *second = told_call(story, STORY_CLIENT, "read", 2);
    assert_int_not_equal(first->wake.step, STORY_NO_STEP);
    assert_int_not_equal(second->wake.step, STORY_NO_STEP);
    assert_int_equal(story->steps[first->wake.step].segment->seq, 1);
    assert_int_equal(story->steps[second->wake.step].segment->seq, 6);
    told_free(told);
}

#define U_S "sock.cookie=8 sock.proto=udp sock.local=192.0.2.2:3333 sock.remote=192.0.2.1:40000"
#define DATAGRAM(len) "src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=udp len=" #len
#define UDP_PEEK(t, name, args, more) ENTER(t, S_THREAD, name, U_S, args) RETURNS(t, S_THREAD, name, U_S, more)
#define UDP_READ(t, name, more) UDP_PEEK(t, name, "", more)

/* Which datagram the n-th read of the server took; 0: none is named. */
static uint32_t taken(const char *text, const char *name, size_t n)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(told->count, 1);
    const struct story_call *call = told_call(told->stories[0], STORY_SERVER, name, n);
    uint32_t step = call->wake.step;
    uint32_t number = step == STORY_NO_STEP ? 0 : told->stories[0]->steps[step].datagram->number;
    told_free(told);
    return number;
}

static void a_lost_datagram_is_not_what_a_read_took(void **data)
{
    (void)data;
    static const char text[] = TRACE TWO_ENDS PACKET(1000, "", DATAGRAM(3)) PACKET(2000, "", DATAGRAM(4))
        ARRIVES(2010, "", DATAGRAM(4)) UDP_READ(3000, "recvfrom", " ret=4 slept=0");
    assert_int_equal(taken(text, "recvfrom", 1), 2);
}

static void datagrams_are_read_in_the_order_of_their_arrival(void **data)
{
    (void)data;
    static const char text[] = TRACE TWO_ENDS PACKET(1000, "", DATAGRAM(3)) PACKET(2000, "", DATAGRAM(4))
        ARRIVES(2010, "", DATAGRAM(4)) ARRIVES(2020, "", DATAGRAM(3)) UDP_READ(3000, "recvfrom", " ret=4 slept=0")
            UDP_READ(4000, "recvfrom", " ret=3 slept=0");
    assert_int_equal(taken(text, "recvfrom", 1), 2);
    assert_int_equal(taken(text, "recvfrom", 2), 1);
}

static void a_datagram_of_another_length_is_not_what_a_read_took(void **data)
{
    (void)data;
    static const char text[] =
        TRACE TWO_ENDS PACKET(1000, "", DATAGRAM(3)) ARRIVES(1010, "", DATAGRAM(3)) UDP_READ(3000, "recvfrom", " ret=4 slept=0");
    assert_int_equal(taken(text, "recvfrom", 1), 0);
}

static void a_peek_takes_nothing_and_recvmmsg_takes_several(void **data)
{
    (void)data;
    static const char text[] = TRACE TWO_ENDS PACKET(1000, "", DATAGRAM(3)) ARRIVES(1010, "", DATAGRAM(3))
        PACKET(1100, "", DATAGRAM(4)) ARRIVES(1110, "", DATAGRAM(4)) PACKET(1200, "", DATAGRAM(5)) ARRIVES(1210, "", DATAGRAM(5))
            UDP_PEEK(3000, "recvfrom", " args=\"4, ..., 9, MSG_PEEK\"", " ret=3 slept=0")
                UDP_READ(4000, "recvmmsg", " ret=2 slept=0") UDP_READ(5000, "recvfrom", " ret=5 slept=0");
    assert_int_equal(taken(text, "recvfrom", 1), 1);
    assert_int_equal(taken(text, "recvmmsg", 1), 1);
    assert_int_equal(taken(text, "recvfrom", 2), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_datagram_is_not_what_a_read_took),
        cmocka_unit_test(datagrams_are_read_in_the_order_of_their_arrival),
        cmocka_unit_test(a_datagram_of_another_length_is_not_what_a_read_took),
        cmocka_unit_test(a_peek_takes_nothing_and_recvmmsg_takes_several),
        cmocka_unit_test(a_read_is_woken_by_the_segment_that_the_waker_was_receiving),
        cmocka_unit_test(a_read_names_all_segments_that_it_took),
        cmocka_unit_test(a_wake_without_a_chain_is_context),
        cmocka_unit_test(reads_find_what_brought_their_bytes_though_it_came_out_of_order),
        cmocka_unit_test(a_timer_that_wakes_is_the_timeout),
        cmocka_unit_test(a_timeout_that_came_before_the_call_woke_nobody),
        cmocka_unit_test(a_read_that_finds_nothing_never_slept_where_that_is_known),
        cmocka_unit_test(a_signal_that_wakes_is_told_as_one),
        cmocka_unit_test(an_interrupted_call_says_so_without_a_waker),
        cmocka_unit_test(connect_waits_for_the_syn_ack),
        cmocka_unit_test(a_connect_that_worked_off_the_syn_ack_itself_has_the_kernels_word),
        cmocka_unit_test(a_refused_connect_waits_for_the_reset),
        cmocka_unit_test(a_connect_that_dissolves_waits_for_nobody),
        cmocka_unit_test(a_read_fails_by_the_reset_that_counts),
        cmocka_unit_test(accept_waits_for_the_handshakes_last_ack),
        cmocka_unit_test(a_late_accept_never_slept),
        cmocka_unit_test(the_end_of_file_is_the_peers_fin),
        cmocka_unit_test(a_read_needs_the_segment_with_its_first_byte_not_an_earlier_one),
        cmocka_unit_test(an_aborted_read_waits_for_the_reset),
        cmocka_unit_test(a_call_that_never_returned_says_so),
        cmocka_unit_test(a_call_that_began_before_recording_is_closed_properly),
        cmocka_unit_test(epoll_is_woken_by_the_only_packet_that_arrived_meanwhile),
        cmocka_unit_test(epoll_that_reported_several_sockets_is_not_guessed_at),
        cmocka_unit_test(epoll_woken_by_another_connection_says_so),
        cmocka_unit_test(both_ends_pass_the_states_of_figure_5),
        cmocka_unit_test(time_wait_ends_where_recording_went_on_long_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
