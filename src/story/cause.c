/* Why a segment was sent: rules in the order of the strength of their evidence; the first that answers, answers.
 *
 * The first group (cause_kernel.c) reads what the kernel itself showed while it sent the segment. The others have only the calls'
 * spans (cause_spans.c) and the wire (cause_wire.c); they prefer `unknown` to a guess wherever two answers are possible. */
#include "story/cause.h"
#include "story/words.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* ---- what a cause is made of ---- */

bool cause_set_call(struct telling *telling, struct tale_packet *packet, struct tale_call *call, const char *name,
                    enum story_evidence evidence)
{
    struct story_cause *cause = packet->cause;
    cause->kind = CAUSE_CALL;
    cause->evidence = evidence;
    cause->step = call ? telling_call_step(call) : STORY_NO_STEP;
    cause->name = call ? call->story->name : telling_printf(telling, "%s", name);
    cause->why = words_sent_by_call(telling, packet, call);
    return true;
}

bool cause_set_segment(struct telling *telling, struct tale_packet *packet, const struct tale_packet *by,
                       enum story_evidence evidence)
{
    struct story_cause *cause = packet->cause;
    cause->kind = CAUSE_SEGMENT;
    cause->evidence = evidence;
    cause->step = by->step;
    cause->why = words_sent_by_packet(telling, packet, by);
    return true;
}

bool cause_set_named(struct telling *telling, struct tale_packet *packet, enum story_cause_kind kind, const char *name,
                     enum story_evidence evidence)
{
    struct story_cause *cause = packet->cause;
    cause->kind = kind;
    cause->evidence = evidence;
    cause->step = STORY_NO_STEP;
    cause->name = name;
    cause->why = words_sent_by_itself(telling, packet);
    return true;
}

bool cause_set_exit(struct telling *telling, struct tale_packet *packet, uint32_t step, enum story_evidence evidence)
{
    const struct story_exit *exit = telling->story->steps[step].exit;
    struct story_cause *cause = packet->cause;
    cause->kind = CAUSE_EXIT;
    cause->evidence = evidence;
    cause->step = step;
    cause->name = exit->name;
    cause->why = words_sent_by_exit(telling, packet, exit);
    return true;
}

bool cause_set_unknown(struct tale_packet *packet, const char *why)
{
    packet->cause->kind = CAUSE_UNKNOWN;
    packet->cause->why = why;
    return true;
}

/* ---- looking back ---- */

struct tale_packet *cause_last_arrival(const struct telling *telling, enum story_side side, int64_t at_ns)
{
    const struct arrival *arrivals = telling->sweep.arrivals[side];
    size_t from = 0, to = telling->sweep.arrival_count[side];
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (arrivals[middle].t_ns <= at_ns)
            from = middle + 1;
        else
            to = middle;
    }
    while (from--) {
        struct tale_packet *packet = &telling->packets[arrivals[from].packet];
        if (packet->sent_ns < at_ns || (packet->sent_ns == at_ns && !telling->flow->to_itself)) return packet;
    }
    return NULL;
}

static bool ends_at(const struct telling *telling, const struct tale_packet *other, uint32_t ack, int64_t at_ns)
{
    if (!is_tcp(other) || header_of(other)->flags & TCP_RST || !segment_space(header_of(other))) return false;
    if (arrival_ns(other) > at_ns || telling_is_lost(telling, other)) return false;
    return header_of(other)->seq + segment_space(header_of(other)) == ack;
}

static bool is_fresh(const struct tale_packet *other)
{
    return is_tcp(other) && segment_space(header_of(other)) && !(header_of(other)->flags & TCP_RST) &&
           !other->segment->retransmission && !other->seen->copy;
}

/* Far back: the first sending. ACKs go up, so each packet is passed once. */
static struct tale_packet *first_that_ends(struct telling *telling, const struct tale_packet *packet)
{
    enum story_side sender = telling_receiver(telling, packet->side);
    uint32_t ack = header_of(packet)->ack;
    for (size_t *at = &telling->sweep.fresh[sender]; *at < (size_t)(packet - telling->packets); ++*at) {
        struct tale_packet *other = &telling->packets[*at];
        if (other->side != sender || !is_fresh(other)) continue;
        if (seq_before(header_of(other)->seq + segment_space(header_of(other)), ack)) continue;
        return ends_at(telling, other, ack, packet->sent_ns) ? other : NULL;
    }
    return NULL;
}

/* The newest packet of the peer that ends exactly where this segment's ACK points, and had arrived: what it acknowledges. */
struct tale_packet *cause_acknowledged(struct telling *telling, const struct tale_packet *packet)
{
    enum { NEAR = 64 };
    if (!(header_of(packet)->flags & TCP_ACK)) return NULL;
    uint32_t ack = header_of(packet)->ack;
    size_t i = telling_sent_by(telling, packet->sent_ns);
    for (size_t looked = 0; (i = telling_sent_to(telling, packet->side, i)); looked++) {
        if (looked == NEAR) return first_that_ends(telling, packet);
        struct tale_packet *other = &telling->packets[--i];
        if (other == packet) continue;
        if (ends_at(telling, other, ack, packet->sent_ns)) return other;
        /* Before a segment that was new, and ended before that point, there was nothing that reached it. */
        bool had_come = arrival_ns(other) <= packet->sent_ns && !telling_is_lost(telling, other);
        if (had_come && is_fresh(other) && seq_before(header_of(other)->seq + segment_space(header_of(other)), ack)) return NULL;
    }
    return NULL;
}

struct tale_packet *cause_previous_with_same_space(struct telling *telling, const struct tale_packet *packet)
{
    enum { ALWAYS = 64 };
    uint32_t first = header_of(packet)->seq;
    size_t i = (size_t)(packet - telling->packets);
    enum story_side receiver = telling_receiver(telling, packet->side);
    for (size_t looked = 0; (i = telling_sent_to(telling, receiver, i)); looked++) {
        struct tale_packet *other = &telling->packets[--i];
        if (looked >= ALWAYS && !telling->sweep.looks_left--) {
            telling->sweep.looks_left = 0;
            return NULL;
        }
        if (!is_tcp(other) || !segment_space(header_of(other))) continue;
        if (seq_at_or_before(header_of(other)->seq, first) &&
            seq_before(first, header_of(other)->seq + segment_space(header_of(other))))
            return other;
    }
    return NULL;
}

uint32_t cause_exit_step(const struct telling *telling, int32_t pid)
{
    for (size_t i = 0; i < telling->story->step_count; i++)
        if (telling->story->steps[i].kind == STEP_PROCESS_EXIT && telling->story->steps[i].exit->process.pid == pid)
            return (uint32_t)i;
    return STORY_NO_STEP;
}

static const struct cause_rule *(*const groups[])(size_t *ret_count) = {cause_kernel_rules, cause_span_rules, cause_wire_rules};
enum { GROUPS = sizeof(groups) / sizeof(groups[0]) };

size_t cause_rule_count(void)
{
    size_t all = 0;
    for (size_t group = 0; group < GROUPS; group++) {
        size_t count;
        groups[group](&count);
        all += count;
    }
    return all;
}

static const struct cause_rule *rule_at(size_t rule)
{
    for (size_t group = 0; group < GROUPS; group++) {
        size_t count;
        const struct cause_rule *rules = groups[group](&count);
        if (rule < count) return &rules[rule];
        rule -= count;
    }
    return NULL;
}

const char *cause_rule_name(size_t rule)
{
    return rule_at(rule)->name;
}

/* The frames up to the one that decided: the rest is the way into the kernel. */
static void keep_chain(struct telling *telling, const struct tale_packet *packet)
{
    const struct event_chain *chain = packet->seen->context.chain;
    if (!chain || packet->cause->evidence != EVIDENCE_STACK) return;
    size_t count = packet->chain.decided_at + 1;
    const char **names = arena_alloc(telling->arena, count * sizeof(char *));
    for (size_t i = 0; names && i < count; i++) names[i] = telling_printf(telling, "%s", chain->names[i]);
    packet->cause->chain = names;
    packet->cause->chain_count = names ? count : 0;
}

static void find_packet_cause(struct telling *telling, struct tale_packet *packet)
{
    packet->cause->step = STORY_NO_STEP;
    packet->cause->why = cause_why_unknown(telling, packet);
    const struct cause_rule *rule;
    for (size_t i = 0; (rule = rule_at(i)); i++)
        if (!(telling->teller->rules_off >> i & 1) && rule->explain(telling, packet)) break;
    keep_chain(telling, packet);
}

void cause_find_all(struct telling *telling)
{
    cause_sweep_begin(telling);
    for (size_t i = 0; i < telling->packet_count; i++) {
        repeat_find(telling, &telling->packets[i]);
        find_packet_cause(telling, &telling->packets[i]);
        cause_sweep_packet(telling, &telling->packets[i]);
    }
    repeat_find_reset_reasons(telling);
    for (size_t i = 0; i < telling->state_count; i++) cause_find_state(telling, &telling->states[i]);
}
