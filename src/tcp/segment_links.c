/* The link layers: each steps over its header and says what follows. Layouts are those of tcpdump.org's link-layer header types. */
#include <stddef.h>

#include "tcp/segment_walk.h"

/* tcpdump.org's LINKTYPE_ numbers, and the DLT_ numbers that differ from them (on Linux and on the BSDs). */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_SLIP = 8,
    LINK_PPP = 9,
    LINK_FDDI = 10,
    LINK_RAW_LINUX = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_PPP_SERIAL = 50,
    LINK_PPP_ETHER = 51,
    LINK_RAW = 101,
    LINK_CISCO_HDLC = 104,
    LINK_WIFI = 105,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_RADIOTAP = 127,
    LINK_ARCNET_LINUX = 129,
    LINK_JUNIPER_ETHERNET = 178,
    LINK_PPI = 192,
    LINK_PPP_WITH_DIRECTION = 204,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_NFLOG = 239,
    LINK_IPOIB = 242,
    LINK_LINUX_SLL2 = 276
};

enum { LLC_LENGTH_MAX = 1500, ETHERTYPE_MIN = 1536 };

/* |  destination (6)  |  source (6)  | type (2) |: a type up to 1500 is IEEE 802.3's length of what follows, which is 802.2. */
unsigned walk_ethernet(struct walk *walk)
{
    struct bytes header = walk_take(walk, 14);
    bytes_take(&header, 12);
    unsigned type = bytes_u16(&header);
    if (type >= ETHERTYPE_MIN) return type;
    if (type <= LLC_LENGTH_MAX && !header.failed) {
        walk_limit(walk, type);
        return NEXT_LLC;
    }
    walk_stop_at(walk, SEGMENT_OTHER, CONTENT_ETHERNET, type);
    return NEXT_END;
}

/* | DSAP | SSAP | control |, and with SNAP (aa aa 03) | organisation (3) | Ethernet type (2) |: RFC 1042 */
unsigned walk_llc(struct walk *walk)
{
    enum { DSAP_IP = 0x06, DSAP_SNAP = 0xaa, UNNUMBERED = 0x03 };
    struct bytes header = walk_take(walk, 3);
    unsigned dsap = bytes_u8(&header), ssap = bytes_u8(&header), control = bytes_u8(&header);
    if (header.failed) return NEXT_END;
    if (dsap == DSAP_IP && ssap == DSAP_IP && control == UNNUMBERED) return NEXT_IPV4;
    if (dsap == DSAP_SNAP && ssap == DSAP_SNAP && control == UNNUMBERED) {
        header = walk_take(walk, 5);
        unsigned organisation = (unsigned)bytes_u16(&header) << 8 | bytes_u8(&header);
        unsigned type = bytes_u16(&header);
        /* 0: RFC 1042; 0xf8: IEEE 802.1H's bridge tunnel. Others give `type` a meaning of their own. */
        if (organisation == 0 || organisation == 0xf8) return type;
    }
    walk_stop_at(walk, SEGMENT_OTHER, CONTENT_LLC, dsap);
    return NEXT_END;
}

/* What follows both cooked headers: for some ARPHRD_ types of the device, what the protocol field says does not count. */
static unsigned cooked_next(struct walk *walk, unsigned device, unsigned protocol)
{
    enum { ARPHRD_FRAME_RELAY = 770, ARPHRD_RADIOTAP = 803, ARPHRD_NETLINK_MESSAGES = 824, PROTOCOL_802_2 = 4 };
    switch (device) {
    case ARPHRD_FRAME_RELAY:
        walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_FRAME);
        return NEXT_END;
    case ARPHRD_NETLINK_MESSAGES:
        walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_NETLINK);
        return NEXT_END;
    case ARPHRD_RADIOTAP:
        return NEXT_RADIOTAP;
    default:
        return protocol == PROTOCOL_802_2 ? NEXT_LLC : protocol;
    }
}

/* | packet type (2) | ARPHRD_ (2) | address length (2) | address (8) | protocol (2) | */
static unsigned read_sll(struct walk *walk)
{
    struct bytes header = walk_take(walk, 16);
    bytes_u16(&header);
    unsigned device = bytes_u16(&header);
    bytes_take(&header, 10);
    return cooked_next(walk, device, bytes_u16(&header));
}

/* | protocol (2) | 0 (2) | interface (4) | ARPHRD_ (2) | packet type | address length | address (8) | */
static unsigned read_sll2(struct walk *walk)
{
    struct bytes header = walk_take(walk, 20);
    unsigned protocol = bytes_u16(&header);
    bytes_take(&header, 6);
    return cooked_next(walk, bytes_u16(&header), protocol);
}

static unsigned family_next(struct walk *walk, uint32_t family)
{
    switch (family) {
    case 2:
        return NEXT_IPV4;
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        return NEXT_IPV6;
    default:
        walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_FRAME);
        return NEXT_END;
    }
}

/* Four bytes of the capturing system's AF_ number, in its byte order (NULL) or the network's (LOOP). */
static unsigned read_family(struct walk *walk)
{
    struct bytes header = walk_take(walk, 4);
    uint32_t family = bytes_u32(&header);
    return family_next(walk, family > 0xffff ? __builtin_bswap32(family) : family);
}

static unsigned read_raw(struct walk *walk)
{
    (void)walk;
    return NEXT_IP;
}

static unsigned read_raw_ipv4(struct walk *walk)
{
    (void)walk;
    return NEXT_IPV4;
}

static unsigned read_raw_ipv6(struct walk *walk)
{
    (void)walk;
    return NEXT_IPV6;
}

/* | direction (1) | link header (15) |: of a compressed packet (Van Jacobson, RFC 1144) the link header's first byte says so. */
static unsigned read_slip(struct walk *walk)
{
    struct bytes header = walk_take(walk, 16);
    bytes_u8(&header);
    if (bytes_u8(&header) & 0x80) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_COMPRESSED_SLIP);
    return NEXT_IP;
}

/* | address | control | Ethernet type (2) |: RFC 1547 section 4.3.1 */
static unsigned read_cisco_hdlc(struct walk *walk)
{
    struct bytes header = walk_take(walk, 4);
    bytes_u16(&header);
    return bytes_u16(&header);
}

/* A serial line's driver may call Cisco's HDLC framing PPP, too: its address is 0x0f (one station) or 0x8f (all of them), which no
 * frame of PPP begins with, as its protocols of one byte are odd but none of them is 0x0f, and of two bytes the first is even. */
static unsigned read_ppp(struct walk *walk)
{
    enum { UNICAST = 0x0f, MULTICAST = 0x8f };
    unsigned first = walk_peek(walk, 0, 0);
    bool cisco = (first == UNICAST || first == MULTICAST) && walk_peek(walk, 1, 0) == 0;
    return cisco ? read_cisco_hdlc(walk) : NEXT_PPP;
}

static unsigned read_ppp_with_direction(struct walk *walk)
{
    walk_take(walk, 1);
    return read_ppp(walk);
}

static unsigned read_pppoe(struct walk *walk)
{
    (void)walk;
    return 0x8864;
}

/* | frame control | destination (6) | source (6) |, then 802.2: RFC 1390. Of frames that are none of LLC (tokens, station
 * management) frame control says so. */
static unsigned read_fddi(struct walk *walk)
{
    enum { KIND = 0x70, KIND_LLC = 0x50 };
    struct bytes header = walk_take(walk, 13);
    unsigned control = bytes_u8(&header);
    if (!header.failed && (control & KIND) != KIND_LLC) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_FRAME);
    return NEXT_LLC;
}

static unsigned read_wifi(struct walk *walk)
{
    (void)walk;
    return NEXT_WIFI;
}

static unsigned read_radiotap(struct walk *walk)
{
    (void)walk;
    return NEXT_RADIOTAP;
}

/* | source | destination | offset (2) | protocol |, then with RFC 1201's protocol numbers | split (1) | sequence (2) |. A split of
 * 0 is a whole packet, an odd one the first piece of several. */
static unsigned read_arcnet(struct walk *walk)
{
    enum { IP_RFC1051 = 240, IP_RFC1201 = 212, IPV6_RFC1201 = 196 };
    struct bytes header = walk_take(walk, 5);
    bytes_u32(&header);
    unsigned protocol = bytes_u8(&header);
    if (protocol == IP_RFC1051) return NEXT_IPV4;
    if (protocol != IP_RFC1201 && protocol != IPV6_RFC1201) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_ARCNET);
    header = walk_take(walk, 3);
    unsigned split = bytes_u8(&header);
    if (split && !(split & 1)) walk_stop(walk, SEGMENT_FRAGMENT);
    walk->partial = split & 1;
    return protocol == IP_RFC1201 ? NEXT_IPV4 : NEXT_IPV6;
}

/* | "MGC" | flags (1) | length of extensions (2)? | extensions |, then an Ethernet frame unless a flag says there is none */
static unsigned read_juniper_ethernet(struct walk *walk)
{
    enum { MAGIC = 0x4d4743, NO_FRAME = 0x02, EXTENSIONS = 0x80 };
    struct bytes header = walk_take(walk, 4);
    uint32_t first = bytes_u32(&header);
    if (!header.failed && first >> 8 != MAGIC) walk_stop(walk, SEGMENT_MALFORMED);
    if (first & NO_FRAME) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_FRAME);
    if (first & EXTENSIONS) {
        header = walk_take(walk, 2);
        walk_skip(walk, bytes_u16(&header));
    }
    return NEXT_ETHERNET;
}

static uint32_t little32(struct bytes *bytes)
{
    return __builtin_bswap32(bytes_u32(bytes));
}

static unsigned little16(struct bytes *bytes)
{
    return __builtin_bswap16(bytes_u16(bytes));
}

/* | version | flags | length (2) | link type (4) | fields … |, little-endian: a Per-Packet Information header around a frame. */
static unsigned read_ppi(struct walk *walk)
{
    struct bytes header = walk_take(walk, 8);
    bytes_u16(&header);
    size_t length = little16(&header);
    uint32_t link = little32(&header);
    if (header.failed) return NEXT_END;
    if (length < 8) walk_stop(walk, SEGMENT_MALFORMED);
    if (!walk_skip(walk, length - 8)) return NEXT_END;
    if (link == LINK_PPI || link > INT32_MAX) {
        walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
    return walk_link(walk, (int)link);
}

/* | destination (40, with its global routing header) | Ethernet type (2) | 0 (2) |: IP over InfiniBand, RFC 4391 */
static unsigned read_ipoib(struct walk *walk)
{
    struct bytes header = walk_take(walk, 44);
    bytes_take(&header, 40);
    return bytes_u16(&header);
}

/* | family | version | resource (2) |, then values | length (2) | type (2) | value |, padded to 4, in the capturing machine's byte
 * order: what netfilter's NFLOG target logged. Type 9 is the packet, from its IP header on. */
static unsigned read_nflog(struct walk *walk)
{
    enum { NFULA_PAYLOAD = 9, VALUES_MAX = 64 };
    struct bytes header = walk_take(walk, 4);
    unsigned family = bytes_u8(&header), version = bytes_u8(&header);
    if (!header.failed && version != 0) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_FRAME);
    for (int values = 0; walk->result == SEGMENT_OK && values < VALUES_MAX; values++) {
        struct bytes value = walk_take(walk, 4);
        const uint8_t *at = bytes_take(&value, 4);
        if (!at) return NEXT_END;
        unsigned length = (unsigned)at[1] << 8 | at[0], type = (unsigned)at[3] << 8 | at[2];
        if ((type & 0x7fff) > 0xff) { /* no such type: the machine was big-endian */
            length = (unsigned)at[0] << 8 | at[1];
            type = (unsigned)at[2] << 8 | at[3];
        }
        if (length < 4) {
            walk_stop(walk, SEGMENT_MALFORMED);
            return NEXT_END;
        }
        length -= 4;
        if (type == NFULA_PAYLOAD) {
            walk_limit(walk, length);
            return family_next(walk, family);
        }
        walk_skip(walk, (length + 3) & ~3U);
    }
    walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_FRAME);
    return NEXT_END;
}

static const struct {
    int type;
    unsigned (*read)(struct walk *walk);
} links[] = {
    {LINK_ETHERNET, walk_ethernet},
    {LINK_LINUX_SLL, read_sll},
    {LINK_LINUX_SLL2, read_sll2},
    {LINK_NULL, read_family},
    {LINK_LOOP, read_family},
    {LINK_RAW, read_raw},
    {LINK_RAW_LINUX, read_raw},
    {LINK_RAW_OPENBSD, read_raw},
    {LINK_IPV4, read_raw_ipv4},
    {LINK_IPV6, read_raw_ipv6},
    {LINK_PPP, read_ppp},
    {LINK_PPP_SERIAL, read_ppp},
    {LINK_PPP_ETHER, read_pppoe},
    {LINK_PPP_WITH_DIRECTION, read_ppp_with_direction},
    {LINK_CISCO_HDLC, read_cisco_hdlc},
    {LINK_FDDI, read_fddi},
    {LINK_SLIP, read_slip},
    {LINK_WIFI, read_wifi},
    {LINK_RADIOTAP, read_radiotap},
    {LINK_PPI, read_ppi},
    {LINK_IPOIB, read_ipoib},
    {LINK_NFLOG, read_nflog},
    {LINK_ARCNET_LINUX, read_arcnet},
    {LINK_JUNIPER_ETHERNET, read_juniper_ethernet},
};

enum { LINKS = sizeof(links) / sizeof(links[0]) };

static size_t find_link(int link_type)
{
    size_t link = 0;
    while (link < LINKS && links[link].type != link_type) link++;
    return link;
}

bool walk_knows_link(int link_type)
{
    return find_link(link_type) < LINKS;
}

unsigned walk_link(struct walk *walk, int link_type)
{
    size_t link = find_link(link_type);
    if (link < LINKS) return links[link].read(walk);
    walk_stop_at(walk, SEGMENT_LINK, CONTENT_LINK, (uint32_t)link_type);
    return NEXT_END;
}
