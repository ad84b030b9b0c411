#include "out/held.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* Keys are compared as they stand: what comes first has the smaller one. */
struct place {
    uint64_t key[3];
    size_t at; /* in `rows` or `flows` */
    uint32_t number;
    bool udp;
};

struct held {
    struct ledger_row *rows;
    struct datagrams_row *flows;
    size_t row_count, row_room, flow_count, flow_room;
};

struct held *held_new(void)
{
    return calloc(1, sizeof(struct held));
}

void held_free(struct held *held)
{
    if (!held) return;
    free(held->rows);
    free(held->flows);
    free(held);
}

/* One more of `size` bytes behind those at `*items`; NULL: no memory. */
static void *more(void **items, size_t *count, size_t *room, size_t size)
{
    if (*count == *room) {
        size_t wanted = *room ? *room * 2 : 64;
        void *grown = realloc(*items, wanted * size);
        if (!grown) return NULL;
        *items = grown;
        *room = wanted;
    }
    return (char *)*items + (*count)++ * size;
}

static bool is_full(const struct held *held)
{
    return held->row_count + held->flow_count >= HELD_ROWS_MAX;
}

int held_row(struct held *held, const struct ledger_row *row)
{
    if (is_full(held)) return -ENOBUFS;
    void *rows = held->rows;
    struct ledger_row *to = more(&rows, &held->row_count, &held->row_room, sizeof(*row));
    held->rows = rows;
    if (!to) return -ENOMEM;
    *to = *row;
    return 0;
}

int held_udp(struct held *held, const struct datagrams_row *row)
{
    if (is_full(held)) return -ENOBUFS;
    void *flows = held->flows;
    struct datagrams_row *to = more(&flows, &held->flow_count, &held->flow_room, sizeof(*row));
    held->flows = flows;
    if (!to) return -ENOMEM;
    *to = *row;
    return 0;
}

/* So that the order of unsigned numbers is that of signed ones. */
static uint64_t ascending(int64_t value)
{
    return (uint64_t)value ^ (uint64_t)INT64_MIN;
}

static uint64_t took(int64_t start_ns, int64_t end_ns)
{
    int64_t ns;
    if (__builtin_sub_overflow(end_ns, start_ns, &ns)) ns = INT64_MAX;
    return ~ascending(ns);
}

/* The first of its worst findings, in the order of the alphabet. */
static uint64_t first_worst(const struct rows_options *options, const struct rows_found *found)
{
    for (uint64_t i = 0; i < ROWS_FINDINGS_MAX; i++)
        if (found->ids[i / 64] >> i % 64 & 1 && options->findings->of[i].worst == found->worst) return i;
    return ROWS_FINDINGS_MAX;
}

static void key_finding(struct place *place, const struct rows_options *options, uint64_t ended)
{
    const struct rows_found *found = rows_found(options, place->number, place->udp);
    place->key[0] = found ? (uint64_t)(ROWS_ERROR - found->worst) : ROWS_ERROR;
    place->key[1] = found ? first_worst(options, found) : 0;
    place->key[2] = ended;
}

static uint64_t total(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void make_key(struct place *place, enum held_order order, const struct rows_options *options, int64_t start_ns,
                     int64_t end_ns, uint64_t bytes, uint64_t ended)
{
    if (order == HELD_FINDING)
        key_finding(place, options, ended);
    else
        place->key[0] = order == HELD_TOOK ? took(start_ns, end_ns) : order == HELD_START ? ascending(start_ns) : ~bytes;
}

static int by_key(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    for (size_t i = 0; i < sizeof(x->key) / sizeof(x->key[0]); i++)
        if (x->key[i] != y->key[i]) return x->key[i] < y->key[i] ? -1 : 1;
    if (x->udp != y->udp) return x->udp ? 1 : -1;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return x->at < y->at ? -1 : 1; /* parts of one UDP flow, and never the same */
}

static size_t lay_out(const struct held *held, struct place *places, enum held_order order, const struct rows_options *options)
{
    static const uint64_t ended[LEDGER_OUTCOMES] = {
        [LEDGER_REFUSED] = 0, [LEDGER_RESET] = 1, [LEDGER_HALF_OPEN] = 2, [LEDGER_OPEN] = 3, [LEDGER_CLOSED] = 4};
    size_t count = 0;
    for (size_t i = 0; i < held->row_count; i++) {
        const struct ledger_row *row = &held->rows[i];
        struct place *place = &places[count++];
        *place = (struct place){.at = i, .number = row->number};
        make_key(place, order, options, row->start_ns, row->end_ns, total(row->end[0].bytes, row->end[1].bytes),
                 ended[row->outcome]);
    }
    for (size_t i = 0; i < held->flow_count; i++) {
        const struct datagrams_row *row = &held->flows[i];
        struct place *place = &places[count++];
        *place = (struct place){.at = i, .number = row->number, .udp = true};
        make_key(place, order, options, row->start_ns, row->end_ns, total(row->end[0].bytes, row->end[1].bytes), LEDGER_OUTCOMES);
    }
    return count;
}

int held_give(struct held *held, enum held_order order, const struct rows_options *options,
              int (*row)(void *data, const struct ledger_row *row), int (*udp)(void *data, const struct datagrams_row *row),
              void *data)
{
    struct place *places = calloc(held->row_count + held->flow_count + 1, sizeof(*places));
    if (!places) return -ENOMEM;
    size_t count = lay_out(held, places, order, options);
    qsort(places, count, sizeof(*places), by_key);
    int code = 0;
    for (size_t i = 0; i < count && !code; i++)
        code = places[i].udp ? udp(data, &held->flows[places[i].at]) : row(data, &held->rows[places[i].at]);
    free(places);
    held->row_count = held->flow_count = 0;
    return code;
}
