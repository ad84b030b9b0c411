/* The table of verbs: what `tcpwhy VERB` runs, and what `tcpwhy --help` prints. */
#ifndef TCPWHY_CLI_VERBS_H
#define TCPWHY_CLI_VERBS_H

#include "cli/cli.h"

struct verb {
    const char *name;
    const char *usage;   /* what stands behind the name */
    const char *summary; /* one line */
    cli_verb *run;
};

/* Runs the verb that argv[1] names, or --help or --version. Returns as a verb does (see cli.h). */
int verbs_run(int argc, char **argv, struct err *err);

#endif
