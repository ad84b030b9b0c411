/* Between the files of `tcpwhy quiz`. */
#ifndef TCPWHY_CLI_QUIZ_OWN_H
#define TCPWHY_CLI_QUIZ_OWN_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/options.h"
#include "out/output.h"
#include "quiz/quiz.h"
#include "read/read_capture.h"

/* Where the stories come from, and they themselves. Zero it to begin; quiz_stories_free. */
struct quiz_stories {
    struct read_options read; /* its output: the files of events, ascii, quiet, keeper; its conns */
    const char *recorder;     /* of a scenario */
    struct story **list;
    size_t count;
    int signal; /* that broke a play off; 0 none */
};

/* Whether this operand names what is stored (a capture or an event log), not a scenario. */
bool quiz_is_stored(const char *operand);
/* Plays the scenario, or reads the file. Rights are given up. 0, or -errno with a sentence: -EINVAL wrong usage, -EPERM or -EACCES
 * a privilege that is missing, -EINTR a signal. */
int quiz_stories_get(struct quiz_stories *stories, const char *operand, struct err *err);
void quiz_stories_free(struct quiz_stories *stories);

/* Asks on standard output, takes the answers from standard input. *ret_right: how many were right. 0, or -EPIPE when nobody reads.
 */
int quiz_ask_all(const struct quiz_paper *paper, size_t *ret_right);

#endif
