/* Reading kernel call chains: chains as Linux 6.18 gave them, and every row of the table by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "story/chain.h"

static struct chain_verdict read_frames(const char *const *names)
{
    struct event_chain chain = {.names = names};
    while (names[chain.count]) chain.count++;
    return chain_read(&chain);
}

#define VERDICT(...) read_frames((const char *const[]){__VA_ARGS__, NULL})

static void a_syn_leaves_from_connect(void **data)
{
    (void)data;
    struct chain_verdict v =
        VERDICT("__dev_queue_xmit", "ip_finish_output2", "__ip_queue_xmit", "__tcp_transmit_skb", "tcp_connect", "tcp_v4_connect",
                "__inet_stream_connect", "inet_stream_connect", "__sys_connect", "__x64_sys_connect", "do_syscall_64");
    assert_int_equal(v.meaning, CHAIN_CALL);
    assert_string_equal(v.name, "connect");
}

/* On loopback the client's connect() stands further out in the very same chain: the innermost decision counts. */
static void a_syn_ack_is_sent_while_receiving_even_inside_the_clients_connect(void **data)
{
    (void)data;
    struct chain_verdict v = VERDICT("__dev_queue_xmit", "ip_finish_output2", "ip_build_and_send_pkt", "tcp_v4_send_synack",
                                     "tcp_conn_request", "tcp_v4_conn_request", "tcp_rcv_state_process", "tcp_v4_do_rcv",
                                     "tcp_v4_rcv", "ip_protocol_deliver_rcu", "process_backlog", "net_rx_action", "handle_softirqs",
                                     "__dev_queue_xmit", "tcp_connect", "tcp_v4_connect", "__sys_connect", "__x64_sys_connect");
    assert_int_equal(v.meaning, CHAIN_RECEIVE);
    assert_true(v.notes & CHAIN_HANDSHAKE);
}

static void the_handshakes_last_ack_comes_off_the_backlog(void **data)
{
    (void)data;
    struct chain_verdict v =
        VERDICT("__dev_queue_xmit", "__tcp_transmit_skb", "__tcp_send_ack.part.0", "tcp_rcv_state_process", "tcp_v4_do_rcv",
                "__release_sock", "release_sock", "inet_stream_connect", "__sys_connect", "__x64_sys_connect");
    assert_int_equal(v.meaning, CHAIN_BACKLOG);
}

static void a_close_inside_the_end_of_a_process_is_the_processs_end(void **data)
{
    (void)data;
    struct chain_verdict v =
        VERDICT("__dev_queue_xmit", "tcp_send_fin", "__tcp_close", "tcp_close", "inet_release", "__sock_release", "sock_close",
                "__fput", "task_work_run", "do_exit", "do_group_exit", "get_signal", "exit_to_user_mode_loop", "do_syscall_64");
    assert_int_equal(v.meaning, CHAIN_EXIT);
    assert_true(v.notes & CHAIN_CLOSING);
}

static void a_close_left_to_the_return_to_user_space_is_deferred(void **data)
{
    (void)data;
    struct chain_verdict v = VERDICT("__dev_queue_xmit", "tcp_send_fin", "__tcp_close", "sock_close", "__fput", "task_work_run",
                                     "exit_to_user_mode_loop", "do_syscall_64");
    assert_int_equal(v.meaning, CHAIN_DEFERRED);
}

static void a_timer_that_ran_in_softirq_is_the_timer(void **data)
{
    (void)data;
    struct chain_verdict v = VERDICT("__dev_queue_xmit", "__tcp_transmit_skb", "__tcp_retransmit_skb", "tcp_retransmit_skb",
                                     "tcp_retransmit_timer", "tcp_write_timer_handler", "tcp_write_timer", "call_timer_fn",
                                     "run_timer_softirq", "handle_softirqs", "__x64_sys_write");
    assert_int_equal(v.meaning, CHAIN_TIMER);
    assert_string_equal(v.name, "retransmit");
    assert_int_equal(v.decided_at, 4);
}

static void a_chain_without_a_word_is_silent(void **data)
{
    (void)data;
    assert_int_equal(VERDICT("__dev_queue_xmit", "arp_send_dst").meaning, CHAIN_SILENT);
    assert_int_equal(chain_read(NULL).meaning, CHAIN_SILENT);
}

static void a_function_that_the_compiler_split_is_known_by_its_name(void **data)
{
    (void)data;
    assert_int_equal(VERDICT("__dev_queue_xmit", "tcp_delack_timer_handler.part.0", "__x64_sys_outer").meaning, CHAIN_TIMER);
    assert_int_equal(VERDICT("__dev_queue_xmit", "tcp_delack_timer_handler_of_another", "__x64_sys_outer").meaning, CHAIN_CALL);
}

static void system_calls_are_known_on_both_architectures(void **data)
{
    (void)data;
    assert_string_equal(VERDICT("tcp_sendmsg", "__arm64_sys_sendto").name, "sendto");
    assert_string_equal(VERDICT("tcp_close", "__x64_sys_close").name, "close");
    assert_string_equal(VERDICT("tcp_close", "__do_sys_close_range").name, "close_range");
}

/* Written down apart from the table, so that a row that vanishes or changes is noticed. */
static const struct {
    const char *function;
    enum chain_meaning meaning;
    const char *name;
    unsigned note;
} expected[] = {
    {"tcp_v4_rcv", CHAIN_RECEIVE, NULL, 0},
    {"tcp_v6_rcv", CHAIN_RECEIVE, NULL, 0},
    {"udp_rcv", CHAIN_RECEIVE, NULL, 0},
    {"__udp4_lib_rcv", CHAIN_RECEIVE, NULL, 0},
    {"udpv6_rcv", CHAIN_RECEIVE, NULL, 0},
    {"__udp6_lib_rcv", CHAIN_RECEIVE, NULL, 0},
    {"icmp_rcv", CHAIN_RECEIVE, NULL, 0},
    {"icmpv6_rcv", CHAIN_RECEIVE, NULL, 0},
    {"ip_protocol_deliver_rcu", CHAIN_RECEIVE, NULL, 0},
    {"ip6_protocol_deliver_rcu", CHAIN_RECEIVE, NULL, 0},
    {"__release_sock", CHAIN_BACKLOG, NULL, 0},
    {"tcp_release_cb", CHAIN_BACKLOG, NULL, CHAIN_LEFT_OVER},
    {"release_sock", CHAIN_BACKLOG, NULL, CHAIN_LEFT_OVER},
    {"tcp_send_loss_probe", CHAIN_TIMER, "tail-loss-probe", CHAIN_RETRANSMIT},
    {"tcp_probe_timer", CHAIN_TIMER, "zero-window-probe", 0},
    {"tcp_send_probe0", CHAIN_TIMER, "zero-window-probe", 0},
    {"tcp_rack_reo_timeout", CHAIN_TIMER, "reordering", CHAIN_RETRANSMIT},
    {"tcp_retransmit_timer", CHAIN_TIMER, "retransmit", CHAIN_RETRANSMIT},
    {"tcp_write_timer_handler", CHAIN_TIMER, "retransmit", CHAIN_RETRANSMIT},
    {"tcp_write_timer", CHAIN_TIMER, "retransmit", CHAIN_RETRANSMIT},
    {"tcp_delack_timer_handler", CHAIN_TIMER, "delayed-ack", 0},
    {"tcp_delack_timer", CHAIN_TIMER, "delayed-ack", 0},
    {"tcp_compressed_ack_kick", CHAIN_TIMER, "compressed-ack", 0},
    {"tcp_keepalive_timer", CHAIN_TIMER, "keepalive", 0},
    {"reqsk_timer_handler", CHAIN_TIMER, "syn-ack", CHAIN_RETRANSMIT},
    {"tw_timer_handler", CHAIN_TIMER, "time-wait", 0},
    {"hrtimer_wakeup", CHAIN_TIMER, "timeout", 0},
    {"process_timeout", CHAIN_TIMER, "timeout", 0},
    {"tcp_tsq_handler", CHAIN_KERNEL, "small-queues", CHAIN_DATA_PUSH},
    {"tcp_tsq_write", CHAIN_KERNEL, "small-queues", CHAIN_DATA_PUSH},
    {"tcp_pace_kick", CHAIN_KERNEL, "pacing", CHAIN_DATA_PUSH},
    {"mptcp_worker", CHAIN_KERNEL, "mptcp", 0},
    {"io_connect", CHAIN_CALL, "io_uring connect", 0},
    {"io_send", CHAIN_CALL, "io_uring send", 0},
    {"io_close", CHAIN_CALL, "io_uring close", CHAIN_CLOSING},
    {"io_shutdown", CHAIN_CALL, "io_uring shutdown", 0},
    {"signal_wake_up_state", CHAIN_SIGNAL, NULL, 0},
    {"complete_signal", CHAIN_SIGNAL, NULL, 0},
    {"packet_sendmsg", CHAIN_FORWARD, NULL, 0},
    {"do_exit", CHAIN_EXIT, NULL, 0},
    {"do_group_exit", CHAIN_EXIT, NULL, 0},
    {"exit_to_user_mode_loop", CHAIN_DEFERRED, NULL, 0},
    {"exit_to_user_mode_prepare", CHAIN_DEFERRED, NULL, 0},
    {"syscall_exit_to_user_mode", CHAIN_DEFERRED, NULL, 0},
    {"do_notify_resume", CHAIN_DEFERRED, NULL, 0},
    {"__sys_connect", CHAIN_CALL, "connect", 0},
    {"__sys_sendto", CHAIN_CALL, "sendto", 0},
    {"__sys_sendmsg", CHAIN_CALL, "sendmsg", 0},
    {"__sys_recvfrom", CHAIN_CALL, "recvfrom", 0},
    {"__sys_recvmsg", CHAIN_CALL, "recvmsg", 0},
    {"__sys_shutdown", CHAIN_CALL, "shutdown", 0},
    {"__sys_setsockopt", CHAIN_CALL, "setsockopt", 0},
    {"ksys_write", CHAIN_CALL, "write", 0},
    {"ksys_read", CHAIN_CALL, "read", 0},
    {"sock_close", CHAIN_SILENT, NULL, CHAIN_CLOSING},
    {"__sock_release", CHAIN_SILENT, NULL, CHAIN_CLOSING},
    {"inet_release", CHAIN_SILENT, NULL, CHAIN_CLOSING},
    {"task_work_run", CHAIN_SILENT, NULL, CHAIN_WORK},
    {"tcp_send_active_reset", CHAIN_SILENT, NULL, CHAIN_ACTIVE_RESET},
    {"tcp_v4_send_reset", CHAIN_SILENT, NULL, CHAIN_PASSIVE_RESET},
    {"tcp_v6_send_reset", CHAIN_SILENT, NULL, CHAIN_PASSIVE_RESET},
    {"__tcp_retransmit_skb", CHAIN_SILENT, NULL, CHAIN_RETRANSMIT},
    {"tcp_retransmit_skb", CHAIN_SILENT, NULL, CHAIN_RETRANSMIT},
    {"tcp_cleanup_rbuf", CHAIN_SILENT, NULL, CHAIN_READ},
    {"__tcp_cleanup_rbuf", CHAIN_SILENT, NULL, CHAIN_READ},
    {"tcp_send_challenge_ack", CHAIN_SILENT, NULL, CHAIN_CHALLENGE},
    {"tcp_send_dupack", CHAIN_SILENT, NULL, CHAIN_CHALLENGE},
    {"tcp_disconnect", CHAIN_SILENT, NULL, CHAIN_DISCONNECT},
    {"inet_csk_listen_stop", CHAIN_SILENT, NULL, CHAIN_LISTEN_STOP},
    {"tcp_timewait_state_process", CHAIN_SILENT, NULL, CHAIN_TIME_WAIT},
    {"tcp_time_wait", CHAIN_SILENT, NULL, CHAIN_TIME_WAIT},
    {"tcp_conn_request", CHAIN_SILENT, NULL, CHAIN_HANDSHAKE},
    {"tcp_v4_do_rcv", CHAIN_SILENT, NULL, CHAIN_INPUT},
    {"tcp_v6_do_rcv", CHAIN_SILENT, NULL, CHAIN_INPUT},
    {"tcp_rcv_established", CHAIN_SILENT, NULL, CHAIN_INPUT},
    {"tcp_rcv_state_process", CHAIN_SILENT, NULL, CHAIN_INPUT},
    {"__mod_timer", CHAIN_SILENT, NULL, CHAIN_REARM},
    {"mod_timer", CHAIN_SILENT, NULL, CHAIN_REARM},
    {"tcp_data_snd_check", CHAIN_SILENT, NULL, CHAIN_DATA_PUSH},
    {"__tcp_push_pending_frames", CHAIN_SILENT, NULL, CHAIN_DATA_PUSH},
};

static void every_row_decides_as_written_here(void **data)
{
    (void)data;
    size_t count;
    const struct chain_row *rows = chain_rows(&count);
    assert_int_equal(count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(rows[i].function, expected[i].function);
        struct chain_verdict v = VERDICT("__dev_queue_xmit", expected[i].function, "__x64_sys_outer");
        bool decides = expected[i].meaning != CHAIN_SILENT;
        if (v.meaning != (decides ? expected[i].meaning : CHAIN_CALL))
            fail_msg("%s decides %d", expected[i].function, (int)v.meaning);
        if (decides && expected[i].name) assert_string_equal(v.name, expected[i].name);
        if (!decides) assert_string_equal(v.name, "outer");
        assert_int_equal(v.notes, expected[i].note);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_leaves_from_connect),
        cmocka_unit_test(a_syn_ack_is_sent_while_receiving_even_inside_the_clients_connect),
        cmocka_unit_test(the_handshakes_last_ack_comes_off_the_backlog),
        cmocka_unit_test(a_close_inside_the_end_of_a_process_is_the_processs_end),
        cmocka_unit_test(a_close_left_to_the_return_to_user_space_is_deferred),
        cmocka_unit_test(a_timer_that_ran_in_softirq_is_the_timer),
        cmocka_unit_test(a_chain_without_a_word_is_silent),
        cmocka_unit_test(a_function_that_the_compiler_split_is_known_by_its_name),
        cmocka_unit_test(system_calls_are_known_on_both_architectures),
        cmocka_unit_test(every_row_decides_as_written_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
