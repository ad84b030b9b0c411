/* Telling stored events: from the text of a log (or a file) to stories, for tests. */
#ifndef TCPWHY_TESTS_TELL_H
#define TCPWHY_TESTS_TELL_H

#include "event/log.h"
#include "story/story.h"
#include "story/tell/teller.h"
#include "story/track/track.h"

enum { TOLD_MAX = 64 };

struct told {
    struct event_log *log;
    struct teller *teller;
    struct story *stories[TOLD_MAX]; /* in order of their number */
    size_t count;
};

/* Fails the running cmocka test on anything that goes wrong. `rules_off`: cause rules to switch off, a bit each. */
struct told *tell_text(const char *text, uint64_t rules_off);
struct told *tell_file(const char *path, uint64_t rules_off);
void told_free(struct told *told);

/* The n-th (from 1) segment with this label ("SYN", "FIN", …) and sender; fails the test when there is none. */
const struct story_segment *told_segment(const struct story *story, enum story_side side, const char *label, size_t n);
/* The n-th call of this name and side. */
const struct story_call *told_call(const struct story *story, enum story_side side, const char *name, size_t n);
/* Whether an end passes these RFC states in order, separated by spaces. */
void told_states(const struct story *story, enum story_side side, const char *expected);

#endif
