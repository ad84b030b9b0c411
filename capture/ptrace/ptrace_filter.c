#include "capture/ptrace/ptrace_filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "capture/syscalls.h"

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

enum { NEW_LISTENER = 8 }; /* SECCOMP_FILTER_FLAG_NEW_LISTENER */

/* Of fcntl(2) what copies a descriptor: all programs ask it for much else. */
static int add_copies(scmp_filter_ctx filter, int number)
{
    struct scmp_arg_cmp commands[] = {SCMP_A1_32(SCMP_CMP_EQ, SYSCALL_F_DUPFD, 0),
                                      SCMP_A1_32(SCMP_CMP_EQ, SYSCALL_F_DUPFD_CLOEXEC, 0)};
    int code = seccomp_rule_add_array(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), number, 1, &commands[0]);
    return code ? code : seccomp_rule_add_array(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), number, 1, &commands[1]);
}

static int add_rows(scmp_filter_ctx filter)
{
    size_t count;
    const struct syscall_row *rows = syscall_rows(&count);
    int code = 0;
    for (size_t i = 0; i < count && !code; i++)
        code = rows[i].flags & SYSCALL_FCNTL ? add_copies(filter, (int)rows[i].number)
                                             : seccomp_rule_add(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), (int)rows[i].number, 0);
    /* How the kernel goes on with a poll that a signal interrupted (-ERESTART_RESTARTBLOCK). */
    if (!code) code = seccomp_rule_add(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), SYS_restart_syscall, 0);
    /* A child that would be left out, and keep this filter (ptrace_change.h). */
    struct scmp_arg_cmp untraced = SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_UNTRACED, CLONE_UNTRACED);
    if (!code) code = seccomp_rule_add_array(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), SYS_clone, 1, &untraced);
    if (!code) code = seccomp_rule_add(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), SYS_clone3, 0);
    /* By which descriptors come and go without a call (ptrace_files.h). */
    if (!code) code = seccomp_rule_add(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), SYS_io_uring_setup, 0);
    struct scmp_arg_cmp listener = SCMP_A1_32(SCMP_CMP_MASKED_EQ, NEW_LISTENER, NEW_LISTENER);
    if (!code) code = seccomp_rule_add_array(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), SYS_seccomp, 1, &listener);
    /* Into another network. */
    if (!code) code = seccomp_rule_add(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), SYS_setns, 0);
    if (!code) code = seccomp_rule_add(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), SYS_unshare, 0);
    /* A thread's new name, and nothing else of prctl(2). */
    struct scmp_arg_cmp names = SCMP_A0_32(SCMP_CMP_EQ, PR_SET_NAME, 0);
    return code ? code : seccomp_rule_add_array(filter, SCMP_ACT_TRACE(PTRACE_FILTER_MARK), SYS_prctl, 1, &names);
}

/* Who may install a filter without giving up set-uid programs keeps them: sudo under tcpwhy stays sudo. */
static int load(scmp_filter_ctx filter)
{
    if (!seccomp_load(filter)) return 0;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : seccomp_load(filter);
}

int ptrace_filter_install(void *unused)
{
    (void)unused;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter) return -ENOMEM;
    /* A 32-bit program is let through unrecorded (and counted), not killed, which is libseccomp's way with foreign calls. */
    int code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
    if (!code) code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    if (!code) code = add_rows(filter);
    if (!code) code = load(filter);
    seccomp_release(filter);
    return code;
}
