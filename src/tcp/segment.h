/* Decoding a captured frame into what it says of TCP, UDP or ICMP. Pure: bytes in, plain values out, no I/O, no malloc.
 *
 * Bad bytes are data, not errors: the result says what was wrong and the caller counts it. */
#ifndef TCPWHY_TCP_SEGMENT_H
#define TCPWHY_TCP_SEGMENT_H

#include "event/event.h"

enum segment_result {
    SEGMENT_OK,        /* *ret_packet is filled: header, options, icmp */
    SEGMENT_OTHER,     /* a sound frame that carries no TCP, UDP or ICMP error (ARP, …) */
    SEGMENT_FRAGMENT,  /* an IP fragment without a whole transport header: a later one, or a first one that is too small */
    SEGMENT_CUT,       /* the capture ends inside a header that is needed */
    SEGMENT_MALFORMED, /* lengths or offsets that contradict each other */
    SEGMENT_LINK,      /* a link type that is not known here */
    SEGMENT_ENCRYPTED, /* what follows is encrypted or compressed: protected 802.11, ESP, IPComp, PPP's */
    SEGMENT_RESULTS
};

/* Decodes `captured` bytes of a frame of `wire` bytes of a link type (DLT_*, or tcpdump.org's LINKTYPE_*, which are the same but
 * for RAW). On SEGMENT_OK fills ret_packet's header, options, icmp, tunnel, flags_high and window_cut and leaves its other fields
 * alone; else leaves all alone.
 *
 * Links: Ethernet (and IEEE 802.3 with LLC and SNAP), Linux cooked v1 and v2, NULL and LOOP, RAW, PPP (also with a direction, with
 * Cisco HDLC's framing, and PPPoE by itself), Cisco HDLC, SLIP, 802.11 with radiotap, PPI or nothing before it, FDDI, IP over
 * InfiniBand, NFLOG, ARCnet and Juniper Ethernet. Between link and
 * IP: VLAN tags, 802.1BR's and FabricPath's tags, 802.1ah, PPPoE, PPP, MPLS with IP or an Ethernet pseudowire. IPv4 with options,
 * IPv6 with extension headers; of a fragmented datagram the first piece is read (its length_bytes: TCP, what this piece holds; UDP,
 * the datagram's). Tunnels (IP in IP, GRE also in UDP, ERSPAN, VXLAN, VXLAN-GPE, GENEVE, MPLS in IP, GTP-U, Teredo, CAPWAP, an
 * Aruba access point's GRE): what is told of is the packet inside, and `tunnel` says how it travelled; up to four levels. A UDP
 * port alone proves no tunnel: where what would be inside does not hold together, the datagram is told of.
 *
 * Of a TCP header as much is read as was captured: cut options are missing from `present`, and a header that is cut behind its
 * flags is still a segment (window_cut). TCP options that are bad are missing from `present`; they don't make a segment bad. No
 * checksum is looked at. A length in IP of 0 (segmentation left to the network card), or one that claims more than the frame held,
 * means what the frame held. For an ICMP error, src and dst have no ports and length_bytes is what follows its first 8 bytes.
 * Rests on RFC 9293 section 3.1, RFC 768, 792, 4443, 791, 8200, 2784, 7348, 8926, and tcpdump.org's link-layer list. */
enum segment_result segment_decode(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                   struct event_packet *ret_packet);

/* A piece of an IP datagram, without the headers before it. */
struct segment_fragment {
    uint8_t version;          /* 4 or 6; 0: there is none */
    uint8_t protocol;         /* what the datagram carries; of IPv6, what its fragmentable part begins with */
    uint8_t hops;             /* TTL, hop limit */
    bool more;                /* it is not the last piece */
    uint8_t src[16], dst[16]; /* network byte order; IPv4 uses the first four, the rest are zero */
    uint32_t id;
    uint32_t offset_bytes, length_bytes; /* where it belongs in the datagram */
    const uint8_t *bytes;                /* `captured` of them: fewer than length_bytes where the capture cut it. The frame's own */
    uint32_t captured;
};

/* What decoding met besides. */
struct segment_beside {
    uint32_t content;                 /* what it is, where it is no TCP segment: for segment_content_name. 0: nothing to say */
    struct segment_fragment fragment; /* of the outermost datagram that came in pieces */
    /* By which a packet that is seen again on its way is known: of the innermost IP header, and TCP's or UDP's checksum. Bytes as
     * they are in the packet, read as numbers. */
    uint16_t ip_id; /* IPv6 has none: 0 */
    uint16_t checksum;
    uint8_t hops;
    uint32_t ip_bytes; /* how long that IP packet is, by its header; 0: not said */
};

/* segment_decode, with what it met besides. Whatever the result is, ret_beside is filled. */
enum segment_result segment_decode_beside(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                          struct event_packet *ret_packet, struct segment_beside *ret_beside);

/* What an ICMP error says of the packet that it quotes, without the packet it came in. */
struct segment_icmp {
    struct address from;  /* who sent the error; no port */
    struct address about; /* who had sent the quoted packet */
    uint8_t protocol, type, code;
    uint32_t mtu; /* the next hop's, where it says one; else 0 */
    uint32_t seq; /* of a quoted TCP segment, absolute */
};
struct segment_icmp segment_icmp_of(const struct event_packet *error);

/* What an ICMP (or ICMPv6) error says: "port unreachable". Static storage. */
const char *segment_icmp_name(uint8_t protocol, uint8_t type, uint8_t code);

/* Whether it says that nobody is at the port. The others say nothing of sockets. */
bool segment_icmp_is_refusal(uint8_t protocol, uint8_t type, uint8_t code);
/* Whether it says that what it quotes can't be delivered, for whatever reason but its size (RFC 792, 4443): these end a connection
 * that is still being opened. */
bool segment_icmp_is_unreachable(uint8_t protocol, uint8_t type, uint8_t code);

/* Writes what a `content` stands for, as a count would name it: "ARP", "GTP-U", "Ethernet type 0x1234". Returns `text`. */
enum { SEGMENT_CONTENT_BYTES = 48 };
const char *segment_content_name(uint32_t content, char text[SEGMENT_CONTENT_BYTES]);
/* Whether there may be TCP inside, that nobody sees: a tunnel, something encrypted, an unknown link. */
bool segment_content_may_hide(uint32_t content);

/* What to call a result in a count: "malformed". Static storage. */
const char *segment_result_word(enum segment_result result);

/* NULL for a link type that segment_decode knows, else what to tell the user: "a CAN bus carries no IP". Static storage. */
const char *segment_link_trouble(int link_type);

/* Writes tcpdump's letters: "S", "S.", ".", "P.", "F.", "R.", in the order S F R P . U E W; "none" without any. Returns `text`. */
const char *segment_flags(uint8_t flags, char text[9]);

/* The sequence numbers it occupies: payload, and one each for SYN and FIN (RFC 9293 section 3.4). */
uint32_t segment_space(const struct event_packet_header *header);

#endif
