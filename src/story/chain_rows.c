/* The table of kernel functions that chain.c reads by. Innermost frames come first in a chain, and the first that decides, decides.
 * So what is special stands inside what is general (a loss probe in the write timer, __release_sock in the call that released), and
 * a border outside of all that it let run. Functions that compilers like to inline, or to jump to, have their callers listed too.
 * Names as of Linux 5.15 to 6.18. */
#include "story/chain.h"

static const struct chain_row rows[] = {
    /* a firewall's own packets: net/ipv4/netfilter/nf_reject_ipv4.c, net/netfilter/nft_reject*.c, ipt_REJECT.c, nf_synproxy_core.c.
     * Whatever further out handed it the packet had no part in them */
    {"nf_send_reset*", CHAIN_KERNEL, 0, CHAIN_FIREWALL},
    {"nf_send_unreach*", CHAIN_KERNEL, 0, CHAIN_FIREWALL},
    {"nf_reject_*", CHAIN_KERNEL, 0, CHAIN_FIREWALL},
    {"nft_reject_*", CHAIN_KERNEL, 0, CHAIN_FIREWALL},
    {"reject_tg*", CHAIN_KERNEL, 0, CHAIN_FIREWALL},
    {"synproxy_*", CHAIN_KERNEL, 0, CHAIN_SYNPROXY},
    {"ipv4_synproxy_hook", CHAIN_KERNEL, 0, CHAIN_SYNPROXY},
    {"ipv6_synproxy_hook", CHAIN_KERNEL, 0, CHAIN_SYNPROXY},
    {"nft_synproxy_*", CHAIN_KERNEL, 0, CHAIN_SYNPROXY},

    /* passed on: a packet socket or a tap (net/packet/af_packet.c), a router (net/ipv4/ip_forward.c), a bridge
     * (net/bridge/br_input.c), the like. In the middle of a call's own sending these are only a part of its way */
    {"packet_sendmsg", CHAIN_FORWARD, 0, NULL},
    {"packet_snd", CHAIN_FORWARD, 0, NULL},
    {"tpacket_snd", CHAIN_FORWARD, 0, NULL},
    {"ip_forward", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"ip_forward_finish", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"ip_error", CHAIN_SILENT, CHAIN_PASSED_ON, NULL}, /* no route */
    {"ip6_forward", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"ip6_forward_finish", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"mpls_forward", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"br_forward*", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"__br_forward", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"br_flood", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"br_handle_frame_finish", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"ovs_vport_receive", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"ip_vs_in*", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"tcf_mirred_*", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"skb_do_redirect", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"nf_flow_offload_*", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"nf_dup_*", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    {"nft_fwd_*", CHAIN_SILENT, CHAIN_PASSED_ON, NULL},
    /* made before, and waited: net/core/neighbour.c, net/netfilter/nfnetlink_queue.c, net/xfrm/xfrm_output.c */
    {"neigh_update", CHAIN_HELD, 0, NULL},
    {"__neigh_update", CHAIN_HELD, 0, NULL},
    {"nf_reinject", CHAIN_HELD, 0, NULL},
    {"nfqnl_*", CHAIN_HELD, 0, NULL},
    {"xfrm_output_resume", CHAIN_HELD, 0, NULL},

    /* ICMP about TCP: net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c. Too big for the path, or nobody there */
    {"tcp_v4_mtu_reduced", CHAIN_KERNEL, CHAIN_PATH_MTU, CHAIN_PATH_MTU_NAME},
    {"tcp_v6_mtu_reduced", CHAIN_KERNEL, CHAIN_PATH_MTU, CHAIN_PATH_MTU_NAME},
    {"tcp_v4_err", CHAIN_KERNEL, 0, CHAIN_ICMP_ERROR},
    {"tcp_v6_err", CHAIN_KERNEL, 0, CHAIN_ICMP_ERROR},

    /* received: net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c, net/ipv4/udp.c */
    {"tcp_v4_rcv", CHAIN_RECEIVE, 0, NULL},
    {"tcp_v6_rcv", CHAIN_RECEIVE, 0, NULL},
    {"udp_rcv", CHAIN_RECEIVE, 0, NULL},
    {"__udp4_lib_rcv", CHAIN_RECEIVE, 0, NULL},
    {"udpv6_rcv", CHAIN_RECEIVE, 0, NULL},
    {"__udp6_lib_rcv", CHAIN_RECEIVE, 0, NULL},
    {"icmp_rcv", CHAIN_RECEIVE, 0, NULL},
    {"icmpv6_rcv", CHAIN_RECEIVE, 0, NULL},
    {"ip_protocol_deliver_rcu", CHAIN_RECEIVE, 0, NULL}, /* where a tail call hid the handler: net/ipv4/ip_input.c */
    {"ip6_protocol_deliver_rcu", CHAIN_RECEIVE, 0, NULL},

    /* timers: net/ipv4/tcp_timer.c, tcp_output.c, inet_connection_sock.c, inet_timewait_sock.c. The special ones lie within the
     * general; those that a socket in use put off lie within its release */
    {"tcp_send_loss_probe", CHAIN_TIMER, CHAIN_RETRANSMIT, "tail-loss-probe"},
    {"tcp_probe_timer", CHAIN_TIMER, 0, "zero-window-probe"},
    {"tcp_send_probe0", CHAIN_TIMER, 0, "zero-window-probe"},
    {"tcp_rack_reo_timeout", CHAIN_TIMER, CHAIN_RETRANSMIT, "reordering"},
    {"tcp_retransmit_timer", CHAIN_TIMER, CHAIN_RETRANSMIT, "retransmit"},
    {"tcp_write_timer_handler", CHAIN_TIMER, CHAIN_RETRANSMIT, "retransmit"},
    {"tcp_write_timer", CHAIN_TIMER, CHAIN_RETRANSMIT, "retransmit"},
    {"tcp_delack_timer_handler", CHAIN_TIMER, 0, "delayed-ack"},
    {"tcp_delack_timer", CHAIN_TIMER, 0, "delayed-ack"},
    {"tcp_compressed_ack_kick", CHAIN_TIMER, 0, "compressed-ack"},
    {"tcp_keepalive_timer", CHAIN_TIMER, 0, "keepalive"},
    {"reqsk_timer_handler", CHAIN_TIMER, CHAIN_RETRANSMIT, "syn-ack"},
    {"tw_timer_handler", CHAIN_TIMER, 0, "time-wait"},
    {"neigh_timer_handler", CHAIN_TIMER, 0, "neighbour"}, /* net/core/neighbour.c */
    {"hrtimer_wakeup", CHAIN_TIMER, 0, "timeout"},
    {"process_timeout", CHAIN_TIMER, 0, "timeout"},

    /* the kernel's own: pacing and small queues hold back what a call had queued (net/ipv4/tcp_output.c). tcp_pace_kick calls
     * tcp_tsq_handler: there the outer one is the reason, see chain_read */
    {"tcp_tsq_handler", CHAIN_KERNEL, CHAIN_DATA_PUSH, "small-queues"},
    {"tcp_tsq_write", CHAIN_KERNEL, CHAIN_DATA_PUSH, "small-queues"},
    {"tcp_tasklet_func", CHAIN_KERNEL, CHAIN_DATA_PUSH, "small-queues"},
    {"tcp_tsq_workfn", CHAIN_KERNEL, CHAIN_DATA_PUSH, "small-queues"},
    {"tcp_pace_kick", CHAIN_KERNEL, CHAIN_DATA_PUSH, "pacing"},
    {"mptcp_worker", CHAIN_KERNEL, 0, "mptcp"},
    {"mptcp_release_cb", CHAIN_KERNEL, CHAIN_DATA_PUSH, "mptcp-release"},
    {"sk_psock_backlog", CHAIN_KERNEL, CHAIN_DATA_PUSH, "sockmap"},
    /* somebody else ended the connection: ss --kill, a BPF program (net/ipv4/tcp.c, SOCK_DESTROY) */
    {"tcp_abort", CHAIN_KERNEL, 0, CHAIN_DESTROYED},
    /* a program wrote the packet itself: net/ipv4/raw.c */
    {"raw_sendmsg", CHAIN_KERNEL, 0, "raw-socket"},
    {"rawv6_sendmsg", CHAIN_KERNEL, 0, "raw-socket"},
    /* the last reference to a file was dropped where nobody could close it: fs/file_table.c */
    {"delayed_fput", CHAIN_KERNEL, CHAIN_CLOSING, "delayed-close"},

    /* the backlog: net/core/sock.c */
    {"__release_sock", CHAIN_BACKLOG, 0, NULL},
    /* tcp_release_cb (often inlined, or jumped to): an ACK or queued data that had to wait while a call owned the socket */
    {"tcp_release_cb", CHAIN_BACKLOG, CHAIN_LEFT_OVER, NULL},
    {"release_sock", CHAIN_BACKLOG, CHAIN_LEFT_OVER, NULL},
    {"__sk_flush_backlog", CHAIN_BACKLOG, CHAIN_LEFT_OVER, NULL},

    /* io_uring: there may be no system call (io_uring/net.c, rw.c, openclose.c) */
    {"io_connect", CHAIN_CALL, 0, "io_uring connect"},
    {"io_send", CHAIN_CALL, 0, "io_uring send"},
    {"io_sendmsg", CHAIN_CALL, 0, "io_uring sendmsg"},
    {"io_send_zc", CHAIN_CALL, 0, "io_uring send"},
    {"io_sendmsg_zc", CHAIN_CALL, 0, "io_uring sendmsg"},
    {"io_recv", CHAIN_CALL, 0, "io_uring recv"},
    {"io_recvmsg", CHAIN_CALL, 0, "io_uring recvmsg"},
    {"io_write", CHAIN_CALL, 0, "io_uring write"},
    {"io_read", CHAIN_CALL, 0, "io_uring read"},
    {"io_close", CHAIN_CALL, CHAIN_CLOSING, "io_uring close"},
    {"io_shutdown", CHAIN_CALL, 0, "io_uring shutdown"},

    /* signals wake (kernel/signal.c) */
    {"signal_wake_up_state", CHAIN_SIGNAL, 0, NULL},
    {"complete_signal", CHAIN_SIGNAL, 0, NULL},

    /* the end of a process: kernel/exit.c */
    {"do_exit", CHAIN_EXIT, 0, NULL},
    {"do_group_exit", CHAIN_EXIT, 0, NULL},
    /* deferred to the return to user space: kernel/entry/common.c; dup2 and old close() end here */
    {"exit_to_user_mode_loop", CHAIN_DEFERRED, 0, NULL},
    {"exit_to_user_mode_prepare", CHAIN_DEFERRED, 0, NULL},
    {"syscall_exit_to_user_mode", CHAIN_DEFERRED, 0, NULL},
    {"do_notify_resume", CHAIN_DEFERRED, 0, NULL},

    /* calls whose wrapper the compiler jumped over (tail calls): net/socket.c, fs/read_write.c */
    {"__sys_connect", CHAIN_CALL, 0, "connect"},
    {"__sys_sendto", CHAIN_CALL, 0, "sendto"},
    {"__sys_sendmsg", CHAIN_CALL, 0, "sendmsg"},
    {"__sys_sendmmsg", CHAIN_CALL, 0, "sendmmsg"},
    {"__sys_recvfrom", CHAIN_CALL, 0, "recvfrom"},
    {"__sys_recvmsg", CHAIN_CALL, 0, "recvmsg"},
    {"__sys_recvmmsg", CHAIN_CALL, 0, "recvmmsg"},
    {"__sys_shutdown", CHAIN_CALL, 0, "shutdown"},
    {"__sys_setsockopt", CHAIN_CALL, 0, "setsockopt"},
    {"ksys_write", CHAIN_CALL, 0, "write"},
    {"ksys_read", CHAIN_CALL, 0, "read"},
    {"do_writev", CHAIN_CALL, 0, "writev"},
    {"do_readv", CHAIN_CALL, 0, "readv"},

    /* the border of the context. A packet is handed up: net/core/dev.c, net/ipv4/ip_input.c, net/ipv6/ip6_input.c,
     * drivers/net/tun.c; a packet socket's sending may nest it in a call of anybody */
    {"ip_local_deliver*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ip_rcv*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ip_list_rcv*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ip_sublist_rcv*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ip6_input*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ip6_mc_input", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ip6_rcv_finish*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ip6_list_rcv_finish*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ip6_sublist_rcv*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ipv6_rcv", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"ipv6_list_rcv", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"arp_rcv", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"br_handle_frame", CHAIN_BORDER_RECEIVE, CHAIN_PASSED_ON, NULL},
    {"__netif_receive_skb*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"netif_receive_skb*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"napi_gro_*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"tun_get_user", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"process_backlog", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"__napi_poll", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"napi_poll", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"napi_threaded_poll*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"napi_busy_loop*", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"__napi_busy_loop", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"net_rx_action", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"do_softirq*", CHAIN_BORDER_RECEIVE, 0, NULL}, /* kernel/softirq.c: of receiving, where a frame fails */
    {"__do_softirq", CHAIN_BORDER_RECEIVE, 0, NULL},
    {"handle_softirqs", CHAIN_BORDER_RECEIVE, 0, NULL},
    /* a timer's, a tasklet's or an interrupt's beginning: kernel/time/timer.c, hrtimer.c, kernel/softirq.c, kernel/irq,
     * arch/x86/include/asm/idtentry.h, arch/arm64/kernel/entry-common.c */
    {"call_timer_fn", CHAIN_BORDER, 0, NULL},
    {"expire_timers", CHAIN_BORDER, 0, NULL},
    {"__run_timers", CHAIN_BORDER, 0, NULL},
    {"__run_timer_base", CHAIN_BORDER, 0, NULL},
    {"run_timer_*", CHAIN_BORDER, 0, NULL},
    {"tmigr_handle_remote*", CHAIN_BORDER, 0, NULL},
    {"__hrtimer_run_queues", CHAIN_BORDER, 0, NULL},
    {"hrtimer_run_*", CHAIN_BORDER, 0, NULL},
    {"hrtimer_interrupt", CHAIN_BORDER, 0, NULL},
    {"net_tx_action", CHAIN_BORDER, 0, NULL},
    {"tasklet_*", CHAIN_BORDER, 0, NULL},
    {"workqueue_softirq_action", CHAIN_BORDER, 0, NULL},
    {"bh_worker", CHAIN_BORDER, 0, NULL},
    {"__handle_irq_event_percpu", CHAIN_BORDER, 0, NULL},
    {"handle_irq_event*", CHAIN_BORDER, 0, NULL},
    {"generic_handle_*", CHAIN_BORDER, 0, NULL},
    {"gic_handle_irq", CHAIN_BORDER, 0, NULL},
    {"do_interrupt_handler", CHAIN_BORDER, 0, NULL},
    {"call_on_irq_stack", CHAIN_BORDER, 0, NULL},
    {"irq_exit*", CHAIN_BORDER, 0, NULL},
    {"__irq_exit_rcu", CHAIN_BORDER, 0, NULL},
    {"common_interrupt", CHAIN_BORDER, 0, NULL},
    {"asm_common_interrupt", CHAIN_BORDER, 0, NULL},
    {"sysvec_*", CHAIN_BORDER, 0, NULL},
    {"asm_sysvec_*", CHAIN_BORDER, 0, NULL},
    {"el1_irq", CHAIN_BORDER, 0, NULL},
    {"el1_interrupt", CHAIN_BORDER, 0, NULL},
    {"el1h_64_irq*", CHAIN_BORDER, 0, NULL},
    {"el0_irq*", CHAIN_BORDER, 0, NULL},
    {"el0_interrupt", CHAIN_BORDER, 0, NULL},
    {"el0t_64_irq*", CHAIN_BORDER, 0, NULL},
    /* a kernel thread: kernel/workqueue.c, kernel/kthread.c, kernel/smpboot.c */
    {"process_one_work", CHAIN_BORDER, 0, NULL},
    {"process_scheduled_works", CHAIN_BORDER, 0, NULL},
    {"worker_thread", CHAIN_BORDER, 0, NULL},
    {"run_ksoftirqd", CHAIN_BORDER, 0, NULL},
    {"smpboot_thread_fn", CHAIN_BORDER, 0, NULL},
    {"kthread", CHAIN_BORDER, 0, NULL},

    /* notes on the way */
    {"sock_close", CHAIN_SILENT, CHAIN_CLOSING, NULL},
    {"__sock_release", CHAIN_SILENT, CHAIN_CLOSING, NULL},
    {"inet_release", CHAIN_SILENT, CHAIN_CLOSING, NULL},
    {"task_work_run", CHAIN_SILENT, CHAIN_WORK, NULL},
    {"tcp_send_active_reset", CHAIN_SILENT, CHAIN_ACTIVE_RESET, NULL},
    {"tcp_v4_send_reset", CHAIN_SILENT, CHAIN_PASSIVE_RESET, NULL},
    {"tcp_v6_send_reset", CHAIN_SILENT, CHAIN_PASSIVE_RESET, NULL},
    {"__tcp_retransmit_skb", CHAIN_SILENT, CHAIN_RETRANSMIT, NULL},
    {"tcp_retransmit_skb", CHAIN_SILENT, CHAIN_RETRANSMIT, NULL},
    {"tcp_xmit_retransmit_queue", CHAIN_SILENT, CHAIN_RETRANSMIT | CHAIN_FAST, NULL},
    {"tcp_simple_retransmit", CHAIN_SILENT, CHAIN_RETRANSMIT | CHAIN_PATH_MTU, NULL},
    {"tcp_rcv_fastopen_synack", CHAIN_SILENT, CHAIN_RETRANSMIT | CHAIN_FAST_OPEN, NULL},
    {"tcp_cleanup_rbuf", CHAIN_SILENT, CHAIN_READ, NULL},
    {"__tcp_cleanup_rbuf", CHAIN_SILENT, CHAIN_READ, NULL},
    {"tcp_recvmsg_locked", CHAIN_SILENT, CHAIN_READ, NULL}, /* where it swallowed tcp_cleanup_rbuf */
    {"tcp_send_challenge_ack", CHAIN_SILENT, CHAIN_CHALLENGE, NULL},
    {"tcp_send_dupack", CHAIN_SILENT, CHAIN_REPEATED_ACK, NULL},
    {"tcp_validate_incoming", CHAIN_SILENT, CHAIN_MISFIT, NULL},
    {"tcp_check_req", CHAIN_SILENT, CHAIN_REQUEST, NULL},
    {"cookie_v4_check", CHAIN_SILENT, CHAIN_COOKIE, NULL},
    {"cookie_v6_check", CHAIN_SILENT, CHAIN_COOKIE, NULL},
    {"tcp_disconnect", CHAIN_SILENT, CHAIN_DISCONNECT, NULL},
    {"inet_csk_listen_stop", CHAIN_SILENT, CHAIN_LISTEN_STOP, NULL},
    {"tcp_timewait_state_process", CHAIN_SILENT, CHAIN_TIME_WAIT, NULL},
    {"tcp_v4_timewait_ack", CHAIN_SILENT, CHAIN_TIME_WAIT, NULL},
    {"tcp_v4_send_ack", CHAIN_SILENT, CHAIN_TIME_WAIT, NULL}, /* its other caller is tcp_check_req, which shows */
    {"tcp_v6_send_ack", CHAIN_SILENT, CHAIN_TIME_WAIT, NULL},
    {"tcp_time_wait", CHAIN_SILENT, CHAIN_TIME_WAIT, NULL},
    {"tcp_conn_request", CHAIN_SILENT, CHAIN_HANDSHAKE, NULL},
    {"tcp_v4_do_rcv", CHAIN_SILENT, CHAIN_INPUT, NULL},
    {"tcp_v6_do_rcv", CHAIN_SILENT, CHAIN_INPUT, NULL},
    {"tcp_rcv_established", CHAIN_SILENT, CHAIN_INPUT, NULL},
    {"tcp_rcv_state_process", CHAIN_SILENT, CHAIN_INPUT, NULL},
    {"__icmp_send", CHAIN_SILENT, CHAIN_ICMP, NULL},
    {"icmp6_send", CHAIN_SILENT, CHAIN_ICMP, NULL},
    {"__mod_timer", CHAIN_SILENT, CHAIN_REARM, NULL},
    {"mod_timer", CHAIN_SILENT, CHAIN_REARM, NULL},
    {"tcp_data_snd_check", CHAIN_SILENT, CHAIN_DATA_PUSH, NULL},
    {"__tcp_push_pending_frames", CHAIN_SILENT, CHAIN_DATA_PUSH, NULL},
};

const struct chain_row *chain_rows(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
