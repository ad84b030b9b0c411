/* From a frame to what the ledger asks of it. Nearly all frames of nearly all captures are Ethernet, IPv4 or IPv6 without options
 * and TCP: those are read here in one go, under conditions that leave nothing to judge; everything else goes the long way through
 * segment_decode. tests/fuzz/fuzz_ledger_decode.c holds the two against each other. */
#include <netinet/in.h>
#include <string.h>

#include "ledger/ledger.h"

enum { LINK_ETHERNET = 1, ETHERNET_BYTES = 14, IPV4_BYTES = 20, IPV6_BYTES = 40, TCP_BYTES = 20 };

static inline uint16_t two(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, 2);
    return __builtin_bswap16(value);
}

static inline uint32_t four(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return __builtin_bswap32(value);
}

/* `space`: bytes from the TCP header to the end of the IP packet, all of them on the wire. False: not for here. */
static inline bool quick_tcp(const uint8_t *tcp, uint32_t space, struct ledger_segment *segment)
{
    uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
    if (header < TCP_BYTES || header > space) return false;
    segment->src_port = two(tcp);
    segment->dst_port = two(tcp + 2);
    segment->seq = four(tcp + 4);
    segment->ack = four(tcp + 8);
    segment->flags = tcp[13];
    segment->window = two(tcp + 14);
    segment->checksum = two(tcp + 16);
    segment->length_bytes = space - header;
    return true;
}

static inline bool quick_ipv4(const uint8_t *ip, uint32_t captured, uint32_t wire, struct ledger_segment *segment)
{
    if (captured < IPV4_BYTES + TCP_BYTES || ip[0] != 0x45 || ip[9] != IPPROTO_TCP || two(ip + 6) & 0x3fff) return false;
    uint32_t total = two(ip + 2);
    if (total < IPV4_BYTES + TCP_BYTES || total > wire) return false;
    if (!quick_tcp(ip + IPV4_BYTES, total - IPV4_BYTES, segment)) return false;
    memset(segment->src, 0, 2 * sizeof(segment->src));
    memcpy(segment->src, ip + 12, 4);
    memcpy(segment->dst, ip + 16, 4);
    segment->version = 4;
    segment->ip_bytes = total;
    segment->ip_id = two(ip + 4);
    segment->hops = ip[8];
    return true;
}

static inline bool quick_ipv6(const uint8_t *ip, uint32_t captured, uint32_t wire, struct ledger_segment *segment)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (captured < IPV6_BYTES + TCP_BYTES || ip[0] >> 4 != 6 || ip[6] != IPPROTO_TCP) return false;
    uint32_t payload = two(ip + 4);
    if (payload < TCP_BYTES || payload + IPV6_BYTES > wire) return false;
    if (!memcmp(ip + 8, mapped, sizeof(mapped)) || !memcmp(ip + 24, mapped, sizeof(mapped))) return false;
    if (!quick_tcp(ip + IPV6_BYTES, payload, segment)) return false;
    memcpy(segment->src, ip + 8, 32); /* src and dst lie side by side in both */
    segment->version = 6;
    segment->ip_bytes = payload + IPV6_BYTES;
    segment->ip_id = 0;
    segment->hops = ip[7];
    return true;
}
_Static_assert(offsetof(struct ledger_segment, dst) == offsetof(struct ledger_segment, src) + 16, "src and dst are neighbours");

/* A v4-mapped address that talks to one that isn't is written as IPv6 again, so that both directions are alike. */
static void put_ip(uint8_t to[16], const struct address *address, bool wide)
{
    memcpy(to, address->ip, 16);
    if (!wide || address->version != 4) return;
    memset(to, 0, 10);
    to[10] = to[11] = 0xff;
    memcpy(to + 12, address->ip, 4);
}

/* Never inline: the quick way would have to save the registers that this one needs. */
static __attribute__((noinline)) enum segment_result slow(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                                          struct ledger_segment *segment, struct ledger_other *other)
{
    memset(&other->packet, 0, sizeof(other->packet));
    enum segment_result result = segment_decode_beside(link_type, bytes, captured, wire, &other->packet, &other->beside);
    if (result != SEGMENT_OK) return result;
    const struct event_packet_header *header = &other->packet.header;
    if (header->protocol != IPPROTO_TCP) return SEGMENT_OTHER;
    bool wide = header->src.version != 4 || header->dst.version != 4;
    put_ip(segment->src, &header->src, wide);
    put_ip(segment->dst, &header->dst, wide);
    segment->src_port = header->src.port;
    segment->dst_port = header->dst.port;
    segment->seq = header->seq;
    segment->ack = header->ack;
    segment->length_bytes = header->length_bytes;
    segment->ip_bytes = 0;
    segment->window = other->packet.window_cut ? UINT16_MAX : header->window; /* not captured: surely no zero window */
    segment->flags = header->flags;
    segment->version = wide ? 6 : 4;
    segment->tunnel = other->packet.tunnel.kind;
    segment->hops = other->beside.hops;
    segment->ip_id = other->beside.ip_id;
    segment->checksum = other->beside.checksum;
    segment->is_piece = other->beside.fragment.version != 0;
    return SEGMENT_OK;
}

enum segment_result ledger_decode(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire, int64_t t_ns,
                                  struct ledger_segment *segment, struct ledger_other *other)
{
    segment->t_ns = t_ns;
    segment->tunnel = 0;
    segment->place = 0;
    segment->is_piece = false;
    if (wire < captured) wire = captured;
    if (link_type == LINK_ETHERNET && captured >= ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES) {
        uint16_t type = two(bytes + 12);
        const uint8_t *ip = bytes + ETHERNET_BYTES;
        if (type == 0x0800 && quick_ipv4(ip, captured - ETHERNET_BYTES, wire - ETHERNET_BYTES, segment)) return SEGMENT_OK;
        if (type == 0x86dd && quick_ipv6(ip, captured - ETHERNET_BYTES, wire - ETHERNET_BYTES, segment)) return SEGMENT_OK;
    }
    return slow(link_type, bytes, captured, wire, segment, other);
}
