/* The handshake: how a connection came to be, and what stood in its way. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "story/findings.h"

/* listen()'s backlog of the listening socket of this story; -1 not seen. */
static int64_t backlog_of(const struct telling *telling, uint32_t *ret_step)
{
    const struct tale_call *listen = finding_call(telling, STORY_SERVER, "listen", 0);
    if (!listen) return -1;
    *ret_step = listen->story->exit_step;
    return listen->call->how;
}

static bool is_deferred(const struct telling *telling)
{
    return telling_option(telling, STORY_SERVER, IPPROTO_TCP, TCP_DEFER_ACCEPT, NULL) > 0;
}

static void find_refused(struct telling *telling)
{
    struct tale_packet *reset = finding_segment(telling, -1, "RST", 0);
    if (!reset || telling->story->outcome != OUTCOME_REFUSED) return;
    if (reset->cause->kind == CAUSE_KERNEL) return; /* a firewall: whether a process listens there never showed */
    uint32_t proof[2] = {reset->cause->step, reset->step};
    finding_add(
        telling, "refused", "error",
        telling_printf(telling,
                       "connection refused: no process listens on port %u there; start the server, or check the address and port",
                       (unsigned)telling->flow->end[STORY_SERVER].port),
        proof, 2);
}

/* accept() long after the handshake: the client was ESTABLISHED and could send all the while. */
static void find_late_accept(struct telling *telling)
{
    int64_t waited_ns = telling->story->summary.accept_wait_ns;
    static const int64_t LATE_NS = 10000000;
    if (waited_ns < LATE_NS || is_deferred(telling)) return;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (strncmp(call->name, "accept", 6) != 0 || call->ret < 0) continue;
        uint32_t proof[2] = {call->wake.step, call->exit_step};
        finding_add(telling, "accept-late", "note",
                    telling_printf(telling,
                                   "accept() took the connection %" PRId64
                                   " ms after the handshake was complete: it sends nothing, so the client "
                                   "was ESTABLISHED and could send data all that time",
                                   waited_ns / 1000000),
                    proof, 2);
        return;
    }
}

static void find_both_open(struct telling *telling)
{
    const struct tale_packet *syn[STORY_SIDES];
    for (size_t side = 0; side < STORY_SIDES; side++) syn[side] = finding_segment(telling, (int)side, "SYN", 0);
    if (telling->flow->to_itself && syn[STORY_CLIENT]) {
        uint32_t proof[1] = {syn[STORY_CLIENT]->step};
        finding_add(telling, "self-connect", "warning",
                    telling_printf(telling,
                                   "the socket is connected to itself: its own port %u was free as the port to connect to, so its "
                                   "SYN met its own socket; keep listening ports out of net.ipv4.ip_local_port_range",
                                   (unsigned)telling->flow->end[STORY_CLIENT].port),
                    proof, 1);
    } else if (syn[STORY_CLIENT] && syn[STORY_SERVER]) {
        uint32_t proof[2] = {syn[STORY_CLIENT]->step, syn[STORY_SERVER]->step};
        finding_add(
            telling, "simultaneous-open", "note",
            "simultaneous open: both ends called connect() and their SYNs crossed; it is one connection, and nobody listened",
            proof, 2);
    }
}

/* The child socket comes out of the cookie in the ACK: before it the listener remembered nothing. */
static void find_cookies(struct telling *telling)
{
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct change *change = telling->states[i].change;
        if (!change || !(chain_read(change->context.chain).notes & CHAIN_COOKIE)) continue;
        const struct tale_packet *syn_ack = finding_segment(telling, STORY_SERVER, "SYN-ACK", 0);
        uint32_t proof[1] = {syn_ack ? syn_ack->step : STORY_NO_STEP};
        finding_add(telling, "syn-cookies", "note",
                    "SYN cookies: the listener kept nothing of the SYN; the connection was rebuilt from the sequence number in the "
                    "SYN-ACK, which the handshake's last ACK brought back",
                    proof, 1);
        return;
    }
}

static void find_deferred(struct telling *telling)
{
    uint32_t set_step = STORY_NO_STEP;
    if (telling_option(telling, STORY_SERVER, IPPROTO_TCP, TCP_DEFER_ACCEPT, &set_step) <= 0) return;
    const struct tale_packet *data = finding_segment(telling, STORY_CLIENT, "data", 0);
    uint32_t proof[2] = {set_step, data ? data->step : STORY_NO_STEP};
    finding_add(
        telling, "deferred-accept", "note",
        data ? "TCP_DEFER_ACCEPT: the client's ACK alone made no connection at the server; its first data did, and only then "
               "did accept() have something to take"
             : "TCP_DEFER_ACCEPT: the server has no connection before data comes, though the client is ESTABLISHED",
        proof, 2);
}

static void find_fast_open(struct telling *telling)
{
    const struct tale_packet *syn = finding_segment(telling, -1, "SYN", 0);
    if (!syn || !syn->seen->captured) return;
    const struct tale_packet *syn_ack = finding_segment(telling, (int)finding_other(syn->side), "SYN-ACK", 0);
    uint32_t proof[2] = {syn->step, syn_ack ? syn_ack->step : STORY_NO_STEP};
    const struct event_options *options = &syn->seen->packet.options;
    uint32_t length = syn->seen->packet.header.length_bytes;
    if (length) {
        bool taken = syn_ack && syn_ack->seen->packet.header.ack == syn->seen->packet.header.seq + 1 + length;
        bool cookie = options->present & OPTION_FASTOPEN && options->fastopen_cookie_bytes;
        const char *then = !syn_ack ? "no answer was seen, so nobody knows whether the server took them"
                           : taken  ? "the server took them before the handshake was complete"
                                    : "the server did not take them: they have to be sent again after the handshake";
        /* Without a cookie it may be Fast Open that needs none, or a stack (or a scanner) that just does so: RFC 9293 allows it. */
        finding_add(telling, cookie ? "fast-open" : "syn-data", "note",
                    telling_printf(telling, "%s %" PRIu32 " byte%s of data%s; %s",
                                   cookie ? "TCP Fast Open: the SYN carried" : "the SYN carried", length, length == 1 ? "" : "s",
                                   cookie ? " and the cookie of an earlier connection" : " and no Fast Open cookie", then),
                    proof, 2);
    } else if (options->present & OPTION_FASTOPEN && !options->fastopen_cookie_bytes) {
        finding_add(telling, "fast-open-cookie", "note",
                    "TCP Fast Open, first time: the SYN asks for a cookie and carries no data; the next connection may", proof, 2);
    }
}

/* The SYN got there, a listener was there, and nothing came back: its queue was full (tcp_conn_request drops it silently). */
static void find_dropped_syn(struct telling *telling)
{
    uint32_t listen_step = STORY_NO_STEP;
    int64_t backlog = backlog_of(telling, &listen_step);
    const struct tale_packet *syn = finding_segment(telling, STORY_CLIENT, "SYN", 0);
    const struct tale_packet *again = finding_segment(telling, STORY_CLIENT, "SYN", 1);
    const struct tale_packet *answer = finding_segment(telling, STORY_SERVER, "SYN-ACK", 0);
    const struct tale_packet *reset = finding_segment(telling, STORY_SERVER, "RST", 0);
    if (backlog < 0 || !syn || !syn->received_ns || (!again && telling->story->outcome != OUTCOME_TIMED_OUT)) return;
    if (telling->story->steps[listen_step].t_ns > syn->sent_ns) return;
    if (again && ((answer && answer->sent_ns < again->sent_ns) || (reset && reset->sent_ns < again->sent_ns))) return;
    uint32_t proof[3] = {listen_step, syn->step, again ? again->step : STORY_NO_STEP};
    finding_add(telling, "syn-dropped-full-queue", "warning",
                telling_printf(telling,
                               "the SYN reached the listening socket and was dropped without a word: its accept queue is full "
                               "(listen() asked for %" PRId64
                               "; Linux takes one more). The client can't tell that from a lost SYN; accept() faster, or raise the "
                               "backlog and net.core.somaxconn",
                               backlog),
                proof, 3);
}

/* The ACK got there and the SYN-ACK came again all the same: the kernel dropped the ACK (tcp_check_req, tcp_v4_syn_recv_sock). */
static void find_dropped_ack(struct telling *telling)
{
    const struct tale_packet *syn_ack = finding_segment(telling, STORY_SERVER, "SYN-ACK", 0);
    const struct tale_packet *again = finding_segment(telling, STORY_SERVER, "SYN-ACK", 1);
    if (!syn_ack || !again || again->seen->copy || again->cause->kind != CAUSE_TIMER || is_deferred(telling)) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *ack = &telling->packets[i];
        if (ack->side != STORY_CLIENT || !ack->segment || strcmp(ack->segment->label, "ACK") != 0 || !ack->received_ns) continue;
        if (ack->received_ns >= again->sent_ns || ack->sent_ns < syn_ack->sent_ns) continue;
        uint32_t listen_step = STORY_NO_STEP;
        backlog_of(telling, &listen_step);
        uint32_t proof[3] = {listen_step, ack->step, again->step};
        finding_add(telling, "ack-dropped-full-queue", "warning",
                    "the handshake's last ACK reached the server and was dropped without a word, for the accept queue is full: the "
                    "client is ESTABLISHED, the server is not, and its SYN-ACK comes again; accept() faster, or raise the backlog",
                    proof, 3);
        return;
    }
}

/* net.ipv4.tcp_abort_on_overflow: the handshake's last ACK is answered with RST. */
static void find_overflow_reset(struct telling *telling)
{
    const struct tale_packet *reset = finding_segment(telling, STORY_SERVER, "RST", 0);
    if (!reset || reset->cause->kind != CAUSE_SEGMENT || finding_call(telling, STORY_SERVER, "close", 0)) return;
    /* A full queue refuses in tcp_check_req; where the chain shows another way, there was no request socket any more. */
    if (reset->seen->context.chain && !(reset->chain.notes & CHAIN_REQUEST)) return;
    const struct story_step *by = &telling->story->steps[reset->cause->step];
    if (by->kind != STEP_SEGMENT || !by->segment->handshake || strcmp(by->segment->label, "ACK") != 0) return;
    uint32_t listen_step = STORY_NO_STEP;
    if (backlog_of(telling, &listen_step) < 0) return;
    uint32_t proof[3] = {listen_step, reset->cause->step, reset->step};
    finding_add(
        telling, "reset-full-queue", "error",
        "the server answered the handshake's last ACK with RST: its accept queue is full and net.ipv4.tcp_abort_on_overflow "
        "is on; accept() faster, or raise the backlog",
        proof, 3);
}

/* tcp_synack_retries ran out: whatever ACK comes now meets a listening socket that knows nothing of the SYN. */
static void find_forgotten_request(struct telling *telling)
{
    const struct tale_packet *reset = finding_segment(telling, STORY_SERVER, "RST", 0);
    const struct tale_packet *syn_ack = finding_segment(telling, STORY_SERVER, "SYN-ACK", 0);
    if (!reset || !syn_ack || reset->cause->kind != CAUSE_SEGMENT) return;
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct story_state *state = telling->states[i].story;
        if (state->kernel || state->side != STORY_SERVER || state->from_state != STATE_SYN_RCVD || !telling->states[i].timer)
            continue;
        uint32_t proof[3] = {syn_ack->step, reset->cause->step, reset->step}, count = 0;
        while (finding_segment(telling, STORY_SERVER, "SYN-ACK", count)) count++;
        finding_add(telling, "half-open-forgotten", "warning",
                    telling_printf(telling,
                                   "the server had forgotten the half-open connection: none of its %" PRIu32
                                   " SYN-ACK%s had been acknowledged in time (net.ipv4.tcp_synack_retries), so the ACK that came "
                                   "after all was answered with RST",
                                   count, count == 1 ? "" : "s"),
                    proof, 3);
        return;
    }
}

static void find_reuse(struct telling *telling)
{
    const struct tale_packet *syn = finding_segment(telling, -1, "SYN", 0);
    if (!syn || !telling->flow->after_time_wait) return;
    uint32_t proof[1] = {syn->step};
    finding_add(
        telling, "time-wait-reuse", "note",
        telling_printf(telling,
                       "the same addresses and ports were used by connection %" PRIu32
                       ", whose %s was still in TIME_WAIT: a SYN with a higher sequence number or timestamp ends that early "
                       "(RFC 9293 section 3.10.7.4, RFC 6191), and this is a connection of its own",
                       telling->flow->after_number, story_side_name(telling->flow->after_side)),
        proof, 1);
}

static void find_taken_address(struct telling *telling)
{
    const struct tale_call *bind = finding_call(telling, -1, "bind", -EADDRINUSE);
    if (!bind || bind->story->exit_step == STORY_NO_STEP) return;
    enum story_side side = bind->story->side;
    enum tcp_state state = finding_state_before(telling, side, bind->story->exit_step);
    uint32_t proof[1] = {bind->story->exit_step};
    finding_add(telling, "address-in-use", "error",
                telling_printf(telling,
                               "bind() of %s failed with EADDRINUSE: the %s of this connection is still in %s on port %u; set "
                               "SO_REUSEADDR before bind(), from the server's first start on (its connections inherit it)",
                               bind->story->comm, story_side_name(side), tcp_state_name(state),
                               (unsigned)telling->flow->end[side].port),
                proof, 1);
}

void findings_open(struct telling *telling)
{
    if (telling->story->udp) return;
    find_refused(telling);
    find_late_accept(telling);
    find_both_open(telling);
    find_cookies(telling);
    find_deferred(telling);
    find_fast_open(telling);
    find_dropped_syn(telling);
    find_dropped_ack(telling);
    find_overflow_reset(telling);
    find_forgotten_request(telling);
    find_reuse(telling);
    find_taken_address(telling);
}
