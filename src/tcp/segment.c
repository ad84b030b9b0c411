#include "tcp/segment.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"

/* tcpdump.org's LINKTYPE_ numbers, and the DLT_ number of RAW on Linux and on OpenBSD. */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_LINUX = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276
};

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
    ETHERTYPE_QINQ_OLD = 0x9100
};

enum { IPV4_FRAGMENT_OFFSET = 0x1fff, IPV4_MORE_FRAGMENTS = 0x2000, IPV6_FRAGMENT_OFFSET = 0xfff8, IPV6_MORE_FRAGMENTS = 1 };

/* A stretch of a packet: what was captured of it, and how long it was on the wire. A header that the wire did not hold is
 * malformed; one that the wire held and the capture did not is cut. The first of these to happen stays in `result`. */
struct span {
    struct bytes bytes;
    size_t wire;
    enum segment_result result;
};

static struct bytes take(struct span *span, size_t length)
{
    if (span->result == SEGMENT_OK && length > span->wire) span->result = SEGMENT_MALFORMED;
    if (span->result == SEGMENT_OK && length > span->bytes.left) span->result = SEGMENT_CUT;
    if (span->result != SEGMENT_OK) return (struct bytes){.failed = true};
    span->wire -= length;
    return bytes_slice(&span->bytes, length);
}

/* What follows is `length` long on the wire, whatever comes behind it (Ethernet's padding). */
static void limit(struct span *span, size_t length)
{
    span->wire = length;
    if (span->bytes.left > length) span->bytes.left = length;
}

static void stop(struct span *span, enum segment_result result)
{
    if (span->result == SEGMENT_OK) span->result = result;
}

struct ip {
    struct address src, dst;
    uint8_t protocol;
    bool first_fragment; /* more of the datagram follows in other packets */
};

/* 0 in an IP length field: the sender left the length to its network card (TSO, BIG TCP), or it is a jumbogram. */
static void limit_ip(struct span *span, size_t header, size_t total, bool quoted)
{
    if (total == 0) return;
    if (total < header)
        stop(span, SEGMENT_MALFORMED);
    else if (total - header > span->wire && !quoted)
        stop(span, SEGMENT_MALFORMED);
    else
        limit(span, total - header); /* a quoted packet may end early: then what is missing counts as cut */
}

/*  0                   1                   2                   3
 * |version|  IHL  |      TOS      |          total length         |
 * |        identification         |flags|     fragment offset     |
 * |      TTL      |   protocol    |            checksum           |
 * |                         source address                        |
 * |                      destination address                      |  RFC 791 */
static void read_ipv4(struct span *span, bool quoted, struct ip *ret_ip)
{
    struct bytes header = take(span, 20);
    size_t header_bytes = (size_t)(bytes_u8(&header) & 15) * 4;
    bytes_u8(&header);
    size_t total = bytes_u16(&header);
    bytes_u16(&header);
    uint16_t fragment = bytes_u16(&header);
    bytes_u8(&header);
    ret_ip->protocol = bytes_u8(&header);
    bytes_u16(&header);
    const uint8_t *src = bytes_take(&header, 4), *dst = bytes_take(&header, 4);
    if (header.failed) return;
    if (header_bytes < 20) return stop(span, SEGMENT_MALFORMED);
    ret_ip->src = address_v4(src, 0);
    ret_ip->dst = address_v4(dst, 0);
    take(span, header_bytes - 20);
    limit_ip(span, header_bytes, total, quoted);
    if (fragment & IPV4_FRAGMENT_OFFSET) stop(span, SEGMENT_FRAGMENT);
    ret_ip->first_fragment = fragment & IPV4_MORE_FRAGMENTS;
}

/* Steps over extension headers (RFC 8200 section 4) until a protocol that is none. */
static void read_extensions(struct span *span, struct ip *ip)
{
    while (span->result == SEGMENT_OK) {
        uint8_t type = ip->protocol;
        bool plain = type == IPPROTO_HOPOPTS || type == IPPROTO_ROUTING || type == IPPROTO_DSTOPTS || type == IPPROTO_MH ||
                     type == 139 /* HIP */ || type == 140 /* Shim6 */;
        if (!plain && type != IPPROTO_FRAGMENT && type != IPPROTO_AH) return;
        struct bytes header = take(span, 8);
        ip->protocol = bytes_u8(&header);
        size_t length = bytes_u8(&header);
        uint16_t fragment = bytes_u16(&header);
        if (plain) take(span, length * 8);
        /* AH counts in units of 4 bytes, less 2 (RFC 4302); less than 8 bytes there can't be. */
        if (type == IPPROTO_AH && length == 0) stop(span, SEGMENT_MALFORMED);
        if (type == IPPROTO_AH && length > 0) take(span, length * 4);
        if (type != IPPROTO_FRAGMENT || header.failed) continue;
        if (fragment & IPV6_FRAGMENT_OFFSET) stop(span, SEGMENT_FRAGMENT);
        ip->first_fragment = fragment & IPV6_MORE_FRAGMENTS;
    }
}

/* |version| traffic class |           flow label                  |
 * |         payload length        |  next header  |   hop limit   |
 * then the source and destination addresses, 16 bytes each           RFC 8200 */
static void read_ipv6(struct span *span, bool quoted, struct ip *ret_ip)
{
    struct bytes header = take(span, 40);
    bytes_u32(&header);
    size_t payload = bytes_u16(&header);
    ret_ip->protocol = bytes_u8(&header);
    bytes_u8(&header);
    const uint8_t *src = bytes_take(&header, 16), *dst = bytes_take(&header, 16);
    if (header.failed) return;
    ret_ip->src = address_v6(src, 0);
    ret_ip->dst = address_v6(dst, 0);
    limit_ip(span, 0, payload, quoted);
    read_extensions(span, ret_ip);
}

/* `ethertype`: what the link layer said, 0 where it says nothing. */
static void read_ip(struct span *span, unsigned ethertype, bool quoted, struct ip *ret_ip)
{
    *ret_ip = (struct ip){0};
    struct span ahead = *span;
    struct bytes first = take(&ahead, 1);
    unsigned version = bytes_u8(&first) >> 4;
    if (first.failed) return stop(span, ahead.result);
    if (version == 4 && ethertype != ETHERTYPE_IPV6)
        read_ipv4(span, quoted, ret_ip);
    else if (version == 6 && ethertype != ETHERTYPE_IPV4)
        read_ipv6(span, quoted, ret_ip);
    else
        stop(span, SEGMENT_MALFORMED);
}

static void read_tcp_option(uint8_t kind, struct bytes *body, struct event_options *options)
{
    size_t length = body->left;
    unsigned present = 0;
    /* Options of another length than their RFC gives are ignored, as the kernel does (tcp_parse_options). */
    if (kind == 2 && length == 2) { /* RFC 9293 section 3.2 */
        options->mss = bytes_u16(body);
        present = OPTION_MSS;
    } else if (kind == 3 && length == 1) { /* RFC 7323 section 2.2 */
        options->wscale = bytes_u8(body);
        present = OPTION_WSCALE;
    } else if (kind == 4 && length == 0) { /* RFC 2018 section 2 */
        present = OPTION_SACK_OK;
    } else if (kind == 5 && length >= 8 && length % 8 == 0) { /* RFC 2018 section 3 */
        present = OPTION_SACK;
    } else if (kind == 8 && length == 8) { /* RFC 7323 section 3.2 */
        options->ts_value = bytes_u32(body);
        options->ts_echo = bytes_u32(body);
        present = OPTION_TIMESTAMPS;
    } else if (kind == 30 && length >= 1) { /* RFC 8684 section 3 */
        present = OPTION_MPTCP;
    } else if (kind == 34) { /* RFC 7413 section 4.1.1; no cookie: a request for one */
        options->fastopen_cookie_bytes = (uint8_t)length;
        present = OPTION_FASTOPEN;
    } else if (kind == 254 && length >= 2 && bytes_u16(body) == 0xf989) { /* its experimental form, RFC 6994 */
        options->fastopen_cookie_bytes = (uint8_t)(length - 2);
        present = OPTION_FASTOPEN;
    }
    options->present = (uint8_t)(options->present | present);
}

/* Sound as far as they go: bad or cut options end the walk, they don't spoil the segment. */
static void read_tcp_options(struct bytes bytes, struct event_options *options)
{
    while (bytes.left) {
        uint8_t kind = bytes_u8(&bytes);
        if (kind == 0) return;
        if (kind == 1) continue;
        uint8_t length = bytes_u8(&bytes);
        if (length < 2 || (size_t)length - 2 > bytes.left) return;
        struct bytes body = bytes_slice(&bytes, (size_t)length - 2);
        read_tcp_option(kind, &body, options);
    }
}

/* |          source port          |       destination port        |
 * |                        sequence number                        |
 * |                     acknowledgment number                     |
 * | offset|  rsv  |     flags     |            window             |
 * |           checksum            |        urgent pointer         |  RFC 9293 section 3.1 */
static void read_tcp(struct span *span, struct event_packet *packet)
{
    struct bytes bytes = take(span, 20);
    struct event_packet_header *header = &packet->header;
    header->src.port = bytes_u16(&bytes);
    header->dst.port = bytes_u16(&bytes);
    header->seq = bytes_u32(&bytes);
    header->ack = bytes_u32(&bytes);
    size_t header_bytes = (size_t)(bytes_u8(&bytes) >> 4) * 4;
    header->flags = bytes_u8(&bytes);
    header->window = bytes_u16(&bytes);
    if (bytes.failed) return;
    if (header_bytes < 20 || header_bytes - 20 > span->wire) return stop(span, SEGMENT_MALFORMED);
    header->length_bytes = (uint32_t)(span->wire - (header_bytes - 20));
    struct bytes options = span->bytes;
    if (options.left > header_bytes - 20) options.left = header_bytes - 20;
    read_tcp_options(options, &packet->options);
}

/* |          source port          |       destination port        |
 * |            length             |           checksum            |  RFC 768 */
static void read_udp(struct span *span, const struct ip *ip, struct event_packet *packet)
{
    struct bytes bytes = take(span, 8);
    packet->header.src.port = bytes_u16(&bytes);
    packet->header.dst.port = bytes_u16(&bytes);
    size_t length = bytes_u16(&bytes);
    if (bytes.failed) return;
    if (length == 0) length = 8 + span->wire; /* a jumbogram (RFC 2675 section 4), or left to the network card */
    /* Only the first of several fragments is shorter than its datagram. */
    if (length < 8 || (length - 8 > span->wire && !ip->first_fragment)) return stop(span, SEGMENT_MALFORMED);
    packet->header.length_bytes = (uint32_t)(length - 8);
}

static bool is_icmp_error(uint8_t protocol, uint8_t type)
{
    /* RFC 1122 section 3.2.2; RFC 4443 section 2.1: the errors are the types below 128. */
    if (protocol == IPPROTO_ICMP) return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    return type < 128;
}

/* An error quotes the packet it is about, at least its IP header and 8 bytes: both ports, and TCP's sequence number. */
static void read_quoted(struct span span, struct event_icmp *icmp)
{
    struct ip ip;
    read_ip(&span, 0, true, &ip);
    if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP) return;
    struct bytes bytes = take(&span, 8);
    if (bytes.failed) return;
    icmp->quotes = true;
    icmp->protocol = ip.protocol;
    icmp->src = ip.src;
    icmp->dst = ip.dst;
    icmp->src.port = bytes_u16(&bytes);
    icmp->dst.port = bytes_u16(&bytes);
    if (ip.protocol == IPPROTO_TCP) icmp->seq = bytes_u32(&bytes);
}

static void read_icmp(struct span *span, const struct ip *ip, struct event_packet *packet)
{
    struct bytes bytes = take(span, 8);
    packet->icmp.type = bytes_u8(&bytes);
    packet->icmp.code = bytes_u8(&bytes);
    if (bytes.failed) return;
    if (!is_icmp_error(ip->protocol, packet->icmp.type)) return stop(span, SEGMENT_OTHER);
    packet->header.length_bytes = (uint32_t)span->wire;
    read_quoted(*span, &packet->icmp);
}

static void read_transport(struct span *span, const struct ip *ip, struct event_packet *packet)
{
    if (span->result != SEGMENT_OK) return;
    packet->header.src = ip->src;
    packet->header.dst = ip->dst;
    packet->header.protocol = ip->protocol;
    switch (ip->protocol) {
    case IPPROTO_TCP:
        return read_tcp(span, packet);
    case IPPROTO_UDP:
        return read_udp(span, ip, packet);
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return read_icmp(span, ip, packet);
    default:
        return stop(span, SEGMENT_OTHER);
    }
}

/* The link layers: each steps over its header and says what follows as an Ethernet type. */

static unsigned read_ethernet(struct span *span)
{
    struct bytes header = take(span, 14);
    bytes_take(&header, 12);
    return bytes_u16(&header);
}

static unsigned read_sll(struct span *span)
{
    struct bytes header = take(span, 16);
    bytes_take(&header, 14);
    return bytes_u16(&header);
}

static unsigned read_sll2(struct span *span)
{
    struct bytes header = take(span, 20);
    return bytes_u16(&header);
}

/* Four bytes of the capturing system's AF_ number, in its byte order (NULL) or the network's (LOOP). */
static unsigned read_family(struct span *span)
{
    struct bytes header = take(span, 4);
    uint32_t family = bytes_u32(&header);
    if (family > 0xffff) family = __builtin_bswap32(family);
    switch (family) {
    case 2:
        return ETHERTYPE_IPV4;
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        return ETHERTYPE_IPV6;
    default:
        return 1; /* no Ethernet type: something else */
    }
}

static unsigned read_raw(struct span *span)
{
    (void)span;
    return 0;
}

static const struct {
    int type;
    unsigned (*read)(struct span *span);
} links[] = {
    {LINK_ETHERNET, read_ethernet}, {LINK_LINUX_SLL, read_sll}, {LINK_LINUX_SLL2, read_sll2}, {LINK_NULL, read_family},
    {LINK_LOOP, read_family},       {LINK_RAW, read_raw},       {LINK_RAW_LINUX, read_raw},   {LINK_RAW_OPENBSD, read_raw},
    {LINK_IPV4, read_raw},          {LINK_IPV6, read_raw},
};

static unsigned read_vlans(struct span *span, unsigned ethertype)
{
    while (ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ || ethertype == ETHERTYPE_QINQ_OLD) {
        struct bytes tag = take(span, 4);
        bytes_u16(&tag);
        ethertype = bytes_u16(&tag);
    }
    return ethertype;
}

enum segment_result segment_decode(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                   struct event_packet *ret_packet)
{
    size_t link = 0;
    const size_t link_count = sizeof(links) / sizeof(links[0]);
    while (link < link_count && links[link].type != link_type) link++;
    if (link == link_count) return SEGMENT_LINK;

    struct span span = {.bytes = bytes_new(bytes, captured), .wire = wire > captured ? wire : captured};
    unsigned ethertype = read_vlans(&span, links[link].read(&span));
    if (span.result != SEGMENT_OK) return span.result;
    if (ethertype && ethertype != ETHERTYPE_IPV4 && ethertype != ETHERTYPE_IPV6) return SEGMENT_OTHER;

    struct ip ip;
    struct event_packet packet;
    memset(&packet, 0, sizeof(packet));
    read_ip(&span, ethertype, false, &ip);
    read_transport(&span, &ip, &packet);
    if (span.result != SEGMENT_OK) return span.result;
    ret_packet->header = packet.header;
    ret_packet->options = packet.options;
    ret_packet->icmp = packet.icmp;
    return SEGMENT_OK;
}

const char *segment_flags(uint8_t flags, char text[9])
{
    size_t length = 0;
    for (size_t i = 0; i < EVENT_FLAGS; i++)
        if (flags & event_flags[i].bit) text[length++] = event_flags[i].letter;
    text[length] = '\0';
    return length ? text : strcpy(text, "none");
}

uint32_t segment_space(const struct event_packet_header *header)
{
    return header->length_bytes + !!(header->flags & TCP_SYN) + !!(header->flags & TCP_FIN);
}
