/* RSTs that who they name did not send: it goes on. */
#include <inttypes.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

/* So many are looked at, each against all that comes behind it. */
enum { RESETS_MAX = 64 };

/* What a RST in an end's name that this end did not send was answered with. */
struct after_reset {
    const struct tale_packet *on;        /* its supposed sender goes on */
    const struct tale_packet *challenge; /* its receiver asks whether it was meant */
    const struct tale_packet *reset;     /* its receiver says nothing any more but RST: it believed it */
    bool lives;                          /* its receiver goes on as well */
};

/* It ended the end in whose name it came: the judge takes that back where the end goes on. */
static bool ended_its_sender(const struct telling *telling, const struct tale_packet *reset)
{
    for (size_t i = 0; i < telling->state_count; i++) {
        const struct tale_state *state = &telling->states[i];
        if (state->packet == (uint32_t)(reset - telling->packets) && state->sent && !state->change &&
            state->story->to_state == STATE_CLOSED)
            return true;
    }
    return false;
}

/* It left after that RST, and was not only overtaken by it on the way: it says more than the RST's number, or acknowledges more
 * than its sender had by then, or came a round trip later. */
static bool is_life(const struct telling *telling, const struct tale_packet *reset, const struct tale_packet *later)
{
    if (ended_its_sender(telling, reset)) return later->verdict.goes_on;
    static const int64_t DISORDER_NS = 3000000; /* Wireshark's bound, where no round trip was seen */
    int64_t way_ns = telling->conn.flags & CONN_TIMED ? (int64_t)telling->conn.round_us * 1024 : DISORDER_NS;
    const struct story_segment *segment = later->segment;
    if (seq_before(reset->segment->seq_absolute, segment->seq_absolute + segment_space(&later->seen->packet.header))) return true;
    return later->verdict.goes_on || later->sent_ns - reset->sent_ns >= way_ns;
}

static struct after_reset look_behind(const struct telling *telling, size_t at)
{
    const struct tale_packet *reset = &telling->packets[at];
    bool in_window = reset->verdict.reset == RESET_IN_WINDOW;
    struct after_reset after = {.lives = in_window};
    for (size_t i = at + 1; i < telling->packet_count; i++) {
        const struct tale_packet *later = &telling->packets[i];
        bool goes_on = after.on && (in_window || after.on->verdict.goes_on);
        if (goes_on && (after.lives || after.reset)) break;
        if (!later->segment || later->segment->copy) continue;
        bool own = later->side == reset->side, is_reset = later->segment->kind == STORY_RST;
        bool knows_none = is_reset && !(later->segment->flags & TCP_ACK); /* an abort has one (RFC 9293 section 3.10.7.1) */
        if (!own && knows_none && goes_on && !after.reset) after.reset = later;
        if (!own && !knows_none) after.lives = true;
        if (!own && later->verdict.class == CONN_CHALLENGE_ACK && !after.challenge) after.challenge = later;
        bool says = own && !is_reset && !later->segment->retransmission && later->segment->kind != STORY_SYN_ACK;
        if (says && !goes_on && is_life(telling, reset, later)) after.on = later;
    }
    return after;
}

/* Whoever got it believed it, or said nothing any more. */
static void say_forged(struct telling *telling, const struct tale_packet *reset, const struct after_reset *after)
{
    uint32_t proof[3] = {reset->step, after->on->step, after->reset ? after->reset->step : STORY_NO_STEP};
    const char *side = story_side_word(reset->side), *other = story_side_word(finding_other(reset->side));
    uint32_t number = reset->segment->number, on = after->on->segment->number;
    const char *text =
        after->reset
            ? telling_printf(telling,
                             "the RST (#%" PRIu32
                             ") in the %s's name ended the connection at the %s, which answers with RST (#%" PRIu32
                             ") from then on; but the %s itself went on afterwards (#%" PRIu32
                             "): its TCP did not send it; a box between did, or an attacker",
                             number, side, other, after->reset->segment->number, side, on)
            : telling_printf(telling,
                             "the RST (#%" PRIu32 ") in the %s's name is not its own: it went on afterwards (#%" PRIu32
                             "); a box between made it, or an attacker; the %s says nothing any more, so it may have believed it",
                             number, side, on, other);
    finding_add(telling, "reset-forged", after->reset ? "error" : "warning", text, FINDING_PROOF(proof));
}

static const char *challenged_by(struct telling *telling, const struct after_reset *after)
{
    if (!after->challenge) return "";
    return telling_printf(telling, ", a challenge ACK (#%" PRIu32 ") answered it", after->challenge->segment->number);
}

/* A RST that changed nothing: it was not exactly at the next number (RFC 5961 section 3.2), or its sender went on. */
void findings_forged(struct telling *telling)
{
    for (size_t i = 0, looked = 0; i < telling->packet_count && looked < RESETS_MAX; i++) {
        const struct tale_packet *reset = &telling->packets[i];
        if (!reset->segment || reset->segment->kind != STORY_RST) continue;
        looked++;
        bool in_window = reset->verdict.reset == RESET_IN_WINDOW;
        const struct after_reset after = look_behind(telling, i);
        if (!after.on || (!in_window && !after.on->verdict.goes_on)) continue;
        if (!after.lives) {
            say_forged(telling, reset, &after);
            return;
        }
        uint32_t proof[3] = {reset->step, after.challenge ? after.challenge->step : STORY_NO_STEP, after.on->step};
        const char *side = story_side_word(reset->side);
        finding_add(
            telling, "reset-ignored", "warning",
            telling_printf(
                telling,
                in_window
                    ? tr("the RST (#%" PRIu32 ") in the %s's name ended nothing: its number is not exactly the one expected (RFC "
                         "5961)%s, and the %s itself went on afterwards (#%" PRIu32
                         "): its TCP did not send it for this connection; a box between did, or an attacker, or it is an old "
                         "one's of the same ports")
                    : tr("the RST (#%" PRIu32 ") in the %s's name ended nothing%s, and the %s itself went on afterwards (#%" PRIu32
                         "): its TCP did not send it for this connection; a box between did, or an attacker, or it is an old "
                         "one's of the same ports"),
                reset->segment->number, side, challenged_by(telling, &after), side, after.on->segment->number),
            FINDING_PROOF(proof));
        return;
    }
}
