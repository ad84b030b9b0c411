/* The cast of a scenario: its actors as followed children of a session, and their channels.
 *
 * It owns the channels, the leash and the processes: cast_close ends them all, the forked ones too. */
#ifndef TCPWHY_PLAY_STAGE_CAST_H
#define TCPWHY_PLAY_STAGE_CAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "lab/actor/actor.h"
#include "lab/network/network.h"
#include "lab/scenario/scenario.h"
#include "record/session.h"

enum cast_state {
    CAST_ABSENT, /* not made yet */
    CAST_COMING, /* made, not ready yet */
    CAST_IDLE,   /* waits for a command */
    CAST_TOLD,   /* has been given one */
    CAST_BUSY,   /* is at it */
    CAST_GONE    /* has ended, or closed its channel */
};

struct cast;

/* `network` NULL: both live in the network that this process is in. Starts client and server; they are ready when cast_state says
 * so. 0 or -errno. */
int cast_open(struct cast **ret_cast, struct session *session, struct network *network, const struct scenario *scenario,
              struct err *err);
/* To poll(2) for reading: some actor has something to say. */
int cast_fd(const struct cast *cast);
/* Hears what the actors say. Call after every session_step. 0 or -errno. */
int cast_look(struct cast *cast, struct err *err);
enum cast_state cast_state(const struct cast *cast, size_t actor);
/* 0 where it was never there. */
pid_t cast_pid(const struct cast *cast, size_t actor);
/* An idle actor's next command: `step` is its index in the scenario; for FORK the new actor comes. 0 or -errno. */
int cast_tell(struct cast *cast, size_t actor, size_t step, const struct actor_command *command, struct err *err);
/* The last report of that actor that was ACTOR_DONE, and for which step; false: there was none since cast_tell. */
bool cast_done(const struct cast *cast, size_t actor, size_t *ret_step, struct actor_report *ret_report);
/* It sleeps in a call. */
bool cast_sleeps(const struct cast *cast, size_t actor);
int cast_kill(struct cast *cast, size_t actor, int signal, struct err *err);
void cast_close(struct cast *cast);

#endif
