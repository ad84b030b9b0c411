/* Every TCP connection of this host, as it happens: a line when it ends, and when it goes wrong.
 *
 * A session whose recorder sees the whole host, the teller with the bounds of a run without end, the board of what is open. All
 * rights are given up once the recorder is open. */
#ifndef TCPWHY_WATCH_WATCH_H
#define TCPWHY_WATCH_WATCH_H

#include "base/err.h"
#include "capture/calls.h"
#include "watch/choose.h"
#include "watch/flight/drawer.h"
#include "watch/lines.h"

enum { WATCH_ON_MAX = 32 };

/* Whatever was sent again and again and never answered: a SYN, data, a FIN, keepalive probes. */
#define WATCH_ON_NO_ANSWER "no-answer"

/* The flight recorder; `seconds` 0: none. */
struct watch_ring {
    int64_t seconds;
    const char *on[WATCH_ON_MAX]; /* ids of findings, names of troubles, WATCH_ON_NO_ANSWER; none: all but notes */
    size_t on_count;
    const char *folder;
    struct drawer_limits limits;
};
#define WATCH_RING_FILES ((uint64_t)100)
#define WATCH_RING_BYTES ((uint64_t)1 << 30)

/* Whether a finding or trouble has that name, or it is WATCH_ON_NO_ANSWER; else *ret_near is one that is spelt alike, or NULL. */
bool watch_knows(const char *name, const char **ret_near);

/* What a screen may ask of the watch: of all that is open, what is to be shown. */
struct watch_open {
    const struct teller *teller;
    struct chooser *chooser;
    const struct cgroups *cgroups;
    int64_t (*now)(const void *data); /* as its times have it */
    const void *now_data;
};

/* What shows connections instead of lines: a screen. `data` is its own. */
struct watch_screen {
    /* Once all that takes rights is open; it may open what takes some itself. 0 or -errno with a sentence. */
    int (*open)(void *data, const struct watch_open *open, struct err *err);
    /* Takes what was typed, and draws. False: that was the end. */
    bool (*step)(void *data);
    void (*ended)(void *data, struct story *story); /* the screen's from then on */
    void (*trouble)(void *data, const struct teller_glance *glance, enum watch_trouble trouble, const struct story *story);
    void (*close)(void *data); /* before the totals are written */
};

struct watch_options {
    const struct watch_screen *screen; /* NULL: lines on standard output */
    void *screen_data;
    struct watch_ring ring;
    struct watch_wishes wishes;
    struct lines_options lines;
    uint64_t netns[CALLS_NETNS_MAX]; /* networks to look at, by their inodes; none: all */
    size_t netns_count;
    const char *prometheus; /* where metrics are fetched from; NULL: nowhere */
    const char *otlp;       /* URL of the collector that is sent traces; NULL: none is */
    uint64_t memory_bytes;  /* for what is open, and as much again for the ring; 0: WATCH_MEMORY */
    int64_t for_ms;         /* end by itself after so long; 0: never */
    bool quiet;
};

#define WATCH_MEMORY ((uint64_t)256 << 20)
enum { WATCH_MEMORY_LEAST = 8 << 20, WATCH_CONNECTION_BYTES = 16384 /* an open one: some 8 KiB as measured, and as much again */ };

/* Until a signal, the reader's end, or its time. 0; -EACCES with what is missing; or what failed. */
int watch_run(const struct watch_options *options, struct err *err);

#endif
