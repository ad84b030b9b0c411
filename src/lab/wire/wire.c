#include "lab/wire/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/network/link.h"
#include "lab/wire/wire_process.h"

enum { SOCKET_BUFFER_BYTES = 8 << 20, REPORT_PIPE_BYTES = 1 << 20 };
static const int64_t DELAY_MAX_NS = 3600LL * 1000000000;

struct wire {
    pid_t pid;
    int pid_fd; /* a pid may be another's by the time that it is used */
    int command_fd, report_fd;
};

static void close_fd(int fd)
{
    if (fd >= 0) close(fd);
}

/* Everything is set before bind: nothing arrives before. What this socket sends is not handed back to it, and goes to the device
 * without a queue. */
static int open_side(const char *interface, int *ret_fd)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int on = 1, bytes = SOCKET_BUFFER_BYTES, index = link_index(interface);
    int code = index < 0 ? index : 0;
    struct sockaddr_ll end = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
    if (!code && setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0) code = -errno;
    if (!code && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0) code = -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)); /* as much as an ordinary user may have */
    if (!code && bind(fd, (struct sockaddr *)&end, sizeof(end)) < 0) code = -errno;
    if (code)
        close(fd);
    else
        *ret_fd = fd;
    return code;
}

static int open_sides(struct network *network, struct wire_ends *ends, struct err *err)
{
    int code = network_enter(network, NETWORK_WIRE, err);
    if (code) return code;
    for (int side = 0; side < 2 && !code; side++) {
        const char *interface = network_place_name(side == 0 ? NETWORK_CLIENT : NETWORK_SERVER);
        code = open_side(interface, &ends->side_fd[side]);
        if (code) err_set_errno(err, code, "can't open the wire's end at the %s (a packet socket)", interface);
    }
    int back = network_leave(network, code ? NULL : err);
    return code ? code : back;
}

/* In the process: it keeps its four descriptors, ends with its parent, and is not ended by what a terminal sends to all. */
static void live(struct wire_ends *ends, pid_t parent)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
    int *fds[] = {&ends->side_fd[0], &ends->side_fd[1], &ends->command_fd, &ends->report_fd};
    enum { FDS = sizeof(fds) / sizeof(fds[0]), OUT_OF_THE_WAY = 64 };
    static const int places[FDS] = {0, 1, STDERR_FILENO + 1, STDERR_FILENO + 2}; /* standard error stays what it is */
    prctl(PR_SET_NAME, "tcpwhy-wire");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) _exit(1);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) signal(ignored[i], SIG_IGN);
    for (int i = 0; i < FDS; i++) {
        *fds[i] = fcntl(*fds[i], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
        if (*fds[i] < 0) _exit(1);
    }
    for (int i = 0; i < FDS; i++) {
        if (dup2(*fds[i], places[i]) < 0) _exit(1);
        *fds[i] = places[i];
    }
    syscall(SYS_close_range, (unsigned)places[FDS - 1] + 1, ~0U, 0U);
    _exit(wire_process_run(ends));
}

static int start(struct wire *wire, struct wire_ends *ends, struct err *err)
{
    pid_t parent = getpid();
    wire->pid = fork();
    if (wire->pid < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't start the wire's process (fork)");
    }
    if (wire->pid == 0) live(ends, parent);
    wire->pid_fd = (int)syscall(SYS_pidfd_open, wire->pid, 0U);
    if (wire->pid_fd >= 0) return 0;
    int code = -errno;
    kill(wire->pid, SIGKILL);
    waitpid(wire->pid, NULL, 0);
    wire->pid = 0;
    return err_set_errno(err, code, "can't hold the wire's process (pidfd_open)");
}

static int open_channels(struct wire *wire, struct wire_ends *ends, struct err *err)
{
    int pair[2], pipe_ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0) {
        wire->command_fd = pair[0];
        ends->command_fd = pair[1];
        if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == 0) {
            wire->report_fd = pipe_ends[0];
            ends->report_fd = pipe_ends[1];
            (void)fcntl(ends->report_fd, F_SETPIPE_SZ, REPORT_PIPE_BYTES); /* what is refused waits in the process */
            return 0;
        }
    }
    int code = -errno;
    return err_set_errno(err, code, "can't open the channels to the wire's process");
}

static int ended(struct err *err)
{
    return err_set(err, -EPIPE, "the wire's process has ended: nothing passes between the hosts any more");
}

static int command(struct wire *wire, const struct wire_command *command, size_t *ret_count, struct err *err)
{
    struct wire_reply reply;
    ssize_t length = send(wire->command_fd, command, sizeof(*command), MSG_NOSIGNAL);
    if (length != (ssize_t)sizeof(*command)) return ended(err);
    do length = recv(wire->command_fd, &reply, sizeof(reply), 0);
    while (length < 0 && errno == EINTR);
    if (length != (ssize_t)sizeof(reply)) return ended(err);
    if (ret_count) *ret_count = reply.count;
    return reply.code;
}

int wire_open(struct wire **ret_wire, struct network *network, struct err *err)
{
    *ret_wire = NULL;
    struct wire_ends ends = {{-1, -1}, -1, -1};
    struct wire *wire = malloc(sizeof(*wire));
    if (!wire) return err_set_errno(err, -ENOMEM, "can't make a wire");
    *wire = (struct wire){0, -1, -1, -1};
    int code = open_sides(network, &ends, err);
    if (!code) code = open_channels(wire, &ends, err);
    if (!code) code = start(wire, &ends, err);
    close_fd(ends.side_fd[0]);
    close_fd(ends.side_fd[1]);
    close_fd(ends.command_fd);
    close_fd(ends.report_fd);
    if (!code) code = wire_settle(wire, err);
    if (code)
        wire_close(wire);
    else
        *ret_wire = wire;
    return code;
}

pid_t wire_pid(const struct wire *wire)
{
    return wire->pid;
}

static int check_from(unsigned from, struct err *err)
{
    if (from && !(from & ~(unsigned)WIRE_FROM_BOTH)) return 0;
    return err_set(err, -EINVAL, "the wire has two directions: from the client and from the server");
}

int wire_delay(struct wire *wire, unsigned from, int64_t delay_ns, struct err *err)
{
    int code = check_from(from, err);
    if (code) return code;
    if (delay_ns < 0 || delay_ns > DELAY_MAX_NS) return err_set(err, -EINVAL, "a wire's delay is at least 0 and at most an hour");
    return command(wire, &(struct wire_command){.order = WIRE_ORDER_DELAY, .from = from, .delay_ns = delay_ns}, NULL, err);
}

int wire_rule(struct wire *wire, const struct wire_rule *rule, struct err *err)
{
    if (!wire_rule_is_sound(rule) || rule->extra_ns > DELAY_MAX_NS)
        return err_set(err, -EINVAL, "a rule for the wire that makes no sense: direction %u, kind %d, action %d", rule->from,
                       (int)rule->match, (int)rule->action);
    int code = command(wire, &(struct wire_command){.order = WIRE_ORDER_RULE, .rule = *rule}, NULL, err);
    if (code == -ENOSPC) err_set(err, code, "the wire obeys at most %d rules at once", WIRE_RULES_MAX);
    return code;
}

int wire_seen(struct wire *wire, uint32_t id, uint64_t *ret_seen, struct err *err)
{
    size_t count = 0;
    int code = command(wire, &(struct wire_command){.order = WIRE_ORDER_SEEN, .rule = {.id = id}}, &count, err);
    if (code == -ENOENT) err_set(err, code, "the wire has no such rule");
    *ret_seen = count;
    return code;
}

int wire_clear(struct wire *wire, struct err *err)
{
    return command(wire, &(struct wire_command){.order = WIRE_ORDER_CLEAR}, NULL, err);
}

int wire_release(struct wire *wire, const char *name, size_t *ret_count, struct err *err)
{
    struct wire_command release = {.order = WIRE_ORDER_RELEASE, .all = !name};
    if (name) {
        size_t length = strlen(name);
        if (length >= sizeof(release.rule.name))
            return err_set(err, -EINVAL, "a rule's name has at most %d bytes", WIRE_NAME_BYTES - 1);
        memcpy(release.rule.name, name, length);
    }
    return command(wire, &release, ret_count, err);
}

int wire_router(struct wire *wire, const struct router_order *order, struct err *err)
{
    if (!router_order_is_sound(order))
        return err_set(err, -EINVAL, "an order for the router that makes no sense: %d", (int)order->verb);
    int code = command(wire, &(struct wire_command){.order = WIRE_ORDER_ROUTER, .router = *order}, NULL, err);
    if (code == -ENOSPC) err_set(err, code, "the router obeys at most %d rules", ROUTER_RULES_MAX);
    return code;
}

int wire_cut(struct wire *wire, unsigned from, struct err *err)
{
    int code = check_from(from, err);
    return code ? code : command(wire, &(struct wire_command){.order = WIRE_ORDER_CUT, .from = from}, NULL, err);
}

int wire_mend(struct wire *wire, unsigned from, struct err *err)
{
    int code = check_from(from, err);
    return code ? code : command(wire, &(struct wire_command){.order = WIRE_ORDER_MEND, .from = from}, NULL, err);
}

int wire_inject(struct wire *wire, const struct wire_forgery *forgery, struct err *err)
{
    if (!wire_forgery_is_sound(forgery))
        return err_set(err, -EINVAL, "a segment that can't be made: direction %d, %u bytes", (int)forgery->from,
                       forgery->length_bytes);
    int code = command(wire, &(struct wire_command){.order = WIRE_ORDER_INJECT, .forgery = *forgery}, NULL, err);
    if (code == -ENOENT)
        err_set(err, code, "there is no such connection: a SYN must have passed the wire, whose addresses and numbers it takes");
    return code;
}

int wire_settle(struct wire *wire, struct err *err)
{
    return command(wire, &(struct wire_command){.order = WIRE_ORDER_SETTLE}, NULL, err);
}

int wire_fd(const struct wire *wire)
{
    return wire->report_fd;
}

int wire_next_report(struct wire *wire, struct wire_report *ret_report, struct err *err)
{
    ssize_t length = read(wire->report_fd, ret_report, sizeof(*ret_report));
    if (length == (ssize_t)sizeof(*ret_report)) return 1;
    if (length >= 0) return ended(err);
    if (errno == EAGAIN || errno == EINTR) return 0;
    int code = -errno;
    return err_set_errno(err, code, "can't read what the wire reports");
}

void wire_close(struct wire *wire)
{
    if (!wire) return;
    if (wire->pid > 0 && wire->pid_fd >= 0) {
        syscall(SYS_pidfd_send_signal, wire->pid_fd, SIGKILL, NULL, 0U);
        while (waitpid(wire->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    close_fd(wire->pid_fd);
    close_fd(wire->command_fd);
    close_fd(wire->report_fd);
    free(wire);
}
