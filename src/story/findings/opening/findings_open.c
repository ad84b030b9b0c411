/* How a connection came to be. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "story/track/call_story.h"

static bool is_deferred(const struct telling *telling)
{
    return telling_option(telling, STORY_SERVER, IPPROTO_TCP, TCP_DEFER_ACCEPT, NULL) > 0;
}

/* The options of a listener that was there before the recording are not known: it may have waited for data (TCP_DEFER_ACCEPT), and
 * that came shortly before. */
static bool may_be_deferred(const struct telling *telling, int64_t accepted_ns, int64_t late_ns)
{
    const struct tale_packet *data = finding_segment(telling, STORY_CLIENT, STORY_DATA);
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (call->side == STORY_SERVER && call->traits & CALL_LISTENS && call->exit_ns) return false;
    }
    int64_t came_ns = data ? finding_arrival_ns(data) : accepted_ns;
    return came_ns < accepted_ns && accepted_ns - came_ns < late_ns;
}

/* accept() long after the handshake: the client was ESTABLISHED and could send all the while. */
static void find_late_accept(struct telling *telling)
{
    int64_t waited_ns = telling->story->summary.accept_wait_ns; /* until it returned */
    static const int64_t LATE_NS = 10000000;
    if (waited_ns < LATE_NS || is_deferred(telling)) return;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (!(call->traits & CALL_ACCEPTS) || call->ret < 0 || !call->exit_ns) continue;
        /* One that was asleep then was not late: it was woken late. */
        if (!call->enter_ns || call->enter_ns < call->exit_ns - waited_ns + LATE_NS) return;
        if (may_be_deferred(telling, call->exit_ns, LATE_NS)) return;
        uint32_t proof[2] = {call->wake.step, call->exit_step};
        finding_add(telling, "accept-late", "note",
                    telling_printf(telling,
                                   "accept() took the connection %" PRId64
                                   " ms after the handshake was complete: it sends nothing, so the client "
                                   "was ESTABLISHED and could send data all that time",
                                   waited_ns / 1000000),
                    FINDING_PROOF(proof));
        return;
    }
}

/* Both ends are known to have opened: each called connect(), or each answered the other's SYN with a SYN-ACK, as an end in SYN_SENT
 * does. */
static bool opened_both(const struct telling *telling)
{
    bool calls = true, answers = true;
    for (int side = 0; side < STORY_SIDES; side++) {
        calls = calls &&
                (finding_call(telling, side, CALL_CONNECTS, 0) || finding_call(telling, side, CALL_CONNECTS, -EINPROGRESS) ||
                 finding_call(telling, side, CALL_CONNECTS, -ECONNRESET) || finding_call(telling, side, CALL_CONNECTS, -ETIMEDOUT));
        answers = answers && finding_segment(telling, side, STORY_SYN_ACK);
    }
    return calls || answers;
}

/* Two SYNs of which nobody has answered any are two attempts that may never have met. */
static bool answered_any(const struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++)
        if (is_tcp(&telling->packets[i]) && (header_of(&telling->packets[i])->flags & (TCP_ACK | TCP_RST)) == TCP_ACK) return true;
    return false;
}

static void find_both_open(struct telling *telling)
{
    const struct tale_packet *syn[STORY_SIDES];
    for (int side = 0; side < STORY_SIDES; side++) syn[side] = finding_segment(telling, side, STORY_SYN);
    if (telling->flow->to_itself && syn[STORY_CLIENT]) {
        uint32_t proof[1] = {syn[STORY_CLIENT]->step};
        finding_add(telling, "self-connect", "warning",
                    telling_printf(telling,
                                   "the socket is connected to itself: its own port %u was free as the port to connect to, so its "
                                   "SYN met its own socket; keep listening ports out of net.ipv4.ip_local_port_range",
                                   (unsigned)telling->flow->end[STORY_CLIENT].port),
                    FINDING_PROOF(proof));
    }
    if (telling->flow->to_itself || !syn[STORY_CLIENT] || !syn[STORY_SERVER]) return;
    uint32_t proof[2] = {syn[STORY_CLIENT]->step, syn[STORY_SERVER]->step};
    if (opened_both(telling))
        finding_add(telling, "simultaneous-open", "note",
                    "simultaneous open: both ends opened, and their SYNs crossed; it is one connection, and nobody listened", proof,
                    2);
    else if (answered_any(telling))
        finding_add(telling, "split-handshake", "note",
                    "split handshake: the SYN was answered with a SYN of the other end's own, not with a SYN-ACK. That is one "
                    "connection; whether "
                    "the other end had called connect() as well, a capture can't tell",
                    FINDING_PROOF(proof));
}

/* The child socket comes out of the cookie in the ACK: before it the listener remembered nothing. */
static void find_cookies(struct telling *telling)
{
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct change *change = telling->states[i].change;
        if (!change || !(chain_known(telling->teller, change->context.chain).notes & CHAIN_COOKIE)) continue;
        const struct tale_packet *syn_ack = finding_segment(telling, STORY_SERVER, STORY_SYN_ACK);
        uint32_t proof[1] = {syn_ack ? syn_ack->step : STORY_NO_STEP};
        finding_add(telling, "syn-cookies", "note",
                    "SYN cookies: the listener kept nothing of the SYN; the connection was rebuilt from the sequence number in the "
                    "SYN-ACK, which the handshake's last ACK brought back",
                    FINDING_PROOF(proof));
        return;
    }
}

/* The server's kernel had a socket for it before that time: accept() had returned, or a change of its state was reported. */
static bool had_socket_before(const struct telling *telling, int64_t t_ns)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        if (telling->calls[i].story->side == STORY_SERVER && call->traits & CALL_ACCEPTS && call->exited && call->ret >= 0 &&
            call->exit_ns < t_ns)
            return true;
    }
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct change *change = telling->states[i].change;
        if (change && change->side == STORY_SERVER && change->t_ns < t_ns) return true;
    }
    return false;
}

/* Of a course alone no change of state says when the socket was made. Before the SYN-ACK is sent again, no ACK without data makes
 * one (tcp_check_req). */
static bool is_made_by_data(const struct telling *telling, const struct tale_packet *syn_ack, const struct tale_packet *data)
{
    const struct tale_packet *again = finding_next(telling, syn_ack, STORY_SERVER, STORY_SYN_ACK);
    return data && (!again || data->sent_ns < again->sent_ns);
}

/* The wait was over without data: the SYN-ACK was sent again, and the ACK of that one was taken. */
static bool find_waited_in_vain(struct telling *telling, const struct tale_packet *syn_ack, const struct tale_packet *data,
                                uint32_t set_step)
{
    const struct tale_packet *again = finding_next(telling, syn_ack, STORY_SERVER, STORY_SYN_ACK), *ack = NULL;
    if (telling->teller->course_only || !again || again->cause->kind != CAUSE_TIMER) return false;
    if (data && data->sent_ns < again->sent_ns) return false;
    for (const struct tale_packet *at = syn_ack; at < again && !ack; at++)
        if (finding_is(at, STORY_CLIENT, STORY_ACK) && !telling_is_lost(telling, at) && finding_arrival_ns(at) <= again->sent_ns)
            ack = at;
    if (!ack || had_socket_before(telling, again->sent_ns)) return false;
    uint32_t proof[3] = {set_step, ack->step, again->step};
    finding_add(
        telling, "deferred-accept", "note",
        telling_printf(telling,
                       "TCP_DEFER_ACCEPT: the server waited for the client's data; none came for %s, so it sent its SYN-ACK "
                       "again (#%" PRIu32 ") and takes the ACK of that one: before, accept() had nothing to take. Nothing was "
                       "lost; where the server speaks first, leave the option out",
                       finding_time(telling, again->sent_ns - finding_arrival_ns(ack)), again->segment->number),
        FINDING_PROOF(proof));
    return true;
}

/* The kernel waits for data as long as it would send the SYN-ACK again, and makes the connection of the next ACK then
 * (inet_csk_reqsk_queue_prune, tcp_check_req). */
static void find_deferred(struct telling *telling)
{
    uint32_t set_step = STORY_NO_STEP;
    if (telling_option(telling, STORY_SERVER, IPPROTO_TCP, TCP_DEFER_ACCEPT, &set_step) <= 0) return;
    const struct tale_packet *syn_ack = finding_segment(telling, STORY_SERVER, STORY_SYN_ACK);
    const struct tale_packet *data = finding_segment(telling, STORY_CLIENT, STORY_DATA);
    if (syn_ack && find_waited_in_vain(telling, syn_ack, data, set_step)) return;
    if (!syn_ack || had_socket_before(telling, data ? data->sent_ns : INT64_MAX)) return;
    if (!data && !(telling_end_now(telling, STORY_SERVER)->flags & END_SYN_ACKED)) return;
    if (telling->teller->course_only && !is_made_by_data(telling, syn_ack, data)) return;
    uint32_t proof[2] = {set_step, data ? data->step : STORY_NO_STEP};
    finding_add(
        telling, "deferred-accept", "note",
        data ? tr("TCP_DEFER_ACCEPT: the client's ACK alone made no connection at the server; its first data did, and only then "
                  "did accept() have something to take")
             : tr("TCP_DEFER_ACCEPT: the server has no connection before data comes, though the client is ESTABLISHED"),
        FINDING_PROOF(proof));
}

/* The SYN-ACK acknowledges the SYN alone (RFC 7413 section 4.2.2): the data was thrown away, whatever the reason. */
static void find_not_taken(struct telling *telling, const struct tale_packet *syn, const struct tale_packet *syn_ack, bool cookie)
{
    const struct tale_packet *again = NULL;
    for (const struct tale_packet *at = syn_ack; at < telling->packets + telling->packet_count && !again; at++)
        if (finding_is_own(at, syn->side) && at->segment->of_step == syn->step && at->segment->kind == STORY_DATA) again = at;
    uint32_t proof[3] = {syn->step, syn_ack->step, again ? again->step : STORY_NO_STEP};
    uint32_t taken = syn_ack->seen->packet.header.ack - syn->seen->packet.header.seq - 1;
    if (taken) { /* something of it was: the server does Fast Open */
        finding_add(telling, "fast-open-not-taken", "note",
                    telling_printf(
                        telling,
                        ntr("the data in the SYN was taken in part: the SYN-ACK acknowledges %" PRIu32 " byte of it%s",
                            "the data in the SYN was taken in part: the SYN-ACK acknowledges %" PRIu32 " bytes of it%s", taken),
                        taken, again ? telling_printf(telling, ", and #%" PRIu32 " sends the rest", again->segment->number) : ""),
                    FINDING_PROOF(proof));
        return;
    }
    finding_add(telling, "fast-open-not-taken", "note",
                telling_printf(telling, "the data in the SYN was not taken: the SYN-ACK acknowledges the SYN alone%s%s; %s",
                               again ? telling_printf(telling, ", and #%" PRIu32 " sends it again", again->segment->number) : "",
                               again ? tr(", so Fast Open saved nothing here") : "",
                               cookie
                                   ? tr("the server does not accept the cookie (any more), or its listener does not do Fast Open "
                                        "(TCP_FASTOPEN, net.ipv4.tcp_fastopen), or something between took the option away")
                                   : tr("a server takes it without a cookie only where it is told to")),
                FINDING_PROOF(proof));
}

static void find_fast_open(struct telling *telling)
{
    const struct tale_packet *syn = finding_segment(telling, -1, STORY_SYN);
    if (!syn || !syn->seen->captured || tale_options_cut(syn)) return;
    const struct tale_packet *syn_ack = finding_segment(telling, (int)finding_other(syn->side), STORY_SYN_ACK);
    uint32_t proof[2] = {syn->step, syn_ack ? syn_ack->step : STORY_NO_STEP};
    const struct event_options *options = &syn->seen->packet.options;
    uint32_t length = syn->seen->packet.header.length_bytes;
    if (length) {
        uint32_t acked = syn_ack ? syn_ack->seen->packet.header.ack - syn->seen->packet.header.seq - 1 : 0;
        bool taken = acked == length || acked == length + 1; /* a FIN may follow it */
        bool refused = !syn_ack && conn_outcome(&telling->conn) == CONN_OUT_REFUSED;
        bool cookie = options->present & OPTION_FASTOPEN && options->fastopen_cookie_bytes;
        const char *then = refused    ? tr("they were refused with it")
                           : !syn_ack ? tr("no answer was seen, so nobody knows whether the server took them")
                           : taken    ? tr("the server took them before the handshake was complete")
                           : acked    ? tr("the server took part of them")
                                      : tr("the server did not take them");
        /* Without a cookie it may be Fast Open that needs none, or a stack (or a scanner) that just does so: RFC 9293 allows it. */
        finding_add(telling, cookie ? "fast-open" : "syn-data", "note",
                    telling_printf(telling,
                                   cookie ? ntr("TCP Fast Open: the SYN carried %" PRIu32
                                                " byte of data and the cookie of an earlier connection; %s",
                                                "TCP Fast Open: the SYN carried %" PRIu32
                                                " bytes of data and the cookie of an earlier connection; %s",
                                                length)
                                          : ntr("the SYN carried %" PRIu32 " byte of data and no Fast Open cookie; %s",
                                                "the SYN carried %" PRIu32 " bytes of data and no Fast Open cookie; %s", length),
                                   length, then),
                    FINDING_PROOF(proof));
        if (syn_ack && !taken) find_not_taken(telling, syn, syn_ack, cookie);
    } else if (options->present & OPTION_FASTOPEN && !options->fastopen_cookie_bytes) {
        finding_add(telling, "fast-open-cookie", "note",
                    "TCP Fast Open, first time: the SYN asks for a cookie and carries no data; the next connection may",
                    FINDING_PROOF(proof));
    }
}

static void find_reuse(struct telling *telling)
{
    const struct tale_packet *syn = finding_segment(telling, -1, STORY_SYN);
    if (!syn || !telling->flow->after_time_wait) return;
    uint32_t proof[1] = {syn->step};
    if (telling->flow->after_side == syn->side) {
        finding_add(
            telling, "time-wait-reuse", "note",
            telling_printf(
                telling,
                "the same addresses and ports were used by connection %" PRIu32
                ", whose %s was in TIME_WAIT by the clock: it opens anew out of it, as a host may with timestamps (RFC 6191; "
                "Linux after a second: net.ipv4.tcp_tw_reuse), or another host behind a translator took its port; this "
                "is a connection of its own",
                telling->flow->after_number, story_side_word(telling->flow->after_role)),
            FINDING_PROOF(proof));
        return;
    }
    const struct tale_packet *stray = syn + 1, *behind = telling->packets + telling->packet_count;
    while (stray < behind && (!stray->segment || stray->side == syn->side)) stray++;
    if (stray < behind && stray->verdict.class == CONN_STRAY && stray->segment->kind == STORY_ACK) {
        uint32_t both[2] = {syn->step, stray->step};
        finding_add(
            telling, "time-wait-reuse", "note",
            telling_printf(telling,
                           "the same addresses and ports were used by connection %" PRIu32
                           ", whose %s was still in TIME_WAIT and answered the SYN out of that (#%" PRIu32
                           "): it says what it expects there, and only a RST, or a SYN with a higher sequence number or timestamp, "
                           "ends that early (RFC 9293 section 3.10.7.4, RFC 6191)",
                           telling->flow->after_number, story_side_word(telling->flow->after_role), stray->segment->number),
            both, 2);
        return;
    }
    finding_add(
        telling, "time-wait-reuse", "note",
        telling_printf(telling,
                       "the same addresses and ports were used by connection %" PRIu32
                       ", whose %s was still in TIME_WAIT: a SYN with a higher sequence number or timestamp ends that early "
                       "(RFC 9293 section 3.10.7.4, RFC 6191), and this is a connection of its own",
                       telling->flow->after_number, story_side_word(telling->flow->after_role)),
        FINDING_PROOF(proof));
}

/* Only a connection that still was one then held its port; and where a socket listened on it, that one was in the way, too, for
 * which this advice is none. */
static bool held_its_port(const struct telling *telling, enum story_side side, enum tcp_state state, int64_t at_ns)
{
    if (state == STATE_UNKNOWN || state == STATE_CLOSED || state == STATE_LISTEN) return false;
    return side != STORY_SERVER || !tale_listener_stands(telling, at_ns);
}

static void find_taken_address(struct telling *telling)
{
    const struct tale_call *bind = finding_call(telling, -1, CALL_BINDS, -EADDRINUSE);
    if (!bind || bind->story->exit_step == STORY_NO_STEP) return;
    enum story_side side = bind->story->side;
    enum tcp_state state = finding_state_before(telling, side, bind->story->exit_step);
    uint32_t proof[1] = {bind->story->exit_step};
    if (!held_its_port(telling, side, state, bind->call->exit_ns)) return;
    finding_add(telling, "address-in-use", "error",
                telling_printf(telling,
                               "bind() of %s failed with EADDRINUSE: the %s of this connection is still in %s on port %u; set "
                               "SO_REUSEADDR before bind(), from the server's first start on (its connections inherit it)",
                               bind->story->comm, story_side_word(side), tcp_state_name(state),
                               (unsigned)telling->flow->end[side].port),
                FINDING_PROOF(proof));
}

/* The state that an end was in at that time, and the step at which it came into it. */
static enum tcp_state state_at(const struct telling *telling, enum story_side side, int64_t t_ns, uint32_t *ret_step)
{
    enum tcp_state state = STATE_UNKNOWN;
    for (uint32_t i = 0; i < telling->story->step_count; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind != STEP_STATE || step->side != side || step->state->kernel || step->t_ns > t_ns) continue;
        state = step->state->to_state;
        *ret_step = i;
    }
    return state;
}

/* A connect() to the same peer that found no port to connect from (it stands beside the stories), while this connection held one.
 * That the peer can be reached from here this connection shows: so it is the port that was missing. */
static void find_no_port(struct telling *telling)
{
    const struct address *server = &telling->flow->end[STORY_SERVER];
    const uint64_t netns = telling_netns(telling, STORY_CLIENT);
    const void *at = NULL;
    for (const struct call *call; (call = sockets_next_refused(telling->teller, server->port, netns, &at)) != NULL;) {
        struct address peer = call_story_address(call);
        uint32_t step = STORY_NO_STEP;
        if (!call_story_found_no_port(call) || !address_equal(&peer, server)) continue;
        enum tcp_state state = state_at(telling, STORY_CLIENT, call->exit_ns, &step);
        if (state == STATE_UNKNOWN || state == STATE_CLOSED || state == STATE_LISTEN) continue;
        char text[ADDRESS_TEXT_BYTES];
        uint32_t proof[1] = {step};
        finding_add(telling, "no-port-left", "error",
                    telling_printf(telling,
                                   "connect() of %s[%d] to %s failed with EADDRNOTAVAIL: no port was left to connect from "
                                   "(net.ipv4.ip_local_port_range), and this connection, in %s, held port %u; use open connections "
                                   "again, or let the server close first",
                                   call->thread.comm, call->thread.pid, address_format(server, text), tcp_state_name(state),
                                   (unsigned)telling->flow->end[STORY_CLIENT].port),
                    FINDING_PROOF(proof));
        return;
    }
}

void findings_open(struct telling *telling)
{
    find_late_accept(telling);
    find_both_open(telling);
    find_cookies(telling);
    find_deferred(telling);
    find_fast_open(telling);
    find_reuse(telling);
    find_taken_address(telling);
    find_no_port(telling);
}
