/* A kernel may not run a BPF program although its tracepoint fires, and count nothing. Each program in turn is left out, always and
 * now and then, of a little play that a recorder with all of them sees too; what is then told must be what that one tells, or less:
 * never something else. Several are tried in one play, a recorder each. */
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

/* ---- recording and telling it ---- */

/* One recorder of a play: without the programs of its mask, on each every-th of their events. */
struct take {
    struct calls *calls;
    struct packets *packets;
    struct told *told;
};

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

static void take_begin(struct take *take, const struct trial *trial)
{
    struct calls_options options = {.netns = {own_netns()},
                                    .netns_count = 1,
                                    .skip_programs = trial->programs,
                                    .skip_every = trial->every,
                                    .twice = trial->twice};
    struct err err = {{0}};

    take->told = calloc(1, sizeof(*take->told));
    assert_non_null(take->told);
    take->told->log = event_log_new();
    take->told->teller = teller_new(keep_story, take->told);
    if (calls_bpf.open(&take->calls, &options, &err)) fail_msg("%s", err.text);
    if (packets_open(&take->packets, &(struct packets_options){.interface = "lo", .vantage = 1}, take->told->log, &err))
        fail_msg("%s", err.text);
}

static void takes_drain(struct take *takes, size_t count)
{
    struct err err = {{0}};

    for (size_t i = 0; i < count; i++)
        if (calls_bpf.drain(takes[i].calls, takes[i].told->log, &err) < 0 ||
            packets_drain(takes[i].packets, takes[i].told->log, &err) < 0)
            fail_msg("%s", err.text);
}

static void take_end(struct take *take)
{
    struct told *told = take->told;

    packets_close(take->packets);
    calls_bpf.close(take->calls);
    event_log_sort(told->log);
    for (size_t i = 0; i < event_log_count(told->log); i++)
        assert_int_equal(teller_feed(told->teller, event_log_at(told->log, i)), 0);
    assert_int_equal(teller_finish(told->teller), 0);
}

/* The player's end is told to the one that saw it first: it is waited for once. */
static bool play_is_over(const struct take *takes, size_t count, pid_t pid, int *ret_status)
{
    for (size_t i = 0; i < count; i++)
        if (calls_bpf.ended(takes[i].calls, pid, ret_status)) return true;
    return false;
}

/* One play, which all of them record at once. */
static void play_before(struct take *takes, size_t count)
{
    struct err err = {{0}};
    int gate[2], status = -1;
    pid_t pid = player_at_gate(gate);

    for (size_t i = 0; i < count; i++)
        if (calls_bpf.follow(takes[i].calls, pid, &err)) fail_msg("%s", err.text);
    assert_int_equal(write(gate[1], "x", 1), 1);
    close(gate[1]);
    for (time_t deadline = time(NULL) + 30; time(NULL) < deadline && !play_is_over(takes, count, pid, &status);) {
        struct pollfd readable = {calls_bpf.fd(takes[0].calls), POLLIN, 0};

        poll(&readable, 1, 20);
        takes_drain(takes, count);
    }
    sleep_ms(50);
    takes_drain(takes, count);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* ---- holding the one against the other ---- */

/* The packets are the same: so are their connections and their order. */
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

static size_t enters(const struct told *told)
{
    size_t count = 0;

    for (size_t i = 0; i < told->count; i++)
        for (size_t k = 0; k < told->stories[i]->step_count; k++) count += told->stories[i]->steps[k].kind == STEP_ENTER;
    return count;
}

static void judge(struct trial *trial, const struct told *whole, const struct told *told)
{
    trial->wrong = trial->weaker = 0;
    hold_sockets(trial, told);
    if (!is_same_course(whole, told)) {
        print_error("programs %x, every %u: other connections or segments\n", trial->programs, trial->every);
        trial->wrong++;
        return;
    }
    for (size_t i = 0; i < told->count; i++) {
        hold_segments(trial, whole->stories[i], told->stories[i]);
        hold_states(trial, whole->stories[i], told->stories[i]);
        hold_calls(trial, whole->stories[i], told->stories[i]);
        hold_findings(trial, whole->stories[i], told->stories[i]);
    }
    if (trial->twice && enters(told) != enters(whole)) {
        print_error("programs %x, every %u: %zu calls, not %zu\n", trial->programs, trial->every, enters(told), enters(whole));
        trial->wrong++;
    }
}

/* One play before a recorder with all programs and one for each trial. */
static void try_at_once(struct trial *const *trials, size_t count)
{
    const struct trial all = {.every = 1};
    struct take takes[AT_ONCE + 1] = {{0}};

    take_begin(&takes[0], &all);
    for (size_t i = 0; i < count; i++) take_begin(&takes[i + 1], trials[i]);
    play_before(takes, count + 1);
    for (size_t i = 0; i <= count; i++) take_end(&takes[i]);
    for (size_t i = 0; i < count; i++) judge(trials[i], takes[0].told, takes[i + 1].told);
    for (size_t i = 0; i <= count; i++) told_free(takes[i].told);
}

/* What is wrong for want of a program is wrong each time; what a busy machine delays (a wakeup that is seen late) is not. */
static void hold(struct trial *trials, size_t count)
{
    size_t wrong = 0, weaker = 0;
    bool excepting = false;

    for (size_t begin = 0; begin < count; begin += AT_ONCE) {
        struct trial *open[AT_ONCE];
        size_t open_count = 0;

        for (size_t i = begin; i < count && i < begin + AT_ONCE; i++) open[open_count++] = &trials[i];
        for (int again = 0; again < PLAYED_MOST && open_count; again++) {
            size_t left = 0;

            try_at_once(open, open_count);
            for (size_t i = 0; i < open_count; i++)
                if (open[i]->wrong) open[left++] = open[i];
            open_count = left;
        }
    }
    for (size_t i = 0; i < count; i++) {
        wrong += trials[i].wrong;
        weaker += trials[i].weaker;
        excepting |= trials[i].programs != 0;
    }
    assert_int_equal(wrong, 0);
    assert_true(weaker > 0 || !excepting); /* else nothing was left out */
}

static void hold_each(uint32_t every)
{
    struct trial trials[PROGRAMS];

    for (uint32_t program = 0; program < PROGRAMS; program++)
        trials[program] = (struct trial){.programs = 1U << program, .every = every};
    hold(trials, PROGRAMS);
}

static void without_a_program_answers_are_weaker_and_never_others(void **state)
{
    (void)state;
    hold_each(1);
}

static void without_every_second_event_of_a_program_answers_are_weaker_and_never_others(void **state)
{
    (void)state;
    hold_each(2);
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
    enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };
    struct trial trials[2 * PAIRS];

    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        trials[i] = (struct trial){.programs = pairs[i], .every = 1};
        trials[PAIRS + i] = (struct trial){.programs = pairs[i], .every = 3};
    }
    hold(trials, 2 * PAIRS);
}

static void the_same_play_is_told_in_the_same_way(void **state)
{
    struct trial trial = {.every = 1};

    (void)state;
    hold(&trial, 1);
}

/* As where programs can be preempted: what the first one of two is not run for, the second one tells, and what both are run for is
 * told once. */
static void of_two_programs_for_system_calls_one_tells_of_each(void **state)
{
    const uint32_t both = 1U << PROGRAM_SYS_ENTER | 1U << PROGRAM_SYS_EXIT;
    struct trial trials[] = {{.programs = 0, .every = 1, .twice = true},
                             {.programs = both, .every = 1, .twice = true},
                             {.programs = both, .every = 3, .twice = true}};
    struct trial *const all[] = {&trials[0], &trials[1], &trials[2]};
    size_t off = 1;

    (void)state;
    for (int again = 0; again < PLAYED_MOST && off; again++) {
        off = 0;
        try_at_once(all, 3);
        for (size_t i = 0; i < 3; i++) off += trials[i].wrong + trials[i].weaker;
    }
    assert_int_equal(off, 0);
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
    return result;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_play_is_told_in_the_same_way),
        cmocka_unit_test(of_two_programs_for_system_calls_one_tells_of_each),
        cmocka_unit_test(without_a_program_answers_are_weaker_and_never_others),
        cmocka_unit_test(without_two_programs_that_vouch_for_each_other_answers_are_weaker_and_never_others),
        cmocka_unit_test(without_every_second_event_of_a_program_answers_are_weaker_and_never_others),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
