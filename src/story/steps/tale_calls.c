/* Which calls belong to a story, in order of their beginning. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "event/call_traits.h"
#include "story/steps/telling.h"
#include "story/track/call_story.h"

static int by_beginning(const void *a, const void *b)
{
    const struct call *const *x = a, *const *y = b;
    int64_t p = (*x)->entered ? (*x)->enter_ns : (*x)->exit_ns, q = (*y)->entered ? (*y)->enter_ns : (*y)->exit_ns;
    if (p != q) return p < q ? -1 : 1;
    return (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
}

struct call_pick {
    struct call *call;
    enum story_side side;
    bool listener;
};

struct call_picks {
    struct call_pick *items;
    size_t count, room;
};

static void pick(struct telling *telling, struct call_picks *picks, struct call *call, enum story_side side, bool listener)
{
    if (call->place < picks->count && picks->items[call->place].call == call) return;
    struct call_pick *item = track_grow((void **)&picks->items, &picks->count, &picks->room, sizeof(*item));
    if (!item) {
        telling->failed = true;
    } else {
        *item = (struct call_pick){call, side, listener};
        call->place = picks->count - 1;
    }
}

/* A bind() that failed has no port of its own: it concerns the connection whose end holds the one it asked for. */
static void pick_refused_binds(struct telling *telling, struct call_picks *picks)
{
    const struct flow *flow = telling->flow;
    static const enum story_side sides[] = {STORY_SERVER, STORY_CLIENT};
    for (size_t i = 0; flow->packet_count && i < 2; i++) {
        uint16_t port = flow->end[sides[i]].port;
        const uint64_t netns = telling_netns(telling, sides[i]);
        const void *at = NULL;
        for (struct call *call; port && (call = sockets_next_refused(telling->teller, port, netns, &at)) != NULL;)
            if (call->exit_ns >= telling->packets[0].sent_ns && call->traits & CALL_BINDS)
                pick(telling, picks, call, sides[i], true);
    }
}

static bool is_accepted(const struct flow *flow)
{
    const struct sock *sock = flow->sock[STORY_SERVER];
    for (size_t i = 0; sock && i < sock->call_count; i++)
        if (sock->calls[i]->traits & CALL_ACCEPTS && sock->calls[i]->exited && sock->calls[i]->ret >= 0) return true;
    return false;
}

/* Its sender's thread was in a close_range() that has this socket in its list (or whose list was cut), or had just returned from
 * one: all that is known of it where no chain is. Whether it sent this, the rules of the spans say. */
static bool may_close_among_many(const struct sighting *seen, const struct sock *own)
{
    const struct call *call = seen->call;
    if (seen->context.chain || seen->context.softirq || !own || !(call->traits & CALL_CLOSES_RANGE)) return false;
    return call->watch_cut || call_story_lists(call, own->cookie);
}

static void pick_calls(struct telling *telling, struct call_picks *picks, const struct sock *listener)
{
    struct flow *flow = telling->flow;
    for (size_t i = 0; listener && i < listener->call_count; i++)
        if (listener->calls[i]->traits & CALL_PREPARES) pick(telling, picks, listener->calls[i], STORY_SERVER, true);
    for (size_t i = 0; listener && !flow->udp && !is_accepted(flow) && i < listener->call_count; i++)
        if (listener->calls[i]->traits & (CALL_CLOSES | CALL_SHUTS_DOWN))
            pick(telling, picks, listener->calls[i], STORY_SERVER, true);
    for (size_t side = 0; side < STORY_SIDES; side++)
        for (size_t i = 0; flow->sock[side] && i < flow->sock[side]->call_count; i++) {
            struct call *call = flow->sock[side]->calls[i];
            pick(telling, picks, call, (enum story_side)side, call->traits & CALL_ACCEPTS);
        }
    if (!flow->udp) pick_refused_binds(telling, picks);
    for (size_t i = 0; i < flow->extra_count; i++) pick(telling, picks, flow->extra[i].call, flow->extra[i].side, false);
    /* Calls that sent something without working on the socket itself: execve, dup2, close_range. */
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        const struct call *call = packet->seen->call;
        if (!call || tale_is_datagram(packet->seen)) continue;
        if ((packet->chain.meaning == CHAIN_DEFERRED && call_story_can_let_go(call, flow->sock[packet->side])) ||
            (packet->chain.meaning == CHAIN_CALL && !packet->seen->call_over &&
             call_is_of_system_call(call->name, packet->chain.name)) ||
            may_close_among_many(packet->seen, flow->sock[packet->side]))
            pick(telling, picks, packet->seen->call, packet->side, false);
    }
}

static void make_call(struct telling *telling, const struct call_pick *item)
{
    struct tale_call *tale = &telling->calls[telling->call_count++];
    struct story_call *story = arena_alloc(telling->arena, sizeof(*story));
    if (!story) {
        telling->failed = true;
        telling->call_count--;
        return;
    }
    struct call *call = item->call;
    tale->call = call;
    call->place = telling->call_count - 1;
    tale->story = story;
    story->number = ++telling->story->summary.calls;
    story->side = item->side;
    story->listener = item->listener;
    if (call_story_fill(story, call, telling->arena)) telling->failed = true;
}

void tale_collect_calls(struct telling *telling, const struct sock *listener)
{
    struct call_picks picks = {0};
    pick_calls(telling, &picks, listener);
    telling->calls = calloc(picks.count ? picks.count : 1, sizeof(struct tale_call));
    if (telling->calls && picks.count) {
        qsort(picks.items, picks.count, sizeof(picks.items[0]), by_beginning);
        for (size_t i = 0; i < picks.count; i++) make_call(telling, &picks.items[i]);
    }
    if (!telling->calls) telling->failed = true;
    for (size_t side = 0; side < STORY_SIDES; side++)
        if (telling->flow->sock[side]) telling->story->summary.folded_calls += telling->flow->sock[side]->folded_calls;
    free(picks.items);
}
