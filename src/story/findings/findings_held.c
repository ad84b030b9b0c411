/* Descriptors that keep a connection from ending: a close() that was not the last, CLOSE_WAIT that lasts. */
#include <inttypes.h>

#include "base/lang.h"
#include "story/findings/findings.h"

static const int64_t MS_NS = 1000000;

/* The process whose call, or end, sent this, as the kernel's chain shows; NULL: not known. */
static const struct event_thread *ended_by(const struct tale_packet *packet)
{
    const struct story_cause *cause = packet->cause;
    if (!packet->seen->marked || cause->evidence != EVIDENCE_STACK) return NULL;
    bool is_shown = cause->kind == CAUSE_EXIT || (cause->kind == CAUSE_CALL && packet->chain.meaning == CHAIN_CALL);
    return is_shown && packet->seen->context.current.pid ? &packet->seen->context.current : NULL;
}

static bool sent_its_end(const struct telling *telling, const struct tale_call *close)
{
    static const int64_t LATER_NS = 5000000; /* an older kernel's close() works on the way back to user space */
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->side != close->story->side || !packet->segment || !(packet->segment->flags & (TCP_FIN | TCP_RST))) continue;
        if (packet->cause->step != STORY_NO_STEP && packet->cause->step != telling_call_step(close)) continue; /* another's */
        const struct event_thread *by = ended_by(packet);
        if (by && by->pid != close->story->pid) continue;
        if (packet->sent_ns >= close->call->enter_ns && packet->sent_ns <= close->call->exit_ns + LATER_NS) return true;
    }
    return false;
}

/* A close() that left another descriptor behind. */
static bool is_not_last(const struct telling *telling, enum story_side side, const struct tale_call *tale)
{
    return tale->story->side == side && tale->call->still.pid && !tale->story->listener && tale->call->ret == 0 &&
           !sent_its_end(telling, tale);
}

/* The first such close() of this end. */
static const struct tale_call *close_not_last(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->call_count; i++)
        if (is_not_last(telling, side, &telling->calls[i])) return &telling->calls[i];
    return NULL;
}

/* The last such close(): who is named there may hold the socket still, while whom an earlier one names may have closed it since. */
static const struct tale_call *last_close_not_last(const struct telling *telling, enum story_side side)
{
    for (size_t i = telling->call_count; i > 0; i--)
        if (is_not_last(telling, side, &telling->calls[i - 1])) return &telling->calls[i - 1];
    return NULL;
}

/* A close() that sent nothing, and another process by which the FIN left: it had a descriptor that nobody saw it get. NULL: none.
 */
static const char *unseen_holder(struct telling *telling, enum story_side side, uint32_t proof[static 2])
{
    const struct tale_packet *fin = finding_segment(telling, (int)side, STORY_FIN);
    const struct event_thread *holder = fin ? ended_by(fin) : NULL;
    for (size_t i = 0; i < telling->call_count && holder; i++) {
        const struct tale_call *tale = &telling->calls[i];
        const struct story_call *call = tale->story;
        if (call->side != side || call->listener || !(call->traits & CALL_CLOSES) || !call->exit_ns || call->ret) continue;
        if (call->pid == holder->pid || call->exit_ns > fin->sent_ns || sent_its_end(telling, tale)) continue;
        proof[0] = call->exit_step;
        proof[1] = fin->step;
        return telling_printf(telling,
                              "close(%d) of %s[%d] sent nothing: %s[%d] had a descriptor of the same socket, too, and nobody saw "
                              "how it came by that (fork(), SCM_RIGHTS, or before recording); the FIN left %s later, with that one",
                              call->fd, call->comm, call->pid, holder->comm, holder->pid,
                              finding_time(telling, fin->sent_ns - call->exit_ns));
    }
    return NULL;
}

/* What made the copy; NULL: nobody saw that. */
static const char *copied_by(const struct call *close)
{
    static const char *const calls[] = {
        [HOLDER_MADE_FIRST] = NULL, [HOLDER_MADE_DUP] = "dup", [HOLDER_MADE_FORK] = "fork", [HOLDER_MADE_TAKEN] = "pidfd_getfd"};
    return calls[close->copied];
}

/* Who closed has another descriptor. */
static const char *still_its_own(struct telling *telling, const struct story_call *close, const struct holder *still,
                                 const char *by)
{
    if (!by)
        return telling_printf(telling,
                              "close(%d) of %s[%d] sent nothing: it still holds the same socket as descriptor %d (nobody saw how "
                              "the copy was made); a FIN goes out with the last descriptor only",
                              close->fd, close->comm, close->pid, still->fd);
    return telling_printf(telling,
                          "close(%d) of %s[%d] sent nothing: it still holds the same socket as descriptor %d (a copy made by "
                          "%s()); a FIN goes out with the last descriptor only",
                          close->fd, close->comm, close->pid, still->fd, by);
}

static const char *still_anothers(struct telling *telling, const struct story_call *close, const struct holder *still,
                                  const char *by)
{
    if (!by)
        return telling_printf(
            telling,
            "close(%d) of %s[%d] sent nothing: %s[%d] still holds the same socket as descriptor %d (nobody saw "
            "how the copy was made: SCM_RIGHTS, or before recording); a FIN goes out with the last descriptor only",
            close->fd, close->comm, close->pid, still->comm, still->pid, still->fd);
    return telling_printf(telling,
                          "close(%d) of %s[%d] sent nothing: %s[%d] still holds the same socket as descriptor %d (a copy made by "
                          "%s()); a FIN goes out with the last descriptor only",
                          close->fd, close->comm, close->pid, still->comm, still->pid, still->fd, by);
}

static const char *known_holder(struct telling *telling, const struct tale_call *tale, uint32_t proof[static 2])
{
    const struct story_call *close = tale->story;
    const struct holder *still = &tale->call->still;
    const char *by = copied_by(tale->call);
    proof[0] = close->exit_step;
    return still->pid == tale->call->thread.pid ? still_its_own(telling, close, still, by)
                                                : still_anothers(telling, close, still, by);
}

/* Of both ends, where it happened at both. */
static void find_last_descriptor(struct telling *telling)
{
    uint32_t proof[2 * STORY_SIDES] = {STORY_NO_STEP, STORY_NO_STEP, STORY_NO_STEP, STORY_NO_STEP};
    const char *said = NULL;
    for (size_t i = 0; i < STORY_SIDES; i++) {
        enum story_side side = (enum story_side)i;
        const struct tale_call *tale = close_not_last(telling, side);
        const char *one = tale ? known_holder(telling, tale, &proof[2 * i]) : unseen_holder(telling, side, &proof[2 * i]);
        said = said && one ? telling_printf(telling, "%s. The same at the other end: %s", said, one) : one ? one : said;
    }
    if (said) finding_add(telling, "close-not-last", "note", said, FINDING_PROOF(proof));
}

/* " (and worker[12] as 7, worker[13] as 7)"; "" where nobody else holds it. */
static const char *other_holders(struct telling *telling, const struct sock *sock, const struct holder *holder)
{
    enum { NAMED = 3 };
    const char *list = "";
    size_t named = 0, more = 0;
    for (size_t i = 0; sock && i < sock->holder_count; i++) {
        const struct holder *other = &sock->holders[i];
        if (other->pid == holder->pid && other->fd == holder->fd) continue;
        if (named == NAMED) {
            more++;
            continue;
        }
        list = telling_printf(telling, "%s%s%s[%d] as %d", list, named++ ? ", " : "", other->comm, other->pid, other->fd);
    }
    if (!named) return "";
    return more ? telling_printf(telling, " (and %s and %zu more)", list, more) : telling_printf(telling, " (and %s)", list);
}

/* A process that simply had no time to close yet is not a leak: the peer waited long; or, where a copy has been closed since the
 * FIN came, so long that the other copy is not about to follow. */
static const int64_t LEAK_NS = 1000000000, LEAK_TRIED_NS = 100000000;

/* CLOSE_WAIT is left by this host's own close() alone: one that lasts is a descriptor that somebody forgot. */
static void find_close_wait(struct telling *telling)
{
    for (size_t i = 0; i < STORY_SIDES; i++) {
        enum story_side side = (enum story_side)i;
        const struct tale_state *entered = finding_state(telling, (int)side, STATE_CLOSE_WAIT);
        if (!entered || telling_fin_never_came(telling, side)) continue;
        uint32_t from = finding_state_step(telling, entered);
        if (from == STORY_NO_STEP) continue;
        bool still = telling->story->end[side].state == STATE_CLOSE_WAIT;
        const struct tale_packet *fin = finding_segment(telling, (int)side, STORY_FIN);
        bool by_exit = fin && fin->cause->kind == CAUSE_EXIT;
        const struct tale_call *call = last_close_not_last(telling, side);
        const struct sock *sock = telling->flow->sock[side];
        const struct holder *holder = still && sock && sock->holder_count ? &sock->holders[0] : call ? &call->call->still : NULL;
        int64_t since_ns = telling->story->steps[from].t_ns;
        int64_t until_ns = still ? telling->now_ns : by_exit ? fin->sent_ns : 0;
        bool tried = call && call->call->exit_ns >= since_ns; /* somebody knew of the FIN, and closed a copy */
        if (!holder || !until_ns || until_ns - since_ns < (tried ? LEAK_TRIED_NS : LEAK_NS)) continue;
        const struct event_thread *ended = by_exit ? ended_by(fin) : NULL;
        if (ended && ended->pid != holder->pid) continue; /* another held it to the end */
        int64_t lasted_ns = until_ns - since_ns;
        const char *others = other_holders(telling, still ? sock : NULL, holder);
        uint32_t proof[3] = {from, call ? call->story->exit_step : STORY_NO_STEP, by_exit ? fin->step : STORY_NO_STEP};
        finding_add(telling, "close-wait-leak", "error",
                    telling_printf(
                        telling,
                        !still ? tr("the %s stayed in CLOSE_WAIT for %" PRId64
                                    " ms after the peer's FIN: %s[%d] holds the socket as descriptor %d%s and never closed it (its "
                                    "end did, at last); no timer ends CLOSE_WAIT, close() that descriptor too")
                        : telling->so_far
                            ? tr("the %s stays in CLOSE_WAIT for %" PRId64
                                 " ms after the peer's FIN: %s[%d] holds the socket as descriptor %d%s and has not closed it so "
                                 "far; no timer ends CLOSE_WAIT, close() that descriptor too")
                            : tr("the %s stays in CLOSE_WAIT for %" PRId64
                                 " ms after the peer's FIN: %s[%d] holds the socket as descriptor %d%s and never closed it; no "
                                 "timer ends CLOSE_WAIT, close() that descriptor too"),
                        story_side_word(side), lasted_ns / MS_NS, holder->comm, holder->pid, holder->fd, others),
                    FINDING_PROOF(proof));
    }
}

/* Where no call is recorded: the peer has ended its direction, and this end neither sends nor closes as long as the capture lasts.
 * Of what began before the capture this end may have closed first, unseen. */
static void find_idle_close_wait(struct telling *telling)
{
    enum story_side missing;
    if (finding_is_one_way(telling, &missing) || telling->flow->succeeded) return;
    for (int side = 0; side < STORY_SIDES; side++) {
        const struct tale_state *entered = finding_state(telling, side, STATE_CLOSE_WAIT);
        if (!entered || telling->story->end[side].state != STATE_CLOSE_WAIT || telling->flow->sock[side]) continue;
        if (!telling_acknowledged_fin(telling, (enum story_side)side)) continue;
        if (finding_may_have_closed(telling, (enum story_side)side) || !conn_first_closer(&telling->conn)) continue;
        const struct tale_packet *last = NULL,
                                 *fin = finding_segment(telling, (int)finding_other((enum story_side)side), STORY_FIN);
        for (size_t i = 0; i < telling->packet_count; i++)
            if (finding_is_own(&telling->packets[i], (enum story_side)side)) last = &telling->packets[i];
        static const int64_t IDLE_NS = 1000000000;
        if (!last || !fin || last->sent_ns < fin->sent_ns || telling->now_ns - last->sent_ns < IDLE_NS) continue;
        uint32_t proof[3] = {fin->step, finding_state_step(telling, entered), last->step};
        finding_add(telling, "close-wait-idle", "warning",
                    telling_printf(telling,
                                   "the %s ended its direction (FIN #%" PRIu32
                                   "), and the %s acknowledged that and then neither sent anything nor "
                                   "closed for %s, %s: its process has not called close() in that time. No timer ends "
                                   "CLOSE_WAIT; look for a descriptor that nobody closes after reading the end of the stream",
                                   story_side_word(fin->side), fin->segment->number, story_side_word((enum story_side)side),
                                   finding_time(telling, telling->now_ns - last->sent_ns),
                                   telling->so_far ? tr("so far") : tr("as long as was captured")),
                    FINDING_PROOF(proof));
    }
}

void findings_held(struct telling *telling)
{
    find_last_descriptor(telling);
    find_close_wait(telling);
    find_idle_close_wait(telling);
}
