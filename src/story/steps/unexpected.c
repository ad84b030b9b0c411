/* What reaches an end, or leaves it, in a state from which no arrow of RFC 9293 leads. The end stays where it is, and that is said.
 *
 * Most pairs of state and input stay by right: a segment sent again, a RST to a closed end, the ACK that an end which has gone on
 * already gets late. Those are passed over. What is left should not occur, and tells either of a peer that breaks the rules, or of
 * segments that nobody captured. */
#include "base/lang.h"
#include "story/steps/telling.h"
#include "tcp/processing.h"
#include "tcp/seq.h"

static void note(struct telling *telling, enum story_side side, uint32_t packet, enum tcp_state state, const char *section,
                 const char *does)
{
    struct surprise *surprise =
        track_grow((void **)&telling->surprises, &telling->surprise_count, &telling->surprise_room, sizeof(*surprise));
    if (!surprise)
        telling->failed = true;
    else
        *surprise = (struct surprise){.side = side, .packet = packet, .state = state, .section = section, .does = does};
}

/* Text behind the peer's FIN: "this should not occur" (section 3.10.7.4). */
static bool is_behind_the_fin(const struct conn_end *from, const struct event_packet_header *header)
{
    return from->flags & END_FIN_TAKEN && header->length_bytes && seq_before(from->got, header->seq + header->length_bytes);
}

static bool arrives_unexpected(const struct conn_end *end, const struct conn_end *from, const struct event_packet_header *header,
                               enum processing_event *ret_event)
{
    if (header->flags & (TCP_SYN | TCP_RST) || end->state <= STATE_CLOSED) return false;
    *ret_event = header->flags & TCP_FIN ? ON_FIN : ON_DATA;
    if (end->state == STATE_LISTEN || end->state == STATE_SYN_SENT) return header->flags & TCP_FIN || header->length_bytes;
    if (!(header->flags & TCP_ACK)) {
        *ret_event = ON_FIN_BARE; /* every segment of an open connection has the bit */
        return true;
    }
    *ret_event = ON_DATA;
    return is_behind_the_fin(from, header);
}

void unexpected_arrival(struct telling *telling, enum story_side side, uint32_t packet)
{
    enum processing_event event;
    const struct conn_end *end = telling_end_now(telling, side), *from = telling_end_now(telling, telling->packets[packet].side);
    if (!arrives_unexpected(end, from, &telling->packets[packet].seen->packet.header, &event)) return;
    const struct processing_row *row = processing_find((enum tcp_state)end->state, event);
    note(telling, side, packet, (enum tcp_state)end->state, row ? row->section : "3.10.7", row ? row->does : TR("it is dropped"));
}

/* A closed end is done with everything. An ACK of a SYN comes late to an end that closed in SYN_RCVD. A RST is never answered. What
 * a call or a timer says of an end that has gone on is no news. */
static bool stays_by_right(enum tcp_state state, enum tcp_input input)
{
    switch (input) {
    case INPUT_SENT_SYN:
    case INPUT_SENT_SYN_ACK:
    case INPUT_SENT_RST:
        return state == STATE_UNKNOWN;
    case INPUT_SENT_FIN: /* it crossed a RST, and the capture was not at its sender's */
    case INPUT_RCVD_FIN:
    case INPUT_RCVD_ACK_OF_FIN:
        return state == STATE_UNKNOWN || state == STATE_CLOSED;
    default:
        return true;
    }
}

void unexpected_input(struct telling *telling, enum story_side side, enum tcp_state state, enum tcp_input input, uint32_t packet)
{
    if (packet == STORY_NO_STEP || stays_by_right(state, input)) return;
    note(telling, side, packet, state, "3.10", NULL);
}
