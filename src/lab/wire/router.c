#include "lab/wire/router.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lab/network/network.h"
#include "lab/wire/ip_frame.h"

/* RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1. */
enum { V4_UNREACHABLE = 3, V4_TOO_BIG_CODE = 4, V4_EXCEEDED = 11, V6_UNREACHABLE = 1, V6_TOO_BIG = 2, V6_EXCEEDED = 3 };
static const struct {
    const char *name;
    uint8_t v4_code, v6_code; /* of "destination unreachable" */
} answers[ROUTER_ANSWERS] = {
    [ROUTER_SILENCE] = {NULL, 0, 0},
    [ROUTER_RST] = {"RST", 3, 4}, /* to what is no TCP */
    [ROUTER_NET_UNREACHABLE] = {"net-unreachable", 0, 0},
    [ROUTER_HOST_UNREACHABLE] = {"host-unreachable", 1, 3},
    [ROUTER_PORT_UNREACHABLE] = {"port-unreachable", 3, 4},
    [ROUTER_ADMIN_PROHIBITED] = {"admin-prohibited", 13, 1},
};

const char *router_answer_name(enum router_answer answer)
{
    return answers[answer].name;
}

/* ---- orders ---- */

static bool is_mtu(uint32_t mtu_bytes)
{
    return !mtu_bytes || (mtu_bytes >= ROUTER_MTU_MIN && mtu_bytes <= ROUTER_MTU_MAX);
}

bool router_order_is_sound(const struct router_order *order)
{
    if ((unsigned)order->answer >= ROUTER_ANSWERS) return false;
    switch (order->verb) {
    case ROUTER_REFUSE:
    case ROUTER_SKIP:
        return wire_rule_is_sound(&order->rule);
    case ROUTER_TRANSLATE:
        return order->from == WIRE_FROM_CLIENT || order->from == WIRE_FROM_SERVER;
    case ROUTER_FORGET:
        return order->answer == ROUTER_SILENCE || order->answer == ROUTER_RST;
    case ROUTER_MTU:
        return is_mtu(order->mtu_bytes);
    case ROUTER_ROUTE:
        return true;
    }
    return false;
}

int router_obey(struct router *router, const struct router_order *order)
{
    if (!router_order_is_sound(order)) return -EINVAL;
    router->on = true;
    switch (order->verb) {
    case ROUTER_REFUSE:
    case ROUTER_SKIP:
        if (router->rule_count == ROUTER_RULES_MAX) return -ENOSPC;
        router->rule[router->rule_count++] =
            (struct router_rule){.match = order->rule, .verb = order->verb, .answer = order->answer};
        break;
    case ROUTER_TRANSLATE:
        router->translates |= order->from;
        break;
    case ROUTER_FORGET:
        memset(router->flow, 0, sizeof(router->flow));
        router->forgot = true;
        router->stray_answer = order->answer;
        break;
    case ROUTER_MTU:
        router->mtu_bytes = order->mtu_bytes;
        router->mtu_silent = order->answer == ROUTER_SILENCE;
        break;
    case ROUTER_ROUTE:
        break;
    }
    return 0;
}

/* Counts the segment in all rules, as wire_rules_take does; the first that fires acts. */
static const struct router_rule *take_rule(struct router *router, enum wire_from from, const struct event_packet_header *header)
{
    const struct router_rule *acting = NULL;
    for (size_t i = 0; i < router->rule_count && header; i++) {
        struct router_rule *rule = &router->rule[i];
        if (!(rule->match.from & from) || !wire_matches(rule->match.match, header)) continue;
        rule->seen++;
        if (!acting && (!rule->match.nth || rule->seen == rule->match.nth)) acting = rule;
    }
    return acting;
}

int64_t router_seen(const struct router *router, uint32_t id)
{
    for (size_t i = 0; i < router->rule_count; i++)
        if (router->rule[i].match.id == id) return (int64_t)router->rule[i].seen;
    return -ENOENT;
}

/* ---- one frame ---- */

struct passage {
    struct router *router;
    enum wire_from from;
    const struct event_packet_header *header;
    struct ip_frame frame;
    struct address near, far;           /* the router's own addresses, on the side of the sender and on the other */
    struct address from_host, to_host;  /* who is on these sides */
    struct address source, destination; /* the frame's */
    const uint8_t *out_mac, *own_mac;   /* of the other host; the router's */
    router_put *put;
    void *data;
};

static void answer_icmp(const struct passage *passage, uint8_t type, uint8_t code, uint32_t word)
{
    uint8_t bytes[IP_FRAME_ANSWER_BYTES];
    uint32_t length = ip_frame_icmp(&passage->frame, &passage->near, type, code, word, bytes);
    if (length) passage->put(passage->data, true, bytes, length);
}

static void refuse(const struct passage *passage, enum router_answer answer)
{
    uint8_t bytes[IP_FRAME_ANSWER_BYTES];
    bool v6 = passage->frame.version == 6;
    if (answer == ROUTER_SILENCE) return;
    if (answer == ROUTER_RST && passage->frame.protocol == IPPROTO_TCP) {
        uint32_t length = ip_frame_reset(&passage->frame, bytes);
        if (length) passage->put(passage->data, true, bytes, length);
        return;
    }
    answer_icmp(passage, v6 ? V6_UNREACHABLE : V4_UNREACHABLE, v6 ? answers[answer].v6_code : answers[answer].v4_code, 0);
}

static bool opens(const struct event_packet_header *header)
{
    return header->protocol == IPPROTO_TCP && (header->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static struct router_flow *find_flow(struct router *router, const struct router_flow *wanted)
{
    for (size_t i = 0; i < ROUTER_FLOWS_MAX; i++) {
        struct router_flow *flow = &router->flow[i];
        if (flow->version == wanted->version && flow->protocol == wanted->protocol && flow->client_port == wanted->client_port &&
            flow->server_port == wanted->server_port)
            return flow;
    }
    return NULL;
}

/* The frame's flow, a new one where it may open one. *ret_stray: it belongs to none that is known, and should. NULL: none. */
static const struct router_flow *flow_of(struct passage *passage, bool *ret_stray)
{
    struct router *router = passage->router;
    struct ip_frame_flow ports;
    bool client = passage->from == WIRE_FROM_CLIENT;
    *ret_stray = false;
    if (!ip_frame_flow(&passage->frame, &ports)) return NULL;
    struct router_flow wanted = {.version = ports.version,
                                 .protocol = ports.protocol,
                                 .client_port = client ? ports.source_port : ports.destination_port,
                                 .server_port = client ? ports.destination_port : ports.source_port};
    struct router_flow *flow = find_flow(router, &wanted);
    bool new = passage->header &&opens(passage->header);
    if (flow && !new) return flow;
    bool tells = passage->frame.protocol != ports.protocol; /* an ICMP error opens nothing */
    *ret_stray = !new && (tells || (router->forgot && ports.protocol == IPPROTO_TCP));
    if (*ret_stray || address_equal(&passage->destination, &passage->near)) {
        bool forwards = client && !*ret_stray && router->translates & WIRE_FROM_SERVER;
        if (!forwards) return NULL;
        wanted.forwarded = true;
    }
    if (!flow) {
        flow = &router->flow[router->next_flow];
        router->next_flow = (router->next_flow + 1) % ROUTER_FLOWS_MAX;
    }
    *flow = wanted;
    return flow;
}

/* Where a frame of this flow is to go, and from whom: as it stands where nothing is translated. */
static void translate(struct passage *passage, const struct router_flow *flow, struct address *source, struct address *destination)
{
    bool client = passage->from == WIRE_FROM_CLIENT;
    *source = passage->source;
    *destination = passage->destination;
    if (!flow) return;
    if (client && flow->forwarded && address_equal(destination, &passage->near)) *destination = passage->to_host;
    if (!client && flow->forwarded && address_equal(source, &passage->from_host)) *source = passage->far;
    if (!(passage->router->translates & WIRE_FROM_CLIENT)) return;
    if (client && address_equal(source, &passage->from_host)) *source = passage->far;
    if (!client && address_equal(destination, &passage->near)) *destination = passage->to_host;
}

static bool is_too_large(const struct passage *passage)
{
    uint32_t mtu_bytes = passage->router->mtu_bytes;
    return mtu_bytes && passage->frame.length - IP_FRAME_LINK_BYTES > mtu_bytes;
}

static void say_too_large(const struct passage *passage)
{
    if (passage->router->mtu_silent) return;
    if (passage->frame.version == 6)
        answer_icmp(passage, V6_TOO_BIG, 0, passage->router->mtu_bytes);
    else
        answer_icmp(passage, V4_UNREACHABLE, V4_TOO_BIG_CODE, passage->router->mtu_bytes); /* RFC 1191 4: in the lower half */
}

static void send_on(struct passage *passage, const struct address *source, const struct address *destination)
{
    struct ip_frame *frame = &passage->frame;
    uint8_t piece[IP_FRAME_LINK_BYTES + ROUTER_MTU_MAX];
    uint32_t at = 0, length;
    if (!address_equal(source, &passage->source)) ip_frame_translate(frame, IP_FRAME_SOURCE, source);
    if (!address_equal(destination, &passage->destination)) ip_frame_translate(frame, IP_FRAME_DESTINATION, destination);
    memcpy(frame->bytes, passage->out_mac, IP_FRAME_MAC_BYTES);
    memcpy(frame->bytes + IP_FRAME_MAC_BYTES, passage->own_mac, IP_FRAME_MAC_BYTES);
    if (!is_too_large(passage)) {
        passage->put(passage->data, false, frame->bytes, frame->length);
        return;
    }
    while ((length = ip_frame_cut(frame, passage->router->mtu_bytes, &at, piece)))
        passage->put(passage->data, false, piece, length);
}

static bool pass(struct passage *passage, uint32_t *ret_rule)
{
    const struct router_rule *rule = take_rule(passage->router, passage->from, passage->header);
    if (rule) *ret_rule = rule->match.id;
    struct address source, destination;
    bool stray, v6 = passage->frame.version == 6;
    const struct router_flow *flow = flow_of(passage, &stray);
    if (rule && rule->verb == ROUTER_REFUSE) return refuse(passage, rule->answer), false;
    if (stray) return refuse(passage, passage->router->stray_answer), false;
    if (rule && rule->verb == ROUTER_SKIP) flow = NULL;
    translate(passage, flow, &source, &destination);
    if (address_equal(&destination, &passage->near) || address_equal(&destination, &passage->far))
        return refuse(passage, ROUTER_RST), false; /* it is for the router itself, where nobody listens */
    if (!address_equal(&destination, &passage->to_host)) return refuse(passage, ROUTER_NET_UNREACHABLE), false;
    if (is_too_large(passage) && !passage->frame.may_cut) return say_too_large(passage), false;
    if (!ip_frame_hop(&passage->frame)) return answer_icmp(passage, v6 ? V6_EXCEEDED : V4_EXCEEDED, 0, 0), false;
    send_on(passage, &source, &destination);
    return true;
}

bool router_route(struct router *router, enum wire_from from, const struct event_packet_header *header, uint8_t *bytes,
                  uint32_t length, router_put *put, void *data, uint32_t *ret_rule)
{
    *ret_rule = 0;
    struct passage passage = {.router = router, .from = from, .header = header, .put = put, .data = data};
    if (!ip_frame_read(bytes, length, &passage.frame)) return false;
    enum network_place sender = from == WIRE_FROM_CLIENT ? NETWORK_CLIENT : NETWORK_SERVER;
    enum network_place receiver = from == WIRE_FROM_CLIENT ? NETWORK_SERVER : NETWORK_CLIENT;
    uint8_t version = passage.frame.version;
    passage.from_host = network_address(sender, version, true);
    passage.to_host = network_address(receiver, version, true);
    passage.near = network_router_address(sender, version);
    passage.far = network_router_address(receiver, version);
    passage.source = ip_frame_address(&passage.frame, IP_FRAME_SOURCE);
    passage.destination = ip_frame_address(&passage.frame, IP_FRAME_DESTINATION);
    passage.out_mac = network_mac(receiver);
    passage.own_mac = network_mac(NETWORK_WIRE);
    return pass(&passage, ret_rule);
}
