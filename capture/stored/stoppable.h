/* Reading from a descriptor until somebody asks for the end: ^C reaches a whole pipeline, and who writes into it may still hold
 * what was seen last (tcpdump -w - keeps up to a buffer of it, and hands it over when it ends).
 *
 * So once the end is asked for, a regular file ends at once, and anything else when its writer closes it or gives nothing for a
 * moment, and after STOPPABLE_GRACE_MS in any case. */
#ifndef TCPWHY_CAPTURE_STORED_STOPPABLE_H
#define TCPWHY_CAPTURE_STORED_STOPPABLE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { STOPPABLE_GRACE_MS = 500 };

/* Somebody with something to do while nothing comes. `call` may be NULL. */
struct stoppable_idle {
    void (*call)(void *data);
    void *data;
};

struct stoppable {
    int fd;
    bool regular;                      /* a regular file: nothing is waited for */
    const volatile sig_atomic_t *stop; /* not 0: the end is asked for; NULL: nobody ever will */
    bool stopped;                      /* the last read ended because of that */
    struct stoppable_idle idle;        /* called before a read that would wait, once for all that came before it */
    bool fresh;                        /* something has come since it was called */
    int64_t until_ns;                  /* CLOCK_MONOTONIC; 0: not asked yet */
};

struct stoppable stoppable_new(int fd, const volatile sig_atomic_t *stop);
/* As read(2): bytes, 0 at the end (or `stopped`), or -errno. Waits where the descriptor is set not to. A signal that comes just
 * before the read is slept over, unless the one who catches it knocks again (src/out/interrupt.h does). */
ssize_t stoppable_read(struct stoppable *from, void *into, size_t room);
/* From now to then, in whole milliseconds that are not less; 0: it is over. */
int stoppable_left_ms(int64_t now_ns, int64_t until_ns);

#endif
