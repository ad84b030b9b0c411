/* The loop of a live session: one step after the other until something holds, or until nothing more comes. */
#ifndef TCPWHY_RECORD_LOOP_H
#define TCPWHY_RECORD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/session.h"

/* What the functions below are about; `session` borrowed. */
struct loop {
    struct session *session;
    int fd;                                   /* something to wait for besides; -1: nothing. `look` may change it */
    int (*look)(void *data, struct err *err); /* at the world, after each step: 0 or -errno. NULL: there is nothing to look at */
    void *data;                               /* of `look` and of the conditions */
    int64_t deadline_ms;                      /* as clock_ms; INT64_MAX: none */
    int heeded;                               /* signals that break nothing off any more (loop_heed) */
};

typedef bool loop_condition(void *data, size_t argument);

/* Waits `timeout_ms` at most for something to happen. Events that came (session_step), or the first failure's -errno. */
int loop_step(struct loop *loop, int timeout_ms, struct err *err);
/* Steps of at most `step_ms` until it holds, which is asked before each. 0 when it does; 1 after `limit_ms` (-1: none); -ETIMEDOUT
 * at the deadline; -EINTR after a signal that was not heeded; or what failed. `err` has a sentence for failures of steps alone. */
int loop_until(struct loop *loop, loop_condition *holds, size_t argument, int64_t limit_ms, int step_ms, struct err *err);
/* Goes on until no event has come for `quiet_ms` and, where it is asked (may be NULL), `is_restless` is false. 0 then; 1 after
 * `limit_ms` or at the deadline; -EINTR; or what failed. While the whole machine stands still the limits do, too. */
int loop_rest(struct loop *loop, int64_t quiet_ms, int64_t limit_ms, bool (*is_restless)(void *data), struct err *err);
/* The signals that came so far have been answered: only another one breaks off. */
void loop_heed(struct loop *loop);

#endif
