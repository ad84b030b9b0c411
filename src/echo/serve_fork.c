/* A child for each connection.
 *
 * SIGCHLD is ignored, so that the kernel reaps: no zombie waits for the next accept(), and no accept() returns EINTR because a
 * child ended. A pid that was reaped may belong to a stranger at once; therefore children are known by pidfd. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "echo/serve.h"
#include "echo/stop.h"

enum { CHILDREN_MAX = 256 }; /* a bound on what strangers can make this host run */

/* Newer than the C library of some distributions that are supported. */
enum { WAIT_PIDFD = 3 };

struct children {
    int count;
    struct pollfd pidfds[CHILDREN_MAX];
};

static void children_add(struct children *children, pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    /* Where there are no pidfds (an old container's seccomp filter) the child is on its own: it ends with its peer, or by
     * PR_SET_PDEATHSIG. */
    if (fd < 0) return;
    siginfo_t info;
    /* ECHILD: it has ended and been reaped before pidfd_open, so this descriptor may be of a stranger. */
    if (waitid((idtype_t)WAIT_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        close(fd);
        return;
    }
    children->pidfds[children->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* Forgets those that have ended; waits up to `timeout_ms` (-1: for ever) for the first of them, or for a signal. */
static void children_prune(struct children *children, int timeout_ms)
{
    if (children->count == 0 || poll(children->pidfds, (nfds_t)children->count, timeout_ms) <= 0) return;
    int kept = 0;
    for (int i = 0; i < children->count; i++) {
        if (children->pidfds[i].revents)
            close(children->pidfds[i].fd);
        else
            children->pidfds[kept++] = children->pidfds[i];
    }
    children->count = kept;
}

static void children_end(struct children *children)
{
    bool told = false;
    while (children->count) {
        if (stop_asked() && !told) {
            for (int i = 0; i < children->count; i++) syscall(SYS_pidfd_send_signal, children->pidfds[i].fd, SIGTERM, NULL, 0);
            told = true;
        }
        children_prune(children, -1);
    }
}

static void child_run(struct serve *serve, int fd, const struct endpoint *peer, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    serve_close_socket(serve);
    serve_connection(serve, fd, peer);
    _exit(0);
}

int serve_fork(struct serve *serve, struct err *err)
{
    struct children children = {0};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGCHLD, &ignore, &before);
    pid_t self = getpid();
    int code = 0;
    while (serve_wanted(serve)) {
        struct endpoint peer;
        int fd = serve_accept(serve, &peer, err);
        if (fd == -EINTR) break;
        if (fd < 0) {
            code = fd;
            break;
        }
        children_prune(&children, 0);
        while (children.count == CHILDREN_MAX && !stop_asked()) children_prune(&children, -1);
        pid_t pid = stop_asked() ? -1 : fork();
        if (pid == 0) child_run(serve, fd, &peer, self);
        if (pid < 0 && !stop_asked())
            serve_note(serve, "can't fork a child for a connection, so it is closed: the limit of processes or memory is reached");
        close(fd);
        if (pid > 0) children_add(&children, pid);
    }
    serve_close_socket(serve);
    children_end(&children);
    sigaction(SIGCHLD, &before, NULL);
    return code;
}
