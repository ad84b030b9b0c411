/* A scenario, played: the stage is set, the steps are done one after the other, and all of it is recorded.
 *
 * A play owns its event log and what became of each step; the stage itself (networks, wire, actors, recorder) is gone when
 * play_run returns. Who wants the story tells it from the log (play_stories). */
#ifndef TCPWHY_PLAY_STAGE_PLAY_H
#define TCPWHY_PLAY_STAGE_PLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "event/log.h"
#include "event/stream.h"
#include "lab/scenario/scenario.h"
#include "story/tell/teller.h"

struct play;

struct play_options {
    const char *recorder; /* as session_options' */
    bool quiet;
    bool host_network; /* for `place loopback`: this host's own loopback, not a private network */
};

enum play_state {
    PLAY_NOT_REACHED,
    PLAY_RUNNING, /* it had not ended when the play was over */
    PLAY_ENDED,
    PLAY_KILLED /* its actor ended under it */
};

struct play_step {
    enum play_state state;
    int64_t begun_ns, ended_ns; /* CLOCK_REALTIME */
    int64_t ret;                /* >= 0, or -errno */
    char call[SCENARIO_NAME_BYTES];
    uint64_t acted, seen; /* a rule of the wire: how often it acted, and how many segments of its kind came while it was in force */
};

/* Plays it. 0; -ETIMEDOUT: its limit came, and `err` says which step waited for what; -EINTR: a signal (`err` says so in a word);
 * -ECANCELED: a step could not be done (`err` says which): in all these cases *ret_play is there, with the story so far. Otherwise
 * no play: -EPERM or -EACCES for a privilege that is missing; -ENOTSUP for what the scenario needs and this system has not; else
 * -errno. Single-threaded callers; several plays one after the other are fine. */
int play_run(const struct scenario *scenario, const struct play_options *options, struct play **ret_play, struct err *err);
/* The scenario's steps, step_count of them. */
const struct play_step *play_steps(const struct play *play);
/* The process of that actor; 0: it never came. */
pid_t play_pid(const struct play *play, size_t actor);
/* "bpf", "ptrace" or "none". */
const char *play_recorder(const struct play *play);
/* The signal behind -EINTR. */
int play_signal(const struct play *play);
/* Sorted. The play's own. */
struct event_log *play_log(struct play *play);

/* All stories of the log, in their order; they borrow from it. */
struct play_stories {
    struct story **list;
    size_t count;
    struct teller *teller; /* its trace is teller_trace(teller) */
    int code;              /* its first failure */
};
/* Takes from the stream; complete after the stream's end and play_stories_finish. 0 or -ENOMEM. Release with play_stories_free,
 * after a failure too. */
int play_stories_join(struct play_stories *ret_stories, struct stream *stream, struct err *err);
int play_stories_finish(struct play_stories *stories, struct err *err);
/* Both for a log that is complete. Sorts it. */
int play_tell(struct event_log *log, struct play_stories *ret_stories, struct err *err);
void play_stories_free(struct play_stories *stories);

void play_close(struct play *play);

#endif
