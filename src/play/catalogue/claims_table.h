/* Many claims, a line each: as the book has them, or as they were shown by playing all of their scenarios beside each other. */
#ifndef TCPWHY_PLAY_CATALOGUE_CLAIMS_TABLE_H
#define TCPWHY_PLAY_CATALOGUE_CLAIMS_TABLE_H

#include "play/catalogue/claim_book.h"
#include "play/catalogue/claims.h"

/* Both return as a verb does. */
int claims_table_list(const struct claims_options *options, const struct claim_entry *list, size_t count, struct err *err);
int claims_table_run(const struct claims_options *options, const struct claim_entry *list, size_t count, struct err *err);

#endif
