/* Decoding a captured frame into what it says of TCP, UDP or ICMP. Pure: bytes in, plain values out, no I/O, no malloc.
 *
 * Bad bytes are data, not errors: the result says what was wrong and the caller counts it. */
#ifndef TCPWHY_TCP_SEGMENT_H
#define TCPWHY_TCP_SEGMENT_H

#include "event/event.h"

enum segment_result {
    SEGMENT_OK,        /* *ret_packet is filled: header, options, icmp */
    SEGMENT_OTHER,     /* a sound frame that carries no TCP, UDP or ICMP error (ARP, …) */
    SEGMENT_FRAGMENT,  /* a later IP fragment: it has no transport header */
    SEGMENT_CUT,       /* the capture ends inside a header that is needed */
    SEGMENT_MALFORMED, /* lengths or offsets that contradict each other */
    SEGMENT_LINK,      /* a link type that is not known here */
    SEGMENT_RESULTS
};

/* Decodes `captured` bytes of a frame of `wire` bytes of the libpcap link type (DLT_EN10MB with any number of VLAN tags,
 * DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW, DLT_NULL, DLT_LOOP). On SEGMENT_OK fills ret_packet's header, options and icmp and leaves
 * its other fields alone; else leaves all alone. TCP options that are bad, or lie past the captured bytes, are missing from
 * `present`; they don't make a segment bad. For an ICMP error, src and dst have no ports and length_bytes is what follows its first
 * 8 bytes. Rests on RFC 9293 section 3.1, RFC 768, RFC 792, RFC 4443, RFC 791, RFC 8200, and tcpdump.org's link-layer list. */
enum segment_result segment_decode(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                                   struct event_packet *ret_packet);

/* Writes tcpdump's letters: "S", "S.", ".", "P.", "F.", "R.", in the order S F R P . U E W; "none" without any. Returns `text`. */
const char *segment_flags(uint8_t flags, char text[9]);

/* The sequence numbers it occupies: payload, and one each for SYN and FIN (RFC 9293 section 3.4). */
uint32_t segment_space(const struct event_packet_header *header);

#endif
