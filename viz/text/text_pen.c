#include "viz/text/text_pen.h"

#include <errno.h>

struct pen pen_new(const struct view_options *options, int width, struct buf *out)
{
    return (struct pen){.text = layout_text_new(options->ascii), .out = out, .width = width, .color = options->color};
}

int pen_end(struct pen *pen)
{
    bool failed = pen->text.failed || pen->out->failed;
    layout_text_free(&pen->text);
    return failed ? -ENOMEM : 0;
}

void pen_blank_line(struct pen *pen)
{
    buf_char(pen->out, '\n');
}

void pen_flush(struct pen *pen, int indent, enum layout_style style, const char *key)
{
    size_t cursor = 0, from, to;
    while (layout_wrap(&pen->text, pen->width - indent, &cursor, &from, &to)) {
        struct layout_row row;
        layout_row_clear(&row, pen->width, pen->text.ascii);
        if (from == 0) layout_put_string(&row, 0, style, key);
        layout_put(&row, indent, &pen->text, from, to);
        layout_emit(&row, pen->color, pen->out);
    }
    layout_text_clear(&pen->text);
}

void pen_rule_line(struct pen *pen)
{
    struct layout_row row;
    size_t cursor = 0, from, to;
    while (layout_wrap(&pen->text, pen->width - 4, &cursor, &from, &to)) {
        int end = 3 + layout_columns(&pen->text, from, to) + 1;
        size_t ahead = cursor, next_from, next_to;
        bool is_last = !layout_wrap(&pen->text, pen->width - 4, &ahead, &next_from, &next_to);
        layout_row_clear(&row, pen->width, pen->text.ascii);
        if (from == 0) layout_fill(&row, 0, 2, STYLE_DIM, "─");
        layout_put(&row, 3, &pen->text, from, to);
        if (is_last && end < pen->width) layout_fill(&row, end, pen->width, STYLE_DIM, "─");
        layout_emit(&row, pen->color, pen->out);
    }
    layout_text_clear(&pen->text);
}
