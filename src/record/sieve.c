#include "record/sieve.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "event/call_traits.h"
#include "event/extent.h"
#include "record/recent.h"
#include "record/wanted.h"

/* Flags of a TCP header (RFC 9293 section 3.1). */
enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };
/* Where a connect() goes. */
struct target {
    struct address address;
    uint8_t protocol;
};

struct sieve {
    struct event_log *log;
    bool names_both;
    bool passing; /* what is appended now has been judged */
    struct wanted *wanted;
    struct recent *sockets;  /* cookie → its network, or IN_SOME: a followed process has called on it */
    struct recent *vantages; /* its number → its network */
    struct recent *calls;    /* tid → where it connects to: its index in `targets` + 1 */
    struct target targets[64];
    size_t target_at;
    struct event *held;
    size_t held_count, held_room;
    uint64_t refused;
    size_t closing;
};

int sieve_learn_own(struct sieve *sieve, const struct address *address, uint64_t netns)
{
    return wanted_learn_own(sieve->wanted, address, netns);
}

static bool has_both(const struct event_socket *socket)
{
    return socket->local.version && socket->remote.version && socket->local.port && socket->remote.port;
}

static bool begins(const struct event_packet_header *header)
{
    return header->protocol == IPPROTO_TCP && (header->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN;
}

static bool has_end(struct sieve *sieve, const struct event_packet_header *header, uint64_t netns)
{
    return wanted_is_end(sieve->wanted, &header->src, header->protocol, netns) ||
           wanted_is_end(sieve->wanted, &header->dst, header->protocol, netns);
}

/* Somebody else's connection between the same two addresses, after that of interest was over: the kernel would have named its
 * socket. */
static bool is_anothers(struct sieve *sieve, const struct event_packet_header *header, uint64_t netns)
{
    uint64_t flow = wanted_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns, NULL);
    if (!sieve->names_both || !begins(header) || !(flow & FLOW_OVER) || flow & FLOW_BEGINS) return false;
    if (has_end(sieve, header, netns)) return false;
    wanted_drop_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns);
    return true;
}

/* ---- which network ---- */

/* Of a followed socket whose network is not known. */
enum { IN_SOME = 1 };

/* What a call or the kernel says of a socket's network, or said before; 0: nobody did. */
static uint64_t netns_of(struct sieve *sieve, const struct event_socket *socket)
{
    uint64_t known = socket->cookie ? recent_get(sieve->sockets, &socket->cookie) : 0;
    return socket->netns ? socket->netns : known == IN_SOME ? 0 : known;
}

static int learn_vantage(struct sieve *sieve, const struct event_vantage *vantage)
{
    return vantage->netns ? recent_put(sieve->vantages, &vantage->number, vantage->netns) : 0;
}

/* A followed socket; `netns`: where it is, 0 not known. */
static int note_socket(struct sieve *sieve, uint64_t cookie, uint64_t netns)
{
    uint64_t known = recent_get(sieve->sockets, &cookie);
    return known > IN_SOME || (known && !netns) ? 0 : recent_put(sieve->sockets, &cookie, netns ? netns : IN_SOME);
}

/* ---- what calls say ---- */

int sieve_want(struct sieve *sieve, const struct event_socket *socket, uint64_t netns)
{
    if (has_both(socket)) return wanted_add_flow(sieve->wanted, &socket->local, &socket->remote, socket->protocol, netns);
    if (!socket->local.port) return 0;
    if (socket->state != KERNEL_LISTEN && socket->protocol != IPPROTO_UDP) return 0;
    return wanted_add_end(sieve->wanted, &socket->local, socket->protocol, netns);
}

/* `from`: the listening socket that it came out of, and in whose network it is; NULL: none. */
static int learn_socket(struct sieve *sieve, const struct event_socket *socket, const struct event_socket *from)
{
    if (!socket->cookie || !socket->protocol) return 0;
    uint64_t netns = netns_of(sieve, socket);
    if (!netns && from) netns = netns_of(sieve, from);
    int code = note_socket(sieve, socket->cookie, netns);
    return code ? code : sieve_want(sieve, socket, netns);
}

/* Where a connect() goes that is under way: "3, 127.0.0.1:3333". */
static bool target_of(const struct event_call *call, struct target *ret_target)
{
    char text[EVENT_ARGS_BYTES];
    if (!(call_traits(call->name) & CALL_CONNECTS)) return false;
    const char *at = strchr(call->args, ' ');
    if (!at) return false;
    memcpy(text, at + 1, strlen(at + 1) + 1);
    text[strcspn(text, ",")] = '\0';
    ret_target->protocol = call->socket.protocol ? call->socket.protocol : IPPROTO_TCP;
    return address_parse(text, &ret_target->address) && ret_target->address.port;
}

static int begin_connect(struct sieve *sieve, const struct event_call *call)
{
    struct target target;
    if (sieve->names_both || !target_of(call, &target)) return 0;
    size_t at = sieve->target_at++ % (sizeof(sieve->targets) / sizeof(sieve->targets[0]));
    sieve->targets[at] = target;
    int code = recent_put(sieve->calls, &call->thread.tid, at + 1);
    return code ? code : wanted_count_connects(sieve->wanted, &target.address, target.protocol, 1);
}

static int end_connect(struct sieve *sieve, const struct event_call *call)
{
    uint64_t at = recent_get(sieve->calls, &call->thread.tid);
    if (!at || !(call_traits(call->name) & CALL_CONNECTS)) return 0;
    const struct target *target = &sieve->targets[at - 1];
    int code = recent_put(sieve->calls, &call->thread.tid, 0);
    return code ? code : wanted_count_connects(sieve->wanted, &target->address, target->protocol, -1);
}

static int learn_call(struct sieve *sieve, const struct event *event)
{
    const struct event_call *call = &event->call;
    int code = learn_socket(sieve, &call->socket, NULL);
    if (!code) code = learn_socket(sieve, &call->other, &call->socket);
    if (!code) code = event->kind == EVENT_ENTER ? begin_connect(sieve, call) : end_connect(sieve, call);
    return code;
}

/* ---- what the kernel says ---- */

static bool takes_socket(struct sieve *sieve, const struct event_socket *socket, uint64_t netns)
{
    if (socket->cookie && recent_get(sieve->sockets, &socket->cookie)) {
        note_socket(sieve, socket->cookie, netns);
        if (has_both(socket)) wanted_add_flow(sieve->wanted, &socket->local, &socket->remote, socket->protocol, netns);
        return true;
    }
    if (has_both(socket)) return wanted_has_flow(sieve->wanted, &socket->local, &socket->remote, socket->protocol, netns);
    return wanted_is_end(sieve->wanted, &socket->local, socket->protocol, netns);
}

static bool takes_header(struct sieve *sieve, const struct event_packet_header *header, const struct event_socket *socket,
                         uint64_t netns)
{
    if (header->protocol != IPPROTO_TCP && header->protocol != IPPROTO_UDP)
        return true; /* ICMP: few, and their packets are judged */
    if (socket && socket->cookie && recent_get(sieve->sockets, &socket->cookie)) {
        wanted_add_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns);
        uint64_t flow = wanted_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns, NULL);
        if (begins(header)) wanted_set_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns, flow | FLOW_BEGINS);
        return true;
    }
    return !is_anothers(sieve, header, netns) &&
           wanted_has_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns);
}

static bool takes(struct sieve *sieve, const struct event *event)
{
    switch (event->kind) {
    case EVENT_ENTER:
    case EVENT_EXIT:
        learn_call(sieve, event); /* out of memory: what it would have taught is not known */
        return true;
    case EVENT_VANTAGE:
        learn_vantage(sieve, &event->vantage);
        return true;
    case EVENT_MARK:
        return takes_header(sieve, &event->mark.header, &event->mark.socket, event->mark.netns);
    case EVENT_DROP:
        return takes_header(sieve, &event->drop.header, &event->drop.socket, event->drop.netns);
    case EVENT_QUEUE:
        return takes_header(sieve, &event->queue.header, NULL, event->queue.netns);
    case EVENT_STATE:
        return takes_socket(sieve, &event->state.socket, event->state.netns);
    case EVENT_RESEND:
        return takes_socket(sieve, &event->resend.socket, event->resend.netns);
    case EVENT_RESET:
        return takes_socket(sieve, &event->reset.socket, event->reset.netns);
    case EVENT_TIMER:
        return takes_socket(sieve, &event->timer.socket, event->timer.netns);
    default:
        return true;
    }
}

/* ---- packets ---- */

/* How far its closing has come. */
static void follow_end(struct sieve *sieve, const struct event_packet_header *header, uint64_t netns)
{
    bool is_low;
    uint64_t before = wanted_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns, &is_low), flow = before;
    if (header->protocol != IPPROTO_TCP || !(header->flags & (FLAG_FIN | FLAG_RST | FLAG_SYN))) return;
    if (header->flags & FLAG_SYN) flow &= FLOW_WANTED; /* FLOW_BEGINS has served */
    if (header->flags & FLAG_FIN) flow |= is_low ? FLOW_FIN_LOW : FLOW_FIN_HIGH;
    if (header->flags & FLAG_RST || (flow & FLOW_FIN_LOW && flow & FLOW_FIN_HIGH)) flow |= FLOW_OVER;
    bool was_closing = before & (FLOW_FIN_LOW | FLOW_FIN_HIGH) && !(before & FLOW_OVER);
    bool is_closing = flow & (FLOW_FIN_LOW | FLOW_FIN_HIGH) && !(flow & FLOW_OVER);
    if (is_closing && !was_closing) sieve->closing++;
    if (!is_closing && was_closing) sieve->closing--;
    wanted_set_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns, flow);
}

static bool takes_packet(struct sieve *sieve, const struct event_packet *packet, uint64_t netns)
{
    const struct event_packet_header *header = &packet->header;
    if (header->protocol == IPPROTO_TCP || header->protocol == IPPROTO_UDP)
        return !is_anothers(sieve, header, netns) &&
               wanted_has_flow(sieve->wanted, &header->src, &header->dst, header->protocol, netns);
    return packet->icmp.quotes &&
           wanted_has_flow(sieve->wanted, &packet->icmp.src, &packet->icmp.dst, packet->icmp.protocol, netns);
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
    uint64_t netns = recent_get(sieve->vantages, &event->packet.vantage);
    if (!takes_packet(sieve, &event->packet, netns)) return false;
    follow_end(sieve, &event->packet.header, netns);
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
    sieve->wanted = wanted_new();
    sieve->sockets = recent_new(sizeof(uint64_t));
    sieve->vantages = recent_new(sizeof(uint32_t));
    sieve->calls = recent_new(sizeof(int32_t));
    if (!sieve->wanted || !sieve->sockets || !sieve->vantages || !sieve->calls) {
        sieve_free(sieve);
        return NULL;
    }
    event_log_sift(log, sift, sieve);
    return sieve;
}

void sieve_free(struct sieve *sieve)
{
    if (!sieve) return;
    event_log_sift(sieve->log, NULL, NULL);
    for (size_t i = 0; i < sieve->held_count; i++)
        if (sieve->held[i].kind == EVENT_PACKET) event_log_give_back(sieve->log, sieve->held[i].packet.bytes);
    wanted_free(sieve->wanted);
    recent_free(sieve->sockets);
    recent_free(sieve->vantages);
    recent_free(sieve->calls);
    free(sieve->held);
    free(sieve);
}
