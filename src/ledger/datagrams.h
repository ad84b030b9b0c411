/* UDP flows: one row for the datagrams between two addresses and ports, beside the ledger's rows of TCP connections.
 *
 * Numbers count from 1 in order of first datagrams: Wireshark's udp.stream plus 1, where no UDP tunnel's own datagrams took a
 * number there. A flow is one row however long it paused; as Zeek cuts it, after a minute of silence (udp_inactivity_timeout), it
 * is given in parts, too. Memory: a record for each flow that had a datagram within two hours and four minutes, `open_max` at most:
 * beyond, the one that has been quiet longest is finished, and counted. Pure: no I/O; time is the captures' own. */
#ifndef TCPWHY_LEDGER_DATAGRAMS_H
#define TCPWHY_LEDGER_DATAGRAMS_H

#include "ledger/ledger.h"

struct datagrams;

struct datagrams_end {
    struct address address;
    uint64_t datagrams, bytes, ip_bytes; /* payload, whole IP packets */
};

struct datagrams_row {
    uint32_t number;
    bool is_part;                           /* what Zeek would tell as one; else all of the flow */
    struct datagrams_end end[LEDGER_SIDES]; /* the client sent the first datagram */
    int64_t start_ns, end_ns;
    enum ledger_ending ending;
    uint8_t tunnel;          /* enum event_tunnel_kind of its first datagram */
    uint32_t content;        /* of its first datagram, for segment_content_name; 0: not known */
    struct ledger_icmp icmp; /* the last error about it */
};

struct datagrams_totals {
    uint64_t flows, datagrams, bytes, crowded;
};

/* Takes a row (borrowed, valid during the call). 0, or -errno to stop. */
typedef int datagrams_listener(void *data, const struct datagrams_row *row);

/* `open_max` 0: 1 million. NULL: no memory; NULL may be freed. */
struct datagrams *datagrams_new(size_t open_max, datagrams_listener *listener, void *data);
void datagrams_free(struct datagrams *datagrams);
/* Takes a datagram, in the order of the capture. *ret_number: its flow's. 0, -ENOMEM or the listener's. */
int datagrams_feed(struct datagrams *datagrams, const struct ledger_other *datagram, int64_t t_ns, uint32_t *ret_number);
/* An ICMP error that quotes a datagram. The number of its flow; 0: none is known. */
uint32_t datagrams_icmp(struct datagrams *datagrams, const struct event_packet *error);
/* Gives all rows that are left, in order of their numbers. 0, -ENOMEM or the listener's. */
int datagrams_finish(struct datagrams *datagrams);
const struct datagrams_totals *datagrams_totals(const struct datagrams *datagrams);

#endif
