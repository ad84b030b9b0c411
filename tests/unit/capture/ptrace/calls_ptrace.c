/* The ptrace recorder, on real small programs: this file's own, run again with an actor's name (tests/support/actors.c). */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "calls_ptrace_own.h"
#include "capture/ptrace/calls_ptrace.h"
#include "capture/ptrace/sockinfo.h"
#include "support/actors.h"

/* ---- recording them ---- */

void run_begin(struct run *run, const char *actor)
{
    static char self[] = "/proc/self/exe", word[] = "actor";
    char *name = strdup(actor);
    *run = (struct run){.log = event_log_new(), .status = -1};
    struct child_options options = {.argv = (char *[]){self, word, name, NULL},
                                    .stdin_fd = -1,
                                    .stdout_fd = -1,
                                    .stderr_fd = -1,
                                    .keep_fds = {-1, -1, -1, -1},
                                    .setup = calls_ptrace.child_setup};
    if (calls_ptrace.open(&run->calls, &(struct calls_options){0}, &run->err)) fail_msg("%s", run->err.text);
    assert_int_equal(child_spawn(&options, &run->child, &run->err), 0);
    if (calls_ptrace.follow(run->calls, run->child.pid, &run->err)) fail_msg("%s", run->err.text);
    assert_int_equal(child_release(&run->child, &run->err), 0);
    free(name);
}

size_t run_drain(struct run *run)
{
    int got = calls_ptrace.drain(run->calls, run->log, &run->err);
    if (got < 0) fail_msg("%s", run->err.text);
    return event_log_count(run->log);
}

/* SIGCHLD is blocked by main, so waiting for it loses none. */
void run_wait(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigtimedwait(&set, NULL, &(struct timespec){.tv_nsec = 50000000});
}

void run_to_end(struct run *run)
{
    time_t limit = time(NULL) + 20;
    for (run_drain(run); !calls_ptrace.ended(run->calls, run->child.pid, &run->status); run_drain(run)) {
        if (time(NULL) > limit) fail_msg("it does not end");
        run_wait();
    }
}

void run_free(struct run *run)
{
    child_close(&run->child);
    calls_ptrace.close(run->calls);
    event_log_free(run->log);
}

void run_whole(struct run *run, const char *actor)
{
    run_begin(run, actor);
    run_to_end(run);
    if (run->status) fail_msg("the actor ended with status %#x", (unsigned)run->status);
}

/* ---- reading the log ---- */

static bool is_call(const struct event *event)
{
    return event->kind == EVENT_ENTER || event->kind == EVENT_EXIT;
}

/* The n-th (from 0) event of this kind and name; fails where there is none. */
const struct event_call *call_at(const struct run *run, enum event_kind kind, const char *name, size_t n)
{
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        if (event->kind == kind && strcmp(event->call.name, name) == 0 && !n--) return &event->call;
    }
    fail_msg("no such %s in the log", name);
    return NULL;
}

size_t count_of(const struct run *run, enum event_kind kind, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        if (event->kind == kind && (!name || strcmp(event->call.name, name) == 0)) count++;
    }
    return count;
}

/* "connect(4, 127.0.0.1:PORT) = 0" lines of the calls between execve and exit_group, a line a side: "> " enter, "< " exit. The
 * listener's port is written PORT. */
void assert_calls(const struct run *run, const char *expected)
{
    struct buf text = buf_new(1 << 16);
    char port[16] = ":0";
    for (size_t i = 0; i < event_log_count(run->log); i++) {
        const struct event *event = event_log_at(run->log, i);
        if (!is_call(event) || strncmp(event->call.name, "exec", 4) == 0 || strcmp(event->call.name, "exit_group") == 0) continue;
        const struct event_call *call = &event->call;
        if (strcmp(call->name, "bind") == 0 && call->socket.local.port)
            snprintf(port, sizeof(port), ":%u", call->socket.local.port);
        if (event->kind == EVENT_ENTER) {
            const char *at = strlen(port) > 2 ? strstr(call->args, port) : NULL;
            if (at)
                buf_printf(&text, "> %s(%.*s:PORT)\n", call->name, (int)(at - call->args), call->args);
            else
                buf_printf(&text, "> %s(%s)\n", call->name, call->args);
        } else {
            buf_printf(&text, "< %s = %lld\n", call->name, (long long)call->ret);
        }
    }
    assert_string_equal(buf_string(&text), expected);
    buf_free(&text);
}

/* ---- the tests ---- */

static void the_calls_of_a_conversation_are_recorded_in_order(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "talk");
    assert_calls(&run, "> socket(AF_INET, SOCK_STREAM, 0)\n"
                       "< socket = 3\n"
                       "> bind(3, 127.0.0.1:0)\n"
                       "< bind = 0\n"
                       "> listen(3, 5)\n"
                       "< listen = 0\n"
                       "> socket(AF_INET, SOCK_STREAM, 0)\n"
                       "< socket = 4\n"
                       "> connect(4, 127.0.0.1:PORT)\n"
                       "< connect = 0\n"
                       "> accept(3)\n"
                       "< accept = 5\n"
                       "> write(4, ..., 5)\n"
                       "< write = 5\n"
                       "> read(5, ..., 16)\n"
                       "< read = 5\n"
                       "> shutdown(4, SHUT_WR)\n"
                       "< shutdown = 0\n"
                       "> read(5, ..., 16)\n"
                       "< read = 0\n"
                       "> close(5)\n"
                       "< close = 0\n"
                       "> close(4)\n"
                       "< close = 0\n"
                       "> close(3)\n"
                       "< close = 0\n");

    const struct event_call *listener = call_at(&run, EVENT_EXIT, "socket", 0), *client = call_at(&run, EVENT_EXIT, "socket", 1);
    const struct event_call *accept = call_at(&run, EVENT_EXIT, "accept", 0), *connect = call_at(&run, EVENT_EXIT, "connect", 0);
    assert_true(listener->socket.cookie && client->socket.cookie && accept->other.cookie);
    assert_int_equal(accept->socket.cookie, listener->socket.cookie);
    assert_true(accept->other.cookie != listener->socket.cookie && accept->other.cookie != client->socket.cookie);
    assert_int_equal(connect->socket.cookie, client->socket.cookie);
    assert_int_equal(connect->slept_ns, -1);
    assert_int_equal(connect->args[0], 0);

    /* The two ends know each other by their addresses. */
    assert_true(connect->socket.local.port && connect->socket.remote.port);
    assert_true(address_equal(&connect->socket.local, &accept->other.remote));
    assert_true(address_equal(&connect->socket.remote, &accept->other.local));
    assert_int_equal(call_at(&run, EVENT_ENTER, "connect", 0)->socket.state, KERNEL_CLOSE);
    assert_int_equal(connect->socket.state, KERNEL_ESTABLISHED);
    assert_int_equal(accept->socket.state, KERNEL_LISTEN);

    /* close: what ENTER saw stays true of the socket that is gone. */
    assert_int_equal(call_at(&run, EVENT_EXIT, "close", 0)->socket.cookie, accept->other.cookie);
    assert_int_equal(call_at(&run, EVENT_EXIT, "close", 1)->socket.cookie, client->socket.cookie);

    assert_int_equal(call_at(&run, EVENT_ENTER, "shutdown", 0)->how, SHUT_WR);
    assert_int_equal(call_at(&run, EVENT_ENTER, "listen", 0)->how, 5);
    run_free(&run);
}

static void times_never_run_backwards_within_a_thread(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "talk");
    int64_t last = 0;
    for (size_t i = 0; i < event_log_count(run.log); i++) {
        const struct event *event = event_log_at(run.log, i);
        assert_true(event->t_ns >= last);
        last = event->t_ns;
    }
    assert_true(last - event_log_at(run.log, 0)->t_ns < 20000000000LL);
    assert_true(llabs(last / 1000000000 - (int64_t)time(NULL)) < 60); /* CLOCK_REALTIME */
    run_free(&run);
}

static void unread_bytes_are_seen_when_close_begins(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "unread");
    const struct event_call *close = call_at(&run, EVENT_ENTER, "close", 0);
    assert_true(close->socket.has_unread);
    assert_int_equal(close->socket.unread_bytes, 5);
    const struct event_call *send = call_at(&run, EVENT_ENTER, "send", 0);
    assert_string_equal(send->args, "4, ..., 5, MSG_NOSIGNAL");
    assert_false(send->socket.has_unread);
    run_free(&run);
}

static void a_refused_connect_keeps_the_peer_it_named(void **state)
{
    (void)state;
    struct run run;
    run_whole(&run, "refused");
    const struct event_call *connect = call_at(&run, EVENT_EXIT, "connect", 0);
    assert_int_equal(connect->ret, -ECONNREFUSED);
    char text[ADDRESS_TEXT_BYTES];
    address_format_ip(&connect->socket.remote, text);
    assert_string_equal(text, "127.0.0.1");
    assert_true(connect->socket.remote.port);
    run_free(&run);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "actor") == 0) return actors_act(argv[2]);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calls_of_a_conversation_are_recorded_in_order),
        cmocka_unit_test(times_never_run_backwards_within_a_thread),
        cmocka_unit_test(unread_bytes_are_seen_when_close_begins),
        cmocka_unit_test(a_refused_connect_keeps_the_peer_it_named),
        cmocka_unit_test(dup2_over_a_socket_names_the_socket_it_closes),
        cmocka_unit_test(close_range_names_all_the_sockets_it_closes),
        cmocka_unit_test(waiting_calls_say_what_they_watch_and_what_was_ready),
        cmocka_unit_test(a_forked_child_is_followed_with_its_own_name_and_end),
        cmocka_unit_test(calls_that_take_their_socket_otherwise_are_recorded_with_it),
        cmocka_unit_test(what_is_taken_out_of_another_process_is_its_socket),
        cmocka_unit_test(a_filter_of_the_programs_own_finds_no_tracer_as_it_would_without_one),
        cmocka_unit_test(a_child_that_asks_not_to_be_traced_is_followed_and_its_calls_work),
        cmocka_unit_test(a_child_that_ends_at_once_begins_once_and_ends_once),
        cmocka_unit_test(a_thread_has_its_own_tid_and_its_process_pid),
        cmocka_unit_test(execve_by_another_thread_ends_the_calls_of_the_rest),
        cmocka_unit_test(execve_names_its_path_its_failure_and_what_it_closes),
        cmocka_unit_test(sigkill_ends_a_process_in_the_middle_of_a_call),
        cmocka_unit_test(a_restarted_call_ends_and_begins_again),
        cmocka_unit_test(a_poll_goes_on_after_stop_and_continue),
        cmocka_unit_test(a_descriptor_that_becomes_another_socket_meanwhile_misleads_nobody),
        cmocka_unit_test(a_descriptor_that_is_used_again_is_what_it_is_now),
        cmocka_unit_test(datagrams_show_where_they_go),
        cmocka_unit_test(calls_that_concern_no_inet_socket_are_not_recorded),
        cmocka_unit_test(the_report_counts_what_was_recorded_and_lost_nothing),
        cmocka_unit_test(a_command_that_is_not_there_is_told_and_reaped),
        cmocka_unit_test(closing_ends_what_could_not_go_on_without_a_tracer),
        cmocka_unit_test(closing_ends_a_child_that_has_not_begun),
        cmocka_unit_test(closing_lets_a_process_without_the_filter_run_on),
        cmocka_unit_test(a_recorder_that_is_killed_takes_all_descendants_with_it),
        cmocka_unit_test(following_a_process_twice_fails_with_a_sentence),
        cmocka_unit_test(a_place_that_refuses_names_what_it_refuses),
        cmocka_unit_test(the_look_at_a_socket_leaves_nothing_open),
        cmocka_unit_test(the_recorder_of_nothing_reaps_and_tells_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
