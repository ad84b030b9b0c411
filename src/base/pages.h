/* Memory in large pages: where much is touched for the first time, or met in no order, most of what that costs is small pages. */
#ifndef TCPWHY_BASE_PAGES_H
#define TCPWHY_BASE_PAGES_H

#include <stddef.h>

/* A large page. */
static const size_t PAGES_LARGE = (size_t)2 << 20;

/* Asks for large pages for what lies whole in [at, at + bytes). Only how fast it is depends on what the kernel makes of that. */
void pages_ask(void *at, size_t bytes);
/* A large page of memory, not zeroed; for free(). NULL: out of memory. */
void *pages_take(void);

#endif
