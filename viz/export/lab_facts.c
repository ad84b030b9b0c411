#include "viz/export/lab_facts.h"

#include <errno.h>
#include <stdlib.h>

#include "tcp/seq.h"

const struct story_segment *lab_segment(const struct story *story, size_t i)
{
    const struct story_segment *segment = story->steps[i].kind == STEP_SEGMENT ? story->steps[i].segment : NULL;
    if (!segment || segment->copy || segment->unsent) return NULL;
    return segment->class == CONN_KEEPALIVE || segment->class == CONN_WINDOW_PROBE ? NULL : segment;
}

int64_t lab_arrival_ns(const struct story_segment *segment)
{
    return segment->received_ns ? segment->received_ns : segment->sent_ns;
}

static uint32_t end_of(const struct story_segment *segment)
{
    return segment->seq + segment->length_bytes;
}

uint32_t lab_acked(const struct lab_facts *facts, const struct story_segment *segment, uint32_t *acked)
{
    if (!(segment->flags & TCP_ACK) || segment->flags & TCP_RST) return 0;
    uint32_t upto = segment->ack;
    if (facts->fin && seq_before(end_of(facts->fin), upto)) upto = end_of(facts->fin);
    if (!seq_before(*acked, upto)) return 0;
    uint32_t bytes = upto - *acked;
    *acked = upto;
    return bytes;
}

static void find_handshake(const struct story *story, struct lab_facts *facts)
{
    for (size_t i = 0; i < story->step_count && !facts->handshake_ack; i++) {
        const struct story_segment *segment = lab_segment(story, i);
        if (!segment) continue;
        if (segment->flags & TCP_SYN && !facts->syn[segment->side]) facts->syn[segment->side] = segment;
        bool both = facts->syn[STORY_CLIENT] && facts->syn[STORY_SERVER];
        if (both && segment->side == STORY_CLIENT && !(segment->flags & (TCP_SYN | TCP_RST)) && segment->flags & TCP_ACK)
            facts->handshake_ack = segment;
    }
}

/* The first that acknowledges all of step i's data, and whether that was sent again before. */
static void find_ack(const struct story *story, size_t i, struct lab_sample *sample)
{
    const struct story_segment *sent = sample->segment;
    for (size_t k = i + 1; k < story->step_count && !sample->ack; k++) {
        const struct story_segment *segment = lab_segment(story, k);
        if (!segment) continue;
        bool overlaps = segment->side == sent->side && segment->length_bytes && segment->retransmission &&
                        seq_before(segment->seq, end_of(sent)) && seq_before(sent->seq, end_of(segment));
        if (overlaps && !sample->again) sample->again = segment;
        bool covers = segment->side != sent->side && segment->flags & TCP_ACK && !(segment->flags & TCP_RST) && !segment->lost &&
                      seq_at_or_before(end_of(sent), segment->ack);
        if (covers) sample->ack = segment;
    }
    sample->rtt_ns = sample->ack && !sample->again ? lab_arrival_ns(sample->ack) - sent->sent_ns : -1;
}

static void find_samples(const struct story *story, struct lab_facts *facts)
{
    double estimated_ms = -1;
    for (size_t i = 0; i < story->step_count && facts->sample_count < LAB_SEGMENTS_MOST; i++) {
        const struct story_segment *segment = lab_segment(story, i);
        if (!segment || segment->side != facts->sender || !segment->length_bytes || segment->retransmission) continue;
        struct lab_sample *sample = &facts->samples[facts->sample_count++];
        *sample = (struct lab_sample){.segment = segment, .before_ms = estimated_ms};
        find_ack(story, i, sample);
        if (sample->rtt_ns >= 0) {
            double rtt_ms = (double)sample->rtt_ns / 1e6;
            estimated_ms = estimated_ms < 0 ? rtt_ms : 0.875 * estimated_ms + 0.125 * rtt_ms;
        }
        sample->estimated_ms = estimated_ms;
    }
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return (one > other) - (one < other);
}

static void find_usual(uint32_t *counts, size_t count, struct lab_facts *facts)
{
    qsort(counts, count, sizeof(*counts), compare_numbers);
    facts->acked_least = counts[0];
    facts->acked_most = counts[count - 1];
    for (size_t i = 0, from = 0; i < count; i++) {
        if (counts[i] != counts[from]) from = i;
        if (i - from + 1 <= facts->usual_count) continue;
        facts->usual_count = (uint32_t)(i - from + 1);
        facts->acked_usual = counts[i];
    }
}

/* Of the receiver's segment: its window, and what it acknowledges. */
static void take_receivers(struct lab_facts *facts, const struct story_segment *segment, uint32_t *acked, uint32_t largest,
                           uint32_t *counts)
{
    bool is_known = segment->window_kind == WINDOW_BYTES || segment->window_kind == WINDOW_UNSCALED;
    bool offers = is_known && !(segment->flags & (TCP_SYN | TCP_RST));
    if (offers && (!facts->least_window || segment->window_bytes < facts->least_window->window_bytes))
        facts->least_window = segment;
    uint32_t bytes = facts->first_data ? lab_acked(facts, segment, acked) : 0;
    if (!bytes) return;
    facts->last_ack = segment;
    facts->bytes += bytes;
    if (bytes > largest) facts->acks_many++;
    counts[facts->acks++] = bytes;
}

/* What lies between the numbers sent and those acknowledged. */
static void take_senders(struct lab_facts *facts, const struct story_segment *segment, uint32_t *sent, uint32_t *acked)
{
    if (segment->retransmission && segment->length_bytes) facts->repeats++;
    if (!segment->length_bytes) return;
    if (!facts->first_data) {
        facts->first_data = segment;
        *sent = *acked = segment->seq;
    }
    if (seq_before(*sent, end_of(segment))) *sent = end_of(segment);
    uint32_t in_flight = *sent - *acked;
    if (in_flight > facts->in_flight_most) {
        facts->in_flight_most = in_flight;
        facts->in_flight_at = segment;
    }
}

static void find_fin(const struct story *story, struct lab_facts *facts)
{
    for (size_t i = 0; i < story->step_count && !facts->fin; i++) {
        const struct story_segment *segment = lab_segment(story, i);
        if (segment && segment->side == facts->sender && segment->flags & TCP_FIN) facts->fin = segment;
    }
}

int lab_facts(const struct story *story, struct lab_facts *ret_facts)
{
    struct lab_facts *facts = ret_facts;
    *facts = (struct lab_facts){.sender = story->end[STORY_SERVER].bytes_sent > story->end[STORY_CLIENT].bytes_sent ? STORY_SERVER
                                                                                                                    : STORY_CLIENT};
    uint32_t *counts = calloc(story->step_count + 1, sizeof(*counts));
    uint32_t sent = 0, acked = 0, largest = 0;
    if (!counts) return -ENOMEM;
    find_handshake(story, facts);
    find_samples(story, facts);
    find_fin(story, facts);
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_segment *segment = lab_segment(story, i);
        if (!segment) continue;
        if (segment->side == facts->sender && segment->length_bytes > largest) largest = segment->length_bytes;
        if (segment->side == facts->sender)
            take_senders(facts, segment, &sent, &acked);
        else
            take_receivers(facts, segment, &acked, largest, counts);
    }
    if (facts->acks) find_usual(counts, facts->acks, facts);
    free(counts);
    return 0;
}
