/* What a watch adds up, to be said at its end and to whoever asks meanwhile. */
#ifndef TCPWHY_WATCH_TOTALS_H
#define TCPWHY_WATCH_TOTALS_H

#include "base/buf.h"
#include "viz/pen/json.h"
#include "watch/facts.h"

/* Durations in classes that grow by an eighth: a percentile is right to that. Flat, 8 classes for each power of two of
 * microseconds. */
enum { SPREAD_STEPS = 8, SPREAD_CLASSES = 52 * SPREAD_STEPS };
struct spread {
    uint64_t count, sum_us;
    int64_t most_ns;
    uint64_t classes[SPREAD_CLASSES];
};
void spread_add(struct spread *spread, int64_t ns);
/* The duration that `percent` of all do not exceed, in ns; -1 of none. */
int64_t spread_percentile(const struct spread *spread, double percent);
/* How many were of `ns` at most. */
uint64_t spread_until(const struct spread *spread, int64_t ns);

enum { TOTALS_SLOWEST = 5, TOTALS_FINDINGS = 128 };
struct totals_slow {
    int64_t ns;
    uint32_t number;
    struct address end[STORY_SIDES];
    char comm[STORY_SIDES][16];
    int32_t pid[STORY_SIDES];
};
struct totals {
    uint64_t connections; /* that ended */
    uint64_t hidden;      /* of them those that are not shown: nothing was found of them (--only-findings) */
    uint64_t given_up;    /* followed no further before they ended */
    uint64_t outcomes[OUTCOMES];
    uint64_t findings[TOTALS_FINDINGS]; /* in the order of story_finding_ids */
    uint64_t repeats[STORY_REPEATS];    /* retransmissions */
    uint64_t bytes[STORY_SIDES];        /* sent by clients, by servers */
    struct spread connect, accept, first_byte, lasted;
    struct totals_slow slowest[TOTALS_SLOWEST]; /* handshakes */
    size_t slow_count;
};
void totals_add(struct totals *totals, const struct watch_facts *facts);
/* Retransmissions that were reported by the kernel alone: their segments were not captured. */
void totals_repeat(struct totals *totals, enum story_repeat repeat, uint32_t count);
/* What a line is about, in the language of now, padded to where its words begin. "": it goes on. */
void totals_label(struct buf *out, const char *label);
/* In words, for a person: several lines. `open`: connections that go on. */
void totals_write(const struct totals *totals, uint64_t open, bool ascii, struct buf *out);
/* The same as members of a JSON object that has begun. */
void totals_put(const struct totals *totals, uint64_t open, struct json *json);

#endif
