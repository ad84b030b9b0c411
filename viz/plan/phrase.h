/* Words with a meaning and no place yet: what a plan says, and every pen writes in its own way.
 *
 * A phrase is a row of runs; each has a role (whose it is, how loud) and raw text, which may hold bytes from outside: a pen
 * escapes. Its memory is the arena's. */
#ifndef TCPWHY_VIZ_PHRASE_H
#define TCPWHY_VIZ_PHRASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* The roles of words; in a terminal the basic colours that are readable on dark and light grounds. */
enum layout_style {
    STYLE_PLAIN,
    STYLE_DIM,
    STYLE_BOLD,
    STYLE_CLIENT,
    STYLE_CLIENT_BOLD,
    STYLE_SERVER,
    STYLE_SERVER_BOLD,
    STYLE_ALARM,
    STYLES
};

struct phrase_run {
    enum layout_style style;
    const char *text; /* raw */
};

struct phrase {
    struct phrase_run *runs;
    size_t count, capacity;
    struct arena *arena;
    bool failed; /* out of memory: something is missing from it */
};

struct phrase phrase_new(struct arena *arena);
/* Appends; a failure is remembered in `failed`. An empty string adds nothing. */
void phrase_add(struct phrase *phrase, enum layout_style style, const char *text);
void phrase_addf(struct phrase *phrase, enum layout_style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A translated sentence with `count` holes ("%s" in order, or "%2$s"), each filled with a phrase of its own styles. */
void phrase_fill(struct phrase *phrase, enum layout_style style, const char *sentence, const struct phrase *holes, size_t count);
/* `before`, of ours and at most 20 bytes, and a number behind it. */
void phrase_add_number(struct phrase *phrase, enum layout_style style, const char *before, uint32_t number);

#endif
