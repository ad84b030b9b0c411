#include "capture/packet_head.h"

#include <netinet/in.h>
#include <pcap/dlt.h>

#include "tcp/segment.h"

enum { DNS_PORT = 53, DNS_HEADER_BYTES = 12 };

/* The DNS has a header of its own, with the kind of its answer (RFC 1035 section 4.1.1); no name is in it. */
static bool is_of_name_server(const struct event_packet_header *header)
{
    return header->protocol == IPPROTO_UDP && (header->src.port == DNS_PORT || header->dst.port == DNS_PORT);
}

/* A frame that is shorter than Ethernet's least is filled up behind the payload. */
uint32_t packet_head_bytes(int link_type, const uint8_t *bytes, uint32_t captured_bytes, uint32_t wire_bytes)
{
    enum { ETHERNET_LEAST = 64, ETHERNET_BYTES = 14, VLAN_BYTES = 4 };
    struct event_packet decoded;
    struct segment_beside beside;
    if (segment_decode_beside(link_type, bytes, captured_bytes, wire_bytes, &decoded, &beside) != SEGMENT_OK) return captured_bytes;
    if (decoded.header.protocol != IPPROTO_TCP && decoded.header.protocol != IPPROTO_UDP) return captured_bytes;
    uint32_t end = wire_bytes;
    bool is_padded = wire_bytes <= ETHERNET_LEAST && beside.ip_bytes;
    if (link_type == DLT_EN10MB && is_padded) {
        bool tagged = bytes[ETHERNET_BYTES - 2] == 0x81 && bytes[ETHERNET_BYTES - 1] == 0; /* there, or nothing was decoded */
        uint32_t frame = ETHERNET_BYTES + (tagged ? VLAN_BYTES : 0U) + beside.ip_bytes;
        if (frame < end) end = frame;
    } else if (link_type == DLT_RAW && is_padded) {
        if (beside.ip_bytes < end) end = beside.ip_bytes;
    }
    uint32_t headers = end > decoded.header.length_bytes ? end - decoded.header.length_bytes : 0;
    if (is_of_name_server(&decoded.header))
        headers += decoded.header.length_bytes < DNS_HEADER_BYTES ? decoded.header.length_bytes : DNS_HEADER_BYTES;
    return headers < captured_bytes ? headers : captured_bytes;
}
