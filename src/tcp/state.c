#include "tcp/state.h"
#include "base/lang.h"

/* RFC 9293 figure 5, state by state in the order of section 3.3.2, and behind the figure's arrows those that only the text of
 * section 3.10 gives (resets, giving up). */
static const struct tcp_arrow arrows[] = {
    {STATE_CLOSED, INPUT_CALL_LISTEN, STATE_LISTEN, TR("passive OPEN: listen() lets the kernel answer SYNs from now on"), "3.10.1"},
    {STATE_CLOSED, INPUT_SENT_SYN, STATE_SYN_SENT, TR("active OPEN: a SYN was sent, its answer is awaited"), "3.10.1"},
    {STATE_CLOSED, INPUT_SENT_RST, STATE_CLOSED, TR("there is no connection here: whatever arrives is answered with a RST"),
     "3.10.7.1"},

    {STATE_LISTEN, INPUT_SENT_SYN_ACK, STATE_SYN_RCVD, TR("a SYN reached a listening socket and is answered with SYN,ACK"),
     "3.10.7.2"},
    {STATE_LISTEN, INPUT_SENT_SYN, STATE_SYN_SENT, TR("SEND on a passive connection makes it active"), "3.10.2"},
    {STATE_LISTEN, INPUT_CALL_CLOSE, STATE_CLOSED, TR("CLOSE of a listening socket sends nothing"), "3.10.4"},
    {STATE_LISTEN, INPUT_SENT_RST, STATE_LISTEN, TR("a segment that is no SYN is answered with a RST and changes nothing"),
     "3.10.7.2"},

    {STATE_SYN_SENT, INPUT_SENT_SYN_ACK, STATE_SYN_RCVD, TR("simultaneous OPEN: a SYN crossed ours and is answered with SYN,ACK"),
     "3.10.7.3"},
    {STATE_SYN_SENT, INPUT_RCVD_SYN_ACK, STATE_ESTABLISHED, TR("the SYN,ACK acknowledges our SYN: this end may send data"),
     "3.10.7.3"},
    {STATE_SYN_SENT, INPUT_CALL_CLOSE, STATE_CLOSED, TR("CLOSE before any answer deletes the connection and sends nothing"),
     "3.10.4"},
    {STATE_SYN_SENT, INPUT_RCVD_RST, STATE_CLOSED, TR("the SYN was answered with a RST: connection refused"), "3.10.7.3"},
    {STATE_SYN_SENT, INPUT_SENT_RST, STATE_SYN_SENT,
     TR("an ACK of what was never sent is answered with a RST, and the wait goes on"), "3.10.7.3"},
    {STATE_SYN_SENT, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, TR("no answer to any SYN: the kernel gave up"), "3.10.8"},

    {STATE_SYN_RCVD, INPUT_RCVD_ACK_OF_SYN, STATE_ESTABLISHED, TR("the ACK of our SYN completes the handshake"), "3.10.7.4"},
    {STATE_SYN_RCVD, INPUT_SENT_FIN, STATE_FIN_WAIT_1, TR("CLOSE before the handshake is complete sends a FIN"), "3.10.4"},
    {STATE_SYN_RCVD, INPUT_RCVD_FIN, STATE_CLOSE_WAIT, TR("the peer has nothing more to send"), "3.10.7.4"},
    {STATE_SYN_RCVD, INPUT_RCVD_RST_PASSIVE, STATE_LISTEN,
     TR("the peer reset a half-open connection: the listening socket waits for another"), "3.10.7.4"},
    {STATE_SYN_RCVD, INPUT_RCVD_RST, STATE_CLOSED, TR("the peer refused the connection"), "3.10.7.4"},
    {STATE_SYN_RCVD, INPUT_SENT_RST, STATE_CLOSED, TR("the half-open connection was aborted"), "3.10.5"},
    {STATE_SYN_RCVD, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, TR("no ACK to any SYN,ACK: the kernel gave up"), "3.10.8"},

    {STATE_ESTABLISHED, INPUT_SENT_FIN, STATE_FIN_WAIT_1, TR("CLOSE: a FIN was sent, this end sends no more data"), "3.10.4"},
    {STATE_ESTABLISHED, INPUT_RCVD_FIN, STATE_CLOSE_WAIT, TR("the peer has nothing more to send; this end still may"), "3.10.7.4"},
    {STATE_ESTABLISHED, INPUT_RCVD_RST, STATE_CLOSED, TR("the peer aborted the connection"), "3.10.7.4"},
    {STATE_ESTABLISHED, INPUT_SENT_RST, STATE_CLOSED, TR("this end aborted the connection"), "3.10.5"},
    {STATE_ESTABLISHED, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, TR("the peer acknowledged nothing: the kernel gave up"), "3.10.8"},

    {STATE_FIN_WAIT_1, INPUT_RCVD_ACK_OF_FIN, STATE_FIN_WAIT_2, TR("our FIN is acknowledged; the peer may go on sending"),
     "3.10.7.4"},
    {STATE_FIN_WAIT_1, INPUT_RCVD_FIN, STATE_CLOSING, TR("simultaneous CLOSE: the FINs crossed, ours is not acknowledged yet"),
     "3.10.7.4"},
    {STATE_FIN_WAIT_1, INPUT_RCVD_RST, STATE_CLOSED, TR("the peer aborted the connection"), "3.10.7.4"},
    {STATE_FIN_WAIT_1, INPUT_SENT_RST, STATE_CLOSED, TR("this end aborted the connection"), "3.10.5"},
    {STATE_FIN_WAIT_1, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, TR("the FIN was never acknowledged: the kernel gave up"), "3.10.8"},

    {STATE_FIN_WAIT_2, INPUT_RCVD_FIN, STATE_TIME_WAIT, TR("both directions are closed; this end closed first, so it waits 2MSL"),
     "3.10.7.4"},
    {STATE_FIN_WAIT_2, INPUT_RCVD_RST, STATE_CLOSED, TR("the peer aborted the connection"), "3.10.7.4"},
    {STATE_FIN_WAIT_2, INPUT_SENT_RST, STATE_CLOSED, TR("this end aborted the connection"), "3.10.5"},
    {STATE_FIN_WAIT_2, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, TR("the peer's FIN never came: the kernel gave up waiting"), "3.10.8"},

    {STATE_CLOSE_WAIT, INPUT_SENT_FIN, STATE_LAST_ACK, TR("CLOSE after the peer's: only the ACK of our FIN is awaited"), "3.10.4"},
    {STATE_CLOSE_WAIT, INPUT_RCVD_RST, STATE_CLOSED, TR("the peer aborted the connection"), "3.10.7.4"},
    {STATE_CLOSE_WAIT, INPUT_SENT_RST, STATE_CLOSED, TR("this end aborted the connection"), "3.10.5"},
    {STATE_CLOSE_WAIT, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, TR("the peer acknowledged nothing: the kernel gave up"), "3.10.8"},

    {STATE_CLOSING, INPUT_RCVD_ACK_OF_FIN, STATE_TIME_WAIT, TR("our FIN is acknowledged and the peer's has come: wait 2MSL"),
     "3.10.7.4"},
    {STATE_CLOSING, INPUT_RCVD_RST, STATE_CLOSED, TR("the peer aborted the connection"), "3.10.7.4"},
    {STATE_CLOSING, INPUT_SENT_RST, STATE_CLOSED, TR("this end aborted the connection"), "3.10.5"},
    {STATE_CLOSING, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, TR("the FIN was never acknowledged: the kernel gave up"), "3.10.8"},

    {STATE_LAST_ACK, INPUT_RCVD_ACK_OF_FIN, STATE_CLOSED, TR("our FIN is acknowledged: nothing is left to wait for"), "3.10.7.4"},
    {STATE_LAST_ACK, INPUT_RCVD_RST, STATE_CLOSED, TR("the peer aborted the connection"), "3.10.7.4"},
    {STATE_LAST_ACK, INPUT_SENT_RST, STATE_CLOSED, TR("this end aborted the connection"), "3.10.5"},
    {STATE_LAST_ACK, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, TR("the FIN was never acknowledged: the kernel gave up"), "3.10.8"},

    {STATE_TIME_WAIT, INPUT_TIMEOUT_2MSL, STATE_CLOSED,
     TR("2MSL have passed: no old segment of this connection can be left in the network"), "3.10.8"},
    {STATE_TIME_WAIT, INPUT_RCVD_RST, STATE_CLOSED, TR("a RST ended TIME_WAIT early (RFC 1337 warns of this)"), "3.10.7.4"},
};

const struct tcp_arrow *tcp_arrows(size_t *ret_count)
{
    *ret_count = sizeof(arrows) / sizeof(arrows[0]);
    return arrows;
}

const struct tcp_arrow *tcp_next(enum tcp_state state, enum tcp_input input)
{
    for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++)
        if (arrows[i].from == state && arrows[i].input == input) return &arrows[i];
    return NULL;
}

#define WORD(text)                                                                                                                 \
    {                                                                                                                              \
        text, sizeof(text) - 1                                                                                                     \
    }
const struct tcp_word tcp_state_words[STATE_COUNT] = {
    WORD("?"),          WORD("CLOSED"),     WORD("LISTEN"),     WORD("SYN_SENT"), WORD("SYN_RCVD"), WORD("ESTABLISHED"),
    WORD("FIN_WAIT_1"), WORD("FIN_WAIT_2"), WORD("CLOSE_WAIT"), WORD("CLOSING"),  WORD("LAST_ACK"), WORD("TIME_WAIT"),
};

const char *tcp_state_name(enum tcp_state state)
{
    return (unsigned)state < STATE_COUNT ? tcp_state_words[state].text : "?";
}

const char *tcp_input_name(enum tcp_input input)
{
    static const char *const names[INPUT_COUNT] = {
        [INPUT_CALL_LISTEN] = "passive OPEN",
        [INPUT_CALL_CLOSE] = "CLOSE",
        [INPUT_SENT_SYN] = "snd SYN",
        [INPUT_SENT_SYN_ACK] = "rcv SYN, snd SYN,ACK",
        [INPUT_RCVD_SYN_ACK] = "rcv SYN,ACK",
        [INPUT_RCVD_ACK_OF_SYN] = "rcv ACK of SYN",
        [INPUT_SENT_FIN] = "CLOSE, snd FIN",
        [INPUT_RCVD_FIN] = "rcv FIN",
        [INPUT_RCVD_ACK_OF_FIN] = "rcv ACK of FIN",
        [INPUT_SENT_RST] = "snd RST",
        [INPUT_RCVD_RST] = "rcv RST",
        [INPUT_RCVD_RST_PASSIVE] = "rcv RST (passive)",
        [INPUT_TIMEOUT_2MSL] = "timeout 2MSL",
        [INPUT_TIMEOUT_GIVE_UP] = "user timeout",
    };
    return (unsigned)input < INPUT_COUNT ? names[input] : "?";
}
