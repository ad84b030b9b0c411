/* Notes under a row: comments of a capture, drops, queues. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "viz/plan/plan_notes.h"
#include "viz/plan/plan_own.h"
#include "viz/plan/words.h"

enum { COMMENT_SHOWN = 400 /* bytes of a comment: the event lines have more */ };

/* What somebody wrote beside it in the capture file. */
void plan_note_comments(struct telling_row *t, enum story_side side, const char *const *comments, size_t count)
{
    for (size_t i = 0; i < count && !t->brief; i++) {
        size_t length = strlen(comments[i]), shown = length;
        if (length > COMMENT_SHOWN)
            for (shown = COMMENT_SHOWN; shown > COMMENT_SHOWN - 4 && (comments[i][shown] & 0xc0) == 0x80;) shown--;
        struct plan_note *at = plan_note(t, NOTE_COMMENT, side);
        if (!at) return;
        phrase_addf(&at->words, STYLE_PLAIN, tr("comment: \"%.*s\""), (int)shown, comments[i]);
        if (shown < length) phrase_add(&at->words, STYLE_DIM, "…");
    }
}

/* Always where TCP never had it, so that nothing answers; else (a duplicate, a late ACK) it is detail. */
void plan_note_drop(struct telling_row *t, enum story_side side, const struct story_drop *drop)
{
    static const char *const by[] = {[STORY_DROPPED_BY_RECEIVER] = TR("the receiver's kernel"),
                                     [STORY_DROPPED_BY_SENDER] = TR("the sender's own kernel"),
                                     [STORY_DROPPED_BETWEEN] = TR("a kernel on its way")};
    if (!drop || (!drop->untaken && t->verbose < 1)) return;
    struct plan_note *at = plan_note(t, NOTE_DROP, side);
    if (!at) return;
    phrase_addf(&at->words, STYLE_PLAIN, tr("dropped by %s: "), tr(by[drop->by]));
    phrase_add(&at->words, STYLE_ALARM, drop->reason[0] ? drop->reason : tr("it gives no reason"));
    if (t->verbose >= 1 && drop->function[0]) phrase_addf(&at->words, STYLE_DIM, tr(" in %s()"), drop->function);
}

void plan_note_queue(struct telling_row *t, enum story_side side, const struct story_queue *queue)
{
    bool is_full = queue && queue->accept_length > queue->accept_most;
    if (!queue || (!is_full && t->verbose < 1)) return;
    struct plan_note *at = plan_note(t, NOTE_QUEUE, side);
    if (at)
        phrase_addf(&at->words, STYLE_PLAIN,
                    is_full ? tr("the listener's accept queue was full: %" PRIu32 " waited for accept(), its backlog is %" PRIu32)
                            : tr("the listener's accept queue had room: %" PRIu32 " waited for accept(), its backlog is %" PRIu32),
                    queue->accept_length, queue->accept_most);
}
