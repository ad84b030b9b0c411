#include "base/sort.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void sort_items(void *items, size_t count, size_t bytes, int (*compare)(const void *a, const void *b))
{
    const char *item = items;
    for (size_t i = 1; i < count; i++, item += bytes) {
        if (compare(item, item + bytes) <= 0) continue;
        qsort(items, count, bytes, compare);
        return;
    }
}

typedef uint64_t __attribute__((may_alias, aligned(4))) item_t; /* whatever it is to its owner */

static uint32_t number_of(const item_t *item)
{
    uint32_t number;
    memcpy(&number, item, sizeof(number));
    return number;
}

static bool is_sorted(const item_t *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (number_of(&items[i - 1]) > number_of(&items[i])) return false;
    return true;
}

/* Few are put in where they belong. */
static void insert_each(item_t *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        item_t item = items[i];
        size_t at = i;
        for (; at && number_of(&items[at - 1]) > number_of(&item); at--) items[at] = items[at - 1];
        items[at] = item;
    }
}

void sort_numbered(void *items, void *room, size_t count)
{
    enum { DIGIT = 8, FEW = 32 };
    item_t *from = items, *to = room;
    if (count <= FEW) {
        insert_each(from, count);
        return;
    }
    if (is_sorted(from, count)) return;
    for (unsigned shift = 0; shift < 32; shift += DIGIT) { /* an even number of passes: the last one ends in `items` */
        size_t starts[(1 << DIGIT) + 1] = {0};
        for (size_t i = 0; i < count; i++) starts[(number_of(&from[i]) >> shift & ((1 << DIGIT) - 1)) + 1]++;
        for (size_t i = 0; i < 1 << DIGIT; i++) starts[i + 1] += starts[i];
        for (size_t i = 0; i < count; i++) to[starts[number_of(&from[i]) >> shift & ((1 << DIGIT) - 1)]++] = from[i];
        item_t *sorted = to;
        to = from;
        from = sorted;
    }
}
