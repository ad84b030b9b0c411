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

enum {
    PORT = 3333,
    CLOSED_PORT = 9,
    STORIES_MAX = 32,
    TEXT_BYTES = 256,
    PLAYED_MOST = 5,
    ACK_MS = 60 /* longer than an ACK is held back */,
    SLEEP_NS = 5000000
};

/* ---- the play: each part is a connection of its own ---- */

static void need(int ok)
{
    if (!ok) _exit(99);
}

static void sleep_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connected(void)
{
    struct sockaddr_in address = loopback(PORT);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    need(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

/* Everybody waits for everybody: accept(), each recv(). */
static void talk_slowly(void)
{
    char bytes[8];

    sleep_ms(20);
    int fd = connected();
    sleep_ms(30);
    need(send(fd, "hello", 5, 0) == 5);
    need(recv(fd, bytes, sizeof(bytes), 0) == 5);
    sleep_ms(20);
    close(fd);
}
static void answer_slowly(int listener)
{
    int fd = accept(listener, NULL, NULL);
    char bytes[8];

    need(recv(fd, bytes, sizeof(bytes), 0) == 5);
    sleep_ms(20);
    need(send(fd, "world", 5, 0) == 5);
    need(recv(fd, bytes, sizeof(bytes), 0) == 0);
    sleep_ms(ACK_MS);
    close(fd);
}

/* Nobody waits: all is there before it is asked for. */
static void talk_early(void)
{
    int fd = connected();

    need(send(fd, "early", 5, 0) == 5);
    sleep_ms(ACK_MS);
    close(fd);
}
static void read_late(int listener)
{
    char bytes[8];

    sleep_ms(130);
    int fd = accept(listener, NULL, NULL);
    need(recv(fd, bytes, sizeof(bytes), 0) == 5);
    sleep_ms(20);
    need(recv(fd, bytes, sizeof(bytes), 0) == 0);
    close(fd);
}

static void wait_for_the_reset(void)
{
    int fd = connected();
    char byte;

    need(send(fd, "never read", 10, 0) == 10);
    need(recv(fd, &byte, 1, 0) == -1);
}
static void close_unread(int listener)
{
    sleep_ms(20);
    int fd = accept(listener, NULL, NULL);

    sleep_ms(20);
    close(fd);
}

static void be_killed(void)
{
    connected();
    sleep_ms(60);
    raise(SIGKILL);
}
static void wait_for_its_end(int listener)
{
    sleep_ms(20);
    int fd = accept(listener, NULL, NULL);
    char byte;

    need(recv(fd, &byte, 1, 0) == 0);
    sleep_ms(ACK_MS);
    close(fd);
}

static void knock_at_a_closed_port(void)
{
    struct sockaddr_in address = loopback(CLOSED_PORT);

    need(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)) == -1);
}

static pid_t begun(void (*client)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        client();
        _exit(0);
    }
    return pid;
}

static void play(void)
{
    static const struct {
        void (*client)(void);
        void (*server)(int listener);
    } parts[] = {
        {talk_slowly, answer_slowly},       {talk_early, read_late},      {talk_early, read_late}, {talk_slowly, answer_slowly},
        {wait_for_the_reset, close_unread}, {be_killed, wait_for_its_end}};
    struct sockaddr_in address = loopback(PORT);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    pid_t client;

    need(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
    need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 8) == 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        client = begun(parts[i].client);
        parts[i].server(listener);
        waitpid(client, NULL, 0);
    }
    client = begun(knock_at_a_closed_port);
    waitpid(client, NULL, 0);
}

/* ---- recording and telling it ---- */

struct told {
    struct event_log *log;
    struct teller *teller;
    struct story *stories[STORIES_MAX];
    size_t count;
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

/* Of its kind and side, the how manieth it is. */
static size_t place_of_segment(const struct story *story, uint32_t step)
{
    const struct story_segment *wanted = story->steps[step].segment;
    size_t place = 1;

    for (uint32_t i = 0; i < step; i++) {
        const struct story_segment *segment = story->steps[i].kind == STEP_SEGMENT ? story->steps[i].segment : NULL;

        place += segment && segment->side == wanted->side && strcmp(segment->label, wanted->label) == 0;
    }
    return place;
}

/* What a step is, in words that are the same in every run; "" for one that is not in the story. */
static const char *step_text(const struct story *story, uint32_t step, char text[TEXT_BYTES])
{
    text[0] = 0;
    if (step >= story->step_count) return text;
    const struct story_step *at = &story->steps[step];
    const char *side = story_side_name(at->side);
    if (at->kind == STEP_SEGMENT)
        snprintf(text, TEXT_BYTES, "%s %zu from %s", at->segment->label, place_of_segment(story, step), side);
    else if (at->kind == STEP_ENTER || at->kind == STEP_EXIT)
        snprintf(text, TEXT_BYTES, "%s() of %s", at->call->name, side);
    else if (at->kind == STEP_PROCESS_EXIT)
        snprintf(text, TEXT_BYTES, "end of %s", side);
    return text;
}

struct trial {
    uint32_t programs, every; /* a bit each */
    size_t weaker, wrong;
};

#define WRONG(trial, ...)                                                                                                          \
    do {                                                                                                                           \
        (trial)->wrong++;                                                                                                          \
        print_error("programs %x, every %u: ", (trial)->programs, (trial)->every);                                                 \
        print_error(__VA_ARGS__);                                                                                                  \
        print_error("\n");                                                                                                         \
    } while (0)

static void hold_cause(struct trial *trial, const struct story *whole, const struct story_cause *right, const struct story *story,
                       const struct story_cause *said, const char *of)
{
    char wanted[TEXT_BYTES], found[TEXT_BYTES];

    step_text(whole, right->step, wanted);
    step_text(story, said->step, found);
    if (said->kind == CAUSE_UNKNOWN || said->evidence < right->evidence) trial->weaker++;
    if (said->kind == CAUSE_UNKNOWN) return;
    /* What RFC 9293 calls a CLOSE may be the end of a process: the rule's sentence says both. */
    if (said->evidence == EVIDENCE_RULE && said->name && strcmp(said->name, "CLOSE") == 0 && right->kind == CAUSE_EXIT) return;
    /* A rule has words of its own for the call or the end that it does not know. */
    bool other_name = said->name && right->name && strcmp(said->name, right->name) != 0 && said->step != STORY_NO_STEP;
    if (said->kind != right->kind || (found[0] && strcmp(wanted, found) != 0) || other_name)
        WRONG(trial, "conn %u, %s: caused by %s %s %s (%s), not by %s %s %s: %s", whole->number, of, story_cause_name(said->kind),
              said->name ? said->name : "", found, story_evidence_name(said->evidence), story_cause_name(right->kind),
              right->name ? right->name : "", wanted, said->why);
}

static const struct story_step *nth(const struct story *story, enum story_step_kind kind, size_t n)
{
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == kind && n-- == 0) return &story->steps[i];
    return NULL;
}

/* Segments stand in the same order in every run of the play. */
static void hold_segments(struct trial *trial, const struct story *whole, const struct story *story)
{
    const struct story_step *right, *said;

    for (size_t n = 0; (right = nth(whole, STEP_SEGMENT, n)); n++) {
        char of[TEXT_BYTES];

        said = nth(story, STEP_SEGMENT, n);
        if (!said || strcmp(said->segment->label, right->segment->label) != 0 || said->side != right->side) {
            WRONG(trial, "conn %u: another segment %zu", whole->number, n + 1);
            return;
        }
        step_text(whole, (uint32_t)(right - whole->steps), of);
        hold_cause(trial, whole, &right->segment->cause, story, &said->segment->cause, of);
    }
}

static void states_text(const struct story *story, enum story_side side, char text[TEXT_BYTES])
{
    size_t length = 0;

    text[0] = 0;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];

        if (step->kind != STEP_STATE || step->state->kernel || step->side != side) continue;
        length += (size_t)snprintf(text + length, TEXT_BYTES - length, "%s ", step->state->to);
    }
}

static void hold_states(struct trial *trial, const struct story *whole, const struct story *story)
{
    for (int side = 0; side < STORY_SIDES; side++) {
        char wanted[TEXT_BYTES], found[TEXT_BYTES];
        const char *at;

        states_text(whole, (enum story_side)side, wanted);
        states_text(story, (enum story_side)side, found);
        at = strstr(wanted, found); /* LISTEN is known by the call */
        if (!at || strcmp(at, found) != 0)
            WRONG(trial, "conn %u, states of the %s: %s, not %s", whole->number, story_side_name((enum story_side)side), found,
                  wanted);
    }
}

/* The one call of this name and end that returned the same in the other run; NULL: none, or several. */
static const struct story_call *same_call(const struct story *story, const struct story_call *call)
{
    const struct story_call *found = NULL;

    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_call *other = story->steps[i].kind == STEP_EXIT ? story->steps[i].call : NULL;

        if (!other || other->side != call->side || strcmp(other->name, call->name) != 0 || other->ret != call->ret) continue;
        if (found) return NULL;
        found = other;
    }
    return found;
}

static void hold_call(struct trial *trial, const struct story *whole, const struct story_call *right, const struct story *story,
                      const struct story_call *said)
{
    char wanted[TEXT_BYTES], found[TEXT_BYTES];
    bool killed = said->wake.kind == WAKE_NOT_YET && strstr(said->wake.why, "was killed before it was seen to return");

    if (said->wake.kind == WAKE_UNKNOWN || killed) {
        trial->weaker++;
        return;
    }
    if (!right) {
        WRONG(trial, "conn %u, %s() of the %s: %s (%s), returned %lld", whole->number, said->name, story_side_name(said->side),
              story_wake_name(said->wake.kind), said->wake.why, said->exit_ns ? (long long)said->ret : -1);
        return;
    }
    step_text(whole, right->wake.step, wanted);
    step_text(story, said->wake.step, found);
    bool by_segment = said->wake.kind == WAKE_SEGMENT || said->wake.kind == WAKE_NEVER_SLEPT;
    bool other_kind =
        by_segment ? right->wake.kind != WAKE_SEGMENT && right->wake.kind != WAKE_NEVER_SLEPT : said->wake.kind != right->wake.kind;
    if (other_kind || (found[0] && wanted[0] && strcmp(wanted, found) != 0))
        WRONG(trial, "conn %u, %s() of the %s: %s %s (%s), not %s %s", whole->number, said->name, story_side_name(said->side),
              story_wake_name(said->wake.kind), found, said->wake.why, story_wake_name(right->wake.kind), wanted);
    /* Whether it had to sleep depends on how busy the machine is: this run's own packets tell. */
    const struct story_step *step = said->wake.step < story->step_count ? &story->steps[said->wake.step] : NULL;
    bool waited = step && step->kind == STEP_SEGMENT && step->segment->sent_ns > said->enter_ns + SLEEP_NS;
    if ((waited && (said->wake.kind == WAKE_NEVER_SLEPT || said->slept_ns == 0)) ||
        (step && said->wake.kind == WAKE_SEGMENT && said->slept_ns > SLEEP_NS && step->t_ns < said->enter_ns))
        WRONG(trial, "conn %u, %s() of the %s: %s (%s), slept %lld ns", whole->number, said->name, story_side_name(said->side),
              story_wake_name(said->wake.kind), said->wake.why, (long long)said->slept_ns);
}

static void hold_calls(struct trial *trial, const struct story *whole, const struct story *story)
{
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_call *said = story->steps[i].call;

        if (story->steps[i].kind != STEP_ENTER || !said->waits) continue;
        hold_call(trial, whole, said->exit_ns ? same_call(whole, said) : NULL, story, said);
    }
}

static void hold_findings(struct trial *trial, const struct story *whole, const struct story *story)
{
    for (size_t i = 0; i < story->finding_count; i++) {
        bool known = false;

        for (size_t k = 0; k < whole->finding_count; k++) known |= strcmp(whole->findings[k].id, story->findings[i].id) == 0;
        if (!known) WRONG(trial, "conn %u: the finding %s: %s", whole->number, story->findings[i].id, story->findings[i].text);
    }
}

/* Two sockets are never one: their calls would stand in each other's stories. */
static void hold_sockets(struct trial *trial, const struct told *told)
{
    for (size_t i = 0; i < told->count; i++)
        for (size_t k = 0; k < i; k++)
            for (int side = 0; side < STORY_SIDES; side++) {
                uint64_t cookie = told->stories[i]->end[side].cookie;

                if (cookie && (cookie == told->stories[k]->end[0].cookie || cookie == told->stories[k]->end[1].cookie))
                    WRONG(trial, "conn %u and conn %u have one socket", told->stories[k]->number, told->stories[i]->number);
            }
}

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
    whole = played(0, 1);
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
