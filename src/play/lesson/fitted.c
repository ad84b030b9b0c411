#include "play/lesson/fitted.h"

#include <errno.h>

#include "viz/pen/escape.h"

enum { ROWS_MOST = 60, ROWS_LEAST = 3, FITTED_BYTES = 1 << 20 };

size_t fitted_lines(const struct buf *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->length; i++) count += text->data[i] == '\n';
    return count;
}

void fitted_size(const struct buf *text, uint32_t *ret_rows, uint32_t *ret_columns)
{
    *ret_rows = *ret_columns = 0;
    for (size_t i = 0; i < text->length; i++, ++*ret_rows) {
        uint32_t columns = 0, code;
        while (i < text->length && text->data[i] != '\n') {
            i += escape_decode(text->data + i, text->length - i, &code);
            columns += (uint32_t)escape_columns(code);
        }
        if (columns > *ret_columns) *ret_columns = columns;
    }
}

int fitted_draw(int (*draw)(void *data, size_t brief_rows, struct buf *out, struct err *err), void *data, size_t room,
                struct buf *out, size_t *ret_brief_rows, struct err *err)
{
    size_t most = room < ROWS_LEAST ? ROWS_LEAST : room > ROWS_MOST ? ROWS_MOST : room;
    int code = 0;
    for (size_t brief_rows = most; !code; brief_rows--) {
        struct buf drawn = buf_new(FITTED_BYTES);
        code = draw(data, brief_rows, &drawn, err);
        bool done = fitted_lines(&drawn) <= room || brief_rows == ROWS_LEAST;
        if (!code && done && drawn.length && buf_append(out, drawn.data, drawn.length))
            code = err_set_errno(err, -ENOMEM, "can't draw the ladder");
        buf_free(&drawn);
        if (done && ret_brief_rows) *ret_brief_rows = brief_rows;
        if (done) break;
    }
    return code;
}
