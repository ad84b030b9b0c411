/* Of a course alone, whose data is not recorded, the number of a RST does not tell whether it is the one expected. Where it came to
 * a socket of this host, the kernel says whether that socket took it: until then it ends nothing. */
#include "story/track/flow_own.h"
#include "story/track/join_own.h"
#include "story/track/track.h"
#include "tcp/segment.h"

bool flow_hold_reset(const struct teller *teller, struct flow *flow, const struct event_packet *packet,
                     const struct conn_segment *segment)
{
    if (!teller->course_only || !(packet->header.flags & TCP_RST) || !packet->vantage) return false;
    enum story_side side = flow_side(flow, &packet->header.dst);
    const struct sock *sock = flow->sock[side];
    uint8_t state = flow->conn.end[flow_conn_end(flow->first_side, side)].state;
    if (!sock || !sock->netns || sock->netns != join_netns(teller, packet->vantage) || !flow_is_whole(state)) return false;
    flow->holds_reset = true;
    flow->held_side = side;
    flow->held_reset = *segment;
    return true;
}

void flow_take_held_reset(struct teller *teller, struct flow *flow, enum story_side side)
{
    struct conn_verdict verdict = {.move_count = 0};
    unsigned from = flow_conn_end(flow->first_side, side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT);
    if (!flow->holds_reset || flow->held_side != side) return;
    flow->holds_reset = false;
    conn_take(&teller->judge, &flow->conn, from, &flow->held_reset, &verdict);
    if (!flow->queued && flow_is_over(flow)) flow_queue(teller, flow);
}
