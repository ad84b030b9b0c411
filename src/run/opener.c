#include "run/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rights/rights.h"

struct question {
    int32_t tid;
    uint64_t netns;
};

/* ---- the process beside ---- */

static int enter(const struct question *question)
{
    char path[64];
    struct stat there;
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)question->tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC), code = 0;
    if (fd < 0) return -errno;
    if (fstat(fd, &there) < 0)
        code = -errno;
    else if (there.st_ino != question->netns)
        code = -ESRCH; /* it has gone on */
    else if (setns(fd, CLONE_NEWNET) < 0)
        code = -errno;
    close(fd);
    return code;
}

static void list_addresses(struct opener_answer *answer)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) return;
    for (const struct ifaddrs *one = all; one && answer->address_count < OPENER_ADDRESSES; one = one->ifa_next) {
        struct address address;
        if (!one->ifa_addr || (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6)) continue;
        socklen_t length = one->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (!address_from_sockaddr(one->ifa_addr, length, &address)) continue;
        address.port = 0;
        answer->addresses[answer->address_count++] = address;
    }
    freeifaddrs(all);
}

/* A socket belongs to the network in which it was opened, whoever holds it. */
static int send_answer(int channel, const struct opener_answer *answer, int fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof(*answer)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    memset(&control, 0, sizeof(control));
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void serve(int channel)
{
    struct question question;
    for (;;) {
        ssize_t got = recv(channel, &question, sizeof(question), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got != sizeof(question)) return;
        struct opener_answer answer = {.code = enter(&question)};
        int fd = -1;
        if (!answer.code) {
            fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (fd < 0) answer.code = -errno;
            list_addresses(&answer);
        }
        int code = send_answer(channel, &answer, fd);
        if (fd >= 0) close(fd);
        if (code) return;
    }
}

/* In the group of the command, whose terminal signals are none of its business; it holds nothing but its channel. */
static void be_opener(int channel)
{
    struct err ignored;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    if (dup2(channel, STDIN_FILENO) < 0) _exit(1);
    close_range(STDIN_FILENO + 1, ~0U, 0);
    int nothing = open("/dev/null", O_RDWR); /* where a library might write */
    if (nothing == STDOUT_FILENO) (void)dup2(nothing, STDERR_FILENO);
    if (rights_drop(RIGHTS_NETWORKS, &ignored)) _exit(1);
    serve(STDIN_FILENO);
    _exit(0);
}

/* ---- who asks it ---- */

int opener_begin(struct opener *opener, struct err *err)
{
    int ends[2];
    *opener = (struct opener){.channel = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set_errno(err, -errno, "can't start the process that opens captures in other networks");
    pid_t pid = fork();
    if (pid == 0) be_opener(ends[1]);
    int code = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (code) {
        close(ends[0]);
        return err_set_errno(err, code, "can't start the process that opens captures in other networks");
    }
    *opener = (struct opener){.pid = pid, .channel = ends[0]};
    return 0;
}

static int receive_answer(int channel, struct opener_answer *ret_answer)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = ret_answer, .iov_len = sizeof(*ret_answer)};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    do got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got != sizeof(*ret_answer)) return -EPIPE;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (ret_answer->code || !head || head->cmsg_type != SCM_RIGHTS) return ret_answer->code ? ret_answer->code : -EPIPE;
    int fd;
    memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    return fd;
}

int opener_ask(struct opener *opener, pid_t tid, uint64_t netns, struct opener_answer *ret_answer)
{
    struct question question;
    memset(&question, 0, sizeof(question));
    question.tid = (int32_t)tid;
    question.netns = netns;
    *ret_answer = (struct opener_answer){.code = -EPERM};
    if (!opener->pid) return -EPERM;
    if (send(opener->channel, &question, sizeof(question), MSG_NOSIGNAL) < 0) return ret_answer->code = -errno;
    return receive_answer(opener->channel, ret_answer);
}

void opener_end(struct opener *opener)
{
    if (!opener->pid) return;
    close(opener->channel);
    while (waitpid(opener->pid, NULL, 0) < 0 && errno == EINTR) continue;
    *opener = (struct opener){.channel = -1};
}
