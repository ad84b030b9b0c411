/* The steps of a story: everything in one order of time, and the RFC 9293 table walked by both ends. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/lang.h"
#include "story/steps/moments.h"
#include "story/steps/steps_own.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static bool make_room(struct telling *telling, size_t *room)
{
    struct story *story = telling->story;
    size_t more = *room ? 2 * *room : 64;
    struct story_step *steps = arena_alloc(telling->arena, more * sizeof(*steps));
    if (!steps) return false;
    if (story->step_count) memcpy(steps, story->steps, story->step_count * sizeof(*steps));
    story->steps = steps;
    *room = more;
    return true;
}

struct story_step *steps_add(struct telling *telling, size_t *room, enum story_step_kind kind, int64_t t_ns, enum story_side side)
{
    struct story *story = telling->story;
    if (story->step_count == *room && !make_room(telling, room)) {
        telling->failed = true;
        return NULL;
    }
    struct story_step *step = &story->steps[story->step_count++];
    step->kind = kind;
    step->t_ns = t_ns;
    step->side = side;
    if (t_ns > telling->last_ns) telling->last_ns = t_ns;
    return step;
}

static void steps_add_state(struct telling *telling, struct walk *walk, const struct tcp_arrow *arrow, enum story_side side,
                            int64_t t_ns, struct tale_state made_by)
{
    struct tale_state *tale = track_grow((void **)&telling->states, &telling->state_count, &telling->state_room, sizeof(*tale));
    struct story_state *state = arena_alloc(telling->arena, sizeof(*state));
    struct story_step *step = steps_add(telling, &walk->room, STEP_STATE, t_ns, side);
    if (!tale || !state || !step) {
        telling->failed = true;
        return;
    }
    *tale = made_by;
    tale->story = state;
    state->side = side;
    if (arrow) {
        state->from_state = arrow->from;
        state->to_state = arrow->to;
        state->from = tcp_state_name(arrow->from);
        state->to = tcp_state_name(arrow->to);
        state->cause.why = arrow->why;
    } else {
        state->kernel = true;
        state->from = event_kernel_state_name(made_by.change->from);
        state->to = event_kernel_state_name(made_by.change->to);
    }
    step->state = state;
}

static const char *why_taken_back(const struct conn_move *move)
{
    if (move->to == STATE_SYN_SENT)
        return tr("the SYN,ACK comes again, or is refused, and this end has said nothing since its SYN: it never took that");
    if (move->from == STATE_CLOSED || move->from == STATE_LISTEN)
        return tr("it goes on: the RST had not ended this end (it was lost or dropped on its way, or did not stand at the very "
                  "next number, RFC 5961)");
    if (move->from == STATE_SYN_SENT && move->to == STATE_CLOSED)
        return tr("it answers the SYN,ACK with RST: nobody waited for that (a scan, a forged SYN, or a process that was gone)");
    if (move->from == STATE_CLOSE_WAIT || move->from == STATE_CLOSING ||
        (move->from == STATE_TIME_WAIT && move->to != STATE_CLOSED))
        return tr("the numbers of the FINs show another order than that of the capture, or this end was gone before the FIN came");
    if (move->to == STATE_CLOSED) return tr("it answers with RST: nobody held this end of the connection any more");
    return tr("the numbers of the FINs show another order than that of the capture");
}

/* Later life overrules an assumed end: no arrow of the figure. */
static void take_back(struct telling *telling, struct walk *walk, enum story_side side, int64_t t_ns, const struct conn_move *move,
                      struct tale_state made_by)
{
    const struct tcp_arrow arrow = {
        .from = (enum tcp_state)move->from, .to = (enum tcp_state)move->to, .why = why_taken_back(move), .section = "3.10.7.4"};
    made_by.goes_on = true;
    steps_add_state(telling, walk, &arrow, side, t_ns, made_by);
}

/* What the judge made of it. */
static void take_moves(struct telling *telling, struct walk *walk, int64_t t_ns, const struct conn_verdict *verdict, size_t from,
                       struct tale_state made_by)
{
    for (size_t i = from; i < verdict->move_count; i++) {
        const struct conn_move *move = &verdict->moves[i];
        enum story_side first = telling->first_side, side = move->side == 0 ? first : !first;
        if (move->taken_back) {
            take_back(telling, walk, side, t_ns, move, made_by);
            continue;
        }
        const struct tcp_arrow *arrow = tcp_next((enum tcp_state)move->from, (enum tcp_input)move->input);
        if (!arrow) unexpected_input(telling, side, (enum tcp_state)move->from, (enum tcp_input)move->input, made_by.packet);
        if (!arrow || arrow->to == arrow->from) continue;
        struct tale_state made = made_by;
        made.proved = move->proved;
        steps_add_state(telling, walk, arrow, side, t_ns, made);
    }
}

void steps_take_input(struct telling *telling, struct walk *walk, enum story_side side, int64_t t_ns, enum tcp_input input,
                      struct tale_state made_by)
{
    struct conn_verdict verdict = {.move_count = 0};
    conn_input(&telling->judge, &telling->conn, flow_conn_end(telling->first_side, side), input, &verdict);
    take_moves(telling, walk, t_ns, &verdict, 0, made_by);
}

/* An ICMP error about this connection that reached whom it is for. */
static void take_error(struct telling *telling, const struct tale_packet *packet)
{
    const struct event_packet *error = &packet->seen->packet;
    if (telling->story->udp || telling_is_lost(telling, packet))
        return; /* in a connection's story only errors that quote it stand */
    if (!segment_icmp_is_unreachable(error->header.protocol, error->icmp.type, error->icmp.code)) return;
    enum story_side about = flow_side(telling->flow, &error->icmp.src);
    conn_unreachable(&telling->conn, flow_conn_end(telling->first_side, about), error->icmp.seq);
}

/* SYNs of another connection that have come by now. */
static void take_questions(struct telling *telling, struct walk *walk, int64_t t_ns)
{
    const struct flow *flow = telling->flow;
    while (walk->question < flow->question_count && flow->questions_ns[walk->question] <= t_ns) {
        conn_question(&telling->conn, flow_conn_end(telling->first_side, flow->questioned));
        walk->question++;
    }
}

/* Only its arrival was captured. */
static bool left_unseen(const struct tale_packet *packet)
{
    return packet->seen->unsent || packet->seen->packet.fate == FATE_UNSENT;
}

/* FINs that cross, of which one was not seen to leave: which left first, its arrival does not tell. */
static void doubt_first_fin(struct telling *telling, size_t index)
{
    const struct tale_packet *packet = &telling->packets[index];
    if (!(packet->segment->flags & TCP_FIN) || packet->verdict.class != CONN_NEW || telling->flow->to_itself) return;
    unsigned other = !flow_conn_end(telling->first_side, packet->side);
    const struct conn_end *peer = &telling->conn.end[other];
    if (telling->conn.closed_first != 1 + other || !(peer->flags & END_FIN)) return;
    if (!seq_before(packet->segment->ack_absolute, peer->fin_end)) return;
    for (const struct tale_packet *at = packet; at-- > telling->packets;) {
        if (!at->segment || at->side == packet->side || !(at->segment->flags & TCP_FIN)) continue;
        if (left_unseen(at) || left_unseen(packet)) telling->conn.flags |= CONN_FIRST_UNSURE;
        return;
    }
}

/* Numbers from before the connection, as an old duplicate or somebody who guesses has them. */
static void note_below(const struct telling *telling, struct tale_packet *packet)
{
    const uint32_t HALF = 1U << 31; /* behind that, the relative number may as well be of very much data */
    struct story_segment *segment = packet->segment;
    const struct conn_end *peer = telling_end_now(telling, telling_receiver(telling, packet->side));
    int64_t acks = (int64_t)peer->span + seq_diff(peer->next, segment->ack_absolute);
    segment->seq_below = segment->seq >= HALF && packet->from < 0;
    segment->ack_below = segment->flags & TCP_ACK && segment->ack >= HALF && peer->flags & END_BASE && acks < 0;
}

static void step_sent(struct telling *telling, struct walk *walk, size_t index)
{
    struct tale_packet *packet = &telling->packets[index];
    packet->step = (uint32_t)telling->story->step_count;
    struct story_step *step = steps_add(telling, &walk->room, tale_is_datagram(packet->seen) ? STEP_DATAGRAM : STEP_SEGMENT,
                                        packet->sent_ns, packet->side);
    if (!step) return;
    if (packet->datagram) {
        step->datagram = packet->datagram;
        take_error(telling, packet);
        return;
    }
    step->segment = packet->segment;
    if (packet->seen->copy) return; /* nobody sent it */
    if ((packet->segment->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        telling->requests[packet->side].syn_acks++;
        telling->requests[packet->side].last_ns = packet->sent_ns;
    }
    if (chain_is_in_a_name(&packet->chain)) return; /* its sender did not */
    take_questions(telling, walk, packet->sent_ns);
    const struct conn_segment segment = flow_segment(&packet->seen->packet, packet->sent_ns);
    const struct conn_end *end = telling_end(telling, packet->side);
    conn_settle_roles(&telling->conn, &segment, flow_conn_end(telling->first_side, packet->side));
    conn_sent(&telling->judge, &telling->conn, flow_conn_end(telling->first_side, packet->side), &segment, &packet->verdict);
    packet->from = (int64_t)end->span + seq_diff(end->next, segment.seq);
    note_below(telling, packet);
    doubt_first_fin(telling, index);
    take_moves(telling, walk, packet->sent_ns, &packet->verdict, 0, (struct tale_state){.packet = (uint32_t)index, .sent = true});
}

/* Linux leaves an orphan in FIN_WAIT_2 for a second at least (TCP_LINGER2 and net.ipv4.tcp_fin_timeout count in seconds): a FIN
 * that is refused sooner met no timer's work. */
static bool has_waited_for_fin(const struct telling *telling, enum story_side side, int64_t t_ns)
{
    static const int64_t LEAST_NS = 900000000;
    for (size_t i = telling->state_count; i--;) {
        const struct tale_state *state = &telling->states[i];
        if (state->story->side != side || state->story->to_state != STATE_FIN_WAIT_2) continue; /* the kernel's have none */
        return state->packet == STORY_NO_STEP || t_ns - arrival_ns(&telling->packets[state->packet]) >= LEAST_NS;
    }
    return true;
}

/* A request goes by its timer, or with its listening socket: only where that is known to stand it was the timer. */
static struct tale_state forgotten(const struct telling *telling, enum story_side side, int64_t t_ns)
{
    if (side == STORY_SERVER && tale_listener_stands(telling, t_ns))
        return (struct tale_state){.packet = STORY_NO_STEP, .timer = SYN_ACK_TIMER};
    return (struct tale_state){
        .packet = STORY_NO_STEP,
        .doubt = tr("nothing was left of the half-open connection: its SYN-ACK timer had given up, or its listening socket had "
                    "been closed")};
}

static void step_received(struct telling *telling, struct walk *walk, size_t index)
{
    struct tale_packet *packet = &telling->packets[index];
    enum story_side side = telling_receiver(telling, packet->side);
    const struct tale_packet *behind = packet->behind ? &telling->packets[packet->behind - 1] : NULL;
    int64_t t_ns = behind && behind->sent_ns > arrival_ns(packet) ? behind->sent_ns : arrival_ns(packet);
    if (telling_is_lost(telling, packet)) return;
    const struct conn_end *end = telling_end(telling, side);
    if (packet->seen->copy && !(telling->conn.flags & CONN_TWO_PLACES)) return;
    if (end->state == STATE_FIN_WAIT_2 && packet->seen->packet.header.flags & TCP_FIN &&
        tale_is_answered_with_reset(telling, index, side) &&
        has_waited_for_fin(telling, side, t_ns)) { /* an orphan's FIN_WAIT_2 is a timewait socket that ends in silence */
        packet->segment->teardown = true;
        steps_take_input(telling, walk, side, t_ns, INPUT_TIMEOUT_GIVE_UP,
                         (struct tale_state){.packet = STORY_NO_STEP, .timer = FIN_WAIT_2_TIMER});
        return;
    }
    if (tale_is_forgotten(telling, index, side)) {
        packet->segment->teardown = true;
        steps_take_input(telling, walk, side, t_ns, INPUT_TIMEOUT_GIVE_UP, forgotten(telling, side, t_ns));
        return;
    }
    if (tale_is_too_late(telling, index, side)) {
        packet->segment->teardown = true;
        return;
    }
    if (end->state == STATE_SYN_RCVD && end->flags & END_PASSIVE && tale_is_handshake_unmoved(telling, index, side)) {
        packet->segment->handshake = true;
        return;
    }
    if (telling_is_untaken(telling, packet)) return;
    unexpected_arrival(telling, side, (uint32_t)index);
    const uint32_t acked_fin = END_FIN | END_FIN_ACKED;
    bool was_open = end->state == STATE_SYN_RCVD, had_fin = (end->flags & acked_fin) == acked_fin;
    const struct event_packet_header *header = &packet->seen->packet.header;
    const struct conn_segment arrived = flow_segment(&packet->seen->packet, t_ns);
    size_t before = packet->verdict.move_count;
    bool nobody_closed = !telling->conn.closed_first, sparse = telling->judge.sparse;
    if (telling_resets_nobody(telling, packet)) telling->judge.sparse = false; /* numbers that were not captured excuse nothing */
    conn_received(&telling->judge, &telling->conn, flow_conn_end(telling->first_side, side), &arrived, &packet->verdict);
    telling->judge.sparse = sparse;
    if (chain_is_in_a_name(&packet->chain) && nobody_closed) { /* a firewall closed it, in its name */
        telling->conn.closed_first = 0;
        telling->conn.flags &= (uint16_t)~CONN_FIRST_BY_RST;
    }
    struct story_segment *segment = packet->segment;
    if (segment) {
        uint8_t flags = header->flags;
        segment->handshake = flags & TCP_SYN || (was_open && end->flags & END_SYN_ACKED && !(flags & TCP_RST));
        bool acks_fin = (end->flags & acked_fin) == acked_fin && flags & TCP_ACK && segment->kind == STORY_ACK &&
                        (!had_fin || telling_end(telling, packet->side)->flags & END_FIN_TAKEN);
        segment->teardown = flags & (TCP_FIN | TCP_RST) || acks_fin;
    }
    take_moves(telling, walk, t_ns, &packet->verdict, before, (struct tale_state){.packet = (uint32_t)index});
}

/* Whoever reads ETIMEDOUT looks at a socket that one of the kernel's timers gave up before. With something unacknowledged only the
 * retransmission timer runs (tcp_keepalive_timer() waits for that); else any other may have been it. */
static struct tale_state given_up(const struct telling *telling, struct tale_call *call)
{
    const struct conn_end *end = telling_end_now(telling, call->story->side);
    bool awaits_ack = end->flags & END_ANY && (!(end->flags & END_ACKED) || seq_before(end->acked, end->next));
    if (awaits_ack && !(end->flags & END_PROBE_BYTE)) return (struct tale_state){.packet = STORY_NO_STEP, .timer = "retransmit"};
    return (struct tale_state){
        .packet = STORY_NO_STEP,
        .call = call,
        .doubt = tr("ETIMEDOUT: the kernel had given the connection up, though nothing that was captured of this end was "
                    "unacknowledged: keepalive, a window that stayed shut, TCP_USER_TIMEOUT, or what was not captured")};
}

static void step_call(struct telling *telling, struct walk *walk, size_t index, bool exit)
{
    struct tale_call *tale = &telling->calls[index];
    struct story_call *call = tale->story;
    uint32_t at = (uint32_t)telling->story->step_count;
    struct story_step *step =
        steps_add(telling, &walk->room, exit ? STEP_EXIT : STEP_ENTER, exit ? call->exit_ns : call->enter_ns, call->side);
    if (!step) return;
    step->call = call;
    *(exit ? &call->exit_step : &call->enter_step) = at;
    if (!exit) return;
    const struct conn_end *end = telling_end(telling, call->side);
    struct tale_state made_by = {.packet = STORY_NO_STEP, .call = tale};
    enum tcp_input input = INPUT_COUNT;
    if (call->ret == -ETIMEDOUT && !call->listener) {
        made_by = given_up(telling, tale);
        input = INPUT_TIMEOUT_GIVE_UP;
    } else if (call->ret != 0) {
        return;
    }
    if (call->traits & CALL_LISTENS) input = INPUT_CALL_LISTEN;
    /* A close that leaves nothing to send and nothing to wait for; elsewhere the FIN or RST tells. Not of an attempt that the
     * kernel had ended before (for an ICMP error). */
    bool was_over = tale->call->socket.state == KERNEL_CLOSE;
    if (call->traits & CALL_CLOSES && end->state == STATE_SYN_SENT && !was_over) input = INPUT_CALL_CLOSE;
    bool stops_listening = call->traits & CALL_SHUTS_DOWN && tale->call->how != SHUT_WR && end->state == STATE_LISTEN;
    if (stops_listening) input = INPUT_CALL_CLOSE;
    if (input != INPUT_COUNT) steps_take_input(telling, walk, call->side, call->exit_ns, input, made_by);
}

void tale_lay_steps(struct telling *telling, const struct sock *listener)
{
    struct moments moments = {0};
    beginning_find_crossing(telling);
    moments_collect(telling, &moments);
    struct story *story = telling->story;
    /* Nearly all moments make one step at most; states come besides. */
    struct walk walk = {.room = moments.count + 16};
    story->steps = arena_alloc(telling->arena, walk.room * sizeof(struct story_step));
    if (!story->steps || telling->failed) {
        telling->failed = true;
        free(moments.items);
        return;
    }
    beginning_make(telling, listener);
    for (size_t i = 0; i < moments.count && !telling->failed; i++) {
        size_t index = moments.items[i].index;
        switch (moments.items[i].kind) {
        case MOMENT_SENT:
            step_sent(telling, &walk, index);
            break;
        case MOMENT_RECEIVED:
            step_received(telling, &walk, index);
            break;
        case MOMENT_ENTER:
            step_call(telling, &walk, index, false);
            break;
        case MOMENT_EXIT:
            step_call(telling, &walk, index, true);
            break;
        case MOMENT_CHANGE:
            steps_silent_end(telling, &walk, &telling->flow->changes[index]);
            steps_add_state(telling, &walk, NULL, telling->flow->changes[index].side, moments.items[i].t_ns,
                            (struct tale_state){.packet = STORY_NO_STEP, .change = &telling->flow->changes[index]});
            break;
        case MOMENT_EXPIRY:
            steps_expiry(telling, &walk, &telling->flow->expiries[index]);
            break;
        case MOMENT_PROCESS:
            steps_process(telling, &walk, telling->ends[index]);
            break;
        }
    }
    free(moments.items);
    vain_take_out(telling);
    for (size_t side = 0; side < STORY_SIDES; side++)
        if (telling_end(telling, (enum story_side)side)->state == STATE_TIME_WAIT)
            steps_end_time_wait(telling, &walk, (enum story_side)side);
    for (unsigned side = 0; side < STORY_SIDES; side++)
        story->end[side].state =
            story->udp ? STATE_UNKNOWN : conn_state(&telling->conn, flow_conn_end(telling->first_side, (enum story_side)side));
    if (!telling->failed) tale_name_packets(telling);
}
