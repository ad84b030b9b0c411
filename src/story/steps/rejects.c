/* Whose rule it was that answered a segment in somebody's name. */
#include <errno.h>
#include <string.h>

#include "story/steps/telling.h"
#include "tcp/segment.h"

const char *telling_rule_place(struct telling *telling, const struct tale_packet *answer)
{
    bool by_rule = answer->cause->kind == CAUSE_KERNEL && answer->cause->name && strcmp(answer->cause->name, CHAIN_FIREWALL) == 0;
    if (!by_rule) return NULL;
    switch (answer->chain.hook) {
    case CHAIN_HOOK_INPUT:
        return telling_printf(telling, "the %s's host", story_side_word(answer->side));
    case CHAIN_HOOK_OUTPUT:
        return telling_printf(telling, "the %s's own host (for what goes out)",
                              story_side_word(answer->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT));
    case CHAIN_HOOK_FORWARD:
        return tr("a router or bridge on the way");
    case CHAIN_HOOK_ARRIVAL:
    case CHAIN_HOOK_UNKNOWN:
        break;
    }
    return tr("a host that the segment came to");
}

bool telling_is_own_rules(struct telling *telling, const struct tale_packet *reset)
{
    bool any = false;
    for (const struct tale_packet *at = telling->packets; at < reset; at++) {
        if (at->side == reset->side || !at->segment || at->segment->kind != STORY_SYN) continue;
        if (!at->seen->stuck) return false;
        any = true;
    }
    return any || (telling_rule_place(telling, reset) && reset->chain.hook == CHAIN_HOOK_OUTPUT);
}

bool telling_refuses(const struct tale_packet *packet, enum story_side side)
{
    const struct event_packet *seen = &packet->seen->packet;
    if (packet->side != side) return false;
    return packet->segment ? packet->segment->kind == STORY_RST
                           : segment_icmp_is_refusal(seen->header.protocol, seen->icmp.type, seen->icmp.code);
}

const struct tale_call *telling_failed_by_icmp(const struct telling *telling, enum story_side side, uint32_t traits)
{
    static const int64_t errors[] = {-ECONNREFUSED, -EHOSTUNREACH, -ENETUNREACH, -EACCES, -ENOPROTOOPT};
    for (size_t k = 0; k < sizeof(errors) / sizeof(errors[0]); k++)
        for (size_t i = 0; i < telling->call_count; i++) {
            const struct tale_call *tale = &telling->calls[i];
            if (tale->story->side == side && tale->call->exited && tale->call->ret == errors[k] &&
                (!traits || tale->call->traits & traits))
                return tale;
        }
    return NULL;
}
