/* What the record says of the socket that listened, and of others on its port. Everything here answers "known to be so" or "not
 * known": no answer is proof of the contrary. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "story/steps/telling.h"

static const struct call *listen_of(const struct sock *sock, int64_t at_ns)
{
    const struct call *found = NULL;
    for (size_t i = 0; sock && i < sock->call_count; i++) {
        const struct call *call = sock->calls[i];
        if (call->traits & CALL_LISTENS && call->exited && call->ret == 0 && call->exit_ns <= at_ns) found = call;
    }
    return found;
}

/* A close() that left no other descriptor, or a shutdown(), ends a listener; one of what it sends does not (inet_shutdown). */
static const struct call *ended_by_call(const struct sock *sock, int64_t at_ns)
{
    for (size_t i = 0; i < sock->call_count; i++) {
        const struct call *call = sock->calls[i];
        if (!call->exited || call->ret || call->exit_ns > at_ns) continue;
        if (call->traits & CALL_CLOSES && !call->still.pid) return call;
        if (call->traits & CALL_SHUTS_DOWN && call->how != SHUT_WR) return call;
    }
    return NULL;
}

static const struct process_end *ended_by_process(const struct sock *sock, const struct process *process, int64_t at_ns)
{
    if (sock->holder_count > 1) return NULL; /* another process may hold it still */
    for (size_t i = 0; i < process->end_count; i++)
        if (process->ends[i].t_ns <= at_ns) return &process->ends[i];
    return NULL;
}

bool tale_listener_gone(const struct telling *telling, int64_t at_ns, const struct process_end **ret_end,
                        const struct call **ret_call)
{
    const struct call *listen = listen_of(telling->listener, at_ns);
    *ret_end = NULL;
    *ret_call = NULL;
    if (!listen) return false;
    *ret_end = ended_by_process(telling->listener, listen->process, at_ns);
    *ret_call = ended_by_call(telling->listener, at_ns);
    return *ret_end || *ret_call;
}

static const struct process *accepting(const struct telling *telling)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        if (call->traits & CALL_ACCEPTS && call->exited && call->ret >= 0) return call->process;
    }
    return NULL;
}

bool tale_listener_stands(const struct telling *telling, int64_t at_ns)
{
    const struct sock *sock = telling->listener;
    if (!sock || ended_by_call(sock, at_ns)) return false;
    const struct call *listen = listen_of(sock, at_ns);
    const struct process *process = listen ? listen->process : accepting(telling);
    return !process || !ended_by_process(sock, process, at_ns);
}

const struct call *tale_listening(const struct telling *telling, int64_t at_ns)
{
    const struct process_end *end;
    const struct call *call;
    const struct call *listen = listen_of(telling->listener, at_ns);
    return listen && !tale_listener_gone(telling, at_ns, &end, &call) ? listen : NULL;
}

const struct call *tale_listens_later(const struct telling *telling, int64_t at_ns)
{
    const struct sock *sock = telling->listener;
    if (!sock || listen_of(sock, at_ns)) return NULL;
    for (size_t i = 0; i < sock->call_count; i++) {
        const struct call *call = sock->calls[i];
        if (call->traits & CALL_LISTENS && call->exited && call->ret == 0 && call->enter_ns > at_ns) return call;
    }
    return NULL;
}

const struct sock *tale_listens_elsewhere(const struct telling *telling, uint64_t netns, int64_t at_ns,
                                          const struct call **ret_listen)
{
    const struct address *server = &telling->flow->end[STORY_SERVER];
    const struct sock *sock = NULL;
    while (netns && (sock = sockets_next_serving(telling->teller, server->port, IPPROTO_TCP, sock)) != NULL) {
        if (sock->netns != netns) continue;
        if (address_is_any(&sock->local) || address_equal(&sock->local, server) || ended_by_call(sock, at_ns)) continue;
        const struct call *listen = listen_of(sock, at_ns);
        if (!listen || ended_by_process(sock, listen->process, at_ns)) continue;
        *ret_listen = listen;
        return sock;
    }
    return NULL;
}
