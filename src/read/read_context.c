#include "read/read_context.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "ledger/ledger.h"
#include "tcp/segment.h"

enum { BETWEEN_MOST = 10000, ANSWERS_MOST = 1000 };

/* The two ends, the lower first. */
struct ends {
    struct address low, high;
};

struct context {
    struct table *between; /* struct ends → the number of the chosen connection between them, the newest */
    struct table *asked;   /* struct address of a listener that a chosen SYN was for → anything */
    uint32_t between_count, answer_count;
};

struct context *context_new(void)
{
    struct context *context = calloc(1, sizeof(*context));
    if (!context) return NULL;
    context->between = table_new(sizeof(struct ends));
    context->asked = table_new(sizeof(struct address));
    if (context->between && context->asked) return context;
    context_free(context);
    return NULL;
}

void context_free(struct context *context)
{
    if (!context) return;
    table_free(context->between);
    table_free(context->asked);
    free(context);
}

static struct ends ends_of(const struct address *a, const struct address *b)
{
    struct ends ends;
    memset(&ends, 0, sizeof(ends));
    bool swap = memcmp(a, b, sizeof(*a)) > 0;
    ends.low = swap ? *b : *a;
    ends.high = swap ? *a : *b;
    return ends;
}

int context_chosen(struct context *context, const struct event_packet_header *header, uint32_t conn)
{
    if (header->protocol != IPPROTO_TCP) return 0;
    const struct ends ends = ends_of(&header->src, &header->dst);
    uintptr_t known = (uintptr_t)table_get(context->between, &ends);
    int code = known >= conn ? 0 : table_put(context->between, &ends, (void *)(uintptr_t)conn);
    if (code || (header->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || table_get(context->asked, &header->dst)) return code;
    return table_put(context->asked, &header->dst, context);
}

static struct address address_of(const struct ledger_segment *segment, const uint8_t *ip, uint16_t port)
{
    return segment->version == 4 ? address_v4(ip, port) : address_v6(ip, port);
}

bool context_wants(struct context *context, const struct savefile_packet *packet, uint32_t conn)
{
    struct ledger_segment segment;
    struct ledger_other other;
    if (!table_count(context->between) || !conn) return false;
    if (ledger_decode(packet->link_type, packet->bytes, packet->captured, packet->wire, packet->t_ns, &segment, &other) !=
        SEGMENT_OK)
        return false;
    const struct address src = address_of(&segment, segment.src, segment.src_port);
    const struct address dst = address_of(&segment, segment.dst, segment.dst_port);
    const struct ends ends = ends_of(&src, &dst);
    uint8_t opens = segment.flags & (TCP_SYN | TCP_ACK | TCP_RST);
    uintptr_t chosen = (uintptr_t)table_get(context->between, &ends);
    if (chosen) return (conn < chosen || opens == TCP_SYN) && context->between_count++ < BETWEEN_MOST;
    return opens == (TCP_SYN | TCP_ACK) && table_get(context->asked, &src) && context->answer_count++ < ANSWERS_MOST;
}
