#include "lab/wire/wire_rules.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

enum { KIND_FLAGS = TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST };

/* What each kind looks like: those of the `mask` flags that are set are `flags`, and how much payload it has. */
enum payload { PAYLOAD_ANY, PAYLOAD_NONE, PAYLOAD_SOME };
enum { OF_TCP = 1, OF_UDP = 2 };
static const struct {
    const char *name;
    unsigned protocols;
    uint8_t mask, flags;
    enum payload payload;
} kinds[WIRE_MATCHES] = {
    [WIRE_ANY] = {"any", OF_TCP | OF_UDP, 0, 0, PAYLOAD_ANY},
    [WIRE_SYN] = {"SYN", OF_TCP, TCP_SYN | TCP_ACK, TCP_SYN, PAYLOAD_ANY},
    [WIRE_SYN_ACK] = {"SYN-ACK", OF_TCP, TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK, PAYLOAD_ANY},
    [WIRE_ACK] = {"ACK", OF_TCP, KIND_FLAGS, TCP_ACK, PAYLOAD_NONE},
    [WIRE_FIN] = {"FIN", OF_TCP, TCP_FIN, TCP_FIN, PAYLOAD_ANY},
    [WIRE_RST] = {"RST", OF_TCP, TCP_RST, TCP_RST, PAYLOAD_ANY},
    [WIRE_DATA] = {"data", OF_TCP | OF_UDP, 0, 0, PAYLOAD_SOME},
    [WIRE_DATAGRAM] = {"datagram", OF_UDP, 0, 0, PAYLOAD_ANY},
};

static const char *const actions[WIRE_ACTIONS] = {"pass", "drop", "duplicate", "hold", "delay", "reorder", "corrupt"};

const char *wire_match_name(enum wire_match match)
{
    return kinds[match].name;
}

const char *wire_action_name(enum wire_action action)
{
    return actions[action];
}

bool wire_match_parse(const char *name, enum wire_match *ret_match)
{
    for (unsigned i = 0; i < WIRE_MATCHES; i++)
        if (!strcasecmp(name, kinds[i].name)) {
            *ret_match = (enum wire_match)i;
            return true;
        }
    return false;
}

bool wire_action_parse(const char *name, enum wire_action *ret_action)
{
    for (unsigned i = 0; i < WIRE_ACTIONS; i++)
        if (!strcasecmp(name, actions[i])) {
            *ret_action = (enum wire_action)i;
            return true;
        }
    return false;
}

bool wire_rule_is_sound(const struct wire_rule *rule)
{
    return rule->from && !(rule->from & ~(unsigned)WIRE_FROM_BOTH) && (unsigned)rule->match < WIRE_MATCHES &&
           (unsigned)rule->action < WIRE_ACTIONS && rule->extra_ns >= 0 && memchr(rule->name, '\0', sizeof(rule->name));
}

static bool is_spent(const struct wire_rules *rules, size_t i)
{
    return rules->rule[i].nth && rules->seen[i] >= rules->rule[i].nth;
}

static void forget_spent(struct wire_rules *rules)
{
    size_t kept = 0;
    for (size_t i = 0; i < rules->count; i++) {
        if (is_spent(rules, i)) continue;
        rules->rule[kept] = rules->rule[i];
        rules->seen[kept++] = rules->seen[i];
    }
    rules->count = kept;
}

int wire_rules_add(struct wire_rules *rules, const struct wire_rule *rule)
{
    if (!wire_rule_is_sound(rule)) return -EINVAL;
    if (rules->count == WIRE_RULES_MAX) forget_spent(rules);
    if (rules->count == WIRE_RULES_MAX) return -ENOSPC;
    rules->rule[rules->count] = *rule;
    rules->seen[rules->count++] = 0;
    return 0;
}

int64_t wire_rules_seen(const struct wire_rules *rules, uint32_t id)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rule[i].id == id) return (int64_t)rules->seen[i];
    return -ENOENT;
}

bool wire_matches(enum wire_match match, const struct event_packet_header *header)
{
    unsigned protocol = header->protocol == IPPROTO_TCP ? OF_TCP : header->protocol == IPPROTO_UDP ? OF_UDP : 0;
    if (!(kinds[match].protocols & protocol)) return false;
    if ((header->flags & kinds[match].mask) != kinds[match].flags) return false;
    return kinds[match].payload == PAYLOAD_ANY || (kinds[match].payload == PAYLOAD_SOME) == (header->length_bytes > 0);
}

const struct wire_rule *wire_rules_take(struct wire_rules *rules, enum wire_from from, const struct event_packet_header *header)
{
    const struct wire_rule *acting = NULL;
    for (size_t i = 0; i < rules->count; i++) {
        const struct wire_rule *rule = &rules->rule[i];
        if (!(rule->from & from) || !wire_matches(rule->match, header)) continue;
        rules->seen[i]++;
        if (!acting && (!rule->nth || rules->seen[i] == rule->nth)) acting = rule;
    }
    return acting;
}
