/* Handshakes that came to nothing: SYNs that nobody answered, and connections that were refused; by whom, as far as the record
 * shows it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/lang.h"
#include "story/findings/findings.h"

/* Less than a second of silence behind a SYN is no silence: the first retransmission comes then (RFC 6298 section 2.1). */
static const int64_t SILENCE_NS = 1000000000;

struct attempt {
    const struct tale_packet *first, *last, *first_arrived;
    uint32_t count, lost, filtered, dropped, arrived, seen;
    char times[160]; /* "0.0, 1.0, 3.1" */
};

/* The SYNs of this side before the first thing that came back, without the one that this answers. */
static struct attempt attempt_of(const struct telling *telling, enum story_side side, const struct tale_packet *answer)
{
    struct attempt attempt = {0};
    size_t used = 0;
    const struct tale_packet *answered = NULL;
    for (const struct tale_packet *at = telling->packets; answer && at < answer; at++)
        if (finding_is_own(at, side) && at->segment->kind == STORY_SYN && finding_arrival_ns(at) <= answer->sent_ns) answered = at;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!finding_is_own(packet, side) || packet->segment->kind != STORY_SYN) continue;
        if (answer && packet >= answered) break;
        if (!attempt.first) attempt.first = packet;
        attempt.last = packet;
        attempt.count++;
        enum finding_way way = finding_way(telling, packet);
        attempt.lost += way == WAY_LOST;
        attempt.dropped += way == WAY_DROPPED;
        attempt.filtered += way == WAY_FILTERED;
        attempt.arrived += way == WAY_ARRIVED;
        attempt.seen += way == WAY_SEEN;
        if ((way == WAY_ARRIVED || way == WAY_SEEN) && !attempt.first_arrived) attempt.first_arrived = packet;
        int64_t tenths = (packet->sent_ns - attempt.first->sent_ns + 50000000) / 100000000;
        if (used < sizeof(attempt.times) - 32)
            used += (size_t)snprintf(attempt.times + used, sizeof(attempt.times) - used, "%s%" PRId64 ".%" PRId64,
                                     attempt.count > 1 ? ", " : "", tenths / 10, tenths % 10);
    }
    return attempt;
}

/* What the record shows of the listener when the SYN came, so that nobody looks there. "" where it shows nothing. */
static const char *not_the_queue(struct telling *telling, const struct tale_packet *syn)
{
    const struct story_queue *queue = syn->segment->queue;
    if (queue)
        return telling_printf(telling, "; it was not the accept queue: %u of %u waited there", queue->accept_length,
                              queue->accept_most);
    const struct call *accept = finding_asleep_accept(telling, finding_arrival_ns(syn));
    if (accept)
        return telling_printf(telling, "; it was not the accept queue: %s() of %s was asleep, so nothing waited there",
                              accept->name, accept->thread.comm);
    return "";
}

/* Another connection met an answer at the same place while, or after, this one asked: somebody is there. */
static bool say_answered_elsewhere(struct telling *telling, const struct attempt *attempt, const char *sent, const char *gave_up,
                                   const uint32_t proof[3])
{
    const struct address *server = &telling->flow->end[finding_other(attempt->first->side)];
    const struct answered *other = answered_find(telling->teller, server);
    if (!other || other->t_ns < attempt->first->sent_ns) return false;
    finding_add(telling, "syn-unanswered", "warning",
                telling_printf(telling,
                               "no answer to %s; but connection %" PRIu32 " to the same address and port was answered %s after the "
                               "first of them: host and listener are there, so the SYN or its answer was lost, or it was dropped "
                               "without a word (a full queue, a limit, a firewall's rule for this client); the wire can't tell%s",
                               sent, other->number, finding_time(telling, other->t_ns - attempt->first->sent_ns), gave_up),
                proof, 3);
    return true;
}

/* The client's own patience was shorter than its kernel's: it closed while that was still trying. NULL: not seen. */
static const struct tale_call *closed_trying(const struct telling *telling, const struct attempt *attempt)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (tale->story->side == attempt->first->side && !tale->story->listener && tale->call->traits & CALL_CLOSES &&
            tale->call->entered && tale->call->enter_ns > attempt->last->sent_ns && tale->call->socket.state == KERNEL_SYN_SENT)
            return tale;
    }
    return NULL;
}

/* It may have been at a router only, which passed it on, or could not. */
static void say_seen(struct telling *telling, const struct attempt *attempt, const struct tale_packet *answer, const char *gave_up,
                     const uint32_t proof[3])
{
    const struct tale_packet *syn = attempt->first;
    finding_add(
        telling, "syn-unanswered", answer ? "warning" : "error",
        telling_printf(telling,
                       "the SYN (%" PRIu32 " of %" PRIu32
                       ") was seen in %s, and nothing came back%s: whether that is the %s's host, or "
                       "one on the way that passes it on, is not known; it was dropped there or behind it, or nobody has this "
                       "address%s",
                       attempt->seen, attempt->count,
                       syn->seen->packet.same ? finding_place(telling, syn->seen, true) : tr("another network that was captured"),
                       answer ? telling_printf(telling, " for %s", finding_time(telling, answer->sent_ns - syn->sent_ns)) : "",
                       story_side_word(finding_other(syn->side)), gave_up),
        proof, 3);
}

static void say_unanswered(struct telling *telling, const struct attempt *attempt, const struct tale_packet *answer)
{
    const struct tale_packet *syn = attempt->first;
    const struct tale_call *connect = answer ? NULL : finding_call(telling, (int)syn->side, CALL_CONNECTS, -ETIMEDOUT);
    const struct tale_call *closed = connect || answer ? NULL : closed_trying(telling, attempt);
    uint32_t proof[3] = {syn->step, attempt->last == syn ? STORY_NO_STEP : attempt->last->step,
                         connect  ? connect->story->exit_step
                         : answer ? answer->step
                         : closed ? telling_call_step(closed)
                                  : STORY_NO_STEP};
    const char *gave_up =
        connect  ? tr("; the kernel gave up (how often it tries: net.ipv4.tcp_syn_retries) and connect() failed with ETIMEDOUT")
        : closed ? telling_printf(telling, "; %s waited no longer than %s and closed, while the kernel was still trying",
                                  closed->story->comm, finding_time(telling, closed->call->enter_ns - syn->sent_ns))
                 : "";
    const char *sent = attempt->count == 1
                           ? tr("the SYN")
                           : telling_printf(telling, "%" PRIu32 " SYNs, sent at %s s", attempt->count, attempt->times);
    if (attempt->arrived) {
        const struct call *listen = tale_listening(telling, finding_arrival_ns(syn));
        finding_add(telling, "syn-unanswered", answer ? "warning" : "error",
                    telling_printf(
                        telling,
                        "the SYN (%" PRIu32 " of %" PRIu32 ") reached the %s's host, and nothing came back%s: it was dropped there "
                        "without a word; why, the wire can't tell (a firewall's rule, a full queue)%s%s%s",
                        attempt->arrived, attempt->count, story_side_word(finding_other(syn->side)),
                        answer ? telling_printf(telling, " for %s", finding_time(telling, answer->sent_ns - syn->sent_ns)) : "",
                        listen ? telling_printf(telling, "; %s[%d] listened", listen->thread.comm, listen->thread.pid) : "",
                        not_the_queue(telling, syn), gave_up),
                    FINDING_PROOF(proof));
        return;
    }
    if (!answer && say_answered_elsewhere(telling, attempt, sent, gave_up, proof)) return;
    if (attempt->seen) {
        say_seen(telling, attempt, answer, gave_up, proof);
        return;
    }
    if (answer) return; /* whether it was the SYN or its answer that was lost, is told where both places are known */
    finding_add(
        telling, "black-hole", connect ? "error" : "warning",
        telling_printf(telling, "no answer to %s: not even a refusal, so %s%s", sent,
                       attempt->lost == attempt->count
                           ? tr("nothing is known of the host: none of them reached it")
                           : ntr("a firewall drops it, the host is away, or the way there or back is broken",
                                 "a firewall drops them, the host is away, or the way there or back is broken", attempt->count),
                       gave_up),
        FINDING_PROOF(proof));
}

/* The other host holds a connection between these ends: it answers out of that. */
static bool say_challenged(struct telling *telling, const struct tale_packet *syn)
{
    uint32_t proof[1] = {syn->step};
    if (!telling->flow->challenged_by) return false;
    finding_add(
        telling, "syn-challenged", "warning",
        telling_printf(telling,
                       "the SYN was answered out of connection %" PRIu32
                       ", which the %s still held between the same addresses and ports: with a challenge ACK (RFC 5961 section 4), "
                       "and nothing is opened until a RST has ended that one; the client had forgotten it, another host behind "
                       "a translator has its port, or the SYN is not its own",
                       telling->flow->challenged_by, story_side_word(finding_other(syn->side))),
        FINDING_PROOF(proof));
    return true;
}

/* SYNs that nobody answered, for a while or for ever. */
static void find_unanswered(struct telling *telling)
{
    const struct tale_packet *syn = finding_segment(telling, -1, STORY_SYN);
    enum story_side missing;
    if (!syn || telling->flow->to_itself || finding_is_one_way(telling, &missing)) return;
    if (say_challenged(telling, syn)) return;
    const struct tale_packet *answer = NULL;
    for (const struct tale_packet *at = syn + 1; at < telling->packets + telling->packet_count && !answer; at++)
        if (at->side != syn->side) answer = at;
    if (answer && telling_is_untaken(telling, answer)) return; /* it was answered, and the answer was lost */
    struct attempt attempt = attempt_of(telling, syn->side, answer);
    if (!attempt.count) return;
    if (attempt.filtered || attempt.dropped || finding_is_queue_full(attempt.first)) return; /* those have sentences of their own */
    bool timed_out = finding_call(telling, (int)syn->side, CALL_CONNECTS, -ETIMEDOUT) != NULL;
    const struct tale_packet *asked = attempt.first_arrived ? attempt.first_arrived : attempt.first;
    int64_t until_ns = answer ? answer->sent_ns : telling->now_ns;
    if (!timed_out && until_ns - finding_arrival_ns(asked) < SILENCE_NS) return;
    say_unanswered(telling, &attempt, answer);
}

static const char *listener_text(struct telling *telling, const struct call *listen)
{
    return telling_printf(telling, "%s[%d]", listen->thread.comm, listen->thread.pid);
}

/* `syn`: NULL: it did not leave its host, and nothing was recorded of it. */
static void say_refused_by_firewall(struct telling *telling, const struct tale_packet *reset, const struct tale_packet *syn)
{
    const struct call *listen = tale_listening(telling, syn ? finding_arrival_ns(syn) : reset->sent_ns);
    uint32_t proof[2] = {syn ? syn->step : STORY_NO_STEP, reset->step};
    const char *port = listen ? telling_printf(telling, "%s listens on port %u, and its socket never saw the SYN",
                                               listener_text(telling, listen), (unsigned)telling->flow->end[STORY_SERVER].port)
                              : tr("whether a process listens there never showed");
    const char *text =
        telling_is_own_rules(telling, reset)
            ? telling_printf(telling,
                             "connection refused by a firewall's rule on the client's own host, which made the RST itself, so that "
                             "the SYN never left; look at its chains of output (nft list ruleset); %s",
                             port)
            : telling_printf(telling, "connection refused by a firewall's rule on %s, which made the RST; %s",
                             telling_rule_place(telling, reset), port);
    finding_add(telling, "refused-by-firewall", "error", text, FINDING_PROOF(proof));
}

/* The kernel itself says that it has no socket for it, or was seen to answer so. */
static bool is_shown_without_socket(const struct telling *telling, const struct tale_packet *reset)
{
    if (reset->segment->reset_reason && strcmp(reset->segment->reset_reason, "NO_SOCKET") == 0) return true;
    const struct tale_packet *syn = finding_segment(telling, STORY_CLIENT, STORY_SYN);
    if (syn && syn->segment->dropped && strcmp(syn->segment->dropped->reason, "NO_SOCKET") == 0) return true;
    return reset->cause->kind == CAUSE_SEGMENT && reset->cause->evidence == EVIDENCE_STACK &&
           reset->chain.notes & CHAIN_PASSIVE_RESET;
}

/* It bears the number behind that SYN-ACK: who made it had answered so before, or had seen that answer. */
static void say_given_up_by_server(struct telling *telling, const struct tale_packet *reset, const struct tale_packet *syn_ack)
{
    uint32_t proof[2] = {syn_ack->step, reset->step};
    finding_add(
        telling, "refused", "error",
        telling_printf(telling,
                       "connection refused by RST #%" PRIu32 " after the server had answered with SYN-ACK #%" PRIu32
                       ", %s before: the client never acknowledged that, and the RST bears the server's own next number, so "
                       "the server gave up, or a box between did. Look for what kept the SYN-ACK from the client's socket",
                       reset->segment->number, syn_ack->segment->number, finding_time(telling, reset->sent_ns - syn_ack->sent_ns)),
        FINDING_PROOF(proof));
}

/* It says yes as well: somebody listens, and the RST was another's. */
static void say_refused_in_its_name(struct telling *telling, const struct tale_packet *reset, const struct tale_packet *syn_ack)
{
    uint32_t proof[2] = {reset->step, syn_ack->step};
    finding_add(telling, "refused-despite-listener", "error",
                telling_printf(telling,
                               "connection refused by RST #%" PRIu32 ", although the server itself answered with SYN-ACK #%" PRIu32
                               ": somebody listens there, and something between (a firewall, an attacker) refused in its name",
                               reset->segment->number, syn_ack->segment->number),
                FINDING_PROOF(proof));
}

/* The kernel found no socket for the SYN, and one listens on this address and port all the same. */
static void say_bound_elsewhere(struct telling *telling, const struct tale_packet *reset, const struct call *listen)
{
    uint32_t proof[3] = {reset->cause->step, reset->step, STORY_NO_STEP};
    bool bound = telling_option(telling, STORY_SERVER, SOL_SOCKET, SO_BINDTODEVICE, &proof[2]) >= 0;
    const char *text =
        bound ? tr("connection refused: %s listens on port %u, but on one device alone (SO_BINDTODEVICE), and the SYN came by "
                   "another: listen without that, or connect by way of that device")
              : tr("connection refused although %s listens on port %u: the kernel found no socket for this SYN, so it listens on "
                   "one device alone (SO_BINDTODEVICE), in another network namespace, or was gone by then");
    finding_add(telling, bound ? "listens-elsewhere" : "refused-despite-listener", "error",
                telling_printf(telling, text, listener_text(telling, listen), (unsigned)telling->flow->end[STORY_SERVER].port),
                proof, 3);
}

static void find_refused(struct telling *telling)
{
    const struct tale_packet *reset = finding_segment(telling, STORY_SERVER, STORY_RST);
    const struct tale_packet *syn = finding_segment(telling, STORY_CLIENT, STORY_SYN);
    if (!reset || (syn && reset < syn) || telling->story->outcome != OUTCOME_REFUSED || reset->segment->unsent) return;
    if (telling_is_own_rules(telling, reset) || (syn && telling_rule_place(telling, reset))) {
        say_refused_by_firewall(telling, reset, syn);
        return;
    }
    if (!syn) return;
    unsigned port = telling->flow->end[STORY_SERVER].port;
    bool by_kernel = reset->cause->kind == CAUSE_KERNEL && reset->cause->name;
    if (by_kernel || (reset->seen->packet.same && reset->seen->packet.fate == FATE_UNSENT)) return; /* made on the way */
    int64_t at_ns = finding_arrival_ns(syn);
    uint32_t proof[2] = {reset->cause->step, reset->step};
    const struct tale_packet *syn_ack = finding_segment(telling, STORY_SERVER, STORY_SYN_ACK);
    if (syn_ack && !syn_ack->segment->unsent && syn_ack->verdict.class != CONN_STRAY) {
        bool knows = reset->segment->seq_absolute == syn_ack->segment->seq_absolute + 1;
        (knows && syn_ack < reset ? say_given_up_by_server : say_refused_in_its_name)(telling, reset, syn_ack);
        return;
    }
    const struct call *listen = NULL;
    const struct sock *elsewhere = tale_listens_elsewhere(telling, reset->seen->netns, at_ns, &listen);
    bool shown = is_shown_without_socket(telling, reset);
    if (elsewhere && shown) {
        char here[ADDRESS_TEXT_BYTES], there[ADDRESS_TEXT_BYTES];
        finding_add(telling, "listens-elsewhere", "error",
                    telling_printf(
                        telling,
                        "connection refused: %s listens on port %u, but on %s alone, and the SYN was for %s; bind() to 0.0.0.0 (or "
                        "::), or connect to the address that it listens on",
                        listener_text(telling, listen), port, address_format_ip(&elsewhere->local, there),
                        address_format_ip(&telling->flow->end[STORY_SERVER], here)),
                    FINDING_PROOF(proof));
        return;
    }
    listen = tale_listening(telling, at_ns);
    if (listen && !shown) {
        finding_add(telling, "refused-despite-listener", "error",
                    telling_printf(
                        telling,
                        "connection refused although %s listens on port %u: something refused it in that host's name, before its "
                        "socket saw the SYN (a firewall's rule there or on the way); the wire can't tell which",
                        listener_text(telling, listen), port),
                    FINDING_PROOF(proof));
        return;
    }
    if (listen) {
        say_bound_elsewhere(telling, reset, listen);
        return;
    }
    const struct call *later = shown ? tale_listens_later(telling, finding_arrival_ns(reset)) : NULL;
    if (later) {
        finding_add(
            telling, "refused", "error",
            telling_printf(telling,
                           "connection refused: no process listened on port %u yet; %s began to %s later: wait until it does, or "
                           "try again",
                           port, listener_text(telling, later), finding_time(telling, later->exit_ns - at_ns)),
            FINDING_PROOF(proof));
        return;
    }
    finding_add(
        telling, "refused", "error",
        shown ? telling_printf(telling,
                               "connection refused: no process listens on port %u there; start the server, or check the address "
                               "and port",
                               port)
              : telling_printf(telling,
                               "connection refused: the SYN to port %u was answered with RST; no process listens there (start the "
                               "server, check address and port), or a firewall refuses in its name",
                               port),
        FINDING_PROOF(proof));
}

/* No packet tells of it, and connect() does. */
static void find_refused_alone(struct telling *telling)
{
    const struct tale_call *connect = finding_call(telling, STORY_CLIENT, CALL_CONNECTS, -ECONNREFUSED);
    if (telling->flow->calls_alone && connect)
        finding_add(telling, "refused", "error",
                    telling_printf(telling,
                                   "connect() failed with ECONNREFUSED: no process listens on port %u there, or a firewall "
                                   "refuses; its packets were not captured",
                                   (unsigned)telling->flow->end[STORY_SERVER].port),
                    &connect->story->exit_step, 1);
}

void findings_unopened(struct telling *telling)
{
    find_refused_alone(telling);
    find_refused(telling);
    findings_filtered(telling);
    find_unanswered(telling);
}
