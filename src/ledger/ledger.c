#include "ledger/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "conn/plain.h"
#include "ledger/own.h"

struct ledger *ledger_new(const struct ledger_options *options, ledger_listener *listener, void *data)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    if (!ledger) return NULL;
    ledger->listener = listener;
    ledger->data = data;
    ledger->careful = options && options->careful;
    ledger->tells_soon = options && options->tells_soon;
    ledger->open_max = options && options->open_max ? options->open_max : OPEN_MAX_USUAL;
    ledger->flows = slab_new(sizeof(struct flow), FLOWS_SHIFT);
    ledger->troubles = slab_new(sizeof(struct trouble), TROUBLES_SHIFT);
    ledger->totals.handshake_least_ns = -1;
    uint64_t seed = options ? options->hash_seed : 0;
    ledger->seed[0] = seed * 0x9e3779b97f4a7c15u;
    ledger->seed[1] = ~seed * 0xbf58476d1ce4e5b9u;
    /* Before the kernel has randomness to give there are no captures to read either; then the fixed numbers have to do. */
    if (!seed && getrandom(ledger->seed, sizeof(ledger->seed), GRND_NONBLOCK) < 0) ledger->seed[0] = 0x9e3779b97f4a7c15u;
    ledger->seed[1] |= 1;
    conn_judge_init(&ledger->judge, flow_more, ledger);
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger) return;
    slab_free(&ledger->flows);
    slab_free(&ledger->troubles);
    free(ledger->slots);
    free(ledger);
}

static struct conn_segment judged(const struct ledger_segment *segment)
{
    struct conn_segment numbers = {
        .t_ns = segment->t_ns,
        .seq = segment->seq,
        .ack = segment->ack,
        .length_bytes = segment->length_bytes,
        .window = segment->window,
        .flags = segment->flags,
        .unsummed = !segment->checksum,
        .interface = segment->place,
        .hops = segment->hops,
    };
    numbers.look = conn_look(segment->ip_id, segment->checksum, &numbers);
    return numbers;
}

/* The number + 1 of a new record, or 0: the ledger's code says why. */
static uint32_t begin(struct ledger *ledger, const struct ledger_segment *segment, const struct conn_segment *numbers,
                      uint32_t hash)
{
    if (ledger->flows.count >= ledger->open_max && (ledger->code = wheel_crowd_out(ledger, CROWD))) return 0;
    uint32_t number = slab_take(&ledger->flows);
    if (number == UINT32_MAX) {
        ledger->code = -ENOMEM;
        return 0;
    }
    struct flow *flow = flow_at(ledger, number);
    flow_put_ip(flow, 0, segment->src);
    flow_put_ip(flow, 1, segment->dst);
    flow->port[0] = segment->src_port;
    flow->port[1] = segment->dst_port;
    flow->version = segment->version;
    flow->tunnel = segment->tunnel;
    flow->bucket = WHEEL_BUCKETS;
    ledger->code = index_add(ledger, number, hash);
    if (ledger->code) {
        slab_give(&ledger->flows, number);
        return 0;
    }
    flow->number = ++ledger->numbers;
    flow->first_ns = segment->t_ns;
    flow->active_tick = ledger->tick;
    flow->bits |= FLOW_USED;
    if (segment->src_port == segment->dst_port && memcmp(segment->src, segment->dst, 16) == 0) flow->conn.flags |= CONN_TO_ITSELF;
    conn_begin(&flow->conn, numbers, segment->src_port >= segment->dst_port);
    wheel_place(ledger, number);
    ledger->totals.connections++;
    if (ledger->flows.count > ledger->totals.open_most) ledger->totals.open_most = ledger->flows.count;
    return number + 1;
}

/* The round trip of the handshake: from the last SYN to the first ACK of its sender once the SYN-ACK was seen. */
static void time_handshake(struct flow *flow, const struct ledger_segment *segment, int side)
{
    uint8_t kind = segment->flags & (TCP_SYN | TCP_ACK | TCP_RST);
    if (flow->bits & FLOW_TIMED || side != flow->conn.client) return;
    if (kind == TCP_SYN) {
        flow->handshake_ns = segment->t_ns;
    } else if (kind == TCP_ACK && conn_may_time_handshake(&flow->conn.end[side], &flow->conn.end[!side])) {
        int64_t took_ns;
        if (__builtin_sub_overflow(segment->t_ns, flow->handshake_ns, &took_ns) || took_ns < 0) return;
        flow->handshake_ns = took_ns;
        flow->bits |= FLOW_TIMED;
    }
}

/* What comes once both ends have closed is no part of the connection's duration as Zeek counts it. */
static void note_trailing(struct flow *flow, int64_t t_ns)
{
    bool closed = flow->conn.end[0].flags & (END_FIN | END_RST) && flow->conn.end[1].flags & (END_FIN | END_RST);
    if (!closed || t_ns <= flow->conn.last_ns) return;
    uint64_t more_us = ((uint64_t)t_ns - (uint64_t)flow->conn.last_ns) / 1000 + flow->trailing_us;
    flow->trailing_us = more_us > UINT32_MAX ? UINT32_MAX : (uint32_t)more_us;
}

/* The long way. */
static __attribute__((noinline)) void judge(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment,
                                            const struct conn_segment *numbers, int side)
{
    if (conn_settle_roles(&flow->conn, numbers, (unsigned)side)) zeek_flip(flow);
    zeek_take(ledger, flow, segment, side);
    const struct conn_end *from = &flow->conn.end[side];
    bool acked = from->flags & END_ACKS;
    uint32_t ack = from->ack;
    struct conn_verdict verdict = {.move_count = 0};
    conn_take(&ledger->judge, &flow->conn, (unsigned)side, numbers, &verdict);
    zeek_acked(ledger, flow, side, acked, ack);
    completeness_take(flow, segment);
}

static void count_bytes(struct flow *flow, const struct ledger_segment *segment, int side)
{
    uint32_t low = flow->ip_bytes_low[side] += segment->ip_bytes;
    flow->ip_bytes_high[side] = (uint16_t)(flow->ip_bytes_high[side] + (low < segment->ip_bytes));
    if (!segment->ip_bytes) flow->bits = (uint8_t)(flow->bits | FLOW_IP_UNKNOWN << side);
}

/* The first SYN of a record that was just begun, and the SYN,ACK that answers it, without the judge. */
static bool take_syn(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment,
                     const struct conn_segment *numbers)
{
    if (ledger->careful || !conn_take_plain_syn(&ledger->judge, &flow->conn, numbers)) return false;
    count_bytes(flow, segment, 0);
    zeek_plain_syn(flow);
    flow->handshake_ns = segment->t_ns;
    return true;
}

static bool take_syn_ack(struct ledger *ledger, struct flow *flow, const struct ledger_segment *segment,
                         const struct conn_segment *numbers, int side)
{
    if (ledger->careful || side != 1 || flow->bits & (FLOW_TROUBLED | FLOW_TOLD | FLOW_DONE)) return false;
    if (flow->zeek_now[0] != ZEEK_SYN_SENT || flow->zeek_now[1] != ZEEK_INACTIVE) return false;
    if (!conn_take_plain_syn_ack(&ledger->judge, &flow->conn, numbers)) return false;
    count_bytes(flow, segment, 1);
    zeek_plain_syn_ack(flow);
    flow->active_tick = ledger->tick;
    return true;
}

static void take(struct ledger *ledger, struct flow *flow, uint32_t number, const struct ledger_segment *segment,
                 const struct conn_segment *numbers, int side)
{
    count_bytes(flow, segment, side);
    flow->active_tick = ledger->tick;
    bool may_be_plain = !ledger->careful && !(flow->bits & FLOW_TROUBLED) && zeek_is_plain(flow, segment, side);
    if (may_be_plain && conn_take_easy(&flow->conn, (unsigned)side, numbers)) {
        zeek_plain(flow, segment, side);
        if (!(flow->bits & FLOW_TIMED)) time_handshake(flow, segment, side);
        return;
    }
    note_trailing(flow, segment->t_ns);
    enum conn_plain plain = CONN_PLAIN_NOT;
    if (may_be_plain) plain = conn_take_plain(&ledger->judge, &flow->conn, (unsigned)side, numbers);
    if (plain == CONN_PLAIN_NOT)
        judge(ledger, flow, segment, numbers, side);
    else
        zeek_plain(flow, segment, side);
    if (!(flow->bits & FLOW_TIMED)) time_handshake(flow, segment, side);
    if (plain == CONN_PLAIN_STAYS) return; /* what follows asks of states */
    bool done = conn_is_done(&flow->conn);
    if (done == !!(flow->bits & FLOW_DONE)) return;
    flow->bits ^= FLOW_DONE;
    ledger->done_count += done ? 1 : UINT32_MAX;
    wheel_leave(ledger, number);
    wheel_place(ledger, number);
}

static void note_times(struct ledger_totals *totals, const struct ledger_segment *segments, size_t count)
{
    int64_t first_ns = totals->segments ? totals->first_ns : segments[0].t_ns;
    int64_t last_ns = totals->segments ? totals->last_ns : segments[0].t_ns;
    for (size_t i = 0; i < count; i++) {
        first_ns = segments[i].t_ns < first_ns ? segments[i].t_ns : first_ns;
        last_ns = segments[i].t_ns > last_ns ? segments[i].t_ns : last_ns;
    }
    totals->segments += count;
    totals->first_ns = first_ns;
    totals->last_ns = last_ns;
}

static bool is_first_sight(struct ledger *ledger, struct flow *flow, const struct conn_segment *numbers, int side)
{
    if (!numbers->look) return true;
    if (!ledger->careful && conn_is_no_sight(&flow->conn, numbers, (unsigned)side)) return true;
    return !conn_is_sight(&ledger->judge, &flow->conn, numbers, (unsigned)side);
}

/* The connection between these ends that was not over when the one of `flow` took its place: its record + 1, or 0. */
static uint32_t elder_of(const struct ledger *ledger, const struct flow *flow)
{
    const struct trouble *trouble = flow->conn.flags & CONN_HAS_ELDER ? flow_has_trouble(ledger, flow) : NULL;
    if (!trouble) return 0;
    const struct flow *elder = flow_at(ledger, trouble->elder);
    bool there = elder->bits & FLOW_USED && elder->conn.flags & CONN_ASIDE && elder->number == trouble->elder_number;
    return there ? trouble->elder + 1 : 0;
}

/* Another connection takes the place of this one. *ret_elder: what is kept aside, + 1, or 0. */
static int replace(struct ledger *ledger, uint32_t number, uint32_t *ret_elder)
{
    struct flow *flow = flow_at(ledger, number);
    *ret_elder = elder_of(ledger, flow);
    if (!conn_is_set_aside(&flow->conn) || flow->bits & FLOW_TOLD) return flow_finish(ledger, number, LEDGER_ENDED);
    index_remove(ledger, number, index_prepare(ledger, number));
    flow->conn.flags |= CONN_ASIDE;
    *ret_elder = number + 1;
    return 0;
}

/* The SYN of another connection has come to who holds this one. */
static void question(struct flow *elder, int elder_side, const struct ledger_segment *segment)
{
    if ((segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) conn_question(&elder->conn, !elder_side);
}

static void keep_elder(struct ledger *ledger, struct flow *flow, uint32_t elder)
{
    struct trouble *trouble = flow_trouble(ledger, flow);
    if (!trouble) return;
    trouble->elder = elder - 1;
    trouble->elder_number = flow_at(ledger, elder - 1)->number;
    flow->conn.flags |= CONN_HAS_ELDER;
}

/* Whether it is the elder's: its record + 1, and which of its ends sent it. */
static __attribute__((noinline)) uint32_t find_elder(const struct ledger *ledger, const struct flow *flow, unsigned side,
                                                     const struct ledger_segment *segment, const struct conn_segment *numbers,
                                                     int *ret_side)
{
    uint32_t found = elder_of(ledger, flow);
    if (!found) return 0;
    struct flow *elder = flow_at(ledger, found - 1);
    int elder_side = flow_side(elder, segment);
    if (elder_side < 0) return 0;
    if (!conn_is_elders(&elder->conn, (unsigned)elder_side, &flow->conn, side, numbers)) {
        question(elder, elder_side, segment);
        return 0;
    }
    *ret_side = elder_side;
    return found;
}

static inline __attribute__((always_inline)) int feed_one(struct ledger *ledger, const struct ledger_segment *segment,
                                                          const struct guess *guess, uint32_t *ret_number)
{
    if (wheel_clock(ledger, segment->t_ns) && (ledger->code = wheel_turn(ledger))) return ledger->code;
    uint32_t found = guess->flow;
    struct flow *flow = guess->record;
    int side = found && flow->bits & FLOW_USED && !(flow->conn.flags & CONN_ASIDE) ? flow_side(flow, segment) : -1;
    if (side < 0) {
        found = index_find(ledger, segment, guess->hash, &side);
        if (found) flow = flow_at(ledger, found - 1);
    }
    const struct conn_segment numbers = judged(segment);
    bool syn = segment->flags & TCP_SYN;
    if (found && syn && take_syn_ack(ledger, flow, segment, &numbers, side)) {
        if (ret_number) *ret_number = flow->number;
        return 0;
    }
    uint32_t elder = 0;
    if (found && flow->conn.flags & CONN_HAS_ELDER &&
        (elder = find_elder(ledger, flow, (unsigned)side, segment, &numbers, &side))) {
        found = elder;
        flow = flow_at(ledger, found - 1);
        elder = 0;
    }
    bool may_be_another = found && (syn || flow->conn.end[0].flags & flow->conn.end[1].flags & END_FIN ||
                                    conn_is_far(&flow->conn, &numbers, (unsigned)side));
    if (may_be_another && !(flow->conn.flags & CONN_ASIDE) && conn_begins_anew(&flow->conn, &numbers, (unsigned)side)) {
        ledger->code = replace(ledger, found - 1, &elder);
        if (ledger->code) return ledger->code;
        if (elder == found) question(flow, side, segment);
        found = 0;
    }
    if (!found) {
        found = begin(ledger, segment, &numbers, guess->hash);
        if (!found) return ledger->code;
        flow = flow_at(ledger, found - 1);
        if (elder) keep_elder(ledger, flow, elder);
        side = 0;
        if (ret_number) *ret_number = flow->number;
        if (syn && take_syn(ledger, flow, segment, &numbers)) return 0;
    }
    if (ret_number) *ret_number = flow->number;
    if (!is_first_sight(ledger, flow, &numbers, side)) {
        if (ret_number) *ret_number |= LEDGER_SIGHT;
        return ledger->code;
    }
    if (flow->bits & FLOW_TOLD) ledger->totals.late++;
    take(ledger, flow, found - 1, segment, &numbers, side);
    return ledger->code;
}

/* Memory is slow and segments come in many, so they are taken by the group: of one group the slots are fetched, of the group before
 * it the records that these name, and the one before that is looked at. Each step of these is a short loop of its own, so that the
 * processor waits for many at once, for their pages as well, and never for one after the other. Which record it was is a good
 * guess: segments in between may only have finished or begun it. */
struct group {
    const struct ledger_segment *segments;
    size_t count;
    struct guess guesses[GROUP];
};

static void fetch_slots(const struct ledger *ledger, struct group *group)
{
    const struct slot *slots = ledger->slots;
    for (size_t i = 0; i < group->count; i++) {
        struct guess *guess = &group->guesses[i];
        *guess = (struct guess){.hash = index_hash(ledger, &group->segments[i])};
        if (slots) __builtin_prefetch(&slots[index_slot(ledger, guess->hash)]);
    }
}

static void fetch_records(const struct ledger *ledger, struct group *group)
{
    if (!ledger->slot_count || ledger->careful) return;
    for (size_t i = 0; i < group->count; i++) index_guess(ledger, &group->guesses[i]);
}

/* Who is about to close leaves its bucket of the wheel: its neighbours there are asked for. */
static void fetch_neighbours(const struct ledger *ledger, const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct flow *flow = group->guesses[i].flow ? group->guesses[i].record : NULL;
        if (flow && (flow->conn.end[0].flags | flow->conn.end[1].flags) & END_FIN) wheel_fetch_neighbours(ledger, flow);
    }
}

int ledger_feed(struct ledger *ledger, const struct ledger_segment *segments, size_t count, uint32_t *ret_numbers)
{
    struct group groups[3], *slots = &groups[0], *records = &groups[1], *now = &groups[2];
    if (ledger->code || !count) return ledger->code;
    note_times(&ledger->totals, segments, count);
    slots->count = records->count = 0;
    for (size_t fetched = 0, done = 0; done < count && !ledger->code;) {
        struct group *empty = now;
        now = records;
        records = slots;
        slots = empty;
        slots->segments = segments + fetched;
        slots->count = count - fetched < GROUP ? count - fetched : GROUP;
        fetched += slots->count;
        fetch_slots(ledger, slots);
        fetch_records(ledger, records);
        fetch_neighbours(ledger, now);
        for (size_t i = 0; i < now->count; i++, done++)
            if (feed_one(ledger, &now->segments[i], &now->guesses[i], ret_numbers ? &ret_numbers[done] : NULL)) break;
    }
    return ledger->code;
}

const struct ledger_totals *ledger_totals(struct ledger *ledger)
{
    struct ledger_totals *totals = &ledger->totals;
    totals->open = ledger->flows.count;
    totals->memory_bytes =
        slab_memory(&ledger->flows) + slab_memory(&ledger->troubles) + ledger->slot_count * sizeof(struct slot) + sizeof(*ledger);
    return totals;
}
