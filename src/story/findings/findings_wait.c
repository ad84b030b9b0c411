/* Time that was lost: to a reader's closed window, to Nagle's algorithm meeting a delayed ACK, to a server that took long. */
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* ---- a closed window ---- */

/* Full speed closes a window for a moment. Longer than this (Linux's least persist timeout, TCP_RTO_MIN) the sender has to probe.
 */
static const int64_t CLOSED_NS = 200000000;

struct closure {
    const struct tale_packet *from, *to; /* to: NULL, not opened again */
    int64_t ns;
    uint32_t probes;
};

/* The longest time in which this end offered no room. */
static struct closure longest_closure(const struct telling *telling, enum story_side reader)
{
    struct closure longest = {0}, now = {0};
    bool was_open = false; /* and that was seen: else nothing closed */
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (now.from && packet->side != reader && packet->verdict.class == CONN_WINDOW_PROBE) now.probes++;
        if (!finding_is_own(packet, reader) || !(packet->segment->flags & TCP_ACK) || packet->segment->flags & (TCP_RST | TCP_SYN))
            continue;
        if (packet->seen->packet.window_cut) continue;
        was_open = was_open || packet->segment->window;
        if (packet->segment->window == 0) {
            if (!now.from) now.from = packet;
            now.ns = packet->sent_ns - now.from->sent_ns;
        } else if (now.from) {
            now.to = packet;
            now.ns = packet->sent_ns - now.from->sent_ns;
        }
        if (now.ns > longest.ns) longest = now;
        if (now.to) now = (struct closure){0};
    }
    if (now.from && telling->last_ns - now.from->sent_ns > longest.ns) {
        longest = now;
        longest.ns = telling->last_ns - now.from->sent_ns;
    }
    return was_open ? longest : (struct closure){0};
}

/* "its process called nothing that reads" or "it read, but too little"; "" where its calls were not recorded. */
static const char *reader_text(struct telling *telling, enum story_side reader, const struct closure *closure)
{
    bool any = false, read = false;
    int64_t to_ns = closure->from->sent_ns + closure->ns;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        if (telling->calls[i].story->side != reader || telling->calls[i].story->listener) continue;
        any = !telling->teller->course_only; /* else calls that read are not recorded */
        bool reads = call->traits & CALL_READS;
        /* The one that opens the window is in the middle of reading then. */
        if (reads && call->exited && call->ret > 0 && call->exit_ns > closure->from->sent_ns && call->exit_ns < to_ns) read = true;
    }
    return !any   ? tr("its process took nothing, or too little to open it")
           : read ? tr("its process read, but too little to open it")
                  : tr("its process read nothing");
}

/* Something waited at the other end: it asked, or sent as soon as it could. */
static bool had_data(const struct telling *telling, const struct closure *closure)
{
    static const int64_t SOON_NS = 1000000000;
    if (closure->probes || !closure->to) return closure->probes;
    for (const struct tale_packet *at = closure->to + 1; at < telling->packets + telling->packet_count; at++) {
        if (at->sent_ns - closure->to->sent_ns > SOON_NS) return false;
        if (finding_is_own(at, finding_other(closure->to->side)) && at->segment->length_bytes) return true;
    }
    return false;
}

static void find_closed_window(struct telling *telling, enum story_side reader)
{
    struct closure closure = longest_closure(telling, reader);
    if (!closure.from || closure.ns < CLOSED_NS) return;
    uint32_t proof[2] = {closure.from->step, closure.to ? closure.to->step : STORY_NO_STEP};
    finding_add(
        telling, "zero-window", "warning",
        telling_printf(
            telling,
            "the %s's receive window was closed for %s (#%" PRIu32 " to %s): %s, so the %s %s%s; read faster, or see what "
            "that process waited for",
            story_side_word(reader), finding_time(telling, closure.ns), closure.from->segment->number,
            closure.to        ? telling_printf(telling, "#%" PRIu32, closure.to->segment->number)
            : telling->so_far ? tr("now")
                              : tr("the end of the recording"),
            reader_text(telling, reader, &closure), story_side_word(finding_other(reader)),
            had_data(telling, &closure) ? tr("had to wait") : tr("could send nothing in that time"),
            closure.probes
                ? telling_printf(telling, ntr(", and probed %" PRIu32 " time", ", and probed %" PRIu32 " times", closure.probes),
                                 closure.probes)
                : ""),
        FINDING_PROOF(proof));
}

/* ---- Nagle's algorithm and the delayed ACK ---- */

/* Linux delays an ACK by 40 ms and more (TCP_DELACK_MIN), others by up to 200 or 500 (RFC 1122 section 4.2.3.2); less than this is
 * none. What an ACK lets go leaves at once. */
static const int64_t DELAYED_NS = 30000000, DELAYED_MOST_NS = 600000000, AT_ONCE_NS = 2000000;

struct nagle {
    const struct tale_packet *first, *ack, *second;
    const struct tale_call *call;
    uint32_t count;
    int64_t total_ns;
    /* The calls of its side, gone through as far as the packets are. */
    size_t next_call;
    bool has_calls;
    const struct tale_call *last_write;
};

/* The call that wrote what this segment carries had returned before the ACK came: the data lay there. NULL: none, or it is not
 * known. Asked in order of time. */
static const struct tale_call *written_before(const struct telling *telling, const struct tale_packet *first,
                                              const struct tale_packet *second, int64_t ack_ns, struct nagle *nagle)
{
    for (; nagle->next_call < telling->call_count; nagle->next_call++) {
        const struct tale_call *tale = &telling->calls[nagle->next_call];
        if (tale->story->side != second->side || tale->story->listener) continue;
        if (tale->call->entered && tale->call->enter_ns >= second->sent_ns) break;
        nagle->has_calls = true;
        bool writes = tale->call->traits & CALL_WRITES;
        if (writes && !(tale->call->exited && tale->call->ret <= 0)) nagle->last_write = tale; /* or is about to */
    }
    const struct tale_call *last = nagle->last_write;
    if (!last || !last->call->entered || !last->call->exited || last->call->exit_ns >= ack_ns - DELAYED_NS / 2) return NULL;
    /* Nor was it the first segment's, which holds all that it wrote. */
    return last->call->enter_ns >= first->sent_ns || last->call->ret > (int64_t)first->segment->length_bytes ? last : NULL;
}

static bool is_small(const struct tale_packet *packet, uint32_t full)
{
    return packet->segment->kind == STORY_DATA && packet->verdict.class == CONN_NEW && packet->segment->length_bytes < full;
}

/* What a segment of this side may carry at most: its peer's SYN said so. 0: that was not captured. */
static uint32_t announced_mss(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!finding_is_own(packet, finding_other(side)) || !(packet->segment->flags & TCP_SYN)) continue;
        const struct event_options *options = &packet->seen->packet.options;
        return options->present & OPTION_MSS ? options->mss : 0;
    }
    return 0;
}

/* The largest payload of this side: a segment below it was not full. What is larger than a segment may be was put together behind
 * the device (GRO), or was to be cut in it (TSO). */
static uint32_t full_size(const struct telling *telling, enum story_side side)
{
    enum { LEAST_MSS = 536, ETHERNET_MSS = 1460 }; /* RFC 9293 section 3.7.1 */
    uint32_t largest = LEAST_MSS, announced = announced_mss(telling, side), most = announced ? announced : ETHERNET_MSS;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!finding_is_own(packet, side)) continue;
        uint32_t length = packet->segment->length_bytes;
        if (length > largest && length <= most) largest = length;
    }
    return largest;
}

static int64_t round_ns(const struct telling *telling)
{
    return telling->conn.flags & CONN_TIMED ? (int64_t)telling->conn.round_us * 1024 : -1;
}

/* A small segment, its pure ACK that came late, and another small segment right behind that. */
static void take_triple(const struct telling *telling, const struct tale_packet *first, const struct tale_packet *ack,
                        const struct tale_packet *second, struct nagle *nagle)
{
    int64_t ack_ns = finding_arrival_ns(ack), round = round_ns(telling);
    bool both_places = first->received_ns && ack->received_ns;
    int64_t delay_ns = both_places ? ack->sent_ns - first->received_ns : ack_ns - first->sent_ns - (round > 0 ? round : 0);
    int64_t behind_ns = second->sent_ns - ack_ns;
    if (!both_places && round < 0) return; /* the way there and back may be that long */
    if (delay_ns < DELAYED_NS || delay_ns > DELAYED_MOST_NS || behind_ns < 0) return;
    /* From one place: captured at its sender, or beyond the way there and back. */
    bool here = behind_ns <= AT_ONCE_NS, there = behind_ns >= round - round / 4 && behind_ns <= round + round / 4 + AT_ONCE_NS;
    if (!here && (both_places || !there)) return;
    const struct tale_call *call = written_before(telling, first, second, ack_ns, nagle);
    if (nagle->has_calls && !call) return; /* it was written only then */
    if (!nagle->count++) {
        nagle->first = first;
        nagle->ack = ack;
        nagle->second = second;
        nagle->call = call;
    }
    nagle->total_ns += delay_ns;
}

static void find_nagle(struct telling *telling, enum story_side side)
{
    struct nagle nagle = {0};
    const struct tale_packet *first = NULL, *ack = NULL;
    uint32_t full = full_size(telling, side);
    if (telling_option(telling, side, IPPROTO_TCP, TCP_NODELAY, NULL) > 0) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->copy) continue;
        if (packet->side != side) { /* only a pure ACK of just that keeps the thread: an answer may have been waited for */
            uint32_t end = first ? first->segment->seq_absolute + first->segment->length_bytes : 0;
            ack = first && packet->segment->kind == STORY_ACK && packet->segment->ack_absolute == end && !ack ? packet : NULL;
            if (!ack) first = NULL;
            continue;
        }
        if (packet->segment->kind == STORY_ACK) continue;
        if (first && ack && is_small(packet, full)) take_triple(telling, first, ack, packet, &nagle);
        first = is_small(packet, full) ? packet : NULL;
        ack = NULL;
    }
    /* Without its calls, once may be chance. */
    if (!nagle.count || (!nagle.call && nagle.count < 2)) return;
    uint32_t proof[4] = {nagle.call ? nagle.call->story->exit_step : STORY_NO_STEP, nagle.first->step, nagle.ack->step,
                         nagle.second->step};
    const char *each = finding_time(telling, nagle.total_ns / nagle.count);
    finding_add(
        telling, "nagle-delayed-ack", "warning",
        telling_printf(
            telling,
            ntr("Nagle's algorithm met a delayed ACK %" PRIu32
                " time: a second small segment of the %s waited some %s for the ACK of the first, which the %s delayed (%s#%" PRIu32
                ", #%" PRIu32 ", #%" PRIu32 "); %s lost. Write once (a buffer, writev), or set TCP_NODELAY",
                "Nagle's algorithm met a delayed ACK %" PRIu32 " times: a second small segment of the %s waited some %s for the "
                "ACK of the first, which the %s delayed (%s#%" PRIu32 ", #%" PRIu32 ", #%" PRIu32
                "); %s lost in all. Write once (a buffer, writev), or set TCP_NODELAY",
                nagle.count),
            nagle.count, story_side_word(side), each, story_side_word(finding_other(side)),
            nagle.call ? "" : tr("so it looks on the wire: "), nagle.first->segment->number, nagle.ack->segment->number,
            nagle.second->segment->number, finding_time(telling, nagle.total_ns)),
        FINDING_PROOF(proof));
}

/* ---- a slow answer ---- */

/* Below this nobody asks why it is slow; above it, nobody waits for an answer: the server had something new to say. */
static const int64_t SLOW_NS = 500000000, SLOW_MOST_NS = 60000000000;

struct answer {
    const struct tale_packet *request, *first;
    int64_t server_ns;
};

/* Between the two nothing of these ends was sent again, and the client's window was open: then it is the process that took the
 * time. */
static struct answer slowest_answer(const struct telling *telling)
{
    struct answer slowest = {0};
    const struct tale_packet *request = NULL;
    bool closed = false, disturbed = false;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || packet->segment->copy) continue;
        if (packet->side == STORY_CLIENT && packet->segment->flags & TCP_ACK) closed = packet->segment->window == 0;
        if (packet->segment->retransmission || packet->segment->flags & (TCP_RST | TCP_SYN)) disturbed = true;
        if (packet->side == STORY_CLIENT && packet->segment->length_bytes && !packet->segment->retransmission) {
            request = packet;
            disturbed = telling_is_untaken(telling, packet);
        }
        if (packet->verdict.opens_hole || packet->verdict.leaps) disturbed = true; /* what came between was not captured */
        if (packet->side != STORY_SERVER || !packet->segment->length_bytes || packet->segment->retransmission) continue;
        if (request && !disturbed && !closed) {
            int64_t came_ns = finding_arrival_ns(request), round = round_ns(telling);
            int64_t server_ns = packet->sent_ns - came_ns - (request->received_ns ? 0 : round);
            if ((request->received_ns || round >= 0) && server_ns > slowest.server_ns && server_ns <= SLOW_MOST_NS)
                slowest = (struct answer){request, packet, server_ns};
        }
        request = NULL;
    }
    return slowest;
}

/* Where the server's calls are known: had it read the request, and when did it begin to answer? */
static const char *calls_text(struct telling *telling, const struct answer *slow)
{
    const struct tale_call *read = NULL, *write = NULL;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (tale->story->side != STORY_SERVER || tale->story->listener || !tale->call->exited || tale->call->ret <= 0 ||
            !tale->call->entered)
            continue;
        bool reads = tale->call->traits & CALL_READS;
        bool writes = tale->call->traits & CALL_WRITES;
        if (reads && !read && tale->call->exit_ns >= finding_arrival_ns(slow->request) &&
            tale->call->exit_ns <= slow->first->sent_ns)
            read = tale;
        if (writes && tale->call->enter_ns <= slow->first->sent_ns) write = tale;
    }
    if (!read || !write || write->call->enter_ns < read->call->exit_ns) return "";
    return telling_printf(telling, ": it lay unread for %s, and %s() returned %s before %s() was called",
                          finding_time(telling, read->call->exit_ns - finding_arrival_ns(slow->request)), read->story->name,
                          finding_time(telling, write->call->enter_ns - read->call->exit_ns), write->story->name);
}

/* What was sent before it may have been lost on the way here, and this is that again: nobody looked where it left. */
static bool may_be_again(const struct telling *telling, const struct answer *slow)
{
    return !telling->flow->sock[STORY_SERVER] && !flow_is_loopback(&slow->first->seen->packet.header.src) &&
           !finding_left_here(telling, slow->first);
}

static void find_slow_answer(struct telling *telling)
{
    enum story_side missing;
    if (finding_is_one_way(telling, &missing)) return;
    struct answer slow = slowest_answer(telling);
    if (slow.server_ns < SLOW_NS) return;
    int64_t flight_ns = slow.request->received_ns && slow.first->received_ns
                            ? slow.request->received_ns - slow.request->sent_ns + (slow.first->received_ns - slow.first->sent_ns)
                            : round_ns(telling);
    uint32_t proof[2] = {slow.request->step, slow.first->step};
    finding_add(telling, "slow-answer", "note",
                telling_printf(
                    telling,
                    "the server's next data (#%" PRIu32 ") came long after the client's (#%" PRIu32 "): the server took %s%s%s%s",
                    slow.first->segment->number, slow.request->segment->number, finding_time(telling, slow.server_ns),
                    flight_ns > 0 ? telling_printf(telling, ", the network %s", finding_time(telling, flight_ns)) : "",
                    calls_text(telling, &slow),
                    may_be_again(telling, &slow) ? tr("; or a first answer was lost before it came here, and was sent again") : ""),
                FINDING_PROOF(proof));
}

void findings_wait(struct telling *telling)
{
    for (int side = 0; side < STORY_SIDES && !telling->flow->to_itself; side++) {
        find_closed_window(telling, (enum story_side)side);
        find_nagle(telling, (enum story_side)side);
    }
    find_slow_answer(telling);
}
