/* What is known of a run before its first story. */
#include <inttypes.h>
#include <string.h>

#include "out/output_own.h"

static const char *vantage_name(const struct event_log *log, uint32_t number)
{
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        if (event->kind == EVENT_VANTAGE && event->vantage.number == number) return event->vantage.name;
    }
    return NULL;
}

static const char *keep(struct output *output, const char *text)
{
    return text && text[0] ? arena_text(&output->facts, text) : NULL;
}

static struct story_clock clock_of(struct output *output, const struct event_log *log, const struct event *event)
{
    const struct event_clock *clock = &event->clock;
    return (struct story_clock){.vantage = keep(output, vantage_name(log, clock->vantage)),
                                .against = keep(output, vantage_name(log, clock->against)),
                                .at_ns = event->t_ns,
                                .from_ns = clock->from_ns,
                                .offset_ns = clock->offset_ns,
                                .uncertainty_ns = clock->uncertainty_ns,
                                .most_ns = clock->most_ns,
                                .drift_ppb = clock->drift_ppb,
                                .drift_within_ppb = clock->drift_within_ppb,
                                .span_ns = clock->span_ns,
                                .forth = clock->forth,
                                .back = clock->back,
                                .left_out = clock->left_out,
                                .stepped = clock->stepped,
                                .guessed = clock->guessed};
}

void output_look_up_run(struct output *output, const struct event_log *log)
{
    struct view_run *run = &output->run;
    *run = (struct view_run){.vantages = output->vantages,
                             .clocks = output->clocks,
                             .title = output->options.title,
                             .question = output->options.question};
    bool is_under_way = false; /* what is captured from then on was not known when it began, and is not when it is told again */
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        is_under_way = is_under_way || (run->recorder && (event->kind == EVENT_ENTER || event->kind == EVENT_PACKET));
        if (event->kind == EVENT_TRACE && !run->recorder) {
            run->recorder = arena_text(&output->facts, event->trace.recorder);
            run->reason = keep(output, event->trace.reason);
            run->started_ns = event->t_ns;
        } else if (event->kind == EVENT_VANTAGE && !is_under_way && run->vantage_count < VANTAGES_MAX)
            output->vantages[run->vantage_count++] = arena_text(&output->facts, event->vantage.name);
        else if (event->kind == EVENT_CLOCK && run->clock_count < CLOCKS_MAX)
            output->clocks[run->clock_count++] = clock_of(output, log, event);
    }
}
