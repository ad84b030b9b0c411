/* The connections that are open: those that wait to be told, those that are asked for before, those that have been silent too long.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "story/track/track.h"

/* How long a closed flow waits for late segments and calls before it is told: Linux's TIME_WAIT (TCP_TIMEWAIT_LEN). */
static const int64_t LINGER_NS = 60000000000;
static const int64_t UDP_IDLE_NS = 180000000000;

int64_t open_linger_ns(const struct teller *teller)
{
    /* Where the kernel is watched, its timer's own end of TIME_WAIT is waited for. */
    return LINGER_NS + (teller->any_mark ? TIMER_LATE_NS : 0);
}

/* Its process has a descriptor of it still: a close() may come, and belongs to its story. */
static bool is_held(const struct flow *flow)
{
    for (size_t side = 0; side < STORY_SIDES; side++)
        if (flow->sock[side] && flow->sock[side]->holder_count) return true;
    return false;
}

/* Both have sent a FIN, and one was not acknowledged, or something was dropped just now, an ACK perhaps that was seen as it left:
 * then it comes again. */
static bool is_settled(const struct teller *teller, const struct flow *flow)
{
    static const int64_t again_ns = 3000000000; /* a retransmission timeout, and another */
    bool reset = (flow->conn.end[0].flags | flow->conn.end[1].flags) & END_RST;
    bool dropped = flow->drop_count && teller->now_ns - flow->drops[flow->drop_count - 1].t_ns < again_ns;
    if (flow->attempt_over || flow->udp) return true;
    return conn_is_done(&flow->conn) && (reset || !dropped);
}

int open_tell(struct teller *teller, struct flow *flow)
{
    table_remove(teller->flows, &flow->key);
    return teller->tell(teller, flow);
}

void flow_leave_queue(struct teller *teller, struct flow *flow)
{
    if (!flow->queued) return;
    struct flow *before = flow->before_closed, *next = flow->next_closed;
    *(before ? &before->next_closed : &teller->closed_head) = next;
    *(next ? &next->before_closed : &teller->closed_tail) = before;
    teller->closed_count--;
    flow->queued = false;
    flow->before_closed = flow->next_closed = NULL;
}

void flow_queue(struct teller *teller, struct flow *flow)
{
    flow->queued = true;
    flow->before_closed = teller->closed_tail;
    if (teller->closed_tail)
        teller->closed_tail->next_closed = flow;
    else
        teller->closed_head = flow;
    teller->closed_tail = flow;
    teller->closed_count++;
}

static void to_the_end(struct teller *teller, struct flow *flow)
{
    flow_leave_queue(teller, flow);
    flow_queue(teller, flow);
}

/* Of those that have to wait a few are looked at in one pass, and go to the queue's end; there is a pass at each event, and once a
 * millisecond is enough where they are many. */
enum { HELD_A_LOOK = 16, LOOK_NS = 1000000 };

static bool has_just_looked(const struct teller *teller)
{
    bool too_many = teller->closed_count > 2 * teller->bounds.closed_max;
    return !too_many && teller->now_ns < teller->look_ns && teller->now_ns >= teller->look_ns - LOOK_NS;
}

/* Tells the flows that closed long enough ago. The queue is in order of closing; a flow that was told early (its addresses
 * were used again) has left it. */
static int tell_closed(struct teller *teller)
{
    const struct teller_bounds *bounds = &teller->bounds;
    int code = 0;
    if (has_just_looked(teller)) return 0;
    for (int held = 0; teller->closed_head && !code;) {
        struct flow *flow = teller->closed_head;
        int64_t quiet_ns = teller->now_ns - flow->last_ns;
        bool old = quiet_ns > open_linger_ns(teller);
        if (!old && quiet_ns <= bounds->quiet_ns && teller->closed_count <= bounds->closed_max) break;
        if (!flow_is_over(flow)) { /* a RST that had not ended it */
            flow_leave_queue(teller, flow);
            continue;
        }
        bool waits = !old && (is_held(flow) || !is_settled(teller, flow)) && teller->closed_count <= 2 * bounds->closed_max;
        if (waits && held++ == HELD_A_LOOK) {
            teller->look_ns = teller->now_ns + LOOK_NS;
            break;
        }
        if (waits)
            to_the_end(teller, flow);
        else
            code = open_tell(teller, flow);
    }
    return code;
}

static int64_t keep_ns(const struct flow *flow)
{
    return flow->udp ? UDP_IDLE_NS : conn_keep_ns(&flow->conn);
}

void open_touch(struct teller *teller, struct flow *flow)
{
    int64_t ns = keep_ns(flow);
    struct list *list = &teller->open[flow->udp ? OPEN_UDP : ns < UDP_IDLE_NS ? OPEN_ATTEMPT : OPEN_ELSE];
    open_leave(flow);
    list_add(list, &flow->open_link);
    flow->open = list;
}

void open_leave(struct flow *flow)
{
    if (flow->open) list_remove(flow->open, &flow->open_link);
    flow->open = NULL;
}

/* Of too many: attempts that had time for an answer, or that are most of what there is (a flood), before others; an attempt of just
 * now is about to be a connection. */
static struct list_link *least_wanted(const struct teller *teller)
{
    static const int64_t ANSWER_NS = 1000000000;
    struct list_link *attempt = teller->open[OPEN_ATTEMPT].first;
    bool many = teller->open[OPEN_ATTEMPT].count > teller->bounds.open_max / 2;
    if (attempt && (many || teller->now_ns - LIST_OF(attempt, struct flow, open_link)->last_ns > ANSWER_NS)) return attempt;
    if (teller->open[OPEN_UDP].first) return teller->open[OPEN_UDP].first;
    return teller->open[OPEN_ELSE].first ? teller->open[OPEN_ELSE].first : attempt;
}

/* What has been silent for so long that nothing more is expected; and, of too many, what has been silent longest: attempts first.
 */
static int tell_silent(struct teller *teller)
{
    int code = 0;
    for (int kind = 0; kind < OPEN_KINDS && !code; kind++)
        while (teller->bounds.ends_idle && teller->open[kind].first && !code) {
            struct flow *flow = LIST_OF(teller->open[kind].first, struct flow, open_link);
            if (teller->now_ns - flow->last_ns <= keep_ns(flow)) break;
            code = open_tell(teller, flow);
        }
    size_t most = teller->bounds.open_max + teller->closed_count;
    while (teller->bounds.open_max && table_count(teller->flows) > most && !code) {
        struct list_link *first = least_wanted(teller);
        if (!first) break;
        teller->forgotten.flows++;
        code = open_tell(teller, LIST_OF(first, struct flow, open_link));
    }
    return code;
}

int open_pass(struct teller *teller)
{
    int code = 0;
    if (teller->too_long) {
        struct flow *flow = teller->too_long;
        teller->too_long = NULL;
        teller->forgotten.flows++;
        code = open_tell(teller, flow);
    }
    tombs_pass(teller->tombs, teller->now_ns - open_linger_ns(teller));
    if (!code) code = tell_closed(teller);
    return code ? code : tell_silent(teller);
}

static int by_number(const void *a, const void *b)
{
    const struct flow *const *x = a, *const *y = b;
    return (*x)->number < (*y)->number ? -1 : 1;
}

struct flow **open_flows(const struct teller *teller, size_t *ret_count)
{
    struct flow **flows = calloc(table_count(teller->flows) + 1, sizeof(struct flow *));
    void *value;
    *ret_count = 0;
    if (!flows) return NULL;
    for (size_t cursor = 0; table_next(teller->flows, &cursor, NULL, &value);) flows[(*ret_count)++] = value;
    qsort(flows, *ret_count, sizeof(struct flow *), by_number);
    return flows;
}

/* Takes out the tomb of this key, unless that is of a connection in other networks. */
static bool take_tomb(struct teller *teller, const struct flow_key *key, uint64_t netns, struct tomb *ret_tomb)
{
    uint64_t name = tombs_key(teller->tombs, key, sizeof(*key));
    if (!tombs_find(teller->tombs, name, ret_tomb)) return false;
    if (ret_tomb->networks.count && !networks_have(&ret_tomb->networks, netns)) return false;
    tombs_forget(teller->tombs, name);
    return true;
}

struct flow *flow_rise(struct teller *teller, const struct flow_key *key, const struct event_packet *packet, uint64_t netns,
                       bool *ret_used)
{
    struct tomb tomb;
    struct flow_key other = *key; /* it lay apart from another one's, or alone */
    other.netns = key->netns ? 0 : netns;
    *ret_used = false;
    if (packet->header.protocol != IPPROTO_TCP) return NULL;
    bool found = take_tomb(teller, key, netns, &tomb);
    bool may_be_apart = key->netns ? !flow_is_loopback(&key->low) && !flow_is_loopback(&key->high) : teller->any_apart;
    if (!found && may_be_apart) found = take_tomb(teller, &other, netns, &tomb);
    if (!found) return NULL;
    struct flow *flow = calloc(1, sizeof(*flow));
    if (!flow) return NULL;
    flow->key = *key;
    flow->end[STORY_CLIENT] = tomb.low_is_client ? key->low : key->high;
    flow->end[STORY_SERVER] = tomb.low_is_client ? key->high : key->low;
    flow->roles_sure = true;
    flow->number = tomb.number;
    flow->connection = tomb.connection;
    flow->first_side = tomb.first_is_client ? STORY_CLIENT : STORY_SERVER;
    flow->conn = flow->told_conn = tomb.conn;
    flow->last_ns = tomb.last_ns;
    flow->networks = tomb.networks;
    flow->sequel = true;
    *ret_used = true;
    return flow;
}
