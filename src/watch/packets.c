#include "watch/packets.h"

#include <errno.h>

#include "event/event.h"
#include "saved/saved.h"

int packets_save(const struct story *story, const struct sink *sink)
{
    const struct saved_options options = {.packets_alone = true};
    const struct event vantage = {.kind = EVENT_VANTAGE, .t_ns = story->start_ns, .vantage = {.name = "watch"}};
    struct saved *saved = saved_new(&options, sink);
    if (!saved) return -ENOMEM;
    int code = saved_event(saved, &vantage);
    for (size_t i = 0; i < story->step_count && !code; i++) {
        const struct story_segment *segment = story->steps[i].kind == STEP_SEGMENT ? story->steps[i].segment : NULL;
        if (!segment || !segment->captured) continue;
        struct event event = {.kind = EVENT_PACKET, .t_ns = story->steps[i].t_ns, .packet = *segment->captured};
        event.packet.vantage = 0;
        code = saved_event(saved, &event);
    }
    if (!code) code = saved_story(saved, story);
    if (!code) code = saved_finish(saved);
    saved_free(saved);
    return code;
}
