/* The recorder that records nothing: it reaps the children it was given and says how they ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/calls.h"
#include "capture/followed.h"

struct calls {
    struct followed followed;
    uint64_t appended;
};

static int none_open(struct calls **ret_calls, const struct calls_options *options, struct err *err)
{
    (void)options;
    *ret_calls = calloc(1, sizeof(**ret_calls));
    return *ret_calls ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int none_follow(struct calls *calls, pid_t pid, struct err *err)
{
    return followed_add(&calls->followed, pid) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int none_fd(const struct calls *calls)
{
    (void)calls;
    return -1;
}

static int none_drain(struct calls *calls, struct event_log *log, struct err *err)
{
    int events = 0;
    for (size_t i = 0; i < calls->followed.count; i++) {
        struct followed_process *child = &calls->followed.entries[i];
        char comm[EVENT_COMM_BYTES] = "";
        if (!followed_reap(child, comm)) continue;
        struct event event = {.kind = EVENT_PROCESS, .t_ns = clock_wall_ns(), .process = followed_exit(child->status)};
        event.process.thread.pid = event.process.thread.tid = child->pid;
        memcpy(event.process.thread.comm, comm, sizeof(comm));
        if (event_log_append(log, &event)) return err_set(err, -ENOMEM, "out of memory for events");
        calls->appended++;
        events++;
    }
    return events;
}

static bool none_ended(const struct calls *calls, pid_t pid, int *ret_status)
{
    return followed_ended(&calls->followed, pid, ret_status);
}

static int none_stopped(struct calls *calls, pid_t pid)
{
    return followed_stopped(&calls->followed, pid);
}

static bool none_alive(struct calls *calls)
{
    for (size_t i = 0; i < calls->followed.count; i++)
        if (!calls->followed.entries[i].ended) return true;
    return false;
}

static int none_report(struct calls *calls, struct event_log *log, struct err *err)
{
    struct event event = {
        .kind = EVENT_LOST, .t_ns = clock_wall_ns(), .lost = {.source = "none", .what = "events", .received = calls->appended}};
    return event_log_append(log, &event) ? err_set(err, -ENOMEM, "out of memory for events") : 0;
}

static void none_close(struct calls *calls)
{
    if (calls) free(calls->followed.entries);
    free(calls);
}

const struct calls_recorder calls_none = {
    .name = "none",
    .open = none_open,
    .child_setup = NULL,
    .follow = none_follow,
    .fd = none_fd,
    .drain = none_drain,
    .ended = none_ended,
    .stopped = none_stopped,
    .alive = none_alive,
    .report = none_report,
    .close = none_close,
};
