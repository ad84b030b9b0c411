#include "record/loop.h"

#include <errno.h>

#include "base/clock.h"

enum { REST_STEP_MS = 20 };

int loop_step(struct loop *loop, int timeout_ms, struct err *err)
{
    struct err ignored;
    int got = session_step(loop->session, loop->fd, timeout_ms, err);
    int code = loop->look ? loop->look(loop->data, got < 0 ? &ignored : err) : 0;
    return got < 0 || !code ? got : code;
}

static bool is_interrupted(const struct loop *loop)
{
    int count;
    session_signal(loop->session, &count);
    return count > loop->heeded;
}

void loop_heed(struct loop *loop)
{
    session_signal(loop->session, &loop->heeded);
}

int loop_until(struct loop *loop, loop_condition *holds, size_t argument, int64_t limit_ms, int step_ms, struct err *err)
{
    int64_t limit = limit_ms < 0 ? INT64_MAX : clock_ms() + limit_ms;
    while (!holds(loop->data, argument)) {
        int64_t now = clock_ms();
        if (is_interrupted(loop)) return -EINTR;
        if (now >= loop->deadline_ms) return -ETIMEDOUT;
        if (now >= limit) return 1;
        int64_t left = (limit < loop->deadline_ms ? limit : loop->deadline_ms) - now;
        int got = loop_step(loop, left < step_ms ? (int)left : step_ms, err);
        if (got < 0) return got;
    }
    return 0;
}

int loop_rest(struct loop *loop, int64_t quiet_ms, int64_t limit_ms, bool (*is_restless)(void *data), struct err *err)
{
    int step_ms = quiet_ms < REST_STEP_MS ? (int)quiet_ms : REST_STEP_MS;
    int64_t limit = clock_ms() + limit_ms, quiet_since = clock_ms();
    for (;;) {
        int64_t before = clock_ms();
        int got = loop_step(loop, step_ms, err);
        int64_t now = clock_ms(), stood = now - before - step_ms;
        if (got < 0) return got;
        if (is_interrupted(loop)) return -EINTR;
        if (stood > REST_STEP_MS) { /* a busy machine: what is waited for stood still as well */
            limit += stood;
            quiet_since += stood;
        }
        if (got > 0) quiet_since = now;
        if (now >= limit || now >= loop->deadline_ms) return 1;
        if (now - quiet_since >= quiet_ms && !(is_restless && is_restless(loop->data))) return 0;
    }
}
