/* What a host translates that sends: one connection, told under the addresses of the wire. */
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

/* The client asked for port 80, a rule made port 3333 of it: what it sends goes there, what answers comes from port 80 again. */
#define ASKED "src=127.0.0.1:80 dst=127.0.0.1:40000 proto=tcp "
#define ASKS "src=127.0.0.1:40000 dst=127.0.0.1:80 proto=tcp "
#define OWN "sock.cookie=7 sock.proto=tcp sock.local=127.0.0.1:40000 sock.remote=127.0.0.1:80"
#define SERVING "sock.cookie=8 sock.proto=tcp sock.local=127.0.0.1:3333 sock.remote=127.0.0.1:40000"
#define CONNECTS "cur.pid=5 cur.tid=5 cur.comm=asker chain=tcp_connect;tcp_v4_connect;__x64_sys_connect"
#define RECEIVES(of) "softirq=1 receiving=1 rx.proto=tcp " of " chain=tcp_v4_send_synack;tcp_conn_request;tcp_v4_rcv;net_rx_action"
#define CALLS(what, name, more) what " pid=5 tid=5 comm=asker name=" name " fd=3 " OWN " " more "\n"
#define LEFT(t, from, what, more) MARK(t, from, what, more) PACKET(t, from, what)
#define REDIRECTED                                                                                                                 \
    CALLS("enter t=900000", "connect", "sock.state=CLOSE args=\"3, 127.0.0.1:80\"")                                                \
    LEFT(1000, C, SYN, OWN " " CONNECTS)                                                                                           \
    LEFT(1010, ASKED, SYN_ACK, RECEIVES("rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.flags=S rx.seq=100"))                     \
    LEFT(1020, C, HANDSHAKE_ACK, OWN " chain=__tcp_transmit_skb;tcp_v4_do_rcv;__release_sock;__x64_sys_connect")                   \
    CALLS("exit t=1030000", "connect", "ret=0 sock.state=ESTABLISHED")

static const struct story_finding *found(const struct story *story, const char *id)
{
    for (size_t i = 0; i < story->finding_count; i++)
        if (strcmp(story->findings[i].id, id) == 0) return &story->findings[i];
    return NULL;
}

static void what_is_sent_and_what_answers_is_one_connection(void **state)
{
    (void)state;
    struct told *told =
        tell_text(TRACE REDIRECTED LEFT(2000, ASKED, "flags=F. seq=501 ack=101", SERVING)
                      LEFT(2010, C, "flags=F. seq=101 ack=502", OWN) LEFT(2020, ASKED, "flags=. seq=502 ack=102", SERVING),
                  0);
    assert_int_equal(told->count, 1);
    const struct story *story = told->stories[0];
    assert_int_equal(story->outcome, OUTCOME_CLOSED);
    assert_int_equal(story->end[STORY_SERVER].address.port, 3333);
    assert_string_equal(story->end[STORY_CLIENT].process.comm, "asker");
    told_states(story, STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
    told_states(story, STORY_SERVER, "LISTEN SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
    const struct story_segment *syn = told_segment(story, STORY_CLIENT, "SYN", 1),
                               *syn_ack = told_segment(story, STORY_SERVER, "SYN-ACK", 1);
    assert_int_equal(syn->cause.kind, CAUSE_CALL);
    assert_int_equal(syn->cause.evidence, EVIDENCE_STACK);
    assert_int_equal(syn_ack->cause.kind, CAUSE_SEGMENT);
    assert_int_equal(syn_ack->cause.evidence, EVIDENCE_STACK);
    const struct story_finding *finding = found(story, "translated");
    assert_non_null(finding);
    assert_non_null(strstr(finding->text, "the client's own host"));
    assert_non_null(
        strstr(finding->text, "127.0.0.1:40000 to 127.0.0.1:80, which on the wire is 127.0.0.1:40000 to 127.0.0.1:3333"));
    assert_null(found(story, "one-direction"));
    told_free(told);
}

static void an_answer_is_seen_half_translated_too(void **state)
{
    (void)state;
    /* The client's address is another on the wire, too; a bridge shows the answer between the two steps. */
    struct told *told =
        tell_text(TRACE MARK(1000, WC, SYN, "sock.cookie=7 sock.proto=tcp sock.local=10.0.0.1:50000 sock.remote=10.0.0.1:80")
                      PACKET(1000, WC, SYN) PACKET(1010, "src=192.0.2.2:3333 dst=10.0.0.1:50000 proto=tcp ", SYN_ACK)
                          PACKET(1020, "src=10.0.0.1:80 dst=10.0.0.1:50000 proto=tcp ", "flags=. seq=501 ack=101")
                              PACKET(1030, WC, "flags=. seq=101 ack=501"),
                  0);
    assert_int_equal(told->count, 1);
    assert_int_equal(told->stories[0]->summary.segments, 4);
    assert_int_equal(told->stories[0]->end[STORY_CLIENT].address.port, 40000);
    told_free(told);
}

static void of_a_server_s_host_the_wire_has_the_address_that_was_asked_for(void **state)
{
    (void)state;
    struct told *told = tell_text(TRACE PACKET(1000, ASKS, SYN) LEFT(1010, ASKED, SYN_ACK, SERVING " sock.state=NEW_SYN_RECV")
                                      PACKET(1020, ASKS, HANDSHAKE_ACK),
                                  0);
    assert_int_equal(told->count, 1);
    assert_int_equal(told->stories[0]->end[STORY_SERVER].address.port, 80);
    assert_non_null(strstr(found(told->stories[0], "translated")->text, "the server's own host"));
    told_free(told);
}

static void what_teaches_nothing_leaves_two_connections(void **state)
{
    (void)state;
    static const char *const texts[] = {
        /* a socket without a peer or an address, its receiver's, no socket, a network of its own */
        TRACE LEFT(1000, C, SYN, "sock.cookie=7 sock.proto=tcp sock.local=127.0.0.1:40000") PACKET(1010, ASKED, SYN_ACK),
        TRACE LEFT(1000, C, SYN, "sock.cookie=7 sock.proto=tcp sock.local=0.0.0.0:40000 sock.remote=127.0.0.1:80")
            PACKET(1010, ASKED, SYN_ACK),
        TRACE LEFT(1000, C, SYN, SERVING) PACKET(1010, ASKED, SYN_ACK),
        TRACE LEFT(1000, C, SYN, "cur.pid=1 cur.tid=1") PACKET(1010, ASKED, SYN_ACK),
        TRACE "vantage t=1 vantage=2 netns=10 name=lo\n" LEFT(1000, C, SYN, OWN) ARRIVES(1010, ASKED, SYN_ACK),
        /* the rule has gone, and the same port asks again, or is asked for itself */
        TRACE LEFT(1000, C, SYN, OWN) LEFT(2000, ASKS, "flags=S seq=900", OWN) PACKET(2010, ASKED, "flags=S. seq=77 ack=901"),
        TRACE LEFT(1000, C, SYN, OWN) LEFT(2000, C, "flags=S seq=900", C_SOCK) PACKET(2010, ASKED, "flags=S. seq=77 ack=901"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct told *told = tell_text(texts[i], 0);
        if (told->count < 2) fail_msg("text %zu: %zu", i, told->count);
        told_free(told);
    }
}

static void the_oldest_of_very_many_is_forgotten(void **state)
{
    (void)state;
    for (unsigned others = 4095; others <= 4096; others++) {
        struct buf text = buf_new(1 << 22);
        buf_text(&text, TRACE LEFT(1000, C, SYN, OWN));
        for (unsigned i = 0; i < others; i++)
            buf_printf(&text,
                       "mark t=%u" US " netns=9 " C SYN " sock.cookie=7 sock.proto=tcp sock.local=127.0.0.1:40000 "
                       "sock.remote=127.0.0.1:%u\n",
                       1001 + i, 10000 + i);
        buf_text(&text, PACKET(9000, ASKED, SYN_ACK));
        struct told *told = tell_text(buf_string(&text), 0);
        assert_int_equal(told->count, others == 4095 ? 1 : 2);
        told_free(told);
        buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_and_what_answers_is_one_connection),
        cmocka_unit_test(an_answer_is_seen_half_translated_too),
        cmocka_unit_test(of_a_server_s_host_the_wire_has_the_address_that_was_asked_for),
        cmocka_unit_test(what_teaches_nothing_leaves_two_connections),
        cmocka_unit_test(the_oldest_of_very_many_is_forgotten),
    };
    return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
