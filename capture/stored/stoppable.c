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

enum { NS_A_MS = 1000000 };

int stoppable_left_ms(int64_t now_ns, int64_t until_ns)
{
    return now_ns < until_ns ? (int)((until_ns - now_ns - 1) / NS_A_MS) + 1 : 0;
}

/* Whether the end was asked for, and nothing more comes before it. */
static bool is_over(struct stoppable *from)
{
    if (!from->stop || !*from->stop) return false;
    if (from->regular) return true;
    if (!from->until_ns) from->until_ns = clock_steady_ns() + (int64_t)STOPPABLE_GRACE_MS * NS_A_MS;
    for (int left_ms; (left_ms = stoppable_left_ms(clock_steady_ns(), from->until_ns));) {
        struct pollfd ready = {.fd = from->fd, .events = POLLIN};
        int count = poll(&ready, 1, left_ms);
        if (count == 1) return false;
        if (count == -1 && errno != EINTR) return true;
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
        if (length != -1) return length;
        if (errno == EAGAIN) { /* somebody else's descriptor, set not to wait */
            struct pollfd ready = {.fd = from->fd, .events = POLLIN};
            if (poll(&ready, 1, -1) != -1) continue;
        }
        if (errno != EINTR) return -errno;
    }
}
