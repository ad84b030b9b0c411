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
#include "lab/wire/wire_queue.h"
#include "tcp/segment.h"

enum {
    FRAME_BYTES_MAX = 65535 + 64,
    DRAIN_MAX = 4096,             /* frames in one go, so that a flood can't keep commands waiting */
    KEPT_BYTES_MAX = 64 << 20,    /* on the way, held or waiting */
    REPORTS_BYTES_MAX = 16 << 20, /* not yet fetched */
    LANES = 2
};

/* One direction. */
struct lane {
    enum wire_from from;
    int in_fd, out_fd;
    int64_t delay_ns, last_due_ns;
    bool cut;
    struct wire_queue flying;  /* sorted by due_ns */
    struct wire_queue waiting; /* to be put behind the next one */
};

struct state {
    struct lane lane[LANES];
    struct wire_rules rules;
    struct router router;
    struct wire_track track;
    struct wire_queue held;
    size_t kept_bytes;
    struct buf reports;
    int command_fd, report_fd, timer_fd;
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void report(struct state *state, const struct wire_frame *frame, enum wire_fate fate)
{
    struct wire_report report;
    memset(&report, 0, sizeof(report));
    report.t_ns = clock_ns(CLOCK_REALTIME);
    report.fate = fate;
    report.from = frame->lane->from;
    report.is_tcp = frame->is_known && frame->header.protocol == IPPROTO_TCP;
    report.header = frame->header;
    memcpy(report.name, frame->name, sizeof(report.name));
    report.rule = frame->rule;
    buf_append(&state->reports, &report, sizeof(report));
}

/* Whole records only: the reader never meets a half one. */
static void flush_reports(struct state *state)
{
    size_t done = 0;
    while (done < state->reports.length &&
           write(state->report_fd, state->reports.data + done, sizeof(struct wire_report)) == (ssize_t)sizeof(struct wire_report))
        done += sizeof(struct wire_report);
    state->reports.length -= done;
    if (done) memmove(state->reports.data, state->reports.data + done, state->reports.length);
}

/* NULL, and reported, when there is no room. */
static struct wire_frame *keep(struct state *state, const struct wire_frame *frame)
{
    size_t bytes = wire_frame_bytes(frame);
    struct wire_frame *kept = state->kept_bytes + bytes <= KEPT_BYTES_MAX ? wire_frame_copy(frame) : NULL;
    if (!kept) {
        report(state, frame, WIRE_OVERFLOWED);
        return NULL;
    }
    state->kept_bytes += bytes;
    return kept;
}

static void discard(struct state *state, struct wire_frame *frame)
{
    state->kept_bytes -= wire_frame_bytes(frame);
    free(frame);
}

static bool put_bytes(struct state *state, const struct wire_frame *frame, const uint8_t *bytes, uint32_t length)
{
    ssize_t sent;
    do sent = send(frame->lane->out_fd, bytes, length, 0);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return true;
    report(state, frame, WIRE_OVERFLOWED);
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

static void fly_in_order(struct state *state, struct wire_frame *frame);

static void leave_router(void *data, bool back, const uint8_t *bytes, uint32_t length)
{
    struct crossing *crossing = data;
    if (!back) {
        crossing->carried &= put_bytes(crossing->state, crossing->frame, bytes, length);
        return;
    }
    struct wire_frame answer = {
        .lane = lane_back(crossing->state, crossing->frame->lane), .bytes = bytes, .length = length, .routed = true};
    if (answer.lane->cut)
        report(crossing->state, &answer, WIRE_CUT_OFF);
    else
        fly_in_order(crossing->state, &answer);
}

/* In the router's name, which has rules of its own. */
static void report_router(struct state *state, const struct wire_frame *frame, enum wire_fate fate, uint32_t rule)
{
    struct wire_frame there = *frame;
    there.rule = rule;
    report(state, &there, fate);
}

/* Onto the other side, through the router if there is one. False: the wire could not carry it. */
static bool put(struct state *state, const struct wire_frame *frame)
{
    static uint8_t bytes[IP_FRAME_BYTES_MAX];
    if (!state->router.on || frame->routed) return put_bytes(state, frame, frame->bytes, frame->length);
    struct crossing crossing = {state, frame, true};
    uint32_t length = frame->length < sizeof(bytes) ? frame->length : sizeof(bytes);
    memcpy(bytes, frame->bytes, length);
    uint32_t rule;
    bool forwarded = router_route(&state->router, frame->lane->from, frame->is_known ? &frame->header : NULL, bytes, length,
                                  leave_router, &crossing, &rule);
    /* A host's multicast ends here in silence, as at every router: nothing was refused. */
    if (rule || (!forwarded && frame->is_known)) report_router(state, frame, forwarded ? WIRE_SKIPPED : WIRE_REFUSED, rule);
    return crossing.carried; /* with what was refused the wire has done its part */
}

static void fly(struct state *state, const struct wire_frame *frame, int64_t due_ns)
{
    struct lane *lane = frame->lane;
    if (due_ns <= clock_ns(CLOCK_MONOTONIC) && (!lane->flying.head || lane->flying.head->due_ns > due_ns)) {
        put(state, frame);
        return;
    }
    struct wire_frame *kept = keep(state, frame);
    if (!kept) return;
    kept->due_ns = due_ns;
    wire_queue_insert(&lane->flying, kept);
}

/* When a frame of this lane is due that keeps its place behind those before it, whatever the delay was for them. */
static int64_t due_in_order(struct lane *lane)
{
    int64_t due_ns = clock_ns(CLOCK_MONOTONIC) + lane->delay_ns;
    if (due_ns < lane->last_due_ns) due_ns = lane->last_due_ns;
    lane->last_due_ns = due_ns;
    return due_ns;
}

static void fly_in_order(struct state *state, struct wire_frame *frame)
{
    fly(state, frame, due_in_order(frame->lane));
}

/* Puts the frames that waited for this one behind it. */
static void let_follow(struct state *state, struct lane *lane, int64_t due_ns)
{
    struct wire_frame *frame;
    while ((frame = wire_queue_take(&lane->waiting))) {
        fly(state, frame, due_ns);
        discard(state, frame);
    }
}

static void carry(struct state *state, struct wire_frame *frame)
{
    struct lane *lane = frame->lane;
    if (lane->cut) {
        report(state, frame, WIRE_CUT_OFF);
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
        report(state, frame, WIRE_DROPPED);
        return;
    case WIRE_HOLD:
        kept = keep(state, frame);
        if (!kept) return;
        wire_queue_append(&state->held, kept);
        report(state, frame, WIRE_HELD);
        return;
    case WIRE_REORDER:
        kept = keep(state, frame);
        if (!kept) return;
        wire_queue_append(&lane->waiting, kept);
        report(state, frame, WIRE_REORDERED);
        return;
    case WIRE_DELAY: /* it keeps no order: what comes behind it may pass */
        due_ns = clock_ns(CLOCK_MONOTONIC) + lane->delay_ns + rule->extra_ns;
        report(state, frame, WIRE_DELAYED);
        break;
    case WIRE_DUPLICATE:
        due_ns = due_in_order(lane);
        report(state, frame, WIRE_DUPLICATED);
        fly(state, frame, due_ns);
        break;
    default:
        due_ns = due_in_order(lane);
        break;
    }
    fly(state, frame, due_ns);
    if (frame->is_known) let_follow(state, lane, due_ns);
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
    carry(state, &frame);
    return true;
}

/* Alternating, so that what one side says is carried before its answer to what the other said later. False: there may be more. */
static bool drain(struct state *state)
{
    static uint8_t bytes[FRAME_BYTES_MAX];
    for (int i = 0; i < DRAIN_MAX; i++) {
        bool any = false;
        for (int side = 0; side < LANES; side++) any |= take_frame(state, &state->lane[side], bytes);
        if (!any) return true;
    }
    return false;
}

static void land(struct state *state)
{
    for (int side = 0; side < LANES; side++) {
        struct lane *lane = &state->lane[side];
        while (lane->flying.head && lane->flying.head->due_ns <= clock_ns(CLOCK_MONOTONIC)) {
            struct wire_frame *frame = wire_queue_take(&lane->flying);
            put(state, frame);
            discard(state, frame);
        }
    }
}

static void set_timer(const struct state *state)
{
    int64_t due_ns = 0; /* none: disarms */
    for (int side = 0; side < LANES; side++) {
        const struct wire_frame *frame = state->lane[side].flying.head;
        if (frame && (!due_ns || frame->due_ns < due_ns)) due_ns = frame->due_ns;
    }
    struct itimerspec when = {.it_value = {due_ns / 1000000000, due_ns % 1000000000}};
    timerfd_settime(state->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void lose(struct state *state, struct wire_queue *queue)
{
    struct wire_frame *frame;
    while ((frame = wire_queue_take(queue))) {
        report(state, frame, WIRE_CUT_OFF);
        discard(state, frame);
    }
}

static void set_cut(struct state *state, unsigned from, bool cut)
{
    for (int side = 0; side < LANES; side++) {
        struct lane *lane = &state->lane[side];
        if (!(lane->from & from)) continue;
        lane->cut = cut;
        if (!cut) continue;
        lose(state, &lane->flying);
        lose(state, &lane->waiting);
    }
}

static bool release_frame(struct state *state, struct wire_frame *frame)
{
    bool arrives = !frame->lane->cut && put(state, frame);
    if (arrives)
        report(state, frame, WIRE_RELEASED);
    else if (frame->lane->cut)
        report(state, frame, WIRE_CUT_OFF);
    discard(state, frame);
    return arrives;
}

static size_t release(struct state *state, const char *name)
{
    struct wire_queue stay = {NULL, NULL};
    struct wire_frame *frame;
    size_t count = 0;
    while ((frame = wire_queue_take(&state->held)))
        if (name && strcmp(frame->name, name) != 0)
            wire_queue_append(&stay, frame);
        else
            count += release_frame(state, frame);
    state->held = stay;
    for (int side = 0; side < LANES && !name; side++)
        while ((frame = wire_queue_take(&state->lane[side].waiting))) count += release_frame(state, frame);
    return count;
}

static int inject(struct state *state, const struct wire_forgery *forgery)
{
    uint8_t bytes[WIRE_FORGED_MAX];
    struct event_packet packet;
    int64_t length = wire_forge(&state->track, forgery, bytes);
    if (length < 0) return (int)length;
    struct wire_frame frame = {
        .lane = &state->lane[forgery->from == WIRE_FROM_SERVER], .bytes = bytes, .length = (uint32_t)length, .is_known = true};
    memset(&packet, 0, sizeof(packet));
    if (segment_decode(DLT_EN10MB, bytes, frame.length, frame.length, &packet) == SEGMENT_OK) frame.header = packet.header;
    if (put(state, &frame)) report(state, &frame, WIRE_INJECTED);
    return 0;
}

/* What the kernel could not keep for this process. */
static void report_losses(struct state *state)
{
    for (int side = 0; side < LANES; side++) {
        struct tpacket_stats stats;
        socklen_t length = sizeof(stats);
        struct wire_frame unknown = {.lane = &state->lane[side]};
        if (getsockopt(unknown.lane->in_fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) < 0) continue;
        for (unsigned i = 0; i < stats.tp_drops; i++) report(state, &unknown, WIRE_OVERFLOWED);
    }
}

static struct wire_reply obey(struct state *state, const struct wire_command *command)
{
    struct wire_reply reply = {0, 0};
    int64_t seen;
    switch (command->order) {
    case WIRE_ORDER_DELAY:
        for (int side = 0; side < LANES; side++)
            if (state->lane[side].from & command->from) state->lane[side].delay_ns = command->delay_ns;
        break;
    case WIRE_ORDER_RULE:
        reply.code = wire_rules_add(&state->rules, &command->rule);
        break;
    case WIRE_ORDER_SEEN:
        seen = wire_rules_seen(&state->rules, command->rule.id);
        if (seen < 0) seen = router_seen(&state->router, command->rule.id);
        if (seen < 0)
            reply.code = (int)seen;
        else
            reply.count = (size_t)seen;
        break;
    case WIRE_ORDER_CLEAR:
        state->rules.count = 0;
        break;
    case WIRE_ORDER_RELEASE:
        reply.count = release(state, command->all ? NULL : command->rule.name);
        break;
    case WIRE_ORDER_ROUTER:
        reply.code = router_obey(&state->router, &command->router);
        break;
    case WIRE_ORDER_CUT:
        set_cut(state, command->from, true);
        break;
    case WIRE_ORDER_MEND:
        set_cut(state, command->from, false);
        break;
    case WIRE_ORDER_INJECT:
        reply.code = inject(state, &command->forgery);
        break;
    case WIRE_ORDER_SETTLE:
        break;
    }
    report_losses(state);
    return reply;
}

/* False: the parent has closed its end. */
static bool take_command(struct state *state)
{
    struct wire_command command;
    ssize_t length = recv(state->command_fd, &command, sizeof(command), MSG_DONTWAIT);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length != (ssize_t)sizeof(command)) return false;
    drain(state); /* what was sent before the command is treated as before it */
    land(state);
    struct wire_reply reply = obey(state, &command);
    flush_reports(state); /* so they can be fetched when the command returns */
    return send(state->command_fd, &reply, sizeof(reply), MSG_NOSIGNAL) == (ssize_t)sizeof(reply);
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
        land(&state);
        bool quiet = drain(&state);
        flush_reports(&state);
        set_timer(&state);
        struct pollfd fds[] = {
            {.fd = state.command_fd, .events = POLLIN},
            {.fd = state.lane[0].in_fd, .events = POLLIN},
            {.fd = state.lane[1].in_fd, .events = POLLIN},
            {.fd = state.timer_fd, .events = POLLIN},
            {.fd = state.reports.length ? state.report_fd : -1, .events = POLLOUT},
        };
        if (poll(fds, sizeof(fds) / sizeof(fds[0]), quiet ? -1 : 0) < 0) continue;
        if (fds[0].revents) more = take_command(&state);
    }
    return more ? 1 : 0;
}
