#include "play/catalogue/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 2 };

struct job {
    pid_t pid;
    int fd; /* -1: not running */
    size_t got;
    bool ended;
};

static char *row_of(const struct beside *beside, size_t i)
{
    return (char *)beside->rows + i * beside->row_bytes;
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

static int start(const struct beside *beside, size_t i, struct job *job, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't run job %zu (pipe2)", i + 1);
    }
    fflush(stdout);
    pid_t parent = getpid();
    job->pid = fork();
    if (job->pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) _exit(1);
        beside->work(beside->data, i, row_of(beside, i));
        _exit(write_row(ends[1], row_of(beside, i), beside->row_bytes) ? 0 : 1);
    }
    int code = job->pid < 0 ? -errno : 0;
    close(ends[1]);
    job->fd = ends[0];
    if (!code) return 0;
    close(job->fd);
    job->fd = -1;
    return err_set_errno(err, code, "can't run job %zu (fork)", i + 1);
}

static void finish(const struct beside *beside, size_t i, struct job *job)
{
    int status = 0;
    close(job->fd);
    job->fd = -1;
    while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR) continue;
    job->ended = true;
    if (job->got == beside->row_bytes && status == 0) return;
    memset(row_of(beside, i), 0, beside->row_bytes);
    beside->lost(beside->data, i, row_of(beside, i), status);
}

static void hear(const struct beside *beside, size_t i, struct job *job)
{
    ssize_t got = read(job->fd, row_of(beside, i) + job->got, beside->row_bytes - job->got);
    if (got < 0 && errno == EINTR) return;
    if (got > 0) job->got += (size_t)got;
    if (got <= 0 || job->got == beside->row_bytes) finish(beside, i, job);
}

/* Waits until something is heard of those that run. */
static int listen_to(const struct beside *beside, struct job *jobs, size_t begun, size_t *running, struct err *err)
{
    struct pollfd fds[AT_ONCE];
    size_t which[AT_ONCE];
    nfds_t waits = 0;
    for (size_t i = 0; i < begun && waits < AT_ONCE; i++)
        if (jobs[i].fd >= 0) which[waits] = i, fds[waits++] = (struct pollfd){.fd = jobs[i].fd, .events = POLLIN};
    if (poll(fds, waits, -1) < 0 && errno != EINTR) {
        int code = -errno;
        return err_set_errno(err, code, "can't wait for the scenarios");
    }
    for (nfds_t i = 0; i < waits; i++) {
        if (!fds[i].revents) continue;
        hear(beside, which[i], &jobs[which[i]]);
        *running -= jobs[which[i]].ended;
    }
    return 0;
}

int beside_run(const struct beside *beside, struct err *err)
{
    struct job *jobs = calloc(beside->count + 1, sizeof(*jobs));
    size_t begun = 0, told = 0, running = 0;
    int code = jobs ? 0 : -ENOMEM;
    if (code) err_set_errno(err, code, "can't run the scenarios");
    while (!code && told < beside->count) {
        for (; running < AT_ONCE && begun < beside->count && !code; running++) {
            jobs[begun].fd = -1;
            code = start(beside, begun, &jobs[begun], err);
            begun++;
        }
        if (!code) code = listen_to(beside, jobs, begun, &running, err);
        for (; !code && told < begun && jobs[told].ended; told++) code = beside->over(beside->data, told, row_of(beside, told));
    }
    for (size_t i = 0; i < begun; i++) { /* after a failure */
        if (jobs[i].fd < 0) continue;
        kill(jobs[i].pid, SIGKILL);
        close(jobs[i].fd);
        while (waitpid(jobs[i].pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    free(jobs);
    return code;
}
