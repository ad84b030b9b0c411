/* tcpwhy read: a stored run, told again. */
#ifndef TCPWHY_CLI_READ_H
#define TCPWHY_CLI_READ_H

#include "cli/cli.h"

#define READ_USAGE "[OPTIONS] FILE|-"
#define READ_SUMMARY "explain a run stored with -o FILE.events"

cli_verb cli_read;

#endif
