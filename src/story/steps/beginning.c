/* Where a story begins: what its ends were before, and which of them is which for the judge. */
#include <netinet/in.h>
#include <string.h>

#include "story/steps/moments.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* Where an end stood when the story begins. A SYN,ACK proves that there was a listener; without a SYN the past is unknown, and what
 * is exchanged shows an established connection. */
static void first_states(struct telling *telling, const struct sock *listener)
{
    bool syn_ack = false, listens = false, opens = false, says = false;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct event_packet_header *header = &telling->packets[i].seen->packet.header;
        if (header->protocol != IPPROTO_TCP) continue;
        bool data = header->length_bytes || header->flags & TCP_FIN; /* behind a SYN,ACK that was not captured */
        says |= data && header->flags & TCP_ACK && telling->packets[i].side == STORY_SERVER;
        if (!(header->flags & TCP_SYN)) continue;
        opens |= !syn_ack && !(header->flags & TCP_ACK) && telling->packets[i].side == STORY_SERVER;
        syn_ack |= header->flags & TCP_ACK && telling->packets[i].side == STORY_SERVER;
    }
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].call->traits & CALL_LISTENS && telling->calls[i].call->exited) listens = true;
    struct conn_end *server = telling_end(telling, STORY_SERVER);
    if (server->state != STATE_LISTEN) return;
    /* opens: both ends at once */
    if (listens || opens || !(syn_ack || listener || says)) server->state = STATE_CLOSED;
}

static struct conn_more *more_of(void *owner, struct conn *conn, bool make)
{
    (void)conn, (void)make;
    return &((struct telling *)owner)->more;
}

/* The judge takes its place. Where packets of this flow are known to arrive at another place, or the kernel told of their leaving,
 * sending and receiving are two things. */
static void begin(struct telling *telling)
{
    telling->judge = telling->teller->judge;
    telling->judge.more = more_of;
    telling->judge.owner = telling;
    bool marked = false;
    const struct tale_packet *first = NULL;
    for (size_t i = 0; i < telling->packet_count; i++) {
        marked |= telling->packets[i].seen->marked;
        if (!first && telling->packets[i].segment && !telling->packets[i].seen->copy) first = &telling->packets[i];
    }
    if (!first) return;
    if (telling->flow->sequel) { /* it goes on from what was told */
        telling->conn = telling->flow->told_conn;
        telling->first_side = telling->flow->first_side;
    }
    if (telling->flow->to_itself) telling->conn.flags |= CONN_TO_ITSELF;
    if (telling->flow->at_both_ends || telling->flow->compared || marked) telling->conn.flags |= CONN_TWO_PLACES;
    if (telling->flow->sequel) return;
    telling->first_side = first->side;
    const struct conn_segment segment = flow_segment(&first->seen->packet, first->sent_ns);
    conn_begin(&telling->conn, &segment, first->side == STORY_CLIENT);
}

void beginning_make(struct telling *telling, const struct sock *listener)
{
    begin(telling);
    if (!telling->flow->sequel) first_states(telling, listener);
}

/* Whether it was sent before the FIN was taken, all before which it acknowledges. */
static bool lacks_fin(const struct event_packet_header *header, const struct event_packet_header *fin)
{
    uint32_t missing = fin->seq + segment_space(fin) - header->ack;
    return header->flags & TCP_ACK && missing > 0 && missing <= segment_space(fin);
}

/* Whether this FIN left although the RST had come: the kernel reported that its sender began to close, and there is nothing to
 * close where a RST has been taken. Only as long as a call may hold a socket; a RST that has no effect in that time was not
 * believed. */
static bool leaves_behind(const struct telling *telling, const struct tale_packet *rst, const struct tale_packet *fin)
{
    static const int64_t HELD_NS = 100000000;
    if (fin->sent_ns - arrival_ns(rst) > HELD_NS) return false;
    for (size_t i = 0; i < telling->flow->change_count; i++) {
        const struct change *change = &telling->flow->changes[i];
        bool begins = change->to == KERNEL_FIN_WAIT1 || change->to == KERNEL_LAST_ACK;
        if (begins && change->side == fin->side && change->t_ns <= fin->sent_ns) return true;
    }
    return false;
}

/* FINs that crossed: the first was taken by the other end only after that had sent its own, which does not acknowledge it. So it is
 * also where it was seen to arrive before: a socket that a call holds puts off what comes (its backlog, __release_sock()), and
 * close() sends its FIN first; or its RST. So may a RST be put off until the FIN has left. */
void beginning_find_crossing(struct telling *telling)
{
    struct tale_packet *rst[STORY_SIDES] = {NULL, NULL};
    if (telling->flow->to_itself) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        struct tale_packet *packet = &telling->packets[i];
        const struct event_packet_header *header = &packet->seen->packet.header;
        uint32_t first = telling->fin[telling_receiver(telling, packet->side)];
        if (!packet->segment || !(header->flags & (TCP_FIN | TCP_RST)) || telling->fin[packet->side]) continue;
        struct tale_packet *other = first ? &telling->packets[first - 1] : NULL;
        bool aborts = header->flags & TCP_RST;
        struct tale_packet *before_it = rst[telling_receiver(telling, packet->side)];
        if (!aborts) telling->fin[packet->side] = (uint32_t)i + 1;
        if (!aborts && before_it && leaves_behind(telling, before_it, packet)) before_it->behind = (uint32_t)i + 1;
        if (aborts && !rst[packet->side]) rst[packet->side] = packet;
        if (!other) continue;
        const struct event_packet_header *before = &other->seen->packet.header;
        bool crosses = aborts ? lacks_fin(header, before)
                              : header->flags & TCP_ACK && seq_before(header->ack, before->seq + segment_space(before));
        if (crosses) other->behind = (uint32_t)i + 1;
        if (crosses || !aborts) return;
    }
}
