/* What happened to an end of a connection, as events of its span. */
#include "viz/export/otlp_own.h"
#include "viz/plan/plan.h"
#include "viz/plan/words.h"

void otlp_put_cause(struct json *json, const struct story_cause *cause)
{
    otlp_text(json, "tcpwhy.cause", story_cause_name(cause->kind));
    otlp_text(json, "tcpwhy.cause.name", cause->name);
    otlp_text(json, "tcpwhy.why", cause->why);
    otlp_text(json, "tcpwhy.evidence", words_evidence(cause->kind, cause->evidence));
}

/* What is told of a step on the span of `side`. */
enum what { NOTHING, STATE, SENT, RECEIVED, EXIT };

static enum what what_of(const struct story_step *step, const struct otlp_ends *ends, enum story_side side)
{
    int64_t sent, received;
    if (step->kind == STEP_STATE) return step->side == side && !step->state->kernel ? STATE : NOTHING;
    if (step->kind == STEP_PROCESS_EXIT) return step->side == side ? EXIT : NOTHING;
    if (!plan_packet_times(step, &sent, &received)) return NOTHING;
    if (step->side == side) return SENT;
    /* Where nobody tells the other end, what came from there is told when it was captured. */
    bool lost = step->kind == STEP_SEGMENT ? step->segment->lost : step->datagram->lost;
    return received || (!ends->told[step->side] && !lost) ? RECEIVED : NOTHING;
}

/* What is kept when not all can be: handshake, goodbye, trouble. */
static bool matters(const struct story_step *step)
{
    if (step->kind == STEP_DATAGRAM) return step->datagram->icmp || step->datagram->lost || step->datagram->dropped;
    if (step->kind != STEP_SEGMENT) return true;
    const struct story_segment *segment = step->segment;
    return segment->handshake || segment->teardown || segment->retransmission || segment->lost || segment->dropped ||
           (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0;
}

static void put_segment(struct json *json, const struct story_segment *segment, bool sent)
{
    otlp_number(json, "tcpwhy.segment", segment->number);
    otlp_text(json, "tcp.flags", segment->flags_text);
    otlp_number(json, "tcp.seq", segment->seq);
    if (segment->flags & TCP_ACK) otlp_number(json, "tcp.ack", segment->ack);
    otlp_number(json, "tcp.length", segment->length_bytes);
    if (segment->window_kind == WINDOW_BYTES) otlp_number(json, "tcp.window", segment->window_bytes);
    if (segment->congestion.window) otlp_number(json, "tcpwhy.congestion_window", segment->congestion.window);
    if (segment->congestion.srtt_us) otlp_number(json, "tcpwhy.srtt_us", segment->congestion.srtt_us);
    if (segment->congestion.rto_us) otlp_number(json, "tcpwhy.rto_us", segment->congestion.rto_us);
    if (segment->folded) otlp_number(json, "tcpwhy.stands_for_segments", segment->folded);
    if (!sent) return;
    otlp_text(json, "tcpwhy.retransmission", story_repeat_name(segment->repeat));
    if (segment->lost) otlp_yes(json, "tcpwhy.lost");
    if (segment->dropped) otlp_text(json, "tcpwhy.dropped", segment->dropped->reason[0] ? segment->dropped->reason : "no reason");
    if (!segment->copy && !segment->unsent) otlp_text(json, "tcpwhy.class", conn_class_name(segment->class));
    otlp_text(json, "tcpwhy.reset_reason", segment->reset_reason);
    otlp_put_cause(json, &segment->cause);
}

static void put_datagram(struct json *json, const struct story_datagram *datagram, bool sent)
{
    otlp_number(json, "tcpwhy.datagram", datagram->number);
    otlp_text(json, "tcpwhy.icmp", datagram->icmp);
    otlp_number(json, "udp.length", datagram->length_bytes);
    if (!sent) return;
    if (datagram->lost) otlp_yes(json, "tcpwhy.lost");
    if (datagram->dropped)
        otlp_text(json, "tcpwhy.dropped", datagram->dropped->reason[0] ? datagram->dropped->reason : "no reason");
    otlp_put_cause(json, &datagram->cause);
}

static const char *name_of(const struct story_step *step, enum what what)
{
    if (step->kind == STEP_DATAGRAM && step->datagram->icmp) return what == SENT ? "icmp error sent" : "icmp error received";
    if (step->kind == STEP_DATAGRAM) return what == SENT ? "datagram sent" : "datagram received";
    static const char *const names[STORY_KINDS][2] = {
        [STORY_SYN] = {"SYN sent", "SYN received"}, [STORY_SYN_ACK] = {"SYN-ACK sent", "SYN-ACK received"},
        [STORY_ACK] = {"ACK sent", "ACK received"}, [STORY_DATA] = {"data sent", "data received"},
        [STORY_FIN] = {"FIN sent", "FIN received"}, [STORY_RST] = {"RST sent", "RST received"}};
    return names[step->segment->kind][what == RECEIVED];
}

static void put_event(struct json *json, const struct story_step *step, enum what what)
{
    int64_t sent = 0, received = 0;
    plan_packet_times(step, &sent, &received);
    if (what == STATE)
        otlp_event_begin(json, step->state->to, step->t_ns);
    else if (what == EXIT)
        otlp_event_begin(json, "process ended", step->t_ns);
    else
        otlp_event_begin(json, name_of(step, what), what == RECEIVED && received ? received : sent);
    otlp_attributes_begin(json);
    if (what == STATE) {
        otlp_text(json, "network.connection.state", otlp_state_name(step->state->to_state));
        otlp_text(json, "tcpwhy.state.from", step->state->from);
        otlp_put_cause(json, &step->state->cause);
    } else if (what == EXIT)
        otlp_text(json, "tcpwhy.exit", step->exit->name);
    else if (step->kind == STEP_SEGMENT)
        put_segment(json, step->segment, what == SENT);
    else
        put_datagram(json, step->datagram, what == SENT);
    otlp_attributes_end(json);
    otlp_event_end(json);
}

static enum story_side side_of(const struct story *story, const struct story_finding *finding, const struct otlp_ends *ends)
{
    uint32_t first = finding->step_count ? finding->steps[0] : STORY_NO_STEP;
    enum story_side side = first < story->step_count ? story->steps[first].side : STORY_CLIENT;
    return ends->told[side] ? side : !side;
}

static void put_finding(struct json *json, const struct story *story, const struct story_finding *finding)
{
    uint32_t first = finding->step_count ? finding->steps[0] : STORY_NO_STEP;
    otlp_event_begin(json, finding->id, first < story->step_count ? story->steps[first].t_ns : story->start_ns);
    otlp_attributes_begin(json);
    otlp_text(json, "tcpwhy.finding.severity", finding->severity);
    otlp_text(json, "tcpwhy.finding.text", finding->text);
    otlp_attributes_end(json);
    otlp_event_end(json);
}

void otlp_put_events(struct json *json, const struct story *story, const struct otlp_ends *ends, enum story_side side)
{
    uint64_t all = 0, important = 0, findings = 0, told = 0;
    for (size_t i = 0; i < story->finding_count; i++) findings += side_of(story, &story->findings[i], ends) == side;
    for (size_t i = 0; i < story->step_count; i++) {
        if (what_of(&story->steps[i], ends, side) == NOTHING) continue;
        all++;
        important += matters(&story->steps[i]);
    }
    important += findings;
    all += findings;
    uint64_t room = important < OTLP_EVENTS_MAX ? OTLP_EVENTS_MAX - important : 0; /* for what does not matter much */
    json_array(json, "events");
    for (size_t i = 0; i < story->finding_count && told < OTLP_EVENTS_MAX; i++) {
        if (side_of(story, &story->findings[i], ends) != side) continue;
        put_finding(json, story, &story->findings[i]);
        told++;
    }
    for (size_t i = 0; i < story->step_count && told < OTLP_EVENTS_MAX; i++) {
        const struct story_step *step = &story->steps[i];
        enum what what = what_of(step, ends, side);
        if (what == NOTHING || (!matters(step) && !room)) continue;
        if (!matters(step)) room--;
        put_event(json, step, what);
        told++;
    }
    json_end_array(json);
    json_uint(json, "droppedEventsCount", all - told);
}
