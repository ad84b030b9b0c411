#include "capture/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* What the child writes to its error pipe where it can't go on; nothing (an end of file) when exec has closed the pipe. It is
 * shorter than PIPE_BUF, so it arrives whole. */
struct failure {
    int code; /* -errno */
    struct err err;
};
_Static_assert(sizeof(struct failure) <= PIPE_BUF, "a failure is written in one piece");

enum { OTHERS_FROM = STDERR_FILENO + 1 }; /* the first descriptor that is none of the standard ones */

/* Exit statuses: why it was not run is told, and nobody is there to be told. */
enum { FAILED = 127, UNRUN = 126 };

_Noreturn static void give_up(int error_fd, const struct failure *failure)
{
    ssize_t written = write(error_fd, failure, sizeof(*failure));
    _exit(written == (ssize_t)sizeof(*failure) ? FAILED : UNRUN);
}

static int close_between(unsigned first, unsigned last)
{
    if (first > last) return 0;
    return syscall(SYS_close_range, first, last, 0) ? -errno : 0;
}

/* exec would do it too, but until then a signal must end the child and not run its parent's handler. */
static void drop_handlers(void)
{
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) || action.sa_handler == SIG_IGN || action.sa_handler == SIG_DFL) continue;
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    }
}

static int compare_fds(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Closes all but the standard ones and `keep` (sorted here). */
static int close_others(int *keep, size_t count)
{
    qsort(keep, count, sizeof(keep[0]), compare_fds);
    unsigned next = OTHERS_FROM;
    for (size_t i = 0; i < count; i++) {
        if (keep[i] < (int)next) continue;
        int code = close_between(next, (unsigned)keep[i] - 1);
        if (code) return code;
        next = (unsigned)keep[i] + 1;
    }
    return close_between(next, UINT_MAX);
}

/* The three standard descriptors, whatever numbers they come from: copies first, so that 1 for 2 and 2 for 1 works. */
static int set_standard(const struct child_options *options)
{
    int wanted[OTHERS_FROM] = {options->stdin_fd, options->stdout_fd, options->stderr_fd};
    for (size_t i = 0; i < OTHERS_FROM; i++) {
        if (wanted[i] == -1) continue;
        wanted[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, OTHERS_FROM);
        if (wanted[i] == -1) return -errno;
    }
    for (int i = 0; i < OTHERS_FROM; i++)
        if (wanted[i] != -1 && dup2(wanted[i], i) == -1) return -errno;
    return 0;
}

static int arrange_descriptors(const struct child_options *options, int gate_fd, int error_fd)
{
    int code = set_standard(options);
    if (code) return code;
    size_t kept = sizeof(options->keep_fds) / sizeof(options->keep_fds[0]), count = 0;
    /* Freed by exec, or the end. */
    int *keep = malloc(sizeof(gate_fd) + sizeof(error_fd) + sizeof(options->keep_fds) + options->inherited_count * sizeof(keep[0]));
    if (!keep) return -ENOMEM;
    keep[count++] = gate_fd;
    keep[count++] = error_fd;
    for (size_t i = 0; i < kept; i++) {
        keep[count++] = options->keep_fds[i];
        if (options->keep_fds[i] >= OTHERS_FROM && fcntl(options->keep_fds[i], F_SETFD, 0)) return -errno;
    }
    for (size_t i = 0; i < options->inherited_count; i++) keep[count++] = options->inherited[i];
    return close_others(keep, count);
}

/* A parent that died before the prctl sends no signal any more: it shows as another parent. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(UNRUN);
}

/* Whoever changes its user loses the signal for its parent's end (credentials(7)), and must ask for it anew. */
static int become(const struct child_person *person, pid_t parent)
{
    if (initgroups(person->name, person->group) || setresgid(person->group, person->group, person->group) ||
        setresuid(person->user, person->user, person->user))
        return -errno;
    die_with(parent);
    return 0;
}

/* The path that execvp(3) would execute. Searched before the setup, so that a recorder sees the one execve that counts and not a
 * failure for each folder of PATH. 0 or -errno. */
static int find_program(const char *name, char path[PATH_MAX])
{
    if (strchr(name, '/')) return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX ? 0 : -ENAMETOOLONG;
    if (!*name) return -ENOENT;
    const char *folders = getenv("PATH");
    if (!folders) folders = "/bin:/usr/bin";
    int code = -ENOENT;
    for (const char *at = folders;; at++) {
        size_t length = strcspn(at, ":");
        struct stat what;
        int written = snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, at, length ? "/" : "", name);
        if (written < PATH_MAX && stat(path, &what) == 0 && S_ISREG(what.st_mode)) {
            if (access(path, X_OK) == 0) return 0;
            code = -EACCES;
        }
        at += length;
        if (!*at) return code;
    }
}

static int execute(const char *path, char *const *argv)
{
    execv(path, argv);
    if (errno != ENOEXEC) return -errno;
    /* A script without its first line: what execvp does. */
    size_t count = 0; /* with the NULL at the end */
    while (argv[count++]) continue;
    char **shell = calloc(count + 1, sizeof(shell[0])); /* two words stand for its name */
    if (!shell) return -ENOMEM;
    shell[0] = (char[]){"sh"};
    shell[1] = (char *)path;
    memcpy(&shell[2], &argv[1], (count - 1) * sizeof(shell[0]));
    execv("/bin/sh", shell);
    return -errno;
}

static int exec_failure(struct failure *failure, const char *name, const char *path, int code)
{
    if (code == -ENOENT && !strchr(name, '/')) return err_set(&failure->err, code, "%s: not found in PATH", name);
    if (code == -ENOENT && access(path, F_OK) == 0)
        return err_set(&failure->err, code, "%s: exists, but the interpreter its first line (or its ELF header) names does not",
                       name);
    if (code == -ENOENT) return err_set(&failure->err, code, "%s: no such file", name);
    if (code == -EACCES)
        return err_set(&failure->err, code, "%s: may not be executed (permissions of the file or of a folder above it)", name);
    return err_set_errno(&failure->err, code, "%s: can't be executed", name);
}

_Noreturn static void run(const struct child_options *options, pid_t parent, int gate_fd, int error_fd)
{
    struct failure failure = {0};
    char path[PATH_MAX];
    char pass;
    sigset_t none;
    sigemptyset(&none);

    die_with(parent);
    failure.code = arrange_descriptors(options, gate_fd, error_fd);
    if (failure.code) {
        err_set_errno(&failure.err, failure.code, "%s: its descriptors can't be set up", options->argv[0]);
        give_up(error_fd, &failure);
    }
    drop_handlers();
    if (options->ignores_children) sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    if (options->environment) environ = (char **)(uintptr_t)options->environment; /* nobody changes it before exec */
    sigprocmask(SIG_SETMASK, options->mask ? options->mask : &none, NULL);

    /* No handler is left that could interrupt it. */
    if (read(gate_fd, &pass, 1) != 1) _exit(UNRUN); /* the gate was closed, not opened */

    failure.code = find_program(options->argv[0], path);
    if (!failure.code && options->setup) {
        failure.code = options->setup(options->setup_data);
        if (failure.code) {
            err_set_errno(&failure.err, failure.code, "%s: can't be made ready to be recorded", options->argv[0]);
            give_up(error_fd, &failure);
        }
    }
    if (!failure.code && options->person) {
        failure.code = become(options->person, parent);
        if (failure.code) {
            err_set_errno(&failure.err, failure.code, "%s: can't be run as %s", options->argv[0], options->person->name);
            give_up(error_fd, &failure);
        }
    }
    if (!failure.code) failure.code = execute(path, options->argv);
    exec_failure(&failure, options->argv[0], path, failure.code);
    give_up(error_fd, &failure);
}

/* Where the parent runs with a standard descriptor closed, a pipe could get its number and be lost in the child. */
static int move_up(int *fd)
{
    if (*fd > STDERR_FILENO) return 0;
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, OTHERS_FROM);
    if (moved == -1) return -errno;
    close(*fd);
    *fd = moved;
    return 0;
}

int child_spawn(const struct child_options *options, struct child *ret_child, struct err *err)
{
    *ret_child = (struct child){.pid = -1, .gate_fd = -1, .error_fd = -1};
    int gate[2] = {-1, -1}, error[2] = {-1, -1};
    int code = 0;
    /* A socket pair and not a pipe: opening the gate of a child that is gone must not raise SIGPIPE. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) || pipe2(error, O_CLOEXEC)) code = -errno;
    for (int i = 0; i < 2 && !code; i++) {
        code = move_up(&gate[i]);
        if (!code) code = move_up(&error[i]);
    }
    if (!code && fcntl(error[0], F_SETFL, O_NONBLOCK)) code = -errno;
    if (code) {
        err_set_errno(err, code, "%s: no pipes to start it with", options->argv[0]);
        goto cleanup;
    }

    /* No handler of this process may run in the child; it takes its own mask once it is set up. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) run(options, parent, gate[0], error[1]);
    code = pid == -1 ? -errno : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (code) {
        err_set_errno(err, code, "%s: no process to run it in", options->argv[0]);
        goto cleanup;
    }
    *ret_child = (struct child){.pid = pid, .gate_fd = gate[1], .error_fd = error[0]};
    gate[1] = error[0] = -1;

cleanup:
    for (int i = 0; i < 2; i++) {
        if (gate[i] != -1) close(gate[i]);
        if (error[i] != -1) close(error[i]);
    }
    return code;
}

int child_release(struct child *child, struct err *err)
{
    ssize_t sent;
    do sent = send(child->gate_fd, "", 1, MSG_NOSIGNAL);
    while (sent == -1 && errno == EINTR);
    int code = sent == -1 ? -errno : 0;
    close(child->gate_fd);
    child->gate_fd = -1;
    if (code) return err_set_errno(err, code, "process %d ended before it was let go", (int)child->pid);
    return 0;
}

int child_exec_error(struct child *child, struct err *err)
{
    if (child->error_fd == -1) return 0;
    struct failure failure;
    ssize_t got;
    do got = read(child->error_fd, &failure, sizeof(failure));
    while (got == -1 && errno == EINTR);
    if (got == -1 && errno == EAGAIN) return -EAGAIN;
    int code = got == -1 ? -errno : 0;
    close(child->error_fd);
    child->error_fd = -1;
    if (got == (ssize_t)sizeof(failure)) {
        failure.err.text[sizeof(failure.err.text) - 1] = '\0';
        return err_set(err, failure.code, "%s", failure.err.text);
    }
    if (code) return err_set_errno(err, code, "can't tell whether process %d has started its program", (int)child->pid);
    return 0;
}

void child_close(struct child *child)
{
    if (child->gate_fd != -1) close(child->gate_fd);
    if (child->error_fd != -1) close(child->error_fd);
    child->gate_fd = child->error_fd = -1;
}
