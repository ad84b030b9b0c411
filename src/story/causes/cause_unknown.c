/* What can be said of a segment whose cause is not known: less than a cause, and more than nothing. */
#include <inttypes.h>
#include <string.h>

#include "base/lang.h"
#include "story/causes/cause.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static const char *of_reset(const struct telling *telling, const struct tale_packet *packet)
{
    const struct sweep *sweep = &telling->sweep;
    const struct event_packet_header *header = header_of(packet);
    if (!(header->flags & TCP_ACK) || !sweep->has_reach[packet->side] || header->seq != sweep->reach[packet->side]) return NULL;
    return tr(
        "an abort, not an answer (an answer to an ACK carries none): close() with unread data, SO_LINGER with 0, a timer that "
        "gave "
        "up, or a box between the ends");
}

static const char *of_ack(struct telling *telling, const struct tale_packet *packet)
{
    const struct sweep *sweep = &telling->sweep;
    const struct event_packet_header *header = header_of(packet);
    enum story_side side = packet->side, peer = side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    if (telling->flow->to_itself) return NULL;
    if (packet->verdict.class == CONN_STRAY)
        return tr(
            "its numbers are not of this connection: its sender holds an older one between these ends, and says what it expects "
            "there");
    if (!sweep->has_reach[peer] || seq_before(sweep->reach[peer], header->ack)) return tr("it acknowledges what was not captured");
    if (!sweep->has_acked[side] || seq_before(sweep->acked[side], header->ack)) return NULL;
    if (packet->seen->packet.options.present & OPTION_MPTCP)
        return tr("it acknowledges nothing new: what it says is in its Multipath TCP option");
    if (packet->verdict.class == CONN_CHALLENGE_ACK && cause_is_of_question(telling, packet))
        return telling_printf(telling,
                              "a challenge ACK, as it seems: the SYN of connection %" PRIu32
                              " between the same ends had just come to it, and it still holds this one (RFC 5961 section 4)",
                              telling->flow->questioned_by);
    const struct tale_packet *last = cause_last_before(telling, packet);
    if (packet->verdict.class == CONN_DUPLICATE_ACK && last && is_tcp(last) && cause_is_too_old(packet, last))
        return telling_printf(telling,
                              "a duplicate ACK: the time stamp of #%" PRIu32
                              " is older than one that had come before, and what bears such a one is dropped and answered so "
                              "(PAWS, RFC 7323 section 5.3)",
                              last->segment->number);
    if (packet->verdict.class == CONN_DUPLICATE_ACK && packet->seen->packet.options.present & OPTION_SACK)
        return tr("a duplicate ACK: its SACK option says that something came behind a gap, or twice (RFC 2883)");
    if (packet->verdict.class == CONN_DUPLICATE_ACK)
        return tr("a duplicate ACK: something that was old, or behind a gap, or outside the window, reached its sender");
    if (header->window < sweep->window[side])
        return tr("it acknowledges nothing new and offers a smaller window: its buffer has shrunk, or holds what did not count");
    if (header->window > sweep->window[side])
        return tr("it acknowledges nothing new and offers another window: data was read, or the buffer has grown");
    return tr("it acknowledges nothing new: the answer to what came twice or did not fit, or the capture shows it twice");
}

const char *cause_why_unknown(struct telling *telling, const struct tale_packet *packet)
{
    const char *why = NULL;
    if (cause_is_bare(packet))
        return tr("it has no ACK flag, as nothing that TCP sends once it is connected: a scan, or made by hand");
    if (packet->seen->marked && packet->chain.meaning == CHAIN_HELD)
        return tr(
            "it was made before, and held until the next hop's link address was known or a verdict on it had come: who made it "
            "does not show");
    if (is_tcp(packet) && packet->segment->kind == STORY_RST) why = of_reset(telling, packet);
    if (is_tcp(packet) && packet->segment->kind == STORY_ACK) why = of_ack(telling, packet);
    return why ? why : tr("nothing that was recorded explains it");
}
