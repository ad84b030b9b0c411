/* What woke a call, by the context of who did: read in the kernel while it woke the thread. */
#include <string.h>

#include "base/lang.h"
#include "story/causes/cause.h"
#include "story/causes/wake_own.h"

/* Another thread's shutdown() of the socket, which ends every wait for it. */
static bool by_shutdown(struct telling *telling, struct tale_call *tale)
{
    const struct call *woken = tale->call;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *other = &telling->calls[i];
        const struct call *call = other->call;
        if (!(call->traits & CALL_SHUTS_DOWN) || call->thread.tid != woken->waker.current.tid || !call->entered) continue;
        if (other->story->side != tale->story->side || call->enter_ns > woken->woken_ns) continue;
        if (call->exited && call->exit_ns < woken->woken_ns) continue;
        wake_set(tale, WAKE_CALL, EVIDENCE_STACK, NULL, telling_printf(telling, "woken by %s", telling_call_text(telling, other)));
        tale->story->wake.step = telling_call_step(other);
        return true;
    }
    return false;
}

/* The waker's own context, read in the kernel while it woke the thread. */
bool wake_by_waker(struct telling *telling, struct tale_call *tale)
{
    const struct call *call = tale->call;
    if (!call->woken || call->wake_unseen || call->slept_ns == 0) return false;
    struct chain_verdict chain = chain_known(telling->teller, call->waker.chain);
    bool nameless = chain.meaning == CHAIN_SILENT || chain.meaning == CHAIN_OTHER;
    if (chain.meaning == CHAIN_RECEIVE || (nameless && call->waker.softirq)) {
        if (!call->waker.receiving) return false;
        struct tale_packet *by = telling_find_packet(telling, &call->waker.received, call->woken_ns);
        if (!by && wake_waits_for_many(tale)) { /* an event loop waits for many connections at once */
            wake_set(tale, WAKE_SEGMENT, EVIDENCE_STACK, NULL, tr("woken by a segment of another connection"));
            return true;
        }
        if (!by || by->side == tale->story->side) return false;
        wake_set(tale, WAKE_SEGMENT, chain.meaning == CHAIN_RECEIVE ? EVIDENCE_STACK : EVIDENCE_CONTEXT, by,
                 telling_printf(telling, "woken by %s", wake_what(telling, by)));
        return true;
    }
    if (chain.meaning == CHAIN_BACKLOG) {
        struct tale_packet *by = wake_needed(telling, tale);
        if (by) wake_set(tale, WAKE_SEGMENT, EVIDENCE_STACK, by, telling_printf(telling, "woken by %s", wake_what(telling, by)));
        return by != NULL;
    }
    if (chain.meaning == CHAIN_TIMER) {
        wake_set(tale, WAKE_TIMER, EVIDENCE_STACK, NULL,
                 strcmp(chain.name, "timeout") == 0 ? tr("woken by its timeout") : tr("woken by a TCP timer"));
        return true;
    }
    if (chain.meaning == CHAIN_KERNEL && strcmp(chain.name, CHAIN_ICMP_ERROR) == 0) {
        struct tale_packet *by = call->waker.receiving ? telling_find_packet(telling, &call->waker.received, call->woken_ns) : NULL;
        wake_set(tale, WAKE_SEGMENT, EVIDENCE_STACK, by, tr("woken by an ICMP error about its connection"));
        return true;
    }
    if (chain.meaning == CHAIN_KERNEL && strcmp(chain.name, "destroyed") == 0) {
        wake_set(tale, WAKE_CALL, EVIDENCE_STACK, NULL, tr("woken because somebody else ended the connection (SOCK_DESTROY)"));
        return true;
    }
    if (chain.meaning == CHAIN_CALL) return by_shutdown(telling, tale);
    if (chain.meaning == CHAIN_SIGNAL) {
        wake_set(tale, WAKE_SIGNAL, EVIDENCE_STACK, NULL, tr("woken by a signal"));
        return true;
    }
    return false;
}
