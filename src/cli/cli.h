/* The shape of a verb. */
#ifndef TCPWHY_CLI_CLI_H
#define TCPWHY_CLI_CLI_H

#include "base/err.h"
#include "out/status.h"

/* A verb: argv[0] is its name. Returns an exit status (with a sentence in `err` where there is something to say), or a negative
 * errno with a sentence; -EPIPE means that the reader of standard output has gone, which is nobody's mistake. */
typedef int cli_verb(int argc, char **argv, struct err *err);

#endif
