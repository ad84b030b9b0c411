/* Where results go: standard output in one format, and any number of files whose endings pick theirs.
 *
 * A file appears only when it is complete: it is written beside its place without a name (or under a temporary one) and takes
 * the place at output_finish, so a run that fails loses nothing that was there before. A reader of standard output that goes
 * away does not harm the files. */
#ifndef TCPWHY_OUT_OUTPUT_H
#define TCPWHY_OUT_OUTPUT_H

#include <stdbool.h>

#include "base/err.h"
#include "event/log.h"
#include "event/stream.h"
#include "story/bounds.h"
#include "story/story.h"
#include "story/tell/teller.h"
#include "viz/view.h"

struct keeper;

enum { OUTPUT_FILES_MAX = 16 };

/* The recorded events themselves: no view, and what `tcpwhy read` reads again. */
#define OUTPUT_EVENTS_NAME "events"
#define OUTPUT_EVENTS_SUFFIX ".events"
/* The saved file (src/saved): packets, calls and all that was recorded, for other tools and for `tcpwhy read`. */
#define OUTPUT_SAVED_NAME "pcapng"
#define OUTPUT_SAVED_SUFFIX ".pcapng"

enum output_color { OUTPUT_COLOR_AUTO, OUTPUT_COLOR_ALWAYS, OUTPUT_COLOR_NEVER };

/* Zero it to begin. */
struct output_options {
    const char *format; /* --format; NULL: text, unless there are files, or a collector */
    const char *files[OUTPUT_FILES_MAX];
    size_t file_count;
    const char *otlp;      /* a collector's URL; NULL: none */
    struct keeper *keeper; /* who opens the files (out/keeper.h); NULL: this process */
    enum output_color color;
    bool ascii, quiet;
    bool no_calls; /* the saved file holds packets alone */
    bool recorded; /* what is told is recorded by this process: on this system */
    int verbose;
    bool brief, absolute;
    size_t brief_rows; /* of a brief ladder, at most; 0: as view_options */
    enum view_part part;
    enum view_order order;
    bool only_findings;                 /* of lists the rows in which something was found alone */
    int stream_fd;                      /* where what has no file goes; 0: standard output */
    const struct view *text;            /* takes the place of the text view; NULL: nothing does */
    const struct teller_bounds *bounds; /* how much is kept of what is over; NULL: as of a stored run */
    uint32_t conn;                      /* of all connections only the story of this one is written; 0: of all */
    const char *title, *question;       /* of what is played; NULL: the stories themselves are asked. Borrowed */
    teller_listener *take;              /* each story is given to it instead, and is its own; no place is written. NULL: nobody */
    void *take_data;
};

/* How to draw for that descriptor: width, colour and character set, from the options and the terminal. `run` is left NULL. */
struct view_options output_view_options(const struct output_options *options, int fd);

/* The columns of the terminal behind that descriptor (40 to 1000); 0: it is none. */
int output_screen_width(int fd);

/* Whether to write ASCII alone: asked for, or the locale knows nothing else. */
bool output_ascii(const struct output_options *options);

/* Whether a name (--format) or, where that is NULL, a path's ending stands for what was recorded: no view. */
bool output_is_recorded(const char *format, const char *path);

struct output;

/* Checks names and endings and opens everything, so that a wrong path is known before anything runs. 0; -EINVAL for an unknown
 * format or ending (a usage error, with what there is); else -errno. Release with output_close. */
int output_open(struct output **ret_output, const struct output_options *options, struct err *err);
/* Before output_join: where nobody asked for a form, of many connections what was found and a line each (view_overview). */
void output_overview(struct output *output);
/* Before output_join. Each story is shown to `look` before it is told, which may give it another number. */
void output_look(struct output *output, void (*look)(void *data, struct story *story), void *data);
/* Begins all places and takes from the stream: a story is written when it is over, an event when it comes. What is known of the run
 * before its first story (view_run) is what the stream's log holds now. Once only. 0 or -ENOMEM. While a reader of standard output
 * does not read, the stream stands still. */
int output_join(struct output *output, struct stream *stream, struct err *err);
/* After the stream's end: tells what is still open and finishes all places. 0, or the first failure (after everything else was
 * written); -EPIPE: the only failure is that the reader of standard output has gone. */
int output_finish(struct output *output, struct err *err);
/* Both for a log that is complete. Sorts it. */
int output_tell(struct output *output, struct event_log *log, struct err *err);
/* How many stories were told so far, of connections that are not written too. */
uint64_t output_stories(const struct output *output);
/* Closes; what was not finished leaves no file. NULL is fine. */
void output_close(struct output *output);

#endif
