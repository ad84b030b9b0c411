/* What came to its receiver's host and never left its sender's: told as that, and only where both were watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "support/lines.h"
#include "support/tell.h"

/* Two captures that know their hosts' addresses. */
#define HOSTS                                                                                                                      \
    "# tcpwhy events 1\ntrace t=1 recorder=test ports=3333\nvantage t=1 vantage=1 netns=9 name=client v4=192.0.2.1:0\n"            \
    "vantage t=1 vantage=2 netns=10 name=server v4=192.0.2.2:0\n"
#define BOTH(t, u, from, what) PACKET(t, from, what) ARRIVES(u, from, what)
#define OPEN(hosts)                                                                                                                \
    hosts BOTH(1000, 1001, WC, SYN) ARRIVES(1010, WS, SYN_ACK) PACKET(1011, WS, SYN_ACK) BOTH(1020, 1021, WC, HANDSHAKE_ACK)

static void what_comes_and_was_never_sent_is_made_on_the_way_and_moves_no_sender(void **state)
{
    (void)state;
    struct told *told = tell_text(OPEN(HOSTS) PACKET(2000, WS, "flags=F. seq=501 ack=101"), 0);
    const struct story_segment *fin = told_segment(told->stories[0], STORY_SERVER, "FIN", 1);
    assert_true(fin->unsent);
    assert_false(fin->copy || fin->lost || fin->retransmission);
    assert_int_equal(fin->received_ns, 2000000);
    assert_int_equal(fin->cause.kind, CAUSE_KERNEL);
    assert_string_equal(fin->cause.name, "made-on-the-way");
    told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD ESTABLISHED");
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT");
    assert_string_equal(told->stories[0]->findings[0].id, "unsent-server");
    told_free(told);
    told = tell_text(OPEN(HOSTS) PACKET(2000, WS, "flags=R seq=501"), 0);
    assert_string_equal(told->stories[0]->findings[0].id, "reset-from-between");
    told_free(told);
}

static void what_may_have_been_sent_is_not_made_on_the_way(void **state)
{
    (void)state;
    static const char *const texts[] = {
        /* it left: seen there, a mark of it is there, nobody watches there, or nobody knows that he does */
        OPEN(HOSTS) ARRIVES(1999, WS, "flags=F. seq=501 ack=101") PACKET(2000, WS, "flags=F. seq=501 ack=101"),
        OPEN(HOSTS) "mark t=1999" US " netns=10 " WS "flags=F. seq=501 ack=101\n" PACKET(2000, WS, "flags=F. seq=501 ack=101"),
        OPEN("# tcpwhy events 1\ntrace t=1 recorder=test ports=3333\nvantage t=1 vantage=1 netns=9 name=client v4=192.0.2.1:0\n"
             "vantage t=1 vantage=2 netns=10 name=elsewhere v4=192.0.2.3:0\n") PACKET(2000, WS, "flags=F. seq=501 ack=101"),
        OPEN(TRACE TWO_ENDS) PACKET(2000, WS, "flags=F. seq=501 ack=101"),
        /* the one place where it was seen is not its receiver's */
        OPEN(HOSTS) ARRIVES(2000, WS, "flags=F. seq=501 ack=101"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct told *told = tell_text(texts[i], 0);
        if (told_segment(told->stories[0], STORY_SERVER, "FIN", 1)->unsent) fail_msg("text %zu", i);
        told_free(told);
    }
}

/* Two networks whose captures were opened as the program came there: what leaves one shows in the other's capture alone. */
#define NETWORKS                                                                                                                   \
    "# tcpwhy events 1\ntrace t=1 recorder=test ports=3333\nvantage t=1 vantage=1 netns=9 name=if2\n"                              \
    "vantage t=1 vantage=2 netns=10 name=if2\n"
#define PACKET_AT(vantage, t, from, what) "packet t=" #t US " vantage=" #vantage " number=1 " from what "\n"
#define LEAVES(t, netns, from, what) "mark t=" #t US " netns=" #netns " " from what "\n"

static void what_the_capture_of_its_senders_network_lacks_was_sent_once(void **state)
{
    (void)state;
    struct told *told = tell_text(NETWORKS LEAVES(1000, 9, WC, SYN) PACKET_AT(2, 1001, WC, SYN) LEAVES(1002, 10, WS, SYN_ACK)
                                      PACKET_AT(2, 1003, WS, SYN_ACK) PACKET_AT(1, 1004, WS, SYN_ACK),
                                  0);
    const struct story_segment *syn = told_segment(told->stories[0], STORY_CLIENT, "SYN", 1);
    assert_int_equal(told->stories[0]->summary.segments, 2);
    assert_false(syn->unsent || syn->copy || syn->retransmission);
    assert_int_equal(syn->sent_ns, 1000000);
    assert_int_equal(syn->received_ns, 1001000);
    assert_int_equal(told->stories[0]->finding_count, 0);
    told_free(told);
    /* What comes back shows at its sender's alone, where that capture had gone with its interface: nobody knows that it was lost.
     */
    told = tell_text(NETWORKS LEAVES(1000, 9, WC, SYN) PACKET_AT(2, 1001, WC, SYN) LEAVES(1002, 10, WS, "flags=R. seq=0 ack=101")
                         PACKET_AT(2, 1003, WS, "flags=R. seq=0 ack=101"),
                     0);
    assert_false(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->lost);
    assert_int_equal(told->stories[0]->outcome, OUTCOME_REFUSED);
    told_free(told);
}

static void what_the_capture_lacks_is_no_other_segment_that_looks_like_it(void **state)
{
    (void)state;
    static const char *const texts[] = {
        /* a second after its mark, and longer; sent again, seen in its own network or in the other */
        NETWORKS LEAVES(1000, 9, WC, SYN) PACKET_AT(2, 1002000, WC, SYN),
        NETWORKS LEAVES(1000, 9, WC, SYN) PACKET_AT(1, 1001, WC, SYN) LEAVES(2000, 9, WC, SYN) PACKET_AT(1, 2001, WC, SYN),
        NETWORKS LEAVES(1000, 9, WC, SYN) PACKET_AT(2, 1001, WC, SYN) LEAVES(2000, 9, WC, SYN) PACKET_AT(2, 2001, WC, SYN),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct told *told = tell_text(texts[i], 0);
        if (told->stories[0]->summary.segments != 2) fail_msg("text %zu: %u", i, told->stories[0]->summary.segments);
        told_free(told);
    }
}

/* Of the course alone no capture says whose host it is of: the socket that was seen to send out of another network does. */
#define COURSE "# tcpwhy events 1\ntrace t=1 recorder=bpf course_only=1 ports=3333\n"
#define ELSEWHERE "vantage t=1 vantage=3 netns=8 name=\"network 8\"\n"
#define BOTH_NETWORKS "vantage t=1 vantage=1 netns=9 name=\"network 9\"\nvantage t=1 vantage=2 netns=10 name=\"network 10\"\n"
#define SENT(t, netns, vantage, from, what, sock)                                                                                  \
    "mark t=" #t US " netns=" #netns " " from what " " sock "\n" PACKET_AT(vantage, t, from, what)
#define COURSE_OPEN                                                                                                                \
    SENT(1000, 9, 1, WC, SYN, WC_SOCK)                                                                                             \
    PACKET_AT(2, 1001, WC, SYN)                                                                                                    \
    SENT(1002, 10, 2, WS, SYN_ACK, WS_SOCK)                                                                                        \
    PACKET_AT(1, 1003, WS, SYN_ACK) SENT(1004, 9, 1, WC, HANDSHAKE_ACK, WC_SOCK) PACKET_AT(2, 1005, WC, HANDSHAKE_ACK)
#define LATER_DATA                                                                                                                 \
    SENT(2010, 10, 2, WS, "flags=P. seq=501 ack=101 len=3", WS_SOCK) PACKET_AT(1, 2011, WS, "flags=P. seq=501 ack=101 len=3")

static void of_a_course_alone_the_kernel_of_its_senders_network_says_what_never_left(void **state)
{
    (void)state;
    struct told *told =
        tell_text(COURSE ELSEWHERE BOTH_NETWORKS COURSE_OPEN PACKET_AT(1, 2000, WS, "flags=R seq=501") LATER_DATA, 0);
    assert_true(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->unsent);
    assert_int_equal(told->stories[0]->finding_count, 1);
    assert_string_equal(told->stories[0]->findings[0].id, "reset-from-between");
    /* Of several networks the one that it did not leave is named. */
    assert_non_null(strstr(told->stories[0]->findings[0].text, "came to network 9 and was never seen to leave at network 10"));
    told_free(told);
}

static void of_a_course_alone_what_need_not_have_been_recorded_may_have_been_sent(void **state)
{
    (void)state;
    static const char *const texts[] = {
        /* it left; its own mark is lost, and the kernel's other word of it is not; nobody watches the sender's network */
        COURSE BOTH_NETWORKS COURSE_OPEN SENT(1999, 10, 2, WS, "flags=R seq=501", WS_SOCK)
            PACKET_AT(1, 2000, WS, "flags=R seq=501"),
        COURSE BOTH_NETWORKS COURSE_OPEN "reset t=1999" US " sent=1 netns=10 " WS_SOCK
                                         "\n" PACKET_AT(1, 2000, WS, "flags=R seq=501"),
        COURSE BOTH_NETWORKS SENT(1000, 9, 1, WC, SYN, WC_SOCK) PACKET_AT(1, 1003, WS, SYN_ACK)
            SENT(1004, 9, 1, WC, HANDSHAKE_ACK, WC_SOCK) PACKET_AT(1, 2000, WS, "flags=R seq=501"),
        /* where it came is not its receiver's network */
        COURSE ELSEWHERE BOTH_NETWORKS COURSE_OPEN PACKET_AT(3, 2000, WS, "flags=R seq=501"),
        /* all is recorded, and no capture says whose host it is of */
        "# tcpwhy events 1\ntrace t=1 recorder=bpf ports=3333\n" BOTH_NETWORKS COURSE_OPEN PACKET_AT(1, 2000, WS,
                                                                                                     "flags=R seq=501"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct told *told = tell_text(texts[i], 0);
        if (told_segment(told->stories[0], STORY_SERVER, "RST", 1)->unsent) fail_msg("text %zu", i);
        told_free(told);
    }
    /* Of data only some is recorded where it leaves, and other where it arrives. */
    struct told *told = tell_text(COURSE BOTH_NETWORKS COURSE_OPEN PACKET_AT(1, 2000, WS, "flags=P. seq=501 ack=101 len=3"), 0);
    assert_false(told_segment(told->stories[0], STORY_SERVER, "data", 1)->unsent);
    told_free(told);
}

/* One host, what comes to it from elsewhere, and data that was not recorded before the RST: its number says nothing, the kernel
 * does. */
#define ONE_NETWORK COURSE "vantage t=1 vantage=1 netns=9 name=\"this network\"\n"
#define HERE_OPEN                                                                                                                  \
    SENT(1000, 9, 1, WC, SYN, WC_SOCK)                                                                                             \
    PACKET_AT(1, 1002, WS, SYN_ACK) SENT(1004, 9, 1, WC, HANDSHAKE_ACK, WC_SOCK) PACKET_AT(1, 2000, WS, "flags=R seq=601")
#define HERE_GOES_ON                                                                                                               \
    PACKET_AT(1, 3000, WS, "flags=F. seq=701 ack=101")                                                                             \
    SENT(3010, 9, 1, WC, "flags=. seq=101 ack=702", WC_SOCK)                                                                       \
    SENT(3020, 9, 1, WC, "flags=F. seq=101 ack=702", WC_SOCK) PACKET_AT(1, 3030, WS, "flags=. seq=702 ack=102")
#define ENDED_BY_IT(t) "reset t=" #t US " netns=9 " WC_SOCK " sock.state=ESTABLISHED\n"

static void a_rst_that_the_kernel_did_not_take_ended_nothing(void **state)
{
    (void)state;
    struct told *told = tell_text(ONE_NETWORK HERE_OPEN HERE_GOES_ON, 0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
    assert_int_equal(told->stories[0]->outcome, OUTCOME_CLOSED);
    assert_string_equal(told->stories[0]->findings[0].id, "reset-ignored");
    told_free(told);
    static const char *const taken[] = {
        ONE_NETWORK HERE_OPEN ENDED_BY_IT(2000),
        /* a call held the socket */
        ONE_NETWORK HERE_OPEN ENDED_BY_IT(2900),
        /* this kernel has no word for it; it is not known whose host it came to */
        ONE_NETWORK "lost t=1 source=bpf what=\"no tcp_receive_reset\" received=0 count=1\n" HERE_OPEN,
        COURSE "vantage t=1 vantage=1 netns=8 name=\"network 8\"\n" HERE_OPEN,
    };
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        told = tell_text(taken[i], 0);
        if (told->stories[0]->end[STORY_CLIENT].state != STATE_CLOSED) fail_msg("text %zu", i);
        told_free(told);
    }
    told = tell_text(ONE_NETWORK HERE_OPEN, 0);
    assert_int_equal(told->stories[0]->end[STORY_CLIENT].state, STATE_ESTABLISHED);
    told_free(told);
}

static void of_very_many_on_the_way_each_is_found(void **state)
{
    enum { SEGMENTS = 700 };
    struct buf text = buf_new(1 << 20);
    (void)state;
    buf_text(&text, OPEN(HOSTS));
    for (int vantage = 1; vantage <= 2; vantage++)
        for (unsigned i = 0; i < SEGMENTS; i++)
            buf_printf(&text, "packet t=%u" US " vantage=%d number=1 " WC "flags=. seq=%u ack=501 len=10\n",
                       1000U + (unsigned)vantage * 1000 + i, vantage, 101 + i * 10);
    struct told *told = tell_text(buf_string(&text), 0);
    assert_int_equal(told->stories[0]->summary.segments, 3 + SEGMENTS);
    for (size_t n = 1; n <= SEGMENTS; n++) {
        const struct story_segment *data = told_segment(told->stories[0], STORY_CLIENT, "data", n);
        assert_false(data->unsent || data->copy || data->retransmission);
        assert_int_equal(data->received_ns - data->sent_ns, 1000000);
    }
    told_free(told);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_and_was_never_sent_is_made_on_the_way_and_moves_no_sender),
        cmocka_unit_test(what_may_have_been_sent_is_not_made_on_the_way),
        cmocka_unit_test(what_the_capture_of_its_senders_network_lacks_was_sent_once),
        cmocka_unit_test(what_the_capture_lacks_is_no_other_segment_that_looks_like_it),
        cmocka_unit_test(of_a_course_alone_the_kernel_of_its_senders_network_says_what_never_left),
        cmocka_unit_test(of_a_course_alone_what_need_not_have_been_recorded_may_have_been_sent),
        cmocka_unit_test(a_rst_that_the_kernel_did_not_take_ended_nothing),
        cmocka_unit_test(of_very_many_on_the_way_each_is_found),
    };
    return cmocka_run_group_tests_name("made_on_the_way", tests, NULL, NULL);
}
