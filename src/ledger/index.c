#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ledger/own.h"

enum { SLOTS_FIRST = 4096 };

/* The product of two 64-bit numbers, folded: every bit of both reaches every bit of it. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_end(const struct ledger *ledger, const uint8_t ip[16], uint16_t port, bool wide)
{
    uint32_t low;
    memcpy(&low, ip, 4);
    if (!wide) return fold((((uint64_t)low << 16) | port) ^ ledger->seed[0], ledger->seed[1]);
    uint64_t a, b;
    memcpy(&a, ip, 8);
    memcpy(&b, ip + 8, 8);
    return fold(fold(a ^ ledger->seed[0], b ^ ledger->seed[1]) ^ port, ledger->seed[1] | 1);
}

uint32_t index_hash(const struct ledger *ledger, const struct ledger_segment *segment)
{
    bool wide = segment->version != 4;
    uint64_t sum =
        hash_end(ledger, segment->src, segment->src_port, wide) + hash_end(ledger, segment->dst, segment->dst_port, wide);
    return (uint32_t)fold(sum ^ ledger->seed[1], ledger->seed[0] | 1);
}

static uint32_t hash_flow(const struct ledger *ledger, const struct flow *flow)
{
    struct ledger_segment segment = {.src_port = flow->port[0], .dst_port = flow->port[1], .version = flow->version};
    memcpy(segment.src, flow->ip[0], 16);
    memcpy(segment.dst, flow->ip[1], 16);
    return index_hash(ledger, &segment);
}

/* Both ends at once: 32 bytes of addresses and the ports, in this order or the other. */
static inline bool same(const struct flow *flow, const struct ledger_segment *segment, int side)
{
    uint64_t a[2], b[2], c[2], d[2];
    memcpy(a, flow->ip[side], 16);
    memcpy(b, flow->ip[!side], 16);
    memcpy(c, segment->src, 16);
    memcpy(d, segment->dst, 16);
    return !((a[0] ^ c[0]) | (a[1] ^ c[1]) | (b[0] ^ d[0]) | (b[1] ^ d[1]));
}

uint32_t index_find(const struct ledger *ledger, const struct ledger_segment *segment, uint32_t hash, int *ret_side)
{
    if (!ledger->slot_count) return 0;
    for (size_t i = index_slot(ledger, hash); ledger->slots[i].flow; i = (i + 1) & (ledger->slot_count - 1)) {
        if (ledger->slots[i].mark != hash) continue;
        const struct flow *flow = flow_at(ledger, ledger->slots[i].flow - 1);
        if (flow->version != segment->version) continue;
        for (int side = 0; side < 2; side++) {
            if (flow->port[side] != segment->src_port || flow->port[!side] != segment->dst_port) continue;
            if (!same(flow, segment, side)) continue;
            *ret_side = side;
            return ledger->slots[i].flow;
        }
    }
    return 0;
}

static void put(struct slot *slots, size_t count, uint32_t flow, uint32_t hash)
{
    size_t i = hash & (count - 1);
    while (slots[i].flow) i = (i + 1) & (count - 1);
    slots[i] = (struct slot){flow, hash};
}

static int grow(struct ledger *ledger)
{
    const size_t page = (size_t)2 << 20;
    size_t count = ledger->slot_count ? ledger->slot_count * 2 : SLOTS_FIRST, bytes = count * sizeof(struct slot);
    struct slot *slots = aligned_alloc(bytes >= page ? page : 4096, bytes);
    if (!slots) return -ENOMEM;
    if (bytes >= page) madvise(slots, bytes, MADV_HUGEPAGE);
    memset(slots, 0, bytes);
    for (size_t i = 0; i < ledger->slot_count; i++)
        if (ledger->slots[i].flow) put(slots, count, ledger->slots[i].flow, ledger->slots[i].mark);
    free(ledger->slots);
    ledger->slots = slots;
    ledger->slot_count = count;
    return 0;
}

int index_add(struct ledger *ledger, uint32_t number, uint32_t hash)
{
    /* At most a third full: a search that fails ends at the first or second neighbour. */
    if ((size_t)ledger->flows.count * 3 > ledger->slot_count) {
        int code = grow(ledger);
        if (code) return code;
    }
    put(ledger->slots, ledger->slot_count, number + 1, hash);
    return 0;
}

uint32_t index_prepare(const struct ledger *ledger, uint32_t number)
{
    uint32_t hash = hash_flow(ledger, flow_at(ledger, number));
    __builtin_prefetch(&ledger->slots[index_slot(ledger, hash)], 1);
    return hash;
}

/* Takes a slot out and moves those behind it that it kept from their places. */
void index_remove(struct ledger *ledger, uint32_t number, uint32_t hash)
{
    size_t mask = ledger->slot_count - 1, hole = index_slot(ledger, hash);
    while (ledger->slots[hole].flow != number + 1) hole = (hole + 1) & mask;
    for (size_t i = (hole + 1) & mask; ledger->slots[i].flow; i = (i + 1) & mask) {
        size_t home = index_slot(ledger, ledger->slots[i].mark);
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        ledger->slots[hole] = ledger->slots[i];
        hole = i;
    }
    ledger->slots[hole] = (struct slot){0};
}
