/* What the page says by itself, in English: the page gets them with their translations. Made by script/po. */
#ifndef TCPWHY_VIZ_PAGE_SENTENCES_H
#define TCPWHY_VIZ_PAGE_SENTENCES_H

#include <stddef.h>

/* The last is NULL. */
extern const char *const page_sentences[];

#endif
