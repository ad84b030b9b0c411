#include "ledger/datagrams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

enum { OPEN_MAX_USUAL = 1 << 20 };
static const int64_t PART_NS = 60000000000, KEEP_NS = (int64_t)124 * 60 * 1000000000;

struct counts {
    uint64_t datagrams, bytes, ip_bytes;
};

/* Which flow: the lower end, then the higher, so that both directions have the same. */
struct ends {
    struct address low, high;
};

struct record {
    struct ends key;
    struct address end[2]; /* who sent the first datagram, and the other */
    uint32_t number;
    uint8_t tunnel;
    uint32_t content;
    int64_t start_ns, part_ns, last_ns;
    struct counts before[2], part[2]; /* of earlier parts, of the one that is on */
    struct ledger_icmp icmp;
    struct record *quieter, *busier; /* in order of their last datagram */
};

struct datagrams {
    struct table *records;
    struct record *quietest, *busiest;
    size_t open_max;
    datagrams_listener *listener;
    void *data;
    uint32_t numbers;
    struct datagrams_totals totals;
};

struct datagrams *datagrams_new(size_t open_max, datagrams_listener *listener, void *data)
{
    struct datagrams *datagrams = calloc(1, sizeof(*datagrams));
    if (datagrams) datagrams->records = table_new(sizeof(struct ends));
    if (!datagrams || !datagrams->records) {
        free(datagrams);
        return NULL;
    }
    datagrams->open_max = open_max ? open_max : OPEN_MAX_USUAL;
    datagrams->listener = listener;
    datagrams->data = data;
    return datagrams;
}

void datagrams_free(struct datagrams *datagrams)
{
    if (!datagrams) return;
    while (datagrams->quietest) {
        struct record *record = datagrams->quietest;
        datagrams->quietest = record->busier;
        free(record);
    }
    table_free(datagrams->records);
    free(datagrams);
}

const struct datagrams_totals *datagrams_totals(const struct datagrams *datagrams)
{
    return &datagrams->totals;
}

static struct ends ends_of(const struct address *a, const struct address *b)
{
    bool swap = memcmp(a, b, sizeof(*a)) > 0;
    struct ends ends;
    memset(&ends, 0, sizeof(ends));
    ends.low = swap ? *b : *a;
    ends.high = swap ? *a : *b;
    return ends;
}

static void leave_order(struct datagrams *datagrams, struct record *record)
{
    *(record->quieter ? &record->quieter->busier : &datagrams->quietest) = record->busier;
    *(record->busier ? &record->busier->quieter : &datagrams->busiest) = record->quieter;
}

static void place_last(struct datagrams *datagrams, struct record *record)
{
    record->quieter = datagrams->busiest;
    record->busier = NULL;
    *(record->quieter ? &record->quieter->busier : &datagrams->quietest) = record;
    datagrams->busiest = record;
}

static void add(struct counts *to, const struct counts *more)
{
    to->datagrams += more->datagrams;
    to->bytes += more->bytes;
    to->ip_bytes += more->ip_bytes;
}

static int give(struct datagrams *datagrams, const struct record *record, bool part, enum ledger_ending ending)
{
    struct datagrams_row row = {
        .number = record->number,
        .is_part = part,
        .start_ns = part ? record->part_ns : record->start_ns,
        .end_ns = record->last_ns,
        .ending = ending,
        .tunnel = record->tunnel,
        .content = record->content,
        .icmp = record->icmp,
    };
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        struct counts sum = record->part[side];
        if (!part) add(&sum, &record->before[side]);
        row.end[side] = (struct datagrams_end){record->end[side], sum.datagrams, sum.bytes, sum.ip_bytes};
    }
    return datagrams->listener(datagrams->data, &row);
}

static int finish(struct datagrams *datagrams, struct record *record, enum ledger_ending ending)
{
    int code = give(datagrams, record, true, ending);
    if (!code) code = give(datagrams, record, false, ending);
    leave_order(datagrams, record);
    table_remove(datagrams->records, &record->key);
    free(record);
    return code;
}

/* How long after `a` is `b`; what can't be said in nanoseconds is never. */
static int64_t since(int64_t a, int64_t b)
{
    int64_t ns;
    return __builtin_sub_overflow(b, a, &ns) ? INT64_MAX : ns;
}

static struct record *begin(struct datagrams *datagrams, const struct ends *key, const struct ledger_other *datagram, int64_t t_ns)
{
    struct record *record = calloc(1, sizeof(*record));
    if (!record || table_put(datagrams->records, key, record)) {
        free(record);
        return NULL;
    }
    record->key = *key;
    record->end[0] = datagram->packet.header.src;
    record->end[1] = datagram->packet.header.dst;
    record->number = ++datagrams->numbers;
    record->tunnel = datagram->packet.tunnel.kind;
    record->content = datagram->beside.content;
    record->start_ns = record->part_ns = record->last_ns = t_ns;
    place_last(datagrams, record);
    datagrams->totals.flows++;
    return record;
}

int datagrams_feed(struct datagrams *datagrams, const struct ledger_other *datagram, int64_t t_ns, uint32_t *ret_number)
{
    const struct event_packet_header *header = &datagram->packet.header;
    int code = 0;
    while (datagrams->quietest && since(datagrams->quietest->last_ns, t_ns) > KEEP_NS && !code)
        code = finish(datagrams, datagrams->quietest, LEDGER_IDLE);
    struct ends key = ends_of(&header->src, &header->dst);
    struct record *record = code ? NULL : table_get(datagrams->records, &key);
    if (!record && !code && datagrams->quietest && table_count(datagrams->records) >= datagrams->open_max) {
        datagrams->totals.crowded++;
        code = finish(datagrams, datagrams->quietest, LEDGER_CROWDED);
    }
    if (!record && !code && !(record = begin(datagrams, &key, datagram, t_ns))) code = -ENOMEM;
    if (code) return code;
    if (since(record->last_ns, t_ns) > PART_NS) {
        code = give(datagrams, record, true, LEDGER_IDLE);
        for (size_t side = 0; side < 2; side++) {
            add(&record->before[side], &record->part[side]);
            record->part[side] = (struct counts){0};
        }
        record->part_ns = t_ns;
    }
    if (t_ns > record->last_ns) record->last_ns = t_ns;
    const struct counts one = {1, header->length_bytes, datagram->beside.ip_bytes};
    add(&record->part[address_equal(&header->src, &record->end[0]) ? 0 : 1], &one);
    leave_order(datagrams, record);
    place_last(datagrams, record);
    datagrams->totals.datagrams++;
    datagrams->totals.bytes += header->length_bytes;
    *ret_number = record->number;
    return code;
}

uint32_t datagrams_icmp(struct datagrams *datagrams, const struct event_packet *error)
{
    struct ends key = ends_of(&error->icmp.src, &error->icmp.dst);
    struct record *record = table_get(datagrams->records, &key);
    if (!record) return 0;
    ledger_icmp_note(&record->icmp, error);
    return record->number;
}

static int by_number(const void *a, const void *b)
{
    const struct record *const *x = a, *const *y = b;
    return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

int datagrams_finish(struct datagrams *datagrams)
{
    size_t count = table_count(datagrams->records), at = 0;
    struct record **left = calloc(count + 1, sizeof(struct record *));
    int code = left ? 0 : -ENOMEM;
    for (struct record *record = datagrams->quietest; record && left; record = record->busier) left[at++] = record;
    if (left) qsort(left, at, sizeof(*left), by_number);
    for (size_t i = 0; i < at && !code; i++) code = finish(datagrams, left[i], LEDGER_UNFINISHED);
    free(left);
    return code;
}
