/* tcpwhy read: captures that anybody made, as a list of their connections or as stories; and stored runs, told again. */
#ifndef TCPWHY_CLI_READ_H
#define TCPWHY_CLI_READ_H

#include "base/lang.h"
#include "cli/cli.h"

#define READ_USAGE "[OPTIONS] FILE… [FILTER]"
#define READ_SUMMARY TR("explain captures, or a stored run")

cli_verb cli_read;

#endif
