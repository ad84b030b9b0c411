/* The lines of one story: calls, segments, states, findings. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "viz/export/jsonl_own.h"
#include "viz/pen/json.h"
#include "viz/plan/clock_words.h"
#include "viz/view.h"

/* Refers to a step as other lines name it; nothing for a step that is not in the story. */
static void put_step(struct json *json, const struct story *story, uint32_t number)
{
    if (number >= story->step_count) return;
    const struct story_step *step = &story->steps[number];
    switch (step->kind) {
    case STEP_ENTER:
    case STEP_EXIT:
        json_uint(json, "call", step->call->number);
        break;
    case STEP_SEGMENT:
        json_uint(json, "segment", step->segment->number);
        break;
    case STEP_DATAGRAM:
        json_uint(json, "datagram", step->datagram->number);
        break;
    case STEP_STATE:
        json_string(json, "end", story_side_name(step->side));
        json_string(json, "state", step->state->to);
        break;
    case STEP_PROCESS_EXIT:
        json_int(json, "exit", step->exit->process.pid);
        break;
    }
}

static void put_cause(struct json *json, const struct story *story, const struct story_cause *cause)
{
    json_object(json, "cause");
    json_string(json, "kind", story_cause_name(cause->kind));
    put_step(json, story, cause->step);
    if (cause->name) json_string(json, "name", cause->name);
    json_string(json, "evidence", story_evidence_name(cause->evidence));
    if (cause->chain && cause->chain_count) {
        json_array(json, "chain");
        for (size_t i = 0; i < cause->chain_count; i++) json_string(json, NULL, cause->chain[i]);
        json_end_array(json);
    }
    json_string(json, "why", cause->why);
    json_end_object(json);
}

static void put_end(struct json *json, const struct story *story, enum story_side side)
{
    char address[ADDRESS_TEXT_BYTES];
    const struct story_end *end = &story->end[side];
    json_object(json, story_side_name(side));
    json_string(json, "addr", end->address.version ? address_format(&end->address, address) : NULL);
    json_maybe_int(json, "pid", end->process.pid != 0, end->process.pid);
    json_string(json, "comm", end->process.comm);
    if (!story->udp) json_string(json, "state", end->state == STATE_UNKNOWN ? NULL : tcp_state_name(end->state));
    json_uint(json, "bytes", end->bytes_sent + end->bytes_missed);
    json_uint(json, "missed_bytes", end->bytes_missed);
    json_end_object(json);
}

static void put_side(struct json *json, const char *key, int32_t side)
{
    json_string(json, key, side < 0 ? NULL : side == STORY_SIDES ? "both" : story_side_name((enum story_side)side));
}

void jsonl_connection(struct json *json, const struct story *story)
{
    const struct story_summary *summary = &story->summary;
    jsonl_begin_line(json, "connection", story);
    json_string(json, "protocol", story->udp ? "udp" : "tcp");
    put_end(json, story, STORY_CLIENT);
    put_end(json, story, STORY_SERVER);
    if (!story->udp) {
        json_array(json, "isn");
        for (int side = 0; side < STORY_SIDES; side++) json_maybe_int(json, NULL, story->end[side].has_isn, story->end[side].isn);
        json_end_array(json);
    }
    json_string(json, "outcome", story_outcome_name(story->outcome));
    json_int(json, "start", story->start_ns);
    if (!story->udp) {
        put_side(json, "opened_by", summary->opened_by);
        put_side(json, "closed_first_by", summary->closed_first_by);
        put_side(json, "time_wait", summary->time_wait_side);
        json_maybe_int(json, "time_wait_until", summary->time_wait_until_ns != 0, summary->time_wait_until_ns);
        json_maybe_int(json, "handshake", summary->handshake_ns >= 0, summary->handshake_ns);
        json_maybe_int(json, "handshake_network", summary->handshake_network_ns >= 0, summary->handshake_network_ns);
        json_maybe_int(json, "handshake_timer", summary->handshake_timer_ns >= 0, summary->handshake_timer_ns);
        json_maybe_int(json, "handshake_process", summary->handshake_process_ns >= 0, summary->handshake_process_ns);
        json_maybe_int(json, "accept_wait", summary->accept_wait_ns >= 0, summary->accept_wait_ns);
    }
    jsonl_end_line(json);
}

/* `story` NULL: it stands in none. */
void jsonl_put_call(struct json *json, const struct story *story, const struct story_call *call)
{
    bool has_returned = call->exit_ns != 0;
    json_uint(json, "call", call->number);
    json_string(json, "end", story ? story_side_name(call->side) : NULL);
    json_maybe_int(json, "pid", call->pid != 0, call->pid);
    json_maybe_int(json, "tid", call->tid != 0, call->tid);
    json_string(json, "comm", call->comm);
    json_string(json, "name", call->name);
    json_maybe_int(json, "fd", call->fd >= 0, call->fd);
    json_string(json, "args", call->args);
    json_bool(json, "listener", call->listener);
    json_maybe_int(json, "enter", call->enter_ns != 0, call->enter_ns);
    json_maybe_int(json, "exit", has_returned, call->exit_ns);
    json_maybe_int(json, "ret", has_returned && !call->interrupted, call->ret);
    json_string(json, "errno", has_returned ? call->errno_name : NULL);
    if (call->interrupted) json_bool(json, "interrupted", true);
    json_maybe_int(json, "slept", call->slept_ns >= 0, call->slept_ns);
    if (call->waits) {
        json_object(json, "woken_by");
        json_string(json, "kind", story_wake_name(call->wake.kind));
        if (story && (call->wake.kind == WAKE_SEGMENT || call->wake.kind == WAKE_CALL)) put_step(json, story, call->wake.step);
        json_string(json, "evidence", story_evidence_name(call->wake.evidence));
        json_string(json, "why", call->wake.why);
        json_end_object(json);
    } else
        json_null(json, "woken_by");
}

static void call_line(struct json *json, const struct story *story, const struct story_call *call)
{
    jsonl_begin_line(json, "call", story);
    jsonl_put_call(json, story, call);
    jsonl_end_line(json);
}

static void put_place(struct json *json, const struct story_packet_place *place)
{
    json_string(json, "vantage", place->vantage);
    json_maybe_int(json, "frame", place->number != 0, (int64_t)place->number);
}

/* Only where there is one; several are joined by line breaks. */
static void put_comment(struct json *json, const char *const *comments, size_t count)
{
    struct buf joined = buf_new(COMMENTS_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i) buf_char(&joined, '\n');
        buf_text(&joined, comments[i]);
    }
    if (count) json_string(json, "comment", buf_string(&joined));
    buf_free(&joined);
}

/* Only where a kernel was seen to throw it away. */
static void put_drop(struct json *json, const struct story_drop *drop)
{
    static const char *const by[] = {
        [STORY_DROPPED_BY_RECEIVER] = "receiver", [STORY_DROPPED_BY_SENDER] = "sender", [STORY_DROPPED_BETWEEN] = "between"};
    if (!drop) return;
    json_object(json, "dropped");
    json_string(json, "reason", drop->reason[0] ? drop->reason : NULL);
    json_string(json, "by", by[drop->by]);
    json_string(json, "function", drop->function[0] ? drop->function : NULL);
    json_bool(json, "untaken", drop->untaken);
    json_int(json, "t", drop->t_ns);
    json_end_object(json);
}

/* Only where a listening socket's queues were seen. */
static void put_queue(struct json *json, const struct story_queue *queue)
{
    if (!queue) return;
    json_object(json, "queue");
    json_uint(json, "accept", queue->accept_length);
    json_uint(json, "accept_most", queue->accept_most);
    json_uint(json, "requests", queue->request_length);
    json_bool(json, "dropped", queue->dropped);
    json_end_object(json);
}

static void put_congestion(struct json *json, const struct story_congestion *congestion)
{
    if (!congestion->window) return;
    json_object(json, "congestion");
    json_uint(json, "window", congestion->window);
    json_maybe_int(json, "threshold", congestion->threshold != 0, congestion->threshold);
    json_maybe_int(json, "srtt", congestion->srtt_us != 0, (int64_t)congestion->srtt_us * 1000);
    json_maybe_int(json, "rto", congestion->rto_us != 0, (int64_t)congestion->rto_us * 1000);
    json_uint(json, "mss", congestion->mss);
    json_end_object(json);
}

static void segment_line(struct json *json, const struct story *story, const struct story_segment *segment)
{
    bool has_ack = segment->flags & TCP_ACK;
    jsonl_begin_line(json, "segment", story);
    json_uint(json, "segment", segment->number);
    json_string(json, "end", story_side_name(segment->side));
    json_int(json, "sent", segment->sent_ns);
    json_maybe_int(json, "received", segment->received_ns != 0, segment->received_ns);
    json_string(json, "flags", segment->flags_text);
    json_string(json, "label", segment->label);
    json_uint(json, "seq", segment->seq);
    json_maybe_int(json, "ack", has_ack, segment->ack);
    json_uint(json, "len", segment->length_bytes);
    json_uint(json, "seq_absolute", segment->seq_absolute);
    json_maybe_int(json, "ack_absolute", has_ack, segment->ack_absolute);
    json_uint(json, "window", segment->window);
    json_maybe_int(json, "window_bytes", segment->window_kind == WINDOW_BYTES, segment->window_bytes);
    put_congestion(json, &segment->congestion);
    json_bool(json, "lost", segment->lost);
    put_drop(json, segment->dropped);
    put_queue(json, segment->queue);
    json_bool(json, "copy", segment->copy);
    if (segment->unsent) json_bool(json, "unsent", true);
    if (segment->copy || segment->unsent)
        json_null(json, "class");
    else
        json_string(json, "class", conn_class_name(segment->class));
    json_bool(json, "retransmission", segment->retransmission);
    json_string(json, "retransmission_kind", story_repeat_name(segment->repeat));
    if (segment->retransmission) {
        json_object(json, "of");
        put_step(json, story, segment->of_step);
        json_end_object(json);
    }
    if (segment->flags & TCP_RST) json_string(json, "reset_reason", segment->reset_reason);
    put_place(json, &segment->place);
    if (segment->missed_at) json_string(json, "missed_at", segment->missed_at);
    put_comment(json, segment->comments, segment->comment_count);
    put_cause(json, story, &segment->cause);
    jsonl_end_line(json);
}

static void datagram_line(struct json *json, const struct story *story, const struct story_datagram *datagram)
{
    jsonl_begin_line(json, "datagram", story);
    json_uint(json, "datagram", datagram->number);
    json_string(json, "end", story_side_name(datagram->side));
    json_int(json, "sent", datagram->sent_ns);
    json_maybe_int(json, "received", datagram->received_ns != 0, datagram->received_ns);
    json_bool(json, "lost", datagram->lost);
    put_drop(json, datagram->dropped);
    json_uint(json, "len", datagram->length_bytes);
    json_string(json, "icmp", datagram->icmp);
    if (datagram->icmp) {
        json_object(json, "about");
        put_step(json, story, datagram->about_step);
        json_end_object(json);
        char from[ADDRESS_TEXT_BYTES];
        json_string(json, "from", datagram->error.from.version ? address_format_ip(&datagram->error.from, from) : NULL);
        json_maybe_int(json, "mtu", datagram->error.mtu != 0, datagram->error.mtu);
    }
    put_place(json, &datagram->place);
    put_comment(json, datagram->comments, datagram->comment_count);
    put_cause(json, story, &datagram->cause);
    jsonl_end_line(json);
}

static void state_line(struct json *json, const struct story *story, const struct story_step *step)
{
    jsonl_begin_line(json, "state", story);
    json_string(json, "end", story_side_name(step->side));
    json_string(json, "from", step->state->from);
    json_string(json, "to", step->state->to);
    json_int(json, "t", step->t_ns);
    json_string(json, "source", step->state->kernel ? "kernel" : "segments");
    put_cause(json, story, &step->state->cause);
    jsonl_end_line(json);
}

static void exit_line(struct json *json, const struct story *story, const struct story_step *step)
{
    const struct story_exit *end = step->exit;
    jsonl_begin_line(json, "exit", story);
    json_string(json, "end", story_side_name(step->side));
    json_maybe_int(json, "pid", end->process.pid != 0, end->process.pid);
    json_string(json, "comm", end->process.comm);
    json_int(json, "t", step->t_ns);
    json_string(json, "name", end->name);
    json_maybe_int(json, "status", end->signal == 0, end->status);
    json_maybe_int(json, "signal", end->signal != 0, end->signal);
    jsonl_end_line(json);
}

static void put_steps(struct json *json, const struct story *story, const uint32_t *steps, size_t count)
{
    json_array(json, "steps");
    for (size_t i = 0; i < count; i++) {
        if (steps[i] >= story->step_count) continue;
        json_object(json, NULL);
        put_step(json, story, steps[i]);
        json_end_object(json);
    }
    json_end_array(json);
}

void jsonl_time(struct json *json, const struct story *story)
{
    const struct story_time *time = &story->time;
    if (time->total_ns < 0) return;
    jsonl_begin_line(json, "time", story);
    json_int(json, "total", time->total_ns);
    json_object(json, "spent");
    for (int i = 0; i < SPENTS; i++)
        if (time->spent_ns[i]) json_int(json, story_spent_name((enum story_spent)i), time->spent_ns[i]);
    json_end_object(json);
    json_maybe_int(json, "first_byte", time->first_byte_ns >= 0, time->first_byte_ns);
    json_maybe_int(json, "time_wait", time->time_wait_ns >= 0, time->time_wait_ns);
    jsonl_end_line(json);
}

void jsonl_finding(struct json *json, const struct story *story, const struct story_finding *finding)
{
    jsonl_begin_line(json, "finding", story);
    json_string(json, "id", finding->id);
    json_string(json, "severity", finding->severity);
    json_string(json, "text", finding->text);
    put_steps(json, story, finding->steps, finding->step_count);
    jsonl_end_line(json);
}

void jsonl_difference(struct json *json, const struct story *story, const struct story_difference *difference)
{
    jsonl_begin_line(json, "difference", story);
    json_string(json, "id", difference->id);
    json_string(json, "text", difference->text);
    json_string(json, "reference", difference->reference);
    put_steps(json, story, difference->steps, difference->step_count);
    jsonl_end_line(json);
}

/* A line a step, in order; a call has one line, where it began. */
void jsonl_step(struct json *json, const struct story *story, const struct story_step *step)
{
    switch (step->kind) {
    case STEP_ENTER:
        call_line(json, story, step->call);
        break;
    case STEP_EXIT:
        if (step->call->enter_step == STORY_NO_STEP) call_line(json, story, step->call);
        break;
    case STEP_SEGMENT:
        segment_line(json, story, step->segment);
        break;
    case STEP_DATAGRAM:
        datagram_line(json, story, step->datagram);
        break;
    case STEP_STATE:
        state_line(json, story, step);
        break;
    case STEP_PROCESS_EXIT:
        exit_line(json, story, step);
        break;
    }
}
