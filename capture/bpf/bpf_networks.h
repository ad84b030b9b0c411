/* The networks of a whole host in which segments were seen: a vantage each, said at its first segment. Internal to the BPF
 * recorder. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_NETWORKS_H
#define TCPWHY_CAPTURE_BPF_BPF_NETWORKS_H

#include <stddef.h>
#include <stdint.h>

#include "event/log.h"

struct bpf_network {
    uint32_t netns;
    uint64_t packets;
};

struct bpf_networks {
    struct bpf_network *entries; /* owned: free(3); a vantage's number is the place + 1 */
    size_t count;
};

/* Appends the segment that an event of the kernel side shows: a mark is the segment as well; one that arrives has the network's
 * number in its vantage's place. `options`: what is known of the segment's. 0 or -ENOMEM. */
int bpf_networks_append(struct bpf_networks *networks, struct event_log *log, const struct event *event,
                        const struct event_options *options);

#endif
