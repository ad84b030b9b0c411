/* The pages that explain what tcpwhy's output names: a finding, a timer, a state, a kind of evidence each.
 *
 * They are docs/KIND/ID.md, put into the program when it is built. A page is Markdown of one shape: "# ID", a sentence, and parts
 * that begin with "## ". Static storage, our own text. */
#ifndef TCPWHY_PAGES_PAGES_H
#define TCPWHY_PAGES_PAGES_H

#include <stddef.h>

enum page_kind { PAGES_FINDINGS, PAGES_TIMERS, PAGES_STATES, PAGES_EVIDENCE, PAGES_KINDS };

struct page {
    enum page_kind kind;
    const char *id;
    const char *text;
};

/* All pages, by kind, in the order of the alphabet; *ret_count. */
const struct page *pages_all(size_t *ret_count);
/* The page of this id, however its letters and bars are written ("time-wait" finds the timer, "TIME_WAIT" the state: what is
 * written exactly so goes before what is written otherwise), or of an evidence as ladders show it ("kernel stack"). NULL: there is
 * none. */
const struct page *pages_find(const char *word);
/* "findings" "timers" "states" "evidence". */
const char *pages_kind_name(enum page_kind kind);
/* Its sentence: *ret_length bytes, line breaks in it. */
const char *pages_summary(const struct page *page, size_t *ret_length);

#endif
