#include "capture/bpf/bpf_answer.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "event/event.h"

/* From a rule's answer until what it answers is let go: microseconds, but an interrupt may come between. */
static const __u64 AT_ONCE_NS = 5000000;

void bpf_answer_note(struct bpf_answer *answer, const struct record_mark *mark)
{
    const struct record_packet *packet = &mark->packet;
    bool is_reset = packet->protocol == IPPROTO_TCP && packet->flags & TCP_RST;

    if (packet->quoted_protocol != IPPROTO_TCP && !is_reset) return;
    *answer = (struct bpf_answer){.packet = *packet, .t_ns = mark->head.t_ns, .tid = mark->head.tid};
}

static bool is_same(const struct record_address *a, const struct record_address *b)
{
    return a->version == b->version && a->port == b->port && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

static bool is_about(const struct record_packet *answer, const struct record_packet *packet)
{
    if (answer->quoted_protocol) return is_same(&answer->quoted_src, &packet->src) && is_same(&answer->quoted_dst, &packet->dst);
    return is_same(&answer->dst, &packet->src) && is_same(&answer->src, &packet->dst);
}

__u64 bpf_answer_time(const struct bpf_answer *answer, const struct record_drop *drop)
{
    __u64 t_ns = drop->head.t_ns;

    if (!answer->t_ns || !drop->outgoing || drop->head.tid != answer->tid || !is_about(&answer->packet, &drop->packet)) return t_ns;
    return answer->t_ns <= t_ns && t_ns - answer->t_ns <= AT_ONCE_NS ? answer->t_ns - 1 : t_ns;
}
