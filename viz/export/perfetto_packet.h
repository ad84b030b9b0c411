/* Perfetto's trace format, as far as the view needs it: tracks, slices, instants, counters, flows, annotations, call chains.
 *
 * Field numbers and their meaning: protos/perfetto/trace of Perfetto (trace_packet, track_event, track_descriptor,
 * clock_snapshot.proto). All packets are of one sequence and of one clock, CLOCK_REALTIME. Texts may come from outside: they are
 * escaped here. Everything is appended to `out`; a failure is remembered there. */
#ifndef TCPWHY_VIZ_PERFETTO_PACKET_H
#define TCPWHY_VIZ_PERFETTO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct perfetto {
    struct buf *out;
    bool ascii;
    size_t packet, event; /* of the event in the making */
};

/* Which clock the times are of; once, before all else. */
void perfetto_clock(struct perfetto *perfetto, int64_t t_ns);

/* A track. `parent` 0: none. Of several children, those with the lower `rank` stand above. */
void perfetto_group(struct perfetto *perfetto, uint64_t uuid, uint64_t parent, int rank, const char *name);
void perfetto_counter(struct perfetto *perfetto, uint64_t uuid, uint64_t parent, int rank, const char *name);
void perfetto_process(struct perfetto *perfetto, uint64_t uuid, int32_t pid, const char *name);
void perfetto_thread(struct perfetto *perfetto, uint64_t uuid, uint64_t process, int32_t pid, int32_t tid, const char *name);

enum perfetto_type { PERFETTO_BEGIN = 1, PERFETTO_END = 2, PERFETTO_INSTANT = 3, PERFETTO_COUNTER = 4 };

/* An event: begun, given what belongs to it, ended. `name` NULL: none (ends and counters). */
void perfetto_event(struct perfetto *perfetto, enum perfetto_type type, uint64_t track, int64_t t_ns, const char *name);
void perfetto_event_end(struct perfetto *perfetto);
void perfetto_category(struct perfetto *perfetto, const char *name);
void perfetto_text(struct perfetto *perfetto, const char *key, const char *value);
void perfetto_number(struct perfetto *perfetto, const char *key, int64_t value);
void perfetto_yes(struct perfetto *perfetto, const char *key);
void perfetto_value(struct perfetto *perfetto, int64_t value); /* of a counter */
void perfetto_flow_from(struct perfetto *perfetto, uint64_t flow);
void perfetto_flow_to(struct perfetto *perfetto, uint64_t flow);
/* Innermost first, as stories have it. */
void perfetto_chain(struct perfetto *perfetto, const char *const *chain, size_t count);

/* Begun and ended: the end of a slice. */
void perfetto_slice_end(struct perfetto *perfetto, uint64_t track, int64_t t_ns);

#endif
