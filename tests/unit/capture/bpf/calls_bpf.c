/* The BPF recorder, for real: a child makes connections on the loopback of a network namespace of its own, and what is recorded of
 * it is looked at. Needs the privileges that the recorder needs, and fails without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "calls_bpf_own.h"

static void each_segment_leaves_one_mark_in_the_context_that_made_it(void **state)
{
    const struct event_log *log = talked_once();
    const struct event_mark *syn = MARK(log, TCP_SYN), *syn_ack = MARK(log, TCP_SYN | TCP_ACK);
    const struct event_mark *data = MARK(log, TCP_PSH | TCP_ACK);
    const struct event_mark *client_fin = MARK(log, TCP_FIN | TCP_ACK, .dst = PORT);
    const struct event_mark *server_fin = MARK(log, TCP_FIN | TCP_ACK, .src = PORT);

    (void)state;
    assert_true(chain_has_call(syn->context.chain, "connect"));
    assert_true(chain_has(syn->context.chain, "tcp_connect"));
    assert_false(syn->context.receiving);
    assert_int_equal(syn->netns, own_netns());
    assert_int_equal(syn->interface, 1);

    assert_true(chain_has(syn_ack->context.chain, "tcp_conn_request"));
    assert_true(syn_ack->context.receiving && syn_ack->context.softirq);
    assert_int_equal(syn_ack->context.received.flags, TCP_SYN);
    assert_int_equal(syn_ack->context.received.seq, syn->header.seq);
    assert_int_equal(syn_ack->header.ack, syn->header.seq + 1);
    assert_int_equal(syn_ack->socket.cookie, 0);
    assert_int_equal(syn_ack->socket.state, KERNEL_NEW_SYN_RECV);

    assert_int_equal(data->header.length_bytes, 5);
    assert_int_equal(data->header.seq, syn->header.seq + 1);
    assert_true(chain_has_call(client_fin->context.chain, "close"));
    assert_true(chain_has_call(server_fin->context.chain, "close"));
    assert_true(syn->header.src.port == client_fin->header.src.port);
}

static void chains_begin_at_the_tracepoint_not_in_the_recorder(void **state)
{
    const struct event_log *log = talked_once();
    const struct event_chain *chain = MARK(log, TCP_SYN)->context.chain;

    (void)state;
    assert_non_null(chain);
    for (size_t i = 0; i < chain->count; i++) {
        assert_null(strstr(chain->names[i], "bpf"));
        assert_true(chain->names[i][0] >= 'A'); /* a name, not an address */
    }
    assert_string_equal(chain->names[0], "__dev_queue_xmit");
}

static void a_socket_has_one_identity_from_socket_to_its_last_state(void **state)
{
    const struct event_log *log = talked_once();
    uint64_t client = ENTER(log, "connect")->socket.cookie, server = EXIT(log, "accept")->other.cookie;

    (void)state;
    assert_true(client != 0 && server != 0 && client != server);
    assert_int_equal(EXIT(log, "connect")->socket.cookie, client);
    assert_int_equal(MARK(log, TCP_SYN)->socket.cookie, client);
    assert_int_equal(STATE(log, KERNEL_CLOSE, KERNEL_SYN_SENT)->socket.cookie, client);
    assert_int_equal(STATE(log, KERNEL_FIN_WAIT2, KERNEL_CLOSE)->socket.cookie, client);
    assert_int_equal(MARK(log, TCP_FIN | TCP_ACK, .dst = PORT)->socket.cookie, client);
    assert_int_equal(STATE(log, KERNEL_LISTEN, KERNEL_SYN_RECV)->socket.cookie, server);
    assert_int_equal(STATE(log, KERNEL_SYN_RECV, KERNEL_ESTABLISHED)->socket.cookie, server);
    assert_int_equal(MARK(log, TCP_FIN | TCP_ACK, .src = PORT)->socket.cookie, server);
    assert_int_equal(ENTER(log, "accept")->socket.cookie, ENTER(log, "listen")->socket.cookie);
}

int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Sockets come and go at the same few addresses in the kernel. */
static void sockets_of_many_connections_are_told_apart(void **state)
{
    struct event_log *log = recorded(connect_many_times);
    uint64_t ids[2 * CONNECTIONS + 1];
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        bool makes = is_exit(event, "socket"), takes = is_exit(event, "accept");

        if (!makes && !takes) continue;
        assert_true(count < sizeof(ids) / sizeof(ids[0]));
        ids[count++] = makes ? event->call.socket.cookie : event->call.other.cookie;
    }
    assert_int_equal(count, 2 * CONNECTIONS + 1);
    qsort(ids, count, sizeof(ids[0]), by_value);
    assert_int_not_equal(ids[0], 0);
    for (size_t i = 1; i < count; i++) assert_int_not_equal(ids[i - 1], ids[i]);
    event_log_free(log);
}

static void a_new_child_has_both_addresses_at_once(void **state)
{
    const struct event_log *log = talked_once();
    const struct event_state *born = STATE(log, KERNEL_LISTEN, KERNEL_SYN_RECV);

    (void)state;
    assert_int_equal(born->socket.local.port, PORT);
    assert_int_equal(born->socket.remote.port, MARK(log, TCP_SYN)->header.src.port);
}

static void a_call_has_its_arguments_and_result(void **state)
{
    const struct event_log *log = talked_once();
    const struct event_call *enter = ENTER(log, "connect"), *exit = EXIT(log, "connect");

    (void)state;
    assert_non_null(strstr(enter->args, "127.0.0.1:3333"));
    assert_int_equal(exit->ret, 0);
    assert_int_equal(exit->fd, enter->fd);
    assert_int_equal(exit->socket.remote.port, PORT);
    assert_int_equal(exit->socket.local.port, MARK(log, TCP_SYN)->header.src.port);
    assert_int_equal(enter->thread.pid, exit->thread.pid);
    assert_int_equal(ENTER(log, "setsockopt")->value[0], 1);
    assert_int_equal(ENTER(log, "listen")->how, 8);
}

static void bytes_not_read_yet_are_seen_when_a_call_begins(void **state)
{
    const struct event_log *log = talked_once();
    const struct event_call *first = ENTER(log, "recv");

    (void)state;
    assert_true(first->socket.has_unread);
    assert_int_equal(first->socket.unread_bytes, 5);
    /* The FIN that waits behind the last byte is no byte. */
    assert_false(EXIT(log, "recv")->socket.has_unread);
}

static void ipv6_is_recorded_as_well(void **state)
{
    struct event_log *log = recorded(talk_once_over_ipv6);
    const struct event_mark *syn = MARK(log, TCP_SYN), *syn_ack = MARK(log, TCP_SYN | TCP_ACK);

    (void)state;
    assert_int_equal(syn->header.dst.version, 6);
    assert_int_equal(syn->header.dst.port, PORT);
    assert_int_equal(syn->socket.remote.version, 6);
    assert_int_equal(syn_ack->context.received.src.version, 6);
    assert_true(chain_has(syn->context.chain, "tcp_v6_connect"));
    event_log_free(log);
}

static int group_setup(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        fprintf(stderr, "the BPF recorder can only be tested as root\n");
        return -1;
    }
    enter_namespace();
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    talked_forget();
    return 0;
}

/* With a word: as on kernels before 6.2, where the kernel side reads the kernel's memory by helpers. */
int main(int argc, char **argv)
{
    const struct CMUnitTest read[] = {
        cmocka_unit_test(each_segment_leaves_one_mark_in_the_context_that_made_it),
        cmocka_unit_test(chains_begin_at_the_tracepoint_not_in_the_recorder),
        cmocka_unit_test(a_socket_has_one_identity_from_socket_to_its_last_state),
        cmocka_unit_test(sockets_of_many_connections_are_told_apart),
        cmocka_unit_test(a_new_child_has_both_addresses_at_once),
        cmocka_unit_test(a_call_has_its_arguments_and_result),
        cmocka_unit_test(bytes_not_read_yet_are_seen_when_a_call_begins),
        cmocka_unit_test(ipv6_is_recorded_as_well),
        cmocka_unit_test(a_blocked_accept_is_woken_by_the_handshakes_last_segment),
        cmocka_unit_test(a_call_that_found_what_it_wanted_never_slept),
        cmocka_unit_test(a_socket_of_multipath_tcp_and_its_first_subflow_have_one_identity),
        cmocka_unit_test(the_timer_of_a_timewait_socket_names_its_connection),
        cmocka_unit_test(a_closed_port_answers_with_a_reset_that_no_socket_made),
        cmocka_unit_test(closing_with_unread_bytes_is_an_active_reset_with_its_reason),
        cmocka_unit_test(what_the_kernel_throws_away_has_its_own_reason),
        cmocka_unit_test(a_syn_finds_the_queues_of_its_listener_as_they_are),
        cmocka_unit_test(a_killed_process_is_seen_to_end_before_its_fin_leaves),
        cmocka_unit_test(a_datagram_to_a_closed_port_is_answered_by_icmp),
        cmocka_unit_test(poll_says_what_it_watches_and_what_was_ready),
        cmocka_unit_test(dup2_names_the_socket_that_it_closes),
        cmocka_unit_test(splice_names_the_socket_fcntl_and_pidfd_getfd_the_one_that_they_copy),
    };
    const struct CMUnitTest bounds[] = {
        cmocka_unit_test(given_ports_leave_others_out_and_other_namespaces_too),
        cmocka_unit_test(without_stacks_the_context_remains),
        cmocka_unit_test(a_process_that_is_not_followed_is_not_recorded),
        cmocka_unit_test(a_process_that_is_gone_cannot_be_followed),
        cmocka_unit_test(nothing_is_lost_in_a_quiet_run_and_that_is_said),
        cmocka_unit_test(a_full_ring_is_counted),
        cmocka_unit_test(a_socket_that_was_pushed_out_is_counted_and_never_another_one),
        cmocka_unit_test(a_call_that_was_pushed_out_is_counted_and_has_no_end),
        cmocka_unit_test(a_process_that_was_pushed_out_is_counted_and_tells_nothing),
        cmocka_unit_test(an_ordinary_user_is_told_which_privilege_is_missing),
        cmocka_unit_test(root_of_a_user_namespace_is_told_that_this_is_it),
    };

    by_helpers = argc > 1 && strcmp(argv[1], "by-helpers") == 0;
    if (by_helpers) return cmocka_run_group_tests_name("what is read, by helpers", read, group_setup, group_teardown);
    return cmocka_run_group_tests_name("what is read, as this kernel can", read, group_setup, group_teardown) +
           cmocka_run_group_tests_name("bounds and refusals", bounds, group_setup, group_teardown);
}
