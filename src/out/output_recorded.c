#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "event/text.h"
#include "out/output_own.h"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

static bool is_saved(const char *format, const char *path)
{
    return format ? !strcmp(format, OUTPUT_SAVED_NAME) : ends_with(path, OUTPUT_SAVED_SUFFIX);
}

bool output_is_recorded(const char *format, const char *path)
{
    return is_saved(format, path) || (format ? !strcmp(format, OUTPUT_EVENTS_NAME) : ends_with(path, OUTPUT_EVENTS_SUFFIX));
}

/* The system that records is said where it is this one. */
static void name_system(struct output *output, struct saved_options *options, char system[256])
{
    if (!output->options.recorded || uname(&output->system) < 0) return;
    snprintf(system, 256, "%.100s %.100s", output->system.sysname, output->system.release);
    options->system = system;
    options->hardware = output->system.machine;
}

int recorded_open(struct output *output, struct target *target, const char *format, const char *path, struct err *err)
{
    if (!is_saved(format, path)) return 0;
    struct saved_options options = {.packets_alone = output->options.no_calls};
    name_system(output, &options, output->system_name);
    place_keep_private(&target->place); /* it may hold what people sent each other */
    const struct sink sink = output_sink(target);
    target->saved = saved_new(&options, &sink);
    return target->saved ? 0 : err_set_errno(err, -ENOMEM, "can't open the output");
}

static void fail(struct target *target, int code)
{
    struct err err;
    if (code)
        place_fail(&target->place, err_set_errno(&err, code, "can't write what was recorded to %s", target->place.label), &err);
}

/* The next target that holds what was recorded, and can still be written; NULL: there is none behind *at. */
static struct target *next(struct output *output, size_t *at)
{
    while (*at < output->count) {
        struct target *target = &output->targets[(*at)++];
        if (!target->view && !target->place.code) return target;
    }
    return NULL;
}

void recorded_begin(struct output *output)
{
    static const char first_line[] = EVENT_TEXT_FIRST_LINE "\n";
    struct target *target;
    for (size_t at = 0; (target = next(output, &at));)
        if (!target->saved) place_write(&target->place, first_line, strlen(first_line));
}

int recorded_event(void *data, const struct event *event)
{
    struct output *output = data;
    struct target *target;
    if (event->kind == EVENT_PACKET && event->packet.beside) return 0;
    buf_clear(&output->line);
    for (size_t at = 0; (target = next(output, &at));) {
        int code = 0;
        if (target->saved)
            code = saved_event(target->saved, event);
        else if (!output->line.length)
            code = event_text_write(&output->line, event);
        if (!code && !target->saved) place_write(&target->place, output->line.data, output->line.length);
        fail(target, code);
    }
    return 0;
}

void recorded_story(struct output *output, const struct story *story)
{
    struct target *target;
    for (size_t at = 0; (target = next(output, &at));)
        if (target->saved) fail(target, saved_story(target->saved, story));
}

void recorded_end(struct output *output)
{
    struct target *target;
    for (size_t at = 0; (target = next(output, &at));)
        if (target->saved) fail(target, saved_finish(target->saved));
}
