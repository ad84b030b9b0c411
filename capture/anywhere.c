#include "capture/anywhere.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "capture/packet_head.h"
#include "tcp/segment.h"

enum { INTERFACES_MAX = 64, DRAIN_PACKETS = 65536 };

struct anywhere_interface {
    int index;
    uint32_t vantage;
    uint64_t packets;
};

struct anywhere {
    struct ring *ring;
    struct anywhere_options options;
    struct anywhere_interface interfaces[INTERFACES_MAX];
    size_t interface_count;
    uint64_t packets, untold;
};

int anywhere_open(struct anywhere **ret_anywhere, int fd, const struct anywhere_options *options, struct err *err)
{
    struct anywhere *anywhere = calloc(1, sizeof(*anywhere));
    struct ring *ring = NULL;
    if (!anywhere) {
        close(fd);
        return err_set_errno(err, -ENOMEM, "can't capture packets");
    }
    int code = ring_open(&ring, fd, &options->ring, err);
    if (code) {
        free(anywhere);
        return code;
    }
    anywhere->ring = ring;
    anywhere->options = *options;
    *ret_anywhere = anywhere;
    return 0;
}

int anywhere_fd(const struct anywhere *anywhere)
{
    return ring_fd(anywhere->ring);
}

static void name_vantage(const struct anywhere *anywhere, const struct ring_packet *packet, char name[EVENT_NAME_BYTES])
{
    char interface[IF_NAMESIZE] = "";
    if (anywhere->options.is_own && if_indextoname((unsigned)packet->interface, interface))
        snprintf(name, EVENT_NAME_BYTES, "%s", interface);
    else if (packet->hardware == ARPHRD_LOOPBACK)
        snprintf(name, EVENT_NAME_BYTES, "network %llu lo", (unsigned long long)anywhere->options.netns);
    else
        snprintf(name, EVENT_NAME_BYTES, "network %llu if%d", (unsigned long long)anywhere->options.netns, packet->interface);
}

/* The interface that a packet was seen on, said at its first. NULL: there are too many. */
static struct anywhere_interface *interface_of(struct anywhere *anywhere, const struct ring_packet *packet, struct event_log *log)
{
    for (size_t i = 0; i < anywhere->interface_count; i++)
        if (anywhere->interfaces[i].index == packet->interface) return &anywhere->interfaces[i];
    uint32_t *vantages = anywhere->options.vantages;
    if (anywhere->interface_count == INTERFACES_MAX || *vantages >= anywhere->options.vantages_most) return NULL;
    struct event event = {.kind = EVENT_VANTAGE, .t_ns = packet->t_ns};
    event.vantage.number = *vantages + 1;
    event.vantage.netns = anywhere->options.netns;
    name_vantage(anywhere, packet, event.vantage.name);
    if (event_log_append(log, &event)) return NULL;
    ++*vantages;
    struct anywhere_interface *interface = &anywhere->interfaces[anywhere->interface_count++];
    *interface = (struct anywhere_interface){.index = packet->interface, .vantage = event.vantage.number};
    return interface;
}

/* 1: it was appended; 0: there is nothing in it to be told; -ENOMEM. */
static int take(struct anywhere *anywhere, const struct ring_packet *packet, struct event_log *log)
{
    struct event event;
    memset(&event, 0, sizeof(event));
    anywhere->packets++;
    if (segment_decode(DLT_RAW, packet->bytes, packet->captured_bytes, packet->wire_bytes, &event.packet) != SEGMENT_OK) return 0;
    struct anywhere_interface *interface = interface_of(anywhere, packet, log);
    if (!interface) {
        anywhere->untold++;
        return 0;
    }
    event.kind = EVENT_PACKET;
    event.t_ns = packet->t_ns;
    event.packet.vantage = interface->vantage;
    event.packet.number = ++interface->packets;
    event.packet.link_type = DLT_RAW;
    event.packet.wire_bytes = packet->wire_bytes;
    event.packet.captured_bytes = anywhere->options.headers_alone
                                      ? packet_head_bytes(DLT_RAW, packet->bytes, packet->captured_bytes, packet->wire_bytes)
                                      : packet->captured_bytes;
    event.packet.bytes = event_log_bytes(log, packet->bytes, event.packet.captured_bytes);
    if (!event.packet.bytes && event.packet.captured_bytes) return -ENOMEM;
    int code = event_log_append(log, &event);
    return code ? code : 1;
}

int anywhere_drain(struct anywhere *anywhere, struct event_log *log, struct err *err)
{
    struct ring_packet packet;
    int appended = 0;
    for (int i = 0; i < DRAIN_PACKETS && ring_next(anywhere->ring, &packet); i++) {
        int got = take(anywhere, &packet, log);
        if (got < 0) return err_set_errno(err, got, "can't keep captured packets");
        appended += got;
    }
    return appended;
}

static int append_lost(const struct anywhere *anywhere, const char *what, uint64_t count, struct event_log *log)
{
    struct event event = {.kind = EVENT_LOST, .t_ns = clock_wall_ns(), .lost = {.received = anywhere->packets, .count = count}};
    if (anywhere->options.is_own)
        snprintf(event.lost.source, sizeof(event.lost.source), "capture of later ones");
    else
        snprintf(event.lost.source, sizeof(event.lost.source), "capture network %llu", (unsigned long long)anywhere->options.netns);
    snprintf(event.lost.what, sizeof(event.lost.what), "%s", what);
    return event_log_append(log, &event);
}

int anywhere_report(struct anywhere *anywhere, struct event_log *log, struct err *err)
{
    int code = append_lost(anywhere, TR("dropped by kernel"), ring_dropped(anywhere->ring), log);
    if (!code && anywhere->untold) code = append_lost(anywhere, TR("on too many interfaces"), anywhere->untold, log);
    return code ? err_set_errno(err, code, "can't keep captured packets") : 0;
}

void anywhere_close(struct anywhere *anywhere)
{
    if (!anywhere) return;
    ring_close(anywhere->ring);
    free(anywhere);
}
