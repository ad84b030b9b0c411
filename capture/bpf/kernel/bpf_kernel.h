/* The few fields of the kernel's structures that the recorder reads, kept by hand.
 *
 * Each structure names only what is used; where the field really lies is filled in from the running kernel's BTF when the
 * program is loaded (CO-RE), so one object serves Linux 5.15 to 6.x on x86-64 and arm64, and it compiles on a machine without
 * BTF. Field names are the kernel's. Only for the BPF side. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_KERNEL_H
#define TCPWHY_CAPTURE_BPF_BPF_KERNEL_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    unsigned int inum;
};
struct net {
    struct ns_common ns;
};
typedef struct {
    struct net *net;
} possible_net_t;

struct in6_addr {
    union {
        __u8 u6_addr8[16];
    } in6_u;
};
typedef struct {
    __s64 counter;
} atomic64_t;
typedef struct {
    int counter;
} atomic_t;

/* Numbers of the running kernel: bpf_core_enum_value. */
enum sock_flags {
    SOCK_DEAD,
    SOCK_DONE /* the peer's FIN has arrived */
};

struct sock;
/* What full sockets, request sockets and timewait sockets have in common. */
struct sock_common {
    __be32 skc_daddr, skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    unsigned char skc_state;
    unsigned char skc_ipv6only : 1;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
    atomic64_t skc_cookie;
    unsigned long skc_flags;
    struct sock *skc_listener;
};
struct sk_buff_head {
    __u32 qlen;
};
struct socket;
struct sock {
    struct sock_common __sk_common;
    struct sk_buff_head sk_receive_queue;
    struct socket *sk_socket;
    __u32 sk_ack_backlog, sk_max_ack_backlog; /* of a listening socket: how many wait for accept(), and how many may */
    __u16 sk_protocol;
    __u16 sk_type;
};
struct inet_sock {
    struct sock sk;
    __be16 inet_sport;
};
struct request_sock_queue {
    atomic_t qlen; /* how many have not finished their handshake */
};
struct inet_connection_sock {
    struct request_sock_queue icsk_accept_queue;
    __u32 icsk_rto;      /* jiffies */
    void *icsk_ulp_data; /* of a subflow: its struct mptcp_subflow_context */
};
struct tcp_sock {
    __u32 rcv_nxt, copied_seq;
    __u32 snd_cwnd, snd_ssthresh, srtt_us, mss_cache;
    _Bool is_mptcp; /* with CONFIG_MPTCP */
};
/* Multipath TCP: what a descriptor leads to, and the TCP sockets (subflows) that it sends through. Only with CONFIG_MPTCP. */
struct mptcp_sock {
    struct sock *first;
};
struct mptcp_subflow_context {
    struct sock *conn;
};
struct udp_sock {
    struct sk_buff_head reader_queue;
};
struct timespec64 {
    long long tv_sec;
};
struct hlist_node {
    struct hlist_node **pprev;
};
struct timer_list {
    struct hlist_node entry;
    void (*function)(struct timer_list *);
};
struct inet_timewait_sock {
    struct sock_common __tw_common;
    unsigned char tw_substate;
    struct timer_list tw_timer;
};
struct request_sock {
    struct sock_common __req_common;
    struct timer_list rsk_timer;
};

struct net_device {
    int ifindex;
    unsigned int flags;
    possible_net_t nd_net;
};
struct sk_buff {
    struct net_device *dev;
    struct sock *sk;
    unsigned int len, data_len;
    int skb_iif;
    __be16 protocol, vlan_proto;
    __u16 network_header;
    unsigned char *head, *data;
    char cb[48];
};

struct tcp_skb_cb {
    __u16 tcp_gso_segs;
    __u8 tcp_flags; /* 16 bits wide from 6.16 on: the lower ones */
};

struct inode {
    unsigned short i_mode;
    unsigned long i_ino;
};
struct file {
    struct inode *f_inode;
    void *private_data;
};
struct socket {
    struct file *file;
    struct sock *sk;
};
struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};
struct files_struct {
    struct fdtable *fdt;
};
struct signal_struct {
    atomic_t live;
    int group_exit_code;
    unsigned int flags;
};
struct thread_info {
    unsigned long flags;
    __u32 status;
};
struct nsproxy {
    struct net *net_ns;
};
struct task_struct {
    struct thread_info thread_info;
    unsigned int __state;
    int on_rq;
    int exit_code;
    int pid, tgid;
    struct task_struct *group_leader;
    char comm[16];
    __u64 start_time;
    unsigned long nvcsw; /* how often it left the CPU because it had to wait */
    struct files_struct *files;
    struct signal_struct *signal;
    struct nsproxy *nsproxy;
};

/* Of a CPU: how many packets it has begun to receive (counted behind net:netif_receive_skb, before anything else is done). */
struct napi_struct {
    struct net_device *dev; /* NULL of that which lies in a struct softnet_data */
};
struct softnet_data {
    unsigned int processed;
    struct napi_struct backlog;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long di, si, dx, r10, r8, r9, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
    __u64 regs[31];
    __u64 orig_x0;
    __s32 syscallno;
};
#else
#error "the BPF recorder knows the system call registers of x86-64 and arm64"
#endif

#pragma clang attribute pop

#endif
