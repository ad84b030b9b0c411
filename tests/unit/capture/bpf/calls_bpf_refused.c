/* Without the privilege. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "calls_bpf_own.h"

/* Opens in a child that `drops` something first; the child's exit status is 0 when it is refused with a sentence that has `word`,
 * and a long story.
 */
static int refusal(void (*drops)(void), const char *word)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        struct calls *calls = NULL;
        struct err err = {{0}};
        int result;

        drops();
        result = calls_bpf.open(&calls, &(struct calls_options){0}, &err);
        if (!strstr(err.text, word) || !*err_long_story(&err)) fprintf(stderr, "%d: %s\n", result, err.text);
        _exit(result != -EPERM ? 1 : !strstr(err.text, word) ? 2 : !*err_long_story(&err) ? 3 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void become_nobody(void)
{
    need(setgid(65534) == 0 && setuid(65534) == 0);
}
static void become_root_of_a_user_namespace(void)
{
    become_nobody();
    need(unshare(CLONE_NEWUSER) == 0);
}

void an_ordinary_user_is_told_which_privilege_is_missing(void **state)
{
    (void)state;
    assert_int_equal(refusal(become_nobody, "CAP_BPF"), 0);
    assert_int_equal(refusal(become_nobody, "CAP_PERFMON"), 0);
}

void root_of_a_user_namespace_is_told_that_this_is_it(void **state)
{
    (void)state;
    assert_int_equal(refusal(become_root_of_a_user_namespace, "user namespace"), 0);
}
