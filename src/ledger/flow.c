/* The end of a record, and what it gets when there is trouble. */
#include <errno.h>

#include "ledger/own.h"

struct trouble *flow_trouble(struct ledger *ledger, struct flow *flow)
{
    if (!(flow->bits & FLOW_TROUBLED)) {
        uint32_t number = slab_take(&ledger->troubles);
        if (number == UINT32_MAX) {
            ledger->code = -ENOMEM;
            return NULL;
        }
        flow->trouble = number;
        flow->bits |= FLOW_TROUBLED;
    }
    return flow_has_trouble(ledger, flow);
}

struct conn_more *flow_more(void *owner, struct conn *conn, bool make)
{
    struct flow *flow = (struct flow *)conn; /* its first member */
    struct trouble *trouble = make ? flow_trouble(owner, flow) : flow_has_trouble(owner, flow);
    return trouble ? &trouble->more : NULL;
}
_Static_assert(offsetof(struct flow, conn) == 0, "the judge's record comes first");

static void sum_up(struct ledger_totals *totals, const struct ledger_row *row)
{
    totals->by_outcome[row->outcome]++;
    totals->idle += row->ending == LEDGER_IDLE;
    totals->crowded += row->ending == LEDGER_CROWDED;
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        const struct ledger_end *end = &row->end[side];
        totals->bytes += end->bytes;
        totals->retransmissions += end->retransmissions;
        totals->out_of_order += end->out_of_order;
        totals->zero_windows += end->zero_windows;
        totals->keep_alives += end->keep_alives;
        totals->missed_bytes += end->missed_bytes;
        totals->sights += end->sights;
        totals->sights_elsewhere += end->sights_elsewhere;
    }
    if (row->handshake_ns < 0) return;
    totals->handshakes++;
    /* Times come from files: a handshake of centuries is possible. */
    if (__builtin_add_overflow(totals->handshake_sum_ns, row->handshake_ns, &totals->handshake_sum_ns))
        totals->handshake_sum_ns = INT64_MAX;
    if (totals->handshake_least_ns < 0 || row->handshake_ns < totals->handshake_least_ns)
        totals->handshake_least_ns = row->handshake_ns;
}

int flow_tell(struct ledger *ledger, uint32_t number, enum ledger_ending ending)
{
    struct flow *flow = flow_at(ledger, number);
    if (flow->bits & FLOW_TOLD) return 0;
    struct ledger_row row;
    flow->bits |= FLOW_TOLD;
    row_make(ledger, flow, ending, &row);
    sum_up(&ledger->totals, &row);
    return ledger->listener(ledger->data, &row);
}

int flow_finish(struct ledger *ledger, uint32_t number, enum ledger_ending ending)
{
    struct flow *flow = flow_at(ledger, number);
    uint32_t hash = index_prepare(ledger, number);
    int code = flow_tell(ledger, number, ending);
    if (flow->bucket != WHEEL_BUCKETS) wheel_leave(ledger, number);
    if (!(flow->conn.flags & CONN_ASIDE)) index_remove(ledger, number, hash);
    if (flow->bits & FLOW_TROUBLED) slab_give(&ledger->troubles, flow->trouble);
    if (flow->bits & FLOW_DONE) ledger->done_count--;
    flow->bits = 0;
    slab_give(&ledger->flows, number);
    return code;
}
