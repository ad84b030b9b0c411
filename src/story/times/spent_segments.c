/* What segments say of where the time went. */
#include <string.h>

#include "story/times/spent.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static bool is_one_of(const struct tale_packet *packet, enum story_kind kind)
{
    return packet->segment && packet->segment->kind == kind && !packet->segment->copy && !packet->segment->unsent;
}

/* A SYN (a SYN-ACK) and the same once more: until then it was waited for an answer. Whoever sent anything else in between has had
 * one. */
static void claim_repeats(const struct telling *telling, struct spent_claims *claims, enum story_kind kind)
{
    const struct tale_packet *before = NULL;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (before && kind == STORY_SYN && finding_is_own(packet, before->side) && !(packet->segment->flags & TCP_SYN)) return;
        if (!is_one_of(packet, kind) || (before && packet->side != before->side)) continue;
        if (before)
            spent_claim(claims, finding_is_queue_full(before) ? SPENT_FULL_QUEUE : SPENT_SYN_AGAIN, before->sent_ns,
                        packet->sent_ns);
        before = packet;
    }
}

/* The ACK that was to end the handshake was dropped for a full queue: until it was asked for once more. */
static void claim_dropped_acks(const struct telling *telling, struct spent_claims *claims)
{
    const struct tale_packet *ack = NULL;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (ack && is_one_of(packet, STORY_SYN_ACK)) {
            spent_claim(claims, SPENT_FULL_QUEUE, finding_arrival_ns(ack), packet->sent_ns);
            ack = NULL;
        }
        if (finding_is_queue_full(packet) && packet->segment->queue->dropped) ack = packet;
    }
}

/* It says something other than a SYN: that was answered, seen or not. */
static bool goes_on(const struct telling *telling, const struct tale_packet *syn)
{
    for (const struct tale_packet *at = syn + 1; at < telling->packets + telling->packet_count; at++)
        if (finding_is_own(at, syn->side) && !(at->segment->flags & TCP_SYN)) return true;
    return false;
}

/* From the SYN that was answered to its answer, and from a SYN that nobody answered to the end of connect(). */
static void claim_way(const struct telling *telling, struct spent_claims *claims)
{
    const struct tale_packet *syn = NULL, *answer = NULL;
    for (size_t i = 0; i < telling->packet_count && !answer; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (is_one_of(packet, STORY_SYN) && (!syn || packet->side == syn->side)) syn = packet;
        if (syn && packet->side != syn->side && !telling_is_lost(telling, packet)) answer = packet;
    }
    if (!syn) return;
    if (answer)
        spent_claim(claims, SPENT_NETWORK, syn->sent_ns, finding_arrival_ns(answer));
    else if (!goes_on(telling, syn))
        spent_claim(claims, SPENT_SYN_AGAIN, syn->sent_ns, claims->end_ns);
}

void spent_of_handshake(const struct telling *telling, struct spent_claims *claims)
{
    claim_repeats(telling, claims, STORY_SYN);
    claim_repeats(telling, claims, STORY_SYN_ACK);
    claim_dropped_acks(telling, claims);
    claim_way(telling, claims);
}

static void claim_retransmission(const struct telling *telling, struct spent_claims *claims, const struct tale_packet *packet)
{
    const struct story_segment *segment = packet->segment;
    if (!segment->retransmission || segment->kind == STORY_SYN || segment->kind == STORY_SYN_ACK || segment->copy) return;
    if (packet->verdict.is_acked || segment->of_step == STORY_NO_STEP) return; /* nobody waited for it */
    spent_claim(claims, SPENT_RETRANSMISSION, telling->story->steps[segment->of_step].t_ns, packet->sent_ns);
}

/* What was sent again and never acknowledged, with nothing that came back since: to the end nothing else was waited for. */
static void claim_silence(const struct telling *telling, struct spent_claims *claims, enum story_side side)
{
    const struct tale_packet *last = NULL;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (finding_is_own(packet, side) && packet->segment->retransmission && packet->segment->kind != STORY_SYN &&
            packet->segment->kind != STORY_SYN_ACK)
            last = packet;
    }
    if (last && !finding_arrival(telling, finding_other(side), last->sent_ns, true))
        spent_claim(claims, SPENT_RETRANSMISSION, last->sent_ns, claims->end_ns);
}

/* From the ACK that says "no room" to the one that says "room". */
static void claim_closures(const struct telling *telling, struct spent_claims *claims, enum story_side reader)
{
    const struct tale_packet *closed = NULL;
    bool was_open = false;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!finding_is_own(packet, reader) || !(packet->segment->flags & TCP_ACK) ||
            packet->segment->flags & (TCP_RST | TCP_SYN) || packet->seen->packet.window_cut)
            continue;
        if (closed && packet->segment->window) {
            spent_claim(claims, SPENT_READER, closed->sent_ns, packet->sent_ns);
            closed = NULL;
        } else if (!closed && was_open && !packet->segment->window)
            closed = packet;
        was_open = was_open || packet->segment->window;
    }
    if (closed) spent_claim(claims, SPENT_READER, closed->sent_ns, claims->end_ns);
}

/* What an ACK let go that the delayed-ACK timer had kept back at the other end: from the arrival of what it acknowledges. */
static void claim_delayed_ack(const struct telling *telling, struct spent_claims *claims, const struct tale_packet *data)
{
    const struct story_cause *cause = data->cause;
    if (cause->kind != CAUSE_SEGMENT || cause->evidence < EVIDENCE_CONTEXT || cause->step == STORY_NO_STEP) return;
    const struct story_step *by = &telling->story->steps[cause->step];
    if (by->side == data->side) return;
    const struct story_cause *of = &by->segment->cause;
    if (!of->name || strcmp(of->name, "delayed-ack") != 0) return;
    static const int LOOK_BACK = 64; /* what an ACK let go is not far behind what it acknowledges */
    const struct tale_packet *at = data;
    for (int looked = 0; at-- > telling->packets && looked < LOOK_BACK; looked++) {
        if (!finding_is_own(at, data->side) || !at->segment->length_bytes) continue;
        if (at->segment->seq_absolute + at->segment->length_bytes != by->segment->ack_absolute) continue;
        spent_claim(claims, SPENT_DELAYED_ACK, finding_arrival_ns(at), by->segment->sent_ns);
        return;
    }
}

/* Requests and answers, where the server's calls are not known: what one place shows is the server and the way. */
static void claim_turns(const struct telling *telling, struct spent_claims *claims)
{
    const struct tale_packet *asked = NULL, *told = NULL;
    bool server_known = spent_has_calls(telling, STORY_SERVER), client_known = spent_has_calls(telling, STORY_CLIENT);
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->copy || packet->segment->retransmission) continue;
        if (!asked && !told && packet->side == STORY_CLIENT && packet->segment->handshake && packet->segment->kind == STORY_ACK)
            told = packet; /* complete */
        if (told && !client_known && packet->segment->kind == STORY_FIN && !packet->segment->length_bytes) {
            spent_claim(claims, SPENT_IDLE, finding_arrival_ns(told), packet->sent_ns);
            return;
        }
        if (!packet->segment->length_bytes) continue;
        if (packet->side == STORY_CLIENT) {
            if (told && !client_known) spent_claim(claims, SPENT_IDLE, finding_arrival_ns(told), packet->sent_ns);
            asked = packet;
            told = NULL;
            continue;
        }
        if (asked && !server_known)
            spent_claim(claims, asked->received_ns ? SPENT_SERVER : SPENT_ANSWER, finding_arrival_ns(asked),
                        asked->received_ns ? packet->sent_ns : finding_arrival_ns(packet));
        asked = NULL;
        told = packet;
    }
    /* And nothing more, or ever, was; unless it is that nobody captured it. */
    const struct story_end *ends = telling->story->end;
    if (ends[STORY_CLIENT].bytes_missed || ends[STORY_SERVER].bytes_missed) return;
    if (told && (!client_known || !told->segment->length_bytes))
        spent_claim(claims, SPENT_IDLE, finding_arrival_ns(told), claims->end_ns);
}

/* It lay in the accept queue until the listening socket closed: the kernel's own chain says so. */
static void claim_never_accepted(const struct telling *telling, struct spent_claims *claims, const struct tale_packet *rst)
{
    const struct tale_state *complete = finding_state(telling, STORY_SERVER, STATE_ESTABLISHED);
    if (rst->side != STORY_SERVER || !(rst->chain.notes & CHAIN_LISTEN_STOP) || !complete) return;
    spent_claim(claims, SPENT_ACCEPT, telling->story->steps[finding_state_step(telling, complete)].t_ns, rst->sent_ns);
}

/* The peer has ended its direction: until this end does. Then its FIN's way, and that of the ACK. */
static void claim_close(const struct telling *telling, struct spent_claims *claims, enum story_side side)
{
    const struct tale_packet *peer = NULL, *own = NULL;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->copy || telling_is_lost(telling, packet)) continue;
        bool ends = packet->segment->flags & (TCP_FIN | TCP_RST);
        if (ends && packet->side == side && !own) own = packet;
        if (packet->segment->flags & TCP_FIN && packet->side != side && !peer) peer = packet;
        bool acks = own && packet->side != side && packet->segment->flags & TCP_ACK && own->segment->flags & TCP_FIN &&
                    !seq_before(packet->segment->ack_absolute, own->segment->seq_absolute + own->segment->length_bytes + 1);
        if (!acks) continue;
        spent_claim(claims, SPENT_NETWORK, own->sent_ns, finding_arrival_ns(packet));
        break;
    }
    if (!peer || (own && own->sent_ns < finding_arrival_ns(peer))) return;
    spent_claim(claims, SPENT_CLOSE, finding_arrival_ns(peer), own ? own->sent_ns : claims->end_ns);
}

void spent_of_segments(const struct telling *telling, struct spent_claims *claims)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment) continue;
        claim_retransmission(telling, claims, packet);
        claim_never_accepted(telling, claims, packet);
        if (packet->segment->length_bytes) claim_delayed_ack(telling, claims, packet);
        if (packet->received_ns && !packet->segment->copy && segment_space(&packet->seen->packet.header))
            spent_claim(claims, SPENT_NETWORK, packet->sent_ns, packet->received_ns);
    }
    for (int side = 0; side < STORY_SIDES && !telling->flow->to_itself; side++) {
        claim_closures(telling, claims, (enum story_side)side);
        claim_silence(telling, claims, (enum story_side)side);
        claim_close(telling, claims, (enum story_side)side);
    }
    if (!telling->flow->to_itself) claim_turns(telling, claims);
}
