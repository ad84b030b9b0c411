/* All that a story says as lines of text, for tests that hold it whole: a sentence that many stories share stands there as five
 * hexadecimal digits. */
#ifndef TCPWHY_TESTS_TOLD_LINES_H
#define TCPWHY_TESTS_TOLD_LINES_H

#include "base/buf.h"
#include "support/tell.h"

/* Sentences, each once, with their digits. */
struct sentences {
    char (*of)[5 + 1]; /* by `text` */
    const char **text; /* owned */
    size_t count, capacity;
};

/* All stories of `told`, and what was told beside them. Without `sentences` these stand there whole. */
void told_lines(struct buf *lines, struct sentences *sentences, const struct told *told);
/* One story, with its sentences whole. */
void told_story(struct buf *lines, const struct story *story);
/* The sentences in the order of their digits. */
void told_lines_sentences(struct buf *lines, struct sentences *sentences);
void sentences_free(struct sentences *sentences);

#endif
