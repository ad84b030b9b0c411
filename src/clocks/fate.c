/* What became of packets that are in one capture alone. */
#include <errno.h>
#include <stdlib.h>

#include "clocks/match_own.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* By a's clock: from when to when a capture is known to have been running. */
struct running {
    int64_t from_ns, to_ns;
};

static struct running running(const struct match *match, int capture)
{
    if (capture == MATCH_A) return (struct running){match->first_ns[MATCH_A], match->last_ns[MATCH_A]};
    return (struct running){clocks_to_a(&match->clocks, 0, match->first_ns[MATCH_B]),
                            clocks_to_a(&match->clocks, UINT64_MAX, match->last_ns[MATCH_B])};
}

static bool is_alone(const struct match_packet *packet)
{
    return packet->twin == MATCH_NONE && !packet->doubled && !packet->is_piece && !packet->covers;
}

static bool is_compared(const struct match *match, const struct match_packet *packet)
{
    const struct match_flow *flow = &match->flow[packet->flow];
    return flow->pairs[packet->from_low] || flow->watched;
}

/* Seen at its receiver's side alone. */
static void judge_arrival(struct match *match, int capture, struct match_packet *packet)
{
    struct running other = running(match, !capture);
    if (packet->fate == FATE_COPY) return;
    packet->fate = FATE_CAME;
    if (!is_compared(match, packet)) return;
    int64_t usual_ns = match->usual_ns[capture == MATCH_B], room_ns = match_tolerance(match, packet->number);
    if (packet->common_ns - other.from_ns < usual_ns + room_ns || packet->common_ns > other.to_ns) return;
    packet->fate = FATE_UNSENT;
    /* What nobody sent may be made by somebody on the way: a firewall's reset says nothing of the capture. */
    if (!(packet->header.flags & TCP_RST)) match->short_of[!capture] = true;
}

/* Whether what it carried was sent again later, and that came. */
static bool came_later(const struct match *match, int capture, size_t index)
{
    enum { LATER_MAX = 1024 };
    const struct match_packet *packet = &match->packet[capture][index];
    uint32_t end = packet->header.seq + segment_space(&packet->header);
    for (size_t i = index + 1; i < match->count[capture] && i - index < LATER_MAX; i++) {
        const struct match_packet *later = &match->packet[capture][i];
        if (later->flow != packet->flow || later->from_low != packet->from_low) continue;
        if (later->twin == MATCH_NONE || (later->header.flags ^ packet->header.flags) & TCP_SYN) continue;
        if (seq_at_or_before(later->header.seq, packet->header.seq) &&
            seq_at_or_before(end, later->header.seq + segment_space(&later->header)))
            return true;
    }
    return false;
}

/* Seen at its sender's side alone. */
static void judge_departure(const struct match *match, int capture, size_t index, const struct acked *acked)
{
    struct match_packet *packet = &match->packet[capture][index];
    struct running other = running(match, !capture);
    uint32_t space = segment_space(&packet->header);
    if (!is_compared(match, packet)) return;
    if (space && acked_has(match, acked, packet)) {
        packet->fate = FATE_PASSED;
        return;
    }
    int64_t usual_ns = match->usual_ns[capture == MATCH_A], room_ns = match_tolerance(match, packet->number);
    if (other.to_ns - packet->common_ns < usual_ns + room_ns) return;
    if (packet->common_ns - other.from_ns < -usual_ns) {
        packet->early = space && came_later(match, capture, index);
        if (packet->early) packet->fate = FATE_LOST;
        return;
    }
    /* What takes no sequence number is never acknowledged: a capture that drops packets may have dropped this one. */
    if (space || !match->short_of[!capture]) packet->fate = FATE_LOST;
}

int match_find_fates(struct match *match)
{
    struct acked acked[MATCH_CAPTURES] = {{0}, {0}};
    int code = match_find_watched(match);
    if (!code) code = match_copies(match);
    for (int capture = 0; capture < MATCH_CAPTURES && !code; capture++) {
        code = acked_find(match, capture, &acked[capture]);
        for (size_t i = 0; i < match->count[capture] && !code; i++) {
            struct match_packet *packet = &match->packet[capture][i];
            if (is_alone(packet) && !packet->sender_side) judge_arrival(match, capture, packet);
        }
    }
    /* First those with numbers: they show which capture drops packets. */
    for (int numbered = 1; numbered >= 0 && !code; numbered--)
        for (int capture = 0; capture < MATCH_CAPTURES; capture++)
            for (size_t i = 0; i < match->count[capture]; i++) {
                struct match_packet *packet = &match->packet[capture][i];
                bool has_space = segment_space(&packet->header) != 0;
                if (!packet->sender_side || packet->twin != MATCH_NONE || packet->doubled || has_space != (bool)numbered) continue;
                judge_departure(match, capture, i, &acked[!capture]);
                if (packet->fate == FATE_PASSED) match->short_of[!capture] = true;
            }
    for (int capture = 0; capture < MATCH_CAPTURES; capture++) free(acked[capture].range);
    return code;
}
