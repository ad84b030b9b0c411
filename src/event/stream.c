#include "event/stream.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

struct tap {
    stream_taker *take;
    stream_time_taker *passed; /* NULL: how late it is it learns from events */
    void *data;
    int64_t behind_ns;
    bool on_arrival;
    bool ended;   /* it failed */
    size_t given; /* events of the log, from its first on */
};

struct stream {
    struct event_log *log;
    bool forgets;
    struct tap *taps;
    size_t tap_count, tap_room;
    size_t ordered;     /* the log's first events, whose order stands: they were given to a tap */
    int64_t ordered_ns; /* the latest place among all that were */
    int64_t watermark_ns;
    uint64_t late;
    size_t flow_most; /* events that each tap is given at once; 0: as many as there are */
    bool has_more;    /* the last flow ended there */
};

struct stream *stream_new(struct event_log *log, bool forgets)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    if (!stream) return NULL;
    stream->log = log;
    stream->forgets = forgets;
    stream->ordered_ns = stream->watermark_ns = INT64_MIN;
    return stream;
}

void stream_free(struct stream *stream)
{
    if (!stream) return;
    free(stream->taps);
    free(stream);
}

struct event_log *stream_log(const struct stream *stream)
{
    return stream->log;
}

static int add(struct stream *stream, const struct tap *tap)
{
    if (stream->tap_count == stream->tap_room) {
        size_t room = stream->tap_room ? stream->tap_room * 2 : 4;
        struct tap *taps = reallocarray(stream->taps, room, sizeof(*taps));
        if (!taps) return -ENOMEM;
        stream->taps = taps;
        stream->tap_room = room;
    }
    stream->taps[stream->tap_count++] = *tap;
    return 0;
}

int stream_tap(struct stream *stream, int64_t behind_ns, stream_taker *take, void *data)
{
    return add(stream, &(struct tap){.take = take, .data = data, .behind_ns = behind_ns});
}

int stream_tap_arrivals(struct stream *stream, stream_taker *take, void *data)
{
    return add(stream, &(struct tap){.take = take, .data = data, .on_arrival = true, .given = event_log_count(stream->log)});
}

void stream_bound(struct stream *stream, size_t most)
{
    stream->flow_most = most;
}

bool stream_has_more(const struct stream *stream)
{
    return stream->has_more;
}

void stream_tell_time(struct stream *stream, void *data, stream_time_taker *passed)
{
    for (size_t i = 0; i < stream->tap_count; i++)
        if (stream->taps[i].data == data && !stream->taps[i].on_arrival) stream->taps[i].passed = passed;
}

/* One more to one tap. */
static int give(struct stream *stream, struct tap *tap)
{
    int code = tap->take(tap->data, event_log_at(stream->log, tap->given++));
    if (code) tap->ended = true;
    return code;
}

/* The order of what a tap was given stands: an event that should have come before has come too late. */
static void fix_order(struct stream *stream, size_t count)
{
    for (; stream->ordered < count; stream->ordered++) {
        int64_t place_ns = event_log_place_ns(stream->log, stream->ordered);
        if (place_ns < stream->ordered_ns)
            stream->late++;
        else
            stream->ordered_ns = place_ns;
    }
}

static int give_arrivals(struct stream *stream)
{
    int code = 0;
    for (size_t i = 0; i < stream->tap_count; i++) {
        struct tap *tap = &stream->taps[i];
        while (tap->on_arrival && !tap->ended && tap->given < event_log_count(stream->log)) {
            int mine = give(stream, tap);
            if (!code) code = mine;
        }
    }
    return code;
}

/* Everything before its time; `all`: without looking at the time. */
static int give_in_order(struct stream *stream, struct tap *tap, bool all)
{
    size_t count = event_log_count(stream->log);
    int64_t until_ns = stream->watermark_ns < INT64_MIN + tap->behind_ns ? INT64_MIN : stream->watermark_ns - tap->behind_ns;
    size_t most = all || !stream->flow_most ? SIZE_MAX : stream->flow_most;
    int code = 0;
    for (; !code && tap->given < count && (all || event_log_place_ns(stream->log, tap->given) < until_ns); most--) {
        if (!most) {
            stream->has_more = true;
            break;
        }
        code = give(stream, tap);
        fix_order(stream, tap->given);
    }
    return code;
}

static void forget(struct stream *stream)
{
    size_t seen = event_log_count(stream->log);
    for (size_t i = 0; i < stream->tap_count; i++)
        if (!stream->taps[i].ended && stream->taps[i].given < seen) seen = stream->taps[i].given;
    fix_order(stream, seen); /* all taps may have ended */
    event_log_forget(stream->log, seen);
    stream->ordered -= seen;
    for (size_t i = 0; i < stream->tap_count; i++) stream->taps[i].given -= stream->taps[i].ended ? 0 : seen;
}

static bool has_order(const struct stream *stream)
{
    for (size_t i = 0; i < stream->tap_count; i++)
        if (!stream->taps[i].on_arrival) return true;
    return false;
}

static int flow(struct stream *stream, bool all)
{
    stream->has_more = false;
    int code = give_arrivals(stream); /* before sorting moves what has just come */
    if (!has_order(stream)) return code;
    event_log_sort_from(stream->log, stream->ordered);
    for (size_t i = 0; i < stream->tap_count; i++) {
        struct tap *tap = &stream->taps[i];
        int mine = tap->on_arrival || tap->ended ? 0 : give_in_order(stream, tap, all);
        if (!code) code = mine;
    }
    if (stream->forgets) forget(stream);
    return code;
}

int stream_arrive(struct stream *stream)
{
    return give_arrivals(stream);
}

int stream_flow(struct stream *stream, int64_t watermark_ns)
{
    if (watermark_ns > stream->watermark_ns) stream->watermark_ns = watermark_ns;
    return flow(stream, false);
}

int stream_pass(struct stream *stream, int64_t watermark_ns)
{
    int code = stream_flow(stream, watermark_ns);
    for (size_t i = 0; i < stream->tap_count; i++) {
        struct tap *tap = &stream->taps[i];
        if (!tap->passed || tap->ended || stream->has_more) continue;
        int mine = tap->passed(tap->data, stream->watermark_ns - tap->behind_ns);
        if (mine) tap->ended = true;
        if (!code) code = mine;
    }
    return code;
}

int stream_finish(struct stream *stream)
{
    return flow(stream, true);
}

uint64_t stream_late(const struct stream *stream)
{
    return stream->late;
}
