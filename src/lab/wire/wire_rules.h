/* What the wire does with which segment: rules as values, and the counting that decides. Pure: no I/O, no clock, no allocation.
 *
 * A rule counts the segments that match it from the moment it is added, so "FIN 1" is the next FIN. Every rule counts every segment
 * that it matches, whichever rule acts on it; where several fire on the same segment, the one that was added first acts. TCP
 * segments and UDP datagrams are matched and counted; everything else passes. */
#ifndef TCPWHY_LAB_WIRE_WIRE_RULES_H
#define TCPWHY_LAB_WIRE_WIRE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

/* Bits: who sent it. */
enum wire_from { WIRE_FROM_CLIENT = 1, WIRE_FROM_SERVER = 2, WIRE_FROM_BOTH = 3 };

enum wire_match {
    WIRE_ANY,     /* every TCP segment and every UDP datagram */
    WIRE_SYN,     /* SYN without ACK */
    WIRE_SYN_ACK, /* SYN with ACK */
    WIRE_ACK,     /* ACK and nothing else: no SYN, FIN, RST, no payload */
    WIRE_FIN,     /* FIN, with or without payload */
    WIRE_RST,
    WIRE_DATA,     /* a payload, whatever else */
    WIRE_DATAGRAM, /* of UDP */
    WIRE_MATCHES
};

enum wire_action {
    WIRE_PASS,      /* no rule fired */
    WIRE_DROP,      /* it is gone */
    WIRE_DUPLICATE, /* it goes on its way twice, one right behind the other */
    WIRE_HOLD,      /* it is kept until it is released by the rule's name */
    WIRE_DELAY,     /* it takes `extra_ns` longer, and others pass it */
    WIRE_REORDER,   /* it waits for the next segment or datagram of its direction and goes right behind that one */
    WIRE_CORRUPT,   /* a bit of its payload is turned over; without a payload it goes as it is */
    WIRE_ACTIONS
};

enum { WIRE_NAME_BYTES = 32, WIRE_RULES_MAX = 64 };

struct wire_rule {
    unsigned from; /* WIRE_FROM_* */
    enum wire_match match;
    uint32_t nth; /* the n-th that matches, from 1; 0: every one */
    enum wire_action action;
    int64_t extra_ns;           /* WIRE_DELAY */
    char name[WIRE_NAME_BYTES]; /* WIRE_HOLD: what releases it; "" is a name too */
    uint32_t id;                /* its owner's, by which it is asked for and reported; 0: none */
};

struct wire_rules {
    struct wire_rule rule[WIRE_RULES_MAX];
    uint64_t seen[WIRE_RULES_MAX]; /* segments that matched, for each rule */
    size_t count;
};

/* "SYN", "SYN-ACK", "ACK", "FIN", "RST", "data", "datagram", "any"; "drop", "duplicate", "hold", "delay", "reorder", "corrupt",
 * "pass". Static
 * storage. */
const char *wire_match_name(enum wire_match match);
const char *wire_action_name(enum wire_action action);
/* The reverse, in any case of letters. False: no such name. */
bool wire_match_parse(const char *name, enum wire_match *ret_match);
bool wire_action_parse(const char *name, enum wire_action *ret_action);

/* Whether a rule makes sense: directions, names and numbers in their ranges, a delay that is not negative. */
bool wire_rule_is_sound(const struct wire_rule *rule);
/* Adds a sound rule. 0; -EINVAL; -ENOSPC when there are WIRE_RULES_MAX. A rule that can never fire again makes room first. */
int wire_rules_add(struct wire_rules *rules, const struct wire_rule *rule);
/* How many matched the rule of this id. -ENOENT: there is none (any more). */
int64_t wire_rules_seen(const struct wire_rules *rules, uint32_t id);
/* Whether a packet is what `match` names. */
bool wire_matches(enum wire_match match, const struct event_packet_header *header);
/* Counts a packet from one side (WIRE_FROM_CLIENT or WIRE_FROM_SERVER) in all rules; the rule that acts on it, or NULL: it passes.
 * The pointer is good until the next add. */
const struct wire_rule *wire_rules_take(struct wire_rules *rules, enum wire_from from, const struct event_packet_header *header);

#endif
