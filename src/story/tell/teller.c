#include "story/tell/teller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/moment.h"
#include "story/tell/tell.h"
#include "story/track/apart.h"

struct teller *teller_new(teller_listener *listener, void *data)
{
    struct teller *teller = calloc(1, sizeof(*teller));
    if (!teller) return NULL;
    teller->listener = listener;
    teller->data = data;
    teller->tell = tell_flow;
    teller->flows = table_new(sizeof(struct flow_key));
    teller->sockets = table_new(sizeof(uint64_t));
    teller->threads = table_new(sizeof(int32_t));
    teller->processes = table_new(sizeof(int32_t));
    teller->epolls = table_new(sizeof(struct epoll_key));
    teller->serving = table_new(sizeof(struct port_key));
    teller->waiting = table_new(sizeof(struct ends_key));
    teller->clients = table_new(sizeof(struct ends_key));
    teller->refused = table_new(sizeof(uint16_t));
    teller->tombs = tombs_new();
    teller->bounds = teller_stored;
    teller->chains = table_new(sizeof(const struct event_chain *));
    teller->trace_arena = calloc(1, sizeof(*teller->trace_arena));
    teller->told_flows = calloc(TOLD_FLOWS, sizeof(struct told_flow));
    if (!teller->told_flows || !teller->flows || !teller->sockets || !teller->threads || !teller->processes || !teller->epolls ||
        !teller->serving || !teller->waiting || !teller->clients || !teller->refused || !teller->chains || !teller->tombs ||
        !teller->trace_arena) {
        teller_free(teller);
        return NULL;
    }
    teller->trace.recorder = "none";
    conn_judge_init(&teller->judge, flow_own_more, NULL);
    return teller;
}

/* Takes each out with `forget` and then frees the table. */
static void empty(struct teller *teller, struct table *table, void (*forget)(struct teller *teller, void *value))
{
    void *value;
    for (size_t cursor = 0; table && table_next(table, &cursor, NULL, &value);) forget(teller, value);
    table_free(table);
}

static void forget_flow(struct teller *teller, void *value)
{
    flow_free(teller, value);
}

static void forget_sock(struct teller *teller, void *value)
{
    sock_free(teller, value);
}

static void forget_chain(struct teller *teller, void *value)
{
    (void)teller;
    free(value);
}

void teller_free(struct teller *teller)
{
    if (!teller) return;
    empty(teller, teller->flows, forget_flow);
    apart_free(teller);
    empty(teller, teller->sockets, forget_sock);
    processes_free(teller);
    table_free(teller->threads);
    table_free(teller->epolls);
    table_free(teller->serving);
    table_free(teller->waiting);
    table_free(teller->clients);
    table_free(teller->refused);
    tombs_free(teller->tombs);
    empty(teller, teller->chains, forget_chain);
    for (size_t i = 0; i < teller->icmp_mark_count; i++) call_unref(teller->icmp_marks[i].call);
    free(teller->icmp_marks);
    free(teller->vantages);
    free(teller->told_flows);
    free(teller->losses);
    if (teller->trace_arena) arena_free(teller->trace_arena);
    free(teller->trace_arena);
    free(teller);
}

void teller_set_bounds(struct teller *teller, const struct teller_bounds *bounds)
{
    teller->bounds = *bounds;
}

static int take_trace(struct teller *teller, const struct event *event)
{
    teller->trace.recorder = arena_text(teller->trace_arena, event->trace.recorder);
    teller->trace.reason = event->trace.reason[0] ? arena_text(teller->trace_arena, event->trace.reason) : NULL;
    teller->trace.started_ns = event->t_ns;
    teller->unfiltered = event->trace.unfiltered;
    memcpy(teller->server_ports, event->trace.server_ports, sizeof(teller->server_ports));
    return teller->trace.recorder ? 0 : -ENOMEM;
}

static int take_vantage(struct teller *teller, const struct event *event)
{
    struct vantage *vantage =
        track_grow((void **)&teller->vantages, &teller->vantage_count, &teller->vantage_room, sizeof(*vantage));
    if (!vantage) return -ENOMEM;
    vantage->number = event->vantage.number;
    vantage->netns = event->vantage.netns;
    vantage->v4 = event->vantage.v4;
    vantage->v6 = event->vantage.v6;
    memcpy(vantage->name, event->vantage.name, sizeof(vantage->name));
    return 0;
}

static int take_lost(struct teller *teller, const struct event *event)
{
    struct story_loss *loss = track_grow((void **)&teller->losses, &teller->loss_count, &teller->loss_room, sizeof(*loss));
    if (!loss) return -ENOMEM;
    loss->source = arena_text(teller->trace_arena, event->lost.source);
    loss->what = arena_text(teller->trace_arena, event->lost.what);
    loss->received = event->lost.received;
    loss->count = event->lost.count;
    /* A capture's losses are dropped packets; a recorder's are lost events. */
    if (strncmp(event->lost.source, "capture", 7) == 0)
        teller->trace.dropped += event->lost.count;
    else
        teller->trace.lost += event->lost.count;
    return loss->source && loss->what ? 0 : -ENOMEM;
}

/* Stored logs hold any times: everything behind this adds and subtracts them. */
static const struct event *bounded(const struct event *event, struct event *room)
{
    bool sleeps = event->kind == EVENT_EXIT && event->call.slept_ns != moment_clamp(event->call.slept_ns);
    if (event->t_ns == moment_clamp(event->t_ns) && !sleeps) return event;
    *room = *event;
    room->t_ns = moment_clamp(event->t_ns);
    if (sleeps) room->call.slept_ns = moment_clamp(event->call.slept_ns);
    return room;
}

int teller_feed(struct teller *teller, const struct event *event)
{
    struct event room;
    static int (*const take[EVENT_KINDS])(struct teller *, const struct event *) = {
        [EVENT_TRACE] = take_trace,        [EVENT_VANTAGE] = take_vantage,   [EVENT_PACKET] = flow_take_packet,
        [EVENT_ENTER] = socket_take_enter, [EVENT_EXIT] = socket_take_exit,  [EVENT_MARK] = flow_take_mark,
        [EVENT_STATE] = flow_take_state,   [EVENT_RESET] = flow_take_reset,  [EVENT_WAKE] = socket_take_wake,
        [EVENT_PROCESS] = processes_take,  [EVENT_LOST] = take_lost,         [EVENT_TIMER] = flow_take_timer,
        [EVENT_DROP] = drops_take_drop,    [EVENT_QUEUE] = drops_take_queue,
    };
    event = bounded(event, &room);
    if (event->t_ns > teller->now_ns) teller->now_ns = event->t_ns;
    if ((unsigned)event->kind >= EVENT_KINDS || !take[event->kind]) return 0; /* RESEND: the mark's chain says it already */
    int code = take[event->kind](teller, event);
    if (!code) code = open_pass(teller);
    if (!code) code = sockets_pass(teller);
    processes_pass(teller);
    return code;
}

static int tell_all(struct teller *teller)
{
    size_t count;
    struct flow **open = open_flows(teller, &count);
    int code = open ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && !code; i++) {
        table_remove(teller->flows, &open[i]->key);
        code = tell_flow(teller, open[i]);
    }
    free(open);
    return code;
}

int teller_finish(struct teller *teller)
{
    teller->finishing = true;
    const char **names = arena_alloc(teller->trace_arena, (teller->vantage_count + 1) * sizeof(char *));
    int code = names ? tell_all(teller) : -ENOMEM;
    if (code) return code;
    code = apart_find_all(teller);
    for (size_t i = 0; i < teller->icmp_mark_count; i++)
        if (!teller->icmp_marks[i].marked) teller->marks_unjoined++;
    for (size_t i = 0; i < teller->vantage_count; i++) names[i] = arena_text(teller->trace_arena, teller->vantages[i].name);
    teller->trace.vantages = names;
    teller->trace.vantage_count = teller->vantage_count;
    teller->trace.losses = teller->losses;
    teller->trace.loss_count = teller->loss_count;
    teller->trace.marks_unjoined = teller->marks_unjoined;
    teller->trace.packets_unmarked = teller->any_mark ? teller->packets_unmarked : 0;
    return code;
}

const struct story_trace *teller_trace(const struct teller *teller)
{
    return &teller->trace;
}
