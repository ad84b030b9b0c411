/* The transport's headers: TCP with its options, UDP, and ICMP errors with what they quote. */
#include <netinet/in.h>
#include <string.h>

#include "tcp/segment_walk.h"

static unsigned load16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t load32(const uint8_t *at)
{
    return (uint32_t)load16(at) << 16 | load16(at + 2);
}

/* One option's body. Options of another length than their RFC gives are ignored, as the kernel does (tcp_parse_options). */
static void read_option(uint8_t kind, const uint8_t *body, size_t length, struct event_options *options)
{
    unsigned present = 0;
    switch (kind) {
    case 2: /* RFC 9293 section 3.2 */
        if (length != 2) return;
        options->mss = (uint16_t)load16(body);
        present = OPTION_MSS;
        break;
    case 3: /* RFC 7323 section 2.2 */
        if (length != 1) return;
        options->wscale = body[0];
        present = OPTION_WSCALE;
        break;
    case 4: /* RFC 2018 section 2 */
        if (length == 0) present = OPTION_SACK_OK;
        break;
    case 5: /* RFC 2018 section 3 */
        if (length >= 8 && length % 8 == 0) present = OPTION_SACK;
        break;
    case 8: /* RFC 7323 section 3.2 */
        if (length != 8) return;
        options->ts_value = load32(body);
        options->ts_echo = load32(body + 4);
        present = OPTION_TIMESTAMPS;
        break;
    case 30: /* RFC 8684 section 3: its subtype is the first four bits */
        if (length == 0) return;
        options->mptcp = (uint16_t)(options->mptcp | 1U << (body[0] >> 4));
        present = OPTION_MPTCP;
        break;
    case 34: /* RFC 7413 section 4.1.1; no cookie: a request for one */
        options->fastopen_cookie_bytes = (uint8_t)length;
        present = OPTION_FASTOPEN;
        break;
    case 172: /* RFC 9768 section 3.2.3: none to three counters of 3 bytes */
    case 174:
        if (length <= 9 && length % 3 == 0) present = OPTION_ACCECN;
        break;
    case 254: /* an experiment, known by the number it begins with: RFC 6994 */
        if (length < 2 || load16(body) != 0xf989) return;
        options->fastopen_cookie_bytes = (uint8_t)(length - 2);
        present = OPTION_FASTOPEN;
        break;
    default:
        return;
    }
    options->present = (uint8_t)(options->present | present);
}

void segment_read_options(const uint8_t *at, size_t length, struct event_options *options)
{
    size_t offset = 0;
    while (offset < length) {
        uint8_t kind = at[offset];
        if (kind == 0) return;
        if (kind == 1) {
            offset++;
            continue;
        }
        if (length - offset < 2) return;
        size_t whole = at[offset + 1];
        if (whole < 2 || whole > length - offset) return;
        read_option(kind, at + offset + 2, whole - 2, options);
        offset += whole;
    }
}

/* |          source port          |       destination port        |
 * |                        sequence number                        |
 * |                     acknowledgment number                     |
 * | offset|rsv| AE|     flags     |            window             |
 * |           checksum            |        urgent pointer         |  RFC 9293 section 3.1, RFC 9768 section 2.2 */
static unsigned read_tcp(struct walk *walk)
{
    enum { HEADER_BYTES = 20, UP_TO_FLAGS = 14, UP_TO_WINDOW = 16 };
    /* A capture of 68 bytes a packet, once the usual size, holds exactly this much behind Ethernet and IPv6. */
    size_t have = walk->bytes.left;
    bool short_one = have >= UP_TO_FLAGS && have < HEADER_BYTES && walk->wire >= HEADER_BYTES;
    struct bytes bytes = walk_take(walk, short_one ? have : HEADER_BYTES);
    struct event_packet_header *header = &walk->packet.header;
    header->src.port = bytes_u16(&bytes);
    header->dst.port = bytes_u16(&bytes);
    header->seq = bytes_u32(&bytes);
    header->ack = bytes_u32(&bytes);
    unsigned offset = bytes_u8(&bytes);
    header->flags = bytes_u8(&bytes);
    if (bytes.failed) return NEXT_END;
    walk->beside.content = 0;
    header->window = bytes_u16(&bytes);
    walk->beside.checksum = bytes_u16(&bytes);
    walk->packet.flags_high = offset & 0x0f;
    walk->packet.window_cut = short_one && have < UP_TO_WINDOW;
    if (short_one) walk->wire -= HEADER_BYTES - have;
    size_t options_bytes = (size_t)(offset >> 4) * 4 - HEADER_BYTES;
    if (offset >> 4 < 5 || options_bytes > walk->wire) {
        walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
    header->length_bytes = (uint32_t)(walk->wire - options_bytes);
    if (!short_one)
        segment_read_options(walk->bytes.at, walk->bytes.left < options_bytes ? walk->bytes.left : options_bytes,
                             &walk->packet.options);
    return NEXT_END;
}

/* |          source port          |       destination port        |
 * |            length             |           checksum            |  RFC 768 */
static unsigned read_udp(struct walk *walk)
{
    struct bytes bytes = walk_take(walk, 8);
    struct event_packet_header *header = &walk->packet.header;
    header->src.port = bytes_u16(&bytes);
    header->dst.port = bytes_u16(&bytes);
    size_t length = bytes_u16(&bytes);
    walk->beside.checksum = bytes_u16(&bytes);
    if (bytes.failed) return NEXT_END;
    if (length == 0) length = 8 + walk->wire; /* a jumbogram (RFC 2675 section 4), or left to the network card */
    /* Only the first of several fragments is shorter than its datagram. */
    if (length < 8 || (length - 8 > walk->wire && !walk->partial)) {
        walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
    header->length_bytes = (uint32_t)(length - 8);
    walk_limit(walk, length - 8);
    unsigned next;
    return walk_udp_tunnel(walk, header->src.port, header->dst.port, &next) ? next : NEXT_END;
}

static bool is_icmp_error(uint8_t protocol, uint8_t type)
{
    /* RFC 1122 section 3.2.2; RFC 4443 section 2.1: the errors are the types below 128. */
    if (protocol == IPPROTO_ICMP) return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    return type < 128;
}

/* An error quotes the packet it is about, at least its IP header and 8 bytes: both ports, and TCP's sequence number. */
static void read_quoted(const struct walk *error, struct event_icmp *icmp)
{
    struct walk walk = {.bytes = error->bytes, .wire = error->wire, .partial = true};
    walk_network(&walk, NEXT_IP);
    const struct event_packet_header *header = &walk.packet.header;
    if (header->protocol != IPPROTO_TCP && header->protocol != IPPROTO_UDP) return;
    struct bytes bytes = walk_take(&walk, 8);
    if (bytes.failed) return;
    icmp->quotes = true;
    icmp->protocol = header->protocol;
    icmp->src = header->src;
    icmp->dst = header->dst;
    icmp->src.port = bytes_u16(&bytes);
    icmp->dst.port = bytes_u16(&bytes);
    if (header->protocol == IPPROTO_TCP) icmp->seq = bytes_u32(&bytes);
}

static unsigned read_icmp(struct walk *walk)
{
    struct bytes bytes = walk_take(walk, 8);
    struct event_packet *packet = &walk->packet;
    packet->icmp.type = bytes_u8(&bytes);
    packet->icmp.code = bytes_u8(&bytes);
    bytes_u16(&bytes);
    uint32_t rest = bytes_u32(&bytes);
    if (bytes.failed) return NEXT_END;
    bool six = packet->header.protocol == IPPROTO_ICMPV6;
    if (!is_icmp_error(packet->header.protocol, packet->icmp.type)) {
        walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, six ? NAMED_ICMPV6 : NAMED_ICMP);
        return NEXT_END;
    }
    walk->beside.content = content_of(CONTENT_NAMED, NAMED_ICMP_ERROR);
    if (six && packet->icmp.type == 2) packet->icmp.mtu = rest;                                     /* RFC 4443 section 3.2 */
    if (!six && packet->icmp.type == 3 && packet->icmp.code == 4) packet->icmp.mtu = rest & 0xffff; /* RFC 1191 section 4 */
    packet->header.length_bytes = (uint32_t)walk->wire;
    read_quoted(walk, &packet->icmp);
    return NEXT_END;
}

unsigned walk_transport(struct walk *walk, unsigned next)
{
    uint8_t protocol = (uint8_t)(next & 0xff);
    if (walk->result != SEGMENT_OK) return NEXT_END;
    switch (protocol) {
    case IPPROTO_TCP:
        return read_tcp(walk);
    case IPPROTO_UDP:
        return read_udp(walk);
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return read_icmp(walk);
    case IPPROTO_ESP:
    case IPPROTO_COMP:
        walk_stop_at(walk, SEGMENT_ENCRYPTED, CONTENT_PROTOCOL, protocol);
        return NEXT_END;
    default:
        if (walk_tunnel(walk, protocol, &next)) return next;
        walk_stop_at(walk, SEGMENT_OTHER, CONTENT_PROTOCOL, protocol);
        return NEXT_END;
    }
}
