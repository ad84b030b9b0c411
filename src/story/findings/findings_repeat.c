/* What was sent again, what came twice, and what the state machine has no arrow for. */
#include "base/lang.h"
#include "story/findings/findings.h"

/* From one place: what had been acknowledged there before may be an old duplicate, as well as sent again. */
static bool may_be_old(const struct telling *telling, const struct tale_packet *packet)
{
    return packet->verdict.is_acked && !packet->seen->marked && !(telling->conn.flags & CONN_TWO_PLACES);
}

static void find_retransmissions(struct telling *telling)
{
    const struct tale_packet *first = NULL;
    bool old = true;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !packet->segment->retransmission) continue;
        if (!first) first = packet;
        old &= may_be_old(telling, packet);
    }
    if (!first) return;
    uint32_t proof[2] = {first->segment->of_step, first->step}, count = telling->story->summary.retransmissions;
    const char *text =
        old ? ntr("%u segment came again, all of it acknowledged before: sent again, or an old duplicate; the first "
                  "was the %s",
                  "%u segments came again, all of them acknowledged before: sent again, or old duplicates; the "
                  "first was the %s",
                  count)
            : ntr("%u segment was sent again; the first was the %s", "%u segments were sent again; the first was the %s", count);
    finding_add(telling, "retransmitted", "note", telling_printf(telling, text, count, story_label_word(first->segment)),
                FINDING_PROOF(proof));
}

/* ICMP errors and copies made by the network are not the sender's doing. */
static void find_copies(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !packet->segment->copy) continue;
        uint32_t proof[1] = {packet->step};
        finding_add(
            telling, "duplicated", "note",
            telling_printf(telling, "the network delivered a %s twice: its sender sent it once", story_label_word(packet->segment)),
            FINDING_PROOF(proof));
        return;
    }
}

/* Of what the state machine has no arrow for, the first, and of one segment what its receiver made of it: the RFC says more of
 * that. */
static void find_surprise(struct telling *telling)
{
    if (!telling->surprise_count) return;
    const struct surprise *first = &telling->surprises[0];
    for (size_t i = 1; i < telling->surprise_count && !first->does && telling->surprises[i].packet == first->packet; i++)
        first = &telling->surprises[i];
    const struct tale_packet *packet = &telling->packets[first->packet];
    uint32_t proof[FINDING_PROOF_MAX];
    size_t count = 0;
    for (size_t i = 0; i < telling->surprise_count && count < FINDING_PROOF_MAX; i++)
        proof[count++] = telling->packets[telling->surprises[i].packet].step;
    bool sent = packet->side == first->side && !telling->flow->to_itself;
    enum story_kind kind = packet->segment->kind;
    const char *what = kind == STORY_ACK    ? tr("an ACK")
                       : kind == STORY_DATA ? tr("data")
                                            : telling_printf(telling, "a %s", packet->segment->label);
    const char *does = first->does ? telling_printf(telling, ": %s", tr(first->does)) : "";
    finding_add(telling, "no-arrow", "note",
                telling_printf(
                    telling,
                    sent ? tr("%s left the %s in %s: figure 5 of RFC 9293 has no arrow for that, so the end is taken to stay there "
                              "(section %s%s); segments before it may be missing in the capture")
                         : tr("%s reached the %s in %s: figure 5 of RFC 9293 has no arrow for that, so the end is taken to stay "
                              "there (section %s%s)"),
                    what, story_side_word(first->side), tcp_state_name(first->state), first->section, does),
                proof, count);
}

void findings_repeat(struct telling *telling)
{
    find_retransmissions(telling);
    find_copies(telling);
    find_surprise(telling);
}
