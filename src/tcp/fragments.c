#include "tcp/fragments.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "tcp/seq.h"

static const int64_t GIVE_UP_NS = 30000000000;

bool fragments_any(const struct fragments *fragments)
{
    return fragments->waiting_count > 0;
}

const struct fragments_counts *fragments_counts(const struct fragments *fragments)
{
    return &fragments->counts;
}

const struct fragments_datagram *fragments_out(const struct fragments *fragments, size_t at)
{
    return at < fragments->out_count ? &fragments->outs[at].datagram : NULL;
}

void fragments_clear(struct fragments *fragments)
{
    fragments->out_count = 0;
}

static bool has_bit(const uint8_t *bits, uint32_t at)
{
    return bits[at / 8] >> (at % 8) & 1;
}

static void set_bit(uint8_t *bits, uint32_t at)
{
    bits[at / 8] = (uint8_t)(bits[at / 8] | 1U << (at % 8));
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The header that the datagram would have had in one piece, or of the piece that begins it. Returns its length. */
static uint32_t write_header(const struct fragments_waiting *of, uint32_t length, bool more, uint8_t header[FRAGMENTS_HEADER_MAX])
{
    memset(header, 0, FRAGMENTS_HEADER_MAX);
    if (of->version == 4) {
        header[0] = 0x45;
        put16(header + 2, 20 + length);
        put16(header + 4, of->id);
        header[6] = more ? 0x20 : 0;
        header[8] = of->hops;
        header[9] = of->protocol;
        memcpy(header + 12, of->src, 4);
        memcpy(header + 16, of->dst, 4);
        return 20;
    }
    header[0] = 0x60;
    put16(header + 4, length + (more ? 8 : 0));
    header[6] = more ? IPPROTO_FRAGMENT : of->protocol;
    header[7] = of->hops;
    memcpy(header + 8, of->src, 16);
    memcpy(header + 24, of->dst, 16);
    if (!more) return 40;
    header[40] = of->protocol;
    header[43] = 1; /* more of them */
    put16(header + 44, of->id >> 16);
    put16(header + 46, of->id);
    return 48;
}

/* How much of the datagram's beginning is known without a hole. */
static uint32_t known_bytes(const struct fragments_waiting *of, uint32_t length)
{
    uint32_t units = 0;
    while (units < FRAGMENTS_HEAD_UNITS && has_bit(of->known, units)) units++;
    return units * FRAGMENTS_UNIT < length ? units * FRAGMENTS_UNIT : length;
}

static void hand_out(struct fragments *fragments, const struct fragments_waiting *of, uint32_t length, bool whole, int64_t t_ns,
                     uint64_t number)
{
    if (fragments->out_count == FRAGMENTS_OUT) return; /* its caller did not clear: see the header */
    struct fragments_ready *out = &fragments->outs[fragments->out_count++];
    uint32_t header = write_header(of, length, !whole, out->bytes);
    uint32_t bytes = whole ? known_bytes(of, length) : of->first_captured;
    memcpy(out->bytes + header, of->head, bytes);
    out->datagram = (struct fragments_datagram){
        .t_ns = t_ns, .number = number, .whole = whole, .bytes = out->bytes, .captured = header + bytes, .wire = header + length};
}

static void forget(struct fragments *fragments, struct fragments_waiting *of)
{
    of->used = false;
    fragments->waiting_count--;
}

static void give_up(struct fragments *fragments, struct fragments_waiting *of)
{
    fragments->counts.given_up++;
    if (of->has_header) hand_out(fragments, of, of->first_bytes, false, of->first_ns, of->first_number);
    forget(fragments, of);
}

static bool is_of(const struct fragments_waiting *of, const struct segment_fragment *piece)
{
    return of->used && of->id == piece->id && of->version == piece->version && of->protocol == piece->protocol &&
           !memcmp(of->src, piece->src, 16) && !memcmp(of->dst, piece->dst, 16);
}

static bool is_stale(const struct fragments_waiting *of, int64_t now_ns)
{
    int64_t age_ns;
    return __builtin_sub_overflow(now_ns, of->begun_ns, &age_ns) || age_ns > GIVE_UP_NS || age_ns < -GIVE_UP_NS;
}

/* The place of this piece's datagram; a new one's takes an empty place, or the oldest's. What is stale is given up. */
static struct fragments_waiting *place_of(struct fragments *fragments, const struct segment_fragment *piece, int64_t t_ns)
{
    struct fragments_waiting *found = NULL, *empty = NULL, *oldest = NULL;
    for (size_t i = 0; i < FRAGMENTS_WAITING; i++) {
        struct fragments_waiting *of = &fragments->waiting[i];
        if (of->used && is_stale(of, t_ns)) give_up(fragments, of);
        if (is_of(of, piece)) found = of;
        if (!of->used) empty = of;
        if (of->used && (!oldest || of->begun_ns < oldest->begun_ns)) oldest = of;
    }
    if (found) return found;
    if (!empty) {
        give_up(fragments, oldest);
        empty = oldest;
    }
    memset(empty, 0, offsetof(struct fragments_waiting, head));
    empty->used = true;
    empty->version = piece->version;
    empty->protocol = piece->protocol;
    empty->hops = piece->hops;
    memcpy(empty->src, piece->src, 16);
    memcpy(empty->dst, piece->dst, 16);
    empty->id = piece->id;
    empty->begun_ns = t_ns;
    fragments->waiting_count++;
    return empty;
}

enum fit { FIT_NEW, FIT_AGAIN, FIT_NOT };

/* Whether the piece has its place: nothing of it came before; or all of it did, with the same bytes as far as they are known. */
static enum fit fit_of(const struct fragments_waiting *of, const struct segment_fragment *piece)
{
    uint32_t end = piece->offset_bytes + piece->length_bytes, first = piece->offset_bytes / FRAGMENTS_UNIT, came = 0;
    uint32_t units = (piece->length_bytes + FRAGMENTS_UNIT - 1) / FRAGMENTS_UNIT;
    if (of->total && end > of->total) return FIT_NOT;
    if (!piece->more && (of->total ? end != of->total : of->reach > end)) return FIT_NOT;
    for (uint32_t i = 0; i < units; i++) came += has_bit(of->come, first + i);
    if (came == 0) return FIT_NEW;
    if (came != units) return FIT_NOT;
    for (uint32_t at = 0; at + FRAGMENTS_UNIT <= piece->captured && piece->offset_bytes + at + FRAGMENTS_UNIT <= FRAGMENTS_HEAD;
         at += FRAGMENTS_UNIT)
        if (has_bit(of->known, first + at / FRAGMENTS_UNIT) &&
            memcmp(of->head + piece->offset_bytes + at, piece->bytes + at, FRAGMENTS_UNIT) != 0)
            return FIT_NOT;
    return FIT_AGAIN;
}

static void lay(struct fragments_waiting *of, const struct segment_fragment *piece)
{
    uint32_t first = piece->offset_bytes / FRAGMENTS_UNIT, units = (piece->length_bytes + FRAGMENTS_UNIT - 1) / FRAGMENTS_UNIT;
    uint32_t end = piece->offset_bytes + piece->length_bytes;
    for (uint32_t i = 0; i < units; i++) set_bit(of->come, first + i);
    of->units += units;
    if (end > of->reach) of->reach = end;
    if (!piece->more) of->total = end;
    if (piece->offset_bytes >= FRAGMENTS_HEAD) return;
    uint32_t room = FRAGMENTS_HEAD - piece->offset_bytes, bytes = piece->captured < room ? piece->captured : room;
    if (!bytes) return;
    memcpy(of->head + piece->offset_bytes, piece->bytes, bytes);
    uint32_t whole = bytes == piece->length_bytes ? units : bytes / FRAGMENTS_UNIT;
    for (uint32_t i = 0; i < whole; i++) set_bit(of->known, first + i);
}

void fragments_take(struct fragments *fragments, const struct segment_fragment *piece, const struct event_packet_header *first,
                    int64_t t_ns, uint64_t number)
{
    fragments->counts.pieces++;
    struct fragments_waiting *of = place_of(fragments, piece, t_ns);
    /* Only the last piece may end anywhere, and none beyond what a datagram can hold. */
    bool sound = piece->length_bytes && piece->offset_bytes <= FRAGMENTS_DATAGRAM_MAX &&
                 piece->length_bytes <= FRAGMENTS_DATAGRAM_MAX - piece->offset_bytes &&
                 !(piece->more && piece->length_bytes % FRAGMENTS_UNIT);
    enum fit fit = sound ? fit_of(of, piece) : FIT_NOT;
    if (fit == FIT_NOT) {
        give_up(fragments, of);
        return;
    }
    if (fit == FIT_AGAIN) {
        fragments->counts.again++;
        return;
    }
    lay(of, piece);
    if (piece->offset_bytes == 0) {
        of->hops = piece->hops;
        of->first_ns = t_ns;
        of->first_number = number;
        of->first_bytes = piece->length_bytes;
        of->first_captured = piece->captured < FRAGMENTS_HEAD ? piece->captured : FRAGMENTS_HEAD;
        of->has_header = first != NULL;
        if (first) of->header = *first;
    }
    if (!of->total || of->units != (of->total + FRAGMENTS_UNIT - 1) / FRAGMENTS_UNIT) return;
    fragments->counts.whole++;
    hand_out(fragments, of, of->total, true, t_ns, number);
    forget(fragments, of);
}

void fragments_due(struct fragments *fragments, const struct event_packet_header *header)
{
    for (size_t i = 0; fragments->waiting_count && i < FRAGMENTS_WAITING; i++) {
        struct fragments_waiting *of = &fragments->waiting[i];
        if (!of->used || !of->has_header || of->header.protocol != IPPROTO_TCP) continue;
        bool same = address_equal(&of->header.src, &header->src) && address_equal(&of->header.dst, &header->dst);
        bool back = address_equal(&of->header.src, &header->dst) && address_equal(&of->header.dst, &header->src);
        if (same || (back && header->flags & TCP_ACK && seq_before(of->header.seq, header->ack))) give_up(fragments, of);
    }
}

void fragments_finish(struct fragments *fragments)
{
    for (size_t i = 0; fragments->waiting_count && i < FRAGMENTS_WAITING; i++)
        if (fragments->waiting[i].used) give_up(fragments, &fragments->waiting[i]);
}
