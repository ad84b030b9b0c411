#include "story/track/call_story.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"

/* Some errors that the kernel returns are its own, and no C library has a name for them (ENOTSUPP, 524). */
static const char *errno_name(struct arena *arena, int64_t ret)
{
    const char *name = ret >= -INT32_MAX ? err_errno_name((int)-ret) : NULL;
    return name ? name : arena_printf(arena, tr("errno %" PRIu64), -(uint64_t)ret);
}

int call_story_fill(struct story_call *story, const struct call *call, struct arena *arena)
{
    story->pid = call->thread.pid;
    story->tid = call->thread.tid;
    story->comm = arena_text(arena, call->thread.comm);
    story->name = arena_text(arena, call->name);
    story->fd = call->fd;
    story->args = call->entered ? arena_text(arena, call->args) : NULL;
    story->traits = call->traits;
    story->waits = call->traits & CALL_SLEEPS;
    story->enter_ns = call->entered ? call->enter_ns : 0;
    story->exit_ns = call->exited ? call->exit_ns : 0;
    story->ret = call->ret;
    story->interrupted = call->exited && err_is_restart(call->ret);
    bool has_failed = call->exited && call->ret < 0 && !story->interrupted;
    if (has_failed) story->errno_name = errno_name(arena, call->ret);
    story->slept_ns = call->exited ? call->slept_ns : -1;
    story->wake.step = STORY_NO_STEP;
    story->wake.why = "";
    story->enter_step = story->exit_step = STORY_NO_STEP;
    bool is_whole = story->comm && story->name && (story->args || !call->entered) && (story->errno_name || !has_failed);
    return is_whole ? 0 : -ENOMEM;
}

struct address call_story_address(const struct call *call)
{
    struct address address = {0};
    const char *text = strrchr(call->args, ' ');
    if (!text || !address_parse(text + 1, &address)) return (struct address){0};
    return address;
}

bool call_story_found_no_port(const struct call *call)
{
    return call->traits & CALL_CONNECTS && call->exited && call->ret == -EADDRNOTAVAIL && !call->socket.local.port;
}

bool call_story_lists(const struct call *call, uint64_t cookie)
{
    for (size_t i = 0; i < call->watch_count; i++)
        if (call->watch[i].cookie == cookie) return true;
    return false;
}

static bool is_closed_by_another_thread(const struct sock *sock, int32_t tid)
{
    for (size_t i = 0; i < sock->call_count; i++)
        if (sock->calls[i]->thread.tid != tid && sock->calls[i]->traits & (CALL_CLOSES | CALL_COPIES)) return true;
    return false;
}

/* A listener's close() resets what waits in its queue: sockets on which nobody made a call yet (inet_csk_listen_stop). */
static bool closes_listener_of(const struct call *call, const struct sock *own)
{
    return call->traits & CALL_CLOSES && call->socket.state == KERNEL_LISTEN && call->socket.local.port == own->local.port &&
           !own->call_count;
}

bool call_story_can_let_go(const struct call *call, const struct sock *own)
{
    if (call->traits & (CALL_RUNS | CALL_CLOSES_RANGE | CALL_SUBMITS)) return true;
    uint64_t closes = call->traits & CALL_COPIES ? call->other.cookie : call->socket.cookie;
    if (!own || !closes) return call->traits & (CALL_CLOSES | CALL_COPIES);
    if (closes != own->cookie) return closes_listener_of(call, own);
    return call->traits & (CALL_CLOSES | CALL_COPIES) || is_closed_by_another_thread(own, call->thread.tid);
}

int64_t call_story_begin_ns(const struct call *call)
{
    return call->entered ? call->enter_ns : call->exit_ns;
}
