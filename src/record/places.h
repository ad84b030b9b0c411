/* Where a session captures packets: interfaces that were there when it began, and networks that were entered since. One that goes
 * takes its capture with it. */
#ifndef TCPWHY_RECORD_PLACES_H
#define TCPWHY_RECORD_PLACES_H

#include <poll.h>
#include <stdbool.h>

#include "capture/anywhere.h"
#include "capture/packets.h"

enum { PLACES_INTERFACES = 64, PLACES_NETWORKS = 16 };

struct places {
    struct packets *interfaces[PLACES_INTERFACES];
    struct anywhere *networks[PLACES_NETWORKS];
    size_t interface_count, network_count;
    uint32_t vantages; /* so many have a number */
    bool may_go;       /* an interface that goes while it is captured is no failure */
};

/* The vantage's number is given here. 0, or as packets_open. */
int places_add(struct places *places, const struct packets_options *options, struct event_log *log, struct err *err);
/* `fd` is theirs from now on, in failure too; its vantages are numbered here. 0, or as anywhere_open. */
int places_add_network(struct places *places, int fd, const struct anywhere_options *options, struct err *err);
/* Whether that interface is captured by itself. */
bool places_have(const struct places *places, const char *interface);
/* Fills in what to wait for, PLACES_INTERFACES + PLACES_NETWORKS at most; how many. */
nfds_t places_wait(const struct places *places, struct pollfd *fds);
/* Appends what has been captured. How many packets, or -errno. */
int places_drain(struct places *places, struct event_log *log, struct err *err);
/* Appends EVENT_LOST of each. 0 or -errno. */
int places_report(struct places *places, struct event_log *log, struct err *err);
void places_close(struct places *places);

#endif
