/* Why a segment was sent: rules in the order of the strength of their evidence; the first that answers, answers.
 *
 * The first group (cause_kernel.c) reads what the kernel itself showed while it sent the segment. The others have only the calls'
 * spans (cause_spans.c) and the wire (cause_wire.c); they prefer `unknown` to a guess wherever two answers are possible. */
#include "story/causes/cause.h"
#include "base/lang.h"

#include "story/causes/words.h"
#include "tcp/segment.h"
#include "tcp/seq.h"
#include <inttypes.h>

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
    packet->cause->why = tr(why);
    return true;
}

/* ---- looking back ---- */

/* Of the packets before `sent`, the one that came last. */
static struct tale_packet *last_arrival(const struct telling *telling, enum story_side side, int64_t at_ns, size_t sent)
{
    const struct back_arrival *arrivals = telling->back.arrivals[side];
    size_t low = 0, high = telling->back.arrival_count[side];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (arrivals[middle].t_ns <= at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t tries = 0; low-- > 0 && tries < BACK_UNDER_WAY_MAX; tries++) {
        struct tale_packet *packet = &telling->packets[arrivals[low].packet];
        if (arrivals[low].packet >= sent || (telling->flow->to_itself && packet->sent_ns >= at_ns)) continue;
        return packet;
    }
    return NULL;
}

struct tale_packet *cause_last_arrival(const struct telling *telling, enum story_side side, int64_t at_ns)
{
    return last_arrival(telling, side, at_ns, telling_sent_by(telling, at_ns));
}

struct tale_packet *cause_last_before(const struct telling *telling, const struct tale_packet *packet)
{
    size_t sent = telling_sent_by(telling, packet->sent_ns), own = (size_t)(packet - telling->packets);
    return last_arrival(telling, packet->side, packet->sent_ns, own < sent ? own : sent);
}

struct tale_packet *cause_acknowledged(const struct telling *telling, const struct tale_packet *packet)
{
    if (!(header_of(packet)->flags & TCP_ACK)) return NULL;
    enum story_side sender = telling_receiver(telling, packet->side);
    const struct back_border *borders = telling->back.borders[sender];
    size_t sent = telling_sent_by(telling, packet->sent_ns);
    uint32_t ack = header_of(packet)->ack;
    size_t low = back_find(borders, telling->back.border_count[sender], ack, sent);
    for (size_t tries = 0; low-- > 0 && borders[low].number == ack && tries < BACK_UNDER_WAY_MAX; tries++) {
        struct tale_packet *other = &telling->packets[borders[low].packet];
        if (other != packet && arrival_ns(other) <= packet->sent_ns) return other;
    }
    return NULL;
}

struct tale_packet *cause_previous_with_same_space(const struct telling *telling, const struct tale_packet *packet)
{
    uint32_t previous = telling->back.previous[packet - telling->packets];
    return previous ? &telling->packets[previous - 1] : NULL;
}

uint32_t cause_exit_step(const struct telling *telling, int32_t pid)
{
    for (size_t i = 0; i < telling->exit_count; i++)
        if (telling->story->steps[telling->exits[i]].exit->process.pid == pid) return telling->exits[i];
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
    for (size_t i = 0; names && i < count; i++) names[i] = arena_text(telling->arena, chain->names[i]);
    packet->cause->chain = names;
    packet->cause->chain_count = names ? count : 0;
}

static void find_packet_cause(struct telling *telling, struct tale_packet *packet)
{
    packet->cause->step = STORY_NO_STEP;
    size_t count; /* of a sequel, what came before is no longer there to be asked: the kernel's own evidence alone */
    (void)cause_kernel_rules(&count);
    bool sequel = telling->flow->sequel, bare = cause_is_bare(packet);
    packet->cause->why = sequel ? tr("it came after its connection had been told") : cause_why_unknown(telling, packet);
    if (packet->seen->folded) {
        packet->cause->why = telling_printf(
            telling, "it stands for %" PRIu32 " segments that brought new data in order or acknowledged it", packet->seen->folded);
        return;
    }
    const struct cause_rule *rule;
    for (size_t i = 0; (!(sequel || bare) || i < count) && (rule = rule_at(i)); i++)
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
