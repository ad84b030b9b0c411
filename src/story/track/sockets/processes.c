/* Processes: what leaves with them, and when. A process is known from its first call on (or from the fork that gave it a socket);
 * its threads and its epolls go soon after its end, what tells of that end stays as long as any of its calls does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/track.h"

/* After it has ended (sched_process_exit) a process still closes what it held: so long its threads may be named. */
static const int64_t PROCESS_LATE_NS = 1000000000;
/* So many ends are remembered of one number: the numbers of processes come round. */
enum { ENDS_MAX = 8 };

static void release(struct process *process)
{
    if (--process->refs) return;
    free(process->held);
    free(process->ends);
    lookups_free(process->lookups);
    free(process);
}

void process_unref(struct process *process)
{
    if (process) release(process);
}

struct process *process_ref(struct process *process)
{
    if (process) process->refs++;
    return process;
}

static void forget_thread(struct teller *teller, struct thread *thread)
{
    list_remove(&thread->process->threads, &thread->process_link);
    list_remove(&teller->idle_threads, &thread->idle_link);
    table_remove(teller->threads, &thread->tid);
    call_unref(thread->current);
    call_unref(thread->last);
    call_unref(thread->waited);
    process_unref(thread->process);
    free(thread);
}

/* The table lets go of it: its number may become another's. */
static void forget_process(struct teller *teller, struct process *process)
{
    while (process->threads.first) forget_thread(teller, LIST_OF(process->threads.first, struct thread, process_link));
    while (process->epolls.first) epoll_forget(teller, LIST_OF(process->epolls.first, struct epoll, process_link));
    if (process->ended) list_remove(&teller->ended, &process->ended_link);
    table_remove(teller->processes, &process->pid);
    release(process);
}

/* Nobody saw them end: those of which nothing is left go when there are too many. */
static void forget_idle(struct teller *teller)
{
    void *value;
    struct process *idle[64];
    size_t count = 0;
    for (size_t cursor = 0; count < 64 && table_next(teller->processes, &cursor, NULL, &value);) {
        struct process *process = value;
        if (process->refs == 1 && !process->held_count) idle[count++] = process;
    }
    for (size_t i = 0; i < count; i++) forget_process(teller, idle[i]);
    teller->forgotten.processes += count;
}

struct process *process_get(struct teller *teller, int32_t pid)
{
    struct process *process = table_get(teller->processes, &pid);
    if (process) return process;
    if (table_count(teller->processes) >= PROCESSES_MAX && teller->now_ns >= teller->processes_swept_ns) {
        teller->processes_swept_ns = teller->now_ns + PROCESS_LATE_NS;
        forget_idle(teller);
    }
    process = calloc(1, sizeof(*process));
    if (!process) return NULL;
    process->pid = pid;
    process->refs = 1;
    if (!table_put(teller->processes, &pid, process)) return process;
    free(process);
    return NULL;
}

void processes_pass(struct teller *teller)
{
    while (teller->ended.first) {
        struct process *process = LIST_OF(teller->ended.first, struct process, ended_link);
        if (teller->now_ns - process->ended_ns <= PROCESS_LATE_NS) return;
        forget_process(teller, process);
    }
}

void processes_free(struct teller *teller)
{
    void *value;
    for (size_t cursor = 0; teller->processes && table_next(teller->processes, &cursor, NULL, &value); cursor = 0)
        forget_process(teller, value);
    table_free(teller->processes);
}

struct thread *socket_thread(struct teller *teller, const struct event_thread *seen)
{
    if (seen->tid == 0) return NULL; /* the idle task makes no calls */
    return table_get(teller->threads, &seen->tid);
}

struct call *thread_call_at(const struct thread *thread, const struct event_context *context)
{
    if (!thread || thread->current) return thread ? thread->current : NULL;
    return context->other_call ? NULL : thread->last;
}

/* One that is in no call has only its last one to remember, for work that the kernel put off to that call's end. */
static void make_room_for_thread(struct teller *teller)
{
    size_t looked_at = 0;
    while (teller->idle_threads.count >= THREADS_MAX) {
        struct thread *thread = LIST_OF(teller->idle_threads.first, struct thread, idle_link);
        if (thread->current && looked_at++ < 64) { /* a call may last for hours */
            list_remove(&teller->idle_threads, &thread->idle_link);
            list_add(&teller->idle_threads, &thread->idle_link);
            continue;
        }
        forget_thread(teller, thread);
        teller->forgotten.threads++;
    }
}

struct thread *thread_get(struct teller *teller, const struct event_thread *seen)
{
    struct thread *thread = table_get(teller->threads, &seen->tid);
    if (thread && thread->process->pid != seen->pid) { /* the number has become another's */
        forget_thread(teller, thread);
        thread = NULL;
    }
    if (thread) {
        list_remove(&teller->idle_threads, &thread->idle_link);
        list_add(&teller->idle_threads, &thread->idle_link);
        return thread;
    }
    make_room_for_thread(teller);
    struct process *process = process_get(teller, seen->pid);
    thread = process ? calloc(1, sizeof(*thread)) : NULL;
    if (!thread) return NULL;
    thread->tid = seen->tid;
    if (table_put(teller->threads, &seen->tid, thread)) {
        free(thread);
        return NULL;
    }
    thread->process = process_ref(process);
    list_add(&process->threads, &thread->process_link);
    list_add(&teller->idle_threads, &thread->idle_link);
    return thread;
}

/* Its ends, the newest ENDS_MAX of them. */
static int note_end(struct process *process, const struct event *event)
{
    if (process->end_count == ENDS_MAX)
        memmove(&process->ends[0], &process->ends[1], --process->end_count * sizeof(process->ends[0]));
    struct process_end *end = track_grow((void **)&process->ends, &process->end_count, &process->end_room, sizeof(*end));
    if (!end) return -ENOMEM;
    *end = (struct process_end){.t_ns = event->t_ns,
                                .order = event->order,
                                .thread = event->process.thread,
                                .status = event->process.status,
                                .signal = event->process.signal};
    return 0;
}

int processes_take(struct teller *teller, const struct event *event)
{
    const struct event_process *seen = &event->process;
    struct process *before = seen->change == PROCESS_FORK ? table_get(teller->processes, &seen->thread.pid) : NULL;
    if (before && before->ended) forget_process(teller, before);
    int code = holders_take_process(teller, seen);
    if (code || event->process.change != PROCESS_EXIT) return code;
    /* Who exits has left every call; who is killed may have been in it. */
    struct thread *thread = socket_thread(teller, &(struct event_thread){.tid = event->process.thread.pid});
    if (thread && thread->current) {
        thread->current->ended = true;
        thread->current->overtaken = !event->process.signal;
    }
    struct process *process = table_get(teller->processes, &event->process.thread.pid);
    if (!process) return 0; /* it made no call: no story tells of it */
    if (!process->ended) list_add(&teller->ended, &process->ended_link);
    process->ended = true;
    process->ended_ns = teller->now_ns;
    process->held_count = 0;
    return note_end(process, event);
}
