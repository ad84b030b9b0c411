/* Many connections: what telling one costs does not grow with how many there were, nor does what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "stamp.h"
#include "story/tell/teller.h"
#include "story/track/track.h"

struct many {
    struct teller *teller;
    size_t stories, sequels;
    size_t most_sockets, most_threads, most_processes, most_epolls;
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int take_story(void *data, struct story *story)
{
    struct many *many = data;
    many->stories++;
    many->sequels += story->sequel;
    story_free(story);
    return 0;
}

static int feed(void *data, const struct event *event)
{
    struct many *many = data;
    many->most_sockets = larger(many->most_sockets, table_count(many->teller->sockets));
    many->most_threads = larger(many->most_threads, table_count(many->teller->threads));
    many->most_processes = larger(many->most_processes, table_count(many->teller->processes));
    many->most_epolls = larger(many->most_epolls, table_count(many->teller->epolls));
    return teller_feed(many->teller, event);
}

static struct stamp *stamp_of(const struct stamp_how *how)
{
    struct err err = {0};
    struct stamp *stamp = stamp_new(ECHO_EVENTS, how, &err);
    if (!stamp) fail_msg("%s", err.text);
    return stamp;
}

/* 10,000 a second. Tells all, and gives the CPU seconds that it took. */
static double tell_many(const struct stamp *stamp, size_t count, const struct teller_bounds *bounds, struct many *ret_many)
{
    struct timespec begun, ended;
    *ret_many = (struct many){.teller = teller_new(take_story, ret_many)};
    assert_non_null(ret_many->teller);
    teller_set_bounds(ret_many->teller, bounds);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
    assert_int_equal(stamp_run(stamp, count, feed, ret_many), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    return (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
}

static void end(struct many *many)
{
    assert_int_equal(teller_finish(many->teller), 0);
    teller_free(many->teller);
}

/* Three tries: another program may have had the cache. It was eightfold when each connection walked through all sockets. */
static void eight_times_as_many_cost_no_more_each(void **state)
{
    (void)state;
    const struct stamp_how how = {.period_ns = 100000};
    struct teller_bounds bounds = teller_live;
    bounds.closed_max = 256; /* so that nearly all are told on the way */
    struct stamp *stamp = stamp_of(&how);
    double least = 1e9;
    for (int i = 0; i < 3; i++) {
        struct many few, many;
        double of_few = tell_many(stamp, 500, &bounds, &few) / 500, of_many = tell_many(stamp, 4000, &bounds, &many) / 4000;
        if (of_many / of_few < least) least = of_many / of_few;
        end(&few);
        end(&many);
        assert_int_equal(few.stories, 500);
        assert_int_equal(many.stories, 4000);
    }
    assert_true(least < 2);
    stamp_free(stamp);
}

static void what_is_kept_follows_what_is_open(void **state)
{
    (void)state;
    const struct stamp_how how = {.period_ns = 100000};
    struct teller_bounds bounds = teller_live;
    bounds.closed_max = 512;
    struct stamp *stamp = stamp_of(&how);
    struct many many;
    tell_many(stamp, 6000, &bounds, &many);
    assert_in_range(table_count(many.teller->flows), 1, 600); /* the closed ones, and a dozen under way */
    assert_true(many.most_sockets < 1300);
    assert_true(many.most_threads < 520);                /* 256 of each side take turns */
    assert_true(tombs_count(many.teller->tombs) > 5000); /* all of them within a minute */
    end(&many);
    assert_int_equal(many.stories, 6000);
    assert_int_equal(many.sequels, 0);
    stamp_free(stamp);
}

/* Each client is a process of its own, which ends. */
static void processes_leave_a_second_after_their_end(void **state)
{
    (void)state;
    const struct stamp_how how = {.period_ns = 1000000, .processes = true}; /* 1,000 a second */
    struct stamp *stamp = stamp_of(&how);
    struct many many;
    tell_many(stamp, 4000, &teller_live, &many);
    assert_in_range(many.most_processes, 1000, 1030);
    assert_in_range(many.most_threads, 1000, 1300);
    end(&many);
    assert_int_equal(many.stories, 4000);
    stamp_free(stamp);
}

/* A server that never closes: each of its connections can be asked for, and none is told. */
static void connections_that_never_close_are_all_there(void **state)
{
    (void)state;
    const struct stamp_how how = {.period_ns = 100000, .open = true};
    struct stamp *stamp = stamp_of(&how);
    struct many many, open = {0};
    tell_many(stamp, 500, &teller_live, &many);
    assert_int_equal(many.stories, 0);
    assert_int_equal(teller_tell_open(many.teller, 0, take_story, &open), 0);
    assert_int_equal(open.stories, 500);
    end(&many);
    assert_int_equal(many.stories, 500);
    stamp_free(stamp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_times_as_many_cost_no_more_each),
        cmocka_unit_test(what_is_kept_follows_what_is_open),
        cmocka_unit_test(processes_leave_a_second_after_their_end),
        cmocka_unit_test(connections_that_never_close_are_all_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
