/* SIGINT and SIGTERM as a wish to end, heard between and inside blocking calls.
 *
 * Handlers are installed without SA_RESTART, so the call that is waiting returns EINTR. A signal that comes just before such a
 * call would be slept over; so once asked, SIGALRM repeats the knock every second until stop_end. The calls themselves stay
 * the plain ones. SIGPIPE is ignored meanwhile: a peer that is gone is an EPIPE. Process-wide; one at a time. */
#ifndef TCPWHY_ECHO_STOP_H
#define TCPWHY_ECHO_STOP_H

#include <signal.h>

#include "base/err.h"

enum { STOP_SIGNALS = 4 };

struct stop {
    struct sigaction before[STOP_SIGNALS]; /* what stop_end puts back */
};

/* 0 or -errno. A SIGINT or SIGTERM that was ignored before (nohup, a shell's background job) stays ignored. */
int stop_begin(struct stop *ret_stop, struct err *err);
/* The signal that asked for the end; 0: none yet. */
int stop_asked(void);
/* Puts the old handlers back and forgets what was asked. */
void stop_end(const struct stop *stop);

/* Sleeps, or returns early once a stop is asked. */
void stop_sleep_ms(int milliseconds);

#endif
