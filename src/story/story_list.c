#include "story/story_list.h"

#include <errno.h>
#include <stdlib.h>

int story_list_add(struct story ***list, size_t *count, struct story *story)
{
    struct story **grown = reallocarray(*list, *count + 1, sizeof(struct story *));
    if (!grown) {
        story_free(story);
        return -ENOMEM;
    }
    *list = grown;
    grown[(*count)++] = story;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct story *one = *(struct story *const *)a, *other = *(struct story *const *)b;
    if (one->numbered_apart != other->numbered_apart) return one->numbered_apart ? 1 : -1;
    return one->number < other->number ? -1 : one->number > other->number;
}

void story_list_sort(struct story **list, size_t count)
{
    if (count) qsort(list, count, sizeof(struct story *), by_number);
}

void story_list_free(struct story **list, size_t count)
{
    for (size_t i = 0; i < count; i++) story_free(list[i]);
    free(list);
}
