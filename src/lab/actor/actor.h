/* An actor: a real process that makes real system calls when it is told to, so that a call that blocks blocks nobody else.
 *
 * This is both ends of its channel, a SOCK_SEQPACKET socket pair: commands go in as one `struct actor_command` each (FORK with
 * the new actor's end of a channel as SCM_RIGHTS), reports come out. The two ends are the same program, so the structs need no
 * other form. The actor ends with its channel, and also in the middle of a call when the leash is let go: that is a pipe whose
 * writing end only the runner holds, and whose end is a SIGIO to every actor. */
#ifndef TCPWHY_LAB_ACTOR_ACTOR_H
#define TCPWHY_LAB_ACTOR_ACTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/address.h"
#include "lab/scenario/scenario.h"

struct actor_command {
    enum scenario_verb verb;          /* below SCENARIO_ACTOR_VERBS */
    char socket[SCENARIO_NAME_BYTES]; /* as in struct scenario_step */
    char name[SCENARIO_NAME_BYTES];
    bool fresh, ipv6, udp, mptcp, uring, nonblocking, all, until_end, off, has_data;
    struct address v4, v6; /* where to, for a socket of that family; version 0: any address, or none of that family */
    int64_t number, duration_ns;
    int level, option; /* SET */
    enum scenario_value value;
    char data[SCENARIO_DATA_BYTES + 1];
};

enum actor_report_kind {
    ACTOR_READY, /* it listens to its channel; `pid` */
    ACTOR_BEGUN, /* the command was taken: from here on, sleeping means sleeping in its call */
    ACTOR_DONE   /* `ret`, `call` */
};

struct actor_report {
    enum actor_report_kind kind;
    pid_t pid;
    int64_t ret;                    /* what the last call returned (bytes in all, for send and recv), or -errno */
    char call[SCENARIO_NAME_BYTES]; /* that call */
    char fault[128];                /* not a call's failure but the scenario's: what is wrong; "" none */
};

enum { ACTOR_ARGUMENTS = 3 }; /* name, channel, leash; then NAME=FD for each socket it has already */

/* Fills in what the step says; addresses are the caller's to choose. */
void actor_command_from(const struct scenario_step *step, struct actor_command *ret_command);
/* The actor's whole life; `arguments` are ACTOR_ARGUMENTS and more. The exit status of its process; 2: these are no such arguments,
 * 1: who began it is gone. */
int actor_run(int argc, char **argv);
/* Sends a command, with a descriptor (-1: none). 0 or -errno. */
int actor_tell(int channel, const struct actor_command *command, int fd);
/* The next report: 1; 0: none now; -EPIPE: the actor has ended; else -errno. Does not block. */
int actor_hear(int channel, struct actor_report *ret_report);

#endif
