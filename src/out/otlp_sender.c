#include "out/otlp_sender.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "rights/rights.h"

enum { PIECE_BYTES = 1 << 16, LATE_MS = 1000 /* how long a line of a run without end may wait for others */ };

struct otlp_sender {
    struct otlp_batches *batches; /* the child's; here for its URL alone */
    pid_t child;                  /* 0: none, or it was waited for */
    int fd;                       /* lines to the child, its result back; -1: closed */
    bool endless;
    struct otlp_result *so_far; /* shared with the child, who writes it */
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

/* Waits for more lines. What waits to be sent is not kept waiting for them. */
static void wait_for_lines(struct otlp_batches *batches, int fd)
{
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t since_ms = otlp_batches_waits_since(batches);
        int64_t left_ms = since_ms == INT64_MAX ? -1 : since_ms + LATE_MS - clock_ms();
        if (since_ms != INT64_MAX && left_ms <= 0) {
            otlp_batches_flush(batches);
            continue;
        }
        if (poll(&ready, 1, (int)left_ms) > 0) return;
    }
}

static void be_child(const struct otlp_sender *sender, int fd, pid_t parent)
{
    struct otlp_batches *batches = sender->batches;
    char bytes[PIECE_BYTES];
    /* What a collector answers comes from outside. Before the wish to end with the parent, which a change of user takes back. */
    if (rights_drop(RIGHTS_NONE, NULL)) _exit(1);
    follow(parent);
    let_go_of_output();
    for (;;) {
        if (sender->endless) wait_for_lines(batches, fd);
        *sender->so_far = *otlp_batches_so_far(batches);
        ssize_t length = read(fd, bytes, sizeof(bytes));
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) break;
        otlp_batches_take(batches, bytes, (size_t)length);
    }
    *sender->so_far = otlp_batches_finish(batches);
    _exit(write(fd, sender->so_far, sizeof(*sender->so_far)) == (ssize_t)sizeof(*sender->so_far) ? 0 : 1);
}

/* ---- the parent ---- */

static int begin_child(struct otlp_sender *sender, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return err_set_errno(err, -errno, "can't prepare to send");
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        close(ends[0]);
        be_child(sender, ends[1], self);
    }
    int code = child < 0 ? err_set_errno(err, -errno, "can't begin a process that sends") : 0;
    close(ends[1]);
    sender->fd = ends[0];
    sender->child = child < 0 ? 0 : child;
    return code;
}

int otlp_sender_new(struct otlp_sender **ret_sender, const char *url, bool endless, struct err *err)
{
    struct otlp_sender *sender = calloc(1, sizeof(*sender));
    if (!sender) return err_set_errno(err, -ENOMEM, "can't prepare to send");
    sender->fd = -1;
    sender->endless = endless;
    void *shared = mmap(NULL, sizeof(*sender->so_far), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int code = shared == MAP_FAILED ? -errno : 0;
    if (code) err_set_errno(err, code, "can't prepare to send");
    sender->so_far = code ? NULL : shared;
    if (!code) code = otlp_batches_new(&sender->batches, url, endless, err);
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

int otlp_sender_fd(const struct otlp_sender *sender)
{
    return sender->fd;
}

struct otlp_result otlp_sender_so_far(const struct otlp_sender *sender)
{
    return *sender->so_far;
}

struct otlp_result otlp_sender_end(struct otlp_sender *sender, int patience_ms)
{
    struct pollfd answer = {.fd = sender->fd, .events = POLLIN};
    int64_t until_ms = clock_ms() + patience_ms;
    shutdown(sender->fd, SHUT_WR);
    for (int64_t left_ms = patience_ms; left_ms > 0 && poll(&answer, 1, (int)left_ms) < 0 && errno == EINTR;)
        left_ms = until_ms - clock_ms();
    kill(sender->child, SIGKILL); /* where it has answered, it is ending anyhow */
    while (waitpid(sender->child, NULL, 0) < 0 && errno == EINTR) continue;
    sender->child = 0;
    return *sender->so_far;
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
    if (sender->so_far) munmap(sender->so_far, sizeof(*sender->so_far));
    free(sender);
}
