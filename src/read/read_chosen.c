#include "read/read_chosen.h"
#include "base/lang.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "event/call_traits.h"
#include "event/copy.h"
#include "event/extent.h"

/* A story may be told from what came a moment before its first step, or behind its last. */
static const int64_t around_ns = 1000000;

/* Two ends, the lesser first. */
struct pair_key {
    struct address low, high;
};

struct call_key {
    int64_t t_ns;
    int32_t tid;
    uint32_t exits;
};

struct chosen {
    uint32_t number;
    int64_t from_ns, to_ns;
    struct chosen *next; /* another of the same two ends */
    struct chosen *before;
};

struct choosing {
    const struct read_range *ranges;
    size_t range_count;
    bool of_capture;
    uint32_t most[2]; /* the largest number; of UDP flows that are numbered apart */
    struct chosen *last;
    struct table *pairs;     /* pair_key → chosen */
    struct table *calls;     /* call_key → chosen */
    struct table *processes; /* pid → chosen */
    struct table *sockets;   /* cookie → chosen */
    struct table *asleep;    /* tid → chosen: inside one of the calls */
    struct table *ports;     /* that the servers of the chosen are at → chosen */
};

/* ---- what belongs to a story ---- */

static struct pair_key pair_of(const struct address *a, const struct address *b)
{
    struct pair_key key;
    memset(&key, 0, sizeof(key));
    bool in_order = memcmp(a, b, sizeof(*a)) <= 0;
    key.low = in_order ? *a : *b;
    key.high = in_order ? *b : *a;
    return key;
}

static struct call_key call_key(int32_t tid, int64_t t_ns, bool exits)
{
    struct call_key key;
    memset(&key, 0, sizeof(key));
    key.t_ns = t_ns;
    key.tid = tid;
    key.exits = exits;
    return key;
}

static int put_call(struct choosing *choosing, const struct story_call *call, struct chosen *chosen)
{
    struct call_key enter = call_key(call->tid, call->enter_ns, false), leave = call_key(call->tid, call->exit_ns, true);
    int code = call->enter_ns ? table_put(choosing->calls, &enter, chosen) : 0;
    if (!code && call->exit_ns) code = table_put(choosing->calls, &leave, chosen);
    return !code && call->pid ? table_put(choosing->processes, &call->pid, chosen) : code;
}

static void widen(struct chosen *chosen, int64_t t_ns)
{
    if (t_ns < chosen->from_ns) chosen->from_ns = t_ns;
    if (t_ns > chosen->to_ns) chosen->to_ns = t_ns;
}

static int put_steps(struct choosing *choosing, const struct story *story, struct chosen *chosen)
{
    int code = 0;
    for (size_t i = 0; i < story->step_count && !code; i++) {
        const struct story_step *step = &story->steps[i];
        widen(chosen, step->t_ns);
        if (step->kind == STEP_SEGMENT && step->segment->received_ns) widen(chosen, step->segment->received_ns);
        if (step->kind == STEP_DATAGRAM && step->datagram->received_ns) widen(chosen, step->datagram->received_ns);
        if (step->kind == STEP_ENTER || step->kind == STEP_EXIT) code = put_call(choosing, step->call, chosen);
        if (step->kind == STEP_PROCESS_EXIT && step->exit->process.pid)
            code = table_put(choosing->processes, &step->exit->process.pid, chosen);
    }
    return code;
}

static int choose(struct choosing *choosing, const struct story *story)
{
    struct chosen *chosen = calloc(1, sizeof(*chosen));
    if (!chosen) return -ENOMEM;
    *chosen =
        (struct chosen){.number = story->number, .from_ns = story->start_ns, .to_ns = story->start_ns, .before = choosing->last};
    choosing->last = chosen;
    const struct pair_key key = pair_of(&story->end[0].address, &story->end[1].address);
    chosen->next = table_get(choosing->pairs, &key);
    int code = table_put(choosing->pairs, &key, chosen);
    if (!code) code = table_put(choosing->ports, &story->end[STORY_SERVER].address.port, chosen);
    for (size_t side = 0; side < STORY_SIDES && !code; side++)
        if (story->end[side].cookie) code = table_put(choosing->sockets, &story->end[side].cookie, chosen);
    return code ? code : put_steps(choosing, story, chosen);
}

static int look(void *data, struct story *story)
{
    struct choosing *choosing = data;
    read_renumber(story, choosing->of_capture);
    const bool apart = story->numbered_apart;
    if (story->number > choosing->most[apart]) choosing->most[apart] = story->number;
    bool chosen = read_is_chosen(choosing->ranges, choosing->range_count, story->number, apart);
    int code = chosen ? choose(choosing, story) : 0;
    story_free(story);
    return code;
}

/* ---- events of it ---- */

static struct chosen *of_pair(const struct choosing *choosing, const struct address *a, const struct address *b, int64_t t_ns)
{
    const struct pair_key key = pair_of(a, b);
    struct chosen *chosen = table_get(choosing->pairs, &key);
    while (chosen && (t_ns < chosen->from_ns - around_ns || t_ns > chosen->to_ns + around_ns)) chosen = chosen->next;
    return chosen;
}

static struct chosen *of_socket(const struct choosing *choosing, const struct event_socket *socket, int64_t t_ns)
{
    struct chosen *chosen = of_pair(choosing, &socket->local, &socket->remote, t_ns);
    return chosen || !socket->cookie ? chosen : table_get(choosing->sockets, &socket->cookie);
}

static struct chosen *of_packet(const struct choosing *choosing, const struct event *event)
{
    const struct event_packet *packet = &event->packet;
    if (packet->icmp.quotes) return of_pair(choosing, &packet->icmp.src, &packet->icmp.dst, event->t_ns);
    return of_pair(choosing, &packet->header.src, &packet->header.dst, event->t_ns);
}

/* That of an ICMP error names no ports; what it was made for does. */
static struct chosen *of_mark(const struct choosing *choosing, const struct event *event)
{
    const struct event_packet_header *header = &event->mark.header;
    bool icmp = header->protocol == IPPROTO_ICMP || header->protocol == IPPROTO_ICMPV6;
    if (icmp && event->mark.context.receiving) header = &event->mark.context.received;
    return of_pair(choosing, &header->src, &header->dst, event->t_ns);
}

static int note_socket(struct choosing *choosing, const struct event_socket *socket, struct chosen *chosen)
{
    return socket->cookie ? table_put(choosing->sockets, &socket->cookie, chosen) : 0;
}

/* What a waiting call of a chosen process waits for: which sockets its epoll watches. */
static struct chosen *of_epoll(const struct choosing *choosing, const struct event_call *call)
{
    if (!call->epoll && strncmp(call->name, "epoll_", 6) != 0) return NULL;
    if (call->socket.cookie && !table_get(choosing->sockets, &call->socket.cookie)) return NULL;
    return table_get(choosing->processes, &call->thread.pid);
}

/* What an accept() of a chosen listener returned may be another connection's, which is not chosen: nothing of it is to come along.
 */
static bool is_of_another(const struct choosing *choosing, const struct event_socket *socket, int64_t t_ns)
{
    return socket->local.port && socket->remote.port && !of_pair(choosing, &socket->local, &socket->remote, t_ns) &&
           !table_get(choosing->sockets, &socket->cookie);
}

/* A call that is chosen: its sockets are known from then on, and what wakes its thread. */
static int take_call(struct choosing *choosing, const struct event *event, struct chosen **ret_chosen)
{
    const struct event_call *call = &event->call;
    bool exits = event->kind == EVENT_EXIT;
    const struct call_key key = call_key(call->thread.tid, event->t_ns, exits);
    struct chosen *chosen = table_get(choosing->calls, &key);
    if (!chosen) chosen = of_epoll(choosing, call);
    *ret_chosen = chosen;
    table_remove(choosing->asleep, &call->thread.tid);
    if (!chosen) return 0;
    int code = exits ? 0 : table_put(choosing->asleep, &call->thread.tid, chosen);
    if (!code) code = note_socket(choosing, &call->socket, chosen);
    if (code || is_of_another(choosing, &call->other, event->t_ns)) return code;
    return note_socket(choosing, &call->other, chosen);
}

static struct chosen *of_event(const struct choosing *choosing, const struct event *event)
{
    switch (event->kind) {
    case EVENT_PACKET:
        return of_packet(choosing, event);
    case EVENT_MARK:
        return of_mark(choosing, event);
    case EVENT_DROP:
        return of_pair(choosing, &event->drop.header.src, &event->drop.header.dst, event->t_ns);
    case EVENT_QUEUE:
        return of_pair(choosing, &event->queue.header.src, &event->queue.header.dst, event->t_ns);
    case EVENT_STATE:
        return of_socket(choosing, &event->state.socket, event->t_ns);
    case EVENT_RESET:
        return of_socket(choosing, &event->reset.socket, event->t_ns);
    case EVENT_RESEND:
        return of_socket(choosing, &event->resend.socket, event->t_ns);
    case EVENT_TIMER:
        return of_socket(choosing, &event->timer.socket, event->t_ns);
    case EVENT_WAKE:
        return table_get(choosing->asleep, &event->wake.thread.tid);
    case EVENT_PROCESS:
        return table_get(choosing->processes, &event->process.thread.pid);
    default:
        return NULL;
    }
}

/* What a chosen process passes on is its child's, too. */
static int take_process(struct choosing *choosing, const struct event_process *process, struct chosen **ret_chosen)
{
    struct chosen *parent = process->change == PROCESS_FORK ? table_get(choosing->processes, &process->parent) : NULL;
    if (*ret_chosen || !parent) return 0;
    *ret_chosen = parent;
    return process->thread.pid ? table_put(choosing->processes, &process->thread.pid, parent) : 0;
}

static bool is_of_run(const struct event *event)
{
    return event->kind == EVENT_TRACE || event->kind == EVENT_VANTAGE || event->kind == EVENT_LOST || event->kind == EVENT_CLOCK ||
           event->kind == EVENT_LISTENER;
}

static int take(struct choosing *choosing, const struct event *event, struct event_log *to)
{
    struct chosen *chosen = NULL;
    int code = 0;
    if (event->kind == EVENT_ENTER || event->kind == EVENT_EXIT)
        code = take_call(choosing, event, &chosen);
    else
        chosen = of_event(choosing, event);
    if (event->kind == EVENT_PROCESS) code = take_process(choosing, &event->process, &chosen);
    if (code || (!chosen && !is_of_run(event))) return code;
    struct event copy;
    event_assign(&copy, event);
    if (event->kind == EVENT_EXIT && is_of_another(choosing, &event->call.other, event->t_ns))
        memset(&copy.call.other, 0, sizeof(copy.call.other));
    if (event->kind == EVENT_PACKET) copy.packet.connection = chosen->number;
    if (event->kind == EVENT_TRACE) copy.trace.chosen = true;
    return event_copy(to, &copy);
}

/* Calls for which no port was left: whose connections held them, their stories say. */
static bool wants_port(const struct event_call *call)
{
    uint32_t traits = call_traits(call->name);
    return (call->ret == -EADDRNOTAVAIL && traits & CALL_CONNECTS) ||
           (call->ret == -EADDRINUSE && traits & (CALL_BINDS | CALL_LISTENS));
}

/* Who listens at the server's port, on whatever address: a finding may rest on it. Its calls are chosen, of each both sides. */
static int choose_listeners(struct choosing *choosing, const struct event_log *log)
{
    struct table *cookies = table_new(sizeof(uint64_t)), *enters = table_new(sizeof(int32_t));
    int code = cookies && enters ? 0 : -ENOMEM;
    for (size_t i = 0; i < event_log_count(log) && !code; i++) {
        const struct event *event = event_log_at(log, i);
        const struct event_socket *socket = &event->call.socket;
        if (event->kind != EVENT_EXIT || !socket->cookie || !socket->local.port || socket->remote.version) continue;
        struct chosen *chosen = table_get(choosing->ports, &socket->local.port);
        if (chosen) code = table_put(cookies, &socket->cookie, chosen);
    }
    for (size_t i = 0; i < event_log_count(log) && !code; i++) {
        const struct event *event = event_log_at(log, i);
        const struct event_call *call = &event->call;
        if (event->kind == EVENT_ENTER) code = table_put(enters, &call->thread.tid, (void *)(uintptr_t)event);
        if (event->kind != EVENT_EXIT) continue;
        const struct event *enter = table_remove(enters, &call->thread.tid);
        struct chosen *chosen = call->socket.cookie ? table_get(cookies, &call->socket.cookie) : NULL;
        if (!chosen && wants_port(call)) chosen = choosing->last;
        const struct story_call both = {
            .tid = call->thread.tid, .pid = call->thread.pid, .enter_ns = enter ? enter->t_ns : 0, .exit_ns = event->t_ns};
        if (chosen) code = put_call(choosing, &both, chosen);
    }
    table_free(cookies);
    table_free(enters);
    return code;
}

/* Where a host translates what it sends, its socket's pair, that of the wire, and what is seen between are of one connection. */
static int choose_translated(struct choosing *choosing, const struct event *event)
{
    const struct event_socket *socket = &event->mark.socket;
    const struct event_packet_header *header = &event->mark.header;
    if (event->kind != EVENT_MARK || !socket->cookie || !socket->local.port || !socket->remote.port) return 0;
    const struct pair_key pairs[] = {pair_of(&header->src, &header->dst), pair_of(&socket->local, &socket->remote),
                                     pair_of(&socket->local, &header->dst)};
    struct chosen *chosen = table_get(choosing->pairs, &pairs[0]);
    if (!chosen) chosen = table_get(choosing->pairs, &pairs[1]);
    int code = 0;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]) && chosen && !code; i++)
        if (!table_get(choosing->pairs, &pairs[i])) code = table_put(choosing->pairs, &pairs[i], chosen);
    return code;
}

/* ---- the passes ---- */

static int tell_all(struct choosing *choosing, const struct event_log *log)
{
    struct teller *teller = teller_new(look, choosing);
    int code = teller ? 0 : -ENOMEM;
    for (size_t i = 0; i < event_log_count(log) && !code; i++) code = teller_feed(teller, event_log_at(log, i));
    if (!code) code = teller_finish(teller);
    teller_free(teller);
    return code;
}

static int check_all_there(const struct choosing *choosing, struct err *err)
{
    for (size_t i = 0; i < choosing->range_count; i++) {
        const struct read_range *range = &choosing->ranges[i];
        if (range->from > choosing->most[range->udp])
            return err_set(err, -ENOENT,
                           range->udp ? TR("there is no UDP flow u%u: the run has %u UDP flows")
                                      : TR("there is no connection %u: the run has %u"),
                           range->from, choosing->most[range->udp]);
    }
    return 0;
}

static void end_choosing(struct choosing *choosing)
{
    while (choosing->last) {
        struct chosen *chosen = choosing->last;
        choosing->last = chosen->before;
        free(chosen);
    }
    table_free(choosing->pairs);
    table_free(choosing->calls);
    table_free(choosing->processes);
    table_free(choosing->sockets);
    table_free(choosing->asleep);
    table_free(choosing->ports);
}

int read_choose(struct event_log *log, const struct read_range *ranges, size_t count, struct event_log **ret_chosen,
                struct err *err)
{
    struct choosing choosing = {.ranges = ranges,
                                .range_count = count,
                                .pairs = table_new(sizeof(struct pair_key)),
                                .calls = table_new(sizeof(struct call_key)),
                                .processes = table_new(sizeof(int32_t)),
                                .sockets = table_new(sizeof(uint64_t)),
                                .asleep = table_new(sizeof(int32_t)),
                                .ports = table_new(sizeof(uint16_t)),
                                .of_capture = read_is_of_capture(log)};
    bool sound = choosing.pairs && choosing.calls && choosing.processes && choosing.sockets && choosing.asleep && choosing.ports;
    struct event_log *to = event_log_new();
    int missing = 0, code = sound && to ? tell_all(&choosing, log) : -ENOMEM;
    if (!code) missing = check_all_there(&choosing, err);
    if (!code && !missing) code = choose_listeners(&choosing, log);
    for (size_t i = 0; i < event_log_count(log) && !code && !missing; i++)
        code = choose_translated(&choosing, event_log_at(log, i));
    for (size_t i = 0; i < event_log_count(log) && !code && !missing; i++) code = take(&choosing, event_log_at(log, i), to);
    end_choosing(&choosing);
    if (!code && !missing) return *ret_chosen = to, 0;
    event_log_free(to);
    return missing ? missing : err_set_errno(err, code, "can't choose connections of the run");
}
