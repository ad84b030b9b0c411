/* SYNs that did not leave their own host: no packet shows them, the kernel's word does. */
#include <string.h>

#include "story/findings/findings.h"

/* All of them waited for the next hop's link address, and none came. */
static bool is_neighbourless(const struct flow *flow)
{
    for (size_t i = 0; i < flow->drop_count; i++)
        if (strcmp(flow->drops[i].drop.reason, "NEIGH_FAILED") != 0) return false;
    return flow->drop_count;
}

static const struct tale_call *connect_of(const struct telling *telling)
{
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].story->side == STORY_CLIENT && telling->calls[i].call->traits & CALL_CONNECTS)
            return &telling->calls[i];
    return NULL;
}

/* Another SYN did leave, where the capture does not look. */
static bool came_about(const struct telling *telling)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        if (call->exited && call->traits & CALL_CONNECTS && !call->ret) return true;
        if (call->exited && call->traits & (CALL_READS | CALL_WRITES) && call->ret > 0) return true;
    }
    return false;
}

void findings_stuck(struct telling *telling)
{
    const struct flow *flow = telling->flow;
    const struct tale_call *connect = flow->calls_alone && is_neighbourless(flow) ? connect_of(telling) : NULL;
    if (!connect || came_about(telling)) return;
    uint32_t proof[1] = {telling_call_step(connect)};
    char text[ADDRESS_TEXT_BYTES];
    finding_add(telling, "black-hole", "error",
                telling_printf(telling,
                               "the SYN did not leave the client's own host: the next hop towards %s (that host itself, or the "
                               "gateway on the way) did not answer who has its address (ARP, neighbour discovery). It is off or "
                               "not on this link, or the address, the netmask or the route is wrong",
                               address_format_ip(&flow->end[STORY_SERVER], text)),
                FINDING_PROOF(proof));
}
