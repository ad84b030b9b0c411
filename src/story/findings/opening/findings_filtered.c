/* Segments that a rule on a host threw away: TCP there never saw them. */
#include <inttypes.h>

#include "base/lang.h"
#include "story/findings/findings.h"

struct filtered {
    const struct tale_packet *first, *last;
    uint32_t count;
};

/* What is known of who heard of it. Its own kernel ends an attempt in SYN_SENT for an ICMP error alone where no RST came. */
static const char *who_was_told(struct telling *telling, const struct filtered *filtered)
{
    const struct tale_call *failed = telling_failed_by_icmp(telling, filtered->first->side, CALL_CONNECTS);
    if (!failed) return tr("nobody was told");
    return telling_printf(telling, "%s() failed with %s, so the rule rejects with an ICMP error, which was not captured",
                          failed->story->name, failed->story->errno_name);
}

static void say_filtered(struct telling *telling, const struct filtered *filtered, bool answered)
{
    const struct tale_packet *first = filtered->first, *last = filtered->last;
    const struct story_drop *dropped = first->segment->dropped;
    uint32_t proof[2] = {first->step, last == first ? STORY_NO_STEP : last->step};
    const char *reason =
        dropped->function[0] ? telling_printf(telling, "%s, in %s", dropped->reason, dropped->function) : dropped->reason;
    const char *format =
        dropped->by == STORY_DROPPED_BY_SENDER
            ? ntr("a firewall's rule on %s dropped %" PRIu32 " segment of the %s on its way out, the first the %s (#%" PRIu32
                  "): the kernel says %s. It did not leave that host, and %s; look at that host's rules for what it sends (nft "
                  "list "
                  "ruleset, the chains of output)",
                  "a firewall's rule on %s dropped %" PRIu32 " segments of the %s on their way out, the first the %s (#%" PRIu32
                  "): the kernel says %s. They did not leave that host, and %s; look at that host's rules for what it sends (nft "
                  "list ruleset, the chains of output)",
                  filtered->count)
            : ntr("a firewall's rule on %s dropped %" PRIu32 " segment of the %s, the first the %s (#%" PRIu32
                  "): the kernel says %s. TCP there never saw it, and %s; look at that host's rules (nft list ruleset)",
                  "a firewall's rule on %s dropped %" PRIu32 " segments of the %s, the first the %s (#%" PRIu32
                  "): the kernel says %s. TCP there never saw them, and %s; look at that host's rules (nft list ruleset)",
                  filtered->count);
    finding_add(telling, "firewall-dropped", answered ? "warning" : "error",
                telling_printf(telling, format, finding_dropper(telling, first), filtered->count, story_side_word(first->side),
                               story_label_word(first->segment), first->segment->number, reason, who_was_told(telling, filtered)),
                FINDING_PROOF(proof));
}

void findings_filtered(struct telling *telling)
{
    struct filtered filtered = {0};
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || finding_way(telling, packet) != WAY_FILTERED) continue;
        if (filtered.first && packet->side != filtered.first->side) continue;
        if (!filtered.first) filtered.first = packet;
        filtered.last = packet;
        filtered.count++;
    }
    if (!filtered.first) return;
    /* What a firewall refuses with an answer is dropped too, and the answer says more. */
    enum story_side peer = finding_other(filtered.first->side);
    bool refused = telling->story->outcome == OUTCOME_REFUSED;
    for (size_t i = 0; i < telling->packet_count; i++)
        if ((refused && telling_refuses(&telling->packets[i], peer)) || telling_rule_place(telling, &telling->packets[i])) return;
    /* That a rule made it, its chain would show, which is not recorded of a course alone. */
    if (telling->teller->course_only && finding_is_told(telling, "icmp-refused")) return;
    say_filtered(telling, &filtered, finding_arrival(telling, peer, filtered.last->sent_ns, true) != NULL);
}
