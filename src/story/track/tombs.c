#include "story/track/tombs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/table.h"

enum { BLOCK_TOMBS = 1024, FIRST_BUCKETS = 1024 };

struct end {
    uint32_t base, next, acked, ack, got, fin_end, flags;
    uint16_t window;
    uint8_t state, was;
};

struct stone {
    uint64_t key; /* 0: forgotten */
    int64_t last_ns;
    uint32_t number, connection;
    uint32_t older; /* 1 + the place of the next older one in its bucket; 0 none, or it is gone */
    bool low_is_client, first_is_client;
    uint8_t client, closed_first;
    uint16_t flags;
    uint32_t networks[NETWORKS_MAX]; /* the kernel numbers them in so many bits; 0 none */
    struct end end[2];
};

/* Stones lie in a queue of blocks and are counted through: the n-th ever made lies in block n / BLOCK_TOMBS of those that are left.
 */
struct tombs {
    uint64_t seed;
    struct stone **blocks;
    size_t block_room;      /* a power of two: block b lies at b & (block_room - 1) */
    uint32_t first, behind; /* the oldest, and one past the newest: they go round */
    uint32_t *buckets;      /* 1 + the newest; 0 none */
    size_t bucket_count;    /* a power of two */
    size_t known;           /* not forgotten */
};

struct tombs *tombs_new(void)
{
    struct tombs *tombs = calloc(1, sizeof(*tombs));
    if (!tombs) return NULL;
    if (getrandom(&tombs->seed, sizeof(tombs->seed), GRND_NONBLOCK) < 0) tombs->seed = (uintptr_t)tombs;
    tombs->block_room = 4;
    tombs->bucket_count = FIRST_BUCKETS;
    tombs->blocks = calloc(tombs->block_room, sizeof(struct stone *));
    tombs->buckets = calloc(tombs->bucket_count, sizeof(uint32_t));
    if (tombs->blocks && tombs->buckets) return tombs;
    tombs_free(tombs);
    return NULL;
}

void tombs_free(struct tombs *tombs)
{
    if (!tombs) return;
    for (size_t i = 0; tombs->blocks && i < tombs->block_room; i++) free(tombs->blocks[i]);
    free(tombs->blocks);
    free(tombs->buckets);
    free(tombs);
}

uint64_t tombs_key(const struct tombs *tombs, const void *key, size_t bytes)
{
    uint64_t hash = table_hash(tombs->seed, key, bytes);
    return hash ? hash : 1;
}

static struct stone *stone_at(const struct tombs *tombs, uint32_t place)
{
    return &tombs->blocks[place / BLOCK_TOMBS & (tombs->block_room - 1)][place % BLOCK_TOMBS];
}

static uint32_t *bucket_of(const struct tombs *tombs, uint64_t key)
{
    return &tombs->buckets[key & (tombs->bucket_count - 1)];
}

/* Whether this link of a bucket (a place plus 1) leads to a stone that is still there. */
static bool is_there(const struct tombs *tombs, uint32_t link)
{
    return link && link - 1 - tombs->first < tombs->behind - tombs->first;
}

static int grow_blocks(struct tombs *tombs)
{
    size_t room = tombs->block_room * 2;
    struct stone **blocks = calloc(room, sizeof(struct stone *));
    if (!blocks) return -ENOMEM;
    for (uint32_t at = tombs->first - tombs->first % BLOCK_TOMBS; at != tombs->behind; at += BLOCK_TOMBS)
        blocks[at / BLOCK_TOMBS & (room - 1)] = tombs->blocks[at / BLOCK_TOMBS & (tombs->block_room - 1)];
    free(tombs->blocks);
    tombs->blocks = blocks;
    tombs->block_room = room;
    return 0;
}

static void link_in(struct tombs *tombs, uint32_t place)
{
    struct stone *stone = stone_at(tombs, place);
    uint32_t *bucket = bucket_of(tombs, stone->key);
    stone->older = *bucket;
    *bucket = place + 1;
}

static void grow_buckets(struct tombs *tombs)
{
    size_t count = tombs->bucket_count * 2;
    uint32_t *buckets = calloc(count, sizeof(uint32_t));
    if (!buckets) return; /* longer ways, nothing worse */
    free(tombs->buckets);
    tombs->buckets = buckets;
    tombs->bucket_count = count;
    for (uint32_t place = tombs->first; place != tombs->behind; place++) link_in(tombs, place);
}

static void drop_first(struct tombs *tombs)
{
    struct stone *stone = stone_at(tombs, tombs->first);
    if (stone->key) tombs->known--;
    tombs->first++;
    if (tombs->first % BLOCK_TOMBS) return;
    struct stone **block = &tombs->blocks[(tombs->first / BLOCK_TOMBS - 1) & (tombs->block_room - 1)];
    free(*block);
    *block = NULL;
}

static struct end pack_end(const struct conn_end *end)
{
    return (struct end){.base = end->base,
                        .next = end->next,
                        .acked = end->acked,
                        .ack = end->ack,
                        .got = end->got,
                        .fin_end = end->fin_end,
                        .flags = end->flags,
                        .window = end->window,
                        .state = end->state,
                        .was = end->was};
}

static struct conn_end unpack_end(const struct end *end)
{
    return (struct conn_end){.span = end->next - end->base, /* modulo 2³²: only whether numbers lie beyond it is asked */
                             .base = end->base,
                             .next = end->next,
                             .acked = end->acked,
                             .ack = end->ack,
                             .got = end->got,
                             .fin_end = end->fin_end,
                             .flags = end->flags,
                             .segments = 1,
                             .window = end->window,
                             .state = end->state,
                             .was = end->was};
}

int tombs_add(struct tombs *tombs, const struct tomb *tomb, bool *ret_full)
{
    *ret_full = tombs->behind - tombs->first == TOMBS_MAX;
    if (*ret_full) drop_first(tombs);
    tombs_forget(tombs, tomb->key);
    uint32_t place = tombs->behind;
    if (place % BLOCK_TOMBS == 0) {
        uint32_t blocks = (place - (tombs->first - tombs->first % BLOCK_TOMBS)) / BLOCK_TOMBS;
        if (blocks >= tombs->block_room - 1 && grow_blocks(tombs)) return -ENOMEM;
        struct stone *block = malloc(BLOCK_TOMBS * sizeof(*block));
        if (!block) return -ENOMEM;
        tombs->blocks[place / BLOCK_TOMBS & (tombs->block_room - 1)] = block;
    }
    tombs->behind++;
    tombs->known++;
    *stone_at(tombs, place) = (struct stone){
        .key = tomb->key,
        .last_ns = tomb->last_ns,
        .number = tomb->number,
        .connection = tomb->connection,
        .low_is_client = tomb->low_is_client,
        .first_is_client = tomb->first_is_client,
        .client = tomb->conn.client,
        .closed_first = tomb->conn.closed_first,
        .flags = tomb->conn.flags,
        .end = {pack_end(&tomb->conn.end[0]), pack_end(&tomb->conn.end[1])},
    };
    for (unsigned i = 0; i < tomb->networks.count; i++) stone_at(tombs, place)->networks[i] = (uint32_t)tomb->networks.seen[i];
    link_in(tombs, place);
    if (tombs->behind - tombs->first > tombs->bucket_count) grow_buckets(tombs);
    return 0;
}

static struct stone *seek(const struct tombs *tombs, uint64_t key)
{
    for (uint32_t link = *bucket_of(tombs, key); is_there(tombs, link); link = stone_at(tombs, link - 1)->older)
        if (stone_at(tombs, link - 1)->key == key) return stone_at(tombs, link - 1);
    return NULL;
}

bool tombs_find(const struct tombs *tombs, uint64_t key, struct tomb *ret_tomb)
{
    const struct stone *stone = seek(tombs, key);
    if (!stone) return false;
    *ret_tomb = (struct tomb){
        .key = key,
        .last_ns = stone->last_ns,
        .number = stone->number,
        .connection = stone->connection,
        .low_is_client = stone->low_is_client,
        .first_is_client = stone->first_is_client,
        .conn = {.end = {unpack_end(&stone->end[0]), unpack_end(&stone->end[1])},
                 .last_ns = stone->last_ns,
                 .flags = stone->flags,
                 .client = stone->client,
                 .closed_first = stone->closed_first},
    };
    for (unsigned i = 0; i < NETWORKS_MAX && stone->networks[i]; i++) networks_note(&ret_tomb->networks, stone->networks[i]);
    return true;
}

void tombs_forget(struct tombs *tombs, uint64_t key)
{
    struct stone *stone = seek(tombs, key);
    if (!stone) return;
    stone->key = 0; /* its place stays in the queue */
    tombs->known--;
}

void tombs_pass(struct tombs *tombs, int64_t until_ns)
{
    while (tombs->first != tombs->behind && stone_at(tombs, tombs->first)->last_ns < until_ns) drop_first(tombs);
}

size_t tombs_count(const struct tombs *tombs)
{
    return tombs->known;
}
