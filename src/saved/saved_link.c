#include <netinet/in.h>
#include <pcap/dlt.h>
#include <string.h>

#include "saved/saved_own.h"

enum { ETHERNET_BYTES = 14, VLAN_BYTES = 4, COOKED_BYTES = 16, COOKED2_BYTES = 20, NULL_BYTES = 4 };
enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88a8 };

uint16_t saved_file_link(int link_type)
{
    /* Where the number in files and the one in programs differ (libpcap's pcap-common.c). */
    switch (link_type) {
    case DLT_ATM_RFC1483:
        return 100;
    case DLT_RAW:
        return 101;
    case DLT_SLIP_BSDOS:
        return 102;
    case DLT_PPP_BSDOS:
        return 103;
    case DLT_ATM_CLIP:
        return 106;
    default:
        return (uint16_t)link_type;
    }
}

static uint32_t behind_ethernet(const uint8_t *bytes, uint32_t captured)
{
    uint32_t at = ETHERNET_BYTES;
    while (at + VLAN_BYTES <= captured) {
        uint16_t type = (uint16_t)(bytes[at - 2] << 8 | bytes[at - 1]);
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ) break;
        at += VLAN_BYTES;
    }
    return at;
}

/* Where the IP header begins. */
static bool find_ip(int link_type, const uint8_t *bytes, uint32_t captured, uint32_t *ret_at)
{
    switch (link_type) {
    case DLT_RAW:
        *ret_at = 0;
        break;
    case DLT_EN10MB:
        if (captured < ETHERNET_BYTES) return false;
        *ret_at = behind_ethernet(bytes, captured);
        break;
    case DLT_NULL:
    case DLT_LOOP:
        *ret_at = NULL_BYTES;
        break;
    case DLT_LINUX_SLL:
        *ret_at = COOKED_BYTES;
        break;
    case DLT_LINUX_SLL2:
        *ret_at = COOKED2_BYTES;
        break;
    default:
        return false;
    }
    return *ret_at < captured && (bytes[*ret_at] >> 4 == 4 || bytes[*ret_at] >> 4 == 6);
}

bool saved_turn_link(int from, int to, const uint8_t *bytes, uint32_t captured, struct saved_turn *ret_turn)
{
    memset(ret_turn, 0, sizeof(*ret_turn));
    if (from == to) return true;
    if (!find_ip(from, bytes, captured, &ret_turn->cut)) return false;
    if (to == DLT_RAW) return true;
    if (to != DLT_EN10MB) return false;
    uint16_t type = bytes[ret_turn->cut] >> 4 == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    ret_turn->head[ETHERNET_BYTES - 2] = (uint8_t)(type >> 8);
    ret_turn->head[ETHERNET_BYTES - 1] = (uint8_t)type;
    ret_turn->head_bytes = ETHERNET_BYTES;
    return true;
}
