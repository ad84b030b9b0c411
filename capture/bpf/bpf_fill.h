/* How full the ring is, as both ends of it have it: in memory, readable without a right and from any thread. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_FILL_H
#define TCPWHY_CAPTURE_BPF_BPF_FILL_H

#include <stdint.h>

struct bpf_fill {
    const unsigned long *taken, *written; /* bytes, ever; NULL: not mapped */
    uint64_t bytes;                       /* of the ring */
};

/* Maps both of the ring of that descriptor. 0 or -errno. */
int bpf_fill_map(struct bpf_fill *fill, int ring_fd, uint64_t bytes);
void bpf_fill_unmap(struct bpf_fill *fill);
/* How much is written and not taken yet, in percent. */
unsigned bpf_fill_percent(const struct bpf_fill *fill);

#endif
