/* Packets of a whole network, as events: of one that a program has entered, or of those interfaces that came up later. Each
 * interface is a vantage, said at its first packet. */
#ifndef TCPWHY_CAPTURE_ANYWHERE_H
#define TCPWHY_CAPTURE_ANYWHERE_H

#include <stdbool.h>

#include "capture/ring.h"
#include "event/log.h"

struct anywhere;

struct anywhere_options {
    struct ring_options ring;
    uint64_t netns;     /* its inode */
    bool is_own;        /* this process's: its interfaces are known by their names */
    bool headers_alone; /* as packets_options' */
    uint32_t *vantages; /* how many there are: counted on */
    uint32_t vantages_most;
};

/* Owns `fd`, in failure too. After it returns every packet is seen. 0, or as ring_open. */
int anywhere_open(struct anywhere **ret_anywhere, int fd, const struct anywhere_options *options, struct err *err);
/* To poll(2) for reading. */
int anywhere_fd(const struct anywhere *anywhere);
/* Appends all that has been captured so far, without blocking. The number of packets appended, or -errno. */
int anywhere_drain(struct anywhere *anywhere, struct event_log *log, struct err *err);
/* Appends EVENT_LOST: dropped by the kernel, 0 included; of more interfaces than can be told apart. 0 or -errno. */
int anywhere_report(struct anywhere *anywhere, struct event_log *log, struct err *err);
/* NULL is fine. */
void anywhere_close(struct anywhere *anywhere);

#endif
