/* A memory of keys with a small number each, which forgets what was not asked for or set for long.
 *
 * Two generations: when the younger is full it becomes the older, and what is still asked for in that one goes on. So memory is
 * bounded, and what is in use stays. Keys are plain bytes, as a table's (base/table.h). */
#ifndef TCPWHY_RECORD_RECENT_H
#define TCPWHY_RECORD_RECENT_H

#include <stddef.h>
#include <stdint.h>

struct recent;

/* So many keys at least are known. */
enum { RECENT_KEPT = 1 << 16 };

/* NULL when out of memory. */
struct recent *recent_new(size_t key_bytes);
/* NULL is fine. */
void recent_free(struct recent *recent);
/* Its number; 0: it is not known, or was set to 0. */
uint64_t recent_get(struct recent *recent, const void *key);
/* 0 forgets it. 0 or -ENOMEM. */
int recent_put(struct recent *recent, const void *key, uint64_t number);

#endif
