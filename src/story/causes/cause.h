/* What the rules of causes share: the shape of a rule, what a cause is made of, and looking back from the packet at hand.
 *
 * Internal to src/story. A rule fills the packet's cause and returns true, or leaves it and returns false. */
#ifndef TCPWHY_STORY_CAUSES_CAUSE_H
#define TCPWHY_STORY_CAUSES_CAUSE_H

#include "story/steps/telling.h"

/* Linux's TCP_RTO_MIN (include/net/tcp.h), less a little for clocks: neither the retransmission nor the persist timer is shorter.
 */
enum { CAUSE_RTO_MIN_MS = 190 };

struct cause_rule {
    const char *name;
    bool (*explain)(struct telling *telling, struct tale_packet *packet);
};

/* In the order of the strength of their evidence, file by file: what the kernel showed while it sent the packet; what the calls'
 * spans leave; what the wire alone leaves. *ret_count rules each. */
const struct cause_rule *cause_kernel_rules(size_t *ret_count);
const struct cause_rule *cause_span_rules(size_t *ret_count);
const struct cause_rule *cause_wire_rules(size_t *ret_count);

/* Each makes the packet's cause and returns true. `call` may be NULL: then it is known by `name` alone. */
bool cause_set_call(struct telling *telling, struct tale_packet *packet, struct tale_call *call, const char *name,
                    enum story_evidence evidence);
bool cause_set_segment(struct telling *telling, struct tale_packet *packet, const struct tale_packet *by,
                       enum story_evidence evidence);
bool cause_set_named(struct telling *telling, struct tale_packet *packet, enum story_cause_kind kind, const char *name,
                     enum story_evidence evidence);
bool cause_set_exit(struct telling *telling, struct tale_packet *packet, uint32_t step, enum story_evidence evidence);
bool cause_set_unknown(struct tale_packet *packet, const char *why);

/* What TCP never sends: without ACK, SYN and RST. */
static inline bool cause_is_bare(const struct tale_packet *packet)
{
    return is_tcp(packet) && !(header_of(packet)->flags & (TCP_SYN | TCP_ACK | TCP_RST));
}
/* cause_unknown.c: what can be said of a segment that no rule explains, in place of a cause. Static storage. */
const char *cause_why_unknown(struct telling *telling, const struct tale_packet *packet);

/* The newest packet of the peer that ends exactly where this segment's ACK points, and had arrived: what it acknowledges. NULL
 * none.
 */
struct tale_packet *cause_acknowledged(const struct telling *telling, const struct tale_packet *packet);
/* The newest earlier segment of its sender that carried the first of this one's sequence numbers; NULL none. */
struct tale_packet *cause_previous_with_same_space(const struct telling *telling, const struct tale_packet *packet);

/* repeat.c. The kind of a retransmission, before the sweep goes past it: its cause's words use it. */
void repeat_find(struct telling *telling, struct tale_packet *packet);
/* The kernel's reasons for the resets that it sent, once all causes are known. */
void repeat_find_reset_reasons(struct telling *telling);

/* What it acknowledges, or a part of: a SYN whose data was not taken (RFC 7413), a large segment that the network card cut. */
struct tale_packet *cause_acknowledged_within(struct telling *telling, const struct tale_packet *packet);
/* cause_repeat.c, cause_ack.c, cause_data.c: rules of cause_wire.c. */
bool cause_rule_repeat(struct telling *telling, struct tale_packet *packet);
bool cause_rule_ack(struct telling *telling, struct tale_packet *packet);
bool cause_rule_released(struct telling *telling, struct tale_packet *packet);
bool cause_rule_user_call(struct telling *telling, struct tale_packet *packet);
/* `last` had just reached the packet's sender: whatever timer there is, it can't have run out between the two by chance. In a
 * capture from one place: only where the place is seen to be near that host. */
bool cause_follows_at_once(const struct telling *telling, const struct tale_packet *packet, const struct tale_packet *last);

/* cause_wire.c. What `asks` brought was dropped for its old time stamp, and `answer` says so. */
bool cause_is_too_old(const struct tale_packet *answer, const struct tale_packet *asks);

/* cause_data.c. What an ACK let go has left this long behind it (as seen here: from one place, with a round trip more). */
int64_t cause_held_ns(const struct telling *telling);
/* cause_mptcp.c. Whether Multipath TCP's worker in the kernel may have sent `packet` (a segment); MAYBE: the capture ends before
 * the option that would show it. */
enum cause_mptcp { CAUSE_MPTCP_NO, CAUSE_MPTCP_MAYBE, CAUSE_MPTCP_YES };
enum cause_mptcp cause_speaks_mptcp(const struct telling *telling, const struct tale_packet *packet);

/* A SYN of another connection had just come to who sent this (flow.questions_ns). */
bool cause_is_of_question(const struct telling *telling, const struct tale_packet *packet);

/* cause_sweep.c. Which calls can send what: a blocked read() that spans a FIN did not send it. */
bool cause_can_send(const struct call *call, const struct tale_packet *packet);
/* It takes data out of the buffer, or may ask for an ACK (TCP_QUICKACK, TCP_ZEROCOPY_RECEIVE). */
bool cause_can_acknowledge(const struct call *call);
/* Before the first packet; to a packet's moment (`sweep.open` is then the calls that span it); past a packet. */
void cause_sweep_begin(struct telling *telling);
void cause_sweep_calls(struct telling *telling, int64_t t_ns);
void cause_sweep_packet(struct telling *telling, const struct tale_packet *packet);

/* cause_state.c: fills a state step's cause, once the packets have theirs. */
void cause_find_state(struct telling *telling, struct tale_state *state);
/* cause.c: the newest packet that had reached `side` by `at_ns`; NULL none. */
struct tale_packet *cause_last_arrival(const struct telling *telling, enum story_side side, int64_t at_ns);
/* The same as `packet` was sent: of what has its time stamp, only what was captured before it. */
struct tale_packet *cause_last_before(const struct telling *telling, const struct tale_packet *packet);
/* The step at which that process ended; STORY_NO_STEP: not seen. */
uint32_t cause_exit_step(const struct telling *telling, int32_t pid);
/* cause.c: fills every packet's and every state step's cause. */
void cause_find_all(struct telling *telling);
/* cause_sweep.c: frees what that needed. */
void cause_sweep_end(struct telling *telling);
/* The rules, strongest evidence first; tests switch them off one by one (teller.rules_off). */
size_t cause_rule_count(void);
const char *cause_rule_name(size_t rule);

/* wake.c: fills every call's wake. */
void wake_find_all(struct telling *telling);

#endif
