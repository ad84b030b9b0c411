/* Segments and datagrams of the trace. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/export/perfetto_own.h"
#include "viz/export/perfetto_segments.h"
#include "viz/plan/facts.h"
#include "viz/plan/words.h"
#include "viz/view.h"

static void put_drop(struct perfetto *perfetto, const struct story_drop *drop)
{
    if (!drop) return;
    perfetto_text(perfetto, "dropped", drop->reason[0] ? drop->reason : "the kernel gives no reason");
    if (drop->function[0]) perfetto_text(perfetto, "dropped_in", drop->function);
}

static void put_segment(struct perfetto *perfetto, const struct story_segment *segment)
{
    perfetto_text(perfetto, "flags", segment->flags_text);
    perfetto_number(perfetto, "seq", segment->seq);
    if (segment->flags & TCP_ACK) perfetto_number(perfetto, "ack", segment->ack);
    perfetto_number(perfetto, "length", segment->length_bytes);
    if (segment->window_kind == WINDOW_BYTES) perfetto_number(perfetto, "window_bytes", segment->window_bytes);
    if (segment->congestion.window) perfetto_number(perfetto, "congestion_window", segment->congestion.window);
    if (segment->congestion.threshold) perfetto_number(perfetto, "ssthresh", segment->congestion.threshold);
    if (segment->congestion.srtt_us) perfetto_number(perfetto, "srtt_us", segment->congestion.srtt_us);
    if (segment->congestion.rto_us) perfetto_number(perfetto, "rto_us", segment->congestion.rto_us);
    if (!segment->copy && !segment->unsent) perfetto_text(perfetto, "class", conn_class_name(segment->class));
    if (segment->folded) perfetto_number(perfetto, "stands_for_segments", segment->folded);
    if (segment->retransmission) perfetto_text(perfetto, "retransmission", story_repeat_name(segment->repeat));
    if (segment->copy) perfetto_yes(perfetto, "a copy made by the network");
    if (segment->unsent) perfetto_yes(perfetto, "never sent by this end");
    if (segment->lost) perfetto_yes(perfetto, "lost");
    if (segment->reset_reason) perfetto_text(perfetto, "reset_reason", segment->reset_reason);
    put_drop(perfetto, segment->dropped);
    if (segment->place.number) perfetto_number(perfetto, "frame", (int64_t)segment->place.number);
    if (segment->place.vantage) perfetto_text(perfetto, "captured_on", segment->place.vantage);
}

static void put_datagram(struct perfetto *perfetto, const struct story_datagram *datagram)
{
    perfetto_number(perfetto, "length", datagram->length_bytes);
    if (datagram->lost) perfetto_yes(perfetto, "lost");
    put_drop(perfetto, datagram->dropped);
    if (datagram->place.number) perfetto_number(perfetto, "frame", (int64_t)datagram->place.number);
    if (datagram->place.vantage) perfetto_text(perfetto, "captured_on", datagram->place.vantage);
}

static void name_packet(const struct story_step *step, char name[NAME_BYTES])
{
    if (step->kind == STEP_SEGMENT)
        snprintf(name, NAME_BYTES, "#%" PRIu32 " %s%s%s", step->segment->number, step->segment->label,
                 step->segment->retransmission ? " (again)" : "", step->segment->lost ? " (lost)" : "");
    else
        snprintf(name, NAME_BYTES, "#%" PRIu32 " %s%s%s", step->datagram->number, step->datagram->icmp ? "ICMP " : "",
                 step->datagram->icmp ? step->datagram->icmp : "datagram", step->datagram->lost ? " (lost)" : "");
}

/* What leads on from a packet does so from where it arrived, if that was seen. */
void perfetto_tell_packet(struct perfetto_telling *telling, uint32_t i)
{
    char name[NAME_BYTES], arrives[NAME_BYTES + 16];
    const struct story_step *step = &telling->story->steps[i];
    struct perfetto *perfetto = &telling->perfetto;
    int64_t sent, received;
    plan_packet_times(step, &sent, &received);
    bool is_segment = step->kind == STEP_SEGMENT, has_arrived = received != 0 && received >= sent;
    uint64_t arrival = telling->view->flows;
    const struct story_cause *cause = is_segment ? &step->segment->cause : &step->datagram->cause;
    if (has_arrived) telling->view->flows++;
    name_packet(step, name);
    perfetto_event(perfetto, PERFETTO_INSTANT, telling->tracks + PLACE_PACKETS + step->side, perfetto_at(telling->view, sent),
                   name);
    perfetto_category(perfetto, is_segment ? "segment" : "datagram");
    is_segment ? put_segment(perfetto, step->segment) : put_datagram(perfetto, step->datagram);
    perfetto_put_cause(perfetto, cause);
    perfetto_chain(perfetto, cause->chain, cause->chain_count);
    perfetto_put_flows(telling, i, true, !has_arrived);
    if (has_arrived) perfetto_flow_from(perfetto, arrival);
    perfetto_event_end(perfetto);
    if (has_arrived) {
        snprintf(arrives, sizeof(arrives), "%s arrives", name);
        perfetto_event(perfetto, PERFETTO_INSTANT, telling->tracks + PLACE_PACKETS + !step->side,
                       perfetto_at(telling->view, received), arrives);
        perfetto_category(perfetto, "arrival");
        perfetto_flow_to(perfetto, arrival);
        perfetto_put_flows(telling, i, false, true);
        perfetto_event_end(perfetto);
    }
    if (!is_segment || step->segment->window_kind != WINDOW_BYTES || step->segment->copy || step->segment->unsent) return;
    perfetto_event(perfetto, PERFETTO_COUNTER, telling->tracks + PLACE_WINDOW + step->side, sent, NULL);
    perfetto_value(perfetto, step->segment->window_bytes);
    perfetto_event_end(perfetto);
}
