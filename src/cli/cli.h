/* What all verbs share: exit statuses, the shape of a verb, and notes to the person at the terminal. */
#ifndef TCPWHY_CLI_CLI_H
#define TCPWHY_CLI_CLI_H

#include <stdbool.h>

#include "base/err.h"

enum cli_status {
    CLI_DONE,
    CLI_FAILED,           /* it ran and failed */
    CLI_USAGE,            /* wrong usage */
    CLI_DENIED,           /* not permitted: the sentence says which privilege is missing and two ways to get it */
    CLI_INTERRUPTED = 128 /* plus the signal's number, as shells count */
};

/* A verb: argv[0] is its name. Returns an exit status (with a sentence in `err` where there is something to say), or a negative
 * errno with a sentence; -EPIPE means that the reader of standard output has gone, which is nobody's mistake. */
typedef int cli_verb(int argc, char **argv, struct err *err);

/* Whether the person asked to be told more (-v): then a failure's long story is printed, too. */
extern bool cli_tells_more;

/* One line to standard error, with control characters disarmed; nothing when `quiet`. For what a person should know besides the
 * result; failures go through `err`. */
void cli_note(bool quiet, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
