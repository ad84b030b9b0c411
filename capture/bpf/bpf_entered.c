#include "capture/bpf/bpf_entered.h"

#include "capture/bpf/bpf_record.h"

uint32_t bpf_entered(const void *record, size_t bytes, pid_t *ret_tid)
{
    const struct record_head *head = record;
    const struct record_process *process = record;

    if (bytes < sizeof(*head)) return 0;
    *ret_tid = (pid_t)(head->kind == RECORD_PROCESS && bytes >= sizeof(*process) ? process->tid : head->tid);
    if (head->kind == RECORD_PROCESS) return bytes >= sizeof(*process) ? process->netns : 0;
    if ((head->kind != RECORD_ENTER && head->kind != RECORD_EXIT) || bytes < sizeof(struct record_call)) return 0;
    return ((const struct record_call *)record)->socket.netns;
}
