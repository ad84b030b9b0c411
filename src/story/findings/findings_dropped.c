/* Segments that a kernel threw away before TCP took them, for a reason that it names and that is no firewall's rule. */
#include <inttypes.h>
#include <string.h>

#include "base/lang.h"
#include "story/findings/findings.h"

/* What a reason of the kernel's (enum skb_drop_reason) comes of. "" where its name has to do. */
static const char *hint(const char *reason)
{
    static const struct {
        const char *reason, *text;
    } hints[] = {
        {"TCP_MD5NOTFOUND",
         TR(": the socket there asks this peer for TCP MD5 signatures (TCP_MD5SIG), and the segment bears none")},
        {"TCP_MD5UNEXPECTED",
         TR(": the segment bears a TCP MD5 signature (TCP_MD5SIG), and the socket there has no key for this peer")},
        {"TCP_MD5FAILURE",
         TR(": its TCP MD5 signature (TCP_MD5SIG) is not what the key there gives: the two ends have other keys")},
        {"IP_RPFILTER", TR(": by that host's routes its sender's address is not reached through the device that it came by "
                           "(net.ipv4.conf.*.rp_filter)")},
    };
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (strcmp(reason, hints[i].reason) == 0) return tr(hints[i].text);
    return "";
}

/* A full queue, and what did not leave its host, have sentences of their own. */
static bool is_told_elsewhere(const struct tale_packet *packet)
{
    const struct story_queue *queue = packet->segment->queue;
    return packet->seen->stuck || (queue && queue->dropped) || finding_is_queue_full(packet);
}

void findings_dropped(struct telling *telling)
{
    const struct tale_packet *first = NULL, *last = NULL;
    uint32_t count = 0;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || finding_way(telling, packet) != WAY_DROPPED || is_told_elsewhere(packet)) continue;
        if (first &&
            (packet->side != first->side || strcmp(packet->segment->dropped->reason, first->segment->dropped->reason) != 0))
            continue;
        if (!first) first = packet;
        last = packet;
        count++;
    }
    if (!first) return;
    const struct story_drop *dropped = first->segment->dropped;
    uint32_t proof[2] = {first->step, last == first ? STORY_NO_STEP : last->step};
    bool answered = finding_arrival(telling, finding_other(first->side), last->sent_ns, true) != NULL;
    finding_add(telling, "kernel-dropped", answered ? "warning" : "error",
                telling_printf(telling,
                               ntr("the kernel on %s threw away %" PRIu32 " segment of the %s, the first the %s (#%" PRIu32
                                   "), before TCP there took it: it says %s%s",
                                   "the kernel on %s threw away %" PRIu32 " segments of the %s, the first the %s (#%" PRIu32
                                   "), before TCP there took them: it says %s%s",
                                   count),
                               finding_dropper(telling, first), count, story_side_word(first->side),
                               story_label_word(first->segment), first->segment->number,
                               dropped->function[0] ? telling_printf(telling, "%s, in %s", dropped->reason, dropped->function)
                                                    : dropped->reason,
                               hint(dropped->reason)),
                FINDING_PROOF(proof));
}
