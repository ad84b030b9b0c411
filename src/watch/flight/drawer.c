#include "watch/flight/drawer.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum errand { BEGIN, END, DROP };

struct request {
    enum errand errand;
    char name[DRAWER_NAME_BYTES];
};
struct reply {
    int code;
    uint64_t removed;
};

struct file {
    char name[DRAWER_NAME_BYTES];
    uint64_t bytes;
};

struct drawer {
    int channel;
    pid_t pid;
};

/* The other process. */
struct helper {
    int channel, folder_fd;
    struct drawer_limits limits;
    struct file *files; /* those that appeared, the oldest first */
    size_t count, room;
    uint64_t bytes;
    char name[DRAWER_NAME_BYTES]; /* of the one that is being written; "": none */
};

/* ---- its side ---- */

static bool is_name(const char *name)
{
    size_t length = strnlen(name, DRAWER_NAME_BYTES);
    if (!length || length + sizeof(".part") > DRAWER_NAME_BYTES || name[0] == '.') return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-.+", name[i])) return false;
    return true;
}

static void part_name(const char *name, char part[DRAWER_NAME_BYTES + 8])
{
    snprintf(part, DRAWER_NAME_BYTES + 8, ".%s.part", name);
}

static void drop(struct helper *helper)
{
    char part[DRAWER_NAME_BYTES + 8];
    if (!helper->name[0]) return;
    part_name(helper->name, part);
    unlinkat(helper->folder_fd, part, 0);
    helper->name[0] = 0;
}

static int begin(struct helper *helper, const char *name)
{
    char part[DRAWER_NAME_BYTES + 8];
    if (!is_name(name)) return -EINVAL;
    drop(helper);
    part_name(name, part);
    int fd = openat(helper->folder_fd, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    snprintf(helper->name, sizeof(helper->name), "%s", name);
    return fd;
}

static uint64_t make_room(struct helper *helper)
{
    size_t gone = 0;
    while (gone + 1 < helper->count && (helper->count - gone > helper->limits.files || helper->bytes > helper->limits.bytes)) {
        unlinkat(helper->folder_fd, helper->files[gone].name, 0); /* somebody may have taken it */
        helper->bytes -= helper->files[gone++].bytes;
    }
    helper->count -= gone;
    memmove(helper->files, helper->files + gone, helper->count * sizeof(*helper->files));
    return gone;
}

static int end(struct helper *helper, uint64_t *ret_removed)
{
    char part[DRAWER_NAME_BYTES + 8];
    struct stat status;
    if (!helper->name[0]) return -EINVAL;
    part_name(helper->name, part);
    if (helper->count == helper->room) {
        size_t room = helper->room ? helper->room * 2 : 16;
        struct file *files = reallocarray(helper->files, room, sizeof(*files));
        if (!files) return -ENOMEM;
        helper->files = files;
        helper->room = room;
    }
    /* A name that is taken is somebody else's file. */
    if (renameat2(helper->folder_fd, part, helper->folder_fd, helper->name, RENAME_NOREPLACE)) return -errno;
    struct file *file = &helper->files[helper->count++];
    snprintf(file->name, sizeof(file->name), "%s", helper->name);
    file->bytes = fstatat(helper->folder_fd, file->name, &status, AT_SYMLINK_NOFOLLOW) ? 0 : (uint64_t)status.st_size;
    helper->bytes += file->bytes;
    helper->name[0] = 0;
    *ret_removed = make_room(helper);
    return 0;
}

static void answer(const struct helper *helper, const struct reply *reply, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = ""};
    struct iovec bytes = {(void *)(uintptr_t)reply, sizeof(*reply)};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.room;
        message.msg_controllen = sizeof(control.room);
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    }
    (void)!sendmsg(helper->channel, &message, MSG_NOSIGNAL);
}

static void help(struct helper *helper)
{
    struct request request;
    while (recv(helper->channel, &request, sizeof(request), 0) == (ssize_t)sizeof(request)) {
        struct reply reply = {.code = 0};
        int fd = -1;
        request.name[DRAWER_NAME_BYTES - 1] = 0;
        if (request.errand == BEGIN)
            fd = reply.code = begin(helper, request.name);
        else if (request.errand == END)
            reply.code = end(helper, &reply.removed);
        else
            drop(helper);
        answer(helper, &reply, fd);
        if (fd >= 0) close(fd);
    }
    drop(helper);
}

/* ---- this side ---- */

static int ask(struct drawer *drawer, enum errand errand, const char *name, struct reply *ret_reply)
{
    struct request request = {.errand = errand};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec bytes = {ret_reply, sizeof(*ret_reply)};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)};
    ssize_t got;
    int fd = -1;
    snprintf(request.name, sizeof(request.name), "%s", name);
    if (send(drawer->channel, &request, sizeof(request), MSG_NOSIGNAL) != (ssize_t)sizeof(request)) return -EPIPE;
    do got = recvmsg(drawer->channel, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(*ret_reply)) return -EPIPE;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    if (ret_reply->code < 0 || errand != BEGIN) return ret_reply->code;
    return fd >= 0 ? fd : -EPIPE;
}

int drawer_begin(struct drawer *drawer, const char *name)
{
    struct reply reply;
    return ask(drawer, BEGIN, name, &reply);
}

int drawer_end(struct drawer *drawer, uint64_t *ret_removed)
{
    struct reply reply = {.code = 0};
    int code = ask(drawer, END, "", &reply);
    *ret_removed = reply.removed;
    return code;
}

void drawer_drop(struct drawer *drawer)
{
    struct reply reply;
    (void)ask(drawer, DROP, "", &reply);
}

static int open_folder(const char *folder, struct err *err)
{
    if (mkdir(folder, 0700) && errno != EEXIST) {
        int code = -errno;
        return err_set_errno(err, code, "can't make the folder %s", folder);
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) return fd;
    int code = -errno;
    return err_set_errno(err, code, "can't open the folder %s", folder);
}

int drawer_open(struct drawer **ret_drawer, const char *folder, const struct drawer_limits *limits, struct err *err)
{
    int channel[2] = {-1, -1}, folder_fd = open_folder(folder, err);
    if (folder_fd < 0) return folder_fd;
    struct drawer *drawer = calloc(1, sizeof(*drawer));
    int code = !drawer ? -ENOMEM : socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) ? -errno : 0;
    pid_t parent = getpid(), pid = code ? -1 : fork();
    if (!code && pid < 0) code = -errno;
    if (pid == 0) {
        struct helper helper = {.channel = channel[1], .folder_fd = folder_fd, .limits = *limits};
        close(channel[0]);
        signal(SIGINT, SIG_IGN); /* it ends with its channel */
        signal(SIGTERM, SIG_IGN);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) help(&helper);
        _exit(0);
    }
    close(folder_fd);
    if (channel[1] >= 0) close(channel[1]);
    if (code) {
        if (channel[0] >= 0) close(channel[0]);
        free(drawer);
        return err_set_errno(err, code, "can't keep a process for the folder %s", folder);
    }
    drawer->channel = channel[0];
    drawer->pid = pid;
    *ret_drawer = drawer;
    return 0;
}

void drawer_free(struct drawer *drawer)
{
    if (!drawer) return;
    close(drawer->channel);
    while (waitpid(drawer->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    free(drawer);
}
