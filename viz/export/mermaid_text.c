#include "viz/export/mermaid_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "viz/pen/escape.h"

enum {
    LINE_COLUMNS = 48,
    WORD_COLUMNS = 80, /* a word of that length is broken too */
    WORDS_BYTES_MAX = 1 << 20,
    PIECE_BYTES_MAX = 6 * ESCAPE_PIECE_BYTES,
    TAIL_BYTES = 16 /* for "…" and the line break */
};

struct mermaid_statement mermaid_statement_new(const char *what)
{
    return (struct mermaid_statement){.what = what, .words = buf_new(WORDS_BYTES_MAX)};
}

void mermaid_say(struct mermaid_statement *statement, const char *raw)
{
    buf_text(&statement->words, raw);
}

void mermaid_say_phrase(struct mermaid_statement *statement, const struct phrase *phrase)
{
    for (size_t i = 0; i < phrase->count; i++) buf_text(&statement->words, phrase->runs[i].text);
    statement->words.failed = statement->words.failed || phrase->failed;
}

/* Before anything else Mermaid takes the semicolon from the last entity behind the words "style" and "classDef", and a message that
 * begins with "wrap:" is an order: none of these words stays whole. */
static bool is_order(const char *raw)
{
    static const char *const orders[] = {"style", "classDef", "wrap:", "nowrap:"};
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        if (!strncmp(raw, orders[i], strlen(orders[i]))) return true;
    return false;
}

/* One character as it is to be shown, with what means something to Mermaid (or HTML, or KaTeX) as an entity. */
static size_t put_piece(char *at, const char *piece, bool first_as_entity)
{
    size_t length = 0;
    for (const char *c = piece; *c; c++) {
        bool special = strchr("#;<>&\"'%{}@$`\\", *c) != NULL;
        if (special || (first_as_entity && c == piece))
            length += (size_t)snprintf(at + length, PIECE_BYTES_MAX - length, "#%d;", (unsigned char)*c);
        else
            at[length++] = *c;
    }
    return length;
}

static void put_words(const struct buf *words, bool ascii, size_t end, struct buf *out)
{
    const char *raw = buf_string(words);
    size_t left = words->length, column = 0;
    while (left) {
        char piece[ESCAPE_PIECE_BYTES], coded[PIECE_BYTES_MAX];
        uint32_t code = 0;
        escape_decode(raw, left, &code);
        bool order = is_order(raw) && code < 0x80;
        size_t taken = escape_next(raw, left, ascii, piece), length = put_piece(coded, piece, order);
        if (out->length + length + TAIL_BYTES > end) {
            buf_text(out, ascii ? "..." : "…");
            return;
        }
        bool breaks = (*piece == ' ' && column >= LINE_COLUMNS && left > 1) || column >= WORD_COLUMNS;
        if (breaks) buf_text(out, "<br/>"), column = 0;
        if (!breaks || *piece != ' ') buf_append(out, coded, length);
        column++;
        raw += taken;
        left -= taken;
    }
}

int mermaid_statement_end(struct mermaid_statement *statement, bool ascii, struct buf *out)
{
    size_t end = out->length + MERMAID_STATEMENT_BYTES;
    buf_text(out, "    ");
    buf_text(out, statement->what);
    put_words(&statement->words, ascii, end, out);
    buf_char(out, '\n');
    bool failed = statement->words.failed || out->failed;
    buf_free(&statement->words);
    return failed ? -ENOMEM : 0;
}
