/* A place that result bytes go to: standard output, a device, or a file that appears only when it is complete.
 *
 * A file is written without a name (or, where the file system can't, under a temporary one) and takes its place at
 * place_finish; until then what was there before stays. The first failure is kept with its sentence and ends all writing. */
#ifndef TCPWHY_OUT_PLACE_H
#define TCPWHY_OUT_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "out/reach.h"

struct keeper;

struct place {
    int fd;       /* -1: closed */
    bool settles; /* it is a file that appears at place_finish; else it is written straight to fd */
    struct reach reach;
    char *temporary;   /* its name until then, in reach's folder; NULL: it has none */
    const char *label; /* for sentences; borrowed */
    char *pending;     /* bytes that wait to be written */
    size_t pending_bytes;
    struct keeper *keeper; /* who opened it, and shall let it appear; NULL: this process */
    int leash_fd;          /* once it can be read nobody waits for a named pipe's reader any more; -1: somebody always does */
    size_t number;         /* the keeper's, for it */
    int code;              /* its first failure, -errno */
    struct err err;
};

/* No link and no file of another user's is followed (out/reach.h). What takes the place of a file has its owner and mode, without
 * setuid and setgid; what is new, and root's, only its owner can read. `name` NULL: standard output. `keeper` NULL: this process
 * opens it. Borrows both. 0 or -errno. Release with place_close, after a failure too. */
int place_open(struct place *place, const char *name, struct keeper *keeper, struct err *err) __attribute__((warn_unused_result));
/* A descriptor that is open already: its own copy of it, which place_close closes. 0 or -errno. */
int place_open_fd(struct place *place, int fd, struct err *err) __attribute__((warn_unused_result));
/* For the keeper: a place that it opens for another process, and won't write to. Where it is a named pipe, its reader is waited for
 * until `leash_fd` can be read. */
int place_open_on_leash(struct place *place, const char *name, int leash_fd, struct err *err);
/* A place that is not open. */
struct place place_nowhere(void);
/* 0 or the place's first failure, -errno; -EPIPE: the reader has gone. Raises no SIGPIPE. `data` is the place: a sink's write. */
int place_write(void *data, const char *bytes, size_t length);
/* Writes what waits, for a reader who watches. 0 or the place's first failure. */
int place_flush(struct place *place);
/* A new file is for its owner alone; one that was there keeps its mode. Right after place_open. */
void place_keep_private(struct place *place);
/* Marks it as failed for a reason of the caller's; keeps the first. */
void place_fail(struct place *place, int code, const struct err *err);
/* Writes what waits and lets a file appear. 0 or the place's first failure. */
int place_finish(struct place *place) __attribute__((warn_unused_result));
/* Lets the file appear that has been written: what place_finish does where the place is written to from elsewhere (out/keeper.h). 0
 * or -errno. */
int place_settle(struct place *place, struct err *err) __attribute__((warn_unused_result));
/* Closes; a file that was not finished leaves nothing. */
void place_close(struct place *place);

#endif
