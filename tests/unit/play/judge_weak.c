/* What a weak recorder can't show, and rules that never acted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "judge_own.h"
#include "play/judge/judge.h"
#include "support/lines.h"
#include "support/tell.h"

#define UNKNOWN_FIN TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "") PACKET(2000, C, C_FIN)

void what_a_weak_recorder_can_t_show_is_unknown_and_not_wrong(void **data)
{
    (void)data;
    struct play weak = all_went_well("ptrace"), strong = all_went_well("bpf");
    const char *fin = "expect cause of FIN from client: call close", *why = "nothing that was recorded explains it";
    expect_of(fin, &weak, UNKNOWN_FIN, JUDGE_UNKNOWN, why);
    expect_of(fin, &strong, UNKNOWN_FIN, JUDGE_UNMET, "it was unknown (evidence: none): nothing that was recorded explains it");
    expect_of("expect cause of FIN from client: unknown", &weak, UNKNOWN_FIN, JUDGE_MET, NULL);
    /* a wrong one stays wrong */
    expect_of("expect cause of SYN from client: call send", &weak, STORY, JUDGE_UNMET,
              "it was call connect (evidence: interval): sent by connect(3) of client: the active open");

    expect_of("expect finding syn-cookies", &weak, STORY, JUDGE_UNKNOWN, "only the kernel shows it");
    expect_of("expect finding syn-cookies", &strong, STORY, JUDGE_UNMET,
              "found were: closed-by-signal, orphaned-socket, retransmitted");
    expect_of("expect finding refused", &weak, STORY, JUDGE_UNMET, "found were: closed-by-signal, orphaned-socket, retransmitted");

    expect_of("expect client send woken by RST", &weak, STORY, JUDGE_UNKNOWN, "this recorder doesn't see what wakes a call");
    expect_of("expect client close never slept", &weak, STORY, JUDGE_UNKNOWN, "this recorder saw no such call");
    expect_of("expect client connect woken by RST", &weak, STORY, JUDGE_UNMET, "segment: the SYN-ACK (#2) answered the SYN");
}

void an_end_in_silence_is_unknown_to_a_weak_recorder_and_no_other_end_is(void **data)
{
    (void)data;
    struct play weak = all_went_well("ptrace"), strong = all_went_well("bpf");
    const char *silent = "expect client states CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSED";
    expect_of(silent, &weak, STORY, JUDGE_UNKNOWN,
              "neither a segment nor a call shows the end of a connection that is given up in silence");
    expect_of(silent, &strong, STORY, JUDGE_UNMET, "it passed CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1");
    expect_of("expect client states CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2", &weak, STORY, JUDGE_UNMET,
              "it passed CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1");
    expect_of("expect client states CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED", &weak, STORY, JUDGE_UNMET,
              "it passed CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1");
    expect_of("expect client states CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSED SYN_SENT", &weak, STORY, JUDGE_UNMET,
              "it passed CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1");
    expect_of("expect client states CLOSED SYN_SENT ESTABLISHED CLOSED", &weak, STORY, JUDGE_UNMET,
              "it passed CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1");
}

void a_failure_that_no_line_expects_is_a_finding_of_its_own(void **data)
{
    (void)data;
    size_t count;
    struct play play = all_went_well("bpf");
    play.steps[SEND_STEP].ret = -EPIPE;
    struct verdict got = judged(STEPS "expect client connect succeeds\n", &play, STORY, 1, &count);
    assert_int_equal(count, 2);
    assert_int_equal(got.verdict, JUDGE_UNMET);
    assert_int_equal(got.line, 5);
    assert_string_equal(got.text, "'client send \"hello\"': send failed with EPIPE, and no line expects that");
    judged(STEPS "expect client send fails with EPIPE\n", &play, STORY, 0, &count);
    assert_int_equal(count, 1);
    judged(STEPS "expect client send 1 fails with ENOMEM\n", &play, STORY, 0, &count);
    assert_int_equal(count, 1); /* that line says already that it was another errno */
    play.steps[SEND_STEP].state = PLAY_KILLED;
    judged(STEPS, &play, STORY, 0, &count);
    assert_int_equal(count, 0);
}

void a_rule_that_never_acted_is_a_finding_of_its_own(void **data)
{
    (void)data;
    static const char text[] = "title t\nwire drop FIN 2 from client\nwire hold every RST from server\nclient connect server:1\n";
    struct play play = {"bpf", {{.state = PLAY_ENDED}, {.state = PLAY_ENDED}, {.state = PLAY_ENDED}}};
    size_t count;
    struct verdict got = judged(text, &play, STORY, 0, &count);
    assert_int_equal(count, 2);
    assert_int_equal(got.verdict, JUDGE_UNMET);
    assert_int_equal(got.line, 2);
    assert_string_equal(got.text,
                        "'wire drop FIN 2 from client' never did anything: no FIN came from the client while it was in force");
    got = judged(text, &play, STORY, 1, &count);
    assert_string_equal(got.text,
                        "'wire hold every RST from server' never did anything: no RST came from the server while it was in force");
    play.steps[0].seen = 1;
    play.steps[1].seen = play.steps[1].acted = 1;
    got = judged(text, &play, STORY, 0, &count);
    assert_int_equal(count, 1);
    assert_string_equal(got.text,
                        "'wire drop FIN 2 from client' never did anything: only 1 FIN came from the client while it was in force");
    play.steps[0].seen = 2;
    got = judged(text, &play, STORY, 0, &count);
    assert_string_equal(got.text,
                        "'wire drop FIN 2 from client' never did anything: what it waited for was taken by a rule before it");
    play.steps[0].state = PLAY_NOT_REACHED; /* then the play has ended before, and says so */
    judged(text, &play, STORY, 0, &count);
    assert_int_equal(count, 0);
    play.steps[0] = (struct play_step){.state = PLAY_ENDED, .acted = 1, .seen = 2};
    judged(text, &play, STORY, 0, &count);
    assert_int_equal(count, 0);
}

void datagrams_are_counted_and_have_causes_too(void **data)
{
    (void)data;
    static const char story[] =
        TRACE ENTER(990, C_THREAD, "sendto", C_SOCK,
                    "") "packet t=1000" US " vantage=1 number=1 src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=udp len=5\n";
    static const struct line lines[] = {
        {"expect 1 datagram from client", NULL},
        {"expect 1 data from client", NULL},
        {"expect 1 any from client", NULL},
        {"expect 0 ACK from client", NULL},
        {"expect datagram 2 from client lost", "the client sent 1 datagram in this connection"},
        {"expect cause of datagram from client: kernel", "it was unknown (evidence: none): nothing that was recorded explains it"},
    };
    CHECK_ALL(lines, story);
}
