#include "capture/stored/stoppable.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

struct stoppable stoppable_new(int fd, const volatile sig_atomic_t *stop)
{
    struct stat status;
    return (struct stoppable){.fd = fd, .stop = stop, .regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode)};
}

/* Whether the end was asked for, and nothing more comes before it. */
static bool is_over(struct stoppable *from)
{
    if (!from->stop || !*from->stop) return false;
    if (from->regular) return true;
    int64_t now_ns = clock_steady_ns();
    if (!from->until_ns) from->until_ns = now_ns + (int64_t)STOPPABLE_GRACE_MS * 1000000;
    while (now_ns < from->until_ns) {
        struct pollfd ready = {.fd = from->fd, .events = POLLIN};
        int64_t left_ms = (from->until_ns - now_ns + 999999) / 1000000;
        int count = poll(&ready, 1, (int)left_ms);
        if (count > 0) return false;
        if (count < 0 && errno != EINTR) return true;
        now_ns = clock_steady_ns();
    }
    return true;
}

static void use_the_wait(struct stoppable *from)
{
    struct pollfd ready = {.fd = from->fd, .events = POLLIN};
    if (from->regular || !from->fresh || !from->idle.call || poll(&ready, 1, 0) != 0) return;
    from->fresh = false;
    from->idle.call(from->idle.data);
}

ssize_t stoppable_read(struct stoppable *from, void *into, size_t room)
{
    use_the_wait(from);
    for (;;) {
        from->stopped = is_over(from);
        if (from->stopped) return 0;
        ssize_t length = read(from->fd, into, room);
        if (length > 0) from->fresh = true;
        if (length >= 0) return length;
        if (errno == EAGAIN) { /* somebody else's descriptor, set not to wait */
            struct pollfd ready = {.fd = from->fd, .events = POLLIN};
            if (poll(&ready, 1, -1) >= 0) continue;
        }
        if (errno != EINTR) return -errno;
    }
}
