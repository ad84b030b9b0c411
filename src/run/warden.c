#include "run/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the group of the command, whose terminal signals are none of its business. */
static void watch_over(struct session *session, int fd)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    session_outlive(session, fd);
    _exit(0);
}

int warden_begin(struct warden *warden, struct session *session, struct err *err)
{
    int ends[2];
    *warden = (struct warden){.fd = -1};
    if (!session_can_be_outlived(session)) return 0;
    pid_t pid = pipe2(ends, O_CLOEXEC) ? -1 : fork();
    if (pid < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't start the process that ends the command's when this one is killed");
    }
    if (pid == 0) {
        close(ends[1]);
        watch_over(session, ends[0]);
    }
    close(ends[0]);
    *warden = (struct warden){.pid = pid, .fd = ends[1]};
    return 0;
}

void warden_end(struct warden *warden)
{
    if (!warden->pid) return;
    while (write(warden->fd, "", 1) < 0 && errno == EINTR) continue;
    close(warden->fd);
    while (waitpid(warden->pid, NULL, 0) < 0 && errno == EINTR) continue;
    warden->pid = 0;
}
