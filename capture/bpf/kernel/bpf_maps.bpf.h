/* The BPF side's memory: the ring, the filter, what it knows of processes, threads, sockets and CPUs. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_MAPS_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_MAPS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf_kernel.h"
#include "bpf_read.bpf.h"
#include "capture/bpf/bpf_record.h"

const volatile struct record_config config SEC(".rodata.config") = {};

/* With config.only_ports: those, a bit each. */
const volatile __u64 chosen_ports[RECORD_PORT_WORDS] SEC(".rodata.ports") = {0};

/* Known only after loading, when the kernel's symbols are read. */
volatile struct record_timer_handlers timer_handlers SEC(".data.timer") = {RECORD_NO_FUNCTION, RECORD_NO_FUNCTION};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 << 20);
} ring SEC(".maps");

/* The user side maps it, so that it can be read without a right. */
struct record_counts counts SEC(".data.counts") = {{0}, {{{0}, {0}}}};

/* System call number → SYSCALL_* flags; 0: not recorded. Filled by the user side from its table. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, RECORD_SYSCALLS_MAX);
    __type(key, __u32);
    __type(value, __u32);
} syscalls SEC(".maps");

/* Followed processes: tgid → when it was started, 0 until it is first seen. So that whoever gets the number of one whose end was
 * not seen is not taken for it. LRU: what is left of such ends must not keep new processes out for ever; each call looks its
 * process up, so it is the silent ones that go. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, RECORD_PROCESSES_MAX);
    __type(key, __u32);
    __type(value, __u64);
} processes SEC(".maps");

/* Threads that were already running when their process was followed and have not crossed the system call boundary since. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u32);
    __type(value, __u32);
} strangers SEC(".maps");

/* A thread inside a recorded call, or one that was: its entry stays for the next one. */
struct thread_state {
    __u64 args[6];
    __u64 sk, file; /* behind the descriptor when the call began */
    __u64 slept_ns, off_ns;
    __u64 born;           /* when the thread was started */
    __u64 waits;          /* the kernel's own count of how often it had left the CPU to wait, when the call began */
    __u32 switches, woke; /* how often it was seen to leave, and to be woken */
    __u32 number, flags;
    __u8 sleeping, woken_early;
    __u8 unsure; /* the end of a sleep was not seen */
    __u8 in_call;
    __u8 second; /* as record_call's */
    __u8 untold; /* its beginning was not told yet (bpf_late.bpf.h) */
    __u8 pad[2];
    __u64 began_ns; /* of such a one */
    struct record_socket socket, other;
};
/* LRU for the same reason. A call whose entry went is told without its end: sys_exit finds nothing, and says nothing. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, RECORD_THREADS_MAX);
    __type(key, __u32);
    __type(value, struct thread_state);
} threads SEC(".maps");
/* Always zero: what a new entry of `threads` begins as (it is too large for the stack). */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct thread_state);
} thread_zero SEC(".maps");

/* struct sock * → its id. An entry lives until tcp_destroy_sock; of a stale one (UDP has no such event, and one may go unseen) the
 * rest tells that another socket is at its address (entry_is_of). */
struct socket_entry {
    __u64 id, cookie;
    __u64 inode; /* of the descriptor's file */
    __u64 ends;  /* ends_of() */
    __u64 tcp;   /* 1: its end will be seen */
    __u32 netns;
    __u32 protocol; /* 0: a socket of Multipath TCP */
};
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, RECORD_SOCKETS_MAX);
    __type(key, __u64);
    __type(value, struct socket_entry);
} sockets SEC(".maps");
/* Cookie → id: a timewait socket is another object, with the cookie of the socket that it stands for. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, __u64);
} cookies SEC(".maps");

/* Ports (protocol << 16 | port) and network namespaces that sockets of the followed processes use: the filter where no ports were
 * given. Apart, because what two followed processes in two namespaces say to each other is of interest at both ends. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u32);
    __type(value, __u32);
} used_ports SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, __u32);
    __type(value, __u32);
} used_netns SEC(".maps");

/* Where a port's listening sockets lie (listener_key). Nothing takes one out: whoever reads looks whether it still is one. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, __u64);
    __type(value, __u64);
} listeners SEC(".maps");

/* What a CPU is doing. */
struct cpu_state {
    struct record_packet received;
    __u32 netns;     /* where `received` came */
    __u32 processed; /* packets_processed() before it was counted */
    __u64 softnet;   /* where this CPU's struct softnet_data lies; 0 not known yet */
    __u8 tagged;     /* it had a VLAN's tag, and may be counted twice */
    __u8 receiving;  /* between netif_receive_skb of a packet of interest and the next packet or the end of the poll */
    __u8 softirq;
    __u8 outside;     /* `received` came from outside of its network, and no record tells of it (bpf_control.bpf.h) */
    __u32 known;      /* how many chains were known by heart */
    __u32 used_netns; /* the last that was found in that map */
    __u32 used_port;  /* likewise: protocol << 16 | port */
    __u32 pad;
    __u64 connecting; /* the socket that went to SYN_SENT here last: the port that the kernel chooses for it comes after that */
    __u64 ids[2];     /* how many sockets have been given an id here: outside softirq, inside */
};
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct cpu_state);
} cpus SEC(".maps");
/* A request socket's timer whose function this CPU is in. */
struct timer_run {
    __u64 timer; /* its address; 0: none, or it was set again */
    struct record_timer record;
};
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct timer_run);
} timer_runs SEC(".maps");
/* Room to read a packet before it is known to be wanted: one for each program that does, for the kernel runs none of them on a CPU
 * where it is already under way, be it interrupted or preempted. */
enum scratch { SCRATCH_QUEUE, SCRATCH_THERE, SCRATCH_RESET, SCRATCH_RESET_RECEIVED, SCRATCH_DROP, SCRATCHES };
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SCRATCHES);
    __type(key, __u32);
    __type(value, struct record_packet);
} scratches SEC(".maps");

static __always_inline void count(__u32 what)
{
    __sync_fetch_and_add(&counts.missed[what], 1);
}

/* Entries that came into a map and those that were taken out: what is neither taken out nor there any more was pushed out. */
static __always_inline void entry_came(__u32 map)
{
    __sync_fetch_and_add(&counts.entries[bpf_get_smp_processor_id() % RECORD_COUNTERS].of[map], 1);
}

static __always_inline void entry_left(__u32 map, long failed)
{
    if (!failed) __sync_fetch_and_add(&counts.entries[bpf_get_smp_processor_id() % RECORD_COUNTERS].of[map], -1);
}

/* The call that a thread is in; NULL: none that is recorded. */
static __always_inline struct thread_state *thread_in_call(__u32 tid)
{
    struct thread_state *thread = bpf_map_lookup_elem(&threads, &tid);

    return thread && thread->in_call ? thread : 0;
}

static __always_inline void thread_leaves(struct thread_state *thread)
{
    if (!thread || !thread->in_call) return;
    thread->in_call = 0;
    entry_left(MAP_THREADS, 0);
}

static __always_inline struct cpu_state *cpu_this(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&cpus, &zero);
}

/* Whether followed processes use sockets there. */
static __always_inline int netns_is_used(__u32 netns)
{
    struct cpu_state *cpu = cpu_this();

    if (cpu && cpu->used_netns == netns) return 1;
    if (!bpf_map_lookup_elem(&used_netns, &netns)) return 0;
    if (cpu) cpu->used_netns = netns;
    return 1;
}

/* Whether this port was the last that was found here. */
static __always_inline int port_was_used(__u32 key)
{
    struct cpu_state *cpu = cpu_this();

    return cpu && cpu->used_port == key;
}

/* Whether sockets of followed processes use the port. */
static __always_inline int port_is_used(__u32 key)
{
    struct cpu_state *cpu = cpu_this();

    if (cpu && cpu->used_port == key) return 1;
    if (!bpf_map_lookup_elem(&used_ports, &key)) return 0;
    if (cpu) cpu->used_port = key;
    return 1;
}

/* ---- what the kernel itself counts, whatever programs ran ---- */

/* How many packets this CPU has begun to receive; 0: not known yet. */
static __always_inline __u32 packets_processed(const struct cpu_state *cpu)
{
    const struct softnet_data *softnet = (const struct softnet_data *)cpu->softnet;

    return softnet ? READ(softnet, processed) : 0;
}

/* Whether `received` is what this CPU received last: no packet was counted behind it whose announcement went unseen. */
static __always_inline int cpu_is_receiving(const struct cpu_state *cpu)
{
    __u32 since;

    if (!cpu || !cpu->receiving) return 0;
    if (!cpu->processed) return 1;
    since = packets_processed(cpu) - cpu->processed;
    return since == 1 || (cpu->tagged && since == 2);
}

/* ---- for tests: a kernel that does not run a program, or not always ---- */

__u32 skip_seen[PROGRAMS] SEC(".data.skip") = {0};

static __always_inline int is_skipped(__u32 program)
{
    if (!(config.skip_programs >> program & 1)) return 0;
    return ++skip_seen[program] % config.skip_every == 0;
}

/* Room in the ring for a record of constant size, or NULL: then `return ring_full();`, so that it is counted as lost. There must be
 * one test for NULL and no other, not even one to choose what is counted: before 6.2 the verifier takes the second branch of a
 * second test for possible, and refuses the program because the record is not released there. */
#define RING_RESERVE(type, bytes) ((type *)bpf_ringbuf_reserve(&ring, bytes, 0))

/* Of a whole host the user side asks in its own time: waking it for each record would cost more than the record. */
#define RING_SUBMIT(record) bpf_ringbuf_submit(record, config.host_wide ? BPF_RB_NO_WAKEUP : 0)

static __always_inline int ring_full(void)
{
    count(COUNT_RING_FULL);
    return 0;
}

static __always_inline void head_fill(struct record_head *head, __u32 kind)
{
    const struct task_struct *task = bpf_get_current_task_btf();

    head->t_ns = bpf_ktime_get_ns();
    head->kind = kind;
    head->pid = (__u32)task->tgid;
    head->tid = (__u32)task->pid;
    head->pad = 0;
    ((__u64 *)head->comm)[0] = *(const __u64 *)&task->comm[0];
    ((__u64 *)head->comm)[1] = *(const __u64 *)&task->comm[8];
}

#endif
