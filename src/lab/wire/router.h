/* The router between the two hosts of a network that has one: which frame goes on, in which form, and which is answered.
 *
 * Pure: values in, frames out through a function of the caller's; no I/O, no clock, no allocation. It holds the rules that it was
 * given, counted as the wire's are (lab/wire/wire_rules.h), and a row for each flow that it knows. It does what a router does: it
 * takes one from the hop limit, drops what has none left, what no network of its has and what its rules refuse, says so by ICMP
 * where it is to, translates addresses (RFC 3022) as long as it knows the flow, and has an MTU. It keeps ports, puts no fragments
 * together, and lets those of translated flows pass as they are. */
#ifndef TCPWHY_LAB_WIRE_ROUTER_H
#define TCPWHY_LAB_WIRE_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "lab/wire/wire_rules.h"

enum { ROUTER_RULES_MAX = 32, ROUTER_FLOWS_MAX = 64, ROUTER_MTU_MIN = 576, ROUTER_MTU_MAX = 65535 };

/* How it refuses a packet. What is neither silence nor RST is an ICMP error. */
enum router_answer {
    ROUTER_SILENCE,
    ROUTER_RST, /* in the name of the host that it was for; UDP gets port-unreachable */
    ROUTER_NET_UNREACHABLE,
    ROUTER_HOST_UNREACHABLE,
    ROUTER_PORT_UNREACHABLE,
    ROUTER_ADMIN_PROHIBITED,
    ROUTER_ANSWERS
};

enum router_verb {
    ROUTER_ROUTE,     /* nothing but what every router does */
    ROUTER_REFUSE,    /* what `rule` names: `answer` */
    ROUTER_SKIP,      /* what `rule` names goes on untranslated, as what a firewall's tracking holds for invalid does */
    ROUTER_TRANSLATE, /* `from` the client: its address becomes the router's own on the server's side. From the server: what
                         comes for the router's own address on the client's side is the server's */
    ROUTER_FORGET,    /* all flows that it knows; what belongs to none and opens none is refused from then on: `answer` */
    ROUTER_MTU        /* `mtu_bytes` on both sides, 0 none; ROUTER_SILENCE: it drops what is larger and does not say so */
};

struct router_order {
    enum router_verb verb;
    enum router_answer answer;
    struct wire_rule rule; /* its direction, kind and number; no action */
    unsigned from;         /* WIRE_FROM_CLIENT or WIRE_FROM_SERVER */
    uint32_t mtu_bytes;
};

struct router_rule {
    struct wire_rule match;
    uint64_t seen;
    enum router_verb verb; /* REFUSE, SKIP */
    enum router_answer answer;
};

struct router_flow {
    uint8_t version, protocol; /* version 0: none */
    uint16_t client_port, server_port;
    bool forwarded; /* it was opened to the router's own address */
};

/* Zeroed: there is no router. */
struct router {
    bool on;
    struct router_rule rule[ROUTER_RULES_MAX];
    size_t rule_count;
    struct router_flow flow[ROUTER_FLOWS_MAX];
    size_t next_flow; /* the row that is used next: the oldest */
    bool forgot;
    enum router_answer stray_answer;
    unsigned translates; /* WIRE_FROM_* bits */
    uint32_t mtu_bytes;
    bool mtu_silent;
};

/* "RST", "net-unreachable" …; NULL for silence. Static storage. */
const char *router_answer_name(enum router_answer answer);

/* Whether an order makes sense: names and numbers in their ranges. */
bool router_order_is_sound(const struct router_order *order);
/* Does a sound order, and is a router from then on. 0; -EINVAL; -ENOSPC: too many rules. */
int router_obey(struct router *router, const struct router_order *order);

/* Given each frame that leaves the router: onwards, or back to where the frame came from. The bytes are good during the call. */
typedef void router_put(void *data, bool back, const uint8_t *bytes, uint32_t length);
/* Routes a frame of at most IP_FRAME_BYTES_MAX bytes, which it may change, from one side. `header` is what it says of itself if it
 * is a TCP segment or UDP datagram, else NULL. *ret_rule is the id of the rule that acted on it, 0 none. False: it did not go on,
 * neither whole nor in pieces. */
bool router_route(struct router *router, enum wire_from from, const struct event_packet_header *header, uint8_t *bytes,
                  uint32_t length, router_put *put, void *data, uint32_t *ret_rule);
/* How many matched the rule of this id. -ENOENT: there is none. */
int64_t router_seen(const struct router *router, uint32_t id);

#endif
