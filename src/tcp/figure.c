#include "tcp/figure.h"
#include "base/lang.h"

#include <string.h>

#define ANY STATE_UNKNOWN
#define NONE INPUT_COUNT
#define OWN_SOCKET TR("only where the end has a socket that can be closed: after a simultaneous OPEN, or with Fast Open")
#define ENDS "delete TCB"

static const struct figure_arrow arrows[] = {
    /* drawn, from top to bottom */
    {STATE_CLOSED, INPUT_CALL_LISTEN, STATE_LISTEN, "passive OPEN", "create TCB", NULL, "inet_csk_listen_start()", NULL},
    {STATE_LISTEN, INPUT_CALL_CLOSE, STATE_CLOSED, "CLOSE", ENDS, NULL, "inet_csk_listen_stop()",
     TR("seen in the kernel's own report of the listening socket")},
    {STATE_CLOSED, INPUT_SENT_SYN, STATE_SYN_SENT, "active OPEN", "create TCB, snd SYN", NULL, "tcp_v4_connect()", NULL},
    {STATE_SYN_SENT, INPUT_CALL_CLOSE, STATE_CLOSED, "CLOSE", ENDS, NULL, "__tcp_close()", NULL},
    {STATE_LISTEN, INPUT_SENT_SYN_ACK, STATE_SYN_RCVD, "rcv SYN", "snd SYN,ACK", NULL, "tcp_conn_request()", NULL},
    {STATE_LISTEN, INPUT_SENT_SYN, STATE_SYN_SENT, "SEND", "snd SYN",
     TR("a socket that listens stays passive: send() on it fails with EPIPE, connect() with EISCONN"),
     "sk_stream_wait_connect(), __inet_stream_connect()", NULL},
    {STATE_SYN_RCVD, INPUT_RCVD_RST_PASSIVE, STATE_LISTEN, "rcv RST", "", NULL, "tcp_check_req()",
     TR("note 1: after a passive OPEN only")},
    {STATE_SYN_SENT, INPUT_SENT_SYN_ACK, STATE_SYN_RCVD, "rcv SYN", "snd SYN,ACK", NULL, "tcp_rcv_synsent_state_process()",
     TR("simultaneous OPEN")},
    {STATE_SYN_RCVD, INPUT_RCVD_ACK_OF_SYN, STATE_ESTABLISHED, "rcv ACK of SYN", "", NULL, "tcp_rcv_state_process()", NULL},
    {STATE_SYN_SENT, INPUT_RCVD_SYN_ACK, STATE_ESTABLISHED, "rcv SYN,ACK", "snd ACK", NULL, "tcp_finish_connect()", NULL},
    {STATE_SYN_RCVD, INPUT_SENT_FIN, STATE_FIN_WAIT_1, "CLOSE", "snd FIN", NULL, "tcp_close_state()", OWN_SOCKET},
    {STATE_ESTABLISHED, INPUT_SENT_FIN, STATE_FIN_WAIT_1, "CLOSE", "snd FIN", NULL, "tcp_close_state()", NULL},
    {STATE_ESTABLISHED, INPUT_RCVD_FIN, STATE_CLOSE_WAIT, "rcv FIN", "snd ACK", NULL, "tcp_fin()", NULL},
    {STATE_FIN_WAIT_1, INPUT_RCVD_ACK_OF_FIN, STATE_FIN_WAIT_2, "rcv ACK of FIN", "", NULL, "tcp_rcv_state_process()", NULL},
    {STATE_FIN_WAIT_1, INPUT_RCVD_FIN, STATE_CLOSING, "rcv FIN", "snd ACK", NULL, "tcp_fin()", TR("simultaneous CLOSE")},
    {STATE_CLOSE_WAIT, INPUT_SENT_FIN, STATE_LAST_ACK, "CLOSE", "snd FIN", NULL, "tcp_close_state()", NULL},
    {STATE_FIN_WAIT_2, INPUT_RCVD_FIN, STATE_TIME_WAIT, "rcv FIN", "snd ACK", NULL, "tcp_fin(), tcp_time_wait()", NULL},
    {STATE_CLOSING, INPUT_RCVD_ACK_OF_FIN, STATE_TIME_WAIT, "rcv ACK of FIN", "", NULL, "tcp_rcv_state_process(), tcp_time_wait()",
     NULL},
    {STATE_TIME_WAIT, INPUT_TIMEOUT_2MSL, STATE_CLOSED, "Timeout=2MSL", ENDS, NULL, "tw_timer_handler()",
     TR("60 seconds on Linux: seen where recording goes on so long")},
    {STATE_LAST_ACK, INPUT_RCVD_ACK_OF_FIN, STATE_CLOSED, "rcv ACK of FIN", ENDS, NULL, "tcp_rcv_state_process()", NULL},

    /* the figure's notes */
    {STATE_FIN_WAIT_1, NONE, STATE_TIME_WAIT, "rcv FIN,ACK of FIN", "snd ACK", NULL, "tcp_rcv_state_process(), tcp_fin()",
     TR("note 2: 14 and 17 in one segment")},
    {ANY, NONE, STATE_TIME_WAIT, "snd RST", "",
     TR("note 3 lets an end that aborts with RST wait in TIME_WAIT; Linux deletes it at once"), "tcp_disconnect(), tcp_done()",
     NULL},

    /* section 3.10: resets, and giving up */
    {STATE_LISTEN, NONE, STATE_CLOSED, "user timeout", ENDS,
     TR("a listening socket has nothing to wait for, so no such timer runs"), "inet_csk_listen_start()", NULL},
    {STATE_SYN_SENT, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_reset()", NULL},
    {STATE_SYN_SENT, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, "user timeout", ENDS, NULL, "tcp_write_timeout()", NULL},
    {STATE_SYN_RCVD, INPUT_RCVD_FIN, STATE_CLOSE_WAIT, "rcv FIN", "snd ACK",
     TR("a FIN is looked at behind the ACK that it carries: that takes 9 first, and then 13"), "tcp_rcv_state_process()", NULL},
    {STATE_SYN_RCVD, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_reset()",
     TR("after an active OPEN: simultaneous OPEN")},
    {STATE_SYN_RCVD, INPUT_SENT_RST, STATE_CLOSED, "ABORT", "snd RST", NULL, "tcp_disconnect()",
     TR("a socket of its own that is aborted: simultaneous OPEN, then close() with SO_LINGER 0")},
    {STATE_SYN_RCVD, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, "user timeout", ENDS, NULL, "tcp_write_err(), reqsk_timer_handler()",
     TR("after a passive OPEN there is only a request socket, of which nothing but its timer tells")},
    {STATE_ESTABLISHED, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_reset()", NULL},
    {STATE_ESTABLISHED, INPUT_SENT_RST, STATE_CLOSED, "ABORT", "snd RST", NULL, "tcp_send_active_reset()", NULL},
    {STATE_ESTABLISHED, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, "user timeout", ENDS, NULL, "tcp_write_err()", NULL},
    {STATE_FIN_WAIT_1, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_reset()", NULL},
    {STATE_FIN_WAIT_1, INPUT_SENT_RST, STATE_CLOSED, "ABORT", "snd RST", NULL, "tcp_send_active_reset()", NULL},
    {STATE_FIN_WAIT_1, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, "user timeout", ENDS, NULL, "tcp_write_err()", NULL},
    {STATE_FIN_WAIT_2, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_reset(), tcp_timewait_state_process()", NULL},
    {STATE_FIN_WAIT_2, INPUT_SENT_RST, STATE_CLOSED, "ABORT", "snd RST", NULL, "tcp_send_active_reset()", NULL},
    {STATE_FIN_WAIT_2, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, "user timeout", ENDS, NULL, "tcp_keepalive_timer(), tw_timer_handler()",
     TR("an orphan, after net.ipv4.tcp_fin_timeout")},
    {STATE_CLOSE_WAIT, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_reset()", NULL},
    {STATE_CLOSE_WAIT, INPUT_SENT_RST, STATE_CLOSED, "ABORT", "snd RST", NULL, "tcp_send_active_reset()", NULL},
    {STATE_CLOSE_WAIT, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, "user timeout", ENDS, NULL, "tcp_write_err()", NULL},
    {STATE_CLOSING, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_reset()", NULL},
    {STATE_CLOSING, INPUT_SENT_RST, STATE_CLOSED, "ABORT", "snd RST", NULL, "__tcp_close()",
     TR("shutdown(), then close() with unread data")},
    {STATE_CLOSING, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, "user timeout", ENDS, NULL, "tcp_write_err()", NULL},
    {STATE_LAST_ACK, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_reset()", NULL},
    {STATE_LAST_ACK, INPUT_SENT_RST, STATE_CLOSED, "ABORT", "snd RST", NULL, "__tcp_close()",
     TR("shutdown(), then close() with unread data")},
    {STATE_LAST_ACK, INPUT_TIMEOUT_GIVE_UP, STATE_CLOSED, "user timeout", ENDS, NULL, "tcp_write_err()", NULL},
    {STATE_TIME_WAIT, INPUT_RCVD_RST, STATE_CLOSED, "rcv RST", ENDS, NULL, "tcp_timewait_state_process()",
     TR("unless net.ipv4.tcp_rfc1337 is set")},
    {STATE_TIME_WAIT, NONE, STATE_CLOSED, "user timeout", ENDS,
     TR("a timewait socket keeps no user timeout: the socket that had one is gone"), "tcp_time_wait()", NULL},
};
enum { ARROWS = sizeof(arrows) / sizeof(arrows[0]) };
_Static_assert((int)ARROWS <= (int)FIGURE_MAX, "more arrows than FIGURE_MAX");

const struct figure_arrow *figure_arrows(size_t *ret_count)
{
    *ret_count = ARROWS;
    return arrows;
}

unsigned figure_number_of(enum tcp_state from, enum tcp_input input)
{
    for (unsigned i = 0; i < ARROWS; i++)
        if (arrows[i].from == from && arrows[i].input == input && input != NONE) return i + 1;
    return 0;
}

unsigned figure_number(enum tcp_state from, enum tcp_state to, const char *why)
{
    for (unsigned i = 0; i < ARROWS; i++) {
        if (arrows[i].from != from || arrows[i].to != to || arrows[i].input == NONE) continue;
        const struct tcp_arrow *arrow = tcp_next(from, arrows[i].input);
        if (arrow && strcmp(arrow->why, why) == 0) return i + 1;
    }
    return 0;
}

unsigned figure_number_of_note_2(void)
{
    for (unsigned i = 0; i < ARROWS; i++)
        if (arrows[i].from == STATE_FIN_WAIT_1 && arrows[i].to == STATE_TIME_WAIT) return i + 1;
    return 0;
}
