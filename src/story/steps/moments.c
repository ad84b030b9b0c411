#include "story/steps/moments.h"

#include <stdlib.h>

#include "base/sort.h"

/* Of two that arrive behind the same packet the earlier one comes first. */
static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    if (x->t_ns != y->t_ns) return x->t_ns < y->t_ns ? -1 : 1;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    if (x->kind != y->kind) return (int)x->kind - (int)y->kind;
    return (x->index > y->index) - (x->index < y->index);
}

static void add_moment(struct telling *telling, struct moments *moments, enum moment_kind kind, int64_t t_ns, uint64_t order,
                       size_t index)
{
    struct moment *moment = track_grow((void **)&moments->items, &moments->count, &moments->room, sizeof(*moment));
    if (!moment)
        telling->failed = true;
    else
        *moment = (struct moment){t_ns, order, kind, index};
}

bool moments_process_is_here(const struct telling *telling, const struct process_end *end, enum story_side *ret_side)
{
    for (size_t side = 0; side < STORY_SIDES; side++)
        if (telling->story->end[side].process.pid == end->thread.pid) {
            *ret_side = (enum story_side)side;
            return true;
        }
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].call->thread.pid == end->thread.pid) {
            *ret_side = telling->calls[i].story->side;
            return true;
        }
    const struct flow *flow = telling->flow;
    for (size_t i = 0; i < 2; i++)
        if (flow->ender[i] && flow->ender[i]->pid == end->thread.pid) {
            *ret_side = address_equal(&flow->ender_end[i], &flow->end[STORY_CLIENT]) ? STORY_CLIENT : STORY_SERVER;
            return true;
        }
    return false;
}

static void add_ends(struct telling *telling, struct moments *moments, struct process *process)
{
    if (!process || process->serial == telling->serial) return;
    process->serial = telling->serial;
    for (size_t k = 0; k < process->end_count; k++) {
        const struct process_end **end = track_grow((void **)&telling->ends, &telling->end_count, &telling->end_room, sizeof(*end));
        if (!end) {
            telling->failed = true;
            return;
        }
        *end = &process->ends[k];
        add_moment(telling, moments, MOMENT_PROCESS, (*end)->t_ns, (*end)->order, telling->end_count - 1);
    }
}

void moments_collect(struct telling *telling, struct moments *moments)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        add_moment(telling, moments, MOMENT_SENT, packet->order_ns, packet->seen->order, i);
        const struct tale_packet *behind = packet->behind ? &telling->packets[packet->behind - 1] : packet;
        int64_t received_ns = packet->received_ns > behind->order_ns ? packet->received_ns : behind->order_ns;
        if (!tale_is_datagram(packet->seen)) add_moment(telling, moments, MOMENT_RECEIVED, received_ns, behind->seen->order, i);
    }
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        if (call->entered) add_moment(telling, moments, MOMENT_ENTER, call->enter_ns, call->order, i);
        if (call->exited) add_moment(telling, moments, MOMENT_EXIT, call->exit_ns, call->order, i);
    }
    for (size_t i = 0; i < telling->flow->change_count; i++)
        add_moment(telling, moments, MOMENT_CHANGE, telling->flow->changes[i].t_ns, telling->flow->changes[i].order, i);
    for (size_t i = 0; i < telling->flow->expiry_count; i++) /* what cancelled a timer is a moment of its own */
        if (!telling->flow->expiries[i].cancelled)
            add_moment(telling, moments, MOMENT_EXPIRY, telling->flow->expiries[i].t_ns, telling->flow->expiries[i].order, i);
    for (size_t i = 0; i < telling->call_count; i++) add_ends(telling, moments, telling->calls[i].call->process);
    for (size_t i = 0; i < 2; i++) add_ends(telling, moments, telling->flow->ender[i]);
    sort_items(moments->items, moments->count, sizeof(moments->items[0]), by_time);
}
