#include "story/tell/tell.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "story/causes/cause.h"
#include "story/differences/differences.h"
#include "story/findings/findings.h"
#include "story/times/times.h"
#include "tcp/segment.h"

/* The listener began to listen when all that asked had come, and a RST alone answered: it had no part in this. */
static bool listens_too_late(const struct telling *telling)
{
    int64_t asked_ns = INT64_MIN;
    if (telling->flow->udp || telling->flow->sock[STORY_SERVER]) return false;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (tale_is_datagram(packet->seen)) continue;
        if (packet->side == STORY_SERVER && !(packet->seen->packet.header.flags & TCP_RST)) return false;
        int64_t came_ns = packet->received_ns ? packet->received_ns : packet->sent_ns;
        if (packet->side == STORY_CLIENT && came_ns > asked_ns) asked_ns = came_ns;
    }
    for (size_t i = 0; i < telling->call_count && !telling->packet_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (tale->call->traits & CALL_CONNECTS && tale->call->ret == -ECONNREFUSED) asked_ns = tale->call->exit_ns;
    }
    return asked_ns != INT64_MIN && tale_listens_later(telling, asked_ns);
}

static void name_processes(struct telling *telling)
{
    const bool too_late = listens_too_late(telling);
    for (size_t side = 0; side < STORY_SIDES; side++) {
        struct story_end *end = &telling->story->end[side];
        end->address = telling->flow->end[side];
        end->cookie = telling->flow->sock[side] ? telling->flow->sock[side]->cookie : 0;
        for (size_t i = 0; i < telling->call_count && !end->process.pid; i++) {
            const struct story_call *call = telling->calls[i].story;
            if (call->side != side || call->traits & CALL_MAKES_SOCKET || (call->listener && too_late)) continue;
            end->process.pid = call->pid;
            end->process.comm = call->comm;
        }
    }
}

/* An end whose patience ran out. Not in FIN_WAIT_2: there all is acknowledged, and the kernel just tidies up. */
static bool has_given_up(const struct telling *telling)
{
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct story_state *state = telling->states[i].story;
        if (state->kernel || state->to_state != STATE_CLOSED || state->from_state == STATE_FIN_WAIT_2) continue;
        if (telling->states[i].doubt && telling->states[i].call) return true; /* which timer, is not known */
        const struct tcp_arrow *arrow = tcp_next(state->from_state, INPUT_TIMEOUT_GIVE_UP);
        if (arrow && arrow->why == state->cause.why) return true;
    }
    return false;
}

/* connect() that says itself why no connection comes of it, and that nobody refused it: no way there, no port or address to come
 * from, a rule against it. Any other error leaves open what becomes of it (EINPROGRESS, EINTR, the kernel's own ERESTARTSYS). */
static bool has_no_way(const struct call *call)
{
    static const int64_t errors[] = {-EHOSTUNREACH, -ENETUNREACH, -ENETDOWN, -EADDRNOTAVAIL, -EACCES, -EPERM, -EINVAL};
    for (size_t i = 0; call->traits & CALL_CONNECTS && i < sizeof(errors) / sizeof(errors[0]); i++)
        if (call->ret == errors[i]) return true;
    return false;
}

/* What the calls got tells how it ended, as far as they asked; and in which state the kernel had the socket by then. */
static enum story_outcome outcome_of_calls(const struct telling *telling)
{
    bool closed = false, came_about = false, is_down = false, has_no_answer = false;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        if (!call->exited) continue;
        if (call->ret == -ECONNREFUSED) return OUTCOME_REFUSED;
        if (call->ret == -ETIMEDOUT) return OUTCOME_TIMED_OUT;
        if (call->ret == -ECONNRESET || call->ret == -EPIPE) return OUTCOME_RESET;
        bool is_close = call->traits & CALL_CLOSES, is_setup = call->traits & (CALL_MAKES_SOCKET | CALL_SETS_OPTION | CALL_BINDS);
        is_down |= is_close && call->socket.state == KERNEL_CLOSE;
        has_no_answer |= (is_close && call->socket.state == KERNEL_SYN_SENT) || has_no_way(call);
        came_about |= !is_setup && !is_close && call->ret >= 0 && call->socket.cookie;
        closed |= is_close;
    }
    if (has_no_answer && !came_about) return OUTCOME_HALF_OPEN;
    if (closed && is_down && !came_about) return OUTCOME_REFUSED; /* nobody asked why, and the kernel had given up */
    return closed ? OUTCOME_CLOSED : OUTCOME_OPEN;
}

/* Without packets what the calls handed over is all that is known of the data. */
static void count_by_calls(struct telling *telling)
{
    for (size_t side = 0; side < STORY_SIDES && telling->flow->calls_alone; side++) telling->story->end[side].state = STATE_UNKNOWN;
    for (size_t i = 0; i < telling->call_count && telling->flow->calls_alone; i++) {
        const struct story_call *call = telling->calls[i].story;
        bool writes = call->traits & CALL_WRITES;
        bool reads = call->traits & CALL_READS;
        enum story_side peer = call->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
        bool peer_tells = telling->story->end[peer].process.pid != 0; /* what it wrote is counted already */
        if (call->ret <= 0 || !call->exit_ns) continue;
        if (writes) telling->story->end[call->side].bytes_sent += (uint64_t)call->ret;
        if (reads && !peer_tells) telling->story->end[peer].bytes_sent += (uint64_t)call->ret;
    }
}

static enum story_outcome outcome_of(const struct telling *telling)
{
    const struct story *story = telling->story;
    if (telling->flow->calls_alone) return outcome_of_calls(telling);
    if (story->udp) {
        for (size_t i = 0; i < telling->packet_count; i++) {
            const struct story_datagram *datagram = telling->packets[i].datagram;
            if (datagram && datagram->icmp &&
                segment_icmp_is_refusal(datagram->error.protocol, datagram->error.type, datagram->error.code))
                return OUTCOME_REFUSED;
        }
        return OUTCOME_OPEN;
    }
    static const enum story_outcome outcomes[] = {[CONN_OUT_OPEN] = OUTCOME_OPEN,
                                                  [CONN_OUT_CLOSED] = OUTCOME_CLOSED,
                                                  [CONN_OUT_RESET] = OUTCOME_RESET,
                                                  [CONN_OUT_REFUSED] = OUTCOME_REFUSED,
                                                  [CONN_OUT_HALF_OPEN] = OUTCOME_HALF_OPEN};
    enum conn_outcome outcome = conn_outcome(&telling->conn);
    bool nobody_sent =
        !telling->conn.end[0].segments && !telling->conn.end[1].segments; /* what was made on the way opens nothing */
    if (nobody_sent && outcome == CONN_OUT_OPEN) outcome = CONN_OUT_HALF_OPEN;
    if (outcome == CONN_OUT_REFUSED || outcome == CONN_OUT_RESET) return outcomes[outcome];
    if (has_given_up(telling)) return OUTCOME_TIMED_OUT;
    if (outcome != CONN_OUT_HALF_OPEN) return outcomes[outcome];
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        if (call->exited && call->ret == -ETIMEDOUT) return OUTCOME_TIMED_OUT;
        /* By an ICMP error that was not captured: on the host's own loopback device, or out of a firewall there. */
        if (call->exited && call->ret == -ECONNREFUSED && call->traits & CALL_CONNECTS) return OUTCOME_REFUSED;
    }
    return telling->so_far ? OUTCOME_OPEN : OUTCOME_HALF_OPEN;
}

static int64_t story_start(const struct telling *telling)
{
    if (!telling->packet_count && telling->story->step_count) return telling->story->steps[0].t_ns;
    int64_t start = telling->packet_count ? telling->packets[0].sent_ns : 0;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        /* The call that led to the first packet is its time zero. */
        if (call->side == STORY_CLIENT && call->enter_ns && call->enter_ns < start && (!call->exit_ns || call->exit_ns > start))
            start = call->enter_ns;
    }
    return start;
}

/* Sockets whose addresses became known only after their last call was seen. */
static void bind_late(struct telling *telling)
{
    struct flow *flow = telling->flow;
    for (unsigned side = 0; side < STORY_SIDES; side++) {
        if (flow->sock[side] || (flow->to_itself && side == STORY_SERVER)) continue;
        struct sock *sock = sockets_waiting(telling->teller, flow, (enum story_side)side);
        if (!sock) continue;
        flow_set_sock(telling->teller, flow, (enum story_side)side, sock);
        telling->bound_late[side] = true;
    }
}

/* A story so far leaves everything as it was. */
static void unbind_late(struct telling *telling)
{
    for (unsigned side = 0; side < STORY_SIDES; side++)
        if (telling->bound_late[side]) flow_unset_sock(telling->teller, telling->flow, (enum story_side)side);
}

static void find_quoted(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *quoted = telling->packets[i].datagram ? tale_quoted(telling, i) : NULL;
        if (quoted) telling->packets[i].datagram->about_step = quoted->step;
    }
}

/* An end of which no call was recorded, because nobody follows its process: the kernel's chain shows who was in the call that sent.
 */
static void name_unfollowed(struct telling *telling)
{
    struct story_end *end = telling->story->end;
    for (size_t i = 0; i < telling->packet_count && !telling->flow->to_itself; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        const struct event_thread *current = &packet->seen->context.current;
        if (end[packet->side].process.pid || packet->cause->kind != CAUSE_CALL || packet->cause->evidence != EVIDENCE_STACK)
            continue;
        if (!packet->seen->marked || packet->chain.meaning != CHAIN_CALL || !current->pid) continue;
        end[packet->side].process =
            (struct story_process){.pid = current->pid, .comm = telling_printf(telling, "%s", current->comm)};
    }
}

/* TCP of the listener's network has seen what was for the server; or a capture there has the server's address. */
static bool is_reached(const struct telling *telling, const struct sock *listener)
{
    const struct flow *flow = telling->flow;
    const struct address *server = &flow->end[STORY_SERVER];
    for (size_t i = 0; i < telling->teller->vantage_count; i++)
        if (telling->teller->vantages[i].netns == listener->netns && vantage_is_at(&telling->teller->vantages[i], server))
            return true;
    for (size_t i = 0; i < flow->queue_count; i++)
        if (flow->queues[i].queue.netns == listener->netns) return true;
    for (size_t i = 0; i < flow->drop_count; i++) {
        const struct event_drop *drop = &flow->drops[i].drop;
        bool by_tcp = strncmp(drop->function, "tcp_", 4) == 0 && address_equal(&drop->header.dst, server);
        if (by_tcp && drop->netns == listener->netns) return true;
    }
    return false;
}

/* The client's segments left the network of both by the device of a host that is not alone, or what came back was not made there.
 */
static bool leaves(const struct telling *telling)
{
    const struct address *client = &telling->flow->end[STORY_CLIENT];
    bool marked = false, comes_in = false;
    if (telling->teller->course_only) return true; /* by which device is not recorded; what answers has its mark */
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        bool is_clients = packet->side == STORY_CLIENT;
        marked |= is_clients && packet->seen->marked;
        comes_in |= !is_clients && packet->seen->captured && !packet->seen->marked;
        for (size_t k = 0; is_clients && packet->seen->captured && k < telling->teller->vantage_count; k++) {
            const struct vantage *vantage = &telling->teller->vantages[k];
            if (vantage->number == packet->seen->packet.vantage && vantage_is_at(vantage, client)) return true;
        }
    }
    return marked && comes_in;
}

/* It listens at any address: of its own network, that is. The server's may be another host's, or another network's. */
static bool may_serve_others(const struct telling *telling, const struct sock *listener)
{
    const struct address *server = &telling->flow->end[STORY_SERVER];
    struct address client = telling->flow->end[STORY_CLIENT];
    client.port = server->port;
    uint64_t netns = telling_netns(telling, STORY_CLIENT);
    if (!address_is_any(&listener->local) || !listener->netns || !netns) return false;
    if (flow_is_loopback(server) || address_equal(&client, server) || is_reached(telling, listener)) return false;
    return netns != listener->netns || leaves(telling);
}

/* The server's listener: in its own network, where that is known. */
static struct sock *find_listener(const struct telling *telling)
{
    const struct flow *flow = telling->flow;
    const struct address *server = &flow->end[STORY_SERVER];
    if (flow->udp) return socket_serving(telling->teller, server, IPPROTO_UDP, 0, 0);
    uint64_t netns = telling_netns(telling, STORY_SERVER);
    int64_t begun_ns = telling->packet_count ? telling->packets[0].sent_ns : 0;
    if (!netns && sockets_serve_twice(telling->teller, server, IPPROTO_TCP)) return NULL;
    struct sock *listener = socket_serving(telling->teller, server, IPPROTO_TCP, netns, begun_ns);
    return listener && !netns && may_serve_others(telling, listener) ? NULL : listener;
}

/* The order of these is that in which one needs the other. */
static void make(struct telling *telling)
{
    struct flow *flow = telling->flow;
    bind_late(telling);
    tale_collect_packets(telling);
    struct sock *listener = find_listener(telling);
    telling->listener = listener;
    if (!telling->failed) tale_collect_calls(telling, listener);
    if (!telling->failed) tale_make_packets(telling);
    if (!telling->failed) back_make(telling);
    if (!telling->failed) tale_attach_drops(telling);
    if (telling->failed) return;
    name_processes(telling);
    tale_lay_steps(telling, listener);
    if (telling->failed) return;
    find_quoted(telling);
    telling->story->start_ns = story_start(telling);
    telling->story->outcome = outcome_of(telling);
    windows_find_all(telling);
    cause_find_all(telling);
    name_unfollowed(telling);
    wake_find_all(telling);
    summary_make(telling);
    count_by_calls(telling);
    spent_find(telling);
    findings_find_all(telling);
    if (!flow->sequel) differences_find_all(telling);
}

bool telling_begin(struct telling *telling, struct teller *teller, struct flow *flow)
{
    struct story_own *own = calloc(1, sizeof(*own));
    if (!own) return false;
    own->arena = arena_new();
    struct story *story = &own->story;
    story->number = flow->number;
    story->udp = flow->udp;
    story->so_far = telling->so_far;
    story->sequel = flow->sequel;
    story->calls_alone = flow->calls_alone;
    story->roles_guessed = flow_roles_are_guessed(flow);
    story->summary.time_wait_side = -1;
    telling->teller = teller;
    telling->flow = flow;
    telling->story = story;
    telling->arena = &own->arena;
    telling->serial = ++teller->serial;
    for (size_t i = 0; i < flow->reset_count; i++) flow->resets[i].told = false; /* by a story so far */
    make(telling);
    return true;
}

struct story *telling_over(struct telling *telling)
{
    free(telling->packets);
    free(telling->calls);
    free(telling->states);
    free(telling->surprises);
    cause_sweep_end(telling);
    free(telling->ends);
    free(telling->exits);
    back_free(&telling->back);
    if (!telling->failed) return telling->story;
    story_free(telling->story);
    return NULL;
}

/* Before its flow is freed, or what it lent is given back. */
bool tell_english(const struct telling *told, struct story *story)
{
    if (lang_now() == LANG_EN || !story) return true;
    enum lang lang = lang_use(LANG_EN);
    struct telling telling = {.now_ns = told->now_ns, .so_far = told->so_far};
    if (telling_begin(&telling, told->teller, told->flow)) story->english = telling_over(&telling);
    lang_use(lang);
    return story->english != NULL;
}

int tell_so_far(struct teller *teller, struct flow *flow, int64_t now_ns, struct story **ret_story)
{
    struct telling telling = {.now_ns = now_ns > teller->now_ns ? now_ns : teller->now_ns, .so_far = true};
    *ret_story = NULL;
    if (!flow->packet_count && !flow->calls_alone) return 0; /* nothing of it was captured so far */
    if (!telling_begin(&telling, teller, flow)) return -ENOMEM;
    *ret_story = telling_over(&telling);
    bool failed = !*ret_story || !tell_english(&telling, *ret_story);
    unbind_late(&telling);
    if (!failed) return 0;
    story_free(*ret_story);
    *ret_story = NULL;
    return -ENOMEM;
}
