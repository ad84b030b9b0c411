/* Which state an end is in, and what ended a wait. */
#define CHANGES(t, from, to, who, sock, chain) "state t=" #t US " from=" from " to=" to " netns=9 " who sock CHAIN(chain) "\n"
#define ENDS_UNANSWERED(chain) TRACE PACKET(1000, C, SYN) CHANGES(2000, "SYN_SENT", "CLOSE", C_CUR, C_SOCK, chain)
static const struct bound states_and_waits_bounds[] = {
    /* TIME_WAIT, to the nanosecond; and of both ends, where both FINs crossed. */
    {"c state TIME_WAIT>CLOSED", TRACE HANDSHAKE GOODBYE LATER(60002010), TRACE HANDSHAKE GOODBYE LATER(60002009)},
    {"time-wait=2",
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2000, S, "flags=F. seq=501 ack=101") PACKET(2010, C, "flags=. seq=102 ack=502")
         PACKET(2010, S, "flags=. seq=502 ack=102"),
     TRACE HANDSHAKE GOODBYE},
    {"time-wait=0", TRACE HANDSHAKE GOODBYE,
     TRACE HANDSHAKE PACKET(2000, S, "flags=F. seq=501 ack=101") PACKET(2010, C, "flags=F. seq=101 ack=502")
         PACKET(2020, S, "flags=. seq=502 ack=102")},
    /* A SYN of which nothing more is to be seen: close(), or the end of the process, lets go of it. */
    {"c state SYN_SENT>CLOSED", ENDS_UNANSWERED("tcp_set_state;tcp_done;tcp_close;__x64_sys_close"),
     ENDS_UNANSWERED("tcp_set_state;tcp_done;tcp_v4_rcv;net_rx_action")},
    {"c state SYN_SENT>CLOSED", ENDS_UNANSWERED("tcp_set_state;tcp_done;tcp_close;sock_close;task_work_run;do_exit"),
     ENDS_UNANSWERED("tcp_set_state;tcp_done;some_function")},
    {"c state SYN_SENT>CLOSED", ENDS_UNANSWERED("tcp_set_state;tcp_done;tcp_close;__x64_sys_close"),
     TRACE HANDSHAKE CHANGES(2000, "ESTABLISHED", "CLOSE", C_CUR, C_SOCK, "tcp_set_state;tcp_done;tcp_close;__x64_sys_close")},
    /* What a read had been waiting for. */
    {"the data (#4) was there already", TRACE HANDSHAKE PACKET(2000, S, S_DATA) DOES(2000, 2100, C_THREAD, "read", C_SOCK, "5"),
     TRACE HANDSHAKE PACKET(2000, S, S_DATA) DOES(1999, 2100, C_THREAD, "read", C_SOCK, "5")},
    {"the data (#4) brought the data", TRACE HANDSHAKE PACKET(2000, S, S_DATA) DOES(1500, 2000, C_THREAD, "read", C_SOCK, "5"),
     TRACE HANDSHAKE PACKET(2000, S, S_DATA) DOES(1500, 1999, C_THREAD, "read", C_SOCK, "5")},
    {"the RST (#5) aborted the connection", /* the one that fits */
     TRACE HANDSHAKE PACKET(2000, S, "flags=R seq=502") PACKET(2100, S, "flags=R seq=501")
         DOES(1500, 2200, C_THREAD, "read", C_SOCK, "-104"),
     TRACE HANDSHAKE PACKET(2000, S, "flags=R seq=501") PACKET(2100, S, "flags=R seq=501")
         DOES(1500, 2200, C_THREAD, "read", C_SOCK, "-104")},
    {"took:2,",
     TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2010, S, "flags=P. seq=506 ack=101 len=5")
         DOES(2100, 2110, C_THREAD, "read", C_SOCK, "6"),
     TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2010, S, "flags=P. seq=506 ack=101 len=5")
         DOES(2100, 2110, C_THREAD, "read", C_SOCK, "5")},
    {"took:1,", TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2010, S, S_DATA) DOES(2100, 2110, C_THREAD, "read", C_SOCK, "5"),
     TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2010, S, "flags=P. seq=506 ack=101 len=5")
         DOES(2100, 2110, C_THREAD, "read", C_SOCK, "10")},
    {"accept server[20] listener waits ret=0 wake:never-slept", TRACE LISTEN HANDSHAKE TAKES_IT(1060, 1060, "0"),
     TRACE LISTEN HANDSHAKE TAKES_IT(1060, 1060, "-11")},
    {"the ACK (#3) was there already",
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "0") LISTEN HANDSHAKE PACKET(1050, C, C_DATA) ACCEPT(1060, "4"),
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "1") LISTEN HANDSHAKE PACKET(1050, C, C_DATA) ACCEPT(1060, "4")},
    /* An end whose SYN-ACK was not captured, but what follows it. */
    {"s state LISTEN>SYN_RCVD", TRACE PACKET(1000, C, SYN) PACKET(1100, S, S_DATA),
     TRACE PACKET(1000, C, SYN) PACKET(1100, C, SYN)},
    /* A request that was waited for too long is forgotten: its timer was due, and a fifth of a second more. */
    {"s state SYN_RCVD>ESTABLISHED",
     TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1201010, C, HANDSHAKE_ACK)
         PACKET(1201020, S, "flags=R seq=501") ACCEPT(1201015, "4"),
     TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1201011, C, HANDSHAKE_ACK)
         PACKET(1201020, S, "flags=R seq=501") ACCEPT(1201015, "4")},
    /* An ACK answers what it acknowledges; what came at the same time does not make that doubtful, what came later does. */
    {"either may have made it",
     TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2010, S, "flags=P. seq=506 ack=101 len=5")
         PACKET(2020, C, "flags=. seq=101 ack=506"),
     TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2010, S, "flags=P. seq=506 ack=101 len=5")
         PACKET(2020, C, "flags=. seq=101 ack=511")},
    {"found error refused", TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101"),
     TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=102")},
};
