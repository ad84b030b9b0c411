/* Chains as kernels gave them, and what they mean: a table for chain.c, which has struct sample. */
/* As Linux 6.18 gave them, on x86-64. */
static const struct sample recorded[] = {
    {"the active open",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_"
     "connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_CALL, "connect", 0, CHAIN_HOOK_UNKNOWN},
    {"a SYN-ACK, nested in the client's connect() on loopback",
     "__dev_queue_xmit;ip_finish_output2;ip_output;tcp_v4_send_synack;tcp_conn_request;tcp_rcv_state_process;tcp_v4_do_rcv;tcp_v4_"
     "rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;"
     "handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_"
     "skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_"
     "SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_HANDSHAKE, CHAIN_HOOK_UNKNOWN},
    {"a firewall's RST, nested in the client's connect() on loopback",
     "__dev_queue_xmit;ip_finish_output2;ip_output;nf_send_reset;nft_reject_inet_eval;nft_do_chain;nft_do_chain_inet;nf_hook_slow;"
     "ip_local_deliver;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_"
     "bh_enable_ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__"
     "inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "firewall", 0, CHAIN_HOOK_INPUT},
    {"a firewall's RST on a router",
     "__dev_queue_xmit;ip_finish_output2;ip_output;nf_send_reset;nft_reject_ipv4_eval;nft_do_chain;nft_do_chain_ipv4;nf_hook_slow;"
     "ip_forward;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_"
     "enable_ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_"
     "stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "firewall", 0, CHAIN_HOOK_FORWARD},
    {"the RST of the sender's own firewall, in connect() itself",
     "__dev_queue_xmit;ip_finish_output2;ip_output;nf_send_reset;nft_reject_ipv4_eval;nft_do_chain;nft_do_chain_ipv4;nf_hook_slow;_"
     "_ip_local_out;ip_local_out;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_"
     "connect;__sys_connect;__x64_sys_connect;do_syscall_64",
     CHAIN_KERNEL, "firewall", 0, CHAIN_HOOK_OUTPUT},
    {"a firewall's RST before routing",
     "__dev_queue_xmit;ip_finish_output2;ip_output;nf_send_reset;nft_reject_ipv4_eval;nft_do_chain;nft_do_chain_ipv4;nf_hook_slow;"
     "ip_rcv;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_"
     "ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_"
     "connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "firewall", 0, CHAIN_HOOK_ARRIVAL},
    {"a firewall's RST as the frame comes in from the device",
     "__dev_queue_xmit;nft_reject_netdev_eval;nft_do_chain;nft_do_chain_netdev;nf_hook_slow;__netif_receive_skb_core.constprop.0;__"
     "netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_"
     "queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;"
     "inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "firewall", 0, CHAIN_HOOK_ARRIVAL},
    {"a firewall's ICMP error",
     "__dev_queue_xmit;ip_finish_output2;ip_output;ip_push_pending_frames;__icmp_send;nft_reject_ipv4_eval;nft_do_chain;nft_do_"
     "chain_ipv4;nf_hook_slow;ip_local_deliver;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_"
     "softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_"
     "connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_"
     "64_after_hwframe",
     CHAIN_KERNEL, "firewall", CHAIN_ICMP, CHAIN_HOOK_INPUT},
    {"a router passes a SYN on; ip_forward jumped to ip_output",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_"
     "softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_"
     "connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_"
     "64_after_hwframe",
     CHAIN_FORWARD, NULL, 0, CHAIN_HOOK_UNKNOWN},
    {"a bridge passes a SYN on",
     "__dev_queue_xmit;br_dev_queue_push_xmit;br_nf_post_routing;nf_hook_slow;br_forward_finish;br_nf_hook_thresh;br_nf_forward_"
     "finish;br_nf_forward_ip.part.0;nf_hook_slow;__br_forward;br_handle_frame_finish;br_nf_hook_thresh;br_nf_pre_routing_finish;"
     "br_nf_pre_routing;br_handle_frame;__netif_receive_skb_core.constprop.0;__netif_receive_skb_one_core;process_backlog;__napi_"
     "poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_"
     "xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;"
     "do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_FORWARD, NULL, CHAIN_PASSED_ON, CHAIN_HOOK_UNKNOWN},
    {"a bridge device of this host sends what connect() made",
     "__dev_queue_xmit;br_dev_queue_push_xmit;br_dev_xmit;dev_hard_start_xmit;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_"
     "queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_"
     "connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_CALL, "connect", 0, CHAIN_HOOK_UNKNOWN},
    {"a router's ICMP error: too big for the next link",
     "__dev_queue_xmit;ip_finish_output2;ip_output;ip_push_pending_frames;__icmp_send;ip_forward;__netif_receive_skb_one_core;"
     "process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;ip_finish_output2;"
     "ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_"
     "connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "router", CHAIN_ICMP, CHAIN_HOOK_UNKNOWN},
    {"a router's ICMP error: no route",
     "__dev_queue_xmit;ip_finish_output2;ip_output;ip_push_pending_frames;__icmp_send;ip_error;__netif_receive_skb_one_core;"
     "process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;ip_finish_output2;"
     "ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_"
     "connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "router", CHAIN_ICMP, CHAIN_HOOK_UNKNOWN},
    {"an ICMP error, because nobody answered ARP",
     "__dev_queue_xmit;ip_finish_output2;ip_output;ip_push_pending_frames;__icmp_send;ipv4_link_failure;arp_error_report;neigh_"
     "invalidate;neigh_timer_handler;call_timer_fn;__run_timers;run_timer_softirq;handle_softirqs;__irq_exit_rcu;sysvec_apic_timer_"
     "interrupt;asm_sysvec_apic_timer_interrupt;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;"
     "tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_"
     "SYSCALL_64_after_hwframe",
     CHAIN_TIMER, "neighbour", CHAIN_ICMP, CHAIN_HOOK_UNKNOWN},
    {"the ICMP error of a closed UDP port",
     "__dev_queue_xmit;ip_finish_output2;ip_output;ip_push_pending_frames;__icmp_send;__udp4_lib_rcv;ip_protocol_deliver_rcu;ip_"
     "local_deliver_finish;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__"
     "local_bh_enable_ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_"
     "connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_"
     "hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_ICMP, CHAIN_HOOK_UNKNOWN},
    {"a SYN that waited for the answer to ARP",
     "__dev_queue_xmit;__neigh_update;arp_process;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_"
     "softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_"
     "connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_"
     "64_after_hwframe",
     CHAIN_HELD, NULL, 0, CHAIN_HOOK_UNKNOWN},
    {"the handshake's last ACK, off the backlog of connect()",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_rcv_state_process;tcp_v4_do_rcv;__"
     "release_sock;release_sock;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64",
     CHAIN_BACKLOG, NULL, CHAIN_INPUT, CHAIN_HOOK_UNKNOWN},
    {"an ACK that waited until a call let go of the socket",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;release_sock;tcp_sendmsg;__sys_sendto;__x64_"
     "sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_BACKLOG, NULL, CHAIN_LEFT_OVER, CHAIN_HOOK_UNKNOWN},
    {"an ACK that waited until a reader looked at its backlog",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__sk_flush_backlog;tcp_recvmsg_locked;tcp_"
     "recvmsg;sock_recvmsg;__sys_recvfrom;__x64_sys_recvfrom;do_syscall_64",
     CHAIN_BACKLOG, NULL, CHAIN_LEFT_OVER, CHAIN_HOOK_UNKNOWN},
    {"data that an ACK released",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;tcp_"
     "rcv_established;tcp_v4_do_rcv;tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_receive_skb_one_core;"
     "process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_direct_xmit;packet_xmit;"
     "packet_sendmsg;__sys_sendto;__x64_sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"data in its own call",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;tcp_"
     "sendmsg_locked;tcp_sendmsg;__sys_sendto;__x64_sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_CALL, "sendto", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"data that the pacing timer let go",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;tcp_tsq_handler;tcp_pace_kick;"
     "__hrtimer_run_queues;hrtimer_run_softirq;handle_softirqs;__irq_exit_rcu;sysvec_apic_timer_interrupt;asm_sysvec_apic_timer_"
     "interrupt",
     CHAIN_KERNEL, "pacing", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"data that the pacing timer let go, in the middle of the wire's work",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;tcp_tsq_handler;tcp_pace_kick;"
     "__hrtimer_run_queues;hrtimer_run_softirq;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_direct_xmit;packet_xmit;"
     "packet_sendmsg;__sys_sendto;__x64_sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "pacing", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"a loss that the pacing timer let go again",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_"
     "xmit_retransmit_queue.part.0;tcp_tsq_write.part.0;tcp_tsq_handler;tcp_pace_kick;__hrtimer_run_queues;hrtimer_run_softirq;"
     "handle_softirqs;__irq_exit_rcu;sysvec_apic_timer_interrupt;asm_sysvec_apic_timer_interrupt",
     CHAIN_KERNEL, "pacing", CHAIN_FAST, CHAIN_HOOK_UNKNOWN},
    {"a fast retransmission",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_"
     "xmit_retransmit_queue.part.0;tcp_ack;tcp_rcv_established;tcp_v4_do_rcv;tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_"
     "finish;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_"
     "ip;__dev_direct_xmit;packet_xmit;packet_sendmsg;__sys_sendto;__x64_sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_FAST, CHAIN_HOOK_UNKNOWN},
    {"a fast retransmission off the backlog",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_"
     "xmit_retransmit_queue.part.0;tcp_ack;tcp_rcv_established;tcp_v4_do_rcv;__release_sock;release_sock;tcp_sendmsg;__sys_sendto;_"
     "_x64_sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_BACKLOG, NULL, CHAIN_FAST, CHAIN_HOOK_UNKNOWN},
    {"a repeat that waited until a call let go of the socket (an ICMP error told a smaller path MTU)",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_"
     "xmit_retransmit_queue.part.0;tcp_release_cb;release_sock;tcp_sendmsg;__sys_sendto;__x64_sys_sendto;do_syscall_64;entry_"
     "SYSCALL_64_after_hwframe",
     CHAIN_BACKLOG, NULL, CHAIN_LEFT_OVER, CHAIN_HOOK_UNKNOWN},
    {"the retransmission timer",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_"
     "retransmit_timer;tcp_write_timer;call_timer_fn;__run_timers;run_timer_softirq;handle_softirqs;__irq_exit_rcu;sysvec_apic_"
     "timer_interrupt;asm_sysvec_apic_timer_interrupt;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_"
     "skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_"
     "SYSCALL_64_after_hwframe",
     CHAIN_TIMER, "retransmit", CHAIN_RETRANSMIT, CHAIN_HOOK_UNKNOWN},
    {"a loss probe",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_send_loss_probe;tcp_"
     "write_timer;call_timer_fn;__run_timers;run_timer_softirq;handle_softirqs;__irq_exit_rcu;sysvec_apic_timer_interrupt;asm_"
     "sysvec_apic_timer_interrupt;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_"
     "v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_"
     "hwframe",
     CHAIN_TIMER, "tail-loss-probe", CHAIN_RETRANSMIT, CHAIN_HOOK_UNKNOWN},
    {"a window probe",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_send_probe0;tcp_write_timer;call_timer_"
     "fn;__run_timers;run_timer_softirq;handle_softirqs;__irq_exit_rcu;sysvec_apic_timer_interrupt;asm_sysvec_apic_timer_interrupt;"
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_"
     "connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_TIMER, "zero-window-probe", 0, CHAIN_HOOK_UNKNOWN},
    {"a SYN-ACK again",
     "__dev_queue_xmit;ip_finish_output2;ip_output;tcp_v4_send_synack;tcp_rtx_synack;reqsk_timer_handler;call_timer_fn;__run_"
     "timers;run_timer_softirq;handle_softirqs;__irq_exit_rcu;sysvec_apic_timer_interrupt;asm_sysvec_apic_timer_interrupt;__dev_"
     "queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;"
     "inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_TIMER, "syn-ack", CHAIN_RETRANSMIT, CHAIN_HOOK_UNKNOWN},
    {"a delayed ACK",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_delack_timer_handler;tcp_delack_timer;"
     "call_timer_fn;__run_timers;run_timer_softirq;handle_softirqs;__irq_exit_rcu;sysvec_apic_timer_interrupt;asm_sysvec_apic_"
     "timer_interrupt;__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__"
     "inet_stream_connect;inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_TIMER, "delayed-ack", 0, CHAIN_HOOK_UNKNOWN},
    {"a keepalive probe",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_keepalive_timer;call_timer_fn;__run_"
     "timers;run_timer_softirq;handle_softirqs;__irq_exit_rcu;sysvec_apic_timer_interrupt;asm_sysvec_apic_timer_interrupt;__dev_"
     "queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;"
     "inet_stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_TIMER, "keepalive", 0, CHAIN_HOOK_UNKNOWN},
    {"the answer to a segment that does not fit",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_validate_incoming;tcp_rcv_established;"
     "tcp_v4_do_rcv;tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_receive_skb_one_core;process_backlog;__napi_"
     "poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_direct_xmit;packet_xmit;packet_sendmsg;__sys_sendto;"
     "__x64_sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_MISFIT, CHAIN_HOOK_UNKNOWN},
    {"TIME_WAIT answers",
     "__dev_queue_xmit;ip_finish_output2;ip_output;ip_push_pending_frames;ip_send_unicast_reply;tcp_v4_send_ack;tcp_v4_rcv;ip_"
     "protocol_deliver_rcu;ip_local_deliver_finish;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_"
     "softirqs;do_softirq;__local_bh_enable_ip;__dev_direct_xmit;packet_xmit;packet_sendmsg;__sys_sendto;__x64_sys_sendto;do_"
     "syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, 0, CHAIN_HOOK_UNKNOWN},
    {"the RST of a request socket that is refused",
     "__dev_queue_xmit;ip_finish_output2;ip_output;ip_push_pending_frames;ip_send_unicast_reply;tcp_v4_send_reset;tcp_check_req;"
     "tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_"
     "action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_direct_xmit;packet_xmit;packet_sendmsg;__sys_sendto;__x64_sys_"
     "sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_REQUEST, CHAIN_HOOK_UNKNOWN},
    {"a reader makes room",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_recvmsg_locked;tcp_recvmsg;sock_recvmsg;_"
     "_sys_recvfrom;__x64_sys_recvfrom;do_syscall_64",
     CHAIN_CALL, "recvfrom", CHAIN_READ, CHAIN_HOOK_UNKNOWN},
    {"close()",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;__"
     "tcp_close;tcp_close;inet_release;sock_close;__fput;__x64_sys_close;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_CALL, "close", CHAIN_CLOSING, CHAIN_HOOK_UNKNOWN},
    {"close() of a listener with a child that nobody accepted",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_send_active_reset;tcp_disconnect;inet_"
     "child_forget;inet_csk_listen_stop;__tcp_close;tcp_close;inet_release;sock_close;__fput;__x64_sys_close;do_syscall_64;entry_"
     "SYSCALL_64_after_hwframe",
     CHAIN_CALL, "close", CHAIN_LISTEN_STOP, CHAIN_HOOK_UNKNOWN},
    {"the close that dup2() left to the return to user space",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;__"
     "tcp_close;tcp_close;inet_release;sock_close;__fput;task_work_run;exit_to_user_mode_loop;do_syscall_64",
     CHAIN_DEFERRED, NULL, CHAIN_WORK, CHAIN_HOOK_UNKNOWN},
    {"SIGKILL",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;__"
     "tcp_close;tcp_close;inet_release;sock_close;__fput;task_work_run;do_exit;do_group_exit;get_signal;arch_do_signal_or_restart;"
     "exit_to_user_mode_loop;do_syscall_64",
     CHAIN_EXIT, NULL, CHAIN_CLOSING, CHAIN_HOOK_UNKNOWN},
    {"io_uring connects",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_"
     "connect;inet_stream_connect;io_connect;__io_issue_sqe;io_issue_sqe;io_submit_sqes;__do_sys_io_uring_enter;do_syscall_64",
     CHAIN_CALL, "io_uring connect", 0, CHAIN_HOOK_UNKNOWN},
    {"Multipath TCP's worker",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;"
     "mptcp_shutdown_subflows;mptcp_worker;process_one_work;worker_thread;kthread;ret_from_fork",
     CHAIN_KERNEL, "mptcp", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"ss --kill",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_send_active_reset;tcp_abort;tcp_diag_"
     "destroy;inet_diag_cmd_exact;netlink_rcv_skb;netlink_unicast;netlink_sendmsg;____sys_sendmsg;___sys_sendmsg;__sys_sendmsg;do_"
     "syscall_64",
     CHAIN_KERNEL, "destroyed", CHAIN_ACTIVE_RESET, CHAIN_HOOK_UNKNOWN},
    {"IPv6: an answer",
     "__dev_queue_xmit;ip6_finish_output;ip6_output;tcp_v6_send_response;tcp_v6_rcv;ip6_protocol_deliver_rcu;ip6_input_finish;ip6_"
     "input;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;"
     "__dev_direct_xmit;packet_xmit;packet_sendmsg;__sys_sendto;__x64_sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, 0, CHAIN_HOOK_UNKNOWN},
    {"a child out of a SYN cookie",
     "inet_sk_set_state;inet_csk_clone_lock;tcp_create_openreq_child;tcp_v4_syn_recv_sock;tcp_get_cookie_sock;cookie_v4_check;tcp_"
     "v4_do_rcv;tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_receive_skb_one_core;process_backlog;__napi_"
     "poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_direct_xmit;packet_xmit;packet_sendmsg;__sys_sendto;"
     "__x64_sys_sendto;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_COOKIE, CHAIN_HOOK_UNKNOWN},
    {"a reader is woken by data",
     "try_to_wake_up;__wake_up_common;__wake_up_sync_key;sock_def_readable;tcp_data_queue;tcp_rcv_established;tcp_v4_do_rcv;tcp_v4_"
     "rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;"
     "handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_direct_xmit;packet_xmit;packet_sendmsg;__sys_sendto;__x64_sys_sendto;"
     "do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_INPUT, CHAIN_HOOK_UNKNOWN},
};

/* As others compile the same sources (5.15, 6.1, arm64), and what was not to be had here. */
static const struct sample spelt[] = {
    {"5.15: a firewall's RST (iptables)",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;ip_output;ip_local_out;nf_send_reset;reject_tg;ipt_do_table;iptable_filter_"
     "hook;nf_hook_slow;ip_local_deliver;ip_rcv_finish;ip_rcv;__netif_receive_skb_one_core;__netif_receive_skb;process_backlog;__"
     "napi_poll;net_rx_action;__do_softirq;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_"
     "finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_"
     "connect;__inet_stream_connect;inet_stream_connect;__sys_connect_file;__sys_connect;__x64_sys_connect;do_syscall_64;entry_"
     "SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "firewall", 0, CHAIN_HOOK_INPUT},
    {"5.15: a router passes a SYN on",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_forward_finish;ip_forward;"
     "ip_rcv_finish;ip_rcv;__netif_receive_skb_one_core;__netif_receive_skb;process_backlog;__napi_poll;net_rx_action;__do_softirq;"
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect_file;__"
     "sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_FORWARD, NULL, CHAIN_PASSED_ON, CHAIN_HOOK_UNKNOWN},
    {"5.15: a path MTU, told by ICMP",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_xmit_retransmit_queue.part.0;tcp_simple_"
     "retransmit;tcp_v4_mtu_reduced;tcp_v4_err;icmp_unreach;icmp_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;ip_local_"
     "deliver;ip_rcv_finish;ip_rcv;__netif_receive_skb_one_core;__netif_receive_skb;process_backlog;__napi_poll;net_rx_action;__do_"
     "softirq;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_"
     "output;ip_output;ip_local_out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_"
     "connect;inet_stream_connect;__sys_connect_file;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "path-mtu", CHAIN_PATH_MTU, CHAIN_HOOK_UNKNOWN},
    {"6.18: the same, with everything on the way jumped over",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_"
     "xmit_retransmit_queue.part.0;tcp_v4_err;icmp_unreach;icmp_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_"
     "receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_"
     "xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_"
     "stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "path-mtu", CHAIN_PATH_MTU, CHAIN_HOOK_UNKNOWN},
    {"an ICMP error ends a connect()",
     "inet_sk_state_store;tcp_done;tcp_v4_err;icmp_unreach;icmp_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_"
     "receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_"
     "xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_"
     "stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "icmp-error", 0, CHAIN_HOOK_UNKNOWN},
    {"an ICMP error takes back the timer's patience, and that has run out already",
     "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_"
     "retransmit_timer;tcp_ld_RTO_revert;tcp_v4_err;icmp_unreach;icmp_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;__netif_"
     "receive_skb_one_core;process_backlog;__napi_poll;net_rx_action;handle_softirqs;do_softirq;__local_bh_enable_ip;__dev_queue_"
     "xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_"
     "stream_connect;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_TIMER, "retransmit", CHAIN_RETRANSMIT, CHAIN_HOOK_UNKNOWN},
    {"5.15: pacing",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;tcp_tsq_write.part.0;tcp_tsq_handler;tcp_pace_kick;__hrtimer_run_queues;"
     "hrtimer_run_softirq;__do_softirq;run_ksoftirqd;smpboot_thread_fn;kthread;ret_from_fork",
     CHAIN_KERNEL, "pacing", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"5.15: small queues",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;tcp_tsq_write.part.0;tcp_tsq_handler;tcp_tasklet_func;tasklet_action_common."
     "constprop.0;tasklet_action;__do_softirq;irq_exit_rcu;common_interrupt;asm_common_interrupt;__dev_queue_xmit;dev_queue_xmit;"
     "ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_"
     "skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect_file;__sys_connect;__x64_sys_connect;"
     "do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "small-queues", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"6.9: small queues, in a softirq's worker",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;tcp_tsq_write;tcp_tsq_handler;tcp_tsq_workfn;process_one_work;bh_worker;"
     "workqueue_softirq_action;tasklet_action;handle_softirqs;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;"
     "ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_"
     "stream_connect;inet_stream_connect;__sys_connect_file;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_"
     "hwframe",
     CHAIN_KERNEL, "small-queues", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"5.15: small queues or pacing, put off until a call let go of the socket",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;tcp_tsq_write.part.0;tcp_release_cb;release_sock;tcp_sendmsg;sock_sendmsg;__"
     "sys_sendto;__x64_sys_sendto;do_syscall_64",
     CHAIN_KERNEL, "held-back", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"5.15: the retransmission timer, put off until a call let go of the socket",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_retransmit_timer;tcp_write_timer_handler;tcp_"
     "release_cb;release_sock;tcp_sendmsg;__sys_sendto;__x64_sys_sendto",
     CHAIN_TIMER, "retransmit", CHAIN_RETRANSMIT, CHAIN_HOOK_UNKNOWN},
    {"5.15: a delayed ACK, put off until a call let go of the socket",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;__tcp_send_ack.part.0;tcp_send_ack;tcp_delack_timer_handler;tcp_release_cb;release_sock;tcp_"
     "recvmsg;__sys_recvfrom;__x64_sys_recvfrom",
     CHAIN_TIMER, "delayed-ack", 0, CHAIN_HOOK_UNKNOWN},
    {"5.15: a challenge ACK",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;__tcp_send_ack.part.0;tcp_send_ack;tcp_send_challenge_ack.isra.0;tcp_validate_incoming;tcp_"
     "rcv_established;tcp_v4_do_rcv;tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;ip_local_deliver;ip_rcv_finish;ip_"
     "rcv;__netif_receive_skb_one_core;__netif_receive_skb;process_backlog;__napi_poll;net_rx_action;__do_softirq;do_softirq;__"
     "local_bh_enable_ip;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_"
     "out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__"
     "sys_connect_file;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_CHALLENGE, CHAIN_HOOK_UNKNOWN},
    {"6.1: what is old is told again",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;__tcp_send_ack.part.0;tcp_send_ack;tcp_send_dupack;tcp_validate_incoming;tcp_rcv_"
     "established;tcp_v4_do_rcv;tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;ip_local_deliver;ip_rcv_finish;ip_rcv;__"
     "netif_receive_skb_one_core;__netif_receive_skb;process_backlog;__napi_poll;net_rx_action;__do_softirq;do_softirq;__local_bh_"
     "enable_ip;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_"
     "queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_"
     "connect_file;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_REPEATED_ACK, CHAIN_HOOK_UNKNOWN},
    {"6.1: RACK's reordering timer",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_xmit_retransmit_queue;tcp_rack_reo_timeout;tcp_"
     "write_timer_handler;tcp_write_timer;call_timer_fn;__run_timers.part.0;run_timer_softirq;__do_softirq;__dev_queue_xmit;dev_"
     "queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;ip_queue_xmit;__tcp_"
     "transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect_file;__sys_connect;__x64_sys_"
     "connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_TIMER, "reordering", CHAIN_FAST, CHAIN_HOOK_UNKNOWN},
    {"6.1: data that a SYN carried and the peer did not take",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;__tcp_retransmit_skb;tcp_retransmit_skb;tcp_rcv_fastopen_synack;tcp_rcv_state_process;tcp_"
     "v4_do_rcv;tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;ip_local_deliver;ip_rcv_finish;ip_rcv;__netif_receive_"
     "skb_one_core;__netif_receive_skb;process_backlog;__napi_poll;net_rx_action;__do_softirq;do_softirq;__local_bh_enable_ip;__"
     "dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect_file;__"
     "sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_FAST_OPEN, CHAIN_HOOK_UNKNOWN},
    {"5.15: close() on its way back to the program",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_send_fin;__tcp_close;tcp_close;inet_release;__sock_release;sock_close;__fput;____fput;"
     "task_work_run;exit_to_user_mode_prepare;syscall_exit_to_user_mode;do_syscall_64",
     CHAIN_DEFERRED, NULL, CHAIN_CLOSING, CHAIN_HOOK_UNKNOWN},
    {"a close that somebody else left to this thread's next return, which is from an interrupt",
     "__dev_queue_xmit;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_send_fin;tcp_close;sock_close;__fput;task_work_run;"
     "exit_to_user_mode_loop;irqentry_exit_to_user_mode;asm_sysvec_call_function_single",
     CHAIN_OTHER, "exit_to_user_mode_loop", CHAIN_CLOSING, CHAIN_HOOK_UNKNOWN},
    {"Multipath TCP lets data go when its socket is let go",
     "__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;__mptcp_subflow_push_pending;mptcp_release_cb;release_sock;"
     "mptcp_recvmsg;inet_recvmsg;__sys_recvfrom;__x64_sys_recvfrom",
     CHAIN_KERNEL, "mptcp-release", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"5.15: write(), with its wrapper swallowed",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;tcp_push;tcp_sendmsg_locked;tcp_sendmsg;inet_"
     "sendmsg;sock_sendmsg;sock_write_iter;new_sync_write;vfs_write;ksys_write;do_syscall_64",
     CHAIN_CALL, "write", CHAIN_DATA_PUSH, CHAIN_HOOK_UNKNOWN},
    {"arm64: the active open",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect;__arm64_"
     "sys_connect;invoke_syscall;el0_svc_common.constprop.0;do_el0_svc;el0_svc;el0t_64_sync_handler;el0t_64_sync",
     CHAIN_CALL, "connect", 0, CHAIN_HOOK_UNKNOWN},
    {"arm64: a SYN-ACK, nested in the client's connect()",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;ip_build_and_send_pkt;tcp_v4_send_synack;tcp_conn_request;tcp_v4_conn_request;tcp_rcv_state_"
     "process;tcp_v4_do_rcv;tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;ip_local_deliver;ip_rcv_finish;ip_rcv;__"
     "netif_receive_skb_one_core;__netif_receive_skb;process_backlog;__napi_poll;net_rx_action;__do_softirq;____do_softirq;call_on_"
     "irq_stack;do_softirq_own_stack;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_"
     "output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__"
     "inet_stream_connect;inet_stream_connect;__sys_connect;__arm64_sys_connect;invoke_syscall;el0_svc_common.constprop.0;do_el0_"
     "svc;el0_svc;el0t_64_sync_handler;el0t_64_sync",
     CHAIN_RECEIVE, NULL, CHAIN_HANDSHAKE, CHAIN_HOOK_UNKNOWN},
    {"arm64: a kernel module without a row here answers, nested in the client's connect()",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tarpit_reset;tarpit_tg;ipt_do_table;nf_hook_slow;ip_local_deliver;ip_rcv_finish;ip_rcv;__"
     "netif_receive_skb_one_core;__netif_receive_skb;process_backlog;__napi_poll;net_rx_action;__do_softirq;____do_softirq;call_on_"
     "irq_stack;do_softirq_own_stack;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_"
     "output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__"
     "inet_stream_connect;inet_stream_connect;__sys_connect;__arm64_sys_connect;invoke_syscall;el0_svc_common.constprop.0;do_el0_"
     "svc;el0_svc;el0t_64_sync_handler;el0t_64_sync",
     CHAIN_OTHER, "tarpit_reset", 0, CHAIN_HOOK_UNKNOWN},
    {"arm64: a timer in an interrupt of the client's call",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_send_ack;tcp_delack_timer_handler;tcp_delack_timer;call_timer_fn;__run_timers;run_timer_"
     "softirq;__do_softirq;____do_softirq;call_on_irq_stack;do_softirq_own_stack;irq_exit_rcu;el1_interrupt;el1h_64_irq_handler;"
     "el1h_64_irq;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__"
     "ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_"
     "connect;__arm64_sys_connect;invoke_syscall;el0_svc_common.constprop.0;do_el0_svc;el0_svc;el0t_64_sync_handler;el0t_64_sync",
     CHAIN_TIMER, "delayed-ack", 0, CHAIN_HOOK_UNKNOWN},
    {"a frame that the compiler hid leaves the work on a segment at the border",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_rcv_state_process;tcp_v4_do_rcv;ip_local_deliver_finish;ip_local_deliver;ip_rcv_finish;"
     "ip_rcv;__netif_receive_skb_one_core;__netif_receive_skb;process_backlog;__napi_poll;net_rx_action;__do_softirq;do_softirq;__"
     "local_bh_enable_ip;__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_"
     "out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__"
     "sys_connect_file;__sys_connect;__x64_sys_connect;do_syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_RECEIVE, NULL, CHAIN_INPUT, CHAIN_HOOK_UNKNOWN},
    {"SYNPROXY answers in the server's place",
     "__dev_queue_xmit;ip_finish_output2;ip_output;ip_local_out;synproxy_send_tcp.isra.0;synproxy_send_client_synack;nft_synproxy_"
     "do_eval;nft_do_chain;nf_hook_slow;ip_local_deliver;ip_rcv_finish;ip_rcv;__netif_receive_skb_one_core;__netif_receive_skb;"
     "process_backlog;__napi_poll;net_rx_action;__do_softirq;do_softirq;__local_bh_enable_ip;__dev_queue_xmit;dev_queue_xmit;ip_"
     "finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;ip_queue_xmit;__tcp_transmit_skb;"
     "tcp_connect;tcp_v4_connect;__inet_stream_connect;inet_stream_connect;__sys_connect_file;__sys_connect;__x64_sys_connect;do_"
     "syscall_64;entry_SYSCALL_64_after_hwframe",
     CHAIN_KERNEL, "synproxy", 0, CHAIN_HOOK_INPUT},
    {"a packet that a firewall's program had held is let go by its verdict",
     "__dev_queue_xmit;ip_finish_output2;ip_output;nf_reinject;nfqnl_recv_verdict;nfnetlink_rcv_msg;netlink_rcv_skb;netlink_"
     "unicast;netlink_sendmsg;__sys_sendto;__x64_sys_sendto",
     CHAIN_HELD, NULL, 0, CHAIN_HOOK_UNKNOWN},
    {"a program with a raw socket",
     "__dev_queue_xmit;ip_finish_output2;ip_output;raw_send_hdrinc;raw_sendmsg;inet_sendmsg;__sys_sendto;__x64_sys_sendto",
     CHAIN_KERNEL, "raw-socket", 0, CHAIN_HOOK_UNKNOWN},
    {"the wire of a run hands a segment to its host",
     "__dev_direct_xmit;packet_xmit;packet_sendmsg;__sys_sendto;__x64_sys_sendto;do_syscall_64", CHAIN_FORWARD, NULL, 0,
     CHAIN_HOOK_UNKNOWN},
    {"a worker of the kernel that has no row here",
     "__dev_queue_xmit;dev_queue_xmit;ip_finish_output2;__ip_finish_output;ip_finish_output;ip_output;ip_local_out;__ip_queue_xmit;"
     "ip_queue_xmit;__tcp_transmit_skb;tcp_write_xmit;tcp_sendmsg_locked;tcp_sendmsg;svc_tcp_sendto;svc_process;nfsd;kthread;ret_"
     "from_fork",
     CHAIN_OTHER, "svc_tcp_sendto", 0, CHAIN_HOOK_UNKNOWN},
};
