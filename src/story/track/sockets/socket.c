/* Sockets, calls and threads: which socket a call works on, and which connection that socket turns out to be. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/apart.h"
#include "story/track/call_story.h"
#include "story/track/track.h"

struct call *call_ref(struct call *call)
{
    if (call) call->refs++;
    return call;
}

void call_unref(struct call *call)
{
    if (!call || --call->refs) return;
    process_unref(call->process);
    free(call->lookup);
    free(call);
}

static void call_replace(struct call **slot, struct call *call)
{
    call_ref(call);
    call_unref(*slot);
    *slot = call;
}

void sock_free(struct teller *teller, struct sock *sock)
{
    if (!sock) return;
    if (sock->has_refused) sockets_forget_refused(teller, sock);
    while (sock->epolls.first) epoll_forget(teller, LIST_OF(sock->epolls.first, struct epoll, sock_link));
    sockets_take_out(teller, sock);
    for (size_t i = 0; i < sock->call_count; i++) call_unref(sock->calls[i]);
    for (size_t i = 0; i < sock->change_count; i++) call_unref(sock->changes[i].call);
    if (sock->flow) sock->flow->sock[sock->side] = NULL;
    free(sock->arrivals);
    free(sock->holders);
    free(sock->calls);
    free(sock->changes);
    free(sock);
}

/* The kernel takes a socket's own address away, and leaves its port, when its connect() has failed. */
static bool is_forgotten(const struct sock *sock, const struct event_socket *seen)
{
    return address_is_any(&seen->local) && !seen->remote.port && sock->remote.port && sock->local.port == seen->local.port;
}

struct sock *socket_get(struct teller *teller, const struct event_socket *seen)
{
    if (!seen->cookie) return NULL;
    struct sock *sock = table_get(teller->sockets, &seen->cookie);
    if (!sock) {
        sock = calloc(1, sizeof(*sock));
        if (!sock) return NULL;
        sock->cookie = seen->cookie;
        if (table_put(teller->sockets, &seen->cookie, sock)) {
            free(sock);
            return NULL;
        }
    }
    if (seen->protocol) sock->protocol = seen->protocol;
    if (seen->local.port && !is_forgotten(sock, seen)) sock->local = seen->local;
    if (seen->remote.port) sock->remote = seen->remote;
    if (seen->state == KERNEL_LISTEN) sock->listening = true;
    if (seen->netns) sock->netns = seen->netns;
    sockets_touch(teller, sock);
    return sockets_file(teller, sock) ? NULL : sock;
}

/* A close() among them: of all that let go of a socket, which the children of a server do that inherit its listener, only the last
 * can end it. */
static bool is_work(const struct call *call)
{
    if (call->traits & (CALL_PREPARES | CALL_SHUTS_DOWN | CALL_CONNECTS)) return false;
    return call->exited && call->ret >= 0;
}

/* A socket that serves many keeps what prepared and what ended it, what failed, and the newer half of the rest, which stands in
 * the stories of those it served. */
static void trim(struct teller *teller, struct sock *sock)
{
    size_t kept = 0, most = SOCKET_CALLS_MAX / 2, over = sock->call_count - most;
    for (size_t i = 0; i < sock->call_count; i++) {
        if (over && is_work(sock->calls[i])) {
            call_unref(sock->calls[i]);
            over--;
        } else {
            sock->calls[kept++] = sock->calls[i];
        }
    }
    for (size_t i = 0; i < over; i++) call_unref(sock->calls[i]);
    teller->forgotten.calls += over;
    sock->call_count = kept - over;
    memmove(&sock->calls[0], &sock->calls[over], sock->call_count * sizeof(sock->calls[0]));
}

int socket_list_call(struct teller *teller, struct sock *sock, struct call *call)
{
    size_t most = teller->bounds.packets_max;
    if (!sock->flow && sock->call_count >= SOCKET_CALLS_MAX) trim(teller, sock);
    if (sock->flow && most && sock->call_count >= (sock->fold_at ? sock->fold_at : most)) sock_fold(teller, sock);
    struct call **slot = track_grow((void **)&sock->calls, &sock->call_count, &sock->call_room, sizeof(*slot));
    if (!slot) return -ENOMEM;
    *slot = call_ref(call);
    return 0;
}

static int attach(struct teller *teller, struct sock *sock, struct call *call)
{
    if (!sock) return 0;
    for (size_t i = 0; i < call->attached_count; i++)
        if (call->attached[i] == sock->cookie) return 0;
    /* More than one call can concern: one too many is a call told less, not one told twice. */
    if (call->attached_count == CALL_SOCKETS_MAX) return 0;
    int code = socket_list_call(teller, sock, call);
    if (!code) call->attached[call->attached_count++] = sock->cookie;
    return code;
}

static void detach(struct sock *sock, struct call *call)
{
    for (size_t i = 0; sock && i < call->attached_count; i++)
        if (call->attached[i] == sock->cookie) call->attached[i] = call->attached[--call->attached_count];
    for (size_t i = sock ? sock->call_count : 0; i-- > 0;) { /* it is among the newest */
        if (sock->calls[i] != call) continue;
        call_unref(sock->calls[i]);
        memmove(&sock->calls[i], &sock->calls[i + 1], (--sock->call_count - i) * sizeof(sock->calls[0]));
        return;
    }
}

void epoll_forget(struct teller *teller, struct epoll *epoll)
{
    list_remove(&epoll->sock->epolls, &epoll->sock_link);
    list_remove(&epoll->process->epolls, &epoll->process_link);
    table_remove(teller->epolls, &epoll->key);
    free(epoll);
}

/* epoll_ctl tells which socket an epoll_event's data stands for: epoll_wait reports that data alone. */
static int learn_epoll(struct teller *teller, const struct call *call, struct sock *sock)
{
    struct epoll_key key = {.pid = call->thread.pid, .epoll = call->epoll, .data = call->watch[0].data};
    struct epoll *epoll = table_get(teller->epolls, &key);
    if (epoll) epoll_forget(teller, epoll);
    struct process *process = process_get(teller, call->thread.pid);
    epoll = process ? calloc(1, sizeof(*epoll)) : NULL;
    if (!epoll) return -ENOMEM;
    *epoll = (struct epoll){.key = key, .sock = sock, .process = process};
    if (table_put(teller->epolls, &key, epoll)) {
        free(epoll);
        return -ENOMEM;
    }
    list_add(&sock->epolls, &epoll->sock_link);
    list_add(&process->epolls, &epoll->process_link);
    return 0;
}

static void resolve_watch(struct teller *teller, struct call *call)
{
    for (size_t i = 0; i < call->watch_count; i++) {
        if (call->watch[i].cookie || !call->epoll) continue;
        struct epoll_key key = {.pid = call->thread.pid, .epoll = call->epoll, .data = call->watch[i].data};
        const struct epoll *epoll = table_get(teller->epolls, &key);
        if (epoll) call->watch[i].cookie = epoll->sock->cookie;
    }
}

static void take_watch(struct call *call, const struct event_call *event)
{
    if (!event->watch_count) return;
    call->watch_count = event->watch_count <= EVENT_WATCH_MAX ? event->watch_count : EVENT_WATCH_MAX;
    call->watch_cut = event->watch_total > call->watch_count;
    memcpy(call->watch, event->watch, sizeof(call->watch));
}

static struct call *call_new(struct process *process, const struct event *event)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call) return NULL;
    call->process = process_ref(process);
    const struct event_call *seen = &event->call;
    call->refs = 1;
    call->thread = seen->thread;
    memcpy(call->name, seen->name, sizeof(call->name));
    call->traits = call_traits(call->name);
    if (call->traits & CALL_READS && call->traits & CALL_WRITES) call->traits &= ~(uint32_t)(seen->how ? CALL_READS : CALL_WRITES);
    call->fd = seen->fd;
    call->how = seen->how;
    call->level = seen->level;
    memcpy(call->value, seen->value, sizeof(call->value));
    call->socket = seen->socket;
    call->epoll = seen->epoll;
    call->slept_ns = -1;
    call->order = event->order;
    return call;
}

int socket_take_enter(struct teller *teller, const struct event *event)
{
    struct thread *thread = thread_get(teller, &event->call.thread);
    struct call *call = thread ? call_new(thread->process, event) : NULL;
    if (!call) return -ENOMEM;
    call->entered = true;
    if (call->traits & CALL_SUBMITS) call->process->submits = true;
    call->enter_ns = event->t_ns;
    memcpy(call->args, event->call.args, strnlen(event->call.args, sizeof(call->args) - 1)); /* the rest is zero */
    call->unread_bytes = event->call.socket.unread_bytes;
    call->has_unread = event->call.socket.has_unread;
    take_watch(call, &event->call);
    if (thread->current) { /* its exit was lost */
        thread->current->overtaken = true;
        call_replace(&thread->last, thread->current);
    }
    call_replace(&thread->current, call);
    struct sock *sock = socket_get(teller, &call->socket);
    int code = attach(teller, sock, call);
    if (!code && call->traits & CALL_CONNECTS) code = lookups_take_connect(teller, call, sock);
    if (sock) flow_bind(teller, sock);
    call_unref(call);
    return code;
}

/* A waiting call concerns the sockets it reported; close_range lists what it closes in the same place. A listener's
 * readiness concerns the connection that accept takes next, so the call is remembered for it. */
static int attach_reported(struct teller *teller, struct thread *thread, struct call *call)
{
    if (!call->watch_count) return 0;
    resolve_watch(teller, call);
    if (call->traits & CALL_WAITS_FOR_MANY) call_replace(&thread->waited, call);
    int code = 0;
    for (size_t i = 0; i < call->watch_count && !code; i++) {
        struct event_socket seen = {.cookie = call->watch[i].cookie};
        struct sock *sock = seen.cookie ? table_get(teller->sockets, &seen.cookie) : NULL;
        if (sock && !sock->listening && (call->watch[i].events || holders_close_among_many(call, sock)))
            code = attach(teller, sock, call);
    }
    return code;
}

static int attach_to_flow(struct flow *flow, struct call *call, enum story_side side)
{
    for (size_t i = 0; i < flow->extra_count; i++)
        if (flow->extra[i].call == call) return 0;
    struct extra_call *extra = track_grow((void **)&flow->extra, &flow->extra_count, &flow->extra_room, sizeof(*extra));
    if (!extra) return -ENOMEM;
    extra->call = call_ref(call);
    extra->side = side;
    return 0;
}

/* An unconnected UDP socket hands out its datagrams in order of arrival, whichever flow they are of. */
static int take_arrival(struct teller *teller, struct sock *sock, struct call *call)
{
    if (!sock->arrival_count) return 0;
    struct flow *flow = table_get(teller->flows, &sock->arrivals[0]);
    memmove(&sock->arrivals[0], &sock->arrivals[1], --sock->arrival_count * sizeof(sock->arrivals[0]));
    return flow ? attach_to_flow(flow, call, STORY_SERVER) : 0;
}

/* A send() of a datagram that is under way is among so many of its socket's newest calls. */
enum { SENDING_DEPTH = 256 };

int socket_take_datagram(struct teller *teller, struct flow *flow, const struct event_packet_header *header, struct call *marked_by)
{
    struct sock *sock = socket_serving(teller, &flow->end[STORY_SERVER], IPPROTO_UDP, 0, 0);
    if (!sock) return 0;
    if (flow_side(flow, &header->src) == STORY_CLIENT) {
        if (sock->arrival_count == ARRIVALS_MAX) {
            sock->arrivals_unknown = true;
            sock->arrival_count = 0;
            teller->forgotten.arrivals++;
        }
        if (sock->arrivals_unknown) return 0;
        struct flow_key *arrival =
            track_grow((void **)&sock->arrivals, &sock->arrival_count, &sock->arrival_room, sizeof(*arrival));
        if (!arrival) return -ENOMEM;
        *arrival = flow->key;
        return 0;
    }
    if (marked_by) return attach_to_flow(flow, marked_by, STORY_SERVER);
    struct call *sending = NULL;
    for (size_t i = sock->call_count, looked_at = 0; i-- > 0 && looked_at < SENDING_DEPTH; looked_at++) {
        struct call *call = sock->calls[i];
        if (call->exited || call->overtaken || !(call->traits & CALL_SENDS)) continue;
        if (sending) return 0; /* two at once: nobody can tell */
        sending = call;
    }
    return sending ? attach_to_flow(flow, sending, STORY_SERVER) : 0;
}

/* Who has just taken a connection asks once more, until there is none: an event loop's habit, and no news. */
static bool empties_queue(const struct call *before, const struct call *call)
{
    return before && before->traits & CALL_ACCEPTS && before->exited && before->ret >= 0 &&
           before->socket.cookie == call->socket.cookie;
}

/* After a call on it: which connection it is of, and where it belongs among those that are of none. */
static int socket_settle(struct teller *teller, struct sock *sock)
{
    flow_bind(teller, sock);
    int code = calls_alone_bind(teller, sock);
    sockets_touch(teller, sock);
    return code;
}

int socket_take_exit(struct teller *teller, const struct event *event)
{
    const struct event_call *seen = &event->call;
    struct thread *thread = thread_get(teller, &seen->thread);
    if (!thread) return -ENOMEM;
    struct call *call = thread->current;
    if (call && strcmp(call->name, seen->name) != 0) { /* its exit was lost, or this call's enter */
        call->overtaken = true;
        call_replace(&thread->last, call);
        call_replace(&thread->current, NULL);
        call = NULL;
    }
    bool began_before = !call;
    if (began_before) {
        call = call_new(thread->process, event);
        if (!call) return -ENOMEM;
    } else {
        call_ref(call);
    }
    call->exited = true;
    call->exit_ns = event->t_ns;
    call->ret = seen->ret;
    call->slept_ns = seen->slept_ns;
    call->wake_unseen = seen->wake_unseen;
    call->other = seen->other;
    if (seen->socket.cookie) call->socket = seen->socket;
    if (seen->how != -1) call->how = seen->how;
    take_watch(call, seen);
    bool is_once_more = empties_queue(thread->last, call);
    call_replace(&thread->last, call);
    call_replace(&thread->current, NULL);

    int code = 0;
    struct sock *sock = socket_get(teller, &call->socket);
    struct sock *other = socket_get(teller, &call->other);
    bool accept = call->traits & CALL_ACCEPTS;
    if (call->traits & CALL_LISTENS && call->ret == 0 && sock) {
        sock->listening = true;
        code = sockets_file(teller, sock);
    }
    if (call->traits & CALL_WATCHES && call->watch_count && sock) code = learn_epoll(teller, call, sock);
    if (!code) code = attach(teller, sock, call);
    if (!code) code = attach_reported(teller, thread, call);
    if (accept && other && !code) {
        /* An accept that returned belongs to the connection it took, not to all that the listener ever takes. */
        detach(sock, call);
        if (sock) sock->handed_out = true;
        if (sock && !other->netns) other->netns = sock->netns;
        code = attach(teller, other, call);
        /* The first connection taken is the one that made the listener ready: accept's queue is first in, first out. */
        if (!code && sock && thread->waited && call_story_lists(thread->waited, sock->cookie))
            code = attach(teller, other, thread->waited);
        call_replace(&thread->waited, NULL);
    } else if (!code && sock && sock->protocol == IPPROTO_UDP && sock->remote.port == 0 && call->ret >= 0 &&
               call->traits & CALL_RECEIVES) {
        code = take_arrival(teller, sock, call);
    } else if (other && !code) {
        code = attach(teller, other, call);
    } else if (accept && sock && call->ret == -EAGAIN) {
        detach(sock, call); /* it concerns no connection */
        if (!is_once_more) code = apart_take(teller, call);
    } else if (!sock && !other && call->ret < 0 && call->traits & CALL_MAKES_SOCKET) {
        code = apart_take(teller, call);
    }
    if (!code && sock && ((call->ret == -EADDRINUSE && call->traits & CALL_BINDS) || call_story_found_no_port(call)))
        code = sockets_note_refused(teller, sock, call, call_story_address(call).port);
    if (!code) code = lookups_take_call(call, sock);
    if (!code) code = holders_take_call(teller, call, sock, other);
    if (!code && sock) code = socket_settle(teller, sock);
    if (!code && other) code = socket_settle(teller, other);
    call_unref(call);
    return code;
}

int socket_take_wake(struct teller *teller, const struct event *event)
{
    struct thread *thread = socket_thread(teller, &event->wake.thread);
    if (!thread || !thread->current) return 0;
    thread->current->woken = true;
    thread->current->woken_ns = event->t_ns;
    thread->current->waker = event->wake.context;
    return 0;
}
