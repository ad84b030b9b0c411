/* The verb `tcpwhy echo server|client`: the echo pair by itself, usable like nc. */
#ifndef TCPWHY_CLI_ECHO_H
#define TCPWHY_CLI_ECHO_H

#include "base/err.h"

/* A cli_verb (cli/cli.h): argv[0] is "echo". A server that a signal ended in order is CLI_DONE; such a client is CLI_INTERRUPTED
 * plus the signal's number. */
int cli_echo(int argc, char **argv, struct err *err);

#endif
