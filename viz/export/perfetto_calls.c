/* Calls as slices on the tracks of their threads; what a call slept as a slice inside it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/export/perfetto_own.h"
#include "viz/plan/words.h"

enum { THREADS_MAX = 64, NAME_BYTES = 160 };

static int32_t thread_of(const struct story_call *call)
{
    return call->tid ? call->tid : call->pid;
}

int perfetto_choose_calls(struct perfetto_telling *telling)
{
    for (size_t i = 0; i < telling->plan.call_count; i++) {
        const struct story_call *call = telling->plan.calls[i].call;
        struct perfetto_call_key key;
        memset(&key, 0, sizeof(key));
        key.tid = thread_of(call);
        key.fd = call->fd;
        key.enter_ns = call->enter_ns;
        key.exit_ns = call->exit_ns;
        telling->is_new[i] = !key.tid || !table_get(telling->view->calls, &key);
        if (telling->is_new[i] && key.tid && table_put(telling->view->calls, &key, telling->view)) return -ENOMEM;
        if (!telling->is_new[i] || !(call->enter_ns || call->exit_ns)) continue;
        if (call->enter_step < telling->story->step_count) telling->told[call->enter_step] = true;
        if (call->exit_step < telling->story->step_count) telling->told[call->exit_step] = true;
    }
    return 0;
}

/* Which thread is inside a call until when, as far as this story shows it. */
struct busy {
    struct {
        int32_t tid;
        int64_t until_ns;
    } threads[THREADS_MAX];
    size_t next;
};

/* Whether the thread was inside another call when this one began: io_uring's operations can be, and a slice must not overlap. */
static bool overlaps(struct busy *busy, const struct story_call *call)
{
    int32_t tid = thread_of(call);
    int64_t until = call->exit_ns ? call->exit_ns : INT64_MAX;
    if (!strncmp(call->name, "io_uring", 8)) return true;
    for (size_t i = 0; i < THREADS_MAX; i++) {
        if (busy->threads[i].tid != tid || !tid) continue;
        if (call->enter_ns < busy->threads[i].until_ns) return true;
        busy->threads[i].until_ns = until;
        return false;
    }
    busy->threads[busy->next].tid = tid;
    busy->threads[busy->next].until_ns = until;
    busy->next = (busy->next + 1) % THREADS_MAX;
    return false;
}

/* The track of the call's thread, announced once with its process. */
static uint64_t announce(struct perfetto_view *view, struct perfetto *perfetto, const struct story_call *call)
{
    uint64_t process = PERFETTO_TRACK_PROCESS | (uint32_t)call->pid;
    uint64_t thread = PERFETTO_TRACK_THREAD | (uint32_t)thread_of(call);
    struct perfetto_call_key key;
    memset(&key, 0, sizeof(key));
    key.tid = thread_of(call);
    key.fd = call->pid;
    key.enter_ns = key.exit_ns = INT64_MIN; /* no call's */
    if (table_get(view->calls, &key)) return thread;
    (void)table_put(view->calls, &key, view); /* else it is announced again, which does no harm */
    perfetto_process(perfetto, process, call->pid, call->comm);
    perfetto_thread(perfetto, thread, process, call->pid, thread_of(call), call->comm);
    return thread;
}

static uint64_t track_of(struct perfetto_telling *telling, const struct story_call *call, struct busy *busy)
{
    static const char *const unknown[] = {"calls of a process that is not known (client)",
                                          "calls of a process that is not known (server)"};
    bool beside = overlaps(busy, call);
    uint64_t thread = telling->tracks + PLACE_CALLS + call->side;
    if (call->pid)
        thread = announce(telling->view, &telling->perfetto, call);
    else
        perfetto_group(&telling->perfetto, thread, telling->tracks + PLACE_END + call->side, 0, unknown[call->side]);
    if (!beside) return thread;
    uint64_t track = PERFETTO_TRACK_OVERLAP | telling->view->overlaps++;
    perfetto_group(&telling->perfetto, track, thread, 1, "at the same time");
    return track;
}

static void put_result(struct perfetto *perfetto, const struct story_call *call)
{
    if (call->args) perfetto_text(perfetto, "arguments", call->args);
    if (call->fd >= 0) perfetto_number(perfetto, "fd", call->fd);
    if (call->listener) perfetto_yes(perfetto, "of the listening socket");
    if (call->interrupted) perfetto_yes(perfetto, "interrupted by a signal");
    if (call->exit_ns && !call->interrupted) perfetto_number(perfetto, "returned", call->ret);
    if (!call->exit_ns) perfetto_text(perfetto, "returned", "not before the recording ended");
    if (call->exit_ns && call->errno_name) perfetto_text(perfetto, "errno", call->errno_name);
    if (call->slept_ns >= 0) perfetto_number(perfetto, "slept_ns", call->slept_ns);
    if (!call->waits || !call->wake.why || !call->wake.why[0]) return;
    perfetto_text(perfetto, "waited", call->wake.why);
    perfetto_text(perfetto, "waited_evidence", story_evidence_name(call->wake.evidence));
}

/* "waits for SYN-ACK" */
static const char *name_sleep(const struct story *story, const struct story_wake *wake, char name[NAME_BYTES])
{
    const struct story_step *by = wake->step < story->step_count ? &story->steps[wake->step] : NULL;
    if (wake->kind == WAKE_SEGMENT && by && by->kind == STEP_SEGMENT)
        snprintf(name, NAME_BYTES, "waits for %s", by->segment->label);
    else if (wake->kind == WAKE_SEGMENT && by && by->kind == STEP_DATAGRAM)
        snprintf(name, NAME_BYTES, "waits for %s", by->datagram->icmp ? "ICMP error" : "datagram");
    else if (wake->kind == WAKE_CALL && by && (by->kind == STEP_ENTER || by->kind == STEP_EXIT))
        snprintf(name, NAME_BYTES, "waits for %s() of another thread", by->call->name);
    else if (wake->kind == WAKE_TIMER)
        snprintf(name, NAME_BYTES, "waits until its timeout");
    else if (wake->kind == WAKE_SIGNAL)
        snprintf(name, NAME_BYTES, "waits until a signal");
    else
        snprintf(name, NAME_BYTES, "waits (for what is not known)");
    return name;
}

static void put_sleep(struct perfetto_telling *telling, const struct plan_call *at, uint64_t track)
{
    char name[NAME_BYTES];
    const struct story_call *call = at->call;
    if (at->sleep_to_ns <= at->sleep_from_ns || at->sleep_from_ns < call->enter_ns || at->sleep_to_ns > call->exit_ns) return;
    perfetto_event(&telling->perfetto, PERFETTO_BEGIN, track, at->sleep_from_ns, name_sleep(telling->story, &call->wake, name));
    perfetto_category(&telling->perfetto, "sleep");
    perfetto_event_end(&telling->perfetto);
    perfetto_slice_end(&telling->perfetto, track, at->sleep_to_ns);
}

/* Where the arrow of what woke it ends. */
static void put_wake(struct perfetto_telling *telling, const struct story_call *call, uint64_t track)
{
    if (call->exit_step >= telling->story->step_count || telling->flows.into[call->exit_step] == FLOW_NONE) return;
    struct arena arena = arena_new();
    struct phrase words = phrase_new(&arena);
    words_step(&words, STYLE_PLAIN, telling->story, call->wake.step);
    char name[NAME_BYTES] = "woken by ";
    for (size_t i = 0; i < words.count; i++) strncat(name, words.runs[i].text, sizeof(name) - strlen(name) - 1);
    arena_free(&arena);
    perfetto_event(&telling->perfetto, PERFETTO_INSTANT, track, call->exit_ns,
                   call->wake.kind == WAKE_NEVER_SLEPT ? "it was there already" : name);
    perfetto_category(&telling->perfetto, "wake");
    perfetto_put_flows(telling, call->exit_step, true, false);
    perfetto_event_end(&telling->perfetto);
}

static void tell_call(struct perfetto_telling *telling, const struct plan_call *at, struct busy *busy)
{
    char name[NAME_BYTES];
    const struct story_call *call = at->call;
    struct perfetto *perfetto = &telling->perfetto;
    uint64_t track = track_of(telling, call, busy);
    bool begun = call->enter_ns != 0;
    snprintf(name, sizeof(name), "%s()%s", call->name, begun ? "" : " returned; it began before the recording");
    int64_t from = begun ? call->enter_ns : call->exit_ns;
    if (!begun && !call->exit_ns) return; /* nothing is known of when */
    uint32_t step = flows_step(telling->story, begun ? call->enter_step : call->exit_step);
    perfetto_event(perfetto, begun ? PERFETTO_BEGIN : PERFETTO_INSTANT, track, perfetto_at(telling->view, from), name);
    perfetto_category(perfetto, "call");
    put_result(perfetto, call);
    if (step != STORY_NO_STEP) perfetto_put_flows(telling, step, !begun, true);
    perfetto_event_end(perfetto);
    if (!begun || !call->exit_ns) return;
    put_sleep(telling, at, track);
    put_wake(telling, call, track);
    perfetto_slice_end(perfetto, track, perfetto_at(telling->view, call->exit_ns > from ? call->exit_ns : from));
}

void perfetto_tell_calls(struct perfetto_telling *telling)
{
    struct busy busy = {0};
    for (size_t i = 0; i < telling->plan.call_count; i++)
        if (telling->is_new[i]) tell_call(telling, &telling->plan.calls[i], &busy);
}

void perfetto_tell_apart(struct perfetto_view *view, struct perfetto *perfetto, const struct story_call *call, const char *why)
{
    char name[NAME_BYTES];
    if (!call->pid || !call->enter_ns) return;
    uint64_t track = announce(view, perfetto, call);
    snprintf(name, sizeof(name), "%s()", call->name);
    perfetto_event(perfetto, PERFETTO_BEGIN, track, perfetto_at(view, call->enter_ns), name);
    perfetto_category(perfetto, "call");
    put_result(perfetto, call);
    if (why) perfetto_text(perfetto, "why", why);
    perfetto_event_end(perfetto);
    if (call->exit_ns) perfetto_slice_end(perfetto, track, perfetto_at(view, call->exit_ns));
}
