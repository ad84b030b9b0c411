/* The summary: who opened, who closed, how the time of the handshake was spent. */
#include "story/times/times.h"

void summary_make(struct telling *telling)
{
    struct story_summary *summary = &telling->story->summary;
    const struct conn *conn = &telling->conn;
    summary->opened_by = conn->flags & CONN_OPENED ? (int32_t)(conn->client == 0 ? telling->first_side : !telling->first_side) : -1;
    if (telling->story->udp && telling->packet_count) summary->opened_by = (int32_t)telling->packets[0].side;
    unsigned closer = conn_first_closer(conn);
    summary->closed_first_by = !closer ? -1 : (int32_t)(closer == 1 ? telling->first_side : !telling->first_side);
    summary->closed_first_unsure = conn->closed_first && !closer;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->cause->kind == CAUSE_UNKNOWN)
            summary->causes_unknown++;
        else
            summary->causes_by_evidence[packet->cause->evidence]++;
    }
    handshake_time_find(telling);
}
