/* "Did you mean …?": the known word that is spelt most like one that is not known. */
#ifndef TCPWHY_BASE_NEAREST_H
#define TCPWHY_BASE_NEAREST_H

#include <stddef.h>

/* The candidate at most two slips (Levenshtein's: a letter more, less or another) away from `word`, the nearest one, the first of
 * equals; else the only one that begins with it, where it has three letters or more; NULL where there is none. NULL candidates are
 * passed over. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

#endif
