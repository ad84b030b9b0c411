/* What the files of the perfetto view share. */
#ifndef TCPWHY_VIZ_PERFETTO_OWN_H
#define TCPWHY_VIZ_PERFETTO_OWN_H

#include "base/table.h"
#include "viz/export/perfetto_flows.h"
#include "viz/export/perfetto_packet.h"
#include "viz/plan/plan.h"

/* Ids of tracks: what it is in the upper bits, which one in the lower. Processes and threads are the same ones in all stories. */
#define PERFETTO_TRACK_PROCESS (UINT64_C(1) << 60)
#define PERFETTO_TRACK_THREAD (UINT64_C(2) << 60)
#define PERFETTO_TRACK_OVERLAP (UINT64_C(3) << 60)
#define PERFETTO_TRACK_STORY (UINT64_C(4) << 60)
#define PERFETTO_TRACK_RUN (UINT64_C(5) << 60)

/* The tracks of a story, those of the server behind those of the client. */
enum perfetto_place {
    PLACE_STORY,
    PLACE_END,
    PLACE_STATES = PLACE_END + 2,
    PLACE_PACKETS = PLACE_STATES + 2,
    PLACE_WINDOW = PLACE_PACKETS + 2,
    PLACE_CALLS = PLACE_WINDOW + 2,
    PLACES = 16
};

/* A call is known by who made it and when. Zeroed before it is filled. */
struct perfetto_call_key {
    int32_t tid, fd;
    int64_t enter_ns, exit_ns;
};

struct perfetto_view {
    struct buf out;
    struct table *calls; /* those told so far: a listener's calls stand in several stories */
    uint64_t stories, flows, overlaps;
    int64_t last_ns;                /* the latest event's */
    struct perfetto_ending *ending; /* TIME_WAITs that end behind their story */
    size_t ending_count, ending_room;
    bool clock_told;
};

struct perfetto_ending {
    uint64_t track;
    int64_t t_ns;
};

struct perfetto_telling {
    struct perfetto_view *view;
    struct perfetto perfetto;
    const struct view_options *options;
    const struct story *story;
    uint64_t tracks; /* of this story: plus enum perfetto_place */
    struct plan plan;
    bool *told;   /* for each step: it has an event */
    bool *is_new; /* for each call of the plan: no other story told it */
    struct flows flows;
};

/* Which of the plan's calls no story before told. 0 or -ENOMEM. */
int perfetto_choose_calls(struct perfetto_telling *telling);
void perfetto_tell_calls(struct perfetto_telling *telling);
/* A call that stands in no story. `why` may be NULL. */
void perfetto_tell_apart(struct perfetto_view *view, struct perfetto *perfetto, const struct story_call *call, const char *why);

/* Flows that lead to this step, and away from it. */
void perfetto_put_flows(struct perfetto_telling *telling, uint32_t step, bool in, bool out);
/* An event's time is remembered: the trace ends with the last. Returns it. */
int64_t perfetto_at(struct perfetto_view *view, int64_t t_ns);
/* The cause: kind, name, evidence, sentence. */
void perfetto_put_cause(struct perfetto *perfetto, const struct story_cause *cause);

#endif
