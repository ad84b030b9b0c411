/* What RFC 9293 section 3.10 ("Event Processing") makes of every event in every state: calls, segments, timers, as one table.
 *
 * Pure, and about the RFC alone: it knows no segment and no kernel. tcp/state.h is the part of it that shows on the wire (what
 * moves an end of figure 5); this is the whole, with what is sent and what the user is told, for a lesson and for tests. */
#ifndef TCPWHY_TCP_PROCESSING_H
#define TCPWHY_TCP_PROCESSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcp/state.h"

/* "Acceptable" means SEG.SEQ in the receive window, and an ACK that acknowledges what stands open without our FIN, unless the name
 * says otherwise. In CLOSED, LISTEN and SYN_SENT there is no window: "out" is there what it is in the window. */
enum processing_event {
    ON_OPEN_PASSIVE,
    ON_OPEN_ACTIVE, /* with the remote socket specified */
    ON_SEND,        /* in LISTEN: with the remote socket specified */
    ON_RECEIVE,
    ON_CLOSE, /* nothing waits to be sent */
    ON_ABORT,
    ON_STATUS,
    ON_SYN,         /* a SYN without ACK */
    ON_SYN_OUT,     /* the same out of the window, as the first SYN is when it comes again */
    ON_SYN_ACK,     /* acknowledges our SYN; in SYN_RCVD the one that crosses ours, with the peer's initial sequence number */
    ON_SYN_ACK_BAD, /* acknowledges what was never sent */
    ON_ACK,         /* of all that was sent but our FIN; in SYN_SENT and SYN_RCVD of our SYN */
    ON_ACK_OF_FIN,  /* where no FIN was sent: of what was never sent */
    ON_ACK_OLD,     /* of what was acknowledged before; in SYN_SENT and SYN_RCVD not even of our SYN */
    ON_ACK_BAD,     /* of what was never sent */
    ON_DATA,
    ON_DATA_OUT,
    ON_FIN,
    ON_FIN_ACK_OF_FIN, /* acknowledges our FIN too; where none was sent: ON_FIN */
    ON_FIN_OUT,        /* as the first FIN is when it comes again */
    ON_FIN_BARE,       /* without ACK */
    ON_RST,            /* at exactly RCV.NXT; in SYN_SENT: acknowledges our SYN */
    ON_RST_NEAR,       /* in the window but not at RCV.NXT; in SYN_SENT: without ACK */
    ON_RST_OUT,        /* out of the window; in SYN_SENT: acknowledges something else */
    ON_RETRANSMISSION_TIMEOUT,
    ON_USER_TIMEOUT,
    ON_TIME_WAIT_TIMEOUT,
    ON_EVENTS
};

enum processing_sends {
    SENDS_NOTHING,
    SENDS_SYN,
    SENDS_SYN_ACK,
    SENDS_ACK,
    SENDS_DATA,
    SENDS_FIN,
    SENDS_RST,
    SENDS_AGAIN, /* what stands first in the retransmission queue */
    SENDS_COUNT
};

struct processing_row {
    uint16_t states; /* bits 1 << enum tcp_state: the row holds for all of them */
    enum processing_event event;
    enum tcp_state to; /* STATE_UNKNOWN: it stays where it is */
    enum tcp_state
        to_passive; /* where it leads instead if the connection began with a passive OPEN; STATE_UNKNOWN: no difference */
    enum processing_sends sends; /* nothing where it leads back to LISTEN */
    const char *tells;           /* what the user is told, in the RFC's words; NULL: nothing */
    const char *does;            /* a sentence, no full stop at its end */
    const char *section;         /* of RFC 9293 */
    bool never;                  /* the event can't happen in these states */
};

/* The row for this pair: there is exactly one for each of the eleven states (STATE_CLOSED to STATE_TIME_WAIT) and each event. NULL
 * for STATE_UNKNOWN and outside the enums. */
const struct processing_row *processing_find(enum tcp_state state, enum processing_event event);
/* Where the pair leads; `passive`: the connection began with a passive OPEN. STATE_UNKNOWN where there is no row. */
enum tcp_state processing_next(enum tcp_state state, enum processing_event event, bool passive);
/* The whole table; *ret_count rows. */
const struct processing_row *processing_rows(size_t *ret_count);

/* "CLOSE", "rcv FIN" …; "nothing", "SYN,ACK" …. Static storage. */
const char *processing_event_name(enum processing_event event);
const char *processing_sends_name(enum processing_sends sends);

#endif
