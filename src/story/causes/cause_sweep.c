/* The calls and packets of a story gone through once, in order of time: what the rules know of all that came before. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "story/causes/cause.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static bool can_send_fin(const struct call *call)
{
    return call->traits & (CALL_CLOSES | CALL_CLOSES_RANGE) || (call->traits & CALL_SHUTS_DOWN && call->how != SHUT_RD);
}

bool cause_can_send(const struct call *call, const struct tale_packet *packet)
{
    const uint32_t traits = call->traits;
    if (!is_tcp(packet)) return traits & CALL_WRITES;
    bool ends = traits & (CALL_CLOSES | CALL_CLOSES_RANGE | CALL_CONNECTS);
    /* A listener's shutdown() resets what waits in its queue (inet_csk_listen_stop). */
    bool stops = traits & CALL_SHUTS_DOWN && call->how != SHUT_WR && !call->socket.remote.port;
    switch (packet->segment->kind) {
    case STORY_SYN:
        return traits & (CALL_CONNECTS | CALL_SENDS);
    case STORY_FIN:
        return can_send_fin(call);
    case STORY_RST: /* whoever aborts acknowledges (tcp_send_active_reset); one without ACK answers a segment, one with sequence
                       number 0 a SYN (RFC 9293 section 3.10.7.1) */
        return header_of(packet)->flags & TCP_ACK && header_of(packet)->seq != 0 && (ends || stops);
    case STORY_DATA:
        return traits & CALL_WRITES;
    default:
        return false;
    }
}

bool cause_can_acknowledge(const struct call *call)
{
    return call->traits & (CALL_READS | CALL_SETS_OPTION);
}

/* A SYN is answered at once, as its SYN,ACK is. */
static void note_turn(struct telling *telling, const struct tale_packet *packet, int64_t syn_ns[static STORY_SIDES])
{
    struct sweep *sweep = &telling->sweep;
    enum story_side side = packet->side, peer = telling_receiver(telling, side);
    uint8_t flags = header_of(packet)->flags;
    if (flags & TCP_RST || (flags & (TCP_SYN | TCP_ACK)) == 0) return;
    if (flags & TCP_ACK && syn_ns[peer] && !sweep->turn_ns[side]) sweep->turn_ns[side] = packet->sent_ns - syn_ns[peer] + 1;
    if (flags & TCP_SYN) syn_ns[side] = packet->sent_ns;
}

/* What the handshake says of windows and of the way, and when data first came. */
static void look_ahead(struct telling *telling)
{
    struct sweep *sweep = &telling->sweep;
    unsigned scales = 0;
    int64_t syn_ns[STORY_SIDES] = {0};
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!is_tcp(packet) || packet->seen->copy) continue;
        note_turn(telling, packet, syn_ns);
        const struct event_options *options = &packet->seen->packet.options;
        if (header_of(packet)->flags & TCP_SYN && options->present & OPTION_WSCALE) {
            sweep->scale[packet->side] = options->wscale > 14 ? 14 : options->wscale;
            scales |= 1u << packet->side;
        }
        enum story_side to = telling_receiver(telling, packet->side);
        if (header_of(packet)->length_bytes && !telling_is_lost(telling, packet) && arrival_ns(packet) < sweep->first_data_ns[to])
            sweep->first_data_ns[to] = arrival_ns(packet);
    }
    sweep->scaled = scales == 3;
}

void cause_sweep_end(struct telling *telling)
{
    free(telling->sweep.open);
}

void cause_sweep_begin(struct telling *telling)
{
    struct sweep *sweep = &telling->sweep;
    for (size_t side = 0; side < STORY_SIDES; side++) {
        sweep->data_queued_ns[side] = sweep->fin_queued_ns[side] = sweep->first_data_ns[side] = INT64_MAX;
        sweep->released_ns[side] = sweep->calm_ns[side] = sweep->read_ns[side] = sweep->abort_ns[side] = sweep->asked_ns[side] =
            sweep->shut_ns[side] = INT64_MIN;
    }
    look_ahead(telling);
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        enum story_side side = telling->calls[i].story->side;
        sweep->any_call[side] = true;
        if (!call->exited) continue;
        if (call->traits & CALL_WRITES && call->exit_ns < sweep->data_queued_ns[side]) sweep->data_queued_ns[side] = call->exit_ns;
        if (can_send_fin(call) && call->exit_ns < sweep->fin_queued_ns[side]) sweep->fin_queued_ns[side] = call->exit_ns;
    }
}

static void raise(uint32_t *highest, bool *has, uint32_t to)
{
    if (*has && !seq_before(*highest, to)) return;
    *highest = to;
    *has = true;
}

static void note_numbers(struct sweep *sweep, enum story_side side, const struct event_packet_header *header)
{
    if (header->flags & TCP_RST) return;
    raise(&sweep->reach[side], &sweep->has_reach[side], header->seq + segment_space(header));
    if (!(header->flags & TCP_ACK)) return;
    raise(&sweep->acked[side], &sweep->has_acked[side], header->ack);
    sweep->window[side] = header->window;
    sweep->is_first_window[side] = header->flags & TCP_SYN;
    if (header->flags & TCP_SYN) sweep->first_window[side] = header->window;
}

static void note_data(struct sweep *sweep, const struct tale_packet *packet)
{
    enum story_side side = packet->side;
    const struct event_packet_header *header = header_of(packet);
    bool after = packet->sent_ns >= sweep->first_data_ns[side];
    if (header->length_bytes) {
        sweep->last_data[side] = packet;
        sweep->persists[side] = false;
        if (after) sweep->has_replied[side] = true;
        if (header->length_bytes > sweep->largest[side]) sweep->largest[side] = header->length_bytes;
    } else if (after && !segment_space(header) && !(header->flags & TCP_RST)) {
        sweep->data_acks[side]++;
    }
}

/* The end of the handshake as `to` learns of it: nothing of it is under way any more. */
static void note_opening(struct telling *telling, const struct tale_packet *packet, enum story_side to)
{
    struct sweep *sweep = &telling->sweep;
    bool first = !sweep->has_acked[packet->side] && telling->conn.flags & CONN_OPENED;
    if (first && sweep->has_reach[to] && header_of(packet)->ack == sweep->reach[to]) sweep->calm_ns[to] = arrival_ns(packet);
}

/* Its ACK acknowledges something new, or it opens a window that had been shut: what its receiver had to hold back may leave. */
static void note_release(struct telling *telling, const struct tale_packet *packet)
{
    struct sweep *sweep = &telling->sweep;
    const struct event_packet_header *header = header_of(packet);
    enum story_side side = packet->side, to = telling_receiver(telling, side);
    if (!(header->flags & TCP_ACK) || header->flags & TCP_RST || telling_is_lost(telling, packet)) return;
    note_opening(telling, packet, to);
    if (header->flags & TCP_SYN) return;
    bool more = sweep->has_acked[side] && seq_before(sweep->acked[side], header->ack);
    bool opens = sweep->has_acked[side] && header->window > sweep->window[side];
    if (!more && !opens) return;
    if (more) sweep->calm_ns[to] = arrival_ns(packet);
    bool anew = sweep->released_ns[to] == INT64_MIN || arrival_ns(packet) - sweep->released_ns[to] >= cause_held_ns(telling);
    if (anew) sweep->held_from[to] = sweep->acked[side];
    sweep->has_held_from[to] = true;
    sweep->released_ns[to] = arrival_ns(packet);
    sweep->released_by[to] = packet;
    sweep->releases_by_window[to] = opens && !sweep->window[side];
    if (sweep->in_recovery[to] && seq_at_or_before(sweep->recovery_to[to], header->ack)) sweep->in_recovery[to] = false;
}

static void note_window(struct telling *telling, const struct tale_packet *packet)
{
    int64_t *shut_ns = &telling->sweep.shut_ns[telling_receiver(telling, packet->side)];
    if ((header_of(packet)->flags & (TCP_ACK | TCP_RST)) != TCP_ACK || telling_is_lost(telling, packet)) return;
    if (header_of(packet)->window)
        *shut_ns = INT64_MIN;
    else if (*shut_ns == INT64_MIN)
        *shut_ns = arrival_ns(packet);
}

/* It lies behind what was not captured, or acknowledges that. */
static bool shows_gap(const struct telling *telling, const struct tale_packet *packet)
{
    const struct event_packet_header *header = header_of(packet);
    enum story_side to = telling_receiver(telling, packet->side);
    bool acks = (header->flags & (TCP_ACK | TCP_RST)) == TCP_ACK && telling->sweep.has_reach[to];
    return packet->verdict.opens_hole || (acks && seq_before(telling->sweep.reach[to], header->ack));
}

static void note_syn(struct telling *telling, const struct tale_packet *packet)
{
    if ((header_of(packet)->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN) return;
    struct sweep *sweep = &telling->sweep;
    const struct tale_packet *before = sweep->syn[packet->side] ? &telling->packets[sweep->syn[packet->side] - 1] : NULL;
    if (!before || header_of(before)->seq != header_of(packet)->seq) sweep->syn_ns[packet->side] = packet->sent_ns;
    sweep->syn[packet->side] = (size_t)(packet - telling->packets) + 1;
}

void cause_sweep_packet(struct telling *telling, const struct tale_packet *packet)
{
    if (!is_tcp(packet)) return;
    note_syn(telling, packet);
    if (shows_gap(telling, packet)) telling->sweep.any_gap = true;
    if (segment_space(header_of(packet))) telling->sweep.last_space[packet->side] = packet;
    if (!(header_of(packet)->flags & (TCP_SYN | TCP_RST))) telling->sweep.speaks[packet->side] = true;
    if (packet->segment->retransmission) telling->sweep.has_repeated[packet->side] = true;
    if ((header_of(packet)->flags & (TCP_FIN | TCP_RST)) == TCP_FIN) telling->sweep.fin[packet->side] = true;
    if (header_of(packet)->flags & TCP_RST) telling->sweep.resets[packet->side] = true;
    bool aborts = packet->cause->kind == CAUSE_CALL || packet->cause->kind == CAUSE_TIMER || packet->cause->kind == CAUSE_EXIT;
    if (header_of(packet)->flags & TCP_RST && aborts) telling->sweep.abort_ns[packet->side] = packet->sent_ns;
    note_data(&telling->sweep, packet);
    bool moves = packet->verdict.class == CONN_WINDOW_UPDATE,
         shut = !header_of(packet)->window && !(header_of(packet)->flags & TCP_RST);
    if (moves || shut) telling->sweep.is_full[packet->side] = true;
    note_window(telling, packet);
    note_release(telling, packet);
    note_numbers(&telling->sweep, packet->side, header_of(packet));
}

static void note_over(struct telling *telling, const struct tale_call *call)
{
    int64_t *read_ns = &telling->sweep.read_ns[call->story->side];
    if (cause_can_acknowledge(call->call) && call->call->exit_ns > *read_ns) *read_ns = call->call->exit_ns;
}

/* Goes on to this moment: no call is looked at again once it is over, so a long recording is told in time. */
void cause_sweep_calls(struct telling *telling, int64_t t_ns)
{
    struct sweep *sweep = &telling->sweep;
    for (; sweep->next_call < telling->call_count; sweep->next_call++) {
        const struct call *call = telling->calls[sweep->next_call].call;
        if ((call->entered ? call->enter_ns : call->exit_ns) > t_ns) break;
        if (!call->entered) {
            note_over(telling, &telling->calls[sweep->next_call]);
            continue;
        }
        size_t *open = track_grow((void **)&sweep->open, &sweep->open_count, &sweep->open_room, sizeof(*open));
        if (open)
            *open = sweep->next_call;
        else
            telling->failed = true;
    }
    size_t kept = 0;
    for (size_t i = 0; i < sweep->open_count; i++) {
        const struct call *call = telling->calls[sweep->open[i]].call;
        if (!call->exited || t_ns <= call->exit_ns)
            sweep->open[kept++] = sweep->open[i];
        else
            note_over(telling, &telling->calls[sweep->open[i]]);
    }
    sweep->open_count = kept;
}
