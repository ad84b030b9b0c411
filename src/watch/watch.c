#include "watch/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "out/note.h"
#include "record/giveway.h"
#include "record/listeners.h"
#include "record/session.h"
#include "rights/rights.h"
#include "watch/board.h"
#include "watch/cgroups.h"
#include "watch/closing.h"
#include "watch/course.h"
#include "watch/endpoint.h"
#include "watch/flight/flight.h"
#include "watch/metrics.h"
#include "watch/on.h"
#include "watch/printer.h"
#include "watch/resends.h"
#include "watch/spans.h"
#include "watch/totals.h"
#include "watch/wall.h"

enum {
    STEP_MS = 20,       /* between two looks into the ring */
    LOOK_MS = 250,      /* between two looks at the board */
    LATE_MS = 100,      /* a step at most, where it gives way */
    PATIENCE_MS = 5000, /* with a reader of the last lines */
    TRACE_MS = 60000    /* with the last trace */
};
static const int64_t LATE_NS = 50000000;
static const size_t totals_limit = (size_t)1 << 20;

struct watch {
    const struct watch_options *options;
    struct session *session;
    struct teller *teller;
    struct board *board;
    struct chooser *chooser;
    struct printer printer;
    struct drawer *drawer;
    struct flight *flight;     /* NULL: none was asked for */
    struct endpoint *endpoint; /* the same */
    struct spans *spans;       /* the same */
    struct course *course;     /* the same */
    struct resends *resends;
    struct totals totals;
    bool ending;        /* what is told now is still open */
    uint64_t left_open; /* told as it stood at the end */
    struct wall wall;
    struct cgroups *cgroups;
    int64_t look_ms;
    uint64_t missed;    /* events, so far */
    int64_t reached_ns; /* up to here the teller was given what happened: behind the clock where there is more than can be read */
    int64_t lost_from_ns, lost_to_ns; /* when some were lost: from the first time to the last; 0: never */
    uint64_t touched;                 /* connections that were open then */
    int code;                         /* the teller's failure */
};

/* ---- the flight recorder ---- */

/* One trace a connection, by all their names. */
static void trigger_story(struct watch *watch, const struct story *story)
{
    char names[ON_NAMES_BYTES];
    if (watch->flight && on_names(&watch->options->ring, story, names))
        flight_trigger(watch->flight, names, story->number, clock_wall_ns());
}

/* ---- what was lost ---- */

static void look_for_losses(struct watch *watch, int64_t before_ns)
{
    uint64_t missed = session_missed(watch->session);
    if (missed == watch->missed) return;
    watch->missed = missed;
    if (!watch->lost_from_ns) watch->lost_from_ns = before_ns;
    watch->lost_to_ns = session_now_ns(watch->session);
}

/* Between the first loss and the last everything that was open may lack something. */
static bool is_touched(const struct watch *watch, const struct watch_facts *facts)
{
    return watch->lost_from_ns && facts->story->start_ns <= watch->lost_to_ns && facts->end_ns >= watch->lost_from_ns;
}

/* ---- what comes ---- */

/* A connection that has ended, and is one of those that are chosen. True: the story is the screen's now. */
static bool take_ended(struct watch *watch, struct story *story, const uint32_t resent[STORY_REPEATS], int64_t told_ns)
{
    struct watch_facts facts;
    facts_of(story, &facts);
    facts.told_ns = told_ns;
    facts.touched = is_touched(watch, &facts);
    for (int i = 0; i < STORY_REPEATS; i++) facts.resent += resent[i];
    for (int side = 0; side < STORY_SIDES; side++) facts.cgroup[side] = cgroups_path(watch->cgroups, story->end[side].process.pid);
    watch->touched += facts.touched;
    totals_add(&watch->totals, &facts);
    trigger_story(watch, story);
    if (!chooser_shows(watch->chooser, story)) {
        watch->totals.hidden++;
        return false;
    }
    if (watch->spans) spans_take(watch->spans, story);
    if (watch->options->screen) {
        watch->options->screen->ended(watch->options->screen_data, story);
        return true;
    }
    printer_ended(&watch->printer, &facts);
    return false;
}

static int take_story(void *data, struct story *story)
{
    struct watch *watch = data;
    uint32_t resent[STORY_REPEATS] = {0}; /* data */
    bool open = facts_are_open(story), kept = false;
    int64_t told_ns = watch->course ? course_end(watch->course, story->number) : INT64_MIN;
    if (!story->udp) resends_add(watch->resends, story, resent);
    if (!story->udp && !story->sequel && chooser_wants(watch->chooser, story)) {
        /* Else they were counted as they came. */
        for (int i = 0; i < STORY_REPEATS && !chooser_by_ends(watch->chooser); i++)
            totals_repeat(&watch->totals, (enum story_repeat)i, resent[i]);
        if (open && watch->ending)
            watch->left_open++;
        else if (open)
            watch->totals.given_up++; /* too many were open, or nothing came of it for two hours */
        else
            kept = take_ended(watch, story, resent, told_ns);
    }
    if (!kept) story_free(story);
    return 0;
}

static int64_t take_course(void *data, const struct story *story, int64_t told_ns)
{
    return printer_course(&((struct watch *)data)->printer, story, told_ns);
}

static void take_trouble(void *data, const struct teller_glance *glance, enum watch_trouble trouble, enum story_side side,
                         int64_t since_ns)
{
    struct watch *watch = data;
    int64_t now_ns = session_now_ns(watch->session);
    struct story *story = NULL;
    (void)teller_story_of(watch->teller, glance->number, now_ns, &story); /* out of memory: the line stands without its findings */
    struct lines_trouble what = {
        .glance = glance, .trouble = trouble, .side = side, .since_ns = since_ns, .now_ns = now_ns, .story = story};
    for (int i = 0; i < STORY_SIDES; i++) what.cgroup[i] = cgroups_path(watch->cgroups, glance->process[i].pid);
    if (watch->options->screen)
        watch->options->screen->trouble(watch->options->screen_data, glance, trouble, story);
    else
        printer_trouble(&watch->printer, &what);
    const char *name = lines_trouble_name(trouble);
    if (watch->flight && on_is_asked_for(&watch->options->ring, name, false))
        flight_trigger(watch->flight, name, glance->number, clock_wall_ns());
    story_free(story);
}

/* Counted at once where it is known to be of what is chosen, else when its connection is told. */
static void take_resend(struct watch *watch, const struct event *event)
{
    const struct event_resend *resend = &event->resend;
    const struct address end[STORY_SIDES] = {resend->socket.local, resend->socket.remote};
    const struct story_process nobody[STORY_SIDES] = {{0, NULL}, {0, NULL}};
    enum story_repeat repeat;
    uint32_t count = resends_of(resend, &repeat);
    resends_keep(watch->resends, event);
    if (chooser_by_ends(watch->chooser) && chooser_wants_ends(watch->chooser, end, nobody))
        totals_repeat(&watch->totals, repeat, count);
}

static int take_event(void *data, const struct event *event)
{
    struct watch *watch = data;
    if (watch->flight) flight_take(watch->flight, event);
    chooser_take(watch->chooser, event);
    if (event->kind == EVENT_RESEND) take_resend(watch, event);
    if (event->t_ns > watch->reached_ns) watch->reached_ns = event->t_ns;
    return watch->code = teller_feed(watch->teller, event);
}

/* Before they are in order: a cgroup may be gone soon. */
static int take_arrival(void *data, const struct event *event)
{
    cgroups_take(((struct watch *)data)->cgroups, event);
    return 0;
}

static int take_time(void *data, int64_t until_ns)
{
    struct watch *watch = data;
    if (until_ns > watch->reached_ns) watch->reached_ns = until_ns;
    return watch->code = teller_pass(watch->teller, until_ns);
}

static size_t memory_of(const struct watch_options *options)
{
    return options->memory_bytes ? options->memory_bytes : WATCH_MEMORY;
}

static struct teller_bounds bounds_of(const struct watch_options *options)
{
    struct teller_bounds bounds = teller_live;
    bounds.open_max = memory_of(options) / WATCH_CONNECTION_BYTES;
    if (bounds.closed_max > bounds.open_max) bounds.closed_max = bounds.open_max;
    bounds.quiet_ns = 200000000;
    return bounds;
}

static void write_metrics(void *data, struct buf *out)
{
    const struct watch *watch = data;
    const struct metrics_now now = {board_open(watch->board), board_troubled(watch->board), watch->printer.outlet.lost,
                                    watch->missed, watch->touched};
    metrics_write(&watch->totals, &now, out);
}

static int64_t now_of(const void *data)
{
    return session_now_ns(data);
}

static int open_all(struct watch *watch, struct err *err)
{
    struct session_options session = {
        .recorder = "bpf",
        .calls = {.host_wide = true, .ring_bytes = 64 << 20, .realtime_offset_ns = clock_wall_ns() - clock_steady_ns()},
        .forgets = true,
        .late_ns = LATE_NS,
    };
    struct port_set ports;
    const struct watch_ring *ring = &watch->options->ring;
    memcpy(session.calls.netns, watch->options->netns, sizeof(session.calls.netns));
    session.calls.netns_count = watch->options->netns_count;
    /* The ring keeps the last seconds of everything, whatever is shown. */
    session.calls.only_ports = !ring->seconds && choose_ports(&watch->options->wishes, &ports) ? &ports : NULL;
    watch->cgroups = cgroups_new(NULL);
    if (!watch->cgroups) return err_set_errno(err, -ENOMEM, "can't watch");
    int code = chooser_new(&watch->chooser, &watch->options->wishes, watch->cgroups, err);
    if (!code && ring->seconds) code = drawer_open(&watch->drawer, ring->folder, &ring->limits, err);
    if (!code && watch->options->otlp) code = spans_open(&watch->spans, watch->options->otlp, err);
    if (!code) code = session_open(&watch->session, &session, err);
    if (!code) code = listeners_tell(watch->session, session.calls.netns, session.calls.netns_count, NULL, err);
    if (!code && watch->options->prometheus)
        code = endpoint_open(&watch->endpoint, watch->options->prometheus, write_metrics, watch, err);
    if (code) return code;
    watch->teller = teller_new(take_story, watch);
    watch->board = board_new(&board_usual, watch->chooser, take_trouble, watch);
    const struct teller_bounds bounds = bounds_of(watch->options);
    const struct flight_options flight = {ring->seconds * 1000000000, memory_of(watch->options), watch->drawer, bounds};
    if (ring->seconds) watch->flight = flight_new(&flight);
    bool live = watch->options->lines.course && !watch->options->screen && !watch->options->wishes.only_findings;
    if (live) watch->course = course_new(take_course, watch);
    watch->resends = resends_new();
    if (!watch->resends || (live && !watch->course) || !watch->teller || !watch->board || (ring->seconds && !watch->flight))
        return err_set_errno(err, -ENOMEM, "can't watch");
    teller_set_bounds(watch->teller, &bounds);
    struct stream *stream = session_stream(watch->session);
    code = stream_tap(stream, 0, take_event, watch);
    if (!code) code = stream_tap_arrivals(stream, take_arrival, watch);
    if (code) return err_set_errno(err, code, "can't watch");
    stream_tell_time(stream, watch, take_time);
    const struct watch_open shown = {watch->teller, watch->chooser, watch->cgroups, now_of, watch->session};
    if (watch->options->screen) code = watch->options->screen->open(watch->options->screen_data, &shown, err);
    if (code) return code;
    (void)giveway_permit(); /* what waits too long in the kernel's ring is lost */
    /* Who is in which cgroup, and what time it is here, it still asks. */
    const char *const readable[] = {"/proc", cgroups_root(watch->cgroups), "/etc/localtime", "/usr/share/zoneinfo", NULL};
    code = rights_drop(RIGHTS_NONE, err);
    if (!code) code = rights_close_files(readable, err);
    return code ? code : rights_confine(false, err);
}

static void look_at_clock(struct watch *watch)
{
    const struct wall_clocks now = {clock_wall_ns(), session_now_ns(watch->session), clock_asleep_ns()};
    char text[WALL_TEXT_BYTES];
    bool stepped = wall_look(&watch->wall, &now, text);
    watch->printer.lines.shift_ns = watch->wall.shift_ns;
    if (stepped) note_say(watch->options->quiet || watch->options->screen, "%s", text);
}

static int run(struct watch *watch, struct err *err)
{
    int64_t until_ms = watch->options->for_ms ? clock_ms() + watch->options->for_ms : INT64_MAX;
    const struct watch_screen *screen = watch->options->screen;
    if (!screen) printer_head(&watch->printer);
    session_give_way(watch->session, LATE_MS);
    while (!session_signal(watch->session, NULL) && clock_ms() < until_ms && !watch->printer.outlet.gone && !watch->code) {
        int64_t before_ns = session_now_ns(watch->session);
        int got = session_step(watch->session, screen ? STDIN_FILENO : -1, STEP_MS, err);
        if (got < 0) return got;
        look_for_losses(watch, before_ns);
        cgroups_look(watch->cgroups);
        if (clock_ms() - watch->look_ms >= LOOK_MS) {
            look_at_clock(watch);
            if (watch->course) course_look(watch->course, watch->teller, watch->chooser, session_now_ns(watch->session));
            board_look(watch->board, watch->teller, session_now_ns(watch->session));
            watch->look_ms = clock_ms();
        }
        if (screen && !screen->step(watch->options->screen_data)) break;
        if (watch->flight) flight_write(watch->flight, 0);
        if (watch->endpoint) endpoint_serve(watch->endpoint);
        if (watch->spans) spans_flush(watch->spans);
        printer_flush(&watch->printer, watch->reached_ns);
        printer_say_if_full(&watch->printer, watch->options->quiet);
    }
    if (watch->code) return err_set_errno(err, watch->code, "can't tell of the connections");
    return 0;
}

static void note_lines(bool quiet, const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) note_say(quiet, "%.*s", (int)(end - text), text);
}

/* The totals, on standard output; for machines what a person should know besides goes to standard error. */
static void close_with_totals(struct watch *watch)
{
    const struct watch_options *options = watch->options;
    struct buf text = buf_new(totals_limit), notes = buf_new(totals_limit);
    struct flight_counts traces;
    struct spans_counts spans;
    struct closing closing = {.totals = &watch->totals,
                              .open = watch->left_open,
                              .trace = teller_trace(watch->teller),
                              .lines_lost = watch->printer.outlet.lost,
                              .touched = watch->touched,
                              .folder = options->ring.folder,
                              .ascii = options->lines.ascii};
    if (watch->flight) traces = flight_counts(watch->flight), closing.traces = &traces;
    if (watch->spans) spans = spans_counts(watch->spans), closing.spans = &spans, closing.url = spans_url(watch->spans);
    if (options->lines.json) {
        closing_write_json(&closing, &text);
        closing_write(&closing, &notes);
    } else {
        buf_char(&text, '\n');
        totals_write(&watch->totals, watch->left_open, options->lines.ascii, &text);
        closing_write(&closing, &text);
    }
    session_give_signals_back(watch->session);
    printer_finish(&watch->printer, &text, PATIENCE_MS);
    note_lines(options->quiet, buf_string(&notes));
    buf_free(&text);
    buf_free(&notes);
}

static int finish(struct watch *watch, struct err *err)
{
    session_hurry(watch->session);
    int code = session_report(watch->session, err);
    if (watch->options->screen) watch->options->screen->close(watch->options->screen_data);
    watch->ending = true;
    if (!code) stream_finish(session_stream(watch->session));
    if (!code && !watch->code) watch->code = teller_finish(watch->teller);
    if (!code && watch->code) code = err_set_errno(err, watch->code, "can't tell of the connections");
    if (watch->flight) flight_write(watch->flight, TRACE_MS);
    printer_flush(&watch->printer, INT64_MAX);
    if (watch->spans) spans_finish(watch->spans, PATIENCE_MS);
    uint64_t lost = watch->printer.outlet.lost; /* the totals say those */
    if (!code) close_with_totals(watch);
    return code ? code : printer_end(&watch->printer, watch->options->quiet, lost, err);
}

int watch_run(const struct watch_options *options, struct err *err)
{
    struct watch watch = {.options = options};
    signal(SIGPIPE, SIG_IGN); /* a reader that goes is an end in order */
    int code = printer_init(&watch.printer, &options->lines, options->lines.course && !options->screen);
    code = code ? err_set_errno(err, code, "can't watch") : open_all(&watch, err);
    if (!code) code = run(&watch, err);
    if (!code) code = finish(&watch, err);
    teller_free(watch.teller);
    board_free(watch.board);
    course_free(watch.course);
    resends_free(watch.resends);
    session_close(watch.session);
    endpoint_close(watch.endpoint);
    spans_close(watch.spans);
    flight_free(watch.flight);
    drawer_free(watch.drawer);
    chooser_free(watch.chooser);
    cgroups_free(watch.cgroups);
    printer_free(&watch.printer);
    return code;
}
