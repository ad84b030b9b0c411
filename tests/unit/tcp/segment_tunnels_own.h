/* Internal to segment_tunnels.c and segment_tunnels_teredo.c. */
#ifndef TCPWHY_SEGMENT_TUNNELS_OWN_H
#define TCPWHY_SEGMENT_TUNNELS_OWN_H

#include "support/frame.h"
#include "support/guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MACS 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define SNAP 0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00
#define WIFI(control, flags) control, flags, 0, 0, MACS, 1, 2, 3, 4, 5, 6, 0x10, 0

struct tunnel_case {
    const char *name;
    int outer;        /* IP version of the carrier */
    uint8_t protocol; /* that it carries */
    int inner;        /* IP version of the packet inside */
    enum event_tunnel_kind kind;
    uint32_t id;
    size_t length;
    uint8_t bytes[64]; /* between the two */
};

/* UDP to `port`, a checksum of 0, and room for its length. */
#define UDP(port) 0xc0, 0x00, (port) >> 8, (port)&0xff, 0, 0, 0, 0

static const struct tunnel_case cases[] = {
    {"IP in IP", 4, IPPROTO_IPIP, 4, TUNNEL_IP, 0, 0, {0}},
    {"6in4", 4, IPPROTO_IPV6, 6, TUNNEL_IP, 0, 0, {0}},
    {"4in6", 6, IPPROTO_IPIP, 4, TUNNEL_IP, 0, 0, {0}},
    {"6in6", 6, IPPROTO_IPV6, 6, TUNNEL_IP, 0, 0, {0}},
    {"GRE", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 4, {0, 0, 0x08, 0x00}},
    {"GRE over IPv6 with IPv6", 6, IPPROTO_GRE, 6, TUNNEL_GRE, 0, 4, {0, 0, 0x86, 0xdd}},
    {"GRE with a key", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0x01020304, 8, {0x20, 0, 0x08, 0x00, 1, 2, 3, 4}},
    {"GRE with everything", 4, IPPROTO_GRE, 6, TUNNEL_GRE, 7, 16, {0xb0, 0, 0x86, 0xdd, 9, 9, 0, 0, 0, 0, 0, 7, 1, 1, 1, 1}},
    {"GRE with Ethernet", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 18, {0, 0, 0x65, 0x58, MACS, 0x08, 0x00}},
    {"GRE with Ethernet and a VLAN", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 22, {0, 0, 0x65, 0x58, MACS, 0x81, 0, 0, 5, 0x08, 0x00}},
    {"GRE with MPLS", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 8, {0, 0, 0x88, 0x47, 0, 1, 1, 64}},
    {"PPTP", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 9, 16, {0x30, 0x01, 0x88, 0x0b, 0, 49, 0, 9, 0, 0, 0, 1, 0xff, 0x03, 0x00, 0x21}},
    {"PPTP with an acknowledgment",
     4,
     IPPROTO_GRE,
     4,
     TUNNEL_GRE,
     9,
     17,
     {0x30, 0x81, 0x88, 0x0b, 0, 46, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0x21}},
    {"WCCP", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 8, {0, 0, 0x88, 0x3e, 0x05, 0x59, 0, 0x48}},
    {"ERSPAN I", 4, IPPROTO_GRE, 4, TUNNEL_ERSPAN, 0, 18, {0, 0, 0x88, 0xbe, MACS, 0x08, 0x00}},
    {"ERSPAN II",
     4,
     IPPROTO_GRE,
     4,
     TUNNEL_ERSPAN,
     0x123,
     30,
     {0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0x09, 0x23, 0, 0, 0, 0, MACS, 0x08, 0x00}},
    {"MPLS in IP", 4, IPPROTO_MPLS, 6, TUNNEL_MPLS, 0, 4, {0, 1, 1, 64}},
    {"VXLAN", 4, IPPROTO_UDP, 4, TUNNEL_VXLAN, 0x010203, 30, {UDP(4789), 8, 0, 0, 0, 1, 2, 3, 0, MACS, 0x08, 0x00}},
    {"VXLAN as Linux began it", 6, IPPROTO_UDP, 6, TUNNEL_VXLAN, 5, 30, {UDP(8472), 8, 0, 0, 0, 0, 0, 5, 0, MACS, 0x86, 0xdd}},
    {"GENEVE", 4, IPPROTO_UDP, 4, TUNNEL_GENEVE, 6, 30, {UDP(6081), 0, 0, 0x65, 0x58, 0, 0, 6, 0, MACS, 0x08, 0x00}},
    {"GENEVE with options and IP",
     4,
     IPPROTO_UDP,
     6,
     TUNNEL_GENEVE,
     6,
     24,
     {UDP(6081), 2, 0, 0x86, 0xdd, 0, 0, 6, 0, 1, 2, 3, 4, 5, 6, 7, 8}},
    {"VXLAN with what is reserved set",
     4,
     IPPROTO_UDP,
     4,
     TUNNEL_VXLAN,
     42,
     30,
     {UDP(4789), 0x0c, 0, 0x12, 0x34, 0, 0, 42, 0xff, MACS, 0x08, 0x00}},
    {"VXLAN with a group policy",
     4,
     IPPROTO_UDP,
     6,
     TUNNEL_VXLAN,
     42,
     30,
     {UDP(4789), 0x88, 0x08, 0, 7, 0, 0, 42, 0, MACS, 0x86, 0xdd}},
    {"VXLAN-GPE with IPv4", 4, IPPROTO_UDP, 4, TUNNEL_VXLAN, 7, 16, {UDP(4790), 0x0c, 0, 0, 1, 0, 0, 7, 0}},
    {"VXLAN-GPE with IPv6", 4, IPPROTO_UDP, 6, TUNNEL_VXLAN, 7, 16, {UDP(4790), 0x0c, 0, 0, 2, 0, 0, 7, 0}},
    {"VXLAN-GPE with Ethernet", 6, IPPROTO_UDP, 4, TUNNEL_VXLAN, 7, 30, {UDP(4790), 0x0c, 0, 0, 3, 0, 0, 7, 0, MACS, 0x08, 0x00}},
    {"VXLAN-GPE with MPLS", 4, IPPROTO_UDP, 4, TUNNEL_VXLAN, 7, 20, {UDP(4790), 0x0c, 0, 0, 5, 0, 0, 7, 0, 0, 1, 1, 64}},
    {"VXLAN-GPE at VXLAN's port", 4, IPPROTO_UDP, 4, TUNNEL_VXLAN, 7, 16, {UDP(4789), 0x0c, 0, 0, 1, 0, 0, 7, 0}},
    {"GTP-U", 4, IPPROTO_UDP, 4, TUNNEL_GTP, 0x01020304, 16, {UDP(2152), 0x30, 255, 0, 0, 1, 2, 3, 4}},
    {"GTP-U with IPv6", 6, IPPROTO_UDP, 6, TUNNEL_GTP, 1, 16, {UDP(2152), 0x30, 255, 0, 0, 0, 0, 0, 1}},
    {"GTP-U with a sequence number", 4, IPPROTO_UDP, 4, TUNNEL_GTP, 1, 20, {UDP(2152), 0x32, 255, 0, 0, 0, 0, 0, 1, 0, 9, 0, 0}},
    {"GTP-U with two extensions", 4, IPPROTO_UDP, 4, TUNNEL_GTP, 1, 32, {UDP(2152), 0x34, 255, 0,    0, 0, 0, 0, 1, 0, 0, 0, 0x85,
                                                                         1,         0,    9,   0x40, 2, 0, 0, 0, 0, 0, 0, 0}},
    {"GRE in UDP", 4, IPPROTO_UDP, 4, TUNNEL_GRE, 0, 12, {UDP(4754), 0, 0, 0x08, 0x00}},
    {"GRE in UDP with a key and Ethernet",
     6,
     IPPROTO_UDP,
     6,
     TUNNEL_GRE,
     9,
     30,
     {UDP(4754), 0x20, 0, 0x65, 0x58, 0, 0, 0, 9, MACS, 0x86, 0xdd}},
    {"CAPWAP with Ethernet", 4, IPPROTO_UDP, 4, TUNNEL_CAPWAP, 0, 30, {UDP(5247), 0, 0x10, 0x02, 0, 0, 0, 0, 0, MACS, 0x08, 0x00}},
    {"CAPWAP with 802.11", 4, IPPROTO_UDP, 4, TUNNEL_CAPWAP, 0, 48, {UDP(5247), 0, 0x10, 0x03, 0, 0, 0, 0, 0, WIFI(0x08, 1), SNAP}},
    {"CAPWAP with 802.11, its bytes swapped, and the radio's address",
     4,
     IPPROTO_UDP,
     4,
     TUNNEL_CAPWAP,
     0,
     56,
     {UDP(5247), 0, 0x20, 0x03, 0x10, 0, 0, 0, 0, 6, 1, 2, 3, 4, 5, 6, 0, WIFI(2, 0x08), SNAP}},
    {"an access point's GRE", 4, IPPROTO_GRE, 4, TUNNEL_GRE, 0, 36, {0, 0, 0x82, 0x00, WIFI(0x08, 2), SNAP}},
};

/* The carrier's own addresses differ from those of the packet inside: 192.0.2.1 → 192.0.2.2, or fc00::… */
size_t put_outer(struct frame *frame, int version, uint8_t protocol);
void end_outer(struct frame *frame, int version, size_t at);
struct frame frame_of(const struct tunnel_case *tunnel);
void ipv6_in_udp_is_teredo_where_an_address_says_so(void **state);
void a_frame_in_a_frame_is_a_tunnel(void **state);
/* What isn't looked into is named. */
void what_carries_no_segment_has_a_name(void **state);
void tunnels_are_followed_four_deep(void **state);
/* The carrier was fragmented: the packet inside is longer than what its first piece holds. */
void the_length_of_a_packet_in_a_first_fragment_is_its_own(void **state);
void an_error_about_a_tunnel_quotes_nothing(void **state);
void an_encrypted_payload_is_said_to_be(void **state);
/* IPv4 may carry an authentication header too (RFC 4302). */
void an_authentication_header_of_ipv4_is_stepped_over(void **state);

#endif
