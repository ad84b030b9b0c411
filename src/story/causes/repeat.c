/* What kind of repeat a retransmission is, where the kernel's chain shows it; and the kernel's own reason for a reset. */
#include <string.h>

#include "story/causes/cause.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* A reset's event and its segment are one piece of work: an aborting end reports it behind the segment (tcp_send_active_reset), an
 * answering one before (tcp_v4_send_reset). */
static const int64_t ONE_WORK_NS = 5000000;

static enum story_repeat of_timer(const char *name)
{
    static const struct {
        const char *timer;
        enum story_repeat kind;
    } timers[] = {
        {"retransmit", STORY_REPEAT_RTO},
        {"tail-loss-probe", STORY_REPEAT_LOSS_PROBE},
        {"reordering", STORY_REPEAT_FAST}, /* RACK's timer marks what counts as lost: RFC 8985 section 6.3 */
    };
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
        if (strcmp(timers[i].timer, name) == 0) return timers[i].kind;
    return STORY_REPEAT_UNKNOWN;
}

static enum story_repeat of_chain(const struct chain_verdict *chain)
{
    if (!(chain->notes & (CHAIN_RETRANSMIT | CHAIN_PATH_MTU))) return STORY_REPEAT_UNKNOWN;
    if (chain->meaning == CHAIN_TIMER) return of_timer(chain->name);
    if (chain->notes & CHAIN_PATH_MTU) return STORY_REPEAT_PATH_MTU;
    if (chain->notes & CHAIN_FAST_OPEN) return STORY_REPEAT_FAST_OPEN;
    return chain->notes & CHAIN_FAST ? STORY_REPEAT_FAST : STORY_REPEAT_UNKNOWN;
}

/* After a timeout the rest of what counts as lost goes out as ACKs come in, by the same function as in a fast retransmission, until
 * all that had been sent before the timeout is acknowledged (CA_Loss, RFC 5681 section 3.1). */
static bool recovers_from_timeout(const struct sweep *sweep, const struct tale_packet *packet)
{
    enum story_side peer = packet->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    if (!sweep->has_timeout[packet->side]) return false;
    return !sweep->has_acked[peer] || seq_before(sweep->acked[peer], sweep->timeout_reach[packet->side]);
}

static enum story_repeat kind_of(const struct sweep *sweep, const struct tale_packet *packet)
{
    const struct story_segment *segment = packet->segment;
    if (segment->flags & TCP_SYN) return segment->flags & TCP_ACK ? STORY_REPEAT_SYN_ACK : STORY_REPEAT_SYN;
    if (!packet->seen->marked) return STORY_REPEAT_UNKNOWN;
    enum story_repeat kind = of_chain(&packet->chain);
    return kind == STORY_REPEAT_FAST && recovers_from_timeout(sweep, packet) ? STORY_REPEAT_RECOVERY : kind;
}

void repeat_find(struct telling *telling, struct tale_packet *packet)
{
    struct sweep *sweep = &telling->sweep;
    if (!is_tcp(packet) || !packet->segment->retransmission) return;
    packet->segment->repeat = kind_of(sweep, packet);
    if (packet->segment->repeat != STORY_REPEAT_RTO || !sweep->has_reach[packet->side]) return;
    sweep->has_timeout[packet->side] = true;
    sweep->timeout_reach[packet->side] = sweep->reach[packet->side];
}

static int64_t reset_at_ns(const struct tale_packet *packet)
{
    return packet->seen->marked ? packet->seen->mark_ns : packet->sent_ns;
}

/* The RST that this note is about: the nearest of its side that has none yet; NULL none. */
static struct tale_packet *reset_of(struct telling *telling, const struct reset_note *note)
{
    struct tale_packet *found = NULL;
    int64_t nearest_ns = ONE_WORK_NS;
    for (size_t i = telling_sent_by(telling, note->t_ns + ONE_WORK_NS); i-- > 0;) {
        struct tale_packet *packet = &telling->packets[i];
        if (note->t_ns - packet->sent_ns > 2 * ONE_WORK_NS) break;
        if (!is_tcp(packet) || !(packet->segment->flags & TCP_RST) || packet->seen->copy || packet->segment->reset_reason) continue;
        if (packet->seen->marked && packet->cause->kind == CAUSE_KERNEL) continue; /* a firewall's is none of TCP's */
        int64_t at_ns = reset_at_ns(packet), apart_ns = note->t_ns > at_ns ? note->t_ns - at_ns : at_ns - note->t_ns;
        bool own = telling->flow->to_itself || note->side == packet->side;
        if (!own || apart_ns > nearest_ns) continue;
        found = packet;
        nearest_ns = apart_ns;
    }
    return found;
}

/* Another note lies nearer to that RST. */
static bool is_of_another(const struct telling *telling, const struct tale_packet *packet, const struct reset_note *note)
{
    int64_t at_ns = reset_at_ns(packet), apart_ns = note->t_ns > at_ns ? note->t_ns - at_ns : at_ns - note->t_ns;
    for (size_t i = 0; i < telling->flow->reset_count; i++) {
        const struct reset_note *other = &telling->flow->resets[i];
        bool own = telling->flow->to_itself || other->side == packet->side;
        if (other == note || !other->sent || other->told || !own) continue;
        if (other->t_ns > at_ns - apart_ns && other->t_ns < at_ns + apart_ns) return true;
    }
    return false;
}

void repeat_find_reset_reasons(struct telling *telling)
{
    for (size_t i = 0; i < telling->flow->reset_count; i++) {
        struct reset_note *note = &telling->flow->resets[i];
        if (!note->sent || note->told) continue;
        struct tale_packet *packet = reset_of(telling, note);
        if (!packet || is_of_another(telling, packet, note)) continue;
        note->told = true;
        if (note->reason[0]) packet->segment->reset_reason = telling_printf(telling, "%s", note->reason);
    }
}
