#include "read/read_events.h"

#include <errno.h>
#include <string.h>

#include "read/read_chosen.h"
#include "read/stored.h"
#include "saved/saved_read.h"

static const char first_words[] = "# tcpwhy events";

size_t read_events_needs(const void *head, size_t head_bytes)
{
    return saved_head_needs(head, head_bytes);
}

bool read_is_events(const void *head, size_t head_bytes)
{
    size_t length = strlen(first_words);
    return (head_bytes >= length && !memcmp(head, first_words, length)) || saved_is_run(head, head_bytes);
}

bool read_is_saved(const void *head, size_t head_bytes)
{
    return saved_is_run(head, head_bytes);
}

/* What is told of: the run, or what belongs to the chosen connections. */
static int load(const char *path, const void *head, size_t head_bytes, const struct read_options *options,
                struct event_log **ret_log, struct err *err)
{
    struct event_log *log = event_log_new(), *chosen = NULL;
    int code = log ? stored_load(path, options->output.keeper, head, head_bytes, log, err)
                   : err_set_errno(err, -ENOMEM, "can't read %s", path);
    if (!code && !options->conn_count) return *ret_log = log, 0;
    if (!code) event_log_sort(log);
    if (!code) code = read_choose(log, options->conns, options->conn_count, &chosen, err);
    event_log_free(log);
    *ret_log = chosen;
    return code;
}

static void look(void *data, struct story *story)
{
    const bool *of_capture = data;
    read_renumber(story, *of_capture);
}

/* What a watch has written: everybody's connections, of which a few matter, also of those that were chosen. */
static bool is_of_watch(const struct event_log *log)
{
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        if (event->kind == EVENT_TRACE) return event->trace.course_only;
    }
    return false;
}

/* A list of stories has the same orders as one of packets. */
static struct output_options options_of(const struct read_options *options)
{
    static const enum view_order orders[HELD_ORDERS] = {
        [HELD_FINDING] = VIEW_BY_FINDING, [HELD_TOOK] = VIEW_BY_TOOK, [HELD_START] = VIEW_BY_START, [HELD_BYTES] = VIEW_BY_BYTES};
    struct output_options output = options->output;
    if (options->sorted) output.order = orders[options->order];
    output.only_findings = options->only_findings;
    return output;
}

int read_events(const char *path, const void *head, size_t head_bytes, const struct read_options *options, struct err *err)
{
    struct output *output = NULL;
    struct event_log *log = NULL;
    const struct output_options how = options_of(options);
    int code = output_open(&output, &how, err);
    if (code) return code;
    bool of_capture = false;
    output_look(output, look, &of_capture);
    code = load(path, head, head_bytes, options, &log, err);
    if (!code) of_capture = read_is_of_capture(log);
    if (!code && (!options->conn_count || is_of_watch(log))) output_overview(output);
    if (!code) code = output_tell(output, log, err);
    event_log_free(log);
    output_close(output);
    return code;
}
