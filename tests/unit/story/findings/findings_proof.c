/* What a finding's sentence says, and which steps prove it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "finding_lines.h"
#include "findings_own.h"
#include "support/tell.h"

/* Its calls say where the time went, if one of them read the request: not one that had returned before it came. */
void a_slow_answer_s_calls_are_those_between_request_and_answer(void **data)
{
    (void)data;
#define TAKES(from, to, name)                                                                                                      \
    ENTER(from, S_THREAD, name, S_SOCK, "")                                                                                        \
    "exit t=" #to US " " S_THREAD "name=" name " fd=3 how=-1 level=-1 slept=-1 ret=5 " S_SOCK "\n"
#define SLOW_ANSWER PACKET(502000, S, "flags=P. seq=501 ack=106 len=5 win=512")
    static const struct {
        const char *text, *says;
    } answers[] = {
        {TRACE OPEN PACKET(2000, C, C_DATA ROOM) TAKES(12000, 22000, "read") TAKES(501000, 503000, "write") SLOW_ANSWER,
         "it lay unread for 20 ms, and read() returned 479 ms before write() was called"},
        {TRACE OPEN TAKES(1500, 1999, "read") PACKET(2000, C, C_DATA ROOM) TAKES(501000, 503000, "write") SLOW_ANSWER, NULL},
        {TRACE OPEN PACKET(2000, C, C_DATA ROOM) TAKES(2100, 2200, "write") TAKES(501000, 503000, "write") SLOW_ANSWER, NULL},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct told *told = tell_text(answers[i].text, 0);
        const struct story *story = told->stories[0];
        const struct story_finding *found = NULL;
        for (size_t k = 0; k < story->finding_count; k++)
            if (strcmp(story->findings[k].id, "slow-answer") == 0) found = &story->findings[k];
        assert_non_null(found);
        const char *unread = strstr(found->text, "it lay unread");
        if (!unread != !answers[i].says || (unread && strcmp(unread, answers[i].says) != 0))
            fail_msg("case %zu: %s", i, found->text);
        told_free(told);
    }
}

/* Seen from one place that is not the server's, a first answer may have been lost before it came there, and been sent again. */
void a_slow_answer_may_have_been_lost_where_nobody_watched_the_server(void **data)
{
    (void)data;
#define SLOW_ON_A_WIRE                                                                                                             \
    PACKET(1000, WC, SYN ROOM)                                                                                                     \
    PACKET(1010, WS, SYN_ACK ROOM)                                                                                                 \
    PACKET(1020, WC, HANDSHAKE_ACK ROOM)                                                                                           \
    PACKET(2000, WC, C_DATA ROOM) PACKET(512000, WS, "flags=P. seq=501 ack=106 len=5 win=512")
    static const struct {
        const char *text;
        bool says;
    } answers[] = {
        {TRACE SLOW_ON_A_WIRE, true},
        {"# tcpwhy events 1\ntrace t=1 recorder=test ports=3333\nvantage t=1 vantage=1 netns=9 name=eth0 "
         "v4=192.0.2.2:0\n" SLOW_ON_A_WIRE,
         false},
        {TRACE CALL(1500, 1510, S_THREAD, "read", WS_SOCK) SLOW_ON_A_WIRE, false},
        {TRACE OPEN PACKET(2000, C, C_DATA ROOM) SLOW_ANSWER, false}, /* the loopback loses nothing */
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct told *told = tell_text(answers[i].text, 0);
        const struct story_finding *found = NULL;
        for (size_t k = 0; k < told->stories[0]->finding_count; k++)
            if (strcmp(told->stories[0]->findings[k].id, "slow-answer") == 0) found = &told->stories[0]->findings[k];
        if (!found) fail_msg("case %zu: not found", i);
        bool says = strstr(found->text, "; or a first answer was lost before it came here, and was sent again") != NULL;
        if (says != answers[i].says) fail_msg("case %zu: %s", i, found->text);
        told_free(told);
    }
}

/* One finding tells of both ends: its second would be dropped. */
void a_close_that_was_not_the_last_is_told_of_both_ends(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE LISTEN CALL(990, 1025, C_THREAD, "connect", C_SOCK) HANDSHAKE ACCEPT(
                      1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n"
                                 "enter t=1110000 pid=11 tid=11 comm=kid name=pidfd_getfd fd=-1 how=-1 level=-1 args=\"8, 3, 0\"\n"
                                 "exit t=1111000 pid=11 tid=11 comm=kid name=pidfd_getfd fd=-1 how=-1 level=-1 slept=-1 ret=9 "
                                 "other.cookie=7 other.proto=tcp\n"
                                 "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                 "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK
                                 "\n" CALL(1300, 1310, C_THREAD, "close", C_SOCK),
                  0);
    const struct story *story = told->stories[0];
    const struct story_finding *found = NULL;
    for (size_t i = 0; i < story->finding_count; i++)
        if (strcmp(story->findings[i].id, "close-not-last") == 0) found = &story->findings[i];
    assert_non_null(found);
    assert_int_equal(found->step_count, 2);
    assert_non_null(strstr(found->text, "close(3) of client[10] sent nothing: kid[11] still holds"));
    assert_non_null(
        strstr(found->text, ". The same at the other end: close(4) of server[20] sent nothing: worker[21] still holds"));
    told_free(told);
}

/* Whose patience it was: the kernel's is known by ETIMEDOUT. */
void who_gave_an_unanswered_syn_up_is_named(void **data)
{
    (void)data;
#define SYNS ENTER(999, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN) PACKET(1001000, C, SYN)
#define CLOSES_IN(state) CLOSE(2001000, 2001010, C_THREAD, C_SOCK " sock.state=" state, "")
    static const struct {
        const char *text;
        bool says;
    } attempts[] = {{TRACE SYNS CLOSES_IN("SYN_SENT"), true},
                    {TRACE SYNS CLOSES_IN("CLOSE"), false}, /* the kernel was quicker */
                    {TRACE SYNS, false}};
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        struct told *told = tell_text(attempts[i].text, 0);
        assert_int_equal(told->stories[0]->finding_count > 0, 1);
        const struct story_finding *found = &told->stories[0]->findings[0];
        bool says =
            strstr(found->text, "; client waited no longer than 2.00 s and closed, while the kernel was still trying") != NULL;
        if (says != attempts[i].says) fail_msg("case %zu: %s: %s", i, found->id, found->text);
        assert_int_equal(found->step_count, says ? 3 : 2);
        told_free(told);
    }
}

/* Others may end about the same time. */
void the_listener_s_own_end_is_the_proof_that_it_was_gone(void **data)
{
    (void)data;
    struct told *told = tell_text(
        UNFILTERED LISTEN PACKET(1000, C, SYN) CALL(1005, 1006, C_THREAD, "getpeername", C_SOCK)
            PACKET(1010, S, SYN_ACK) "process t=1015000 " S_THREAD "change=exit status=-1 signal=9\n" PACKET(1020, C, HANDSHAKE_ACK)
                PACKET(1030, S, "flags=R seq=501") "process t=1040000 " C_THREAD "change=exit status=0 signal=0\n",
        0);
    const struct story *story = told->stories[0];
    const struct story_finding *found = NULL;
    size_t ends = 0;
    for (size_t i = 0; i < story->finding_count; i++)
        if (strcmp(story->findings[i].id, "listener-gone") == 0) found = &story->findings[i];
    for (size_t i = 0; i < story->step_count; i++) ends += story->steps[i].kind == STEP_PROCESS_EXIT;
    assert_int_equal(ends, 2);
    assert_non_null(found);
    assert_int_equal(found->step_count, 3);
    assert_int_equal(story->steps[found->steps[0]].kind, STEP_PROCESS_EXIT);
    assert_int_equal(story->steps[found->steps[0]].exit->process.pid, 20);
    told_free(told);
}
