#include "event/packet_bytes.h"

#include <netinet/in.h>
#include <string.h>

enum { IPV4_BYTES = 20, IPV6_BYTES = 40, TCP_BYTES = 20, HOPS = 64, IP_LENGTH_MOST = 65535 };

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* RFC 1071, of an even number of bytes. */
static uint32_t sum(const uint8_t *bytes, size_t length)
{
    uint32_t total = 0;
    for (size_t i = 0; i < length; i += 2) total += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return total;
}

static uint32_t folded(uint32_t total)
{
    while (total >> 16) total = (total & 0xffff) + (total >> 16);
    return ~total & 0xffff;
}

static size_t make_ip(const struct event_packet_header *header, uint8_t *bytes)
{
    size_t own = header->src.version == 4 ? IPV4_BYTES : IPV6_BYTES;
    uint64_t behind = (uint64_t)TCP_BYTES + header->length_bytes, whole = own == IPV4_BYTES ? own + behind : behind;
    uint32_t length = whole > IP_LENGTH_MOST ? 0 : (uint32_t)whole; /* as the kernel writes what is larger (BIG TCP) */
    memset(bytes, 0, PACKET_BYTES_MAX);
    if (own == IPV4_BYTES) {
        bytes[0] = 4 << 4 | IPV4_BYTES / 4;
        put16(bytes + 2, length);
        bytes[8] = HOPS;
        bytes[9] = IPPROTO_TCP;
        memcpy(bytes + 12, header->src.ip, 4);
        memcpy(bytes + 16, header->dst.ip, 4);
        put16(bytes + 10, folded(sum(bytes, IPV4_BYTES)));
    } else {
        bytes[0] = 6 << 4;
        put16(bytes + 4, length);
        bytes[6] = IPPROTO_TCP;
        bytes[7] = HOPS;
        memcpy(bytes + 8, header->src.ip, 16);
        memcpy(bytes + 24, header->dst.ip, 16);
    }
    return own;
}

size_t packet_bytes_make(const struct event_packet_header *header, uint8_t bytes[PACKET_BYTES_MAX], uint32_t *ret_wire_bytes)
{
    if (header->protocol != IPPROTO_TCP || !header->src.version || header->src.version != header->dst.version) return 0;
    size_t ip_bytes = make_ip(header, bytes), address = header->src.version == 4 ? 4 : 16;
    uint8_t *tcp = bytes + ip_bytes;
    put16(tcp, header->src.port);
    put16(tcp + 2, header->dst.port);
    put32(tcp + 4, header->seq);
    put32(tcp + 8, header->ack);
    tcp[12] = TCP_BYTES / 4 << 4;
    tcp[13] = header->flags;
    put16(tcp + 14, header->window);
    if (!header->length_bytes) /* with the pseudo-header */
        put16(tcp + 16, folded(sum(tcp, TCP_BYTES) + sum(tcp - 2 * address, 2 * address) + IPPROTO_TCP + TCP_BYTES));
    uint64_t wire = (uint64_t)ip_bytes + TCP_BYTES + header->length_bytes;
    if (ret_wire_bytes) *ret_wire_bytes = wire < UINT32_MAX ? (uint32_t)wire : UINT32_MAX;
    return ip_bytes + TCP_BYTES;
}
