/* What lies between the link layer and a transport: tags, labels, PPP, IPv4, IPv6 with its extension headers. */
#include <netinet/in.h>

#include "tcp/segment_walk.h"

enum { IPV4_FRAGMENT_OFFSET = 0x1fff, IPV4_MORE_FRAGMENTS = 0x2000, IPV6_FRAGMENT_OFFSET = 0xfff8, IPV6_MORE_FRAGMENTS = 1 };

/* | priority and VLAN (2) | Ethernet type (2) |: IEEE 802.1Q */
static unsigned read_vlan(struct walk *walk)
{
    struct bytes tag = walk_take(walk, 4);
    bytes_u16(&tag);
    unsigned type = bytes_u16(&tag);
    if (type >= 1536) return type;
    if (!tag.failed) walk_limit(walk, type);
    return NEXT_LLC;
}

/* | label (20 bits) | class (3) | bottom (1) | TTL (8) |: RFC 3032. What follows the bottom label is not said: its first four bits
 * tell IP from a pseudowire's control word (RFC 4385), which is 0 before an Ethernet frame. */
static unsigned read_mpls(struct walk *walk)
{
    enum { BOTTOM = 0x100 };
    uint32_t label;
    do {
        struct bytes header = walk_take(walk, 4);
        label = bytes_u32(&header);
        if (header.failed) return NEXT_END;
    } while (!(label & BOTTOM));
    if (walk->bytes.left == 0) {
        walk_take(walk, 1);
        return NEXT_END;
    }
    switch (walk_peek(walk, 0, 0) >> 4) {
    case 4:
        return NEXT_IPV4;
    case 6:
        return NEXT_IPV6;
    case 0:
        walk_skip(walk, 4);
        return walk_enter_tunnel(walk, TUNNEL_MPLS, 0, NEXT_ETHERNET);
    default:
        walk_stop(walk, SEGMENT_OTHER);
        return NEXT_END;
    }
}

/* | version and type | code | session (2) | length (2) |: RFC 2516 section 4 */
static unsigned read_pppoe(struct walk *walk)
{
    struct bytes header = walk_take(walk, 6);
    unsigned version_type = bytes_u8(&header), code = bytes_u8(&header);
    bytes_u16(&header);
    size_t length = bytes_u16(&header);
    if (header.failed) return NEXT_END;
    if (version_type != 0x11) walk_stop(walk, SEGMENT_MALFORMED);
    if (code != 0) walk_stop(walk, SEGMENT_OTHER);
    walk_limit(walk, length);
    return NEXT_PPP;
}

/* | ff 03 |? | protocol (2, or 1 where that is odd: RFC 1661 section 6.5) | */
unsigned walk_ppp(struct walk *walk)
{
    if (walk_peek(walk, 0, 0) == 0xff) {
        struct bytes framing = walk_take(walk, 2);
        if (bytes_u16(&framing) != 0xff03 && !framing.failed) walk_stop(walk, SEGMENT_OTHER);
    }
    struct bytes header = walk_take(walk, walk_peek(walk, 0, 0) & 1 ? 1 : 2);
    unsigned protocol = header.left == 1 ? bytes_u8(&header) : bytes_u16(&header);
    if (header.failed) return NEXT_END;
    switch (protocol) {
    case 0x0021:
        return NEXT_IPV4;
    case 0x0057:
        return NEXT_IPV6;
    case 0x0281:
    case 0x0283:
        return NEXT_MPLS;
    case 0x0053: /* RFC 1968 */
    case 0x0055:
    case 0x00fb: /* compressed: RFC 1962 */
    case 0x00fd:
        walk_stop(walk, SEGMENT_ENCRYPTED);
        return NEXT_END;
    default: /* control protocols, compressed headers (0x2d, 0x2f: RFC 1144) */
        walk_stop(walk, SEGMENT_OTHER);
        return NEXT_END;
    }
}

/* Steps over extension headers (RFC 8200 section 4) until a protocol that is none; of IPv4's only AH is one. */
static void read_extensions(struct walk *walk, bool six)
{
    uint8_t *protocol = &walk->packet.header.protocol;
    while (walk->result == SEGMENT_OK) {
        uint8_t type = *protocol;
        bool plain = six && (type == IPPROTO_HOPOPTS || type == IPPROTO_ROUTING || type == IPPROTO_DSTOPTS || type == IPPROTO_MH ||
                             type == 139 /* HIP */ || type == 140 /* Shim6 */);
        if (!plain && !(six && type == IPPROTO_FRAGMENT) && type != IPPROTO_AH) return;
        struct bytes header = walk_take(walk, 8);
        *protocol = bytes_u8(&header);
        size_t length = bytes_u8(&header);
        uint16_t fragment = bytes_u16(&header);
        if (plain) walk_skip(walk, length * 8);
        /* AH counts in units of 4 bytes, less 2 (RFC 4302); less than 8 bytes there can't be. */
        if (type == IPPROTO_AH && length == 0) walk_stop(walk, SEGMENT_MALFORMED);
        if (type == IPPROTO_AH && length > 0) walk_skip(walk, length * 4);
        if (type != IPPROTO_FRAGMENT || header.failed) continue;
        if (fragment & IPV6_FRAGMENT_OFFSET) walk_stop(walk, SEGMENT_FRAGMENT);
        walk->partial = walk->partial || (fragment & IPV6_MORE_FRAGMENTS);
    }
}

/*  0                   1                   2                   3
 * |version|  IHL  |      TOS      |          total length         |
 * |        identification         |flags|     fragment offset     |
 * |      TTL      |   protocol    |            checksum           |
 * |                         source address                        |
 * |                      destination address                      |  RFC 791 */
static unsigned read_ipv4(struct walk *walk)
{
    struct bytes first = walk_take(walk, 1);
    unsigned version = bytes_u8(&first);
    if (!first.failed && version >> 4 != 4) walk_stop(walk, SEGMENT_MALFORMED);
    struct bytes header = walk_take(walk, 19);
    size_t header_bytes = (size_t)(version & 15) * 4;
    bytes_u8(&header);
    size_t total = bytes_u16(&header);
    bytes_u16(&header);
    uint16_t fragment = bytes_u16(&header);
    bytes_u8(&header);
    walk->packet.header.protocol = bytes_u8(&header);
    bytes_u16(&header);
    const uint8_t *src = bytes_take(&header, 4), *dst = bytes_take(&header, 4);
    if (header.failed) return NEXT_END;
    walk->packet.header.src = address_v4(src, 0);
    walk->packet.header.dst = address_v4(dst, 0);
    /* 0: the sender left the length to its network card (TSO, BIG TCP). */
    if (header_bytes < 20 || (total != 0 && total < header_bytes)) {
        walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
    if (total != 0) walk_limit(walk, total - 20);
    walk_skip(walk, header_bytes - 20);
    if (fragment & IPV4_FRAGMENT_OFFSET) walk_stop(walk, SEGMENT_FRAGMENT);
    walk->partial = walk->partial || (fragment & IPV4_MORE_FRAGMENTS);
    read_extensions(walk, false);
    return NEXT_PROTOCOL | walk->packet.header.protocol;
}

/* |version| traffic class |           flow label                  |
 * |         payload length        |  next header  |   hop limit   |
 * then the source and destination addresses, 16 bytes each           RFC 8200 */
static unsigned read_ipv6(struct walk *walk)
{
    struct bytes first = walk_take(walk, 1);
    unsigned version = bytes_u8(&first);
    if (!first.failed && version >> 4 != 6) walk_stop(walk, SEGMENT_MALFORMED);
    struct bytes header = walk_take(walk, 39);
    bytes_take(&header, 3);
    size_t payload = bytes_u16(&header);
    walk->packet.header.protocol = bytes_u8(&header);
    bytes_u8(&header);
    const uint8_t *src = bytes_take(&header, 16), *dst = bytes_take(&header, 16);
    if (header.failed) return NEXT_END;
    walk->packet.header.src = address_v6(src, 0);
    walk->packet.header.dst = address_v6(dst, 0);
    /* 0: as for IPv4, or a jumbogram (RFC 2675). */
    if (payload != 0) walk_limit(walk, payload);
    read_extensions(walk, true);
    return NEXT_PROTOCOL | walk->packet.header.protocol;
}

static unsigned read_ip(struct walk *walk)
{
    switch (walk_peek(walk, 0, 0) >> 4) {
    case 4:
        return read_ipv4(walk);
    case 6:
        return read_ipv6(walk);
    default:
        if (walk_skip(walk, 1)) walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
}

static const struct {
    unsigned next;
    unsigned (*read)(struct walk *walk);
} layers[] = {
    {NEXT_IPV4, read_ipv4}, {NEXT_IPV6, read_ipv6}, {NEXT_IP, read_ip},
    {0x8100, read_vlan},    {0x88a8, read_vlan},                         /* QinQ: IEEE 802.1ad */
    {0x9100, read_vlan},                                                 /* QinQ before it was standardised */
    {0x9200, read_vlan},    {NEXT_MPLS, read_mpls}, {0x8848, read_mpls}, /* upstream-assigned labels: RFC 5332 */
    {0x8864, read_pppoe},   {NEXT_PPP, walk_ppp},   {NEXT_ETHERNET, walk_ethernet},
    {NEXT_LLC, walk_llc},   {NEXT_WIFI, walk_wifi}, {NEXT_RADIOTAP, walk_radiotap},
};

unsigned walk_network(struct walk *walk, unsigned next)
{
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        if (layers[i].next == next) return layers[i].read(walk);
    walk_stop(walk, SEGMENT_OTHER);
    return NEXT_END;
}
