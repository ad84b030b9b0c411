/* What a run says as a whole: how many stories, how they ended, who recorded them, and what was lost. */
#include <inttypes.h>
#include <string.h>

#include "base/lang.h"
#include "viz/plan/facts.h"

enum layout_style facts_outcome_style(enum story_outcome outcome)
{
    return outcome == OUTCOME_CLOSED ? STYLE_BOLD : outcome == OUTCOME_OPEN ? STYLE_PLAIN : STYLE_ALARM;
}

static void tell_totals(struct facts *facts, const struct facts_totals *totals)
{
    struct phrase *text = &facts->text;
    if (totals->stories == 1) return;
    if (totals->stories == 0)
        phrase_add(text, STYLE_BOLD, tr("no connection was seen"));
    else
        phrase_addf(text, STYLE_BOLD, tr("%" PRIu64 " connections"), totals->stories);
    const char *between = tr(": ");
    for (int outcome = 0; outcome < OUTCOMES; outcome++) {
        if (totals->outcomes[outcome] == 0) continue;
        phrase_add(text, STYLE_PLAIN, between);
        phrase_addf(text, facts_outcome_style((enum story_outcome)outcome), "%" PRIu64 " %s", totals->outcomes[outcome],
                    story_outcome_word((enum story_outcome)outcome));
        between = tr(", ");
    }
    if (totals->udp) phrase_addf(text, STYLE_PLAIN, "%s%" PRIu64 " UDP", between, totals->udp);
    if (totals->findings) {
        phrase_add(text, STYLE_PLAIN, tr("; "));
        phrase_addf(text, STYLE_PLAIN, ntr("%" PRIu64 " finding", "%" PRIu64 " findings", totals->findings), totals->findings);
    }
    facts_put(facts, STYLE_PLAIN, "");
}

/* One source, all its kinds of loss together. */
static void add_source(struct phrase *text, const struct story_trace *trace, size_t first)
{
    const struct story_loss *loss = &trace->losses[first];
    uint64_t received = loss->received;
    for (size_t k = first; k < trace->loss_count; k++)
        if (strcmp(trace->losses[k].source, loss->source) == 0 && trace->losses[k].received > received)
            received = trace->losses[k].received;
    bool is_capture = strncmp(loss->source, "capture", strlen("capture")) == 0;
    phrase_addf(text, STYLE_PLAIN, is_capture ? tr("%s %" PRIu64 " packets") : tr("%s %" PRIu64 " events"), loss->source, received);
    bool any = false;
    for (size_t k = first; k < trace->loss_count; k++) {
        if (strcmp(trace->losses[k].source, loss->source) != 0 || trace->losses[k].count == 0) continue;
        phrase_addf(text, STYLE_ALARM, tr(", %" PRIu64 " lost (%s)"), trace->losses[k].count, tr(trace->losses[k].what));
        any = true;
    }
    if (!any) phrase_add(text, STYLE_PLAIN, tr(", 0 lost"));
    for (size_t k = first; k < trace->loss_count; k++) /* what this kernel never had is not lost */
        if (strcmp(trace->losses[k].source, loss->source) == 0 && strncmp(trace->losses[k].what, "without ", 8) == 0)
            phrase_addf(text, STYLE_PLAIN, tr("; this kernel is %s"), tr(trace->losses[k].what));
}

/* Nothing is missing but rows of waits for many connections at once in the ladders of some of these (capture/bpf/calls_bpf.c). */
static uint64_t cut_of(const struct story_trace *trace)
{
    uint64_t cut = 0;
    for (size_t i = 0; i < trace->loss_count; i++)
        if (strcmp(trace->losses[i].what, "watch lists cut") == 0) cut += trace->losses[i].count;
    return cut;
}

void facts_losses(const struct story_trace *trace, struct facts *facts)
{
    struct phrase *text = &facts->text;
    uint64_t cut = cut_of(trace), all = 0;
    for (size_t i = 0; i < trace->loss_count; i++) all += trace->losses[i].count;
    if (trace->dropped || trace->lost > cut || all > cut)
        phrase_add(text, STYLE_ALARM, tr("something was lost: what is shown may lack steps and causes. "));
    else if (cut)
        phrase_add(text, STYLE_BOLD,
                   tr("nothing lost, but of calls that waited for many connections at once, which stand in the ladders of some: "));
    else if (trace->loss_count)
        phrase_add(text, STYLE_BOLD, tr("nothing lost: "));
    const char *between = "";
    for (size_t i = 0; i < trace->loss_count; i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++) told = strcmp(trace->losses[k].source, trace->losses[i].source) == 0;
        if (told) continue;
        phrase_add(text, STYLE_PLAIN, between);
        add_source(text, trace, i);
        between = tr("; ");
    }
    facts_put(facts, STYLE_PLAIN, "");
    if (!trace->marks_unjoined && !trace->packets_unmarked) return;
    phrase_addf(text, STYLE_PLAIN,
                tr("not joined: %" PRIu64 " kernel marks found no packet, %" PRIu64 " packets found no kernel mark"),
                trace->marks_unjoined, trace->packets_unmarked);
    facts_put(facts, STYLE_PLAIN, "");
}

/* Why this recorder: an event's English, whose parts are sentences. */
static void add_reason(struct phrase *text, const char *reason)
{
    static const char no_bpf[] = TR("auto: no bpf: ");
    bool without = strncmp(reason, no_bpf, strlen(no_bpf)) == 0;
    if (without) phrase_add(text, STYLE_PLAIN, tr(no_bpf));
    phrase_add(text, STYLE_PLAIN, tr(reason + (without ? strlen(no_bpf) : 0)));
}

void facts_run(const struct facts_totals *totals, const struct story_trace *trace, struct facts *facts)
{
    struct phrase *text = &facts->text;
    tell_totals(facts, totals);
    phrase_addf(text, STYLE_PLAIN, tr("recorded by %s"), trace->recorder ? trace->recorder : "?");
    for (size_t i = 0; i < trace->vantage_count; i++) {
        phrase_add(text, STYLE_PLAIN, i == 0 ? tr(", packets on ") : tr(", "));
        phrase_add(text, STYLE_PLAIN, trace->vantages[i]);
    }
    if (trace->reason && *trace->reason) {
        phrase_add(text, STYLE_PLAIN, tr("; "));
        add_reason(text, trace->reason);
    }
    facts_put(facts, STYLE_PLAIN, "");
    facts_losses(trace, facts);
}

void facts_count(struct facts_totals *totals, const struct story *story)
{
    totals->stories++;
    totals->findings += story->finding_count;
    if (story->udp)
        totals->udp++;
    else
        totals->outcomes[story->outcome]++;
}
