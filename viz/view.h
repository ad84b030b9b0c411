/* Views: const stories in, bytes out. One file a view, one table of views.
 *
 * A view knows nothing of events, sources or files. It is begun, given each story, and ended; all bytes go to a sink. It
 * escapes everything that came from outside. It keeps no story: memory does not follow how many there are. */
#ifndef TCPWHY_VIZ_VIEW_H
#define TCPWHY_VIZ_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "story/story.h"

/* Where bytes go. write returns 0 or -errno; a view stops at the first failure and returns it (-EPIPE: a closed pipe). */
struct sink {
    int (*write)(void *data, const char *bytes, size_t length);
    void *data;
};

/* What is known of a run before its first story; what is not yet known is NULL or 0. Borrowed until end returns. */
struct view_run {
    const char *recorder; /* "bpf", "ptrace", "none" */
    const char *reason;   /* why this one */
    const char *const *vantages;
    size_t vantage_count; /* from 2 on a segment that was not seen to arrive is shown as lost */
    int64_t started_ns;
    const struct story_clock *clocks; /* of merged captures */
    size_t clock_count;
    const char *title, *question; /* of what was played; raw */
};

/* Which part of each story is shown. */
enum view_part { VIEW_WHOLE, VIEW_HANDSHAKE, VIEW_GOODBYE };

/* Fields that a ladder of text can leave blank, for a reader who is to find them out (src/quiz). */
enum view_field {
    VIEW_FIELD_CAUSE = 1,
    VIEW_FIELD_STATE = 2,
    VIEW_FIELD_FLAGS = 4, /* with the name that they give the segment */
    VIEW_FIELD_SEQ = 8,
    VIEW_FIELD_ACK = 16,
    VIEW_FIELD_RESULT = 32, /* of a call, and what ended its waiting */
    VIEW_FIELD_WAKE = 64    /* the latter alone */
};
#define VIEW_BLANK "____"

struct view_blank {
    uint32_t step;
    unsigned fields; /* enum view_field */
};

/* What of RFC 9293's figure is left out, to be filled in by hand; bits. */
enum view_figure_blank { VIEW_BLANK_NAMES = 1, VIEW_BLANK_LABELS = 2 };

/* The rows of a list of stories. */
enum view_order {
    VIEW_BY_FINDING, /* the worst first */
    VIEW_BY_TOOK,    /* the longest first */
    VIEW_BY_START,
    VIEW_BY_BYTES, /* the most first, of both ends together */
    VIEW_ORDERS
};

struct view_options {
    int width;             /* columns for text, at least 60; 0: 80; text uses up to 140 */
    int screen;            /* of the terminal that shows it; 0: it goes elsewhere */
    bool color;            /* ANSI colours */
    bool ascii;            /* no byte above 0x7e */
    bool absolute;         /* ladders show sequence numbers as they are on the wire, ISNs and all */
    bool brief;            /* the handshake and the goodbye, in few words: a slide */
    const uint32_t *marks; /* steps whose rows are pointed at (◀), and kept in brief; of whatever story is drawn */
    size_t mark_count;
    size_t shown_rows;          /* a ladder that grows: its first so many rows; 0: all */
    size_t brief_rows;          /* of a brief ladder, at most and at least 4; 0: as many as a slide of text takes */
    enum view_part part;        /* a view without a ladder shows the whole */
    int verbose;                /* 0; 1: causes of all segments and states, kernel transitions; 2: whole call chains */
    const struct view_run *run; /* NULL: nothing is known yet */
    bool bare;                  /* a ladder of text says what happened and not why: no causes, not what calls waited for */
    uint32_t from_step;         /* a ladder begins with this step; 0: with the first */
    const struct view_blank *blanks;
    size_t blank_count;
    unsigned figure_blanks; /* enum view_figure_blank */
    enum view_order order;  /* of lists */
    bool only_findings;     /* of lists the rows in which something was found alone */
    bool recorded;          /* this process recorded what is told: it says itself that there was nothing */
};

/* Which of these fields of this step are to be drawn as VIEW_BLANK. */
unsigned view_blank_fields(const struct view_options *options, uint32_t step, unsigned fields);

struct view {
    const char *name;    /* --format NAME */
    const char *suffix;  /* -o FILE: ".txt" */
    const char *summary; /* for --help */
    bool binary;         /* its bytes are no text */
    bool machine;        /* for programs: it is English, whatever language sentences are in */
    bool ladder;         /* it draws ladders: options->brief and part mean something to it */
    /* `state` is the view's own memory between begin and end; allocated by begin, freed by end (end is called even after a
     * failure, of begin too). */
    int (*begin)(void **state, const struct sink *sink, const struct view_options *options, struct err *err);
    int (*story)(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                 struct err *err);
    /* The run's common facts are complete only at the end. `trace` is NULL when a failure is being cleaned up. */
    int (*end)(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
               struct err *err);
};

/* All views; *ret_count of them. */
const struct view *const *view_all(size_t *ret_count);
/* NULL: no such name / no view for this file's ending. */
const struct view *view_by_name(const char *name);
const struct view *view_by_path(const char *path);

/* For views: gives `length` bytes to the sink. 0 or its -errno with a sentence (the same for every view). */
int view_write(const struct sink *sink, const char *bytes, size_t length, struct err *err);

/* list_stories.c: a line a story, what was found before them: for runs of more connections than anybody reads ladders of. */
extern const struct view view_list;
extern const struct view view_text, view_jsonl, view_svg, view_tsg, view_page;
extern const struct view view_mermaid, view_perfetto, view_otlp, view_csv, view_lab;

#endif
