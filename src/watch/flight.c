#include "watch/flight.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "event/text.h"

enum { FACTS_MAX = 1024, PIECE_EVENTS = 2000, BYTES_LEAST = 1 << 20 };
static const size_t line_limit = (size_t)1 << 20;

/* Before each event: how long it is, and where the end of the memory is near, 0: it goes on at the beginning. */
struct entry {
    uint32_t bytes;
    uint32_t pad;
};

struct flight {
    int64_t keep_ns;
    struct drawer *drawer;
    char *memory;
    size_t size, head, tail; /* of the oldest entry, behind the newest; equal: empty */
    uint64_t first, next;    /* numbers of those two */
    int64_t newest_ns;
    struct event *facts; /* who recorded, and the networks: the beginning of each trace */
    size_t fact_count;
    struct flight_counts counts;
    int fd;    /* of the trace that is being written; -1: none */
    size_t at; /* the entry to be written next */
    uint64_t at_number, end_number;
    struct buf text;
};

static size_t kind_bytes(enum event_kind kind)
{
#define UP_TO(member) (offsetof(struct event, member) + sizeof(((struct event *)0)->member))
    static const size_t bytes[EVENT_KINDS] = {
        [EVENT_PACKET] = UP_TO(packet),   [EVENT_ENTER] = UP_TO(call),  [EVENT_EXIT] = UP_TO(call),
        [EVENT_MARK] = UP_TO(mark),       [EVENT_STATE] = UP_TO(state), [EVENT_RESET] = UP_TO(reset),
        [EVENT_RESEND] = UP_TO(resend),   [EVENT_WAKE] = UP_TO(wake),   [EVENT_TIMER] = UP_TO(timer),
        [EVENT_PROCESS] = UP_TO(process), [EVENT_LOST] = UP_TO(lost),   [EVENT_DROP] = UP_TO(drop),
        [EVENT_QUEUE] = UP_TO(queue),
    };
#undef UP_TO
    return (unsigned)kind < EVENT_KINDS ? (bytes[kind] + 7) & ~(size_t)7 : 0;
}

struct flight *flight_new(int64_t keep_ns, size_t bytes, struct drawer *drawer)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    if (!flight) return NULL;
    *flight = (struct flight){.keep_ns = keep_ns,
                              .drawer = drawer,
                              .size = (bytes < BYTES_LEAST ? BYTES_LEAST : bytes) & ~(size_t)7,
                              .fd = -1,
                              .text = buf_new(line_limit)};
    flight->memory = malloc(flight->size);
    flight->facts = calloc(FACTS_MAX, sizeof(*flight->facts));
    if (flight->memory && flight->facts) return flight;
    flight_free(flight);
    return NULL;
}

void flight_free(struct flight *flight)
{
    if (!flight) return;
    if (flight->fd >= 0) {
        close(flight->fd);
        drawer_drop(flight->drawer);
    }
    free(flight->memory);
    free(flight->facts);
    buf_free(&flight->text);
    free(flight);
}

/* ---- the memory ---- */

static struct entry entry_at(const struct flight *flight, size_t *at)
{
    struct entry entry = {0, 0};
    if (flight->size - *at >= sizeof(entry)) memcpy(&entry, flight->memory + *at, sizeof(entry));
    if (!entry.bytes) { /* the rest was too short */
        *at = 0;
        memcpy(&entry, flight->memory, sizeof(entry));
    }
    return entry;
}

static void read_at(const struct flight *flight, size_t at, const struct entry *entry, struct event *ret_event)
{
    memset(ret_event, 0, sizeof(*ret_event));
    memcpy(ret_event, flight->memory + at + sizeof(*entry), entry->bytes);
}

static int64_t oldest_ns(const struct flight *flight)
{
    size_t at = flight->head;
    int64_t t_ns;
    (void)entry_at(flight, &at);
    memcpy(&t_ns, flight->memory + at + sizeof(struct entry) + offsetof(struct event, t_ns), sizeof(t_ns));
    return t_ns;
}

static void drop_oldest(struct flight *flight)
{
    size_t at = flight->head;
    struct entry entry = entry_at(flight, &at);
    flight->head = at + sizeof(entry) + entry.bytes;
    flight->first++;
    if (flight->first == flight->next) flight->head = flight->tail = 0;
    if (flight->fd >= 0 && flight->at_number < flight->first) { /* it was not written yet: the trace begins later */
        flight->at = flight->head;
        flight->at_number = flight->first;
    }
}

/* Where `bytes` fit behind the newest; the oldest make room. */
static size_t make_room(struct flight *flight, size_t bytes)
{
    for (;;) {
        bool empty = flight->first == flight->next;
        if (empty) flight->head = flight->tail = 0;
        bool wrapped = !empty && flight->tail <= flight->head;
        if (!wrapped && flight->size - flight->tail >= bytes) return flight->tail;
        if (!wrapped && flight->head > bytes) { /* begins again below the oldest */
            if (flight->size - flight->tail >= sizeof(struct entry)) memset(flight->memory + flight->tail, 0, sizeof(struct entry));
            return 0;
        }
        if (wrapped && flight->head - flight->tail > bytes) return flight->tail;
        drop_oldest(flight);
        flight->counts.early++;
    }
}

void flight_take(struct flight *flight, const struct event *event)
{
    if (event->kind == EVENT_TRACE || event->kind == EVENT_VANTAGE) {
        if (flight->fact_count < FACTS_MAX) flight->facts[flight->fact_count++] = *event;
        return;
    }
    size_t bytes = kind_bytes(event->kind);
    if (!bytes) return;
    if (bytes > sizeof(*event)) bytes = sizeof(*event);
    if (event->t_ns > flight->newest_ns) flight->newest_ns = event->t_ns;
    /* While a trace is written what belongs to it stays, as long as there is room. */
    while (flight->fd < 0 && flight->first < flight->next && oldest_ns(flight) < flight->newest_ns - flight->keep_ns)
        drop_oldest(flight);
    struct entry entry = {(uint32_t)bytes, 0};
    size_t at = make_room(flight, bytes + sizeof(entry));
    memcpy(flight->memory + at, &entry, sizeof(entry));
    memcpy(flight->memory + at + sizeof(entry), event, bytes);
    flight->tail = at + sizeof(entry) + bytes;
    flight->next++;
}

/* ---- traces ---- */

static void fail(struct flight *flight, int code)
{
    flight->counts.failed++;
    flight->counts.code = code;
    if (flight->fd < 0) return;
    close(flight->fd);
    flight->fd = -1;
    drawer_drop(flight->drawer);
}

static bool write_text(struct flight *flight)
{
    for (size_t at = 0; at < flight->text.length;) {
        ssize_t wrote = write(flight->fd, flight->text.data + at, flight->text.length - at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) {
            fail(flight, -errno);
            return false;
        }
        at += (size_t)wrote;
    }
    buf_clear(&flight->text);
    return true;
}

void flight_trigger(struct flight *flight, const char *id, uint32_t connection, int64_t now_ns)
{
    char name[DRAWER_NAME_BYTES], clock[32] = "";
    time_t seconds = (time_t)(now_ns / 1000000000);
    struct tm parts;
    if (flight->fd >= 0) {
        flight->counts.skipped++;
        return;
    }
    if (localtime_r(&seconds, &parts)) strftime(clock, sizeof(clock), "%Y%m%d-%H%M%S", &parts);
    snprintf(name, sizeof(name), "%s.%03d-%.40s-%" PRIu32 ".events", clock, (int)(now_ns / 1000000 % 1000), id, connection);
    int fd = drawer_begin(flight->drawer, name);
    if (fd < 0) {
        fail(flight, fd);
        return;
    }
    flight->fd = fd;
    flight->at = flight->head;
    flight->at_number = flight->first;
    flight->end_number = flight->next;
    buf_clear(&flight->text);
    buf_text(&flight->text, EVENT_TEXT_FIRST_LINE "\n");
    for (size_t i = 0; i < flight->fact_count; i++) event_text_write(&flight->text, &flight->facts[i]);
    write_text(flight);
}

static void end_trace(struct flight *flight)
{
    uint64_t removed = 0;
    close(flight->fd);
    flight->fd = -1;
    int code = drawer_end(flight->drawer, &removed);
    flight->counts.removed += removed;
    if (code)
        fail(flight, code);
    else
        flight->counts.written++;
}

bool flight_write(struct flight *flight, bool all)
{
    for (size_t count = 0; flight->fd >= 0 && flight->at_number < flight->end_number && (all || count < PIECE_EVENTS); count++) {
        struct event event;
        struct entry entry = entry_at(flight, &flight->at);
        read_at(flight, flight->at, &entry, &event);
        flight->at += sizeof(entry) + entry.bytes;
        flight->at_number++;
        event_text_write(&flight->text, &event);
        if (flight->text.length > line_limit / 2 && !write_text(flight)) return false;
    }
    if (flight->fd < 0 || !write_text(flight)) return false;
    if (flight->at_number < flight->end_number) return true;
    end_trace(flight);
    return false;
}

struct flight_counts flight_counts(const struct flight *flight)
{
    struct flight_counts counts = flight->counts;
    counts.holds_ns = flight->first < flight->next ? flight->newest_ns - oldest_ns(flight) : 0;
    return counts;
}
