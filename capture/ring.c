#include "capture/ring.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/pcap_library.h"

enum { BLOCK_BYTES = 1 << 16, HEAD_BYTES = 128, FRAME_LEAST = 256, FILTER_MOST = BPF_MAXINSNS };

struct ring {
    int fd;
    uint8_t *memory;
    size_t bytes, frame_bytes, frames, at;
    struct tpacket2_hdr *taken; /* to be given back when the next is asked for */
    uint64_t dropped;
};

/* A packet of which this is so is not looked at. */
static size_t add_refusal(struct sock_filter *steps, size_t count, int loaded, uint32_t value)
{
    steps[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + loaded));
    steps[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    steps[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    return count;
}

/* What stands before the person's own filter. */
static size_t add_refusals(struct sock_filter *steps, const struct ring_options *options)
{
    enum { OVER_REFUSAL = 3 };
    size_t count = 0;
    steps[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_HATYPE));
    steps[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 0, OVER_REFUSAL);
    count = add_refusal(steps, count, SKF_AD_PKTTYPE, PACKET_OUTGOING); /* it comes in a moment later */
    for (size_t i = 0; i < options->excluded_count && i < RING_EXCLUDED_MAX; i++)
        count = add_refusal(steps, count, SKF_AD_IFINDEX, (uint32_t)options->excluded[i]);
    return count;
}

static int set_filter(const struct pcap_library *lib, const struct ring *ring, const struct ring_options *options, struct err *err)
{
    pcap_t *dead = lib->pcap_open_dead(DLT_RAW, (int)options->snap_bytes);
    struct bpf_program program = {0};
    if (!dead) return err_set_errno(err, -ENOMEM, "can't capture packets");
    if (lib->pcap_compile(dead, &program, options->filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        err_set(err, -EINVAL, "the filter \"%s\" asks for a link layer, which is not captured there: %s", options->filter,
                lib->pcap_geterr(dead));
        lib->pcap_close(dead);
        return -EINVAL;
    }
    struct sock_filter *steps = calloc(FILTER_MOST, sizeof(*steps));
    size_t count = steps ? add_refusals(steps, options) : 0;
    int code = steps ? 0 : -ENOMEM;
    if (!code && count + program.bf_len > FILTER_MOST) code = -E2BIG;
    for (size_t i = 0; i < program.bf_len && !code; i++) {
        const struct bpf_insn *step = &program.bf_insns[i];
        steps[count++] = (struct sock_filter){.code = step->code, .jt = step->jt, .jf = step->jf, .k = step->k};
    }
    struct sock_fprog all = {.len = (unsigned short)count, .filter = steps};
    if (!code && setsockopt(ring->fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)) < 0) code = -errno;
    lib->pcap_freecode(&program);
    lib->pcap_close(dead);
    free(steps);
    return code ? err_set_errno(err, code, "can't set the filter of a capture") : 0;
}

static int map(struct ring *ring, const struct ring_options *options, struct err *err)
{
    const int version = TPACKET_V2;
    size_t frame = FRAME_LEAST, block = BLOCK_BYTES;
    while (frame < options->snap_bytes + HEAD_BYTES) frame *= 2;
    if (block < frame) block = frame;
    size_t blocks = options->ring_bytes / block ? options->ring_bytes / block : 1;
    struct tpacket_req request = {.tp_block_size = (unsigned)block,
                                  .tp_block_nr = (unsigned)blocks,
                                  .tp_frame_size = (unsigned)frame,
                                  .tp_frame_nr = (unsigned)(blocks * (block / frame))};
    if (setsockopt(ring->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
        setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0)
        return err_set_errno(err, -errno, "can't make room for packets");
    void *memory = mmap(NULL, blocks * block, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
    if (memory == MAP_FAILED) return err_set_errno(err, -errno, "can't make room for packets");
    ring->memory = memory;
    ring->bytes = blocks * block;
    ring->frame_bytes = frame;
    ring->frames = request.tp_frame_nr;
    return 0;
}

/* From here on it sees packets. */
static int begin(const struct ring *ring, struct err *err)
{
    const struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    if (bind(ring->fd, (const struct sockaddr *)&all, sizeof(all)) < 0) return err_set_errno(err, -errno, "can't capture packets");
    return 0;
}

int ring_open(struct ring **ret_ring, int fd, const struct ring_options *options, struct err *err)
{
    struct ring *ring = calloc(1, sizeof(*ring));
    if (!ring) {
        close(fd);
        return err_set_errno(err, -ENOMEM, "can't capture packets");
    }
    ring->fd = fd;
    struct pcap_library lib;
    int code = pcap_library_load(&lib, err);
    if (!code) code = set_filter(&lib, ring, options, err);
    if (!code) code = map(ring, options, err);
    if (!code) code = begin(ring, err);
    if (code)
        ring_close(ring);
    else
        *ret_ring = ring;
    return code;
}

int ring_fd(const struct ring *ring)
{
    return ring->fd;
}

size_t ring_frames(const struct ring *ring)
{
    return ring->frames;
}

int ring_next(struct ring *ring, struct ring_packet *ret_packet)
{
    if (ring->taken) __atomic_store_n(&ring->taken->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    ring->taken = NULL;
    uint8_t *frame = ring->memory + ring->at * ring->frame_bytes;
    struct tpacket2_hdr *head = (struct tpacket2_hdr *)(void *)frame;
    if (!(__atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) return 0;
    const struct sockaddr_ll *link = (const struct sockaddr_ll *)(const void *)(frame + TPACKET_ALIGN((int)sizeof(*head)));
    uint32_t room = (uint32_t)ring->frame_bytes - head->tp_mac;
    *ret_packet = (struct ring_packet){.t_ns = (int64_t)head->tp_sec * 1000000000 + head->tp_nsec,
                                       .bytes = frame + head->tp_mac,
                                       .captured_bytes = head->tp_snaplen < room ? head->tp_snaplen : room,
                                       .wire_bytes = head->tp_len,
                                       .interface = link->sll_ifindex,
                                       .hardware = link->sll_hatype};
    ring->taken = head;
    ring->at = (ring->at + 1) % ring->frames;
    return 1;
}

uint64_t ring_dropped(struct ring *ring)
{
    struct tpacket_stats stats;
    socklen_t bytes = sizeof(stats);
    /* Asking sets it to 0. */
    if (!getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes)) ring->dropped += stats.tp_drops;
    return ring->dropped;
}

void ring_close(struct ring *ring)
{
    if (!ring) return;
    if (ring->memory) munmap(ring->memory, ring->bytes);
    close(ring->fd);
    free(ring);
}
