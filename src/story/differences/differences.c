#include "story/differences/differences.h"
#include "base/lang.h"

#include <inttypes.h>
#include <string.h>

#include "story/steps/telling.h"

enum { PROOF_MAX = 3 };

/* What a rule found: a sentence, the steps that show it, and a reference if it is not the rule's own. */
struct difference {
    const char *text; /* NULL: it does not show here */
    const char *reference;
    uint32_t steps[PROOF_MAX];
};

static const uint32_t NOWHERE = STORY_NO_STEP;

/* The first step from `from` on into state `to` of the RFC's machine. */
static uint32_t find_state(const struct telling *telling, enum story_side side, enum tcp_state to, uint32_t from)
{
    for (size_t i = from; i < telling->story->step_count; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind == STEP_STATE && step->side == side && !step->state->kernel && step->state->to_state == to)
            return (uint32_t)i;
    }
    return NOWHERE;
}

/* The first step that the kernel reported into `to`. */
static uint32_t find_kernel(const struct telling *telling, enum story_side side, unsigned to, uint32_t from)
{
    const char *name = event_kernel_state_name(to);
    for (size_t i = from; i < telling->story->step_count; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind == STEP_STATE && step->side == side && step->state->kernel && strcmp(step->state->to, name) == 0)
            return (uint32_t)i;
    }
    return NOWHERE;
}

static enum tcp_state state_at(const struct telling *telling, enum story_side side, uint32_t at)
{
    for (size_t i = at; i-- > 0;) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind == STEP_STATE && step->side == side && !step->state->kernel) return step->state->to_state;
    }
    return STATE_UNKNOWN;
}

static const struct change *change_at(const struct telling *telling, uint32_t step)
{
    for (size_t i = 0; i < telling->state_count; i++)
        if (telling->states[i].story == telling->story->steps[step].state) return telling->states[i].change;
    return NULL;
}

static bool chain_has(const struct telling *telling, uint32_t step, const char *part)
{
    const struct change *change = change_at(telling, step);
    const struct event_chain *chain = change ? change->context.chain : NULL;
    for (size_t i = 0; chain && i < chain->count; i++)
        if (strstr(chain->names[i], part)) return true;
    return false;
}

/* Calls of this end were seen: it is a Linux socket, and one that was looked at. */
static bool is_followed(const struct telling *telling, enum story_side side)
{
    for (size_t i = 0; i < telling->call_count; i++)
        if (telling->calls[i].story->side == side) return true;
    return false;
}

static bool kernel_speaks(const struct telling *telling)
{
    for (size_t i = 0; i < telling->state_count; i++)
        if (telling->states[i].change) return true;
    return false;
}

static struct difference request_socket(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {NOWHERE, NOWHERE, NOWHERE}};
    uint32_t rcvd = find_state(telling, side, STATE_SYN_RCVD, 0);
    if (rcvd == NOWHERE || telling->story->steps[rcvd].state->from_state != STATE_LISTEN) return found;
    uint32_t kernel = find_kernel(telling, side, KERNEL_SYN_RECV, rcvd);
    found.steps[0] = kernel != NOWHERE ? kernel : rcvd;
    if (kernel != NOWHERE) found.steps[1] = rcvd;
    if (kernel != NOWHERE && chain_has(telling, kernel, "cookie_v")) return found; /* there was not even that */
    if (kernel != NOWHERE)
        found.text =
            tr("SYN_RCVD is no socket yet: from the SYN on Linux keeps a small request socket and leaves the listening one in "
               "LISTEN; the kernel reports LISTEN → SYN_RECV only at the handshake's last ACK, when it makes the connection's "
               "own socket");
    else if (is_followed(telling, side) && kernel_speaks(telling) &&
             find_kernel(telling, side, KERNEL_ESTABLISHED, rcvd) == NOWHERE)
        found.text =
            tr("SYN_RCVD is no socket yet: Linux kept a small request socket that the handshake's last ACK never turned into a "
               "connection's own, so the kernel reported no SYN_RECV at all");
    return found;
}

static struct difference syn_cookie(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {NOWHERE, NOWHERE, NOWHERE}};
    uint32_t rcvd = find_state(telling, side, STATE_SYN_RCVD, 0);
    uint32_t kernel = rcvd == NOWHERE ? NOWHERE : find_kernel(telling, side, KERNEL_SYN_RECV, rcvd);
    if (kernel == NOWHERE || !chain_has(telling, kernel, "cookie_v")) return found;
    found.steps[0] = kernel;
    found.steps[1] = rcvd;
    found.text =
        tr("a SYN cookie: Linux kept nothing of the SYN, SYN_RCVD was in nobody's memory; the connection was made out of the "
           "number that the handshake's last ACK acknowledges");
    return found;
}

/* That CLOSE was the beginning of an orphan's wait, and not of TIME_WAIT by a FIN that was not captured: the peer's FIN came later,
 * the wait's own timer ran, or the chain shows that no FIN was taken (tcp_fin() would stand between). */
static bool waits_without_fin(const struct telling *telling, enum story_side side, uint32_t kernel)
{
    if (chain_has(telling, kernel, "tcp_fin")) return false;
    if (find_state(telling, side, STATE_TIME_WAIT, kernel) != NOWHERE) return true;
    for (size_t i = 0; i < telling->flow->expiry_count; i++)
        if (telling->flow->expiries[i].side == side && telling->flow->expiries[i].state == KERNEL_FIN_WAIT2) return true;
    return chain_has(telling, kernel, "tcp_rcv_state_process") || chain_has(telling, kernel, "tcp_close");
}

static struct difference orphan(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {NOWHERE, NOWHERE, NOWHERE}};
    uint32_t fin = find_state(telling, side, STATE_FIN_WAIT_1, 0);
    uint32_t kernel = fin == NOWHERE ? NOWHERE : find_kernel(telling, side, KERNEL_CLOSE, fin);
    if (kernel == NOWHERE) return found;
    enum tcp_state state = state_at(telling, side, kernel);
    if (state != STATE_FIN_WAIT_1 && state != STATE_FIN_WAIT_2) return found;
    /* An abort is reported before its RST leaves: that socket waits for nothing. */
    if (change_at(telling, kernel)->context.chain && !chain_has(telling, kernel, "tcp_time_wait")) return found;
    if (!waits_without_fin(telling, side, kernel)) return found;
    found.steps[0] = kernel;
    found.steps[1] = find_state(telling, side, STATE_FIN_WAIT_2, fin);
    found.steps[2] = find_state(telling, side, STATE_TIME_WAIT, kernel);
    found.text = tr(
        "FIN_WAIT_2 of an orphan: no process holds the socket any more, so Linux leaves the waiting for the peer's FIN to a small "
        "timewait socket, and reports CLOSE long before the RFC's end of the connection");
    return found;
}

static struct difference timewait_socket(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {NOWHERE, NOWHERE, NOWHERE}};
    uint32_t wait = find_state(telling, side, STATE_TIME_WAIT, 0);
    uint32_t kernel = wait == NOWHERE ? NOWHERE : find_kernel(telling, side, KERNEL_CLOSE, wait);
    if (kernel == NOWHERE || find_state(telling, side, STATE_CLOSED, wait) < kernel) return found;
    found.steps[0] = kernel;
    found.steps[1] = wait;
    found.text = tr(
        "TIME_WAIT is not the socket's: Linux puts a small timewait socket in its place, and reports CLOSE for the socket itself; "
        "the kernel never reports TIME_WAIT");
    return found;
}

static struct difference timewait_length(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {find_state(telling, side, STATE_TIME_WAIT, 0), NOWHERE, NOWHERE}};
    if (found.steps[0] != NOWHERE && is_followed(telling, side) && !telling_fin_never_came(telling, side))
        found.text =
            tr("2MSL is four minutes in the RFC (MSL: two minutes, \"engineering choice\"); Linux waits 60 seconds, always");
    return found;
}

/* The SYN was answered out of TIME_WAIT, and that was ended by a RST first. */
static bool was_refused_at_first(const struct telling *telling, enum story_side side)
{
    for (size_t i = 1; i < telling->packet_count; i++)
        if (telling->packets[i].segment && telling->packets[i].side == side) return telling->packets[i].verdict.class == CONN_STRAY;
    return false;
}

/* A SYN that took the place of a connection in TIME_WAIT. */
static struct difference timewait_reuse(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {NOWHERE, NOWHERE, NOWHERE}};
    if (!telling->flow->after_time_wait || telling->flow->after_side != side || !telling->packet_count) return found;
    const struct tale_packet *syn = &telling->packets[0];
    if (!syn->segment || syn->segment->kind != STORY_SYN || was_refused_at_first(telling, side)) return found;
    bool stamped = syn->seen->packet.options.present & OPTION_TIMESTAMPS;
    if (syn->side == side && !stamped) return found; /* Linux does not do that then: another host took its port, say */
    found.steps[0] = syn->step;
    if (syn->side == side) {
        found.reference = "tcp_twsk_unique(), net/ipv4/tcp_ipv4.c; ip-sysctl: tcp_tw_reuse; RFC 6191";
        found.text =
            telling_printf(telling,
                           "this end was still in TIME_WAIT (connection %" PRIu32
                           "), yet connect() was given the same addresses: Linux opens anew from its own TIME_WAIT if the clock of "
                           "the timestamps has moved on; the RFC lets only the peer's SYN do that",
                           telling->flow->after_number);
        return found;
    }
    found.text = telling_printf(
        telling,
        stamped ? tr("this end was still in TIME_WAIT (connection %" PRIu32
                     "): Linux took the SYN because its timestamp is newer than the last one it saw (RFC 6191), where the RFC may "
                     "refuse every SYN for 2MSL")
                : tr("this end was still in TIME_WAIT (connection %" PRIu32
                     "): Linux took the SYN because its sequence number lies beyond all that the old connection used, where the "
                     "RFC may refuse every SYN for 2MSL"),
        telling->flow->after_number);
    return found;
}

static struct difference fin_wait_2_timeout(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {NOWHERE, NOWHERE, NOWHERE}};
    uint32_t closed = find_state(telling, side, STATE_CLOSED, 0);
    const char *why = tcp_next(STATE_FIN_WAIT_2, INPUT_TIMEOUT_GIVE_UP)->why;
    if (closed == NOWHERE || strcmp(telling->story->steps[closed].state->cause.why, why) != 0) return found;
    found.steps[0] = closed;
    found.text = tr("the RFC lets FIN_WAIT_2 last for ever; Linux gives an orphan 60 seconds or what net.ipv4.tcp_fin_timeout or "
                    "TCP_LINGER2 say");
    return found;
}

/* An ACK is due for it. */
static bool is_owed(const struct story_step *step)
{
    return step->kind == STEP_SEGMENT && (step->segment->length_bytes || step->segment->flags & TCP_FIN);
}

/* The last such segment of `side` before `step`. */
static uint32_t find_owed(const struct telling *telling, enum story_side side, uint32_t step)
{
    for (size_t i = step; i-- > 0;) {
        const struct story_step *s = &telling->story->steps[i];
        if (s->side == side && is_owed(s)) return (uint32_t)i;
    }
    return NOWHERE;
}

static struct difference delayed_ack(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {NOWHERE, NOWHERE, NOWHERE}};
    uint32_t owed = NOWHERE;
    for (size_t i = 0; i < telling->story->step_count && !found.text; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->side != side && is_owed(step)) owed = (uint32_t)i;
        if (step->kind != STEP_SEGMENT || step->side != side || step->segment->cause.kind != CAUSE_TIMER) continue;
        const char *timer = step->segment->cause.name;
        if (!timer || strcmp(timer, "delayed-ack") != 0 || owed == NOWHERE) continue;
        const struct story_segment *data = telling->story->steps[owed].segment;
        int64_t late_ns = step->segment->sent_ns - (data->received_ns ? data->received_ns : data->sent_ns);
        found.steps[0] = (uint32_t)i;
        found.steps[1] = owed;
        found.text = telling_printf(telling,
                                    "Linux held this ACK back for %" PRId64
                                    " ms, hoping for data to send it with; the RFC allows half a second, Linux at most 200 ms",
                                    late_ns / 1000000);
    }
    return found;
}

/* Figure 5 answers a FIN with an ACK of its own; often it goes with our FIN. */
static struct difference ack_on_fin(struct telling *telling, enum story_side side)
{
    struct difference found = {.steps = {NOWHERE, NOWHERE, NOWHERE}};
    uint32_t half = find_state(telling, side, STATE_CLOSE_WAIT, 0);
    if (half == NOWHERE || !is_followed(telling, side)) return found;
    for (size_t i = half; i < telling->story->step_count; i++) {
        const struct story_step *step = &telling->story->steps[i];
        if (step->kind != STEP_SEGMENT || step->side != side) continue;
        if (!(step->segment->flags & TCP_FIN)) return found;
        found.steps[0] = (uint32_t)i;
        found.steps[1] = find_owed(telling, side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT, (uint32_t)i);
        found.text =
            tr("figure 5 answers a FIN with an ACK of its own; Linux put that ACK off, and its own FIN came in time to carry it: "
               "three segments end the connection, not four");
        return found;
    }
    return found;
}

static const struct {
    const char *id, *reference;
    struct difference (*find)(struct telling *telling, enum story_side side);
} rules[] = {
    {"linux-request-socket", "RFC 9293 section 3.10.7.2; tcp_conn_request() and tcp_check_req()", request_socket},
    {"linux-syn-cookie", "RFC 4987 section 3.6; cookie_v4_check(), net/ipv4/syncookies.c", syn_cookie},
    {"linux-time-wait-reuse", "RFC 9293 section 3.6.1; tcp_timewait_state_process(), net/ipv4/tcp_minisocks.c", timewait_reuse},
    {"linux-delayed-ack", "RFC 9293 section 3.8.6.3; tcp_send_delayed_ack(), TCP_DELACK_MAX in include/net/tcp.h", delayed_ack},
    {"linux-ack-on-fin", "RFC 9293 sections 3.8.6.3 and 3.10.7.4; tcp_fin(), net/ipv4/tcp_input.c", ack_on_fin},
    {"linux-orphan", "RFC 9293 section 3.10.7.4; tcp_time_wait(sk, TCP_FIN_WAIT2, …), net/ipv4/tcp_minisocks.c", orphan},
    {"linux-fin-wait-2-timeout", "RFC 9293 section 3.10.8; tcp_fin_time(), include/net/tcp.h", fin_wait_2_timeout},
    {"linux-timewait-socket", "RFC 9293 section 3.10.7.4; tcp_time_wait(), net/ipv4/tcp_minisocks.c", timewait_socket},
    {"linux-time-wait-length", "RFC 9293 section 3.4.2; TCP_TIMEWAIT_LEN, include/net/tcp.h", timewait_length},
};
enum { RULES = sizeof(rules) / sizeof(rules[0]) };

const char *differences_id(size_t rule)
{
    return rule < RULES ? rules[rule].id : NULL;
}

static void keep(struct telling *telling, size_t rule, const struct difference *found)
{
    struct story *story = telling->story;
    if (!story->differences)
        story->differences = arena_alloc(telling->arena, sizeof(struct story_difference) * RULES * STORY_SIDES);
    uint32_t *steps = arena_alloc(telling->arena, PROOF_MAX * sizeof(uint32_t));
    if (!story->differences || !steps) {
        telling->failed = true;
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < PROOF_MAX; i++)
        if (found->steps[i] != NOWHERE) steps[count++] = found->steps[i];
    story->differences[story->difference_count++] = (struct story_difference){
        .id = rules[rule].id,
        .text = found->text,
        .reference = found->reference ? found->reference : rules[rule].reference,
        .steps = steps,
        .step_count = count,
    };
}

void differences_find_all(struct telling *telling)
{
    if (telling->story->udp) return;
    for (size_t rule = 0; rule < RULES; rule++)
        for (size_t side = 0; side < STORY_SIDES; side++) {
            struct difference found = rules[rule].find(telling, (enum story_side)side);
            if (found.text) keep(telling, rule, &found);
        }
}
