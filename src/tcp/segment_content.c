/* What frames are called that carry no TCP, or are not looked into: for counting them by kind. */
#include <netinet/in.h>
#include <stdio.h>

#include "base/lang.h"
#include "tcp/segment_walk.h"

static const char *const named[CONTENT_NAMES] = {
    [NAMED_NOTHING] = TR("something else"),
    [NAMED_ICMP] = "ICMP",
    [NAMED_ICMPV6] = "ICMPv6",
    [NAMED_ICMP_ERROR] = TR("ICMP errors"),
    [NAMED_WIFI] = TR("Wi-Fi without IP"),
    [NAMED_WIFI_PROTECTED] = TR("encrypted Wi-Fi"),
    [NAMED_NETLINK] = "netlink",
    [NAMED_ARCNET] = TR("ARCnet without IP"),
    [NAMED_COMPRESSED_SLIP] = TR("compressed headers (SLIP)"),
    [NAMED_MPLS] = TR("MPLS without IP or Ethernet"),
    [NAMED_GRE] = TR("GRE without a packet"),
    [NAMED_DEEP] = TR("tunnels too deep"),
    [NAMED_FRAME] = TR("frames without IP"),
    [NAMED_FRAGMENT] = TR("IP fragments"),
    [NAMED_VXLAN] = "VXLAN",
    [NAMED_GENEVE] = "GENEVE",
    [NAMED_GTP] = "GTP-U",
    [NAMED_CAPWAP] = "CAPWAP",
    [NAMED_CAPWAP_DTLS] = TR("CAPWAP, encrypted"),
    [NAMED_GRE_UDP] = TR("GRE in UDP"),
    [NAMED_ESP_UDP] = TR("IPsec ESP in UDP"),
    [NAMED_WIREGUARD] = "WireGuard",
    [NAMED_L2TP] = "L2TP",
    [NAMED_QUIC] = "QUIC",
    [NAMED_TEREDO] = "Teredo",
};

struct number_name {
    uint32_t number;
    const char *name;
};

/* IEEE's list of Ethernet types. */
static const struct number_name ethernet_types[] = {
    {0x0806, "ARP"},
    {0x0842, "Wake-on-LAN"},
    {0x22f3, "TRILL"},
    {0x8035, "RARP"},
    {0x809b, "AppleTalk"},
    {0x80f3, "AppleTalk ARP"},
    {0x8137, "IPX"},
    {0x8809, "LACP"},
    {0x8863, TR("PPPoE discovery")},
    {0x888e, "EAPOL"},
    {0x8892, "PROFINET"},
    {0x88a2, "ATA over Ethernet"},
    {0x88a4, "EtherCAT"},
    {0x88b8, "GOOSE"},
    {0x88cc, "LLDP"},
    {0x88e1, "HomePlug"},
    {0x88e5, "MACsec"},
    {0x88f7, "PTP"},
    {0x8902, "CFM"},
    {0x8906, "FCoE"},
    {0x894f, "NSH"},
    {0x9000, TR("Ethernet loopback")},
};

/* IANA's list of protocol numbers. */
static const struct number_name protocols[] = {
    {0, "IPv6 hop-by-hop"}, {1, "ICMP"},       {2, "IGMP"},      {27, "RDP"},       {33, "DCCP"},
    {46, "RSVP"},           {50, "IPsec ESP"}, {51, "IPsec AH"}, {58, "ICMPv6"},    {59, TR("IPv6 without payload")},
    {88, "EIGRP"},          {89, "OSPF"},      {97, "EtherIP"},  {103, "PIM"},      {108, "IPComp"},
    {112, "VRRP"},          {115, "L2TPv3"},   {132, "SCTP"},    {136, "UDP-Lite"},
};

/* IEEE's list of service access points. */
static const struct number_name access_points[] = {
    {0x42, TR("spanning tree")}, {0xaa, "SNAP without IP"}, {0xe0, "IPX"}, {0xf0, "NetBIOS"}, {0xfe, "IS-IS or CLNP"},
};

/* IANA's list of PPP protocols. */
static const struct number_name ppp_protocols[] = {
    {0x0053, "encrypted PPP"},
    {0x0055, "encrypted PPP"},
    {0x00fb, "compressed PPP"},
    {0x00fd, "compressed PPP"},
    {0x002d, TR("compressed headers (PPP)")},
    {0x002f, TR("compressed headers (PPP)")},
    {0x8021, "IPCP"},
    {0xc021, "LCP"},
    {0xc023, "PAP"},
    {0xc223, "CHAP"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *segment_content_name(uint32_t content, char text[SEGMENT_CONTENT_BYTES])
{
    static const struct {
        const struct number_name *names;
        size_t count;
        const char *else_format;
    } classes[] = {
        [CONTENT_ETHERNET] = {ethernet_types, COUNT(ethernet_types), "Ethernet type 0x%04x"},
        [CONTENT_PROTOCOL] = {protocols, COUNT(protocols), "IP protocol %u"},
        [CONTENT_LLC] = {access_points, COUNT(access_points), "LLC 0x%02x"},
        [CONTENT_PPP] = {ppp_protocols, COUNT(ppp_protocols), "PPP protocol 0x%04x"},
        [CONTENT_LINK] = {NULL, 0, "link type %u"},
    };
    uint32_t of = content >> 24, number = content & 0xffffff;
    const char *name = NULL;
    if (of == CONTENT_NAMED || of >= COUNT(classes) || !classes[of].else_format) {
        snprintf(text, SEGMENT_CONTENT_BYTES, "%s", named[of == CONTENT_NAMED && number < CONTENT_NAMES ? number : NAMED_NOTHING]);
        return text;
    }
    for (size_t i = 0; i < classes[of].count && !name; i++)
        if (classes[of].names[i].number == number) name = classes[of].names[i].name;
    if (name)
        snprintf(text, SEGMENT_CONTENT_BYTES, "%s", name);
    else
        snprintf(text, SEGMENT_CONTENT_BYTES, classes[of].else_format, number);
    return text;
}

struct segment_icmp segment_icmp_of(const struct event_packet *error)
{
    return (struct segment_icmp){.from = error->header.src,
                                 .about = error->icmp.src,
                                 .protocol = error->header.protocol,
                                 .type = error->icmp.type,
                                 .code = error->icmp.code,
                                 .mtu = error->icmp.mtu,
                                 .seq = error->icmp.seq};
}

const char *segment_icmp_name(uint8_t protocol, uint8_t type, uint8_t code)
{
    static const struct {
        uint8_t protocol, type;
        int code; /* -1 any */
        const char *text;
    } names[] = {
        {IPPROTO_ICMP, 3, 0, "net unreachable"},
        {IPPROTO_ICMP, 3, 1, "host unreachable"},
        {IPPROTO_ICMP, 3, 2, "protocol unreachable"},
        {IPPROTO_ICMP, 3, 3, "port unreachable"},
        {IPPROTO_ICMP, 3, 4, "fragmentation needed"},
        {IPPROTO_ICMP, 3, 9, "net administratively prohibited"},
        {IPPROTO_ICMP, 3, 10, "host administratively prohibited"},
        {IPPROTO_ICMP, 3, 13, "administratively prohibited"},
        {IPPROTO_ICMP, 3, -1, "destination unreachable"},
        {IPPROTO_ICMP, 4, -1, "source quench"},
        {IPPROTO_ICMP, 5, -1, "redirect"},
        {IPPROTO_ICMP, 11, -1, "time exceeded"},
        {IPPROTO_ICMP, 12, -1, "parameter problem"},
        {IPPROTO_ICMPV6, 1, 0, "no route"},
        {IPPROTO_ICMPV6, 1, 1, "administratively prohibited"},
        {IPPROTO_ICMPV6, 1, 3, "address unreachable"},
        {IPPROTO_ICMPV6, 1, 4, "port unreachable"},
        {IPPROTO_ICMPV6, 1, 6, "rejected by the route"},
        {IPPROTO_ICMPV6, 1, -1, "destination unreachable"},
        {IPPROTO_ICMPV6, 2, -1, "packet too big"},
        {IPPROTO_ICMPV6, 3, -1, "time exceeded"},
        {IPPROTO_ICMPV6, 4, -1, "parameter problem"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].protocol == protocol && names[i].type == type && (names[i].code < 0 || names[i].code == code))
            return names[i].text;
    return "ICMP error";
}

bool segment_content_may_hide(uint32_t content)
{
    uint32_t of = content >> 24, number = content & 0xffffff;
    switch (of) {
    case CONTENT_NAMED:
        return number == NAMED_WIFI_PROTECTED || number == NAMED_COMPRESSED_SLIP || number == NAMED_MPLS || number == NAMED_DEEP ||
               (number >= NAMED_VXLAN && number != NAMED_QUIC);
    case CONTENT_ETHERNET:
        return number == 0x88e5 || number == 0x894f || number == 0x22f3;
    case CONTENT_PROTOCOL:
        return number == IPPROTO_ESP || number == IPPROTO_COMP || number == 97 || number == 115;
    case CONTENT_PPP:
        return number < 0x8000;
    default:
        return of == CONTENT_LINK;
    }
}

/* RFC 792: type 3, code 3; RFC 4443 section 3.1: type 1, code 4. */
bool segment_icmp_is_unreachable(uint8_t protocol, uint8_t type, uint8_t code)
{
    return protocol == IPPROTO_ICMPV6 ? type == 1 : type == 3 && code != 4;
}

bool segment_icmp_is_refusal(uint8_t protocol, uint8_t type, uint8_t code)
{
    return protocol == IPPROTO_ICMPV6 ? type == 1 && code == 4 : type == 3 && code == 3;
}
