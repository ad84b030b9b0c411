/* What waits, what ends, what is not followed. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "calls_bpf_own.h"

static bool is_wake_of(const struct event *event, const void *tid)
{
    return event->kind == EVENT_WAKE && event->wake.thread.tid == *(const int32_t *)tid;
}

void a_blocked_accept_is_woken_by_the_handshakes_last_segment(void **state)
{
    struct event_log *log = recorded(accept_a_late_client);
    const struct event_call *accepted = EXIT(log, "accept");
    const struct event_wake *wake = &only(log, is_wake_of, &accepted->thread.tid, "wake of accept")->wake;

    (void)state;
    assert_true(accepted->slept_ns > 30 * MS && accepted->slept_ns < 1000L * MS);
    assert_true(chain_has(wake->context.chain, "sock_def_readable"));
    assert_true(wake->context.receiving);
    assert_int_equal(wake->context.received.flags, TCP_ACK);
    assert_int_equal(wake->context.received.dst.port, PORT);
    assert_int_not_equal(wake->context.current.pid, accepted->thread.pid);
    event_log_free(log);
}

void a_call_that_found_what_it_wanted_never_slept(void **state)
{
    const struct event_log *log = talked_once();

    (void)state;
    assert_int_equal(EXIT(log, "accept")->slept_ns, 0);
    assert_int_equal(EXIT(log, "recv")->slept_ns, 0);
}

static bool is_reset(const struct event *event, const void *sent)
{
    return event->kind == EVENT_RESET && event->reset.sent == *(const bool *)sent;
}

/* A descriptor of Multipath TCP leads to a socket that sends nothing: its first subflow does, and is the same to a story. */
void a_socket_of_multipath_tcp_and_its_first_subflow_have_one_identity(void **state)
{
    int trial = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

    (void)state;
    if (trial < 0) { /* a kernel without it: then there is nothing to be taken apart */
        assert_int_equal(errno, EPROTONOSUPPORT);
        return;
    }
    close(trial);

    struct event_log *log = recorded(talk_once_over_mptcp);
    const struct event_mark *syn = MARK(log, TCP_SYN);
    const struct event_call *connects = EXIT(log, "connect"), *accepts = EXIT(log, "accept");
    const struct event_state *child = STATE(log, KERNEL_LISTEN, KERNEL_SYN_RECV);

    const struct event *made = NULL; /* the client's own is the second */

    assert_int_equal(count_where(log, is_exit, "socket", &made), 2);
    assert_int_equal(made->call.socket.cookie, syn->socket.cookie);
    assert_int_not_equal(syn->socket.cookie, 0);
    assert_int_equal(ENTER(log, "connect")->socket.cookie, syn->socket.cookie);
    assert_int_equal(connects->socket.cookie, syn->socket.cookie);
    assert_true(address_equal(&connects->socket.remote, &syn->header.dst));
    assert_true(address_equal(&connects->socket.local, &syn->header.src));
    assert_int_equal(EXIT(log, "send")->socket.cookie, syn->socket.cookie);
    assert_int_equal(accepts->other.cookie, child->socket.cookie);
    assert_int_equal(EXIT(log, "recv")->socket.cookie, child->socket.cookie);
    assert_int_not_equal(child->socket.cookie, ENTER(log, "listen")->socket.cookie);
    assert_int_equal(STATE(log, KERNEL_CLOSE, KERNEL_LISTEN)->socket.cookie, ENTER(log, "listen")->socket.cookie);
    event_log_free(log);
}

void the_timer_of_a_timewait_socket_names_its_connection(void **state)
{
    struct event_log *log = recorded(leave_an_orphan_in_fin_wait_2);
    const enum event_kind kind = EVENT_TIMER;
    const struct event *event = only(log, is_kind, &kind, "timer");
    const struct event_timer *timer = &event->timer;
    const struct event_mark *fin = MARK(log, TCP_FIN | TCP_ACK, .dst = PORT);

    (void)state;
    assert_string_equal(timer->function, "tw_timer_handler");
    assert_int_equal(timer->socket.state, KERNEL_FIN_WAIT2);
    assert_int_equal(timer->netns, own_netns());
    assert_true(address_equal(&timer->socket.local, &fin->header.src));
    assert_true(address_equal(&timer->socket.remote, &fin->header.dst));
    assert_int_equal(timer->socket.cookie, ENTER(log, "connect")->socket.cookie);
    event_log_free(log);
}

void a_closed_port_answers_with_a_reset_that_no_socket_made(void **state)
{
    struct event_log *log = recorded(connect_to_a_closed_port);
    const struct event_mark *reset = MARK(log, TCP_RST | TCP_ACK);
    const struct event_reset *received = &only(log, is_reset, &(bool){false}, "reset received")->reset;

    (void)state;
    assert_int_equal(reset->socket.cookie, 0);
    assert_int_equal(reset->socket.protocol, 0);
    assert_true(chain_has(reset->context.chain, "tcp_v4_send_reset"));
    assert_int_equal(reset->context.received.flags, TCP_SYN);
    assert_int_equal(received->socket.cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(EXIT(log, "connect")->ret, -ECONNREFUSED);
    event_log_free(log);
}

void closing_with_unread_bytes_is_an_active_reset_with_its_reason(void **state)
{
    struct event_log *log = recorded(close_with_unread_bytes);
    const struct event_reset *sent = &only(log, is_reset, &(bool){true}, "reset sent")->reset;

    (void)state;
    assert_true(chain_has(MARK(log, TCP_RST | TCP_ACK)->context.chain, "tcp_send_active_reset"));
    assert_int_equal(sent->socket.cookie, EXIT(log, "accept")->other.cookie);
    assert_int_equal(ENTER(log, "close")->socket.unread_bytes, 10);
    /* Linux 6.10 and later give reasons, and have this one. */
    if (sent->reason[0]) assert_string_equal(sent->reason, "TCP_ABORT_ON_CLOSE");
    event_log_free(log);
}

void what_the_kernel_throws_away_has_its_own_reason(void **state)
{
    struct event_log *log = recorded(knock_at_a_socket_that_takes_nothing);
    const enum event_kind kind = EVENT_DROP;
    const struct event *event = NULL;

    (void)state;
    if (count_where(log, is_lost, "without skb_drop_reason", &event)) { /* before Linux 5.17: it is said that there are none */
        assert_int_equal(count_where(log, is_kind, &kind, &event), 0);
        event_log_free(log);
        return;
    }
    assert_true(count_where(log, is_kind, &kind, &event) >= 1); /* the SYN is sent once, or again */
    assert_string_equal(event->drop.reason, "SOCKET_FILTER");
    assert_int_equal(event->drop.header.flags, TCP_SYN);
    assert_int_equal(event->drop.header.dst.port, PORT);
    assert_int_equal(event->drop.netns, own_netns());
    assert_false(event->drop.outgoing);
    event_log_free(log);
}

void a_syn_finds_the_queues_of_its_listener_as_they_are(void **state)
{
    static const uint32_t waiting[] = {0, 1, 2}; /* a backlog of 1 lets two wait */
    struct event_log *log = recorded(knock_at_a_full_listener);
    uint64_t listener = ENTER(log, "listen")->socket.cookie;
    uint16_t client = 0;
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);

        if (event->kind != EVENT_QUEUE || event->queue.dropped) continue;
        assert_int_equal(event->queue.header.flags, TCP_SYN);
        assert_int_equal(event->queue.socket.cookie, listener);
        assert_int_equal(event->queue.accept_most, 1);
        if (event->queue.header.src.port == client) continue; /* sent again */
        assert_true(seen < 3);
        assert_int_equal(event->queue.accept_length, waiting[seen++]);
        client = event->queue.header.src.port;
    }
    assert_int_equal(seen, 3);
    event_log_free(log);
}

void a_killed_process_is_seen_to_end_before_its_fin_leaves(void **state)
{
    struct event_log *log = recorded(be_killed_with_a_connection);
    const struct event *fork = only(log, is_process, &(uint8_t){PROCESS_FORK}, "fork"), *killed = NULL;
    const struct event_mark *fin = MARK(log, TCP_FIN | TCP_ACK, .dst = PORT);

    (void)state;
    for (size_t i = 0; i < event_log_count(log) && !killed; i++) {
        const struct event *event = event_log_at(log, i);

        if (event->kind == EVENT_PROCESS && event->process.change == PROCESS_EXIT) killed = event;
        assert_false(event->kind == EVENT_MARK && event->mark.header.flags & TCP_FIN);
    }
    assert_non_null(killed);
    assert_int_equal(killed->process.signal, SIGKILL);
    assert_int_equal(killed->process.status, -1);
    assert_int_equal(killed->process.thread.pid, fork->process.thread.pid);
    assert_int_not_equal(fork->process.parent, fork->process.thread.pid);
    assert_true(chain_has(fin->context.chain, "do_exit"));
    event_log_free(log);
}

static bool is_mark_of(const struct event *event, const void *protocol)
{
    return event->kind == EVENT_MARK && event->mark.header.protocol == *(const uint8_t *)protocol;
}

void a_datagram_to_a_closed_port_is_answered_by_icmp(void **state)
{
    struct event_log *log = recorded(send_a_datagram_to_nobody);
    const struct event_mark *datagram = &only(log, is_mark_of, &(uint8_t){IPPROTO_UDP}, "datagram")->mark;
    const struct event_mark *error = &only(log, is_mark_of, &(uint8_t){IPPROTO_ICMP}, "ICMP")->mark;

    (void)state;
    assert_int_equal(datagram->header.length_bytes, 3);
    assert_int_equal(datagram->socket.cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(datagram->socket.protocol, IPPROTO_UDP);
    assert_true(error->context.receiving);
    assert_int_equal(error->context.received.protocol, IPPROTO_UDP);
    assert_int_equal(error->context.received.dst.port, CLOSED_PORT);
    assert_int_equal(error->socket.cookie, 0);
    event_log_free(log);
}

void poll_says_what_it_watches_and_what_was_ready(void **state)
{
    struct event_log *log = recorded(poll_two_sockets);
    const struct event_call *enter = ENTER(log, "poll"), *exit = EXIT(log, "poll");
    uint64_t listener = ENTER(log, "listen")->socket.cookie;

    (void)state;
    assert_int_equal(enter->watch_count, 2); /* a pipe is no socket */
    assert_int_equal(enter->watch[0].cookie, listener);
    assert_int_equal(enter->watch[0].events, POLLIN);
    assert_int_equal(enter->watch[1].cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(exit->watch_count, 1);
    assert_int_equal(exit->watch[0].cookie, listener);
    assert_int_equal(exit->watch[0].events, POLLIN);
    event_log_free(log);
}

void dup2_names_the_socket_that_it_closes(void **state)
{
    struct event_log *log = recorded(close_by_dup2);

    (void)state;
    assert_int_equal(EXIT(log, "dup2")->other.cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(EXIT(log, "dup2")->socket.cookie, 0);
    event_log_free(log);
}

void splice_names_the_socket_fcntl_and_pidfd_getfd_the_one_that_they_copy(void **state)
{
    struct event_log *log = recorded(pass_on);

    (void)state;
    assert_int_equal(EXIT(log, "splice")->socket.cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(ENTER(log, "splice")->how, 1);
    assert_int_equal(EXIT(log, "splice")->how, 1);
    assert_int_equal(EXIT(log, "splice")->fd, ENTER(log, "connect")->fd);
    assert_int_equal(EXIT(log, "fcntl")->ret, 900);
    assert_int_equal(EXIT(log, "fcntl")->socket.cookie, EXIT(log, "accept")->other.cookie);
    assert_int_equal(EXIT(log, "pidfd_getfd")->other.cookie, EXIT(log, "accept")->other.cookie);
    assert_int_equal(EXIT(log, "pidfd_getfd")->socket.cookie, 0);
    event_log_free(log);
}

void given_ports_leave_others_out_and_other_namespaces_too(void **state)
{
    struct calls_options other_port = {.netns = {own_netns()}, .netns_count = 1, .ports = {OTHER_PORT}, .port_count = 1};
    struct calls_options right_port = {.netns = {own_netns()}, .netns_count = 1, .ports = {OTHER_PORT, PORT}, .port_count = 2};
    struct calls_options other_netns = {.netns = {own_netns() + 1}, .netns_count = 1};
    struct calls_options second_netns = {.netns = {own_netns() + 1, own_netns()}, .netns_count = 2};
    struct event_log *log;
    const struct event *ignored;

    (void)state;
    log = recorded_with(talk_once, &other_port, true);
    assert_int_equal(count_where(log, is_kind, &(enum event_kind){EVENT_MARK}, &ignored), 0);
    assert_int_equal(count_where(log, is_kind, &(enum event_kind){EVENT_STATE}, &ignored), 0);
    assert_non_null(ENTER(log, "connect")); /* calls are recorded all the same */
    event_log_free(log);
    log = recorded_with(talk_once, &other_netns, true);
    assert_int_equal(count_where(log, is_kind, &(enum event_kind){EVENT_MARK}, &ignored), 0);
    event_log_free(log);
    log = recorded_with(talk_once, &second_netns, true);
    assert_non_null(MARK(log, TCP_SYN));
    event_log_free(log);
    log = recorded_with(talk_once, &right_port, true);
    assert_non_null(MARK(log, TCP_SYN));
    event_log_free(log);
}

void without_stacks_the_context_remains(void **state)
{
    struct calls_options options = {.netns = {own_netns()}, .netns_count = 1, .no_stacks = true};
    struct event_log *log = recorded_with(talk_once, &options, true);
    const struct event_mark *syn_ack = MARK(log, TCP_SYN | TCP_ACK), *syn = MARK(log, TCP_SYN);

    (void)state;
    assert_null(syn_ack->context.chain);
    assert_true(syn_ack->context.receiving);
    assert_int_equal(syn_ack->context.received.flags, TCP_SYN);
    assert_false(syn->context.receiving);
    event_log_free(log);
}

void a_process_that_is_not_followed_is_not_recorded(void **state)
{
    struct calls *calls = opened(&(struct calls_options){0});
    struct event_log *log = event_log_new();
    struct err err = {{0}};
    int gate[2];
    pid_t pid = child_at_gate(talk_once, gate);

    (void)state;
    gate_open(gate);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(calls_bpf.drain(calls, log, &err), 0);
    calls_bpf.close(calls);
    event_log_free(log);
}

void a_process_that_is_gone_cannot_be_followed(void **state)
{
    struct calls *calls = opened(&(struct calls_options){0});
    struct err err = {{0}};
    pid_t pid = fork();

    (void)state;
    if (pid == 0) _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(calls_bpf.follow(calls, pid, &err), -ESRCH);
    assert_true(err.text[0]);
    calls_bpf.close(calls);
}

void nothing_is_lost_in_a_quiet_run_and_that_is_said(void **state)
{
    const struct event_log *log = talked_once();
    const struct event *ignored;
    const struct event_lost *lost = &only(log, is_lost, "ring full", "lost")->lost;

    (void)state;
    assert_string_equal(lost->source, "bpf");
    assert_int_equal(lost->count, 0);
    assert_int_equal(lost->received, event_log_count(log) - count_where(log, is_kind, &(enum event_kind){EVENT_LOST}, &ignored));
}
