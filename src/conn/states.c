/* The RFC's machine at both ends, and taking back what was assumed. */
#include <string.h>

#include "conn/own.h"

void conn_judge_init(struct conn_judge *judge, struct conn_more *(*more)(void *owner, struct conn *conn, bool make), void *owner)
{
    judge->more = more;
    judge->owner = owner;
    judge->sparse = false;
    for (unsigned state = 0; state < STATE_COUNT; state++)
        for (unsigned input = 0; input < INPUT_COUNT; input++) {
            const struct tcp_arrow *arrow = tcp_next((enum tcp_state)state, (enum tcp_input)input);
            judge->next_state[state][input] = (uint8_t)(arrow ? arrow->to : state);
        }
}

static void note(struct conn_verdict *verdict, struct conn_move move)
{
    if (verdict->move_count < CONN_MOVES_MAX) verdict->moves[verdict->move_count++] = move;
}

void conn_move(const struct conn_judge *judge, struct conn *conn, unsigned side, enum tcp_input input, bool proved,
               struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    uint8_t from = end->state;
    end->state = judge->next_state[from][input];
    note(verdict,
         (struct conn_move){.side = (uint8_t)side, .input = (uint8_t)input, .from = from, .to = end->state, .proved = proved});
}

void conn_take_back(struct conn *conn, unsigned side, enum tcp_state to, struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    uint8_t from = end->state;
    end->state = (uint8_t)to;
    note(verdict,
         (struct conn_move){
             .side = (uint8_t)side, .input = INPUT_COUNT, .from = from, .to = end->state, .proved = true, .taken_back = true});
}

void conn_end_by_reset(const struct conn_judge *judge, struct conn *conn, unsigned side, enum tcp_input input, uint32_t end_next,
                       int64_t t_ns, struct conn_verdict *verdict)
{
    struct conn_end *end = &conn->end[side];
    uint8_t was = end->state;
    conn_move(judge, conn, side, input, false, verdict);
    if (end->state == was) return;
    struct conn_more_end *more = conn_make_more(judge, conn, side);
    if (!more) return;
    end->flags |= END_ENDED_BY_RST;
    end->was = was;
    more->has_ended = true;
    more->is_questioned = false;
    more->ended_us = conn_short_time(t_ns);
    more->ended_next = end_next;
    more->ended_ack = end->ack;
}

void conn_input(const struct conn_judge *judge, struct conn *conn, unsigned side, enum tcp_input input,
                struct conn_verdict *verdict)
{
    conn_move(judge, conn, side, input, false, verdict);
}
