/* By which numbers connections are asked for. */
#include <string.h>

#include "read/read_chosen.h"

bool read_is_chosen(const struct read_range *ranges, size_t count, uint32_t number, bool apart)
{
    for (size_t i = 0; i < count; i++)
        if (apart == ranges[i].udp && number >= ranges[i].from && number <= ranges[i].to) return true;
    return count == 0;
}

static uint32_t connection_of(const struct story_step *step)
{
    if (step->kind == STEP_SEGMENT) return step->segment->captured ? step->segment->captured->connection : 0;
    if (step->kind != STEP_DATAGRAM || step->datagram->icmp) return 0;
    return step->datagram->captured ? step->datagram->captured->connection : 0;
}

bool read_is_of_capture(const struct event_log *log)
{
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        if (event->kind == EVENT_TRACE) return !strcmp(event->trace.reason, READ_CAPTURE_REASON);
    }
    return false;
}

void read_renumber(struct story *story, bool of_capture)
{
    uint32_t number = 0;
    for (size_t i = 0; i < story->step_count && !number; i++) number = connection_of(&story->steps[i]);
    if (!number) return;
    story->number = number;
    story->numbered_apart = of_capture && story->udp;
}
