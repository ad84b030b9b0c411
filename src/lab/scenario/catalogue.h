/* The scenarios that are built in: the texts of scenarios/NAME.scn, so that they are there wherever the program is. */
#ifndef TCPWHY_LAB_SCENARIO_CATALOGUE_H
#define TCPWHY_LAB_SCENARIO_CATALOGUE_H

#include <stddef.h>

struct catalogue_entry {
    const char *name; /* the file's, without .scn */
    const char *text;
    size_t length;
};

/* In the order of their names; *ret_count. Static storage. */
const struct catalogue_entry *catalogue(size_t *ret_count);
/* NULL: no such name. */
const struct catalogue_entry *catalogue_find(const char *name);

#endif
