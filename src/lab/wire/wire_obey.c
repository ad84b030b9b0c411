/* What the wire is told: rules, cuts, releases, forged segments. */
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

static void lose(struct state *state, struct wire_queue *queue)
{
    struct wire_frame *frame;
    while ((frame = wire_queue_take(queue))) {
        wire_report(state, frame, WIRE_CUT_OFF);
        wire_discard(state, frame);
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
    bool arrives = !frame->lane->cut && wire_put(state, frame);
    if (arrives)
        wire_report(state, frame, WIRE_RELEASED);
    else if (frame->lane->cut)
        wire_report(state, frame, WIRE_CUT_OFF);
    wire_discard(state, frame);
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
    if (wire_put(state, &frame)) wire_report(state, &frame, WIRE_INJECTED);
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
        for (unsigned i = 0; i < stats.tp_drops; i++) wire_report(state, &unknown, WIRE_OVERFLOWED);
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
bool wire_take_command(struct state *state)
{
    struct wire_command command;
    ssize_t length = recv(state->command_fd, &command, sizeof(command), MSG_DONTWAIT);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length != (ssize_t)sizeof(command)) return false;
    wire_drain(state); /* what was sent before the command is treated as before it */
    wire_land(state);
    struct wire_reply reply = obey(state, &command);
    wire_flush_reports(state); /* so they can be fetched when the command returns */
    return send(state->command_fd, &reply, sizeof(reply), MSG_NOSIGNAL) == (ssize_t)sizeof(reply);
}
