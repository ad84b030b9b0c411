/* Internal to matrix.c and matrix_walk.c. */
#ifndef TCPWHY_MATRIX_OWN_H
#define TCPWHY_MATRIX_OWN_H

#include "conn/conn.h"
#include "tcp/processing.h"

/* Columns, in the order of enum processing_event:
 * passive OPEN, active OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS | SYN, SYN out, SYN-ACK, SYN-ACK bad | ACK, ACK of FIN, old ACK,
 * bad ACK | data, data out | FIN, FIN with ACK of FIN, FIN out, FIN bare | RST, RST near, RST out | retransmission, user, time-wait
 */
#define ROW(calls, syn, ack, data, fin, rst, timers) calls syn ack data fin rst timers

/* S: SYN, Y: SYN-ACK, A: ACK, D: data, F: FIN, R: RST, '>': the same again, '.': nothing. */
static const char send_letters[] = ".SYADFR>";
static const char *const sends[STATE_COUNT] = {
    [STATE_CLOSED] = ROW(".S.....", "RRRR", "RRRR", "RR", "RRRR", "...", "..."),
    [STATE_LISTEN] = ROW(".SS....", "YYRR", "RRRR", "RR", "RRR.", "...", "..."),
    [STATE_SYN_SENT] = ROW(".......", "YYAR", ".RRR", "..", "....", "...", ">.."),
    [STATE_SYN_RCVD] = ROW("....FR.", "AAAA", ".RRR", "AA", "AAA.", ".A.", ">.."),
    [STATE_ESTABLISHED] = ROW("..D.FR.", "AAAA", ".A.A", "AA", "AAA.", ".A.", ">.."),
    [STATE_FIN_WAIT_1] = ROW(".....R.", "AAAA", "...A", "AA", "AAA.", ".A.", ">.."),
    [STATE_FIN_WAIT_2] = ROW(".....R.", "AAAA", "...A", "AA", "AAA.", ".A.", "..."),
    [STATE_CLOSE_WAIT] = ROW("..D.FR.", "AAAA", ".A.A", ".A", "AAA.", ".A.", ">.."),
    [STATE_CLOSING] = ROW(".......", "AAAA", "...A", ".A", ".AA.", ".A.", ">.."),
    [STATE_LAST_ACK] = ROW(".......", "AAAA", "...A", ".A", "A.A.", ".A.", ">.."),
    [STATE_TIME_WAIT] = ROW(".......", "AAAA", "...A", ".A", "AAA.", ".A.", "..."),
};

#define EACH_PAIR(state, event)                                                                                                    \
    for (enum tcp_state state = STATE_CLOSED; state < STATE_COUNT; state++)                                                        \
        for (enum processing_event event = 0; event < ON_EVENTS; event++)

void the_state_machine_agrees_after_an_active_open(void **data);
void the_state_machine_agrees_after_a_passive_open(void **data);
/* What is dropped must leave no trace: the connection goes on as if it had not come. */
void a_segment_that_changes_nothing_derails_nothing(void **data);

#endif
