#include "play/stage/play.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "play/stage/cast.h"
#include "play/stage/stage.h"
#include "record/loop.h"
#include "rights/rights.h"

/* How long to wait for what should take no time, and for what may still come at the end. The delayed ACK takes 40 ms
 * (TCP_DELACK_MIN), the first retransmission 200 ms (TCP_RTO_MIN). */
enum { STEP_MS = 20, SHORT_STEP_MS = 1, READY_MS = 5000, ASLEEP_MS = 1000, QUIET_MS = 60, REST_MS = 1500, FINAL_MS = 10 };

struct play {
    const struct scenario *scenario;
    struct play_step *steps;
    pid_t pids[SCENARIO_ACTORS_MAX];
    char recorder[16];
    int signal;
    struct session *session; /* kept for its log */
    /* while it runs */
    const struct play_options *options;
    struct stage *stage;
    struct cast *cast;
    struct loop loop;
    size_t at;       /* the step that is being done */
    size_t fault_at; /* with `fault`: the step that makes no sense now, although it might have */
    char fault[sizeof(((struct actor_report *)0)->fault)];
    int64_t delay_ns;               /* of the wire, the longer direction */
    uint64_t seen[2][WIRE_MATCHES]; /* segments captured at their sender, by host and kind */
};

/* ---- the loop ---- */

/* Counts what leaves each host, for `wait for`, as it is captured. A host's capture sees what it sends and what it receives: who
 * sends has the host's address, or, on a shared loopback, everything is seen once. */
static int count_segment(void *data, const struct event *event)
{
    struct play *play = data;
    int host = event->kind == EVENT_PACKET ? stage_sender(play->stage, &event->packet) : -1;
    for (int match = 0; match < WIRE_MATCHES && host >= 0; match++)
        play->seen[host][match] += wire_matches((enum wire_match)match, &event->packet.header);
    return 0;
}

/* The steps that actors have finished. */
static void note_done(struct play *play)
{
    for (size_t i = 0; i < play->scenario->actor_count; i++) {
        struct actor_report report;
        size_t index;
        bool done = cast_done(play->cast, i, &index, &report);
        struct play_step *step = &play->steps[index];
        if (cast_pid(play->cast, i)) play->pids[i] = cast_pid(play->cast, i);
        if (step->state != PLAY_RUNNING || play->scenario->steps[index].actor != i) continue;
        if (!done && cast_state(play->cast, i) != CAST_GONE) continue;
        step->ended_ns = clock_wall_ns();
        step->state = done ? PLAY_ENDED : PLAY_KILLED;
        if (!done) {
            if (play->scenario->steps[index].verb == SCENARIO_EXIT) step->state = PLAY_ENDED;
            continue;
        }
        step->ret = report.ret;
        memcpy(step->call, report.call, sizeof(step->call));
        if (report.fault[0] && !play->fault[0]) {
            play->fault_at = index;
            memcpy(play->fault, report.fault, sizeof(play->fault));
        }
    }
}

static int look(void *data, struct err *err)
{
    struct play *play = data;
    int code = play->cast ? cast_look(play->cast, err) : 0;
    if (play->cast) note_done(play);
    return code ? code : stage_look(play->stage, err);
}

static bool never(void *data, size_t argument)
{
    (void)data, (void)argument;
    return false;
}
static bool is_ready(void *data, size_t actor)
{
    struct play *play = data;
    enum cast_state state = cast_state(play->cast, actor);
    return state != CAST_ABSENT && state != CAST_COMING;
}
/* It has nothing to do, or never will again. */
static bool is_free(void *data, size_t actor)
{
    struct play *play = data;
    enum cast_state state = cast_state(play->cast, actor);
    return state == CAST_IDLE || state == CAST_GONE;
}
static bool is_under_way(void *data, size_t actor)
{
    struct play *play = data;
    return is_free(play, actor) || cast_sleeps(play->cast, actor);
}
static bool is_gone(void *data, size_t actor)
{
    struct play *play = data;
    return cast_state(play->cast, actor) == CAST_GONE;
}
static bool was_sent(void *data, size_t index)
{
    struct play *play = data;
    const struct scenario_match *match = &play->scenario->steps[index].match;
    return play->seen[match->from][match->segment] >= match->nth;
}

/* ---- steps ---- */

static int fault(const struct play *play, size_t index, struct err *err, const char *what)
{
    const struct scenario_step *step = &play->scenario->steps[index];
    return err_set(err, -ECANCELED, "line %u, '%s': %s", step->line, step->text, what);
}

static int fault_err(const struct play *play, size_t index, struct err *err)
{
    struct err why = *err;
    return fault(play, index, err, why.text);
}

static int wait_for_actor(struct play *play, size_t index, bool runs_on, struct err *err)
{
    const struct scenario_step *step = &play->scenario->steps[index];
    bool leaves = step->verb == SCENARIO_EXIT || step->verb == SCENARIO_KILL;
    int code = runs_on ? loop_until(&play->loop, is_under_way, step->actor, ASLEEP_MS, SHORT_STEP_MS, err)
                       : loop_until(&play->loop, leaves ? is_gone : is_free, step->actor, -1, STEP_MS, err);
    if (code < 0) return code;
    if (step->verb == SCENARIO_FORK && play->steps[index].ret > 0) {
        int child = scenario_find_actor(play->scenario, step->name);
        code = loop_until(&play->loop, is_ready, (size_t)child, -1, STEP_MS, err);
    }
    return code < 0 ? code : 0;
}

static int do_actor_step(struct play *play, size_t index, struct err *err)
{
    const struct scenario_step *step = &play->scenario->steps[index];
    struct actor_command command;
    int code = loop_until(&play->loop, is_free, step->actor, -1, STEP_MS, err); /* what still runs on comes first */
    if (code) return code;
    if (cast_state(play->cast, step->actor) == CAST_GONE) return fault(play, index, err, tr("this actor has ended"));
    actor_command_from(step, &command);
    stage_addresses(play->stage, step, &command.v4, &command.v6);
    play->steps[index] = (struct play_step){.state = PLAY_RUNNING, .begun_ns = clock_wall_ns()};
    code = cast_tell(play->cast, step->actor, index, &command, err);
    return code ? code : wait_for_actor(play, index, step->runs_on, err);
}

static int do_step(struct play *play, size_t index, struct err *err)
{
    const struct scenario_step *step = &play->scenario->steps[index];
    struct play_step *result = &play->steps[index];
    int code;
    play->at = index;
    if (session_signal(play->session, NULL)) return -EINTR;
    if (step->verb < SCENARIO_ACTOR_VERBS) return do_actor_step(play, index, err);
    *result = (struct play_step){.state = PLAY_RUNNING, .begun_ns = clock_wall_ns()};
    switch (step->verb) {
    case SCENARIO_DONE:
        code = wait_for_actor(play, index, false, err);
        break;
    case SCENARIO_KILL:
        code = cast_kill(play->cast, step->actor, (int)step->number, err);
        /* A signal that does not end it is sent all the same. */
        if (!code)
            code = loop_until(&play->loop, is_gone, step->actor, step->number == SIGKILL ? -1 : QUIET_MS, SHORT_STEP_MS, err);
        break;
    case SCENARIO_WAIT:
        code = loop_until(&play->loop, never, 0, step->duration_ns / 1000000, STEP_MS, err);
        break;
    case SCENARIO_WAIT_FOR:
        code = loop_until(&play->loop, was_sent, index, -1, STEP_MS, err);
        break;
    case SCENARIO_TELL:
        code = 0;
        break;
    default:
        if (step->verb == SCENARIO_WIRE_DELAY && step->duration_ns > play->delay_ns) play->delay_ns = step->duration_ns;
        code = stage_do(play->stage, step, play->scenario->actors[step->actor].host, err);
        if (code) code = fault_err(play, index, err);
    }
    if (code > 0) code = 0;
    if (!code) result->state = PLAY_ENDED, result->ended_ns = clock_wall_ns();
    return code;
}

/* ---- beginning and end ---- */

static int listen_to(struct play *play, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return fd < 0 || epoll_ctl(play->loop.fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int bring_on(struct play *play, struct err *err)
{
    struct network *network = stage_network(play->stage);
    int code = cast_open(&play->cast, play->session, network, play->scenario, err);
    if (!code) code = listen_to(play, cast_fd(play->cast));
    for (size_t i = 0; i < 2 && !code; i++) {
        code = loop_until(&play->loop, is_ready, i, READY_MS, STEP_MS, err);
        if (!code && is_gone(play, i)) code = err_set(err, -ECHILD, "the %s ended before it began", play->scenario->actors[i].name);
        if (code > 0) code = err_set(err, -ECHILD, "the %s was not ready after %d ms", play->scenario->actors[i].name, READY_MS);
    }
    return code;
}

static bool is_restless(void *data)
{
    struct play *play = data;
    return stage_is_restless(play->stage);
}

/* Segments may come after the last step: FINs, their ACKs, retransmissions. TIME_WAIT itself is not sat out. */
static int come_to_rest(struct play *play, struct err *err)
{
    int64_t way_ms = play->delay_ns * 2 / 1000000;
    int code = loop_rest(&play->loop, QUIET_MS + way_ms, REST_MS + way_ms, is_restless, err);
    return code > 0 ? 0 : code;
}

/* What a call that sleeps waits for. */
static const char *waits_for(const struct scenario_step *step)
{
    switch (step->verb) {
    case SCENARIO_CONNECT:
        return tr("connect() waits for the answer to its SYN");
    case SCENARIO_ACCEPT:
        return tr("accept() waits for a connection whose handshake is complete");
    case SCENARIO_SEND:
        return tr("send() waits for room in the send buffer: the other side does not read");
    case SCENARIO_RECV:
        return step->until_end ? tr("recv() waits for the other side's FIN") : tr("recv() waits for data or the other side's FIN");
    case SCENARIO_CLOSE:
        return tr("close() waits (SO_LINGER) until its FIN is acknowledged");
    case SCENARIO_POLL:
        return step->number == SCENARIO_READ ? tr("poll() waits for something to read") : tr("poll() waits until it may write");
    case SCENARIO_WAIT_FOR:
        return tr("no such segment was sent");
    case SCENARIO_WAIT:
        return tr("the wait was not over");
    default:
        return tr("it was not done");
    }
}

static int time_is_up(const struct play *play, struct err *err)
{
    const struct scenario_step *step = &play->scenario->steps[play->at];
    const struct scenario_step *blocks = step;
    /* A step that waits for its actor waits for what that one is at. */
    for (size_t i = 0; i < play->scenario->step_count; i++)
        if (i != play->at && play->steps[i].state == PLAY_RUNNING && play->scenario->steps[i].actor == step->actor &&
            (step->verb < SCENARIO_ACTOR_VERBS || step->verb == SCENARIO_DONE) &&
            play->scenario->steps[i].verb < SCENARIO_ACTOR_VERBS)
            blocks = &play->scenario->steps[i];
    char through[160] = "";
    if (blocks != step) snprintf(through, sizeof(through), tr(" for line %u, '%.100s'"), blocks->line, blocks->text);
    return err_set(err, -ETIMEDOUT, "the limit of %" PRId64 " ms came while line %u, '%s', waited%s: %s",
                   play->scenario->limit_ns / 1000000, step->line, step->text, through, waits_for(blocks));
}

static int act_all(struct play *play, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < play->scenario->step_count && !code; i++) {
        code = do_step(play, i, err);
        if (!code && play->fault[0]) code = fault(play, play->fault_at, err, play->fault);
    }
    if (code == -ETIMEDOUT) time_is_up(play, err);
    int rest = code == -EINTR ? 0 : come_to_rest(play, code ? &(struct err){""} : err);
    return code ? code : rest;
}

static int ask_for_rules(struct play *play, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < play->scenario->step_count && !code; i++) {
        struct play_step *step = &play->steps[i];
        if (scenario_is_rule(&play->scenario->steps[i]) && step->state == PLAY_ENDED)
            code = stage_rule(play->stage, i, &step->acted, &step->seen, err);
    }
    return code;
}

/* Failures of the stage are no play at all; those of the play itself leave a story. */
static int perform(struct play *play, struct err *err)
{
    play->loop = (struct loop){.session = play->session, .fd = epoll_create1(EPOLL_CLOEXEC), .look = look, .data = play};
    int code = play->loop.fd < 0 ? -errno : listen_to(play, stage_fd(play->stage));
    if (!code) code = stream_tap_arrivals(session_stream(play->session), count_segment, play);
    if (code) return err_set_errno(err, code, "can't set the stage (epoll)");
    play->loop.deadline_ms = clock_ms() + 2 * (int64_t)READY_MS;
    code = bring_on(play, err);
    /* What the steps may still do to the two hosts, and the recorder to their processes. */
    bool traces = !strcmp(session_recorder(play->session), "ptrace");
    if (!code) code = rights_drop(RIGHTS_STAGE | RIGHTS_SIGNAL | (traces ? RIGHTS_TRACE : 0), err);
    if (!code) {
        play->loop.deadline_ms = clock_ms() + play->scenario->limit_ns / 1000000;
        code = act_all(play, err);
        if (code && code != -ETIMEDOUT && code != -EINTR) code = -ECANCELED;
    }
    struct err late_err = {""};
    int late = code == -EINTR ? 0 : ask_for_rules(play, &late_err);
    if (!late) late = session_report(play->session, &late_err);
    if (!code && late) code = -ECANCELED, *err = late_err;
    play->signal = session_signal(play->session, NULL);
    if (play->signal && code != -EINTR) code = -EINTR; /* it came while the rest was waited for */
    if (code == -EINTR) err_set(err, code, "interrupted");
    return code;
}

int play_run(const struct scenario *scenario, const struct play_options *options, struct play **ret_play, struct err *err)
{
    struct play *play = calloc(1, sizeof(*play));
    if (play) play->steps = calloc(scenario->step_count + 1, sizeof(*play->steps));
    if (!play || !play->steps) {
        free(play);
        return err_set_errno(err, -ENOMEM, "can't play the scenario");
    }
    play->scenario = scenario;
    play->options = options;
    play->loop.fd = -1;
    play->delay_ns = scenario->place == SCENARIO_WIRE ? SCENARIO_WAY_NS : 0;
    int code = stage_open(&play->stage, scenario, options, &play->session, err);
    if (!code) {
        code = perform(play, err);
        if (code == -EINTR) play->signal = session_signal(play->session, NULL); /* it may have come before the first step */
        snprintf(play->recorder, sizeof(play->recorder), "%s", session_recorder(play->session));
        session_give_signals_back(play->session);
        event_log_sort(session_log(play->session));
    }
    cast_close(play->cast);
    play->cast = NULL;
    stage_close(play->stage);
    play->stage = NULL;
    if (play->loop.fd >= 0) close(play->loop.fd);
    if (code && code != -ETIMEDOUT && code != -EINTR && code != -ECANCELED)
        play_close(play);
    else
        *ret_play = play;
    return code;
}

const struct play_step *play_steps(const struct play *play)
{
    return play->steps;
}

pid_t play_pid(const struct play *play, size_t actor)
{
    return play->pids[actor];
}

const char *play_recorder(const struct play *play)
{
    return play->recorder;
}

int play_signal(const struct play *play)
{
    return play->signal;
}

struct event_log *play_log(struct play *play)
{
    return session_log(play->session);
}

void play_close(struct play *play)
{
    if (!play) return;
    session_close(play->session);
    free(play->steps);
    free(play);
}
