/* How the time of the handshake was spent: on the network, in the process, and waiting for timers that sent again what was lost. */
#include <string.h>

#include "story/times/times.h"
#include "tcp/segment.h"

static const struct tale_packet *handshake_ack(const struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->segment && packet->segment->handshake && packet->side == STORY_CLIENT && !(packet->segment->flags & TCP_SYN))
            return packet;
    }
    return NULL;
}

/* Nobody saw it arrive, and it was not made on the way. */
static bool may_have_counted(const struct telling *telling, const struct tale_packet *packet, enum story_kind kind)
{
    return packet->segment && !packet->segment->copy && !telling_is_lost(telling, packet) && packet->segment->kind == kind;
}

/* The newest SYN,ACK that had come when the last ACK left: the one that it answers. */
static const struct tale_packet *answered(const struct telling *telling, const struct tale_packet *ack)
{
    const struct tale_packet *newest = NULL;
    for (const struct tale_packet *packet = telling->packets; packet < ack; packet++)
        if (may_have_counted(telling, packet, STORY_SYN_ACK) && arrival_ns(packet) <= ack->sent_ns) newest = packet;
    return newest;
}

/* Back from the SYN,ACK that came to what it answers. Where another SYN,ACK left in between, a timer sent this one again; and the
 * SYN that was answered may itself be a repeat. Returns how long was waited for those timers. */
static int64_t waited_ns(const struct telling *telling, const struct tale_packet *syn_ack)
{
    const struct tale_packet *syn = NULL, *first_syn = NULL, *first_answer = NULL;
    for (const struct tale_packet *packet = telling->packets; packet <= syn_ack; packet++) {
        if (!packet->segment || packet->segment->copy) continue;
        if (!first_syn && packet->segment->kind == STORY_SYN) first_syn = packet;
        if (may_have_counted(telling, packet, STORY_SYN) && arrival_ns(packet) <= syn_ack->sent_ns)
            syn = packet, first_answer = NULL;
        if (syn && !first_answer && packet->segment->kind == STORY_SYN_ACK) first_answer = packet;
    }
    if (!syn) return 0;
    return syn->sent_ns - first_syn->sent_ns + (syn_ack->sent_ns - first_answer->sent_ns);
}

/* When the server's end had its connection: with its last ACK, unless the kernel dropped that, and a later one did it. */
static int64_t completed_ns(const struct telling *telling, const struct tale_packet *ack)
{
    const struct tale_state *state = finding_state(telling, STORY_SERVER, STATE_ESTABLISHED);
    int64_t came_ns = arrival_ns(ack);
    if (!state) return came_ns;
    int64_t moved_ns = telling->story->steps[finding_state_step(telling, state)].t_ns;
    return moved_ns > came_ns ? moved_ns : came_ns;
}

void handshake_time_find(struct telling *telling)
{
    struct story_summary *summary = &telling->story->summary;
    summary->handshake_ns = summary->handshake_network_ns = summary->handshake_process_ns = summary->accept_wait_ns = -1;
    summary->handshake_timer_ns = -1;
    const struct tale_packet *syn = finding_segment(telling, -1, STORY_SYN), *ack = handshake_ack(telling);
    const struct tale_packet *syn_ack = ack ? answered(telling, ack) : NULL;
    if (!syn || !syn_ack || arrival_ns(syn_ack) < syn->sent_ns) return; /* nor does time run backwards: stamps that step back */
    summary->handshake_ns = ack->sent_ns - syn->sent_ns;
    summary->handshake_timer_ns = waited_ns(telling, syn_ack);
    summary->handshake_network_ns = arrival_ns(syn_ack) - syn->sent_ns - summary->handshake_timer_ns;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (call->traits & CALL_CONNECTS && call->side == STORY_CLIENT && call->enter_ns && call->exit_ns && call->ret == 0 &&
            call->enter_ns <= syn->sent_ns && call->exit_ns >= ack->sent_ns)
            summary->handshake_process_ns =
                call->exit_ns - call->enter_ns - summary->handshake_network_ns - summary->handshake_timer_ns;
        if (!(call->traits & CALL_ACCEPTS) || !call->exit_ns || call->ret < 0) continue;
        int64_t from_ns = completed_ns(telling, ack);
        int64_t queued_ns = call->exit_ns - (from_ns <= call->exit_ns ? from_ns : arrival_ns(ack));
        if (queued_ns >= 0) summary->accept_wait_ns = queued_ns; /* else it had taken the connection before that ACK */
    }
}
