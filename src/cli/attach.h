/* tcpwhy attach: processes that run already, recorded and told. */
#ifndef TCPWHY_CLI_ATTACH_H
#define TCPWHY_CLI_ATTACH_H

#include "base/lang.h"
#include "cli/cli.h"

#define ATTACH_USAGE "[OPTIONS] PID…"
#define ATTACH_SUMMARY TR("the same for processes that run already")

cli_verb cli_attach;

#endif
