#include "capture/anywhere_take.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "capture/packet_head.h"
#include "tcp/segment.h"

static void name_vantage(const struct anywhere_taken *taken, const struct ring_packet *packet, char name[EVENT_NAME_BYTES])
{
    char interface[IF_NAMESIZE] = "";
    if (taken->options.is_own && if_indextoname((unsigned)packet->interface, interface))
        snprintf(name, EVENT_NAME_BYTES, "%s", interface);
    else if (packet->hardware == ARPHRD_LOOPBACK)
        snprintf(name, EVENT_NAME_BYTES, "network %llu lo", (unsigned long long)taken->options.netns);
    else
        snprintf(name, EVENT_NAME_BYTES, "network %llu if%d", (unsigned long long)taken->options.netns, packet->interface);
}

/* The interface that a packet was seen on, said at its first. NULL: there are too many. */
static struct anywhere_interface *interface_of(struct anywhere_taken *taken, const struct ring_packet *packet,
                                               struct event_log *log)
{
    for (size_t i = 0; i < taken->interface_count; i++)
        if (taken->interfaces[i].index == packet->interface) return &taken->interfaces[i];
    uint32_t *vantages = taken->options.vantages;
    if (taken->interface_count == ANYWHERE_INTERFACES_MAX || *vantages >= taken->options.vantages_most) return NULL;
    struct event event = {.kind = EVENT_VANTAGE, .t_ns = packet->t_ns};
    event.vantage.number = *vantages + 1;
    event.vantage.netns = taken->options.netns;
    name_vantage(taken, packet, event.vantage.name);
    if (event_log_append(log, &event)) return NULL;
    ++*vantages;
    struct anywhere_interface *interface = &taken->interfaces[taken->interface_count++];
    *interface = (struct anywhere_interface){.index = packet->interface, .vantage = event.vantage.number};
    return interface;
}

int anywhere_take(struct anywhere_taken *taken, const struct ring_packet *packet, struct event_log *log)
{
    struct event event;
    memset(&event, 0, sizeof(event));
    taken->packets++;
    if (segment_decode(DLT_RAW, packet->bytes, packet->captured_bytes, packet->wire_bytes, &event.packet) != SEGMENT_OK) return 0;
    struct anywhere_interface *interface = interface_of(taken, packet, log);
    if (!interface) {
        taken->untold++;
        return 0;
    }
    event.kind = EVENT_PACKET;
    event.t_ns = packet->t_ns;
    event.packet.vantage = interface->vantage;
    event.packet.number = ++interface->packets;
    event.packet.link_type = DLT_RAW;
    event.packet.wire_bytes = packet->wire_bytes;
    event.packet.captured_bytes = taken->options.headers_alone
                                      ? packet_head_bytes(DLT_RAW, packet->bytes, packet->captured_bytes, packet->wire_bytes)
                                      : packet->captured_bytes;
    event.packet.bytes = event_log_bytes(log, packet->bytes, event.packet.captured_bytes);
    if (!event.packet.bytes && event.packet.captured_bytes) return -ENOMEM;
    int code = event_log_append(log, &event);
    return code ? code : 1;
}

static int append_lost(const struct anywhere_taken *taken, const char *what, uint64_t count, struct event_log *log)
{
    struct event event = {.kind = EVENT_LOST, .t_ns = clock_wall_ns(), .lost = {.received = taken->packets, .count = count}};
    if (taken->options.is_own)
        snprintf(event.lost.source, sizeof(event.lost.source), "capture of later ones");
    else
        snprintf(event.lost.source, sizeof(event.lost.source), "capture network %llu", (unsigned long long)taken->options.netns);
    snprintf(event.lost.what, sizeof(event.lost.what), "%s", what);
    return event_log_append(log, &event);
}

int anywhere_take_report(const struct anywhere_taken *taken, uint64_t dropped, struct event_log *log)
{
    int code = append_lost(taken, TR("dropped by kernel"), dropped, log);
    return !code && taken->untold ? append_lost(taken, TR("on too many interfaces"), taken->untold, log) : code;
}
