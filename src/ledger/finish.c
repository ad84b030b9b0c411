/* What is left of a ledger at its end: given in the order of its numbers. */
#include "ledger/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "conn/plain.h"
#include "ledger/own.h"

struct left {
    uint32_t number, at;
};

/* By their numbers, eleven bits at a time: a table of a million is sorted in passing. `left` has room for twice `count`; returns
 * where they are then. */
static struct left *sort_by_number(struct left *left, size_t count)
{
    enum { BITS = 11, PASSES = 3 };
    struct left *from = left, *to = left + count;
    for (unsigned pass = 0; pass < PASSES; pass++) {
        size_t starts[(1 << BITS) + 1] = {0};
        const unsigned shift = pass * (unsigned)BITS, mask = (1u << BITS) - 1;
        for (size_t i = 0; i < count; i++) starts[(from[i].number >> shift & mask) + 1]++;
        for (size_t i = 0; i < mask; i++) starts[i + 1] += starts[i];
        for (size_t i = 0; i < count; i++) to[starts[from[i].number >> shift & mask]++] = from[i];
        struct left *sorted = to;
        to = from;
        from = sorted;
    }
    return from;
}

/* Nothing is open any more; their memory stays for what may come. */
static void forget_all(struct ledger *ledger)
{
    slab_give_all(&ledger->flows);
    slab_give_all(&ledger->troubles);
    memset(ledger->slots, 0, ledger->slot_count * sizeof(*ledger->slots));
    memset(ledger->wheel, 0, sizeof(ledger->wheel));
}

int ledger_finish(struct ledger *ledger)
{
    if (ledger->code || !ledger->flows.count) return ledger->code;
    struct left *all = malloc((size_t)2 * ledger->flows.count * sizeof(*all));
    if (!all) return ledger->code = -ENOMEM;
    size_t count = 0;
    for (uint32_t at = 0; at < ledger->flows.used; at++) {
        const struct flow *flow = flow_at(ledger, at);
        if (flow->bits & FLOW_USED) all[count++] = (struct left){flow->number, at};
    }
    const struct left *left = sort_by_number(all, count);
    for (size_t i = 0; i < count && !ledger->code; i++) {
        const size_t AHEAD = 8;
        if (i + AHEAD < count) flow_fetch(flow_at(ledger, left[i + AHEAD].at));
        bool done = flow_at(ledger, left[i].at)->bits & FLOW_DONE;
        ledger->code = flow_tell(ledger, left[i].at, done ? LEDGER_ENDED : LEDGER_UNFINISHED);
    }
    free(all);
    forget_all(ledger);
    return ledger->code;
}
