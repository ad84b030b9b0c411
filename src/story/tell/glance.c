/* Open connections at a glance: what the judge and the sockets say, and no story. */
#include "story/tell/tell.h"
#include "story/tell/teller.h"

static int64_t seen_ns(const struct sighting *seen)
{
    return seen->captured ? seen->captured_ns : seen->mark_ns;
}

static struct story_process process_of(const struct flow *flow, int side)
{
    const struct sock *sock = flow->sock[side];
    if (sock && sock->holder_count) return (struct story_process){sock->holders[0].pid, sock->holders[0].comm};
    const struct call *call = sock && sock->call_count ? sock->calls[sock->call_count - 1] : NULL;
    return call ? (struct story_process){call->thread.pid, call->thread.comm} : (struct story_process){0, NULL};
}

/* What the listener's kernel said last of its queue; it counts as long as the handshake has not come further. */
static void see_queue(const struct flow *flow, struct teller_glance *glance)
{
    const struct queue_note *note = flow->queue_count ? &flow->queues[flow->queue_count - 1] : NULL;
    bool full = note && note->queue.accept_length > note->queue.accept_most;
    if (!full || !(glance->unanswered || note->queue.dropped)) return;
    glance->full_ns = note->t_ns;
    glance->queue = note->queue.accept_length;
    glance->queue_most = note->queue.accept_most;
}

static struct teller_glance glance_of(const struct flow *flow)
{
    struct teller_glance glance = {.number = flow_shown_number(flow),
                                   .roles_guessed = flow_roles_are_guessed(flow),
                                   .start_ns = seen_ns(&flow->packets[0]),
                                   .last_ns = flow->last_ns,
                                   .over = flow_is_over(flow)};
    for (int side = 0; side < STORY_SIDES; side++) {
        unsigned at = flow_conn_end(flow->first_side, (enum story_side)side);
        glance.end[side] = flow->end[side];
        glance.process[side] = process_of(flow, side);
        glance.state[side] = conn_state(&flow->conn, at);
        glance.shut[side] = flow->conn.end[at].flags & END_ACKS && !flow->conn.end[at].window &&
                            !(flow->conn.end[at].flags & END_RST) && flow->conn.end[at].segments > 1;
    }
    bool answered = false;
    for (size_t i = 0; i < flow->packet_count; i++) {
        const struct sighting *seen = &flow->packets[i];
        enum story_side side = flow_side(flow, &seen->packet.header.src);
        glance.since_ns[side] = seen_ns(seen);
        if (seen->packet.header.flags & TCP_FIN && !glance.fin_ns[side]) glance.fin_ns[side] = seen_ns(seen);
        answered |= side == STORY_SERVER;
        if (side == STORY_CLIENT && seen->packet.header.flags & TCP_SYN && !seen->copy) glance.unanswered++;
    }
    if (answered) glance.unanswered = 0;
    see_queue(flow, &glance);
    return glance;
}

void teller_glance_open(const struct teller *teller, teller_look *look, void *data)
{
    void *value;
    for (size_t cursor = 0; table_next(teller->flows, &cursor, NULL, &value);) {
        const struct flow *flow = value;
        if (flow->udp || flow->sequel || !flow->packet_count) continue;
        const struct teller_glance glance = glance_of(flow);
        look(data, &glance);
    }
}
