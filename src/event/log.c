#include "event/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/pages.h"
#include "base/sort.h"
#include "base/table.h"
#include "event/extent.h"

enum { VANTAGES = 64, EVENTS_FIRST = 64 };

/* Events live in blocks that never move, and sorting moves pointers only. Of an event there is its extent, no more. */
struct slot {
    int64_t place_ns; /* in the order of time */
    struct slot *next_free;
    struct event event;
};

/* Each of a size has twice as many as the one before, up to a large page of them. Behind the last slot is room for what an event
 * may have beyond its extent, so that who reads one whole reads nothing of others. */
struct block {
    struct block *next;
    size_t count;
    max_align_t slots[];
};

/* Slots of a size: of what is not a call that begins, of that, and of what waits for several. */
enum { SIZES = 3 };
static const size_t slot_extent[SIZES] = {offsetof(struct event, mark) + sizeof(((struct event *)0)->mark),
                                          offsetof(struct event, call.watch), sizeof(struct event)};
struct store {
    struct block *blocks;
    struct slot *free_slots;
};

/* Captured bytes are linked both ways, so that the copy of a forgotten event goes alone and those that no event ever took go
 * with the log. */
struct copy {
    struct copy *before, *behind;
    uint8_t bytes[];
};

struct interned {
    struct event_chain chain;
    struct interned *next; /* another chain with the same hash */
};

struct event_log {
    struct store stores[SIZES];
    struct event **events;
    size_t count, capacity;
    uint64_t next_order;
    bool sorted;
    size_t run_begin, run_end;    /* of the last sorting: what stands there is in order among itself */
    int64_t last_ns;              /* the newest event's place */
    int64_t vantage_ns[VANTAGES]; /* the latest place of a packet of each vantage, by its number; INT64_MIN: none yet */
    struct copy *copies;
    event_log_sieve *sieve;
    void *sieve_data;
    struct arena chain_memory;
    struct table *chains; /* hash of the names → struct interned */
};

struct event_log *event_log_new(void)
{
    struct event_log *log = calloc(1, sizeof(*log));
    if (!log) return NULL;
    log->sorted = true;
    for (size_t i = 0; i < VANTAGES; i++) log->vantage_ns[i] = INT64_MIN;
    log->chain_memory = arena_new();
    log->chains = table_new(sizeof(uint64_t));
    if (!log->chains) {
        free(log);
        return NULL;
    }
    return log;
}

void event_log_free(struct event_log *log)
{
    if (!log) return;
    for (size_t i = 0; i < SIZES; i++) {
        while (log->stores[i].blocks) {
            struct block *block = log->stores[i].blocks;
            log->stores[i].blocks = block->next;
            free(block);
        }
    }
    while (log->copies) {
        struct copy *copy = log->copies;
        log->copies = copy->behind;
        free(copy);
    }
    table_free(log->chains);
    arena_free(&log->chain_memory);
    free(log->events);
    free(log);
}

static struct slot *slot_of(struct event *event)
{
    return (struct slot *)((char *)event - offsetof(struct slot, event));
}

static size_t size_of(size_t extent)
{
    size_t size = 0;
    while (size < SIZES - 1 && extent > slot_extent[size]) size++;
    return size;
}

static void add_block(struct store *store, size_t size)
{
    const size_t align = _Alignof(struct slot), around = sizeof(struct block) + sizeof(struct event);
    const size_t bytes = (offsetof(struct slot, event) + slot_extent[size] + align - 1) / align * align;
    const size_t most = (PAGES_LARGE - around) / bytes;
    size_t count = store->blocks ? 2 * store->blocks->count : EVENTS_FIRST;
    if (count > most) count = most;
    struct block *block = count == most ? pages_take() : malloc(around + count * bytes);
    if (!block) return;
    block->count = count;
    block->next = store->blocks;
    store->blocks = block;
    for (size_t i = count; i-- > 0;) {
        struct slot *slot = (struct slot *)(void *)((char *)block->slots + i * bytes);
        slot->next_free = store->free_slots;
        store->free_slots = slot;
    }
}

static struct slot *take_slot(struct event_log *log, size_t size)
{
    struct store *store = &log->stores[size];
    if (!store->free_slots) add_block(store, size);
    struct slot *slot = store->free_slots;
    if (!slot) return NULL;
    store->free_slots = slot->next_free;
    return slot;
}

static int make_room(struct event_log *log)
{
    if (log->count < log->capacity) return 0;
    size_t capacity = log->capacity ? log->capacity * 2 : EVENTS_FIRST;
    struct event **events = reallocarray(log->events, capacity, sizeof(struct event *));
    if (!events) return -ENOMEM;
    log->events = events;
    log->capacity = capacity;
    return 0;
}

/* The times of one vantage may step back (a clock was set, two processors stamped): among its packets the order of arrival counts.
 * Times that were corrected by comparing two captures stand for themselves. */
static int64_t place_of(struct event_log *log, const struct event *event)
{
    if (event->kind != EVENT_PACKET || event->packet.vantage >= VANTAGES || event->packet.same) return event->t_ns;
    int64_t *latest_ns = &log->vantage_ns[event->packet.vantage];
    if (event->t_ns > *latest_ns) *latest_ns = event->t_ns;
    return *latest_ns;
}

void event_log_sift(struct event_log *log, event_log_sieve *sieve, void *data)
{
    log->sieve = sieve;
    log->sieve_data = data;
}

int event_log_append(struct event_log *log, const struct event *event)
{
    if (log->sieve && !log->sieve(log->sieve_data, event)) return 0;
    int code = make_room(log);
    if (code) return code;
    size_t extent = event_extent(event);
    struct slot *slot = take_slot(log, size_of(extent));
    if (!slot) return -ENOMEM;
    memcpy(&slot->event, event, extent);
    slot->event.order = log->next_order++;
    slot->place_ns = place_of(log, event);
    if (log->count && log->last_ns > slot->place_ns) log->sorted = false;
    log->last_ns = slot->place_ns;
    log->events[log->count++] = &slot->event;
    return 0;
}

/* The NUL of each name counts, so that {"ab", "c"} and {"a", "bc"} differ. */
static uint64_t hash_names(const char *const *names, size_t count)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; i++) {
        const char *c = names[i];
        do hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
        while (*c++);
    }
    return hash;
}

static bool same_names(const struct event_chain *chain, const char *const *names, size_t count)
{
    if (chain->count != count) return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(chain->names[i], names[i]) != 0) return false;
    return true;
}

static struct interned *copy_names(struct event_log *log, const char *const *names, size_t count)
{
    struct interned *interned = arena_alloc(&log->chain_memory, sizeof(*interned));
    const char **copies = arena_alloc(&log->chain_memory, count * sizeof(*copies));
    if (!interned || !copies) return NULL;
    for (size_t i = 0; i < count; i++) {
        copies[i] = arena_text(&log->chain_memory, names[i]);
        if (!copies[i]) return NULL;
    }
    interned->chain = (struct event_chain){.count = count, .names = copies};
    return interned;
}

const struct event_chain *event_log_texts(struct event_log *log, const char *const *texts, size_t count)
{
    struct interned *kept = count ? copy_names(log, texts, count < EVENT_CHAIN_MAX ? count : EVENT_CHAIN_MAX) : NULL;
    return kept ? &kept->chain : NULL;
}

const struct event_chain *event_log_chain(struct event_log *log, const char *const *names, size_t count)
{
    if (count == 0) return NULL;
    if (count > EVENT_CHAIN_MAX) count = EVENT_CHAIN_MAX;
    uint64_t hash = hash_names(names, count);
    struct interned *first = table_get(log->chains, &hash);
    for (struct interned *known = first; known; known = known->next)
        if (same_names(&known->chain, names, count)) return &known->chain;

    struct interned *interned = copy_names(log, names, count);
    if (!interned) return NULL;
    interned->next = first;
    return table_put(log->chains, &hash, interned) ? NULL : &interned->chain;
}

const uint8_t *event_log_bytes(struct event_log *log, const uint8_t *bytes, size_t length)
{
    if (length == 0 || length > SIZE_MAX - sizeof(struct copy)) return NULL;
    struct copy *copy = malloc(sizeof(*copy) + length);
    if (!copy) return NULL;
    memcpy(copy->bytes, bytes, length);
    copy->before = NULL;
    copy->behind = log->copies;
    if (copy->behind) copy->behind->before = copy;
    log->copies = copy;
    return copy->bytes;
}

static void free_copy(struct event_log *log, const uint8_t *bytes)
{
    struct copy *copy = (struct copy *)((uintptr_t)bytes - offsetof(struct copy, bytes));
    if (copy->before)
        copy->before->behind = copy->behind;
    else
        log->copies = copy->behind;
    if (copy->behind) copy->behind->before = copy->before;
    free(copy);
}

void event_log_give_back(struct event_log *log, const uint8_t *bytes)
{
    if (bytes) free_copy(log, bytes);
}

static int earlier(const void *a, const void *b)
{
    const struct slot *x = slot_of(*(struct event *const *)a), *y = slot_of(*(struct event *const *)b);
    if (x->place_ns != y->place_ns) return x->place_ns < y->place_ns ? -1 : 1;
    return x->event.order < y->event.order ? -1 : x->event.order > y->event.order;
}

static int64_t place_at(const struct event_log *log, size_t i)
{
    return slot_of(log->events[i])->place_ns;
}

/* Where in the ordered events from first to end the one at `end` belongs. */
static size_t belongs_at(const struct event_log *log, size_t first, size_t end)
{
    size_t from = first, to = end;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (earlier(&log->events[middle], &log->events[end]) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Two runs, each in order, become one. Nearly all of the first stands before all of the second, and is not looked at. */
static void merge_runs(struct event_log *log, size_t first, size_t second)
{
    size_t at = belongs_at(log, first, second), length = second - at, left = 0, right = second;
    if (!length) return;
    struct event **moved = reallocarray(NULL, length, sizeof(*moved));
    if (!moved) {
        sort_items(log->events + at, log->count - at, sizeof(struct event *), earlier);
        return;
    }
    memcpy(moved, log->events + at, length * sizeof(*moved));
    while (left < length) {
        bool takes_right = right < log->count && earlier(&log->events[right], &moved[left]) < 0;
        log->events[at++] = takes_right ? log->events[right++] : moved[left++];
    }
    free(moved);
}

void event_log_sort_from(struct event_log *log, size_t first)
{
    if (log->sorted || first >= log->count) return;
    bool goes_on = log->run_begin <= first && first < log->run_end; /* what was sorted the last time still is */
    size_t fresh = goes_on ? log->run_end : first;
    sort_items(log->events + fresh, log->count - fresh, sizeof(struct event *), earlier);
    if (goes_on && fresh < log->count) merge_runs(log, first, fresh);
    log->run_begin = first;
    log->run_end = log->count;
    log->last_ns = place_at(log, log->count - 1);
    log->sorted = first == 0; /* what stands before it may belong behind */
}

void event_log_sort(struct event_log *log)
{
    event_log_sort_from(log, 0);
}

void event_log_forget(struct event_log *log, size_t count)
{
    if (count > log->count) count = log->count;
    if (count == 0) return;
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = slot_of(log->events[i]);
        struct store *store = &log->stores[size_of(event_extent(&slot->event))];
        if (slot->event.kind == EVENT_PACKET && slot->event.packet.bytes) free_copy(log, slot->event.packet.bytes);
        slot->next_free = store->free_slots;
        store->free_slots = slot;
    }
    log->count -= count;
    memmove(log->events, log->events + count, log->count * sizeof(struct event *));
    log->run_begin = log->run_begin > count ? log->run_begin - count : 0;
    log->run_end = log->run_end > count ? log->run_end - count : 0;
    if (!log->count) log->sorted = true;
}

int64_t event_log_place_ns(const struct event_log *log, size_t i)
{
    return place_at(log, i);
}

size_t event_log_count(const struct event_log *log)
{
    return log->count;
}

const struct event *event_log_at(const struct event_log *log, size_t i)
{
    return log->events[i];
}
