#include "rights/rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { LEAKS_ARE_LOOKED_FOR = 1 };
#else
enum { LEAKS_ARE_LOOKED_FOR = 0 };
#endif

static const struct {
    unsigned kept;
    unsigned capability;
} rows[] = {
    {RIGHTS_NETWORKS, CAP_SYS_ADMIN}, {RIGHTS_NETWORKS, CAP_SYS_PTRACE}, {RIGHTS_NETWORKS, CAP_NET_RAW},
    {RIGHTS_SIGNAL, CAP_KILL},        {RIGHTS_HASTE, CAP_SYS_NICE},      {RIGHTS_TRACE, CAP_SYS_PTRACE},
    {RIGHTS_STAGE, CAP_SYS_ADMIN},    {RIGHTS_STAGE, CAP_NET_ADMIN},     {RIGHTS_STAGE, CAP_SETUID},
    {RIGHTS_STAGE, CAP_SETGID},       {RIGHTS_STAGE, CAP_SETPCAP},
};

bool rights_any(void)
{
    return geteuid() == 0 || (capng_get_caps_process() == 0 && capng_have_capabilities(CAPNG_SELECT_CAPS) > CAPNG_NONE);
}

/* Another user needs another group and no more groups. Where the kernel has no such user (a user namespace), or this root may not
 * change (a container), the capabilities go all the same. */
static int become_nobody(struct err *err)
{
    if (setgroups(0, NULL) < 0 && errno != EPERM) return err_set_errno(err, -errno, "can't give up the groups of root");
    if (setresgid(RIGHTS_NOBODY, RIGHTS_NOBODY, RIGHTS_NOBODY) < 0)
        return errno == EINVAL || errno == EPERM ? 0 : err_set_errno(err, -errno, "can't give up the group of root");
    if (setresuid(RIGHTS_NOBODY, RIGHTS_NOBODY, RIGHTS_NOBODY) == 0) return 0;
    return errno == EINVAL || errno == EPERM ? 0 : err_set_errno(err, -errno, "can't give up being root");
}

/* Chooses of what there is now what `keep` names. */
static void choose(unsigned keep)
{
    bool has[sizeof(rows) / sizeof(rows[0])];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        has[i] = keep & rows[i].kept && capng_have_capability(CAPNG_PERMITTED, rows[i].capability);
    capng_clear(CAPNG_SELECT_ALL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (has[i]) capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, rows[i].capability);
}

int rights_drop(unsigned keep, struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return err_set_errno(err, -errno, "can't give up what a program may gain");
    if (!rights_any()) return 0;
    bool changes = geteuid() == 0 && !(keep & RIGHTS_STAGE);
    if (capng_get_caps_process() < 0) return err_set(err, -EIO, "can't read this process's capabilities");
    choose(keep);
    /* The bounding set first, which takes CAP_SETPCAP; without that nothing can be added to what is kept either. */
    if (prctl(PR_CAPBSET_DROP, CAP_SETPCAP, 0, 0, 0) == 0 && capng_apply(CAPNG_SELECT_BOUNDS) < 0)
        return err_set(err, -EPERM, "can't give up the bounding set of capabilities");
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return err_set_errno(err, -errno, "can't choose which capabilities stay");
    int code = changes ? become_nobody(err) : 0;
    if (code) return code;
    if (capng_apply(CAPNG_SELECT_CAPS) < 0) return err_set(err, -EPERM, "can't give up this process's capabilities");
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    /* The leak sanitizer looks into this process with ptrace(2), which a change of user closes to it. */
    if (LEAKS_ARE_LOOKED_FOR) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    return 0;
}

/* What nobody who reads a file and writes text has any use for. io_uring would be a way around all the others. */
static const int refused[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setfsuid),
    SCMP_SYS(setfsgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(capset),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(sethostname),
};
static const int of_networks[] = {
    SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(connect),
};

static int refuse(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int code = 0;
    for (size_t i = 0; i < count && !code; i++) code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
    return code;
}

int rights_confine(bool resolves, struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter) return err_set_errno(err, -ENOMEM, "can't confine the reading of what comes from outside");
    int code = refuse(filter, refused, sizeof(refused) / sizeof(refused[0]));
    if (!code && !resolves) code = refuse(filter, of_networks, sizeof(of_networks) / sizeof(of_networks[0]));
    if (!code && !LEAKS_ARE_LOOKED_FOR) code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0);
    if (!code) code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    if (!code) code = seccomp_load(filter);
    seccomp_release(filter);
    /* Built without it, or within a filter that forbids filters: then the rights that are gone have to do. */
    if (code == -EINVAL || code == -ENOSYS || code == -EPERM || code == -EACCES || code == -ECANCELED) return 0;
    return code ? err_set_errno(err, code, "can't confine the reading of what comes from outside") : 0;
}
