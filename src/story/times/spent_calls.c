/* What calls say of where the time went. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "story/times/spent.h"

static bool asks_for_data(const struct story_call *call)
{
    return call->traits & (CALL_READS | CALL_WAITS_FOR_MANY);
}

static bool writes(const struct story_call *call)
{
    return call->traits & CALL_WRITES;
}

static bool ends(const struct story_call *call)
{
    return call->traits & (CALL_CLOSES | CALL_CLOSES_RANGE | CALL_SHUTS_DOWN);
}

bool spent_has_calls(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].story->side == side && !telling->calls[i].story->listener) return true;
    return false;
}

/* When a sleeping call could go on: it was woken then, or, where nobody saw that, when what it waited for came. */
static int64_t ready_ns(const struct tale_call *tale, int64_t came_ns)
{
    int64_t woken_ns = tale->call->woken_ns; /* 0: nobody saw that */
    return woken_ns > came_ns ? woken_ns : came_ns;
}

static int64_t reached_ns(const struct telling *telling, enum tcp_state to)
{
    const struct tale_state *state = finding_state(telling, STORY_CLIENT, to);
    return state ? telling->story->steps[finding_state_step(telling, state)].t_ns : 0;
}

/* When the client's end was connected. 0: it never was, or nobody knows. */
static int64_t connected_ns(const struct telling *telling)
{
    return reached_ns(telling, STATE_ESTABLISHED);
}

/* connect(): before the SYN, and behind its answer. */
static void claim_connect(const struct telling *telling, struct spent_claims *claims, const struct tale_call *tale)
{
    const struct story_call *call = tale->story;
    const struct tale_packet *syn = finding_segment(telling, (int)call->side, STORY_SYN);
    if (!call->enter_ns) return;
    if (!syn) { /* it never left, or nobody saw it */
        if (call->exit_ns && call->slept_ns == 0) spent_claim(claims, SPENT_CLIENT, call->enter_ns, call->exit_ns);
        return;
    }
    spent_claim(claims, SPENT_CLIENT, call->enter_ns, syn->sent_ns);
    if (call->exit_ns && call->ret == -EINPROGRESS) { /* it did not sleep: an answer that came meanwhile found it at work */
        const int64_t came_ns = connected_ns(telling) ? connected_ns(telling) : reached_ns(telling, STATE_CLOSED);
        if (came_ns) spent_claim(claims, SPENT_CLIENT, came_ns, call->exit_ns);
    }
    if (!call->exit_ns || call->wake.kind != WAKE_SEGMENT || call->wake.step == STORY_NO_STEP) return;
    const struct story_step *by = &telling->story->steps[call->wake.step];
    if (by->kind != STEP_SEGMENT) return;
    int64_t came_ns = by->segment->received_ns ? by->segment->received_ns : by->segment->sent_ns;
    spent_claim(claims, SPENT_RUN_QUEUE, ready_ns(tale, came_ns), call->exit_ns);
}

/* connect() did not wait for the handshake; poll() and its like do. */
static void claim_poll_for_connection(const struct telling *telling, struct spent_claims *claims)
{
    const int64_t came_ns = connected_ns(telling);
    bool connects = false;
    for (size_t i = 0; i < telling->call_count && came_ns; i++) {
        const struct tale_call *tale = &telling->calls[i];
        const struct story_call *call = tale->story;
        if (call->side != STORY_CLIENT || call->listener || !call->enter_ns || !call->exit_ns) continue;
        if (call->traits & CALL_CONNECTS) connects = call->ret == -EINPROGRESS;
        if (connects && call->traits & CALL_WAITS_FOR_MANY && call->ret > 0 && call->enter_ns <= came_ns)
            spent_claim(claims, SPENT_RUN_QUEUE, ready_ns(tale, came_ns), call->exit_ns);
    }
}

/* accept() sends nothing: from the moment at which there was something to take. */
static void claim_accept(const struct telling *telling, struct spent_claims *claims, const struct tale_call *tale)
{
    const struct story_call *call = tale->story;
    int64_t waited_ns = telling->story->summary.accept_wait_ns; /* -1: nobody knows */
    if (!call->exit_ns || call->ret < 0) return;
    int64_t complete_ns = call->exit_ns - (waited_ns > 0 ? waited_ns : 0);
    bool slept = call->enter_ns && call->enter_ns < complete_ns;
    if (slept)
        spent_claim(claims, SPENT_RUN_QUEUE, ready_ns(tale, complete_ns), call->exit_ns);
    else
        spent_claim(claims, SPENT_ACCEPT, complete_ns, call->enter_ns ? call->enter_ns : call->exit_ns);
}

/* What came for this side, in order: for each the call that was asleep for it, or the next that asked. */
static void claim_arrivals(const struct telling *telling, struct spent_claims *claims, enum story_side side)
{
    size_t at = 0;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->side == side || !packet->segment->length_bytes || telling_is_untaken(telling, packet) ||
            packet->verdict.class == CONN_AGAIN)
            continue;
        int64_t came_ns = finding_arrival_ns(packet);
        const struct tale_call *asks = NULL;
        for (; at < telling->call_count; at++) {
            const struct tale_call *tale = &telling->calls[at];
            const struct story_call *call = tale->story;
            if (call->side != side || call->listener || !asks_for_data(call)) continue;
            if (call->exit_ns && call->exit_ns < came_ns) continue;
            if (call->exit_ns && call->ret <= 0 && call->enter_ns < came_ns) continue; /* it took nothing */
            asks = tale;
            break;
        }
        if (!asks) {
            spent_claim(claims, SPENT_UNREAD, came_ns, claims->end_ns);
            return; /* and so is all behind it */
        }
        if (asks->story->enter_ns && asks->story->enter_ns > came_ns)
            spent_claim(claims, SPENT_UNREAD, came_ns, asks->story->enter_ns);
        else if (asks->story->exit_ns && (asks->story->enter_ns || asks->call->slept_ns > 0)) /* else it may have begun later */
            spent_claim(claims, SPENT_RUN_QUEUE, ready_ns(asks, came_ns), asks->story->exit_ns);
    }
}

/* The peer's FIN had come by then: what follows waits for this end's own. */
static bool was_ended(const struct telling *telling, enum story_side side, int64_t at_ns)
{
    const struct tale_packet *fin = finding_segment(telling, (int)finding_other(side), STORY_FIN);
    while (fin && telling_is_untaken(telling, fin)) fin = finding_next(telling, fin, (int)fin->side, STORY_FIN);
    return fin && finding_arrival_ns(fin) <= at_ns;
}

/* When a process had its connection by this call. 0: it had not, or another call shows that. */
static int64_t opened_ns(const struct telling *telling, const struct story_call *call)
{
    if (!call->exit_ns) return 0;
    if (call->traits & CALL_ACCEPTS) return call->ret >= 0 ? call->exit_ns : 0;
    if (!(call->traits & CALL_CONNECTS)) return 0;
    if (call->ret == 0) return call->exit_ns;
    const int64_t came_ns = call->ret == -EINPROGRESS ? connected_ns(telling) : 0;
    return came_ns && came_ns < call->exit_ns ? call->exit_ns : came_ns;
}

/* From what a process had read (or the connection, before any word) to what it wrote then, and the write itself where it did not
 * have to wait. In between it may look again, in vain. */
static void claim_process(const struct telling *telling, struct spent_claims *claims, enum story_side side)
{
    enum story_spent spent = side == STORY_SERVER ? SPENT_SERVER : SPENT_CLIENT;
    int64_t since_ns = 0;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (call->side != side) continue;
        if (!since_ns) since_ns = opened_ns(telling, call);
        if (call->listener) continue;
        if (call->traits & CALL_READS && call->exit_ns && call->ret >= 0) since_ns = call->exit_ns;
        if (!call->enter_ns || !(writes(call) || ends(call))) continue;
        if (ends(call) && was_ended(telling, side, call->enter_ns)) return;
        if (since_ns) spent_claim(claims, spent, since_ns, call->enter_ns);
        if (call->exit_ns && call->slept_ns <= 0) spent_claim(claims, spent, call->enter_ns, call->exit_ns);
        since_ns = 0;
    }
}

/* The largest payload of this side: a segment below it was not full. */
static uint32_t full_size(const struct telling *telling, enum story_side side)
{
    uint32_t full = 536; /* RFC 9293 section 3.7.1 */
    for (size_t i = 0; i < telling->packet_count; i++) {
        uint32_t length = finding_is_own(&telling->packets[i], side) ? telling->packets[i].segment->length_bytes : 0;
        if (length > full) full = length;
    }
    return full;
}

/* The ACK that let this segment go acknowledges just what this end had sent before it, a small segment, too. */
static bool is_held_by_nagle(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *before)
{
    const struct story_cause *cause = packet->cause;
    if (cause->kind != CAUSE_SEGMENT || cause->evidence < EVIDENCE_CONTEXT || cause->step == STORY_NO_STEP) return false;
    const struct story_step *by = &telling->story->steps[cause->step];
    return by->segment && by->segment->ack_absolute == before->segment->seq_absolute + before->segment->length_bytes;
}

/* A small piece of data that an ACK let go: from the write that brought it, while a small piece before it was under way. */
static void claim_nagle(const struct telling *telling, struct spent_claims *claims, enum story_side side)
{
    size_t at = 0;
    const struct story_call *write = NULL;
    const struct tale_packet *before = NULL;
    const uint32_t full = full_size(telling, side);
    if (telling_option(telling, side, IPPROTO_TCP, TCP_NODELAY, NULL) > 0) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!finding_is_own(packet, side) || !packet->segment->length_bytes) continue;
        bool small = packet->verdict.class == CONN_NEW && packet->segment->length_bytes < full;
        for (; at < telling->call_count; at++) {
            const struct story_call *call = telling->calls[at].story;
            if (call->side != side || call->listener || !writes(call)) continue;
            if (!call->exit_ns || call->exit_ns > packet->sent_ns) break;
            write = call;
        }
        if (small && write && before && before->sent_ns <= write->exit_ns && is_held_by_nagle(telling, packet, before))
            spent_claim(claims, SPENT_NAGLE, write->exit_ns, packet->sent_ns);
        before = small ? packet : NULL;
    }
}

void spent_of_calls(const struct telling *telling, struct spent_claims *claims)
{
    if (telling->flow->to_itself) return;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (tale->story->traits & CALL_CONNECTS) claim_connect(telling, claims, tale);
        if (tale->story->traits & CALL_ACCEPTS) claim_accept(telling, claims, tale);
    }
    claim_poll_for_connection(telling, claims);
    for (int i = 0; i < STORY_SIDES; i++) {
        enum story_side side = (enum story_side)i;
        if (!spent_has_calls(telling, side)) continue;
        claim_arrivals(telling, claims, side);
        claim_process(telling, claims, side);
        claim_nagle(telling, claims, side);
    }
}
