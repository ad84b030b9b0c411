#include "story/chain.h"

#include <string.h>

/* Innermost frames come first in a chain. Timers stand before the softirq that runs them, __release_sock before the call
 * that released; functions that compilers like to inline have their callers listed too. Names as of Linux 5.15 to 6.18. */
static const struct chain_row rows[] = {
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

    /* the backlog: net/core/sock.c */
    {"__release_sock", CHAIN_BACKLOG, 0, NULL},
    /* tcp_release_cb (often inlined, or jumped to): an ACK or queued data that had to wait while a call owned the socket */
    {"tcp_release_cb", CHAIN_BACKLOG, CHAIN_LEFT_OVER, NULL},
    {"release_sock", CHAIN_BACKLOG, CHAIN_LEFT_OVER, NULL},

    /* timers: net/ipv4/tcp_timer.c, tcp_output.c, inet_connection_sock.c, inet_timewait_sock.c */
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
    {"hrtimer_wakeup", CHAIN_TIMER, 0, "timeout"},
    {"process_timeout", CHAIN_TIMER, 0, "timeout"},

    /* the kernel's own: pacing and small queues hold back what a call had queued */
    {"tcp_tsq_handler", CHAIN_KERNEL, CHAIN_DATA_PUSH, "small-queues"},
    {"tcp_tsq_write", CHAIN_KERNEL, CHAIN_DATA_PUSH, "small-queues"},
    {"tcp_pace_kick", CHAIN_KERNEL, CHAIN_DATA_PUSH, "pacing"},
    {"mptcp_worker", CHAIN_KERNEL, 0, "mptcp"},

    /* io_uring: there may be no system call (io_uring/net.c, io-wq.c, sqpoll.c) */
    {"io_connect", CHAIN_CALL, 0, "io_uring connect"},
    {"io_send", CHAIN_CALL, 0, "io_uring send"},
    {"io_close", CHAIN_CALL, CHAIN_CLOSING, "io_uring close"},
    {"io_shutdown", CHAIN_CALL, 0, "io_uring shutdown"},

    /* signals wake (kernel/signal.c) */
    {"signal_wake_up_state", CHAIN_SIGNAL, 0, NULL},
    {"complete_signal", CHAIN_SIGNAL, 0, NULL},

    /* a packet socket forwards: net/packet/af_packet.c */
    {"packet_sendmsg", CHAIN_FORWARD, 0, NULL},

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
    {"__sys_recvfrom", CHAIN_CALL, 0, "recvfrom"},
    {"__sys_recvmsg", CHAIN_CALL, 0, "recvmsg"},
    {"__sys_shutdown", CHAIN_CALL, 0, "shutdown"},
    {"__sys_setsockopt", CHAIN_CALL, 0, "setsockopt"},
    {"ksys_write", CHAIN_CALL, 0, "write"},
    {"ksys_read", CHAIN_CALL, 0, "read"},

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
    {"tcp_cleanup_rbuf", CHAIN_SILENT, CHAIN_READ, NULL},
    {"__tcp_cleanup_rbuf", CHAIN_SILENT, CHAIN_READ, NULL},
    {"tcp_send_challenge_ack", CHAIN_SILENT, CHAIN_CHALLENGE, NULL},
    {"tcp_send_dupack", CHAIN_SILENT, CHAIN_CHALLENGE, NULL},
    {"tcp_disconnect", CHAIN_SILENT, CHAIN_DISCONNECT, NULL},
    {"inet_csk_listen_stop", CHAIN_SILENT, CHAIN_LISTEN_STOP, NULL},
    {"tcp_timewait_state_process", CHAIN_SILENT, CHAIN_TIME_WAIT, NULL},
    {"tcp_time_wait", CHAIN_SILENT, CHAIN_TIME_WAIT, NULL},
    {"tcp_conn_request", CHAIN_SILENT, CHAIN_HANDSHAKE, NULL},
    {"tcp_v4_do_rcv", CHAIN_SILENT, CHAIN_INPUT, NULL},
    {"tcp_v6_do_rcv", CHAIN_SILENT, CHAIN_INPUT, NULL},
    {"tcp_rcv_established", CHAIN_SILENT, CHAIN_INPUT, NULL},
    {"tcp_rcv_state_process", CHAIN_SILENT, CHAIN_INPUT, NULL},
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

/* Compilers split and clone functions: "tcp_send_challenge_ack.isra.0" is that function still. */
static const struct chain_row *find(const char *function)
{
    size_t length = strcspn(function, ".");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strncmp(rows[i].function, function, length) == 0 && rows[i].function[length] == '\0') return &rows[i];
    return NULL;
}

/* "__x64_sys_connect" → "connect"; NULL for anything else. Compat entries count as the call they are. */
static const char *system_call(const char *function)
{
    static const char *const prefixes[] = {"__x64_sys_", "__arm64_sys_",       "__ia32_sys_",        "__do_sys_",
                                           "__se_sys_",  "__ia32_compat_sys_", "__arm64_compat_sys_"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncmp(function, prefixes[i], length) == 0) return function + length;
    }
    return NULL;
}

struct chain_verdict chain_read(const struct event_chain *chain)
{
    struct chain_verdict verdict = {.meaning = CHAIN_SILENT};
    for (size_t i = 0; chain && i < chain->count; i++) {
        const struct chain_row *row = find(chain->names[i]);
        const char *call = row ? NULL : system_call(chain->names[i]);
        if (row) verdict.notes |= row->note;
        if (!call && (!row || row->meaning == CHAIN_SILENT)) continue;
        verdict.meaning = row ? row->meaning : CHAIN_CALL;
        verdict.name = row ? row->name : call;
        verdict.decided_at = i;
        break;
    }
    return verdict;
}
