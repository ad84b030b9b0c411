/* Text from outside on its way to a terminal and into JSON: whatever the bytes, what comes out is harmless. */
#include <stdlib.h>
#include <string.h>

#include "viz/pen/escape.h"
#include "viz/pen/json.h"
#include "viz/pen/layout.h"

static void require(bool holds)
{
    if (!holds) abort();
}

static void require_harmless(const struct buf *out, bool ascii)
{
    const char *at = buf_string(out);
    for (size_t left = out->length; left > 0;) {
        uint32_t code;
        size_t taken = escape_decode(at, left, &code);
        require(code != ESCAPE_INVALID && escape_columns(code) > 0 && (!ascii || code <= 0x7e));
        at += taken;
        left -= taken;
    }
}

/* The bytes as they come, which need not end in a NUL. */
static void walk(const char *bytes, size_t length)
{
    char piece[ESCAPE_PIECE_BYTES];
    while (length > 0) {
        size_t taken = escape_next(bytes, length, false, piece);
        require(taken >= 1 && taken <= 4 && taken <= length && strlen(piece) < sizeof(piece));
        bytes += taken;
        length -= taken;
    }
}

static void wrap(const char *string, int width)
{
    struct layout_text text = layout_text_new(false);
    layout_add(&text, STYLE_PLAIN, string);
    size_t cursor = 0, from, to, shown = 0;
    while (layout_wrap(&text, width, &cursor, &from, &to)) {
        require(from < to && layout_columns(&text, from, to) <= width);
        shown += to - from;
    }
    require(shown <= text.count);
    layout_text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 << 16) return 0;
    walk((const char *)data, size);
    char *string = strndup((const char *)data, size);
    if (!string) return 0;
    for (int ascii = 0; ascii < 2; ascii++) {
        struct buf out = buf_new(1 << 20);
        require(escape_text(&out, string, ascii) == 0);
        require_harmless(&out, ascii);
        buf_clear(&out);
        struct json json = json_new(&out, ascii);
        json_string(&json, NULL, string);
        require_harmless(&out, ascii);
        buf_free(&out);
    }
    wrap(string, 2 + (int)(size % 60));
    free(string);
    return 0;
}
