/* tcpwhy demo: the echo pair under capture, on a host of its own, explained. */
#ifndef TCPWHY_CLI_DEMO_H
#define TCPWHY_CLI_DEMO_H

#include "base/lang.h"
#include "cli/cli.h"

#define DEMO_USAGE "[OPTIONS] [SCENARIO]"
#define DEMO_SUMMARY TR("run the echo pair or a scenario, explained")

cli_verb cli_demo;

#endif
