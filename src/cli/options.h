/* Command line options as tables: what is parsed and what --help prints come from the same rows.
 *
 * A verb's options are groups of rows; each group has one function that takes the values. getopt_long(3) does the reading. */
#ifndef TCPWHY_CLI_OPTIONS_H
#define TCPWHY_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct options_row {
    int key;              /* what `take` is called with */
    char letter;          /* the short form; 0: none */
    const char *name;     /* the long form */
    const char *argument; /* "FILE"; NULL: takes none */
    const char *help;     /* wrapped where it is printed; without a newline at its end */
};

struct options_group {
    const char *title;
    const struct options_row *rows;
    size_t count;
    /* Takes one option. 0, or -EINVAL with a sentence. `value` is NULL for an option without argument; it lives as long as argv. */
    int (*take)(void *target, int key, const char *value, struct err *err);
    void *target;
};

enum { OPTIONS_MAX = 64 };

/* The long names of the options that were given, each once. */
struct options_given {
    const char *names[OPTIONS_MAX];
    size_t count;
};

/* An option that means nothing in what is being done, and why. */
struct options_misfit {
    const char *name;
    const char *why; /* "there is no server": what stands behind "--backlog: " */
};

struct options_verb {
    const char *name, *usage, *summary;
    const struct options_group *groups;
    size_t group_count;
    const char *notes;           /* printed below the options; NULL: none */
    struct options_given *given; /* filled; NULL: nobody asks */
    void (*before_help)(void);   /* makes texts of rows, in the language of now; NULL: all are made */
};

enum { OPTIONS_GO_ON = 0, OPTIONS_HELPED = 1 };

/* Reads argv (argv[0] is the verb). OPTIONS_GO_ON, and operands stand from argv[*ret_operand] on; OPTIONS_HELPED: --help was
 * printed, nothing else is to be done; -EINVAL with a sentence. */
int options_parse(const struct options_verb *verb, int argc, char **argv, int *ret_operand, struct err *err);

/* The same where the operands are a command with options of its own: what stands behind its name is not the verb's. */
int options_parse_command(const struct options_verb *verb, int argc, char **argv, int *ret_operand, struct err *err);

bool options_was_given(const struct options_given *given, const char *name);
/* No option is ignored in silence: -EINVAL with a sentence if one of these was given; else 0. */
int options_refuse(const struct options_given *given, const struct options_misfit *misfits, size_t count, struct err *err);

/* A decimal number from `low` to `high`. 0, or -EINVAL with a sentence that names the option. */
int options_number(const char *option, const char *text, long low, long high, long *ret_number, struct err *err);

/* Sentences are in that language from now on ("en", "zh"). 0, or -EINVAL with a sentence. */
int options_language(const char *word, struct err *err);

/* The candidate that is spelt most like `word` (two slips at most), or NULL. */
const char *options_nearest(const char *word, const char *const *candidates, size_t count);

#endif
