/* A wait that no segment ended: another thread's shutdown() did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

#define OTHER "pid=10 tid=11 comm=other "
#define SHUT(name)                                                                                                                 \
    ENTER(1990, OTHER, name, C_SOCK, " args=\"3, SHUT_RD\"")                                                                       \
    "wake t=2000000 " C_THREAD "cur.pid=10 cur.tid=11 cur.comm=other "                                                             \
    "chain=try_to_wake_up;sock_def_wakeup;inet_shutdown;__sys_shutdown;__x64_sys_shutdown\n" EXIT(2005, OTHER, name, C_SOCK,       \
                                                                                                  " ret=0")

#define RETURNS "exit t=2010" US " " C_THREAD "name=read fd=3 how=-1 level=-1 " C_SOCK " ret=0 slept=500000\n"

static void a_read_is_woken_by_another_threads_shutdown(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "") SHUT("shutdown") RETURNS, 0);
    const struct story *story = told->stories[0];
    const struct story_wake *wake = &told_call(story, STORY_CLIENT, "read", 1)->wake;
    assert_int_equal(wake->kind, WAKE_CALL);
    assert_int_equal(wake->evidence, EVIDENCE_STACK);
    assert_string_equal(story->steps[wake->step].call->name, "shutdown");
    told_free(told);
    /* Where that call was not recorded nobody is named. */
    told = tell_text(TRACE HANDSHAKE ENTER(1500, C_THREAD, "read", C_SOCK, "") SHUT("write") RETURNS, 0);
    assert_int_equal(told_call(told->stories[0], STORY_CLIENT, "read", 1)->wake.kind, WAKE_UNKNOWN);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_is_woken_by_another_threads_shutdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
