#include "watch/flight/keep.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "event/extent.h"

enum { FACTS_MAX = 1024, BYTES_LEAST = 1 << 20 };

/* Before each event: how long it is; 0 near the end of the memory: it goes on at the beginning. */
struct entry {
    uint32_t bytes;
    uint32_t pad;
};

struct keep {
    int64_t keep_ns;
    char *memory;
    size_t size, head, tail; /* of the oldest entry, behind the newest; equal: empty */
    uint64_t first, next;    /* numbers of those two */
    int64_t newest_ns;
    struct event *facts; /* who recorded, the networks, and who listened already */
    size_t fact_count;
    uint64_t early;
};

/* What a story is made of; what the run itself says stands in no row. */
static bool is_kept(enum event_kind kind)
{
    return kind != EVENT_NONE && kind != EVENT_CLOCK && (unsigned)kind < EVENT_KINDS;
}

/* Entries begin at multiples of eight. */
static size_t room_of(size_t bytes)
{
    return sizeof(struct entry) + ((bytes + 7) & ~(size_t)7);
}

struct keep *keep_new(int64_t keep_ns, size_t bytes)
{
    struct keep *keep = calloc(1, sizeof(*keep));
    if (!keep) return NULL;
    *keep = (struct keep){.keep_ns = keep_ns, .size = (bytes < BYTES_LEAST ? BYTES_LEAST : bytes) & ~(size_t)7};
    keep->memory = malloc(keep->size);
    keep->facts = calloc(FACTS_MAX, sizeof(*keep->facts));
    if (keep->memory && keep->facts) return keep;
    keep_free(keep);
    return NULL;
}

void keep_free(struct keep *keep)
{
    if (!keep) return;
    free(keep->memory);
    free(keep->facts);
    free(keep);
}

static struct entry entry_at(const struct keep *keep, size_t *at)
{
    struct entry entry = {0, 0};
    if (keep->size - *at >= sizeof(entry)) memcpy(&entry, keep->memory + *at, sizeof(entry));
    if (!entry.bytes) { /* the rest was too short */
        *at = 0;
        memcpy(&entry, keep->memory, sizeof(entry));
    }
    return entry;
}

static int64_t oldest_ns(const struct keep *keep)
{
    size_t at = keep->head;
    int64_t t_ns;
    (void)entry_at(keep, &at);
    memcpy(&t_ns, keep->memory + at + sizeof(struct entry) + offsetof(struct event, t_ns), sizeof(t_ns));
    return t_ns;
}

static void drop_oldest(struct keep *keep)
{
    size_t at = keep->head;
    struct entry entry = entry_at(keep, &at);
    keep->head = at + room_of(entry.bytes);
    keep->first++;
    if (keep->first == keep->next) keep->head = keep->tail = 0;
}

/* Where `bytes` fit behind the newest; the oldest make room. */
static size_t make_room(struct keep *keep, size_t bytes)
{
    for (;;) {
        bool empty = keep->first == keep->next;
        if (empty) keep->head = keep->tail = 0;
        bool wrapped = !empty && keep->tail <= keep->head;
        if (!wrapped && keep->size - keep->tail >= bytes) return keep->tail;
        if (!wrapped && keep->head > bytes) { /* begins again below the oldest */
            if (keep->size - keep->tail >= sizeof(struct entry)) memset(keep->memory + keep->tail, 0, sizeof(struct entry));
            return 0;
        }
        if (wrapped && keep->head - keep->tail > bytes) return keep->tail;
        drop_oldest(keep);
        keep->early++;
    }
}

void keep_take(struct keep *keep, const struct event *event)
{
    bool listens = event->kind == EVENT_LISTENER; /* they leave room for networks that come */
    if (event->kind == EVENT_TRACE || event->kind == EVENT_VANTAGE || listens) {
        if (keep->fact_count < (listens ? FACTS_MAX / 2 : FACTS_MAX)) event_assign(&keep->facts[keep->fact_count++], event);
        return;
    }
    if (!is_kept(event->kind)) return;
    size_t bytes = event_extent(event);
    if (event->t_ns > keep->newest_ns) keep->newest_ns = event->t_ns;
    while (keep->first < keep->next && oldest_ns(keep) < keep->newest_ns - keep->keep_ns) drop_oldest(keep);
    struct entry entry = {(uint32_t)bytes, 0};
    size_t at = make_room(keep, room_of(bytes));
    memcpy(keep->memory + at, &entry, sizeof(entry));
    memcpy(keep->memory + at + sizeof(entry), event, bytes);
    keep->tail = at + room_of(bytes);
    keep->next++;
}

int keep_each(const struct keep *keep, int (*take)(void *data, const struct event *event), void *data)
{
    int code = 0;
    size_t at = keep->head;
    for (size_t i = 0; i < keep->fact_count && !code; i++) code = take(data, &keep->facts[i]);
    for (uint64_t number = keep->first; number < keep->next && !code; number++) {
        struct event event;
        struct entry entry = entry_at(keep, &at);
        memset(&event, 0, sizeof(event));
        memcpy(&event, keep->memory + at + sizeof(entry), entry.bytes);
        at += room_of(entry.bytes);
        code = take(data, &event);
    }
    return code;
}

int64_t keep_holds_ns(const struct keep *keep)
{
    return keep->first < keep->next ? keep->newest_ns - oldest_ns(keep) : 0;
}

uint64_t keep_early(const struct keep *keep)
{
    return keep->early;
}
