/* What the ledger keeps is bounded: connections in a flood, its memory, closed connections that wait for what comes late. */
#include "ledger/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ledger_own.h"

static int count(void *data, const struct ledger_row *row)
{
    assert_non_null(row);
    ++*(uint64_t *)data;
    return 0;
}

void a_flood_stays_within_its_bound(void **state)
{
    (void)state;
    struct ledger_options options = {.open_max = 1000, .hash_seed = 7};
    uint64_t finished = 0;
    struct ledger *ledger = ledger_new(&options, count, &finished);
    for (uint32_t i = 0; i < 200000; i++) {
        struct ledger_segment segment = segment_of(0, "S", i, 0, 0, 1000, 1700000000000000000 + i, (uint16_t)i);
        memcpy(segment.src, &i, 4);
        assert_int_equal(ledger_feed(ledger, &segment, 1, NULL), 0);
        assert_true(ledger_totals(ledger)->open <= 1000);
    }
    assert_true(finished >= 199000);
    assert_true(ledger_totals(ledger)->crowded == finished);
    assert_true(ledger_totals(ledger)->memory_bytes < 8 << 20);
    ledger_free(ledger);
}

void memory_is_used_again_after_connections_close(void **state)
{
    (void)state;
    uint64_t finished = 0, most = 0;
    struct ledger *ledger = ledger_new(NULL, count, &finished);
    for (uint32_t i = 0; i < 100000; i++) {
        int64_t t_ns = 1700000000000000000 + (int64_t)i * 10000000; /* a hundred a second */
        struct ledger_segment segments[2] = {segment_of(0, "S", 0, 0, 0, 1000, t_ns, (uint16_t)i),
                                             segment_of(1, "RA", 0, 1, 0, 0, t_ns, (uint16_t)i)};
        memcpy(segments[0].src, &i, 4), memcpy(segments[1].dst, &i, 4);
        assert_int_equal(ledger_feed(ledger, segments, 2, NULL), 0);
        if (i == 50000) most = ledger_totals(ledger)->memory_bytes;
    }
    assert_true(ledger_totals(ledger)->open < 10000);
    assert_int_equal(finished + ledger_totals(ledger)->open, 100000);
    assert_int_equal(ledger_totals(ledger)->memory_bytes, most);
    ledger_free(ledger);
}

/* `closed` attempts that were refused in one second; seconds later the RST of the last of them comes once more. How many rows were
 * given by then; *ret_connections: how many there were, with what that RST was taken for. */
static uint64_t told_of_closed(size_t closed, int seconds, uint64_t *ret_connections)
{
    uint64_t told = 0;
    struct ledger *ledger = ledger_new(&(struct ledger_options){.hash_seed = 1}, count, &told);
    assert_non_null(ledger);
    const int64_t begin_ns = 1700000000000000000;
    int64_t t_ns = begin_ns;
    struct ledger_segment late = {.t_ns = 0};
    for (size_t i = 0; i < closed; i++, t_ns += 10000) {
        struct ledger_segment pair[] = {segment_of(0, "S", 0, 0, 0, 1, t_ns, (uint16_t)(1 + i)),
                                        segment_of(1, "RA", 0, 1, 0, 0, t_ns, (uint16_t)(1 + i))};
        assert_int_equal(ledger_feed(ledger, pair, 2, NULL), 0);
        late = pair[1];
    }
    assert_true(t_ns - begin_ns < 1000000000);
    assert_int_equal(told, 0);
    late.t_ns = t_ns + seconds * (int64_t)1000000000;
    assert_int_equal(ledger_feed(ledger, &late, 1, NULL), 0);
    *ret_connections = ledger_totals(ledger)->connections;
    uint64_t before_the_end = told;
    assert_int_equal(ledger_finish(ledger), 0);
    ledger_free(ledger);
    return before_the_end;
}

void as_many_closed_connections_as_may_linger_wait_for_what_comes_late(void **state)
{
    (void)state;
    uint64_t connections;
    assert_int_equal(told_of_closed(LINGER_MOST, 10, &connections), 0);
    assert_int_equal(connections, LINGER_MOST);
    assert_int_equal(told_of_closed(LINGER_MOST, 70, &connections), LINGER_MOST);
    assert_int_equal(connections, LINGER_MOST + 1); /* what comes after the minute is taken for the beginning of another */
}

void one_closed_connection_more_than_may_linger_waits_for_some_seconds(void **state)
{
    (void)state;
    uint64_t connections;
    assert_int_equal(told_of_closed(LINGER_MOST + 1, 3, &connections), 0);
    assert_int_equal(connections, LINGER_MOST + 1);
    assert_int_equal(told_of_closed(LINGER_MOST + 1, 10, &connections), 1);
    assert_int_equal(connections, LINGER_MOST + 2);
}
