#include "out/otlp_sender.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out/otlp_batches.h"
#include "rights/rights.h"

enum { PIECE_BYTES = 1 << 16 };

struct otlp_sender {
    struct otlp_batches *batches; /* the child's; here for its URL alone */
    pid_t child;                  /* 0: none, or it was waited for */
    int fd;                       /* lines to the child, its result back; -1: closed */
};

/* ---- the child ---- */

/* Results go to files and terminals of the parent: whoever reads them must not wait for this process. */
static void let_go_of_output(void)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0) return;
    if (dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0) _exit(1);
    close(nothing);
}

/* ^C reaches this process too, and the parent says what it means: it ends, or tells what there is. Its end is the child's. */
static void follow(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

static void be_child(struct otlp_batches *batches, int fd, pid_t parent)
{
    char bytes[PIECE_BYTES];
    /* What a collector answers comes from outside. Before the wish to end with the parent, which a change of user takes back. */
    if (rights_drop(RIGHTS_NONE, NULL)) _exit(1);
    follow(parent);
    let_go_of_output();
    for (;;) {
        ssize_t length = read(fd, bytes, sizeof(bytes));
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) break;
        otlp_batches_take(batches, bytes, (size_t)length);
    }
    struct otlp_result result = otlp_batches_finish(batches);
    _exit(write(fd, &result, sizeof(result)) == (ssize_t)sizeof(result) ? 0 : 1);
}

/* ---- the parent ---- */

static int begin_child(struct otlp_sender *sender, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return err_set_errno(err, -errno, "can't prepare to send");
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        close(ends[0]);
        if (rights_drop(RIGHTS_NONE, err)) _exit(1); /* a collector is somebody from outside */
        be_child(sender->batches, ends[1], self);
    }
    int code = child < 0 ? err_set_errno(err, -errno, "can't begin a process that sends") : 0;
    close(ends[1]);
    sender->fd = ends[0];
    sender->child = child < 0 ? 0 : child;
    return code;
}

int otlp_sender_new(struct otlp_sender **ret_sender, const char *url, struct err *err)
{
    struct otlp_sender *sender = calloc(1, sizeof(*sender));
    if (!sender) return err_set_errno(err, -ENOMEM, "can't prepare to send");
    sender->fd = -1;
    int code = otlp_batches_new(&sender->batches, url, err);
    if (!code) code = begin_child(sender, err);
    if (code) {
        otlp_sender_free(sender);
        return code;
    }
    *ret_sender = sender;
    return 0;
}

int otlp_sender_write(void *data, const char *bytes, size_t length)
{
    struct otlp_sender *sender = data;
    while (length) {
        ssize_t sent = send(sender->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return 0; /* the child has gone, and so it has no result */
        bytes += sent;
        length -= (size_t)sent;
    }
    return 0;
}

static bool read_result(int fd, struct otlp_result *result)
{
    size_t got = 0;
    while (got < sizeof(*result)) {
        ssize_t length = read(fd, (char *)result + got, sizeof(*result) - got);
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) return false;
        got += (size_t)length;
    }
    return true;
}

int otlp_sender_finish(struct otlp_sender *sender, uint64_t *ret_taken, struct err *err)
{
    struct otlp_result result;
    shutdown(sender->fd, SHUT_WR); /* the end for the child, whoever else has a copy of the descriptor */
    bool known = read_result(sender->fd, &result);
    while (waitpid(sender->child, NULL, 0) < 0 && errno == EINTR) continue;
    sender->child = 0;
    *ret_taken = known ? result.taken : 0;
    if (!known) return err_set(err, -EIO, "the process that sends to %s has ended early", otlp_sender_url(sender));
    if (!result.lost) return 0;
    return err_set(err, -EIO, "%" PRIu64 " of %" PRIu64 " spans did not get to %s: %s", result.lost, result.lost + result.taken,
                   otlp_sender_url(sender), result.reason);
}

const char *otlp_sender_url(const struct otlp_sender *sender)
{
    return otlp_batches_url(sender->batches);
}

void otlp_sender_free(struct otlp_sender *sender)
{
    if (!sender) return;
    if (sender->child) { /* nobody wants to know any more */
        kill(sender->child, SIGKILL);
        while (waitpid(sender->child, NULL, 0) < 0 && errno == EINTR) continue;
    }
    if (sender->fd >= 0) close(sender->fd);
    otlp_batches_free(sender->batches);
    free(sender);
}
