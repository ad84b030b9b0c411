/* The span of one end of a connection. */
#include <string.h>

#include "viz/export/otlp_own.h"
#include "viz/plan/plan.h"

const char *otlp_state_name(enum tcp_state state)
{
    static const char *const names[STATE_COUNT] = {
        [STATE_CLOSED] = "closed",         [STATE_LISTEN] = "listen",           [STATE_SYN_SENT] = "syn_sent",
        [STATE_SYN_RCVD] = "syn_received", [STATE_ESTABLISHED] = "established", [STATE_FIN_WAIT_1] = "fin_wait_1",
        [STATE_FIN_WAIT_2] = "fin_wait_2", [STATE_CLOSE_WAIT] = "close_wait",   [STATE_CLOSING] = "closing",
        [STATE_LAST_ACK] = "last_ack",     [STATE_TIME_WAIT] = "time_wait"};
    return (unsigned)state < STATE_COUNT ? names[state] : NULL;
}

static bool is_known(const struct story_process *process)
{
    return process->pid != 0 || process->comm != NULL;
}

static void widen(struct otlp_ends *ends, enum story_side side, int64_t t_ns)
{
    if (t_ns < ends->from_ns[side]) ends->from_ns[side] = t_ns;
    if (t_ns > ends->to_ns[side]) ends->to_ns[side] = t_ns;
}

/* From the first to the last that is this end's own: what it sent, what reached it, what it called. A listener's calls and states
 * are older than the connection. */
static void find_times(const struct story *story, struct otlp_ends *ends)
{
    for (int side = 0; side < STORY_SIDES; side++) ends->from_ns[side] = INT64_MAX, ends->to_ns[side] = INT64_MIN;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        int64_t sent, received;
        if (plan_packet_times(step, &sent, &received)) {
            widen(ends, step->side, sent);
            if (received) widen(ends, step->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT, received);
            continue;
        }
        bool is_call = step->kind == STEP_ENTER || step->kind == STEP_EXIT;
        bool is_older = (is_call && step->call->listener) || (step->kind == STEP_STATE && step->state->to_state == STATE_LISTEN);
        if (!is_older && step->t_ns >= story->start_ns) widen(ends, step->side, step->t_ns);
    }
    for (int side = 0; side < STORY_SIDES; side++)
        if (ends->from_ns[side] > ends->to_ns[side]) ends->from_ns[side] = ends->to_ns[side] = story->start_ns;
}

struct otlp_ends otlp_ends_of(const struct story *story)
{
    static const char *const names[STORY_SIDES] = {"client", "server"};
    struct otlp_ends ends = {.trace = otlp_trace_of(story)};
    bool known[STORY_SIDES], any;
    for (int side = 0; side < STORY_SIDES; side++) known[side] = is_known(&story->end[side].process);
    any = known[STORY_CLIENT] || known[STORY_SERVER];
    for (int side = 0; side < STORY_SIDES; side++) {
        ends.told[side] = known[side] || !any;
        /* Two captures of one connection tell the same two ends, each in its own way, and a sequel tells on: their spans must not
         * have the same id. */
        ends.id[side] = otlp_span_of(&ends.trace, names[side], story->sequel, any && !story->sequel ? 0 : story->start_ns);
    }
    find_times(story, &ends);
    return ends;
}

static const char *error_of(enum story_outcome outcome)
{
    static const char *const errors[OUTCOMES] = {[OUTCOME_RESET] = "reset",
                                                 [OUTCOME_REFUSED] = "connection_refused",
                                                 [OUTCOME_TIMED_OUT] = "timed_out",
                                                 [OUTCOME_HALF_OPEN] = "half_open"};
    return (unsigned)outcome < OUTCOMES ? errors[outcome] : NULL;
}

static void put_attributes(struct json *json, const struct story *story, enum story_side side)
{
    const struct story_end *own = &story->end[side], *peer = &story->end[!side];
    const struct story_summary *summary = &story->summary;
    otlp_attributes_begin(json);
    otlp_text(json, "network.transport", story->udp ? "udp" : "tcp");
    if (own->address.version) otlp_text(json, "network.type", own->address.version == 4 ? "ipv4" : "ipv6");
    otlp_address(json, "network.local.address", "network.local.port", &own->address);
    otlp_address(json, "network.peer.address", "network.peer.port", &peer->address);
    otlp_address(json, "client.address", "client.port", &story->end[STORY_CLIENT].address);
    otlp_address(json, "server.address", "server.port", &story->end[STORY_SERVER].address);
    if (!story->udp) otlp_text(json, "network.connection.state", otlp_state_name(own->state));
    if (side == STORY_CLIENT && summary->handshake_ns >= 0) otlp_seconds(json, "handshake.duration", summary->handshake_ns);
    if (side == STORY_CLIENT && summary->handshake_network_ns >= 0)
        otlp_seconds(json, "rtt.duration", summary->handshake_network_ns);
    otlp_number(json, "tcpwhy.connection", story->number);
    otlp_text(json, "tcpwhy.outcome", story_outcome_name(story->outcome));
    otlp_number(json, "tcpwhy.bytes_sent", (int64_t)(own->bytes_sent + own->bytes_missed));
    if (story->so_far) otlp_yes(json, "tcpwhy.so_far");
    if (story->sequel) otlp_yes(json, "tcpwhy.sequel");
    if (story->summary.folded_segments) otlp_number(json, "tcpwhy.folded_segments", (int64_t)story->summary.folded_segments);
    if (story->summary.folded_calls) otlp_number(json, "tcpwhy.folded_calls", (int64_t)story->summary.folded_calls);
    otlp_text(json, "error.type", error_of(story->outcome));
    otlp_attributes_end(json);
}

void otlp_put_end(struct json *json, const struct story *story, const struct otlp_ends *ends, enum story_side side)
{
    static const char *const names[2][STORY_SIDES] = {{"TCP connection (client)", "TCP connection (server)"},
                                                      {"UDP flow (client)", "UDP flow (server)"}};
    const struct otlp_span_id *parent = side == STORY_SERVER ? &ends->id[STORY_CLIENT] : NULL;
    otlp_span_begin(json, &ends->trace, &ends->id[side], parent, names[story->udp][side],
                    side == STORY_CLIENT ? OTLP_CLIENT : OTLP_SERVER, ends->from_ns[side], ends->to_ns[side]);
    put_attributes(json, story, side);
    otlp_put_events(json, story, ends, side);
    otlp_span_end(json, error_of(story->outcome));
}
