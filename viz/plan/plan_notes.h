/* Internal to viz/plan: what the words of a row and its notes share. */
#ifndef TCPWHY_VIZ_PLAN_PLAN_NOTES_H
#define TCPWHY_VIZ_PLAN_PLAN_NOTES_H

#include "base/lang.h"
#include "viz/plan/plan_own.h"
#include "viz/plan/words.h"

struct telling_row {
    const struct plan *plan;
    const struct story *story;
    const struct plan_row *row;
    struct arena *arena;
    struct plan_words *words;
    int verbose;
    bool brief;
};

/* A note that begins; NULL: it has as many as a reader takes. */
struct plan_note *plan_note(struct telling_row *t, enum plan_note_kind kind, enum story_side side);
/* What somebody wrote beside it in the capture file. */
void plan_note_comments(struct telling_row *t, enum story_side side, const char *const *comments, size_t count);
/* Always where TCP never had it, so that nothing answers; else (a duplicate, a late ACK) it is detail. */
void plan_note_drop(struct telling_row *t, enum story_side side, const struct story_drop *drop);
void plan_note_queue(struct telling_row *t, enum story_side side, const struct story_queue *queue);

#endif
