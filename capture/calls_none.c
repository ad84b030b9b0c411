/* The recorder that records nothing: it reaps the children it was given and says how they ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "capture/calls.h"
#include "capture/procinfo.h"

struct none_child {
    pid_t pid;
    bool ended;
    int status;
    int stop_signal;
    char comm[EVENT_COMM_BYTES];
};

struct calls {
    struct none_child *children;
    size_t count, room;
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
    if (calls->count == calls->room) {
        size_t room = calls->room ? calls->room * 2 : 8;
        struct none_child *children = realloc(calls->children, room * sizeof(children[0]));
        if (!children) return err_set(err, -ENOMEM, "out of memory");
        calls->children = children;
        calls->room = room;
    }
    calls->children[calls->count++] = (struct none_child){.pid = pid};
    return 0;
}

static int none_fd(const struct calls *calls)
{
    (void)calls;
    return -1;
}

static int none_drain(struct calls *calls, struct event_log *log, struct err *err)
{
    int events = 0;
    for (size_t i = 0; i < calls->count; i++) {
        struct none_child *child = &calls->children[i];
        siginfo_t info = {0};
        if (!child->ended && !waitid(P_PID, (id_t)child->pid, &info, WSTOPPED | WNOHANG) && info.si_pid)
            child->stop_signal = info.si_status;
        info.si_pid = 0;
        /* A look first, the reaping after: a zombie still has its name. */
        if (child->ended || waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid) continue;
        procinfo_comm(child->pid, child->comm);
        if (waitpid(child->pid, &child->status, WNOHANG) != child->pid) continue;
        child->ended = true;

        struct event event = {.kind = EVENT_PROCESS, .t_ns = clock_wall_ns()};
        event.process.thread.pid = event.process.thread.tid = child->pid;
        memcpy(event.process.thread.comm, child->comm, sizeof(child->comm));
        event.process.change = PROCESS_EXIT;
        event.process.status = WIFEXITED(child->status) ? WEXITSTATUS(child->status) : -1;
        event.process.signal = WIFSIGNALED(child->status) ? WTERMSIG(child->status) : 0;
        if (event_log_append(log, &event)) return err_set(err, -ENOMEM, "out of memory for events");
        calls->appended++;
        events++;
    }
    return events;
}

static bool none_ended(const struct calls *calls, pid_t pid, int *ret_status)
{
    for (size_t i = 0; i < calls->count; i++) {
        if (calls->children[i].pid != pid || !calls->children[i].ended) continue;
        *ret_status = calls->children[i].status;
        return true;
    }
    return false;
}

static int none_stopped(struct calls *calls, pid_t pid)
{
    for (size_t i = 0; i < calls->count; i++) {
        if (calls->children[i].pid != pid) continue;
        int signal = calls->children[i].stop_signal;
        calls->children[i].stop_signal = 0;
        return signal;
    }
    return 0;
}

static bool none_alive(struct calls *calls)
{
    for (size_t i = 0; i < calls->count; i++)
        if (!calls->children[i].ended) return true;
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
    if (calls) free(calls->children);
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
