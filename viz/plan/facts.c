#include "viz/plan/facts.h"
#include "base/lang.h"

#include <inttypes.h>
#include <string.h>

#include "viz/plan/words.h"

struct facts facts_new(struct arena *arena)
{
    return (struct facts){.text = phrase_new(arena)};
}

void facts_put(struct facts *facts, enum layout_style style, const char *key)
{
    struct phrase words = facts->text;
    facts->failed = facts->failed || words.failed;
    facts->text = phrase_new(words.arena);
    if (words.count == 0) return;
    if (facts->count == facts->capacity) {
        size_t capacity = facts->capacity ? facts->capacity * 2 : 16;
        struct fact *list = arena_alloc(words.arena, capacity * sizeof(*list));
        if (!list) {
            facts->failed = true;
            return;
        }
        if (facts->count) memcpy(list, facts->list, facts->count * sizeof(*list));
        facts->list = list;
        facts->capacity = capacity;
    }
    facts->list[facts->count++] = (struct fact){style, key, words};
}

void facts_headline(const struct story *story, struct phrase *text)
{
    phrase_addf(text, STYLE_BOLD, "conn %s%" PRIu32, story->numbered_apart ? "u" : "", story->number);
    phrase_add(text, STYLE_PLAIN, story->udp ? ": UDP" : ": ");
    if (story->udp && story->outcome != OUTCOME_REFUSED) return;
    if (story->udp) phrase_add(text, STYLE_PLAIN, ", ");
    phrase_add(text, facts_outcome_style(story->outcome), story_outcome_word(story->outcome));
}

void facts_end(const struct story *story, enum story_side side, struct phrase *text)
{
    char address[ADDRESS_TEXT_BYTES];
    const struct story_end *end = &story->end[side];
    phrase_add(text, STYLE_PLAIN, address_format(&end->address, address));
    if (end->process.comm || end->process.pid) phrase_add(text, STYLE_PLAIN, " ");
    words_process(text, side == STORY_CLIENT ? STYLE_CLIENT_BOLD : STYLE_SERVER_BOLD, &end->process);
}

static void add_side(struct phrase *text, const struct story *story, int32_t side)
{
    if (side < 0 || side >= STORY_SIDES) return;
    enum layout_style style = side == STORY_CLIENT ? STYLE_CLIENT_BOLD : STYLE_SERVER_BOLD;
    phrase_addf(text, style, "%s", story_side_word((enum story_side)side));
    const char *comm = story->end[side].process.comm;
    if (!comm || !*comm || !strcmp(comm, story_side_name((enum story_side)side))) return; /* a process that is called "client" */
    phrase_add(text, STYLE_PLAIN, " ");
    phrase_add(text, STYLE_PLAIN, comm);
}

/* "by the client echo-client": a sentence with that end in it. */
static void add_by_side(struct phrase *text, const struct story *story, int32_t side, const char *sentence)
{
    struct phrase end = phrase_new(text->arena);
    add_side(&end, story, side);
    phrase_fill(text, STYLE_PLAIN, sentence, &end, 1);
}

/* Its process waited for this before it could call connect(). */
static void tell_lookup(struct facts *facts, const struct story *story)
{
    static const int64_t NOTICED_NS = 100000000;
    const struct story_time *time = &story->time;
    char words[WORDS_BYTES], address[ADDRESS_TEXT_BYTES];
    if (!time->before_ns) return;
    phrase_addf(&facts->text, time->asked_ns >= NOTICED_NS ? STYLE_ALARM : STYLE_PLAIN, "%s",
                words_duration(time->asked_ns, words));
    if (time->questions)
        phrase_addf(&facts->text, STYLE_PLAIN,
                    ntr(" before connect(): %s was asked, %" PRIu32 " question",
                        " before connect(): %s was asked, %" PRIu32 " questions", time->questions),
                    address_format(&time->asked, address), time->questions);
    else
        phrase_addf(&facts->text, STYLE_PLAIN, tr(" before connect(): %s was asked, over TCP"),
                    address_format(&time->asked, address));
    facts_put(facts, STYLE_DIM, tr("name lookup"));
}

static void tell_opening(struct facts *facts, const struct story *story)
{
    const struct story_summary *summary = &story->summary;
    char words[WORDS_BYTES];
    tell_lookup(facts, story);
    if (summary->opened_by >= 0) {
        add_by_side(&facts->text, story, summary->opened_by, tr("by the %s"));
        facts_put(facts, STYLE_DIM, tr("opened"));
    }

    if (summary->handshake_ns >= 0) {
        phrase_addf(&facts->text, STYLE_BOLD, "%s", words_duration(summary->handshake_ns, words));
        phrase_add(&facts->text, STYLE_PLAIN, " SYN → ACK");
        const char *between = tr(": ");
        if (summary->handshake_timer_ns > 0) {
            phrase_add(&facts->text, STYLE_PLAIN, between);
            phrase_addf(&facts->text, STYLE_ALARM, tr("%s of it waited for the retransmission timer"),
                        words_duration(summary->handshake_timer_ns, words));
            between = tr(", ");
        }
        if (summary->handshake_network_ns >= 0) {
            phrase_addf(&facts->text, STYLE_PLAIN, tr("%snetwork %s (SYN → SYN-ACK)"), between,
                        words_duration(summary->handshake_network_ns, words));
            between = tr(", ");
        }
        if (summary->handshake_process_ns >= 0)
            phrase_addf(&facts->text, STYLE_PLAIN, tr("%sprocess %s (connect() → SYN, ACK → return)"), between,
                        words_duration(summary->handshake_process_ns, words));
        facts_put(facts, STYLE_DIM, tr("handshake"));
    }
    if (summary->accept_wait_ns >= 0) {
        phrase_addf(&facts->text, STYLE_PLAIN, tr("accept() returned %s after the handshake was complete"),
                    words_duration(summary->accept_wait_ns, words));
        facts_put(facts, STYLE_DIM, tr("accept wait"));
    }
}

static void tell_closing(struct facts *facts, const struct story *story)
{
    const struct story_summary *summary = &story->summary;
    if (story->udp) return;
    if (summary->closed_first_by >= 0) {
        add_by_side(&facts->text, story, summary->closed_first_by, tr("by the %s"));
    } else {
        phrase_add(&facts->text, STYLE_PLAIN,
                   summary->closed_first_unsure ? tr("not known: what was captured can't tell which end was first")
                                                : tr("by nobody"));
    }
    facts_put(facts, STYLE_DIM, tr("closed first"));
    if (summary->time_wait_side >= 0) {
        if (summary->time_wait_side == STORY_SIDES)
            phrase_add(&facts->text, STYLE_PLAIN, tr("held by both ends"));
        else
            add_by_side(&facts->text, story, summary->time_wait_side, tr("held by the %s"));
        if (summary->time_wait_until_ns) {
            char words[WORDS_BYTES];
            phrase_addf(&facts->text, STYLE_PLAIN, tr(" until %s"), words_clock(summary->time_wait_until_ns, words));
            phrase_add(&facts->text, STYLE_PLAIN, tr(" (the RFC's 2 MSL; Linux: TCP_TIMEWAIT_LEN, 60 s)"));
        }
        facts_put(facts, STYLE_DIM, "TIME_WAIT");
    }
}

/* "client sent 5 bytes, server sent 1 byte" */
static void add_bytes_sent(struct phrase *text, const struct story *story, bool with_missed)
{
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_end *end = &story->end[side];
        if (side) phrase_add(text, STYLE_PLAIN, tr(", "));
        phrase_addf(text, STYLE_PLAIN, ntr("%s sent %" PRIu64 " byte", "%s sent %" PRIu64 " bytes", end->bytes_sent),
                    story_side_word((enum story_side)side), end->bytes_sent);
        if (with_missed && end->bytes_missed)
            phrase_addf(text, STYLE_ALARM, tr(" (%" PRIu64 " more were not captured)"), end->bytes_missed);
    }
}

static void add_calls(struct phrase *text, uint64_t count)
{
    phrase_addf(text, STYLE_PLAIN, ntr("%" PRIu64 " call", "%" PRIu64 " calls", count), count);
}

static void tell_amounts(struct facts *facts, const struct story *story)
{
    const struct story_summary *summary = &story->summary;
    struct phrase *text = &facts->text;
    add_bytes_sent(text, story, true);
    facts_put(facts, STYLE_DIM, tr("data"));

    uint64_t seen = story->udp ? summary->datagrams : summary->segments;
    phrase_addf(text, STYLE_PLAIN,
                story->udp ? ntr("%" PRIu64 " datagram", "%" PRIu64 " datagrams", seen)
                           : ntr("%" PRIu64 " segment", "%" PRIu64 " segments", seen),
                seen);
    if (summary->retransmissions) phrase_addf(text, STYLE_ALARM, tr(" (%" PRIu32 " retransmitted)"), summary->retransmissions);
    phrase_add(text, STYLE_PLAIN, tr(", "));
    add_calls(text, summary->calls);
    facts_put(facts, STYLE_DIM, tr("seen"));

    const char *between = "";
    for (int evidence = EVIDENCE_STACK; evidence > EVIDENCE_NONE; evidence--) {
        uint32_t count = summary->causes_by_evidence[evidence];
        if (count == 0) continue;
        phrase_add(text, STYLE_PLAIN, between);
        phrase_addf(text, words_evidence_style(CAUSE_CALL, (enum story_evidence)evidence), "%" PRIu32 " %s", count,
                    words_evidence(CAUSE_CALL, (enum story_evidence)evidence));
        between = tr(", ");
    }
    phrase_add(text, STYLE_PLAIN, between);
    phrase_addf(text, summary->causes_unknown ? STYLE_ALARM : STYLE_PLAIN, tr("%" PRIu32 " unknown"), summary->causes_unknown);
    facts_put(facts, STYLE_DIM, tr("causes from"));
}

/* The largest part that is somebody's doing, if most of a noticeable time went there. */
static bool has_dominant(const struct story_time *time)
{
    static const int64_t NOTICED_NS = 100000000;
    for (int i = 0; i < SPENT_NETWORK; i++)
        if (i != SPENT_CLIENT && time->spent_ns[i] >= NOTICED_NS && time->spent_ns[i] >= time->total_ns / 2) return true;
    return false;
}

/* Largest first; what is less than a hundredth each, together. */
static void tell_time(struct facts *facts, const struct story *story, bool in_detail)
{
    const struct story_time *time = &story->time;
    char words[WORDS_BYTES];
    if (time->total_ns <= 0 || (!in_detail && !has_dominant(time))) return;
    phrase_addf(&facts->text, STYLE_BOLD, "%s", words_duration(time->total_ns, words));
    const char *between = tr(": ");
    int64_t left_ns = time->total_ns, last_ns = INT64_MAX;
    for (int told = 0, last = -1; told < SPENTS; told++) {
        int next = -1;
        for (int i = 0; i < SPENTS; i++) {
            bool after = time->spent_ns[i] < last_ns || (time->spent_ns[i] == last_ns && i > last);
            if (after && (next < 0 || time->spent_ns[i] > time->spent_ns[next])) next = i;
        }
        if (next < 0 || time->spent_ns[next] < time->total_ns / 100 || !time->spent_ns[next]) break;
        last = next;
        last_ns = time->spent_ns[next];
        left_ns -= last_ns;
        phrase_addf(&facts->text, STYLE_PLAIN, "%s%s %s", between, words_duration(last_ns, words),
                    story_spent_words((enum story_spent)next));
        between = tr(", ");
    }
    if (left_ns > 0) phrase_addf(&facts->text, STYLE_DIM, tr("%s%s other"), between, words_duration(left_ns, words));
    facts_put(facts, STYLE_DIM, tr("time"));
}

/* The steps that prove it. */
static void add_proof(struct phrase *text, const struct story *story, const uint32_t *steps, size_t count)
{
    const char *between = " [";
    for (size_t i = 0; i < count; i++) {
        phrase_add(text, STYLE_DIM, between);
        words_step(text, STYLE_DIM, story, steps[i]);
        between = tr(", ");
    }
    if (count) phrase_add(text, STYLE_DIM, "]");
}

static void tell_findings(struct facts *facts, const struct story *story)
{
    for (size_t i = 0; i < story->finding_count; i++) {
        const struct story_finding *finding = &story->findings[i];
        bool is_note = strcmp(finding->severity, "note") == 0, is_error = strcmp(finding->severity, "error") == 0;
        phrase_add(&facts->text, STYLE_PLAIN, finding->text);
        add_proof(&facts->text, story, finding->steps, finding->step_count);
        facts_put(facts, is_error ? STYLE_ALARM : STYLE_BOLD, is_error ? tr("! error") : is_note ? tr("  note") : tr("! warning"));
    }
}

/* The sentences stand in the ladder; here is where to read on. */
static void tell_differences(struct facts *facts, const struct story *story)
{
    for (size_t i = 0; i < story->difference_count; i++) {
        const struct story_difference *difference = &story->differences[i];
        phrase_addf(&facts->text, STYLE_PLAIN, "%s: %s", difference->id, difference->reference);
        add_proof(&facts->text, story, difference->steps, difference->step_count);
        facts_put(facts, STYLE_DIM, "  Linux");
    }
}

/* What can be known by the calls alone, and what not. */
static void tell_calls_alone(struct facts *facts, const struct story *story)
{
    struct phrase *text = &facts->text;
    tell_lookup(facts, story);
    add_bytes_sent(text, story, false);
    phrase_add(text, STYLE_PLAIN, tr(", as the calls say"));
    facts_put(facts, STYLE_DIM, tr("data"));
    add_calls(text, story->summary.calls);
    phrase_add(text, STYLE_PLAIN, tr("; no packets, so no states and causes, and how it ended is what the calls got"));
    facts_put(facts, STYLE_DIM, tr("seen"));
}

void facts_story(const struct story *story, bool in_detail, struct facts *facts)
{
    if (story->calls_alone) {
        tell_calls_alone(facts, story);
        tell_findings(facts, story);
        return;
    }
    tell_opening(facts, story);
    tell_closing(facts, story);
    tell_amounts(facts, story);
    tell_time(facts, story, in_detail);
    tell_findings(facts, story);
    if (in_detail) tell_differences(facts, story);
}
