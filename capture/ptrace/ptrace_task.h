/* The threads that the ptrace recorder follows, each with the call it is in. Internal to that recorder.
 *
 * The set owns the tasks; a pointer is valid until its task is removed. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_TASK_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_TASK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/table.h"
#include "capture/ptrace/ptrace_files.h"
#include "capture/ptrace/ptrace_sockets.h"
#include "capture/syscalls.h"
#include "event/event.h"

struct ptrace_tasks;

struct ptrace_task {
    struct ptrace_tasks *all; /* the set it is in */
    pid_t pid, tid;           /* process and thread */
    char comm[EVENT_COMM_BYTES];
    int64_t named_ns;    /* when `comm` was read; 0: it is to be read again */
    int handle;          /* sockinfo_open's, kept; -1: none */
    bool in_call;        /* between the stops of a recorded call: `raw`, `row` and `enter` are its */
    bool nameless;       /* the names of its descriptors may not be read: see ptrace_look.c */
    bool marked;         /* a stop made by the seccomp filter was seen */
    bool filtered;       /* the filter is on, or may be (before its first exec): without a tracer its recorded calls fail */
    bool restartable;    /* its last call ended with -ERESTART_RESTARTBLOCK: restart_syscall goes on with `raw` */
    bool attached;       /* it ran before: no filter is in it, and every call of its stops (ptrace_attach.h) */
    bool interrupted;    /* attached, and its first stop has not come yet */
    bool goes_on;        /* the call that it makes next is one that it slept in when it was attached */
    bool left;           /* no longer followed: see ptrace_leave.h */
    bool announced;      /* nothing of its birth is still to come: see ptrace_task_born */
    bool cut;            /* `enter.watch` does not hold everything that is watched */
    bool at_home;        /* in a network where packets are captured, as was seen, and in no other since */
    uint64_t netns;      /* where it made its last socket; 0: not known */
    uint64_t network;    /* that of the socket that socket() has made just now (sockinfo_network); 0: not known */
    uint32_t lost_looks; /* descriptors and memory that could not be seen since this was last set to 0 */
    const struct syscall_row *row;
    struct syscall_raw raw;
    struct event_call enter;
    struct ptrace_files files;
};

struct ptrace_tasks {
    struct table *by_tid;
    struct table *ended_unborn; /* those of which the end was seen and the parent's word of their birth was not */
    struct ptrace_sockets sockets;
    size_t handles; /* kept in tasks */
    bool has_rings; /* somebody has an io_uring, by which sockets change and descriptors come and go without a call */
};

/* 0 or -ENOMEM. */
int ptrace_tasks_init(struct ptrace_tasks *tasks);
void ptrace_tasks_free(struct ptrace_tasks *tasks);
/* NULL: not followed. */
struct ptrace_task *ptrace_task_find(const struct ptrace_tasks *tasks, pid_t tid);
/* A new task with its name; NULL when out of memory. It must not be there already. */
struct ptrace_task *ptrace_task_add(struct ptrace_tasks *tasks, pid_t pid, pid_t tid);
/* A handle for sockinfo_duplicate of its descriptors, or -errno. Give it back with ptrace_task_give_back: it may be kept for next
 * time. */
int ptrace_task_handle(struct ptrace_task *task);
void ptrace_task_give_back(const struct ptrace_task *task, int handle);
/* Its name as it is now or was a moment ago, into `comm`. */
void ptrace_task_name(struct ptrace_task *task);
/* Whether a name read then is taken for the one of now: for 20 ms. */
bool ptrace_task_name_holds(int64_t named_ns, int64_t now_ns);
void ptrace_task_remove(struct ptrace_tasks *tasks, pid_t tid);
/* Its end was seen: it is removed. */
void ptrace_task_end(struct ptrace_tasks *tasks, pid_t tid);
/* Its parent says that it made it. waitpid(2) gives no order: the child's own stops and even its end may have come before, and it
 * is still there to be looked at in /proc until its parent takes its status. False: it has ended, there is nobody to follow. */
bool ptrace_task_born(struct ptrace_tasks *tasks, pid_t tid);
/* execve by thread `former` made it the only thread of process `pid`, under that number: the first thread is gone without a word
 * (the others report their ends). Returns the one that is left, NULL when none of them was known. */
struct ptrace_task *ptrace_task_exec(struct ptrace_tasks *tasks, pid_t pid, pid_t former);

#endif
