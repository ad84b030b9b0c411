/* The state machine of RFC 9293 section 3.3.2 (figure 5), one end of a connection at a time.
 *
 * Pure: a segment (or a call, or a timer) is classified into small inputs, and one table says what each input does in each
 * state and why. The table's sentences are what the annotator prints, so the documentation and the behaviour can't drift apart. */
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

/* What an end remembers of what it sent and received: enough to classify the next segment. Zero it to begin. */
struct tcp_end {
    enum tcp_state state;
    bool sent_syn, sent_syn_ack, received_syn, sent_fin, received_fin, syn_acked, fin_acked;
    bool passive;           /* answered a SYN without having sent one */
    uint32_t iss, irs;      /* initial sequence numbers: valid with sent_syn, received_syn */
    uint32_t sent_next;     /* one past the last sequence number sent; valid with has_sent */
    uint32_t sent_acked;    /* one past the last that the peer acknowledged; valid with has_acked */
    uint32_t fin_end;       /* one past our FIN; valid with sent_fin */
    uint32_t received_next; /* one past the last received in order; valid with has_received */
    bool has_sent, has_acked, has_received;
    struct {
        uint32_t from, to;
    } early[8]; /* received out of order */
    size_t early_count;
    bool early_fin; /* a FIN waits behind a gap, ending at early_fin_end */
    uint32_t early_fin_end;
};

enum { TCP_INPUTS_MAX = 4 };

/* Takes a segment that this end sends / receives: updates what it remembers (not the state) and writes the inputs it
 * contains in the order in which RFC 9293 section 3.10.7 handles them. Returns how many. */
size_t tcp_classify_sent(struct tcp_end *end, const struct event_packet_header *segment,
                         enum tcp_input inputs[static TCP_INPUTS_MAX]);
size_t tcp_classify_received(struct tcp_end *end, const struct event_packet_header *segment,
                             enum tcp_input inputs[static TCP_INPUTS_MAX]);

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
