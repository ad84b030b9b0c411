#include "ledger/own.h"

/* A tick is 2^30 ns, 1.07 s. How long a record is kept with nothing coming, the judge says (conn_keep_ns); of what is closed, who
 * watches is told sooner: repeated FINs come within a second or two. */
enum { TICK_SHIFT = 30, TELL_SOON = 4 };

/* A jump of more than this between packets is another recording, or a broken clock: no time of the connections. */
static const int64_t JUMP_NS = (int64_t)86400 * 1000000000;

static uint32_t keep_ticks(const struct ledger *ledger, const struct flow *flow)
{
    if (ledger->tells_soon && (flow->bits & (FLOW_DONE | FLOW_TOLD)) == FLOW_DONE) return TELL_SOON;
    if (flow->bits & FLOW_DONE && ledger->done_count > LINGER_MOST) return TELL_SOON;
    return (uint32_t)(conn_keep_ns(&flow->conn) >> TICK_SHIFT) + 1;
}

static void set_clock(struct ledger *ledger, uint64_t clock)
{
    ledger->clock_shift = clock - (uint64_t)ledger->high_ns;
    ledger->tick_at_ns = (((clock >> TICK_SHIFT) + 1) << TICK_SHIFT) - ledger->clock_shift;
}

bool wheel_clock_any(struct ledger *ledger, int64_t t_ns)
{
    if (!ledger->started) {
        ledger->started = true;
        ledger->high_ns = t_ns;
        set_clock(ledger, 0);
        return false;
    }
    /* Times come from files and may be anything: the difference is taken where it can't overflow. */
    bool later = t_ns > ledger->high_ns;
    uint64_t apart = later ? (uint64_t)t_ns - (uint64_t)ledger->high_ns : (uint64_t)ledger->high_ns - (uint64_t)t_ns;
    uint64_t clock = (uint64_t)ledger->high_ns + ledger->clock_shift;
    bool jumps = apart > (uint64_t)JUMP_NS;
    if (!later && !jumps) return false;
    ledger->high_ns = t_ns;
    if (!jumps) clock += apart;
    set_clock(ledger, clock);
    uint32_t tick = (uint32_t)(clock >> TICK_SHIFT);
    bool passed = tick != ledger->tick;
    ledger->tick = tick;
    return passed;
}

void wheel_place(struct ledger *ledger, uint32_t number)
{
    struct flow *flow = flow_at(ledger, number);
    uint32_t due = flow->active_tick + keep_ticks(ledger, flow) + 1, least = ledger->wheel_tick + 1;
    if ((int32_t)(due - least) < 0) due = least;
    if (due - least >= WHEEL_BUCKETS - 1) due = least + WHEEL_BUCKETS - 2; /* looked at again then */
    flow->bucket = (uint16_t)(due % WHEEL_BUCKETS);
    uint32_t *head = &ledger->wheel[flow->bucket];
    flow->before = 0;
    flow->behind = *head;
    if (*head) flow_at(ledger, *head - 1)->before = number + 1;
    *head = number + 1;
}

void wheel_leave(struct ledger *ledger, uint32_t number)
{
    struct flow *flow = flow_at(ledger, number);
    if (flow->behind) flow_at(ledger, flow->behind - 1)->before = flow->before;
    if (flow->before)
        flow_at(ledger, flow->before - 1)->behind = flow->behind;
    else
        ledger->wheel[flow->bucket] = flow->behind;
}

static int empty_bucket(struct ledger *ledger, uint32_t bucket)
{
    uint32_t next = ledger->wheel[bucket];
    ledger->wheel[bucket] = 0; /* who stays is placed anew, perhaps in this very bucket */
    while (next) {
        uint32_t number = next - 1;
        struct flow *flow = flow_at(ledger, number);
        next = flow->behind;
        if (next) flow_fetch(flow_at(ledger, next - 1));
        flow->before = flow->behind = 0;
        flow->bucket = WHEEL_BUCKETS; /* in none: leaving it touches no list, and who comes next is told by `next` alone */
        if (ledger->tick - flow->active_tick <= keep_ticks(ledger, flow)) {
            wheel_place(ledger, number);
            continue;
        }
        bool soon = ledger->tells_soon && (flow->bits & (FLOW_DONE | FLOW_TOLD)) == FLOW_DONE;
        int code = soon ? flow_tell(ledger, number, LEDGER_ENDED)
                        : flow_finish(ledger, number, flow->bits & FLOW_DONE ? LEDGER_ENDED : LEDGER_IDLE);
        if (soon && !code) wheel_place(ledger, number);
        if (code) return code; /* the ledger works no more: what was not looked at is only freed */
    }
    return 0;
}

int wheel_turn(struct ledger *ledger)
{
    uint32_t ticks = ledger->tick - ledger->wheel_tick;
    if (ticks > WHEEL_BUCKETS) {
        ledger->wheel_tick = ledger->tick - WHEEL_BUCKETS; /* each bucket once is enough */
        ticks = WHEEL_BUCKETS;
    }
    for (uint32_t i = 0; i < ticks; i++) {
        ledger->wheel_tick++;
        int code = empty_bucket(ledger, ledger->wheel_tick % WHEEL_BUCKETS);
        if (code) return code;
    }
    return 0;
}

int wheel_crowd_out(struct ledger *ledger, size_t count)
{
    for (uint32_t i = 1; i <= WHEEL_BUCKETS && count; i++) {
        uint32_t bucket = (ledger->wheel_tick + i) % WHEEL_BUCKETS;
        while (ledger->wheel[bucket] && count) {
            uint32_t number = ledger->wheel[bucket] - 1;
            int code = flow_finish(ledger, number, flow_at(ledger, number)->bits & FLOW_DONE ? LEDGER_ENDED : LEDGER_CROWDED);
            if (code) return code;
            count--;
        }
    }
    return 0;
}
