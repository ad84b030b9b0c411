/* The options of all verbs that write results: where to, in which format, and how it is to look. */
#ifndef TCPWHY_CLI_OUTPUT_OPTIONS_H
#define TCPWHY_CLI_OUTPUT_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/options.h"
#include "out/output.h"

/* Whether the person asked to be told more (-v): then a failure's long story is printed, too. */
extern bool cli_tells_more;

/* What --color says. 0, or -EINVAL with a sentence. */
int output_color_from(const char *value, enum output_color *ret_color, struct err *err);
/* The options -o, --format, --brief, --only, --color, --ascii, -q and -v as a group that fills `options`. */
struct options_group output_group(struct output_options *options);
/* The texts of its rows that list formats, in the language of now: options_verb.before_help. */
void output_say_formats(void);

#endif
