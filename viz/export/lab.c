/* The answer sheet of the usual exercise with Wireshark (addresses, numbers, RTTs, window, repeats, throughput): each answer with
 * the packets that it rests on, numbered as Wireshark numbers them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "viz/export/lab_facts.h"
#include "viz/pen/escape.h"
#include "viz/plan/facts.h"
#include "viz/view.h"

enum { REPEATS_SHOWN = 20, ACKS_SHOWN = 12 };
#define SHEET_BYTES_MAX ((size_t)1 << 24)

static uint64_t packet_of(const struct story_segment *segment)
{
    return segment->place.number;
}

/* To the last digit that the clock gave, so that the division can be done again. */
static void say_seconds(struct buf *out, int64_t ns)
{
    if (ns % 1000)
        buf_printf(out, "%" PRId64 ".%09" PRId64 " s", ns / 1000000000, ns % 1000000000);
    else
        buf_printf(out, "%" PRId64 ".%06" PRId64 " s", ns / 1000000000, ns % 1000000000 / 1000);
}

static const char *side_name(enum story_side side)
{
    return story_side_word(side);
}

static void put_head(const struct story *story, struct buf *out)
{
    char client[ADDRESS_TEXT_BYTES], server[ADDRESS_TEXT_BYTES];
    buf_printf(out, tr("CONNECTION %" PRIu32 ": %s -> %s\n"), story->number,
               address_format(&story->end[STORY_CLIENT].address, client),
               address_format(&story->end[STORY_SERVER].address, server));
    buf_text(out,
             tr("Packet numbers are Wireshark's. Times count from the connection's first packet (its tcp.time_relative),\nand an "
                "RTT is that of the place where the packets were captured.\n"));
}

static void put_addresses(const struct story *story, const struct lab_facts *facts, struct buf *out)
{
    char text[ADDRESS_TEXT_BYTES];
    buf_text(out, tr("\n1. Addresses and ports\n"));
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct story_segment *first = facts->syn[side];
        struct address address = story->end[side].address;
        uint16_t port = address.port;
        address.port = 0;
        buf_printf(out, tr("   %s: IP address %s, TCP port %u"), side_name((enum story_side)side),
                   address_format_ip(&address, text), port);
        if (first) buf_printf(out, tr(" (packet %" PRIu64 ")"), packet_of(first));
        buf_char(out, '\n');
    }
}

static void put_syn(const struct lab_facts *facts, struct buf *out)
{
    const struct story_segment *syn = facts->syn[STORY_CLIENT], *answer = facts->syn[STORY_SERVER], *ack = facts->handshake_ack;
    buf_text(out, tr("\n2. The handshake's numbers (in brackets as they are in the packet)\n"));
    if (!syn && !answer) buf_text(out, tr("   it was not captured\n"));
    if (syn)
        buf_printf(out,
                   tr("   SYN, packet %" PRIu64 ": sequence number %" PRIu32 " (%" PRIu32 "); it is one because SYN is set%s\n"),
                   packet_of(syn), syn->seq, syn->seq_absolute, syn->flags & TCP_ACK ? "" : tr(" and ACK is not"));
    if (answer)
        buf_printf(out,
                   tr("   SYN-ACK, packet %" PRIu64 ": sequence number %" PRIu32 " (%" PRIu32 "), acknowledgment %" PRIu32
                      " (%" PRIu32 ")\n"),
                   packet_of(answer), answer->seq, answer->seq_absolute, answer->ack, answer->ack_absolute);
    if (syn && answer && answer->flags & TCP_ACK && answer->ack_absolute == syn->seq_absolute + 1)
        buf_printf(out, tr("      %" PRIu32 " = %" PRIu32 " + 1: the SYN's sequence number and one, for a SYN takes one\n"),
                   answer->ack_absolute, syn->seq_absolute);
    if (ack)
        buf_printf(out, tr("   ACK, packet %" PRIu64 ": sequence number %" PRIu32 ", acknowledgment %" PRIu32 " (%" PRIu32 ")\n"),
                   packet_of(ack), ack->seq, ack->ack, ack->ack_absolute);
}

static void put_samples(const struct story *story, const struct lab_facts *facts, struct buf *out)
{
    buf_printf(out, tr("\n3. The first data segments of the %s\n"), side_name(facts->sender));
    if (!facts->sample_count) {
        buf_text(out, tr("   no data was captured\n"));
        return;
    }
    int64_t zero = story->steps[0].t_ns;
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_SEGMENT) {
            zero = story->steps[i].segment->sent_ns;
            break;
        }
    buf_text(out, tr("      packet         seq  bytes       sent at  ACK packet       came at        RTT\n"));
    for (size_t i = 0; i < facts->sample_count; i++) {
        const struct lab_sample *sample = &facts->samples[i];
        int64_t sent = sample->segment->sent_ns - zero, came = sample->ack ? lab_arrival_ns(sample->ack) - zero : 0;
        buf_printf(out, "   %zu  %6" PRIu64 "  %10" PRIu32 "  %5" PRIu32 "  %4" PRId64 ".%06" PRId64 " s", i + 1,
                   packet_of(sample->segment), sample->segment->seq, sample->segment->length_bytes, sent / 1000000000,
                   sent % 1000000000 / 1000);
        if (sample->ack)
            buf_printf(out, "  %10" PRIu64 "  %4" PRId64 ".%06" PRId64 " s", packet_of(sample->ack), came / 1000000000,
                       came % 1000000000 / 1000);
        else
            buf_text(out, tr("        none               "));
        if (sample->rtt_ns >= 0) buf_printf(out, tr("  %.3f ms"), (double)sample->rtt_ns / 1e6);
        if (sample->again)
            buf_printf(out, tr("  no RTT: sent again in packet %" PRIu64 ", and the ACK may be of either"),
                       packet_of(sample->again));
        buf_char(out, '\n');
    }
}

static void put_estimates(const struct lab_facts *facts, struct buf *out)
{
    buf_text(out, tr("\n4. EstimatedRTT = 0.875 * EstimatedRTT + 0.125 * SampleRTT (RFC 6298 section 2: alpha is 1/8)\n"));
    bool any = false;
    for (size_t i = 0; i < facts->sample_count; i++) {
        const struct lab_sample *sample = &facts->samples[i];
        if (sample->rtt_ns < 0) continue;
        double rtt_ms = (double)sample->rtt_ns / 1e6;
        buf_printf(out, tr("   packet %" PRIu64 ": "), packet_of(sample->segment));
        if (sample->before_ms < 0)
            buf_printf(out, tr("the first sample itself = %.3f ms\n"), rtt_ms);
        else
            buf_printf(out, "0.875 * %.3f + 0.125 * %.3f = %.3f ms\n", sample->before_ms, rtt_ms, sample->estimated_ms);
        any = true;
    }
    if (!any) buf_text(out, tr("   none of these segments has an RTT\n"));
}

static void put_window(const struct lab_facts *facts, struct buf *out)
{
    const struct story_segment *least = facts->least_window;
    const char *receiver = side_name(facts->sender == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT);
    buf_printf(out, tr("\n5. The least window that the %s offered\n"), receiver);
    if (!least)
        buf_text(out, tr("   no window is known\n"));
    else
        buf_printf(out, tr("   %" PRIu32 " bytes, packet %" PRIu64 "%s\n"), least->window_bytes, packet_of(least),
                   least->window_kind == WINDOW_UNSCALED ? tr(" (as in the packet: by how much it is scaled was not captured)")
                   : least->window_bytes                 ? ""
                                                         : tr(": closed, the sender has to wait"));
    if (facts->in_flight_at)
        buf_printf(out, tr("   at most %" PRIu32 " bytes were on their way and not acknowledged (as packet %" PRIu64 " left)%s\n"),
                   facts->in_flight_most, packet_of(facts->in_flight_at),
                   least && least->window_kind == WINDOW_BYTES && least->window_bytes > facts->in_flight_most
                       ? tr(": the window never held the sender back")
                       : "");
}

static void put_repeats(const struct story *story, const struct lab_facts *facts, struct buf *out)
{
    buf_printf(out, tr("\n6. Retransmissions of the %s\n"), side_name(facts->sender));
    if (!facts->repeats) {
        buf_text(out, tr("   none: no data segment carries sequence numbers that were sent before\n"));
        return;
    }
    uint32_t shown = 0;
    for (size_t i = 0; i < story->step_count && shown < REPEATS_SHOWN; i++) {
        const struct story_segment *segment = lab_segment(story, i);
        if (!segment || segment->side != facts->sender || !segment->retransmission || !segment->length_bytes) continue;
        buf_printf(out, tr("   packet %" PRIu64 ": sequence number %" PRIu32), packet_of(segment), segment->seq);
        if (segment->of_step < story->step_count && story->steps[segment->of_step].kind == STEP_SEGMENT)
            buf_printf(out, tr(", first sent in packet %" PRIu64), packet_of(story->steps[segment->of_step].segment));
        buf_char(out, '\n');
        shown++;
    }
    if (shown < facts->repeats) buf_printf(out, tr("   and %" PRIu32 " more\n"), facts->repeats - shown);
}

static void put_acks(const struct story *story, const struct lab_facts *facts, struct buf *out)
{
    const char *receiver = side_name(facts->sender == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT);
    buf_printf(out, tr("\n7. Bytes acknowledged by each ACK of the %s\n"), receiver);
    if (!facts->acks) {
        buf_text(out, tr("   none was captured that acknowledges data\n"));
        return;
    }
    uint32_t acked = facts->first_data->seq, shown = 0;
    bool seen = false;
    for (size_t i = 0; i < story->step_count && shown < ACKS_SHOWN && shown < facts->acks; i++) {
        const struct story_segment *segment = lab_segment(story, i);
        seen = seen || segment == facts->first_data;
        if (!segment || !seen || segment->side == facts->sender) continue;
        uint32_t bytes = lab_acked(facts, segment, &acked);
        if (!bytes) continue;
        buf_printf(out, tr("   packet %" PRIu64 ": acknowledgment %" PRIu32 ", %" PRIu32 " bytes\n"), packet_of(segment),
                   segment->ack, bytes);
        shown++;
    }
    if (shown < facts->acks) buf_printf(out, tr("   and %" PRIu32 " more\n"), facts->acks - shown);
    buf_printf(out,
               tr("   %" PRIu32 " ACK%s: %" PRIu32 " to %" PRIu32 " bytes each, most often %" PRIu32 " (%" PRIu32
                  " of them); %" PRIu32 " acknowledge%s more than one segment's bytes\n"),
               facts->acks, facts->acks == 1 ? "" : "s", facts->acked_least, facts->acked_most, facts->acked_usual,
               facts->usual_count, facts->acks_many, facts->acks_many == 1 ? "s" : "");
}

static void put_throughput(const struct lab_facts *facts, struct buf *out)
{
    buf_printf(out, tr("\n8. Throughput of the %s's data\n"), side_name(facts->sender));
    int64_t took_ns = facts->last_ack ? lab_arrival_ns(facts->last_ack) - facts->first_data->sent_ns : 0;
    if (took_ns <= 0) {
        buf_text(out, tr("   it can't be told: no data was acknowledged\n"));
        return;
    }
    double rate = (double)facts->bytes * 1e9 / (double)took_ns;
    buf_printf(out, tr("   %" PRIu64 " bytes were acknowledged (packet %" PRIu64 "), "), facts->bytes, packet_of(facts->last_ack));
    say_seconds(out, took_ns);
    buf_printf(out, tr(" after the first of them left (packet %" PRIu64 "):\n"), packet_of(facts->first_data));
    buf_printf(out, "   %" PRIu64 " / ", facts->bytes);
    say_seconds(out, took_ns);
    buf_printf(out, tr(" = %.1f bytes/s = %.3f Mbit/s\n"), rate, rate * 8 / 1e6);
}

struct lab {
    struct buf out;
    bool any;
};

static int lab_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    (void)sink, (void)options;
    struct lab *lab = calloc(1, sizeof(*lab));
    *state = lab;
    if (!lab) return err_set(err, -ENOMEM, "out of memory for the answer sheet");
    lab->out = buf_new(SHEET_BYTES_MAX);
    return 0;
}

static int lab_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                     struct err *err)
{
    (void)options;
    struct lab *lab = state;
    struct buf *out = &lab->out;
    struct lab_facts facts;
    if (story->udp || !story->step_count) return 0; /* the exercise is about TCP */
    if (lab_facts(story, &facts)) return err_set(err, -ENOMEM, "out of memory for the answers of connection %u", story->number);
    buf_clear(out);
    if (lab->any) buf_char(out, '\n');
    put_head(story, out);
    put_addresses(story, &facts, out);
    put_syn(&facts, out);
    put_samples(story, &facts, out);
    put_estimates(&facts, out);
    put_window(&facts, out);
    put_repeats(story, &facts, out);
    put_acks(story, &facts, out);
    put_throughput(&facts, out);
    lab->any = true;
    if (out->failed) return err_set(err, -ENOMEM, "out of memory for the answers of connection %u", story->number);
    return view_write(sink, out->data, out->length, err);
}

/* Answers that rest on packets are no better than the capture: what it lost stands below them. */
static void put_losses(const struct story_trace *trace, bool ascii, struct buf *out)
{
    bool any = trace->lost || trace->dropped;
    struct arena arena = arena_new();
    struct facts facts = facts_new(&arena);
    for (size_t i = 0; i < trace->loss_count; i++) any |= trace->losses[i].count != 0;
    if (any) facts_losses(trace, &facts);
    for (size_t i = 0; i < facts.count; i++) {
        buf_char(out, '\n');
        for (size_t k = 0; k < facts.list[i].words.count; k++) escape_text(out, facts.list[i].words.runs[k].text, ascii);
        buf_char(out, '\n');
    }
    out->failed |= facts.failed;
    arena_free(&arena);
}

static int lab_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                   struct err *err)
{
    struct lab *lab = state;
    if (!lab) return 0;
    int code = 0;
    if (trace) {
        buf_clear(&lab->out);
        if (!lab->any) buf_text(&lab->out, tr("no TCP connection was captured\n"));
        put_losses(trace, options->ascii, &lab->out);
        code = lab->out.failed ? err_set(err, -ENOMEM, "out of memory for the answer sheet")
                               : view_write(sink, lab->out.data, lab->out.length, err);
    }
    buf_free(&lab->out);
    free(lab);
    return code;
}

const struct view view_lab = {.name = "lab",
                              .suffix = ".lab.txt",
                              .summary = TR("the answers of the usual exercise with Wireshark, with packet numbers"),
                              .begin = lab_begin,
                              .story = lab_story,
                              .end = lab_end};
