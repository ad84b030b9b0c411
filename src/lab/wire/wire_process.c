#include "lab/wire/wire_process.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <pcap/dlt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "lab/wire/ip_frame.h"
#include "lab/wire/wire_own.h"
#include "lab/wire/wire_queue.h"
#include "tcp/segment.h"

static int64_t wire_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void wire_report(struct state *state, const struct wire_frame *frame, enum wire_fate fate)
{
    struct wire_report report;
    memset(&report, 0, sizeof(report));
    report.t_ns = wire_clock_ns(CLOCK_REALTIME);
    report.fate = fate;
    report.from = frame->lane->from;
    report.is_tcp = frame->is_known && frame->header.protocol == IPPROTO_TCP;
    report.header = frame->header;
    memcpy(report.name, frame->name, sizeof(report.name));
    report.rule = frame->rule;
    buf_append(&state->reports, &report, sizeof(report));
}

/* Whole records only: the reader never meets a half one. */
void wire_flush_reports(struct state *state)
{
    size_t done = 0;
    while (done < state->reports.length &&
           write(state->report_fd, state->reports.data + done, sizeof(struct wire_report)) == (ssize_t)sizeof(struct wire_report))
        done += sizeof(struct wire_report);
    state->reports.length -= done;
    if (done) memmove(state->reports.data, state->reports.data + done, state->reports.length);
}

/* NULL, and reported, when there is no room. */
static struct wire_frame *wire_keep(struct state *state, const struct wire_frame *frame)
{
    size_t bytes = wire_frame_bytes(frame);
    struct wire_frame *kept = state->kept_bytes + bytes <= KEPT_BYTES_MAX ? wire_frame_copy(frame) : NULL;
    if (!kept) {
        wire_report(state, frame, WIRE_OVERFLOWED);
        return NULL;
    }
    state->kept_bytes += bytes;
    return kept;
}

void wire_discard(struct state *state, struct wire_frame *frame)
{
    state->kept_bytes -= wire_frame_bytes(frame);
    free(frame);
}

static bool wire_put_bytes(struct state *state, const struct wire_frame *frame, const uint8_t *bytes, uint32_t length)
{
    ssize_t sent;
    do sent = send(frame->lane->out_fd, bytes, length, 0);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return true;
    wire_report(state, frame, WIRE_OVERFLOWED);
    return false;
}

/* A frame at the router. */
struct crossing {
    struct state *state;
    const struct wire_frame *frame;
    bool carried; /* all of it that went on */
};

static struct lane *lane_back(struct state *state, const struct lane *lane)
{
    return &state->lane[lane == &state->lane[0]];
}

static void wire_fly_in_order(struct state *state, struct wire_frame *frame);

static void leave_router(void *data, bool back, const uint8_t *bytes, uint32_t length)
{
    struct crossing *crossing = data;
    if (!back) {
        crossing->carried &= wire_put_bytes(crossing->state, crossing->frame, bytes, length);
        return;
    }
    struct wire_frame answer = {
        .lane = lane_back(crossing->state, crossing->frame->lane), .bytes = bytes, .length = length, .routed = true};
    if (answer.lane->cut)
        wire_report(crossing->state, &answer, WIRE_CUT_OFF);
    else
        wire_fly_in_order(crossing->state, &answer);
}

/* In the router's name, which has rules of its own. */
static void wire_report_router(struct state *state, const struct wire_frame *frame, enum wire_fate fate, uint32_t rule)
{
    struct wire_frame there = *frame;
    there.rule = rule;
    wire_report(state, &there, fate);
}

/* Onto the other side, through the router if there is one. False: the wire could not carry it. */
bool wire_put(struct state *state, const struct wire_frame *frame)
{
    static uint8_t bytes[IP_FRAME_BYTES_MAX];
    if (!state->router.on || frame->routed) return wire_put_bytes(state, frame, frame->bytes, frame->length);
    struct crossing crossing = {state, frame, true};
    uint32_t length = frame->length < sizeof(bytes) ? frame->length : sizeof(bytes);
    memcpy(bytes, frame->bytes, length);
    uint32_t rule;
    bool forwarded = router_route(&state->router, frame->lane->from, frame->is_known ? &frame->header : NULL, bytes, length,
                                  leave_router, &crossing, &rule);
    /* A host's multicast ends here in silence, as at every router: nothing was refused. */
    if (rule || (!forwarded && frame->is_known)) wire_report_router(state, frame, forwarded ? WIRE_SKIPPED : WIRE_REFUSED, rule);
    return crossing.carried; /* with what was refused the wire has done its part */
}

static void wire_fly(struct state *state, const struct wire_frame *frame, int64_t due_ns)
{
    struct lane *lane = frame->lane;
    if (due_ns <= wire_clock_ns(CLOCK_MONOTONIC) && (!lane->flying.head || lane->flying.head->due_ns > due_ns)) {
        wire_put(state, frame);
        return;
    }
    struct wire_frame *kept = wire_keep(state, frame);
    if (!kept) return;
    kept->due_ns = due_ns;
    wire_queue_insert(&lane->flying, kept);
}

/* When a frame of this lane is due that keeps its place behind those before it, whatever the delay was for them. */
static int64_t wire_due_in_order(struct lane *lane)
{
    int64_t due_ns = wire_clock_ns(CLOCK_MONOTONIC) + lane->delay_ns;
    if (due_ns < lane->last_due_ns) due_ns = lane->last_due_ns;
    lane->last_due_ns = due_ns;
    return due_ns;
}

static void wire_fly_in_order(struct state *state, struct wire_frame *frame)
{
    wire_fly(state, frame, wire_due_in_order(frame->lane));
}

/* Puts the frames that waited for this one behind it. */
static void wire_let_follow(struct state *state, struct lane *lane, int64_t due_ns)
{
    struct wire_frame *frame;
    while ((frame = wire_queue_take(&lane->waiting))) {
        wire_fly(state, frame, due_ns);
        wire_discard(state, frame);
    }
}

/* Its last bit, which is the payload's, is another; its checksum stays. */
static void wire_corrupt(struct wire_frame *frame)
{
    static uint8_t bytes[FRAME_BYTES_MAX];
    if (!frame->header.length_bytes) return;
    memcpy(bytes, frame->bytes, frame->length);
    bytes[frame->length - 1] ^= 1;
    frame->bytes = bytes;
}

static void wire_carry(struct state *state, struct wire_frame *frame)
{
    struct lane *lane = frame->lane;
    if (lane->cut) {
        wire_report(state, frame, WIRE_CUT_OFF);
        return;
    }
    const struct wire_rule *rule = frame->is_known ? wire_rules_take(&state->rules, lane->from, &frame->header) : NULL;
    enum wire_action action = rule ? rule->action : WIRE_PASS;
    if (rule) {
        memcpy(frame->name, rule->name, sizeof(frame->name));
        frame->rule = rule->id;
    }
    if (action == WIRE_REORDER && lane->waiting.head) action = WIRE_PASS; /* it is the next one, for which another waits */
    struct wire_frame *kept;
    int64_t due_ns;
    switch (action) {
    case WIRE_DROP:
        wire_report(state, frame, WIRE_DROPPED);
        return;
    case WIRE_HOLD:
        kept = wire_keep(state, frame);
        if (!kept) return;
        wire_queue_append(&state->held, kept);
        wire_report(state, frame, WIRE_HELD);
        return;
    case WIRE_REORDER:
        kept = wire_keep(state, frame);
        if (!kept) return;
        wire_queue_append(&lane->waiting, kept);
        wire_report(state, frame, WIRE_REORDERED);
        return;
    case WIRE_DELAY: /* it keeps no order: what comes behind it may pass */
        due_ns = wire_clock_ns(CLOCK_MONOTONIC) + lane->delay_ns + rule->extra_ns;
        wire_report(state, frame, WIRE_DELAYED);
        break;
    case WIRE_DUPLICATE:
        due_ns = wire_due_in_order(lane);
        wire_report(state, frame, WIRE_DUPLICATED);
        wire_fly(state, frame, due_ns);
        break;
    case WIRE_CORRUPT:
        wire_corrupt(frame);
        due_ns = wire_due_in_order(lane);
        wire_report(state, frame, WIRE_CORRUPTED);
        break;
    default:
        due_ns = wire_due_in_order(lane);
        break;
    }
    wire_fly(state, frame, due_ns);
    if (frame->is_known) wire_let_follow(state, lane, due_ns);
}

/* The next frame of a side; false: none. */
static bool take_frame(struct state *state, struct lane *lane, uint8_t *bytes)
{
    ssize_t length = recv(lane->in_fd, bytes, FRAME_BYTES_MAX, 0);
    if (length < 0) return errno == EINTR;
    struct event_packet packet;
    memset(&packet, 0, sizeof(packet));
    struct wire_frame frame = {.lane = lane, .bytes = bytes, .length = (uint32_t)length};
    if (segment_decode(DLT_EN10MB, bytes, frame.length, frame.length, &packet) == SEGMENT_OK) {
        frame.is_known = packet.header.protocol == IPPROTO_TCP || packet.header.protocol == IPPROTO_UDP;
        if (frame.is_known) frame.header = packet.header;
        if (packet.header.protocol == IPPROTO_TCP)
            wire_track_take(&state->track, lane->from == WIRE_FROM_SERVER, &packet, bytes, frame.length);
    }
    wire_carry(state, &frame);
    return true;
}

/* Alternating, so that what one side says is carried before its answer to what the other said later. False: there may be more. */
bool wire_drain(struct state *state)
{
    static uint8_t bytes[FRAME_BYTES_MAX];
    for (int i = 0; i < DRAIN_MAX; i++) {
        bool any = false;
        for (int side = 0; side < LANES; side++) any |= take_frame(state, &state->lane[side], bytes);
        if (!any) return true;
    }
    return false;
}

void wire_land(struct state *state)
{
    for (int side = 0; side < LANES; side++) {
        struct lane *lane = &state->lane[side];
        while (lane->flying.head && lane->flying.head->due_ns <= wire_clock_ns(CLOCK_MONOTONIC)) {
            struct wire_frame *frame = wire_queue_take(&lane->flying);
            wire_put(state, frame);
            wire_discard(state, frame);
        }
    }
}

static void wire_set_timer(const struct state *state)
{
    int64_t due_ns = 0; /* none: disarms */
    for (int side = 0; side < LANES; side++) {
        const struct wire_frame *frame = state->lane[side].flying.head;
        if (frame && (!due_ns || frame->due_ns < due_ns)) due_ns = frame->due_ns;
    }
    struct itimerspec when = {.it_value = {due_ns / 1000000000, due_ns % 1000000000}};
    timerfd_settime(state->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

int wire_process_run(const struct wire_ends *ends)
{
    static struct state state; /* too large for a stack; the process has one */
    for (int side = 0; side < LANES; side++) {
        state.lane[side].from = side == 0 ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER;
        state.lane[side].in_fd = ends->side_fd[side];
        state.lane[side].out_fd = ends->side_fd[!side];
    }
    state.reports = buf_new(REPORTS_BYTES_MAX);
    state.command_fd = ends->command_fd;
    state.report_fd = ends->report_fd;
    state.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (state.timer_fd < 0) return 1;
    bool more = true;
    while (more && !state.reports.failed) {
        wire_land(&state);
        bool quiet = wire_drain(&state);
        wire_flush_reports(&state);
        wire_set_timer(&state);
        struct pollfd fds[] = {
            {.fd = state.command_fd, .events = POLLIN},
            {.fd = state.lane[0].in_fd, .events = POLLIN},
            {.fd = state.lane[1].in_fd, .events = POLLIN},
            {.fd = state.timer_fd, .events = POLLIN},
            {.fd = state.reports.length ? state.report_fd : -1, .events = POLLOUT},
        };
        if (poll(fds, sizeof(fds) / sizeof(fds[0]), quiet ? -1 : 0) < 0) continue;
        if (fds[0].revents) more = wire_take_command(&state);
    }
    return more ? 1 : 0;
}
