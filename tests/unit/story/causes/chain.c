/* Reading kernel call chains: chains as kernels gave them, and every row of the table by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "story/chain.h"

enum { FRAMES_MAX = 96, TEXT_BYTES = 4096 };

/* A chain out of its text form: functions joined by ';', as stored runs have them. */
struct frames {
    char text[TEXT_BYTES];
    const char *names[FRAMES_MAX];
    struct event_chain chain;
};

static void add_frames(struct frames *frames, const char *functions)
{
    const char *last = frames->chain.count ? frames->names[frames->chain.count - 1] : NULL;
    size_t from = last ? (size_t)(last + strlen(last) + 1 - frames->text) : 0;
    assert_true(from + strlen(functions) < TEXT_BYTES);
    strcpy(frames->text + from, functions);
    for (char *name = strtok(frames->text + from, ";"); name; name = strtok(NULL, ";")) {
        assert_true(frames->chain.count < FRAMES_MAX);
        frames->names[frames->chain.count++] = name;
    }
    frames->chain.names = frames->names;
}

static void assert_same_verdict(const struct chain_verdict *a, const struct chain_verdict *b, const char *of)
{
    bool same = a->meaning == b->meaning && a->notes == b->notes && a->decided_at == b->decided_at && a->hook == b->hook &&
                strcmp(a->name ? a->name : "", b->name ? b->name : "") == 0;
    if (!same) fail_msg("%s: %d %s became %d %s", of, (int)a->meaning, a->name, (int)b->meaning, b->name);
}

struct sample {
    const char *what, *functions;
    enum chain_meaning meaning;
    const char *name;
    unsigned notes; /* that must be among those found */
    enum chain_hook hook;
};

#include "chain_samples.h"

static void check_sample(const struct sample *sample)
{
    struct frames frames = {0};
    add_frames(&frames, sample->functions);
    struct chain_verdict verdict = chain_read(&frames.chain);
    if (verdict.meaning != sample->meaning || verdict.hook != sample->hook || (verdict.notes & sample->notes) != sample->notes ||
        (sample->name && strcmp(sample->name, verdict.name ? verdict.name : "") != 0))
        fail_msg("%s: %d %s, notes %x, hook %d", sample->what, (int)verdict.meaning, verdict.name, verdict.notes,
                 (int)verdict.hook);
}

static void chains_that_a_kernel_gave_are_read_as_what_they_were(void **data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) check_sample(&recorded[i]);
}

static void chains_of_other_kernels_and_machines_are_read_the_same(void **data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++) check_sample(&spelt[i]);
}

/* The chain's end is cut (48 frames are kept) and what an interrupt hit is anybody's: neither may change an answer. */
static const char *const below_a_border[] = {
    "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;__sys_connect;__x64_sys_connect",
    "tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;net_rx_action;__arm64_sys_sendto",
    "tcp_pace_kick;__hrtimer_run_queues;tcp_release_cb;release_sock;ip_forward;__ip_local_out",
    "sock_close;task_work_run;do_exit;do_group_exit;exit_to_user_mode_loop",
    "tcp_write_timer;call_timer_fn;nf_send_reset;packet_sendmsg;ksys_write;io_send",
    "tcp_xmit_retransmit_queue;tcp_ack;tcp_check_req;tcp_send_challenge_ack;mod_timer",
};
static const char *const borders[] = {"__netif_receive_skb_one_core",
                                      "net_rx_action",
                                      "process_backlog",
                                      "handle_softirqs",
                                      "call_timer_fn",
                                      "__hrtimer_run_queues",
                                      "asm_sysvec_apic_timer_interrupt",
                                      "process_one_work"};

static void nothing_below_a_border_changes_what_a_row_says(void **data)
{
    (void)data;
    size_t count;
    const struct chain_row *rows = chain_rows(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < sizeof(borders) / sizeof(borders[0]); b++)
            for (size_t k = 0; k < sizeof(below_a_border) / sizeof(below_a_border[0]); k++) {
                struct frames alone = {0};
                add_frames(&alone, "__dev_queue_xmit;made_by_whom");
                add_frames(&alone, rows[i].function);
                add_frames(&alone, borders[b]);
                struct chain_verdict before = chain_read(&alone.chain);
                add_frames(&alone, below_a_border[k]);
                struct chain_verdict after = chain_read(&alone.chain);
                assert_same_verdict(&before, &after, rows[i].function);
            }
}

static void nothing_below_a_border_changes_what_a_recorded_chain_says(void **data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++)
        for (size_t k = 0; k < sizeof(below_a_border) / sizeof(below_a_border[0]); k++) {
            struct frames frames = {0};
            add_frames(&frames, recorded[i].functions);
            add_frames(&frames, "asm_sysvec_apic_timer_interrupt");
            struct chain_verdict before = chain_read(&frames.chain);
            add_frames(&frames, below_a_border[k]);
            struct chain_verdict after = chain_read(&frames.chain);
            assert_same_verdict(&before, &after, recorded[i].what);
        }
}

static struct chain_verdict read_text(struct frames *frames, const char *functions)
{
    memset(frames, 0, sizeof(*frames));
    add_frames(frames, functions);
    return chain_read(&frames->chain);
}

/* The nearest thing that is no border: the call that sent it stands right there. */
static void without_a_border_the_call_is_the_maker(void **data)
{
    (void)data;
    struct frames frames;
    struct chain_verdict verdict = read_text(&frames, "__dev_queue_xmit;ip_output;made_by_whom;__x64_sys_connect");
    assert_int_equal(verdict.meaning, CHAIN_CALL);
    assert_string_equal(verdict.name, "connect");
    verdict = read_text(&frames, "__dev_queue_xmit;ip_output;made_by_whom;ip_local_deliver;__x64_sys_connect");
    assert_int_equal(verdict.meaning, CHAIN_OTHER);
    assert_string_equal(verdict.name, "made_by_whom");
}

/* tcp_pace_kick runs tcp_tsq_handler; another context's does not count. */
static void the_pacing_timer_is_the_reason_only_within_its_own_context(void **data)
{
    (void)data;
    struct frames frames;
    assert_string_equal(read_text(&frames, "tcp_write_xmit;tcp_tsq_handler;tcp_pace_kick;__hrtimer_run_queues").name, "pacing");
    assert_string_equal(read_text(&frames, "tcp_write_xmit;tcp_tsq_handler;tasklet_action;tcp_pace_kick").name, "small-queues");
}

static void a_chain_without_a_word_is_silent(void **data)
{
    (void)data;
    struct frames frames;
    assert_int_equal(read_text(&frames, "__dev_queue_xmit;arp_send_dst").meaning, CHAIN_SILENT);
    assert_int_equal(chain_read(NULL).meaning, CHAIN_SILENT);
}

static void a_function_that_the_compiler_split_is_known_by_its_name(void **data)
{
    (void)data;
    struct frames frames;
    assert_int_equal(read_text(&frames, "tcp_delack_timer_handler.part.0;__x64_sys_outer").meaning, CHAIN_TIMER);
    assert_int_equal(read_text(&frames, "tcp_delack_timer_handler_of_another;__x64_sys_outer").meaning, CHAIN_CALL);
    assert_int_equal(read_text(&frames, "tcp_delack_time;__x64_sys_outer").meaning, CHAIN_CALL);
}

static void system_calls_are_known_on_both_architectures(void **data)
{
    (void)data;
    struct frames frames;
    assert_string_equal(read_text(&frames, "tcp_sendmsg;__arm64_sys_sendto").name, "sendto");
    assert_string_equal(read_text(&frames, "tcp_close;__x64_sys_close").name, "close");
    assert_string_equal(read_text(&frames, "tcp_close;__do_sys_close_range").name, "close_range");
}

/* Written down apart from the table, so that a row that vanishes or changes is noticed. */
static const struct {
    const char *function;
    enum chain_meaning meaning;
    const char *name;
    unsigned note;
} expected[] = {
    {"nf_send_reset*", CHAIN_KERNEL, CHAIN_FIREWALL, 0},
    {"nf_send_unreach*", CHAIN_KERNEL, CHAIN_FIREWALL, 0},
    {"nf_reject_*", CHAIN_KERNEL, CHAIN_FIREWALL, 0},
    {"nft_reject_*", CHAIN_KERNEL, CHAIN_FIREWALL, 0},
    {"reject_tg*", CHAIN_KERNEL, CHAIN_FIREWALL, 0},
    {"synproxy_*", CHAIN_KERNEL, CHAIN_SYNPROXY, 0},
    {"ipv4_synproxy_hook", CHAIN_KERNEL, CHAIN_SYNPROXY, 0},
    {"ipv6_synproxy_hook", CHAIN_KERNEL, CHAIN_SYNPROXY, 0},
    {"nft_synproxy_*", CHAIN_KERNEL, CHAIN_SYNPROXY, 0},
    {"packet_sendmsg", CHAIN_FORWARD, NULL, 0},
    {"packet_snd", CHAIN_FORWARD, NULL, 0},
    {"tpacket_snd", CHAIN_FORWARD, NULL, 0},
    {"ip_forward", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"ip_forward_finish", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"ip_error", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"ip6_forward", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"ip6_forward_finish", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"mpls_forward", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"br_forward*", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"__br_forward", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"br_flood", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"br_handle_frame_finish", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"ovs_vport_receive", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"ip_vs_in*", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"tcf_mirred_*", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"skb_do_redirect", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"nf_flow_offload_*", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"nf_dup_*", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"nft_fwd_*", CHAIN_SILENT, NULL, CHAIN_PASSED_ON},
    {"neigh_update", CHAIN_HELD, NULL, 0},
    {"__neigh_update", CHAIN_HELD, NULL, 0},
    {"nf_reinject", CHAIN_HELD, NULL, 0},
    {"nfqnl_*", CHAIN_HELD, NULL, 0},
    {"xfrm_output_resume", CHAIN_HELD, NULL, 0},
    {"tcp_v4_mtu_reduced", CHAIN_KERNEL, CHAIN_PATH_MTU_NAME, CHAIN_PATH_MTU},
    {"tcp_v6_mtu_reduced", CHAIN_KERNEL, CHAIN_PATH_MTU_NAME, CHAIN_PATH_MTU},
    {"tcp_v4_err", CHAIN_KERNEL, CHAIN_ICMP_ERROR, 0},
    {"tcp_v6_err", CHAIN_KERNEL, CHAIN_ICMP_ERROR, 0},
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
    {"neigh_timer_handler", CHAIN_TIMER, "neighbour", 0},
    {"hrtimer_wakeup", CHAIN_TIMER, "timeout", 0},
    {"process_timeout", CHAIN_TIMER, "timeout", 0},
    {"tcp_tsq_handler", CHAIN_KERNEL, "small-queues", CHAIN_DATA_PUSH},
    {"tcp_tsq_write", CHAIN_KERNEL, "small-queues", CHAIN_DATA_PUSH},
    {"tcp_tasklet_func", CHAIN_KERNEL, "small-queues", CHAIN_DATA_PUSH},
    {"tcp_tsq_workfn", CHAIN_KERNEL, "small-queues", CHAIN_DATA_PUSH},
    {"tcp_pace_kick", CHAIN_KERNEL, "pacing", CHAIN_DATA_PUSH},
    {"mptcp_worker", CHAIN_KERNEL, "mptcp", 0},
    {"mptcp_release_cb", CHAIN_KERNEL, "mptcp-release", CHAIN_DATA_PUSH},
    {"sk_psock_backlog", CHAIN_KERNEL, "sockmap", CHAIN_DATA_PUSH},
    {"tcp_abort", CHAIN_KERNEL, "destroyed", 0},
    {"raw_sendmsg", CHAIN_KERNEL, "raw-socket", 0},
    {"rawv6_sendmsg", CHAIN_KERNEL, "raw-socket", 0},
    {"delayed_fput", CHAIN_KERNEL, "delayed-close", CHAIN_CLOSING},
    {"__release_sock", CHAIN_BACKLOG, NULL, 0},
    {"tcp_release_cb", CHAIN_BACKLOG, NULL, CHAIN_LEFT_OVER},
    {"release_sock", CHAIN_BACKLOG, NULL, CHAIN_LEFT_OVER},
    {"__sk_flush_backlog", CHAIN_BACKLOG, NULL, CHAIN_LEFT_OVER},
    {"io_connect", CHAIN_CALL, "io_uring connect", 0},
    {"io_send", CHAIN_CALL, "io_uring send", 0},
    {"io_sendmsg", CHAIN_CALL, "io_uring sendmsg", 0},
    {"io_send_zc", CHAIN_CALL, "io_uring send", 0},
    {"io_sendmsg_zc", CHAIN_CALL, "io_uring sendmsg", 0},
    {"io_recv", CHAIN_CALL, "io_uring recv", 0},
    {"io_recvmsg", CHAIN_CALL, "io_uring recvmsg", 0},
    {"io_write", CHAIN_CALL, "io_uring write", 0},
    {"io_read", CHAIN_CALL, "io_uring read", 0},
    {"io_close", CHAIN_CALL, "io_uring close", CHAIN_CLOSING},
    {"io_shutdown", CHAIN_CALL, "io_uring shutdown", 0},
    {"signal_wake_up_state", CHAIN_SIGNAL, NULL, 0},
    {"complete_signal", CHAIN_SIGNAL, NULL, 0},
    {"do_exit", CHAIN_EXIT, NULL, 0},
    {"do_group_exit", CHAIN_EXIT, NULL, 0},
    {"exit_to_user_mode_loop", CHAIN_DEFERRED, NULL, 0},
    {"exit_to_user_mode_prepare", CHAIN_DEFERRED, NULL, 0},
    {"syscall_exit_to_user_mode", CHAIN_DEFERRED, NULL, 0},
    {"do_notify_resume", CHAIN_DEFERRED, NULL, 0},
    {"__sys_connect", CHAIN_CALL, "connect", 0},
    {"__sys_sendto", CHAIN_CALL, "sendto", 0},
    {"__sys_sendmsg", CHAIN_CALL, "sendmsg", 0},
    {"__sys_sendmmsg", CHAIN_CALL, "sendmmsg", 0},
    {"__sys_recvfrom", CHAIN_CALL, "recvfrom", 0},
    {"__sys_recvmsg", CHAIN_CALL, "recvmsg", 0},
    {"__sys_recvmmsg", CHAIN_CALL, "recvmmsg", 0},
    {"__sys_shutdown", CHAIN_CALL, "shutdown", 0},
    {"__sys_setsockopt", CHAIN_CALL, "setsockopt", 0},
    {"ksys_write", CHAIN_CALL, "write", 0},
    {"ksys_read", CHAIN_CALL, "read", 0},
    {"do_writev", CHAIN_CALL, "writev", 0},
    {"do_readv", CHAIN_CALL, "readv", 0},
    {"ip_local_deliver*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ip_rcv*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ip_list_rcv*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ip_sublist_rcv*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ip6_input*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ip6_mc_input", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ip6_rcv_finish*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ip6_list_rcv_finish*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ip6_sublist_rcv*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ipv6_rcv", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"ipv6_list_rcv", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"arp_rcv", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"br_handle_frame", CHAIN_BORDER_RECEIVE, NULL, CHAIN_PASSED_ON},
    {"__netif_receive_skb*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"netif_receive_skb*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"napi_gro_*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"tun_get_user", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"process_backlog", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"__napi_poll", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"napi_poll", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"napi_threaded_poll*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"napi_busy_loop*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"__napi_busy_loop", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"net_rx_action", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"do_softirq*", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"__do_softirq", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"handle_softirqs", CHAIN_BORDER_RECEIVE, NULL, 0},
    {"call_timer_fn", CHAIN_BORDER, NULL, 0},
    {"expire_timers", CHAIN_BORDER, NULL, 0},
    {"__run_timers", CHAIN_BORDER, NULL, 0},
    {"__run_timer_base", CHAIN_BORDER, NULL, 0},
    {"run_timer_*", CHAIN_BORDER, NULL, 0},
    {"tmigr_handle_remote*", CHAIN_BORDER, NULL, 0},
    {"__hrtimer_run_queues", CHAIN_BORDER, NULL, 0},
    {"hrtimer_run_*", CHAIN_BORDER, NULL, 0},
    {"hrtimer_interrupt", CHAIN_BORDER, NULL, 0},
    {"net_tx_action", CHAIN_BORDER, NULL, 0},
    {"tasklet_*", CHAIN_BORDER, NULL, 0},
    {"workqueue_softirq_action", CHAIN_BORDER, NULL, 0},
    {"bh_worker", CHAIN_BORDER, NULL, 0},
    {"__handle_irq_event_percpu", CHAIN_BORDER, NULL, 0},
    {"handle_irq_event*", CHAIN_BORDER, NULL, 0},
    {"generic_handle_*", CHAIN_BORDER, NULL, 0},
    {"gic_handle_irq", CHAIN_BORDER, NULL, 0},
    {"do_interrupt_handler", CHAIN_BORDER, NULL, 0},
    {"call_on_irq_stack", CHAIN_BORDER, NULL, 0},
    {"irq_exit*", CHAIN_BORDER, NULL, 0},
    {"__irq_exit_rcu", CHAIN_BORDER, NULL, 0},
    {"common_interrupt", CHAIN_BORDER, NULL, 0},
    {"asm_common_interrupt", CHAIN_BORDER, NULL, 0},
    {"sysvec_*", CHAIN_BORDER, NULL, 0},
    {"asm_sysvec_*", CHAIN_BORDER, NULL, 0},
    {"el1_irq", CHAIN_BORDER, NULL, 0},
    {"el1_interrupt", CHAIN_BORDER, NULL, 0},
    {"el1h_64_irq*", CHAIN_BORDER, NULL, 0},
    {"el0_irq*", CHAIN_BORDER, NULL, 0},
    {"el0_interrupt", CHAIN_BORDER, NULL, 0},
    {"el0t_64_irq*", CHAIN_BORDER, NULL, 0},
    {"process_one_work", CHAIN_BORDER, NULL, 0},
    {"process_scheduled_works", CHAIN_BORDER, NULL, 0},
    {"worker_thread", CHAIN_BORDER, NULL, 0},
    {"run_ksoftirqd", CHAIN_BORDER, NULL, 0},
    {"smpboot_thread_fn", CHAIN_BORDER, NULL, 0},
    {"kthread", CHAIN_BORDER, NULL, 0},
    {"sock_close", CHAIN_SILENT, NULL, CHAIN_CLOSING},
    {"__sock_release", CHAIN_SILENT, NULL, CHAIN_CLOSING},
    {"inet_release", CHAIN_SILENT, NULL, CHAIN_CLOSING},
    {"task_work_run", CHAIN_SILENT, NULL, CHAIN_WORK},
    {"tcp_send_active_reset", CHAIN_SILENT, NULL, CHAIN_ACTIVE_RESET},
    {"tcp_v4_send_reset", CHAIN_SILENT, NULL, CHAIN_PASSIVE_RESET},
    {"tcp_v6_send_reset", CHAIN_SILENT, NULL, CHAIN_PASSIVE_RESET},
    {"__tcp_retransmit_skb", CHAIN_SILENT, NULL, CHAIN_RETRANSMIT},
    {"tcp_retransmit_skb", CHAIN_SILENT, NULL, CHAIN_RETRANSMIT},
    {"tcp_xmit_retransmit_queue", CHAIN_SILENT, NULL, CHAIN_RETRANSMIT | CHAIN_FAST},
    {"tcp_simple_retransmit", CHAIN_SILENT, NULL, CHAIN_RETRANSMIT | CHAIN_PATH_MTU},
    {"tcp_rcv_fastopen_synack", CHAIN_SILENT, NULL, CHAIN_RETRANSMIT | CHAIN_FAST_OPEN},
    {"tcp_cleanup_rbuf", CHAIN_SILENT, NULL, CHAIN_READ},
    {"__tcp_cleanup_rbuf", CHAIN_SILENT, NULL, CHAIN_READ},
    {"tcp_recvmsg_locked", CHAIN_SILENT, NULL, CHAIN_READ},
    {"tcp_send_challenge_ack", CHAIN_SILENT, NULL, CHAIN_CHALLENGE},
    {"tcp_send_dupack", CHAIN_SILENT, NULL, CHAIN_REPEATED_ACK},
    {"tcp_validate_incoming", CHAIN_SILENT, NULL, CHAIN_MISFIT},
    {"tcp_check_req", CHAIN_SILENT, NULL, CHAIN_REQUEST},
    {"cookie_v4_check", CHAIN_SILENT, NULL, CHAIN_COOKIE},
    {"cookie_v6_check", CHAIN_SILENT, NULL, CHAIN_COOKIE},
    {"tcp_disconnect", CHAIN_SILENT, NULL, CHAIN_DISCONNECT},
    {"inet_csk_listen_stop", CHAIN_SILENT, NULL, CHAIN_LISTEN_STOP},
    {"tcp_timewait_state_process", CHAIN_SILENT, NULL, CHAIN_TIME_WAIT},
    {"tcp_v4_timewait_ack", CHAIN_SILENT, NULL, CHAIN_TIME_WAIT},
    {"tcp_v4_send_ack", CHAIN_SILENT, NULL, CHAIN_TIME_WAIT},
    {"tcp_v6_send_ack", CHAIN_SILENT, NULL, CHAIN_TIME_WAIT},
    {"tcp_time_wait", CHAIN_SILENT, NULL, CHAIN_TIME_WAIT},
    {"tcp_conn_request", CHAIN_SILENT, NULL, CHAIN_HANDSHAKE},
    {"tcp_v4_do_rcv", CHAIN_SILENT, NULL, CHAIN_INPUT},
    {"tcp_v6_do_rcv", CHAIN_SILENT, NULL, CHAIN_INPUT},
    {"tcp_rcv_established", CHAIN_SILENT, NULL, CHAIN_INPUT},
    {"tcp_rcv_state_process", CHAIN_SILENT, NULL, CHAIN_INPUT},
    {"__icmp_send", CHAIN_SILENT, NULL, CHAIN_ICMP},
    {"icmp6_send", CHAIN_SILENT, NULL, CHAIN_ICMP},
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
        struct frames frames = {0};
        add_frames(&frames, "made_by_whom");
        add_frames(&frames, expected[i].function);
        add_frames(&frames, "__x64_sys_outer");
        struct chain_verdict v = chain_read(&frames.chain);
        bool border = expected[i].meaning == CHAIN_BORDER || expected[i].meaning == CHAIN_BORDER_RECEIVE;
        enum chain_meaning meaning = border ? CHAIN_OTHER : expected[i].meaning == CHAIN_SILENT ? CHAIN_CALL : expected[i].meaning;
        if (border && expected[i].note & CHAIN_PASSED_ON) meaning = CHAIN_FORWARD;
        const char *name = meaning == CHAIN_OTHER                       ? "made_by_whom"
                           : meaning == CHAIN_CALL && !expected[i].name ? "outer"
                                                                        : expected[i].name;
        if (v.meaning != meaning || v.notes != expected[i].note || strcmp(v.name ? v.name : "", name ? name : "") != 0)
            fail_msg("%s decides %d %s, notes %x", expected[i].function, (int)v.meaning, v.name, v.notes);
    }
}

/* A row that an earlier one hides could never speak. */
static void no_row_is_hidden_by_an_earlier_one(void **data)
{
    (void)data;
    size_t count;
    const struct chain_row *rows = chain_rows(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) {
            size_t length = strcspn(rows[k].function, "*");
            bool hides = rows[k].function[length] ? strncmp(rows[k].function, rows[i].function, length) == 0
                                                  : strcmp(rows[k].function, rows[i].function) == 0;
            if (hides) fail_msg("%s hides %s", rows[k].function, rows[i].function);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_that_a_kernel_gave_are_read_as_what_they_were),
        cmocka_unit_test(chains_of_other_kernels_and_machines_are_read_the_same),
        cmocka_unit_test(nothing_below_a_border_changes_what_a_row_says),
        cmocka_unit_test(nothing_below_a_border_changes_what_a_recorded_chain_says),
        cmocka_unit_test(without_a_border_the_call_is_the_maker),
        cmocka_unit_test(the_pacing_timer_is_the_reason_only_within_its_own_context),
        cmocka_unit_test(a_chain_without_a_word_is_silent),
        cmocka_unit_test(a_function_that_the_compiler_split_is_known_by_its_name),
        cmocka_unit_test(system_calls_are_known_on_both_architectures),
        cmocka_unit_test(every_row_decides_as_written_here),
        cmocka_unit_test(no_row_is_hidden_by_an_earlier_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
