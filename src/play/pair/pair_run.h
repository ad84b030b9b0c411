/* The echo pair, run on a host of its own where that can be had, recorded, and told. */
#ifndef TCPWHY_PLAY_PAIR_PAIR_RUN_H
#define TCPWHY_PLAY_PAIR_PAIR_RUN_H

#include <stdbool.h>

#include "base/err.h"
#include "out/output.h"
#include "play/pair/pair.h"

struct pair_run_options {
    struct output_options output;
    struct pair_options pair;
    const char *recorder;     /* as session_options' */
    const char *verifier_log; /* where what the verifier says goes; NULL: nobody asks */
    bool host_network;        /* this host's own loopback, not a private network */
    long timeout_ms;          /* of the pair; what still runs then is ended */
};

/* Returns an exit status (out/status.h), with a sentence where it is not 0; -EPIPE as output_finish. */
int pair_run(const struct pair_run_options *options, struct err *err);

#endif
