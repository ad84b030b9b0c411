/* Whole connections, captured with holes and in another order: what the remaining segments prove is told as if all had been
 * captured (rule 1). Each connection is told whole, then with each segment and each two left out, and with neighbours exchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/exchange.h"

enum { STEPS_MAX = 32, TOLD = 160, PERMUTATIONS = 3000 };

/* Sound connections. What no later segment proves stands behind the bar, and is never left out; nor is a FIN: that the one number
 * which its ACK covers was a FIN and no byte, only the FIN itself shows. */
static const char *const connections[] = {
    HANDSHAKE "c:PA:1:1:100 s:A:1:101:0 s:PA:1:101:300 c:A:101:301:0 c:FA:101:301:0 s:A:301:102:0 | s:FA:301:102:0 c:A:102:302:0",
    HANDSHAKE
    "c:PA:1:1:100 s:PA:1:101:300 c:A:101:301:0 s:FA:301:101:0 c:A:101:302:0 c:PA:101:302:50 s:A:302:151:0 | c:FA:151:302:0 "
    "s:A:302:152:0",
    HANDSHAKE "c:PA:1:1:10 c:PA:11:1:10 c:PA:21:1:10 s:A:1:31:0 s:PA:1:31:10 s:PA:11:31:10 c:A:31:21:0 c:PA:31:21:10 s:A:21:41:0 "
              "s:FA:21:41:0 c:A:41:22:0 | c:FA:41:22:0 s:A:22:42:0",
    HANDSHAKE "c:PA:1:1:1000 s:A:1:1001:0 c:FA:1001:1:0 s:PA:1:1002:5000 c:A:1002:5001:0 s:PA:5001:1002:5000 c:A:1002:10001:0 | "
              "s:FA:10001:1002:0 c:A:1002:10002:0",
};

struct steps {
    char text[STEPS_MAX][48];
    size_t count, movable;
};

static struct steps steps_of(const char *connection)
{
    struct steps steps = {.count = 0};
    char *text = strdup(connection), *rest = NULL;
    assert_non_null(text);
    for (char *step = strtok_r(text, " ", &rest); step; step = strtok_r(NULL, " ", &rest)) {
        if (step[0] == '|') {
            steps.movable = steps.count;
            continue;
        }
        assert_true(steps.count < STEPS_MAX);
        snprintf(steps.text[steps.count++], sizeof(steps.text[0]), "%s", step);
    }
    free(text);
    return steps;
}

static void tell(const struct steps *steps, char *told, struct exchange *ret_exchange)
{
    exchange_begin(ret_exchange);
    for (size_t i = 0; i < steps->count; i++) exchange_say(ret_exchange, steps->text[i]);
    snprintf(told, TOLD, "%s; %llu and %llu bytes", exchange_stand(ret_exchange),
             (unsigned long long)exchange_bytes(ret_exchange, 'c'), (unsigned long long)exchange_bytes(ret_exchange, 's'));
    assert_int_equal(ret_exchange->anew, 0);
}

static void leave_out(struct steps *steps, size_t at)
{
    memmove(steps->text[at], steps->text[at + 1], (steps->count - at - 1) * sizeof(steps->text[0]));
    steps->count--;
}

static uint64_t length_of(const char *step)
{
    struct exchange x;
    exchange_begin(&x);
    unsigned side;
    return exchange_segment(&x, step, &side).length_bytes;
}

static bool is_fin(const char *step)
{
    return step[2] == 'F';
}

static void any_segment_may_be_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(connections) / sizeof(connections[0]); i++) {
        const struct steps all = steps_of(connections[i]);
        struct exchange x;
        char whole[TOLD], told[TOLD];
        tell(&all, whole, &x);
        for (size_t at = 0; at < all.movable; at++) {
            struct steps steps = all;
            if (is_fin(all.text[at])) continue;
            leave_out(&steps, at);
            tell(&steps, told, &x);
            if (strcmp(whole, told) != 0) fail_msg("without %s: %s, and whole %s", all.text[at], told, whole);
            /* And what was left out is missed, to the byte. */
            char who = all.text[at][0];
            assert_int_equal(exchange_missed(&x, who), length_of(all.text[at]));
            assert_int_equal(exchange_missed(&x, who == 'c' ? 's' : 'c'), 0);
            for (unsigned side = 0; side < 2; side++) assert_int_equal(x.conn.end[side].again_count, 0);
        }
    }
}

/* Without both the SYN and the SYN,ACK nobody knows where the numbers begin: these two are not left out together. */
static void any_two_segments_may_be_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(connections) / sizeof(connections[0]); i++) {
        const struct steps all = steps_of(connections[i]);
        struct exchange x;
        char whole[TOLD], told[TOLD];
        tell(&all, whole, &x);
        for (size_t first = 0; first < all.movable; first++)
            for (size_t second = first + 1; second < all.movable; second++) {
                if ((first == 0 && second == 1) || is_fin(all.text[first]) || is_fin(all.text[second])) continue;
                struct steps steps = all;
                leave_out(&steps, second);
                leave_out(&steps, first);
                tell(&steps, told, &x);
                if (strcmp(whole, told) != 0)
                    fail_msg("without %s and %s: %s, and whole %s", all.text[first], all.text[second], told, whole);
                uint64_t missed = exchange_missed(&x, 'c') + exchange_missed(&x, 's');
                assert_int_equal(missed, length_of(all.text[first]) + length_of(all.text[second]));
            }
    }
}

static uint64_t seed = 88172645463325252u;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % below;
}

/* Exchanges neighbours and next but one: most move by a few positions, one now and then by many. */
static void shuffle(struct steps *steps)
{
    for (size_t i = 0; i + 1 < steps->count; i++) {
        size_t other = i + any(3);
        char kept[sizeof(steps->text[0])];
        if (other >= steps->count) continue;
        memcpy(kept, steps->text[i], sizeof(kept));
        memcpy(steps->text[i], steps->text[other], sizeof(kept));
        memcpy(steps->text[other], kept, sizeof(kept));
    }
}

/* The states, the outcome and the bytes; who closed first is whoever's FIN is captured first where neither covers the other's. */
static void segments_captured_in_another_order_tell_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(connections) / sizeof(connections[0]); i++) {
        const struct steps all = steps_of(connections[i]);
        struct exchange x;
        char whole[TOLD], told[TOLD];
        tell(&all, whole, &x);
        for (unsigned run = 0; run < PERMUTATIONS; run++) {
            struct steps steps = all;
            shuffle(&steps);
            tell(&steps, told, &x);
            if (strcmp(whole, told) != 0) {
                char order[STEPS_MAX * 48] = "";
                for (size_t at = 0; at < steps.count; at++) strcat(strcat(order, " "), steps.text[at]);
                fail_msg("as%s: %s, and in order %s", order, told, whole);
            }
            assert_int_equal(exchange_missed(&x, 'c') + exchange_missed(&x, 's'), 0);
        }
    }
}

/* Every segment captured twice, right behind itself, without a look that would tell: nothing but the counts of repeats changes. */
static void every_segment_twice_changes_only_the_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(connections) / sizeof(connections[0]); i++) {
        const struct steps all = steps_of(connections[i]);
        struct exchange x;
        char whole[TOLD], told[TOLD];
        tell(&all, whole, &x);
        for (size_t at = 0; at < all.count; at++) {
            struct steps twice = all;
            memmove(twice.text[at + 1], twice.text[at], (all.count - at) * sizeof(twice.text[0]));
            twice.count++;
            tell(&twice, told, &x);
            if (strcmp(whole, told) != 0) fail_msg("%s twice: %s, and whole %s", all.text[at], told, whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_segment_may_be_left_out),
        cmocka_unit_test(any_two_segments_may_be_left_out),
        cmocka_unit_test(segments_captured_in_another_order_tell_the_same),
        cmocka_unit_test(every_segment_twice_changes_only_the_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
