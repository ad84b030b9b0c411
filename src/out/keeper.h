/* The keeper: a process that keeps root's rights for two errands, while the one that looks at bytes from outside has none.
 *
 * It opens the files that the command line names, and lets those that were written appear in their places. It knows those names
 * from before any other byte was read, is told a number alone, and hands over descriptors. It ends with its parent, however that
 * ends. */
#ifndef TCPWHY_OUT_KEEPER_H
#define TCPWHY_OUT_KEEPER_H

#include <stddef.h>

#include "base/err.h"
#include "out/place.h"

struct keeper;

/* Borrowed as long as the keeper lives. */
struct keeper_files {
    const char *const *inputs;
    size_t input_count;
    const char *const *outputs;
    size_t output_count;
};

/* *ret_keeper is NULL where none is needed, because this is not root: then files are opened by who wants them. Single-threaded
 * callers only. 0 or -errno. Release with keeper_free (NULL is fine). */
int keeper_new(struct keeper **ret_keeper, const struct keeper_files *files, struct err *err) __attribute__((warn_unused_result));
void keeper_free(struct keeper *keeper);

/* A descriptor to read from, or -1 and errno, as open(2). Of a named pipe it waits for the writer: EINTR once the end was asked for
 * (out/interrupt.h). `data` is the keeper; NULL: opens it itself. ENOENT of what is not among the inputs. */
int keeper_open(void *data, const char *path);
/* What place_open does with `name`, and what place_finish does, on behalf of a place. 0 or -errno. */
int keeper_open_place(struct keeper *keeper, struct place *place, const char *name, struct err *err);
int keeper_settle_place(struct keeper *keeper, struct place *place, struct err *err);

#endif
