/* The hash table against a model that can't be wrong: an array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/table.h"

enum { KEYS = 700 };

/* As the program's keys are: with padding, zeroed where the key lives (returning a struct need not copy its padding). */
struct key {
    uint16_t port;
    uint64_t cookie;
};

static const struct key *key_fill(struct key *key, size_t i)
{
    memset(key, 0, sizeof(*key));
    key->port = (uint16_t)(i % 7);
    key->cookie = i / 7;
    return key;
}

static uint32_t random_state = 12345;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % limit;
}

static void a_new_table_has_nothing(void **state)
{
    (void)state;
    struct table *table = table_new(sizeof(struct key));
    struct key key;
    size_t cursor = 0;
    key_fill(&key, 1);
    assert_int_equal(table_count(table), 0);
    assert_null(table_get(table, &key));
    assert_null(table_remove(table, &key));
    assert_false(table_next(table, &cursor, NULL, NULL));
    table_free(table);
    table_free(NULL);
}

static void assert_walk_agrees(const struct table *table, int *const model[KEYS])
{
    bool seen[KEYS] = {false};
    size_t cursor = 0, count = 0;
    const void *key;
    void *value;
    while (table_next(table, &cursor, &key, &value)) {
        struct key found;
        memcpy(&found, key, sizeof(found));
        size_t i = (size_t)found.cookie * 7 + found.port;
        assert_true(i < KEYS);
        assert_false(seen[i]);
        assert_ptr_equal(value, model[i]);
        seen[i] = true;
        count++;
    }
    assert_int_equal(count, table_count(table));
}

static void it_agrees_with_an_array_through_many_puts_and_removes(void **state)
{
    (void)state;
    static int values[3];
    for (int run = 0; run < 20; run++) { /* each with another random hash */
        struct table *table = table_new(sizeof(struct key));
        int *model[KEYS] = {NULL};
        size_t count = 0;
        for (int step = 0; step < 20000; step++) {
            /* Waves, so that it fills up and empties again. */
            uint32_t puts = step / 2000 % 2 ? 3 : 7;
            size_t i = random_below(KEYS);
            struct key key;
            key_fill(&key, i);
            if (random_below(10) < puts) {
                int *value = &values[random_below(3)];
                assert_int_equal(table_put(table, &key, value), 0);
                count += !model[i];
                model[i] = value;
            } else {
                assert_ptr_equal(table_remove(table, &key), model[i]);
                count -= !!model[i];
                model[i] = NULL;
            }
            assert_int_equal(table_count(table), count);
            i = random_below(KEYS);
            assert_ptr_equal(table_get(table, key_fill(&key, i)), model[i]);
        }
        for (size_t i = 0; i < KEYS; i++) {
            struct key key;
            assert_ptr_equal(table_get(table, key_fill(&key, i)), model[i]);
        }
        assert_walk_agrees(table, model);
        table_free(table);
    }
}

static void putting_again_replaces(void **state)
{
    (void)state;
    struct table *table = table_new(sizeof(int));
    int key = 5, a, b;
    assert_int_equal(table_put(table, &key, &a), 0);
    assert_int_equal(table_put(table, &key, &b), 0);
    assert_int_equal(table_count(table), 1);
    assert_ptr_equal(table_get(table, &key), &b);
    table_free(table);
}

static void keys_are_copied(void **state)
{
    (void)state;
    struct table *table = table_new(sizeof(int));
    int key = 5, value;
    assert_int_equal(table_put(table, &key, &value), 0);
    key = 6;
    assert_null(table_get(table, &key));
    key = 5;
    assert_ptr_equal(table_get(table, &key), &value);
    table_free(table);
}

static void keys_of_one_byte_can_all_be_there(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    static int values[256];
    for (int i = 0; i < 256; i++) assert_int_equal(table_put(table, &(uint8_t){(uint8_t)i}, &values[i]), 0);
    for (int i = 0; i < 256; i++) assert_ptr_equal(table_get(table, &(uint8_t){(uint8_t)i}), &values[i]);
    for (int i = 0; i < 256; i++) assert_ptr_equal(table_remove(table, &(uint8_t){(uint8_t)i}), &values[i]);
    assert_int_equal(table_count(table), 0);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_table_has_nothing),
        cmocka_unit_test(it_agrees_with_an_array_through_many_puts_and_removes),
        cmocka_unit_test(putting_again_replaces),
        cmocka_unit_test(keys_are_copied),
        cmocka_unit_test(keys_of_one_byte_can_all_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
