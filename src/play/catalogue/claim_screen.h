/* A claim on one screen: what is said, the verdict of this run, the ladder with the rows that prove it, and why. Pure: stories in,
 * text out. */
#ifndef TCPWHY_PLAY_CATALOGUE_CLAIM_SCREEN_H
#define TCPWHY_PLAY_CATALOGUE_CLAIM_SCREEN_H

#include "base/buf.h"
#include "base/err.h"
#include "play/catalogue/claim_book.h"
#include "play/judge/judge.h"
#include "viz/view.h"

/* Ordered: one of several expectations that was not met outweighs all others. */
enum claim_result {
    CLAIM_SHOWN,
    CLAIM_UNTOLD, /* this recorder's evidence is too weak for one of its expectations */
    CLAIM_NOT_SHOWN
};

/* What the run shows of it: its verdict holds if each of its expectations was met, and the scenario was played as it stands (no
 * step failed that nothing expects, each rule of the wire acted). */
enum claim_result claim_judge(const struct claim_entry *entry, const struct judgement *judgement);
/* The sentences of what was not met, or can't be told, a line each; "" where it is shown. 0 or -ENOMEM. */
int claim_say_missing(const struct claim_entry *entry, const struct judgement *judgement, struct buf *out);

/* Appends it, `rows` lines at most where that can be done; options' width, colours and character set count. 0 or -errno with a
 * sentence. */
int claim_screen(const struct claim_entry *entry, const struct play_stories *stories, const struct judgement *judgement,
                 const struct view_options *options, size_t rows, struct buf *out, struct err *err);

#endif
