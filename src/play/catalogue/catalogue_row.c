#include "play/catalogue/catalogue_row.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "viz/pen/escape.h"
#include "viz/pen/json.h"

static const char *const hosts[] = {"client", "server"};

/* ---- filling ---- */

void catalogue_add_words(struct catalogue_row *row, const char *text)
{
    size_t used = strlen(row->words);
    snprintf(row->words + used, sizeof(row->words) - used, "%s%s", used ? "\n" : "", text);
}

void catalogue_fill_stories(struct catalogue_row *row, const struct scenario *scenario, const struct play_stories *stories)
{
    row->connections = stories->count;
    for (size_t i = 0; i < stories->count; i++) {
        const struct story_summary *summary = &stories->list[i]->summary;
        for (size_t k = 0; k < CATALOGUE_EVIDENCES; k++) row->evidence[k] += summary->causes_by_evidence[k];
        row->evidence[EVIDENCE_NONE] += summary->causes_unknown;
    }
    for (int host = 0; host < 2 && stories->count; host++)
        judge_states(stories->list[0], judge_side(scenario, stories->list[0], (enum scenario_side)host), row->states[host],
                     sizeof(row->states[host]));
}

void catalogue_fill_judgement(struct catalogue_row *row, const struct judgement *judgement)
{
    char line[480];
    row->met = judgement->met;
    row->unmet = judgement->unmet;
    row->unknown = judgement->unknown;
    row->count = judgement->count;
    for (size_t i = 0; i < judgement->count; i++) {
        if (judgement->list[i].verdict == JUDGE_MET) continue;
        snprintf(line, sizeof(line), tr("line %u: %s"), judgement->list[i].line, judgement->list[i].text);
        catalogue_add_words(row, line);
    }
}

void catalogue_add_totals(struct catalogue_totals *totals, const struct catalogue_row *row)
{
    totals->scenarios++;
    totals->results[row->result]++;
    totals->met += row->met;
    totals->unmet += row->unmet;
    totals->unknown += row->unknown;
    totals->count += row->count;
    for (size_t k = 0; k < CATALOGUE_EVIDENCES; k++) totals->evidence[k] += row->evidence[k];
}

/* The next line of `*text`, cut off and NUL-terminated in `line`; false: there is none. */
static bool next_line(const char **text, char *line, size_t line_bytes)
{
    size_t length = strcspn(*text, "\n");
    if (!**text) return false;
    snprintf(line, line_bytes, "%.*s", (int)length, *text);
    *text += length + ((*text)[length] == '\n');
    return true;
}

static const char *evidence_name(int evidence)
{
    return evidence ? story_evidence_name((enum story_evidence)evidence) : "unknown";
}

/* ---- the table ---- */

static int text_row(struct buf *out, const char *name, const struct catalogue_row *row, bool ascii)
{
    static const char *const words[] = {TR("met"), TR("NOT MET"), TR("not here"), TR("FAILED")};
    char expectations[64] = "", causes[96] = "", line[CATALOGUE_WORDS_BYTES];
    size_t used = 0;
    if (row->count) snprintf(expectations, sizeof(expectations), tr("%zu of %zu"), row->met, row->count);
    for (int evidence = EVIDENCE_STACK; evidence >= EVIDENCE_NONE && used < sizeof(causes); evidence--)
        if (row->evidence[evidence])
            used += (size_t)snprintf(causes + used, sizeof(causes) - used, "%s%s %u", used ? ", " : "", evidence_name(evidence),
                                     row->evidence[evidence]);
    struct buf safe = buf_new(4096); /* a file's name may be anything */
    escape_text(&safe, name, ascii);
    buf_printf(out, "%-28s %-8s %-9s %-34s %5.1f s\n", buf_string(&safe), tr(words[row->result]), expectations, causes,
               (double)row->took_ms / 1000);
    buf_free(&safe);
    for (int host = 0; host < 2; host++)
        if (row->states[host][0]) buf_printf(out, "    %s  %s\n", hosts[host], row->states[host]);
    if (row->connections > 1) buf_printf(out, tr("    (the first of %zu connections)\n"), row->connections);
    for (const char *text = row->words; next_line(&text, line, sizeof(line));) {
        buf_text(out, "    ! ");
        escape_text(out, line, ascii);
        buf_char(out, '\n');
    }
    return out->failed ? -ENOMEM : 0;
}

static int text_totals(struct buf *out, const struct catalogue_totals *totals, bool ascii)
{
    (void)ascii;
    buf_printf(out, tr("\n%zu scenarios: %zu met, %zu not met, %zu failed, %zu can't be shown here\n"), totals->scenarios,
               totals->results[CATALOGUE_MET], totals->results[CATALOGUE_UNMET], totals->results[CATALOGUE_FAILED],
               totals->results[CATALOGUE_NOT_HERE]);
    buf_printf(out, tr("%zu expectations: %zu met, %zu not met, %zu can't be told with this recorder\n"), totals->count,
               totals->met, totals->unmet, totals->unknown);
    buf_text(out, tr("causes by evidence:"));
    for (int evidence = EVIDENCE_STACK; evidence >= EVIDENCE_NONE; evidence--)
        buf_printf(out, " %s %u%s", evidence_name(evidence), totals->evidence[evidence], evidence ? "," : "\n");
    return out->failed ? -ENOMEM : 0;
}

/* ---- JSON lines ---- */

static const char *const results[] = {"met", "not-met", "not-here", "failed"};

static void put_expectations(struct json *json, size_t count, size_t met, size_t unmet, size_t unknown)
{
    json_object(json, "expectations");
    json_uint(json, "all", count);
    json_uint(json, "met", met);
    json_uint(json, "not_met", unmet);
    json_uint(json, "unknown", unknown);
    json_end_object(json);
}

static void put_causes(struct json *json, const uint32_t evidence[CATALOGUE_EVIDENCES])
{
    json_object(json, "causes");
    for (int i = EVIDENCE_STACK; i >= EVIDENCE_NONE; i--) json_uint(json, evidence_name(i), evidence[i]);
    json_end_object(json);
}

static void put_states(struct json *json, const struct catalogue_row *row)
{
    json_object(json, "states");
    for (int host = 0; host < 2; host++) {
        json_array(json, hosts[host]);
        for (const char *text = row->states[host]; *text;) {
            char state[32];
            size_t length = strcspn(text, " ");
            snprintf(state, sizeof(state), "%.*s", (int)length, text);
            json_string(json, NULL, state);
            text += length + (text[length] == ' ');
        }
        json_end_array(json);
    }
    json_end_object(json);
}

static int json_row(struct buf *out, const char *name, const struct catalogue_row *row, bool ascii)
{
    struct json json = json_new(out, ascii);
    char line[CATALOGUE_WORDS_BYTES];
    json_object(&json, NULL);
    json_string(&json, "type", "scenario");
    json_string(&json, "name", name);
    json_string(&json, "title", row->title[0] ? row->title : NULL);
    json_string(&json, "result", results[row->result]);
    put_expectations(&json, row->count, row->met, row->unmet, row->unknown);
    put_causes(&json, row->evidence);
    json_uint(&json, "connections", row->connections);
    put_states(&json, row);
    json_object(&json, "lesson");
    json_uint(&json, "rows", row->lesson_rows);
    json_uint(&json, "columns", row->lesson_columns);
    json_end_object(&json);
    json_string(&json, "recorder", row->recorder[0] ? row->recorder : NULL);
    json_int(&json, "took", row->took_ms * 1000000);
    json_array(&json, "messages");
    for (const char *text = row->words; next_line(&text, line, sizeof(line));) json_string(&json, NULL, line);
    json_end_array(&json);
    json_end_object(&json);
    json_newline(&json);
    return out->failed ? -ENOMEM : 0;
}

static int json_totals(struct buf *out, const struct catalogue_totals *totals, bool ascii)
{
    struct json json = json_new(out, ascii);
    json_object(&json, NULL);
    json_string(&json, "type", "scenarios");
    json_uint(&json, "scenarios", totals->scenarios);
    json_object(&json, "results");
    for (size_t i = 0; i < CATALOGUE_RESULTS; i++) json_uint(&json, results[i], totals->results[i]);
    json_end_object(&json);
    put_expectations(&json, totals->count, totals->met, totals->unmet, totals->unknown);
    put_causes(&json, totals->evidence);
    json_int(&json, "took", totals->took_ms * 1000000);
    json_end_object(&json);
    json_newline(&json);
    return out->failed ? -ENOMEM : 0;
}

const struct catalogue_format *catalogue_formats(size_t *ret_count)
{
    static const struct catalogue_format formats[] = {
        {"text", ".txt", text_row, text_totals},
        {"jsonl", ".jsonl", json_row, json_totals},
    };
    *ret_count = sizeof(formats) / sizeof(formats[0]);
    return formats;
}
