#include "story/track/apart.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "event/call_traits.h"
#include "story/chain.h"
#include "story/track/call_story.h"

/* So many are told; a loop that asks in vain all day long asks once more often than anybody reads. */
enum { APART_MAX = 256 };

static int add(struct teller *teller, struct call *call, const struct sock *sock)
{
    if (teller->apart_count == APART_MAX) {
        teller->trace.apart_more++;
        return 0;
    }
    struct apart_call *apart = track_grow((void **)&teller->apart, &teller->apart_count, &teller->apart_room, sizeof(*apart));
    if (!apart) return -ENOMEM;
    *apart = (struct apart_call){.call = call_ref(call), .cookie = sock ? sock->cookie : 0};
    return 0;
}

int apart_take(struct teller *teller, struct call *call)
{
    return add(teller, call, NULL);
}

static bool has_failed(const struct call *call)
{
    return call->exited && call->ret < 0 && call->ret != -EINPROGRESS && !err_is_restart(call->ret);
}

/* Of a socket that other stories have told of, only what failed is news; of one that stands in none, all is, where something failed
 * or nobody came. */
int apart_take_socket(struct teller *teller, const struct sock *sock)
{
    bool is_told = teller->chosen, failed = false; /* or others' stories tell of it, which are not here */
    for (size_t i = 0; i < sock->call_count; i++) {
        is_told |= sock->calls[i]->told;
        failed |= has_failed(sock->calls[i]) && !sock->calls[i]->told;
    }
    if (!failed && (is_told || !sock->listening || sock->handed_out)) return 0;
    int code = 0;
    for (size_t i = 0; i < sock->call_count && !code; i++)
        if (!sock->calls[i]->told && (!is_told || has_failed(sock->calls[i]))) {
            sock->calls[i]->told = true; /* several sockets may list it */
            code = add(teller, sock->calls[i], sock);
        }
    return code;
}

/* Processes in order of their pid, each one's calls in order of time. */
static int by_process(const void *a, const void *b)
{
    const struct apart_call *x = a, *y = b;
    if (x->call->thread.pid != y->call->thread.pid) return x->call->thread.pid < y->call->thread.pid ? -1 : 1;
    if (call_story_begin_ns(x->call) != call_story_begin_ns(y->call))
        return call_story_begin_ns(x->call) < call_story_begin_ns(y->call) ? -1 : 1;
    return x->call->order < y->call->order ? -1 : 1; /* no two have the same */
}

/* A wait for nothing that comes by the wire: another thread's shutdown() ended it. */
static int tell_waker(struct teller *teller, const struct call *call, struct story_wake *wake)
{
    if (!call->exited || !call->woken || call->wake_unseen) return 0;
    struct chain_verdict chain = chain_known(teller, call->waker.chain);
    const struct event_thread *by = &call->waker.current;
    if (chain.meaning != CHAIN_CALL || !(call_traits(chain.name) & CALL_SHUTS_DOWN)) return 0;
    char text[128];
    snprintf(text, sizeof(text), tr("woken by shutdown() of %s[%d]"), by->comm, (int)by->pid);
    *wake = (struct story_wake){.kind = WAKE_CALL, .evidence = EVIDENCE_STACK, .step = STORY_NO_STEP};
    wake->why = arena_text(teller->trace_arena, text);
    return wake->why ? 0 : -ENOMEM;
}

/* The calls of one process, from *at on. */
static int tell_process(struct teller *teller, size_t *at, struct story_apart *apart)
{
    size_t first = *at;
    int32_t pid = teller->apart[first].call->thread.pid;
    while (*at < teller->apart_count && teller->apart[*at].call->thread.pid == pid) ++*at;
    apart->count = *at - first;
    apart->calls = arena_alloc(teller->trace_arena, apart->count * sizeof(*apart->calls));
    if (!apart->calls) return -ENOMEM;
    for (size_t i = 0; i < apart->count; i++) {
        const struct apart_call *from = &teller->apart[first + i];
        struct story_apart_call *told = &apart->calls[i];
        told->call.number = (uint32_t)(first + i + 1);
        if (call_story_fill(&told->call, from->call, teller->trace_arena)) return -ENOMEM;
        told->call.listener = from->call->socket.state == KERNEL_LISTEN;
        const struct sock *sock = from->cookie ? table_get(teller->sockets, &from->cookie) : NULL;
        enum lang lang = lang_use(LANG_EN);
        int code = apart_say(teller, from->call, sock, &told->why);
        lang_use(lang);
        if (!code) code = apart_say(teller, from->call, sock, &told->told);
        if (code) return code;
        told->call.waits = told->call.waits && (!from->call->exited || from->call->slept_ns > 0);
        if (told->call.waits && tell_waker(teller, from->call, &told->call.wake)) return -ENOMEM;
        if (told->call.waits && !from->call->exited) {
            told->call.wake.kind = WAKE_NOT_YET;
            told->call.wake.why = TR("it had not returned when recording ended");
        }
    }
    apart->process = (struct story_process){.pid = pid, .comm = apart->calls[apart->count - 1].call.comm};
    return 0;
}

static bool is_any(const struct sock *sock)
{
    return sock->call_count > 0;
}

int apart_find_all(struct teller *teller)
{
    size_t count;
    uint64_t *cookies = sockets_in_order(teller, is_any, &count);
    int code = cookies ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && !code; i++) code = apart_take_socket(teller, table_get(teller->sockets, &cookies[i]));
    free(cookies);
    if (code || !teller->apart_count) return code;
    qsort(teller->apart, teller->apart_count, sizeof(*teller->apart), by_process);
    struct story_apart *list = arena_alloc(teller->trace_arena, teller->apart_count * sizeof(*list));
    if (!list) return -ENOMEM;
    for (size_t at = 0; at < teller->apart_count && !code;) code = tell_process(teller, &at, &list[teller->trace.apart_count++]);
    teller->trace.apart = list;
    return code;
}

void apart_free(struct teller *teller)
{
    for (size_t i = 0; i < teller->apart_count; i++) call_unref(teller->apart[i].call);
    free(teller->apart);
}
