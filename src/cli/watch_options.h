/* The options of the verbs that watch a program of anybody's: who records, where packets are captured. */
#ifndef TCPWHY_CLI_WATCH_OPTIONS_H
#define TCPWHY_CLI_WATCH_OPTIONS_H

#include "cli/options.h"
#include "run/run.h"

/* -i, --filter, -s, --recorder, --live, --conn, --out-fd as a group that fills `options`. */
struct options_group watch_group(struct run_options *options);

#endif
