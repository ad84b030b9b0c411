/* A kernel may not run a BPF program although its tracepoint fires, and count nothing. Each program in turn is left out, always and
 * now and then, of the same little play; what is then told must be what is told with all of them, or less: never something else. */
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/bpf/bpf_record.h"
#include "capture/bpf/calls_bpf.h"
#include "capture/packets.h"
#include "event/log.h"
#include "story/story.h"
#include "story/tell/teller.h"
#include "unseen_programs_own.h"

/* ---- the play: each part is a connection of its own ---- */

/* ---- recording and telling it ---- */

static int keep_story(void *data, struct story *story)
{
    struct told *told = data;

    assert_true(told->count < STORIES_MAX);
    told->stories[told->count++] = story;
    return 0;
}

static void told_free(struct told *told)
{
    for (size_t i = 0; i < told->count; i++) story_free(told->stories[i]);
    teller_free(told->teller);
    event_log_free(told->log);
    free(told);
}

static uint64_t own_netns(void)
{
    struct stat about;

    assert_int_equal(stat("/proc/self/ns/net", &about), 0);
    return about.st_ino;
}

static pid_t player_at_gate(int gate[2])
{
    pid_t pid;

    assert_int_equal(pipe(gate), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char byte;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(gate[1]);
        if (read(gate[0], &byte, 1) != 1) _exit(98);
        play();
        _exit(7);
    }
    close(gate[0]);
    return pid;
}

/* The play without the programs of the mask, on each every-th of their events. */
static struct told *played(uint32_t without, uint32_t every)
{
    struct told *told = calloc(1, sizeof(*told));
    struct calls_options options = {.netns = {own_netns()}, .netns_count = 1, .skip_programs = without, .skip_every = every};
    struct packets *packets = NULL;
    struct calls *calls = NULL;
    struct err err = {{0}};
    int gate[2], status = -1;

    assert_non_null(told);
    told->log = event_log_new();
    told->teller = teller_new(keep_story, told);
    if (calls_bpf.open(&calls, &options, &err)) fail_msg("%s", err.text);
    if (packets_open(&packets, &(struct packets_options){.interface = "lo", .vantage = 1}, told->log, &err))
        fail_msg("%s", err.text);
    pid_t pid = player_at_gate(gate);
    if (calls_bpf.follow(calls, pid, &err)) fail_msg("%s", err.text);
    assert_int_equal(write(gate[1], "x", 1), 1);
    close(gate[1]);
    for (time_t deadline = time(NULL) + 30; time(NULL) < deadline && !calls_bpf.ended(calls, pid, &status);) {
        struct pollfd readable = {calls_bpf.fd(calls), POLLIN, 0};

        poll(&readable, 1, 20);
        if (calls_bpf.drain(calls, told->log, &err) < 0 || packets_drain(packets, told->log, &err) < 0) fail_msg("%s", err.text);
    }
    sleep_ms(50);
    if (calls_bpf.drain(calls, told->log, &err) < 0 || packets_drain(packets, told->log, &err) < 0) fail_msg("%s", err.text);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    packets_close(packets);
    calls_bpf.close(calls);
    event_log_sort(told->log);
    for (size_t i = 0; i < event_log_count(told->log); i++)
        assert_int_equal(teller_feed(told->teller, event_log_at(told->log, i)), 0);
    assert_int_equal(teller_finish(told->teller), 0);
    return told;
}

/* ---- holding the one against the other ---- */

/* Whether the play took the same course: what the two kernels' delayed ACKs do is no matter of recording. */
static bool is_same_course(const struct told *a, const struct told *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct story_step *left, *right;

        for (size_t n = 0; (left = nth(a->stories[i], STEP_SEGMENT, n)); n++) {
            right = nth(b->stories[i], STEP_SEGMENT, n);
            if (!right || right->side != left->side || strcmp(right->segment->flags_text, left->segment->flags_text) != 0 ||
                right->segment->ack != left->segment->ack)
                return false;
        }
        if (nth(b->stories[i], STEP_SEGMENT, a->stories[i]->summary.segments)) return false;
    }
    return true;
}

static struct told *whole; /* the play with all programs; made once, for the group */

/* One trial; false where the play took another course. */
static bool tried(struct trial *trial)
{
    struct told *told = played(trial->programs, trial->every);
    bool same = is_same_course(whole, told);

    trial->wrong = trial->weaker = 0;
    hold_sockets(trial, told);
    for (size_t i = 0; same && i < told->count; i++) {
        hold_segments(trial, whole->stories[i], told->stories[i]);
        hold_states(trial, whole->stories[i], told->stories[i]);
        hold_calls(trial, whole->stories[i], told->stories[i]);
        hold_findings(trial, whole->stories[i], told->stories[i]);
    }
    told_free(told);
    return same;
}

/* What is wrong for want of a program is wrong each time; what a busy machine delays (data that is there before it is asked for) is
 * not. */
static void hold(uint32_t programs, uint32_t every, size_t *ret_wrong, size_t *ret_weaker)
{
    struct trial trial = {.programs = programs, .every = every};

    for (int again = 0; again < PLAYED_MOST; again++)
        if (tried(&trial) && !trial.wrong) break;
    *ret_wrong += trial.wrong;
    *ret_weaker += trial.weaker;
}

static void hold_all(uint32_t every)
{
    size_t wrong = 0, weaker = 0;

    for (uint32_t program = 0; program < PROGRAMS; program++) hold(1U << program, every, &wrong, &weaker);
    assert_int_equal(wrong, 0);
    assert_true(weaker > 0); /* else nothing was left out */
}

static void without_a_program_answers_are_weaker_and_never_others(void **state)
{
    (void)state;
    hold_all(1);
}

static void without_every_second_event_of_a_program_answers_are_weaker_and_never_others(void **state)
{
    (void)state;
    hold_all(2);
}

/* Each of a pair is the other's witness. */
static void without_two_programs_that_vouch_for_each_other_answers_are_weaker_and_never_others(void **state)
{
    static const uint32_t pairs[] = {
        1U << PROGRAM_SWITCH | 1U << PROGRAM_WAKING,      1U << PROGRAM_STATE | 1U << PROGRAM_DESTROY,
        1U << PROGRAM_SOFTIRQ_EXIT | 1U << PROGRAM_POLL,  1U << PROGRAM_SWITCH | 1U << PROGRAM_SYS_EXIT,
        1U << PROGRAM_RECEIVE | 1U << PROGRAM_POLL,       1U << PROGRAM_TIMER_START | 1U << PROGRAM_TIMER_EXIT,
        1U << PROGRAM_SYS_ENTER | 1U << PROGRAM_SYS_EXIT, 1U << PROGRAM_QUEUE | 1U << PROGRAM_STATE,
    };
    size_t wrong = 0, weaker = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        hold(pairs[i], 1, &wrong, &weaker);
        hold(pairs[i], 3, &wrong, &weaker);
    }
    assert_int_equal(wrong, 0);
    assert_true(weaker > 0);
}

static void the_same_play_is_told_in_the_same_way(void **state)
{
    size_t wrong = 0, weaker = 0;

    (void)state;
    hold(0, 1, &wrong, &weaker);
    assert_int_equal(wrong, 0);
}

static int group_setup(void **state)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

    (void)state;
    if (unshare(CLONE_NEWNET)) {
        fprintf(stderr, "the BPF recorder can only be tested as root\n");
        return -1;
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int result = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    /* What all are held to is a play that a second one agrees with: the first may have been delayed where it does not say so. */
    struct trial again = {.every = 1};
    whole = played(0, 1);
    for (int times = 1; times < PLAYED_MOST && (!tried(&again) || again.wrong || again.weaker); times++) {
        told_free(whole);
        whole = played(0, 1);
    }
    return result;
}

static int group_teardown(void **state)
{
    (void)state;
    told_free(whole);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_play_is_told_in_the_same_way),
        cmocka_unit_test(without_a_program_answers_are_weaker_and_never_others),
        cmocka_unit_test(without_two_programs_that_vouch_for_each_other_answers_are_weaker_and_never_others),
        cmocka_unit_test(without_every_second_event_of_a_program_answers_are_weaker_and_never_others),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
