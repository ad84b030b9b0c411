#include "base/table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_SLOTS = 16 };

struct table {
    size_t key_bytes;
    size_t slots; /* a power of two */
    size_t count;
    uint64_t seed;
    unsigned char *keys; /* slots * key_bytes */
    void **values;       /* slots; NULL is an empty slot */
};

uint64_t table_hash(uint64_t seed, const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;
    uint64_t h = seed ^ 0xcbf29ce484222325u;
    for (size_t left = count; left;) { /* eight bytes at a time: keys of connections are long */
        size_t part = left < sizeof(uint64_t) ? left : sizeof(uint64_t);
        uint64_t word = 0;
        memcpy(&word, byte, part);
        h = (h ^ word) * 0x9fb21c651e98df25u;
        h ^= h >> 32;
        byte += part;
        left -= part;
    }
    h *= 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

static uint64_t hash(const struct table *table, const void *key)
{
    return table_hash(table->seed, key, table->key_bytes);
}

static unsigned char *key_at(const struct table *table, size_t slot)
{
    return table->keys + slot * table->key_bytes;
}

/* The slot of the key, or the empty slot where it would go. */
static size_t seek(const struct table *table, const void *key)
{
    size_t slot = (size_t)hash(table, key) & (table->slots - 1);
    while (table->values[slot] && memcmp(key_at(table, slot), key, table->key_bytes) != 0) slot = (slot + 1) & (table->slots - 1);
    return slot;
}

static int resize(struct table *table, size_t slots)
{
    struct table bigger = *table;
    bigger.slots = slots;
    bigger.keys = calloc(slots, table->key_bytes);
    bigger.values = calloc(slots, sizeof(void *));
    if (!bigger.keys || !bigger.values) {
        free(bigger.keys);
        free(bigger.values);
        return -ENOMEM;
    }
    for (size_t i = 0; i < table->slots; i++) {
        if (!table->values[i]) continue;
        size_t slot = seek(&bigger, key_at(table, i));
        memcpy(key_at(&bigger, slot), key_at(table, i), table->key_bytes);
        bigger.values[slot] = table->values[i];
    }
    free(table->keys);
    free(table->values);
    *table = bigger;
    return 0;
}

struct table *table_new(size_t key_bytes)
{
    struct table *table = calloc(1, sizeof(*table));
    if (!table) return NULL;
    table->key_bytes = key_bytes;
    if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) < 0) table->seed = (uintptr_t)table;
    if (resize(table, FIRST_SLOTS)) {
        free(table);
        return NULL;
    }
    return table;
}

void table_free(struct table *table)
{
    if (!table) return;
    free(table->keys);
    free(table->values);
    free(table);
}

size_t table_count(const struct table *table)
{
    return table->count;
}

void *table_get(const struct table *table, const void *key)
{
    return table->values[seek(table, key)];
}

int table_put(struct table *table, const void *key, void *value)
{
    size_t slot = seek(table, key);
    if (!table->values[slot]) {
        if ((table->count + 1) * 4 > table->slots * 3) {
            int code = resize(table, table->slots * 2);
            if (code) return code;
            slot = seek(table, key);
        }
        memcpy(key_at(table, slot), key, table->key_bytes);
        table->count++;
    }
    table->values[slot] = value;
    return 0;
}

void *table_remove(struct table *table, const void *key)
{
    size_t hole = seek(table, key);
    void *value = table->values[hole];
    if (!value) return NULL;
    table->count--;
    table->values[hole] = NULL;
    /* Entries behind the hole that probed over it move up, so that a later seek still finds them. */
    for (size_t i = (hole + 1) & (table->slots - 1); table->values[i]; i = (i + 1) & (table->slots - 1)) {
        size_t home = (size_t)hash(table, key_at(table, i)) & (table->slots - 1);
        size_t to_hole = (i - hole) & (table->slots - 1);
        size_t to_home = (i - home) & (table->slots - 1);
        if (to_home < to_hole) continue;
        memcpy(key_at(table, hole), key_at(table, i), table->key_bytes);
        table->values[hole] = table->values[i];
        table->values[i] = NULL;
        hole = i;
    }
    return value;
}

bool table_next(const struct table *table, size_t *cursor, const void **ret_key, void **ret_value)
{
    for (; *cursor < table->slots; (*cursor)++) {
        if (!table->values[*cursor]) continue;
        if (ret_key) *ret_key = key_at(table, *cursor);
        if (ret_value) *ret_value = table->values[*cursor];
        (*cursor)++;
        return true;
    }
    return false;
}
