#include "watch/resends.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "story/chain.h"

enum { KEPT_MAX = 65536 };

struct resends {
    struct table *kept; /* struct ends → struct kept */
};

struct ends {
    struct address from, to;
};

struct kept {
    int64_t last_ns;
    uint32_t counts[STORY_REPEATS];
};

struct resends *resends_new(void)
{
    struct resends *resends = calloc(1, sizeof(*resends));
    if (!resends) return NULL;
    resends->kept = table_new(sizeof(struct ends));
    if (resends->kept) return resends;
    free(resends);
    return NULL;
}

void resends_free(struct resends *resends)
{
    void *kept;
    if (!resends) return;
    for (size_t cursor = 0; table_next(resends->kept, &cursor, NULL, &kept);) free(kept);
    table_free(resends->kept);
    free(resends);
}

/* In these states an end may still have data on its way. */
static bool may_send_data(int state)
{
    return state == KERNEL_ESTABLISHED || state == KERNEL_CLOSE_WAIT || state == KERNEL_FIN_WAIT1 || state == KERNEL_LAST_ACK ||
           state == KERNEL_CLOSING;
}

uint32_t resends_of(const struct event_resend *resend, enum story_repeat *ret_repeat)
{
    struct chain_verdict verdict = chain_read(resend->context.chain);
    bool timer = verdict.meaning == CHAIN_TIMER && verdict.name;
    uint32_t segments = resend->segments;
    *ret_repeat = verdict.notes & CHAIN_PATH_MTU                          ? STORY_REPEAT_PATH_MTU
                  : verdict.notes & CHAIN_FAST                            ? STORY_REPEAT_FAST
                  : timer && strcmp(verdict.name, "retransmit") == 0      ? STORY_REPEAT_RTO
                  : timer && strcmp(verdict.name, "tail-loss-probe") == 0 ? STORY_REPEAT_LOSS_PROBE
                                                                          : STORY_REPEAT_UNKNOWN;
    if (resend->synack) return 0;
    if (!segments) /* whether it bears a FIN is not known: behind close() it mostly does */
        return resend->socket.state == KERNEL_ESTABLISHED || resend->socket.state == KERNEL_CLOSE_WAIT;
    if (!may_send_data(resend->socket.state)) return 0;
    return resend->flags & (TCP_SYN | TCP_FIN) ? segments - 1 : segments;
}

static struct ends ends_of(const struct address *from, const struct address *to)
{
    struct ends ends;
    memset(&ends, 0, sizeof(ends)); /* a key: its bytes are compared */
    ends.from = *from;
    ends.to = *to;
    return ends;
}

void resends_keep(struct resends *resends, const struct event *event)
{
    enum story_repeat repeat;
    uint32_t count = resends_of(&event->resend, &repeat);
    if (!count) return;
    const struct ends ends = ends_of(&event->resend.socket.local, &event->resend.socket.remote);
    struct kept *kept = table_get(resends->kept, &ends);
    if (!kept) {
        kept = table_count(resends->kept) < KEPT_MAX ? calloc(1, sizeof(*kept)) : NULL;
        if (!kept || table_put(resends->kept, &ends, kept)) {
            free(kept);
            return;
        }
    }
    kept->last_ns = event->t_ns;
    kept->counts[repeat] += count;
}

void resends_add(struct resends *resends, const struct story *story, uint32_t counts[STORY_REPEATS])
{
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct ends ends = ends_of(&story->end[side].address, &story->end[!side].address);
        struct kept *kept = table_remove(resends->kept, &ends);
        /* What is older is of another connection between them, which was never told. */
        for (int i = 0; kept && kept->last_ns >= story->start_ns && i < STORY_REPEATS; i++) counts[i] += kept->counts[i];
        free(kept);
    }
}
