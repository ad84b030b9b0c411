#include "play/judge/judge.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play/judge/trial.h"

enum { STATES_MAX = 64 };

/* ---- states ---- */

static size_t collect_states(const struct story *story, enum story_side side, const char *states[STATES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < story->step_count && count < STATES_MAX; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind != STEP_STATE || step->state->kernel || step->state->side != side) continue;
        if (!count) states[count++] = step->state->from;
        if (count < STATES_MAX) states[count++] = step->state->to;
    }
    return count;
}

/* The last step that brought this end into that state; STORY_NO_STEP: it began there. */
static uint32_t step_of_state(const struct story *story, enum story_side side, const char *state)
{
    uint32_t found = STORY_NO_STEP;
    for (uint32_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        bool is_its = step->kind == STEP_STATE && !step->state->kernel && step->state->side == side;
        if (is_its && strcmp(step->state->to, state) == 0) found = i;
    }
    return found;
}

const char *judge_states(const struct story *story, enum story_side side, char *text, size_t text_bytes)
{
    const char *states[STATES_MAX];
    size_t count = collect_states(story, side, states), used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < text_bytes; i++)
        used += (size_t)snprintf(text + used, text_bytes - used, "%s%s", i ? " " : "", states[i]);
    return text;
}

/* A connection that nobody answers any more ends in silence: only the kernel's own report shows it. */
static bool lacks_silent_end(const struct trial *trial, size_t reached)
{
    const struct scenario_expect *expect = trial->expect;
    return trial_is_weak(trial) && reached && reached + 1 == expect->word_count && strcmp(expect->words[reached], "CLOSED") == 0;
}

static enum judge_verdict try_states(struct trial *trial)
{
    const struct scenario_expect *expect = trial->expect;
    const char *states[STATES_MAX];
    char text[200];
    enum story_side side = judge_side(trial->scenario, trial->story, expect->side);
    size_t count = collect_states(trial->story, side, states), at = 0;
    bool exact = expect->kind == EXPECT_STATES;
    for (size_t i = 0; i < count && at < expect->word_count; i++) {
        if (strcmp(states[i], expect->words[at]) == 0)
            at++;
        else if (exact)
            break;
    }
    if (at == expect->word_count && (!exact || count == at)) {
        trial_prove(trial, step_of_state(trial->story, side, expect->words[at - 1]));
        return JUDGE_MET;
    }
    if (count == at && exact && lacks_silent_end(trial, at))
        return trial_unknown(trial, tr("neither a segment nor a call shows the end of a connection that is given up in silence"));
    return trial_unmet(trial, tr("it passed %s"),
                       count ? judge_states(trial->story, side, text, sizeof(text)) : tr("no state at all"));
}

/* ---- calls ---- */

/* The n-th step of that kind of that actor: its index in the scenario. */
static size_t find_step(const struct trial *trial)
{
    const struct scenario *scenario = trial->scenario;
    uint32_t count = 0;
    for (size_t i = 0; i < scenario->step_count; i++)
        if (scenario->steps[i].actor == trial->expect->actor && (int)scenario->steps[i].verb == trial->expect->call &&
            ++count == trial->expect->nth)
            return i;
    return scenario->step_count;
}

static const char *errno_text(int64_t ret)
{
    const char *name = err_errno_name((int)-ret);
    return name ? name : tr("an errno without a name");
}

/* The end of the system call that a step of the scenario made, in whichever story it stands. */
static void prove_by_call(struct trial *trial, const struct play_step *step)
{
    pid_t pid = play_pid(trial->play, trial->expect->actor);
    for (size_t s = 0; s < trial->stories->count; s++) {
        const struct story *story = trial->stories->list[s];
        for (uint32_t i = 0; i < story->step_count; i++) {
            const struct story_call *call = story->steps[i].kind == STEP_EXIT ? story->steps[i].call : NULL;
            if (!call || call->pid != pid || !trial_is_call(step->call, call->name)) continue;
            if (call->enter_ns < step->begun_ns || call->exit_ns > step->ended_ns) continue;
            trial->finding->story = s;
            trial->finding->proof_count = 0; /* the last of several: it gave the result */
            trial_prove(trial, i);
        }
    }
}

static enum judge_verdict try_result(struct trial *trial)
{
    const struct scenario_expect *expect = trial->expect;
    const struct play_step *step = &play_steps(trial->play)[find_step(trial)];
    if (step->state == PLAY_NOT_REACHED) return trial_unmet(trial, tr("this step was not reached"));
    if (step->state == PLAY_RUNNING) return trial_unmet(trial, tr("it had not returned at the end"));
    if (step->state == PLAY_KILLED) return trial_unmet(trial, tr("its process ended under it"));
    if (expect->kind == EXPECT_FAILS) {
        if (step->ret >= 0) return trial_unmet(trial, tr("%s did not fail"), step->call);
        if (strcmp(errno_text(step->ret), expect->name) == 0) return prove_by_call(trial, step), JUDGE_MET;
        return trial_unmet(trial, tr("%s failed with %s"), step->call, errno_text(step->ret));
    }
    if (step->ret < 0) return trial_unmet(trial, tr("%s failed with %s"), step->call, errno_text(step->ret));
    if (expect->kind == EXPECT_SUCCEEDS || step->ret == expect->number) return prove_by_call(trial, step), JUDGE_MET;
    return trial_unmet(trial, tr("it returned %" PRId64), step->ret);
}

static const struct story_call *find_call(const struct trial *trial)
{
    const char *said = scenario_verb_name((enum scenario_verb)trial->expect->call);
    pid_t pid = play_pid(trial->play, trial->expect->actor);
    const struct story_call *last = NULL;
    uint32_t count = 0;
    for (size_t i = 0; i < trial->story->step_count; i++) {
        const struct story_step *step = &trial->story->steps[i];
        if ((step->kind != STEP_ENTER && step->kind != STEP_EXIT) || step->call->pid != pid ||
            !trial_is_call(said, step->call->name))
            continue;
        if (step->call == last || (step->kind == STEP_EXIT && step->call->enter_step != STORY_NO_STEP)) continue;
        last = step->call;
        if (++count == trial->expect->nth) return last;
    }
    return NULL;
}

static enum judge_verdict try_wake(struct trial *trial)
{
    static const enum story_wake_kind kinds[] = {[SCENARIO_WOKEN_BY_SEGMENT] = WAKE_SEGMENT,
                                                 [SCENARIO_WOKEN_BY_TIMER] = WAKE_TIMER,
                                                 [SCENARIO_WOKEN_BY_SIGNAL] = WAKE_SIGNAL,
                                                 [SCENARIO_NEVER_SLEPT] = WAKE_NEVER_SLEPT,
                                                 [SCENARIO_STILL_WAITS] = WAKE_NOT_YET};
    const struct story_call *call = find_call(trial);
    if (!call)
        return trial_is_weak(trial) ? trial_unknown(trial, tr("this recorder saw no such call"))
                                    : trial_unmet(trial, tr("there is no such call in this connection"));
    const struct story_wake *wake = &call->wake;
    bool met = wake->kind == kinds[trial->expect->wake];
    if (met && wake->kind == WAKE_SEGMENT) met = trial_is_origin(trial, wake->step, &trial->expect->origin);
    if (met) return trial_prove(trial, call->exit_step != STORY_NO_STEP ? call->exit_step : call->enter_step), JUDGE_MET;
    if (wake->kind == WAKE_UNKNOWN && trial_is_weak(trial))
        return trial_unknown(trial, wake->why && *wake->why ? wake->why : tr("this recorder doesn't see what wakes a call"));
    return trial_unmet(trial, "%s: %s", story_wake_name(wake->kind), wake->why);
}

/* ---- the rest ---- */

static enum judge_verdict try_finding(struct trial *trial)
{
    char list[160] = "";
    size_t used = 0;
    bool found = false;
    for (size_t i = 0; i < trial->story->finding_count; i++) {
        const char *id = trial->story->findings[i].id;
        if (strcmp(id, trial->expect->name) == 0) {
            const struct story_finding *finding = &trial->story->findings[i];
            for (size_t k = 0; k < finding->step_count && !found; k++) trial_prove(trial, finding->steps[k]);
            found = true;
        }
        if (used < sizeof(list)) used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", id);
    }
    if (found == (trial->expect->kind == EXPECT_FINDING)) return JUDGE_MET;
    if (!found && trial_is_weak(trial) && story_finding_needs_kernel(trial->expect->name))
        return trial_unknown(trial, tr("only the kernel shows it"));
    if (!found && trial_is_weak(trial) && trial->story->calls_alone)
        return trial_unknown(trial, tr("no packet of it was captured"));
    if (found && trial_is_weak(trial) && story_finding_yields_to_kernel(trial->expect->name))
        return trial_unknown(trial, tr("only the kernel shows that it was something else"));
    return found ? trial_unmet(trial, tr("it was found")) : trial_unmet(trial, tr("found were: %s"), list[0] ? list : tr("none"));
}

static enum judge_verdict try_outcome(struct trial *trial)
{
    const char *outcome = story_outcome_name(trial->story->outcome);
    return strcmp(outcome, trial->expect->name) == 0 ? JUDGE_MET : trial_unmet(trial, tr("it is %s"), outcome);
}

static bool is_by(const struct trial *trial, const struct address *sender)
{
    const struct scenario *scenario = trial->scenario;
    if (trial->expect->side != SCENARIO_BOTH)
        return trial_is_host(sender, scenario, trial->expect->side == SCENARIO_CLIENT ? NETWORK_CLIENT : NETWORK_SERVER);
    for (enum network_place side = NETWORK_CLIENT; side <= NETWORK_SERVER; side++) {
        struct address router = network_router_address(side, sender->version);
        if (address_equal(sender, &router)) return true;
    }
    return false;
}

static enum judge_verdict try_icmp(struct trial *trial)
{
    uint32_t others = 0;
    for (size_t i = 0; i < trial->story->step_count; i++) {
        const struct story_step *step = &trial->story->steps[i];
        if (step->kind != STEP_DATAGRAM || !step->datagram->icmp || !step->datagram->captured) continue;
        const struct event_packet *packet = step->datagram->captured;
        if (scenario_icmp_matches(trial->expect->icmp, packet) && is_by(trial, &packet->header.src))
            return trial_prove(trial, (uint32_t)i), JUDGE_MET;
        others++;
    }
    return trial_unmet(
        trial, others ? tr("there are %u other ICMP errors about this connection") : tr("no ICMP error tells of this connection"),
        others);
}

static enum judge_verdict try_connections(struct trial *trial)
{
    if (trial->stories->count == (size_t)trial->expect->number) return JUDGE_MET;
    return trial_unmet(trial, tr("there were %zu"), trial->stories->count);
}

static const struct {
    enum judge_verdict (*try)(struct trial *trial);
    bool story; /* it is about a connection */
} tries[] = {
    [EXPECT_STATES] = {try_states, true},   [EXPECT_PASSES] = {try_states, true},
    [EXPECT_CAUSE] = {trial_cause, true},   [EXPECT_COUNT] = {trial_count, true},
    [EXPECT_LOST] = {trial_fate, true},     [EXPECT_ARRIVES] = {trial_fate, true},
    [EXPECT_FAILS] = {try_result, false},   [EXPECT_SUCCEEDS] = {try_result, false},
    [EXPECT_RETURNS] = {try_result, false}, [EXPECT_WOKEN] = {try_wake, true},
    [EXPECT_FINDING] = {try_finding, true}, [EXPECT_NO_FINDING] = {try_finding, true},
    [EXPECT_OUTCOME] = {try_outcome, true}, [EXPECT_CONNECTIONS] = {try_connections, false},
    [EXPECT_ICMP] = {try_icmp, true},
};

static void add(struct judgement *judgement, const struct judge_finding *finding)
{
    judgement->list[judgement->count++] = *finding;
    judgement->met += finding->verdict == JUDGE_MET;
    judgement->unmet += finding->verdict == JUDGE_UNMET;
    judgement->unknown += finding->verdict == JUDGE_UNKNOWN;
}

/* A failure that some line expects of exactly this step. */
static bool is_expected(const struct scenario *scenario, struct trial *trial, size_t step)
{
    for (size_t i = 0; i < scenario->expect_count; i++) {
        trial->expect = &scenario->expects[i];
        if (trial->expect->kind == EXPECT_FAILS && find_step(trial) == step) return true;
    }
    return false;
}

/* A rule of the wire or the router that never acted: the lesson did not play what it says. */
static bool is_idle(const struct scenario_step *step, const struct play_step *result, struct judge_finding *finding)
{
    const char *kind = wire_match_name(step->match.segment), *side = step->match.from == SCENARIO_CLIENT ? "client" : "server";
    if (!scenario_is_rule(step) || result->state != PLAY_ENDED || result->acted) return false;
    *finding = (struct judge_finding){.verdict = JUDGE_UNMET, .line = step->line};
    int used = snprintf(finding->text, sizeof(finding->text), tr("'%.140s' never did anything: "), step->text);
    if (used < 0 || (size_t)used >= sizeof(finding->text)) return true;
    char *rest = finding->text + used;
    size_t room = sizeof(finding->text) - (size_t)used;
    if (!result->seen)
        snprintf(rest, room, tr("no %s came from the %s while it was in force"), kind, side);
    else if (result->seen < step->match.nth)
        snprintf(rest, room, tr("only %" PRIu64 " %s came from the %s while it was in force"), result->seen, kind, side);
    else
        snprintf(rest, room, tr("what it waited for was taken by a rule before it"));
    return true;
}

int judge(const struct scenario *scenario, const struct play *play, const struct play_stories *stories,
          struct judgement *ret_judgement, struct err *err)
{
    *ret_judgement =
        (struct judgement){.list = calloc(scenario->expect_count + scenario->step_count + 1, sizeof(struct judge_finding))};
    if (!ret_judgement->list) return err_set_errno(err, -ENOMEM, "can't hold the story against what was expected");
    struct trial trial = {.scenario = scenario, .play = play, .stories = stories};
    for (size_t i = 0; i < scenario->expect_count; i++) {
        const struct scenario_expect *expect = &scenario->expects[i];
        struct judge_finding finding = {.line = expect->line};
        trial.expect = expect;
        trial.finding = &finding;
        finding.story = expect->connection - 1;
        trial.story = expect->connection <= stories->count ? stories->list[expect->connection - 1] : NULL;
        if (tries[expect->kind].story && !trial.story)
            finding.verdict =
                trial_unmet(&trial, tr("there is no connection %u: %zu were seen"), expect->connection, stories->count);
        else
            finding.verdict = tries[expect->kind].try(&trial);
        add(ret_judgement, &finding);
    }
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct scenario_step *step = &scenario->steps[i];
        const struct play_step *result = &play_steps(play)[i];
        struct judge_finding finding = {.verdict = JUDGE_UNMET, .line = step->line};
        if (is_idle(step, result, &finding)) add(ret_judgement, &finding);
        if (step->verb >= SCENARIO_ACTOR_VERBS || result->state != PLAY_ENDED || result->ret >= 0 ||
            is_expected(scenario, &trial, i))
            continue;
        snprintf(finding.text, sizeof(finding.text), tr("'%.140s': %s failed with %s, and no line expects that"), step->text,
                 result->call, errno_text(result->ret));
        add(ret_judgement, &finding);
    }
    return 0;
}

void judgement_free(struct judgement *judgement)
{
    free(judgement->list);
    *judgement = (struct judgement){0};
}
