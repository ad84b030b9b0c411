/* Memory that dies all at once: what a story is made of, so that freeing a story is one call.
 *
 * Pointers stay valid until arena_free. Nothing is given back piece by piece. Aborts nowhere: NULL is out of memory. */
#ifndef TCPWHY_BASE_ARENA_H
#define TCPWHY_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks;
};

struct arena arena_new(void);
void arena_free(struct arena *arena);
/* `bytes` zeroed bytes, aligned for any type; NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* Copies; NULL when out of memory (and for NULL). */
const char *arena_text(struct arena *arena, const char *text);
const char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
