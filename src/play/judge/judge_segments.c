/* What a scenario expects of segments: that they were sent, by what cause, and that they came. */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "lab/network/network.h"
#include "play/judge/trial.h"

enum judge_verdict trial_unmet(struct trial *trial, const char *format, ...)
{
    char why[240];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    snprintf(trial->finding->text, sizeof(trial->finding->text), tr("'%.140s' is not met: %s"), trial->expect->text, why);
    return JUDGE_UNMET;
}

enum judge_verdict trial_unknown(struct trial *trial, const char *why)
{
    snprintf(trial->finding->text, sizeof(trial->finding->text), tr("'%.140s' can't be told: %s"), trial->expect->text, why);
    return JUDGE_UNKNOWN;
}

void trial_prove(struct trial *trial, uint32_t step)
{
    struct judge_finding *finding = trial->finding;
    if (step != STORY_NO_STEP && finding->proof_count < JUDGE_PROOFS) finding->proofs[finding->proof_count++] = step;
}

static enum judge_verdict met_by(struct trial *trial, const struct story_step *step)
{
    trial_prove(trial, (uint32_t)(step - trial->story->steps));
    return JUDGE_MET;
}

bool trial_is_weak(const struct trial *trial)
{
    return strcmp(play_recorder(trial->play), "bpf") != 0;
}

/* ---- sides and segments ---- */

bool trial_is_host(const struct address *end, const struct scenario *scenario, enum network_place host)
{
    struct address address = network_address(host, end->version, scenario->routed);
    address.port = end->port;
    return address_equal(end, &address);
}

enum story_side judge_side(const struct scenario *scenario, const struct story *story, enum scenario_side host)
{
    enum story_side same = host == SCENARIO_CLIENT ? STORY_CLIENT : STORY_SERVER;
    enum story_side other = host == SCENARIO_CLIENT ? STORY_SERVER : STORY_CLIENT;
    if (scenario->place == SCENARIO_LOOPBACK) return same; /* the addresses are one; the roles are the names */
    const struct address *client = &story->end[STORY_CLIENT].address, *server = &story->end[STORY_SERVER].address;
    /* Either address may be the router's instead. */
    bool turned = trial_is_host(client, scenario, NETWORK_SERVER) ||
                  (trial_is_host(server, scenario, NETWORK_CLIENT) && !trial_is_host(client, scenario, NETWORK_CLIENT));
    return turned ? other : same;
}

/* A segment or a datagram that this side sent, and of this kind. */
static bool matches(const struct story_step *step, enum story_side side, enum wire_match match)
{
    struct event_packet_header header = {.protocol = IPPROTO_TCP};
    if (step->kind == STEP_SEGMENT) {
        header.flags = step->segment->flags;
        header.length_bytes = step->segment->length_bytes;
    } else if (step->kind == STEP_DATAGRAM && !step->datagram->icmp) {
        header.protocol = IPPROTO_UDP;
        header.length_bytes = step->datagram->length_bytes;
    } else
        return false;
    return step->side == side && wire_matches(match, &header);
}

/* The number of the step among those of its kind and side; 0: it is none of them. */
static uint32_t rank_of(const struct trial *trial, uint32_t wanted, const struct scenario_match *match)
{
    enum story_side side = judge_side(trial->scenario, trial->story, match->from);
    uint32_t rank = 0;
    for (size_t i = 0; i <= wanted; i++) rank += matches(&trial->story->steps[i], side, match->segment);
    return matches(&trial->story->steps[wanted], side, match->segment) ? rank : 0;
}

/* The step of the n-th; NULL: there are not so many. */
static const struct story_step *find_packet(const struct trial *trial, const struct scenario_match *match, uint32_t *ret_count)
{
    enum story_side side = judge_side(trial->scenario, trial->story, match->from);
    const struct story_step *found = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < trial->story->step_count; i++) {
        if (!matches(&trial->story->steps[i], side, match->segment)) continue;
        if (++*ret_count == match->nth) found = &trial->story->steps[i];
    }
    return found;
}

static const struct story_cause *cause_of(const struct story_step *step)
{
    return step->kind == STEP_SEGMENT ? &step->segment->cause : &step->datagram->cause;
}

static const char *host_name(const struct trial *trial, enum story_side side)
{
    return judge_side(trial->scenario, trial->story, SCENARIO_CLIENT) == side ? "client" : "server";
}

static enum judge_verdict no_segment(struct trial *trial, uint32_t count)
{
    const struct scenario_match *match = &trial->expect->match;
    return trial_unmet(trial, tr("the %s sent %u %s in this connection"), match->from == SCENARIO_CLIENT ? "client" : "server",
                       count, wire_match_name(match->segment));
}

/* ---- causes ---- */

/* The system calls behind the words of the language. arm64 has no dup2 and no poll: there the C library takes the newer ones. */
bool trial_is_call(const char *said, const char *name)
{
    static const char *const same[][6] = {
        {"recv", "recvfrom", "read", "recvmsg", NULL},
        {"send", "sendto", "write", "sendmsg", "io_uring send", NULL},
        {"accept", "accept4", "io_uring accept", NULL},
        {"connect", "io_uring connect", NULL},
        {"close", "io_uring close", NULL},
        {"replace", "dup2", "dup3", NULL},
        {"dup2", "dup3", NULL},
        {"poll", "ppoll", NULL},
        {"exec", "execve", NULL},
        {"disconnect", "connect", NULL},
        {"error", "getsockopt", NULL},
        {"set", "setsockopt", NULL},
    };
    if (!name) return false;
    if (strcmp(said, name) == 0) return true;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        if (strcmp(same[i][0], said) == 0)
            for (size_t k = 1; same[i][k]; k++)
                if (strcmp(same[i][k], name) == 0) return true;
    return false;
}

static void describe_cause(const struct trial *trial, const struct story_cause *cause, char *text, size_t bytes)
{
    const struct story_step *step = cause->step != STORY_NO_STEP ? &trial->story->steps[cause->step] : NULL;
    if (cause->kind == CAUSE_SEGMENT && step && step->kind == STEP_SEGMENT)
        snprintf(text, bytes, tr("segment %s #%u of the %s"), step->segment->label, step->segment->number,
                 host_name(trial, step->segment->side));
    else
        snprintf(text, bytes, "%s%s%s", story_cause_name(cause->kind), cause->name ? " " : "", cause->name ? cause->name : "");
    size_t used = strlen(text);
    snprintf(text + used, bytes - used, tr(" (evidence: %s)"), tr(story_evidence_name(cause->evidence)));
}

bool trial_is_origin(const struct trial *trial, uint32_t step_number, const struct scenario_match *origin)
{
    uint32_t rank = step_number != STORY_NO_STEP ? rank_of(trial, step_number, origin) : 0;
    return rank && (!origin->nth || rank == origin->nth);
}

static bool is_cause(const struct trial *trial, const struct story_cause *cause)
{
    static const enum story_cause_kind kinds[] = {
        [SCENARIO_CAUSE_CALL] = CAUSE_CALL, [SCENARIO_CAUSE_SEGMENT] = CAUSE_SEGMENT, [SCENARIO_CAUSE_TIMER] = CAUSE_TIMER,
        [SCENARIO_CAUSE_EXIT] = CAUSE_EXIT, [SCENARIO_CAUSE_KERNEL] = CAUSE_KERNEL,   [SCENARIO_CAUSE_UNKNOWN] = CAUSE_UNKNOWN};
    const struct scenario_expect *expect = trial->expect;
    if (cause->kind != kinds[expect->cause]) return false;
    if (cause->kind == CAUSE_SEGMENT) return trial_is_origin(trial, cause->step, &expect->origin);
    if (!expect->name) return true;
    if (cause->kind == CAUSE_CALL && expect->match.segment == WIRE_SYN && strcmp(expect->name, "connect") == 0 &&
        strcmp(cause->name, "sendto") == 0)
        return true; /* `connect … with`: Fast Open's SYN */
    if (cause->kind == CAUSE_CALL) return trial_is_call(expect->name, cause->name);
    return cause->name && strcmp(expect->name, cause->name) == 0;
}

enum judge_verdict trial_cause(struct trial *trial)
{
    uint32_t count;
    char text[160];
    const struct story_step *packet = find_packet(trial, &trial->expect->match, &count);
    if (!packet) return no_segment(trial, count);
    const struct story_cause *cause = cause_of(packet);
    if (is_cause(trial, cause)) return met_by(trial, packet);
    if (cause->kind == CAUSE_UNKNOWN && trial_is_weak(trial)) return trial_unknown(trial, cause->why);
    describe_cause(trial, cause, text, sizeof(text));
    return trial_unmet(trial, tr("it was %s: %.100s"), text, cause->why);
}

enum judge_verdict trial_fate(struct trial *trial)
{
    uint32_t count;
    const struct story_step *packet = find_packet(trial, &trial->expect->match, &count);
    if (!packet) return no_segment(trial, count);
    bool lost = (packet->kind == STEP_SEGMENT ? packet->segment->received_ns : packet->datagram->received_ns) == 0;
    if (lost == (trial->expect->kind == EXPECT_LOST)) return met_by(trial, packet);
    return trial_unmet(trial, lost ? tr("nobody saw it arrive") : tr("it did arrive"));
}

enum judge_verdict trial_count(struct trial *trial)
{
    uint32_t count;
    find_packet(trial, &trial->expect->match, &count);
    if (count != trial->expect->number) return no_segment(trial, count);
    enum story_side side = judge_side(trial->scenario, trial->story, trial->expect->match.from);
    for (uint32_t i = 0; i < trial->story->step_count; i++)
        if (matches(&trial->story->steps[i], side, trial->expect->match.segment)) trial_prove(trial, i);
    return JUDGE_MET;
}
