/* Packets from libpcap, as events: one `struct packets` an interface (a vantage).
 *
 * Nanosecond timestamps, immediate mode, whole headers. After packets_open returns, every packet that passes the filter is
 * seen: no race with whoever sends first. It owns the pcap handle. */
#ifndef TCPWHY_CAPTURE_PACKETS_H
#define TCPWHY_CAPTURE_PACKETS_H

#include "base/err.h"
#include "event/log.h"

struct packets;

struct packets_options {
    const char *interface; /* "lo", "any", … */
    const char *name;      /* what to call this vantage, where the interface's name does not tell it from others; NULL: that name */
    const char *filter;    /* pcap-filter(7); NULL or "": everything */
    uint32_t vantage;      /* the number its events carry */
    uint32_t snap_bytes;   /* 0: a length that holds all headers; not less than what the filter looks at */
    uint32_t ring_bytes;   /* room for packets that were not drained yet; 0: the usual, 8 MiB */
    bool keep_bytes;       /* store the captured bytes in the log */
    bool headers_alone; /* of those, what stands before a TCP or UDP payload: what people said to each other is nobody's business */
};

/* Opens and starts capturing; appends the EVENT_VANTAGE. 0; -EPERM (the sentence names CAP_NET_RAW and ways to get it); -ENODEV (it
 * lists the interfaces there are); -ENETDOWN; -EINVAL for a filter (with libpcap's reason); -EOPNOTSUPP for an interface whose link
 * layer is not known here; -ENOMEM; -EIO for what else libpcap reports. */
int packets_open(struct packets **ret_packets, const struct packets_options *options, struct event_log *log, struct err *err);
/* What its vantage is called. */
const char *packets_interface(const struct packets *packets);
/* To poll(2) for reading. */
int packets_fd(const struct packets *packets);
/* Appends all that has been captured so far (in one call at most what the kernel's buffer holds, so that a flood can't keep it),
 * without blocking. The number of packets appended, or -errno: -ENETDOWN when the interface is gone. */
int packets_drain(struct packets *packets, struct event_log *log, struct err *err);
/* Appends EVENT_LOST: dropped by kernel, dropped by interface (0 included); then, where there were any, what passed the filter and
 * was not understood, by reason. On "any", a dropped packet of lo counts twice (it is seen going out and coming in). 0 or -errno.
 */
int packets_report(struct packets *packets, struct event_log *log, struct err *err);
/* The time of the last packet appended, CLOCK_REALTIME ns; 0 none. */
int64_t packets_last_ns(const struct packets *packets);
void packets_close(struct packets *packets);

#endif
