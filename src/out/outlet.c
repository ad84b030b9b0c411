#include "out/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

struct outlet outlet_new(int fd, size_t limit)
{
    return (struct outlet){.fd = fd, .waiting = buf_new(limit)};
}

void outlet_free(struct outlet *outlet)
{
    buf_free(&outlet->waiting);
}

void outlet_line(struct outlet *outlet, const char *line, size_t length)
{
    if (outlet->gone || outlet->code) return;
    if (outlet->waiting.limit - outlet->waiting.length < length) {
        outlet->lost++;
        return;
    }
    if (buf_append(&outlet->waiting, line, length)) { /* out of memory: what waits stays */
        outlet->waiting.failed = false;
        outlet->lost++;
    }
}

/* A pipe that can be written to takes so many bytes at once (pipe(7)): then nothing waits. */
static bool write_some(struct outlet *outlet, int timeout_ms)
{
    size_t left = outlet->waiting.length - outlet->written;
    struct pollfd ready = {.fd = outlet->fd, .events = POLLOUT};
    if (!left || outlet->gone || outlet->code || poll(&ready, 1, timeout_ms) <= 0) return false;
    ssize_t wrote = write(outlet->fd, outlet->waiting.data + outlet->written, left < PIPE_BUF ? left : PIPE_BUF);
    if (wrote < 0) {
        outlet->full = errno == ENOSPC || errno == EDQUOT;
        if (errno == EPIPE || errno == EIO)
            outlet->gone = true;
        else if (errno != EINTR && errno != EAGAIN && !outlet->full)
            outlet->code = -errno;
        return !outlet->gone && !outlet->code && !outlet->full;
    }
    outlet->full = false;
    outlet->written += (size_t)wrote;
    return true;
}

/* What is out leaves the memory once it is most of what there is. */
static void forget_written(struct outlet *outlet)
{
    size_t left = outlet->waiting.length - outlet->written;
    if (!outlet->written || left > outlet->written) return;
    __builtin_memmove(outlet->waiting.data, outlet->waiting.data + outlet->written, left);
    outlet->waiting.length = left;
    outlet->written = 0;
}

/* That its reader has gone, a pipe says before anything is written to it. */
static void look_for_reader(struct outlet *outlet)
{
    struct pollfd gone = {.fd = outlet->fd};
    if (poll(&gone, 1, 0) > 0 && (gone.revents & (POLLERR | POLLHUP))) outlet->gone = true;
}

void outlet_flush(struct outlet *outlet)
{
    while (write_some(outlet, 0)) {
    }
    look_for_reader(outlet);
    forget_written(outlet);
}

void outlet_finish(struct outlet *outlet, int patience_ms)
{
    while (write_some(outlet, patience_ms)) {
    }
    if (outlet->full) outlet->code = -ENOSPC;
    forget_written(outlet);
    for (size_t i = outlet->written; i < outlet->waiting.length; i++) outlet->lost += outlet->waiting.data[i] == '\n';
}
