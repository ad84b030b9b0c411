#include "lab/actor/uring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A ring of one entry: the kernel rounds nothing up, and there is no other thread. */
struct ring {
    int fd;
    struct io_uring_params params;
    unsigned char *submit, *complete; /* the mapped rings; one mapping on kernels with IORING_FEAT_SINGLE_MMAP (5.4) */
    struct io_uring_sqe *entry;
    size_t rings_bytes;
};

static int open_ring(struct ring *ring)
{
    memset(ring, 0, sizeof(*ring));
    ring->fd = (int)syscall(SYS_io_uring_setup, 1, &ring->params);
    if (ring->fd < 0) return -errno;
    if (!(ring->params.features & IORING_FEAT_SINGLE_MMAP)) {
        close(ring->fd);
        return -ENOSYS;
    }
    size_t submit = ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t);
    size_t complete = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
    ring->rings_bytes = submit > complete ? submit : complete;
    ring->submit = mmap(NULL, ring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
    ring->complete = ring->submit;
    ring->entry = mmap(NULL, sizeof(*ring->entry), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
    return ring->submit == MAP_FAILED || ring->entry == MAP_FAILED ? -ENOMEM : 0;
}

static void close_ring(struct ring *ring)
{
    if (ring->fd < 0) return;
    if (ring->submit && ring->submit != MAP_FAILED) munmap(ring->submit, ring->rings_bytes);
    if (ring->entry && ring->entry != MAP_FAILED) munmap(ring->entry, sizeof(*ring->entry));
    close(ring->fd);
}

static uint32_t *word(unsigned char *ring, uint32_t offset)
{
    return (uint32_t *)(void *)(ring + offset);
}

static int submit_and_wait(struct ring *ring)
{
    const struct io_sqring_offsets *sq = &ring->params.sq_off;
    const struct io_cqring_offsets *cq = &ring->params.cq_off;
    uint32_t tail = *word(ring->submit, sq->tail);
    word(ring->submit, sq->array)[tail & *word(ring->submit, sq->ring_mask)] = 0;
    __atomic_store_n(word(ring->submit, sq->tail), tail + 1, __ATOMIC_RELEASE);
    uint32_t head = *word(ring->complete, cq->head);
    unsigned to_submit = 1;
    while (__atomic_load_n(word(ring->complete, cq->tail), __ATOMIC_ACQUIRE) == head) {
        long got = syscall(SYS_io_uring_enter, ring->fd, to_submit, 1, IORING_ENTER_GETEVENTS, NULL, 0);
        if (got < 0 && errno != EINTR) return -errno;
        if (got > 0) to_submit = 0;
    }
    const struct io_uring_cqe *cqes = (const struct io_uring_cqe *)(void *)(ring->complete + cq->cqes);
    int result = cqes[head & *word(ring->complete, cq->ring_mask)].res;
    __atomic_store_n(word(ring->complete, cq->head), head + 1, __ATOMIC_RELEASE);
    return result;
}

bool uring_works(void)
{
    struct ring ring;
    int code = open_ring(&ring);
    if (ring.fd >= 0 && code != -ENOSYS) close_ring(&ring);
    return code == 0;
}

int uring_do(enum uring_operation operation, int fd, const struct sockaddr *address, socklen_t length)
{
    static const uint8_t codes[] = {IORING_OP_CONNECT, IORING_OP_ACCEPT, IORING_OP_CLOSE};
    struct ring ring;
    int code = open_ring(&ring);
    if (!code) {
        *ring.entry = (struct io_uring_sqe){.opcode = codes[operation], .fd = fd};
        if (operation == URING_CONNECT) {
            ring.entry->addr = (uint64_t)(uintptr_t)address;
            ring.entry->off = length;
        }
        code = submit_and_wait(&ring);
    }
    if (ring.fd >= 0 && code != -ENOSYS) close_ring(&ring);
    return code;
}
