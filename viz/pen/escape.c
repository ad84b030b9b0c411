#include "viz/pen/escape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* In order. Left out on purpose: controls, soft hyphen, combining marks, Hebrew, Arabic and Indic scripts, joiners, bidi controls,
 * private use, and symbols that some terminals draw as one column and others as two. */
static const struct {
    uint32_t first, last;
    int columns;
} printable[] = {
    {0x20, 0x7e, 1},       {0xa0, 0xac, 1},       {0xae, 0x2ff, 1},      {0x370, 0x377, 1},     {0x37a, 0x37f, 1},
    {0x384, 0x482, 1},     {0x48a, 0x52f, 1},     {0x531, 0x556, 1},     {0x561, 0x587, 1},     {0x10a0, 0x10ff, 1},
    {0x1e00, 0x1fbc, 1},   {0x2010, 0x2027, 1},   {0x2030, 0x205e, 1},   {0x20a0, 0x20bf, 1},   {0x2100, 0x218b, 1},
    {0x2190, 0x2319, 1},   {0x2460, 0x25fc, 1},   {0x2713, 0x2727, 1},   {0x3000, 0x3029, 2},   {0x3030, 0x303e, 2},
    {0x3041, 0x3096, 2},   {0x309b, 0x30ff, 2},   {0x3105, 0x312f, 2},   {0x3131, 0x318e, 2},   {0x31a0, 0x31ba, 2},
    {0x3400, 0x4dbf, 2},   {0x4e00, 0x9fff, 2},   {0xa000, 0xa48c, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
    {0xff01, 0xff60, 2},   {0xff61, 0xff9f, 1},   {0xffe0, 0xffe6, 2},   {0xfffd, 0xfffd, 1},   {0x1f5fb, 0x1f64f, 2},
    {0x1f680, 0x1f6c5, 2}, {0x1f947, 0x1f9ff, 2}, {0x20000, 0x2fffd, 2}, {0x30000, 0x3fffd, 2},
};

/* What stands in where only ASCII may be written. */
static const struct {
    uint32_t code;
    const char *ascii;
} look_alike[] = {
    {0xa0, " "},    {0xb5, "u"},    {0xb7, "-"},    {0xd7, "X"},     {0x2013, "-"},  {0x2014, "-"},  {0x2018, "'"},
    {0x2019, "'"},  {0x201c, "\""}, {0x201d, "\""}, {0x2026, "..."}, {0x2190, "<-"}, {0x2192, "->"}, {0x21b3, "\\_"},
    {0x2265, ">="}, {0x2264, "<="}, {0x22ee, ":"},  {0x2500, "-"},   {0x2502, "|"},  {0x250a, ":"},  {0x250c, ","},
    {0x2510, "."},  {0x2514, "`"},  {0x2518, "'"},  {0x253c, "+"},   {0x254c, "."},  {0x2575, "'"},  {0x2588, "#"},
    {0x25a0, "#"},  {0x25ba, ">"},  {0x25c4, "<"},  {0x25c0, "<"},   {0x3bc, "u"},
};

size_t escape_decode(const char *text, size_t length, uint32_t *ret_code)
{
    assert(length > 0);
    const uint8_t *at = (const uint8_t *)text;
    *ret_code = ESCAPE_INVALID;
    if (at[0] < 0x80) {
        *ret_code = at[0];
        return 1;
    }
    size_t need = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || need > length) return 1;
    uint32_t code = at[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((at[i] & 0xc0) != 0x80) return 1;
        code = code << 6 | (at[i] & 0x3fu);
    }
    static const uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < shortest[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 1;
    *ret_code = code;
    return need;
}

int escape_columns(uint32_t code)
{
    size_t from = 0, to = sizeof(printable) / sizeof(printable[0]);
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (code > printable[middle].last)
            from = middle + 1;
        else if (code < printable[middle].first)
            to = middle;
        else
            return printable[middle].columns;
    }
    return 0;
}

static bool is_one_of(uint32_t code, const uint16_t *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (codes[i] == code) return true;
    return false;
}

bool escape_may_break(uint32_t before, uint32_t after)
{
    static const uint16_t closing[] = {0x3001, 0x3002, 0xff0c, 0xff1b, 0xff1a, 0xff1f, 0xff01, 0xff09,
                                       0x300d, 0x300f, 0x300b, 0x201d, 0x2019, 0x2026, ')',    ']',
                                       ',',    ';',    ':',    '.',    '?',    '!',    '%'};
    static const uint16_t opening[] = {0xff08, 0x300c, 0x300e, 0x300a, 0x201c, 0x2018, '(', '['};
    if (escape_columns(before) != 2 && escape_columns(after) != 2) return false;
    return !is_one_of(after, closing, sizeof(closing) / sizeof(closing[0])) &&
           !is_one_of(before, opening, sizeof(opening) / sizeof(opening[0]));
}

size_t escape_piece(const char *text, int *ret_columns)
{
    uint32_t before = 0, code;
    size_t at = 0;
    for (*ret_columns = 0; text[at]; before = code) {
        size_t taken = escape_decode(text + at, strlen(text + at) < 4 ? strlen(text + at) : 4, &code);
        if (at && (code == ' ' || code == '\n' || escape_may_break(before, code))) break;
        *ret_columns += escape_columns(code);
        at += taken;
    }
    return at;
}

int escape_text_columns(const char *text)
{
    int columns = 0;
    for (size_t left = strlen(text); left > 0;) {
        uint32_t code;
        size_t taken = escape_decode(text, left, &code);
        columns += escape_columns(code);
        text += taken;
        left -= taken;
    }
    return columns;
}

size_t escape_next(const char *text, size_t length, bool ascii, char piece[ESCAPE_PIECE_BYTES])
{
    uint32_t code;
    size_t taken = escape_decode(text, length, &code);
    if (code == ESCAPE_INVALID || code < 0x20 || code == 0x7f) {
        if (code == '\n' || code == '\t' || code == '\r')
            snprintf(piece, ESCAPE_PIECE_BYTES, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
        else
            snprintf(piece, ESCAPE_PIECE_BYTES, "\\x%02x", (uint8_t)text[0]);
        return taken;
    }
    if (code == '\\') {
        strcpy(piece, "\\\\");
        return taken;
    }
    if (ascii && code > 0x7e) {
        for (size_t i = 0; i < sizeof(look_alike) / sizeof(look_alike[0]); i++)
            if (look_alike[i].code == code) {
                strcpy(piece, look_alike[i].ascii);
                return taken;
            }
        snprintf(piece, ESCAPE_PIECE_BYTES, "\\u{%x}", (unsigned)code);
        return taken;
    }
    if (escape_columns(code) == 0) {
        snprintf(piece, ESCAPE_PIECE_BYTES, "\\u{%x}", (unsigned)code);
        return taken;
    }
    memcpy(piece, text, taken);
    piece[taken] = 0;
    return taken;
}

int escape_text(struct buf *out, const char *text, bool ascii)
{
    char piece[ESCAPE_PIECE_BYTES];
    int error = 0;
    for (size_t left = strlen(text); left > 0 && error == 0;) {
        size_t taken = escape_next(text, left, ascii, piece);
        error = buf_text(out, piece);
        text += taken;
        left -= taken;
    }
    return error;
}
