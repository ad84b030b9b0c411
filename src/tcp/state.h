/* The state machine of RFC 9293 section 3.3.2 (figure 5), one end of a connection at a time.
 *
 * Pure: a segment (or a call, or a timer) is taken for small inputs (src/conn says which), and one table says what each input does
 * in each state and why. The table's sentences are what the annotator prints, so the documentation and the behaviour can't drift
 * apart. */
#ifndef TCPWHY_TCP_STATE_H
#define TCPWHY_TCP_STATE_H

#include <stddef.h>

#include "event/event.h"

/* In the RFC's order; UNKNOWN is an end whose past was not seen. */
enum tcp_state {
    STATE_UNKNOWN,
    STATE_CLOSED,
    STATE_LISTEN,
    STATE_SYN_SENT,
    STATE_SYN_RCVD,
    STATE_ESTABLISHED,
    STATE_FIN_WAIT_1,
    STATE_FIN_WAIT_2,
    STATE_CLOSE_WAIT,
    STATE_CLOSING,
    STATE_LAST_ACK,
    STATE_TIME_WAIT,
    STATE_COUNT
};

enum tcp_input {
    INPUT_CALL_LISTEN, /* passive OPEN */
    INPUT_CALL_CLOSE,  /* CLOSE where it sends nothing: in LISTEN, SYN_SENT */
    INPUT_SENT_SYN,
    INPUT_SENT_SYN_ACK, /* in LISTEN and SYN_SENT: the answer to a SYN that arrived (one arrow: rcv SYN / snd SYN,ACK) */
    INPUT_RCVD_SYN_ACK, /* acknowledges our SYN */
    INPUT_RCVD_ACK_OF_SYN,
    INPUT_SENT_FIN,
    INPUT_RCVD_FIN, /* in order: everything before it has arrived */
    INPUT_RCVD_ACK_OF_FIN,
    INPUT_SENT_RST,
    INPUT_RCVD_RST,         /* acceptable: RFC 5961 section 3.2 */
    INPUT_RCVD_RST_PASSIVE, /* the same for an end that got to SYN_RCVD from LISTEN (figure 5, note 1) */
    INPUT_TIMEOUT_2MSL,
    INPUT_TIMEOUT_GIVE_UP, /* the user timeout: R2 of RFC 9293 section 3.8.3 */
    INPUT_COUNT
};

/* A row of the table: an arrow. */
struct tcp_arrow {
    enum tcp_state from;
    enum tcp_input input;
    enum tcp_state to;
    const char *why;     /* a full sentence, no full stop at its end */
    const char *section; /* of RFC 9293 */
};

/* The arrow that `input` takes out of `state`, or NULL: stay, and it was unexpected. */
const struct tcp_arrow *tcp_next(enum tcp_state state, enum tcp_input input);
/* The whole table; *ret_count rows. */
const struct tcp_arrow *tcp_arrows(size_t *ret_count);

/* "SYN_SENT" … ("?" for UNKNOWN) and "rcv ACK of FIN" …. Static storage. */
const char *tcp_state_name(enum tcp_state state);
const char *tcp_input_name(enum tcp_input input);
/* The states' names with their lengths, for who writes millions of them. */
struct tcp_word {
    char text[15];
    uint8_t length;
};
extern const struct tcp_word tcp_state_words[STATE_COUNT];

#endif
