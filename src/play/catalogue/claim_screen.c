#include "play/catalogue/claim_screen.h"
#include "base/lang.h"
#include "viz/pen/escape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play/lesson/fitted.h"
#include "viz/text/text_ladder.h"
#include "viz/text/text_pen.h"

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 60, WIDTH_MOST = 140, KEY_BYTES = 32, LADDER_BYTES = 1 << 20 };
enum { MARKS_MAX = 64 };

enum claim_result claim_judge(const struct claim_entry *entry, const struct judgement *judgement)
{
    const struct scenario_claim *claim = entry->claim;
    enum claim_result result = CLAIM_SHOWN;
    for (size_t i = 0; i < judgement->count; i++) {
        bool is_its = i >= claim->first_expect && i < claim->first_expect + claim->expect_count;
        if (!is_its && i < entry->scenario->expect_count) continue;
        if (judgement->list[i].verdict == JUDGE_UNMET) return CLAIM_NOT_SHOWN;
        if (judgement->list[i].verdict == JUDGE_UNKNOWN) result = CLAIM_UNTOLD;
    }
    return result;
}

int claim_say_missing(const struct claim_entry *entry, const struct judgement *judgement, struct buf *out)
{
    const struct scenario_claim *claim = entry->claim;
    for (size_t i = 0; i < judgement->count; i++) {
        bool is_its = i >= claim->first_expect && i < claim->first_expect + claim->expect_count;
        if (judgement->list[i].verdict == JUDGE_MET || (!is_its && i < entry->scenario->expect_count)) continue;
        buf_printf(out, "%s\n", judgement->list[i].text);
    }
    return out->failed ? -ENOMEM : 0;
}

/* ---- what is pointed at ---- */

struct marks {
    uint32_t steps[MARKS_MAX];
    size_t count;
};

static void collect_marks(const struct scenario_claim *claim, const struct judgement *judgement, size_t story, struct marks *marks)
{
    marks->count = 0;
    for (size_t i = claim->first_expect; i < claim->first_expect + claim->expect_count; i++) {
        const struct judge_finding *finding = &judgement->list[i];
        for (size_t k = 0; finding->story == story && k < finding->proof_count && marks->count < MARKS_MAX; k++)
            marks->steps[marks->count++] = finding->proofs[k];
    }
}

/* ---- the parts ---- */

struct screen {
    const struct claim_entry *entry;
    const struct play_stories *stories;
    const struct judgement *judgement;
    struct view_options options;
    int width;
};

static void draw_claim(const struct screen *screen, struct pen *pen)
{
    char key[KEY_BYTES];
    const struct scenario_claim *claim = screen->entry->claim;
    snprintf(key, sizeof(key), claim->number ? tr("claim %" PRIu32 ": ") : tr("claim: "), claim->number);
    layout_add(&pen->text, STYLE_BOLD, lang_now() == LANG_ZH && claim->zh ? claim->zh : claim->text);
    pen_flush(pen, escape_text_columns(key), STYLE_BOLD, key);
}

static void draw_verdict(const struct screen *screen, struct pen *pen)
{
    static const struct {
        enum layout_style style;
        const char *sentence;
    } verdicts[SCENARIO_CLAIM_VERDICTS] = {[SCENARIO_CLAIM_WRONG] = {STYLE_ALARM, TR("Wrong: this run shows it, at ◀")},
                                           [SCENARIO_CLAIM_HALF] = {STYLE_BOLD, TR("Half right: this run shows both, at ◀")},
                                           [SCENARIO_CLAIM_RIGHT] = {STYLE_CLIENT_BOLD, TR("Right: this run shows it, at ◀")}};
    const struct scenario_claim *claim = screen->entry->claim;
    enum claim_result result = claim_judge(screen->entry, screen->judgement);
    if (result == CLAIM_SHOWN) {
        layout_add(&pen->text, verdicts[claim->verdict].style, tr(verdicts[claim->verdict].sentence));
        pen_flush(pen, 0, STYLE_PLAIN, "");
        return;
    }
    struct buf missing = buf_new(LADDER_BYTES);
    layout_add(&pen->text, STYLE_ALARM, result == CLAIM_UNTOLD ? tr("This recorder can't tell:") : tr("Not shown this time:"));
    pen_flush(pen, 0, STYLE_PLAIN, "");
    if (claim_say_missing(screen->entry, screen->judgement, &missing)) pen->text.failed = true;
    for (const char *line = buf_string(&missing); *line; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        layout_addf(&pen->text, STYLE_PLAIN, "%.*s", (int)length, line);
        pen_flush(pen, 2, STYLE_PLAIN, "");
        line += length;
    }
    buf_free(&missing);
}

/* An expectation in the reader's language: its English is the scenario's own. Of a call it names what stands before its end. */
static void add_expectation(const struct scenario_expect *expect, struct layout_text *text)
{
    const char *words = expect->text + strlen("expect");
    words += strspn(words, " \t");
    const char *end = strstr(words, expect->kind == EXPECT_SUCCEEDS ? " succeeds"
                                    : expect->kind == EXPECT_FAILS  ? " fails"
                                                                    : " returns");
    int length = end ? (int)(end - words) : 0;
    const char *side = expect->match.from == SCENARIO_CLIENT ? tr("client") : tr("server");
    if (expect->kind == EXPECT_COUNT)
        layout_addf(text, STYLE_PLAIN, tr("%" PRId64 " %s from %s"), expect->number, wire_match_name(expect->match.segment), side);
    else if (expect->kind == EXPECT_NO_FINDING)
        layout_addf(text, STYLE_PLAIN, tr("no finding %s"), expect->name);
    else if (expect->kind == EXPECT_SUCCEEDS && end)
        layout_addf(text, STYLE_PLAIN, tr("%.*s succeeds"), length, words);
    else if (expect->kind == EXPECT_FAILS && end)
        layout_addf(text, STYLE_PLAIN, tr("%.*s fails with %s"), length, words, expect->name);
    else if (expect->kind == EXPECT_RETURNS && end)
        layout_addf(text, STYLE_PLAIN, tr("%.*s returns %" PRId64), length, words, expect->number);
    else {
        layout_add(text, STYLE_PLAIN, words);
        return;
    }
    if (expect->connection > 1) layout_addf(text, STYLE_PLAIN, tr(" in connection %" PRIu32), expect->connection);
}

/* What no row of a ladder shows: that something was not there. */
static void draw_rowless(const struct screen *screen, struct pen *pen)
{
    const struct scenario_claim *claim = screen->entry->claim;
    bool any = false;
    for (size_t i = claim->first_expect; i < claim->first_expect + claim->expect_count; i++) {
        const struct judge_finding *finding = &screen->judgement->list[i];
        if (finding->verdict != JUDGE_MET || finding->proof_count) continue;
        layout_add(&pen->text, any ? STYLE_PLAIN : STYLE_ALARM, any ? tr("; ") : "◀ ");
        add_expectation(&screen->entry->scenario->expects[i], &pen->text);
        any = true;
    }
    if (any) pen_flush(pen, 2, STYLE_PLAIN, "");
}

static void draw_source(const struct screen *screen, struct pen *pen)
{
    const struct scenario *scenario = screen->entry->scenario;
    layout_addf(&pen->text, STYLE_DIM, tr("tcpwhy demo %s tells all of it"), screen->entry->name);
    for (size_t i = 0; i < scenario->section_count; i++) {
        layout_addf(&pen->text, STYLE_DIM, " · RFC\u00a0%" PRIu32, scenario->sections[i].rfc);
        if (scenario->sections[i].section) layout_addf(&pen->text, STYLE_DIM, "\u00a0%s", scenario->sections[i].section);
    }
    pen_flush(pen, 0, STYLE_PLAIN, "");
}

/* ---- the ladders ---- */

static int write_to_buf(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

/* Those that prove it; where none does, the first. */
static int draw_ladders(void *data, size_t brief_rows, struct buf *out, struct err *err)
{
    const struct screen *screen = data;
    const struct sink sink = {write_to_buf, out};
    struct view_options options = screen->options;
    struct marks marks;
    size_t drawn = 0;
    options.brief = true;
    options.brief_rows = brief_rows;
    for (size_t i = 0; i < screen->stories->count; i++) {
        collect_marks(screen->entry->claim, screen->judgement, i, &marks);
        if (!marks.count) continue;
        options.marks = marks.steps;
        options.mark_count = marks.count;
        if (drawn++) buf_printf(out, tr("connection %" PRIu32 ":\n"), screen->stories->list[i]->number);
        int code = ladder_draw(screen->stories->list[i], &options, screen->width, &sink, out, err);
        if (code) return code;
    }
    options.mark_count = 0;
    if (drawn || !screen->stories->count) return 0;
    return ladder_draw(screen->stories->list[0], &options, screen->width, &sink, out, err);
}

int claim_screen(const struct claim_entry *entry, const struct play_stories *stories, const struct judgement *judgement,
                 const struct view_options *options, size_t rows, struct buf *out, struct err *err)
{
    int width = options->width ? options->width : WIDTH_DEFAULT;
    struct buf below = buf_new(LADDER_BYTES);
    struct screen screen = {entry, stories, judgement, *options,
                            width < WIDTH_LEAST  ? WIDTH_LEAST
                            : width > WIDTH_MOST ? WIDTH_MOST
                                                 : width};
    size_t before = fitted_lines(out);
    struct pen head = pen_new(options, screen.width, out), foot = pen_new(options, screen.width, &below);
    draw_claim(&screen, &head);
    draw_verdict(&screen, &head);
    draw_rowless(&screen, &foot);
    if (entry->claim->because && claim_judge(entry, judgement) == CLAIM_SHOWN) {
        layout_add(&foot.text, STYLE_PLAIN,
                   lang_now() == LANG_ZH && entry->claim->because_zh ? entry->claim->because_zh : entry->claim->because);
        pen_flush(&foot, 0, STYLE_PLAIN, "");
    }
    draw_source(&screen, &foot);
    int code = pen_end(&head), foot_code = pen_end(&foot);
    size_t used = fitted_lines(out) - before + fitted_lines(&below);
    if (!code) code = foot_code;
    if (!code) code = fitted_draw(draw_ladders, &screen, rows > used ? rows - used : 0, out, NULL, err);
    if (!code) code = buf_append(out, below.data, below.length);
    buf_free(&below);
    return code == -ENOMEM ? err_set_errno(err, code, "can't draw the claim") : code;
}
