/* Text from outside in columns of a terminal: made harmless, and cut where it is too long. */
#ifndef TCPWHY_WATCH_COLUMNS_H
#define TCPWHY_WATCH_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Writes `text` into at most `width` columns, and fills them. What is too long ends in "…". `right`: it stands at their right end.
 */
void columns_cell(struct buf *out, const char *text, int width, bool right, bool ascii);
/* The bytes of `text` that take at most so many columns when they are written harmless: whole characters. */
size_t columns_fit(const char *text, int width, bool ascii);
/* The bytes of a harmless text that a line of so many columns takes, at least one character's: to where a line may end, if there is
 * such a place in its second half. */
size_t columns_line(const char *text, int width);
/* Below a line, in whole: over as many lines as the screen's width (0: any) makes of it. */
void columns_below(struct buf *out, const char *text, int screen, bool ascii);

#endif
