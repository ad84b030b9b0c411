/* What came to its receiver's host and never left its sender's: told as that, and only where both were watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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
        cmocka_unit_test(of_very_many_on_the_way_each_is_found),
    };
    return cmocka_run_group_tests_name("made_on_the_way", tests, NULL, NULL);
}
