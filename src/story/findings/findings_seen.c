/* What the captures themselves show: one direction alone, gaps, packets that were seen more than once, strays. */
#include <inttypes.h>
#include <netinet/in.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/seq.h"

/* The first segment that acknowledges something of the missing end which it must have sent while packets were captured: a SYN-ACK,
 * or bytes behind what had been acknowledged before. NULL: what is missing may lie before the capture. */
static const struct tale_packet *shows_missing(const struct telling *telling)
{
    bool syn = false, acked = false;
    uint32_t ack = 0;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->flags & TCP_RST) continue;
        if (packet->segment->kind == STORY_SYN) syn = true;
        if (!(packet->segment->flags & TCP_ACK)) continue;
        if (syn || (acked && seq_before(ack, packet->segment->ack_absolute))) return packet;
        acked = true;
        ack = packet->segment->ack_absolute;
    }
    return NULL;
}

static void find_one_way(struct telling *telling)
{
    enum story_side missing;
    if (!finding_is_one_way(telling, &missing)) return;
    const struct tale_packet *shown = shows_missing(telling);
    if (!shown) return;
    uint32_t proof[1] = {shown->step};
    finding_add(
        telling, "one-direction", "note",
        telling_printf(
            telling,
            "one direction only: nothing of the %s was captured, though the %s acknowledges it (#%" PRIu32 "). "
            "The two ways may differ (asymmetric routing), or a filter or a mirror port shows one; what the %s did is known "
            "from these acknowledgments alone",
            story_side_word(missing), story_side_word(finding_other(missing)), shown->segment->number, story_side_word(missing)),
        FINDING_PROOF(proof));
}

bool finding_may_have_closed(struct telling *telling, enum story_side side)
{
    return conn_may_have_closed(&telling->judge, &telling->conn, flow_conn_end(telling->first_side, side));
}

/* The first segment of `side` that acknowledges as much as any. */
static const struct tale_packet *first_that_acknowledges(const struct telling *telling, enum story_side side, uint32_t ack)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (finding_is_own(packet, side) && packet->segment->flags & TCP_ACK && packet->segment->ack_absolute == ack) return packet;
    }
    return NULL;
}

static void find_missed_fin(struct telling *telling)
{
    for (int i = 0; i < STORY_SIDES; i++) {
        enum story_side side = (enum story_side)i;
        if (!finding_may_have_closed(telling, side)) continue;
        uint32_t next = telling->conn.end[flow_conn_end(telling->first_side, side)].next;
        const struct tale_packet *by = first_that_acknowledges(telling, finding_other(side), next);
        if (!by) continue;
        uint32_t proof[1] = {by->step};
        finding_add(telling, "fin-maybe-missed", "note",
                    telling_printf(telling,
                                   "the %s's last number, which #%" PRIu32 " acknowledges, was not captured: one more byte, or its "
                                   "FIN. It is not counted as a byte; if it was the FIN, the %s had closed its direction by then, "
                                   "and both ends are further on than is told",
                                   story_side_word(side), by->segment->number, story_side_word(side)),
                    FINDING_PROOF(proof));
    }
}

/* Within one host a packet passes its interfaces in microseconds; between two it travels. */
static const int64_t PLACES_NS = 100000;

static void find_sights(struct telling *telling)
{
    const struct flow *flow = telling->flow;
    const struct tale_packet *first = NULL;
    for (size_t i = 0; i < telling->packet_count && !first; i++)
        if (telling->packets[i].segment && telling->packets[i].seen->arrived_at) first = &telling->packets[i];
    if (!flow->sights || !first) return;
    uint32_t proof[1] = {first->step};
    const char *how_many = telling_printf(
        telling,
        ntr("%" PRIu32 " further sight of these %u segments", "%" PRIu32 " further sights of these %u segments", flow->sights),
        flow->sights, telling->story->summary.segments);
    /* Of two places most packets are seen at both. */
    bool places =
        flow->sights_gap_ns >= PLACES_NS && 2 * (uint64_t)flow->sights >= telling->story->summary.segments && flow->sights > 1;
    if (places)
        finding_add(
            telling, "two-places", "note",
            telling_printf(
                telling,
                "the capture shows most packets twice, as of two places in one file (or of a mirror port that is slow): %s, each "
                "at least %s later; with a file a place, read --merge tells when each left and arrived",
                how_many, finding_time(telling, flow->sights_gap_ns)),
            FINDING_PROOF(proof));
    else
        finding_add(telling, "several-sights", "note",
                    telling_printf(telling,
                                   "the capture shows packets more than once: %s (several interfaces of one host, a bridge, a "
                                   "mirror port, or a packet "
                                   "that the network doubled); each is told once, and none was sent again for that",
                                   how_many),
                    FINDING_PROOF(proof));
}

/* A segment of this flow bears the numbers that an end of `told` sent, between its times. */
static bool has_numbers(const struct telling *telling, const struct told_flow *told, int same)
{
    static const int64_t AROUND_NS = 5000000000; /* a connection may have been told, or have ended, while its strays still come */
    static const uint32_t WINDOW = 1 << 16;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->flags & (TCP_SYN | TCP_RST)) continue;
        if (packet->sent_ns < told->from_ns || packet->sent_ns > told->to_ns + AROUND_NS) return false;
        enum story_side from = packet->side; /* sides may be turned: what counts is which end is the same */
        bool by_same = address_equal(&telling->flow->end[from], &told->end[same]);
        int seq_side = by_same ? same : !same;
        uint32_t seq = packet->segment->seq_absolute, ack = packet->segment->ack_absolute;
        if (!told->numbers[seq_side].known || !told->numbers[!seq_side].known) return false;
        bool seq_fits = seq_before(told->numbers[seq_side].from, seq) && seq_before(seq, told->numbers[seq_side].to + WINDOW);
        bool ack_fits = packet->segment->flags & TCP_ACK && !seq_before(ack, told->numbers[!seq_side].from) &&
                        !seq_before(told->numbers[!seq_side].to, ack);
        return seq_fits && ack_fits;
    }
    return false;
}

/* A few segments without a SYN whose numbers are those of another connection of the same end: an address was not translated. */
static void find_stray(struct telling *telling)
{
    const struct teller *teller = telling->teller;
    if (telling->conn.flags & CONN_OPENED) return;
    size_t count = teller->told_flow_count < TOLD_FLOWS ? teller->told_flow_count : TOLD_FLOWS;
    for (size_t i = 0; i < count; i++) {
        const struct told_flow *told = &teller->told_flows[i];
        for (int same = 0; same < STORY_SIDES; same++) {
            int own = address_equal(&telling->flow->end[0], &told->end[same])   ? 0
                      : address_equal(&telling->flow->end[1], &told->end[same]) ? 1
                                                                                : -1;
            if (own < 0 || address_equal(&telling->flow->end[!own], &told->end[!same]) || !has_numbers(telling, told, same))
                continue;
            char here[ADDRESS_TEXT_BYTES], there[ADDRESS_TEXT_BYTES];
            const struct tale_packet *reset = finding_segment(telling, own, STORY_RST);
            uint32_t proof[2] = {telling->packets[0].step, reset ? reset->step : STORY_NO_STEP};
            finding_add(
                telling, "stray", "warning",
                telling_printf(
                    telling,
                    "a stray: these are numbers of connection %" PRIu32 ", under %s instead of %s, as when a translation (NAT, a "
                    "service's address) skips a segment that connection tracking holds for invalid%s",
                    told->number, address_format(&telling->flow->end[!own], here), address_format(&told->end[!same], there),
                    reset ? tr("; the receiver knows no such connection and answers with RST, which may end the real one") : ""),
                FINDING_PROOF(proof));
            return;
        }
    }
}

/* What an end's socket has for addresses is not what it sends: a rule on its own host translates. */
static bool find_translated_at_home(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        const struct address *end = telling->flow->end;
        enum story_side peer = telling_receiver(telling, packet->side);
        const struct translation *known =
            packet->seen->marked ? translation_of(telling->teller, &end[packet->side], &end[peer], packet->seen->netns) : NULL;
        if (!known || !address_equal(&known->source, &end[packet->side])) continue;
        char text[4][ADDRESS_TEXT_BYTES];
        uint32_t proof[1] = {packet->step};
        finding_add(telling, "translated", "note",
                    telling_printf(telling,
                                   "the %s's own host translates addresses (NAT: nft list ruleset, iptables -t nat -S): its socket "
                                   "is %s to %s, which on the wire is %s to %s; told are those of the wire",
                                   story_side_word(packet->side), address_format(&known->local, text[0]),
                                   address_format(&known->remote, text[1]), address_format(&known->source, text[2]),
                                   address_format(&known->target, text[3])),
                    FINDING_PROOF(proof));
        return true;
    }
    return false;
}

/* Whatever translates a SYN has done so before its answer comes, on either side of it. */
static bool went_through_together(const struct telling *telling, const struct told_flow *told)
{
    const struct tale_packet *syn_ack = telling_first_syn_ack(telling);
    if (!syn_ack || !told->syn_ack_ns) return false;
    return told->from_ns <= syn_ack->sent_ns && telling->packets[0].sent_ns <= told->syn_ack_ns;
}

/* The same SYN and SYN-ACK under other addresses, at the same time: something between translates. Numbers alone may be the same by
 * themselves: there are hosts that begin with the same ones each time. */
static void find_translated(struct telling *telling)
{
    const struct teller *teller = telling->teller;
    if (!(telling->conn.flags & CONN_OPENED)) return;
    size_t count = teller->told_flow_count < TOLD_FLOWS ? teller->told_flow_count : TOLD_FLOWS;
    for (size_t i = 0; i < count; i++) {
        const struct told_flow *told = &teller->told_flows[i];
        bool same = went_through_together(telling, told);
        for (int side = 0; side < STORY_SIDES && same; side++) {
            const struct conn_end *end = telling_end_now(telling, (enum story_side)side);
            same = end->flags & END_SYN_SEEN && told->numbers[side].known && told->numbers[side].from == end->base;
        }
        if (!same) continue;
        char there[2][ADDRESS_TEXT_BYTES];
        uint32_t proof[1] = {telling->packets[0].step};
        finding_add(telling, "translated", "note",
                    telling_printf(telling,
                                   "this is connection %" PRIu32
                                   " on the other side of a translation of addresses (NAT, a service's address): the "
                                   "sequence numbers of both ends are the same, and there it is %s to %s",
                                   told->number, address_format(&told->end[STORY_CLIENT], there[0]),
                                   address_format(&told->end[STORY_SERVER], there[1])),
                    FINDING_PROOF(proof));
        return;
    }
}

/* Both ends' numbers are far ahead of what was captured: what lies between was not, if it is this connection's at all. */
static void find_leap(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !packet->verdict.leaps || packet->seen->copy) continue;
        uint32_t proof[1] = {packet->step};
        finding_add(telling, "numbers-leap", "warning",
                    telling_printf(telling,
                                   "the numbers of both ends are far ahead from #%" PRIu32
                                   " on: the capture has a gap there, or another connection with the same addresses and ports has "
                                   "begun, whose SYNs it missed; the wire can't tell, and in the latter case what is told of bytes "
                                   "that were not captured is wrong",
                                   packet->segment->number),
                    FINDING_PROOF(proof));
        return;
    }
}

void findings_seen(struct telling *telling)
{
    find_leap(telling);
    find_one_way(telling);
    find_missed_fin(telling);
    find_sights(telling);
    find_stray(telling);
    if (!find_translated_at_home(telling)) find_translated(telling);
}
