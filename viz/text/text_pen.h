/* Lines of the text view on their way out: words gather in `text`, and go out wrapped. */
#ifndef TCPWHY_VIZ_TEXT_PEN_H
#define TCPWHY_VIZ_TEXT_PEN_H

#include "viz/pen/layout.h"
#include "viz/view.h"

struct pen {
    struct layout_text text;
    struct buf *out;
    int width;
    bool color;
};

struct pen pen_new(const struct view_options *options, int width, struct buf *out);
/* 0, or -ENOMEM for all that went before. */
int pen_end(struct pen *pen);
void pen_blank_line(struct pen *pen);
/* What has gathered, with `key` before its first line and the others indented by `indent`. */
void pen_flush(struct pen *pen, int indent, enum layout_style style, const char *key);
/* The same as a headline: ── conn 1: closed ───────── */
void pen_rule_line(struct pen *pen);

#endif
