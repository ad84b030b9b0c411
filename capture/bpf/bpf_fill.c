#include "capture/bpf/bpf_fill.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* The reader's page comes first, then the writer's (kernel/bpf/ringbuf.c, ringbuf_map_mmap_kern). */
static const unsigned long *map_page(int ring_fd, off_t page)
{
    long bytes = sysconf(_SC_PAGESIZE);
    void *at = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, ring_fd, page * bytes);

    return at == MAP_FAILED ? NULL : at;
}

int bpf_fill_map(struct bpf_fill *fill, int ring_fd, uint64_t bytes)
{
    fill->bytes = bytes;
    fill->taken = map_page(ring_fd, 0);
    if (fill->taken) fill->written = map_page(ring_fd, 1);
    if (fill->written) return 0;

    int code = -errno;

    bpf_fill_unmap(fill);
    return code;
}

void bpf_fill_unmap(struct bpf_fill *fill)
{
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);

    if (fill->taken) munmap((void *)(uintptr_t)fill->taken, bytes);
    if (fill->written) munmap((void *)(uintptr_t)fill->written, bytes);
    fill->taken = fill->written = NULL;
}

unsigned bpf_fill_percent(const struct bpf_fill *fill)
{
    enum { WHOLE = 100 };
    unsigned long taken = __atomic_load_n(fill->taken, __ATOMIC_RELAXED); /* first: it never is beyond what is written */
    unsigned long written = __atomic_load_n(fill->written, __ATOMIC_RELAXED);

    return (unsigned)((written - taken) * WHOLE / fill->bytes);
}
