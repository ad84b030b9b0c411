#include "quiz/pens.h"
#include "base/lang.h"

#include <string.h>

#include "viz/pen/escape.h"

static const struct quiz_pen pens[] = {
    {"sheet", ".txt", TR("a sheet to print, its key at the end"), quiz_write_sheet},
    {"gift", ".gift", TR("for Moodle and whatever else reads GIFT"), quiz_write_gift},
    {"html", ".html", TR("one page that asks, checks and counts by itself"), quiz_write_html},
    {"jsonl", ".jsonl", TR("a JSON object a question, for other programs"), quiz_write_jsonl},
};
enum { PENS = sizeof(pens) / sizeof(pens[0]) };

const struct quiz_pen *quiz_pens(size_t *ret_count)
{
    *ret_count = PENS;
    return pens;
}

const struct quiz_pen *quiz_pen_by_name(const char *name)
{
    for (size_t i = 0; i < PENS; i++)
        if (strcmp(pens[i].name, name) == 0) return &pens[i];
    return NULL;
}

const struct quiz_pen *quiz_pen_by_path(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < PENS; i++) {
        size_t suffix = strlen(pens[i].suffix);
        if (length > suffix && strcmp(path + length - suffix, pens[i].suffix) == 0) return &pens[i];
    }
    return NULL;
}

char quiz_letter(size_t choice)
{
    return (char)('a' + (char)choice);
}

static int columns_of(const char *word, size_t length)
{
    int columns = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        at += escape_decode(word + at, length - at, &code);
        columns += code == ESCAPE_INVALID ? 1 : escape_columns(code);
    }
    return columns;
}

void quiz_wrap(struct buf *out, const char *text, int width, int indent, int used)
{
    bool begins = true;
    while (*text) {
        size_t length = strcspn(text, " ");
        int columns = columns_of(text, length);
        if (!begins && used + 1 + columns > width) {
            buf_printf(out, "\n%*s", indent, "");
            used = indent;
            begins = true;
        }
        if (!begins) {
            buf_char(out, ' ');
            used++;
        }
        buf_append(out, text, length);
        used += columns;
        begins = false;
        text += length;
        text += strspn(text, " ");
    }
}

void quiz_put_feedback(struct buf *out, const struct quiz_question *question)
{
    buf_printf(out, tr("%s %s. Evidence: %s."), question->why, question->reference, question->evidence);
}

void quiz_put_html(struct buf *out, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&apos;"
                             : *text == '\\' ? "&bsol;"
                                             : NULL;
        if (entity)
            buf_text(out, entity);
        else
            buf_char(out, *text);
    }
}
