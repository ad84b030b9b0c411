#include "watch/lines.h"
#include "base/lang.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "viz/pen/escape.h"
#include "viz/pen/json.h"
#include "viz/pen/line.h"
#include "viz/plan/words.h"
#include "watch/cgroups.h"
#include "watch/columns.h"

/* Columns, left to right; what does not fit a screen is left out from the least wanted on. */
enum column { AT, TOOK, OPENER, FROM, TO, TAKER, SENT, GOT, OUTCOME, CLOSED, COLUMNS };
struct column_row {
    const char *head;
    int width;
    bool right; /* its text stands at its right end */
    int more;   /* so much wider where there is no screen: nothing of what is long is cut there */
};
static const struct column_row columns[COLUMNS] = {
    [AT] = {TR("ENDED"), 8, false, 0},          [TOOK] = {TR("TOOK"), 6, true, 0},
    [OPENER] = {TR("OPENED BY"), 17, false, 8}, [FROM] = {TR("CLIENT"), 21, false, 0},
    [TO] = {TR("SERVER"), 21, false, 0},        [TAKER] = {TR("SERVED BY"), 17, false, 8},
    [SENT] = {TR("SENT"), 6, true, 0},          [GOT] = {TR("GOT"), 6, true, 0},
    [OUTCOME] = {TR("OUTCOME"), 8, false, 0},   [CLOSED] = {TR("CLOSED BY"), 22, false, FACTS_HOW_BYTES},
};
/* So wide a screen shows the column. */
static const int shown_from[COLUMNS] = {
    [AT] = 48, [OPENER] = 72, [FROM] = 126, [TAKER] = 148, [GOT] = 104, [SENT] = 104, [CLOSED] = 56};

enum { NARROWER = 3 /* who opened it, on a narrow screen */, STEP_COLUMNS = 7 /* "SYN-ACK" */, STEP_BYTES = 8192 };

static bool is_shown(const struct lines_options *options, int column)
{
    return !options->width || options->width >= shown_from[column];
}

static int width_of(const struct lines_options *options, int column)
{
    int width = columns[column].width;
    if (!options->width) return width + columns[column].more;
    return column == OPENER && options->width < shown_from[SENT] ? width - NARROWER : width;
}

/* The last one takes what is left of the screen. */
static int room_of_last(const struct lines_options *options)
{
    int left = options->width;
    for (int i = 0; i < CLOSED; i++)
        if (is_shown(options, i)) left -= width_of(options, i) + 1;
    return left > 4 ? left : 4;
}

static void trim(struct buf *out)
{
    while (out->length && out->data[out->length - 1] == ' ') out->length--;
    buf_char(out, '\n');
}

static void row(const struct lines_options *options, const char *const text[COLUMNS], struct buf *out)
{
    bool first = true;
    for (int i = 0; i < COLUMNS; i++) {
        if (!is_shown(options, i)) continue;
        if (!first) buf_char(out, ' ');
        int width = i == CLOSED && options->width ? room_of_last(options) : width_of(options, i);
        columns_cell(out, text[i], width, columns[i].right, options->ascii);
        first = false;
    }
    trim(out);
}

void lines_head(const struct lines_options *options, struct buf *out)
{
    const char *heads[COLUMNS];
    if (options->json) return;
    for (int i = 0; i < COLUMNS; i++) heads[i] = tr(columns[i].head);
    row(options, heads, out);
}

/* What has no room loses the end of its name: by the number the process is found. Raw. */
static const char *process_text(const struct lines_options *options, const struct story_process *process, const char *before,
                                char *text, size_t bytes)
{
    char number[16] = "";
    const char *name = process->comm ? process->comm : process->pid ? "" : "-";
    int room = width_of(options, OPENER) - (int)strlen(before); /* as wide as the one who serves has it */
    if (process->pid) room -= snprintf(number, sizeof(number), "[%d]", process->pid);
    size_t fits = columns_fit(name, room, options->ascii);
    bool whole = !name[fits];
    if (!whole) fits = columns_fit(name, room - 1, options->ascii);
    snprintf(text, bytes, "%s%.*s%s%s", before, (int)fits, name, whole ? "" : options->ascii ? "~" : "…", number);
    return text;
}

static const char *amount_text(uint64_t value, char text[LINE_SCALED_BYTES + LINE_SLACK])
{
    struct line_scaled scaled = line_amount(value);
    *line_scaled(text, &scaled) = 0;
    return text;
}

static const char *duration_text(int64_t ns, bool ascii, char text[LINE_SCALED_BYTES + LINE_SLACK])
{
    struct line_scaled scaled = line_duration(ns < 0 ? 0 : ns, ascii);
    *line_scaled(text, &scaled) = 0;
    return text;
}

/* Most connections have none of these, so they have no column. */
static void say_containers(const struct lines_options *options, const char *const cgroup[STORY_SIDES], struct buf *out)
{
    struct buf line = buf_new(256);
    for (int side = 0; side < STORY_SIDES; side++) {
        char label[CGROUPS_LABEL_BYTES];
        if (!cgroup[side] || !cgroups_container(cgroup[side], label)) continue;
        if (line.length) buf_text(&line, ", ");
        buf_printf(&line, tr("%s in container %s"), story_side_word((enum story_side)side), label);
    }
    if (line.length) columns_below(out, buf_string(&line), options->width, options->ascii);
    buf_free(&line);
}

static void findings(const struct lines_options *options, const struct story *story, struct buf *out)
{
    for (size_t i = 0; i < story->finding_count; i++) {
        struct buf line = buf_new(8192);
        const struct story_finding *finding = &story->findings[i];
        buf_printf(&line, "%s %s: %s", tr(finding->severity), finding->id, finding->text);
        columns_below(out, buf_string(&line), options->width, options->ascii);
        buf_free(&line);
    }
}

/* By what it was ended: in fewer words where the column is narrow, and then without a call's descriptor. */
static void closed_text(const struct lines_options *options, const struct watch_facts *facts, char *text, size_t bytes)
{
    const char *side = facts->closer < 0 ? "-" : story_side_word((enum story_side)facts->closer),
               *how[] = {facts->how, facts->brief};
    int room = options->width ? room_of_last(options) : INT_MAX;
    for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
        snprintf(text, bytes, "%s%s%s", side, how[i][0] ? " " : "", how[i]);
        if (!text[columns_fit(text, room, options->ascii)]) return;
    }
    char *from = strchr(text, '('), *to = strchr(text, ')');
    if (from && to > from) memmove(from + 1, to, strlen(to) + 1);
}

/* ---- JSON ---- */

static void put_end(struct json *json, enum story_side side, const struct address *address, const struct story_process *process,
                    enum tcp_state state, const char *cgroup)
{
    char text[ADDRESS_TEXT_BYTES];
    json_object(json, story_side_name(side));
    json_string(json, "addr", address->version ? address_format(address, text) : NULL);
    json_maybe_int(json, "pid", process->pid != 0, process->pid);
    json_string(json, "comm", process->comm);
    json_string(json, "cgroup", cgroup);
    json_string(json, "state", state == STATE_UNKNOWN ? NULL : tcp_state_name(state));
}

static void put_findings(struct json *json, const struct story *story)
{
    json_array(json, "findings");
    for (size_t i = 0; story && i < story->finding_count; i++) {
        json_object(json, NULL);
        json_string(json, "id", story->findings[i].id);
        json_string(json, "severity", story->findings[i].severity);
        json_string(json, "text", story->findings[i].text);
        json_end_object(json);
    }
    json_end_array(json);
}

static void json_ended(const struct lines_options *options, const struct watch_facts *facts, struct buf *out)
{
    const struct story *story = facts->story;
    struct json json = json_new(out, false);
    json_object(&json, NULL);
    json_string(&json, "type", "ended");
    json_int(&json, "conn", story->number);
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_end *end = &story->end[side];
        put_end(&json, (enum story_side)side, &end->address, &end->process, end->state, facts->cgroup[side]);
        json_uint(&json, "bytes", end->bytes_sent + end->bytes_missed);
        json_end_object(&json);
    }
    json_int(&json, "start", story->start_ns + options->shift_ns);
    json_int(&json, "end", facts->end_ns + options->shift_ns);
    json_string(&json, "outcome", story_outcome_name(story->outcome));
    json_bool(&json, "so_far", story->so_far);
    json_string(&json, "opened_by", story->roles_guessed ? NULL : story_side_name(STORY_CLIENT));
    json_string(&json, "closed_by", facts->closer < 0 ? NULL : story_side_name((enum story_side)facts->closer));
    json_string(&json, "closed_how", facts->how[0] ? facts->how : NULL);
    json_string(&json, "closed_evidence", story_evidence_name(facts->how_evidence));
    json_maybe_int(&json, "connect", facts->connect_ns >= 0, facts->connect_ns);
    json_maybe_int(&json, "accept_queue", facts->accept_ns >= 0, facts->accept_ns);
    json_maybe_int(&json, "first_byte", facts->first_byte_ns >= 0, facts->first_byte_ns);
    json_uint(&json, "retransmissions", story->summary.retransmissions + facts->resent);
    json_bool(&json, "touched", facts->touched);
    put_findings(&json, story);
    json_end_object(&json);
    json_newline(&json);
}

/* ---- a step a line ---- */

static const char *cause_text(const struct story *story, const struct story_cause *cause, char *text, size_t bytes)
{
    const struct story_step *step = cause->step < story->step_count ? &story->steps[cause->step] : NULL;
    if (step && step->kind == STEP_SEGMENT)
        snprintf(text, bytes, tr("answer to the %s"), step->segment->label);
    else if (cause->kind == CAUSE_UNKNOWN)
        snprintf(text, bytes, "%s", tr("unknown"));
    else
        snprintf(text, bytes, "%s%s", cause->name ? cause->name : story_cause_name(cause->kind),
                 cause->kind == CAUSE_CALL ? "()" : "");
    return text;
}

static void put_step(const struct lines_options *options, const struct story *story, const struct story_segment *segment,
                     struct buf *out)
{
    char cause[96], address[2][ADDRESS_TEXT_BYTES], clock[WORDS_BYTES], line[512];
    cause_text(story, &segment->cause, cause, sizeof(cause));
    if (!options->json) {
        bool wide = !options->width || options->width >= shown_from[SENT]; /* so wide that its columns align */
        snprintf(line, sizeof(line), "%s %+9.3f ms  %*s %s %*s  %*s%s  %s",
                 words_clock(segment->sent_ns + options->shift_ns, clock), (double)(segment->sent_ns - story->start_ns) / 1e6,
                 wide ? -columns[FROM].width : 0, address_format(&story->end[STORY_CLIENT].address, address[0]),
                 segment->side == STORY_CLIENT ? "→" : "←", wide ? -columns[TO].width : 0,
                 address_format(&story->end[STORY_SERVER].address, address[1]),
                 wide && !segment->retransmission ? -STEP_COLUMNS : 0, segment->label, segment->retransmission ? tr(" again") : "",
                 cause);
        if (options->width)
            columns_cell(out, line, options->width, false, options->ascii);
        else
            escape_text(out, line, options->ascii);
        trim(out);
        return;
    }
    struct json json = json_new(out, false);
    json_object(&json, NULL);
    json_string(&json, "type", "course");
    json_int(&json, "conn", story->number);
    for (int side = 0; side < STORY_SIDES; side++) {
        json_object(&json, story_side_name((enum story_side)side));
        json_string(&json, "addr", address_format(&story->end[side].address, address[0]));
        json_end_object(&json);
    }
    json_int(&json, "t", segment->sent_ns + options->shift_ns);
    json_string(&json, "from", story_side_name(segment->side));
    json_string(&json, "segment", segment->label);
    json_bool(&json, "again", segment->retransmission);
    json_string(&json, "cause", cause);
    json_string(&json, "evidence", story_evidence_name(segment->cause.evidence));
    json_end_object(&json);
    json_newline(&json);
}

int64_t lines_course(const struct lines_options *options, const struct story *story, int64_t after_ns, lines_taker *take,
                     void *data)
{
    struct buf line = buf_new(STEP_BYTES);
    int64_t last_ns = after_ns;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_segment *segment = story->steps[i].kind == STEP_SEGMENT ? story->steps[i].segment : NULL;
        if (!segment || !(segment->handshake || segment->teardown) || segment->sent_ns <= after_ns) continue;
        put_step(options, story, segment, &line);
        if (!line.failed) take(data, segment->sent_ns, line.data, line.length);
        buf_clear(&line);
        if (segment->sent_ns > last_ns) last_ns = segment->sent_ns;
    }
    buf_free(&line);
    return last_ns;
}

void lines_ended(const struct lines_options *options, const struct watch_facts *facts, struct buf *out)
{
    const struct story *story = facts->story;
    const struct story_end *client = &story->end[STORY_CLIENT], *server = &story->end[STORY_SERVER];
    if (options->json) {
        json_ended(options, facts, out);
        return;
    }
    char opener[64], taker[64], clock[WORDS_BYTES], took[LINE_SCALED_BYTES + LINE_SLACK], sent[LINE_SCALED_BYTES + LINE_SLACK],
        got[LINE_SCALED_BYTES + LINE_SLACK], from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES], closed[FACTS_HOW_BYTES + 16];
    closed_text(options, facts, closed, sizeof(closed));
    const char *const text[COLUMNS] = {
        [AT] = words_clock(facts->end_ns + options->shift_ns, clock),
        [TOOK] = duration_text(facts->end_ns - story->start_ns, options->ascii, took),
        [OPENER] = process_text(options, &client->process, story->roles_guessed ? "?" : "", opener, sizeof(opener)),
        [FROM] = address_format(&client->address, from),
        [TO] = address_format(&server->address, to),
        [TAKER] = process_text(options, &server->process, "", taker, sizeof(taker)),
        [SENT] = amount_text(client->bytes_sent + client->bytes_missed, sent),
        [GOT] = amount_text(server->bytes_sent + server->bytes_missed, got),
        [OUTCOME] = story_outcome_name(story->outcome),
        [CLOSED] = closed,
    };
    row(options, text, out);
    say_containers(options, facts->cgroup, out);
    findings(options, story, out);
    if (facts->touched)
        columns_below(out, tr("events were lost while it was open: some of it may be missing"), options->width, options->ascii);
}

/* ---- troubles ---- */

const char *lines_trouble_name(enum watch_trouble trouble)
{
    static const char *const names[TROUBLES] = {"none",           "close-wait",  "syn-unanswered",
                                                "fin-unanswered", "zero-window", "queue-full"};
    return (unsigned)trouble < TROUBLES ? names[trouble] : "?";
}

static void trouble_text(const struct teller_glance *glance, enum watch_trouble trouble, enum story_side side, int64_t ns,
                         char *text, size_t bytes)
{
    char since[WORDS_BYTES];
    words_duration(ns, since);
    switch (trouble) {
    case TROUBLE_CLOSE_WAIT:
        snprintf(text, bytes, tr("%s in CLOSE_WAIT for %s"), story_side_word(side), since);
        break;
    case TROUBLE_UNANSWERED:
        snprintf(text, bytes, tr("%" PRIu32 " SYN%s unanswered for %s"), glance->unanswered, glance->unanswered == 1 ? "" : "s",
                 since);
        break;
    case TROUBLE_NO_ANSWER:
        snprintf(text, bytes, tr("no answer to the %s's FIN for %s"), story_side_word(side), since);
        break;
    case TROUBLE_ZERO_WINDOW:
        snprintf(text, bytes, tr("%s's window is closed for %s"), story_side_word(side), since);
        break;
    case TROUBLE_QUEUE_FULL:
        snprintf(text, bytes, tr("accept queue full: %" PRIu32 " wait, backlog %" PRIu32), glance->queue, glance->queue_most);
        break;
    default:
        text[0] = 0;
    }
}

void lines_trouble(const struct lines_options *options, const struct lines_trouble *what, struct buf *out)
{
    const struct teller_glance *glance = what->glance;
    enum watch_trouble trouble = what->trouble;
    enum story_side side = what->side;
    int64_t ns = what->now_ns - what->since_ns, now_ns = what->now_ns + options->shift_ns;
    char text[128];
    trouble_text(glance, trouble, side, ns, text, sizeof(text));
    if (options->json) {
        struct json json = json_new(out, false);
        json_object(&json, NULL);
        json_string(&json, "type", "trouble");
        json_int(&json, "conn", glance->number);
        json_string(&json, "trouble", lines_trouble_name(trouble));
        json_string(&json, "end", story_side_name(side));
        json_int(&json, "t", now_ns);
        json_int(&json, "for", ns);
        for (int i = 0; i < STORY_SIDES; i++) {
            put_end(&json, (enum story_side)i, &glance->end[i], &glance->process[i], glance->state[i], what->cgroup[i]);
            json_end_object(&json);
        }
        put_findings(&json, what->story);
        json_end_object(&json);
        json_newline(&json);
        return;
    }
    char opener[64], taker[64], clock[WORDS_BYTES], from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES];
    const char *const cells[COLUMNS] = {
        [AT] = words_clock(now_ns, clock),
        [TOOK] = tr("open"),
        [OPENER] = process_text(options, &glance->process[STORY_CLIENT], glance->roles_guessed ? "?" : "", opener, sizeof(opener)),
        [FROM] = address_format(&glance->end[STORY_CLIENT], from),
        [TO] = address_format(&glance->end[STORY_SERVER], to),
        [TAKER] = process_text(options, &glance->process[STORY_SERVER], "", taker, sizeof(taker)),
        [SENT] = "",
        [GOT] = "",
        [OUTCOME] = tr("trouble"),
        [CLOSED] = lines_trouble_name(trouble),
    };
    row(options, cells, out);
    columns_below(out, text, options->width, options->ascii);
    say_containers(options, what->cgroup, out);
    if (what->story) findings(options, what->story, out);
}
