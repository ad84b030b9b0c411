#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "ledger/own.h"

enum { SLOTS_FIRST = 4096 };

/* The product of two 64-bit numbers, folded: every bit of both reaches every bit of it. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The same for both directions: the lower end comes first. */
static inline uint32_t hash_ends(const struct ledger *ledger, uint64_t a, uint64_t b)
{
    uint64_t low = a < b ? a : b, high = a < b ? b : a;
    return (uint32_t)fold(low ^ ledger->seed[0], high ^ ledger->seed[1]);
}

static uint64_t wide_end(const struct ledger *ledger, const uint8_t ip[16], uint16_t port)
{
    uint64_t a, b;
    memcpy(&a, ip, 8);
    memcpy(&b, ip + 8, 8);
    return fold(fold(a ^ ledger->seed[0], b ^ ledger->seed[1]) ^ port, ledger->seed[1] | 1);
}

static inline uint32_t hash_of(const struct ledger *ledger, const uint8_t src[16], const uint8_t dst[16], uint16_t src_port,
                               uint16_t dst_port, uint8_t version)
{
    uint32_t from, to;
    if (version != 4) return hash_ends(ledger, wide_end(ledger, src, src_port), wide_end(ledger, dst, dst_port));
    memcpy(&from, src, 4);
    memcpy(&to, dst, 4);
    return hash_ends(ledger, (uint64_t)from << 16 | src_port, (uint64_t)to << 16 | dst_port);
}

uint32_t index_hash(const struct ledger *ledger, const struct ledger_segment *segment)
{
    return hash_of(ledger, segment->src, segment->dst, segment->src_port, segment->dst_port, segment->version);
}

void index_guess(const struct ledger *ledger, struct guess *guess)
{
    const struct slot *slots = ledger->slots;
    uint32_t hash = guess->hash;
    guess->flow = 0;
    for (size_t i = index_slot(ledger, hash); slots[i].flow; i = (i + 1) & (ledger->slot_count - 1)) {
        if (slots[i].mark != hash) continue;
        guess->flow = slots[i].flow;
        guess->record = flow_at(ledger, slots[i].flow - 1);
        /* All of it: what a line more costs is less than to come for it when the connection ends. */
        flow_fetch(guess->record);
        return;
    }
}

uint32_t index_find(const struct ledger *ledger, const struct ledger_segment *segment, uint32_t hash, int *ret_side)
{
    if (!ledger->slot_count) return 0;
    for (size_t i = index_slot(ledger, hash); ledger->slots[i].flow; i = (i + 1) & (ledger->slot_count - 1)) {
        if (ledger->slots[i].mark != hash) continue;
        int side = flow_side(flow_at(ledger, ledger->slots[i].flow - 1), segment);
        if (side < 0) continue;
        *ret_side = side;
        return ledger->slots[i].flow;
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
    size_t count = ledger->slot_count ? ledger->slot_count * 2 : SLOTS_FIRST, bytes = count * sizeof(struct slot);
    struct slot *slots = aligned_alloc(bytes >= PAGES_LARGE ? PAGES_LARGE : 4096, bytes);
    if (!slots) return -ENOMEM;
    pages_ask(slots, bytes);
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
    /* At most half full: a search ends in the cache line where it begins, nearly always. */
    if ((size_t)ledger->flows.count * 2 > ledger->slot_count) {
        int code = grow(ledger);
        if (code) return code;
    }
    put(ledger->slots, ledger->slot_count, number + 1, hash);
    return 0;
}

uint32_t index_prepare(const struct ledger *ledger, uint32_t number)
{
    const struct flow *flow = flow_at(ledger, number);
    uint8_t ip[2][16];
    flow_get_ip(flow, 0, ip[0]);
    flow_get_ip(flow, 1, ip[1]);
    uint32_t at = hash_of(ledger, ip[0], ip[1], flow->port[0], flow->port[1], flow->version);
    __builtin_prefetch(&ledger->slots[index_slot(ledger, at)], 1);
    return at;
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
