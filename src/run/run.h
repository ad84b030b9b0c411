/* Any program, run or found running, recorded, and told when it is over. */
#ifndef TCPWHY_RUN_RUN_H
#define TCPWHY_RUN_RUN_H

#include <stdbool.h>

#include "base/err.h"
#include "out/output.h"
#include "run/captures.h"
#include "run/command.h"
#include "run/targets.h"

struct run_options {
    struct output_options output;
    struct captures_options captures;
    struct command_options command; /* argv NULL: those that run already are followed */
    struct targets_options targets;
    const char *recorder; /* as session_options' */
    bool live;            /* a line for each finished connection on standard error, as it happens */
};

/* Until the command has ended, or all targets have, or a signal says so. Returns an exit status (out/status.h), the command's own
 * where it ran; with a sentence where it is not that. */
int run_watch(const struct run_options *options, struct err *err);

#endif
