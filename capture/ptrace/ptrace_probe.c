/* Whether this kernel, this container and these rights let a process follow its own children: tried, not guessed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lang.h"
#include "capture/procinfo.h"
#include "capture/ptrace/ptrace_filter.h"
#include "capture/ptrace/ptrace_kernel.h"
#include "capture/ptrace/sockinfo.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static const char *who_refuses(void)
{
    switch (procinfo_number("/proc/sys/kernel/yama/ptrace_scope", 0)) {
    case 3:
        return tr("kernel.yama.ptrace_scope is 3, which forbids tracing until the next boot");
    case 2:
        return tr("kernel.yama.ptrace_scope is 2, which leaves tracing to root");
    default:
        break;
    }
    if (procinfo_status(getpid(), "Seccomp") == 2) return tr("a seccomp filter is on this process, as containers have one");
    return tr("a security module (SELinux's deny_ptrace, AppArmor) may forbid it");
}

static int try_child(pid_t pid, int child_fd, struct err *err)
{
    int status = 0;
    long word = 0;
    struct ptrace_syscall_info info;
    if (ptrace_kernel(PTRACE_SEIZE, pid, 0, 0)) {
        int code = -errno;
        return err_set_errno(err, code, "ptrace of a child process is refused (%s)", who_refuses());
    }
    if (ptrace_kernel(PTRACE_INTERRUPT, pid, 0, 0) || waitpid(pid, &status, __WALL) == -1 || !WIFSTOPPED(status))
        return err_set(err, -EPERM, "ptrace does not stop a child process: %s", who_refuses());
    if (ptrace_kernel(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), (uintptr_t)&info) == -1)
        return err_set(err, -ENOSYS,
                       "the ptrace recorder needs PTRACE_GET_SYSCALL_INFO, which this kernel (before Linux 5.3) lacks");

    struct iovec here = {.iov_base = &word, .iov_len = sizeof(word)};
    static const long known = 0x7c9;
    struct iovec there = {.iov_base = (void *)&known, .iov_len = sizeof(known)};
    errno = 0;
    (void)process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (word != known) {
        int code = errno ? -errno : -EIO;
        return err_set_errno(err, code, "process_vm_readv of a traced child is refused (%s)", who_refuses());
    }
    int handle = sockinfo_open(pid);
    if (handle < 0)
        return err_set_errno(err, handle, "pidfd_open of a traced child is refused (Linux 5.3 is needed; %s)", who_refuses());
    int copy = (int)syscall(SYS_pidfd_getfd, handle, child_fd, 0);
    int code = copy == -1 ? -errno : 0;
    if (!code) close(copy);
    close(handle);
    if (code)
        return err_set_errno(err, code,
                             "pidfd_getfd, which shows what socket is behind a descriptor, is refused (Linux 5.6 is needed; %s)",
                             who_refuses());
    return 0;
}

int ptrace_probe(struct err *err)
{
    unsigned action = SECCOMP_RET_TRACE;
    int pipe_fds[2];
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)) {
        int code = -errno;
        return err_set_errno(err, code, "the ptrace recorder needs seccomp filters (CONFIG_SECCOMP_FILTER, Linux 4.14)");
    }
    if (pipe2(pipe_fds, O_CLOEXEC)) {
        int code = -errno;
        return err_set_errno(err, code, "no pipe to try ptrace with");
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
        for (;;) pause();
    }
    int code;
    if (pid == -1)
        code = err_set_errno(err, -errno, "no process to try ptrace on");
    else {
        code = try_child(pid, pipe_fds[0], err);
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, __WALL) == -1 && errno == EINTR) {
        }
    }
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return code;
}
