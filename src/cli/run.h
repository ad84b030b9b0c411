/* tcpwhy run: any command, recorded and told. */
#ifndef TCPWHY_CLI_RUN_H
#define TCPWHY_CLI_RUN_H

#include "base/lang.h"
#include "cli/cli.h"

#define RUN_USAGE "[OPTIONS] [--] COMMAND [ARGUMENT…]"
#define RUN_SUMMARY TR("run a command, and tell of its connections")

cli_verb cli_run;

#endif
