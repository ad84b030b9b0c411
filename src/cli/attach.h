/* tcpwhy attach: processes that run already, recorded and told. */
#ifndef TCPWHY_CLI_ATTACH_H
#define TCPWHY_CLI_ATTACH_H

#include "cli/cli.h"

#define ATTACH_USAGE "[OPTIONS] PID…"
#define ATTACH_SUMMARY "the same for processes that run already"

cli_verb cli_attach;

#endif
