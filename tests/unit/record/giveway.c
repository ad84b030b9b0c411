/* A thread that gives way: when it does, when it does not, and that it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "record/giveway.h"
#include "rights/rights.h"

enum { FILLED_MOST = 25, LONG_MS = 60000, SHORT_MS = 20, UNTIL_MS = 30000 };

static atomic_uint filled;

static unsigned how_filled(const void *data)
{
    (void)data;
    return atomic_load(&filled);
}

static struct giveway *begun(int64_t patience_ms)
{
    const struct giveway_options options = {how_filled, NULL, FILLED_MOST, patience_ms * 1000000};
    atomic_store(&filled, 0);
    return giveway_begin(&options);
}

static void rest_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static int policy_within(int policy, int64_t ms)
{
    for (int64_t limit = clock_ms() + ms; sched_getscheduler(0) != policy && clock_ms() < limit;) rest_ms(1);
    return sched_getscheduler(0);
}

/* In a child that has given up all but `keep`: whether a thread of it gives way, and whether it is back when it has ended that. */
static void assert_of_child(unsigned keep, bool gives_way)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        struct err err = {""};
        if (setrlimit(RLIMIT_NICE, &none) || setpriority(PRIO_PROCESS, 0, -5) || rights_drop(keep, &err)) _exit(1);
        struct giveway *giveway = begun(LONG_MS);
        bool is_idle = sched_getscheduler(0) == SCHED_IDLE;
        giveway_done(giveway);
        giveway_end(giveway);
        if (is_idle != gives_way || (giveway != NULL) != gives_way) _exit(2);
        _exit(sched_getscheduler(0) != SCHED_OTHER);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void who_could_not_come_back_does_not_give_way(void **state)
{
    (void)state;
    assert_of_child(RIGHTS_NONE, false);
    assert_of_child(RIGHTS_HASTE, true);
}

static void it_gives_way_until_the_room_is_filled_and_again_when_all_is_taken(void **state)
{
    (void)state;
    struct giveway *giveway = begun(LONG_MS);
    assert_non_null(giveway);
    assert_int_equal(sched_getscheduler(0), SCHED_IDLE);
    atomic_store(&filled, FILLED_MOST - 1);
    rest_ms(50);
    assert_int_equal(sched_getscheduler(0), SCHED_IDLE);
    atomic_store(&filled, FILLED_MOST);
    assert_int_equal(policy_within(SCHED_OTHER, UNTIL_MS), SCHED_OTHER);
    assert_true(getpriority(PRIO_PROCESS, 0) < 0);
    atomic_store(&filled, 0);
    giveway_done(giveway);
    assert_int_equal(sched_getscheduler(0), SCHED_IDLE);
    giveway_end(giveway);
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

static void it_does_not_give_way_for_longer_than_it_may(void **state)
{
    (void)state;
    struct giveway *giveway = begun(SHORT_MS);
    assert_int_equal(policy_within(SCHED_OTHER, UNTIL_MS), SCHED_OTHER);
    giveway_done(giveway);
    assert_int_equal(policy_within(SCHED_OTHER, UNTIL_MS), SCHED_OTHER);
    giveway_end(giveway);
}

/* What the end waits for is the thread beside, which sleeps. */
static void it_ends_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) giveway_end(begun(LONG_MS));
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_could_not_come_back_does_not_give_way),
        cmocka_unit_test(it_gives_way_until_the_room_is_filled_and_again_when_all_is_taken),
        cmocka_unit_test(it_does_not_give_way_for_longer_than_it_may),
        cmocka_unit_test(it_ends_at_once),
    };
    (void)giveway_permit();
    return cmocka_run_group_tests_name("giveway", tests, NULL, NULL);
}
