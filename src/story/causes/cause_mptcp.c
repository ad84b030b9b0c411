/* Whether a connection speaks Multipath TCP (RFC 8684): its worker in the kernel sends and closes subflows too. */
#include "story/causes/cause.h"

enum { HANDSHAKE_WITHIN = 8 }; /* packets */

static bool has_option(const struct tale_packet *packet)
{
    return packet->seen->packet.options.present & OPTION_MPTCP;
}

/* What the SYNs of one direction say, a lesser one first: of several, any may be the one that was answered. */
enum said { SAID_NOTHING, SAID_NO, SAID_CUT, SAID_YES };

static enum said said_by(const struct tale_packet *syn)
{
    if (has_option(syn)) return SAID_YES;
    return tale_options_cut(syn) ? SAID_CUT : SAID_NO;
}

/* Agreed by both SYNs: an option that one of them, whole, lacks is not spoken, whatever the other says. */
enum cause_mptcp cause_speaks_mptcp(const struct telling *telling, const struct tale_packet *packet)
{
    enum said asked = SAID_NOTHING, answered = SAID_NOTHING;
    bool spoken = has_option(packet) && !(header_of(packet)->flags & TCP_SYN);
    for (size_t i = 0; i < telling->packet_count && i < HANDSHAKE_WITHIN; i++) {
        const struct tale_packet *one = &telling->packets[i];
        if (!is_tcp(one)) continue;
        bool syn = header_of(one)->flags & TCP_SYN;
        spoken |= !syn && has_option(one);
        enum said *said = header_of(one)->flags & TCP_ACK ? &answered : &asked;
        if (syn && *said < said_by(one)) *said = said_by(one);
    }
    if (asked == SAID_NO || answered == SAID_NO) return CAUSE_MPTCP_NO;
    if (spoken || answered == SAID_YES) return CAUSE_MPTCP_YES;
    bool cut = asked != SAID_NOTHING || answered != SAID_NOTHING || tale_options_cut(packet);
    return cut ? CAUSE_MPTCP_MAYBE : CAUSE_MPTCP_NO;
}
