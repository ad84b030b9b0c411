#include "play/catalogue/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rights/rights.h"

enum { AT_ONCE = 2 };

/* What the starter says of a job: it begins, and here is the descriptor of its row; or it has ended. */
struct word {
    size_t job;
    bool begins;
    int wait_status;
    int code; /* -errno: it could not be started, and nothing more will be */
};

static char *row_of(const struct beside *beside, size_t i)
{
    return (char *)beside->rows + i * beside->row_bytes;
}

/* ---- the starter, which keeps the rights: it looks at no byte from outside ---- */

struct starter {
    const struct beside *beside;
    int channel, children; /* `children`: of SIGCHLD */
    sigset_t before;       /* the signal mask that jobs get */
    size_t begun, running;
    struct {
        pid_t pid; /* 0: free */
        size_t job;
    } slots[AT_ONCE];
};

static bool say(const struct starter *starter, const struct word *word, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {.bytes = {0}};
    struct iovec text = {(void *)(uintptr_t)word, sizeof(*word)};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    return sendmsg(starter->channel, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*word);
}

static bool write_row(int fd, const char *row, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t written = write(fd, row + done, bytes - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        done += (size_t)written;
    }
    return true;
}

static void __attribute__((noreturn)) do_job(const struct starter *starter, size_t i, int fd, pid_t parent)
{
    const struct beside *beside = starter->beside;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) _exit(1);
    close(starter->channel);
    close(starter->children);
    sigprocmask(SIG_SETMASK, &starter->before, NULL);
    beside->work(beside->data, i, row_of(beside, i));
    _exit(write_row(fd, row_of(beside, i), beside->row_bytes) ? 0 : 1);
}

/* Begins the next job. False: nobody is left to be told of it, or it can't. */
static bool start(struct starter *starter)
{
    size_t slot = 0;
    while (starter->slots[slot].pid) slot++;
    struct word word = {.job = starter->begun++, .begins = true};
    int ends[2];
    pid_t pid = -1, parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0) {
        word.code = -errno;
        say(starter, &word, -1);
        return false;
    }
    pid = fork();
    if (pid == 0) do_job(starter, word.job, ends[1], parent);
    if (pid < 0) word.code = -errno;
    bool heard = say(starter, &word, pid > 0 ? ends[0] : -1);
    close(ends[0]);
    close(ends[1]);
    if (pid < 0) return false;
    starter->slots[slot].pid = pid;
    starter->slots[slot].job = word.job;
    starter->running++;
    return heard;
}

static void reap(struct starter *starter)
{
    struct signalfd_siginfo signal;
    struct word word = {0};
    while (read(starter->children, &signal, sizeof(signal)) > 0) continue;
    for (pid_t pid; (pid = waitpid(-1, &word.wait_status, WNOHANG)) > 0;)
        for (size_t i = 0; i < AT_ONCE; i++) {
            if (starter->slots[i].pid != pid) continue;
            starter->slots[i].pid = 0;
            starter->running--;
            word.job = starter->slots[i].job;
            say(starter, &word, -1);
        }
}

/* Starts one job after the other until all are over, or nobody listens any more. */
static void __attribute__((noreturn)) run_starter(const struct beside *beside, int channel)
{
    struct starter starter = {.beside = beside, .channel = channel};
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, &starter.before);
    starter.children = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    bool listens = starter.children >= 0;
    while (listens) {
        while (listens && starter.running < AT_ONCE && starter.begun < beside->count) listens = start(&starter);
        if (!starter.running) break;
        struct pollfd fds[] = {{.fd = channel, .events = POLLIN}, {.fd = starter.children, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
        listens = listens && !fds[0].revents; /* nothing is ever said this way: it has ended */
        reap(&starter);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (!starter.slots[i].pid) continue;
        kill(starter.slots[i].pid, SIGKILL);
        while (waitpid(starter.slots[i].pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    _exit(0);
}

/* ---- this process, which has no rights any more: it reads rows ---- */

struct job {
    int fd; /* -1: not running */
    size_t got;
    bool ended;
};

static void hear(const struct beside *beside, size_t i, struct job *job)
{
    while (job->got < beside->row_bytes) {
        ssize_t got = read(job->fd, row_of(beside, i) + job->got, beside->row_bytes - job->got);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        job->got += (size_t)got;
    }
}

static void finish(const struct beside *beside, size_t i, struct job *job, int wait_status)
{
    hear(beside, i, job);
    close(job->fd);
    job->fd = -1;
    job->ended = true;
    if (job->got == beside->row_bytes && wait_status == 0) return;
    memset(row_of(beside, i), 0, beside->row_bytes);
    beside->lost(beside->data, i, row_of(beside, i), wait_status);
}

/* One word of the starter's. 0, or -errno with a sentence. */
static int take_word(const struct beside *beside, int channel, struct job *jobs, struct err *err)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct word word;
    struct iovec text = {&word, sizeof(word)};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    if (length < 0 && errno == EINTR) return 0;
    if (length != (ssize_t)sizeof(word) || word.job >= beside->count)
        return err_set(err, -ECHILD, "can't run the scenarios: the process that starts them has ended");
    if (word.code) return err_set_errno(err, word.code, "can't run job %zu (fork)", word.job + 1);
    struct job *job = &jobs[word.job];
    if (!word.begins) {
        finish(beside, word.job, job, word.wait_status);
        return 0;
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS)
        return err_set(err, -EMFILE, "can't run job %zu: no descriptor is left", word.job + 1);
    memcpy(&job->fd, CMSG_DATA(header), sizeof(job->fd));
    if (fcntl(job->fd, F_SETFL, O_NONBLOCK) < 0) return err_set_errno(err, -errno, "can't run job %zu (fcntl)", word.job + 1);
    return 0;
}

/* Waits until something is heard: of the starter, or of a job whose row is larger than what a pipe holds. */
static int listen_to(const struct beside *beside, int channel, struct job *jobs, struct err *err)
{
    struct pollfd fds[1 + AT_ONCE] = {{.fd = channel, .events = POLLIN}};
    size_t which[1 + AT_ONCE];
    nfds_t waits = 1;
    for (size_t i = 0; i < beside->count && waits < 1 + AT_ONCE; i++)
        if (jobs[i].fd >= 0 && jobs[i].got < beside->row_bytes)
            which[waits] = i, fds[waits++] = (struct pollfd){.fd = jobs[i].fd, .events = POLLIN};
    if (poll(fds, waits, -1) < 0) {
        int code = errno == EINTR ? 0 : -errno;
        return code ? err_set_errno(err, code, "can't wait for the scenarios") : 0;
    }
    for (nfds_t i = 1; i < waits; i++)
        if (fds[i].revents) hear(beside, which[i], &jobs[which[i]]);
    return fds[0].revents ? take_word(beside, channel, jobs, err) : 0;
}

static int take_all(const struct beside *beside, int channel, struct job *jobs, struct err *err)
{
    size_t told = 0;
    int code = rights_drop(RIGHTS_NONE, err);
    if (!code) code = rights_confine(false, err);
    for (size_t i = 0; i < beside->count; i++) jobs[i].fd = -1;
    while (!code && told < beside->count) {
        code = listen_to(beside, channel, jobs, err);
        for (; !code && told < beside->count && jobs[told].ended; told++)
            code = beside->over(beside->data, told, row_of(beside, told));
    }
    for (size_t i = 0; i < beside->count; i++)
        if (jobs[i].fd >= 0) close(jobs[i].fd);
    return code;
}

int beside_run(const struct beside *beside, struct err *err)
{
    int ends[2], code = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
    if (code) return err_set_errno(err, code, "can't run the scenarios (socketpair)");
    struct job *jobs = calloc(beside->count + 1, sizeof(*jobs));
    fflush(stdout);
    pid_t starter = jobs ? fork() : -1;
    if (starter == 0) {
        close(ends[0]);
        run_starter(beside, ends[1]);
    }
    if (starter < 0) code = jobs ? -errno : -ENOMEM;
    close(ends[1]);
    if (code)
        err_set_errno(err, code, "can't run the scenarios");
    else
        code = take_all(beside, ends[0], jobs, err);
    close(ends[0]); /* which ends the starter, and with it what still runs */
    while (starter > 0 && waitpid(starter, NULL, 0) < 0 && errno == EINTR) continue;
    free(jobs);
    return code;
}
