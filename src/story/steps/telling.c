/* What the telling is asked by all who look things up in it. */
#include "story/steps/telling.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/lang.h"

uint32_t telling_call_step(const struct tale_call *call)
{
    return call->story->enter_step != STORY_NO_STEP ? call->story->enter_step : call->story->exit_step;
}

struct tale_call *telling_find_call(const struct telling *telling, const struct call *call)
{
    if (!call || call->place >= telling->call_count || telling->calls[call->place].call != call) return NULL;
    return &telling->calls[call->place];
}

const struct tale_packet *telling_first_syn_ack(const struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->segment && packet->segment->kind == STORY_SYN_ACK) return packet;
    }
    return NULL;
}

const char *telling_printf(struct telling *telling, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), tr(format), args);
    va_end(args);
    const char *kept = arena_text(telling->arena, text);
    if (!kept) telling->failed = true;
    return kept ? kept : "";
}

const char *telling_call_text(struct telling *telling, const struct tale_call *call)
{
    const struct story_call *c = call->story;
    if (c->fd < 0)
        return c->comm[0] ? telling_printf(telling, "%s() of %s", c->name, c->comm) : telling_printf(telling, "%s()", c->name);
    return c->comm[0] ? telling_printf(telling, "%s(%d) of %s", c->name, c->fd, c->comm)
                      : telling_printf(telling, "%s(%d)", c->name, c->fd);
}

int64_t telling_option(const struct telling *telling, enum story_side side, int level, int option, uint32_t *ret_step)
{
    int64_t value = -1;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (tale->story->side != side || !(tale->call->traits & CALL_SETS_OPTION) || !tale->call->exited || tale->call->ret)
            continue;
        if (tale->call->level != level || tale->call->how != option) continue;
        value = tale->call->value[0];
        if (ret_step) *ret_step = tale->story->exit_step;
    }
    return value;
}

bool telling_sets_no_timeout(const struct telling *telling, enum story_side side)
{
    static const int options[] = {SO_RCVTIMEO, SO_SNDTIMEO, 66, 67}; /* SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW */
    bool made = false;
    for (size_t i = 0; i < telling->call_count && !made; i++)
        made = telling->calls[i].story->side == side && telling->calls[i].call->traits & CALL_MAKES_SOCKET;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && made; i++)
        made = telling_option(telling, side, SOL_SOCKET, options[i], NULL) < 0;
    return made;
}

static bool same_header(const struct event_packet_header *a, const struct event_packet_header *b)
{
    return flow_covers(a, b) && flow_covers(b, a);
}

size_t telling_sent_by(const struct telling *telling, int64_t at_ns)
{
    size_t from = 0, to = telling->packet_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (telling->packets[middle].sent_ns <= at_ns)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct tale_packet *telling_find_packet(const struct telling *telling, const struct event_packet_header *header, int64_t before_ns)
{
    struct tale_packet *arrived = NULL, *sent = NULL;
    for (size_t i = telling_sent_by(telling, before_ns); i-- > 0;) {
        struct tale_packet *packet = &telling->packets[i];
        const struct event_packet_header *own = &packet->seen->packet.header;
        /* An equal that was sent before this can't have arrived later. */
        if (arrived && arrived->received_ns - packet->sent_ns > telling->longest_flight_ns) break;
        if (sent && !telling->longest_flight_ns) break;
        if (telling_is_lost(telling, packet)) continue;
        /* GRO may hand the receiver several segments as one: the newest part of it stands for the whole. */
        if (!same_header(own, header) && !(own->protocol == IPPROTO_TCP && flow_covers(header, own))) continue;
        if (!sent) sent = packet;
        /* Of equals (sent again, or doubled on the way) it is the one that came last, however the way changed their order. */
        if (!packet->received_ns || packet->received_ns > before_ns) continue;
        if (!arrived || packet->received_ns > arrived->received_ns) arrived = packet;
    }
    return arrived ? arrived : sent;
}

/* This kernel has what says so, or nothing lacks it. */
static bool sees(const struct telling *telling, const char *lack)
{
    for (size_t i = 0; i < telling->teller->loss_count; i++)
        if (strcmp(telling->teller->losses[i].what, lack) == 0) return false;
    return telling->teller->any_mark;
}

bool telling_sees_timers(const struct telling *telling)
{
    return !telling->teller->course_only && sees(telling, "no tw_timer_handler");
}

bool telling_resets_nobody(const struct telling *telling, const struct tale_packet *packet)
{
    const struct flow *flow = telling->flow;
    if (!telling->teller->course_only || !packet->segment || !(packet->segment->flags & TCP_RST)) return false;
    enum story_side side = telling_receiver(telling, packet->side);
    const struct sock *sock = flow->sock[side];
    if (!sock || !sock->netns || !sock->cookie || !flow_is_whole(telling_end_now(telling, side)->state)) return false;
    int64_t came_ns = packet->received_ns;
    if (!came_ns && !packet->seen->marked && packet->seen->netns == sock->netns) came_ns = packet->sent_ns; /* from outside */
    /* It takes a RST as it comes, or, where a call holds the socket, as that lets go: not yet is not never. */
    if (!came_ns || (telling->so_far && telling->now_ns - came_ns < TELLING_UNDER_WAY_NS)) return false;
    for (size_t i = 0; i < flow->reset_count; i++)
        if (!flow->resets[i].sent && flow->resets[i].side == side && flow->resets[i].t_ns >= came_ns) return false;
    return sees(telling, "no tcp_receive_reset");
}
