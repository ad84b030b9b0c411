#include "viz/export/perfetto_packet.h"

#include <string.h>

#include "viz/export/protobuf.h"
#include "viz/pen/escape.h"

enum { TEXT_BYTES_MAX = 1 << 16 };

enum {
    TRACE_PACKET = 1,

    PACKET_CLOCK_SNAPSHOT = 6,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE = 10,
    PACKET_TRACK_EVENT = 11,
    PACKET_CLOCK = 58,
    PACKET_TRACK_DESCRIPTOR = 60,

    SNAPSHOT_CLOCKS = 1,
    SNAPSHOT_PRIMARY = 2,
    CLOCK_ID = 1,
    CLOCK_TIMESTAMP = 2,
    CLOCK_OF_REALTIME = 1,

    TRACK_UUID = 1,
    TRACK_NAME = 2,
    TRACK_PROCESS = 3,
    TRACK_THREAD = 4,
    TRACK_PARENT = 5,
    TRACK_COUNTER = 8,
    TRACK_CHILD_ORDERING = 11,
    TRACK_RANK = 12,
    ORDERING_EXPLICIT = 3,
    PROCESS_PID = 1,
    PROCESS_NAME = 6,
    THREAD_PID = 1,
    THREAD_TID = 2,
    THREAD_NAME = 5,
    COUNTER_UNIT = 3,
    UNIT_BYTES = 3,

    EVENT_ANNOTATIONS = 4,
    EVENT_TYPE = 9,
    EVENT_TRACK = 11,
    EVENT_CATEGORIES = 22,
    EVENT_NAME = 23,
    EVENT_COUNTER_VALUE = 30,
    EVENT_FLOWS = 47,
    EVENT_TERMINATING_FLOWS = 48,
    EVENT_CALLSTACK = 55,
    CALLSTACK_FRAMES = 1,
    FRAME_FUNCTION = 1,
    ANNOTATION_BOOL = 2,
    ANNOTATION_INT = 4,
    ANNOTATION_STRING = 6,
    ANNOTATION_NAME = 10,

    SEQUENCE = 1
};

static void put_text(struct perfetto *perfetto, uint32_t field, const char *raw)
{
    struct buf text = buf_new(TEXT_BYTES_MAX);
    if (escape_text(&text, raw, perfetto->ascii)) buf_text(&text, "…"); /* too long: what fits */
    protobuf_string(perfetto->out, field, buf_string(&text));
    buf_free(&text);
}

static size_t begin_packet(struct perfetto *perfetto)
{
    size_t packet = protobuf_begin(perfetto->out, TRACE_PACKET);
    protobuf_uint(perfetto->out, PACKET_SEQUENCE, SEQUENCE);
    return packet;
}

/* The format has no time before 1970. */
static uint64_t moment(int64_t t_ns)
{
    return t_ns < 0 ? 0 : (uint64_t)t_ns;
}

void perfetto_clock(struct perfetto *perfetto, int64_t t_ns)
{
    size_t packet = begin_packet(perfetto), snapshot = protobuf_begin(perfetto->out, PACKET_CLOCK_SNAPSHOT);
    size_t clock = protobuf_begin(perfetto->out, SNAPSHOT_CLOCKS);
    protobuf_uint(perfetto->out, CLOCK_ID, CLOCK_OF_REALTIME);
    protobuf_uint(perfetto->out, CLOCK_TIMESTAMP, moment(t_ns));
    protobuf_end(perfetto->out, clock);
    protobuf_uint(perfetto->out, SNAPSHOT_PRIMARY, CLOCK_OF_REALTIME);
    protobuf_end(perfetto->out, snapshot);
    protobuf_end(perfetto->out, packet);
}

/* ---- tracks ---- */

struct track {
    size_t packet, descriptor;
};

static struct track begin_track(struct perfetto *perfetto, uint64_t uuid, uint64_t parent, const char *name)
{
    struct track track = {.packet = begin_packet(perfetto)};
    track.descriptor = protobuf_begin(perfetto->out, PACKET_TRACK_DESCRIPTOR);
    protobuf_uint(perfetto->out, TRACK_UUID, uuid);
    if (parent) protobuf_uint(perfetto->out, TRACK_PARENT, parent);
    if (name) put_text(perfetto, TRACK_NAME, name);
    return track;
}

static void end_track(struct perfetto *perfetto, struct track track)
{
    protobuf_end(perfetto->out, track.descriptor);
    protobuf_end(perfetto->out, track.packet);
}

void perfetto_group(struct perfetto *perfetto, uint64_t uuid, uint64_t parent, int rank, const char *name)
{
    struct track track = begin_track(perfetto, uuid, parent, name);
    protobuf_uint(perfetto->out, TRACK_CHILD_ORDERING, ORDERING_EXPLICIT);
    protobuf_int(perfetto->out, TRACK_RANK, rank);
    end_track(perfetto, track);
}

void perfetto_counter(struct perfetto *perfetto, uint64_t uuid, uint64_t parent, int rank, const char *name)
{
    struct track track = begin_track(perfetto, uuid, parent, name);
    size_t counter = protobuf_begin(perfetto->out, TRACK_COUNTER);
    protobuf_uint(perfetto->out, COUNTER_UNIT, UNIT_BYTES);
    protobuf_end(perfetto->out, counter);
    protobuf_int(perfetto->out, TRACK_RANK, rank);
    end_track(perfetto, track);
}

void perfetto_process(struct perfetto *perfetto, uint64_t uuid, int32_t pid, const char *name)
{
    struct track track = begin_track(perfetto, uuid, 0, NULL);
    size_t process = protobuf_begin(perfetto->out, TRACK_PROCESS);
    protobuf_int(perfetto->out, PROCESS_PID, pid);
    if (name) put_text(perfetto, PROCESS_NAME, name);
    protobuf_end(perfetto->out, process);
    end_track(perfetto, track);
}

void perfetto_thread(struct perfetto *perfetto, uint64_t uuid, uint64_t process, int32_t pid, int32_t tid, const char *name)
{
    struct track track = begin_track(perfetto, uuid, process, NULL);
    size_t thread = protobuf_begin(perfetto->out, TRACK_THREAD);
    protobuf_int(perfetto->out, THREAD_PID, pid);
    protobuf_int(perfetto->out, THREAD_TID, tid);
    if (name) put_text(perfetto, THREAD_NAME, name);
    protobuf_end(perfetto->out, thread);
    end_track(perfetto, track);
}

/* ---- events ---- */

void perfetto_event(struct perfetto *perfetto, enum perfetto_type type, uint64_t track, int64_t t_ns, const char *name)
{
    perfetto->packet = begin_packet(perfetto);
    protobuf_uint(perfetto->out, PACKET_TIMESTAMP, moment(t_ns));
    protobuf_uint(perfetto->out, PACKET_CLOCK, CLOCK_OF_REALTIME);
    perfetto->event = protobuf_begin(perfetto->out, PACKET_TRACK_EVENT);
    protobuf_uint(perfetto->out, EVENT_TYPE, type);
    protobuf_uint(perfetto->out, EVENT_TRACK, track);
    if (name) put_text(perfetto, EVENT_NAME, name);
}

void perfetto_event_end(struct perfetto *perfetto)
{
    protobuf_end(perfetto->out, perfetto->event);
    protobuf_end(perfetto->out, perfetto->packet);
}

void perfetto_category(struct perfetto *perfetto, const char *name)
{
    protobuf_string(perfetto->out, EVENT_CATEGORIES, name);
}

static size_t begin_annotation(struct perfetto *perfetto, const char *key)
{
    size_t annotation = protobuf_begin(perfetto->out, EVENT_ANNOTATIONS);
    protobuf_string(perfetto->out, ANNOTATION_NAME, key);
    return annotation;
}

void perfetto_text(struct perfetto *perfetto, const char *key, const char *value)
{
    size_t annotation = begin_annotation(perfetto, key);
    put_text(perfetto, ANNOTATION_STRING, value);
    protobuf_end(perfetto->out, annotation);
}

void perfetto_number(struct perfetto *perfetto, const char *key, int64_t value)
{
    size_t annotation = begin_annotation(perfetto, key);
    protobuf_int(perfetto->out, ANNOTATION_INT, value);
    protobuf_end(perfetto->out, annotation);
}

void perfetto_yes(struct perfetto *perfetto, const char *key)
{
    size_t annotation = begin_annotation(perfetto, key);
    protobuf_uint(perfetto->out, ANNOTATION_BOOL, 1);
    protobuf_end(perfetto->out, annotation);
}

void perfetto_value(struct perfetto *perfetto, int64_t value)
{
    protobuf_int(perfetto->out, EVENT_COUNTER_VALUE, value);
}

void perfetto_flow_from(struct perfetto *perfetto, uint64_t flow)
{
    protobuf_fixed64(perfetto->out, EVENT_FLOWS, flow);
}

void perfetto_flow_to(struct perfetto *perfetto, uint64_t flow)
{
    protobuf_fixed64(perfetto->out, EVENT_TERMINATING_FLOWS, flow);
}

void perfetto_chain(struct perfetto *perfetto, const char *const *chain, size_t count)
{
    if (!chain || !count) return;
    size_t stack = protobuf_begin(perfetto->out, EVENT_CALLSTACK);
    for (size_t i = count; i-- > 0;) { /* outermost first */
        size_t frame = protobuf_begin(perfetto->out, CALLSTACK_FRAMES);
        put_text(perfetto, FRAME_FUNCTION, chain[i]);
        protobuf_end(perfetto->out, frame);
    }
    protobuf_end(perfetto->out, stack);
}

void perfetto_slice_end(struct perfetto *perfetto, uint64_t track, int64_t t_ns)
{
    perfetto_event(perfetto, PERFETTO_END, track, t_ns, NULL);
    perfetto_event_end(perfetto);
}
