/* Where a session captures packets: interfaces that were there when it began, and networks that were entered since. One that goes
 * takes its capture with it. */
#ifndef TCPWHY_RECORD_CAPTURING_H
#define TCPWHY_RECORD_CAPTURING_H

#include <poll.h>
#include <stdbool.h>

#include "capture/anywhere.h"
#include "capture/packets.h"

enum { CAPTURING_INTERFACES = 64, CAPTURING_NETWORKS = 16 };

struct capturing {
    struct packets *interfaces[CAPTURING_INTERFACES];
    struct anywhere *networks[CAPTURING_NETWORKS];
    size_t interface_count, network_count;
    uint32_t vantages; /* so many have a number */
    bool may_go;       /* an interface that goes while it is captured is no failure */
};

/* The vantage's number is given here. 0, or as packets_open. */
int capturing_add(struct capturing *capturing, const struct packets_options *options, struct event_log *log, struct err *err);
/* `fd` is theirs from now on, in failure too; its vantages are numbered here. 0, or as anywhere_open. */
int capturing_add_network(struct capturing *capturing, int fd, const struct anywhere_options *options, struct err *err);
/* Whether that interface is captured by itself. */
bool capturing_have(const struct capturing *capturing, const char *interface);
/* Fills in what to wait for, CAPTURING_INTERFACES + CAPTURING_NETWORKS at most; how many. */
nfds_t capturing_wait(const struct capturing *capturing, struct pollfd *fds);
/* Appends what has been captured. How many packets, or -errno. */
int capturing_drain(struct capturing *capturing, struct event_log *log, struct err *err);
/* Appends EVENT_LOST of each. 0 or -errno. */
int capturing_report(struct capturing *capturing, struct event_log *log, struct err *err);
void capturing_close(struct capturing *capturing);

#endif
