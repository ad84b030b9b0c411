#include "lab/wire/wire_forge.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lab/wire/wire_bytes.h"

enum { ETHERNET_BYTES = 14, IPV4_BYTES = 20, IPV6_BYTES = 40, TCP_BYTES = 20, TIMESTAMPS_BYTES = 12 };
/* The number of an end that has not spoken yet. */
static const uint32_t UNSPOKEN_ISN = 1000000;

bool wire_forgery_is_sound(const struct wire_forgery *forgery)
{
    return (forgery->from == WIRE_FROM_CLIENT || forgery->from == WIRE_FROM_SERVER) && forgery->length_bytes <= WIRE_PAYLOAD_MAX;
}

static uint32_t number_of(const struct wire_end *end, const struct wire_number *number)
{
    uint32_t isn = end->seen ? end->isn : UNSPOKEN_ISN, next = end->seen ? end->next : UNSPOKEN_ISN;
    if (!number->said) return next;
    return (number->from_next ? next : isn) + (uint32_t)number->offset;
}

static unsigned window_of(const struct wire_connection *connection, const struct wire_end *end, const struct wire_forgery *forgery)
{
    if (!forgery->has_window) return end->window;
    bool scales = connection->scaled && !(forgery->flags & TCP_SYN);
    uint32_t window = forgery->window >> (scales ? end->wscale : 0);
    return window > 0xffff ? 0xffff : window;
}

/* Ethernet and IP, as the end's own frame has them, or, before it has sent one, the other's turned round. */
static size_t put_below(const struct wire_connection *connection, size_t side, size_t tcp_bytes, uint8_t *frame)
{
    const struct wire_end *end = &connection->end[side];
    const uint8_t *model = end->seen ? end->header : connection->end[!side].header;
    bool v4 = end->address.version == 4;
    size_t at = v4 ? 12 : 8, bytes = v4 ? 4 : 16; /* of the addresses in the IP header */
    uint8_t *ip = frame + ETHERNET_BYTES;
    memcpy(frame, model, WIRE_HEADER_BYTES);
    if (!end->seen) {
        memcpy(frame, model + 6, 6);
        memcpy(frame + 6, model, 6);
        memcpy(ip + at, model + ETHERNET_BYTES + at + bytes, bytes);
        memcpy(ip + at + bytes, model + ETHERNET_BYTES + at, bytes);
    }
    if (!v4) {
        put16(ip + 4, (unsigned)tcp_bytes);
        ip[6] = IPPROTO_TCP;
        return ETHERNET_BYTES + IPV6_BYTES;
    }
    /*  0                   1                   2                   3
     * | ver.  |  IHL  |     TOS       |         total length          |
     * |        identification         |flags|     fragment offset     |
     * |      TTL      |   protocol    |            checksum           |  RFC 791 section 3.1 */
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)(IPV4_BYTES + tcp_bytes));
    ip[4] ^= 0x80; /* another packet than the model */
    put16(ip + 6, 0x4000);
    put16(ip + 10, 0);
    put16(ip + 10, checksum_of(checksum_add(0, ip, IPV4_BYTES)));
    return ETHERNET_BYTES + IPV4_BYTES;
}

static void put_checksum(const struct wire_end *end, const uint8_t *ip, uint8_t *tcp, size_t tcp_bytes)
{
    bool v4 = end->address.version == 4;
    put16(tcp + 16, 0);
    uint32_t pseudo = checksum_add((uint32_t)tcp_bytes + IPPROTO_TCP, ip + (v4 ? 12 : 8), v4 ? 8 : 32);
    put16(tcp + 16, checksum_of(checksum_add(pseudo, tcp, tcp_bytes)));
}

int64_t wire_forge(const struct wire_track *track, const struct wire_forgery *forgery, uint8_t ret_frame[WIRE_FORGED_MAX])
{
    const struct wire_connection *connection = wire_track_find(track, forgery->connection);
    if (!connection) return -ENOENT;
    size_t side = forgery->from == WIRE_FROM_SERVER;
    const struct wire_end *end = &connection->end[side], *peer = &connection->end[!side];
    size_t option_bytes = end->has_timestamps ? TIMESTAMPS_BYTES : 0;
    size_t tcp_bytes = TCP_BYTES + option_bytes + forgery->length_bytes;
    uint8_t *tcp = ret_frame + put_below(connection, side, tcp_bytes, ret_frame);
    /* |          source port          |        destination port       |
     * |                        sequence number                        |
     * |                     acknowledgment number                     |
     * | offset|       |     flags     |            window             |
     * |           checksum            |        urgent pointer         |  RFC 9293 section 3.1 */
    memset(tcp, 0, TCP_BYTES);
    put16(tcp, end->address.port);
    put16(tcp + 2, peer->address.port);
    put32(tcp + 4, number_of(end, &forgery->seq));
    if (forgery->flags & TCP_ACK) put32(tcp + 8, number_of(peer, &forgery->ack));
    tcp[12] = (uint8_t)((TCP_BYTES + option_bytes) / 4 << 4);
    tcp[13] = forgery->flags;
    put16(tcp + 14, window_of(connection, end, forgery));
    if (option_bytes) { /* NOP, NOP, timestamps: RFC 7323 appendix A */
        static const uint8_t head[] = {1, 1, 8, 10};
        memcpy(tcp + TCP_BYTES, head, sizeof(head));
        put32(tcp + TCP_BYTES + 4, end->ts_value);
        put32(tcp + TCP_BYTES + 8, end->ts_echo);
    }
    memcpy(tcp + TCP_BYTES + option_bytes, forgery->data, forgery->length_bytes);
    put_checksum(end, ret_frame + ETHERNET_BYTES, tcp, tcp_bytes);
    return (int64_t)((size_t)(tcp - ret_frame) + tcp_bytes);
}
