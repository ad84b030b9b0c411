/* tcpwhy states: figure 5 of RFC 9293, and what showed each of its arrows. */
#ifndef TCPWHY_CLI_STATES_H
#define TCPWHY_CLI_STATES_H

#include "base/lang.h"
#include "cli/cli.h"

#define STATES_USAGE "[OPTIONS] [NAME…]"
#define STATES_SUMMARY TR("RFC 9293 figure 5, and what showed each arrow")

cli_verb cli_states;

#endif
