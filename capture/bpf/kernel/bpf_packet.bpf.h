/* Reading a packet's headers out of a socket buffer. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_PACKET_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_PACKET_BPF_H

#include "bpf_maps.bpf.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_MPTCP = 262, /* of a socket; on the wire it is TCP */
    FLAG_SYN = 0x02,      /* of a TCP header */
    FLAG_RST = 0x04,
    FLAG_ACK = 0x10,
    OPTION_END = 0, /* of TCP's options */
    OPTION_NOTHING = 1,
    OPTION_FAST_OPEN = 34,   /* RFC 7413 section 4.1.1 */
    OPTION_EXPERIMENT = 254, /* what it is, the number says that it begins with: RFC 6994 */
    OPTION_FAST_OPEN_NUMBER = 0x89f9,
    OPTION_FOUND = 256, /* above every length */
    OPTIONS_BYTES = 40, /* at most */
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    IPV6_EXTENSIONS_MAX = 4,
    HEADER_BYTES = 20 /* of a TCP header without options; of UDP and ICMP, 8 */
};

static __always_inline __u32 be32_at(const __u8 *at)
{
    return (__u32)at[0] << 24 | (__u32)at[1] << 16 | (__u32)at[2] << 8 | at[3];
}
static __always_inline __u16 be16_at(const __u8 *at)
{
    return (__u16)(at[0] << 8 | at[1]);
}

/* Where in kernel memory an IP header is, and what it said. */
struct ip_span {
    __u64 at, end; /* nothing from `end` on may be read */
    __u32 offset;  /* of the transport header, from `at` */
    __u32 said;    /* bytes from there on, by the IP header; 0: it doesn't say */
};

/* Reads the addresses and returns the protocol above; 0: there is no transport header to read. */
static __noinline int ip_read(struct ip_span *span, struct record_address *src, struct record_address *dst)
{
    __u64 at = span->at, end = span->end;
    __u8 ip[IPV6_BYTES];

    if (at + IPV4_BYTES > end || bpf_probe_read_kernel(ip, IPV4_BYTES, (void *)at)) return 0;
    if (ip[0] >> 4 == 4) {
        __u32 header = (ip[0] & 15) * 4U, total = be16_at(ip + 2);

        if (header < IPV4_BYTES || (be16_at(ip + 6) & 0x1fff)) return 0;
        __builtin_memcpy(src->ip, ip + 12, 4);
        __builtin_memcpy(dst->ip, ip + 16, 4);
        src->version = dst->version = 4;
        span->offset = header;
        span->said = total > header ? total - header : 0;
        return ip[9];
    }
    if (ip[0] >> 4 != 6 || at + IPV6_BYTES > end || bpf_probe_read_kernel(ip, IPV6_BYTES, (void *)at)) return 0;
    __builtin_memcpy(src->ip, ip + 8, 16);
    __builtin_memcpy(dst->ip, ip + 24, 16);
    src->version = dst->version = 6;

    __u32 offset = IPV6_BYTES, total = be16_at(ip + 4);
    __u8 next = ip[6];

    for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
        __u8 extension[8];

        /* hop-by-hop, routing, destination options: (length + 1) * 8 bytes; fragment: 8 */
        if (next != 0 && next != 43 && next != 60 && next != 44) break;
        if (at + offset + 8 > end || bpf_probe_read_kernel(extension, 8, (void *)(at + offset))) return 0;
        if (next == 44 && (be16_at(extension + 2) & 0xfff8)) return 0;
        offset += next == 44 ? 8U : (extension[1] + 1U) * 8U;
        next = extension[0];
    }
    span->offset = offset;
    span->said = total + IPV6_BYTES > offset ? total + IPV6_BYTES - offset : 0;
    return next;
}

static __always_inline int icmp_is_error(__u8 protocol, __u8 type)
{
    if (protocol == PROTOCOL_ICMPV6) return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* The part of a socket buffer from `len` on, read at once, and a field of it; where that lies elsewhere, it is read by itself. */
enum { BUFFER_BYTES = 128 };
#define BUFFER_HAS(field)                                                                                                          \
    (bpf_core_field_offset(struct sk_buff, field) >= bpf_core_field_offset(struct sk_buff, len) &&                                 \
     bpf_core_field_offset(struct sk_buff, field) - bpf_core_field_offset(struct sk_buff, len) + 8 <= BUFFER_BYTES)
#ifdef TCPWHY_CAST
#define BUFFER(type, field) LOADED(type, *(const type *)&KERNEL(skb)->field)
#define BUFFER_ADDRESS(field) READ_POINTER(skb, field)
#else
#define BUFFER_ADDRESS(field) BUFFER(__u64, field)
#define BUFFER(type, field)                                                                                                        \
    ({                                                                                                                             \
        type buffer_value;                                                                                                         \
        if (BUFFER_HAS(field))                                                                                                     \
            buffer_value = *(const type *)((const char *)buffer + (bpf_core_field_offset(struct sk_buff, field) -                  \
                                                                   bpf_core_field_offset(struct sk_buff, len)));                   \
        else                                                                                                                       \
            bpf_core_read(&buffer_value, sizeof(buffer_value), &skb->field);                                                       \
        buffer_value;                                                                                                              \
    })
#endif

/* As most packets are: IPv4 and TCP, both without options before the ports. False: it is not so, and nothing is filled in. `total`:
 * what the buffer holds from the IP header on. */
static __always_inline int plain_read(struct record_packet *packet, __u64 ip, __u32 total)
{
    __u64 words[(IPV4_BYTES + HEADER_BYTES) / 8];
    const __u8 *header = (const __u8 *)words;

#ifdef TCPWHY_CAST
    for (__u32 i = 0; i < sizeof(words) / sizeof(words[0]); i++) words[i] = word_at(ip + i * 8);
#else
    if (bpf_probe_read_kernel(words, sizeof(words), (void *)ip)) return 0;
#endif
    if (header[0] != 0x45 || header[9] != PROTOCOL_TCP || (be16_at(header + 6) & 0x3fff)) return 0;

    __u32 said = be16_at(header + 2), need = IPV4_BYTES + (header[IPV4_BYTES + 12] >> 4) * 4U;

    if (said && said < total) total = said;
    __builtin_memcpy(packet->src.ip, header + 12, 4);
    __builtin_memcpy(packet->dst.ip, header + 16, 4);
    packet->src.version = packet->dst.version = 4;
    packet->src.port = be16_at(header + IPV4_BYTES);
    packet->dst.port = be16_at(header + IPV4_BYTES + 2);
    packet->seq = be32_at(header + IPV4_BYTES + 4);
    packet->ack = be32_at(header + IPV4_BYTES + 8);
    packet->flags = header[IPV4_BYTES + 13];
    packet->window = be16_at(header + IPV4_BYTES + 14);
    packet->protocol = PROTOCOL_TCP;
    packet->length_bytes = total > need ? total - need : 0;
    return 1;
}

/* The option at that address, of `left` bytes that there still are: how long it is, 0: there is none any more; of Fast Open's
 * OPTION_FOUND and how long its cookie is. */
__noinline __u32 option_read(__u64 at, __u32 left)
{
    __u64 word = left ? word_at(at) : 0;
    __u32 kind = word & 255, bytes = word >> 8 & 255, number = word >> 16 & 65535;

    if (kind == OPTION_NOTHING) return 1;
    if (kind == OPTION_END || bytes < 2 || bytes > left) return 0;
    if (kind == OPTION_FAST_OPEN) return OPTION_FOUND + bytes - 2;
    if (kind == OPTION_EXPERIMENT && bytes >= 4 && number == OPTION_FAST_OPEN_NUMBER) return OPTION_FOUND + bytes - 4;
    return bytes;
}

/* Of a SYN's options, of which `length` bytes lie at that address: RECORD_FAST_OPEN and the cookie's bytes, where one is Fast
 * Open's; else 0. */
__noinline int fast_open_read(__u64 at, __u32 length)
{
    __u32 offset = 0;

    for (int i = 0; i < OPTIONS_BYTES; i++) {
        __u32 step = option_read(at + offset, length - offset);

        if (!step) break;
        if (step & OPTION_FOUND) return RECORD_FAST_OPEN + (step & 255);
        offset += step;
    }
    return 0;
}

/* The same of the TCP header there; nothing from `end` on may be read. */
static __always_inline int fast_open_of(__u64 header, __u64 end)
{
    __u32 bytes = (__u32)(word_at(header + 8) >> 32 & 0xf0) >> 2;

    if (bytes <= HEADER_BYTES || header + bytes > end) return 0;
    return fast_open_read(header + HEADER_BYTES, bytes - HEADER_BYTES);
}

/* A whole host's SYN: of these alone an option is of interest, which elsewhere the capture has. */
static __always_inline int opens_connection(const struct record_packet *packet)
{
    return config.host_wide && (packet->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN;
}

/* What the packet says of itself. False: not TCP, UDP or an ICMP error. `packet` must be zeroed. Works on the way out (where `data`
 * is the link-layer header) and on the way in (where it is the network header or beyond). */
__noinline int packet_read(__u64 address, struct record_packet *packet)
{
    const struct sk_buff *skb = (const struct sk_buff *)address;
#ifndef TCPWHY_CAST
    __u64 buffer[BUFFER_BYTES / 8];

    bpf_probe_read_kernel(buffer, sizeof(buffer), __builtin_preserve_access_index(&skb->len));
#endif

    __u64 data = BUFFER_ADDRESS(data);
    __u64 ip = BUFFER_ADDRESS(head) + BUFFER(__u16, network_header);
    __u32 length = BUFFER(__u32, len);
    __u64 end = data + length - BUFFER(__u32, data_len);
    __u16 ethertype = bpf_ntohs(BUFFER(__u16, protocol));
    struct ip_span span = {ip, end, 0, 0};
    __u8 header[HEADER_BYTES];

    if (!packet) return 0;
    if (ethertype != ETHERTYPE_IPV4 && ethertype != ETHERTYPE_IPV6) return 0;
    if (ethertype == ETHERTYPE_IPV4 && ip + IPV4_BYTES + HEADER_BYTES <= end &&
        plain_read(packet, ip, (__u32)(data + length - ip))) {
        if (opens_connection(packet)) packet->code = (__u8)fast_open_of(ip + IPV4_BYTES, end);
        return 1;
    }

    __u8 protocol = (__u8)ip_read(&span, &packet->src, &packet->dst);
    __u32 need = protocol == PROTOCOL_TCP ? HEADER_BYTES : 8;

    if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP && protocol != PROTOCOL_ICMP && protocol != PROTOCOL_ICMPV6) return 0;

    __u64 at = ip + span.offset;

    if (at + need > end) {
        count(COUNT_PACKET_UNPARSED);
        return 0;
    }
    __builtin_memset(header, 0, sizeof(header));
    if (bpf_probe_read_kernel(header, protocol == PROTOCOL_TCP ? HEADER_BYTES : 8, (void *)at)) return 0;

    /* The buffer's length is right for GSO packets, whose IP length is 0 or another; the IP length is right for short frames, which
     * arrive with padding. */
    __u32 bytes = (__u32)(data + length - at);

    if (span.said && span.said < bytes) bytes = span.said;
    packet->protocol = protocol;
    if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6) {
        struct ip_span quoted = {at + 8, end, 0, 0};

        if (!icmp_is_error(protocol, header[0])) return 0;
        packet->flags = header[0];
        packet->code = header[1];
        packet->window = be16_at(header + 6); /* an MTU, of those errors that name one */
        packet->quoted_protocol = (__u8)ip_read(&quoted, &packet->quoted_src, &packet->quoted_dst);
        if (packet->quoted_protocol != PROTOCOL_TCP && packet->quoted_protocol != PROTOCOL_UDP) return 0;
        at = quoted.at + quoted.offset;
        if (at + 8 > end || bpf_probe_read_kernel(header, 8, (void *)at)) return 0;
        packet->quoted_src.port = be16_at(header);
        packet->quoted_dst.port = be16_at(header + 2);
        packet->seq = packet->quoted_protocol == PROTOCOL_TCP ? be32_at(header + 4) : 0;
        packet->length_bytes = bytes > 8 ? bytes - 8 : 0;
        return 1;
    }
    packet->src.port = be16_at(header);
    packet->dst.port = be16_at(header + 2);
    if (protocol == PROTOCOL_TCP) {
        need = (header[12] >> 4) * 4U;
        packet->seq = be32_at(header + 4);
        packet->ack = be32_at(header + 8);
        packet->flags = header[13];
        packet->window = be16_at(header + 14);
        if (opens_connection(packet)) packet->code = (__u8)fast_open_of(at, end);
    }
    packet->length_bytes = bytes > need ? bytes - need : 0;
    return 1;
}

/* Of a whole host: with one of certain ports at either end, or all. */
static __always_inline int port_is_chosen(__u16 port)
{
    __u32 bit = port;

    barrier_var(bit); /* the verifier does not know what the compiler does: that it is no more than 65535 */
    return !config.only_ports || (chosen_ports[bit >> 6 & (RECORD_PORT_WORDS - 1)] >> (bit & 63) & 1);
}

/* Whether somebody asked for this port. */
__noinline int port_wanted(__u32 netns, __u8 protocol, __u16 port)
{
    __u32 key = (__u32)protocol << 16 | port;

    if (!port) return 0;
    if (config.host_wide) return protocol == PROTOCOL_TCP && port_is_chosen(port);
    if (!config.port_count) return port_is_used(key) && netns_is_used(netns);
    for (__u32 i = 0; i < RECORD_PORTS_MAX; i++) {
        if (i < config.port_count && config.ports[i] == port) return 1;
    }
    return 0;
}

static __always_inline int packet_wanted(const struct record_packet *packet, __u32 netns)
{
    if (packet->quoted_protocol) {
        return port_wanted(netns, packet->quoted_protocol, packet->quoted_src.port) ||
               port_wanted(netns, packet->quoted_protocol, packet->quoted_dst.port);
    }
    if (config.host_wide)
        return packet->protocol == PROTOCOL_TCP && (port_is_chosen(packet->dst.port) || port_is_chosen(packet->src.port));
    /* The ports of a conversation come again and again: the one that was found last is looked for first. */
    if (port_was_used((__u32)packet->protocol << 16 | packet->dst.port) && port_wanted(netns, packet->protocol, packet->dst.port))
        return 1;
    return port_wanted(netns, packet->protocol, packet->src.port) || port_wanted(netns, packet->protocol, packet->dst.port);
}

#endif
