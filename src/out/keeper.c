#include "out/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out/interrupt.h"
#include "rights/rights.h"

enum errand { OPEN_INPUT, OPEN_OUTPUT, SETTLE_OUTPUT };

struct request {
    enum errand errand;
    size_t number; /* among the inputs or outputs */
};

struct reply {
    int code;     /* 0 or -errno */
    bool settles; /* of an output: it is to be settled */
    struct err err;
};

struct keeper {
    struct keeper_files files;
    struct place *places; /* of the keeper's own process: one an output */
    int channel;
    pid_t pid;
};

/* ---- the keeper's side ---- */

/* A named pipe's writer is waited for on the other side, where a signal can end the wait. */
static int open_input(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int do_errand(struct keeper *keeper, const struct request *request, struct reply *reply)
{
    size_t count = request->errand == OPEN_INPUT ? keeper->files.input_count : keeper->files.output_count;
    if (request->number >= count) {
        reply->code = -EBADMSG;
        return -1;
    }
    if (request->errand == OPEN_INPUT) {
        int fd = open_input(keeper->files.inputs[request->number]);
        reply->code = fd < 0 ? fd : 0;
        return fd < 0 ? -1 : fd;
    }
    struct place *place = &keeper->places[request->number];
    if (request->errand == OPEN_OUTPUT && place->fd < 0) {
        reply->code = place_open_on_leash(place, keeper->files.outputs[request->number], keeper->channel, &reply->err);
        reply->settles = place->settles;
        return reply->code ? -1 : place->fd;
    }
    bool has_file = request->errand == SETTLE_OUTPUT && place->fd >= 0 && place->settles;
    reply->code = has_file ? place_settle(place, &reply->err) : -EBADMSG;
    return -1;
}

static void answer(struct keeper *keeper, const struct request *request)
{
    struct reply reply = {.code = 0};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = ""};
    int fd = do_errand(keeper, request, &reply);
    struct iovec bytes = {&reply, sizeof(reply)};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (!reply.code && fd >= 0) {
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fd)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control.room);
    }
    if (sendmsg(keeper->channel, &message, MSG_NOSIGNAL) < 0) _exit(1);
    if (request->errand == OPEN_INPUT && fd >= 0) close(fd);
}

/* With all signals blocked: ^C is the other side's, which may still have files to let appear. Until that closes the channel, or is
 * gone: then what was not finished leaves nothing. */
static void serve(struct keeper *keeper, pid_t parent)
{
    struct request request;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) _exit(1);
    while (recv(keeper->channel, &request, sizeof(request), 0) == (ssize_t)sizeof(request)) answer(keeper, &request);
    for (size_t i = 0; i < keeper->files.output_count; i++) place_close(&keeper->places[i]);
    _exit(0);
}

/* ---- the other side ---- */

static int start(struct keeper *keeper)
{
    int ends[2];
    pid_t parent = getpid();
    keeper->places = calloc(keeper->files.output_count + 1, sizeof(*keeper->places));
    if (!keeper->places) return -ENOMEM;
    for (size_t i = 0; i < keeper->files.output_count; i++) keeper->places[i] = place_nowhere();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    keeper->pid = fork();
    int code = keeper->pid < 0 ? -errno : 0;
    if (keeper->pid == 0) {
        keeper->channel = ends[1];
        close(ends[0]);
        serve(keeper, parent);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    keeper->channel = ends[0];
    return code;
}

int keeper_new(struct keeper **ret_keeper, const struct keeper_files *files, struct err *err)
{
    *ret_keeper = NULL;
    if (geteuid() != 0) return 0;
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    if (keeper) *keeper = (struct keeper){.files = *files, .channel = -1, .pid = -1};
    int code = keeper ? start(keeper) : -ENOMEM;
    if (code) {
        keeper_free(keeper);
        return err_set_errno(err, code, "can't keep root's rights apart");
    }
    *ret_keeper = keeper;
    return 0;
}

void keeper_free(struct keeper *keeper)
{
    if (!keeper) return;
    if (keeper->channel >= 0) close(keeper->channel);
    if (keeper->pid > 0)
        while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR) continue;
    free(keeper->places);
    free(keeper);
}

/* *ret_fd: -1 where none came. `may_wait_long`: on somebody else, as a named pipe's writer does, until the end is asked for. */
static int receive(struct keeper *keeper, bool may_wait_long, struct reply *ret_reply, int *ret_fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec bytes = {ret_reply, sizeof(*ret_reply)};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.room)};
    ssize_t length;
    do length = recvmsg(keeper->channel, &message, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR && !(may_wait_long && *interrupt_asked));
    *ret_fd = -1;
    if (length < 0) return -errno;
    if (length != (ssize_t)sizeof(*ret_reply)) return -EIO; /* -EPIPE would be a reader of results that has gone */
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(ret_fd, CMSG_DATA(header), sizeof(*ret_fd));
    return ret_reply->code;
}

/* 0, or what it failed with: the errand, or the way to the keeper. */
static int ask(struct keeper *keeper, enum errand errand, size_t number, struct reply *ret_reply, int *ret_fd)
{
    const struct request request = {errand, number};
    *ret_fd = -1;
    ret_reply->err.text[0] = '\0';
    if (send(keeper->channel, &request, sizeof(request), MSG_NOSIGNAL) < 0) return errno == EPIPE ? -EIO : -errno;
    return receive(keeper, errand == OPEN_OUTPUT, ret_reply, ret_fd);
}

static size_t find(const char *const *names, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(names[i], name) != 0) i++;
    return i;
}

/* As a blocking open(2) of a named pipe does it. */
static int wait_for_writer(int fd)
{
    struct stat status;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (fstat(fd, &status) < 0) return -errno;
    while (S_ISFIFO(status.st_mode) && poll(&wait, 1, -1) < 0)
        if (errno != EINTR || *interrupt_asked) return -errno;
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

int keeper_open(void *data, const char *path)
{
    struct keeper *keeper = data;
    struct reply reply;
    int fd, code;
    if (!keeper) return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t number = find(keeper->files.inputs, keeper->files.input_count, path);
    code = number < keeper->files.input_count ? ask(keeper, OPEN_INPUT, number, &reply, &fd) : -ENOENT;
    if (!code && fd < 0) code = -EIO;
    if (!code && (code = wait_for_writer(fd))) close(fd);
    errno = -code;
    return code ? -1 : fd;
}

/* A sentence is the keeper's where it had one. */
static int say(int code, const struct reply *reply, const char *name, struct err *err)
{
    if (!code) return 0;
    if (!reply->err.text[0]) return err_set_errno(err, code, "can't write '%s'", name);
    if (err) *err = reply->err;
    return code;
}

/* One file may be named twice: each place of this process has one of the keeper's. */
int keeper_open_place(struct keeper *keeper, struct place *place, const char *name, struct err *err)
{
    struct reply reply = {.code = 0};
    size_t number = 0;
    while (number < keeper->files.output_count && keeper->files.outputs[number] != name) number++;
    int code = number < keeper->files.output_count ? ask(keeper, OPEN_OUTPUT, number, &reply, &place->fd) : -ENOENT;
    if (!code && place->fd < 0) code = -EIO;
    place->keeper = keeper;
    place->number = number;
    place->settles = !code && reply.settles;
    return say(code, &reply, name, err);
}

int keeper_settle_place(struct keeper *keeper, struct place *place, struct err *err)
{
    struct reply reply = {.code = 0};
    int fd, code = ask(keeper, SETTLE_OUTPUT, place->number, &reply, &fd);
    if (fd >= 0) close(fd);
    return say(code, &reply, place->label, err);
}
