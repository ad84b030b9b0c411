#include "stamp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "event/extent.h"
#include "event/text.h"
#include "tcp/segment.h"

/* Copies overlap by a few: so many threads of a process take turns. Ports of clients come round after so many, on another address.
 */
enum { THREADS = 256, FIRST_PORT = 10000, PORTS = 50000, FRAME_BYTES = 128 };

struct part {
    struct event event;
    int64_t after_ns; /* since the copy's beginning */
};

struct stamp {
    struct event_log *log;
    struct stamp_how how;
    struct event *before;
    size_t before_count;
    struct part *parts; /* by after_ns modulo the period: the order in which a period has them */
    size_t part_count;
    int64_t first_ns;
    struct address client;
    int32_t client_pid, server_pid;
    uint64_t client_cookie, server_cookie, listener_cookie;
    uint8_t frame[FRAME_BYTES];
};

static int64_t sort_period_ns; /* qsort has no data */

static int by_moment(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    int64_t p = x->after_ns % sort_period_ns, q = y->after_ns % sort_period_ns;
    if (p != q) return p < q ? -1 : 1;
    return x->event.order < y->event.order ? -1 : 1;
}

static bool is_call(const struct event *event, const char *name)
{
    return (event->kind == EVENT_ENTER || event->kind == EVENT_EXIT) && strcmp(event->call.name, name) == 0;
}

static struct event_log *load(const char *path, struct err *err)
{
    struct buf text = buf_new(64 << 20);
    struct event_log *log = event_log_new();
    FILE *file = fopen(path, "rb");
    char chunk[65536];
    int code = log && file ? 0 : -EIO;
    for (size_t n; !code && (n = fread(chunk, 1, sizeof(chunk), file)) > 0;) code = buf_append(&text, chunk, n);
    if (file) fclose(file);
    if (code)
        err_set(err, code, "cannot read %s", path);
    else
        code = event_text_read(path, buf_string(&text), text.length, log, err);
    buf_free(&text);
    if (!code) event_log_sort(log);
    if (!code) return log;
    event_log_free(log);
    return NULL;
}

/* Who is who: the client is who connects, the server's socket is what accept() gave. */
static bool know_ends(struct stamp *stamp)
{
    for (size_t i = 0; i < event_log_count(stamp->log); i++) {
        const struct event *event = event_log_at(stamp->log, i);
        if (event->kind == EVENT_EXIT && is_call(event, "connect")) {
            stamp->client = event->call.socket.local;
            stamp->client_pid = event->call.thread.pid;
            stamp->client_cookie = event->call.socket.cookie;
        } else if (event->kind == EVENT_EXIT && is_call(event, "accept")) {
            stamp->server_pid = event->call.thread.pid;
            stamp->server_cookie = event->call.other.cookie;
            stamp->listener_cookie = event->call.socket.cookie;
        }
    }
    return stamp->client.port && stamp->client_cookie && stamp->server_cookie && stamp->listener_cookie;
}

static bool is_of_process_life(const struct event *event)
{
    return event->kind == EVENT_PROCESS || is_call(event, "exit_group");
}

/* Three stretches: what prepares the server; from the client's socket() to the server's close() of the connection, with the
 * accept() that waits for it; what ends the server. The last is left out. */
static bool cut(struct stamp *stamp)
{
    bool begun = false, over = false;
    for (size_t i = 0; i < event_log_count(stamp->log) && !over; i++) {
        const struct event *event = event_log_at(stamp->log, i);
        bool accepts = is_call(event, "accept");
        if (is_call(event, "socket") && event->call.thread.pid == stamp->client_pid && !begun) {
            begun = true;
            stamp->first_ns = event->t_ns;
        }
        bool closes = is_call(event, "close") && event->kind == EVENT_ENTER;
        over = event->kind == EVENT_LOST || (closes && event->call.socket.cookie == stamp->listener_cookie) ||
               (closes && stamp->how.open && event->call.socket.cookie == stamp->server_cookie);
        if (over || (begun && !stamp->how.processes && is_of_process_life(event))) continue;
        if (begun || accepts)
            event_assign(&stamp->parts[stamp->part_count++].event, event);
        else
            event_assign(&stamp->before[stamp->before_count++], event);
    }
    for (size_t i = 0; i < stamp->part_count; i++) {
        int64_t after_ns = stamp->parts[i].event.t_ns - stamp->first_ns;
        stamp->parts[i].after_ns = after_ns < 0 ? 0 : after_ns;
    }
    return begun && stamp->part_count;
}

struct stamp *stamp_new(const char *path, const struct stamp_how *how, struct err *err)
{
    struct stamp *stamp = calloc(1, sizeof(*stamp));
    if (!stamp) return NULL;
    stamp->how = *how;
    stamp->log = load(path, err);
    size_t count = stamp->log ? event_log_count(stamp->log) : 0;
    stamp->before = calloc(count + 1, sizeof(*stamp->before));
    stamp->parts = calloc(count + 1, sizeof(*stamp->parts));
    if (!stamp->log || !stamp->before || !stamp->parts || !know_ends(stamp) || !cut(stamp)) {
        if (stamp->log) err_set(err, -EINVAL, "%s holds no connection that was connected and accepted", path);
        stamp_free(stamp);
        return NULL;
    }
    sort_period_ns = how->period_ns;
    qsort(stamp->parts, stamp->part_count, sizeof(*stamp->parts), by_moment);
    return stamp;
}

void stamp_free(struct stamp *stamp)
{
    if (!stamp) return;
    event_log_free(stamp->log);
    free(stamp->before);
    free(stamp->parts);
    free(stamp);
}

size_t stamp_event_count(const struct stamp *stamp)
{
    return stamp->part_count;
}

static void renew_address(const struct stamp *stamp, size_t copy, struct address *address)
{
    if (!address_equal(address, &stamp->client)) return;
    address->port = (uint16_t)(FIRST_PORT + copy % PORTS);
    address->ip[2] = (uint8_t)(copy / PORTS);
}

static void renew_socket(const struct stamp *stamp, size_t copy, struct event_socket *socket)
{
    if (socket->cookie == stamp->client_cookie)
        socket->cookie = 1000 + 2 * (uint64_t)copy;
    else if (socket->cookie == stamp->server_cookie)
        socket->cookie = 1001 + 2 * (uint64_t)copy;
    renew_address(stamp, copy, &socket->local);
    renew_address(stamp, copy, &socket->remote);
}

/* Numbers that are a connection's own: equal ones would make a translation of addresses of it. */
static void renew_header(const struct stamp *stamp, size_t copy, struct event_packet_header *header)
{
    uint32_t own = (uint32_t)copy * 65537, other = (uint32_t)copy * 1048583;
    bool from_client = address_equal(&header->src, &stamp->client);
    if (!from_client && !address_equal(&header->dst, &stamp->client)) return;
    header->seq += from_client ? own : other;
    if (header->flags & TCP_ACK) header->ack += from_client ? other : own;
    renew_address(stamp, copy, &header->src);
    renew_address(stamp, copy, &header->dst);
}

static void renew_thread(const struct stamp *stamp, size_t copy, struct event_thread *thread)
{
    if (thread->pid == stamp->server_pid) {
        thread->tid = 100000 + (int32_t)(copy % THREADS);
    } else if (thread->pid == stamp->client_pid && stamp->how.processes) {
        thread->pid = thread->tid = 200000 + (int32_t)(copy % 4000000);
    } else if (thread->pid == stamp->client_pid) {
        thread->tid = 110000 + (int32_t)(copy % THREADS);
    }
}

static void renew_context(const struct stamp *stamp, size_t copy, struct event_context *context)
{
    renew_thread(stamp, copy, &context->current);
    renew_header(stamp, copy, &context->received);
}

static void renew(const struct stamp *stamp, size_t copy, struct event *event)
{
    switch (event->kind) {
    case EVENT_PACKET:
        renew_header(stamp, copy, &event->packet.header);
        event->packet.number += copy * stamp->part_count;
        event->packet.bytes = stamp->frame;
        if (event->packet.captured_bytes > FRAME_BYTES) event->packet.captured_bytes = FRAME_BYTES;
        break;
    case EVENT_ENTER:
    case EVENT_EXIT:
        renew_thread(stamp, copy, &event->call.thread);
        renew_socket(stamp, copy, &event->call.socket);
        renew_socket(stamp, copy, &event->call.other);
        break;
    case EVENT_MARK:
        renew_header(stamp, copy, &event->mark.header);
        renew_socket(stamp, copy, &event->mark.socket);
        renew_context(stamp, copy, &event->mark.context);
        break;
    case EVENT_STATE:
        renew_socket(stamp, copy, &event->state.socket);
        renew_context(stamp, copy, &event->state.context);
        break;
    case EVENT_WAKE:
        renew_thread(stamp, copy, &event->wake.thread);
        renew_context(stamp, copy, &event->wake.context);
        break;
    case EVENT_PROCESS:
        renew_thread(stamp, copy, &event->process.thread);
        break;
    default:
        break;
    }
}

int stamp_run(const struct stamp *stamp, size_t count, int (*take)(void *data, const struct event *event), void *data)
{
    int code = 0;
    uint64_t order = 0;
    int64_t period_ns = stamp->how.period_ns;
    size_t longest = 0; /* how many periods a copy lasts */
    for (size_t i = 0; i < stamp->part_count; i++) {
        size_t periods = (size_t)(stamp->parts[i].after_ns / period_ns);
        longest = periods > longest ? periods : longest;
    }
    for (size_t i = 0; i < stamp->before_count && !code; i++) {
        struct event event = stamp->before[i];
        event.order = order++;
        code = take(data, &event);
    }
    for (size_t period = 0; period < count + longest && !code; period++) {
        for (size_t i = 0; i < stamp->part_count && !code; i++) {
            const struct part *part = &stamp->parts[i];
            size_t begun = (size_t)(part->after_ns / period_ns);
            if (begun > period || period - begun >= count) continue;
            struct event event = part->event;
            event.t_ns = stamp->first_ns + (int64_t)(period - begun) * period_ns + part->after_ns;
            event.order = order++;
            renew(stamp, period - begun, &event);
            code = take(data, &event);
        }
    }
    return code;
}
