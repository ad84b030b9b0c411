#include "watch/flight/flight.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "saved/saved.h"
#include "story/tell/teller.h"
#include "watch/flight/keep.h"

enum {
    PIECE_BYTES = 1 << 20,
    HOLD_BYTES = 32 << 20,
    LESS_URGENT = 5 /* a saturated host gives it a third of a turn: of less, a trace would take for ever */
};

struct flight {
    struct flight_options options;
    struct keep *keep;
    struct flight_counts counts;
    pid_t writer; /* 0: nobody writes */
    int end_fd;   /* with that: what it says at its end, an errno */
};

struct flight *flight_new(const struct flight_options *options)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    if (!flight) return NULL;
    *flight = (struct flight){.options = *options, .end_fd = -1, .keep = keep_new(options->keep_ns, options->bytes)};
    if (flight->keep) return flight;
    free(flight);
    return NULL;
}

void flight_take(struct flight *flight, const struct event *event)
{
    keep_take(flight->keep, event);
}

/* ---- the process that writes ---- */

struct writer {
    int fd;
    struct buf piece;
    struct saved *saved;
    struct teller *teller;
};

static int write_piece(struct writer *writer)
{
    for (size_t at = 0; at < writer->piece.length;) {
        ssize_t wrote = write(writer->fd, writer->piece.data + at, writer->piece.length - at);
        if (wrote < 0 && errno != EINTR) return -errno;
        if (wrote > 0) at += (size_t)wrote;
    }
    buf_clear(&writer->piece);
    return 0;
}

static int take_bytes(void *data, const char *bytes, size_t length)
{
    struct writer *writer = data;
    if (buf_append(&writer->piece, bytes, length)) return -ENOMEM;
    return writer->piece.length < PIECE_BYTES ? 0 : write_piece(writer);
}

static int take_story(void *data, struct story *story)
{
    struct writer *writer = data;
    int code = saved_story(writer->saved, story);
    story_free(story);
    return code;
}

static int take_event(void *data, const struct event *event)
{
    struct writer *writer = data;
    int code = saved_event(writer->saved, event);
    return code ? code : teller_feed(writer->teller, event);
}

/* Sentences come with stories, so what is kept is told while it is written. */
static int write_trace(const struct flight *flight, int fd)
{
    char name[256] = "";
    struct utsname system;
    struct writer writer = {.fd = fd, .piece = buf_new((size_t)PIECE_BYTES * 64)};
    const struct sink sink = {take_bytes, &writer};
    struct saved_options options = {.hold_bytes_most = HOLD_BYTES};
    if (uname(&system) == 0) {
        snprintf(name, sizeof(name), "%.100s %.100s", system.sysname, system.release);
        options.system = name;
        options.hardware = system.machine;
    }
    writer.saved = saved_new(&options, &sink);
    writer.teller = teller_new(take_story, &writer);
    if (!writer.saved || !writer.teller) return -ENOMEM;
    teller_set_bounds(writer.teller, &flight->options.bounds);
    int code = keep_each(flight->keep, take_event, &writer);
    if (!code) code = teller_finish(writer.teller);
    if (!code) code = saved_finish(writer.saved);
    return code ? code : write_piece(&writer);
}

/* It ends with the watch, and not by ^C, which means the watch. What it holds goes with it. */
static void be_writer(const struct flight *flight, int fd, int end_fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    (void)setpriority(PRIO_PROCESS, 0, LESS_URGENT); /* watching goes before */
    int code = write_trace(flight, fd);
    _exit(write(end_fd, &code, sizeof(code)) != (ssize_t)sizeof(code));
}

/* ---- traces ---- */

static void fail(struct flight *flight, int code)
{
    flight->counts.failed++;
    flight->counts.code = code;
}

static int begin_writer(struct flight *flight, int fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return -errno;
    pid_t parent = getpid(), writer = fork();
    if (writer == 0) be_writer(flight, fd, ends[1], parent);
    int code = writer < 0 ? -errno : 0;
    close(ends[1]);
    if (code) {
        close(ends[0]);
        return code;
    }
    flight->writer = writer;
    flight->end_fd = ends[0];
    return 0;
}

void flight_trigger(struct flight *flight, const char *id, uint32_t connection, int64_t now_ns)
{
    char name[DRAWER_NAME_BYTES], clock[32] = "";
    time_t seconds = (time_t)(now_ns / 1000000000);
    struct tm parts;
    if (flight->writer) {
        flight->counts.skipped++;
        return;
    }
    if (localtime_r(&seconds, &parts)) strftime(clock, sizeof(clock), "%Y%m%d-%H%M%S", &parts);
    snprintf(name, sizeof(name), "%s.%03d-%.56s-%" PRIu32 ".pcapng", clock, (int)(now_ns / 1000000 % 1000), id, connection);
    int fd = drawer_begin(flight->options.drawer, name);
    if (fd < 0) {
        fail(flight, fd);
        return;
    }
    int code = begin_writer(flight, fd);
    close(fd);
    if (!code) return;
    drawer_drop(flight->options.drawer);
    fail(flight, code);
}

/* What the writer said; a writer that ended without a word was killed, or had no memory. */
static int result_of(struct flight *flight)
{
    int code;
    ssize_t got = read(flight->end_fd, &code, sizeof(code));
    close(flight->end_fd);
    while (waitpid(flight->writer, NULL, 0) < 0 && errno == EINTR) {
    }
    flight->writer = 0;
    flight->end_fd = -1;
    return got == (ssize_t)sizeof(code) ? code : -ECHILD;
}

bool flight_write(struct flight *flight, int patience_ms)
{
    struct pollfd end = {.fd = flight->end_fd, .events = POLLIN};
    uint64_t removed = 0;
    if (!flight->writer) return false;
    if (poll(&end, 1, patience_ms) <= 0) return true;
    int code = result_of(flight);
    if (code)
        drawer_drop(flight->options.drawer);
    else
        code = drawer_end(flight->options.drawer, &removed);
    flight->counts.removed += removed;
    if (code)
        fail(flight, code);
    else
        flight->counts.written++;
    return false;
}

struct flight_counts flight_counts(const struct flight *flight)
{
    struct flight_counts counts = flight->counts;
    counts.holds_ns = keep_holds_ns(flight->keep);
    counts.early = keep_early(flight->keep);
    return counts;
}

void flight_free(struct flight *flight)
{
    if (!flight) return;
    if (flight->writer) {
        kill(flight->writer, SIGKILL);
        (void)result_of(flight);
        drawer_drop(flight->options.drawer);
    }
    keep_free(flight->keep);
    free(flight);
}
