/* Open connections whose peer fell silent: data, a FIN or probes that nobody answered, and who gave up. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* What is under way when a segment leaves may still come: it is no answer to it. Less than the least retransmission timeout of
 * Linux (TCP_RTO_MIN). */
static const int64_t UNDER_WAY_NS = 200000000;

struct silence {
    const struct tale_packet *first; /* the first that was never acknowledged */
    const struct tale_packet *last;  /* the last repeat of any such; NULL none */
    uint32_t count, repeats, lost, filtered, dropped, arrived, compared;
    bool followed; /* by something new, which was not acknowledged either */
};

static bool was_acknowledged(const struct telling *telling, const struct tale_packet *packet)
{
    const struct conn_end *end = telling_end_now(telling, packet->side);
    uint32_t last = packet->seen->packet.header.seq + segment_space(&packet->seen->packet.header);
    return end->flags & END_ACKED && !seq_before(end->acked, last);
}

static void count_way(const struct telling *telling, struct silence *silence, const struct tale_packet *packet)
{
    enum finding_way way = finding_way(telling, packet);
    silence->lost += way == WAY_LOST;
    silence->dropped += way == WAY_DROPPED;
    silence->filtered += way == WAY_FILTERED;
    silence->arrived += way == WAY_ARRIVED;
    silence->compared += way == WAY_SEEN && packet->seen->packet.same;
}

/* What this end sent and was never acknowledged, with nothing that came back since, as long as it waited. */
static bool find_silence(const struct telling *telling, enum story_side side, int64_t until_ns, struct silence *silence)
{
    const struct conn_end *peer = telling_end_now(telling, finding_other(side));
    enum story_side missing;
    if (finding_is_one_way(telling, &missing) || !peer->segments || peer->flags & END_RST) return false;
    int64_t heard_ns = INT64_MIN;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->side != side && packet->segment && !telling_is_untaken(telling, packet) &&
            finding_arrival_ns(packet) > heard_ns && finding_arrival_ns(packet) <= until_ns)
            heard_ns = finding_arrival_ns(packet);
    }
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        uint8_t class = packet->verdict.class;
        if (!finding_is_own(packet, side) || packet->segment->flags & (TCP_SYN | TCP_RST)) continue;
        if (!segment_space(&packet->seen->packet.header) || was_acknowledged(telling, packet)) continue;
        if (!silence->first) {
            if (packet->segment->retransmission || class == CONN_WINDOW_PROBE || class == CONN_KEEPALIVE) return false;
            if (packet->verdict.has_peer_window && packet->verdict.peer_window == 0)
                return false;                                            /* the reader's silence: its window */
            if (packet->sent_ns + UNDER_WAY_NS < heard_ns) return false; /* the peer did speak, and not of this */
            silence->first = packet;
        } else if (packet->segment->retransmission) {
            silence->last = packet;
            silence->repeats++;
        } else {
            silence->followed = true;
        }
        silence->count++;
        count_way(telling, silence, packet);
    }
    return silence->first != NULL;
}

static const char *way_text(struct telling *telling, const struct silence *silence)
{
    uint32_t count = silence->count;
    if (silence->filtered == count)
        return telling_printf(telling,
                              ntr("; a firewall's rule on %s dropped it", "; a firewall's rule on %s dropped all of them", count),
                              finding_dropper(telling, silence->first));
    if (silence->dropped == count)
        return telling_printf(telling, ntr("; the kernel on %s threw it away", "; the kernel on %s threw all of them away", count),
                              finding_dropper(telling, silence->first));
    if (silence->lost == count) return ntr("; the way lost it", "; the way lost all of them", count);
    if (silence->arrived == count)
        return telling_printf(telling, ntr("; it reached the %s's host", "; all of them reached the %s's host", count),
                              story_side_word(finding_other(silence->first->side)));
    if (silence->compared == count)
        return telling_printf(telling, ntr("; %s has it as well", "; %s has all of them as well", count),
                              finding_place(telling, silence->first->seen, true));
    return "";
}

/* TCP_USER_TIMEOUT of this end, in ns, where it was set and is what ran out; -1. */
static int64_t user_timeout(const struct telling *telling, enum story_side side, int64_t waited_ns, uint32_t *ret_step)
{
    int64_t ms = telling_option(telling, side, IPPROTO_TCP, TCP_USER_TIMEOUT, ret_step);
    return ms > 0 && waited_ns >= ms * 1000000 ? ms * 1000000 : -1;
}

static void say_user_timeout(struct telling *telling, enum story_side side, int64_t limit_ns, int64_t waited_ns,
                             const uint32_t proof[static 3])
{
    const struct tale_call *call = finding_call(telling, (int)side, 0, -ETIMEDOUT);
    finding_add(
        telling, "user-timeout", "error",
        telling_printf(
            telling,
            "what the %s sent stayed unacknowledged for %s, longer than the %s that TCP_USER_TIMEOUT allows: its kernel gave "
            "the connection up%s; the peer was told nothing",
            story_side_word(side), finding_time(telling, waited_ns), finding_time(telling, limit_ns),
            call ? telling_printf(telling, ", and %s() failed with ETIMEDOUT", call->story->name) : ""),
        proof, 3);
}

/* No retransmission timer waits for less (TCP_RTO_MIN), a tick less as ticks fall. */
static const int64_t RTO_MIN_NS = 190000000;

static void find_unanswered(struct telling *telling, enum story_side side)
{
    struct silence silence = {0};
    uint32_t end_step = STORY_NO_STEP, option_step = STORY_NO_STEP;
    int64_t end_ns = 0;
    bool gave_up = finding_gave_up(telling, side, &end_step, &end_ns);
    if (!find_silence(telling, side, gave_up ? end_ns : INT64_MAX, &silence)) return;
    const struct tale_packet *first = silence.first;
    gave_up = gave_up && end_ns >= first->sent_ns;
    /* It may only be late. */
    bool soon = silence.repeats < 2 || silence.last->sent_ns - first->sent_ns < RTO_MIN_NS;
    if (!gave_up && soon) return;
    int64_t waited_ns = (gave_up ? end_ns : telling->last_ns) - first->sent_ns;
    int64_t limit_ns = gave_up ? user_timeout(telling, side, waited_ns, &option_step) : -1;
    uint32_t proof[3] = {first->step, silence.last ? silence.last->step : STORY_NO_STEP, gave_up ? end_step : STORY_NO_STEP};
    if (limit_ns > 0) {
        uint32_t with_option[3] = {option_step, first->step, end_step};
        say_user_timeout(telling, side, limit_ns, waited_ns, with_option);
        return;
    }
    bool fin = first->segment->kind == STORY_FIN && !first->segment->length_bytes;
    const struct tale_call *call = finding_call(telling, (int)side, 0, -ETIMEDOUT);
    bool orphan = fin && !call;
    const char *end =
        !gave_up ? telling_printf(telling, ", %s", telling_so_long(telling))
                 : telling_printf(telling, "; then the kernel of the %s gave up (how often it tries: %s)%s", story_side_word(side),
                                  orphan ? tr("net.ipv4.tcp_orphan_retries once no process holds the socket, else tcp_retries2")
                                         : "net.ipv4.tcp_retries2",
                                  call ? telling_printf(telling, ", and %s() failed with ETIMEDOUT", call->story->name) : "");
    const char *text =
        telling_printf(telling,
                       ntr("no answer to the %s's %s #%" PRIu32 "%s, sent again %" PRIu32 " time in %s%s%s",
                           "no answer to the %s's %s #%" PRIu32 "%s, sent again %" PRIu32 " times in %s%s%s", silence.repeats),
                       story_side_word(side), fin ? "FIN" : tr("data"), first->segment->number,
                       silence.followed ? tr(" and what followed it") : "", silence.repeats, finding_time(telling, waited_ns),
                       way_text(telling, &silence), end);
    if (fin)
        finding_add(telling, "fin-unanswered", "warning", text, FINDING_PROOF(proof));
    else
        finding_add(telling, "data-unanswered", "error", text, FINDING_PROOF(proof));
}

static bool is_probe(const struct tale_packet *packet)
{
    if (packet->verdict.class == CONN_KEEPALIVE) return true;
    return packet->cause->kind == CAUSE_TIMER && packet->cause->name && strcmp(packet->cause->name, "keepalive") == 0 &&
           packet->segment->kind != STORY_RST;
}

/* Keepalive probes of an idle connection that nobody answered. */
static void find_unanswered_probes(struct telling *telling, enum story_side side)
{
    const struct tale_packet *first = NULL, *last = NULL,
                             *heard = finding_arrival(telling, finding_other(side), INT64_MAX - 1, false);
    uint32_t probes = 0, end_step = STORY_NO_STEP, option_step = STORY_NO_STEP;
    int64_t end_ns = 0;
    enum story_side missing;
    if (finding_is_one_way(telling, &missing) || !heard) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!finding_is_own(packet, side) || !is_probe(packet) || packet->sent_ns < finding_arrival_ns(heard)) continue;
        if (!first) first = packet;
        last = packet;
        probes++;
    }
    const struct tale_call *call = finding_call(telling, (int)side, 0, -ETIMEDOUT);
    const struct tale_packet *reset = finding_segment(telling, (int)side, STORY_RST);
    bool gave_up = finding_gave_up(telling, side, &end_step, &end_ns);
    if (!probes || (!gave_up && probes < 2) || telling_end_now(telling, finding_other(side))->flags & END_RST) return;
    const char *how_many =
        telling_printf(telling, ntr("%" PRIu32 " keepalive probe", "%" PRIu32 " keepalive probes", probes), probes);
    uint32_t proof[3] = {first->step, last == first ? STORY_NO_STEP : last->step,
                         gave_up && call                           ? call->story->exit_step
                         : gave_up                                 ? end_step
                         : reset && reset->sent_ns > last->sent_ns ? reset->step
                                                                   : STORY_NO_STEP};
    if (gave_up && call) {
        finding_add(telling, "keepalive-dead", "error",
                    telling_printf(
                        telling,
                        "the peer is silent: %s and no answer; the kernel gave the connection up%s, and %s() failed with ETIMEDOUT",
                        how_many,
                        user_timeout(telling, side, end_ns - finding_arrival_ns(heard), &option_step) > 0
                            ? tr(" (TCP_USER_TIMEOUT is set, and limits that)")
                            : "",
                        call->story->name),
                    FINDING_PROOF(proof));
        return;
    }
    finding_add(telling, "peer-silent", "warning",
                telling_printf(telling, "the %s is silent: nothing came from it for %s, and it answered none of %s%s",
                               story_side_word(finding_other(side)),
                               finding_time(telling, telling->last_ns - finding_arrival_ns(heard)), how_many,
                               proof[2] != STORY_NO_STEP ? tr("; then the connection was given up")
                                                         : telling_printf(telling, " %s", telling_so_long(telling))),
                FINDING_PROOF(proof));
}

/* ---- an idle connection that was dead when it was used again ---- */

/* So long that a pool of connections, or a person, stands behind it; no exchange of its own pauses like that. */
static const int64_t IDLE_NS = 5000000000;

/* All options of this end's socket were seen to be set: its calls from the first on, or its listener's. */
static bool knows_options(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (call->side == side && call->exit_ns && call->ret >= 0 && call->traits & CALL_MAKES_SOCKET) return true;
    }
    return false;
}

/* The first new data of this side after a silence, with nothing under way before it. */
static const struct tale_packet *used_again(const struct telling *telling, enum story_side side, int64_t *ret_idle_ns)
{
    int64_t last_ns = 0;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment) continue;
        *ret_idle_ns = packet->sent_ns - last_ns;
        if (last_ns && *ret_idle_ns >= IDLE_NS && finding_is_own(packet, side) && packet->verdict.class == CONN_NEW &&
            packet->segment->length_bytes && finding_state_before(telling, side, packet->step) == STATE_ESTABLISHED)
            return packet;
        if (finding_arrival_ns(packet) > last_ns) last_ns = finding_arrival_ns(packet);
    }
    return NULL;
}

static void find_keepalive_off(struct telling *telling, enum story_side side)
{
    int64_t idle_ns = 0, end_ns = 0;
    uint32_t end_step = STORY_NO_STEP;
    if (!knows_options(telling, side) || telling_option(telling, side, SOL_SOCKET, SO_KEEPALIVE, NULL) > 0) return;
    const struct tale_packet *used = used_again(telling, side, &idle_ns);
    if (!used || was_acknowledged(telling, used)) return;
    const struct tale_packet *reset = finding_next(telling, used, (int)finding_other(side), STORY_RST);
    bool gave_up = !reset && finding_gave_up(telling, side, &end_step, &end_ns);
    if (!reset && !gave_up) return;
    uint32_t proof[2] = {used->step, reset ? reset->step : end_step};
    finding_add(
        telling, "keepalive-off", "warning",
        telling_printf(telling,
                       "the connection had been silent for %s when the %s used it again (#%" PRIu32
                       "), and it was dead by then: %s. SO_KEEPALIVE was not set, so nobody had looked; set it, with TCP_KEEPIDLE "
                       "below what firewalls and the peer remember, or give idle connections up sooner",
                       finding_time(telling, idle_ns), story_side_word(side), used->segment->number,
                       reset ? telling_printf(telling, "RST #%" PRIu32 " was the answer", reset->segment->number)
                             : tr("nothing ever acknowledged that")),
        FINDING_PROOF(proof));
}

void findings_silent(struct telling *telling)
{
    for (int side = 0; side < STORY_SIDES && !telling->flow->to_itself; side++) {
        find_unanswered(telling, (enum story_side)side);
        find_unanswered_probes(telling, (enum story_side)side);
        find_keepalive_off(telling, (enum story_side)side);
    }
}
