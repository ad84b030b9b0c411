/* What the parts of the output share; nobody else includes it. */
#ifndef TCPWHY_OUT_OUTPUT_OWN_H
#define TCPWHY_OUT_OUTPUT_OWN_H

#include <sys/utsname.h>

#include "base/arena.h"
#include "base/buf.h"
#include "out/otlp_sender.h"
#include "out/output.h"
#include "out/place.h"
#include "saved/saved.h"
#include "story/tell/teller.h"
#include "viz/view.h"

enum { VANTAGES_MAX = 64, CLOCKS_MAX = 8 };

/* A place and what is written there. */
struct target {
    struct place place;
    struct otlp_sender *sender; /* where it goes instead; NULL: to the place */
    const struct view *view;    /* NULL: what was recorded, as event lines, or in the saved file: */
    struct saved *saved;        /* NULL: not that */
    struct view_options options;
    void *state;
    bool begun;
};

struct output {
    struct output_options options;
    struct target *targets;
    size_t count;
    uint64_t stories, written;
    struct arena facts; /* what `run` points to: its events may be forgotten before it ends */
    struct view_run run;
    const char *vantages[VANTAGES_MAX];
    struct story_clock clocks[CLOCKS_MAX];
    void (*look)(void *data, struct story *story);
    void *look_data;
    bool live;             /* somebody may be watching: nothing waits in a buffer */
    struct teller *teller; /* between output_join and output_finish */
    int code;              /* the teller's first failure */
    struct buf line;       /* of an event */
    struct utsname system; /* that recorded it, where that is known; in words: */
    char system_name[256];
};

/* Bytes of that target go there. */
struct sink output_sink(struct target *target);

/* ---- output_recorded.c: targets that hold what was recorded ---- */

/* For a target whose place is to be opened: of what kind it is. 0 or -errno. */
int recorded_open(struct output *output, struct target *target, const char *format, const char *path, struct err *err);
void recorded_begin(struct output *output);
/* A tap of the stream; a failure is the target's alone. */
int recorded_event(void *data, const struct event *event);
void recorded_story(struct output *output, const struct story *story);
void recorded_end(struct output *output);

/* output_run.c: what the log says of the run before its first story. */
void output_look_up_run(struct output *output, const struct event_log *log);

#endif
