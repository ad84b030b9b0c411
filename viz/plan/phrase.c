#include "viz/plan/phrase.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct phrase phrase_new(struct arena *arena)
{
    return (struct phrase){.arena = arena};
}

static struct phrase_run *next_run(struct phrase *phrase)
{
    if (phrase->count == phrase->capacity) {
        size_t capacity = phrase->capacity ? phrase->capacity * 2 : 4;
        struct phrase_run *runs = arena_alloc(phrase->arena, capacity * sizeof(*runs));
        if (!runs) return NULL;
        if (phrase->count) memcpy(runs, phrase->runs, phrase->count * sizeof(*runs));
        phrase->runs = runs;
        phrase->capacity = capacity;
    }
    return &phrase->runs[phrase->count];
}

void phrase_add(struct phrase *phrase, enum layout_style style, const char *text)
{
    if (!text[0]) return;
    const char *copy = arena_text(phrase->arena, text);
    struct phrase_run *run = copy ? next_run(phrase) : NULL;
    if (!run) {
        phrase->failed = true;
        return;
    }
    *run = (struct phrase_run){style, copy};
    phrase->count++;
}

void phrase_addf(struct phrase *phrase, enum layout_style style, const char *format, ...)
{
    char usual[512];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(usual, sizeof(usual), format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof(usual)) {
        phrase_add(phrase, style, usual);
    } else {
        char *longer = length > 0 ? arena_alloc(phrase->arena, (size_t)length + 1) : NULL;
        if (longer) vsnprintf(longer, (size_t)length + 1, format, again);
        struct phrase_run *run = longer ? next_run(phrase) : NULL;
        if (run) *run = (struct phrase_run){style, longer};
        phrase->count += run != NULL;
        phrase->failed = phrase->failed || !run;
    }
    va_end(again);
}

void phrase_add_number(struct phrase *phrase, enum layout_style style, const char *before, uint32_t number)
{
    char text[32], *at = text + sizeof(text) - 1;
    size_t length = strlen(before);
    *at = '\0';
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    if (length > (size_t)(at - text)) length = (size_t)(at - text);
    at -= length;
    memcpy(at, before, length);
    phrase_add(phrase, style, at);
}

static void add_bytes(struct phrase *phrase, enum layout_style style, const char *from, size_t length)
{
    char *copy = length ? arena_alloc(phrase->arena, length + 1) : NULL;
    struct phrase_run *run = copy ? next_run(phrase) : NULL;
    phrase->failed = phrase->failed || (length && !run);
    if (!run) return;
    memcpy(copy, from, length);
    *run = (struct phrase_run){style, copy};
    phrase->count++;
}

/* "%s" or "%2$s" at `at`: how long it is, and which hole; 0: it is none. */
static size_t hole_at(const char *at, size_t next, size_t *ret_hole)
{
    *ret_hole = next;
    if (at[0] != '%') return 0;
    if (at[1] == 's') return 2;
    if (at[1] < '1' || at[1] > '9' || at[2] != '$' || at[3] != 's') return 0;
    *ret_hole = (size_t)(at[1] - '1');
    return 4;
}

void phrase_fill(struct phrase *phrase, enum layout_style style, const char *sentence, const struct phrase *holes, size_t count)
{
    const char *from = sentence, *at = sentence;
    for (size_t next = 0, hole; *at;) {
        size_t length = hole_at(at, next, &hole);
        if (!length) {
            at++;
            continue;
        }
        add_bytes(phrase, style, from, (size_t)(at - from));
        for (size_t i = 0; hole < count && i < holes[hole].count; i++)
            phrase_add(phrase, holes[hole].runs[i].style, holes[hole].runs[i].text);
        phrase->failed = phrase->failed || (hole < count && holes[hole].failed);
        at = from = at + length;
        next = hole + 1;
    }
    add_bytes(phrase, style, from, (size_t)(at - from));
}
