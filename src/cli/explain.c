#include "cli/explain.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/options.h"
#include "cli/output_options.h"
#include "out/output.h"
#include "out/place.h"
#include "out/status.h"
#include "pages/pages.h"
#include "viz/pen/layout.h"

enum { KEY_COLOR, KEY_ASCII };
enum { WIDTH_MOST = 100, ID_COLUMN = 2, TEXT_COLUMN = 28, CODE_COLUMN = 4, NEAREST_MAX = 256, PARAGRAPH_BYTES = 4096 };

static const size_t text_limit = (size_t)1 << 20;

static const struct options_row rows[] = {
    {KEY_COLOR, 0, "color", "WHEN", TR("auto, always or never (auto obeys NO_COLOR)")},
    {KEY_ASCII, 0, "ascii", NULL, TR("ASCII characters only")},
};

static int take(void *target, int key, const char *value, struct err *err)
{
    struct output_options *look = target;
    if (key == KEY_COLOR) return output_color_from(value, &look->color, err);
    look->ascii = true;
    return 0;
}

/* How it is written, and where. */
struct sheet {
    struct buf *out;
    struct view_options look;
};

/* Words from `x` on, in as many lines as they take; the first line may have `title` before them. */
static void put(struct sheet *sheet, int x, const char *title, enum layout_style style, const char *words)
{
    struct layout_text text = layout_text_new(sheet->look.ascii), head = layout_text_new(sheet->look.ascii);
    struct layout_row row;
    size_t cursor = 0, from, to;
    layout_row_clear(&row, sheet->look.width, sheet->look.ascii);
    layout_add(&head, STYLE_BOLD, title);
    layout_put(&row, ID_COLUMN, &head, 0, head.count);
    layout_add(&text, style, words);
    while (layout_wrap(&text, sheet->look.width - x, &cursor, &from, &to)) {
        layout_put(&row, x, &text, from, to);
        layout_emit(&row, sheet->look.color, sheet->out);
        layout_row_clear(&row, sheet->look.width, sheet->look.ascii);
    }
    layout_text_free(&text);
    layout_text_free(&head);
}

/* A paragraph's lines become one: they are wrapped anew. */
static void join(char words[PARAGRAPH_BYTES], const char *text, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < PARAGRAPH_BYTES; i++) words[used++] = text[i] == '\n' ? ' ' : text[i];
    words[used] = '\0';
}

static void put_page(struct sheet *sheet, const struct page *page)
{
    char words[PARAGRAPH_BYTES];
    bool code = false;
    for (const char *at = page->text; *at;) {
        size_t length = strcspn(at, "\n");
        if (!strncmp(at, "```", 3)) {
            code = !code;
        } else if (!length) {
            buf_char(sheet->out, '\n');
        } else if (code || *at == '#') {
            size_t mark = code ? 0 : strspn(at, "# ");
            join(words, at + mark, length - mark);
            put(sheet, code ? CODE_COLUMN : 0, "", code ? STYLE_PLAIN : STYLE_BOLD, code ? words : tr(words));
        } else {
            const char *end = strstr(at, "\n\n");
            length = end ? (size_t)(end - at) : strlen(at) - 1;
            join(words, at, length);
            put(sheet, 0, "", STYLE_PLAIN, tr(words));
        }
        at += length;
        if (*at) at++;
    }
}

static void put_list(struct sheet *sheet)
{
    size_t count = 0;
    const struct page *pages = pages_all(&count);
    char words[PARAGRAPH_BYTES];
    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        if (!i || pages[i].kind != pages[i - 1].kind) {
            if (i) buf_char(sheet->out, '\n');
            static const char *const titles[PAGES_KINDS] = {TR("Findings"), TR("Timers"), TR("States"), TR("Evidence")};
            put(sheet, 0, "", STYLE_BOLD, tr(titles[pages[i].kind]));
        }
        const char *summary = pages_summary(&pages[i], &length);
        join(words, summary, length);
        put(sheet, TEXT_COLUMN, pages[i].id, STYLE_PLAIN, tr(words));
    }
}

static int unknown(const char *word, struct err *err)
{
    const char *ids[NEAREST_MAX];
    size_t count = 0;
    const struct page *pages = pages_all(&count);
    for (size_t i = 0; i < count && i < NEAREST_MAX; i++) ids[i] = pages[i].id;
    const char *near = options_nearest(word, ids, count < NEAREST_MAX ? count : NEAREST_MAX);
    if (near) return err_set(err, CLI_USAGE, "explain: there is no page '%s': did you mean '%s'?", word, near);
    return err_set(err, CLI_USAGE,
                   "explain: there is no page '%s': tcpwhy explain lists all; tcpwhy claims WORD and tcpwhy demo --list WORD "
                   "look for it in what can be played",
                   word);
}

static int put_all(struct sheet *sheet, int count, char **ids, struct err *err)
{
    if (!count) put_list(sheet);
    for (int i = 0; i < count; i++) {
        const struct page *page = pages_find(ids[i]);
        if (!page) return unknown(ids[i], err);
        if (i) buf_text(sheet->out, "\n\n");
        put_page(sheet, page);
    }
    return sheet->out->failed ? err_set_errno(err, -ENOMEM, "can't put the page together") : 0;
}

int cli_explain(int argc, char **argv, struct err *err)
{
    struct output_options look = {0};
    struct options_group group = {TR("Output"), rows, sizeof(rows) / sizeof(rows[0]), take, &look};
    static const char notes[] =
        TR("Without an ID all pages are listed. They are the files of docs/findings, docs/timers, docs/states and "
           "docs/evidence in the source.");
    const struct options_verb verb = {"explain", EXPLAIN_USAGE, EXPLAIN_SUMMARY, &group, 1, notes, NULL, NULL};
    int operand = 0;
    int code = options_parse(&verb, argc, argv, &operand, err);
    if (code) return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    struct buf out = buf_new(text_limit);
    struct sheet sheet = {&out, output_view_options(&look, STDOUT_FILENO)};
    if (sheet.look.width > WIDTH_MOST) sheet.look.width = WIDTH_MOST;
    code = put_all(&sheet, argc - operand, argv + operand, err);
    if (!code) {
        struct place place;
        code = place_open(&place, NULL, NULL, err);
        if (!code) place_write(&place, out.data, out.length);
        if (!code && (code = place_finish(&place)) && code != -EPIPE) *err = place.err;
        place_close(&place);
        code = code && code != -EPIPE ? CLI_FAILED : code;
    }
    buf_free(&out);
    return code;
}
