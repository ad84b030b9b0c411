/* The same addresses and ports in several networks of one host: connections of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/text.h"
#include "support/lines.h"
#include "support/tell.h"

/* Each end's kernel marks what it sends, in its own network; client ISN and server ISN are given. */
#define IN(t, network, from, what) "mark t=" #t US " netns=" #network " " from what "\n"
#define OPENS(t1, t2, t3, near, far, c, c1, s, s1)                                                                                 \
    IN(t1, near, WC, "flags=S seq=" #c)                                                                                            \
    IN(t2, far, WS, "flags=S. seq=" #s " ack=" #c1) IN(t3, near, WC, "flags=. seq=" #c1 " ack=" #s1)
#define CLOSES(t1, t2, t3, near, far, c1, c2, s1, s2)                                                                              \
    IN(t1, near, WC, "flags=F. seq=" #c1 " ack=" #s1)                                                                              \
    IN(t2, far, WS, "flags=F. seq=" #s1 " ack=" #c2) IN(t3, near, WC, "flags=. seq=" #c2 " ack=" #s2)
#define HERE "# tcpwhy events 1\ntrace t=1 recorder=bpf\n"
#define FIRST_OPENS OPENS(1000, 1010, 1020, 1, 2, 100, 101, 500, 501)
#define FIRST_CLOSES CLOSES(1500, 1510, 1520, 1, 2, 101, 102, 501, 502)
#define FIRST FIRST_OPENS FIRST_CLOSES
/* The kernel draws numbers for equal addresses that are ahead by the time that has passed. */
#define OTHER_OPENS(near, far) OPENS(1200, 1210, 1220, near, far, 3225, 3226, 3625, 3626)
#define OTHER_CLOSES(near, far) CLOSES(1600, 1610, 1620, near, far, 3226, 3227, 3626, 3627)
#define LATER(near, far)                                                                                                           \
    OPENS(3200, 3210, 3220, near, far, 900000, 900001, 800000, 800001)                                                             \
    CLOSES(3600, 3610, 3620, near, far, 900001, 900002, 800001, 800002)

static bool has_finding(const struct story *story, const char *id)
{
    for (uint32_t i = 0; i < story->finding_count; i++)
        if (strcmp(story->findings[i].id, id) == 0) return true;
    return false;
}

static uint32_t segments_of(const struct story *story)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < story->step_count; i++) count += story->steps[i].kind == STEP_SEGMENT;
    return count;
}

/* Two stories of six segments each. */
static struct told *two_of_six(const char *text)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(told->count, 2);
    for (size_t i = 0; i < 2; i++) assert_int_equal(segments_of(told->stories[i]), 6);
    return told;
}

static void who_has_these_addresses_in_another_network_uses_none_of_ours_again(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool again;
    } cases[] = {
        {HERE FIRST LATER(1, 2), true},
        {HERE FIRST LATER(3, 4), false},
        {HERE FIRST LATER(0, 0), true}, /* where that was nobody knows */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = two_of_six(cases[i].text);
        assert_int_equal(has_finding(told->stories[1], "time-wait-reuse"), cases[i].again);
        told_free(told);
    }
}

static void the_same_ends_in_two_pairs_of_networks_are_two_connections_at_once(void **state)
{
    (void)state;
    static const char *const cases[] = {
        HERE FIRST_OPENS OTHER_OPENS(3, 4) FIRST_CLOSES OTHER_CLOSES(3, 4),
        HERE FIRST_OPENS OTHER_OPENS(3, 4) OTHER_CLOSES(3, 4) CLOSES(1700, 1710, 1720, 1, 2, 101, 102, 501, 502),
        /* the two handshakes go through each other */
        HERE IN(1000, 1, WC, "flags=S seq=100") IN(1001, 3, WC, "flags=S seq=3225") IN(1002, 4, WS, "flags=S. seq=3625 ack=3226")
            IN(1003, 2, WS, "flags=S. seq=500 ack=101") IN(1004, 1, WC, "flags=. seq=101 ack=501")
                IN(1005, 3, WC, "flags=. seq=3226 ack=3626") FIRST_CLOSES OTHER_CLOSES(3, 4),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = two_of_six(cases[i]);
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(told->stories[j]->outcome, OUTCOME_CLOSED);
            assert_int_equal(told->stories[j]->finding_count, 0);
        }
        told_free(told);
    }
}

/* A bridge, or a router, in a network that passes on what both say: seen there, a segment is of the one that sent it. */
static void a_network_that_passes_both_on_joins_nothing(void **state)
{
    (void)state;
#define PASSES(t, from, what) "packet t=" #t US " vantage=1 number=1 " from what "\n"
    struct told *told =
        two_of_six(HERE "vantage t=1 vantage=1 netns=7 name=bridge\n" FIRST_OPENS PASSES(1021, WC, "flags=. seq=101 ack=501")
                       OTHER_OPENS(3, 4) PASSES(1221, WC, "flags=S seq=3225") PASSES(1222, WC, "flags=. seq=3226 ack=3626")
                           FIRST_CLOSES PASSES(1521, WC, "flags=F. seq=101 ack=501") OTHER_CLOSES(3, 4));
    told_free(told);
}

struct numbers {
    uint32_t connections, sequels;
};

static int keep_number(void *data, struct story *story)
{
    struct numbers *numbers = data;
    if (story->number > numbers->connections) numbers->connections = story->number;
    numbers->sequels += story->sequel;
    story_free(story);
    return 0;
}

static struct numbers numbers_of(const char *text, const struct teller_bounds *bounds)
{
    struct numbers numbers = {0};
    struct event_log *log = event_log_new();
    struct teller *teller = teller_new(keep_number, &numbers);
    struct err err = {0};
    assert_non_null(log);
    assert_non_null(teller);
    teller_set_bounds(teller, bounds);
    if (event_text_read("text", text, strlen(text), log, &err)) fail_msg("%s", err.text);
    event_log_sort(log);
    for (size_t i = 0; i < event_log_count(log); i++) assert_int_equal(teller_feed(teller, event_log_at(log, i)), 0);
    assert_int_equal(teller_finish(teller), 0);
    teller_free(teller);
    event_log_free(log);
    return numbers;
}

/* Time goes on with something else: what is over is told. */
#define TICK IN(1900, 5, UDP_C, "len=5")

/* What was told already is known by its network, too. */
static void a_straggler_is_of_the_connection_of_its_own_network(void **state)
{
    (void)state;
    static const struct teller_bounds quick = {.quiet_ns = 200000, .closed_max = 8};
    static const struct {
        const char *text;
        uint32_t connections, sequels; /* the TICK's among them */
    } cases[] = {
        {HERE FIRST TICK IN(2000, 9, WS, "flags=F. seq=501 ack=102"), 3, 0},                   /* elsewhere nobody is known */
        {HERE FIRST TICK IN(2000, 2, WS, "flags=F. seq=501 ack=102"), 2, 1},                   /* the FIN comes again */
        {HERE FIRST TICK LATER(3, 4) IN(4000, 4, WS, "flags=F. seq=800001 ack=900002"), 3, 0}, /* the newer, not told yet */
        {HERE FIRST TICK OPENS(2200, 2210, 2220, 3, 4, 3225, 3226, 3625, 3626) IN(2300, 2, WS, "flags=F. seq=501 ack=102"), 3, 1},
        {HERE FIRST_OPENS OTHER_OPENS(3, 4) OTHER_CLOSES(3, 4) TICK IN(2000, 4, WS, "flags=F. seq=3626 ack=3227"), 3, 1},
        {HERE FIRST_OPENS OTHER_OPENS(3, 4) OTHER_CLOSES(3, 4) TICK IN(2000, 3, WC, "flags=. seq=3227 ack=3627"), 3, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct numbers numbers = numbers_of(cases[i].text, &quick);
        assert_int_equal(numbers.connections, cases[i].connections);
        assert_int_equal(numbers.sequels, cases[i].sequels);
    }
}

/* The other network's server listens, accepts and is asked for at the same address and port. */
static void nothing_is_told_of_the_other_network_s_sockets(void **state)
{
    (void)state;
#define LISTENS(t, network, who, cookie)                                                                                           \
    "state t=" #t "000 from=CLOSE to=LISTEN netns=" #network " sock.cookie=" #cookie                                               \
    " sock.proto=tcp sock.local=192.0.2.2:3333\nenter t=" #t "100 " who "name=listen fd=3 how=-1 level=-1 sock.cookie=" #cookie    \
    " sock.proto=tcp sock.local=192.0.2.2:3333\nexit t=" #t "200 " who                                                             \
    "name=listen fd=3 how=-1 level=-1 slept=-1 sock.cookie=" #cookie                                                               \
    " sock.proto=tcp sock.local=192.0.2.2:3333 sock.state=LISTEN\n"
    struct told *told = two_of_six(HERE LISTENS(500, 4, "pid=40 tid=40 comm=other ", 5) LISTENS(600, 2, S_THREAD, 6)
                                       FIRST_OPENS OTHER_OPENS(3, 4) FIRST_CLOSES OTHER_CLOSES(3, 4));
    for (size_t i = 0; i < 2; i++) {
        const struct story_call *listens = told_call(told->stories[i], STORY_SERVER, "listen", 1);
        assert_string_equal(listens->comm, i == 0 ? "server" : "other");
    }
    told_free(told);
}

/* Without the kernel's states the call that made the socket says where it is. */
static void a_listener_is_where_it_was_made(void **state)
{
    (void)state;
#define MAKES(t, network, who, cookie)                                                                                             \
    "exit t=" #t US " " who "name=socket fd=-1 ret=3 how=-1 level=-1 slept=-1 sock.cookie=" #cookie                                \
    " sock.proto=tcp sock.netns=" #network "\n"
#define LISTENED(t, who, cookie)                                                                                                   \
    "exit t=" #t US " " who "name=listen fd=3 how=-1 level=-1 slept=-1 sock.cookie=" #cookie                                       \
    " sock.proto=tcp sock.local=192.0.2.2:3333 sock.state=LISTEN\n"
    struct told *told = two_of_six(HERE MAKES(400, 4, "pid=40 tid=40 comm=other ", 5) LISTENED(500, "pid=40 tid=40 comm=other ", 5)
                                       MAKES(600, 2, S_THREAD, 6) LISTENED(700, S_THREAD, 6) FIRST_OPENS OTHER_OPENS(3, 4)
                                           FIRST_CLOSES OTHER_CLOSES(3, 4));
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(told_call(told->stories[i], STORY_SERVER, "listen", 1)->comm, i == 0 ? "server" : "other");
    told_free(told);
}

/* A socket's states are of its own network's connection. */
static void a_socket_is_an_end_where_it_is(void **state)
{
    (void)state;
#define TURNS(t, network, cookie, change)                                                                                          \
    "state t=" #t US " netns=" #network " sock.cookie=" #cookie                                                                    \
    " sock.proto=tcp sock.local=192.0.2.1:40000 sock.remote=192.0.2.2:3333 " change "\n"
    struct told *told = two_of_six(HERE FIRST TURNS(3100, 3, 9, "from=CLOSE to=SYN_SENT") LATER(3, 4));
    assert_int_equal(told->stories[0]->end[STORY_CLIENT].cookie, 0);
    assert_int_equal(told->stories[1]->end[STORY_CLIENT].cookie, 9);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_these_addresses_in_another_network_uses_none_of_ours_again),
        cmocka_unit_test(the_same_ends_in_two_pairs_of_networks_are_two_connections_at_once),
        cmocka_unit_test(a_network_that_passes_both_on_joins_nothing),
        cmocka_unit_test(a_straggler_is_of_the_connection_of_its_own_network),
        cmocka_unit_test(nothing_is_told_of_the_other_network_s_sockets),
        cmocka_unit_test(a_listener_is_where_it_was_made),
        cmocka_unit_test(a_socket_is_an_end_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
