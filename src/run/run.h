/* Any program, run or found running, recorded, and told when it is over. */
#ifndef TCPWHY_RUN_RUN_H
#define TCPWHY_RUN_RUN_H

#include <stdbool.h>

#include "base/err.h"
#include "out/output.h"
#include "run/captures.h"
#include "run/command.h"

enum { RUN_PROCESSES_MAX = 64, RUN_PORTS_MAX = 16 };

struct run_options {
    struct output_options output;
    struct captures_options captures;
    struct command_options command; /* argv NULL: none, those below are followed */
    pid_t processes[RUN_PROCESSES_MAX];
    size_t process_count;
    uint16_t ports[RUN_PORTS_MAX]; /* whoever listens there is followed, too */
    size_t port_count;
    const char *recorder; /* as session_options' */
    bool live;            /* a line for each finished connection on standard error, as it happens */
};

/* Returns an exit status (out/status.h), the command's own where it ran; with a sentence where it is not that. */
int run_watch(const struct run_options *options, struct err *err);

#endif
