/* RSTs that ended a connection that stood, and that nothing shows the end that they name to have sent. */
#include <inttypes.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/segment.h"

/* Fewer segments do not show which hop limit is usual. */
enum { USUAL_LEAST = 2 };

/* Its hop limit where it was captured; 0: not kept, or captured as it left. */
static uint8_t hops_of(const struct tale_packet *packet)
{
    const struct event_packet *seen = &packet->seen->packet;
    struct event_packet decoded = {0};
    struct segment_beside beside = {0};
    if (!seen->bytes || !seen->captured_bytes) return 0;
    segment_decode_beside(seen->link_type, seen->bytes, seen->captured_bytes, seen->wire_bytes, &decoded, &beside);
    return beside.hops;
}

/* What all other segments of its side that were seen at the same place have, `ret_count` of them; 0: they differ among themselves,
 * one is as the RST, or there are too few. */
static uint8_t usual_hops(const struct telling *telling, const struct tale_packet *reset, uint8_t hops, uint32_t *ret_count)
{
    uint8_t usual = 0;
    *ret_count = 0;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet == reset || !finding_is_own(packet, reset->side) || packet->segment->kind == STORY_RST) continue;
        uint8_t other = hops_of(packet);
        if (packet->seen->packet.vantage != reset->seen->packet.vantage || !other) continue;
        if (other == hops || (usual && other != usual)) return 0;
        usual = other;
        ++*ret_count;
    }
    return *ret_count >= USUAL_LEAST ? usual : 0;
}

/* The connection stood until it, and its sender says nothing more. */
static bool is_the_end(const struct telling *telling, const struct tale_packet *reset)
{
    bool spoke[STORY_SIDES] = {false, false};
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet == reset) continue;
        bool before = packet < reset, own = packet->side == reset->side;
        if (before && packet->segment->flags & (TCP_FIN | TCP_RST)) return false;
        if (before && packet->segment->flags & TCP_ACK) spoke[packet->side] = true;
        if (!before && own && packet->segment->kind != STORY_RST) return false;
    }
    return spoke[STORY_CLIENT] && spoke[STORY_SERVER];
}

/* What made it was not seen, and its sender's host, where it would have been, is not watched. */
static bool is_unaccounted(const struct telling *telling, const struct tale_packet *reset)
{
    if (reset->segment->copy || reset->segment->unsent || telling_is_lost(telling, reset)) return false;
    if (reset->seen->marked || telling->flow->sock[reset->side] || finding_left_here(telling, reset)) return false;
    return reset->cause->kind == CAUSE_UNKNOWN && reset->verdict.reset == RESET_TAKEN;
}

/* The segment whose ACK number it carries, as the answer of a host that knows no such connection does (RFC 9293 section 3.10.7.1).
 * NULL: it is no such answer. Who has said anything since that came knew the connection, and answered: stacks are seen on the wire
 * whose aborts carry no ACK. */
static const struct tale_packet *answers(const struct telling *telling, const struct tale_packet *reset)
{
    const struct tale_packet *found = NULL;
    if (reset->segment->flags & TCP_ACK) return NULL;
    for (const struct tale_packet *packet = telling->packets; packet < reset; packet++)
        if (packet->segment && packet->side != reset->side && packet->segment->flags & TCP_ACK &&
            packet->segment->ack_absolute == reset->segment->seq_absolute && finding_arrival_ns(packet) <= reset->sent_ns)
            found = packet;
    for (const struct tale_packet *own = telling->packets; found && own < reset; own++)
        if (finding_is_own(own, reset->side) && own->sent_ns >= finding_arrival_ns(found) && own > found) return NULL;
    if (!found) return NULL;
    bool probes = found->verdict.class == CONN_KEEPALIVE || found->verdict.class == CONN_WINDOW_PROBE;
    return probes || segment_space(&found->seen->packet.header) ? found : NULL;
}

static void say(struct telling *telling, const struct tale_packet *reset)
{
    uint32_t count;
    uint8_t hops = hops_of(reset), usual = hops ? usual_hops(telling, reset, hops, &count) : 0;
    const struct tale_packet *by = answers(telling, reset);
    const char *side = story_side_word(reset->side);
    uint32_t proof[2] = {by ? by->step : STORY_NO_STEP, reset->step};
    if (usual)
        finding_add(
            telling, "reset-unowned", "error",
            telling_printf(
                telling,
                "the RST (#%" PRIu32
                ") in the %s's name came with hop limit %u, all other segments of the %s with %u: most likely something on "
                "the way made it (a firewall's reject, intrusion prevention, a load balancer), and the %s was not told; look "
                "at what lies between; a capture at the %s tells whether it sent it",
                reset->segment->number, side, hops, side, usual, side, side),
            FINDING_PROOF(proof));
    else if (by)
        finding_add(
            telling, "reset-unowned", "error",
            telling_printf(
                telling,
                "the RST (#%" PRIu32 ") ended a connection that stood: it bears the ACK number of #%" PRIu32
                ", as the answer of a host does that knows of no such connection. Either the %s's end was gone without a "
                "word that came here (it restarted, its RST was lost, another host took over its address), or something on "
                "the way made it (a firewall, a load balancer or NAT that has forgotten the connection); a capture at the %s "
                "tells whether it sent it",
                reset->segment->number, by->segment->number, side, side),
            FINDING_PROOF(proof));
}

void findings_unowned(struct telling *telling)
{
    if (telling->story->outcome == OUTCOME_REFUSED || telling->teller->unfiltered) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->kind != STORY_RST || packet->seen->copy) continue;
        if (is_unaccounted(telling, packet) && is_the_end(telling, packet)) say(telling, packet);
        return; /* the first alone ended what stood */
    }
}
