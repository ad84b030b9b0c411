#include "lab/network/host.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lang.h"

/* Where making a host stopped. */
struct refusal {
    int code;         /* -errno; 0: it did not stop */
    const char *step; /* static storage */
};

static int refuse(struct refusal *refusal, int code, const char *step)
{
    refusal->code = code;
    refusal->step = step;
    return code;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t wrote = write(fd, text, strlen(text));
    int code = wrote < 0 ? -errno : 0;
    close(fd);
    return code;
}

static int loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int code = 0;
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        code = -errno;
    else {
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
        if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) code = -errno;
    }
    close(fd);
    return code;
}

/* user_namespaces(7): an ordinary user may map only its own ids, and a group only after giving up setgroups(2). */
static int map_ids(uid_t uid, gid_t gid)
{
    char text[64];
    int code = write_file("/proc/self/setgroups", "deny");
    if (code && code != -ENOENT) return code;
    snprintf(text, sizeof(text), "%u %u 1", (unsigned)uid, (unsigned)uid);
    code = write_file("/proc/self/uid_map", text);
    if (code) return code;
    snprintf(text, sizeof(text), "%u %u 1", (unsigned)gid, (unsigned)gid);
    return write_file("/proc/self/gid_map", text);
}

static int furnish(struct refusal *refusal)
{
    int code = loopback_up();
    if (code) return refuse(refusal, code, TR("bringing its loopback up"));
    /* The network is the run's alone, so every port of it is free for all; it only matters below 1024 and to ordinary users. */
    write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    return 0;
}

static int enter_as_user(struct refusal *refusal)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) return refuse(refusal, -errno, "unshare(CLONE_NEWUSER|CLONE_NEWNET)");
    int code = map_ids(uid, gid);
    if (code) return refuse(refusal, code, TR("mapping the user's own ids into the user namespace"));
    return furnish(refusal);
}

/* Some systems let unshare pass and refuse what follows; there is no way back from a half-made host, so a child tries first. */
static int try_as_user(struct refusal *refusal)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return refuse(refusal, -errno, "pipe2()");
    pid_t pid = fork();
    if (pid < 0) {
        int code = -errno;
        close(ends[0]);
        close(ends[1]);
        return refuse(refusal, code, "fork()");
    }
    if (pid == 0) {
        struct refusal mine = {0, NULL};
        enter_as_user(&mine);
        _exit(write(ends[1], &mine, sizeof(mine)) == (ssize_t)sizeof(mine) ? 0 : 1);
    }
    close(ends[1]);
    /* The step's pointer is good here too: the child is a copy of this process. */
    ssize_t got = read(ends[0], refusal, sizeof(*refusal));
    close(ends[0]);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    if (got != (ssize_t)sizeof(*refusal)) return refuse(refusal, -EIO, TR("trying it in a child process"));
    return refusal->code;
}

static long read_number(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    return length > 0 ? atol(text) : -1;
}

static bool is_seccomp_filtered(void)
{
    char line[256];
    bool filtered = false;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (!strncmp(line, "Seccomp:", 8)) filtered = atoi(line + 8) == 2;
    if (file) fclose(file);
    return filtered;
}

/* The settings that are known to refuse a user or a network namespace, and what ends that. */
static const struct setting {
    const char *path;
    long refusing;
    const char *sentence, *remedy;
} settings[] = {
    {"/proc/sys/user/max_user_namespaces", 0, TR("the sysctl user.max_user_namespaces is 0"),
     "sudo sysctl user.max_user_namespaces=100"},
    {"/proc/sys/user/max_net_namespaces", 0, TR("the sysctl user.max_net_namespaces is 0"),
     "sudo sysctl user.max_net_namespaces=100"},
    {"/proc/sys/kernel/unprivileged_userns_clone", 0, TR("the sysctl kernel.unprivileged_userns_clone is 0"),
     "sudo sysctl kernel.unprivileged_userns_clone=1"},
    {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
     TR("AppArmor forbids it: the sysctl kernel.apparmor_restrict_unprivileged_userns is 1"),
     "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
};

static const struct setting *find_setting(void)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (read_number(settings[i].path) == settings[i].refusing) return &settings[i];
    return NULL;
}

static const char *who_refuses(void)
{
    const struct setting *setting = find_setting();
    if (setting) return tr(setting->sentence);
    if (is_seccomp_filtered()) return tr("a seccomp filter may forbid it, as containers have one");
    return tr("a container, a chroot or a security module may forbid it");
}

const char *host_remedy(void)
{
    const struct setting *setting = find_setting();
    return setting ? setting->remedy : NULL;
}

bool host_may_be_private(void)
{
    struct refusal refusal;
    return try_as_user(&refusal) == 0;
}

int host_make_private(enum host_kind *ret_kind, struct err *err)
{
    struct refusal refusal = {0, NULL};
    if (unshare(CLONE_NEWNET) == 0) {
        *ret_kind = HOST_PRIVATE;
        if (furnish(&refusal) == 0) return 0;
        err_set_errno(err, refusal.code, "can't make a private network namespace (%s)", tr(refusal.step));
        return -EIO; /* not -EPERM: the process has left its old network, so nothing can be tried instead */
    }
    if (try_as_user(&refusal) == 0 && enter_as_user(&refusal) == 0) {
        *ret_kind = HOST_PRIVATE_USER;
        return 0;
    }
    err_set(err, -EPERM, "no private network namespace can be made: %s", who_refuses());
    err_more(err, "Without CAP_SYS_ADMIN it takes a user namespace too, and %s failed: %s", tr(refusal.step),
             err_errno_text(-refusal.code));
    return -EPERM;
}

uint64_t host_netns(void)
{
    struct stat namespace;
    return stat("/proc/self/ns/net", &namespace) == 0 ? namespace.st_ino : 0;
}

/* include/net/tcp_states.h; these three send nothing more by themselves. TIME_WAIT answers only what should not come. */
enum { PROC_TIME_WAIT = 6, PROC_CLOSE = 7, PROC_LISTEN = 10 };

/* 127.0.0.1 or ::1, as those files write it: words of four bytes, each in the host's own order. */
static bool is_loopback(const char *hex)
{
    char v4[9], v6[33];
    snprintf(v4, sizeof(v4), "%08X", (unsigned)htonl(INADDR_LOOPBACK));
    snprintf(v6, sizeof(v6), "%024d%08X", 0, (unsigned)htonl(1));
    return !strcmp(hex, v4) || !strcmp(hex, v6);
}

/* A line of /proc/net/tcp: "  0: 0100007F:0D05 0100007F:9C40 01 …": slot, local, remote, state. */
static bool read_socket(const char *line, struct host_socket *socket)
{
    unsigned local, remote;
    char from[33], to[33];
    if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%x %x", from, &local, to, &remote, &socket->state) != 5) return false;
    socket->local = (uint16_t)local;
    socket->remote = (uint16_t)remote;
    socket->local_loopback = is_loopback(from);
    socket->remote_loopback = is_loopback(to);
    return true;
}

bool host_has_socket(bool (*is_it)(const void *data, const struct host_socket *socket), const void *data)
{
    static const char *const paths[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};
    bool found = false;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && !found; i++) {
        char line[512];
        struct host_socket socket;
        FILE *file = fopen(paths[i], "re");
        while (file && !found && fgets(line, sizeof(line), file)) found = read_socket(line, &socket) && is_it(data, &socket);
        if (file) fclose(file);
    }
    return found;
}

static bool is_active(const void *data, const struct host_socket *socket)
{
    uint16_t port = *(const uint16_t *)data;
    if ((socket->local != port || !socket->local_loopback) && (socket->remote != port || !socket->remote_loopback)) return false;
    return socket->state != PROC_TIME_WAIT && socket->state != PROC_CLOSE && socket->state != PROC_LISTEN;
}

bool host_has_active_socket(uint16_t port)
{
    return host_has_socket(is_active, &port);
}
