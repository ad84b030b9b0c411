/* What lies between the link layer and a transport: tags, labels, PPP, IPv4, IPv6 with its extension headers. */
#include <netinet/in.h>
#include <string.h>

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
        walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_MPLS);
        return NEXT_END;
    }
}

/* | priority, ingress (2) | group, E-channel (2) | extensions of both (2) | Ethernet type (2) |: IEEE 802.1BR's E-tag, between a
 * switch and its port extenders */
static unsigned read_etag(struct walk *walk)
{
    struct bytes tag = walk_take(walk, 8);
    bytes_take(&tag, 6);
    return bytes_u16(&tag);
}

/* | priority, flags, service (4) |, then the customer's whole frame: IEEE 802.1ah, MAC-in-MAC */
static unsigned read_backbone(struct walk *walk)
{
    struct bytes tag = walk_take(walk, 4);
    return walk_enter_tunnel(walk, TUNNEL_ETHERNET, bytes_u32(&tag) & 0xffffff, NEXT_ETHERNET);
}

/* | tree (10 bits), TTL (6 bits) |, then the frame as it came: Cisco's FabricPath */
static unsigned read_fabricpath(struct walk *walk)
{
    if (!walk_skip(walk, 2)) return NEXT_END;
    return walk_enter_tunnel(walk, TUNNEL_ETHERNET, 0, NEXT_ETHERNET);
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
    if (code != 0) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_ETHERNET, 0x8863); /* discovery's codes: RFC 2516 section 5 */
    walk_limit(walk, length);
    return NEXT_PPP;
}

/* | ff 03 |? | protocol (2, or 1 where that is odd: RFC 1661 section 6.5) | */
unsigned walk_ppp(struct walk *walk)
{
    if (walk_peek(walk, 0, 0) == 0xff) {
        struct bytes framing = walk_take(walk, 2);
        if (bytes_u16(&framing) != 0xff03 && !framing.failed) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_FRAME);
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
        walk_stop_at(walk, SEGMENT_ENCRYPTED, CONTENT_PPP, protocol);
        return NEXT_END;
    default: /* control protocols, compressed headers (0x2d, 0x2f: RFC 1144) */
        walk_stop_at(walk, SEGMENT_OTHER, CONTENT_PPP, protocol);
        return NEXT_END;
    }
}

/* Notes what piece of the datagram this is: what is behind the headers that every piece has. That of the outermost counts. */
static void note_fragment(struct walk *walk, const struct segment_fragment *piece)
{
    struct segment_fragment *kept = &walk->beside.fragment;
    if (walk->result != SEGMENT_OK || kept->version) return;
    *kept = *piece;
    kept->bytes = walk->bytes.at;
    kept->captured = (uint32_t)walk->bytes.left;
    kept->length_bytes = (uint32_t)walk->wire;
    if (kept->offset_bytes == 0) walk->in_pieces = true;
}

/* Steps over extension headers (RFC 8200 section 4) until a protocol that is none; of IPv4's only AH is one. */
static void read_extensions(struct walk *walk, bool six, struct segment_fragment *piece)
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
        piece->id = bytes_u32(&header);
        if (plain) walk_skip(walk, length * 8);
        /* AH counts in units of 4 bytes, less 2 (RFC 4302); less than 8 bytes there can't be. */
        if (type == IPPROTO_AH && length == 0) walk_stop(walk, SEGMENT_MALFORMED);
        if (type == IPPROTO_AH && length > 0) walk_skip(walk, length * 4);
        if (type != IPPROTO_FRAGMENT || header.failed) continue;
        /* Both 0: a datagram that only looks like a fragment, and is whole (RFC 6946). */
        if (fragment & (IPV6_FRAGMENT_OFFSET | IPV6_MORE_FRAGMENTS)) {
            piece->protocol = *protocol;
            piece->offset_bytes = fragment & IPV6_FRAGMENT_OFFSET;
            piece->more = fragment & IPV6_MORE_FRAGMENTS;
            note_fragment(walk, piece);
        }
        if (fragment & IPV6_FRAGMENT_OFFSET) walk_stop(walk, SEGMENT_FRAGMENT);
        walk->partial = walk->partial || (fragment & IPV6_MORE_FRAGMENTS);
    }
}

/* Whether a header inside what may be no tunnel is one: its checksum (RFC 791; behind a network card's offload, too, it is the
 * sender's), and its length. `walk` stands behind its first 20 bytes, `at` is where it begins. */
static bool is_sound_ipv4(const struct walk *walk, const uint8_t *at, size_t header_bytes, size_t total)
{
    uint32_t sum = 0;
    if (header_bytes > 20 + walk->bytes.left || total < header_bytes || total - 20 > walk->wire) return false;
    for (size_t i = 0; i < header_bytes; i += 2) sum += (uint32_t)at[i] << 8 | at[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
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
    const uint8_t *at = walk->bytes.at;
    struct bytes header = walk_take(walk, 19);
    size_t header_bytes = (size_t)(version & 15) * 4;
    bytes_u8(&header);
    size_t total = bytes_u16(&header);
    uint16_t id = bytes_u16(&header), fragment = bytes_u16(&header);
    uint8_t hops = bytes_u8(&header);
    walk->packet.header.protocol = bytes_u8(&header);
    bytes_u16(&header);
    walk->beside.ip_id = id;
    walk->beside.ip_bytes = (uint32_t)total;
    walk->beside.hops = hops;
    const uint8_t *src = bytes_take(&header, 4), *dst = bytes_take(&header, 4);
    if (header.failed) return NEXT_END;
    walk->packet.header.src = address_v4(src, 0);
    walk->packet.header.dst = address_v4(dst, 0);
    /* 0: the sender left the length to its network card (TSO, BIG TCP). */
    if (header_bytes < 20 || (total != 0 && total < header_bytes)) {
        walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
    if (walk->doubtful && !is_sound_ipv4(walk, at - 1, header_bytes, total)) {
        walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
    if (total != 0) walk_limit(walk, total - 20);
    walk_skip(walk, header_bytes - 20);
    struct segment_fragment piece = {.version = 4, .protocol = walk->packet.header.protocol, .hops = hops, .id = id};
    if (fragment & (IPV4_FRAGMENT_OFFSET | IPV4_MORE_FRAGMENTS)) {
        memcpy(piece.src, src, 4);
        memcpy(piece.dst, dst, 4);
        piece.offset_bytes = (fragment & IPV4_FRAGMENT_OFFSET) * 8U;
        piece.more = fragment & IPV4_MORE_FRAGMENTS;
        note_fragment(walk, &piece);
    }
    if (fragment & IPV4_FRAGMENT_OFFSET) walk_stop(walk, SEGMENT_FRAGMENT);
    walk->partial = walk->partial || (fragment & IPV4_MORE_FRAGMENTS);
    read_extensions(walk, false, &piece);
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
    uint8_t hops = bytes_u8(&header);
    walk->beside.ip_id = 0;
    walk->beside.ip_bytes = payload ? (uint32_t)payload + 40 : 0;
    walk->beside.hops = hops;
    const uint8_t *src = bytes_take(&header, 16), *dst = bytes_take(&header, 16);
    if (header.failed) return NEXT_END;
    walk->packet.header.src = address_v6(src, 0);
    walk->packet.header.dst = address_v6(dst, 0);
    /* No checksum protects it: all of what a tunnel's datagram holds has to be its payload. */
    if (walk->doubtful && (payload == 0 || payload != walk->wire)) {
        walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
    /* 0: as for IPv4, or a jumbogram (RFC 2675). */
    if (payload != 0) walk_limit(walk, payload);
    struct segment_fragment piece = {.version = 6, .hops = hops};
    memcpy(piece.src, src, 16);
    memcpy(piece.dst, dst, 16);
    read_extensions(walk, true, &piece);
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
    {NEXT_IPV4, read_ipv4},
    {NEXT_IPV6, read_ipv6},
    {NEXT_IP, read_ip},
    {0x8100, read_vlan},
    {0x88a8, read_vlan}, /* QinQ: IEEE 802.1ad */
    {0x9100, read_vlan}, /* QinQ before it was standardised */
    {0x9200, read_vlan},
    {NEXT_MPLS, read_mpls},
    {0x8848, read_mpls}, /* upstream-assigned labels: RFC 5332 */
    {0x8864, read_pppoe},
    {NEXT_PPP, walk_ppp},
    {NEXT_ETHERNET, walk_ethernet},
    {NEXT_LLC, walk_llc},
    {NEXT_WIFI, walk_wifi},
    {NEXT_RADIOTAP, walk_radiotap},
    {0x893f, read_etag},
    {0x88e7, read_backbone},
    {0x8903, read_fabricpath},
    {NEXT_WIFI_SWAPPED, walk_wifi_swapped},
};

unsigned walk_network(struct walk *walk, unsigned next)
{
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        if (layers[i].next == next) return layers[i].read(walk);
    /* MACsec encrypts (IEEE 802.1AE); of what else there is, nobody here knows what is inside. */
    walk_stop_at(walk, next == 0x88e5 ? SEGMENT_ENCRYPTED : SEGMENT_OTHER, CONTENT_ETHERNET, next);
    return NEXT_END;
}
