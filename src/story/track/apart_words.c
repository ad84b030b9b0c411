/* Why a call sent nothing, in a sentence: from its errno and from what is known of its socket and of others. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "story/track/apart.h"
#include "story/track/call_story.h"

/* Calls are known by how their names begin; the first row that fits counts. */
static const struct {
    const char *call;
    int number;
    const char *why;
} reasons[] = {
    {"socket", EMFILE, TR("the process has no descriptor left (RLIMIT_NOFILE)")},
    {"socket", ENFILE, TR("the system has no descriptor left")},
    {"socket", EAFNOSUPPORT, TR("this kernel does not have that address family")},
    {"socket", EPROTONOSUPPORT, TR("this kernel does not have that protocol")},
    {"bind", EADDRNOTAVAIL, TR("no interface of this host has that address")},
    {"bind", EACCES, TR("ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE")},
    {"bind", EINVAL, TR("the socket has an address already")},
    {"listen", EADDRINUSE, TR("another socket listens on that port")},
    {"listen", EINVAL, TR("the socket is connected already")},
    {"connect", EADDRNOTAVAIL,
     TR("no local port is left for that peer (net.ipv4.ip_local_port_range), or no local address fits it")},
    {"connect", ENETUNREACH, TR("no route leads to that network")},
    {"connect", EINVAL, TR("the route there says blackhole, or the address given is too short")},
    {"connect", EHOSTUNREACH, TR("no route leads to that host, the route there says unreachable, or nobody there answered")},
    {"connect", EACCES, TR("the route there says prohibit, it is a broadcast address, or a security module refuses it")},
    {"connect", EPERM, TR("a cgroup's program or a security module refuses it")},
    {"connect", EISCONN, TR("the socket is connected already")},
    {"connect", EALREADY, TR("an earlier connect() is still under way")},
    {"connect", EAFNOSUPPORT, TR("the address is of another family than the socket")},
    {"accept", EAGAIN, TR("non-blocking, and no finished connection was in the queue")},
    {"accept", EINVAL, TR("the socket does not listen")},
    {"accept", EMFILE, TR("the process has no descriptor left (RLIMIT_NOFILE)")},
    {"accept", ENFILE, TR("the system has no descriptor left")},
    {"recv", EAGAIN, TR("non-blocking, and nothing had come")},
    {"recv", ENOTCONN, TR("the socket is not connected")},
    {"read", EAGAIN, TR("non-blocking, and nothing had come")},
    {"read", ENOTCONN, TR("the socket is not connected")},
    {"send", ENOTCONN, TR("the socket is not connected")},
    {"send", EPIPE, TR("the socket is not connected, or was shut down for writing")},
    {"send", EDESTADDRREQ, TR("the socket is not connected, and no address was given")},
    {"write", ENOTCONN, TR("the socket is not connected")},
    {"write", EPIPE, TR("the socket is not connected, or was shut down for writing")},
    {"write", EDESTADDRREQ, TR("the socket is not connected")},
    {"shutdown", ENOTCONN, TR("the socket is not connected")},
};

static int say(struct teller *teller, const char **ret_why, const char *text)
{
    *ret_why = arena_text(teller->trace_arena, tr(text));
    return *ret_why ? 0 : -ENOMEM;
}

/* Logs of several hosts hold the same addresses more than once. */
static bool is_one_host(const struct teller *teller)
{
    for (size_t i = 1; i < teller->vantage_count; i++)
        if (teller->vantages[i].netns != teller->vantages[0].netns) return false;
    return true;
}

static bool was_bound_at(const struct sock *sock, int64_t at_ns)
{
    bool is_bound = false;
    for (size_t i = 0; i < sock->call_count; i++) {
        const struct call *call = sock->calls[i];
        if (!call->exited || call->ret || call->exit_ns > at_ns) continue;
        if (call->traits & CALL_BINDS) is_bound = true;
        if (call->traits & CALL_CLOSES) return false; /* others may hold it: nobody knows here */
    }
    return is_bound;
}

static bool is_before(const struct call *a, const struct call *b)
{
    return a->exit_ns < b->exit_ns || (a->exit_ns == b->exit_ns && a->order < b->order);
}

/* The socket that had the port which this bind() wanted: of several, who was there first. NULL none was seen. */
static const struct sock *find_taker(const struct teller *teller, const struct call *call, const struct sock *sock)
{
    struct address wanted = call_story_address(call);
    const struct sock *first = NULL;
    void *value;
    for (size_t cursor = 0; wanted.port && table_next(teller->sockets, &cursor, NULL, &value);) {
        const struct sock *other = value;
        if (other == sock || other->local.port != wanted.port || other->protocol != sock->protocol || !other->call_count) continue;
        bool overlaps = address_is_any(&other->local) || address_is_any(&wanted) || address_equal(&other->local, &wanted);
        bool is_near = is_one_host(teller) || other->calls[0]->thread.pid == call->thread.pid;
        if (!overlaps || !is_near || !was_bound_at(other, call->exit_ns)) continue;
        if (!first || is_before(other->calls[0], first->calls[0])) first = other;
    }
    return first;
}

static int say_taken(struct teller *teller, const struct call *call, const struct sock *sock, const char **ret_why)
{
    char text[256];
    const struct sock *taker = sock ? find_taker(teller, call, sock) : NULL;
    if (!taker) return say(teller, ret_why, tr("the port is taken; by whom was not recorded"));
    const struct event_thread *by = &taker->calls[0]->thread;
    snprintf(text, sizeof(text), tr("the port is taken by %s[%d]%s"), by->comm, (int)by->pid,
             taker->listening ? tr(", which listens there") : "");
    return say(teller, ret_why, text);
}

static int say_listening(struct teller *teller, const struct sock *sock, const char **ret_why)
{
    char text[256], address[ADDRESS_TEXT_BYTES];
    if (!sock || !sock->local.port || sock->handed_out) return 0;
    address_format(&sock->local, address);
    snprintf(text, sizeof(text), tr("no connection to %s was seen%s"), address,
             address_is_any(&sock->local) ? "" : tr("; it listens on that address alone"));
    return say(teller, ret_why, text);
}

int apart_say(struct teller *teller, const struct call *call, const struct sock *sock, const char **ret_why)
{
    *ret_why = NULL;
    if (!call->exited) return 0;
    if (call->traits & CALL_LISTENS && call->ret == 0) return say_listening(teller, sock, ret_why);
    if (call->traits & CALL_BINDS && call->ret == -EADDRINUSE) return say_taken(teller, call, sock, ret_why);
    if (call->traits & CALL_CONNECTS && call->ret == -EADDRNOTAVAIL && sock && sock->local.port)
        return say(teller, ret_why, tr("the socket's own address and that one are still taken as a pair, in TIME_WAIT perhaps"));
    if (call->traits & CALL_ACCEPTS && call->ret == -EINVAL && call->slept_ns > 0)
        return say(teller, ret_why, tr("the socket listens no more: it was shut down while the call waited"));
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (call->ret == -reasons[i].number && strncmp(call->name, reasons[i].call, strlen(reasons[i].call)) == 0)
            return say(teller, ret_why, reasons[i].why);
    return 0;
}
