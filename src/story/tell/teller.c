#include "story/tell/teller.h"
#include "base/lang.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/moment.h"
#include "event/extent.h"
#include "story/reports/reports.h"
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
    teller->listeners = table_new(sizeof(struct listener_key));
    teller->tombs = tombs_new();
    teller->bounds = teller_stored;
    teller->chains = table_new(sizeof(const struct event_chain *));
    teller->trace_arena = calloc(1, sizeof(*teller->trace_arena));
    teller->told_flows = calloc(TOLD_FLOWS, sizeof(struct told_flow));
    teller->answered = calloc(ANSWERED_SLOTS, sizeof(*teller->answered));
    if (!teller->answered || !teller->told_flows || !teller->flows || !teller->sockets || !teller->threads || !teller->processes ||
        !teller->epolls || !teller->serving || !teller->waiting || !teller->clients || !teller->refused || !teller->chains ||
        !teller->tombs || !teller->trace_arena || !teller->listeners) {
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
    table_free(teller->listeners);
    tombs_free(teller->tombs);
    translations_free(teller->translations);
    empty(teller, teller->chains, forget_chain);
    icmp_forget_marks(teller);
    free(teller->icmp_marks);
    free(teller->stuck);
    free(teller->vantages);
    free(teller->told_flows);
    free(teller->answered);
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
    teller->course_only = teller->judge.sparse = event->trace.course_only;
    teller->chosen = event->trace.chosen;
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

/* A run without end says the same of its losses again and again: beyond LOSSES_MAX what is said twice is added up. */
static struct story_loss *same_loss(struct teller *teller, const char *source, const char *what)
{
    for (size_t i = teller->loss_count >= LOSSES_MAX ? teller->loss_count : 0; i-- > 0;)
        if (strcmp(teller->losses[i].source, source) == 0 && strcmp(teller->losses[i].what, what) == 0) return &teller->losses[i];
    return teller->loss_count / 2 >= LOSSES_MAX ? &teller->losses[teller->loss_count - 1] : NULL;
}

static int add_loss(struct teller *teller, const char *source, const char *what, uint64_t received, uint64_t count)
{
    struct story_loss *loss = same_loss(teller, source, what);
    if (loss) {
        loss->received += received;
        loss->count += count;
        return 0;
    }
    const char *kept_source = arena_text(teller->trace_arena, source), *kept_what = arena_text(teller->trace_arena, what);
    loss = kept_source && kept_what ? track_grow((void **)&teller->losses, &teller->loss_count, &teller->loss_room, sizeof(*loss))
                                    : NULL;
    if (!loss) return -ENOMEM;
    *loss = (struct story_loss){.source = kept_source, .what = kept_what, .received = received, .count = count};
    return 0;
}

/* What a bound made the teller forget before its time. Most of it nobody misses; where it is missed a story is told less. */
static int say_forgotten(struct teller *teller)
{
    const struct forgotten *f = &teller->forgotten;
    const struct {
        const char *what;
        uint64_t kept, count;
    } bounds[] = {
        {tr("threads: too many"), THREADS_MAX, f->threads},
        {tr("processes whose end was not seen: too many"), PROCESSES_MAX, f->processes},
        {tr("sockets of no connection: too many"), SOCKETS_LOOSE_MAX, f->sockets},
        {tr("calls on one socket: too many"), SOCKET_CALLS_MAX, f->calls},
        {tr("datagrams that wait on one socket: too many"), ARRIVALS_MAX, f->arrivals},
        {tr("dropped segments of one connection: too many"), teller->bounds.packets_max, f->drops},
        {tr("ICMP errors on their way: too many"), ICMP_MARKS_MAX, f->icmp_marks},
        {tr("closed connections to know late segments by: too many"), TOMBS_MAX, f->tombs},
        {tr("open connections, told before their end: too many"), teller->bounds.open_max, f->flows},
    };
    int code = 0;
    for (size_t i = 0; !code && i < sizeof(bounds) / sizeof(bounds[0]); i++)
        if (bounds[i].count) code = add_loss(teller, tr("the story's memory"), bounds[i].what, bounds[i].kept, bounds[i].count);
    return code;
}

static int take_lost(struct teller *teller, const struct event *event)
{
    /* A capture's losses are dropped packets; a recorder's are lost events. */
    if (strncmp(event->lost.source, "capture", 7) == 0)
        teller->trace.dropped += event->lost.count;
    else
        teller->trace.lost += event->lost.count;
    return add_loss(teller, event->lost.source, event->lost.what, event->lost.received, event->lost.count);
}

/* Stored logs hold any times: everything behind this adds and subtracts them. */
static const struct event *bounded(const struct event *event, struct event *room)
{
    bool sleeps = event->kind == EVENT_EXIT && event->call.slept_ns != moment_clamp(event->call.slept_ns);
    if (event->t_ns == moment_clamp(event->t_ns) && !sleeps) return event;
    event_assign(room, event);
    room->t_ns = moment_clamp(event->t_ns);
    if (sleeps) room->call.slept_ns = moment_clamp(event->call.slept_ns);
    return room;
}

static int pass(struct teller *teller)
{
    int code = open_pass(teller);
    if (!code) code = sockets_pass(teller);
    processes_pass(teller);
    return code;
}

int teller_pass(struct teller *teller, int64_t now_ns)
{
    now_ns = moment_clamp(now_ns);
    if (now_ns <= teller->now_ns) return 0;
    teller->now_ns = now_ns;
    return pass(teller);
}

int teller_feed(struct teller *teller, const struct event *event)
{
    struct event room;
    static int (*const take[EVENT_KINDS])(struct teller *, const struct event *) = {
        [EVENT_TRACE] = take_trace,        [EVENT_VANTAGE] = take_vantage,   [EVENT_PACKET] = flow_take_packet,
        [EVENT_ENTER] = socket_take_enter, [EVENT_EXIT] = socket_take_exit,  [EVENT_MARK] = flow_take_mark,
        [EVENT_STATE] = flow_take_state,   [EVENT_RESET] = flow_take_reset,  [EVENT_WAKE] = socket_take_wake,
        [EVENT_PROCESS] = processes_take,  [EVENT_LOST] = take_lost,         [EVENT_TIMER] = flow_take_timer,
        [EVENT_DROP] = drops_take_drop,    [EVENT_QUEUE] = drops_take_queue, [EVENT_LISTENER] = listeners_take,
    };
    event = translate(teller, bounded(event, &room), &room);
    if (event->t_ns > teller->now_ns) teller->now_ns = event->t_ns;
    if ((unsigned)event->kind >= EVENT_KINDS || !take[event->kind]) return 0; /* RESEND: the mark's chain says it already */
    int code = take[event->kind](teller, event);
    return code ? code : pass(teller);
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
    int code = names ? calls_alone_find_all(teller) : -ENOMEM;
    if (!code) code = tell_all(teller);
    if (code) return code;
    code = apart_find_all(teller);
    icmp_forget_marks(teller);
    if (!code) code = say_forgotten(teller);
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
