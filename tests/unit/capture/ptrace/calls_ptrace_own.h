/* Internal to calls_ptrace.c and calls_ptrace_lives.c. */
#ifndef TCPWHY_CALLS_PTRACE_OWN_H
#define TCPWHY_CALLS_PTRACE_OWN_H

#include "base/buf.h"
#include "capture/ptrace/calls_ptrace.h"
#include "capture/ptrace/sockinfo.h"
#include "support/actors.h"

struct run {
    struct calls *calls;
    struct event_log *log;
    struct child child;
    struct err err;
    int status;
};

void run_begin(struct run *run, const char *actor);
size_t run_drain(struct run *run);
/* SIGCHLD is blocked by main, so waiting for it loses none. */
void run_wait(void);
void run_to_end(struct run *run);
void run_free(struct run *run);
void run_whole(struct run *run, const char *actor);
/* The n-th (from 0) event of this kind and name; fails where there is none. */
const struct event_call *call_at(const struct run *run, enum event_kind kind, const char *name, size_t n);
size_t count_of(const struct run *run, enum event_kind kind, const char *name);
/* "connect(4, 127.0.0.1:PORT) = 0" lines of the calls between execve and exit_group, a line a side: "> " enter, "< " exit. The
 * listener's port is written PORT. */
void assert_calls(const struct run *run, const char *expected);
const struct event *process_at(const struct run *run, uint8_t change, size_t n);
/* Its end may be reported before its parent's word that it began, and the dead is to be seen in /proc for long: it must not be
 * waited for. */
void a_child_that_ends_at_once_begins_once_and_ends_once(void **state);
void a_thread_has_its_own_tid_and_its_process_pid(void **state);
void execve_by_another_thread_ends_the_calls_of_the_rest(void **state);
void execve_names_its_path_its_failure_and_what_it_closes(void **state);
void sigkill_ends_a_process_in_the_middle_of_a_call(void **state);
void a_restarted_call_ends_and_begins_again(void **state);
void a_poll_goes_on_after_stop_and_continue(void **state);
void a_descriptor_that_becomes_another_socket_meanwhile_misleads_nobody(void **state);
void a_descriptor_that_is_used_again_is_what_it_is_now(void **state);
void datagrams_show_where_they_go(void **state);
void calls_that_concern_no_inet_socket_are_not_recorded(void **state);
void the_report_counts_what_was_recorded_and_lost_nothing(void **state);
void a_command_that_is_not_there_is_told_and_reaped(void **state);
void closing_ends_what_could_not_go_on_without_a_tracer(void **state);
/* Between its gate and its exec nobody has seen the filter yet, but it may be on. */
void closing_ends_a_child_that_has_not_begun(void **state);
void closing_lets_a_process_without_the_filter_run_on(void **state);
void a_recorder_that_is_killed_takes_all_descendants_with_it(void **state);
void following_a_process_twice_fails_with_a_sentence(void **state);
void a_place_that_refuses_names_what_it_refuses(void **state);
void the_look_at_a_socket_leaves_nothing_open(void **state);
void the_recorder_of_nothing_reaps_and_tells_the_end(void **state);

void waiting_calls_say_what_they_watch_and_what_was_ready(void **state);
void a_forked_child_is_followed_with_its_own_name_and_end(void **state);
void calls_that_take_their_socket_otherwise_are_recorded_with_it(void **state);
void what_is_taken_out_of_another_process_is_its_socket(void **state);

void a_filter_of_the_programs_own_finds_no_tracer_as_it_would_without_one(void **state);
void a_child_that_asks_not_to_be_traced_is_followed_and_its_calls_work(void **state);

void close_range_names_all_the_sockets_it_closes(void **state);
void dup2_over_a_socket_names_the_socket_it_closes(void **state);

#endif
