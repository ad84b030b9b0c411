/* What is left of a ledger at its end: given in the order of its numbers. */
#include "ledger/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "conn/plain.h"
#include "ledger/own.h"

struct left {
    uint32_t number, at;
};

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
    sort_numbered(all, all + count, count);
    for (size_t i = 0; i < count && !ledger->code; i++) {
        const size_t AHEAD = 8;
        if (i + AHEAD < count) flow_fetch(flow_at(ledger, all[i + AHEAD].at));
        bool done = flow_at(ledger, all[i].at)->bits & FLOW_DONE;
        ledger->code = flow_tell(ledger, all[i].at, done ? LEDGER_ENDED : LEDGER_UNFINISHED);
    }
    free(all);
    forget_all(ledger);
    return ledger->code;
}
