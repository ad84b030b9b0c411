/* `tcpwhy claims`: what people say of TCP, played: listed, one on one screen, or all beside each other. */
#ifndef TCPWHY_PLAY_CATALOGUE_CLAIMS_H
#define TCPWHY_PLAY_CATALOGUE_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "out/output.h"

/* Zero it to begin. */
struct claims_options {
    struct output_options look; /* color, ascii, quiet */
    const char *recorder;       /* as session_options' */
    bool all, jsonl;
    char *const *operands; /* a claim's number, a scenario's name, words; one .scn file */
    size_t operand_count;
};

/* What a screen of a class takes: a terminal of 24 lines with its command and its prompt. */
enum { CLAIMS_SCREEN_ROWS = 22 };

/* Without operands and `all` it lists; else it plays. Returns as a verb does (cli.h). */
int claims_run(const struct claims_options *options, struct err *err);

#endif
