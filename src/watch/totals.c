#include "watch/totals.h"
#include "base/lang.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "viz/pen/escape.h"
#include "viz/plan/words.h"

/* ---- durations ---- */

static size_t class_of(int64_t ns)
{
    uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;
    if (us < SPREAD_STEPS) return (size_t)us;
    unsigned power = 63U - (unsigned)__builtin_clzll(us); /* >= 3 */
    size_t class = (size_t)(power - 2) * SPREAD_STEPS + (size_t)(us >> (power - 3) & (SPREAD_STEPS - 1));
    return class < SPREAD_CLASSES ? class : SPREAD_CLASSES - 1;
}

/* The first duration that is above the class. */
static int64_t class_end_ns(size_t class)
{
    if (class < SPREAD_STEPS) return (int64_t)(class + 1) * 1000;
    unsigned power = (unsigned)(class / SPREAD_STEPS) + 2;
    uint64_t us = ((uint64_t)1 << power) + ((uint64_t)(class % SPREAD_STEPS + 1) << (power - 3));
    return us < INT64_MAX / 1000 ? (int64_t)us * 1000 : INT64_MAX;
}

void spread_add(struct spread *spread, int64_t ns)
{
    if (ns < 0) return;
    spread->count++;
    spread->sum_us += (uint64_t)ns / 1000;
    if (ns > spread->most_ns) spread->most_ns = ns;
    spread->classes[class_of(ns)]++;
}

int64_t spread_percentile(const struct spread *spread, double percent)
{
    uint64_t below = 0, rank = (uint64_t)((double)spread->count * percent / 100 + 0.9999); /* of the one that is asked for */
    if (!spread->count) return -1;
    for (size_t i = 0; i < SPREAD_CLASSES; i++) {
        below += spread->classes[i];
        if (below < rank) continue;
        int64_t end = class_end_ns(i);
        return end < spread->most_ns ? end : spread->most_ns;
    }
    return spread->most_ns;
}

uint64_t spread_until(const struct spread *spread, int64_t ns)
{
    uint64_t count = 0;
    for (size_t i = 0; i < SPREAD_CLASSES && class_end_ns(i) <= ns; i++) count += spread->classes[i];
    return count;
}

/* ---- adding up ---- */

static void add_slow(struct totals *totals, const struct watch_facts *facts)
{
    size_t at = totals->slow_count;
    while (at > 0 && totals->slowest[at - 1].ns < facts->connect_ns) at--;
    if (at == TOTALS_SLOWEST) return;
    if (totals->slow_count < TOTALS_SLOWEST) totals->slow_count++;
    for (size_t i = totals->slow_count - 1; i > at; i--) totals->slowest[i] = totals->slowest[i - 1];
    struct totals_slow *slow = &totals->slowest[at];
    *slow = (struct totals_slow){.ns = facts->connect_ns, .number = facts->story->number};
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_end *end = &facts->story->end[side];
        slow->end[side] = end->address;
        slow->pid[side] = end->process.pid;
        if (end->process.comm) snprintf(slow->comm[side], sizeof(slow->comm[side]), "%s", end->process.comm);
    }
}

static void add_findings(struct totals *totals, const struct story *story)
{
    size_t count;
    const char *const *ids = story_finding_ids(&count);
    for (size_t i = 0; i < story->finding_count; i++)
        for (size_t k = 0; k < count && k < TOTALS_FINDINGS; k++)
            if (strcmp(ids[k], story->findings[i].id) == 0) totals->findings[k]++;
}

void totals_add(struct totals *totals, const struct watch_facts *facts)
{
    const struct story *story = facts->story;
    totals->connections++;
    totals->outcomes[story->outcome]++;
    for (int side = 0; side < STORY_SIDES; side++)
        totals->bytes[side] += story->end[side].bytes_sent + story->end[side].bytes_missed;
    for (int i = 0; i < STORY_REPEATS; i++) totals->repeats[i] += facts->repeats[i];
    spread_add(&totals->connect, facts->connect_ns);
    spread_add(&totals->accept, facts->accept_ns);
    spread_add(&totals->first_byte, facts->first_byte_ns);
    spread_add(&totals->lasted, facts->end_ns - story->start_ns);
    if (facts->connect_ns >= 0) add_slow(totals, facts);
    add_findings(totals, story);
}

void totals_repeat(struct totals *totals, enum story_repeat repeat, uint32_t count)
{
    totals->repeats[repeat] += count;
}

/* ---- saying it ---- */

void totals_label(struct buf *out, const char *label)
{
    enum { LABEL_COLUMNS = 13 };
    const char *words = tr(label);
    int columns = escape_text_columns(words);
    buf_printf(out, "%s%*s ", words, columns < LABEL_COLUMNS ? LABEL_COLUMNS - columns : 0, "");
}

static void say_spread(struct buf *out, const char *name, const struct spread *spread)
{
    char half[WORDS_BYTES], most[WORDS_BYTES], nearly[WORDS_BYTES], tail[WORDS_BYTES];
    if (!spread->count) return;
    totals_label(out, name);
    buf_printf(out, tr("50 %% %s, 90 %% %s, 99 %% %s, longest %s (of %" PRIu64 ")\n"),
               words_duration(spread_percentile(spread, 50), half), words_duration(spread_percentile(spread, 90), nearly),
               words_duration(spread_percentile(spread, 99), tail), words_duration(spread->most_ns, most), spread->count);
}

static void say_counts(struct buf *out, const char *name, const uint64_t *counts, size_t count, const char *(*word)(size_t))
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!counts[i]) continue;
        char number[WORDS_BYTES];
        if (!any) totals_label(out, name);
        buf_printf(out, "%s%s %s", any ? ", " : "", words_grouped(counts[i], number), word(i));
        any = true;
    }
    if (any) buf_char(out, '\n');
}

static const char *outcome_word(size_t i)
{
    return story_outcome_word((enum story_outcome)i);
}

static const char *repeat_word(size_t i)
{
    const char *name = story_repeat_name((enum story_repeat)i);
    return name ? name : tr("other");
}

static const char *finding_word(size_t i)
{
    size_t count;
    const char *const *ids = story_finding_ids(&count);
    return i < count ? ids[i] : "?";
}

static void say_slowest(struct buf *out, const struct totals *totals)
{
    for (size_t i = 0; i < totals->slow_count; i++) {
        const struct totals_slow *slow = &totals->slowest[i];
        char took[WORDS_BYTES], from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES];
        totals_label(out, i ? "" : TR("slowest"));
        buf_printf(out, "%s  ", words_duration(slow->ns, took));
        escape_text(out, slow->comm[STORY_CLIENT][0] ? slow->comm[STORY_CLIENT] : "?", false);
        buf_printf(out, tr("[%d] %s to %s\n"), slow->pid[STORY_CLIENT], address_format(&slow->end[STORY_CLIENT], from),
                   address_format(&slow->end[STORY_SERVER], to));
    }
}

/* A look-alike for what a plain terminal has not. */
static void plain(struct buf *out, size_t from)
{
    struct buf copy = buf_new(1 << 20);
    buf_append(&copy, out->data + from, out->length - from);
    out->length = from;
    for (size_t at = 0; at < copy.length;) {
        char piece[ESCAPE_PIECE_BYTES];
        if (copy.data[at] == '\n') {
            buf_char(out, '\n');
            at++;
            continue;
        }
        at += escape_next(copy.data + at, copy.length - at, true, piece);
        buf_text(out, piece);
    }
    buf_free(&copy);
}

void totals_write(const struct totals *totals, uint64_t open, bool ascii, struct buf *out)
{
    char ended[WORDS_BYTES], still[WORDS_BYTES], sent[WORDS_BYTES], received[WORDS_BYTES];
    size_t from = out->length;
    totals_label(out, TR("connections"));
    buf_printf(out, tr("%s ended, %s open\n"), words_grouped(totals->connections, ended), words_grouped(open, still));
    if (totals->hidden) {
        totals_label(out, TR("left out"));
        buf_printf(out, tr("%s of them: nothing was found (--only-findings)\n"), words_grouped(totals->hidden, still));
    }
    if (totals->given_up) {
        totals_label(out, TR("given up"));
        buf_printf(out, tr("%s were followed no further: too many were open (--memory), or they were silent for hours\n"),
                   words_grouped(totals->given_up, still));
    }
    say_counts(out, TR("outcomes"), totals->outcomes, OUTCOMES, outcome_word);
    say_counts(out, TR("findings"), totals->findings, TOTALS_FINDINGS, finding_word);
    say_spread(out, TR("connect"), &totals->connect);
    say_spread(out, TR("accept queue"), &totals->accept);
    say_spread(out, TR("first byte"), &totals->first_byte);
    say_spread(out, TR("lasted"), &totals->lasted);
    say_slowest(out, totals);
    say_counts(out, TR("sent again"), totals->repeats, STORY_REPEATS, repeat_word);
    totals_label(out, TR("data"));
    buf_printf(out, tr("clients sent %s bytes, servers %s\n"), words_grouped(totals->bytes[STORY_CLIENT], sent),
               words_grouped(totals->bytes[STORY_SERVER], received));
    if (ascii && out->data) plain(out, from);
}

static void put_spread(struct json *json, const char *key, const struct spread *spread)
{
    json_object(json, key);
    json_uint(json, "count", spread->count);
    json_maybe_int(json, "p50", spread->count, spread_percentile(spread, 50));
    json_maybe_int(json, "p90", spread->count, spread_percentile(spread, 90));
    json_maybe_int(json, "p99", spread->count, spread_percentile(spread, 99));
    json_maybe_int(json, "most", spread->count, spread->most_ns);
    json_end_object(json);
}

static void put_counts(struct json *json, const char *key, const uint64_t *counts, size_t count, const char *(*word)(size_t))
{
    json_object(json, key);
    for (size_t i = 0; i < count; i++)
        if (counts[i]) json_uint(json, word(i), counts[i]);
    json_end_object(json);
}

static void put_slowest(struct json *json, const struct totals *totals)
{
    char text[ADDRESS_TEXT_BYTES];
    json_array(json, "slowest");
    for (size_t i = 0; i < totals->slow_count; i++) {
        const struct totals_slow *slow = &totals->slowest[i];
        json_object(json, NULL);
        json_uint(json, "conn", slow->number);
        json_int(json, "connect", slow->ns);
        for (int side = 0; side < STORY_SIDES; side++) {
            json_object(json, story_side_name((enum story_side)side));
            json_string(json, "addr", address_format(&slow->end[side], text));
            json_maybe_int(json, "pid", slow->pid[side] != 0, slow->pid[side]);
            json_string(json, "comm", slow->comm[side][0] ? slow->comm[side] : NULL);
            json_end_object(json);
        }
        json_end_object(json);
    }
    json_end_array(json);
}

void totals_put(const struct totals *totals, uint64_t open, struct json *json)
{
    json_uint(json, "connections", totals->connections);
    json_uint(json, "open", open);
    json_uint(json, "hidden", totals->hidden);
    json_uint(json, "given_up", totals->given_up);
    put_counts(json, "outcomes", totals->outcomes, OUTCOMES, outcome_word);
    put_counts(json, "findings", totals->findings, TOTALS_FINDINGS, finding_word);
    put_counts(json, "sent_again", totals->repeats, STORY_REPEATS, repeat_word);
    put_spread(json, "connect", &totals->connect);
    put_spread(json, "accept_queue", &totals->accept);
    put_spread(json, "first_byte", &totals->first_byte);
    put_spread(json, "lasted", &totals->lasted);
    put_slowest(json, totals);
    json_uint(json, "client_bytes", totals->bytes[STORY_CLIENT]);
    json_uint(json, "server_bytes", totals->bytes[STORY_SERVER]);
}
