/* A folder that files are put into by a program that has no rights any more: a process that keeps them for two errands, to make the
 * next file and to let it appear. It knows the folder from before, and takes the oldest of its own files away when they are too
 * many or too large. */
#ifndef TCPWHY_WATCH_FLIGHT_DRAWER_H
#define TCPWHY_WATCH_FLIGHT_DRAWER_H

#include <stdint.h>

#include "base/err.h"

enum { DRAWER_NAME_BYTES = 112 };

struct drawer_limits {
    uint64_t files; /* so many at most, 1 at least */
    uint64_t bytes; /* of all of them; one file may be larger, and stays alone */
};

struct drawer;

/* The folder is made if there is none (0700). 0 or -errno with a sentence. Single-threaded callers only. Release with drawer_free.
 */
int drawer_open(struct drawer **ret_drawer, const char *folder, const struct drawer_limits *limits, struct err *err);
void drawer_free(struct drawer *drawer);
/* A descriptor to write a new file's content to, or -errno. `name`: letters, digits, '-' and '.', not first. The caller closes it.
 */
int drawer_begin(struct drawer *drawer, const char *name);
/* The file begun last is complete: it appears under its name. *ret_removed: how many older ones went for it. 0 or -errno (of a name
 * that is taken, -EEXIST). */
int drawer_end(struct drawer *drawer, uint64_t *ret_removed);
/* It is not to appear. */
void drawer_drop(struct drawer *drawer);

#endif
