#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "event/text.h"
#include "saved/saved_own.h"
#include "viz/pen/escape.h"
#include "viz/plan/words.h"

enum { ERRNO_MOST = 4096 };

bool saved_is_row(const struct event *event)
{
    switch (event->kind) {
    case EVENT_TRACE:
    case EVENT_ENTER:
    case EVENT_EXIT:
    case EVENT_DROP:
    case EVENT_LOST:
    case EVENT_PROCESS:
    case EVENT_PACKET:
        return true;
    default:
        return false;
    }
}

/* ---- fields ---- */

void saved_put_text(struct buf *out, const char *key, const char *text)
{
    buf_printf(out, "%s=", key);
    escape_text(out, text, false);
    buf_char(out, '\n');
}

void saved_put_number(struct buf *out, const char *key, int64_t number)
{
    buf_printf(out, "%s=%" PRId64 "\n", key, number);
}

void saved_end_entry(struct buf *out, int level, const char *kind)
{
    saved_put_number(out, "PRIORITY", level);
    buf_text(out, "SYSLOG_IDENTIFIER=tcpwhy\n");
    buf_printf(out, "TCPWHY_KIND=%s\n", kind);
}

static void put_thread(struct buf *out, const struct event_thread *thread)
{
    if (thread->pid) saved_put_number(out, "_PID", thread->pid);
    if (thread->tid && thread->tid != thread->pid) saved_put_number(out, "TCPWHY_TID", thread->tid);
    if (thread->comm[0]) saved_put_text(out, "_COMM", thread->comm);
}

static void put_lines(struct buf *out, const char *lines, size_t length)
{
    for (const char *at = lines, *end = lines + length; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t bytes = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
        buf_text(out, "TCPWHY_EVENT=");
        buf_append(out, at, bytes);
        at += bytes;
    }
}

/* ---- what sockets' addresses are, once all is known ---- */

static bool has_both(const struct event_socket *socket)
{
    return socket->local.version && socket->remote.version && socket->remote.port;
}

static int note_socket(struct saved *saved, const struct event_socket *socket)
{
    if (!socket->cookie || !has_both(socket) || !socket->local.port) return 0;
    struct event_socket *known = table_get(saved->sockets, &socket->cookie);
    if (known) return *known = *socket, 0;
    struct event_socket *copy = malloc(sizeof(*copy));
    if (!copy) return -ENOMEM;
    *copy = *socket;
    saved->held_bytes += sizeof(*copy);
    int code = table_put(saved->sockets, &socket->cookie, copy);
    if (code) free(copy);
    return code;
}

int saved_note_sockets(struct saved *saved, const struct event *event)
{
    if (event->kind != EVENT_ENTER && event->kind != EVENT_EXIT) return 0;
    int code = note_socket(saved, &event->call.socket);
    return code ? code : note_socket(saved, &event->call.other);
}

/* " · 127.0.0.1:40112 → 127.0.0.1:3333" */
static void say_socket(const struct saved *saved, struct buf *out, const struct event_socket *socket)
{
    char local[ADDRESS_TEXT_BYTES], remote[ADDRESS_TEXT_BYTES];
    const struct event_socket *known = socket->cookie ? table_get(saved->sockets, &socket->cookie) : NULL;
    if (!known) known = socket;
    if (has_both(known))
        buf_printf(out, " · %s → %s", address_format(&known->local, local), address_format(&known->remote, remote));
    else if (known->local.version && known->local.port)
        buf_printf(out, " · %s", address_format(&known->local, local));
}

/* ---- events as rows ---- */

static void say_thread(struct buf *out, const struct event_thread *thread)
{
    escape_text(out, thread->comm, false);
    buf_printf(out, "[%" PRId32 "]", thread->pid);
}

static void say_enter(const struct saved *saved, struct buf *out, const struct event_call *call)
{
    buf_text(out, "MESSAGE=");
    say_thread(out, &call->thread);
    buf_text(out, ": ");
    escape_text(out, call->name, false);
    buf_char(out, '(');
    escape_text(out, call->args, false);
    buf_text(out, ") …");
    say_socket(saved, out, &call->socket);
    buf_char(out, '\n');
    saved_put_text(out, "CODE_FUNC", call->name);
    put_thread(out, &call->thread);
    saved_end_entry(out, LEVEL_INFO, "enter");
}

/* "connect(3) = 0 · slept 43 µs", of a call that stands in no story. */
static void say_result(struct buf *out, const struct event_call *call)
{
    bool failed = call->ret < 0 && call->ret > -ERRNO_MOST;
    const char *name = failed ? err_errno_name((int)-call->ret) : NULL;
    char words[WORDS_BYTES];
    escape_text(out, call->name, false);
    if (call->fd >= 0)
        buf_printf(out, "(%" PRId32 ")", call->fd);
    else
        buf_text(out, "()");
    if (err_is_restart(call->ret))
        buf_text(out, " interrupted by a signal");
    else if (failed)
        buf_printf(out, " = -1 %s", name ? name : "error");
    else
        buf_printf(out, " = %" PRId64, call->ret);
    if (call->slept_ns > 0) buf_printf(out, " · slept %s", words_duration(call->slept_ns, words));
}

static void say_exit(const struct saved *saved, struct buf *out, const struct event *event)
{
    const struct event_call *call = &event->call;
    bool failed = call->ret < 0 && call->ret > -ERRNO_MOST && !err_is_restart(call->ret);
    const char *told = saved_words_of(saved, event);
    buf_text(out, "MESSAGE=");
    say_thread(out, &call->thread);
    buf_text(out, ": ");
    if (told)
        buf_text(out, told);
    else
        say_result(out, call);
    say_socket(saved, out, call->other.cookie ? &call->other : &call->socket);
    buf_char(out, '\n');
    saved_put_text(out, "CODE_FUNC", call->name);
    if (failed) saved_put_number(out, "ERRNO", -call->ret);
    put_thread(out, &call->thread);
    saved_end_entry(out, failed ? LEVEL_NOTICE : LEVEL_INFO, "exit");
}

static void say_process(struct buf *out, const struct event_process *process)
{
    buf_text(out, "MESSAGE=");
    say_thread(out, &process->thread);
    if (process->change == PROCESS_FORK)
        buf_printf(out, " begins, a child of %" PRId32, process->parent);
    else if (process->change == PROCESS_EXEC)
        buf_text(out, " runs another program");
    else if (process->signal)
        buf_printf(out, " ended by signal %" PRId32, process->signal);
    else
        buf_printf(out, " ends with status %" PRId32, process->status);
    buf_char(out, '\n');
    put_thread(out, &process->thread);
    saved_end_entry(out, LEVEL_INFO, "process");
}

static void say_header(struct buf *out, const struct event_packet_header *header)
{
    char src[ADDRESS_TEXT_BYTES], dst[ADDRESS_TEXT_BYTES];
    buf_printf(out, "%s → %s", address_format(&header->src, src), address_format(&header->dst, dst));
}

static void say_drop(struct buf *out, const struct event_drop *drop)
{
    buf_text(out, "MESSAGE=the kernel threw a packet away: ");
    say_header(out, &drop->header);
    if (drop->reason[0]) buf_text(out, " · "), escape_text(out, drop->reason, false);
    if (drop->function[0]) buf_text(out, " in "), escape_text(out, drop->function, false);
    buf_char(out, '\n');
    saved_end_entry(out, LEVEL_NOTICE, "drop");
}

static void say_lost(struct buf *out, const struct event_lost *lost)
{
    buf_printf(out, "MESSAGE=lost by ");
    escape_text(out, lost->source, false);
    buf_printf(out, ": %" PRIu64 " (", lost->count);
    escape_text(out, lost->what, false);
    buf_printf(out, "); %" PRIu64 " came\n", lost->received);
    saved_end_entry(out, lost->count ? LEVEL_WARNING : LEVEL_DEBUG, "lost");
}

static void say_trace(struct buf *out, const struct event_trace *trace)
{
    buf_text(out, "MESSAGE=recorded by ");
    escape_text(out, trace->recorder, false);
    if (trace->reason[0]) buf_text(out, " · "), escape_text(out, trace->reason, false);
    buf_char(out, '\n');
    saved_end_entry(out, LEVEL_INFO, "trace");
}

/* A packet that can be none here. */
static void say_packet(struct buf *out, const struct event_packet *packet, bool has_bytes)
{
    buf_printf(out, "MESSAGE=a packet %s: ", has_bytes ? "of another link layer than this file's" : "whose bytes were not kept");
    say_header(out, &packet->header);
    buf_char(out, '\n');
    saved_end_entry(out, LEVEL_INFO, "packet");
}

/* The packet's own line, the last of its record's, stands there without the bytes: here it has them. */
static void put_whole_packet(struct saved *saved, const struct saved_record *record)
{
    struct event event = record->event;
    struct buf line = buf_new(SAVED_BLOCK_BYTES);
    size_t before = record->lines_bytes;
    event.packet.bytes = record->bytes;
    if (event_text_write(&line, &event)) saved->entry.failed = true;
    if (before) before--;
    while (before && record->lines[before - 1] != '\n') before--;
    put_lines(&saved->entry, record->lines, before);
    put_lines(&saved->entry, buf_string(&line), line.length);
    buf_free(&line);
}

/* Lines that no row takes. */
static void say_evidence(struct buf *out)
{
    buf_text(out, "MESSAGE=what the kernel showed beside this\n");
    saved_end_entry(out, LEVEL_DEBUG, "evidence");
}

void saved_entry(struct saved *saved, const struct saved_record *record)
{
    const struct event *event = &record->event;
    struct buf *out = &saved->entry;
    buf_clear(out);
    switch (event->kind) {
    case EVENT_ENTER:
        say_enter(saved, out, &event->call);
        break;
    case EVENT_EXIT:
        say_exit(saved, out, event);
        break;
    case EVENT_PROCESS:
        say_process(out, &event->process);
        break;
    case EVENT_DROP:
        say_drop(out, &event->drop);
        break;
    case EVENT_LOST:
        say_lost(out, &event->lost);
        break;
    case EVENT_TRACE:
        say_trace(out, &event->trace);
        break;
    case EVENT_PACKET:
        say_packet(out, &event->packet, record->bytes != NULL);
        put_whole_packet(saved, record);
        return;
    default:
        say_evidence(out);
        break;
    }
    put_lines(out, record->lines, record->lines_bytes);
}
