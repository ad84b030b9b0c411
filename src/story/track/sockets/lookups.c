#include "story/track/lookups.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "story/track/call_story.h"
#include "story/track/track.h"

enum { NAME_SERVER_PORT = 53 };
/* A question that had no answer for so long is nobody's any more: resolvers give up after 5 s, 30 at most (resolv.conf(5)). */
static const int64_t GIVEN_UP_NS = 30000000000;

/* The exchanges of one socket, as long as a question of it was open. */
struct exchange {
    struct lookup lookup;
    uint64_t cookie;
    int32_t tid;
    bool stream;
};

struct lookups {
    struct exchange list[LOOKUPS_MAX]; /* in order of their beginnings */
    size_t count;
};

void lookups_free(struct lookups *lookups)
{
    free(lookups);
}

static struct exchange *newest_of(struct lookups *lookups, uint64_t cookie)
{
    for (size_t i = lookups ? lookups->count : 0; i-- > 0;)
        if (lookups->list[i].cookie == cookie) return &lookups->list[i];
    return NULL;
}

static bool is_open(const struct exchange *exchange, int64_t at_ns)
{
    const struct lookup *lookup = &exchange->lookup;
    int64_t last_ns = lookup->to_ns ? lookup->to_ns : lookup->from_ns;
    if (at_ns - last_ns > GIVEN_UP_NS) return false;
    return exchange->stream ? !lookup->to_ns : lookup->questions > lookup->answers;
}

static uint32_t datagrams(const struct call *call)
{
    return call->traits & CALL_TAKES_SEVERAL ? (uint32_t)call->ret : 1;
}

static int ask(struct call *call, const struct sock *sock, const struct address *server)
{
    struct lookups **lookups = &call->process->lookups;
    int64_t at_ns = call_story_begin_ns(call);
    struct exchange *exchange = newest_of(*lookups, sock->cookie);
    if (!exchange || !is_open(exchange, at_ns)) {
        if (!*lookups) *lookups = calloc(1, sizeof(**lookups));
        if (!*lookups) return -ENOMEM;
        if ((*lookups)->count == LOOKUPS_MAX)
            memmove(&(*lookups)->list[0], &(*lookups)->list[1], --(*lookups)->count * sizeof((*lookups)->list[0]));
        exchange = &(*lookups)->list[(*lookups)->count++];
        *exchange = (struct exchange){.lookup = {.from_ns = at_ns, .server = *server},
                                      .cookie = sock->cookie,
                                      .tid = call->thread.tid,
                                      .stream = sock->protocol == IPPROTO_TCP};
    }
    if (!exchange->stream) exchange->lookup.questions += datagrams(call);
    return 0;
}

int lookups_take_call(struct call *call, const struct sock *sock)
{
    if (!sock || (sock->protocol != IPPROTO_UDP && sock->protocol != IPPROTO_TCP)) return 0;
    if (call->traits & CALL_WRITES && call->ret > 0) {
        struct address to = sock->remote.port ? sock->remote : call_story_address(call);
        return to.port == NAME_SERVER_PORT ? ask(call, sock, &to) : 0;
    }
    struct exchange *exchange = newest_of(call->process->lookups, sock->cookie);
    if (!exchange) return 0;
    if (call->traits & CALL_READS && call->ret > 0) {
        if (!exchange->stream) exchange->lookup.answers += datagrams(call);
        exchange->lookup.to_ns = call->exit_ns;
    } else if (call->traits & CALL_CLOSES && is_open(exchange, call->exit_ns)) {
        exchange->lookup.to_ns = call_story_begin_ns(call); /* until then it had waited for the rest */
    }
    return 0;
}

/* The thread whose lookups may have been for this call: its own, or the only other one's. 0: nobody's, or not known. */
static int32_t whose(const struct lookups *lookups, const struct call *call)
{
    int32_t only = 0;
    bool several = false;
    for (size_t i = 0; i < lookups->count; i++) {
        const struct exchange *exchange = &lookups->list[i];
        if (exchange->lookup.to_ns ? call->enter_ns - exchange->lookup.to_ns > LOOKUP_STEP_NS : !is_open(exchange, call->enter_ns))
            continue;
        if (exchange->tid == call->thread.tid) return exchange->tid;
        several = several || (only && only != exchange->tid);
        only = exchange->tid;
    }
    return several ? 0 : only;
}

int lookups_take_connect(struct teller *teller, struct call *call, const struct sock *sock)
{
    struct lookups *lookups = call->process->lookups;
    struct address to = call_story_address(call);
    if (!sock || sock->protocol != IPPROTO_TCP || !to.port) return 0;
    if (to.port == NAME_SERVER_PORT) return ask(call, sock, &to);
    if (!lookups) return 0;
    int32_t tid = whose(lookups, call);
    int64_t next_ns = call->enter_ns;
    struct lookup all = {0};
    /* Back from the call, as long as each leads to the next. */
    for (size_t i = lookups->count; i-- > 0 && tid;) {
        const struct lookup *one = &lookups->list[i].lookup;
        if (lookups->list[i].tid != tid || !one->to_ns || one->to_ns > call->enter_ns) continue;
        if (next_ns - one->to_ns > LOOKUP_STEP_NS) break;
        if (!all.to_ns)
            all = *one;
        else
            all.questions += one->questions, all.answers += one->answers;
        if (one->from_ns < all.from_ns) all.from_ns = one->from_ns;
        if (one->to_ns > all.to_ns) all.to_ns = one->to_ns;
        next_ns = all.from_ns;
    }
    if (!all.to_ns) return 0;
    call->lookup = malloc(sizeof(*call->lookup));
    if (!call->lookup) return -ENOMEM;
    *call->lookup = all;
    size_t kept = 0;
    for (size_t i = 0; i < lookups->count; i++) {
        bool is_used = lookups->list[i].tid == tid && lookups->list[i].lookup.to_ns;
        struct sock *asker = is_used ? table_get(teller->sockets, &lookups->list[i].cookie) : NULL;
        if (asker) asker->found_name = true;
        if (!is_used) lookups->list[kept++] = lookups->list[i];
    }
    lookups->count = kept;
    return 0;
}
