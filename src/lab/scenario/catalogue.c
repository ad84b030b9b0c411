#include "lab/scenario/catalogue.h"

#include <string.h>

/* Made by cmake/EmbedScenarios.cmake. */
extern const struct catalogue_entry catalogue_entries[];
extern const size_t catalogue_count;

const struct catalogue_entry *catalogue(size_t *ret_count)
{
    *ret_count = catalogue_count;
    return catalogue_entries;
}

const struct catalogue_entry *catalogue_find(const char *name)
{
    for (size_t i = 0; i < catalogue_count; i++)
        if (strcmp(catalogue_entries[i].name, name) == 0) return &catalogue_entries[i];
    return NULL;
}
