/* Two captures that anybody may have written, compared: the bytes are packets, as an eye would see them, that share and differ in
 * little; whatever they are, nothing may break, and what is said of them must hold together. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clocks/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORD_BYTES = 12, PACKETS_MAX = 400 };

/* | capture, direction, flow | flags | seq | ack | length | time: a byte that says how, and a step (2) | id | hops and timestamps |
 * …| */
static void take(const uint8_t *at, struct match_packet *packets[MATCH_CAPTURES], size_t counts[MATCH_CAPTURES],
                 int64_t now_ns[MATCH_CAPTURES])
{
    static const int64_t steps_ns[] = {1, 1000, 1000000, 1000000000, -1000, -1000000000, 60000000000, 1000000000000000000 / 64};
    int capture = at[0] & 1;
    struct match_packet *packet = &packets[capture][counts[capture]++];
    memset(packet, 0, sizeof(*packet));
    uint8_t ips[2][4] = {{192, 0, 2, 1}, {192, 0, 2, (uint8_t)(2 + (at[0] >> 6))}};
    int way = at[0] >> 1 & 1;
    packet->header.src = address_v4(ips[way], (uint16_t)(1000 + (at[0] >> 2 & 7)));
    packet->header.dst = address_v4(ips[!way], (uint16_t)(1000 + (at[0] >> 2 & 7)));
    packet->header.protocol = 6;
    packet->header.flags = at[1];
    packet->header.seq = at[2] & 0x80 ? (uint32_t)at[2] << 24 : at[2];
    packet->header.ack = at[3] & 0x80 ? (uint32_t)at[3] << 24 : at[3];
    packet->header.length_bytes = at[4] & 0x80 ? (uint32_t)at[4] << 20 : at[4] & 0x0f;
    int64_t step_ns = steps_ns[at[5] & 7] * (1 + (at[6] & 0x3f));
    if (__builtin_add_overflow(now_ns[capture], step_ns, &now_ns[capture])) now_ns[capture] = INT64_MIN;
    packet->t_ns = now_ns[capture];
    packet->number = counts[capture];
    packet->ip_id = at[7];
    packet->hops = at[8];
    packet->has_ts = at[9] & 1;
    packet->ts_value = at[9] >> 1;
    packet->ts_echo = at[10] & 0x3f;
    packet->interface = at[10] >> 6;
    match_read_ip(packet, at, RECORD_BYTES);
    packet->ip_id = at[7];
    packet->hops = at[8];
}

static bool is_time(int64_t ns)
{
    return ns >= -CLOCKS_TIME_MOST_NS && ns <= CLOCKS_TIME_MOST_NS;
}

/* Whatever the captures' times are, corrected ones can be added and subtracted. */
static void check_times(const struct match *match)
{
    for (int capture = 0; capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < match->count[capture]; i++)
            if (!is_time(match->packet[capture][i].common_ns)) abort();
    if (!match->clocks.count || match->clocks.count > CLOCKS_PIECES_MAX) abort();
    for (size_t i = 0; i < match->clocks.count; i++) {
        const struct clocks_piece *piece = &match->clocks.piece[i];
        if (!is_time(piece->offset_ns) || piece->uncertainty_ns < -1 || piece->most_ns < -1 || piece->drift_within_ppb < -1)
            abort();
        if (piece->span_ns < 0 || !is_time(clocks_to_a(&match->clocks, piece->from_order, piece->first_ns))) abort();
    }
}

static void check(const struct match *match)
{
    check_times(match);
    for (int capture = 0; capture < MATCH_CAPTURES; capture++)
        for (size_t i = 0; i < match->count[capture]; i++) {
            const struct match_packet *packet = &match->packet[capture][i];
            if (packet->fate >= FATES || packet->flow >= match->flow_count) abort();
            if (packet->twin != MATCH_NONE &&
                (packet->twin >= match->count[!capture] || match->packet[!capture][packet->twin].twin != i))
                abort();
            if (packet->twin != MATCH_NONE && (packet->is_piece || packet->covers)) abort();
            if (packet->covers && packet->first_cover + packet->covers > match->cover_count) abort();
            for (uint32_t k = 0; k < packet->covers; k++) {
                const struct match_cover *cover = &match->cover[packet->first_cover + k];
                if (cover->sent != packet || cover->from >= cover->to || cover->to > packet->header.length_bytes) abort();
            }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct match_packet room[MATCH_CAPTURES][PACKETS_MAX];
    struct match_packet *packets[MATCH_CAPTURES] = {room[0], room[1]};
    struct match match = {0};
    int64_t now_ns[MATCH_CAPTURES] = {0, 0};
    size_t counts[MATCH_CAPTURES] = {0, 0};
    for (size_t i = 0; i + RECORD_BYTES <= size && i < PACKETS_MAX * RECORD_BYTES; i += RECORD_BYTES)
        take(data + i, packets, counts, now_ns);
    for (int capture = 0; capture < MATCH_CAPTURES; capture++) {
        match.packet[capture] = packets[capture];
        match.count[capture] = counts[capture];
        match.first_ns[capture] = counts[capture] ? packets[capture][0].t_ns : 0;
        match.last_ns[capture] = now_ns[capture];
    }
    struct match_translation found;
    if (match_translate(&match, &found) == 0 && match_run(&match, 2) == 0) check(&match);
    match_free(&match);
    return 0;
}
