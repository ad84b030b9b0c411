#include "lab/wire/ip_frame.h"

#include <netinet/in.h>
#include <string.h>

#include "event/event.h" /* TCP_* flags */
#include "lab/wire/wire_bytes.h"

enum {
    LINK = IP_FRAME_LINK_BYTES,
    ETHERTYPE_V4 = 0x0800,
    ETHERTYPE_V6 = 0x86dd,
    V4_HEADER = 20,
    V6_HEADER = 40,
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    ICMP_HEADER = 8,
    HOP_LIMIT = 64,
    ICMP_V4_BYTES = 576,  /* RFC 1812 4.3.2.3: as much of the packet as fits into this */
    ICMP_V6_BYTES = 1280, /* RFC 4443 2.4 (c) */
    ICMPV6_INFORMATIONAL = 128
};

/* Offsets within the headers (RFC 791, RFC 8200, RFC 9293, RFC 768, RFC 792). */
enum {
    V4_LENGTH = 2,
    V4_FLAGS = 6,
    V4_HOPS = 8,
    V4_PROTOCOL = 9,
    V4_CHECKSUM = 10,
    V4_SOURCE = 12,
    V4_DESTINATION = 16,
    V6_LENGTH = 4,
    V6_NEXT = 6,
    V6_HOPS = 7,
    V6_SOURCE = 8,
    V6_DESTINATION = 24,
    TCP_SEQ = 4,
    TCP_ACK_NUMBER = 8,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_CHECKSUM = 16,
    UDP_CHECKSUM = 6,
    ICMP_CHECKSUM = 2
};
enum { DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000, FRAGMENT_OFFSET = 0x1fff };

/* ---- checksums ---- */

/* `length` bytes, a whole number of 16-bit words, became others: RFC 1624, equation 3. */
static void amend(uint8_t *checksum, const uint8_t *before, const uint8_t *after, size_t length)
{
    uint32_t sum = ~get16(checksum) & 0xffff;
    for (size_t i = 0; i < length; i += 2) sum += (~get16(before + i) & 0xffff) + get16(after + i);
    put16(checksum, checksum_of(sum));
}

static void seal_v4(uint8_t *network, size_t header_bytes)
{
    put16(network + V4_CHECKSUM, 0);
    put16(network + V4_CHECKSUM, checksum_of(checksum_add(0, network, header_bytes)));
}

/* TCP's and ICMPv6's with the pseudo header (RFC 9293 3.1, RFC 8200 8.1), ICMP's without. */
static void seal_transport(const struct ip_frame *frame, uint32_t checksum_at)
{
    const uint8_t *network = frame->bytes + LINK;
    uint8_t *transport = frame->bytes + frame->transport;
    uint32_t length = frame->length - frame->transport, sum = 0;
    if (frame->protocol != IPPROTO_ICMP) {
        sum = length + frame->protocol;
        sum = frame->version == 4 ? checksum_add(sum, network + V4_SOURCE, 8) : checksum_add(sum, network + V6_SOURCE, 32);
    }
    put16(transport + checksum_at, 0);
    put16(transport + checksum_at, checksum_of(checksum_add(sum, transport, length)));
}

/* ---- reading ---- */

static bool read_v4(struct ip_frame *frame, uint32_t captured)
{
    const uint8_t *network = frame->bytes + LINK;
    if (captured < V4_HEADER) return false;
    uint32_t header_bytes = (network[0] & 0xfU) * 4, total = get16(network + V4_LENGTH);
    if (network[0] >> 4 != 4 || header_bytes < V4_HEADER || total < header_bytes || total > captured) return false;
    unsigned flags = get16(network + V4_FLAGS);
    frame->version = 4;
    frame->length = LINK + total;
    frame->protocol = network[V4_PROTOCOL];
    frame->may_cut = !(flags & DONT_FRAGMENT);
    frame->piece = flags & (MORE_FRAGMENTS | FRAGMENT_OFFSET);
    if (!(flags & FRAGMENT_OFFSET)) frame->transport = LINK + header_bytes;
    return true;
}

static bool read_v6(struct ip_frame *frame, uint32_t captured)
{
    const uint8_t *network = frame->bytes + LINK;
    if (captured < V6_HEADER || network[0] >> 4 != 6) return false;
    uint32_t total = V6_HEADER + get16(network + V6_LENGTH);
    if (total > captured) return false;
    frame->version = 6;
    frame->length = LINK + total;
    frame->protocol = network[V6_NEXT];
    frame->piece = frame->protocol == IPPROTO_FRAGMENT;
    frame->transport = LINK + V6_HEADER;
    return true;
}

static uint32_t header_bytes_of(uint8_t protocol)
{
    return protocol == IPPROTO_TCP ? TCP_HEADER : UDP_HEADER; /* UDP's and ICMP's are as long */
}

bool ip_frame_read(uint8_t *bytes, uint32_t length, struct ip_frame *ret_frame)
{
    *ret_frame = (struct ip_frame){.bytes = bytes};
    if (length < LINK) return false;
    unsigned type = get16(bytes + LINK - 2);
    bool sound = type == ETHERTYPE_V4   ? read_v4(ret_frame, length - LINK)
                 : type == ETHERTYPE_V6 ? read_v6(ret_frame, length - LINK)
                                        : false;
    if (sound && ret_frame->transport + header_bytes_of(ret_frame->protocol) > ret_frame->length) ret_frame->transport = 0;
    return sound;
}

static uint8_t *address_at(uint8_t *network, uint8_t version, enum ip_frame_end end)
{
    if (version == 4) return network + (end == IP_FRAME_SOURCE ? V4_SOURCE : V4_DESTINATION);
    return network + (end == IP_FRAME_SOURCE ? V6_SOURCE : V6_DESTINATION);
}

struct address ip_frame_address(const struct ip_frame *frame, enum ip_frame_end end)
{
    const uint8_t *ip = address_at(frame->bytes + LINK, frame->version, end);
    struct address address = {.version = frame->version};
    memcpy(address.ip, ip, frame->version == 4 ? 4 : 16);
    return address;
}

static bool is_icmp_error(const struct ip_frame *frame)
{
    if (!frame->transport) return false;
    unsigned type = frame->bytes[frame->transport];
    if (frame->version == 6) return frame->protocol == IPPROTO_ICMPV6 && type < ICMPV6_INFORMATIONAL;
    return frame->protocol == IPPROTO_ICMP && (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

/* The packet that an ICMP error quotes: as much of it as is there. */
static bool read_quoted(const struct ip_frame *frame, struct ip_frame *ret_quoted)
{
    enum { PORTS = 4 };
    uint32_t at = frame->transport + ICMP_HEADER;
    if (!is_icmp_error(frame) || frame->length < at) return false;
    uint8_t *network = frame->bytes + at;
    uint32_t left = frame->length - at, header_bytes = V6_HEADER;
    if (frame->version == 4) header_bytes = left < V4_HEADER ? V4_HEADER : (network[0] & 0xfU) * 4;
    if (header_bytes < V4_HEADER || left < header_bytes + PORTS || network[0] >> 4 != frame->version) return false;
    if (frame->version == 4 && get16(network + V4_FLAGS) & FRAGMENT_OFFSET) return false;
    *ret_quoted = (struct ip_frame){.bytes = frame->bytes,
                                    .length = frame->length,
                                    .version = frame->version,
                                    .protocol = network[frame->version == 4 ? V4_PROTOCOL : V6_NEXT],
                                    .transport = at + header_bytes};
    return true;
}

bool ip_frame_flow(const struct ip_frame *frame, struct ip_frame_flow *ret_flow)
{
    struct ip_frame quoted;
    const struct ip_frame *about = frame;
    if (read_quoted(frame, &quoted)) about = &quoted;
    if (!about->transport || (about->protocol != IPPROTO_TCP && about->protocol != IPPROTO_UDP)) return false;
    const uint8_t *ports = about->bytes + about->transport;
    unsigned first = get16(ports), second = get16(ports + 2);
    *ret_flow = (struct ip_frame_flow){.version = frame->version,
                                       .protocol = about->protocol,
                                       .source_port = (uint16_t)(about == frame ? first : second),
                                       .destination_port = (uint16_t)(about == frame ? second : first)};
    return true;
}

/* ---- changing ---- */

bool ip_frame_hop(struct ip_frame *frame)
{
    uint8_t *network = frame->bytes + LINK, *hops = network + (frame->version == 4 ? V4_HOPS : V6_HOPS);
    if (*hops <= 1) return false;
    if (frame->version == 6) {
        --*hops;
        return true;
    }
    uint8_t before[2];
    memcpy(before, hops, 2); /* the hop limit and the protocol are one word */
    --*hops;
    amend(network + V4_CHECKSUM, before, hops, 2);
    return true;
}

/* The checksum that covers the addresses by its pseudo header, NULL: none, or it is not in the bytes. */
static uint8_t *covering_checksum(const struct ip_frame *frame)
{
    uint32_t at = frame->protocol == IPPROTO_TCP      ? TCP_CHECKSUM
                  : frame->protocol == IPPROTO_UDP    ? UDP_CHECKSUM
                  : frame->protocol == IPPROTO_ICMPV6 ? ICMP_CHECKSUM
                                                      : 0;
    if (!at || !frame->transport || frame->transport + at + 2 > frame->length) return NULL;
    uint8_t *checksum = frame->bytes + frame->transport + at;
    return frame->protocol == IPPROTO_UDP && !get16(checksum) ? NULL : checksum; /* a UDP sender may do without */
}

static void replace(const struct ip_frame *frame, uint8_t *network, enum ip_frame_end end, const uint8_t *after)
{
    size_t length = frame->version == 4 ? 4 : 16;
    uint8_t before[16], *ip = address_at(network, frame->version, end), *covering = covering_checksum(frame);
    memcpy(before, ip, length);
    memcpy(ip, after, length);
    if (frame->version == 4) amend(network + V4_CHECKSUM, before, after, length);
    if (!covering) return;
    amend(covering, before, after, length);
    if (frame->protocol == IPPROTO_UDP && !get16(covering)) put16(covering, 0xffff); /* RFC 768: 0 means none */
}

void ip_frame_translate(struct ip_frame *frame, enum ip_frame_end end, const struct address *address)
{
    struct ip_frame quoted;
    replace(frame, frame->bytes + LINK, end, address->ip);
    if (!read_quoted(frame, &quoted)) return;
    /* What is quoted went the other way. */
    replace(&quoted, frame->bytes + frame->transport + ICMP_HEADER, end == IP_FRAME_SOURCE ? IP_FRAME_DESTINATION : IP_FRAME_SOURCE,
            address->ip);
    seal_transport(frame, ICMP_CHECKSUM);
}

/* ---- building ---- */

/* Multicast and broadcast, by the address (RFC 1112, RFC 4291 2.7) or by the link. */
static bool is_for_many(const struct ip_frame *frame)
{
    const uint8_t *destination = address_at(frame->bytes + LINK, frame->version, IP_FRAME_DESTINATION);
    return frame->bytes[0] & 1 || destination[0] >= (frame->version == 4 ? 224 : 0xff);
}

/* The headers of an answer up to IP's, from `from` to the frame's source; the packet is `payload` bytes longer than those. */
static struct ip_frame begin_answer(const struct ip_frame *frame, const struct address *from, uint8_t protocol, uint32_t payload,
                                    uint8_t *out)
{
    uint32_t header_bytes = frame->version == 4 ? V4_HEADER : V6_HEADER;
    struct ip_frame answer = {.bytes = out,
                              .length = LINK + header_bytes + payload,
                              .version = frame->version,
                              .protocol = protocol,
                              .transport = LINK + header_bytes};
    uint8_t *network = out + LINK;
    memset(out, 0, answer.length);
    memcpy(out, frame->bytes + IP_FRAME_MAC_BYTES, IP_FRAME_MAC_BYTES);
    memcpy(out + IP_FRAME_MAC_BYTES, frame->bytes, IP_FRAME_MAC_BYTES);
    memcpy(out + LINK - 2, frame->bytes + LINK - 2, 2);
    if (frame->version == 4) {
        network[0] = 0x45;
        put16(network + V4_LENGTH, answer.length - LINK);
        put16(network + V4_FLAGS, DONT_FRAGMENT);
        network[V4_PROTOCOL] = protocol;
    } else {
        network[0] = 0x60;
        put16(network + V6_LENGTH, payload);
        network[V6_NEXT] = protocol;
    }
    network[frame->version == 4 ? V4_HOPS : V6_HOPS] = HOP_LIMIT;
    struct address to = ip_frame_address(frame, IP_FRAME_SOURCE);
    size_t length = frame->version == 4 ? 4 : 16;
    memcpy(address_at(network, frame->version, IP_FRAME_SOURCE), from->ip, length);
    memcpy(address_at(network, frame->version, IP_FRAME_DESTINATION), to.ip, length);
    if (frame->version == 4) seal_v4(network, V4_HEADER);
    return answer;
}

uint32_t ip_frame_reset(const struct ip_frame *frame, uint8_t *out)
{
    if (frame->protocol != IPPROTO_TCP || !frame->transport || frame->piece) return 0;
    const uint8_t *segment = frame->bytes + frame->transport;
    uint8_t flags = segment[TCP_FLAGS];
    uint32_t header_bytes = (segment[TCP_OFFSET] >> 4) * 4U, length = frame->length - frame->transport;
    if (flags & TCP_RST || header_bytes < TCP_HEADER || header_bytes > length) return 0;
    struct address from = ip_frame_address(frame, IP_FRAME_DESTINATION);
    struct ip_frame answer = begin_answer(frame, &from, IPPROTO_TCP, TCP_HEADER, out);
    uint8_t *reset = out + answer.transport;
    memcpy(reset, segment + 2, 2);
    memcpy(reset + 2, segment, 2);
    reset[TCP_OFFSET] = TCP_HEADER / 4 << 4;
    reset[TCP_FLAGS] = TCP_RST;
    if (flags & TCP_ACK)
        memcpy(reset + TCP_SEQ, segment + TCP_ACK_NUMBER, 4);
    else {
        uint32_t space = length - header_bytes + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
        reset[TCP_FLAGS] |= TCP_ACK;
        put32(reset + TCP_ACK_NUMBER, get32(segment + TCP_SEQ) + space);
    }
    seal_transport(&answer, TCP_CHECKSUM);
    return answer.length;
}

uint32_t ip_frame_icmp(const struct ip_frame *frame, const struct address *from, uint8_t type, uint8_t code, uint32_t word,
                       uint8_t *out)
{
    bool later_piece = frame->version == 4 && get16(frame->bytes + LINK + V4_FLAGS) & FRAGMENT_OFFSET;
    if (later_piece || is_icmp_error(frame) || is_for_many(frame)) return 0;
    uint32_t header_bytes = frame->version == 4 ? V4_HEADER : V6_HEADER, quoted = frame->length - LINK;
    uint32_t most = (frame->version == 4 ? ICMP_V4_BYTES : ICMP_V6_BYTES) - header_bytes - ICMP_HEADER;
    if (quoted > most) quoted = most;
    struct ip_frame answer =
        begin_answer(frame, from, frame->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, ICMP_HEADER + quoted, out);
    uint8_t *icmp = out + answer.transport;
    icmp[0] = type;
    icmp[1] = code;
    put32(icmp + 4, word);
    memcpy(icmp + ICMP_HEADER, frame->bytes + LINK, quoted);
    seal_transport(&answer, ICMP_CHECKSUM);
    return answer.length;
}

uint32_t ip_frame_cut(const struct ip_frame *frame, uint32_t mtu_bytes, uint32_t *at, uint8_t *out)
{
    const uint8_t *network = frame->bytes + LINK;
    uint32_t header_bytes = (network[0] & 0xfU) * 4, payload = frame->length - LINK - header_bytes;
    if (*at >= payload) return 0;
    uint32_t most = (mtu_bytes - header_bytes) & ~7U, left = payload - *at, length = left <= mtu_bytes - header_bytes ? left : most;
    unsigned flags = get16(network + V4_FLAGS);
    unsigned more = length < left ? MORE_FRAGMENTS : flags & MORE_FRAGMENTS;
    memcpy(out, frame->bytes, LINK + header_bytes);
    memcpy(out + LINK + header_bytes, network + header_bytes + *at, length);
    put16(out + LINK + V4_LENGTH, header_bytes + length);
    put16(out + LINK + V4_FLAGS, more | ((flags & FRAGMENT_OFFSET) + *at / 8));
    seal_v4(out + LINK, header_bytes);
    *at += length;
    return LINK + header_bytes + length;
}
