/* tcpwhy watch: every TCP connection of this host, live. */
#ifndef TCPWHY_CLI_WATCH_H
#define TCPWHY_CLI_WATCH_H

#include "base/lang.h"
#include "cli/cli.h"

#define WATCH_USAGE "[OPTIONS] [FILTER]"
#define WATCH_SUMMARY TR("every connection of this host, as it happens")

cli_verb cli_watch;

#endif
