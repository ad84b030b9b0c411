/* Long connections: of the middle only that is kept which a story needs. Segments that bring new data in order, and what
 * acknowledges it, become a few that stand for them all, as segmentation offload would have made them; whatever is out of the
 * ordinary stays. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/track.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* Shorter runs stay as they are. Larger ones are cut: numbers are compared as distances below 2³¹. */
/* Of what can't be folded so many times bounds.packets_max is kept. */
enum { FOLDED_MOST = 8 };
enum { RUN_LEAST = 16, RUN_BYTES_MOST = 1 << 29 };

/* What one side says in a run. */
struct words {
    struct sighting first, last; /* with `any`; of `first` with data the header says the run's first number */
    bool any, has_data;
    uint32_t length;
};

struct run {
    struct words words[STORY_SIDES];
    enum story_side speaker; /* who sent the run's first data */
    bool spoken;
    uint32_t count; /* packets that it stands for */
    size_t from;    /* its first one's place */
};

/* What is known of a side's numbers by the packets gone through so far. */
struct reach {
    bool known, acked;
    uint32_t next, ack;
    uint16_t window;
};

struct folding {
    struct teller *teller;
    struct flow *flow;
    struct reach reach[STORY_SIDES];
    struct run run;
    size_t kept;
};

static bool was_dropped(const struct flow *flow, const struct event_packet_header *header)
{
    for (size_t i = 0; i < flow->drop_count; i++) {
        const struct event_packet_header *dropped = &flow->drops[i].drop.header;
        if (address_equal(&dropped->src, &header->src) && (flow_covers(header, dropped) || flow_covers(dropped, header)))
            return true;
    }
    return false;
}

/* New data in order, or an acknowledgement of something new, of which nothing else is known than that it came. */
static bool is_plain(const struct flow *flow, const struct sighting *seen, const struct reach *own)
{
    const struct event_packet_header *header = &seen->packet.header;
    const uint8_t special = TCP_SYN | TCP_FIN | TCP_RST | TCP_URG;
    if (header->protocol != IPPROTO_TCP || header->flags & special || !(header->flags & TCP_ACK)) return false;
    if (seen->copy || seen->unsent || seen->packet.comments || seen->further_comments || !header->window) return false;
    if (flow->at_both_ends && !seen->arrived_ns) return false;
    if (!own->acked || header->seq != own->next || seq_before(header->ack, own->ack)) return false;
    bool says_something = seen->folded || header->length_bytes || header->ack != own->ack || header->window != own->window;
    bool sacks = seen->packet.options.present & OPTION_SACK;
    return says_something && !sacks && !was_dropped(flow, header);
}

static void go_past(struct reach *own, const struct event_packet_header *header)
{
    if (header->protocol != IPPROTO_TCP || header->flags & TCP_RST) return;
    uint32_t end = header->seq + segment_space(header);
    if (!own->known || seq_before(own->next, end)) own->next = end;
    if (header->flags & TCP_ACK && (!own->acked || seq_before(own->ack, header->ack))) own->ack = header->ack;
    own->acked = own->acked || header->flags & TCP_ACK;
    own->known = true;
    own->window = header->window;
}

static void release(struct teller *teller, struct sighting *seen)
{
    if (!seen->folded && seen->marked && !seen->captured && !seen->stuck) teller->marks_unjoined++;
    if (!seen->folded && seen->captured && !seen->marked) teller->packets_unmarked++;
    free((void *)(uintptr_t)seen->packet.bytes);
    call_unref(seen->call);
}

/* One that stands for others: it was captured, and nobody knows more of it. */
static void put(struct folding *folding, const struct sighting *like, uint32_t seq, uint32_t length, uint32_t folded)
{
    struct sighting *seen = &folding->flow->packets[folding->kept++];
    *seen = *like;
    seen->packet.header.seq = seq;
    seen->packet.header.length_bytes = length;
    seen->packet.bytes = NULL;
    seen->packet.captured_bytes = 0;
    if (!seen->captured) seen->captured_ns = seen->mark_ns;
    seen->captured = true;
    seen->marked = false;
    seen->mark_ns = 0;
    seen->context = (struct event_context){.current = {.pid = 0}};
    seen->congestion = (struct event_congestion){.window = 0};
    seen->call = NULL;
    seen->call_over = false;
    seen->folded = folded;
}

static void keep_run(struct folding *folding, size_t behind)
{
    size_t from = folding->run.from;
    struct sighting *packets = folding->flow->packets;
    memmove(&packets[folding->kept], &packets[from], (behind - from) * sizeof(packets[0]));
    folding->kept += behind - from;
}

/* In the order in which each could have said it: the speaker's data, the other's data and acknowledgement, the speaker's. */
static void fold_run(struct folding *folding, size_t behind)
{
    struct run *run = &folding->run;
    const struct words *speaker = &run->words[run->speaker], *other = &run->words[!run->speaker];
    bool data = speaker->has_data, answer = other->any, thanks = speaker->any && (other->has_data || !data);
    uint32_t stands_for = run->count - data - answer - thanks + 1; /* the first of them for all the rest */
    for (size_t i = run->from; i < behind; i++) {
        folding->flow->folded += !folding->flow->packets[i].folded;
        release(folding->teller, &folding->flow->packets[i]);
    }
    if (data) put(folding, &speaker->first, speaker->first.packet.header.seq, speaker->length, stands_for);
    if (data) stands_for = 1;
    if (answer) put(folding, &other->last, other->first.packet.header.seq, other->length, stands_for);
    if (answer) stands_for = 1;
    const struct event_packet_header *last = &speaker->last.packet.header;
    if (thanks) put(folding, &speaker->last, last->seq + last->length_bytes, 0, stands_for);
}

static void end_run(struct folding *folding, size_t behind)
{
    if (folding->run.count < RUN_LEAST)
        keep_run(folding, behind);
    else
        fold_run(folding, behind);
    folding->run = (struct run){.from = behind};
}

static void take(struct folding *folding, const struct sighting *seen, enum story_side side)
{
    struct run *run = &folding->run;
    struct words *words = &run->words[side];
    uint32_t length = seen->packet.header.length_bytes;
    if (!words->any || (length && !words->has_data)) words->first = *seen;
    words->last = *seen;
    words->any = true;
    words->has_data = words->has_data || length;
    words->length += length;
    if (length && !run->spoken) run->speaker = side;
    run->spoken = run->spoken || length;
    run->count += seen->folded ? seen->folded : 1;
}

static bool fits(const struct run *run, const struct sighting *seen, enum story_side side)
{
    return run->words[side].length + (uint64_t)seen->packet.header.length_bytes < RUN_BYTES_MOST;
}

void flow_fold(struct teller *teller, struct flow *flow)
{
    size_t most = teller->bounds.packets_max, begin = most / 4, end = flow->packet_count - most / 2;
    struct folding folding = {.teller = teller, .flow = flow, .kept = begin, .run = {.from = begin}};
    for (size_t i = 0; i < end; i++) {
        const struct sighting *seen = &flow->packets[i];
        enum story_side side = flow_side(flow, &seen->packet.header.src);
        bool plain = i >= begin && is_plain(flow, seen, &folding.reach[side]);
        go_past(&folding.reach[side], &seen->packet.header);
        if (i < begin) continue;
        if (!plain || !fits(&folding.run, seen, side)) end_run(&folding, i);
        if (plain) {
            take(&folding, seen, side);
            continue;
        }
        folding.flow->packets[folding.kept++] = flow->packets[i];
        folding.run.from = i + 1;
    }
    end_run(&folding, end);
    memmove(&flow->packets[folding.kept], &flow->packets[end], (flow->packet_count - end) * sizeof(flow->packets[0]));
    flow->packet_count = folding.kept + flow->packet_count - end;
    flow->joined = 0;
    if (flow->packet_count > FOLDED_MOST * most) {
        flow->too_long = true;
        teller->too_long = flow;
    }
    /* It is looked at again only once there is as much besides. */
    flow->fold_at = flow->packet_count * 2;
}

/* ---- calls ---- */

/* Calls that carry data, or wait for it, and have returned. */
static bool carries_data(const struct call *call)
{
    if (!call->exited || (call->ret < 0 && call->ret != -EAGAIN)) return false;
    return call->traits & (CALL_READS | CALL_WRITES | CALL_WAITS_FOR_MANY);
}

static void note_read(struct sock *sock, const struct call *call)
{
    bool reads = call->traits & CALL_READS;
    if (!sock->folded_calls++) sock->folded_order = call->order;
    if (reads && call->ret != -EAGAIN && !strstr(call->args, "MSG_PEEK")) sock->folded_read_bytes += (uint64_t)call->ret;
}

void sock_fold(const struct teller *teller, struct sock *sock)
{
    size_t most = teller->bounds.packets_max, begin = most / 4, end = sock->call_count - most / 2, kept = begin;
    for (size_t i = begin; i < sock->call_count; i++) {
        struct call *call = sock->calls[i];
        if (i < end && carries_data(call)) {
            note_read(sock, call);
            call_unref(call);
        } else {
            sock->calls[kept++] = call;
        }
    }
    sock->call_count = kept;
    sock->fold_at = kept * 2;
}
