#include "viz/text/text_apart.h"
#include "base/lang.h"

#include <inttypes.h>
#include <stdio.h>

#include "viz/plan/words.h"
#include "viz/text/text_pen.h"

enum { TIME_COLUMNS = 10 }; /* "  1234.567  " has room for the seconds that a call waits */

static void draw_call(struct pen *pen, const struct story *nobody, const struct story_apart_call *apart, int64_t zero_ns)
{
    char time[WORDS_BYTES], key[WORDS_BYTES + TIME_COLUMNS];
    const struct story_call *call = &apart->call;
    words_time((call->enter_ns ? call->enter_ns : call->exit_ns) - zero_ns, time);
    snprintf(key, sizeof(key), "%*s", TIME_COLUMNS - 2, time);
    struct arena arena = arena_new();
    struct phrase whole = phrase_new(&arena);
    words_call_whole(&whole, nobody, call);
    layout_add_phrase(&pen->text, &whole);
    arena_free(&arena);
    pen_flush(pen, TIME_COLUMNS, STYLE_PLAIN, key);
    if (!apart->told) return;
    layout_add(&pen->text, STYLE_PLAIN, apart->told);
    snprintf(key, sizeof(key), "%*s↳", TIME_COLUMNS, "");
    pen_flush(pen, TIME_COLUMNS + (pen->text.ascii ? 3 : 2), STYLE_PLAIN, key); /* the hook is two columns in ASCII */
}

static void draw_process(struct pen *pen, const struct story_apart *apart)
{
    const struct story nobody = {.end[STORY_CLIENT] = {.process = apart->process}};
    const struct story_call *first = &apart->calls[0].call;
    layout_add(&pen->text, STYLE_BOLD, tr("calls without a packet"));
    layout_add(&pen->text, STYLE_PLAIN, ": ");
    struct arena arena = arena_new();
    struct phrase process = phrase_new(&arena);
    words_process(&process, STYLE_CLIENT_BOLD, &apart->process);
    layout_add_phrase(&pen->text, &process);
    arena_free(&arena);
    pen_rule_line(pen);
    pen_flush(pen, 0, STYLE_DIM, "");
    layout_add(&pen->text, STYLE_DIM, "ms");
    pen_flush(pen, TIME_COLUMNS - 4, STYLE_DIM, "");
    for (size_t i = 0; i < apart->count; i++)
        draw_call(pen, &nobody, &apart->calls[i], first->enter_ns ? first->enter_ns : first->exit_ns);
    pen_blank_line(pen);
}

int apart_draw(const struct story_trace *trace, const struct view_options *options, int width, struct buf *out)
{
    struct pen pen = pen_new(options, width, out);
    for (size_t i = 0; i < trace->apart_count; i++) draw_process(&pen, &trace->apart[i]);
    if (trace->apart_more) {
        layout_addf(&pen.text, STYLE_ALARM, tr("%" PRIu64 " more calls without a packet are not shown"), trace->apart_more);
        pen_flush(&pen, 0, STYLE_PLAIN, "");
    }
    return pen_end(&pen);
}
