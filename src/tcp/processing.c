#include "tcp/processing.h"
#include "base/lang.h"

/* Sets of states, by the RFC's own groups. */
#define IN(state) (1u << STATE_##state)
#define OPENING (IN(SYN_SENT) | IN(SYN_RCVD))
#define SENDING (IN(ESTABLISHED) | IN(CLOSE_WAIT))
#define FIN_WAITS (IN(FIN_WAIT_1) | IN(FIN_WAIT_2))
#define ENDING (IN(CLOSING) | IN(LAST_ACK) | IN(TIME_WAIT)) /* both FINs are on their way */
#define SYNCHRONIZED (SENDING | FIN_WAITS | ENDING)
#define HAS_WINDOW (IN(SYN_RCVD) | SYNCHRONIZED)
#define EVERY (IN(CLOSED) | IN(LISTEN) | IN(SYN_SENT) | HAS_WINDOW)

#define STAY STATE_UNKNOWN
#define SAME STATE_UNKNOWN

#define NO_CONNECTION TR("error: connection does not exist")
#define IS_CLOSING TR("error: connection closing")
#define WAS_RESET TR("connection reset")

#define NOWHERE TR("there is no connection: a segment without RST is answered with a RST")
#define IGNORES_RST TR("a RST is never answered")
#define NO_ACK_EXPECTED TR("nothing was sent that an ACK could be of: it is answered with a RST")
#define WRONG_ACK TR("an ACK of what was never sent is answered with a RST at its own sequence number, and the wait goes on")
#define NOTHING_SENT TR("nothing was sent that it could be about: it is ignored")
#define NO_SYN TR("neither SYN nor RST: it is dropped")
#define OUT_OF_WINDOW TR("out of the window: an ACK says what is expected, the segment is dropped")
#define CHALLENGE TR("a challenge ACK: a peer that really lost the connection answers it with a RST that counts (RFC 5961)")
#define NO_ACK_BIT TR("without the ACK bit it is dropped")
#define OLD_ACK TR("a duplicate: it is ignored")
#define PEER_HAS_ENDED TR("the peer's FIN has been received: text behind it is ignored")
#define TIMER_RESTS TR("this timer does not run in this state")

/* A row: states, event, to, to after a passive OPEN, what is sent, what the user is told, what it does, section. */
static const struct processing_row rows[] = {
    {IN(CLOSED), ON_OPEN_PASSIVE, STATE_LISTEN, SAME, SENDS_NOTHING, NULL, TR("a new connection record waits for a SYN"), "3.10.1",
     false},
    {IN(LISTEN), ON_OPEN_PASSIVE, STAY, SAME, SENDS_NOTHING, NULL,
     TR("it gets a record of its own, or an error; one that is there is not touched (MUST-41)"), "3.9.1", false},
    {OPENING | SYNCHRONIZED, ON_OPEN_PASSIVE, STAY, SAME, SENDS_NOTHING, TR("error: connection already exists"),
     TR("the connection is in use"), "3.10.1", false},
    {IN(CLOSED), ON_OPEN_ACTIVE, STATE_SYN_SENT, SAME, SENDS_SYN, NULL, TR("an initial sequence number is chosen, a SYN is sent"),
     "3.10.1", false},
    {IN(LISTEN), ON_OPEN_ACTIVE, STATE_SYN_SENT, SAME, SENDS_SYN, NULL, TR("the connection is changed from passive to active"),
     "3.10.1", false},
    {OPENING | SYNCHRONIZED, ON_OPEN_ACTIVE, STAY, SAME, SENDS_NOTHING, TR("error: connection already exists"),
     TR("the connection is in use"), "3.10.1", false},

    {IN(CLOSED), ON_SEND, STAY, SAME, SENDS_NOTHING, NO_CONNECTION, TR("there is nothing to send on"), "3.10.2", false},
    {IN(LISTEN), ON_SEND, STATE_SYN_SENT, SAME, SENDS_SYN, NULL, TR("the connection is changed from passive to active"), "3.10.2",
     false},
    {OPENING, ON_SEND, STAY, SAME, SENDS_NOTHING, NULL, TR("the data is queued until the connection is ESTABLISHED"), "3.10.2",
     false},
    {SENDING, ON_SEND, STAY, SAME, SENDS_DATA, NULL, TR("the data is cut into segments and sent"), "3.10.2", false},
    {FIN_WAITS | ENDING, ON_SEND, STAY, SAME, SENDS_NOTHING, IS_CLOSING, TR("nothing is sent behind our own FIN"), "3.10.2", false},

    {IN(CLOSED), ON_RECEIVE, STAY, SAME, SENDS_NOTHING, NO_CONNECTION, TR("there is nothing to receive from"), "3.10.3", false},
    {IN(LISTEN) | OPENING, ON_RECEIVE, STAY, SAME, SENDS_NOTHING, NULL, TR("it is queued until the connection is ESTABLISHED"),
     "3.10.3", false},
    {IN(ESTABLISHED) | FIN_WAITS, ON_RECEIVE, STAY, SAME, SENDS_NOTHING, NULL, TR("it is given what has come, or waits"), "3.10.3",
     false},
    {IN(CLOSE_WAIT), ON_RECEIVE, STAY, SAME, SENDS_NOTHING, IS_CLOSING, TR("what has come is delivered first, then the end"),
     "3.10.3", false},
    {ENDING, ON_RECEIVE, STAY, SAME, SENDS_NOTHING, IS_CLOSING, TR("nothing can come any more"), "3.10.3", false},

    {IN(CLOSED), ON_CLOSE, STAY, SAME, SENDS_NOTHING, NO_CONNECTION, TR("there is nothing to close"), "3.10.4", false},
    {IN(LISTEN) | IN(SYN_SENT), ON_CLOSE, STATE_CLOSED, SAME, SENDS_NOTHING, TR("error: closing"),
     TR("the record is deleted, nothing is sent"), "3.10.4", false},
    {IN(SYN_RCVD) | IN(ESTABLISHED), ON_CLOSE, STATE_FIN_WAIT_1, SAME, SENDS_FIN, NULL, TR("a FIN is sent behind the data"),
     "3.10.4", false},
    {FIN_WAITS, ON_CLOSE, STAY, SAME, SENDS_NOTHING, IS_CLOSING, TR("\"ok\" would do too, if only no second FIN is sent"), "3.10.4",
     false},
    {IN(CLOSE_WAIT), ON_CLOSE, STATE_LAST_ACK, SAME, SENDS_FIN, NULL, TR("a FIN is sent behind the data"), "3.10.4", false},
    {ENDING, ON_CLOSE, STAY, SAME, SENDS_NOTHING, IS_CLOSING, TR("it is closing already"), "3.10.4", false},

    {IN(CLOSED), ON_ABORT, STAY, SAME, SENDS_NOTHING, NO_CONNECTION, TR("there is nothing to abort"), "3.10.5", false},
    {IN(LISTEN) | IN(SYN_SENT), ON_ABORT, STATE_CLOSED, SAME, SENDS_NOTHING, WAS_RESET,
     TR("the record is deleted, nothing is sent"), "3.10.5", false},
    {IN(SYN_RCVD) | SENDING | FIN_WAITS, ON_ABORT, STATE_CLOSED, SAME, SENDS_RST, WAS_RESET,
     TR("a RST is sent, the record deleted"), "3.10.5", false},
    {ENDING, ON_ABORT, STATE_CLOSED, SAME, SENDS_NOTHING, NULL, TR("\"ok\"; both ends have sent their FIN, so nothing is sent"),
     "3.10.5", false},

    {IN(CLOSED), ON_STATUS, STAY, SAME, SENDS_NOTHING, NO_CONNECTION, TR("there is no connection"), "3.10.6", false},
    {EVERY & ~IN(CLOSED), ON_STATUS, STAY, SAME, SENDS_NOTHING, TR("the state"), TR("it is told the state"), "3.10.6", false},

    {IN(CLOSED), ON_SYN, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_SYN, STATE_SYN_RCVD, SAME, SENDS_SYN_ACK, NULL, TR("it is answered with SYN,ACK"), "3.10.7.2", false},
    {IN(SYN_SENT), ON_SYN, STATE_SYN_RCVD, SAME, SENDS_SYN_ACK, NULL, TR("simultaneous OPEN: it is answered with SYN,ACK"),
     "3.10.7.3", false},
    {IN(SYN_RCVD), ON_SYN, STAY, STATE_LISTEN, SENDS_ACK, NULL,
     TR("after a passive OPEN back to LISTEN without a word; else a challenge ACK (RFC 5961)"), "3.10.7.4", false},
    {SYNCHRONIZED & ~IN(TIME_WAIT), ON_SYN, STAY, SAME, SENDS_ACK, NULL, CHALLENGE, "3.10.7.4", false},
    {IN(TIME_WAIT), ON_SYN, STAY, SAME, SENDS_ACK, NULL,
     TR("a challenge ACK, unless its timestamp or sequence number proves it newer: then it may begin a new connection (RFC 6191)"),
     "3.10.7.4", false},
    {IN(CLOSED), ON_SYN_OUT, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_SYN_OUT, STATE_SYN_RCVD, SAME, SENDS_SYN_ACK, NULL, TR("there is no window yet: it is answered with SYN,ACK"),
     "3.10.7.2", false},
    {IN(SYN_SENT), ON_SYN_OUT, STATE_SYN_RCVD, SAME, SENDS_SYN_ACK, NULL, TR("there is no window yet: simultaneous OPEN"),
     "3.10.7.3", false},
    {HAS_WINDOW, ON_SYN_OUT, STAY, SAME, SENDS_ACK, NULL, OUT_OF_WINDOW, "3.10.7.4", false},

    {IN(CLOSED), ON_SYN_ACK, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_SYN_ACK, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_SYN_ACK, STATE_ESTABLISHED, SAME, SENDS_ACK, NULL,
     TR("our SYN is acknowledged: the handshake is complete here"), "3.10.7.3", false},
    /* Figure 7 and the text part here: by the text's window check the SYN,ACK that crossed ours is an old segment. */
    {IN(SYN_RCVD), ON_SYN_ACK, STATE_ESTABLISHED, STATE_SYN_RCVD, SENDS_ACK, NULL,
     TR("simultaneous OPEN: the other SYN,ACK acknowledges our SYN (figure 7); after a passive OPEN an ACK says what is expected"),
     "3.5", false},
    {SYNCHRONIZED, ON_SYN_ACK, STAY, SAME, SENDS_ACK, NULL, CHALLENGE, "3.10.7.4", false},
    {IN(CLOSED), ON_SYN_ACK_BAD, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_SYN_ACK_BAD, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_SYN_ACK_BAD, STAY, SAME, SENDS_RST, NULL, WRONG_ACK, "3.10.7.3", false},
    {IN(SYN_RCVD), ON_SYN_ACK_BAD, STAY, STATE_LISTEN, SENDS_ACK, NULL,
     TR("the SYN bit comes before the ACK bit: back to LISTEN after a passive OPEN, else a challenge ACK (RFC 5961)"), "3.10.7.4",
     false},
    {SYNCHRONIZED, ON_SYN_ACK_BAD, STAY, SAME, SENDS_ACK, NULL, CHALLENGE, "3.10.7.4", false},

    {IN(CLOSED), ON_ACK, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_ACK, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_ACK, STAY, SAME, SENDS_NOTHING, NULL, NO_SYN, "3.10.7.3", false},
    {IN(SYN_RCVD), ON_ACK, STATE_ESTABLISHED, SAME, SENDS_NOTHING, NULL, TR("our SYN is acknowledged: the handshake is complete"),
     "3.10.7.4", false},
    {SYNCHRONIZED & ~IN(TIME_WAIT), ON_ACK, STAY, SAME, SENDS_NOTHING, NULL, TR("what it acknowledges is not sent again"),
     "3.10.7.4", false},
    {IN(TIME_WAIT), ON_ACK, STAY, SAME, SENDS_NOTHING, NULL, TR("all was acknowledged before: it is ignored"), "3.10.7.4", false},
    {IN(CLOSED), ON_ACK_OF_FIN, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_ACK_OF_FIN, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_ACK_OF_FIN, STAY, SAME, SENDS_RST, NULL, WRONG_ACK, "3.10.7.3", false},
    {IN(SYN_RCVD), ON_ACK_OF_FIN, STAY, SAME, SENDS_RST, NULL, WRONG_ACK, "3.10.7.4", false},
    {SENDING, ON_ACK_OF_FIN, STAY, SAME, SENDS_ACK, NULL, TR("an ACK of what was never sent: an ACK says what was"), "3.10.7.4",
     false},
    {IN(FIN_WAIT_1), ON_ACK_OF_FIN, STATE_FIN_WAIT_2, SAME, SENDS_NOTHING, NULL, TR("our FIN is acknowledged"), "3.10.7.4", false},
    {IN(FIN_WAIT_2), ON_ACK_OF_FIN, STAY, SAME, SENDS_NOTHING, NULL, TR("it was acknowledged before: the CLOSE is done"),
     "3.10.7.4", false},
    {IN(CLOSING), ON_ACK_OF_FIN, STATE_TIME_WAIT, SAME, SENDS_NOTHING, NULL, TR("both FINs are acknowledged: wait 2MSL"),
     "3.10.7.4", false},
    {IN(LAST_ACK), ON_ACK_OF_FIN, STATE_CLOSED, SAME, SENDS_NOTHING, NULL, TR("both FINs are acknowledged: the record is deleted"),
     "3.10.7.4", false},
    {IN(TIME_WAIT), ON_ACK_OF_FIN, STAY, SAME, SENDS_NOTHING, NULL, TR("it was acknowledged before: it is ignored"), "3.10.7.4",
     false},
    {IN(CLOSED), ON_ACK_OLD, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_ACK_OLD, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_ACK_OLD, STAY, SAME, SENDS_RST, NULL, TR("it does not acknowledge our SYN: a RST, and the wait goes on"),
     "3.10.7.3", false},
    {IN(SYN_RCVD), ON_ACK_OLD, STAY, SAME, SENDS_RST, NULL, TR("it does not acknowledge our SYN: a RST, and the wait goes on"),
     "3.10.7.4", false},
    {SYNCHRONIZED, ON_ACK_OLD, STAY, SAME, SENDS_NOTHING, NULL, OLD_ACK, "3.10.7.4", false},
    {IN(CLOSED), ON_ACK_BAD, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_ACK_BAD, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_ACK_BAD, STAY, SAME, SENDS_RST, NULL, WRONG_ACK, "3.10.7.3", false},
    {IN(SYN_RCVD), ON_ACK_BAD, STAY, SAME, SENDS_RST, NULL, WRONG_ACK, "3.10.7.4", false},
    {SYNCHRONIZED, ON_ACK_BAD, STAY, SAME, SENDS_ACK, NULL, TR("an ACK of what was never sent: an ACK says what was"), "3.10.7.4",
     false},

    {IN(CLOSED), ON_DATA, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_DATA, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_DATA, STAY, SAME, SENDS_NOTHING, NULL, NO_SYN, "3.10.7.3", false},
    {IN(SYN_RCVD), ON_DATA, STATE_ESTABLISHED, SAME, SENDS_ACK, NULL, TR("its ACK completes the handshake, then the text is taken"),
     "3.10.7.4", false},
    {IN(ESTABLISHED) | FIN_WAITS, ON_DATA, STAY, SAME, SENDS_ACK, NULL, TR("the text goes to the user and is acknowledged"),
     "3.10.7.4", false},
    {IN(CLOSE_WAIT) | ENDING, ON_DATA, STAY, SAME, SENDS_NOTHING, NULL, PEER_HAS_ENDED, "3.10.7.4", false},
    {IN(CLOSED), ON_DATA_OUT, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_DATA_OUT, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_DATA_OUT, STAY, SAME, SENDS_NOTHING, NULL, NO_SYN, "3.10.7.3", false},
    {HAS_WINDOW, ON_DATA_OUT, STAY, SAME, SENDS_ACK, NULL, OUT_OF_WINDOW, "3.10.7.4", false},

    {IN(CLOSED), ON_FIN, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_FIN, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_FIN, STAY, SAME, SENDS_NOTHING, NULL, TR("its sequence number can't be checked: it is dropped"), "3.10.7.3",
     false},
    {IN(SYN_RCVD), ON_FIN, STATE_CLOSE_WAIT, SAME, SENDS_ACK, TR("connection closing"),
     TR("its ACK completes the handshake, then the FIN is taken and acknowledged"), "3.10.7.4", false},
    {IN(ESTABLISHED), ON_FIN, STATE_CLOSE_WAIT, SAME, SENDS_ACK, TR("connection closing"), TR("the peer has nothing more to send"),
     "3.10.7.4", false},
    {IN(FIN_WAIT_1), ON_FIN, STATE_CLOSING, SAME, SENDS_ACK, TR("connection closing"), TR("simultaneous CLOSE: the FINs crossed"),
     "3.10.7.4", false},
    {IN(FIN_WAIT_2), ON_FIN, STATE_TIME_WAIT, SAME, SENDS_ACK, TR("connection closing"),
     TR("both FINs are acknowledged: wait 2MSL"), "3.10.7.4", false},
    {IN(CLOSE_WAIT) | IN(LAST_ACK), ON_FIN, STAY, SAME, SENDS_ACK, NULL, TR("the peer's FIN was received before: it stays"),
     "3.10.7.4", false},
    {IN(CLOSING), ON_FIN, STAY, SAME, SENDS_NOTHING, NULL, TR("it does not acknowledge our FIN: it is ignored"), "3.10.7.4", false},
    {IN(TIME_WAIT), ON_FIN, STAY, SAME, SENDS_ACK, NULL, TR("it is acknowledged again, and the wait of 2MSL begins anew"),
     "3.10.7.4", false},
    {IN(CLOSED), ON_FIN_ACK_OF_FIN, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_FIN_ACK_OF_FIN, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_FIN_ACK_OF_FIN, STAY, SAME, SENDS_NOTHING, NULL, TR("its sequence number can't be checked: it is dropped"),
     "3.10.7.3", false},
    {IN(SYN_RCVD) | IN(ESTABLISHED), ON_FIN_ACK_OF_FIN, STATE_CLOSE_WAIT, SAME, SENDS_ACK, TR("connection closing"),
     TR("there is no FIN of ours to acknowledge: it is the peer's FIN alone"), "3.10.7.4", false},
    {IN(FIN_WAIT_1), ON_FIN_ACK_OF_FIN, STATE_TIME_WAIT, SAME, SENDS_ACK, TR("connection closing"),
     TR("our FIN is acknowledged, and the peer's has come: wait 2MSL (note 2 of figure 5)"), "3.10.7.4", false},
    {IN(FIN_WAIT_2), ON_FIN_ACK_OF_FIN, STATE_TIME_WAIT, SAME, SENDS_ACK, TR("connection closing"),
     TR("both FINs are acknowledged: wait 2MSL"), "3.10.7.4", false},
    {IN(CLOSE_WAIT), ON_FIN_ACK_OF_FIN, STAY, SAME, SENDS_ACK, NULL, TR("the peer's FIN was received before: it stays"), "3.10.7.4",
     false},
    {IN(CLOSING), ON_FIN_ACK_OF_FIN, STATE_TIME_WAIT, SAME, SENDS_ACK, NULL, TR("both FINs are acknowledged: wait 2MSL"),
     "3.10.7.4", false},
    {IN(LAST_ACK), ON_FIN_ACK_OF_FIN, STATE_CLOSED, SAME, SENDS_NOTHING, NULL, TR("our FIN is acknowledged: the record is deleted"),
     "3.10.7.4", false},
    {IN(TIME_WAIT), ON_FIN_ACK_OF_FIN, STAY, SAME, SENDS_ACK, NULL,
     TR("it is acknowledged again, and the wait of 2MSL begins anew"), "3.10.7.4", false},
    {IN(CLOSED), ON_FIN_OUT, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_FIN_OUT, STAY, SAME, SENDS_RST, NULL, NO_ACK_EXPECTED, "3.10.7.2", false},
    {IN(SYN_SENT), ON_FIN_OUT, STAY, SAME, SENDS_NOTHING, NULL, TR("its sequence number can't be checked: it is dropped"),
     "3.10.7.3", false},
    {HAS_WINDOW & ~IN(TIME_WAIT), ON_FIN_OUT, STAY, SAME, SENDS_ACK, NULL, OUT_OF_WINDOW, "3.10.7.4", false},
    {IN(TIME_WAIT), ON_FIN_OUT, STAY, SAME, SENDS_ACK, NULL,
     TR("our last ACK was lost: it is sent again, and the wait of 2MSL begins anew"), "3.10.7.4", false},
    {IN(CLOSED), ON_FIN_BARE, STAY, SAME, SENDS_RST, NULL, NOWHERE, "3.10.7.1", false},
    {IN(LISTEN), ON_FIN_BARE, STAY, SAME, SENDS_NOTHING, NULL, NO_SYN, "3.10.7.2", false},
    {IN(SYN_SENT), ON_FIN_BARE, STAY, SAME, SENDS_NOTHING, NULL, NO_SYN, "3.10.7.3", false},
    {HAS_WINDOW, ON_FIN_BARE, STAY, SAME, SENDS_NOTHING, NULL, NO_ACK_BIT, "3.10.7.4", false},

    {IN(CLOSED), ON_RST, STAY, SAME, SENDS_NOTHING, NULL, IGNORES_RST, "3.10.7.1", false},
    {IN(LISTEN), ON_RST, STAY, SAME, SENDS_NOTHING, NULL, NOTHING_SENT, "3.10.7.2", false},
    {IN(SYN_SENT), ON_RST, STATE_CLOSED, SAME, SENDS_NOTHING, TR("error: connection reset"), TR("our SYN was refused"), "3.10.7.3",
     false},
    {IN(SYN_RCVD), ON_RST, STATE_CLOSED, STATE_LISTEN, SENDS_NOTHING, TR("connection refused"),
     TR("after a passive OPEN back to LISTEN without a word; else the connection was refused"), "3.10.7.4", false},
    {SENDING | FIN_WAITS, ON_RST, STATE_CLOSED, SAME, SENDS_NOTHING, WAS_RESET, TR("the peer aborted the connection"), "3.10.7.4",
     false},
    {ENDING, ON_RST, STATE_CLOSED, SAME, SENDS_NOTHING, NULL, TR("the record is deleted (RFC 1337 warns of this in TIME_WAIT)"),
     "3.10.7.4", false},
    {IN(CLOSED), ON_RST_NEAR, STAY, SAME, SENDS_NOTHING, NULL, IGNORES_RST, "3.10.7.1", false},
    {IN(LISTEN), ON_RST_NEAR, STAY, SAME, SENDS_NOTHING, NULL, NOTHING_SENT, "3.10.7.2", false},
    {IN(SYN_SENT), ON_RST_NEAR, STAY, SAME, SENDS_NOTHING, NULL, TR("it acknowledges nothing: it is dropped"), "3.10.7.3", false},
    {HAS_WINDOW, ON_RST_NEAR, STAY, SAME, SENDS_ACK, NULL, CHALLENGE, "3.10.7.4", false},
    {IN(CLOSED), ON_RST_OUT, STAY, SAME, SENDS_NOTHING, NULL, IGNORES_RST, "3.10.7.1", false},
    {IN(LISTEN), ON_RST_OUT, STAY, SAME, SENDS_NOTHING, NULL, NOTHING_SENT, "3.10.7.2", false},
    {IN(SYN_SENT), ON_RST_OUT, STAY, SAME, SENDS_NOTHING, NULL, TR("it does not acknowledge our SYN: it is dropped"), "3.10.7.3",
     false},
    {HAS_WINDOW, ON_RST_OUT, STAY, SAME, SENDS_NOTHING, NULL, TR("out of the window: it is dropped without a word"), "3.10.7.4",
     false},

    {OPENING | SENDING | IN(FIN_WAIT_1) | IN(CLOSING) | IN(LAST_ACK), ON_RETRANSMISSION_TIMEOUT, STAY, SAME, SENDS_AGAIN, NULL,
     TR("what stands first in the queue is sent again, and the timer starts anew"), "3.10.8", false},
    {IN(CLOSED) | IN(LISTEN) | IN(FIN_WAIT_2) | IN(TIME_WAIT), ON_RETRANSMISSION_TIMEOUT, STAY, SAME, SENDS_NOTHING, NULL,
     TIMER_RESTS, "3.10.8", true},
    {IN(CLOSED), ON_USER_TIMEOUT, STAY, SAME, SENDS_NOTHING, NULL, TIMER_RESTS, "3.10.8", true},
    {EVERY & ~IN(CLOSED), ON_USER_TIMEOUT, STATE_CLOSED, SAME, SENDS_NOTHING, TR("error: connection aborted due to user timeout"),
     TR("all queues are flushed, the record is deleted"), "3.10.8", false},
    {IN(TIME_WAIT), ON_TIME_WAIT_TIMEOUT, STATE_CLOSED, SAME, SENDS_NOTHING, NULL, TR("2MSL have passed: the record is deleted"),
     "3.10.8", false},
    {EVERY & ~IN(TIME_WAIT), ON_TIME_WAIT_TIMEOUT, STAY, SAME, SENDS_NOTHING, NULL, TIMER_RESTS, "3.10.8", true},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct processing_row *processing_rows(size_t *ret_count)
{
    *ret_count = ROWS;
    return rows;
}

const struct processing_row *processing_find(enum tcp_state state, enum processing_event event)
{
    if ((unsigned)state >= STATE_COUNT) return NULL;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].event == event && rows[i].states & 1u << state) return &rows[i];
    return NULL;
}

enum tcp_state processing_next(enum tcp_state state, enum processing_event event, bool passive)
{
    const struct processing_row *row = processing_find(state, event);
    if (!row) return STATE_UNKNOWN;
    if (passive && row->to_passive != SAME) return row->to_passive;
    return row->to == STAY ? state : row->to;
}

const char *processing_event_name(enum processing_event event)
{
    static const char *const names[ON_EVENTS] = {
        [ON_OPEN_PASSIVE] = "passive OPEN",
        [ON_OPEN_ACTIVE] = "active OPEN",
        [ON_SEND] = "SEND",
        [ON_RECEIVE] = "RECEIVE",
        [ON_CLOSE] = "CLOSE",
        [ON_ABORT] = "ABORT",
        [ON_STATUS] = "STATUS",
        [ON_SYN] = "rcv SYN",
        [ON_SYN_OUT] = "rcv SYN out of window",
        [ON_SYN_ACK] = "rcv SYN,ACK",
        [ON_SYN_ACK_BAD] = "rcv SYN,ACK of what was never sent",
        [ON_ACK] = "rcv ACK",
        [ON_ACK_OF_FIN] = "rcv ACK of FIN",
        [ON_ACK_OLD] = "rcv old ACK",
        [ON_ACK_BAD] = "rcv ACK of what was never sent",
        [ON_DATA] = "rcv data",
        [ON_DATA_OUT] = "rcv data out of window",
        [ON_FIN] = "rcv FIN",
        [ON_FIN_ACK_OF_FIN] = "rcv FIN,ACK of FIN",
        [ON_FIN_OUT] = "rcv FIN out of window",
        [ON_FIN_BARE] = "rcv FIN without ACK",
        [ON_RST] = "rcv RST",
        [ON_RST_NEAR] = "rcv RST in window, not at RCV.NXT",
        [ON_RST_OUT] = "rcv RST out of window",
        [ON_RETRANSMISSION_TIMEOUT] = "retransmission timeout",
        [ON_USER_TIMEOUT] = "user timeout",
        [ON_TIME_WAIT_TIMEOUT] = "time-wait timeout",
    };
    return (unsigned)event < ON_EVENTS ? names[event] : "?";
}

const char *processing_sends_name(enum processing_sends sends)
{
    static const char *const names[SENDS_COUNT] = {"nothing", "SYN", "SYN,ACK", "ACK", "data", "FIN", "RST", "it again"};
    return (unsigned)sends < SENDS_COUNT ? names[sends] : "?";
}
