/* A connection is told for good, and forgotten: what stays is enough to know its stragglers, and segments of it under other
 * addresses. */
#include <errno.h>
#include <stdlib.h>

#include "story/steps/telling.h"
#include "story/tell/tell.h"

static void remember_numbers(struct teller *teller, const struct telling *telling)
{
    const struct flow *flow = telling->flow;
    if (flow->udp || flow->sequel || !telling->packet_count) return;
    struct told_flow *told = &teller->told_flows[teller->told_flow_count++ % TOLD_FLOWS];
    *told =
        (struct told_flow){.number = flow_shown_number(flow), .from_ns = telling->packets[0].sent_ns, .to_ns = telling->last_ns};
    const struct tale_packet *syn_ack = telling_first_syn_ack(telling);
    told->syn_ack_ns = syn_ack ? syn_ack->sent_ns : 0;
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct conn_end *end = telling_end_now(telling, (enum story_side)side);
        told->end[side] = flow->end[side];
        told->numbers[side].known = (end->flags & (END_BASE | END_ANY)) == (END_BASE | END_ANY);
        told->numbers[side].from = end->base;
        told->numbers[side].to = end->next;
    }
}

static bool low_is_client(const struct flow *flow)
{
    return address_equal(&flow->end[STORY_CLIENT], &flow->key.low);
}

/* Told before TIME_WAIT's minute is over, or in the midst of its life: something of it may come yet. */
static int bury(struct teller *teller, const struct telling *telling)
{
    const struct flow *flow = telling->flow;
    if (teller->finishing || flow->udp || flow->to_itself || !(flow_is_over(flow) || flow->too_long)) return 0;
    if (teller->now_ns - flow->last_ns > open_linger_ns(teller)) return 0;
    struct tomb tomb = {
        .last_ns = flow->last_ns,
        .number = flow->number,
        .connection = flow->connection,
        .networks = flow->networks,
        .low_is_client = low_is_client(flow),
        .first_is_client = telling->first_side == STORY_CLIENT,
        .conn = telling->conn,
    };
    struct flow_key key = flow->key;
    int code = 0;
    for (unsigned i = 0; !code && i < (flow->apart ? flow->networks.count : 1); i++) { /* in any of them it may be asked for */
        if (flow->apart) key.netns = flow->networks.seen[i];
        bool full;
        tomb.key = tombs_key(teller->tombs, &key, sizeof(key));
        code = tombs_add(teller->tombs, &tomb, &full);
        if (full) teller->forgotten.tombs++;
    }
    return code;
}

static void forget_flow(struct teller *teller, struct flow *flow)
{
    for (size_t side = 0; side < STORY_SIDES; side++) { /* a told connection's sockets are forgotten with it */
        struct sock *sock = flow->sock[side];
        if (!sock) continue;
        table_remove(teller->sockets, &sock->cookie);
        sock_free(teller, sock);
    }
    flow_free(teller, flow);
}

static void count_joins(struct teller *teller, const struct flow *flow)
{
    for (size_t i = 0; i < flow->packet_count; i++) {
        const struct sighting *seen = &flow->packets[i];
        if (seen->marked && !seen->captured && !seen->stuck) teller->marks_unjoined++;
        if (seen->captured && !seen->marked && !seen->copy) teller->packets_unmarked++;
    }
}

int tell_flow(struct teller *teller, struct flow *flow)
{
    struct telling telling = {.now_ns = teller->now_ns};
    int code = 0;
    flow_leave_queue(teller, flow);
    open_leave(flow);
    bool is_told = flow->packet_count || flow->calls_alone;
    if (flow->beside) is_told = false;
    if (!is_told || !telling_begin(&telling, teller, flow)) {
        /* Beside; or a listener's queues were seen for a SYN that nobody captured; else out of memory. */
        code = is_told ? -ENOMEM : 0;
        flow_free(teller, flow);
        return code;
    }
    if (!telling.failed && !tell_english(&telling, telling.story)) code = -ENOMEM; /* before this one is remembered */
    count_joins(teller, flow);
    for (size_t i = 0; i < telling.call_count; i++) telling.calls[i].call->told = true;
    if (!telling.failed) {
        remember_numbers(teller, &telling);
        int buried = bury(teller, &telling);
        code = code ? code : buried;
    }
    struct story *story = telling_over(&telling);
    forget_flow(teller, flow);
    if (story && !code) return teller->listener(teller->data, story);
    story_free(story);
    return code ? code : -ENOMEM;
}
