#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 40 };

/* Levenshtein's distance, with one row of the matrix kept. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], length = strlen(b);
    if (strlen(a) > WORD_MAX || length > WORD_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= length; j++) row[j] = j;
    for (; *a; a++) {
        size_t diagonal = row[0]++;
        for (size_t j = 1; j <= length; j++) {
            size_t best = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[length];
}

/* NULL where there are several: which was meant nobody can say. */
static const char *only_that_begins_with(const char *word, const char *const *candidates, size_t count)
{
    const char *only = NULL;
    size_t length = strlen(word);
    for (size_t i = 0; i < count && length >= 3; i++) {
        if (!candidates[i] || strncmp(word, candidates[i], length) != 0) continue;
        if (only) return NULL;
        only = candidates[i];
    }
    return only;
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t least = 3;
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i]) continue;
        size_t slips = distance(word, candidates[i]);
        if (slips < least && slips < strlen(candidates[i])) least = slips, nearest = candidates[i];
    }
    return nearest ? nearest : only_that_begins_with(word, candidates, count);
}
