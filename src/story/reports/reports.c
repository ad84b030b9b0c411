/* What the kernel reports of a connection's sockets: their states, resets and timers. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "story/reports/reports.h"

int flow_take_state(struct teller *teller, const struct event *event)
{
    struct sock *sock = socket_get(teller, &event->state.socket);
    if (!sock) return 0;
    if (event->state.to == KERNEL_LISTEN) sock->listening = true;
    if (event->state.from == KERNEL_LISTEN) listeners_forget(teller, &sock->local, event->state.netns);
    if (event->state.netns) sock->netns = event->state.netns;
    sock->gone = event->state.to == KERNEL_CLOSE;
    if (sockets_file(teller, sock)) return -ENOMEM;
    flow_bind(teller, sock);
    sockets_touch(teller, sock);
    struct thread *thread = socket_thread(teller, &event->state.context.current);
    struct change change = {
        .t_ns = event->t_ns,
        .order = event->order,
        .side = sock->side,
        .from = event->state.from,
        .to = event->state.to,
        .context = event->state.context,
        .call = call_ref(thread_call_at(thread, &event->state.context)),
    };
    struct flow *flow = sock->flow;
    struct change *kept = flow ? track_grow((void **)&flow->changes, &flow->change_count, &flow->change_room, sizeof(*kept))
                               : track_grow((void **)&sock->changes, &sock->change_count, &sock->change_room, sizeof(*kept));
    if (!kept) {
        call_unref(change.call);
        return -ENOMEM;
    }
    *kept = change;
    if (flow && teller->bounds.ends_idle && change.from == KERNEL_SYN_SENT && change.to == KERNEL_CLOSE) {
        flow->attempt_over = true;
        if (!flow->queued) flow_queue(teller, flow);
    }
    return 0;
}

int flow_take_reset(struct teller *teller, const struct event *event)
{
    const struct event_socket *socket = &event->reset.socket;
    if (!socket->local.port || !socket->remote.port) return 0;
    struct flow *flow = flow_find(teller, &socket->local, &socket->remote, IPPROTO_TCP, event->reset.netns);
    if (!flow) return 0;
    struct reset_note *note = track_grow((void **)&flow->resets, &flow->reset_count, &flow->reset_room, sizeof(*note));
    if (!note) return -ENOMEM;
    note->t_ns = event->t_ns;
    note->side = flow_side(flow, &socket->local);
    note->sent = event->reset.sent;
    memcpy(note->reason, event->reset.reason, sizeof(note->reason));
    if (!note->sent) flow_take_held_reset(teller, flow, note->side);
    return 0;
}

int flow_take_timer(struct teller *teller, const struct event *event)
{
    const struct event_socket *socket = &event->timer.socket;
    if (!socket->local.port || !socket->remote.port) return 0;
    struct flow *flow = flow_find(teller, &socket->local, &socket->remote, IPPROTO_TCP, event->timer.netns);
    if (!flow) return 0;
    bool was_open = socket->state != KERNEL_NEW_SYN_RECV; /* then it has sent, in its own network */
    if (was_open && flow->networks.count && !networks_have(&flow->networks, event->timer.netns)) return 0;
    enum story_side side = flow_side(flow, &socket->local);
    const struct sock *sock = flow->sock[side];
    if (sock && socket->cookie && sock->cookie != socket->cookie) return 0; /* of an earlier connection between these ends */
    struct expiry *expiry = track_grow((void **)&flow->expiries, &flow->expiry_count, &flow->expiry_room, sizeof(*expiry));
    if (!expiry) return -ENOMEM;
    *expiry = (struct expiry){
        .t_ns = event->t_ns,
        .order = event->order,
        .side = side,
        .state = socket->state,
        .cancelled = event->timer.cancelled,
        .context = event->timer.context,
    };
    return 0;
}
