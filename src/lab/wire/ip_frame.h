/* Ethernet frames with an IP packet in them, as a router handles them: one hop further, another address, an answer, in pieces.
 *
 * Pure: bytes in, bytes out; no I/O, no clock, no allocation. It borrows the bytes, and changes them where that is said. All
 * checksums are right afterwards if they were before; what is built has all of them. IPv6 extension headers are not walked: what
 * stands behind one is carried, and never answered. */
#ifndef TCPWHY_LAB_WIRE_IP_FRAME_H
#define TCPWHY_LAB_WIRE_IP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum {
    IP_FRAME_MAC_BYTES = 6,
    IP_FRAME_LINK_BYTES = 14,            /* the Ethernet header */
    IP_FRAME_ANSWER_BYTES = 14 + 1280,   /* the most that ip_frame_reset and ip_frame_icmp build */
    IP_FRAME_BYTES_MAX = 14 + 40 + 65535 /* of any */
};

struct ip_frame {
    uint8_t *bytes;
    uint32_t length; /* of the Ethernet header and the IP packet: padding is left out */
    uint8_t version, protocol;
    bool piece;         /* a fragment */
    bool may_cut;       /* IPv4 without "don't fragment" */
    uint32_t transport; /* where the header behind IP's begins, from `bytes`; 0: it is not here (a later fragment, cut short) */
};

enum ip_frame_end { IP_FRAME_SOURCE, IP_FRAME_DESTINATION };

/* The flow that a frame belongs to, in the frame's direction; that of an ICMP error is the one that it tells of. */
struct ip_frame_flow {
    uint8_t version, protocol; /* IPPROTO_TCP or IPPROTO_UDP */
    uint16_t source_port, destination_port;
};

/* False: no sound IP packet in it. */
bool ip_frame_read(uint8_t *bytes, uint32_t length, struct ip_frame *ret_frame);
/* Its source or destination; port 0. */
struct address ip_frame_address(const struct ip_frame *frame, enum ip_frame_end end);
/* False: neither TCP, UDP nor an ICMP error about these; or a later fragment. */
bool ip_frame_flow(const struct ip_frame *frame, struct ip_frame_flow *ret_flow);
/* Takes one from the hop limit (RFC 791 3.2, RFC 8200 3). False, and nothing is changed: it was used up. */
bool ip_frame_hop(struct ip_frame *frame);
/* Another source or destination of the same version, in the packet that an ICMP error quotes too (RFC 3022 4.1 to 4.3). */
void ip_frame_translate(struct ip_frame *frame, enum ip_frame_end end, const struct address *address);
/* The RST that refuses a TCP segment, in the name of its destination (RFC 9293 3.10.7.1), to the neighbour that the frame came
 * from. `out` holds IP_FRAME_ANSWER_BYTES. Its length; 0: there is nothing to be refused so (a RST, no TCP, a later fragment). */
uint32_t ip_frame_reset(const struct ip_frame *frame, uint8_t *out);
/* The ICMP error about a frame that `from` sends (RFC 792, RFC 4443), with `word` in its second four bytes. Its length; 0: no error
 * may be sent about it (RFC 1122 3.2.2: an ICMP error, a later fragment, what is for many). */
uint32_t ip_frame_icmp(const struct ip_frame *frame, const struct address *from, uint8_t type, uint8_t code, uint32_t word,
                       uint8_t *out);
/* The next fragment of an IPv4 packet for a link of this MTU (RFC 791 3.2), as large as one may be; options are kept in all of
 * them. *at, 0 at first, is where it goes on. `out` holds the link's header and mtu_bytes. Its length; 0: that was all. */
uint32_t ip_frame_cut(const struct ip_frame *frame, uint32_t mtu_bytes, uint32_t *at, uint8_t *out);

#endif
