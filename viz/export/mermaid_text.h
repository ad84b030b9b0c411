/* Mermaid's sequence diagrams as text: one statement after the other, each a line, with nothing raw from outside in it.
 *
 * Mermaid reads a statement up to a line break or a semicolon, and takes #, <, {, % and more for its own: they are written as
 * entities (#59; is a semicolon). GitHub refuses a diagram of more than 50,000 characters, or of more than 500 edges. */
#ifndef TCPWHY_VIZ_MERMAID_TEXT_H
#define TCPWHY_VIZ_MERMAID_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "viz/plan/phrase.h"

enum {
    MERMAID_CHARACTERS_MAX = 50000,
    MERMAID_EDGES_MAX = 500,
    MERMAID_STATEMENT_BYTES = 1400 /* the longest; longer words are cut, and say so */
};

/* A statement in the making: what it is ("c->>s: ", our own words) and what it says. Zero it to begin. */
struct mermaid_statement {
    const char *what;
    struct buf words; /* raw */
};

struct mermaid_statement mermaid_statement_new(const char *what);
void mermaid_say(struct mermaid_statement *statement, const char *raw);
void mermaid_say_phrase(struct mermaid_statement *statement, const struct phrase *phrase);
/* Appends it as one line, at most MERMAID_STATEMENT_BYTES of it, broken with <br/> where it is long, and releases it. 0 or -ENOMEM.
 */
int mermaid_statement_end(struct mermaid_statement *statement, bool ascii, struct buf *out);

#endif
