/* The two stops of a call, as the kernel tells them, and the events that they become. Nobody is traced: the thread is this one. */
#include "capture/ptrace/ptrace_call.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/procinfo.h"
#include "capture/ptrace/ptrace_filter.h"
#include "capture/ptrace/sockinfo.h"

#if defined(__x86_64__)
enum { NATIVE = (int)AUDIT_ARCH_X86_64, FOREIGN = (int)AUDIT_ARCH_I386 };
#else
enum { NATIVE = (int)AUDIT_ARCH_AARCH64, FOREIGN = (int)AUDIT_ARCH_ARM };
#endif

enum { RING_SETUP = 425, RING_ENTER = 426, OWN_MARK = 1, EXIT_NS = 1234567 };

static struct calls calls;
static struct event_log *event_log;
static struct ptrace_task *me;
static int tcp;

static int setup(void **state)
{
    (void)state;
    calls = (struct calls){.appended = 0};
    if (ptrace_tasks_init(&calls.tasks)) return -1;
    event_log = event_log_new();
    me = ptrace_task_add(&calls.tasks, getpid(), getpid());
    tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return event_log && me && tcp >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ptrace_tasks_free(&calls.tasks);
    event_log_free(event_log);
    close(tcp);
    return 0;
}

static struct ptrace_syscall_info at_filter(long number, uint64_t first, uint64_t second, unsigned mark, int arch)
{
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof(info));
    info.op = PTRACE_SYSCALL_INFO_SECCOMP;
    info.arch = (uint32_t)arch;
    info.seccomp.nr = (uint64_t)number;
    info.seccomp.args[0] = first, info.seccomp.args[1] = second;
    info.seccomp.ret_data = mark;
    return info;
}

static struct ptrace_syscall_info at_entry(long number, uint64_t first, int arch)
{
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof(info));
    info.op = PTRACE_SYSCALL_INFO_ENTRY;
    info.arch = (uint32_t)arch;
    info.entry.nr = (uint64_t)number;
    info.entry.args[0] = first;
    return info;
}

static struct ptrace_syscall_info at_exit(int64_t ret)
{
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof(info));
    info.op = PTRACE_SYSCALL_INFO_EXIT;
    info.exit.rval = ret;
    return info;
}

static void stop_filter(long number, uint64_t first, uint64_t second)
{
    const struct ptrace_syscall_info info = at_filter(number, first, second, PTRACE_FILTER_MARK, NATIVE);
    assert_int_equal(ptrace_call_at_filter(&calls, event_log, me, &info), 0);
}

static void stop(struct ptrace_syscall_info info)
{
    assert_int_equal(ptrace_call_at_stop(&calls, event_log, me, &info, EXIT_NS), 0);
}

static const struct event *last(void)
{
    assert_true(event_log_count(event_log) > 0);
    return event_log_at(event_log, event_log_count(event_log) - 1);
}

static void a_call_is_told_where_it_begins_and_where_it_ends(void **state)
{
    (void)state;
    stop_filter(SYS_listen, (uint64_t)tcp, 5);
    assert_int_equal(event_log_count(event_log), 1);
    assert_int_equal(last()->kind, EVENT_ENTER);
    assert_string_equal(last()->call.name, "listen");
    assert_int_equal(last()->call.thread.tid, getpid());
    assert_true(me->in_call && me->marked && me->filtered);
    stop(at_exit(-EADDRINUSE));
    assert_int_equal(event_log_count(event_log), 2);
    assert_int_equal(last()->kind, EVENT_EXIT);
    assert_int_equal(last()->t_ns, EXIT_NS);
    assert_int_equal(last()->call.ret, -EADDRINUSE);
    assert_false(me->in_call);
    stop(at_exit(0)); /* of a call that was not recorded */
    assert_int_equal(event_log_count(event_log), 2);
    assert_int_equal(calls.appended, 2);
    assert_int_equal(calls.unseen, 0);
    stop_filter(SYS_exit_group, 0, 0); /* it does not end */
    assert_int_equal(event_log_count(event_log), 3);
    assert_false(me->in_call);
}

static void what_a_filters_stop_is_not_for_becomes_no_event(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        long number;
        unsigned mark;
        int arch;
        uint8_t op;
        bool is_told, is_marked;
    } cases[] = {
        {"a call", SYS_listen, PTRACE_FILTER_MARK, NATIVE, PTRACE_SYSCALL_INFO_SECCOMP, true, true},
        {"marked in the lower half alone", SYS_listen, 0x50000 | PTRACE_FILTER_MARK, NATIVE, PTRACE_SYSCALL_INFO_SECCOMP, true,
         true},
        {"a filter of the program's own", SYS_listen, OWN_MARK, NATIVE, PTRACE_SYSCALL_INFO_SECCOMP, false, false},
        {"of a 32-bit program", SYS_listen, PTRACE_FILTER_MARK, FOREIGN, PTRACE_SYSCALL_INFO_SECCOMP, false, false},
        {"clone", SYS_clone, PTRACE_FILTER_MARK, NATIVE, PTRACE_SYSCALL_INFO_SECCOMP, false, true},
        {"clone3", SYS_clone3, PTRACE_FILTER_MARK, NATIVE, PTRACE_SYSCALL_INFO_SECCOMP, false, true},
        {"a call that is not in the table", SYS_getpid, PTRACE_FILTER_MARK, NATIVE, PTRACE_SYSCALL_INFO_SECCOMP, false, true},
        {"nobody knows what", SYS_listen, PTRACE_FILTER_MARK, NATIVE, PTRACE_SYSCALL_INFO_NONE, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ptrace_syscall_info info = at_filter(cases[i].number, (uint64_t)tcp, 5, cases[i].mark, cases[i].arch);
        size_t before = event_log_count(event_log);
        info.op = cases[i].op;
        me->in_call = true;
        me->marked = me->filtered = false;
        assert_int_equal(ptrace_call_at_filter(&calls, event_log, me, &info), 0);
        if (event_log_count(event_log) != before + cases[i].is_told) fail_msg("%s: told", cases[i].name);
        if (me->in_call != cases[i].is_told) fail_msg("%s: in a call", cases[i].name);
        if (me->marked != cases[i].is_marked || me->filtered != cases[i].is_marked) fail_msg("%s: marked", cases[i].name);
    }
}

static void calls_that_say_something_of_the_thread_are_noted(void **state)
{
    (void)state;
    static const struct {
        long number;
        bool names, supervises, has_rings, moves;
    } cases[] = {
        {SYS_listen, false, false, false, false}, {SYS_prctl, true, false, false, false},
        {SYS_seccomp, false, true, false, false}, {RING_SETUP, false, false, true, false},
        {RING_ENTER, false, false, true, false},  {SYS_setns, false, false, false, true},
        {SYS_unshare, false, false, false, true}, {SYS_execve, false, false, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        me->named_ns = 1LL << 62; /* of a clock that was set back: it is read again where a call is told */
        me->files.supervised = calls.tasks.has_rings = false;
        me->at_home = true;
        const struct ptrace_syscall_info info = at_filter(cases[i].number, 10000, 0, PTRACE_FILTER_MARK, NATIVE);
        assert_int_equal(ptrace_call_at_filter(&calls, event_log, me, &info), 0);
        bool is_told = cases[i].number == RING_ENTER || cases[i].number == SYS_execve;
        if (!is_told && (me->named_ns == 0) != cases[i].names) fail_msg("case %zu: name", i);
        if (me->files.supervised != cases[i].supervises) fail_msg("case %zu: supervised", i);
        if (calls.tasks.has_rings != cases[i].has_rings) fail_msg("case %zu: rings", i);
        if (me->at_home == cases[i].moves) fail_msg("case %zu: at home", i);
    }
}

static void restart_syscall_goes_on_with_the_call_before_it(void **state)
{
    (void)state;
    static const struct {
        int64_t ret;
        bool goes_on;
    } cases[] = {{-516, true}, {-515, false}, {-517, false}, {-EINTR, false}, {516, false}, {0, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        stop_filter(SYS_listen, (uint64_t)tcp, 5);
        stop(at_exit(cases[i].ret));
        size_t before = event_log_count(event_log);
        stop_filter(SYS_restart_syscall, 0, 0);
        assert_int_equal(event_log_count(event_log), before + cases[i].goes_on);
        if (cases[i].goes_on) assert_string_equal(last()->call.name, "listen");
        stop_filter(SYS_restart_syscall, 0, 0); /* once */
        assert_int_equal(event_log_count(event_log), before + cases[i].goes_on);
        stop(at_exit(0));
    }
}

static void of_what_was_attached_every_call_stops_and_those_of_the_table_are_told(void **state)
{
    (void)state;
    stop(at_entry(SYS_listen, (uint64_t)tcp, NATIVE));
    assert_int_equal(event_log_count(event_log), 0); /* not attached: the filter says it */
    me->attached = true;
    stop(at_entry(SYS_listen, (uint64_t)tcp, FOREIGN));
    assert_int_equal(event_log_count(event_log), 0);
    stop(at_entry(SYS_getpid, 0, NATIVE));
    stop(at_exit(1));
    assert_int_equal(event_log_count(event_log), 0);
    stop(at_entry(SYS_listen, (uint64_t)tcp, NATIVE));
    stop(at_exit(0));
    assert_int_equal(event_log_count(event_log), 2);
    /* The call that it slept in when it was attached: it began before anybody looked. */
    me->goes_on = true;
    stop(at_entry(SYS_listen, (uint64_t)tcp, NATIVE));
    assert_int_equal(event_log_count(event_log), 2);
    stop(at_exit(0));
    assert_int_equal(event_log_count(event_log), 3);
    assert_int_equal(last()->kind, EVENT_EXIT);
    stop(at_entry(SYS_listen, (uint64_t)tcp, NATIVE)); /* and no other */
    assert_int_equal(last()->kind, EVENT_ENTER);
}

/* ---- the network of a socket that was made ---- */

static struct {
    int asked;
    pid_t tid;
    uint64_t netns;
    bool captures;
} network;

static bool entered(void *data, pid_t tid, uint64_t netns)
{
    assert_ptr_equal(data, &network);
    network.asked++;
    network.tid = tid;
    network.netns = netns;
    return network.captures;
}

static void a_socket_where_nothing_is_captured_is_counted(void **state)
{
    (void)state;
    uint64_t here = procinfo_netns(0);
    const struct {
        const char *name;
        uint64_t netns[2];
        size_t count;
        bool is_heard, captures;
        int64_t ret;
        uint64_t elsewhere;
        int asked;
    } cases[] = {
        {"captured in this one, where it is", {0}, 0, true, false, 0, 0, 0},
        {"captured where it is", {here, 1}, 2, true, false, 0, 0, 0},
        {"captured where it is, named last", {1, here}, 2, true, false, 0, 0, 0},
        {"captured elsewhere, and nobody begins to", {1, 2}, 2, true, false, 0, 1, 1},
        {"captured elsewhere, and somebody begins to", {1, 2}, 2, true, true, 0, 0, 1},
        {"captured elsewhere, and nobody hears of it", {1, 2}, 2, false, true, 0, 1, 0},
        {"none was made", {1, 2}, 2, true, false, -EMFILE, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        teardown(NULL), setup(NULL);
        memcpy(calls.netns, cases[i].netns, sizeof(cases[i].netns));
        calls.netns_count = cases[i].count;
        calls.entered = cases[i].is_heard ? entered : NULL;
        calls.entered_data = &network;
        network.asked = 0, network.captures = cases[i].captures;
        int saved = dup(0);
        assert_int_equal(dup2(tcp, 0), 0); /* what it made is 0: a descriptor as any other */
        stop_filter(SYS_socket, AF_INET, SOCK_STREAM);
        stop(at_exit(cases[i].ret));
        assert_true(cases[i].ret < 0 ? !last()->call.socket.netns : last()->call.socket.netns == here);
        if (saved >= 0) dup2(saved, 0), close(saved);
        if (calls.elsewhere != cases[i].elsewhere) fail_msg("%s: %lu elsewhere", cases[i].name, (unsigned long)calls.elsewhere);
        if (network.asked != cases[i].asked) fail_msg("%s: asked %d times", cases[i].name, network.asked);
        if (network.asked && (network.tid != getpid() || network.netns != here)) fail_msg("%s: asked of another", cases[i].name);
        stop_filter(SYS_accept, (uint64_t)tcp, 0); /* makes none of its own choice */
        stop(at_exit(tcp));
        assert_int_equal(calls.elsewhere, cases[i].elsewhere);
        assert_true(last()->call.socket.cookie != 0 && !last()->call.socket.netns); /* where it was made is said by who made it */
    }
}

/* By the socket's own word the network is known again, and /proc need not be asked: here it says something else. */
static void a_network_that_was_seen_once_is_known_by_its_sockets(void **state)
{
    (void)state;
    stop_filter(SYS_socket, AF_INET, SOCK_STREAM);
    stop(at_exit(tcp));
    assert_true(calls.home == sockinfo_network(tcp));
    assert_false(me->at_home); /* seen by the first, known from the second on */
    if (!calls.home) return;   /* a kernel before Linux 5.14 */
    calls.netns[0] = 1, calls.netns_count = 1;
    stop_filter(SYS_socket, AF_INET, SOCK_STREAM);
    stop(at_exit(tcp));
    assert_true(me->at_home);
    assert_int_equal(calls.elsewhere, 0);
    me->at_home = false;
    calls.home++; /* another one */
    stop_filter(SYS_socket, AF_INET, SOCK_STREAM);
    stop(at_exit(tcp));
    assert_false(me->at_home);
    assert_int_equal(calls.elsewhere, 1);
    assert_true(calls.home == sockinfo_network(tcp) + 1); /* nothing was learnt where none is captured */
}

int main(void)
{
#define OWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        OWN(a_call_is_told_where_it_begins_and_where_it_ends),
        OWN(what_a_filters_stop_is_not_for_becomes_no_event),
        OWN(calls_that_say_something_of_the_thread_are_noted),
        OWN(restart_syscall_goes_on_with_the_call_before_it),
        OWN(of_what_was_attached_every_call_stops_and_those_of_the_table_are_told),
        OWN(a_socket_where_nothing_is_captured_is_counted),
        OWN(a_network_that_was_seen_once_is_known_by_its_sockets),
    };
    return cmocka_run_group_tests_name("ptrace_call", tests, NULL, NULL);
}
