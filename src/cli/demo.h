/* tcpwhy demo: the echo pair under capture, on a host of its own, explained. */
#ifndef TCPWHY_CLI_DEMO_H
#define TCPWHY_CLI_DEMO_H

#include "cli/cli.h"

#define DEMO_USAGE "[OPTIONS]"
#define DEMO_SUMMARY "run the echo pair under capture and explain it"

cli_verb cli_demo;

#endif
