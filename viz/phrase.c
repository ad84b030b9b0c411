#include "viz/phrase.h"

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
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length > 0 ? arena_alloc(phrase->arena, (size_t)length + 1) : NULL;
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    struct phrase_run *run = text ? next_run(phrase) : NULL;
    if (run) {
        *run = (struct phrase_run){style, text};
        phrase->count++;
    } else if (length != 0)
        phrase->failed = true;
}
