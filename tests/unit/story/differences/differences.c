/* Where Linux is not the RFC: every rule by a story that shows it, and by stories that lack what would show it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story/differences/differences.h"
#include "support/lines.h"
#include "support/tell.h"

#define KERNEL(t, side, from, to, chain) "state t=" #t US " netns=9 from=" from " to=" to " " side chain "\n"
#define LISTENER "sock.cookie=6 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"
#define S_CALL CALL(1030, 1040, S_THREAD, "read", S_SOCK)
#define C_CALL CALL(1030, 1040, C_THREAD, "write", C_SOCK)
#define S_ACK_OF_FIN "flags=. seq=501 ack=102"
#define S_FIN "flags=F. seq=501 ack=102"
#define C_LAST_ACK "flags=. seq=102 ack=502"
#define CLOSED_BY_CLIENT PACKET(2000, C, C_FIN) PACKET(2010, S, S_ACK_OF_FIN) PACKET(2020, S, S_FIN) PACKET(2030, C, C_LAST_ACK)
#define SYN_AGAIN "flags=S seq=90000"

struct difference_case {
    const char *id;
    enum story_side side; /* of the first step that shows it */
    bool shown;
    const char *words; /* in the sentence */
    const char *text;
};

static const struct difference_case cases[] = {
    {"linux-request-socket", STORY_SERVER, true, "only at the handshake's last ACK",
     TRACE HANDSHAKE KERNEL(1021, S_SOCK, "LISTEN", "SYN_RECV", "")},
    {"linux-request-socket", STORY_SERVER, true, "no SYN_RECV at all",
     TRACE CALL(900, 910, S_THREAD, "listen", LISTENER) PACKET(1000, C, SYN) KERNEL(1001, C_SOCK, "CLOSE", "SYN_SENT", "")
         PACKET(1010, S, SYN_ACK)},
    {"linux-request-socket", STORY_SERVER, false, NULL, /* no kernel's word of anything */
     TRACE CALL(900, 910, S_THREAD, "listen", LISTENER) PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK)},
    {"linux-request-socket", STORY_SERVER, false, NULL, TRACE HANDSHAKE},
    {"linux-request-socket", STORY_SERVER, false, NULL,
     TRACE HANDSHAKE KERNEL(1021, S_SOCK, "LISTEN", "SYN_RECV", " chain=tcp_get_cookie_sock;cookie_v4_check;tcp_v4_rcv")},
    {"linux-syn-cookie", STORY_SERVER, true, "in nobody's memory",
     TRACE HANDSHAKE KERNEL(1021, S_SOCK, "LISTEN", "SYN_RECV", " chain=tcp_get_cookie_sock;cookie_v4_check;tcp_v4_rcv")},
    {"linux-syn-cookie", STORY_SERVER, false, NULL,
     TRACE HANDSHAKE KERNEL(1021, S_SOCK, "LISTEN", "SYN_RECV", " chain=tcp_check_req;tcp_v4_rcv")},
    {"linux-timewait-socket", STORY_CLIENT, true, "never reports TIME_WAIT",
     TRACE HANDSHAKE C_CALL CLOSED_BY_CLIENT KERNEL(2025, C_SOCK, "FIN_WAIT2", "CLOSE", "")},
    {"linux-timewait-socket", STORY_CLIENT, false, NULL, TRACE HANDSHAKE C_CALL CLOSED_BY_CLIENT},
    {"linux-timewait-socket", STORY_CLIENT, false, NULL,
     TRACE HANDSHAKE C_CALL CLOSED_BY_CLIENT KERNEL(2015, C_SOCK, "FIN_WAIT2", "CLOSE", "")},
    {"linux-orphan", STORY_CLIENT, true, "long before the RFC's end",
     TRACE HANDSHAKE C_CALL CLOSED_BY_CLIENT KERNEL(2015, C_SOCK, "FIN_WAIT2", "CLOSE", "")},
    {"linux-orphan", STORY_CLIENT, false, NULL,
     TRACE HANDSHAKE C_CALL CLOSED_BY_CLIENT KERNEL(2025, C_SOCK, "FIN_WAIT2", "CLOSE", "")},
    {"linux-orphan", STORY_CLIENT, false, NULL, /* a RST ended it */
     TRACE HANDSHAKE C_CALL PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=R. seq=501 ack=102")
         KERNEL(2011, C_SOCK, "FIN_WAIT1", "CLOSE", "")},
    {"linux-orphan", STORY_CLIENT, false, NULL, /* an abort: the report comes before the RST */
     TRACE HANDSHAKE C_CALL PACKET(2000, C, C_FIN) KERNEL(2011, C_SOCK, "FIN_WAIT1", "CLOSE", " chain=tcp_disconnect;__tcp_close")
         PACKET(2012, C, "flags=R. seq=102 ack=501")},
    {"linux-orphan", STORY_CLIENT, true, "long before the RFC's end",
     TRACE HANDSHAKE C_CALL CLOSED_BY_CLIENT KERNEL(2015, C_SOCK, "FIN_WAIT2", "CLOSE", " chain=tcp_done;tcp_time_wait;tcp_close")},
    /* Its peer's FIN may have come, and not been captured: only a chain without tcp_fin(), or that FIN later, shows the orphan. */
    {"linux-orphan", STORY_CLIENT, false, NULL,
     TRACE HANDSHAKE C_CALL PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=. seq=501 ack=102")
         KERNEL(2015, C_SOCK, "FIN_WAIT2", "CLOSE", "")},
    {"linux-orphan", STORY_CLIENT, false, NULL,
     TRACE HANDSHAKE C_CALL PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=. seq=501 ack=102")
         KERNEL(2015, C_SOCK, "FIN_WAIT2", "CLOSE", " chain=tcp_done;tcp_time_wait;tcp_fin;tcp_data_queue;tcp_rcv_state_process")},
    {"linux-orphan", STORY_CLIENT, true, "long before the RFC's end",
     TRACE HANDSHAKE C_CALL PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=. seq=501 ack=102")
         KERNEL(2015, C_SOCK, "FIN_WAIT2", "CLOSE", " chain=tcp_done;tcp_time_wait;tcp_rcv_state_process;tcp_v4_do_rcv")},
    {"linux-time-wait-length", STORY_CLIENT, true, "60 seconds", TRACE HANDSHAKE C_CALL CLOSED_BY_CLIENT},
    {"linux-time-wait-length", STORY_CLIENT, false, NULL, TRACE HANDSHAKE CLOSED_BY_CLIENT}, /* whose kernel? */
    {"linux-time-wait-length", STORY_CLIENT, false, NULL, /* the FIN came again unacknowledged: it may never have come */
     TRACE HANDSHAKE C_CALL PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=. seq=501 ack=102") PACKET(2020, S, S_FIN)
         PACKET(302020, S, S_FIN)},
    {"linux-ack-on-fin", STORY_SERVER, true, "three segments",
     TRACE HANDSHAKE S_CALL PACKET(2000, C, C_FIN) PACKET(2020, S, S_FIN) PACKET(2030, C, C_LAST_ACK)},
    {"linux-ack-on-fin", STORY_SERVER, false, NULL, TRACE HANDSHAKE S_CALL CLOSED_BY_CLIENT},
    {"linux-delayed-ack", STORY_SERVER, true, "for 40 ms",
     TRACE HANDSHAKE PACKET(2000, C, C_DATA)
         MARK(42000, S, "flags=. seq=501 ack=106", C_CUR "softirq=1 " S_SOCK " chain=tcp_delack_timer;call_timer_fn")
             PACKET(42001, S, "flags=. seq=501 ack=106")},
    {"linux-delayed-ack", STORY_SERVER, false, NULL, /* a read() may have made room */
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(42000, S, "flags=. seq=501 ack=106")},
    {"linux-delayed-ack", STORY_SERVER, false, NULL,
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, "flags=. seq=501 ack=106")},
    {"linux-time-wait-reuse", STORY_CLIENT, true, "sequence number",
     TRACE HANDSHAKE PACKET(2000, S, "flags=F. seq=501 ack=101") PACKET(2010, C, "flags=F. seq=101 ack=502")
         PACKET(2020, S, "flags=. seq=502 ack=102") PACKET(9000, C, SYN_AGAIN)},
    {"linux-time-wait-reuse", STORY_CLIENT, true, "timestamp is newer",
     TRACE HANDSHAKE PACKET(2000, S, "flags=F. seq=501 ack=101") PACKET(2010, C, "flags=F. seq=101 ack=502")
         PACKET(2020, S, "flags=. seq=502 ack=102") PACKET(9000, C, SYN_AGAIN " opt=ts opt.ts_value=9 opt.ts_echo=0")},
    {"linux-time-wait-reuse", STORY_CLIENT, true, "its own TIME_WAIT",
     TRACE HANDSHAKE CLOSED_BY_CLIENT PACKET(9000, C, SYN_AGAIN " opt=ts opt.ts_value=9 opt.ts_echo=0")},
    {"linux-time-wait-reuse", STORY_CLIENT, false, NULL, /* without time stamps Linux does not open out of it */
     TRACE HANDSHAKE CLOSED_BY_CLIENT PACKET(9000, C, SYN_AGAIN)},
    {"linux-time-wait-reuse", STORY_CLIENT, false, NULL, /* nobody waits behind a RST */
     TRACE HANDSHAKE PACKET(2000, C, "flags=R. seq=101 ack=501") PACKET(9000, C, SYN_AGAIN)},
    {"linux-fin-wait-2-timeout", STORY_CLIENT, true, "tcp_fin_timeout",
     TRACE HANDSHAKE C_CALL PACKET(2000, C, C_FIN) PACKET(2010, S, S_ACK_OF_FIN)
         KERNEL(9000, C_SOCK, "FIN_WAIT2", "CLOSE", " chain=tcp_done;tcp_keepalive_timer;call_timer_fn")},
    {"linux-fin-wait-2-timeout", STORY_CLIENT, false, NULL, TRACE HANDSHAKE C_CALL CLOSED_BY_CLIENT},
};

static const struct story_difference *find(const struct told *told, const char *id, const struct story **ret_story)
{
    for (size_t i = 0; i < told->count; i++)
        for (size_t k = 0; k < told->stories[i]->difference_count; k++)
            if (strcmp(told->stories[i]->differences[k].id, id) == 0) {
                *ret_story = told->stories[i];
                return &told->stories[i]->differences[k];
            }
    return NULL;
}

static void each_rule_tells_where_it_shows_and_only_there(void **data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct difference_case *c = &cases[i];
        struct told *told = tell_text(c->text, 0);
        const struct story *story = NULL;
        const struct story_difference *found = find(told, c->id, &story);
        if (!found != !c->shown) fail_msg("case %zu: %s is %s", i, c->id, found ? "told where nothing shows it" : "not told");
        if (found) {
            if (!strstr(found->text, c->words)) fail_msg("case %zu: %s says \"%s\"", i, c->id, found->text);
            assert_true(found->step_count > 0);
            for (size_t k = 0; k < found->step_count; k++) assert_true(found->steps[k] < story->step_count);
            if (story->steps[found->steps[0]].side != c->side) fail_msg("case %zu: %s is told of the wrong end", i, c->id);
            assert_true(strlen(found->reference) > 10);
        }
        told_free(told);
    }
}

/* Both have data that the other owes an ACK; one of them waited with it. */
static void a_delayed_ack_is_told_of_the_end_that_delayed_it(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE HANDSHAKE PACKET(1500, S, S_DATA) PACKET(1510, C, "flags=. seq=101 ack=506")
            PACKET(2000, C, "flags=P. seq=101 ack=506 len=5")
                MARK(42000, S, "flags=. seq=506 ack=106", C_CUR "softirq=1 " S_SOCK " chain=tcp_delack_timer;call_timer_fn")
                    PACKET(42001, S, "flags=. seq=506 ack=106"),
        0);
    const struct story *story = told->stories[0];
    size_t count = 0;
    for (size_t i = 0; i < story->difference_count; i++) count += strcmp(story->differences[i].id, "linux-delayed-ack") == 0;
    assert_int_equal(count, 1);
    told_free(told);
}

static void every_rule_has_a_case_that_shows_it_and_one_that_does_not(void **data)
{
    (void)data;
    for (size_t rule = 0; differences_id(rule); rule++) {
        bool shown = false, silent = false;
        assert_int_equal(strncmp(differences_id(rule), "linux-", 6), 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
            if (strcmp(cases[i].id, differences_id(rule)) == 0) *(cases[i].shown ? &shown : &silent) = true;
        if (!shown || !silent) fail_msg("%s lacks a case", differences_id(rule));
    }
}

static void a_capture_without_a_kernels_word_tells_none(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE CLOSED_BY_CLIENT, 0);
    assert_int_equal(told->count, 1);
    assert_int_equal(told->stories[0]->difference_count, 0);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_tells_where_it_shows_and_only_there),
        cmocka_unit_test(a_delayed_ack_is_told_of_the_end_that_delayed_it),
        cmocka_unit_test(every_rule_has_a_case_that_shows_it_and_one_that_does_not),
        cmocka_unit_test(a_capture_without_a_kernels_word_tells_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
