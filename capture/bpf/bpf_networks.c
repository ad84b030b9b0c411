#include "capture/bpf/bpf_networks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool is_own_netns(uint32_t netns)
{
    struct stat own;

    return stat("/proc/self/ns/net", &own) == 0 && own.st_ino == netns;
}

/* The vantage of a network, said at its first segment. 0: out of memory. */
static uint32_t vantage_of(struct bpf_networks *networks, struct event_log *log, uint32_t netns, int64_t t_ns)
{
    for (size_t i = networks->count; i-- > 0;)
        if (networks->entries[i].netns == netns) return (uint32_t)i + 1;

    struct bpf_network *grown = realloc(networks->entries, (networks->count + 1) * sizeof(*grown));
    struct event event = {.kind = EVENT_VANTAGE, .t_ns = t_ns};

    if (!grown) return 0;
    networks->entries = grown;
    networks->entries[networks->count++] = (struct bpf_network){.netns = netns};
    event.vantage.number = (uint32_t)networks->count;
    event.vantage.netns = netns;
    if (is_own_netns(netns))
        snprintf(event.vantage.name, sizeof(event.vantage.name), "this network");
    else
        snprintf(event.vantage.name, sizeof(event.vantage.name), "network %u", netns);
    return event_log_append(log, &event) ? 0 : event.vantage.number;
}

int bpf_networks_append(struct bpf_networks *networks, struct event_log *log, const struct event *event,
                        const struct event_options *options)
{
    struct event segment = {.kind = EVENT_PACKET, .t_ns = event->t_ns};
    uint32_t netns = event->kind == EVENT_MARK ? (uint32_t)event->mark.netns : event->packet.vantage;
    uint32_t vantage = vantage_of(networks, log, netns, event->t_ns);

    if (!vantage) return -ENOMEM;
    if (event->kind == EVENT_MARK)
        segment.packet.header = event->mark.header;
    else
        segment.packet = event->packet;
    segment.packet.options = *options;
    segment.packet.vantage = vantage;
    segment.packet.number = ++networks->entries[vantage - 1].packets;
    return event_log_append(log, &segment);
}
