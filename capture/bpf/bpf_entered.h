/* In which network a record of the kernel side shows a followed thread. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_ENTERED_H
#define TCPWHY_CAPTURE_BPF_BPF_ENTERED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* That network's inode, and the thread; 0: it says nothing of that. */
uint32_t bpf_entered(const void *record, size_t bytes, pid_t *ret_tid);

#endif
