/* A child process that waits at a gate: everything that wants to watch it can be in place before its first instruction.
 *
 * The child dies with its parent (PR_SET_PDEATHSIG, SIGKILL), runs with the signal mask and dispositions its parent was started
 * with, and executes the command only after child_release. Reaping is the recorder's (see calls.h), not this module's. */
#ifndef TCPWHY_CAPTURE_CHILD_H
#define TCPWHY_CAPTURE_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* A user of this host: initgroups(3), setresgid(2), setresuid(2). */
struct child_person {
    const char *name;
    uid_t user;
    gid_t group;
};

struct child_options {
    char *const *argv;                  /* NULL-terminated; argv[0] is looked up in PATH */
    int stdin_fd, stdout_fd, stderr_fd; /* -1: inherit */
    int keep_fds[4];                    /* descriptors that stay open in the child, -1 for none; all others above 2 are closed */
    const int *inherited;               /* more of them, that this process was itself given; their flags stay as they are */
    size_t inherited_count;
    char *const *environment;          /* NULL: as this process's; PATH is looked up there */
    const struct child_person *person; /* whose rights it runs with; NULL: this process's */
    bool ignores_children;             /* SIGCHLD is ignored, as it was before this process began to watch its children */
    const sigset_t *mask;              /* the signal mask to run with; NULL: empty */
    /* Runs in the child behind the gate, right before it takes the person's rights and execs; 0 or -errno. NULL: nothing. */
    int (*setup)(void *data);
    void *setup_data;
};

struct child {
    pid_t pid;
    int gate_fd;  /* parent's end; -1 after release */
    int error_fd; /* exec's errno comes back here; -1 after child_exec_error */
};

/* Forks a child that waits. 0 or -errno. */
int child_spawn(const struct child_options *options, struct child *ret_child, struct err *err);
/* Opens the gate. 0 or -errno. */
int child_release(struct child *child, struct err *err);
/* After release: 0 once exec has succeeded, -EAGAIN while it is not known yet, else exec's -errno with a sentence ("CMD: not found
 * in PATH"). Does not block. */
int child_exec_error(struct child *child, struct err *err);
/* Closes what is left of the pipes. Does not kill. */
void child_close(struct child *child);

#endif
