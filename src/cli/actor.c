#include "cli/actor.h"

#include "lab/actor/actor.h"

int cli_actor(int argc, char **argv, struct err *err)
{
    int status = actor_run(argc - 1, argv + 1);
    return status == 2 ? err_set(err, CLI_USAGE, "'tcpwhy actor' is not for people: a scenario's processes run it") : status;
}
