#include "record/recent.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"

struct recent {
    size_t key_bytes;
    struct table *young, *old; /* values are numbers, above 0 */
};

/* Numbers as a table's values: never NULL. */
static void *value_of(uint64_t number)
{
    return (void *)(uintptr_t)number; // NOLINT(performance-no-int-to-ptr)
}

struct recent *recent_new(size_t key_bytes)
{
    struct recent *recent = calloc(1, sizeof(*recent));
    if (!recent) return NULL;
    recent->key_bytes = key_bytes;
    recent->young = table_new(key_bytes);
    if (recent->young) return recent;
    free(recent);
    return NULL;
}

void recent_free(struct recent *recent)
{
    if (!recent) return;
    table_free(recent->young);
    table_free(recent->old);
    free(recent);
}

static int grow_old(struct recent *recent)
{
    struct table *young = table_new(recent->key_bytes);
    if (!young) return -ENOMEM;
    table_free(recent->old);
    recent->old = recent->young;
    recent->young = young;
    return 0;
}

int recent_put(struct recent *recent, const void *key, uint64_t number)
{
    if (recent->old) table_remove(recent->old, key);
    if (!number) {
        table_remove(recent->young, key);
        return 0;
    }
    if (table_count(recent->young) >= RECENT_KEPT && !table_get(recent->young, key) && grow_old(recent)) return -ENOMEM;
    return table_put(recent->young, key, value_of(number));
}

uint64_t recent_get(struct recent *recent, const void *key)
{
    void *value = table_get(recent->young, key);
    if (value || !recent->old) return (uintptr_t)value;
    value = table_get(recent->old, key);
    if (value) recent_put(recent, key, (uintptr_t)value);
    return (uintptr_t)value;
}
