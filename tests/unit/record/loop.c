/* The loop of a live session: what it waits for, and what breaks it off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "record/loop.h"

struct world {
    struct loop loop;
    size_t looks;
    int fails_at; /* the look that fails; 0: none */
    size_t restless_until, restless_asked;
    bool stands_once; /* the first look takes long */
};

static int look(void *data, struct err *err)
{
    struct world *world = data;
    world->looks++;
    if (world->stands_once && world->looks == 1) nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    return world->fails_at && (int)world->looks == world->fails_at ? err_set(err, -EBADF, "the world is gone") : 0;
}

static bool has_looked(void *data, size_t times)
{
    const struct world *world = data;
    return world->looks >= times;
}

static bool never(void *data, size_t unused)
{
    (void)data, (void)unused;
    return false;
}

static bool is_restless(void *data)
{
    struct world *world = data;
    return ++world->restless_asked <= world->restless_until;
}

static int begin(void **state)
{
    static const struct session_options options = {.recorder = "none"};
    static struct world world;
    struct err err = {""};
    world = (struct world){.loop = {.fd = -1, .look = look, .data = &world, .deadline_ms = INT64_MAX}};
    if (session_open(&world.loop.session, &options, &err)) fail_msg("%s", err.text);
    *state = &world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    session_close(world->loop.session);
    return 0;
}

static void what_holds_already_is_not_waited_for(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    world->loop.deadline_ms = 0;
    assert_int_equal(loop_until(&world->loop, has_looked, 0, 0, 1, &err), 0);
    assert_int_equal(world->looks, 0);
}

static void it_steps_until_the_condition_holds(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    assert_int_equal(loop_until(&world->loop, has_looked, 3, -1, 1, &err), 0);
    assert_int_equal(world->looks, 3);
}

static void the_limit_and_the_deadline_are_told_apart(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    int64_t before = clock_ms();
    assert_int_equal(loop_until(&world->loop, never, 0, 30, 5000, &err), 1);
    world->loop.deadline_ms = clock_ms() + 30;
    assert_int_equal(loop_until(&world->loop, never, 0, -1, 5000, &err), -ETIMEDOUT);
    assert_int_equal(loop_until(&world->loop, never, 0, 30, 5000, &err), -ETIMEDOUT);
    assert_true(clock_ms() - before >= 60);
    assert_true(clock_ms() - before < 4000); /* a step is no longer than what is left */
}

static void what_can_be_read_ends_a_step(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    world->loop.fd = ends[0];
    int64_t before = clock_ms();
    assert_int_equal(loop_until(&world->loop, has_looked, 1, -1, 60000, &err), 0);
    assert_true(clock_ms() - before < 30000);
    close(ends[0]);
    close(ends[1]);
}

static void a_signal_breaks_off_until_it_is_heeded(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    raise(SIGTERM);
    assert_int_equal(loop_until(&world->loop, never, 0, -1, 1, &err), -EINTR);
    assert_int_equal(loop_rest(&world->loop, 1, 1000, NULL, &err), -EINTR);
    loop_heed(&world->loop);
    assert_int_equal(loop_until(&world->loop, has_looked, world->looks + 2, -1, 1, &err), 0);
    assert_int_equal(loop_rest(&world->loop, 1, 60000, NULL, &err), 0);
    raise(SIGINT);
    assert_int_equal(loop_until(&world->loop, never, 0, -1, 1, &err), -EINTR);
}

static void what_fails_in_a_look_ends_both_loops(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    world->fails_at = 2;
    assert_int_equal(loop_until(&world->loop, never, 0, -1, 1, &err), -EBADF);
    assert_string_equal(err.text, "the world is gone");
    world->fails_at = 3;
    assert_int_equal(loop_rest(&world->loop, 1, 60000, NULL, &err), -EBADF);
}

static void rest_is_when_nothing_came_and_nobody_is_restless(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    int64_t before = clock_ms();
    assert_int_equal(loop_rest(&world->loop, 30, 60000, NULL, &err), 0);
    assert_true(clock_ms() - before >= 30);
    world->restless_until = 3;
    assert_int_equal(loop_rest(&world->loop, 5, 60000, is_restless, &err), 0);
    assert_int_equal(world->restless_asked, 4);
}

static void rest_that_does_not_come_is_given_up_at_the_limit_or_the_deadline(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    world->restless_until = SIZE_MAX;
    assert_int_equal(loop_rest(&world->loop, 5, 50, is_restless, &err), 1);
    world->loop.deadline_ms = clock_ms() + 30;
    assert_int_equal(loop_rest(&world->loop, 5, 60000, is_restless, &err), 1);
}

static void while_the_machine_stands_still_the_limit_does_too(void **state)
{
    struct world *world = *state;
    struct err err = {""};
    world->stands_once = true;
    world->restless_until = 2; /* asked in vain right after it stood; the limit alone would be over */
    assert_int_equal(loop_rest(&world->loop, 5, 250, is_restless, &err), 0);
}

int main(void)
{
#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        LOOP_TEST(what_holds_already_is_not_waited_for),
        LOOP_TEST(it_steps_until_the_condition_holds),
        LOOP_TEST(the_limit_and_the_deadline_are_told_apart),
        LOOP_TEST(what_can_be_read_ends_a_step),
        LOOP_TEST(a_signal_breaks_off_until_it_is_heeded),
        LOOP_TEST(what_fails_in_a_look_ends_both_loops),
        LOOP_TEST(rest_is_when_nothing_came_and_nobody_is_restless),
        LOOP_TEST(rest_that_does_not_come_is_given_up_at_the_limit_or_the_deadline),
        LOOP_TEST(while_the_machine_stands_still_the_limit_does_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
