/* What is behind the descriptors of a process that alone changes them: looked at once, then known until it closes them or puts
 * others in their place, which are calls that stop. Internal to the ptrace recorder.
 *
 * Where others change them too (threads, CLONE_FILES, io_uring, a supervisor that adds descriptors) nothing is kept. Without
 * ptrace_files_alone nothing is known of a task's. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_FILES_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ptrace_task;

struct ptrace_files {
    uint64_t *keys; /* by descriptor; 0: not known */
    size_t count;
    bool apart;      /* the table is known to be no other process's */
    bool shared;     /* it was, or its process has more threads */
    bool supervised; /* by a process that may put descriptors into it (seccomp_unotify(2)); its children's too, for ever */
};

/* Whether nobody else changes the descriptors of this task. */
bool ptrace_files_alone(const struct ptrace_task *task);
/* A key of ptrace_sockets.h, PTRACE_SOCKETS_OTHER, or 0: not known. */
uint64_t ptrace_files_get(const struct ptrace_task *task, int fd);
/* It is this, as was just seen. Without memory, or for a descriptor of some thousands, it is not kept. */
void ptrace_files_put(struct ptrace_task *task, int fd, uint64_t key);
/* The call at whose entry it stops (`raw`, `row`) may take descriptors away. */
void ptrace_files_entered(struct ptrace_task *task);
/* It made `child`, a process or a thread, which has stopped before or has not. */
void ptrace_files_born(struct ptrace_task *task, struct ptrace_task *child, bool has_stopped);
/* Its process made one that has ended, or could not be followed. */
void ptrace_files_lost(struct ptrace_task *task);
/* execve: it has a table of its own, without those that were to be closed. */
void ptrace_files_exec(struct ptrace_task *task);
void ptrace_files_free(struct ptrace_files *files);

#endif
