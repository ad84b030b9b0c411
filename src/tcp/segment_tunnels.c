/* Tunnels: a packet inside a packet. What is told of is the one inside, with the tunnel noted beside it. */
#include <netinet/in.h>
#include <string.h>

#include "tcp/segment_walk.h"

unsigned walk_enter_tunnel(struct walk *walk, enum event_tunnel_kind kind, uint32_t id, unsigned next)
{
    if (walk->result != SEGMENT_OK) return NEXT_END;
    if (walk->packet.tunnel.levels == WALK_TUNNELS_MAX) {
        walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_DEEP);
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

/* A data frame of 802.11, or one with the two bytes of its frame control in each other's place: only one of the two begins a data
 * frame. */
static unsigned wifi_next(const struct walk *walk)
{
    enum { VERSION_TYPE = 0x0f, DATA = 0x08 };
    bool straight = (walk_peek(walk, 0, 0) & VERSION_TYPE) == DATA, swapped = (walk_peek(walk, 1, 0) & VERSION_TYPE) == DATA;
    return swapped && !straight ? NEXT_WIFI_SWAPPED : NEXT_WIFI;
}

/* | flags and version (2) | Ethernet type (2) | checksum (2) and offset (2)? | key (4)? | sequence (4)? | acknowledgment (4)? |:
 * RFC 2784, 2890; version 1 is PPTP's, with PPP inside and the payload's length in its key: RFC 2637 section 4.1 */
static unsigned read_gre(struct walk *walk)
{
    enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, ACKNOWLEDGMENT = 0x0080, VERSION = 7 };
    /* An Aruba access point's: 802.11 frames, without a check sequence, by the queue they came from. */
    enum { ARUBA_FIRST = 0x8200, ARUBA_LAST = 0x8230 };
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
    if ((flags & ROUTING) || (flags & VERSION) > 1) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_GRE);
    if ((flags & VERSION) == 1) {
        if (flags & ACKNOWLEDGMENT) walk_skip(walk, 4);
        size_t payload = key >> 16;
        if (type != NEXT_PPP || payload == 0)
            walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_GRE); /* 0: an acknowledgment alone */
        walk_limit(walk, payload);
        return walk_enter_tunnel(walk, TUNNEL_GRE, key & 0xffff, NEXT_PPP);
    }
    if (type == 0x88be) return read_erspan(walk, flags & SEQUENCE);
    /* WCCP: redirected IP, in version 2 behind 4 bytes that can't begin an IP header (draft-wilson-wrec-wccp-v2 section 4.12.1). */
    if (type == 0x883e && walk_peek(walk, 0, 0x40) >> 4 != 4) walk_skip(walk, 4);
    if (type >= ARUBA_FIRST && type <= ARUBA_LAST) return walk_enter_tunnel(walk, TUNNEL_GRE, key, wifi_next(walk));
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

static uint32_t big16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* What a tunnel's header in a UDP datagram says. */
struct inside {
    size_t length; /* of the header */
    enum event_tunnel_kind kind;
    uint32_t id;
    unsigned next;
    bool doubtful;           /* it proves too little: the IP header inside has to hold together */
    enum content_named name; /* what it is if what is inside can't be looked into; NAMED_NOTHING: nothing says it is that tunnel */
};

/* The readers of such headers take nothing: `at` is the payload, of which `left` bytes were captured and `wire` sent. False: none,
 * or none that is looked into.
 *
 * | flags (1) | 0 (3) | VNI (3) | 0 (1) |: RFC 7348 section 5. A receiver ignores what is reserved there, and implementations put
 * their own into it (GBP), but the flag that a VNI is there has to be set. With the flag P the third of the reserved bytes says
 * what is inside (draft-ietf-nvo3-vxlan-gpe); at another port than VXLAN-GPE's it is believed if no Ethernet type says otherwise.
 */
static bool read_vxlan(const uint8_t *at, size_t left, bool gpe, struct inside *inside)
{
    enum { HAS_VNI = 0x08, HAS_PROTOCOL = 0x04, HEADER = 8, TYPE_AT = HEADER + 12 };
    static const unsigned nexts[] = {0, NEXT_IPV4, NEXT_IPV6, NEXT_ETHERNET, 0, NEXT_MPLS};
    if (left < HEADER || !(at[0] & HAS_VNI)) return false;
    *inside = (struct inside){
        .length = HEADER, .kind = TUNNEL_VXLAN, .id = big16(at + 4) << 8 | at[6], .next = NEXT_ETHERNET, .name = NAMED_VXLAN};
    if (!(at[0] & HAS_PROTOCOL)) return true;
    inside->doubtful = true;
    uint32_t type = left >= TYPE_AT + 2 ? big16(at + TYPE_AT) : 0;
    bool looks_like_a_frame = type == NEXT_IPV4 || type == NEXT_IPV6 || type == 0x8100 || type == 0x88a8 || type == 0x0806;
    if (!gpe && looks_like_a_frame) return true;
    inside->next = at[3] < sizeof(nexts) / sizeof(nexts[0]) ? nexts[at[3]] : 0;
    return inside->next != 0;
}

/* | version (2 bits), length of options in 4 bytes (6 bits) | flags (1) | Ethernet type (2) | VNI (3) | 0 (1) | options |: RFC 8926
 * section 3.4 */
static bool read_geneve(const uint8_t *at, size_t left, struct inside *inside)
{
    enum { HEADER = 8 };
    if (left < HEADER || at[0] >> 6 != 0) return false;
    *inside = (struct inside){.length = HEADER + (size_t)(at[0] & 0x3f) * 4,
                              .kind = TUNNEL_GENEVE,
                              .id = big16(at + 4) << 8 | at[6],
                              .next = big16(at + 2),
                              .name = NAMED_GENEVE};
    return inside->length <= left;
}

/* | version (3 bits), 1, 0, E, S, PN | type | length (2) | endpoint (4) |, with E, S or PN: | sequence (2) | N-PDU | next extension
 * |, extensions: | length in 4 bytes | … | next extension |: 3GPP TS 29.281 section 5. Type 255 carries a subscriber's packet. */
static bool read_gtp(const uint8_t *at, size_t left, size_t wire, struct inside *inside)
{
    enum { HEADER = 8, OPTIONAL = 4, VERSION_1 = 3, EXTENSION_FOLLOWS = 4, ANY_OPTIONAL = 7, USER_PACKET = 255 };
    if (left < HEADER || at[0] >> 4 != VERSION_1) return false;
    size_t length = HEADER + (at[0] & ANY_OPTIONAL ? OPTIONAL : 0);
    *inside = (struct inside){
        .kind = TUNNEL_GTP, .id = big16(at + 4) << 16 | big16(at + 6), .next = NEXT_IP, .doubtful = true, .name = NAMED_GTP};
    if (at[1] != USER_PACKET || big16(at + 2) + HEADER != wire) return false;
    while (at[0] & EXTENSION_FOLLOWS) {
        if (length >= left) return false;
        if (at[length - 1] == 0) break;
        if (at[length] == 0) return false;
        length += (size_t)at[length] * 4;
    }
    inside->length = length;
    return length <= left;
}

/* | 0 1 | client's and authentication's lengths | both | nonce (8) | confirmation |?, | 0 0 | … origin (6) |?, then IPv6 with an
 * address of 2001::/32: RFC 4380 sections 5.1.1 and 2.6 */
static bool read_teredo(const uint8_t *at, size_t left, size_t wire, struct inside *inside)
{
    static const uint8_t prefix[4] = {0x20, 0x01, 0, 0};
    enum { AUTHENTICATION = 13, ORIGIN = 8, IPV6_BYTES = 40, SRC = 8, DST = 24 };
    size_t length = 0;
    if (left >= 4 && big16(at) == 1) length = AUTHENTICATION + (size_t)at[2] + at[3];
    if (length + 2 <= left && big16(at + length) == 0) length += ORIGIN;
    if (length + IPV6_BYTES > left || at[length] >> 4 != 6 || length + IPV6_BYTES + big16(at + length + 4) != wire) return false;
    *inside = (struct inside){.length = length, .kind = TUNNEL_TEREDO, .next = NEXT_IPV6, .doubtful = true, .name = NAMED_TEREDO};
    return !memcmp(at + length + SRC, prefix, 4) || !memcmp(at + length + DST, prefix, 4);
}

/* | version and type | header's length in 4 bytes (5 bits), radio (5), binding (5), T F L W M K, reserved | fragment (4) | radio's
 * address, wireless information … |: RFC 5415 section 4.3. T: a frame as it was on the air, else Ethernet's. */
static bool read_capwap(const uint8_t *at, size_t left, struct inside *inside)
{
    enum { HEADER = 8, NATIVE = 0x100, FRAGMENT = 0x80, KEEPALIVE = 0x08, BINDING_WIFI = 1 };
    if (left < HEADER || at[0] > 1) return false;
    *inside = (struct inside){
        .kind = TUNNEL_CAPWAP, .next = NEXT_ETHERNET, .doubtful = true, .name = at[0] == 1 ? NAMED_CAPWAP_DTLS : NAMED_CAPWAP};
    if (at[0] == 1) return false;
    uint32_t word = big16(at + 1) << 8 | at[3];
    inside->length = (size_t)(word >> 19) * 4;
    if (inside->length < HEADER || inside->length > left || word & (FRAGMENT | KEEPALIVE)) return false;
    if (!(word & NATIVE)) return true;
    struct walk ahead = {.bytes = bytes_new(at + inside->length, left - inside->length)};
    inside->next = wifi_next(&ahead);
    return (word >> 9 & 0x1f) == BINDING_WIFI;
}

/* GRE without a source route, and of version 0: RFC 8086. Its own reader steps over the header. */
static bool is_gre_in_udp(const uint8_t *at, size_t left)
{
    enum { RESERVED_AND_VERSION = 0x4fff };
    return left >= 4 && !(big16(at) & RESERVED_AND_VERSION);
}

/* What a datagram holds that is not looked into, where the first bytes are as they have to be. 0: nobody knows. */
static uint32_t name_payload(const uint8_t *at, size_t left, uint16_t src_port, uint16_t dst_port)
{
    const uint16_t ports[2] = {src_port, dst_port};
    for (size_t i = 0; i < 2; i++) switch (ports[i]) {
        case 443: /* RFC 9000 section 17: the fixed bit; of a long header, version 1, 2 or a draft's */
            if (left >= 5 && (at[0] & 0x40) && (!(at[0] & 0x80) || at[1] == 0 || at[1] == 0x6b || at[1] == 0xff))
                return content_of(CONTENT_NAMED, NAMED_QUIC);
            break;
        case 1701: /* RFC 2661 section 3.1, RFC 3931 */
            if (left >= 6 && ((at[1] & 0x0f) == 2 || (at[1] & 0x0f) == 3)) return content_of(CONTENT_NAMED, NAMED_L2TP);
            break;
        case 4500: /* RFC 3948 section 2: a security parameter index, which is not 0 */
            if (left >= 8 && (big16(at) || big16(at + 2))) return content_of(CONTENT_NAMED, NAMED_ESP_UDP);
            break;
        case 51820:
            if (left >= 32 && at[0] >= 1 && at[0] <= 4 && !at[1] && !at[2] && !at[3])
                return content_of(CONTENT_NAMED, NAMED_WIREGUARD);
            break;
        default:
            break;
        }
    return 0;
}

/* Which tunnel's header a datagram between these ports begins with. */
static bool read_inside(const struct walk *walk, uint16_t src_port, uint16_t dst_port, struct inside *inside)
{
    enum { VXLAN = 4789, VXLAN_GPE = 4790, GTP = 2152, CAPWAP_DATA = 5247, GENEVE = 6081 };
    enum { VXLAN_LINUX = 8472 /* from before a number was assigned; still what flannel uses */ };
    const uint8_t *at = walk->bytes.at;
    size_t left = walk->bytes.left;
    if (dst_port == VXLAN || dst_port == VXLAN_LINUX || dst_port == VXLAN_GPE)
        return read_vxlan(at, left, dst_port == VXLAN_GPE, inside);
    if (dst_port == GENEVE) return read_geneve(at, left, inside);
    if (dst_port == GTP || src_port == GTP) return read_gtp(at, left, walk->wire, inside);
    if (dst_port == CAPWAP_DATA || src_port == CAPWAP_DATA) return read_capwap(at, left, inside);
    return read_teredo(at, left, walk->wire, inside); /* its peers talk from and to any port */
}

bool walk_udp_tunnel(struct walk *walk, uint16_t src_port, uint16_t dst_port, unsigned *ret_next)
{
    enum { GRE_UDP = 4754 };
    struct inside inside = {0};
    if (dst_port == GRE_UDP && is_gre_in_udp(walk->bytes.at, walk->bytes.left)) {
        walk->beside.content = content_of(CONTENT_NAMED, NAMED_GRE_UDP);
        walk->doubtful = true;
        *ret_next = read_gre(walk);
        return true;
    }
    bool tunnel = read_inside(walk, src_port, dst_port, &inside);
    walk->beside.content =
        inside.name ? content_of(CONTENT_NAMED, inside.name) : name_payload(walk->bytes.at, walk->bytes.left, src_port, dst_port);
    if (!tunnel) return false;
    walk->doubtful = walk->doubtful || inside.doubtful;
    walk_skip(walk, inside.length);
    *ret_next = walk_enter_tunnel(walk, inside.kind, inside.id, inside.next);
    return true;
}
