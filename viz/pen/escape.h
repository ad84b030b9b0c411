/* Text from outside, made harmless: nothing that steers a terminal, hides, reorders or has an unknown width gets through raw.
 *
 * What may be printed is an allow-list of code points whose width every terminal agrees on. All else is written as \n, \t, \xNN (a
 * byte: control characters and what is not UTF-8) or \u{NNNN}; a backslash is doubled, so that no name can pose as an escape.
 * Right-to-left scripts and combining characters are escaped too: they would rearrange or stack what stands beside them.
 * Pure: no locale, no allocation. */
#ifndef TCPWHY_VIZ_ESCAPE_H
#define TCPWHY_VIZ_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { ESCAPE_PIECE_BYTES = 16 };
#define ESCAPE_INVALID UINT32_MAX

/* Decodes the code point at `text` (`length` >= 1 bytes are there). Returns the bytes it took, at least 1; *ret_code is
 * ESCAPE_INVALID for a byte that begins no valid UTF-8 sequence (RFC 3629: overlong forms, surrogates and cut ones included). */
size_t escape_decode(const char *text, size_t length, uint32_t *ret_code);

/* Columns that a code point takes in a terminal: 1, or 2 for wide ones; 0: it must not reach one. Rests on Unicode's
 * EastAsianWidth. */
int escape_columns(uint32_t code);
/* Whether a line may end between these two, where no blank is: beside a wide character, but not before what closes (a stop, a
 * bracket) nor behind what opens (JIS X 4051, UAX #14, as far as Chinese sentences need it). */
bool escape_may_break(uint32_t before, uint32_t after);
/* The bytes up to the next place at which a line may end (a blank, a newline, or as above), at least one character's; and the
 * columns that they take. */
size_t escape_piece(const char *text, int *ret_columns);
/* The columns of a whole text of ours, without escaping. */
int escape_text_columns(const char *text);

/* Takes one code point from `text` and writes how it is to be shown, NUL-terminated. With `ascii` no byte above 0x7e is written:
 * what the views draw with is replaced by a look-alike ("|" for a bar). Returns the bytes taken. */
size_t escape_next(const char *text, size_t length, bool ascii, char piece[ESCAPE_PIECE_BYTES]);

/* Appends the whole string, escaped. 0 or the buffer's error. */
int escape_text(struct buf *out, const char *text, bool ascii);

#endif
