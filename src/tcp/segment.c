#include "tcp/segment.h"

#include <netinet/in.h>
#include <string.h>

#include "base/lang.h"
#include "tcp/segment_walk.h"

enum segment_result segment_decode_walk(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                        struct event_packet *ret_packet, struct segment_beside *ret_beside)
{
    struct walk walk;
    struct event_packet carrier;
    uint32_t carrier_content = 0;
    bool carried = false;
    memset(&walk, 0, sizeof(walk));
    walk.bytes = bytes_new(bytes, captured);
    walk.wire = wire > captured ? wire : captured;
    unsigned next = walk_link(&walk, link_type);
    while (next != NEXT_END && walk.result == SEGMENT_OK) {
        if (!(next & NEXT_PROTOCOL)) {
            next = walk_network(&walk, next);
            continue;
        }
        /* A tunnel over UDP is known by a port alone: where what is inside makes no sense, it was a datagram after all. */
        struct event_tunnel outside = walk.packet.tunnel;
        next = walk_transport(&walk, next);
        if (walk.packet.header.protocol == IPPROTO_UDP && next != NEXT_END && !carried) {
            carrier = walk.packet;
            carrier_content = walk.beside.content;
            carried = true;
            carrier.tunnel = outside;
        }
        /* The packet inside begins with a clean sheet. */
        if (next != NEXT_END) walk.packet.header = (struct event_packet_header){0};
    }
    bool no_tunnel = walk.result == SEGMENT_MALFORMED || (walk.doubtful && walk.result == SEGMENT_OTHER);
    if (carried && no_tunnel) {
        walk.result = SEGMENT_OK;
        walk.packet = carrier;
        walk.beside.content = carrier_content;
    }
    /* A first fragment that ends inside a header is nothing bad: the rest is in the next one. */
    if (walk.result == SEGMENT_MALFORMED && walk.in_pieces) walk.result = SEGMENT_FRAGMENT;
    if (walk.result == SEGMENT_FRAGMENT && !walk.beside.content) walk.beside.content = content_of(CONTENT_NAMED, NAMED_FRAGMENT);
    *ret_beside = walk.beside;
    if (walk.result != SEGMENT_OK) return walk.result;
    ret_packet->header = walk.packet.header;
    ret_packet->options = walk.packet.options;
    ret_packet->icmp = walk.packet.icmp;
    ret_packet->tunnel = walk.packet.tunnel;
    ret_packet->flags_high = walk.packet.flags_high;
    ret_packet->window_cut = walk.packet.window_cut;
    return SEGMENT_OK;
}

static inline unsigned load16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return ntohs(value);
}

static inline uint32_t load32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return ntohl(value);
}

/* What most frames are: Ethernet with at most one VLAN tag, cooked or raw, then IPv4 or IPv6 without anything between, then TCP,
 * with all headers captured and all lengths in order. True: decoded. False: nothing said, take the long way. */
static inline bool decode_common(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire, struct event_packet *packet,
                                 struct segment_beside *beside)
{
    size_t ip;
    unsigned type;
    if (link_type == 1) {
        ip = 14;
        if (captured < ip + 40) return false;
        type = load16(bytes + 12);
        if (type == 0x8100 || type == 0x88a8) {
            type = load16(bytes + 16);
            ip = 18;
            if (captured < ip + 40) return false;
        }
    } else if (link_type == 113) {
        ip = 16;
        if (captured < ip + 40) return false;
        type = load16(bytes + 14);
        if (load16(bytes + 2) >= 770) return false; /* devices that give the type another meaning lie above */
    } else if (link_type == 276) {
        ip = 20;
        if (captured < ip + 40) return false;
        type = load16(bytes);
        if (load16(bytes + 8) >= 770) return false;
    } else if (link_type == 12 || link_type == 101) {
        ip = 0;
        if (captured < ip + 40) return false;
        type = bytes[0] >> 4 == 4 ? NEXT_IPV4 : NEXT_IPV6; /* the version is looked at below */
    } else {
        return false;
    }

    const uint8_t *at = bytes + ip;
    size_t captured_ip = captured - ip, wire_ip = (wire > captured ? wire : captured) - ip, total, ip_bytes;
    struct event_packet_header *header = &packet->header;
    if (type == NEXT_IPV4) {
        ip_bytes = 20;
        total = load16(at + 2);
        if (at[0] != 0x45 || at[9] != IPPROTO_TCP || (load16(at + 6) & 0x3fff) != 0 || total < 40 || total > wire_ip) return false;
    } else if (type == NEXT_IPV6) {
        ip_bytes = 40;
        total = 40 + load16(at + 4);
        if (at[0] >> 4 != 6 || at[6] != IPPROTO_TCP || total < 60 || total > wire_ip || captured_ip < 60) return false;
        /* A v4-mapped address is folded to IPv4: the long way knows how. */
        if ((load32(at + 8) | load32(at + 12)) == 0 || (load32(at + 24) | load32(at + 28)) == 0) return false;
    } else {
        return false;
    }
    const uint8_t *tcp = at + ip_bytes;
    size_t header_bytes = (size_t)(tcp[12] >> 4) * 4;
    if (header_bytes < 20 || ip_bytes + header_bytes > total || ip_bytes + header_bytes > captured_ip) return false;

    *header = (struct event_packet_header){
        .src.port = (uint16_t)load16(tcp),
        .src.version = type == NEXT_IPV4 ? 4 : 6,
        .dst.port = (uint16_t)load16(tcp + 2),
        .dst.version = type == NEXT_IPV4 ? 4 : 6,
        .protocol = IPPROTO_TCP,
        .flags = tcp[13],
        .window = (uint16_t)load16(tcp + 14),
        .seq = load32(tcp + 4),
        .ack = load32(tcp + 8),
        .length_bytes = (uint32_t)(total - ip_bytes - header_bytes),
    };
    if (type == NEXT_IPV4) {
        memcpy(header->src.ip, at + 12, 4);
        memcpy(header->dst.ip, at + 16, 4);
    } else {
        memcpy(header->src.ip, at + 8, 16);
        memcpy(header->dst.ip, at + 24, 16);
    }
    packet->options = (struct event_options){0};
    packet->icmp = (struct event_icmp){0};
    packet->tunnel = (struct event_tunnel){0};
    packet->flags_high = tcp[12] & 0x0f;
    packet->window_cut = false;
    *beside = (struct segment_beside){.ip_id = type == NEXT_IPV4 ? (uint16_t)load16(at + 4) : 0,
                                      .checksum = (uint16_t)load16(tcp + 16),
                                      .hops = type == NEXT_IPV4 ? at[8] : at[7],
                                      .ip_bytes = (uint32_t)total};
    if (header_bytes == 32 && load32(tcp + 20) == 0x0101080a) { /* two times nothing, and timestamps: what a Linux sends */
        packet->options.present = OPTION_TIMESTAMPS;
        packet->options.ts_value = load32(tcp + 24);
        packet->options.ts_echo = load32(tcp + 28);
    } else if (header_bytes > 20) {
        segment_read_options(tcp + 20, header_bytes - 20, &packet->options);
    }
    return true;
}

enum segment_result segment_decode(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                   struct event_packet *ret_packet)
{
    struct segment_beside beside;
    if (decode_common(link_type, bytes, captured, wire, ret_packet, &beside)) return SEGMENT_OK;
    return segment_decode_walk(link_type, bytes, captured, wire, ret_packet, &beside);
}

enum segment_result segment_decode_beside(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                          struct event_packet *ret_packet, struct segment_beside *ret_beside)
{
    if (decode_common(link_type, bytes, captured, wire, ret_packet, ret_beside)) return SEGMENT_OK;
    return segment_decode_walk(link_type, bytes, captured, wire, ret_packet, ret_beside);
}

const char *segment_result_word(enum segment_result result)
{
    static const char *const words[SEGMENT_RESULTS] = {
        [SEGMENT_OK] = "read",
        [SEGMENT_OTHER] = "no TCP, UDP or ICMP error",
        [SEGMENT_FRAGMENT] = "IP fragment",
        [SEGMENT_CUT] = "headers cut by the capture",
        [SEGMENT_MALFORMED] = "malformed",
        [SEGMENT_LINK] = "link type not decoded",
        [SEGMENT_ENCRYPTED] = "encrypted or compressed",
    };
    return (unsigned)result < SEGMENT_RESULTS ? words[result] : "?";
}

const char *segment_link_trouble(int link_type)
{
    /* tcpdump.org's numbers of what people do capture and no TCP can be read from here. */
    static const struct {
        int type;
        const char *trouble;
    } troubles[] = {
        {6, TR("IEEE 802.5 token ring is not decoded")},
        {7, TR("ARCnet as BSD captures it is not decoded")},
        {10, TR("FDDI is not decoded")},
        {107, TR("Frame Relay is not decoded")},
        {119, TR("802.11 with a Prism header is not decoded: capture with radiotap")},
        {163, TR("802.11 with an AVS header is not decoded: capture with radiotap")},
        {165, TR("BACnet MS/TP carries no IP")},
        {140, TR("SS7 signalling (MTP2) carries no IP")},
        {141, TR("SS7 signalling (MTP3) carries no IP")},
        {186, TR("USB transfers carry no IP that can be read here: capture on the network interface")},
        {187, TR("Bluetooth HCI carries no IP that can be read here")},
        {189, TR("USB transfers carry no IP that can be read here: capture on the network interface")},
        {195, TR("IEEE 802.15.4 carries no TCP as it stands")},
        {201, TR("Bluetooth HCI carries no IP that can be read here")},
        {220, TR("USB transfers carry no IP that can be read here: capture on the network interface")},
        {227, TR("a CAN bus carries no IP")},
        {230, TR("IEEE 802.15.4 carries no TCP as it stands")},
        {247, TR("InfiniBand frames carry no IP that can be read here: capture on the IPoIB interface")},
        {249, TR("USB transfers carry no IP that can be read here: capture on the network interface")},
        {253, TR("netlink messages are the kernel's own: they carry no IP")},
        {255, TR("Bluetooth baseband carries no IP that can be read here")},
        {271, TR("vsock carries no IP: it connects a virtual machine and its host")},
    };
    if (walk_knows_link(link_type)) return NULL;
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
        if (troubles[i].type == link_type) return troubles[i].trouble;
    return TR("this link type is not decoded");
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
