#include "event/extent.h"

#include <string.h>

#define UP_TO(member) (offsetof(struct event, member) + sizeof(((struct event *)0)->member))

static size_t call_extent(const struct event_call *call)
{
    if (call->watch_count) return UP_TO(call);
    return call->args[0] ? offsetof(struct event, call.watch) : offsetof(struct event, call.args) + 1;
}

size_t event_extent(const struct event *event)
{
    static const size_t bytes[EVENT_KINDS] = {
        [EVENT_TRACE] = UP_TO(trace),     [EVENT_VANTAGE] = UP_TO(vantage), [EVENT_PACKET] = UP_TO(packet),
        [EVENT_MARK] = UP_TO(mark),       [EVENT_STATE] = UP_TO(state),     [EVENT_RESET] = UP_TO(reset),
        [EVENT_RESEND] = UP_TO(resend),   [EVENT_WAKE] = UP_TO(wake),       [EVENT_TIMER] = UP_TO(timer),
        [EVENT_PROCESS] = UP_TO(process), [EVENT_LOST] = UP_TO(lost),       [EVENT_CLOCK] = UP_TO(clock),
        [EVENT_DROP] = UP_TO(drop),       [EVENT_QUEUE] = UP_TO(queue),     [EVENT_LISTENER] = UP_TO(listener),
    };
    if (event->kind == EVENT_ENTER || event->kind == EVENT_EXIT) return call_extent(&event->call);
    size_t extent = (unsigned)event->kind < EVENT_KINDS ? bytes[event->kind] : 0;
    return extent ? extent : sizeof(*event);
}

void event_assign(struct event *to, const struct event *from)
{
    size_t extent = event_extent(from);
    memcpy(to, from, extent);
    memset((char *)to + extent, 0, sizeof(*to) - extent);
}
