#include "capture/bpf/bpf_ability.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lang.h"

static const char kernel_btf_path[] = "/sys/kernel/btf/vmlinux";
static const ino_t init_pid_namespace = 0xeffffffc; /* PROC_PID_INIT_INO in include/linux/proc_ns.h */

static size_t file_read(const char *path, char *text, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd == -1 ? -1 : read(fd, text, capacity - 1);

    if (fd != -1) close(fd);
    text[got == -1 ? 0 : got] = 0;
    return got == -1 ? 0 : (size_t)got;
}

static uint64_t capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    if (syscall(SYS_capget, &header, data)) return 0;
    return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static bool has(uint64_t set, int capability)
{
    return set >> capability & 1;
}

const char *bpf_ability_missing(uint64_t set)
{
    if (has(set, CAP_SYS_ADMIN)) return NULL;
    if (!has(set, CAP_BPF) && !has(set, CAP_PERFMON)) return TR("the bpf recorder needs root: CAP_BPF and CAP_PERFMON are missing");
    if (!has(set, CAP_BPF)) return TR("the bpf recorder needs root: CAP_BPF is missing");
    return has(set, CAP_PERFMON) ? NULL : TR("the bpf recorder needs root: CAP_PERFMON is missing");
}

bool bpf_maps_every_id(const char *uid_map)
{
    unsigned inside, outside, count;

    return sscanf(uid_map, "%u %u %u", &inside, &outside, &count) == 3 && !inside && !outside && count == UINT32_MAX;
}

static bool in_user_namespace(void)
{
    char text[256];

    if (access("/proc/self/uid_map", R_OK)) return false;
    file_read("/proc/self/uid_map", text, sizeof(text));
    return !bpf_maps_every_id(text);
}

static bool is_locked_down(void)
{
    char text[256];

    file_read("/sys/kernel/security/lockdown", text, sizeof(text));
    return strstr(text, "[confidentiality]");
}

static const char ways[] =
    TR("An ordinary user gets what it takes with sudo setcap "
       "cap_sys_admin,cap_net_admin,cap_net_raw,cap_bpf,cap_perfmon,cap_syslog+ep PROGRAM; without the first two "
       "the demo's pair still runs on this host's own network (--host-network). --recorder ptrace needs none");

int bpf_ability_check(struct err *err)
{
    uint64_t set = capabilities();
    struct stat pid_namespace;

    if (in_user_namespace()) {
        err_set(err, -EPERM, "inside a user namespace the kernel lets nobody load BPF programs");
        err_more(err,
                 "It asks for CAP_BPF and CAP_PERFMON in the initial user namespace, and what counts as root in another is not");
        return -EPERM;
    }
    const char *missing = bpf_ability_missing(set);
    if (missing) {
        err_set(err, -EPERM, "%s", tr(missing));
        err_more(err, "%s", tr(ways));
        return -EPERM;
    }
    if (is_locked_down()) {
        err_set(err, -EPERM, "the kernel is locked down: no program may read its memory");
        err_more(err,
                 "/sys/kernel/security/lockdown says \"confidentiality\"; with lockdown=integrity, or without Secure Boot, it may");
        return -EPERM;
    }
    if (access(kernel_btf_path, R_OK)) {
        int code = err_set_errno(err, -ENOTSUP, "the bpf recorder needs the kernel's type information, %s", kernel_btf_path);
        err_more(err, "The kernel was built without CONFIG_DEBUG_INFO_BTF, or /sys is not mounted");
        return code;
    }
    if (stat("/proc/self/ns/pid", &pid_namespace) == 0 && pid_namespace.st_ino != init_pid_namespace) {
        err_set(err, -ENOTSUP, "the bpf recorder sees the process ids of the host, and these here are others (a container)");
        err_more(err, "It works on the host, and where the container shares the host's pid namespace");
        return -ENOTSUP;
    }
    return 0;
}

/* The last line that holds something: the verifier ends with a statistic after the reason, libbpf does not. */
static void last_reason(const char *log, char *out, size_t capacity)
{
    out[0] = 0;
    while (log && *log) {
        size_t length = strcspn(log, "\n");

        if (length && strncmp(log, "processed ", 10) != 0 && strncmp(log, "verification time", 17) != 0)
            snprintf(out, capacity, "%.*s", (int)length, log);
        log += length + (log[length] == '\n');
    }
}

int bpf_ability_refused(int code, const char *what, const char *kernel_log, struct err *err)
{
    char reason[256];

    last_reason(kernel_log, reason, sizeof(reason));
    if (code == -EPERM || code == -EACCES)
        return err_set(err, code, "%s: the kernel refuses (%s)%s%s, as a container's seccomp profile or a security module makes it",
                       tr(what), err_errno_text(-code), reason[0] ? ": " : "", reason);
    if (code == -ENOSYS) return err_set(err, code, "%s: this kernel has no bpf(2) (CONFIG_BPF_SYSCALL)", tr(what));
    return err_set_errno(err, code, "%s%s%s", tr(what), reason[0] ? tr(": the kernel says: ") : "", reason);
}

bool bpf_kernel_is_preempted(const char *version, const char *realtime)
{
    return realtime[0] == '1' || strstr(version, "PREEMPT_RT");
}

bool bpf_this_kernel_is_preempted(void)
{
    char realtime[8];
    struct utsname names;

    file_read("/sys/kernel/realtime", realtime, sizeof(realtime));
    uname(&names); /* it can't fail */
    return bpf_kernel_is_preempted(names.version, realtime);
}

bool bpf_programs_are_preempted(const struct btf *btf)
{
    return btf__find_by_name_kind(btf, "class_srcu_fast_notrace_t", BTF_KIND_TYPEDEF) > 0;
}

/* NULL: there is none; an error's number is no type's. */
static const struct btf_type *type_named(const struct btf *btf, const char *name, uint32_t kind)
{
    return btf__type_by_id(btf, (__u32)btf__find_by_name_kind(btf, name, kind));
}

int bpf_tracepoint_arguments(const struct btf *btf, const char *name)
{
    char typedef_name[64];
    const struct btf_type *type;

    snprintf(typedef_name, sizeof(typedef_name), "btf_trace_%s", name);
    type = type_named(btf, typedef_name, BTF_KIND_TYPEDEF);
    if (!type) return -1;
    type = btf__type_by_id(btf, type->type);
    if (!type || !btf_is_ptr(type)) return -1;
    type = btf__type_by_id(btf, type->type);
    if (!type || !btf_is_func_proto(type)) return -1;
    return btf_vlen(type) - 1;
}

void bpf_enum_names(const struct btf *btf, const char *name, const char *prefix, char names[][EVENT_NAME_BYTES], size_t most)
{
    const struct btf_type *type = type_named(btf, name, BTF_KIND_ENUM);

    for (uint32_t i = 0; type && i < btf_vlen(type); i++) {
        const struct btf_enum *value = btf_enum(type) + i;
        const char *text = btf__name_by_offset(btf, value->name_off);

        if (!text || (size_t)value->val >= most) continue; /* a negative one is larger than any */
        if (strncmp(text, prefix, strlen(prefix)) == 0) text += strlen(prefix);
        snprintf(names[value->val], EVENT_NAME_BYTES, "%s", text);
    }
}
