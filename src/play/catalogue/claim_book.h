/* The book of claims: what people say of TCP, as the scenarios of the catalogue, or of a file, have it.
 *
 * It owns the scenarios it read. Nothing is played here. */
#ifndef TCPWHY_PLAY_CATALOGUE_CLAIM_BOOK_H
#define TCPWHY_PLAY_CATALOGUE_CLAIM_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "lab/scenario/scenario.h"

struct claim_entry {
    const char *name; /* the scenario's */
    const struct scenario *scenario;
    const struct scenario_claim *claim;
};

struct claim_book {
    struct claim_entry *list; /* by number; those without one behind, as they stand */
    size_t count;
    struct scenario **scenarios;
    size_t scenario_count;
};

/* The claims of `count` files; of the whole catalogue where there are none. 0, or as scene_load. Release with claim_book_close,
 * after a failure too. Borrows the files' names. */
int claim_book_open(struct claim_book *ret_book, const char *const *files, size_t count, struct err *err);
void claim_book_close(struct claim_book *book);
/* Whether the word is its number, its scenario's name, or stands in the claim, its Chinese or its reason (in any case). */
bool claim_has_word(const struct claim_entry *entry, const char *word);

#endif
