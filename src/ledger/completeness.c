#include "ledger/own.h"

void completeness_take(struct flow *flow, const struct ledger_segment *segment)
{
    unsigned seen = flow->completeness;
    bool syn = segment->flags & TCP_SYN, ack = segment->flags & TCP_ACK;
    if (syn) seen |= ack ? LEDGER_SEEN_SYN_ACK : LEDGER_SEEN_SYN | (segment->length_bytes ? LEDGER_SEEN_DATA : 0u);
    if (!syn && ack) seen |= segment->length_bytes ? LEDGER_SEEN_DATA : LEDGER_SEEN_ACK;
    if (segment->flags & TCP_FIN && ack) seen |= LEDGER_SEEN_FIN;
    if (segment->flags & TCP_RST) seen |= LEDGER_SEEN_RST;
    flow->completeness = (uint8_t)seen;
}
