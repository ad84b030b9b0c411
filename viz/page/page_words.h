/* The words of a page: each is written once, and stories name it by its number.
 *
 * A word is a value of JSON: a string, or a phrase as [style, "text", style, "text", …]. Text is made harmless first
 * (viz/pen/escape.h), so that what stands in the page can be shown as it is. One that differs from a word before in its digits
 * alone is told by that one and the digits: [-1 - its number, "943 12.5 7"]. The table is bounded: when it is full, a word stands
 * where it is used. */
#ifndef TCPWHY_VIZ_PAGE_WORDS_H
#define TCPWHY_VIZ_PAGE_WORDS_H

#include "viz/pen/json.h"
#include "viz/plan/phrase.h"

struct page_words;

/* At most `bytes_max` bytes of words. NULL: out of memory. Release with page_words_free. */
struct page_words *page_words_new(size_t bytes_max, bool ascii);
void page_words_free(struct page_words *words);

/* Each writes the word's number into json, or the word itself; NULL text writes "". A failure is remembered. */
void page_text(struct page_words *words, struct json *json, const char *text);
void page_phrase(struct page_words *words, struct json *json, const struct phrase *phrase);
/* The same for a value that is JSON already, such as a list of words that many stories have. */
void page_value(struct page_words *words, struct json *json, const struct buf *value);
/* Appends all words, an array of JSON in the order of their numbers. */
void page_words_write(const struct page_words *words, struct buf *out);
bool page_words_failed(const struct page_words *words);

#endif
