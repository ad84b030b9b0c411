/* What came of one scenario among many (`tcpwhy demo --all`), and the two ways to write it down: a table for people, JSON lines for
 * programs. Pure: rows in, bytes out. */
#ifndef TCPWHY_PLAY_CATALOGUE_CATALOGUE_ROW_H
#define TCPWHY_PLAY_CATALOGUE_CATALOGUE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "play/judge/judge.h"

enum catalogue_result { CATALOGUE_MET, CATALOGUE_UNMET, CATALOGUE_NOT_HERE, CATALOGUE_FAILED, CATALOGUE_RESULTS };

enum {
    CATALOGUE_TITLE_BYTES = 200,
    CATALOGUE_STATES_BYTES = 200,
    CATALOGUE_WORDS_BYTES = 3000,
    CATALOGUE_EVIDENCES = EVIDENCE_STACK + 1
};

/* Plain bytes: it travels through a pipe in one piece. Texts hold words from outside. */
struct catalogue_row {
    enum catalogue_result result;
    char title[CATALOGUE_TITLE_BYTES]; /* "": it could not be read */
    char recorder[16];                 /* "": it was not played */
    size_t met, unmet, unknown, count; /* expectations */
    size_t connections;
    uint32_t evidence[CATALOGUE_EVIDENCES]; /* causes, by enum story_evidence; NONE: unknown */
    char states[2][CATALOGUE_STATES_BYTES]; /* the first connection's, client and server, with blanks between; "" none */
    char words[CATALOGUE_WORDS_BYTES];      /* lines: what was not met, or why it could not be played */
    uint32_t lesson_rows,
        lesson_columns; /* of its lesson (play/lesson.h) on a screen of 80 columns, the most of all languages; 0: none was drawn */
    int64_t took_ms;
};

struct catalogue_totals {
    size_t scenarios, results[CATALOGUE_RESULTS];
    size_t met, unmet, unknown, count;
    uint32_t evidence[CATALOGUE_EVIDENCES];
    int64_t took_ms; /* of the whole run */
};

/* Adds a line to the row's words; what has no room is left out. */
void catalogue_add_words(struct catalogue_row *row, const char *text);
void catalogue_fill_stories(struct catalogue_row *row, const struct scenario *scenario, const struct play_stories *stories);
void catalogue_fill_judgement(struct catalogue_row *row, const struct judgement *judgement);
void catalogue_add_totals(struct catalogue_totals *totals, const struct catalogue_row *row);

/* A way to write rows and, behind them, totals. 0 or the buffer's error. */
struct catalogue_format {
    const char *name, *suffix;
    int (*row)(struct buf *out, const char *name, const struct catalogue_row *row, bool ascii);
    int (*totals)(struct buf *out, const struct catalogue_totals *totals, bool ascii);
};
/* All of them, the usual one first; *ret_count. Static storage. */
const struct catalogue_format *catalogue_formats(size_t *ret_count);

#endif
