/* The end of all processes that a BPF recorder follows, made by somebody else when the recorder's own process is gone. Internal to
 * that recorder. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_END_H
#define TCPWHY_CAPTURE_BPF_BPF_END_H

#include "capture/bpf/bpf_load.h"

/* Closes every descriptor of this process but `keep` and those of BPF: programs and maps live on in it, and nothing else does. */
void bpf_end_keep(int keep);
/* SIGKILL for all that the kernel side follows, and for those that they make meanwhile, until none is left or half a minute is
 * over. */
void bpf_end_all(const struct bpf_load *load);

#endif
