/* Inside the decoding of a frame: what its parts (segment_links, segment_wifi, segment_network, segment_tunnels,
 * segment_transport) share. Nothing outside src/tcp includes this.
 *
 * A frame is walked header by header. Each header's reader takes its bytes from the walk and returns what follows: an
 * Ethernet type, or one of the NEXT_ codes. No reader calls the next one, so no nesting of headers can exhaust the stack. */
#ifndef TCPWHY_TCP_SEGMENT_WALK_H
#define TCPWHY_TCP_SEGMENT_WALK_H

#include "base/bytes.h"
#include "tcp/segment.h"

/* What follows a header. Below 0x10000: that Ethernet type. */
enum {
    NEXT_ETHERNET = 0x6558, /* Transparent Ethernet Bridging: an Ethernet type of its own */
    NEXT_IPV4 = 0x0800,
    NEXT_IPV6 = 0x86dd,
    NEXT_MPLS = 0x8847,
    NEXT_PPP = 0x880b,
    NEXT_PROTOCOL = 0x10000, /* | an IP protocol number */
    NEXT_IP = 0x20000,       /* IP: its first four bits say which version */
    NEXT_LLC,                /* IEEE 802.2 */
    NEXT_WIFI,               /* IEEE 802.11 */
    NEXT_WIFI_SWAPPED,       /* the same, as walk_wifi_swapped reads it */
    NEXT_RADIOTAP,
    NEXT_END /* the packet is read, or `result` says why not */
};

/* How deep tunnels are followed: one level is common, two are seen; more is somebody's joke. */
enum { WALK_TUNNELS_MAX = 4 };

struct walk {
    struct bytes bytes;         /* what was captured of the rest */
    size_t wire;                /* how long the rest was on the wire */
    enum segment_result result; /* the first thing that went wrong stays */
    bool partial;               /* what is inside may be longer than its carrier: a first fragment, a quotation */
    bool in_pieces;             /* of that, because it is the first fragment of an IP datagram */
    bool doubtful;              /* that this is a tunnel rests on a UDP port: the IP header inside has to hold together */
    struct segment_beside beside;
    struct event_packet packet; /* header, options, icmp, tunnel, flags_high, window_cut are filled on the way */
};

static inline void walk_stop(struct walk *walk, enum segment_result result)
{
    if (walk->result == SEGMENT_OK) walk->result = result;
}

/* What `beside.content` holds: a class, and a number of that class. */
enum content_class {
    CONTENT_NAMED = 1, /* enum content_named */
    CONTENT_ETHERNET,  /* an Ethernet type */
    CONTENT_PROTOCOL,  /* of IP */
    CONTENT_LLC,       /* a destination service access point */
    CONTENT_PPP,       /* a protocol of PPP */
    CONTENT_LINK       /* a link type */
};
enum content_named {
    NAMED_NOTHING,
    NAMED_ICMP, /* and no error */
    NAMED_ICMPV6,
    NAMED_ICMP_ERROR,
    NAMED_WIFI,
    NAMED_WIFI_PROTECTED,
    NAMED_NETLINK,
    NAMED_ARCNET,
    NAMED_COMPRESSED_SLIP,
    NAMED_MPLS,
    NAMED_GRE,
    NAMED_DEEP,
    NAMED_FRAME,
    NAMED_FRAGMENT,
    /* In UDP: */
    NAMED_VXLAN,
    NAMED_GENEVE,
    NAMED_GTP,
    NAMED_CAPWAP,
    NAMED_CAPWAP_DTLS,
    NAMED_GRE_UDP,
    NAMED_ESP_UDP,
    NAMED_WIREGUARD,
    NAMED_L2TP,
    NAMED_QUIC,
    NAMED_TEREDO,
    CONTENT_NAMES
};
static inline uint32_t content_of(enum content_class of, uint32_t number)
{
    return (uint32_t)of << 24 | (number & 0xffffff);
}

/* Stops at something sound that is not looked into, and says what that is. */
static inline void walk_stop_at(struct walk *walk, enum segment_result result, enum content_class of, uint32_t number)
{
    if (walk->result == SEGMENT_OK) walk->beside.content = content_of(of, number);
    walk_stop(walk, result);
}

/* The next `length` bytes. A header that the wire did not hold is malformed; one that the wire held and the capture did not is
 * cut: then the bytes returned are `failed` and read as zeroes. */
static inline struct bytes walk_take(struct walk *walk, size_t length)
{
    if (length > walk->wire) walk_stop(walk, SEGMENT_MALFORMED);
    if (length > walk->bytes.left) walk_stop(walk, SEGMENT_CUT);
    if (walk->result != SEGMENT_OK) return (struct bytes){.failed = true};
    walk->wire -= length;
    return bytes_slice(&walk->bytes, length);
}

/* Steps over `length` bytes. False: they aren't there. */
static inline bool walk_skip(struct walk *walk, size_t length)
{
    return !walk_take(walk, length).failed;
}

/* The byte `offset` ahead, without taking it; `missing` where there is none. */
static inline unsigned walk_peek(const struct walk *walk, size_t offset, unsigned missing)
{
    return offset < walk->bytes.left ? walk->bytes.at[offset] : missing;
}

/* What follows is `length` long, whatever comes behind it (Ethernet's padding, a frame check sequence). A length that claims more
 * than the wire held is taken for what the wire held, as a piece of something larger where `partial`. */
static inline void walk_limit(struct walk *walk, size_t length)
{
    if (length < walk->wire || walk->partial) walk->wire = length;
    if (walk->bytes.left > length) walk->bytes.left = length;
}

/* The readers, each in the file of its noun. */
unsigned walk_link(struct walk *walk, int link_type); /* NEXT_END and SEGMENT_LINK for an unknown one */
bool walk_knows_link(int link_type);
unsigned walk_wifi(struct walk *walk);
/* An 802.11 frame whose two bytes of frame control have changed places, as some access points send it to their controller. */
unsigned walk_wifi_swapped(struct walk *walk);
unsigned walk_radiotap(struct walk *walk);
unsigned walk_llc(struct walk *walk);
unsigned walk_ethernet(struct walk *walk);
unsigned walk_ppp(struct walk *walk);
unsigned walk_network(struct walk *walk, unsigned next);   /* whatever is not NEXT_PROTOCOL */
unsigned walk_transport(struct walk *walk, unsigned next); /* NEXT_PROTOCOL | … */
/* A protocol of IP that is a tunnel; false: it is none. */
bool walk_tunnel(struct walk *walk, uint8_t protocol, unsigned *ret_next);
/* The payload of a UDP datagram between these ports, if it is a tunnel's: false and nothing taken if not (then beside.content may
 * say what it is). */
bool walk_udp_tunnel(struct walk *walk, uint16_t src_port, uint16_t dst_port, unsigned *ret_next);
/* Notes that a tunnel's header was stepped over. Returns `next`, or NEXT_END where tunnels nest too deep. */
unsigned walk_enter_tunnel(struct walk *walk, enum event_tunnel_kind kind, uint32_t id, unsigned next);

/* Adds the options that the `length` bytes hold. Sound as far as they go: bad or cut options end the reading, they don't spoil
 * the segment. */
void segment_read_options(const uint8_t *at, size_t length, struct event_options *options);

/* segment_decode_beside without its short cut for common frames: the two must agree, and tests hold them to it. */
enum segment_result segment_decode_walk(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                        struct event_packet *ret_packet, struct segment_beside *ret_beside);

#endif
