/* A brief drawing with as many rows as fit where it has to stand. */
#ifndef TCPWHY_PLAY_LESSON_FITTED_H
#define TCPWHY_PLAY_LESSON_FITTED_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Lines of a text: its newlines. */
size_t fitted_lines(const struct buf *text);
/* Its lines, and the columns of its widest. */
void fitted_size(const struct buf *text, uint32_t *ret_rows, uint32_t *ret_columns);
/* Appends what `draw` makes with the largest view_options.brief_rows whose drawing has at most `room` lines; with the least there
 * is where none fits. *ret_brief_rows (may be NULL) is what was taken. 0, or what `draw` returned. */
int fitted_draw(int (*draw)(void *data, size_t brief_rows, struct buf *out, struct err *err), void *data, size_t room,
                struct buf *out, size_t *ret_brief_rows, struct err *err);

#endif
