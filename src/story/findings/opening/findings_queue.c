/* What a listener's kernel did with a handshake: full queues, a listener that went, a request that was forgotten. */
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "story/findings/findings.h"

static uint32_t listen_step(const struct telling *telling)
{
    const struct tale_call *listen = finding_call(telling, STORY_SERVER, CALL_LISTENS, 0);
    return listen ? listen->story->exit_step : STORY_NO_STEP;
}

static const char *queue_text(struct telling *telling, const struct story_queue *queue)
{
    return telling_printf(telling,
                          ntr("%u connection waited for accept() where %u may, and Linux takes one more",
                              "%u connections waited for accept() where %u may, and Linux takes one more", queue->accept_length),
                          queue->accept_length, queue->accept_most);
}

/* The kernel's own figures say that the SYN met a full queue (tcp_conn_request drops it silently). */
static void find_dropped_syn(struct telling *telling)
{
    const struct tale_packet *syn = finding_segment(telling, STORY_CLIENT, STORY_SYN);
    while (syn && !finding_is_queue_full(syn)) syn = finding_next(telling, syn, STORY_CLIENT, STORY_SYN);
    if (!syn) return;
    /* With one more SYN it may have been taken after all; but what was answered was not dropped. */
    const struct tale_packet *next = finding_next(telling, syn, STORY_CLIENT, STORY_SYN);
    const struct tale_packet *answer = finding_segment(telling, STORY_SERVER, STORY_SYN_ACK);
    if (answer && answer->sent_ns < (next ? next->sent_ns : INT64_MAX)) return;
    uint32_t proof[3] = {listen_step(telling), syn->step, next ? next->step : STORY_NO_STEP};
    finding_add(telling, "syn-dropped-full-queue", "warning",
                telling_printf(
                    telling,
                    "the SYN (#%" PRIu32 ") reached the listening socket and was dropped without a word: its accept queue was full "
                    "(%s). The client can't tell that from a lost SYN; accept() faster, or raise listen()'s backlog (at most "
                    "net.core.somaxconn)",
                    syn->segment->number, queue_text(telling, syn->segment->queue)),
                FINDING_PROOF(proof));
}

/* "3, 128": what listen() was asked for; 0: not known. */
static int64_t asked_backlog(const struct call *listen)
{
    const char *comma = strchr(listen->args, ',');
    return comma ? strtoll(comma + 1, NULL, 10) : 0;
}

/* The queue that a segment of this handshake found full is shorter than listen() had asked for: __sys_listen() takes the smaller of
 * that and net.core.somaxconn, and nothing else makes it shorter. */
static void find_clipped(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!finding_is_queue_full(packet)) continue;
        const struct call *listen = tale_listening(telling, finding_arrival_ns(packet));
        int64_t asked = listen ? asked_backlog(listen) : 0;
        if (asked <= (int64_t)packet->segment->queue->accept_most) continue;
        uint32_t proof[2] = {listen_step(telling), packet->step};
        finding_add(telling, "backlog-clipped", "warning",
                    telling_printf(telling,
                                   "listen() of %s[%d] asked for a queue of %" PRId64
                                   ", and got one of %u: net.core.somaxconn was no more when it was called, and nobody is told. "
                                   "#%" PRIu32 " met it full; raise that, and call listen() again",
                                   listen->thread.comm, listen->thread.pid, asked, packet->segment->queue->accept_most,
                                   packet->segment->number),
                    FINDING_PROOF(proof));
        return;
    }
}

static bool is_deferred(const struct telling *telling)
{
    return telling_option(telling, STORY_SERVER, IPPROTO_TCP, TCP_DEFER_ACCEPT, NULL) > 0;
}

/* The ACK that was to end the handshake came to the server's host, or to where the other capture is of, before the SYN-ACK was sent
 * again there, and it was. */
static const struct tale_packet *find_ack_in_vain(const struct telling *telling, const struct tale_packet *syn_ack,
                                                  const struct tale_packet *again)
{
    for (const struct tale_packet *ack = syn_ack; ack < again; ack++) {
        if (!finding_is(ack, STORY_CLIENT, STORY_ACK) || !ack->received_ns || ack->received_ns >= again->sent_ns) continue;
        enum finding_way way = finding_way(telling, ack);
        if (way == WAY_ARRIVED || (way == WAY_SEEN && ack->seen->packet.same)) return ack;
    }
    return NULL;
}

static void find_dropped_ack(struct telling *telling)
{
    const struct tale_packet *syn_ack = finding_segment(telling, STORY_SERVER, STORY_SYN_ACK);
    const struct tale_packet *again = syn_ack ? finding_next(telling, syn_ack, STORY_SERVER, STORY_SYN_ACK) : NULL;
    while (again && again->seen->copy) again = finding_next(telling, again, STORY_SERVER, STORY_SYN_ACK);
    if (!again || again->cause->kind != CAUSE_TIMER || is_deferred(telling)) return;
    const struct tale_packet *full = syn_ack; /* the drop of the ACK is seen as such, so its way is no arrival */
    while (full && !(finding_is(full, STORY_CLIENT, STORY_ACK) && finding_is_queue_full(full) && full->segment->queue->dropped))
        full = full + 1 < telling->packets + telling->packet_count ? full + 1 : NULL;
    if (full) {
        uint32_t proof[3] = {listen_step(telling), full->step, again->step};
        finding_add(telling, "ack-dropped-full-queue", "warning",
                    telling_printf(
                        telling,
                        "the handshake's last ACK (#%" PRIu32 ") reached the server and was dropped without a word, for the accept "
                        "queue was full (%s): the client is ESTABLISHED, the server is not, and its SYN-ACK comes again; "
                        "accept() faster, or raise listen()'s backlog (at most net.core.somaxconn)",
                        full->segment->number, queue_text(telling, full->segment->queue)),
                    FINDING_PROOF(proof));
        return;
    }
    const struct tale_packet *ack = find_ack_in_vain(telling, syn_ack, again);
    if (!ack) return;
    uint32_t proof[2] = {ack->step, again->step};
    const struct call *accept = finding_asleep_accept(telling, ack->received_ns);
    if (finding_way(telling, ack) == WAY_SEEN) {
        finding_add(
            telling, "handshake-ack-ignored", "warning",
            telling_printf(telling,
                           "the handshake's last ACK (#%" PRIu32
                           ") was seen in %s as well, and the SYN-ACK came again all the same: if that is the server's host, it "
                           "was dropped there without a word (a full accept queue, a firewall's rule), else there or behind it",
                           ack->segment->number, finding_place(telling, ack->seen, true)),
            FINDING_PROOF(proof));
        return;
    }
    finding_add(telling, "handshake-ack-ignored", "warning",
                telling_printf(telling,
                               "the handshake's last ACK (#%" PRIu32
                               ") reached the server's host, and the SYN-ACK came again all the same: it "
                               "was dropped there without a word; why, the wire can't tell%s",
                               ack->segment->number,
                               accept ? tr("; the accept queue was not full, for accept() was asleep")
                                      : tr(" (a full accept queue, a firewall's rule)")),
                FINDING_PROOF(proof));
}

/* The ACK that was to end the handshake (data may come with it), where the RST answers that. */
static const struct tale_packet *find_ack_of_reset(const struct telling *telling, const struct tale_packet *reset)
{
    if (reset->cause->kind != CAUSE_SEGMENT || finding_segment(telling, STORY_SERVER, STORY_FIN)) return NULL;
    for (const struct tale_packet *ack = telling->packets; ack < reset; ack++)
        if (ack->step == reset->cause->step && ack->segment && ack->segment->handshake)
            return ack->segment->kind == STORY_ACK || ack->segment->kind == STORY_DATA ? ack : NULL;
    return NULL;
}

/* tcp_check_req() refuses an ACK out of a request socket that is still there: with a full accept queue, and
 * net.ipv4.tcp_abort_on_overflow on, nowhere else. */
static bool is_overflow(const struct tale_packet *reset, const struct tale_packet *ack)
{
    return reset->chain.notes & CHAIN_REQUEST || (finding_is_queue_full(ack) && ack->segment->queue->dropped);
}

static void find_reset_handshake(struct telling *telling)
{
    const struct tale_packet *reset = finding_segment(telling, STORY_SERVER, STORY_RST);
    const struct tale_packet *ack = reset ? find_ack_of_reset(telling, reset) : NULL;
    if (!ack) return;
    uint32_t proof[3] = {listen_step(telling), ack->step, reset->step};
    if (is_overflow(reset, ack)) {
        finding_add(telling, "reset-full-queue", "error",
                    "the server answered the handshake's last ACK with RST: its accept queue was full, and its kernel refuses then "
                    "(net.ipv4.tcp_abort_on_overflow) instead of dropping the ACK; accept() faster, or raise listen()'s backlog",
                    FINDING_PROOF(proof));
        return;
    }
    const struct process_end *end;
    const struct call *call;
    if (!tale_listener_gone(telling, finding_arrival_ns(ack), &end, &call)) return;
    for (uint32_t i = 0; end && i < telling->story->step_count; i++)
        if (telling->story->steps[i].kind == STEP_PROCESS_EXIT && telling->story->steps[i].exit->process.pid == end->thread.pid)
            proof[0] = i;
    const struct tale_call *tale = telling_find_call(telling, call);
    if (tale) proof[0] = tale->story->exit_step;
    finding_add(telling, "listener-gone", "error",
                telling_printf(
                    telling,
                    "the listening socket was gone when the handshake's last ACK came (%s), so there was nothing that this could "
                    "complete, and the kernel answered with RST; the client had been ESTABLISHED since the SYN-ACK",
                    end ? telling_printf(telling, end->signal ? tr("%s[%d] had been killed") : tr("%s[%d] had ended"),
                                         end->thread.comm, end->thread.pid)
                        : telling_printf(telling, "%s() of %s had ended it", call->name, call->thread.comm)),
                proof, 3);
}

static const char *what_was_forgotten(struct telling *telling, bool by_timer, uint32_t count)
{
    if (!by_timer)
        return telling_printf(
            telling,
            ntr("the server had nothing left of the half-open connection: none of its %" PRIu32
                " SYN-ACK had been acknowledged in time (how often it tries: net.ipv4.tcp_synack_retries), or its listening socket "
                "had been closed, so the ACK that came after all was answered with RST",
                "the server had nothing left of the half-open connection: none of its %" PRIu32
                " SYN-ACKs had been acknowledged in time (how often it tries: net.ipv4.tcp_synack_retries), or its listening "
                "socket had been closed, so the ACK that came after all was answered with RST",
                count),
            count);
    return telling_printf(
        telling,
        ntr("the server had forgotten the half-open connection: none of its %" PRIu32
            " SYN-ACK had been acknowledged in time (how often it tries: net.ipv4.tcp_synack_retries), so the ACK that "
            "came after all was answered with RST",
            "the server had forgotten the half-open connection: none of its %" PRIu32
            " SYN-ACKs had been acknowledged in time (how often it tries: net.ipv4.tcp_synack_retries), so the ACK that "
            "came after all was answered with RST",
            count),
        count);
}

/* tcp_synack_retries ran out, or the listener went: whatever ACK comes now meets nobody that knows of the SYN. */
static void find_forgotten_request(struct telling *telling)
{
    const struct tale_packet *reset = finding_segment(telling, STORY_SERVER, STORY_RST);
    const struct tale_packet *syn_ack = finding_segment(telling, STORY_SERVER, STORY_SYN_ACK);
    if (!reset || !syn_ack || reset->cause->kind != CAUSE_SEGMENT) return;
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct tale_state *tale = &telling->states[i];
        const struct story_state *state = tale->story;
        if (state->kernel || state->side != STORY_SERVER || state->from_state != STATE_SYN_RCVD || (!tale->timer && !tale->doubt))
            continue;
        const struct process_end *end;
        const struct call *call;
        if (!tale->timer && tale_listener_gone(telling, reset->sent_ns, &end, &call)) return; /* listener-gone says it */
        uint32_t proof[3] = {syn_ack->step, reset->cause->step, reset->step}, count = 0;
        for (const struct tale_packet *at = syn_ack; at; at = finding_next(telling, at, STORY_SERVER, STORY_SYN_ACK)) count++;
        finding_add(telling, "half-open-forgotten", "warning", what_was_forgotten(telling, tale->timer, count),
                    FINDING_PROOF(proof));
        return;
    }
}

/* The last process that held the listener ended with it in its queue; where a call closed the listener, findings_reset.c says so.
 */
static void find_ended_listener(struct telling *telling)
{
    const struct tale_packet *reset = finding_segment(telling, STORY_SERVER, STORY_RST);
    if (!reset || reset->cause->kind != CAUSE_EXIT || !(reset->chain.notes & CHAIN_LISTEN_STOP)) return;
    const struct event_thread *who = &reset->seen->context.current; /* in do_exit(), by the chain */
    uint32_t proof[2] = {reset->cause->step, reset->step};
    if (!who->pid) return;
    finding_add(telling, "closed-listener", "warning",
                telling_printf(telling,
                               "%s[%d] ended while this connection waited in the accept queue of its listening socket, which "
                               "nobody else held: the kernel reset it. Accept what has come before the process ends, or hand "
                               "the socket on; of several that listen on one port (SO_REUSEPORT) each has a queue of its own",
                               who->comm, who->pid),
                FINDING_PROOF(proof));
}

void findings_queue(struct telling *telling)
{
    find_ended_listener(telling);
    find_dropped_syn(telling);
    find_dropped_ack(telling);
    find_clipped(telling);
    find_reset_handshake(telling);
    find_forgotten_request(telling);
}
