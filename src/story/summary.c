/* The summary: who opened, who closed, how the time of the handshake was spent. */
#include <string.h>

#include "story/findings.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static const struct tale_packet *handshake_ack(const struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->segment && packet->segment->handshake && packet->side == STORY_CLIENT && !(packet->segment->flags & TCP_SYN))
            return packet;
    }
    return NULL;
}

static void handshake_times(struct telling *telling)
{
    struct story_summary *summary = &telling->story->summary;
    const struct tale_packet *syn = finding_segment(telling, -1, "SYN", 0), *syn_ack = finding_segment(telling, -1, "SYN-ACK", 0),
                             *ack = handshake_ack(telling);
    if (!syn || !syn_ack || !ack) return;
    summary->handshake_ns = ack->sent_ns - syn->sent_ns;
    summary->handshake_network_ns = (syn_ack->received_ns ? syn_ack->received_ns : syn_ack->sent_ns) - syn->sent_ns;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (strcmp(call->name, "connect") == 0 && call->side == STORY_CLIENT && call->enter_ns && call->exit_ns && call->ret == 0 &&
            call->enter_ns <= syn->sent_ns && call->exit_ns >= ack->sent_ns)
            summary->handshake_process_ns = call->exit_ns - call->enter_ns - summary->handshake_network_ns;
        if (strncmp(call->name, "accept", 6) == 0 && call->exit_ns && call->ret >= 0)
            summary->accept_wait_ns = call->exit_ns - (ack->received_ns ? ack->received_ns : ack->sent_ns);
    }
}

void summary_make(struct telling *telling)
{
    struct story_summary *summary = &telling->story->summary;
    summary->handshake_ns = summary->handshake_network_ns = summary->handshake_process_ns = summary->accept_wait_ns = -1;
    const struct conn *conn = &telling->conn;
    summary->opened_by = conn->flags & CONN_OPENED ? (int32_t)(conn->client == 0 ? telling->first_side : !telling->first_side) : -1;
    if (telling->story->udp && telling->packet_count) summary->opened_by = (int32_t)telling->packets[0].side;
    summary->closed_first_by = !conn->closed_first ? -1 : (int32_t)(conn->closed_first == 1 ? telling->first_side : !telling->first_side);
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->cause->kind == CAUSE_UNKNOWN)
            summary->causes_unknown++;
        else
            summary->causes_by_evidence[packet->cause->evidence]++;
    }
    handshake_times(telling);
}
