/* Which end of a connection is whose, and which segment is a part of which. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "story/track/track.h"
#include "support/lines.h"
#include "support/tell.h"
#include "tcp/segment.h"

static void of_a_connection_found_running_the_higher_port_is_the_client_s(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t client, server; /* last bytes of their addresses */
    } cases[] = {
        {"src=192.0.2.1:5001 dst=192.0.2.2:5000 ", 1, 2},
        {"src=192.0.2.1:5000 dst=192.0.2.2:5001 ", 2, 1},
        {"src=192.0.2.1:5000 dst=192.0.2.2:5000 ", 1, 2}, /* nothing tells: who is seen first */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "%spacket t=1000000 vantage=1 number=1 %sproto=tcp %s\n", TRACE, cases[i].text, C_DATA);
        struct told *told = tell_text(text, 0);
        assert_int_equal(told->count, 1);
        assert_int_equal(told->stories[0]->end[STORY_CLIENT].address.ip[3], cases[i].client);
        assert_int_equal(told->stories[0]->end[STORY_SERVER].address.ip[3], cases[i].server);
        told_free(told);
    }
}

#define LEFT_BY(port, from, to)                                                                                                    \
    "mark t=1000000 src=192.0.2.1:" port " dst=192.0.2.2:5000 proto=tcp " C_DATA " netns=9 sock.cookie=9 sock.local=" from         \
    " sock.remote=" to "\n"
#define LEFT LEFT_BY("5001", "192.0.2.1:5001", "192.0.2.2:5000")

/* 192.0.2.1 has the higher port, and sends. */
static void of_a_connection_found_running_the_end_whose_port_is_listened_at_is_the_server_s(void **state)
{
    (void)state;
    static const char packet[] = "packet t=1000000 vantage=1 number=1 src=192.0.2.1:5001 dst=192.0.2.2:5000 proto=tcp " C_DATA "\n";
    static const struct {
        const char *listener, *packet, *mark;
        uint16_t client; /* last byte of its address */
        bool guessed;
    } cases[] = {
        {"local=192.0.2.1:5001 netns=9", "", LEFT, 2, false},
        {"local=192.0.2.1:5001 netns=9", packet, LEFT, 2, false}, /* the packet's word comes first */
        {"local=0.0.0.0:5001 netns=9", packet, LEFT, 2, false},
        {"local=[::]:5001 netns=9", packet, LEFT, 2, false},
        {"local=192.0.2.1:5001 netns=9", packet, "", 1, true},   /* whose address that is nothing tells */
        {"local=192.0.2.1:5001 netns=8", packet, LEFT, 1, true}, /* elsewhere it may be anybody's port */
        {"local=192.0.2.3:5001 netns=9", packet, LEFT, 1, true}, /* at another address */
        {"local=0.0.0.0:5000 netns=9", packet, LEFT, 1, true},   /* the other end's port, perhaps elsewhere */
        {"local=0.0.0.0:5001 netns=9", packet, LEFT_BY("5001", "0.0.0.0:0", "0.0.0.0:0"), 1, true}, /* sent for nobody */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[2048];
        snprintf(text, sizeof(text), "%slistener t=900000 %s\n%s%s", TRACE, cases[i].listener, cases[i].packet, cases[i].mark);
        struct told *told = tell_text(text, 0);
        assert_int_equal(told->count, 1);
        if (told->stories[0]->end[STORY_CLIENT].address.ip[3] != cases[i].client ||
            told->stories[0]->roles_guessed != cases[i].guessed)
            fail_msg("case %zu", i);
        told_free(told);
    }
}

/* On loopback both ends are of the network where it was captured. */
static void on_loopback_the_packet_alone_tells_which_end_is_listened_at(void **state)
{
    (void)state;
    static const struct {
        const char *events;
        uint16_t client;
        bool guessed;
    } cases[] = {
        {"listener t=800000 local=127.0.0.1:5001 netns=9\n", 5000, false},
        {"listener t=800000 local=127.0.0.1:5000 netns=9\n", 5001, false},
        {"listener t=800000 local=127.0.0.1:5001 netns=2\n", 5001, true},
        {"listener t=800000 local=127.0.0.1:5001 netns=9\nlistener t=800000 local=127.0.0.1:5000 netns=9\n", 5001, true},
        {"listener t=800000 local=127.0.0.1:5001 netns=9\n" /* its server has ended since: the port is anybody's again */
         "state t=900000 sock.cookie=5 sock.local=127.0.0.1:5001 sock.state=CLOSE from=LISTEN to=CLOSE netns=9\n",
         5001, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[2048];
        snprintf(text, sizeof(text), "%s%spacket t=1000000 vantage=1 number=1 src=127.0.0.1:5001 dst=127.0.0.1:5000 proto=tcp %s\n",
                 TRACE, cases[i].events, C_DATA);
        struct told *told = tell_text(text, 0);
        assert_int_equal(told->count, 1);
        if (told->stories[0]->end[STORY_CLIENT].address.port != cases[i].client ||
            told->stories[0]->roles_guessed != cases[i].guessed)
            fail_msg("case %zu", i);
        told_free(told);
    }
}

/* What GSO made of one large segment. */
static void a_part_of_a_segment_lies_inside_it(void **state)
{
    (void)state;
    const struct event_packet_header whole = {
        .protocol = IPPROTO_TCP, .flags = TCP_ACK | TCP_PSH | TCP_FIN, .seq = 1000, .ack = 7, .length_bytes = 100};
    static const struct {
        uint32_t seq, length;
        uint8_t flags;
        bool part;
    } cases[] = {
        {1000, 50, TCP_ACK, true},
        {999, 50, TCP_ACK, false},
        {1050, 50, TCP_ACK, true},
        {1051, 50, TCP_ACK, true}, /* with the FIN's own number there is one more */
        {1052, 50, TCP_ACK, false},
        {1060, 40, TCP_ACK | TCP_PSH | TCP_FIN, true},
        {1061, 40, TCP_ACK | TCP_PSH | TCP_FIN, false},
        {1000, 0, TCP_ACK, false}, /* an ACK of its own */
        {1101, 0, TCP_ACK, false},
        {1000, 50, TCP_ACK | TCP_URG, false},
        {1000, 50, 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_packet_header part = whole;
        part.seq = cases[i].seq;
        part.length_bytes = cases[i].length;
        part.flags = cases[i].flags;
        if (flow_covers(&whole, &part) != cases[i].part) fail_msg("case %zu", i);
    }
    struct event_packet_header other = whole;
    assert_true(flow_covers(&whole, &other));
    other.ack = 8;
    assert_false(flow_covers(&whole, &other));
    other = whole;
    other.seq = 1001;
    assert_false(flow_covers(&whole, &other));
    other = whole;
    other.src.port = 1;
    assert_false(flow_covers(&whole, &other));
    struct event_packet_header datagram = {.protocol = IPPROTO_UDP, .length_bytes = 5}, same = datagram;
    assert_true(flow_covers(&datagram, &same));
    same.length_bytes = 4;
    assert_false(flow_covers(&datagram, &same));
}

/* As many as an event holds, and no more is looked at. */
static void a_call_may_report_as_many_sockets_as_an_event_holds(void **state)
{
    (void)state;
    struct told *told = tell_text(TRACE HANDSHAKE "enter t=1100000 " S_THREAD "name=ppoll fd=-1 how=-1 level=-1\n" PACKET(
                                      1200, C, C_DATA) "exit t=1300000 " S_THREAD "name=ppoll fd=-1 how=-1 level=-1 slept=-1 ret=8 "
                                                       "watch=1:1:1,2:2:1,3:3:1,4:4:1,5:5:1,6:6:1,7:7:1,8:8:1\n",
                                  0);
    assert_int_equal(told->count, 1);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_connection_found_running_the_higher_port_is_the_client_s),
        cmocka_unit_test(of_a_connection_found_running_the_end_whose_port_is_listened_at_is_the_server_s),
        cmocka_unit_test(on_loopback_the_packet_alone_tells_which_end_is_listened_at),
        cmocka_unit_test(a_part_of_a_segment_lies_inside_it),
        cmocka_unit_test(a_call_may_report_as_many_sockets_as_an_event_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
