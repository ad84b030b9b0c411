/* Internal to calls_bpf*.c. */
#ifndef TCPWHY_CALLS_BPF_OWN_H
#define TCPWHY_CALLS_BPF_OWN_H

#include <sys/types.h>

#include "capture/bpf/calls_bpf.h"

enum { PORT = 3333, CLOSED_PORT = 9, OTHER_PORT = 4444, CONNECTIONS = 100, MS = 1000000 };

/* What a child does (calls_bpf_play.c); what goes wrong there ends it with status 99. */
void need(int ok);
void sleep_ms(long ms);
int listening(uint16_t port);
int connected(uint16_t port);
void talk_once(void);
void talk_once_over_ipv6(void);
void talk_once_over_mptcp(void);
void accept_a_late_client(void);
void leave_an_orphan_in_fin_wait_2(void);
void connect_to_a_closed_port(void);
void close_with_unread_bytes(void);
void be_killed_with_a_connection(void);
void send_a_datagram_to_nobody(void);
void poll_two_sockets(void);
void close_by_dup2(void);
void pass_on(void);
void connect_many_times(void);
void knock_at_a_socket_that_takes_nothing(void);
void knock_at_a_full_listener(void);
void send_very_many_datagrams(void);

/* Recording it, and looking at it (calls_bpf_look.c). */
typedef bool event_test(const struct event *event, const void *data);

struct wanted_mark {
    uint8_t flags;
    uint16_t src, dst; /* 0: any */
};

void enter_namespace(void);
uint64_t own_netns(void);
extern bool by_helpers; /* what is opened reads the kernel's memory as on kernels before 6.2 */
struct calls *opened(const struct calls_options *options);
pid_t child_at_gate(void (*part)(void), int gate[2]);
void gate_open(int gate[2]);
struct event_log *recorded_with(void (*part)(void), const struct calls_options *options, bool drains);
struct event_log *recorded(void (*part)(void));
const struct event_log *talked_once(void); /* talk_once(), recorded once for all tests of a group */
void talked_forget(void);
size_t count_where(const struct event_log *log, event_test *test, const void *data, const struct event **ret_last);
const struct event *only(const struct event_log *log, event_test *test, const void *data, const char *what);
int by_value(const void *a, const void *b); /* calls_bpf.c */
bool is_mark(const struct event *event, const void *data);
bool is_enter(const struct event *event, const void *name);
bool is_exit(const struct event *event, const void *name);
bool is_state(const struct event *event, const void *data);
bool is_kind(const struct event *event, const void *kind);
bool is_process(const struct event *event, const void *change);
bool is_lost(const struct event *event, const void *what);
bool chain_has(const struct event_chain *chain, const char *name);
bool chain_has_call(const struct event_chain *chain, const char *name);

#define MARK(log, ...) (&only(log, is_mark, &(struct wanted_mark){.flags = __VA_ARGS__}, "mark " #__VA_ARGS__)->mark)
#define ENTER(log, name) (&only(log, is_enter, name, "enter " name)->call)
#define EXIT(log, name) (&only(log, is_exit, name, "exit " name)->call)
#define STATE(log, ...) (&only(log, is_state, &(uint8_t[2]){__VA_ARGS__}, "state " #__VA_ARGS__)->state)

/* The tests. */
void a_blocked_accept_is_woken_by_the_handshakes_last_segment(void **state);
void a_call_that_found_what_it_wanted_never_slept(void **state);
void a_socket_of_multipath_tcp_and_its_first_subflow_have_one_identity(void **state);
void the_timer_of_a_timewait_socket_names_its_connection(void **state);
void a_closed_port_answers_with_a_reset_that_no_socket_made(void **state);
void closing_with_unread_bytes_is_an_active_reset_with_its_reason(void **state);
void what_the_kernel_throws_away_has_its_own_reason(void **state);
void a_syn_finds_the_queues_of_its_listener_as_they_are(void **state);
void a_killed_process_is_seen_to_end_before_its_fin_leaves(void **state);
void a_datagram_to_a_closed_port_is_answered_by_icmp(void **state);
void poll_says_what_it_watches_and_what_was_ready(void **state);
void dup2_names_the_socket_that_it_closes(void **state);
void splice_names_the_socket_fcntl_and_pidfd_getfd_the_one_that_they_copy(void **state);
void given_ports_leave_others_out_and_other_namespaces_too(void **state);
void without_stacks_the_context_remains(void **state);
void a_process_that_is_not_followed_is_not_recorded(void **state);
void a_process_that_is_gone_cannot_be_followed(void **state);
void nothing_is_lost_in_a_quiet_run_and_that_is_said(void **state);
void a_full_ring_is_counted(void **state);
void a_socket_that_was_pushed_out_is_counted_and_never_another_one(void **state);
void a_call_that_was_pushed_out_is_counted_and_has_no_end(void **state);
void a_process_that_was_pushed_out_is_counted_and_tells_nothing(void **state);
void an_ordinary_user_is_told_which_privilege_is_missing(void **state);
void root_of_a_user_namespace_is_told_that_this_is_it(void **state);

#endif
