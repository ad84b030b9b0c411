/* A hash table from fixed-size keys to pointers (open addressing, linear probing).
 *
 * Keys are plain bytes: a key struct must be zeroed before it is filled, so that padding compares equal. The table copies
 * keys and does not own the values. The hash is seeded at random, so that hostile input cannot choose collisions. */
#ifndef TCPWHY_BASE_TABLE_H
#define TCPWHY_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* Of any bytes. Seeded at random, nobody can choose what collides. */
uint64_t table_hash(uint64_t seed, const void *bytes, size_t count);

/* NULL when out of memory. Release with table_free (values are the caller's). */
struct table *table_new(size_t key_bytes);
void table_free(struct table *table);

size_t table_count(const struct table *table);
/* The value, or NULL where the key is absent. */
void *table_get(const struct table *table, const void *key);
/* Sets or replaces (`value` is not NULL). 0 or -ENOMEM. */
int table_put(struct table *table, const void *key, void *value);
/* Returns the value that was there, or NULL. */
void *table_remove(struct table *table, const void *key);
/* Walks all entries in no particular order: start with *cursor = 0; false at the end. No change while walking. */
bool table_next(const struct table *table, size_t *cursor, const void **ret_key, void **ret_value);

#endif
