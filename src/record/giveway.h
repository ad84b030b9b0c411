/* Giving way to the programs that are watched: the thread that records works where a processor would be idle (SCHED_IDLE), as long
 * as what the kernel keeps for it has room and it gets to take it soon enough. A thread beside it looks after that, and lets it go
 * before others again until it has taken all. */
#ifndef TCPWHY_RECORD_GIVEWAY_H
#define TCPWHY_RECORD_GIVEWAY_H

#include <stdbool.h>
#include <stdint.h>

struct giveway;

struct giveway_options {
    unsigned (*filled)(const void *data); /* percent of the kernel's room; called from the other thread */
    const void *data;
    unsigned filled_most; /* from so much on it doesn't give way */
    int64_t patience_ns;  /* nor when it has taken nothing for so long */
};

/* While there are rights: the calling thread is a little quicker to get a processor than others, and may become so again after it
 * has given way, whatever rights it has then. False: that takes CAP_SYS_NICE, then as well. */
bool giveway_permit(void);
/* The calling thread gives way from now on. NULL: it could not come back, or there is no thread to be had: then all stays as it is.
 */
struct giveway *giveway_begin(const struct giveway_options *options);
/* All that had come has been taken just now. By the thread that gives way. */
void giveway_done(struct giveway *giveway);
/* By the same thread, which goes before others again. NULL is fine. */
void giveway_end(struct giveway *giveway);

#endif
