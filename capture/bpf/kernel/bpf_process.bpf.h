/* The followed processes: which they are, their beginnings and ends. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_PROCESS_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_PROCESS_BPF_H

#include "bpf_maps.bpf.h"
#include "capture/syscalls.h"

/* Whether this process is followed: the one that was, and no later one of the same number. */
static __always_inline int is_followed(__u32 tgid, struct task_struct *task)
{
    __u64 *known = bpf_map_lookup_elem(&processes, &tgid), began;

    if (!known) return 0;
    began = READ_GIVEN(task, group_leader, start_time);
    if (!*known) *known = began;
    if (*known == began) return 1;
    entry_left(MAP_PROCESSES, bpf_map_delete_elem(&processes, &tgid));
    return 0;
}

/* On a whole host those processes are followed (their forks and ends) that make calls of sockets. */
static __always_inline void process_note(__u32 tgid)
{
    __u64 began = 0;

    if (bpf_map_lookup_elem(&processes, &tgid)) return;
    began = READ_GIVEN(bpf_get_current_task_btf(), group_leader, start_time);
    if (!bpf_map_update_elem(&processes, &tgid, &began, BPF_ANY)) entry_came(MAP_PROCESSES);
}

static __always_inline void process_emit(__u32 change, struct task_struct *task, __u32 parent, __s32 code)
{
    struct record_process *process = RING_RESERVE(struct record_process, sizeof(struct record_process));

    if (!process) {
        ring_full();
        return;
    }
    head_fill(&process->head, RECORD_PROCESS);
    process->change = change;
    process->pid = (__u32)BPF_CORE_READ(task, tgid);
    process->tid = (__u32)BPF_CORE_READ(task, pid);
    process->parent = parent;
    process->code = code;
    process->netns = (__u32)BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
    BPF_CORE_READ_STR_INTO(&process->comm, task, group_leader, comm); /* the last thread to end may have a name of its own */
    RING_SUBMIT(process);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
    __u32 from = (__u32)BPF_CORE_READ(parent, tgid), to = (__u32)BPF_CORE_READ(child, tgid);
    __u64 began = BPF_CORE_READ(child, start_time);

    if (is_skipped(PROGRAM_FORK) || from == to || !is_followed(from, parent)) return 0;
    entry_left(MAP_PROCESSES, bpf_map_delete_elem(&processes, &to)); /* the number's last owner, whose end was not seen */
    if (!bpf_map_update_elem(&processes, &to, &began, BPF_ANY)) entry_came(MAP_PROCESSES);
    process_emit(PROCESS_FORK, child, from, 0);
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_tid)
{
    __u32 tgid = (__u32)BPF_CORE_READ(task, tgid), tid = (__u32)BPF_CORE_READ(task, pid), old = (__u32)old_tid;

    if (is_skipped(PROGRAM_EXEC) || !is_followed(tgid, task)) return 0;
    /* execve() of another thread than the first takes the first one's id: the call ends under the new name. */
    if (old != tid) {
        struct thread_state *thread = thread_in_call(old);

        thread_leaves(bpf_map_lookup_elem(&threads, &tid));
        if (thread && !bpf_map_update_elem(&threads, &tid, thread, BPF_ANY)) entry_came(MAP_THREADS);
        thread_leaves(thread);
        bpf_map_delete_elem(&threads, &old);
    }
    process_emit(PROCESS_EXEC, task, 0, 0);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
    enum { GROUP_EXIT = 4 /* SIGNAL_GROUP_EXIT */ };
    __u32 tgid = (__u32)BPF_CORE_READ(task, tgid), tid = (__u32)BPF_CORE_READ(task, pid);

    if (is_skipped(PROGRAM_EXIT) || !is_followed(tgid, task)) return 0;
    thread_leaves(bpf_map_lookup_elem(&threads, &tid));
    bpf_map_delete_elem(&threads, &tid);
    bpf_map_delete_elem(&strangers, &tid);
    if (BPF_CORE_READ(task, signal, live.counter) > 0) return 0;

    /* What wait(2) will report: the group's code where the group was ended, else that of the first thread. */
    __s32 code = (BPF_CORE_READ(task, signal, flags) & GROUP_EXIT) ? BPF_CORE_READ(task, signal, group_exit_code)
                                                                   : BPF_CORE_READ(task, group_leader, exit_code);

    entry_left(MAP_PROCESSES, bpf_map_delete_elem(&processes, &tgid));
    process_emit(PROCESS_EXIT, task, 0, code);
    return 0;
}

#endif
