/* Open connections at a glance: what is said of each while nothing of it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event/log.h"
#include "event/text.h"
#include "story/tell/teller.h"
#include "support/lines.h"

struct glances {
    struct teller_glance last;
    size_t count;
};

static int keep_none(void *data, struct story *story)
{
    (void)data;
    story_free(story);
    return 0;
}

static void look(void *data, const struct teller_glance *glance)
{
    struct glances *glances = data;
    glances->last = *glance;
    glances->count++;
}

static struct glances glances_of(const char *text)
{
    struct glances glances = {.count = 0};
    struct event_log *log = event_log_new();
    struct teller *teller = teller_new(keep_none, NULL);
    struct err err = {0};
    assert_non_null(log);
    assert_non_null(teller);
    if (event_text_read("text", text, strlen(text), log, &err)) fail_msg("%s", err.text);
    event_log_sort(log);
    for (size_t i = 0; i < event_log_count(log); i++) assert_int_equal(teller_feed(teller, event_log_at(log, i)), 0);
    teller_glance_open(teller, look, &glances);
    teller_free(teller);
    event_log_free(log);
    return glances;
}

#define QUEUED(t, what, accept, dropped)                                                                                           \
    "queue t=" #t US " netns=9 " C what " sock.cookie=5 sock.proto=tcp sock.state=LISTEN accept=" accept                           \
    " accept_most=1 requests=0 dropped=" dropped "\n"
#define ASKS PACKET(1000, C, SYN)
#define ANSWERS PACKET(1010, S, SYN_ACK)

static void a_full_queue_is_seen_until_the_handshake_has_come_further(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t full_us;
        uint32_t queue;
    } cases[] = {
        {TRACE ASKS, 0, 0},
        {TRACE ASKS QUEUED(1001, SYN, "2", "0"), 1001, 2},
        {TRACE ASKS QUEUED(1001, SYN, "1", "0"), 0, 0},
        {TRACE ASKS QUEUED(1001, SYN, "2", "0") ANSWERS, 0, 0},
        {TRACE ASKS ANSWERS PACKET(1020, C, HANDSHAKE_ACK) QUEUED(1021, HANDSHAKE_ACK, "2", "1"), 1021, 2},
        {TRACE ASKS ANSWERS PACKET(1020, C, HANDSHAKE_ACK) QUEUED(1021, HANDSHAKE_ACK, "1", "1"), 0, 0},
        {TRACE ASKS QUEUED(1001, SYN, "2", "0") PACKET(1001000, C, SYN) QUEUED(1001001, SYN, "3", "0"), 1001001, 3},
        {TRACE ASKS QUEUED(1001, SYN, "2", "0") PACKET(1001000, C, SYN) QUEUED(1001001, SYN, "1", "0"), 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct glances glances = glances_of(cases[i].text);
        assert_int_equal(glances.count, 1);
        if (glances.last.full_ns != cases[i].full_us * 1000 || glances.last.queue != cases[i].queue)
            fail_msg("case %zu: %lld, %u", i, (long long)glances.last.full_ns, glances.last.queue);
    }
}

static void syns_that_nobody_answered_are_counted(void **state)
{
    (void)state;
    assert_int_equal(glances_of(TRACE ASKS).last.unanswered, 1);
    assert_int_equal(glances_of(TRACE ASKS PACKET(1001000, C, SYN)).last.unanswered, 2);
    assert_int_equal(glances_of(TRACE ASKS PACKET(1001000, C, SYN) PACKET(1001010, S, SYN_ACK)).last.unanswered, 0);
    assert_int_equal(glances_of(TRACE PACKET(1000, C, C_DATA)).last.unanswered, 0);
}

static void each_end_has_its_last_word_and_its_fin(void **state)
{
    (void)state;
    struct teller_glance glance = glances_of(TRACE ROOMY PACKET(2000, C, C_FIN " win=512") PACKET(2500, C, C_FIN " win=512")
                                                 PACKET(2600, S, "flags=. seq=501 ack=102 win=512"))
                                      .last;
    assert_int_equal(glance.start_ns, 1000000);
    assert_int_equal(glance.since_ns[STORY_CLIENT], 2500000);
    assert_int_equal(glance.since_ns[STORY_SERVER], 2600000);
    assert_int_equal(glance.fin_ns[STORY_CLIENT], 2000000);
    assert_int_equal(glance.fin_ns[STORY_SERVER], 0);
    assert_int_equal(glance.state[STORY_CLIENT], STATE_FIN_WAIT_2);
    assert_int_equal(glance.state[STORY_SERVER], STATE_CLOSE_WAIT);
}

static void a_window_is_shut_by_an_ack_behind_the_first_segment(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool shut;
    } cases[] = {
        {TRACE ROOMY PACKET(2000, C, C_DATA " win=512") PACKET(2010, S, "flags=. seq=501 ack=106 win=0"), true},
        {TRACE ROOMY PACKET(2000, C, C_DATA " win=512") PACKET(2010, S, "flags=. seq=501 ack=106 win=1"), false},
        {TRACE PACKET(1000, C, SYN " win=512") PACKET(1010, S, "flags=S. seq=500 ack=101 win=0"), false},
        {TRACE ROOMY PACKET(2010, S, "flags=R. seq=501 ack=101 win=0"), false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct teller_glance glance = glances_of(cases[i].text).last;
        if (glance.shut[STORY_SERVER] != cases[i].shut) fail_msg("case %zu", i);
        assert_false(glance.shut[STORY_CLIENT]);
    }
}

static void datagrams_are_not_looked_at(void **state)
{
    (void)state;
    assert_int_equal(glances_of(TRACE PACKET(1000, UDP_C, "len=3")).count, 0);
    assert_int_equal(glances_of(TRACE HANDSHAKE PACKET(1500, WC, SYN)).count, 2);
}

static void whose_it_is_the_last_call_tells(void **state)
{
    (void)state;
    struct teller_glance glance = glances_of(TRACE HANDSHAKE CALL(1100, 1101, C_THREAD, "getsockopt", C_SOCK)).last;
    assert_int_equal(glance.process[STORY_CLIENT].pid, 10);
    assert_int_equal(glance.process[STORY_SERVER].pid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_is_seen_until_the_handshake_has_come_further),
        cmocka_unit_test(syns_that_nobody_answered_are_counted),
        cmocka_unit_test(each_end_has_its_last_word_and_its_fin),
        cmocka_unit_test(a_window_is_shut_by_an_ack_behind_the_first_segment),
        cmocka_unit_test(datagrams_are_not_looked_at),
        cmocka_unit_test(whose_it_is_the_last_call_tells),
    };
    return cmocka_run_group_tests_name("glance", tests, NULL, NULL);
}
