#include "record/sieve.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "event/call_traits.h"
#include "event/extent.h"
#include "record/recent.h"

/* Flags of a TCP header (RFC 9293 section 3.1). */
enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };
/* What is known of a connection, as bits. */
enum { FLOW_WANTED = 1, FLOW_FIN_LOW = 2, FLOW_FIN_HIGH = 4, FLOW_OVER = 8, FLOW_BEGINS = 16 };

/* Both ends, the lower first, so that both directions are one. */
struct flow_key {
    struct address low, high;
    uint32_t protocol;
};
struct end_key {
    struct address address;
    uint32_t protocol;
};

struct sieve {
    struct event_log *log;
    bool names_both;
    bool passing;           /* what is appended now has been judged */
    struct recent *flows;   /* flow_key → FLOW_* */
    struct recent *ends;    /* end_key → 1: where a followed socket listens, or takes datagrams; 1 + pending connects */
    struct recent *sockets; /* cookie → 1: a followed process has called on it */
    struct recent *calls;   /* tid → where it connects to: its index in `targets` + 1 */
    struct end_key targets[64];
    size_t target_at;
    struct recent *own; /* address without port → 1 */
    struct event *held;
    size_t held_count, held_room;
    uint64_t refused;
    size_t closing;
};

static struct flow_key flow_key_of(const struct address *a, const struct address *b, uint8_t protocol)
{
    struct flow_key key;
    memset(&key, 0, sizeof(key));
    bool in_order = memcmp(a, b, sizeof(*a)) <= 0;
    key.low = in_order ? *a : *b;
    key.high = in_order ? *b : *a;
    key.protocol = protocol;
    return key;
}

static struct end_key end_key_of(const struct address *address, uint8_t protocol)
{
    struct end_key key;
    memset(&key, 0, sizeof(key));
    key.address = *address;
    key.protocol = protocol;
    return key;
}

static void learn_own(struct sieve *sieve)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) return;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct address address;
        if (!one->ifa_addr) continue;
        size_t length = one->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (!address_from_sockaddr(one->ifa_addr, length, &address)) continue;
        address.port = 0;
        recent_put(sieve->own, &address, 1); /* out of memory: what comes there is found by its marks alone */
    }
    freeifaddrs(all);
}

int sieve_learn_own(struct sieve *sieve, const struct address *address)
{
    struct address host = *address;
    host.port = 0;
    return recent_put(sieve->own, &host, 1);
}

static bool is_own(struct sieve *sieve, const struct address *address)
{
    struct address host = *address;
    host.port = 0;
    return (host.version == 4 && host.ip[0] == 127) || recent_get(sieve->own, &host);
}

/* Whether a followed socket waits there: at this very address, or at any of this host's. */
static bool is_end(struct sieve *sieve, const struct address *address, uint8_t protocol)
{
    struct end_key key = end_key_of(address, protocol);
    if (!address->port) return false;
    if (recent_get(sieve->ends, &key)) return true;
    for (uint8_t version = 4; version <= 6; version += 2) { /* a socket at :: takes IPv4, too */
        memset(&key.address, 0, sizeof(key.address));
        key.address.version = version;
        key.address.port = address->port;
        if (recent_get(sieve->ends, &key) && is_own(sieve, address)) return true;
    }
    return false;
}

static bool has_both(const struct event_socket *socket)
{
    return socket->local.version && socket->remote.version && socket->local.port && socket->remote.port;
}

static int want_flow(struct sieve *sieve, const struct address *a, const struct address *b, uint8_t protocol)
{
    struct flow_key key = flow_key_of(a, b, protocol);
    uint64_t flow = recent_get(sieve->flows, &key);
    return flow & FLOW_WANTED ? 0 : recent_put(sieve->flows, &key, flow | FLOW_WANTED);
}

static bool is_wanted(struct sieve *sieve, const struct address *a, const struct address *b, uint8_t protocol)
{
    struct flow_key key = flow_key_of(a, b, protocol);
    if (recent_get(sieve->flows, &key) & FLOW_WANTED) return true;
    if (!is_end(sieve, a, protocol) && !is_end(sieve, b, protocol)) return false;
    recent_put(sieve->flows, &key, FLOW_WANTED); /* for good, also when the listener has gone */
    return true;
}

static bool begins(const struct event_packet_header *header)
{
    return header->protocol == IPPROTO_TCP && (header->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN;
}

static void add_to_flow(struct sieve *sieve, const struct event_packet_header *header, uint64_t bits)
{
    struct flow_key key = flow_key_of(&header->src, &header->dst, header->protocol);
    recent_put(sieve->flows, &key, recent_get(sieve->flows, &key) | bits); /* out of memory: it is as if it were not known */
}

/* Somebody else's connection between the same two addresses, after that of interest was over: the kernel would have named its
 * socket. */
static bool is_anothers(struct sieve *sieve, const struct event_packet_header *header)
{
    struct flow_key key = flow_key_of(&header->src, &header->dst, header->protocol);
    uint64_t flow = recent_get(sieve->flows, &key);
    if (!sieve->names_both || !begins(header) || !(flow & FLOW_OVER) || flow & FLOW_BEGINS) return false;
    if (is_end(sieve, &header->src, header->protocol) || is_end(sieve, &header->dst, header->protocol)) return false;
    recent_put(sieve->flows, &key, 0);
    return true;
}

/* ---- what calls say ---- */

int sieve_want(struct sieve *sieve, const struct event_socket *socket)
{
    if (has_both(socket)) return want_flow(sieve, &socket->local, &socket->remote, socket->protocol);
    if (!socket->local.port) return 0;
    if (socket->state != KERNEL_LISTEN && socket->protocol != IPPROTO_UDP) return 0;
    struct end_key key = end_key_of(&socket->local, socket->protocol);
    return recent_put(sieve->ends, &key, 1);
}

static int learn_socket(struct sieve *sieve, const struct event_socket *socket)
{
    if (!socket->cookie || !socket->protocol) return 0;
    int code = recent_put(sieve->sockets, &socket->cookie, 1);
    return code ? code : sieve_want(sieve, socket);
}

/* Where a connect() goes that is under way: "3, 127.0.0.1:3333". */
static bool target_of(const struct event_call *call, struct end_key *ret_key)
{
    char text[EVENT_ARGS_BYTES];
    struct address address;
    if (!(call_traits(call->name) & CALL_CONNECTS)) return false;
    const char *at = strchr(call->args, ' ');
    if (!at) return false;
    memcpy(text, at + 1, strlen(at + 1) + 1);
    text[strcspn(text, ",")] = '\0';
    if (!address_parse(text, &address) || !address.port) return false;
    *ret_key = end_key_of(&address, call->socket.protocol ? call->socket.protocol : IPPROTO_TCP);
    return true;
}

static int begin_connect(struct sieve *sieve, const struct event_call *call)
{
    struct end_key key;
    if (sieve->names_both || !target_of(call, &key)) return 0;
    size_t at = sieve->target_at++ % (sizeof(sieve->targets) / sizeof(sieve->targets[0]));
    sieve->targets[at] = key;
    int code = recent_put(sieve->calls, &call->thread.tid, at + 1);
    uint64_t pending = recent_get(sieve->ends, &key);
    return code ? code : recent_put(sieve->ends, &key, pending + 2);
}

static int end_connect(struct sieve *sieve, const struct event_call *call)
{
    uint64_t at = recent_get(sieve->calls, &call->thread.tid);
    if (!at || !(call_traits(call->name) & CALL_CONNECTS)) return 0;
    const struct end_key *key = &sieve->targets[at - 1];
    uint64_t pending = recent_get(sieve->ends, key);
    int code = recent_put(sieve->calls, &call->thread.tid, 0);
    return code || pending < 2 ? code : recent_put(sieve->ends, key, pending - 2);
}

static int learn_call(struct sieve *sieve, const struct event *event)
{
    const struct event_call *call = &event->call;
    int code = learn_socket(sieve, &call->socket);
    if (!code) code = learn_socket(sieve, &call->other);
    if (!code) code = event->kind == EVENT_ENTER ? begin_connect(sieve, call) : end_connect(sieve, call);
    return code;
}

/* ---- what the kernel says ---- */

static bool takes_socket(struct sieve *sieve, const struct event_socket *socket)
{
    if (socket->cookie && recent_get(sieve->sockets, &socket->cookie)) {
        if (has_both(socket)) want_flow(sieve, &socket->local, &socket->remote, socket->protocol);
        return true;
    }
    if (has_both(socket)) return is_wanted(sieve, &socket->local, &socket->remote, socket->protocol);
    return is_end(sieve, &socket->local, socket->protocol);
}

static bool takes_header(struct sieve *sieve, const struct event_packet_header *header, const struct event_socket *socket)
{
    if (header->protocol != IPPROTO_TCP && header->protocol != IPPROTO_UDP)
        return true; /* ICMP: few, and their packets are judged */
    if (socket && socket->cookie && recent_get(sieve->sockets, &socket->cookie)) {
        want_flow(sieve, &header->src, &header->dst, header->protocol);
        if (begins(header)) add_to_flow(sieve, header, FLOW_BEGINS);
        return true;
    }
    return !is_anothers(sieve, header) && is_wanted(sieve, &header->src, &header->dst, header->protocol);
}

static bool takes(struct sieve *sieve, const struct event *event)
{
    switch (event->kind) {
    case EVENT_ENTER:
    case EVENT_EXIT:
        learn_call(sieve, event); /* out of memory: what it would have taught is not known */
        return true;
    case EVENT_MARK:
        return takes_header(sieve, &event->mark.header, &event->mark.socket);
    case EVENT_DROP:
        return takes_header(sieve, &event->drop.header, &event->drop.socket);
    case EVENT_QUEUE:
        return takes_header(sieve, &event->queue.header, NULL);
    case EVENT_STATE:
        return takes_socket(sieve, &event->state.socket);
    case EVENT_RESEND:
        return takes_socket(sieve, &event->resend.socket);
    case EVENT_RESET:
        return takes_socket(sieve, &event->reset.socket);
    case EVENT_TIMER:
        return takes_socket(sieve, &event->timer.socket);
    default:
        return true;
    }
}

/* ---- packets ---- */

/* How far its closing has come. */
static void follow_end(struct sieve *sieve, const struct event_packet_header *header)
{
    struct flow_key key = flow_key_of(&header->src, &header->dst, header->protocol);
    uint64_t before = recent_get(sieve->flows, &key), flow = before;
    if (header->protocol != IPPROTO_TCP || !(header->flags & (FLAG_FIN | FLAG_RST | FLAG_SYN))) return;
    bool is_low = !memcmp(&header->src, &key.low, sizeof(key.low));
    if (header->flags & FLAG_SYN) flow &= FLOW_WANTED; /* FLOW_BEGINS has served */
    if (header->flags & FLAG_FIN) flow |= is_low ? FLOW_FIN_LOW : FLOW_FIN_HIGH;
    if (header->flags & FLAG_RST || (flow & FLOW_FIN_LOW && flow & FLOW_FIN_HIGH)) flow |= FLOW_OVER;
    bool was_closing = before & (FLOW_FIN_LOW | FLOW_FIN_HIGH) && !(before & FLOW_OVER);
    bool is_closing = flow & (FLOW_FIN_LOW | FLOW_FIN_HIGH) && !(flow & FLOW_OVER);
    if (is_closing && !was_closing) sieve->closing++;
    if (!is_closing && was_closing) sieve->closing--;
    recent_put(sieve->flows, &key, flow);
}

static bool takes_packet(struct sieve *sieve, const struct event_packet *packet)
{
    const struct event_packet_header *header = &packet->header;
    if (header->protocol == IPPROTO_TCP || header->protocol == IPPROTO_UDP)
        return !is_anothers(sieve, header) && is_wanted(sieve, &header->src, &header->dst, header->protocol);
    return packet->icmp.quotes && is_wanted(sieve, &packet->icmp.src, &packet->icmp.dst, packet->icmp.protocol);
}

static bool hold(struct sieve *sieve, const struct event *event)
{
    if (sieve->held_count == sieve->held_room) {
        size_t room = sieve->held_room ? sieve->held_room * 2 : 64;
        struct event *held = reallocarray(sieve->held, room, sizeof(*held));
        if (!held) return false;
        sieve->held = held;
        sieve->held_room = room;
    }
    event_assign(&sieve->held[sieve->held_count++], event);
    return true;
}

/* No socket is named by what a firewall answers to the SYN of one that is followed; what tells whose it is comes after it. */
static bool is_of_no_socket(const struct event *event)
{
    return event->kind == EVENT_MARK && !event->mark.socket.cookie && event->mark.header.flags & FLAG_RST;
}

static bool sift(void *data, const struct event *event)
{
    struct sieve *sieve = data;
    if (sieve->passing) return true;
    bool waits = event->kind == EVENT_PACKET;
    if (!waits && takes(sieve, event)) return true;
    if (waits || is_of_no_socket(event)) return !hold(sieve, event); /* without memory for that it is told, whosever it is */
    return false;
}

/* It is known by now whose it is, if ever. */
static bool takes_held(struct sieve *sieve, const struct event *event)
{
    if (event->kind != EVENT_PACKET) return takes(sieve, event);
    if (!takes_packet(sieve, &event->packet)) return false;
    follow_end(sieve, &event->packet.header);
    return true;
}

int sieve_settle(struct sieve *sieve)
{
    int code = 0;
    sieve->passing = true;
    for (size_t i = 0; i < sieve->held_count; i++) {
        const struct event *event = &sieve->held[i];
        if (!code && takes_held(sieve, event)) {
            code = event_log_append(sieve->log, event);
            continue;
        }
        if (event->kind != EVENT_PACKET) continue;
        sieve->refused++;
        event_log_give_back(sieve->log, event->packet.bytes);
    }
    sieve->held_count = 0;
    sieve->passing = false;
    return code;
}

bool sieve_is_closing(const struct sieve *sieve)
{
    return sieve->closing > 0;
}

uint64_t sieve_refused(const struct sieve *sieve)
{
    return sieve->refused;
}

struct sieve *sieve_new(struct event_log *log, bool names_both)
{
    struct sieve *sieve = calloc(1, sizeof(*sieve));
    if (!sieve) return NULL;
    sieve->log = log;
    sieve->names_both = names_both;
    sieve->flows = recent_new(sizeof(struct flow_key));
    sieve->ends = recent_new(sizeof(struct end_key));
    sieve->sockets = recent_new(sizeof(uint64_t));
    sieve->calls = recent_new(sizeof(int32_t));
    sieve->own = recent_new(sizeof(struct address));
    if (!sieve->flows || !sieve->ends || !sieve->sockets || !sieve->calls || !sieve->own) {
        sieve_free(sieve);
        return NULL;
    }
    learn_own(sieve);
    event_log_sift(log, sift, sieve);
    return sieve;
}

void sieve_free(struct sieve *sieve)
{
    if (!sieve) return;
    event_log_sift(sieve->log, NULL, NULL);
    for (size_t i = 0; i < sieve->held_count; i++)
        if (sieve->held[i].kind == EVENT_PACKET) event_log_give_back(sieve->log, sieve->held[i].packet.bytes);
    recent_free(sieve->flows);
    recent_free(sieve->ends);
    recent_free(sieve->sockets);
    recent_free(sieve->calls);
    recent_free(sieve->own);
    free(sieve->held);
    free(sieve);
}
