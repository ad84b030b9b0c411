/* A story's segments and datagrams: order, numbers, names, what is sent again. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "base/sort.h"
#include "story/steps/telling.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static int by_sending(const void *a, const void *b)
{
    const struct tale_packet *x = a, *y = b;
    if (x->order_ns != y->order_ns) return x->order_ns < y->order_ns ? -1 : 1;
    return x->seen->order < y->seen->order ? -1 : 1;
}

static enum story_side packet_side(const struct flow *flow, const struct event_packet *packet)
{
    if (packet->header.protocol == IPPROTO_TCP || packet->header.protocol == IPPROTO_UDP)
        return flow_side(flow, &packet->header.src);
    /* An ICMP error comes from the host that the quoted packet was for (or from a router on the way to it). */
    return flow_side(flow, &packet->icmp.dst);
}

/* Who had sent what by then and sends what next, and the longest flight. */
static void note_order(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        struct tale_packet *packet = &telling->packets[i];
        if (i) memcpy(packet->since, packet[-1].since, sizeof(packet->since));
        packet->since[packet->side] = (uint32_t)i + 1;
        if (packet->received_ns - packet->sent_ns > telling->longest_flight_ns)
            telling->longest_flight_ns = packet->received_ns - packet->sent_ns;
        telling->marked |= packet->seen->marked;
    }
    uint32_t next[STORY_SIDES] = {0};
    for (size_t i = telling->packet_count; i-- > 0;) {
        memcpy(telling->packets[i].next, next, sizeof(next));
        next[telling->packets[i].side] = (uint32_t)i + 1;
    }
}

/* Times of one interface may step back (a clock was set, two processors stamped): there the order of arrival counts. Between
 * interfaces, and where the kernel's marks are at hand, times are all there is. */
static int64_t place_in_time(struct telling *telling, const struct tale_packet *packet)
{
    const struct tale_packet *before = packet > telling->packets ? packet - 1 : NULL;
    const struct sighting *seen = packet->seen;
    bool follows = before && seen->captured && !seen->marked && before->seen->captured && !before->seen->marked &&
                   seen->packet.vantage == before->seen->packet.vantage && !seen->packet.same && !seen->copy;
    return follows && before->order_ns > packet->sent_ns ? before->order_ns : packet->sent_ns;
}

void tale_collect_packets(struct telling *telling)
{
    struct flow *flow = telling->flow;
    telling->packets = calloc(flow->packet_count ? flow->packet_count : 1, sizeof(struct tale_packet));
    if (!telling->packets) {
        telling->failed = true;
        return;
    }
    pages_ask(telling->packets, flow->packet_count * sizeof(struct tale_packet));
    for (size_t i = 0; i < flow->packet_count; i++) {
        struct sighting *seen = &flow->packets[i];
        struct tale_packet *packet = &telling->packets[telling->packet_count++];
        packet->seen = seen;
        packet->side = packet_side(flow, &seen->packet);
        packet->sent_ns = seen->captured ? seen->captured_ns : seen->mark_ns;
        if (seen->marked && seen->mark_ns < packet->sent_ns) packet->sent_ns = seen->mark_ns;
        packet->received_ns = seen->arrived_ns;
        packet->order_ns = place_in_time(telling, packet);
        packet->chain = chain_known(telling->teller, seen->context.chain);
    }
    sort_items(telling->packets, telling->packet_count, sizeof(struct tale_packet), by_sending);
    note_order(telling);
}

static struct story_packet_place place_of(struct telling *telling, const struct sighting *seen)
{
    struct story_packet_place place = {.t_ns = seen->captured_ns, .number = seen->packet.number};
    const struct teller *teller = telling->teller;
    for (size_t i = 0; seen->captured && i < teller->vantage_count; i++)
        if (teller->vantages[i].number == seen->packet.vantage)
            place.vantage = arena_text(telling->arena, teller->vantages[i].name);
    return place;
}

/* Of two captures that were compared: the one that lacks a segment which passed it. */
static const char *missed_at(struct telling *telling, const struct sighting *seen)
{
    const struct teller *teller = telling->teller;
    if (seen->packet.fate != FATE_PASSED && seen->packet.fate != FATE_UNSENT) return NULL;
    for (size_t i = 0; i < teller->vantage_count; i++)
        if (teller->vantages[i].number != seen->packet.vantage) return arena_text(telling->arena, teller->vantages[i].name);
    return NULL;
}

static const struct event_packet *captured_copy(struct telling *telling, const struct sighting *seen)
{
    if (!seen->captured) return NULL;
    struct event_packet *copy = arena_alloc(telling->arena, sizeof(*copy));
    if (!copy) return NULL;
    *copy = seen->packet;
    if (copy->bytes) {
        uint8_t *bytes = arena_alloc(telling->arena, copy->captured_bytes);
        if (bytes) memcpy(bytes, seen->packet.bytes, copy->captured_bytes);
        copy->bytes = bytes;
    }
    copy->comments = NULL; /* they have a place of their own */
    return copy;
}

static bool say_the_same(const struct event_chain *a, const struct event_chain *b)
{
    if (!a || !b || a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->names[i], b->names[i]) != 0) return false;
    return true;
}

/* Those of its first sight, and those of later ones where they say something else. */
static const char *const *comments_of(struct telling *telling, const struct sighting *seen, size_t *ret_count)
{
    bool again = say_the_same(seen->packet.comments, seen->further_comments);
    const struct event_chain *lists[] = {seen->packet.comments, again ? NULL : seen->further_comments};
    size_t count = (lists[0] ? lists[0]->count : 0) + (lists[1] ? lists[1]->count : 0), at = 0;
    *ret_count = 0;
    if (!count) return NULL;
    const char **texts = arena_alloc(telling->arena, count * sizeof(*texts));
    for (size_t l = 0; texts && l < 2; l++)
        for (size_t i = 0; lists[l] && i < lists[l]->count; i++) texts[at++] = arena_text(telling->arena, lists[l]->names[i]);
    for (size_t i = 0; i < at; i++)
        if (!texts[i]) texts = NULL, at = 0;
    if (!texts) telling->failed = true;
    *ret_count = at;
    return texts;
}

static enum story_kind kind_of(const struct event_packet_header *header)
{
    if (header->flags & TCP_RST) return STORY_RST;
    if (header->flags & TCP_SYN) return header->flags & TCP_ACK ? STORY_SYN_ACK : STORY_SYN;
    if (header->flags & TCP_FIN) return STORY_FIN;
    return header->length_bytes ? STORY_DATA : STORY_ACK;
}

/* What it takes to number a side's bytes from 0, as Wireshark does: its SYN is 0; without a SYN the first byte seen is 1. */
static void find_bases(const struct telling *telling, uint32_t bases[STORY_SIDES])
{
    bool known[STORY_SIDES] = {false, false};
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct event_packet_header *header = &telling->packets[i].seen->packet.header;
        if (header->protocol != IPPROTO_TCP || known[telling->packets[i].side] || header->flags & TCP_RST) continue;
        bases[telling->packets[i].side] = header->seq - (header->flags & TCP_SYN ? 0 : 1);
        known[telling->packets[i].side] = true;
    }
    for (size_t i = 0; i < telling->packet_count; i++) { /* a side that sent only resets, or nothing */
        const struct tale_packet *packet = &telling->packets[i];
        const struct event_packet_header *header = &packet->seen->packet.header;
        enum story_side other = packet->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
        if (header->protocol != IPPROTO_TCP || !(header->flags & TCP_ACK)) continue;
        if (!known[other]) bases[other] = header->ack - 1;
        known[other] = true;
    }
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct conn_end *end = &telling->flow->conn.end[flow_conn_end(telling->flow->first_side, (enum story_side)side)];
        bool seen = end->flags & END_SYN_SEEN;
        telling->story->end[side].has_isn = seen;
        telling->story->end[side].isn = seen ? end->base : 0;
        if (end->flags & END_BASE) bases[side] = end->base;
    }
}

struct tale_packet *tale_quoted(const struct telling *telling, size_t index)
{
    const struct event_packet *error = &telling->packets[index].seen->packet;
    if (!error->icmp.quotes) return NULL;
    enum story_side sender = flow_side(telling->flow, &error->icmp.src);
    const struct back_border *firsts = telling->back.firsts[sender];
    if (error->icmp.protocol != telling->flow->key.protocol) return NULL;
    uint32_t number = error->icmp.protocol == IPPROTO_TCP ? error->icmp.seq : 0;
    size_t found = back_find(firsts, telling->back.first_count[sender], number, index);
    return found ? &telling->packets[firsts[found - 1].packet] : NULL;
}

static struct story_congestion congestion_of(const struct event_congestion *seen)
{
    return (struct story_congestion){
        .window = seen->window, .threshold = seen->threshold, .srtt_us = seen->srtt_us, .rto_us = seen->rto_us, .mss = seen->mss};
}

static void make_segment(struct telling *telling, size_t index, const uint32_t bases[STORY_SIDES])
{
    struct tale_packet *packet = &telling->packets[index];
    const struct event_packet_header *header = &packet->seen->packet.header;
    struct story_segment *segment = arena_alloc(telling->arena, sizeof(*segment));
    if (!segment) {
        telling->failed = true;
        return;
    }
    enum story_side other = packet->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    segment->number = ++telling->story->summary.segments;
    segment->folded = packet->seen->folded;
    if (segment->folded) telling->story->summary.segments += segment->folded - 1;
    telling->story->summary.folded_segments += segment->folded;
    segment->side = packet->side;
    segment->sent_ns = packet->sent_ns;
    segment->received_ns = packet->received_ns;
    segment->lost = telling_is_lost(telling, packet);
    segment->flags = header->flags;
    segment_flags(header->flags, segment->flags_text);
    segment->seq_absolute = header->seq;
    segment->ack_absolute = header->ack;
    /* A reset that answers a segment without ACK has sequence number 0 (RFC 9293 section 3.10.7.1): it is relative to nothing. */
    bool of_nothing = header->flags & TCP_RST && !telling->story->end[packet->side].has_isn && header->seq == 0;
    segment->seq = of_nothing ? 0 : header->seq - bases[packet->side];
    segment->ack = header->flags & TCP_ACK ? header->ack - bases[other] : 0;
    segment->length_bytes = header->length_bytes;
    segment->window = header->window;
    segment->congestion = congestion_of(&packet->seen->congestion);
    segment->kind = kind_of(header);
    bool bare = segment->kind == STORY_ACK && !(header->flags & TCP_ACK); /* a null scan's */
    segment->label = bare ? "null" : story_kind_name(segment->kind);
    segment->of_step = STORY_NO_STEP;
    segment->copy = packet->seen->copy && !packet->seen->unsent;
    segment->unsent = packet->seen->unsent;
    segment->missed_at = missed_at(telling, packet->seen);
    segment->place = place_of(telling, packet->seen);
    segment->captured = captured_copy(telling, packet->seen);
    segment->comments = comments_of(telling, packet->seen, &segment->comment_count);
    packet->segment = segment;
    packet->cause = &segment->cause;
}

static void make_datagram(struct telling *telling, size_t index)
{
    struct tale_packet *packet = &telling->packets[index];
    struct story_datagram *datagram = arena_alloc(telling->arena, sizeof(*datagram));
    if (!datagram) {
        telling->failed = true;
        return;
    }
    datagram->number = ++telling->story->summary.datagrams;
    datagram->side = packet->side;
    datagram->sent_ns = packet->sent_ns;
    datagram->received_ns = packet->received_ns;
    datagram->lost = telling_is_lost(telling, packet);
    datagram->length_bytes = packet->seen->packet.header.length_bytes;
    datagram->about_step = STORY_NO_STEP;
    const struct event_packet *captured = &packet->seen->packet;
    bool icmp = captured->header.protocol != IPPROTO_UDP;
    if (icmp) {
        datagram->icmp = segment_icmp_name(captured->header.protocol, captured->icmp.type, captured->icmp.code);
        datagram->error = segment_icmp_of(captured);
    } else {
        telling->story->end[packet->side].bytes_sent += datagram->length_bytes;
    }
    datagram->place = place_of(telling, packet->seen);
    datagram->captured = captured_copy(telling, packet->seen);
    datagram->comments = comments_of(telling, packet->seen, &datagram->comment_count);
    packet->datagram = datagram;
    packet->cause = &datagram->cause;
}

void tale_make_packets(struct telling *telling)
{
    uint32_t bases[STORY_SIDES] = {0, 0};
    find_bases(telling, bases);
    for (size_t i = 0; i < telling->packet_count && !telling->failed; i++) {
        if (tale_is_datagram(telling->packets[i].seen))
            make_datagram(telling, i);
        else
            make_segment(telling, i, bases);
    }
}

/* The first transmission of what a segment repeats: the one that was new when it carried the repeat's first number. `news`: of its
 * side, in order of their numbers. */
static const struct tale_packet *first_of(const struct tale_packet *const *news, size_t count, int64_t from)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (news[middle]->from <= from)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low) return NULL;
    const struct tale_packet *found = news[low - 1];
    return found->from + segment_space(&found->seen->packet.header) > from ? found : NULL;
}

static void name_side(struct telling *telling, enum story_side side, const struct tale_packet **news)
{
    size_t count = 0;
    for (size_t i = 0; i < telling->packet_count; i++) {
        struct tale_packet *packet = &telling->packets[i];
        struct story_segment *segment = packet->segment;
        if (!segment || packet->side != side || segment->copy) continue;
        uint8_t class = packet->verdict.class;
        segment->class = (enum conn_class) class;
        segment->retransmission = class == CONN_AGAIN || class == CONN_PARTLY_AGAIN;
        telling->story->summary.retransmissions += segment->retransmission;
        const struct tale_packet *first = segment->retransmission ? first_of(news, count, packet->from) : NULL;
        if (first) segment->of_step = first->step;
        if (packet->behind) segment->taken_behind = telling->packets[packet->behind - 1].step + 1;
        bool adds = segment_space(&packet->seen->packet.header) && (class == CONN_NEW || class == CONN_PARTLY_AGAIN);
        /* In order of numbers: a later one begins no earlier. */
        if (adds && (!count || news[count - 1]->from <= packet->from)) news[count++] = packet;
    }
}

void tale_name_packets(struct telling *telling)
{
    const struct tale_packet **news = calloc(telling->packet_count ? telling->packet_count : 1, sizeof(*news));
    if (!news) {
        telling->failed = true;
        return;
    }
    for (int side = 0; side < STORY_SIDES; side++) {
        name_side(telling, (enum story_side)side, news);
        if (telling->story->udp) continue;
        struct story_end *end = &telling->story->end[side];
        unsigned at = flow_conn_end(telling->first_side, (enum story_side)side);
        /* Where only the course is captured the numbers alone tell how many there were, and none is missed. */
        struct conn_payload sent = {.bytes = conn_bytes(&telling->conn, at)};
        if (!telling->teller->course_only) sent = conn_payload(&telling->judge, &telling->conn, at);
        end->bytes_missed = sent.missed;
        end->bytes_sent = sent.bytes - sent.missed;
    }
    free(news);
}
