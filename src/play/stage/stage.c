#include "play/stage/stage.h"
#include "base/lang.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/actor/uring.h"
#include "lab/network/destroy.h"
#include "lab/network/host.h"
#include "lab/wire/firewall.h"
#include "lab/wire/wire.h"
#include "out/note.h"
#include "play/stage/port.h"
#include "play/stage/stage_own.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum network_place stage_place(enum scenario_side side)
{
    return side == SCENARIO_CLIENT ? NETWORK_CLIENT : NETWORK_SERVER;
}

/* ---- what it needs ---- */

static bool has_socket(int family, int protocol)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static int check_needs(const struct scenario *scenario, struct err *err)
{
    if (scenario->needs & SCENARIO_NEEDS_IO_URING && !uring_works())
        return err_set(err, -ENOTSUP, "it needs io_uring, which this kernel does not have or does not allow here");
    if (scenario->needs & SCENARIO_NEEDS_MPTCP && !has_socket(AF_INET, IPPROTO_MPTCP))
        return err_set(err, -ENOTSUP, "it needs MPTCP, which this kernel does not have (or net.mptcp.enabled is 0)");
    if (scenario->needs & SCENARIO_NEEDS_IPV6 && !has_socket(AF_INET6, 0))
        return err_set(err, -ENOTSUP, "it needs IPv6, which this kernel does not have");
    int code = scenario->needs & SCENARIO_NEEDS_NFTABLES ? firewall_check(err) : 0;
    return !code && scenario->needs & SCENARIO_NEEDS_DESTROY ? destroy_check(err) : code;
}

/* ---- setting it ---- */

static void set_address(struct stage *stage, size_t host, const char *v4, const char *v6)
{
    address_parse(v4, &stage->v4[host]);
    address_parse(v6, &stage->v6[host]);
}

/* Namespaces are not allowed, or there are no more of them to be had (namespaces(7), user.max_net_namespaces). */
static bool is_refusal(int code)
{
    return code == -EPERM || code == -EACCES || code == -ENOSPC || code == -EUSERS || code == -ENOSYS;
}

/* Root is above all of the settings but the number of network namespaces. */
static int advise_place(int code, struct err *err)
{
    struct err why = *err;
    const char *remedy = host_remedy();
    bool as_root = geteuid() != 0 && code != -ENOSPC && !(remedy && strstr(remedy, "max_net_namespaces"));
    err_set(err, -EPERM, "it takes two hosts and a wire, and %.300s%s%s%s%s", why.text,
            remedy && as_root   ? tr(". Two ways: ")
            : remedy || as_root ? tr(". One way: ")
                                : "",
            as_root ? tr("run it as root (sudo)") : "", remedy && as_root ? tr(", or ") : "", remedy ? remedy : "");
    err_more(err, "%s", err_long_story(&why));
    return -EPERM;
}

static int open_place(struct stage *stage, const struct play_options *options, struct err *err)
{
    enum host_kind kind;
    struct err refusal = {""};
    if (stage->scenario->place == SCENARIO_WIRE) {
        const struct network_options wishes = {.routed = stage->scenario->routed};
        for (enum network_place host = NETWORK_CLIENT; host <= NETWORK_SERVER; host++) {
            stage->v4[host] = network_address(host, 4, wishes.routed);
            stage->v6[host] = network_address(host, 6, wishes.routed);
        }
        int code = network_open(&stage->network, &wishes, err);
        if (is_refusal(code)) return advise_place(code, err);
        if (!code) code = wire_open(&stage->wire, stage->network, err);
        if (!code) code = wire_delay(stage->wire, WIRE_FROM_BOTH, SCENARIO_WAY_NS, err);
        if (code || !wishes.routed) return code;
        return wire_router(stage->wire, &(struct router_order){.verb = ROUTER_ROUTE}, err);
    }
    set_address(stage, 0, "127.0.0.1", "::1");
    set_address(stage, 1, "127.0.0.1", "::1");
    int code = options->host_network ? 0 : host_make_private(&kind, &refusal);
    stage->shared = options->host_network || code == -EPERM;
    for (size_t i = 0; stage->shared && i < 8 && stage->scenario->ports[i]; i++) {
        struct err why = {""};
        if (port_check(&(struct port){.number = stage->scenario->ports[i]}, &why))
            return err_set(err, -EADDRINUSE, "port %u is in use on this host's network, and the scenario wants it",
                           (unsigned)stage->scenario->ports[i]);
    }
    if (code == -EPERM) return note_say(options->quiet, "using this host's own loopback: %s", refusal.text), 0;
    if (code) *err = refusal;
    return code;
}

static int capture(struct stage *stage, struct session *session, enum scenario_side host, struct err *err)
{
    static const char *const names[] = {"client", "server"};
    struct packets_options options = {.interface = stage->network ? NETWORK_INTERFACE : "lo", .keep_bytes = true};
    char filter[400] = "";
    size_t used = 0;
    struct err leave_err = {""};
    if (stage->network)
        options.name = names[host];
    else /* the network may be shared: only the scenario's own ports */
        for (size_t i = 0; i < 8 && stage->scenario->ports[i]; i++)
            used += (size_t)snprintf(filter + used, sizeof(filter) - used, "port %u or ", (unsigned)stage->scenario->ports[i]);
    if (used) snprintf(filter + used, sizeof(filter) - used, "(icmp and icmp[0] = 3) or (icmp6 and ip6[40] < 5)");
    options.filter = filter;
    int code = stage->network ? network_enter(stage->network, stage_place(host), err) : 0;
    if (code) return code;
    code = session_capture(session, &options, err);
    int left = stage->network ? network_leave(stage->network, &leave_err) : 0;
    if (!code && left) *err = leave_err;
    return code ? code : left;
}

/* The hosts', and not the wire's: what that forwards is not made there. */
static void choose_netns(const struct stage *stage, struct calls_options *calls)
{
    if (!stage->network) {
        calls->netns[calls->netns_count++] = host_netns();
        return;
    }
    calls->netns[calls->netns_count++] = network_netns(stage->network, NETWORK_CLIENT);
    calls->netns[calls->netns_count++] = network_netns(stage->network, NETWORK_SERVER);
}

/* A firewall, or a router that may be told to refuse. */
static bool filters(const struct scenario *scenario)
{
    if (scenario->routed) return true;
    for (size_t i = 0; i < scenario->step_count; i++)
        if (scenario->steps[i].verb == SCENARIO_FIREWALL) return true;
    return false;
}

int stage_open(struct stage **ret_stage, const struct scenario *scenario, const struct play_options *options,
               struct session **ret_session, struct err *err)
{
    int code = check_needs(scenario, err);
    if (code) return code;
    struct stage *stage = calloc(1, sizeof(*stage));
    struct session *session = NULL;
    if (!stage) return err_set_errno(err, -ENOMEM, "can't set the stage");
    stage->scenario = scenario;
    /* As in the pair's demo: the way into a user namespace ends what an ordinary user may load. */
    struct err no_bpf = {""};
    bool bpf_refused = geteuid() != 0 && session_try_bpf(&no_bpf);
    stage->rules = calloc(scenario->step_count + 1, sizeof(*stage->rules));
    code = stage->rules ? open_place(stage, options, err) : err_set_errno(err, -ENOMEM, "can't set the stage");
    if (code) {
        stage_close(stage);
        return code;
    }
    struct session_options wishes = {.recorder = options->recorder, .calls = {.netns_count = 0}};
    if (bpf_refused) wishes.no_bpf = &no_bpf;
    choose_netns(stage, &wishes.calls);
    for (size_t i = 0; i < 8 && scenario->ports[i]; i++) wishes.calls.ports[wishes.calls.port_count++] = scenario->ports[i];
    memcpy(wishes.server_ports, scenario->server_ports, sizeof(wishes.server_ports));
    wishes.unfiltered = !stage->shared && !filters(scenario);
    code = session_open(&session, &wishes, err);
    if (!code) code = capture(stage, session, SCENARIO_CLIENT, err);
    if (!code && stage->network) code = capture(stage, session, SCENARIO_SERVER, err);
    if (code) {
        session_close(session);
        stage_close(stage);
        return code;
    }
    *ret_stage = stage;
    *ret_session = session;
    return 0;
}

struct network *stage_network(struct stage *stage)
{
    return stage->network;
}

int stage_fd(const struct stage *stage)
{
    return stage->wire ? wire_fd(stage->wire) : -1;
}

int stage_look(struct stage *stage, struct err *err)
{
    struct wire_report report;
    int got = 0;
    while (stage->wire && (got = wire_next_report(stage->wire, &report, err)) > 0) {
        if (report.fate == WIRE_OVERFLOWED) return err_set(err, -EIO, "the wire could not carry a segment");
        bool acted = report.fate != WIRE_CUT_OFF && report.fate != WIRE_RELEASED; /* these are what became later of what it kept */
        if (acted && report.rule && report.rule <= stage->scenario->step_count) stage->rules[report.rule - 1].acted++;
    }
    return got;
}

/* What the wire says now; a rule that it no longer has keeps what was known. */
int stage_ask_rule(struct stage *stage, size_t step, struct err *err)
{
    uint64_t seen;
    int code = wire_seen(stage->wire, (uint32_t)step + 1, &seen, err);
    if (!code) stage->rules[step].seen = seen;
    return code == -ENOENT ? 0 : code;
}

int stage_rule(struct stage *stage, size_t step, uint64_t *ret_acted, uint64_t *ret_seen, struct err *err)
{
    int code = stage_ask_rule(stage, step, err);
    if (!code) code = stage_look(stage, err);
    *ret_acted = stage->rules[step].acted;
    *ret_seen = stage->rules[step].seen;
    return code;
}

int stage_sender(const struct stage *stage, const struct event_packet *packet)
{
    struct address source = packet->header.src;
    source.port = 0;
    if (stage->network) { /* vantage 1 is the client's, 2 the server's */
        size_t host = packet->vantage - 1;
        return host < 2 && (address_equal(&source, &stage->v4[host]) || address_equal(&source, &stage->v6[host])) ? (int)host : -1;
    }
    for (size_t i = 0; i < 8 && stage->scenario->server_ports[i]; i++)
        if (packet->header.src.port == stage->scenario->server_ports[i]) return SCENARIO_SERVER;
    return SCENARIO_CLIENT;
}

void stage_addresses(const struct stage *stage, const struct scenario_step *step, struct address *v4, struct address *v6)
{
    uint16_t port = step->address.port;
    if (step->host == SCENARIO_HOST_LITERAL)
        *(step->address.version == 4 ? v4 : v6) = step->address;
    else if (step->host == SCENARIO_HOST_ROUTER) {
        enum network_place side = stage_place(stage->scenario->actors[step->actor].host);
        *v4 = network_router_address(side, 4);
        *v6 = network_router_address(side, 6);
    } else if (step->host != SCENARIO_HOST_ANY) {
        size_t host = step->host == SCENARIO_HOST_SERVER;
        *v4 = stage->v4[host];
        *v6 = stage->v6[host];
    }
    v4->port = v6->port = port;
}

/* One of the scenario's sockets that waits for an answer, or will send again. */
static bool is_restless(const void *data, const struct host_socket *socket)
{
    enum { SYN_SENT = 2, SYN_RECV = 3, FIN_WAIT1 = 4, LAST_ACK = 9, CLOSING = 11 }; /* include/net/tcp_states.h */
    const unsigned moving = 1u << SYN_SENT | 1u << SYN_RECV | 1u << FIN_WAIT1 | 1u << LAST_ACK | 1u << CLOSING;
    const struct stage *stage = data;
    if (socket->state > CLOSING || !(moving >> socket->state & 1)) return false;
    for (size_t i = 0; i < 8 && stage->scenario->ports[i]; i++)
        if (socket->local == stage->scenario->ports[i] || socket->remote == stage->scenario->ports[i]) return true;
    return false;
}

bool stage_is_restless(struct stage *stage)
{
    bool found = !stage->network && host_has_socket(is_restless, stage);
    for (size_t i = 0; stage->network && i < 2 && !found; i++) {
        if (network_enter(stage->network, i ? NETWORK_SERVER : NETWORK_CLIENT, NULL)) return false;
        found = host_has_socket(is_restless, stage);
        if (network_leave(stage->network, NULL)) return false;
    }
    return found;
}

void stage_close(struct stage *stage)
{
    if (!stage) return;
    wire_close(stage->wire);
    network_close(stage->network);
    free(stage->rules);
    free(stage);
}
