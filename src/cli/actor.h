/* The hidden verb that an actor's process runs. */
#ifndef TCPWHY_CLI_ACTOR_H
#define TCPWHY_CLI_ACTOR_H

#include "cli/cli.h"

cli_verb cli_actor;

#endif
