/* Between two captures that were compared (src/clocks): what was lost on the way, what was made there, what a capture lacks. */
#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/segment.h"

/* What became of it between the two; FATE_UNKNOWN where nobody compared the captures, and nothing is strange about it. */
static uint8_t fate_of(const struct tale_packet *packet)
{
    if (packet->seen->unsent) return FATE_UNSENT;
    return packet->seen->packet.same ? packet->seen->packet.fate : FATE_UNKNOWN;
}

/* Counts the segments of one side with this fate; the first of them (NULL none). */
static const struct tale_packet *find(const struct telling *telling, enum story_side side, uint8_t fate, uint32_t *ret_count)
{
    const struct tale_packet *first = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->side != side || fate_of(packet) != fate) continue;
        if (!first) first = packet;
        ++*ret_count;
    }
    return first;
}

/* The last of the way's lost segments: with the first it bounds where to look. */
static uint32_t last_step(const struct telling *telling, enum story_side side, uint8_t fate, uint32_t first)
{
    uint32_t step = STORY_NO_STEP;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->segment && packet->side == side && fate_of(packet) == fate) step = packet->step;
    }
    return step == first ? STORY_NO_STEP : step;
}

/* None of this side's lost segments takes a sequence number. */
static bool are_bare(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->segment && packet->side == side && fate_of(packet) == FATE_LOST && segment_space(&packet->seen->packet.header))
            return false;
    }
    return true;
}

static void find_lost(struct telling *telling, enum story_side side)
{
    uint32_t count;
    const struct tale_packet *first = find(telling, side, FATE_LOST, &count);
    if (!first) return;
    const char *here = finding_place(telling, first->seen, false), *there = finding_place(telling, first->seen, true);
    uint32_t proof[2] = {first->step, last_step(telling, side, FATE_LOST, first->step)};
    const char *caveat = first->seen->packet.early ? telling_printf(telling,
                                                                    "; %s has nothing from before that: if it was not running yet, "
                                                                    "that is why the first is missing",
                                                                    there)
                                                   : "";
    if (!*caveat && are_bare(telling, side))
        caveat = telling_printf(telling, "; nobody acknowledges an ACK, so %s may as well have dropped what did come", there);
    char from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES];
    finding_add(telling, side == STORY_CLIENT ? "lost-to-server" : "lost-to-client", "warning",
                telling_printf(telling,
                               ntr("%u segment of the %s was lost between %s's side, where %s saw it leave, and %s's, where %s "
                                   "never saw it come%s",
                                   "%u segments of the %s were lost between %s's side, where %s saw them leave, and %s's, where %s "
                                   "never saw them come%s",
                                   count),
                               count, story_side_word(side), address_format_ip(&telling->flow->end[side], from), here,
                               address_format_ip(&telling->flow->end[finding_other(side)], to), there, caveat),
                FINDING_PROOF(proof));
}

static void find_missed(struct telling *telling, enum story_side side)
{
    uint32_t passed, unsent;
    const struct tale_packet *first = find(telling, side, FATE_PASSED, &passed);
    if (first) {
        uint32_t proof[1] = {first->step};
        const char *there = finding_place(telling, first->seen, true);
        finding_add(
            telling, side == STORY_CLIENT ? "capture-missed-client" : "capture-missed-server", "note",
            telling_printf(telling,
                           ntr("%s lacks %u segment of the %s that was acknowledged there: dropped by the capture, not by "
                               "the network",
                               "%s lacks %u segments of the %s that were acknowledged there: dropped by the capture, not by "
                               "the network",
                               passed),
                           there, passed, story_side_word(side)),
            FINDING_PROOF(proof));
    }
    first = find(telling, side, FATE_UNSENT, &unsent);
    if (!first || first->segment->flags & TCP_RST) return;
    uint32_t proof[1] = {first->step};
    finding_add(
        telling, side == STORY_CLIENT ? "unsent-client" : "unsent-server", "note",
        telling_printf(telling,
                       ntr("%u segment of the %s came to %s and was never seen to leave at %s: that capture dropped it, or "
                           "somebody between the two made it",
                           "%u segments of the %s came to %s and were never seen to leave at %s: that capture dropped them, "
                           "or somebody between the two made them",
                           unsent),
                       unsent, story_side_word(side), finding_place(telling, first->seen, false),
                       finding_place(telling, first->seen, true)),
        FINDING_PROOF(proof));
}

/* A reset that its sender's own side never saw. */
static void find_made_on_the_way(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !(packet->segment->flags & TCP_RST) || fate_of(packet) != FATE_UNSENT) continue;
        uint32_t proof[1] = {packet->step};
        finding_add(
            telling, "reset-from-between", "warning",
            telling_printf(telling,
                           "a RST in the %s's name came to %s and was never seen to leave at %s: most likely something between "
                           "the two (a firewall, a load balancer) made it",
                           story_side_word(packet->side), finding_place(telling, packet->seen, false),
                           finding_place(telling, packet->seen, true)),
            FINDING_PROOF(proof));
        return;
    }
}

void findings_way(struct telling *telling)
{
    for (int side = 0; side < STORY_SIDES; side++) {
        find_lost(telling, (enum story_side)side);
        find_missed(telling, (enum story_side)side);
    }
    find_made_on_the_way(telling);
}
