/* A part is recorded, and what was recorded is looked at. */
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "calls_bpf_own.h"

void enter_namespace(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd;

    assert_int_equal(unshare(CLONE_NEWNET), 0);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

uint64_t own_netns(void)
{
    struct stat about;

    assert_int_equal(stat("/proc/self/ns/net", &about), 0);
    return about.st_ino;
}

bool by_helpers;

struct calls *opened(const struct calls_options *options)
{
    struct calls *calls = NULL;
    struct err err = {{0}};

    struct calls_options mine = *options;

    mine.no_casts = by_helpers;
    if (calls_bpf.open(&calls, &mine, &err)) fail_msg("%s", err.text);
    return calls;
}

/* A child that waits for one byte on `gate` before it does its part. */
pid_t child_at_gate(void (*part)(void), int gate[2])
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
        part();
        _exit(7);
    }
    close(gate[0]);
    return pid;
}

void gate_open(int gate[2])
{
    assert_int_equal(write(gate[1], "x", 1), 1);
    close(gate[1]);
}

struct event_log *recorded_with(void (*part)(void), const struct calls_options *options, bool drains)
{
    struct calls *calls = opened(options);
    struct event_log *log = event_log_new();
    struct err err = {{0}};
    int gate[2], status = -1;
    pid_t pid = child_at_gate(part, gate);

    if (calls_bpf.follow(calls, pid, &err)) fail_msg("%s", err.text);
    gate_open(gate);
    if (!drains) {
        siginfo_t info;

        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        assert_in_range(calls_bpf.filled(calls), 99, 100); /* who does not drain has more to record than there is room for */
    }
    /* By the clock, not by rounds: a busy ring makes rounds short, a busy machine makes the child slow. */
    for (time_t deadline = time(NULL) + 30; time(NULL) < deadline && !calls_bpf.ended(calls, pid, &status);) {
        struct pollfd readable = {calls_bpf.fd(calls), POLLIN, 0};

        poll(&readable, 1, 20);
        if (calls_bpf.drain(calls, log, &err) < 0) fail_msg("%s", err.text);
    }
    sleep_ms(20);
    if (calls_bpf.drain(calls, log, &err) < 0 || calls_bpf.report(calls, log, &err)) fail_msg("%s", err.text);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_in_range(calls_bpf.filled(calls), 0, 1);
    calls_bpf.close(calls);
    event_log_sort(log);
    return log;
}

struct event_log *recorded(void (*part)(void))
{
    struct calls_options options = {.netns = {own_netns()}, .netns_count = 1};

    return recorded_with(part, &options, true);
}

static struct event_log *talked;

const struct event_log *talked_once(void)
{
    if (!talked) talked = recorded(talk_once);
    return talked;
}

void talked_forget(void)
{
    event_log_free(talked);
    talked = NULL;
}

size_t count_where(const struct event_log *log, event_test *test, const void *data, const struct event **ret_last)
{
    size_t count = 0;

    for (size_t i = 0; i < event_log_count(log); i++) {
        if (!test(event_log_at(log, i), data)) continue;
        *ret_last = event_log_at(log, i);
        count++;
    }
    return count;
}

/* The one event that passes. */
const struct event *only(const struct event_log *log, event_test *test, const void *data, const char *what)
{
    const struct event *event = NULL;
    size_t count = count_where(log, test, data, &event);

    if (count != 1) fail_msg("%zu events instead of one: %s", count, what);
    return event;
}

bool is_mark(const struct event *event, const void *data)
{
    const struct wanted_mark *wanted = data;
    const struct event_packet_header *header = &event->mark.header;

    return event->kind == EVENT_MARK && header->flags == wanted->flags && (!wanted->src || header->src.port == wanted->src) &&
           (!wanted->dst || header->dst.port == wanted->dst);
}

/* The C library makes one of several calls of a function: which, depends on the architecture. */
static bool name_is(const char *name, const char *wanted)
{
    static const char *const same[][2] = {{"accept", "accept4"}, {"poll", "ppoll"}, {"dup2", "dup3"}};

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (strcmp(wanted, same[i][0]) == 0 && strcmp(name, same[i][1]) == 0) return true;
    }
    return strcmp(name, wanted) == 0;
}

bool is_enter(const struct event *event, const void *name)
{
    return event->kind == EVENT_ENTER && name_is(event->call.name, name);
}
bool is_exit(const struct event *event, const void *name)
{
    return event->kind == EVENT_EXIT && name_is(event->call.name, name);
}

bool is_state(const struct event *event, const void *data)
{
    const uint8_t *change = data;

    return event->kind == EVENT_STATE && event->state.from == change[0] && event->state.to == change[1];
}

bool is_kind(const struct event *event, const void *kind)
{
    return event->kind == *(const enum event_kind *)kind;
}

bool is_process(const struct event *event, const void *change)
{
    return event->kind == EVENT_PROCESS && event->process.change == *(const uint8_t *)change;
}

bool is_lost(const struct event *event, const void *what)
{
    return event->kind == EVENT_LOST && strcmp(event->lost.what, what) == 0;
}

bool chain_has(const struct event_chain *chain, const char *name)
{
    for (size_t i = 0; chain && i < chain->count; i++) {
        if (strcmp(chain->names[i], name) == 0) return true;
    }
    return false;
}

bool chain_has_call(const struct event_chain *chain, const char *name)
{
    char x86[64], arm[64];

    snprintf(x86, sizeof(x86), "__x64_sys_%s", name);
    snprintf(arm, sizeof(arm), "__arm64_sys_%s", name);
    return chain_has(chain, x86) || chain_has(chain, arm);
}
