/* Expectations, each once where it holds and once where it doesn't, with the sentence that is said. The play is a made one: what
 * its steps returned is written here, and the story is told from a few lines. */
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

/* ---- the play ---- */

const struct play_step *play_steps(const struct play *play)
{
    return play->steps;
}

pid_t play_pid(const struct play *play, size_t actor)
{
    (void)play;
    return actor == 0 ? 10 : 20; /* as in support/lines.h */
}

const char *play_recorder(const struct play *play)
{
    return play->recorder;
}

struct play all_went_well(const char *recorder)
{
    return (struct play){recorder,
                         {{PLAY_ENDED, 1, 2, 0, "listen", 0, 0},
                          {PLAY_ENDED, 1, 2, 4, "accept", 0, 0},
                          {PLAY_ENDED, 1, 2, 0, "connect", 0, 0},
                          {PLAY_ENDED, 1, 2, 5, "send", 0, 0},
                          {PLAY_ENDED, 1, 2, 5, "recv", 0, 0},
                          {PLAY_RUNNING, 3, 0, 0, "recv", 0, 0},
                          {PLAY_NOT_REACHED, 0, 0, 0, "", 0, 0}}};
}

/* What is said of finding `number` of this scenario; the story counts as the only connection, or there is none (NULL). */
struct verdict judged(const char *scenario_text, const struct play *play, const char *story, size_t number, size_t *ret_count)
{
    static struct scenario_mistakes mistakes;
    struct scenario *scenario = NULL;
    struct judgement judgement;
    struct err err;
    struct told *told = tell_text(story ? story : TRACE, 0);
    struct play_stories stories = {.list = told->stories, .count = told->count, .teller = told->teller};
    if (scenario_parse(scenario_text, strlen(scenario_text), &(struct scenario_vocabulary){NULL, 0, NULL, 0}, &scenario, &mistakes))
        fail_msg("line %u: %s\n%s", mistakes.list[0].line, mistakes.list[0].text, scenario_text);
    assert_int_equal(judge(scenario, play, &stories, &judgement, &err), 0);
    assert_int_equal(judgement.met + judgement.unmet + judgement.unknown, judgement.count);
    *ret_count = judgement.count;
    struct verdict verdict = {JUDGE_MET, 0, ""};
    if (number < judgement.count) {
        verdict.verdict = judgement.list[number].verdict;
        verdict.line = judgement.list[number].line;
        snprintf(verdict.text, sizeof(verdict.text), "%s", judgement.list[number].text);
    }
    judgement_free(&judgement);
    scenario_free(scenario);
    told_free(told);
    return verdict;
}

/* One expectation. `says`: its sentence behind "is not met: " or "can't be told: "; NULL: it is met. */
void expect_of(const char *line, const struct play *play, const char *story, enum judge_verdict wanted, const char *says)
{
    char text[600], sentence[400] = "";
    size_t count;
    snprintf(text, sizeof(text), STEPS "%s\n", line);
    struct verdict got = judged(text, play, story, 0, &count);
    if (wanted != JUDGE_MET)
        snprintf(sentence, sizeof(sentence), "'%s' %s: %s", line, wanted == JUDGE_UNMET ? "is not met" : "can't be told", says);
    if (got.verdict != wanted) fail_msg("%s: verdict %d: %s", line, (int)got.verdict, got.text);
    if (wanted != JUDGE_MET && strcmp(got.text, sentence) != 0) fail_msg("said: %s\nnot:  %s", got.text, sentence);
    assert_int_equal(got.line, 9);
}

void check_all(const struct line *lines, size_t count, const char *story)
{
    struct play play = all_went_well("bpf");
    for (size_t i = 0; i < count; i++)
        expect_of(lines[i].text, &play, story, lines[i].says ? JUDGE_UNMET : JUDGE_MET, lines[i].says);
}

/* ---- states ---- */

static void the_states_that_an_end_passed_must_be_those_and_no_others(void **data)
{
    (void)data;
    static const struct line lines[] = {
        {"expect client states CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1", NULL},
        {"expect client states CLOSED SYN_SENT ESTABLISHED", "it passed CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1"},
        {"expect client states CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSED", "it passed CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1"},
        {"expect server states CLOSED", "it passed LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT"},
        {"expect server passes SYN_RCVD CLOSE_WAIT", NULL},
        {"expect server passes CLOSE_WAIT SYN_RCVD", "it passed LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT"},
    };
    CHECK_ALL(lines, STORY);
}

static void the_server_of_the_scenario_is_the_host_whoever_opened(void **data)
{
    (void)data;
    static const struct line lines[] = {
        {"expect server states CLOSED SYN_SENT", NULL},
        {"expect client states CLOSED SYN_SENT", "it passed no state at all"},
        {"expect 1 SYN from server", NULL},
        {"expect cause of SYN from server: timer", "it was call OPEN (evidence: rule): an active OPEN: connect(), or sendto() with "
                                                   "Fast Open; no call of this end was recorded"},
    };
    CHECK_ALL(lines, TRACE PACKET(1000, "src=192.0.2.2:40000 dst=192.0.2.1:3333 proto=tcp ", SYN));
}

/* ---- segments ---- */

static void a_cause_is_of_its_kind_its_name_and_its_segment(void **data)
{
    (void)data;
    static const struct line lines[] = {
        {"expect cause of SYN from client: call connect", NULL},
        {"expect cause of data 1 from client: call send", NULL}, /* the language's word for sendto */
        {"expect cause of SYN from client: call send",
         "it was call connect (evidence: interval): sent by connect(3) of client: the active open"},
        {"expect cause of SYN-ACK from server: segment SYN from client", NULL},
        {"expect cause of SYN-ACK from server: segment SYN", NULL},
        {"expect cause of SYN-ACK from server: segment data from client",
         "it was segment SYN #1 of the client (evidence: rule): the kernel's answer to the SYN: the socket is in LISTEN; accept() "
         "had "
         "no part in it"},
        {"expect cause of SYN-ACK from server: segment SYN 2 from client",
         "it was segment SYN #1 of the client (evidence: rule): the kernel's answer to the SYN: the socket is in LISTEN; accept() "
         "had "
         "no part in it"},
        {"expect cause of data 2 from client: timer retransmit", NULL},
        {"expect cause of data 2 from client: timer", NULL},
        {"expect cause of data 2 from client: timer keepalive",
         "it was timer retransmit (evidence: rule): the retransmission timer ran out: no acknowledgment came"},
        {"expect cause of FIN from client: exit SIGKILL", NULL},
        {"expect cause of FIN from client: exit", NULL},
        {"expect cause of FIN from client: exit status 0",
         "it was exit SIGKILL (evidence: rule): client was killed by SIGKILL: the "
         "kernel closed its sockets; no close() was called"},
        {"expect cause of FIN from client: kernel",
         "it was exit SIGKILL (evidence: rule): client was killed by SIGKILL: the kernel "
         "closed its sockets; no close() was called"},
        {"expect cause of FIN from client: unknown", "it was exit SIGKILL (evidence: rule): client was killed by SIGKILL: the "
                                                     "kernel closed its sockets; no close() was called"},
        {"expect cause of FIN from server: call close", "the server sent 0 FIN in this connection"},
        {"expect cause of SYN 2 from client: timer retransmit", "the client sent 1 SYN in this connection"},
    };
    CHECK_ALL(lines, STORY);
}

static void segments_are_counted_with_their_repetitions(void **data)
{
    (void)data;
    static const struct line lines[] = {
        {"expect 2 data from client", NULL},
        {"expect 1 data from client", "the client sent 2 data in this connection"},
        {"expect 0 RST from server", NULL},
        {"expect 1 RST from server", "the server sent 0 RST in this connection"},
    };
    CHECK_ALL(lines, STORY);
}

static void what_was_lost_did_not_arrive(void **data)
{
    (void)data;
#define WIRE "src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=tcp "
    static const struct line lines[] = {
        {"expect SYN 1 from client lost", NULL},
        {"expect SYN 2 from client lost", "it did arrive"},
        {"expect SYN 1 from client arrives", "nobody saw it arrive"},
        {"expect SYN 2 from client arrives", NULL},
        {"expect SYN 3 from client lost", "the client sent 2 SYN in this connection"},
    };
    CHECK_ALL(lines, TRACE TWO_ENDS PACKET(1000, WIRE, SYN " opt=ts opt.ts_value=1") PACKET(
                         1001000, WIRE, SYN " opt=ts opt.ts_value=1001") ARRIVES(1001010, WIRE, SYN " opt=ts opt.ts_value=1001"));
}

static void an_icmp_error_is_of_its_kind_and_its_sender(void **data)
{
    (void)data;
#define QUOTES " icmp.quotes=1 icmp.proto=tcp icmp.src=192.0.2.1:40000 icmp.dst=192.0.2.2:3333"
    static const struct line lines[] = {
        {"expect icmp port-unreachable from server", NULL},
        {"expect icmp port-unreachable from client", "there are 1 other ICMP errors about this connection"},
        {"expect icmp host-unreachable from server", "there are 1 other ICMP errors about this connection"},
    };
    static const struct line none = {"expect icmp port-unreachable from server", "no ICMP error tells of this connection"};
    CHECK_ALL(lines, TRACE TWO_ENDS PACKET(1000, WIRE, SYN)
                         PACKET(1010, "src=192.0.2.2:0 dst=192.0.2.1:0 proto=icmp ", "len=36 icmp.type=3 icmp.code=3" QUOTES));
    check_all(&none, 1, TRACE TWO_ENDS PACKET(1000, WIRE, SYN));
}

/* ---- calls ---- */

static void what_a_step_returned_is_what_the_play_saw(void **data)
{
    (void)data;
    static const struct line lines[] = {
        {"expect client connect succeeds", NULL},
        {"expect client connect fails with ECONNREFUSED", "connect did not fail"},
        {"expect server recv returns 5", NULL},
        {"expect server recv returns 4", "it returned 5"},
    };
    CHECK_ALL(lines, STORY);

    struct play play = all_went_well("bpf");
    play.steps[CONNECT_STEP].ret = -ECONNREFUSED;
    expect_of("expect client connect fails with ECONNREFUSED", &play, STORY, JUDGE_MET, NULL);
    expect_of("expect client connect fails with ETIMEDOUT", &play, STORY, JUDGE_UNMET, "connect failed with ECONNREFUSED");
    expect_of("expect client connect succeeds", &play, STORY, JUDGE_UNMET, "connect failed with ECONNREFUSED");
    play.steps[CONNECT_STEP].state = PLAY_NOT_REACHED;
    expect_of("expect client connect succeeds", &play, STORY, JUDGE_UNMET, "this step was not reached");
    play.steps[CONNECT_STEP].state = PLAY_RUNNING;
    expect_of("expect client connect succeeds", &play, STORY, JUDGE_UNMET, "it had not returned at the end");
    play.steps[CONNECT_STEP].state = PLAY_KILLED;
    expect_of("expect client connect succeeds", &play, STORY, JUDGE_UNMET, "its process ended under it");
}

static void a_call_was_woken_by_what_the_story_says(void **data)
{
    (void)data;
    static const struct line lines[] = {
        {"expect client connect woken by SYN-ACK", NULL},
        {"expect client connect woken by RST", "segment: the SYN-ACK (#2) answered the SYN"},
        {"expect client connect never slept", "segment: the SYN-ACK (#2) answered the SYN"},
        {"expect client connect woken by timer", "segment: the SYN-ACK (#2) answered the SYN"},
        {"expect client connect woken by signal", "segment: the SYN-ACK (#2) answered the SYN"},
        {"expect server recv 1 woken by data", NULL},
        {"expect server recv 2 still waits", NULL},
        {"expect server recv 2 woken by data", "not-yet: it had not returned when recording ended"},
        {"expect client close still waits", "there is no such call in this connection"},
    };
    CHECK_ALL(lines, STORY);
}

/* ---- the rest ---- */

static void findings_outcomes_and_connections(void **data)
{
    (void)data;
    static const struct line lines[] = {
        {"expect finding retransmitted", NULL},
        {"expect finding refused", "found were: closed-by-signal, orphaned-socket, retransmitted"},
        {"expect no finding refused", NULL},
        {"expect no finding retransmitted", "it was found"},
        {"expect outcome open", NULL},
        {"expect outcome reset", "it is open"},
        {"expect connections 1", NULL},
        {"expect connections 2", "there were 1"},
        {"expect outcome open in connection 2", "there is no connection 2: 1 were seen"},
    };
    CHECK_ALL(lines, STORY);
    struct play play = all_went_well("bpf");
    expect_of("expect connections 0", &play, NULL, JUDGE_MET, NULL);
    expect_of("expect finding refused", &play, NULL, JUDGE_UNMET, "there is no connection 1: 0 were seen");
    expect_of("expect finding refused", &play, TRACE HANDSHAKE, JUDGE_UNMET, "found were: none");
}

/* ---- weak evidence ---- */

/* ---- steps that failed ---- */

/* ---- rules of the wire ---- */

/* ---- datagrams ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_states_that_an_end_passed_must_be_those_and_no_others),
        cmocka_unit_test(the_server_of_the_scenario_is_the_host_whoever_opened),
        cmocka_unit_test(a_cause_is_of_its_kind_its_name_and_its_segment),
        cmocka_unit_test(segments_are_counted_with_their_repetitions),
        cmocka_unit_test(what_was_lost_did_not_arrive),
        cmocka_unit_test(an_icmp_error_is_of_its_kind_and_its_sender),
        cmocka_unit_test(what_a_step_returned_is_what_the_play_saw),
        cmocka_unit_test(a_call_was_woken_by_what_the_story_says),
        cmocka_unit_test(findings_outcomes_and_connections),
        cmocka_unit_test(what_a_weak_recorder_can_t_show_is_unknown_and_not_wrong),
        cmocka_unit_test(an_end_in_silence_is_unknown_to_a_weak_recorder_and_no_other_end_is),
        cmocka_unit_test(a_rule_that_never_acted_is_a_finding_of_its_own),
        cmocka_unit_test(datagrams_are_counted_and_have_causes_too),
        cmocka_unit_test(a_failure_that_no_line_expects_is_a_finding_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
