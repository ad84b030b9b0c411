/* A story as the page's script draws it, in compact JSON. What its fields mean stands at page_story.c and in page/decode.js. */
#ifndef TCPWHY_VIZ_PAGE_STORY_H
#define TCPWHY_VIZ_PAGE_STORY_H

#include "viz/page/page_words.h"
#include "viz/plan/plan.h"

/* Appends two lines: the connection's row in the list, and its story. 0 or -ENOMEM. */
int page_story(const struct story *story, const struct view_options *options, struct page_words *words, struct buf *out);

#endif
