/* Joins: which mark of the kernel belongs to which captured packet, and which sights of two vantages are of one segment. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/moment.h"
#include "story/chain.h"
#include "story/track/join_own.h"
#include "story/track/track.h"
#include "tcp/segment.h"

/* A packet finds its first sight, at the same place, among so many of the newest: the judge knows sights by what came some seconds
 * before at most. */
static const size_t SIGHT_DEPTH = 4096;
/* At two interfaces of one host it only passes through: less than the shortest retransmission timeout of Linux (TCP_RTO_MIN). So
 * for what has no timestamps: with equal ones it was sent in the same millisecond, however long a busy host then let it lie. */
static const int64_t SAME_HOST_NS = 100000000;

/* A packet is stamped behind its mark, but for what the clocks of the two differ by; what waits longer in a device's queue than
 * this is another of equal look, sent again, whose own mark (or packet) nobody saw. */
static const int64_t JOIN_ORDER_NS = 10000000;

/* Of two marks for a packet, or packets for a mark, the first, unless another is much nearer. */
static bool is_nearer(int64_t first_ns, int64_t other_ns, int64_t to_ns)
{
    return moment_apart(other_ns, to_ns) < moment_apart(first_ns, to_ns) - JOIN_ORDER_NS;
}

/* The same without those first that have mark and packet: captured in one place, they take no more. */
static size_t unjoined_start(struct flow *flow)
{
    if (flow->joined < join_start(flow)) flow->joined = join_start(flow);
    while (flow->joined < flow->packet_count && flow->packets[flow->joined].captured && flow->packets[flow->joined].marked)
        flow->joined++;
    return flow->joined;
}

static struct sighting *add_sighting(struct teller *teller, struct flow *flow, const struct event *event)
{
    size_t most = teller->bounds.packets_max;
    if (most && !flow->udp && !flow->compared && flow->packet_count >= (flow->fold_at ? flow->fold_at : most))
        flow_fold(teller, flow);
    struct sighting *sighting = track_grow((void **)&flow->packets, &flow->packet_count, &flow->packet_room, sizeof(*sighting));
    if (sighting) sighting->order = event->order;
    const struct event_packet_header *header = event->kind == EVENT_MARK ? &event->mark.header : &event->packet.header;
    if (header->protocol == IPPROTO_TCP || header->protocol == IPPROTO_UDP) flow->calls_alone = false; /* not any more */
    return sighting;
}

static void take_mark(struct sighting *sighting, const struct sighting *mark)
{
    sighting->marked = true;
    sighting->mark_ns = mark->mark_ns;
    sighting->context = mark->context;
    sighting->congestion = mark->congestion;
    sighting->call = call_ref(mark->call);
    sighting->call_over = mark->call_over;
    if (!sighting->netns) sighting->netns = mark->netns;
}

/* Of two sights that look the same: at vantage `origin`, and now. What a capture's list has numbered it has joined itself. */
static int64_t join_window(const struct teller *teller, const struct event_packet *seen, uint32_t origin,
                           const struct event_packet *now)
{
    bool are_timed = !now->connection && seen->options.present & now->options.present & OPTION_TIMESTAMPS;
    return are_timed || join_on_other_host(teller, origin, now->vantage) ? SAME_SEGMENT_NS : SAME_HOST_NS;
}

/* One more sight of it, at another vantage. */
static void add_sight(const struct teller *teller, struct sighting *seen, const struct event *event)
{
    uint32_t vantage = event->packet.vantage;
    seen->arrived_at |= (uint64_t)1 << (vantage & 63);
    if (join_on_other_host(teller, seen->origin, vantage))
        seen->arrived_ns = event->t_ns; /* of several places on its way, the last */
    if (event->packet.comments) seen->further_comments = event->packet.comments;
}

static int keep_captured(struct sighting *sighting, const struct event *event)
{
    sighting->packet = event->packet;
    sighting->packet.bytes = NULL;
    if (event->packet.bytes && event->packet.captured_bytes) {
        uint8_t *copy = malloc(event->packet.captured_bytes);
        if (!copy) return -ENOMEM;
        memcpy(copy, event->packet.bytes, event->packet.captured_bytes);
        sighting->packet.bytes = copy;
    }
    sighting->captured = true;
    sighting->captured_ns = event->t_ns;
    return 0;
}

static int take_icmp(struct teller *teller, const struct event *event, uint64_t netns)
{
    const struct event_icmp *icmp = &event->packet.icmp;
    if (!icmp->quotes) return 0;
    struct flow *flow = flow_find(teller, &icmp->src, &icmp->dst, icmp->protocol, netns);
    if (!flow) return 0;
    size_t start = teller->vantage_count > 1 ? join_start(flow) : flow->packet_count;
    for (size_t i = flow->packet_count; i-- > start;) { /* the same error at a second vantage */
        struct sighting *seen = &flow->packets[i];
        if (seen->packet.header.protocol == event->packet.header.protocol && seen->packet.vantage != event->packet.vantage &&
            seen->arrived_ns == 0 && !join_has_arrived(seen, event->packet.vantage) &&
            join_near(seen->captured_ns, event->t_ns, join_window(teller, &seen->packet, seen->packet.vantage, &event->packet))) {
            add_sight(teller, seen, event);
            return 0;
        }
    }
    struct sighting *sighting = add_sighting(teller, flow, event);
    if (!sighting) return -ENOMEM;
    flow->last_ns = event->t_ns;
    sighting->netns = netns;
    sighting->origin = event->packet.vantage;
    if (vantages_show_it_came(teller->vantages, teller->vantage_count, event)) sighting->arrived_ns = event->t_ns;
    const struct sighting *mark = icmp_take_mark(teller, event);
    if (mark) take_mark(sighting, mark);
    return keep_captured(sighting, event);
}

/* A mark and a packet of the same host; where no packets are captured on the mark's host, the first place where they are. */
static bool may_be_its_mark(const struct teller *teller, uint64_t mark_netns, uint64_t packet_netns)
{
    if (!mark_netns || !packet_netns || mark_netns == packet_netns) return true;
    for (size_t i = 0; i < teller->vantage_count; i++)
        if (teller->vantages[i].netns == mark_netns) return false;
    return true;
}

/* Whether the host that this goes to has a vantage of its own, other than the sender's: what does not arrive there was lost. */
static bool is_awaited(const struct teller *teller, const struct address *to, uint64_t sender_netns)
{
    for (size_t i = 0; i < teller->vantage_count && sender_netns; i++) {
        const struct vantage *vantage = &teller->vantages[i];
        if (!vantage->netns || vantage->netns == sender_netns) continue;
        if (vantage_is_at(vantage, to)) return true;
    }
    return false;
}

/* Somebody has compared the packets already (src/clocks), and knows more than their looks: which are the same, what was lost. */
static int take_compared(struct teller *teller, struct flow *flow, const struct event *event)
{
    if (!flow->compared && !(flow->compared = table_new(sizeof(event->packet.same)))) return -ENOMEM;
    uintptr_t index = (uintptr_t)table_get(flow->compared, &event->packet.same);
    if (index) {
        flow->packets[index - 1].arrived_ns = event->t_ns;
        return 0;
    }
    struct sighting *sighting = add_sighting(teller, flow, event);
    if (!sighting || table_put(flow->compared, &event->packet.same, (void *)(uintptr_t)flow->packet_count)) return -ENOMEM;
    sighting->netns = join_netns(teller, event->packet.vantage);
    sighting->origin = event->packet.vantage;
    sighting->copy = event->packet.fate == FATE_COPY;
    if (!sighting->copy) flow_judge(teller, flow, &event->packet, event->t_ns);
    uint8_t fate = event->packet.fate;
    if (fate == FATE_COPY || fate == FATE_UNSENT || fate == FATE_CAME) sighting->arrived_ns = event->t_ns;
    return keep_captured(sighting, event);
}

/* A packet that the capture shows more than once: the newest like it was its first sight. */
static int take_sight(struct teller *teller, struct flow *flow, const struct event *event)
{
    size_t start = flow->packet_count > SIGHT_DEPTH ? flow->packet_count - SIGHT_DEPTH : 0;
    for (size_t i = flow->packet_count; i-- > start;) {
        struct sighting *seen = &flow->packets[i];
        if (!flow_covers(&seen->packet.header, &event->packet.header)) continue;
        int64_t gap_ns = event->t_ns - seen->captured_ns;
        if (!flow->sights++ || gap_ns < flow->sights_gap_ns) flow->sights_gap_ns = gap_ns;
        add_sight(teller, seen, event);
        break;
    }
    return 0;
}

static int take_arrival(struct sighting *sent, const struct event *event)
{
    uint64_t netns = sent->netns;
    int code = keep_captured(sent, event);
    sent->captured_ns = sent->mark_ns;
    sent->left_unseen = true;
    sent->origin = 0;
    sent->netns = netns;
    sent->arrived_ns = event->t_ns;
    sent->arrived_at = (uint64_t)1 << (event->packet.vantage & 63);
    return code;
}

int flow_take_packet(struct teller *teller, const struct event *event)
{
    const struct event_packet_header *header = &event->packet.header;
    uint64_t netns = join_netns(teller, event->packet.vantage);
    if (header->protocol != IPPROTO_TCP && header->protocol != IPPROTO_UDP) return take_icmp(teller, event, netns);
    struct flow *flow = flow_of_packet(teller, &event->packet, netns);
    if (!flow) return -ENOMEM;
    flow_touch(teller, flow);
    if (event->packet.sight) return take_sight(teller, flow, event);
    if (event->packet.same) return take_compared(teller, flow, event);

    struct sighting *earlier = NULL;                            /* the sight of this very segment at another vantage */
    struct sighting *waiting = NULL;                            /* a mark that still lacks its packet */
    struct sighting whole = {0};                                /* or the mark of a larger packet that this was cut from */
    bool alone = teller->vantage_count < 2 && !flow->has_marks; /* then there is nothing to join it with */
    for (size_t i = teller->vantage_count < 2 ? unjoined_start(flow) : join_start(flow); i < flow->packet_count && !alone; i++) {
        struct sighting *seen = &flow->packets[i];
        if (seen->captured) {
            if (seen->origin != event->packet.vantage && join_is_same(&seen->packet, &event->packet) &&
                join_near(seen->captured_ns, event->t_ns, join_window(teller, &seen->packet, seen->origin, &event->packet)) &&
                join_is_better(earlier, seen, &event->packet))
                earlier = seen;
            continue;
        }
        if (!seen->stuck && (!waiting || is_nearer(waiting->mark_ns, seen->mark_ns, event->t_ns)) &&
            flow_covers(&seen->packet.header, header) && join_near(seen->mark_ns, event->t_ns, JOIN_WINDOW_NS) &&
            may_be_its_mark(teller, seen->netns, netns))
            waiting = seen;
    }
    bool is_new = !waiting && (!earlier || (earlier->left_unseen && join_has_arrived(earlier, event->packet.vantage)));
    struct sighting *uncaptured = is_new ? join_find_uncaptured(flow, event, netns) : NULL;
    if (uncaptured) return take_arrival(uncaptured, event); /* that capture may lack what comes back, too: not at both ends */
    bool unsent = !earlier && !waiting && join_was_never_sent(teller, flow, event, netns);
    if (unsent && (earlier = join_find_far(teller, flow, event)) != NULL) unsent = false;
    if (earlier && !join_has_arrived(earlier, event->packet.vantage)) {
        add_sight(teller, earlier, event);
        if (join_on_other_host(teller, earlier->origin, event->packet.vantage)) flow->at_both_ends = true;
        return 0;
    }
    /* Sent once, and arrived before: the network made another of it. */
    bool copy = unsent || (earlier && !waiting && join_on_other_host(teller, earlier->origin, event->packet.vantage));
    uint32_t origin = copy && earlier ? earlier->origin : event->packet.vantage;
    if (waiting && segment_space(&waiting->packet.header) > segment_space(header)) {
        whole = *waiting;
        if (header->seq + segment_space(header) == whole.packet.header.seq + segment_space(&whole.packet.header))
            waiting->order = event->order; /* its last part: the slot becomes this segment, behind the others */
        else
            waiting = NULL;
    }
    if (!waiting) {
        waiting = add_sighting(teller, flow, event);
        if (!waiting) return -ENOMEM;
        if (whole.marked) take_mark(waiting, &whole);
        if (!copy && !whole.marked) flow_judge(teller, flow, &event->packet, event->t_ns);
    }
    waiting->netns = netns;
    waiting->origin = origin;
    waiting->copy = copy;
    waiting->unsent = unsent;
    if (is_awaited(teller, &header->dst, netns)) flow->at_both_ends = true;
    if (copy) {
        waiting->arrived_ns = event->t_ns;
        waiting->arrived_at = (uint64_t)1 << (event->packet.vantage & 63);
    }
    int code = keep_captured(waiting, event);
    if (!code && flow->udp) code = socket_take_datagram(teller, flow, header, waiting->call_over ? NULL : waiting->call);
    if (flow_is_loopback(&header->src) && flow_is_loopback(&header->dst)) waiting->arrived_ns = event->t_ns;
    return code;
}

static void note_network(struct teller *teller, uint64_t netns)
{
    for (size_t i = 0; i < teller->marked_count; i++)
        if (teller->marked[i] == netns) return;
    if (netns && teller->marked_count < sizeof(teller->marked) / sizeof(teller->marked[0]))
        teller->marked[teller->marked_count++] = netns;
}

int flow_take_mark(struct teller *teller, const struct event *event)
{
    const struct event_mark *mark = &event->mark;
    teller->any_mark = true;
    note_network(teller, mark->netns);
    if (chain_known(teller, mark->context.chain).meaning == CHAIN_FORWARD) return 0;

    struct thread *thread = socket_thread(teller, &mark->context.current);
    struct sighting seen = {
        .packet = {.header = mark->header},
        .mark_ns = event->t_ns,
        .netns = mark->netns,
        .context = mark->context,
        .congestion = mark->congestion,
        .call = thread_call_at(thread, &mark->context),
        .call_over = thread && !thread->current,
    };
    if (mark->header.protocol != IPPROTO_TCP && mark->header.protocol != IPPROTO_UDP) return icmp_keep_mark(teller, &seen);
    struct flow *flow = flow_of_packet(teller, &seen.packet, mark->netns);
    if (!flow) return -ENOMEM;
    flow_touch(teller, flow);

    /* skb->sk may be a control socket that sends for nobody (resets, TIME_WAIT): only a socket with these very ends is the
     * sender's. */
    if (mark->socket.cookie) {
        struct sock *sock = socket_get(teller, &mark->socket);
        if (sock && address_equal(&sock->local, &mark->header.src) && address_equal(&sock->remote, &mark->header.dst)) {
            if (!sock->netns) sock->netns = mark->netns;
            flow_bind(teller, sock);
            flow_take_listener(teller, flow, &sock->local, mark->netns);
        }
    }
    struct sighting *slot = NULL;
    /* The packet may have come first: clocks differ by a little. */
    for (size_t i = unjoined_start(flow); i < flow->packet_count && !slot; i++) {
        struct sighting *packet = &flow->packets[i];
        if (packet->captured && !packet->marked && !packet->copy && may_be_its_mark(teller, mark->netns, packet->netns) &&
            join_near(packet->captured_ns, event->t_ns, JOIN_ORDER_NS) && flow_covers(&mark->header, &packet->packet.header) &&
            flow_covers(&packet->packet.header, &mark->header))
            slot = packet;
    }
    if (!slot) {
        slot = add_sighting(teller, flow, event);
        if (!slot) return -ENOMEM;
        flow->has_marks = true;
        slot->packet.header = mark->header;
        slot->netns = mark->netns;
        flow_judge(teller, flow, &seen.packet, event->t_ns);
    }
    take_mark(slot, &seen);
    flow_note_ender(teller, flow, mark);
    return 0;
}
