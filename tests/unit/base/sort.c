/* Sorting: the order of qsort(3), of numbered items those of one number as they came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sort.h"

enum { MOST = 3000 };

struct numbered {
    uint32_t number, of;
};

static uint32_t next(uint32_t *chance)
{
    return *chance = *chance * 1664525 + 1013904223;
}

static void numbered_items_keep_their_order_where_numbers_are_equal(void **state)
{
    (void)state;
    static struct numbered items[MOST], room[MOST];
    uint32_t chance = 1;
    for (size_t count = 0; count <= MOST; count = count < 70 ? count + 1 : count * 3) {
        for (unsigned kind = 0; kind < 3; kind++) { /* few numbers; all of them; in order already */
            for (size_t i = 0; i < count; i++) items[i] = (struct numbered){next(&chance) >> (kind ? 0 : 29), (uint32_t)i};
            for (size_t i = 0; kind == 2 && i < count; i++) items[i].number = (uint32_t)i / 3 << 24;
            sort_numbered(items, room, count);
            uint64_t sum = 0;
            for (size_t i = 0; i < count; i++) sum += items[i].of;
            assert_int_equal(sum, count ? (uint64_t)count * (count - 1) / 2 : 0);
            for (size_t i = 1; i < count; i++) {
                assert_true(items[i - 1].number <= items[i].number);
                if (items[i - 1].number == items[i].number) assert_true(items[i - 1].of < items[i].of);
            }
        }
    }
}

static int compares;

static int by_value(const void *a, const void *b)
{
    const int *x = a, *y = b;
    compares++;
    return (*x > *y) - (*x < *y);
}

static void what_is_in_order_is_looked_through_once(void **state)
{
    (void)state;
    int items[MOST];
    for (int i = 0; i < MOST; i++) items[i] = i / 2;
    compares = 0;
    sort_items(items, MOST, sizeof(items[0]), by_value);
    assert_int_equal(compares, MOST - 1);
    items[MOST - 1] = -1;
    sort_items(items, MOST, sizeof(items[0]), by_value);
    for (int i = 1; i < MOST; i++) assert_int_equal(items[i], (i - 1) / 2);
    assert_int_equal(items[0], -1);
    sort_items(NULL, 0, sizeof(items[0]), by_value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbered_items_keep_their_order_where_numbers_are_equal),
        cmocka_unit_test(what_is_in_order_is_looked_through_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
