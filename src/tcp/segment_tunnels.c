/* Tunnels: a packet inside a packet. What is told of is the one inside, with the tunnel noted beside it. */
#include <netinet/in.h>
#include <string.h>

#include "tcp/segment_walk.h"

unsigned walk_enter_tunnel(struct walk *walk, enum event_tunnel_kind kind, uint32_t id, unsigned next)
{
    if (walk->result != SEGMENT_OK) return NEXT_END;
    if (walk->packet.tunnel.levels == WALK_TUNNELS_MAX) {
        walk_stop(walk, SEGMENT_OTHER);
        return NEXT_END;
    }
    walk->packet.tunnel.kind = (uint8_t)kind;
    walk->packet.tunnel.levels++;
    walk->packet.tunnel.id = id;
    return next;
}

/* | type, truncated, … and session (in the last 10 bits of the first 4 bytes) | index (4) |: only with GRE's sequence number;
 * without one the frame follows at once (type I). */
static unsigned read_erspan(struct walk *walk, bool numbered)
{
    if (!numbered) return walk_enter_tunnel(walk, TUNNEL_ERSPAN, 0, NEXT_ETHERNET);
    struct bytes header = walk_take(walk, 8);
    return walk_enter_tunnel(walk, TUNNEL_ERSPAN, bytes_u32(&header) & 0x3ff, NEXT_ETHERNET);
}

/* | flags and version (2) | Ethernet type (2) | checksum (2) and offset (2)? | key (4)? | sequence (4)? | acknowledgment (4)? |:
 * RFC 2784, 2890; version 1 is PPTP's, with PPP inside and the payload's length in its key: RFC 2637 section 4.1 */
static unsigned read_gre(struct walk *walk)
{
    enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, ACKNOWLEDGMENT = 0x0080, VERSION = 7 };
    struct bytes header = walk_take(walk, 4);
    unsigned flags = bytes_u16(&header), type = bytes_u16(&header);
    if (header.failed) return NEXT_END;
    uint32_t key = 0;
    if (flags & (CHECKSUM | ROUTING)) walk_skip(walk, 4);
    if (flags & KEY) {
        struct bytes bytes = walk_take(walk, 4);
        key = bytes_u32(&bytes);
    }
    if (flags & SEQUENCE) walk_skip(walk, 4);
    /* Source routes (RFC 1701) are deprecated and not followed. */
    if ((flags & ROUTING) || (flags & VERSION) > 1) walk_stop(walk, SEGMENT_OTHER);
    if ((flags & VERSION) == 1) {
        if (flags & ACKNOWLEDGMENT) walk_skip(walk, 4);
        size_t payload = key >> 16;
        if (type != NEXT_PPP || payload == 0) walk_stop(walk, SEGMENT_OTHER); /* 0: an acknowledgment alone */
        walk_limit(walk, payload);
        return walk_enter_tunnel(walk, TUNNEL_GRE, key & 0xffff, NEXT_PPP);
    }
    if (type == 0x88be) return read_erspan(walk, flags & SEQUENCE);
    /* WCCP: redirected IP, in version 2 behind 4 bytes that can't begin an IP header (draft-wilson-wrec-wccp-v2 section 4.12.1). */
    if (type == 0x883e && walk_peek(walk, 0, 0x40) >> 4 != 4) walk_skip(walk, 4);
    return walk_enter_tunnel(walk, TUNNEL_GRE, key, type == 0x883e ? NEXT_IPV4 : type);
}

bool walk_tunnel(struct walk *walk, uint8_t protocol, unsigned *ret_next)
{
    switch (protocol) {
    case IPPROTO_IPIP:
        *ret_next = walk_enter_tunnel(walk, TUNNEL_IP, 0, NEXT_IPV4);
        return true;
    case IPPROTO_IPV6:
        *ret_next = walk_enter_tunnel(walk, TUNNEL_IP, 0, NEXT_IPV6);
        return true;
    case IPPROTO_GRE:
        *ret_next = read_gre(walk);
        return true;
    case IPPROTO_MPLS:
        *ret_next = walk_enter_tunnel(walk, TUNNEL_MPLS, 0, NEXT_MPLS);
        return true;
    default:
        return false;
    }
}

/* | flags (1) | 0 (3) | VNI (3) | 0 (1) |: RFC 7348 section 5. Other implementations put their own into the second to fourth bytes
 * (GBP, GPE), but the flag that a VNI is there has to be set. */
static bool read_vxlan(struct walk *walk, unsigned *ret_next)
{
    struct walk ahead = *walk;
    struct bytes header = walk_take(&ahead, 8);
    unsigned flags = bytes_u8(&header);
    bytes_take(&header, 3);
    uint32_t vni = bytes_u32(&header) >> 8;
    if (header.failed || !(flags & 0x08) || (flags & 0x04)) return false;
    *walk = ahead;
    *ret_next = walk_enter_tunnel(walk, TUNNEL_VXLAN, vni, NEXT_ETHERNET);
    return true;
}

/* | version (2 bits), length of options in 4 bytes (6 bits) | flags (1) | Ethernet type (2) | VNI (3) | 0 (1) | options |: RFC 8926
 * section 3.4 */
static bool read_geneve(struct walk *walk, unsigned *ret_next)
{
    struct walk ahead = *walk;
    struct bytes header = walk_take(&ahead, 8);
    unsigned first = bytes_u8(&header);
    bytes_u8(&header);
    unsigned type = bytes_u16(&header);
    uint32_t vni = bytes_u32(&header) >> 8;
    if (header.failed || first >> 6 != 0 || !walk_skip(&ahead, (size_t)(first & 0x3f) * 4)) return false;
    *walk = ahead;
    *ret_next = walk_enter_tunnel(walk, TUNNEL_GENEVE, vni, type);
    return true;
}

bool walk_udp_tunnel(struct walk *walk, uint16_t port, unsigned *ret_next)
{
    switch (port) {
    case 4789:
    case 8472: /* Linux's, from before a number was assigned; still what flannel uses */
        return read_vxlan(walk, ret_next);
    case 6081:
        return read_geneve(walk, ret_next);
    default:
        return false;
    }
}
