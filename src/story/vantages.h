/* Where packets were captured, and which hosts that is. */
#ifndef TCPWHY_STORY_VANTAGES_H
#define TCPWHY_STORY_VANTAGES_H

#include "event/event.h"

struct vantage {
    uint32_t number;
    uint64_t netns;
    char name[EVENT_NAME_BYTES];
    struct address v4, v6; /* its interface's own */
};

static inline bool vantage_is_at(const struct vantage *vantage, const struct address *address)
{
    struct address host = *address;
    host.port = 0;
    return address_equal(&vantage->v4, &host) || address_equal(&vantage->v6, &host);
}

/* An ICMP error that a router made, and that was captured at the very host that it is for: nothing of its way is left. */
static inline bool vantages_show_it_came(const struct vantage *vantages, size_t count, const struct event *event)
{
    bool comes = false;
    for (size_t i = 0; i < count; i++) {
        if (vantage_is_at(&vantages[i], &event->packet.header.src)) return false;
        comes |= vantages[i].number == event->packet.vantage && vantage_is_at(&vantages[i], &event->packet.header.dst);
    }
    return comes;
}

#endif
