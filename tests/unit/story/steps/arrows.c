/* Which arrows of figure 5 stories show, and what is remembered of the one that shows it best. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story/arrows.h"
#include "support/lines.h"
#include "support/tell.h"

#define LISTENER "sock.cookie=6 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"
#define CLOSED_BY_CLIENT                                                                                                           \
    PACKET(2000, C, C_FIN)                                                                                                         \
    PACKET(2010, S, "flags=. seq=501 ack=102")                                                                                     \
    PACKET(2020, S, "flags=F. seq=501 ack=102") PACKET(2030, C, "flags=. seq=102 ack=502")

/* Two hosts and a wire: what is sent at one time arrives at another. */
#define A "src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=tcp "
#define B "src=192.0.2.2:3333 dst=192.0.2.1:40000 proto=tcp "
#define TWO_HOSTS                                                                                                                  \
    "# tcpwhy events 1\ntrace t=1 recorder=test ports=3333\nvantage t=1 vantage=1 netns=9 name=a\nvantage t=1 vantage=2 netns=10 " \
    "name=b\n"
#define VANTAGE_OF_A "1"
#define VANTAGE_OF_B "2"
#define AWAY_FROM_A VANTAGE_OF_B
#define AWAY_FROM_B VANTAGE_OF_A
#define OVER(sent, arrives, who, what)                                                                                             \
    "packet t=" #sent US " number=1 vantage=" VANTAGE_OF_##who " " who what "\npacket t=" #arrives US                              \
                                                               " number=1 vantage=" AWAY_FROM_##who " " who what "\n"

static struct arrow_map map;

/* "1 3 5": the numbers that were seen. */
static const char *seen(void)
{
    static char text[256];
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < FIGURE_MAX; i++)
        if (map.sights[i].count) used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%zu", used ? " " : "", i + 1);
    return text;
}

static void take(const char *name, const char *text)
{
    struct told *told = tell_text(text, 0);
    for (size_t i = 0; i < told->count; i++) arrows_take_story(&map, name, told->stories[i]);
    for (size_t i = 0; i < event_log_count(told->log); i++) arrows_take_event(&map, name, event_log_at(told->log, i));
    told_free(told);
}

static int empty(void **data)
{
    (void)data;
    map = (struct arrow_map){0};
    return 0;
}

static void a_handshake_shows_four_arrows_and_five_states(void **data)
{
    (void)data;
    take("shake", TRACE HANDSHAKE);
    assert_string_equal(seen(), "3 5 9 10");
    for (int state = 0; state < STATE_COUNT; state++) {
        bool on_the_way = state >= STATE_CLOSED && state <= STATE_ESTABLISHED;
        assert_int_equal(map.visited[state], on_the_way);
    }
    assert_int_equal(map.stories, 1);
    assert_int_equal(map.sights[8].kernel[0], 0);
}

static void a_close_of_four_segments_shows_both_ways_down(void **data)
{
    (void)data;
    take("close", TRACE HANDSHAKE CLOSED_BY_CLIENT);
    assert_string_equal(seen(), "3 5 9 10 12 13 14 16 17 20");
}

static void a_fin_that_acknowledges_ours_is_note_2_too(void **data)
{
    (void)data;
    take("close", TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=F. seq=501 ack=102"));
    assert_string_equal(seen(), "3 5 9 10 12 13 14 16 17 21");
}

static void crossing_fins_pass_closing(void **data)
{
    (void)data;
    take("cross", TWO_HOSTS OVER(1000, 1010, A, SYN) OVER(1020, 1030, B, SYN_ACK) OVER(1040, 1050, A, HANDSHAKE_ACK)
                      OVER(2000, 2010, A, C_FIN) OVER(2001, 2011, B, "flags=F. seq=501 ack=101")
                          OVER(2020, 2030, A, "flags=. seq=102 ack=502") OVER(2021, 2031, B, "flags=. seq=502 ack=102"));
    assert_string_equal(seen(), "3 5 9 10 12 15 18");
    assert_int_equal(map.sights[14].count, 2);
}

/* The kernel says FIN_WAIT2 → CLOSE when a timewait socket takes over: that is not the end of the RFC's FIN_WAIT_2. */
static void the_timer_of_an_orphan_is_not_what_the_kernel_reported_before(void **data)
{
    (void)data;
    take("orphan", TRACE HANDSHAKE PACKET(2000, C, C_FIN)
                       PACKET(2010, S, "flags=. seq=501 ack=102") "state t=2011" US " netns=9 from=FIN_WAIT2 to=CLOSE " C_SOCK
                                                                  " chain=tcp_time_wait;tcp_v4_rcv\n"
                                                                  "timer t=62000000" US " function=tw_timer_handler netns=9 " C_SOCK
                                                                  " sock.state=FIN_WAIT2\n");
    assert_int_equal(map.sights[37].count, 1);
    assert_int_equal(map.sights[37].evidence, EVIDENCE_CONTEXT);
    assert_string_equal(map.sights[37].kernel, "");
}

static void the_strongest_evidence_is_kept_and_all_are_counted(void **data)
{
    (void)data;
    take("weak", TRACE HANDSHAKE);
    assert_int_equal(map.sights[2].evidence, EVIDENCE_RULE);
    take("strong", TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "")
                       MARK(999, C, SYN, C_CUR C_SOCK " chain=tcp_connect;__sys_connect;__x64_sys_connect") HANDSHAKE
         "state t=1011" US " netns=9 from=SYN_SENT to=ESTABLISHED " C_SOCK "\n" EXIT(1030, C_THREAD, "connect", C_SOCK, ""));
    take("weak again", TRACE HANDSHAKE);
    const struct arrow_sight *syn = &map.sights[2], *syn_ack = &map.sights[9];
    assert_int_equal(syn->count, 3);
    assert_int_equal(syn->evidence, EVIDENCE_STACK);
    assert_string_equal(syn->scenario, "strong");
    assert_string_equal(syn->step, "client: connect(3) of client");
    assert_string_equal(syn_ack->kernel, "SYN_SENT → ESTABLISHED"); /* of equal evidence the kernel's own word decides */
    assert_string_equal(syn_ack->scenario, "strong");
    assert_string_equal(syn_ack->step, "client: the server's SYN-ACK (#2)");
}

static void a_listening_socket_tells_in_its_own_events(void **data)
{
    (void)data;
    take("listener",
         TRACE "state t=900" US " netns=9 from=CLOSE to=LISTEN " LISTENER " " S_CUR "chain=inet_csk_listen_start;__x64_sys_listen\n"
               "state t=990" US " netns=9 from=LISTEN to=CLOSE " LISTENER " " S_CUR "chain=inet_csk_listen_stop;__x64_sys_close\n");
    assert_string_equal(seen(), "1 2");
    assert_string_equal(map.sights[0].step, "a listening socket: listen() of server");
    assert_string_equal(map.sights[1].step, "a listening socket: close() of server");
    assert_string_equal(map.sights[1].kernel, "LISTEN → CLOSE");
    assert_int_equal(map.sights[1].evidence, EVIDENCE_STACK);
    take("kernel", TRACE "state t=900" US " netns=9 from=SYN_SENT to=CLOSE " C_SOCK "\n");
    assert_string_equal(seen(), "1 2");
    assert_int_equal(map.sights[0].count, 1);
}

static void the_counts_leave_out_what_linux_cannot_take(void **data)
{
    (void)data;
    size_t total, possible = 0;
    const struct figure_arrow *arrows = figure_arrows(&total);
    for (size_t i = 0; i < total; i++) possible += !arrows[i].never;
    assert_int_equal(arrows_possible(1, FIGURE_DRAWN), FIGURE_DRAWN - 1);
    assert_true(possible < total);
    assert_int_equal(arrows_possible(1, FIGURE_MAX), possible);
    assert_int_equal(arrows_possible(total, total), !arrows[total - 1].never); /* the last one counts as the others do */
    assert_int_equal(arrows_possible(total + 1, FIGURE_MAX), 0);
    take("shake", TRACE HANDSHAKE);
    assert_int_equal(arrows_seen(&map, 1, FIGURE_MAX), 4);
    assert_int_equal(arrows_seen(&map, 6, 9), 1);
    assert_int_equal(arrows_seen(&map, 6, 8), 0);
    map.sights[FIGURE_MAX - 1].count = 1;
    assert_int_equal(arrows_seen(&map, 1, FIGURE_MAX), 5);
    assert_int_equal(arrows_seen(&map, FIGURE_MAX, FIGURE_MAX + 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_handshake_shows_four_arrows_and_five_states, empty),
        cmocka_unit_test_setup(a_close_of_four_segments_shows_both_ways_down, empty),
        cmocka_unit_test_setup(a_fin_that_acknowledges_ours_is_note_2_too, empty),
        cmocka_unit_test_setup(crossing_fins_pass_closing, empty),
        cmocka_unit_test_setup(the_timer_of_an_orphan_is_not_what_the_kernel_reported_before, empty),
        cmocka_unit_test_setup(the_strongest_evidence_is_kept_and_all_are_counted, empty),
        cmocka_unit_test_setup(a_listening_socket_tells_in_its_own_events, empty),
        cmocka_unit_test_setup(the_counts_leave_out_what_linux_cannot_take, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
