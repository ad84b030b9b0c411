#include "lab/wire/wire_track.h"

#include <string.h>

#include "tcp/segment.h"
#include "tcp/seq.h"

enum { ETHERNET_BYTES = 14, IPV4_BYTES = 20, IPV6_BYTES = 40 };

/* The newest one between these ends. */
static struct wire_connection *find(struct wire_track *track, size_t side, const struct event_packet_header *header)
{
    uint32_t oldest = track->count > WIRE_TRACKED_MAX ? track->count - WIRE_TRACKED_MAX : 0;
    for (uint32_t number = track->count; number > oldest; number--) {
        struct wire_connection *connection = &track->connections[(number - 1) % WIRE_TRACKED_MAX];
        if (address_equal(&connection->end[side].address, &header->src) &&
            address_equal(&connection->end[!side].address, &header->dst))
            return connection;
    }
    return NULL;
}

static struct wire_connection *begin(struct wire_track *track, size_t side, const struct event_packet_header *header)
{
    struct wire_connection *connection = &track->connections[track->count % WIRE_TRACKED_MAX];
    *connection = (struct wire_connection){.number = ++track->count};
    connection->end[side].address = header->src;
    connection->end[!side].address = header->dst;
    return connection;
}

static void keep_header(struct wire_end *end, const uint8_t *frame, uint32_t length)
{
    uint32_t bytes = ETHERNET_BYTES + (end->address.version == 4 ? IPV4_BYTES : IPV6_BYTES);
    if (length >= bytes) memcpy(end->header, frame, bytes);
}

static void note_syn(struct wire_connection *connection, size_t side, const struct event_packet *packet)
{
    struct wire_end *end = &connection->end[side];
    bool scales = packet->options.present & OPTION_WSCALE;
    end->isn = packet->header.seq;
    end->next = end->isn;
    end->wscale = scales ? packet->options.wscale : 0;
    connection->scaled = scales && (!connection->end[!side].seen || connection->scaled);
}

void wire_track_take(struct wire_track *track, size_t side, const struct event_packet *packet, const uint8_t *frame,
                     uint32_t length)
{
    const struct event_packet_header *header = &packet->header;
    struct wire_connection *connection = find(track, side, header);
    bool opens = (header->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    if (opens && (!connection || (connection->end[side].seen && connection->end[side].isn != header->seq)))
        connection = begin(track, side, header);
    if (!connection || header->flags & TCP_RST) return; /* a RST may have any numbers */
    struct wire_end *end = &connection->end[side];
    if (header->flags & TCP_SYN && (!end->seen || end->isn != header->seq)) note_syn(connection, side, packet);
    uint32_t next = header->seq + segment_space(header);
    if (!end->seen || seq_before(end->next, next)) end->next = next;
    end->seen = true;
    end->window = header->window;
    end->has_timestamps = packet->options.present & OPTION_TIMESTAMPS;
    end->ts_value = packet->options.ts_value;
    end->ts_echo = packet->options.ts_echo;
    keep_header(end, frame, length);
}

const struct wire_connection *wire_track_find(const struct wire_track *track, uint32_t number)
{
    if (!number) number = track->count;
    if (!number || number > track->count) return NULL;
    const struct wire_connection *connection = &track->connections[(number - 1) % WIRE_TRACKED_MAX];
    return connection->number == number ? connection : NULL;
}
