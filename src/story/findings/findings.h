/* Findings: sentences a person can act on. Each file looks for those of one part of a connection's life.
 *
 * Internal to src/story. A rule adds nothing unless the steps that prove it are there; one that rests on something missing first
 * asks the record for every other explanation (findings_evidence.c), and says no more than that test: what the wire alone can't
 * tell is said to be open. */
#ifndef TCPWHY_STORY_FINDINGS_FINDINGS_H
#define TCPWHY_STORY_FINDINGS_FINDINGS_H

#include "story/steps/telling.h"

enum { FINDING_PROOF_MAX = 4 };

/* Adds a finding (one of an id is enough: later ones are dropped). `severity` is "note", "warning" or "error"; of `proof` those
 * that are steps are kept. `id`, `severity` are static, `text` the story's. */
void finding_add(struct telling *telling, const char *id, const char *severity, const char *text, const uint32_t *proof,
                 size_t proof_count);
/* Whether there is one of that id so far. */
bool finding_is_told(const struct telling *telling, const char *id);
/* The last two arguments of finding_add(): a whole array of steps. */
#define FINDING_PROOF(steps) (steps), sizeof(steps) / sizeof((steps)[0])

/* The first segment of this kind and side (side < 0: any), and the next one behind `after`; NULL none. */
struct tale_packet *finding_segment(const struct telling *telling, int side, enum story_kind kind);
struct tale_packet *finding_next(const struct telling *telling, const struct tale_packet *after, int side, enum story_kind kind);
/* The call that this step is of; NULL: none. */
struct tale_call *finding_call_at(const struct telling *telling, uint32_t step);
/* The first call of this side with any of these traits (0: whatever it is) and this result; NULL none. */
struct tale_call *finding_call(const struct telling *telling, int side, uint32_t traits, int64_t ret);
/* The state that an end was in just before the step. */
enum tcp_state finding_state_before(const struct telling *telling, enum story_side side, uint32_t step);
/* The first time that an end came into this state by RFC 9293 (side < 0: either end); NULL never. */
const struct tale_state *finding_state(const struct telling *telling, int side, enum tcp_state state);
/* The step of a state change. */
uint32_t finding_state_step(const struct telling *telling, const struct tale_state *state);
static inline enum story_side finding_other(enum story_side side)
{
    return side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
}
static inline int64_t finding_arrival_ns(const struct tale_packet *packet)
{
    return packet->received_ns ? packet->received_ns : packet->sent_ns;
}
static inline bool finding_is(const struct tale_packet *packet, int side, enum story_kind kind)
{
    return packet->segment && packet->segment->kind == kind && (side < 0 || packet->side == (enum story_side)side);
}
/* Sent anew or again by this side's own TCP: no copy, nothing that something on the way made. */
static inline bool finding_is_own(const struct tale_packet *packet, enum story_side side)
{
    return packet->segment && packet->side == side && !packet->segment->copy && !packet->segment->unsent;
}
/* "1.49 s", "205 ms", "16 µs". */
const char *finding_time(struct telling *telling, int64_t ns);

/* It was captured where it left, at its sender's own address. */
bool finding_left_here(const struct telling *telling, const struct tale_packet *packet);

/* findings_evidence.c: what the record says of a segment's way to its receiver's TCP. */
enum finding_way {
    WAY_UNKNOWN,  /* captured in one place: nobody knows */
    WAY_SEEN,     /* in another network, or in the other capture: that may be its receiver's, or a router's on the way */
    WAY_ARRIVED,  /* at its receiver's host, and no kernel was seen to throw it away */
    WAY_LOST,     /* it did not reach that host */
    WAY_FILTERED, /* a kernel threw it away because a firewall's rule says so */
    WAY_DROPPED   /* a kernel threw it away for another reason, before TCP */
};
/* The kernel's word (enum skb_drop_reason) for a rule of somebody's that threw it away. */
bool finding_is_filter(const char *reason);
/* The capture that saw it first; with `other` the one that has it as well, or lacks it. */
const char *finding_place(const struct telling *telling, const struct sighting *seen, bool other);
enum finding_way finding_way(const struct telling *telling, const struct tale_packet *packet);
/* "the server's host", "the client's own host", "a host between": who threw it away. */
const char *finding_dropper(struct telling *telling, const struct tale_packet *packet);
/* The newest packet (an ICMP error too) of this side that reached the other by `at_ns`, or, with `after`, the first that reached it
 * later; NULL none. */
const struct tale_packet *finding_arrival(const struct telling *telling, enum story_side from, int64_t at_ns, bool after);
/* A call of accept() on the listening socket that had begun before `at_ns` and was not over then: it slept, so the queue was empty.
 * NULL: none was seen, which proves nothing. */
const struct call *finding_asleep_accept(const struct telling *telling, int64_t at_ns);
/* The kernel showed that this segment met a listener whose accept queue was full. */
bool finding_is_queue_full(const struct tale_packet *packet);
/* One end was never captured although the other's segments prove that it spoke: what it did not answer nobody knows. */
bool finding_is_one_way(const struct telling *telling, enum story_side *ret_missing);
/* Its last number was acknowledged and not captured: it may have been its FIN (conn_may_have_closed). */
bool finding_may_have_closed(struct telling *telling, enum story_side side);
/* What ended this end because it got no answer (a timer of its own, or a call that failed with ETIMEDOUT). Its step and time;
 * false: it was not seen to give up. */
bool finding_gave_up(const struct telling *telling, enum story_side side, uint32_t *ret_step, int64_t *ret_ns);

void findings_open(struct telling *telling);     /* findings_open.c: how a connection came to be */
void findings_unopened(struct telling *telling); /* findings_unopened.c: handshakes that nobody answered, or that were refused */
void findings_stuck(struct telling *telling);    /* findings_stuck.c: SYNs that did not leave their host */
void findings_queue(struct telling *telling);    /* findings_queue.c: what a listener did with a handshake */
void findings_reset(struct telling *telling);    /* findings_reset.c: connections that ended with RST */
void findings_forged(struct telling *telling);   /* findings_forged.c: RSTs that who they name did not send */
void findings_unowned(struct telling *telling);  /* findings_unowned.c: RSTs that ended what stood, and nobody knows whose */
void findings_dropped(struct telling *telling);  /* findings_dropped.c: what a kernel threw away for another reason than a rule */
void findings_close(struct telling *telling);    /* findings_close.c: FINs, half-close, TIME_WAIT; and: */
void findings_held(struct telling *telling);     /* findings_held.c: descriptors that were not closed, CLOSE_WAIT */
void findings_linger(struct telling *telling);   /* findings_linger.c: close() that waits */
void findings_filtered(struct telling *telling); /* findings_filtered.c: of findings_unopened: what a firewall's rule threw away */
void findings_way(struct telling *telling);      /* findings_way.c: what happened between two captures */
void findings_silent(struct telling *telling);   /* findings_silent.c: what was never answered */
void findings_repeat(struct telling *telling);   /* findings_repeat.c: what was sent again, or came twice, or has no arrow */
void findings_wait(struct telling *telling);     /* findings_wait.c: time that was lost: a closed window, Nagle, a slow answer */
void findings_gave_up(struct telling *telling);  /* findings_gave_up.c: who closed before the answer came */
void findings_icmp(struct telling *telling);     /* findings_icmp.c: ICMP errors, and what they did */
void findings_seen(struct telling *telling);     /* findings_seen.c: what the captures themselves show and lack */
void findings_names(struct telling *telling);    /* findings_names.c: names that are looked up */
void findings_calls(struct telling *telling);    /* findings_calls.c: what calls promise, and what they don't */

/* findings.c: all of them, once causes and wakes are known. */
void findings_find_all(struct telling *telling);

#endif
