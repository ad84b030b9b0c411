/* The ledger's compact state machine against tcp_classify_sent, tcp_classify_received and tcp_next: the same states after every
 * segment of random exchanges, sound and absurd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/own.h"

enum { EXCHANGES = 20000, SEGMENTS = 24 };

static uint64_t seed = 88172645463325252u;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % below;
}

static int ignore(void *data, const struct ledger_row *row)
{
    (void)data, (void)row;
    return 0;
}

static void step(struct tcp_end *end, const enum tcp_input *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct tcp_arrow *arrow = tcp_next(end->state, inputs[i]);
        if (arrow) end->state = arrow->to;
    }
}

/* Mostly what two ends would say next, sometimes anything. */
static struct ledger_segment next_segment(int side, const uint32_t next[2], bool first)
{
    static const uint8_t likely[] = {TCP_ACK,           TCP_ACK,           TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN,
                                     TCP_SYN | TCP_ACK, TCP_RST | TCP_ACK, TCP_RST,           TCP_SYN};
    struct ledger_segment segment = {.version = 4, .window = 100, .flags = likely[any(sizeof(likely))]};
    if (any(20) == 0) segment.flags = (uint8_t)any(64);
    if (first) segment.flags = TCP_SYN;
    segment.length_bytes = any(3) ? 0 : any(20);
    int32_t off = any(3) ? 0 : (int32_t)any(40) - 20;
    segment.seq = next[side] + (uint32_t)off;
    off = any(3) ? 0 : (int32_t)any(40) - 20;
    segment.ack = next[!side] + (uint32_t)off;
    return segment;
}

static void both_machines_agree_on_every_segment(void **state)
{
    (void)state;
    size_t moved = 0, ended = 0;
    for (unsigned exchange = 0; exchange < EXCHANGES; exchange++) {
        struct ledger *ledger = ledger_new(&(struct ledger_options){.hash_seed = 1}, ignore, NULL);
        struct flow flow;
        struct tcp_end ends[2];
        memset(&flow, 0, sizeof(flow));
        memset(ends, 0, sizeof(ends));
        ends[0].state = STATE_CLOSED;
        ends[1].state = STATE_LISTEN;
        uint32_t next[2] = {any(3) ? 1000 : 0xfffffff8u, any(3) ? 9000 : 0xfffffffcu};
        for (unsigned i = 0; i < SEGMENTS; i++) {
            int side = i == 0 ? 0 : i == 1 ? 1 : (int)any(2);
            struct ledger_segment segment = next_segment(side, next, i == 0);
            if (i == 1 && any(8)) segment.flags = TCP_SYN | TCP_ACK, segment.seq = next[1], segment.ack = next[0];
            struct event_packet_header header = {
                .flags = segment.flags, .seq = segment.seq, .ack = segment.ack, .length_bytes = segment.length_bytes};
            if (i == 0) states_begin(&flow, &segment, side);
            enum tcp_input inputs[TCP_INPUTS_MAX];
            enum tcp_state was = ends[0].state;
            step(&ends[side], inputs, tcp_classify_sent(&ends[side], &header, inputs));
            step(&ends[!side], inputs, tcp_classify_received(&ends[!side], &header, inputs));
            states_take(ledger, &flow, &segment, side);
            for (int end = 0; end < 2; end++)
                if (flow.sent[end].state != ends[end].state)
                    fail_msg("exchange %u, segment %u, end %d: %s, not %s", exchange, i, end,
                             tcp_state_name((enum tcp_state)flow.sent[end].state), tcp_state_name(ends[end].state));
            moved += was != ends[0].state;
            uint32_t end_of = segment_end_of(&segment);
            if (!(segment.flags & TCP_RST) && seq_before(next[side], end_of)) next[side] = end_of;
        }
        ended += ends[0].state == STATE_TIME_WAIT || ends[1].state == STATE_TIME_WAIT;
        ledger_free(ledger);
    }
    /* The exchanges do go somewhere. */
    assert_true(moved > EXCHANGES);
    assert_true(ended > EXCHANGES / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_machines_agree_on_every_segment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
