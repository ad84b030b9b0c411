/* What the kernel threw away, and how full a listener's queues were: kept with the flow until it is told. */
#include <errno.h>
#include <string.h>

#include "story/reports/reports.h"

static struct flow *flow_of(struct teller *teller, const struct event_packet_header *header, uint64_t netns)
{
    return flow_find_packet(teller, header, netns);
}

int drops_take_drop(struct teller *teller, const struct event *event)
{
    int code = stuck_take_drop(teller, event);
    if (code) return code;
    struct flow *flow = flow_of(teller, &event->drop.header, event->drop.netns);
    if (!flow) return calls_alone_keep_drop(teller, event); /* thrown away before anything of its flow was seen */
    if (teller->bounds.packets_max && flow->drop_count >= teller->bounds.packets_max) { /* the older half */
        size_t kept = flow->drop_count / 2;
        memmove(&flow->drops[0], &flow->drops[flow->drop_count - kept], kept * sizeof(flow->drops[0]));
        teller->forgotten.drops += flow->drop_count - kept;
        flow->drop_count = kept;
    }
    struct drop_note *note = track_grow((void **)&flow->drops, &flow->drop_count, &flow->drop_room, sizeof(*note));
    if (!note) return -ENOMEM;
    *note = (struct drop_note){.t_ns = event->t_ns, .drop = event->drop};
    return 0;
}

int drops_take_queue(struct teller *teller, const struct event *event)
{
    /* The SYN that it is told of may be captured a moment later. */
    const struct event_packet packet = {.header = event->queue.header};
    struct flow *flow = flow_of_packet(teller, &packet, event->queue.netns);
    if (!flow) return -ENOMEM;
    struct queue_note *note = track_grow((void **)&flow->queues, &flow->queue_count, &flow->queue_room, sizeof(*note));
    if (!note) return -ENOMEM;
    *note = (struct queue_note){.t_ns = event->t_ns, .queue = event->queue};
    return 0;
}
