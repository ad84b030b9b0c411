/* A table for findings.c: of each finding the case that fires, and the nearest that must not. */
static const struct finding_case cases[] = {
    {"refused", true, TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101")},
    {"refused", false, TRACE PACKET(1010, S, "flags=R. seq=0 ack=101")},
#define ALONE(ret) "# tcpwhy events 1\ntrace t=1 recorder=ptrace\n" FAILS(990, 1000, C_THREAD, "connect", C_SOCK, ret)
    {"refused", true, ALONE("-111")}, /* by its calls alone */
    {"refused", false, ALONE("-110")},
    {"refused", false, TRACE HANDSHAKE PACKET(1100, S, "flags=R. seq=501 ack=101")},
    {"reset-unread-data", true,
     TRACE HANDSHAKE PACKET(1100, S, S_DATA) ENTER(1990, C_THREAD, "close", C_SOCK " sock.unread=5", "") PACKET(2000, C, C_RST)
         EXIT(2010, C_THREAD, "close", C_SOCK, "")},
/* The process ended, and its kernel closed. */
#define ENDS(frames, why)                                                                                                          \
    CALL(999, 1021, C_THREAD, "connect", C_SOCK)                                                                                   \
    "process t=1990000 " C_THREAD "change=exit status=0 signal=0\n" MARK(                                                          \
        2000, C, C_RST,                                                                                                            \
        C_CUR C_SOCK CHAIN(frames ";__tcp_close;inet_release;sock_close;task_work_run;do_exit;do_group_exit;__x64_sys_exit_"       \
                                  "group")) "reset t=2000500 sent=1 netns=9 " C_SOCK why "\n" PACKET(2001, C, C_RST)
    {"reset-unread-data", true,
     TRACE HANDSHAKE PACKET(1100, S, S_DATA) ENDS("tcp_send_active_reset", " reason=TCP_ABORT_ON_CLOSE")},
    {"reset-unread-data", true, /* a child that had called nothing held it last */
     TRACE HANDSHAKE PACKET(1100, S, S_DATA) MARK(2000, C, C_RST,
                                                  "cur.pid=11 cur.tid=11 cur.comm=kid " C_SOCK CHAIN(
                                                      "tcp_send_active_reset;__tcp_close;inet_release;sock_close;task_work_run;do_"
                                                      "exit;do_group_exit")) "reset t=2000500 sent=1 netns=9 " C_SOCK
                                                                             " reason=TCP_ABORT_ON_CLOSE\n" PACKET(2001, C, C_RST)},
    {"reset-unread-data", false, TRACE HANDSHAKE PACKET(1100, S, S_DATA) ENDS("tcp_send_active_reset", "")},
    {"reset-unread-data", false,
     TRACE HANDSHAKE PACKET(1100, S, S_DATA) ENDS("tcp_send_active_reset", " reason=TCP_ABORT_ON_LINGER")},
    {"linger-zero", true, TRACE HANDSHAKE LINGER_0 SENT_BY_CLOSE("tcp_send_active_reset;tcp_disconnect;__tcp_close")},
    {"linger-zero", false, TRACE HANDSHAKE SENT_BY_CLOSE("tcp_send_active_reset;tcp_disconnect;__tcp_close")},
    {"linger-zero", false, TRACE HANDSHAKE LINGER_0 SENT_BY_CLOSE("tcp_send_active_reset;__tcp_close")},
    {"closed-listener", true,
     TRACE HANDSHAKE MARK(
         2000, S, "flags=R. seq=501 ack=101",
         S_CUR S_SOCK CHAIN("tcp_send_active_reset;tcp_disconnect;inet_csk_listen_stop;__tcp_close;__x64_sys_close"))
         PACKET(2001, S, "flags=R. seq=501 ack=101")},
#define SERVER_ENDS(frames)                                                                                                        \
    "process t=1990000 " S_THREAD "change=exit status=0 signal=0\n" MARK(                                                          \
        2000, S, "flags=R. seq=501 ack=101",                                                                                       \
        S_CUR S_SOCK CHAIN("tcp_send_active_reset;tcp_disconnect;" frames                                                          \
                           "__tcp_close;inet_release;sock_close;task_work_run;do_exit;do_group_exit;__x64_sys_exit_group"))        \
        PACKET(2001, S, "flags=R. seq=501 ack=101")
    {"closed-listener", true, TRACE HANDSHAKE SERVER_ENDS("inet_csk_listen_stop;")},
    {"closed-listener", false, TRACE HANDSHAKE SERVER_ENDS("")},
    {"reset-late-data", true,
     TRACE HANDSHAKE CLOSE(1990, 2010, S_THREAD, S_SOCK, "") PACKET(2000, S, "flags=F. seq=501 ack=101")
         PACKET(2100, C, "flags=P. seq=101 ack=502 len=5") PACKET(2110, S, "flags=R seq=502")},
    {"reset-late-data", false, TRACE HANDSHAKE PACKET(2100, C, C_DATA) PACKET(2110, S, "flags=R seq=501")},
    {"half-open-rst", true,
     TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)
         PACKET(1020, WC, HANDSHAKE_ACK) ARRIVES(1021, WC, HANDSHAKE_ACK) PACKET(1500, WS, "flags=R. seq=501 ack=101") PACKET(
             2100, WC, C_DATA) ARRIVES(2101, WC, C_DATA) PACKET(2110, WS, "flags=R seq=501") ARRIVES(2111, WS, "flags=R seq=501")},
    {"fin-wait-2-timeout", true,
     TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN) PACKET(2005, S, "flags=. seq=501 ack=102")
         PACKET(9000000, S, S_FIN) PACKET(9000010, C, "flags=R seq=102")},
    {"fin-wait-2-timeout", false, /* sooner than any such timer ends it */
     TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN) PACKET(2005, S, "flags=. seq=501 ack=102")
         PACKET(1002004, S, S_FIN) PACKET(1002010, C, "flags=R seq=102")},
    {"fin-wait-2-timeout", true,
     TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN) PACKET(2005, S, "flags=. seq=501 ack=102")
         PACKET(1002005, S, S_FIN) PACKET(1002010, C, "flags=R seq=102")},
    {"fin-wait-2-timeout", false,
     TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN) PACKET(2005, S, "flags=. seq=501 ack=102")
         PACKET(9000000, S, "flags=P. seq=501 ack=102 len=5") PACKET(9000010, C, "flags=R seq=102")},
    {"time-wait-assassination", true,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(2030, S, "flags=R seq=502")},
    {"time-wait-assassination", true, /* an abort */
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(2030, S, "flags=R. seq=502 ack=102")},
    {"time-wait-assassination", true, /* what it answers is no ACK */
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(3020, C, "flags=F. seq=102 ack=502") PACKET(3030, S, "flags=R seq=502")},
    {"time-wait-assassination", false, /* its FIN was never acknowledged: from one place nobody knows that it came */
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2005, S, "flags=. seq=501 ack=102") PACKET(2010, S, S_FIN)
         PACKET(302010, S, S_FIN) PACKET(902010, S, S_FIN) PACKET(1900000, S, "flags=R. seq=502 ack=102")},
    {"time-wait-assassination", false, /* its own: nobody held it any more */
     TRACE PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK) PACKET(1020, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_FIN)
         PACKET(2010, WS, S_FIN) PACKET(2020, WC, "flags=R seq=102")},
    {"epipe-after-rst", true,
     TRACE HANDSHAKE PACKET(2000, S, "flags=R. seq=501 ack=101") FAILS(2100, 2110, C_THREAD, "sendto", C_SOCK, "-32")},
    {"epipe-after-rst", false, TRACE HANDSHAKE FAILS(2100, 2110, C_THREAD, "sendto", C_SOCK, "-32")},
    {"simultaneous-open", true,
     TRACE PACKET(1000, C, SYN) PACKET(1001, S, "flags=S seq=500") PACKET(1002, C, "flags=S. seq=100 ack=501")
         PACKET(1003, S, SYN_ACK)},
    {"simultaneous-open", false, TRACE HANDSHAKE},
    {"self-connect", true,
     TRACE PACKET(1000, "src=127.0.0.1:40000 dst=127.0.0.1:40000 proto=tcp ", SYN)
         PACKET(1001, "src=127.0.0.1:40000 dst=127.0.0.1:40000 proto=tcp ", "flags=S. seq=100 ack=101")},
    {"simultaneous-close", true,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2000, S, "flags=F. seq=501 ack=101") PACKET(2010, C, "flags=. seq=102 ack=502")
         PACKET(2010, S, "flags=. seq=502 ack=102")},
    {"half-close", true,
#define SHUTS(how)                                                                                                                 \
    "enter t=1990000 " C_THREAD "name=shutdown fd=3 how=" how " level=-1 " C_SOCK                                                  \
    "\n" PACKET(2000, C, C_FIN) "exit t=2010000 " C_THREAD "name=shutdown fd=3 how=" how " level=-1 slept=-1 ret=0 " C_SOCK        \
                                "\n" PACKET(2005, S, "flags=. seq=501 ack=102")
     TRACE HANDSHAKE SHUTS("1") PACKET(3000, S, "flags=P. seq=501 ack=102 len=5")},
    {"half-close", false, /* it receives no more either */
     TRACE HANDSHAKE SHUTS("2") PACKET(3000, S, "flags=P. seq=501 ack=102 len=5")},
    {"time-wait-answers", true,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(300000, S, S_FIN) PACKET(300010, C, "flags=. seq=102 ack=502")},
    {"time-wait-answers", false, /* the first had been lost: this is the first ACK of it */
     TRACE OPEN PACKET(2000, C, C_FIN) PACKET(2000, S, "flags=F. seq=501 ack=101") PACKET(2010, S, "flags=. seq=502 ack=102")
         PACKET(300000, S, "flags=F. seq=501 ack=102") PACKET(300010, C, "flags=. seq=102 ack=502")},
    {"syn-unanswered", true, /* on the loopback it did arrive */
     TRACE ENTER(999, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN)
         PACKET(1001000, C, SYN) "exit t=3001000000 " C_THREAD "name=connect fd=3 how=-1 level=-1 slept=-1 ret=-110 " C_SOCK "\n"},
    {"user-timeout", true,
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "18", "1000") PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA)
         FAILS(1600, 1002000, C_THREAD, "recvfrom", C_SOCK, "-110")},
    {"user-timeout", false, /* it gave up sooner than that option allows: another bound was it */
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "18", "1000") PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA)
         FAILS(1600, 1001999, C_THREAD, "recvfrom", C_SOCK, "-110")},
    {"user-timeout", true, /* what the peer says later is no answer */
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "18", "1000") PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA)
         FAILS(1600, 1002000, C_THREAD, "recvfrom", C_SOCK, "-110") PACKET(1002001, S, S_DATA)},
    {"user-timeout", false, /* it did speak meanwhile */
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "18", "1000") PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA)
         PACKET(1002000, S, S_DATA) FAILS(1600, 1002000, C_THREAD, "recvfrom", C_SOCK, "-110")},
    {"user-timeout", false, /* nobody set it */
     TRACE OPEN PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA) FAILS(1600, 1002000, C_THREAD, "recvfrom", C_SOCK, "-110")},
    {"data-unanswered", true,
     TRACE OPEN PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA) FAILS(1600, 1002000, C_THREAD, "recvfrom", C_SOCK, "-110")},
    {"data-unanswered", true, TRACE OPEN PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA) PACKET(900000, C, C_DATA)},
    {"data-unanswered", false, TRACE OPEN PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA)},
    {"data-unanswered", true, TRACE OPEN PACKET(2000, C, C_DATA) PACKET(3000, C, C_DATA) PACKET(192000, C, C_DATA)},
    {"data-unanswered", false, /* no timer has run out, and the answer may be on its way */
     TRACE OPEN PACKET(2000, C, C_DATA) PACKET(3000, C, C_DATA) PACKET(191999, C, C_DATA)},
    {"data-unanswered", false, /* the peer did speak, long after it */
     TRACE OPEN PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA) PACKET(900000, C, C_DATA) PACKET(910000, S, S_DATA ROOM)},
    {"data-unanswered", true, /* what was under way then is no answer */
     TRACE OPEN PACKET(2000, C, C_DATA) PACKET(200000, S, S_DATA ROOM) PACKET(300000, C, C_DATA) PACKET(900000, C, C_DATA)},
    {"data-unanswered", false,
     TRACE OPEN PACKET(2000, C, C_DATA) PACKET(202001, S, S_DATA ROOM) PACKET(300000, C, C_DATA) PACKET(900000, C, C_DATA)},
    {"data-unanswered", false, /* nothing of the other direction was captured */
     TRACE PACKET(1000, C, SYN ROOM) PACKET(1020, C, HANDSHAKE_ACK ROOM) PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA)
         PACKET(900000, C, C_DATA)},
    {"data-unanswered", false, /* its window was closed: the reader's silence */
     TRACE OPEN PACKET(1500, S, "flags=. seq=501 ack=101 win=0") PACKET(2000, C, C_DATA) PACKET(300000, C, C_DATA)
         PACKET(900000, C, C_DATA)},
    {"fin-unanswered", true, TRACE OPEN PACKET(2000, C, C_FIN) PACKET(300000, C, C_FIN) PACKET(900000, C, C_FIN)},
    {"fin-unanswered", false, TRACE OPEN PACKET(2000, C, C_FIN) PACKET(300000, C, C_FIN)},
    {"fin-unanswered", false,
     TRACE OPEN PACKET(2000, C, C_FIN) PACKET(300000, C, C_FIN) PACKET(900000, C, C_FIN)
         PACKET(900010, S, "flags=. seq=501 ack=102")},
    {"peer-silent", true, TRACE OPEN PACKET(1000000, C, "flags=. seq=100 ack=501") PACKET(2000000, C, "flags=. seq=100 ack=501")},
    {"peer-silent", false, TRACE OPEN PACKET(1000000, C, "flags=. seq=100 ack=501")},
    {"peer-silent", false,
     TRACE OPEN PACKET(1000000, C, "flags=. seq=100 ack=501") PACKET(2000000, C, "flags=. seq=100 ack=501")
         PACKET(2000010, S, "flags=. seq=501 ack=101")},
    {"keepalive-dead", true,
     TRACE OPEN PACKET(1000000, C, "flags=. seq=100 ack=501") FAILS(1600, 3000000, C_THREAD, "recvfrom", C_SOCK, "-110")},
    {"keepalive-dead", false, /* it was answered; what ended it is not known */
     TRACE OPEN PACKET(1000000, C, "flags=. seq=100 ack=501") PACKET(1000010, S, "flags=. seq=501 ack=101 win=512")
         FAILS(1600, 3000000, C_THREAD, "recvfrom", C_SOCK, "-110")},
#define SYN_TWICE PACKET(1000, C, SYN) PACKET(1001000, C, SYN) PACKET(1001010, S, SYN_ACK) PACKET(1001020, C, HANDSHAKE_ACK)
    {"syn-dropped-full-queue", true, TRACE LISTEN SYN_TWICE QUEUE(1001, C, SYN, "accept=2 accept_most=1 requests=0 dropped=0")},
    {"syn-dropped-full-queue", false, TRACE LISTEN SYN_TWICE QUEUE(1001, C, SYN, "accept=1 accept_most=1 requests=0 dropped=0")},
    {"syn-dropped-full-queue", false, TRACE LISTEN SYN_TWICE},
    {"syn-dropped-full-queue", false, /* with room by then: it was answered */
     TRACE LISTEN QUEUE(999, C, SYN, "accept=2 accept_most=1 requests=0 dropped=0") PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK)
         PACKET(1001000, C, SYN)},
    {"syn-unanswered", true, TRACE LISTEN SYN_TWICE},
    {"syn-unanswered", false, TRACE LISTEN SYN_TWICE QUEUE(1001, C, SYN, "accept=2 accept_most=1 requests=0 dropped=0")},
    {"syn-unanswered", false, TRACE LISTEN SYN_TWICE DROP(1001, C, SYN, FIREWALL)},
    {"syn-unanswered", false, TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001000, C, SYN)},
    {"syn-unanswered", false, /* lost on the way, and the second arrived */
     TRACE TWO_ENDS LISTEN PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) ARRIVES(1001005, WC, SYN) PACKET(1001010, WS, SYN_ACK)},
    {"firewall-dropped", true, TRACE LISTEN SYN_TWICE DROP(1001, C, SYN, FIREWALL)},
    {"firewall-dropped", false, TRACE LISTEN SYN_TWICE DROP(1001, C, SYN, "reason=TCP_CSUM function=tcp_v4_rcv")},
    {"ack-dropped-full-queue", true,
     TRACE LISTEN HANDSHAKE QUEUE(1021, C, HANDSHAKE_ACK, "accept=2 accept_most=1 requests=1 dropped=1")
         PACKET(1001000, S, SYN_ACK)},
    {"ack-dropped-full-queue", false, TRACE LISTEN HANDSHAKE PACKET(1001000, S, SYN_ACK)},
    {"handshake-ack-ignored", true, TRACE LISTEN HANDSHAKE PACKET(1001000, S, SYN_ACK)},
    {"handshake-ack-ignored", false,
     TRACE LISTEN HANDSHAKE QUEUE(1021, C, HANDSHAKE_ACK, "accept=2 accept_most=1 requests=1 dropped=1")
         PACKET(1001000, S, SYN_ACK)},
    {"handshake-ack-ignored", false, /* it came only after that */
     TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)
         PACKET(1020, WC, HANDSHAKE_ACK) PACKET(1001000, WS, SYN_ACK) ARRIVES(1001020, WC, HANDSHAKE_ACK)},
    {"handshake-ack-ignored", false, TRACE LISTEN HANDSHAKE DROP(1021, C, HANDSHAKE_ACK, FIREWALL) PACKET(1001000, S, SYN_ACK)},
#define RESETS_ACK(frames)                                                                                                         \
    MARK(1029, S, "flags=R seq=501",                                                                                               \
         C_CUR                                                                                                                     \
         "softirq=1 receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=. rx.seq=101 rx.ack=501" CHAIN( \
             frames))                                                                                                              \
    PACKET(1030, S, "flags=R seq=501")
    {"reset-full-queue", true, TRACE LISTEN HANDSHAKE RESETS_ACK("tcp_v4_send_reset;tcp_check_req;tcp_v4_rcv;net_rx_action")},
    {"reset-full-queue", false, TRACE LISTEN HANDSHAKE RESETS_ACK("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"reset-full-queue", false, TRACE LISTEN HANDSHAKE PACKET(1030, S, "flags=R seq=501")},
#define LISTENER_CLOSED(t)                                                                                                         \
    "enter t=" #t US " " S_THREAD "name=close fd=3 how=-1 level=-1 " LISTENER "\n"                                                 \
    "exit t=" #t US " " S_THREAD "name=close fd=3 how=-1 level=-1 slept=-1 " LISTENER "\n"
    {"listener-gone", true,
     UNFILTERED LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) LISTENER_CLOSED(1015) PACKET(1020, C, HANDSHAKE_ACK)
         PACKET(1030, S, "flags=R seq=501")},
    {"listener-gone", true,
     UNFILTERED LISTEN PACKET(1000, C, SYN)
         PACKET(1010, S, SYN_ACK) "process t=1015000 " S_THREAD "change=exit status=-1 signal=9\n" PACKET(1020, C, HANDSHAKE_ACK)
             PACKET(1030, S, "flags=R seq=501")},
    {"listener-gone", false, TRACE LISTEN HANDSHAKE PACKET(1030, S, "flags=R seq=501") LISTENER_CLOSED(1040)},
    {"deferred-accept", true, TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE PACKET(1100, C, C_DATA)},
    {"deferred-accept", false, TRACE LISTEN HANDSHAKE PACKET(1100, C, C_DATA)},
    {"deferred-accept", true, TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE},
#define OF_COURSE "# tcpwhy events 1\ntrace t=1 recorder=bpf course_only=1 ports=3333\nvantage t=1 vantage=1 netns=9 name=lo\n"
    {"deferred-accept", true, OF_COURSE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE PACKET(1100, C, C_DATA)},
    {"deferred-accept", false, /* the SYN-ACK came again: an ACK behind that may have made it */
     OF_COURSE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE PACKET(1001010, S, SYN_ACK)
         PACKET(1001100, C, C_DATA)},
    {"deferred-accept", false, /* nobody took the SYN */
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101")},
#define SYN_ACK_AGAIN PACKET(1001010, S, SYN_ACK) PACKET(1001020, C, HANDSHAKE_ACK) ACCEPT(1001030, "4")
    {"deferred-accept", true, /* the wait was over without data */
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "1") LISTEN HANDSHAKE SYN_ACK_AGAIN},
    {"deferred-accept", false, /* the ACK did not come */
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "1") LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) SYN_ACK_AGAIN},
    {"deferred-accept", false, /* the wait was over before data came: accept() had it, or the kernel a socket for it */
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE ACCEPT(1050, "4") PACKET(1100, C, C_DATA)},
    {"deferred-accept", false,
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE "state t=1030000 from=LISTEN to=SYN_RECV netns=9 " S_SOCK
                                                                           " sock.state=SYN_RECV\n" PACKET(1100, C, C_DATA)},
    {"fast-open", true,
     TRACE PACKET(1000, C, "flags=S seq=100 len=5 opt=fastopen opt.cookie_bytes=8") PACKET(1010, S, "flags=S. seq=500 ack=106")},
    {"fast-open", false, TRACE PACKET(1000, C, "flags=S seq=100 len=5") PACKET(1010, S, "flags=S. seq=500 ack=106")},
    {"syn-data", true, TRACE PACKET(1000, C, "flags=S seq=100 len=5") PACKET(1010, S, "flags=S. seq=500 ack=106")},
    {"syn-data", false, TRACE PACKET(1000, C, "flags=S seq=100 len=5 opt=fastopen opt.cookie_bytes=8")},
    {"fast-open", false, TRACE HANDSHAKE},
    {"time-wait-reuse", true,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(9000, C, "flags=S seq=9000")},
    {"time-wait-reuse", true, /* TIME_WAIT lasts a minute */
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(60002019, C, "flags=S seq=9000")},
    {"time-wait-reuse", false,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(60002020, C, "flags=S seq=9000")},
    {"time-wait-reuse", false, TRACE HANDSHAKE PACKET(2000, C, C_RST) PACKET(9000, C, "flags=S seq=9000")},
#define LISTEN_FOR(backlog)                                                                                                        \
    "enter t=900" US " " S_THREAD "name=listen fd=3 how=0 level=-1 args=\"3, " backlog "\" " LISTENER "\n"                         \
    "exit t=901" US " " S_THREAD "name=listen fd=3 how=0 level=-1 slept=-1 " LISTENER "\n"
    {"backlog-clipped", true, TRACE LISTEN_FOR("2") SYN_TWICE QUEUE(1001, C, SYN, "accept=2 accept_most=1 requests=0 dropped=0")},
    {"backlog-clipped", false, TRACE LISTEN_FOR("1") SYN_TWICE QUEUE(1001, C, SYN, "accept=2 accept_most=1 requests=0 dropped=0")},
    {"backlog-clipped", false, /* it is clipped, and there was room */
     TRACE LISTEN_FOR("2") SYN_TWICE QUEUE(1001, C, SYN, "accept=1 accept_most=1 requests=0 dropped=0")},
    {"backlog-clipped", false, /* what it asked for is not known */
     TRACE LISTEN SYN_TWICE QUEUE(1001, C, SYN, "accept=2 accept_most=1 requests=0 dropped=0")},
#define CONNECTS(to, local, ret)                                                                                                   \
    "enter t=5000000 " C_THREAD "name=connect fd=9 how=-1 level=-1 args=\"9, " to "\" sock.cookie=77 sock.proto=tcp" local "\n"    \
    "exit t=5001000 " C_THREAD "name=connect fd=9 how=-1 level=-1 slept=-1 ret=" ret " sock.cookie=77 sock.proto=tcp" local "\n"
#define C_RESET "flags=R. seq=101 ack=501"
#define BY(chain) MARK(2000, C, C_RESET, C_CUR C_SOCK CHAIN(chain)) PACKET(2001, C, C_RESET)
    {"destroyed-from-outside", true, TRACE HANDSHAKE BY("tcp_send_active_reset;tcp_abort;tcp_diag_destroy;__x64_sys_sendto")},
    {"destroyed-from-outside", false, TRACE HANDSHAKE BY("tcp_send_active_reset;tcp_disconnect;__tcp_close;__x64_sys_close")},
    {"destroyed-from-outside", false, TRACE HANDSHAKE PACKET(2001, C, C_RESET)}, /* nobody saw who made it */
#define OWN_SOCKET CALL(900, 901, C_THREAD, "socket", C_SOCK)
#define AGAIN(t, t2) PACKET(t, C, "flags=P. seq=101 ack=501 len=5") PACKET(t2, S, "flags=R seq=501")
    {"keepalive-off", true, TRACE OWN_SOCKET OPEN AGAIN(5001020, 5001030)},
    {"keepalive-off", false, TRACE OWN_SOCKET OPEN AGAIN(5001019, 5001030)}, /* not that long */
    {"keepalive-off", false, TRACE OPEN AGAIN(5001020, 5001030)},            /* which options it has nobody knows */
    {"keepalive-off", false, TRACE OWN_SOCKET OPEN OPTION(1500, C_THREAD, C_SOCK, "1", "9", "1") AGAIN(5001020, 5001030)},
    {"keepalive-off", false, /* it was alive */
     TRACE OWN_SOCKET OPEN PACKET(5001020, C, "flags=P. seq=101 ack=501 len=5") PACKET(5001030, S, "flags=. seq=501 ack=106" ROOM)
         PACKET(5001040, S, "flags=R. seq=501 ack=106")},
    {"keepalive-off", false, /* the peer had closed, and said so */
     TRACE OWN_SOCKET OPEN PACKET(2000, S, "flags=F. seq=501 ack=101" ROOM) PACKET(5002000, C, "flags=P. seq=101 ack=502 len=5")
         PACKET(5002010, S, "flags=R seq=502")},
    {"no-port-left", true, TRACE HANDSHAKE PACKET(2000, C, C_FIN) CONNECTS("127.0.0.1:3333", "", "-99")},
    {"no-port-left", false, TRACE HANDSHAKE PACKET(2000, C, C_FIN) CONNECTS("127.0.0.2:3333", "", "-99")}, /* another peer */
    {"no-port-left", false, TRACE HANDSHAKE PACKET(2000, C, C_FIN) CONNECTS("127.0.0.1:3333", "", "-111")},
    {"no-port-left", false, /* its port was its own choice */
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) CONNECTS("127.0.0.1:3333", " sock.local=127.0.0.1:40000", "-99")},
    {"no-port-left", false, /* this one held none any more */
     TRACE HANDSHAKE PACKET(2000, S, "flags=R. seq=501 ack=101") CONNECTS("127.0.0.1:3333", "", "-99")},
#define DNS "src=127.0.0.1:40000 dst=127.0.0.1:53 proto=udp "
#define DNS_BACK "src=127.0.0.1:53 dst=127.0.0.1:40000 proto=udp "
    {"name-lookup-slow", true, TRACE PACKET(1000, DNS, "len=30") PACKET(501000, DNS_BACK, "len=46")},
    {"name-lookup-slow", false, TRACE PACKET(1000, DNS, "len=30") PACKET(500999, DNS_BACK, "len=46")},
    {"name-lookup-slow", false, TRACE PACKET(1000, UDP_C, "len=30") PACKET(501000, UDP_S, "len=46")}, /* no name server's port */
    {"name-lookup-slow", true, /* counted from the first of its questions */
     TRACE PACKET(1000, DNS, "len=30") PACKET(400000, DNS, "len=30") PACKET(501000, DNS_BACK, "len=46")},
    {"name-lookup-slow", false, /* and each by itself */
     TRACE PACKET(1000, DNS, "len=30") PACKET(2000, DNS_BACK, "len=46") PACKET(900000, DNS, "len=30")
         PACKET(901000, DNS_BACK, "len=46")},
    {"name-lookup-failed", true, TRACE PACKET(1000, DNS, "len=30") PACKET(2001000, DNS, "len=30")},
    {"name-lookup-failed", false, TRACE PACKET(1000, DNS, "len=30") PACKET(2000999, DNS, "len=30")},
    {"name-lookup-failed", false, TRACE PACKET(1000, UDP_C, "len=30") PACKET(2001000, UDP_C, "len=30")},
    {"name-lookup-failed", false, /* it was answered, by an ICMP error */
     TRACE PACKET(1000, DNS, "len=30") PACKET(2001000, DNS, "len=30")
         PACKET(2001010, "src=127.0.0.1:0 dst=127.0.0.1:0 proto=icmp ",
                "icmp.type=3 icmp.code=3 icmp.quotes=1 icmp.proto=udp icmp.src=127.0.0.1:40000 icmp.dst=127.0.0.1:53")},
/* With its header alone, as run captures it: id, flags and kind of answer; one question. */
#define DNS_HEADERS(id, flags)                                                                                                     \
    "len=30 captured=54 wire=72 link=1 bytes="                                                                                     \
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000" id flags "0001000000000000"
    {"name-lookup-failed", true, /* NXDOMAIN */
     TRACE PACKET(1000, DNS, DNS_HEADERS("000a", "0100")) PACKET(2000, DNS_BACK, DNS_HEADERS("000a", "8183"))},
    {"name-lookup-failed", false,
     TRACE PACKET(1000, DNS, DNS_HEADERS("000a", "0100")) PACKET(2000, DNS_BACK, DNS_HEADERS("000a", "8180"))},
    {"name-lookup-failed", false, /* NOTIFY, which one server says to another */
     TRACE PACKET(1000, DNS, DNS_HEADERS("000a", "2400")) PACKET(2000, DNS_BACK, DNS_HEADERS("000a", "a403"))
         PACKET(3000000, DNS, DNS_HEADERS("000b", "2400")) PACKET(6000000, DNS, DNS_HEADERS("000b", "2400"))},
    {"name-lookup-failed", false, /* the answer to another question */
     TRACE PACKET(1000, DNS, DNS_HEADERS("000a", "0100")) PACKET(2000, DNS_BACK, DNS_HEADERS("000b", "8183"))},
    {"name-lookup-failed", true, /* two questions at once, answered the other way round */
     TRACE PACKET(1000, DNS, DNS_HEADERS("000a", "0100")) PACKET(1001, DNS, DNS_HEADERS("000b", "0100"))
         PACKET(2000, DNS_BACK, DNS_HEADERS("000b", "8180")) PACKET(2001, DNS_BACK, DNS_HEADERS("000a", "8182"))},
    {"name-lookup-failed", true, /* of two at once one was answered */
     TRACE PACKET(1000, DNS, DNS_HEADERS("000a", "0100")) PACKET(1001, DNS, DNS_HEADERS("000b", "0100"))
         PACKET(2000, DNS_BACK, DNS_HEADERS("000b", "8180")) PACKET(2001000, DNS, DNS_HEADERS("000a", "0100"))},
    {"name-lookup-slow", true, /* of two at once one was lost, and asked again */
     TRACE PACKET(1000, DNS, DNS_HEADERS("000a", "0100")) PACKET(1001, DNS, DNS_HEADERS("000b", "0100"))
         PACKET(2000, DNS_BACK, DNS_HEADERS("000b", "8180")) PACKET(500000, DNS, DNS_HEADERS("000a", "0100"))
             PACKET(501000, DNS_BACK, DNS_HEADERS("000a", "8180"))},
    {"name-lookup-slow", false,
     TRACE PACKET(1000, DNS, DNS_HEADERS("000a", "0100")) PACKET(1001, DNS, DNS_HEADERS("000b", "0100"))
         PACKET(2000, DNS_BACK, DNS_HEADERS("000b", "8180")) PACKET(500000, DNS, DNS_HEADERS("000a", "0100"))
             PACKET(500999, DNS_BACK, DNS_HEADERS("000a", "8180"))},
#define BIND_FAILS_OF(thread, address)                                                                                             \
    "enter t=5000000 " thread "name=bind fd=9 how=-1 level=-1 args=\"9, " address "\" sock.cookie=77 sock.proto=tcp\n"             \
    "exit t=5001000 " thread "name=bind fd=9 how=-1 level=-1 slept=-1 ret=-98 sock.cookie=77 sock.proto=tcp\n"
#define BIND_FAILS(address) BIND_FAILS_OF(S_THREAD, address)
    {"address-in-use", true,
     TRACE LISTEN HANDSHAKE PACKET(2000, S, "flags=F. seq=501 ack=101") LISTENER_CLOSED(3000) BIND_FAILS("0.0.0.0:3333")},
    {"address-in-use", false, /* the listener holds the port itself */
     TRACE LISTEN HANDSHAKE PACKET(2000, S, "flags=F. seq=501 ack=101") BIND_FAILS("0.0.0.0:3333")},
    {"address-in-use", false, /* it began to listen before anything was recorded */
     TRACE HANDSHAKE ACCEPT(1030, "4") PACKET(2000, S, "flags=F. seq=501 ack=101") BIND_FAILS("0.0.0.0:3333")},
    {"address-in-use", true, /* so it did, and then closed */
     TRACE HANDSHAKE ACCEPT(1030, "4") PACKET(2000, S, "flags=F. seq=501 ack=101") LISTENER_CLOSED(3000)
         BIND_FAILS("0.0.0.0:3333")},
    {"address-in-use", true, /* or it ended, and another process wants the port */
     TRACE HANDSHAKE ACCEPT(1030, "4") PACKET(
         2000, S, "flags=F. seq=501 ack=101") "process t=3000000 " S_THREAD
                                              "change=exit status=0\n" BIND_FAILS_OF("pid=21 tid=21 comm=server ", "0.0.0.0:3333")},
    {"address-in-use", false, /* it ended behind that */
     TRACE HANDSHAKE ACCEPT(1030, "4") PACKET(2000, S, "flags=F. seq=501 ack=101")
         BIND_FAILS_OF("pid=21 tid=21 comm=server ", "0.0.0.0:3333") "process t=6000000 " S_THREAD "change=exit status=0\n"},
    {"address-in-use", false, /* the connection does not any more */
     TRACE LISTEN HANDSHAKE PACKET(2000, C, "flags=R. seq=101 ack=501") LISTENER_CLOSED(3000) BIND_FAILS("0.0.0.0:3333")},
    {"address-in-use", false,
     TRACE LISTEN HANDSHAKE PACKET(2000, S, "flags=F. seq=501 ack=101") LISTENER_CLOSED(3000) BIND_FAILS("0.0.0.0:3334")},
#undef BIND_FAILS
#undef BIND_FAILS_OF
    {"close-not-last", true,
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n"
                                              "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                              "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"},
#define TAKER "pid=30 tid=30 comm=taker "
#define CLOSED_BY(t, who, fd)                                                                                                      \
    "enter t=" #t "000 " who "name=close fd=" fd " how=-1 level=-1 " S_SOCK "\nexit t=" #t "900 " who "name=close fd=" fd          \
    " how=-1 level=-1 slept=-1 " S_SOCK "\n"
#define TAKEN                                                                                                                      \
    "enter t=1100000 " TAKER "name=pidfd_getfd fd=-1 how=-1 level=-1 args=\"8, 4, 0\"\n"                                           \
    "exit t=1101000 " TAKER "name=pidfd_getfd fd=-1 how=-1 level=-1 slept=-1 ret=9 other.cookie=8 other.proto=tcp\n"
    {"close-not-last", true, /* another process took a copy: no fork made that */
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") TAKEN CLOSED_BY(1200, S_THREAD, "4")},
    {"close-not-last", true, /* the copy goes first */
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") TAKEN CLOSED_BY(1200, TAKER, "9")},
    {"close-not-last", false, /* it was refused */
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "enter t=1100000 " TAKER "name=pidfd_getfd fd=-1 how=-1 level=-1 args=\"8, 4, 0\"\n"
                                              "exit t=1101000 " TAKER
                                              "name=pidfd_getfd fd=-1 how=-1 level=-1 slept=-1 ret=-1\n" CLOSED_BY(1200, S_THREAD,
                                                                                                                   "4")},
    {"close-not-last", true, /* a copy that nobody saw being made goes first */
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") CLOSED_BY(1200, TAKER, "9")},

/* Another process sends the FIN, by its own close(). */
#define ANOTHER "pid=30 tid=30 comm=other "
#define ENDS_IT(who, cur, chain)                                                                                                   \
    ENTER(1990, who, "close", S_SOCK, "")                                                                                          \
    MARK(2000, S, "flags=F. seq=501 ack=101", cur S_SOCK CHAIN(chain))                                                             \
    PACKET(2001, S, "flags=F. seq=501 ack=101") EXIT(2010, who, "close", S_SOCK, "")
#define BY_CLOSE "tcp_send_fin;__tcp_close;tcp_close;__x64_sys_close"
    {"close-not-last", true, /* it was handed a descriptor, and nobody saw that */
     TRACE HANDSHAKE CLOSE(1100, 1110, S_THREAD, S_SOCK, "") ENDS_IT(ANOTHER, "cur.pid=30 cur.tid=30 cur.comm=other ", BY_CLOSE)},
    {"close-not-last", false, /* it closed twice itself: two descriptors of its own may be */
     TRACE HANDSHAKE CLOSE(1100, 1110, S_THREAD, S_SOCK, "") ENDS_IT(S_THREAD, S_CUR, BY_CLOSE)},
    {"close-not-last", false, /* a FIN that had to wait: an ACK let it go */
     TRACE HANDSHAKE CLOSE(1100, 1110, S_THREAD, S_SOCK, "")
         ENDS_IT(ANOTHER, "cur.pid=30 cur.tid=30 cur.comm=other ", "tcp_write_xmit;tcp_ack;tcp_v4_rcv;net_rx_action")},
    {"close-not-last", false, /* the child has started another program: whether it still holds the socket nobody saw */
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n"
                                              "process t=1150000 pid=21 tid=21 comm=other change=exec\n"
                                              "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                              "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"},
    {"close-not-last", false, /* a FIN left: it was the last one, whatever was seen of copies */
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n"
                                              "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                              "packet t=1200500 vantage=1 number=1 " S "flags=F. seq=501 ack=101\n"
                                              "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"},
    {"close-not-last", false,
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                              "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"},
#define FORKED TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n"
#define KEPT(enter_us, exit_ns)                                                                                                    \
    "enter t=" #enter_us "000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"                                            \
    "exit t=" #exit_ns " " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"
#define PEER_ENDS PACKET(1150, C, C_FIN) PACKET(1151, S, "flags=. seq=501 ack=102")
    /* A copy was closed after the FIN had come, and 100 ms later the other is still there. */
    {"close-wait-leak", true, FORKED PEER_ENDS KEPT(1200, 101150000)},
    {"close-wait-leak", false, FORKED PEER_ENDS KEPT(1200, 101149999)},
    /* From one place a FIN that comes again, and that nobody acknowledged, may never have come. */
    {"close-wait-leak", true, FORKED PACKET(1150, C, C_FIN) KEPT(1200, 101150000)},
    {"close-wait-leak", false, FORKED PACKET(1150, C, C_FIN) KEPT(1200, 101150000) PACKET(301150, C, C_FIN)},
    {"close-wait-leak", true,
     FORKED PACKET(1150, C, C_FIN) KEPT(1200, 101150000) PACKET(301150, C, C_FIN) PACKET(301160, S, "flags=. seq=501 ack=102")},
    /* It was closed before: then it takes a second, as without it. */
    {"close-wait-leak", true, FORKED KEPT(1110, 1120000) PEER_ENDS PACKET(1001150, S, "flags=. seq=501 ack=102")},
    {"close-wait-leak", false, FORKED KEPT(1110, 1120000) PEER_ENDS PACKET(1001149, S, "flags=. seq=501 ack=102")},
#define WORKER "pid=21 tid=21 comm=worker "
#define GRANDCHILD KEPT(1110, 1120000) "process t=1130000 pid=22 tid=22 comm=grandchild change=fork parent=21\n" PEER_ENDS
#define WORKER_CLOSES                                                                                                              \
    "enter t=1200000 " WORKER "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"                                                       \
    "exit t=1210000 " WORKER "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"
#define EXIT_OF(cur)                                                                                                               \
    MARK(1300000, S, "flags=F. seq=501 ack=102", cur S_SOCK CHAIN("tcp_send_fin;__tcp_close;sock_close;do_exit"))                  \
    PACKET(1300001, S, "flags=F. seq=501 ack=102")
    /* The worker has closed its copy since: grandchild is named, which holds it, or held it to its end. */
    {"close-wait-leak", true, FORKED GRANDCHILD WORKER_CLOSES PACKET(1300000, S, "flags=. seq=501 ack=102")},
    {"close-wait-leak", true, FORKED GRANDCHILD WORKER_CLOSES EXIT_OF("cur.pid=22 cur.tid=22 cur.comm=grandchild ")},
    /* The end of one that nobody saw hold it: whoever else did is not to blame. */
    {"close-wait-leak", false, FORKED GRANDCHILD WORKER_CLOSES EXIT_OF("cur.pid=30 cur.tid=30 cur.comm=other ")},
    {"close-wait-leak", false, TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") PEER_ENDS},
    {"orphaned-socket", true, TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN)},
    {"orphaned-socket", false,
     TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN)
         PACKET(2020, C, "flags=. seq=102 ack=502")},
    {"duplicated", true, TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1010, WC, SYN) ARRIVES(1011, WC, SYN)},
    {"duplicated", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) ARRIVES(1001010, WC, SYN)},
    {"syn-cookies", true,
     TRACE HANDSHAKE "state t=1021000 from=LISTEN to=SYN_RECV netns=9 " S_SOCK " " S_CUR
                     "chain=inet_csk_clone_lock;cookie_v4_check;tcp_v4_do_rcv;tcp_v4_rcv\n"},
    {"closed-by-signal", true,
     TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN) "process t=2050000 " C_THREAD
                                                                                        "change=exit status=-1 signal=9\n"},
/* The peer had asked and got no answer; and: it had, or its words came after the end. */
#define KILLED_AFTER(packets, seq)                                                                                                 \
    TRACE HANDSHAKE packets CALL(1900, 1910, C_THREAD, "write", C_SOCK)                                                            \
        PACKET(2000, C, "flags=F. seq=" #seq " ack=506") "process t=2050000 " C_THREAD "change=exit status=-1 signal=9\n"
    {"closed-by-signal", true, KILLED_AFTER(PACKET(1100, S, S_DATA), 101)},
    {"closed-by-signal", true, KILLED_AFTER(PACKET(1100, S, S_DATA) PACKET(1200, C, "flags=P. seq=101 ack=506 len=1"), 102)},
    {"closed-by-exec", true,
     TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "write", C_SOCK) ENTER(1990, C_THREAD, "execve", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;sock_close;__x64_sys_execve")) PACKET(2001, C, C_FIN)
             EXIT(2010, C_THREAD, "execve", C_SOCK, "")},
    {"reset-by-disconnect", true,
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "connect", C_SOCK, "")
         MARK(2000, C, C_RST, C_CUR C_SOCK CHAIN("tcp_send_active_reset;tcp_disconnect;__inet_stream_connect;__x64_sys_connect"))
             PACKET(2001, C, C_RST) EXIT(2010, C_THREAD, "connect", C_SOCK, "")},
    {"accept-late", true, TRACE LISTEN HANDSHAKE ACCEPT(21020, "4")},
    {"accept-late", false, TRACE LISTEN HANDSHAKE ACCEPT(1060, "4")},
    {"accept-late", false, /* it is the data that was awaited */
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE ACCEPT(21020, "4")},
    {"accept-late", true, TRACE HANDSHAKE ACCEPT(21020, "4")},
    {"accept-late", false, /* by a listener of which nobody knows whether it waits for data */
     TRACE HANDSHAKE PACKET(11021, C, C_DATA) ACCEPT(21020, "4")},
    {"accept-late", true, TRACE HANDSHAKE PACKET(11020, C, C_DATA) ACCEPT(21020, "4")},
    {"accept-late", true, TRACE LISTEN HANDSHAKE PACKET(11021, C, C_DATA) ACCEPT(21020, "4")},
    {"fast-open-cookie", true, TRACE PACKET(1000, C, SYN " opt=fastopen opt.cookie_bytes=0") PACKET(1010, S, SYN_ACK)},
    {"fast-open-cookie", false, TRACE PACKET(1000, C, SYN " opt=fastopen opt.cookie_bytes=8") PACKET(1010, S, SYN_ACK)},
    {"fast-open-cookie", false, TRACE HANDSHAKE},
    {"udp-unreachable", true, TRACE PACKET(1000, UDP_C, "len=5") ICMP(1010, "icmp", "3", "3", "udp")},
    {"udp-unreachable", true, TRACE PACKET(1000, UDP_C, "len=5") ICMP(1010, "icmp6", "1", "4", "udp")},
    {"udp-unreachable", false, TRACE PACKET(1000, UDP_C, "len=5") ICMP(1010, "icmp", "3", "1", "udp")},
    {"udp-unreachable", false, TRACE PACKET(1000, C, SYN) ICMP(1010, "icmp", "3", "3", "tcp")},
    {"retransmitted", true, TRACE PACKET(1000, C, SYN) PACKET(1001000, C, SYN)},
    {"retransmitted", false, TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(3000, C, "flags=P. seq=106 ack=501 len=5")},
    {"retransmitted", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1010, WC, SYN) ARRIVES(1011, WC, SYN)},
    {"half-open-forgotten", true,
     UNFILTERED LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK) PACKET(3500000, C, HANDSHAKE_ACK)
         PACKET(3500010, S, "flags=R seq=501")},
    {"half-open-forgotten", true, /* or its listener had been closed: the sentence says so */
     UNFILTERED PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK) PACKET(3500000, C, HANDSHAKE_ACK)
         PACKET(3500010, S, "flags=R seq=501")},
    {"half-open-forgotten", false, /* its listener had been closed before */
     UNFILTERED LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK)
         CLOSE(3400000, 3400010, S_THREAD, LISTENER, "") PACKET(3500000, C, HANDSHAKE_ACK) PACKET(3500010, S, "flags=R seq=501")},
    {"half-open-forgotten", false, /* the request socket is still there: tcp_abort_on_overflow */
     TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK) PACKET(2500000, C, HANDSHAKE_ACK)
         PACKET(2500010, S, "flags=R seq=501")},
    {"reset-full-queue", false,
     TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1300000, C, HANDSHAKE_ACK)
         PACKET(1300010, S, "flags=R seq=501")},
    {"linger-blocked", true,
     TRACE HANDSHAKE LINGER_0 ENTER(1990, C_THREAD, "close", C_SOCK, "")
         PACKET(2000, C, C_FIN) "exit t=9000000 " C_THREAD "name=close fd=3 how=-1 level=-1 slept=5000000 " C_SOCK "\n"},
    /* Before Linux 6.6: it works, and waits, behind the exit that was recorded. */
    {"linger-blocked", true,
     TRACE HANDSHAKE LINGER_0 ENTER(1990, C_THREAD, "close", C_SOCK, "") EXIT(1995, C_THREAD, "close", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;__tcp_close;sock_close;task_work_run;exit_to_user_mode_loop"))
             PACKET(2001, C, C_FIN) PACKET(9000, S, "flags=. seq=501 ack=102")},
    {"linger-blocked", false,
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "close", C_SOCK, "") EXIT(1995, C_THREAD, "close", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;__tcp_close;sock_close;task_work_run;exit_to_user_mode_loop"))
             PACKET(2001, C, C_FIN) PACKET(9000, S, "flags=. seq=501 ack=102")},
    {"linger-blocked", false,
     TRACE HANDSHAKE LINGER_0 ENTER(1990, C_THREAD, "close", C_SOCK, "") EXIT(1995, C_THREAD, "close", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;__tcp_close;sock_close;task_work_run;exit_to_user_mode_loop"))
             PACKET(2001, C, C_FIN)},
/* A closed window: from a fifth of a second on. */
#define ZERO "flags=. seq=501 ack=101 win=0"
#define OPENED "flags=. seq=501 ack=101 win=512"
    {"zero-window", true, TRACE OPEN PACKET(2000, S, ZERO) PACKET(202000, S, OPENED)},
    {"zero-window", false, TRACE OPEN PACKET(2000, S, ZERO) PACKET(201999, S, OPENED)},
    {"zero-window", false, TRACE OPEN PACKET(2000, S, OPENED) PACKET(202000, S, OPENED)},
    {"zero-window", false, /* a RST's window says nothing */
     TRACE OPEN PACKET(2000, S, "flags=R. seq=501 ack=101 win=0") PACKET(302000, C, "flags=. seq=101 ack=501 win=512")},
/* A small segment, its ACK after 40 ms, and the next small one right behind. Twice, or with the calls, it is Nagle's. */
#define DATA(t, seq, ack) PACKET(t, C, "flags=P. seq=" #seq " ack=" #ack " len=2 win=512")
#define ACKS(t, ack) PACKET(t, S, "flags=. seq=501 ack=" #ack " win=512")
    {"nagle-delayed-ack", true,
     TRACE OPEN DATA(2000, 101, 501) ACKS(42000, 103) DATA(42100, 103, 501) ACKS(82100, 105) DATA(82200, 105, 501)},
    {"nagle-delayed-ack", false, TRACE OPEN DATA(2000, 101, 501) ACKS(42000, 103) DATA(42100, 103, 501)},
    {"nagle-delayed-ack", false, /* not delayed */
     TRACE OPEN DATA(2000, 101, 501) ACKS(31999, 103) DATA(32100, 103, 501) ACKS(62000, 105) DATA(62200, 105, 501)},
    {"nagle-delayed-ack", false, /* not right behind the ACK: something else let it go */
     TRACE OPEN DATA(2000, 101, 501) ACKS(42000, 103) DATA(44001, 103, 501) ACKS(84001, 105) DATA(86002, 105, 501)},
    {"nagle-delayed-ack", true,
     TRACE OPEN "enter t=1900000 " C_THREAD "name=sendto fd=3 how=-1 level=-1 " C_SOCK "\nexit t=2010000 " C_THREAD
                "name=sendto fd=3 how=-1 level=-1 slept=0 ret=2 " C_SOCK "\n"
                "enter t=2100000 " C_THREAD "name=sendto fd=3 how=-1 level=-1 " C_SOCK "\nexit t=2110000 " C_THREAD
                "name=sendto fd=3 how=-1 level=-1 slept=0 ret=2 " C_SOCK "\n" DATA(2000, 101, 501) ACKS(42000, 103)
                    DATA(42100, 103, 501)},
    {"nagle-delayed-ack", false, /* it was written only then */
     TRACE OPEN "enter t=1900000 " C_THREAD "name=sendto fd=3 how=-1 level=-1 " C_SOCK "\nexit t=2010000 " C_THREAD
                "name=sendto fd=3 how=-1 level=-1 slept=0 ret=2 " C_SOCK "\n" DATA(2000, 101, 501)
                    ACKS(42000, 103) "enter t=42050000 " C_THREAD "name=sendto fd=3 how=-1 level=-1 " C_SOCK "\n" DATA(
                        42100, 103, 501) "exit t=42110000 " C_THREAD "name=sendto fd=3 how=-1 level=-1 slept=0 ret=2 " C_SOCK "\n"},
    {"nagle-delayed-ack", false, /* switched off */
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "1", "1") DATA(2000, 101, 501) ACKS(42000, 103) DATA(42100, 103, 501)
         ACKS(82100, 105) DATA(82200, 105, 501)},
    /* An answer after half a second. */
    {"slow-answer", true, TRACE OPEN PACKET(2000, C, C_DATA ROOM) PACKET(502000, S, "flags=P. seq=501 ack=106 len=5 win=512")},
    {"slow-answer", false, TRACE OPEN PACKET(2000, C, C_DATA ROOM) PACKET(501999, S, "flags=P. seq=501 ack=106 len=5 win=512")},
    {"slow-answer", true, TRACE OPEN PACKET(2000, C, C_DATA ROOM) PACKET(60002000, S, "flags=P. seq=501 ack=106 len=5 win=512")},
    {"slow-answer", false, TRACE OPEN PACKET(2000, C, C_DATA ROOM) PACKET(60002001, S, "flags=P. seq=501 ack=106 len=5 win=512")},
    {"slow-answer", false, /* the answer was lost, and came again */
     TRACE TWO_ENDS PACKET(1000, WC, SYN ROOM) ARRIVES(1001, WC, SYN ROOM) PACKET(1010, WS, SYN_ACK ROOM)
         ARRIVES(1011, WS, SYN_ACK ROOM) PACKET(1020, WC, HANDSHAKE_ACK ROOM) ARRIVES(1021, WC, HANDSHAKE_ACK ROOM)
             PACKET(2000, WC, C_DATA ROOM) ARRIVES(2001, WC, C_DATA ROOM) PACKET(2010, WS, "flags=P. seq=501 ack=106 len=5 win=512")
                 PACKET(602000, WS, "flags=P. seq=501 ack=106 len=5 win=512")
                     ARRIVES(602001, WS, "flags=P. seq=501 ack=106 len=5 win=512")},
    {"slow-answer", false, /* it is the request that came late */
     TRACE OPEN PACKET(2000, C, C_DATA ROOM) PACKET(302000, C, C_DATA ROOM)
         PACKET(602000, S, "flags=P. seq=501 ack=106 len=5 win=512")},
/* No packet was seen of it; why, the kernel says. */
#define IN_VAIN FAILS(999, 3000000, C_THREAD, "connect", C_SOCK, "-113")
#define NO_NEIGHBOUR "reason=NEIGH_FAILED function=neigh_invalidate outgoing=1"
    {"black-hole", true, TRACE DROP(2999000, C, SYN, NO_NEIGHBOUR) IN_VAIN},
    {"black-hole", false, TRACE DROP(2999000, C, SYN, "reason=QDISC_DROP function=dev_qdisc_enqueue outgoing=1") IN_VAIN},
    {"black-hole", false, TRACE DROP(2998000, C, SYN, FIREWALL " outgoing=1") DROP(2999000, C, SYN, NO_NEIGHBOUR) IN_VAIN},
    {"black-hole", false, TRACE DROP(998, C, SYN, NO_NEIGHBOUR) IN_VAIN}, /* an earlier connection's */
    {"black-hole", true, TRACE DROP(999, C, SYN, NO_NEIGHBOUR) IN_VAIN},
#define UNSIGNED DROP(1001, C, SYN, "reason=TCP_MD5NOTFOUND function=tcp_v4_rcv")
    {"kernel-dropped", true, TRACE PACKET(1000, C, SYN) UNSIGNED PACKET(2001000, C, SYN)},
    {"black-hole", false, TRACE PACKET(1000, C, SYN) UNSIGNED PACKET(2001000, C, SYN)}, /* it is known what became of it */
    {"kernel-dropped", false, TRACE PACKET(1000, C, SYN) DROP(1001, C, SYN, FIREWALL) PACKET(2001000, C, SYN)},
    {"kernel-dropped", false, /* TCP had taken it */
     TRACE PACKET(1000, C, SYN) DROP(1001, C, SYN, "reason=TCP_FLAGS function=tcp_rcv_state_process") PACKET(2001000, C, SYN)},
    {"kernel-dropped", false, /* the queue has a sentence of its own */
     TRACE LISTEN HANDSHAKE QUEUE(1021, C, HANDSHAKE_ACK, "accept=2 accept_most=1 requests=1 dropped=1")
         DROP(1022, C, HANDSHAKE_ACK, "reason=TCP_LISTEN_OVERFLOW function=tcp_v4_rcv") PACKET(1001000, S, SYN_ACK)},
    {"kernel-dropped", false, TRACE DROP(2999000, C, SYN, NO_NEIGHBOUR) IN_VAIN},
    {"firewall-dropped", true, TRACE STUCK(1000, C, SYN, "connect") IN_VAIN},
    {"firewall-dropped", false, TRACE DROP(1000, C, SYN, FIREWALL " outgoing=1") IN_VAIN}, /* what let it go is not known */
    /* One did leave after all, and nobody captured it: connect() came back, or data went. */
    {"black-hole", false, TRACE DROP(1001000, C, SYN, NO_NEIGHBOUR) CALL(999, 3000000, C_THREAD, "connect", C_SOCK)},
    {"black-hole", false,
     TRACE DROP(1001000, C, SYN, NO_NEIGHBOUR) FAILS(999, 1000, C_THREAD, "connect", C_SOCK, "-115")
         FAILS(3000000, 3000100, C_THREAD, "write", C_SOCK, "5")},
    {"black-hole", true,
     TRACE DROP(1001000, C, SYN, NO_NEIGHBOUR) FAILS(999, 1000, C_THREAD, "connect", C_SOCK, "-115")
         FAILS(3000000, 3000100, C_THREAD, "write", C_SOCK, "-11")},
    {"black-hole", false, TRACE DROP(1001000, WC, SYN, NO_NEIGHBOUR) IN_VAIN},
/* The client waited until its time was over, and closed. */
#define ASKS OPEN PACKET(2000, C, C_DATA ROOM)
#define KERNEL_HAS_IT PACKET(2010, S, "flags=. seq=501 ack=106 win=512")
#define POLLS(from, to) FAILS(from, to, C_THREAD, "poll", C_SOCK, "0")
#define ITS_FIN "flags=F. seq=106 ack=501 win=512"
#define LEAVES(at) ENTER(at, C_THREAD, "close", C_SOCK, "") PACKET(at, C, ITS_FIN) EXIT(at, C_THREAD, "close", C_SOCK, "")
#define ANSWERS(at) PACKET(at, S, "flags=P. seq=501 ack=107 len=5 win=512")
#define NOBODY(at) PACKET(at, C, "flags=R seq=107")
    {"client-gave-up", true, TRACE ASKS KERNEL_HAS_IT POLLS(2020, 101000) LEAVES(102000)},
    {"client-gave-up", false, TRACE ASKS KERNEL_HAS_IT POLLS(2020, 101000) LEAVES(101999)},
    {"client-gave-up", true, TRACE ASKS KERNEL_HAS_IT POLLS(91000, 101000) LEAVES(102000)},
    {"client-gave-up", false, TRACE ASKS KERNEL_HAS_IT POLLS(91001, 101000) LEAVES(102000)}, /* it only looked */
    {"client-gave-up", true, TRACE ASKS KERNEL_HAS_IT POLLS(2020, 101000) LEAVES(201000)},
    {"client-gave-up", false, TRACE ASKS KERNEL_HAS_IT POLLS(2020, 101000) LEAVES(201001)}, /* and did something else meanwhile */
    {"client-gave-up", true, TRACE ASKS KERNEL_HAS_IT FAILS(2020, 102000, C_THREAD, "recvfrom", C_SOCK, "-11") LEAVES(102000)},
    {"client-gave-up", false, TRACE ASKS KERNEL_HAS_IT FAILS(2020, 102000, C_THREAD, "poll", C_SOCK, "1") LEAVES(102000)},
    {"client-gave-up", false, TRACE ASKS KERNEL_HAS_IT FAILS(2020, 102000, C_THREAD, "recvfrom", C_SOCK, "-4") LEAVES(102000)},
    {"client-gave-up", false, TRACE OPEN POLLS(2020, 101000) LEAVES(102000)}, /* it had asked nothing */
    {"client-gave-up", false, TRACE ASKS POLLS(2020, 101000) LEAVES(102000)}, /* nobody knows whether it came */
    {"client-gave-up", false,                                                 /* the wait ended before it asked */
     TRACE OPEN POLLS(1100, 1990) PACKET(2000, C, C_DATA ROOM) KERNEL_HAS_IT LEAVES(102000)},
    {"client-gave-up", false, /* it was answered, and idle since */
     TRACE ASKS PACKET(2010, S, "flags=P. seq=501 ack=106 len=5 win=512") POLLS(2020, 302000) LEAVES(302000)},
    {"client-gave-up", false, /* the server had closed */
     TRACE ASKS KERNEL_HAS_IT PACKET(3000, S, "flags=F. seq=501 ack=106 win=512") POLLS(4000, 302000) LEAVES(302000)},
    {"client-gave-up", false, /* the way was it */
     TRACE ASKS PACKET(52000, C, C_DATA ROOM) KERNEL_HAS_IT POLLS(2020, 302000) LEAVES(302000)},
    {"client-gave-up", false, /* its own window was shut */
     TRACE ASKS KERNEL_HAS_IT PACKET(2020, C, "flags=. seq=106 ack=501 win=0") POLLS(2020, 302000) LEAVES(302000)},
    {"client-gave-up", false, /* it said only that it sends no more */
     TRACE ASKS KERNEL_HAS_IT POLLS(2020, 302000) ENTER(302000, C_THREAD, "shutdown", C_SOCK, "") PACKET(302000, C, ITS_FIN)
         EXIT(302000, C_THREAD, "shutdown", C_SOCK, "")},
    {"client-gave-up", false, /* it was killed: closed-by-signal */
     TRACE ASKS KERNEL_HAS_IT POLLS(2020, 302000) PACKET(302000, C, ITS_FIN) "process t=302050000 " C_THREAD
                                                                             "change=exit status=-1 signal=9\n"},
    {"client-gave-up", true,
     TRACE ASKS KERNEL_HAS_IT POLLS(2020, 302000) PACKET(302000, C, ITS_FIN) "process t=302050000 " C_THREAD
                                                                             "change=exit status=1\n"},
    /* The wire alone: an answer that nobody took any more. */
    {"client-gave-up", true, TRACE ASKS KERNEL_HAS_IT PACKET(102000, C, ITS_FIN) ANSWERS(402000) NOBODY(402010)},
    {"client-gave-up", false, TRACE ASKS KERNEL_HAS_IT PACKET(101999, C, ITS_FIN) ANSWERS(402000) NOBODY(402010)},
    {"client-gave-up", true, TRACE ASKS KERNEL_HAS_IT PACKET(60002000, C, ITS_FIN) ANSWERS(60402000) NOBODY(60402010)},
    {"client-gave-up", false, TRACE ASKS KERNEL_HAS_IT PACKET(60002001, C, ITS_FIN) ANSWERS(60402000) NOBODY(60402010)},
    {"client-gave-up", true, TRACE ASKS KERNEL_HAS_IT POLLS(2020, 60002001) LEAVES(60002001) ANSWERS(60402000) NOBODY(60402010)},
    {"client-gave-up", false, /* half-closed: it was taken */
     TRACE ASKS KERNEL_HAS_IT PACKET(102000, C, ITS_FIN) ANSWERS(402000) PACKET(402010, C, "flags=. seq=107 ack=506 win=512")},
    {"client-gave-up", false, TRACE ASKS KERNEL_HAS_IT PACKET(102000, C, ITS_FIN)},
    {"client-gave-up", false, /* its last words went with the FIN: it waited for nothing */
     TRACE ASKS KERNEL_HAS_IT PACKET(102000, C, "flags=FP. seq=106 ack=501 len=3 win=512")
         PACKET(402000, S, "flags=P. seq=501 ack=110 len=5 win=512") PACKET(402010, C, "flags=R seq=110")},
/* The data that met a closed socket: had its sender had the FIN? */
#define S_FIN_1 "flags=F. seq=501 ack=101 win=512"
    {"reset-late-data", true,
     TRACE OPEN PACKET(2000, S, S_FIN_1) PACKET(2100, C, "flags=P. seq=101 ack=502 len=5 win=512")
         PACKET(2110, S, "flags=R seq=502")},
    {"reset-late-data", false,
     TRACE OPEN PACKET(2000, S, S_FIN_1) PACKET(2100, C, "flags=P. seq=101 ack=501 len=5 win=512")
         PACKET(2110, S, "flags=R seq=501")},
    {"reset-crossed", true,
     TRACE OPEN PACKET(2000, S, S_FIN_1) PACKET(2100, C, "flags=P. seq=101 ack=501 len=5 win=512")
         PACKET(2110, S, "flags=R seq=501")},
    {"reset-crossed", true, /* too late to have crossed: its sentence says so */
     TRACE OPEN PACKET(2000, S, S_FIN_1) PACKET(5001, C, "flags=P. seq=101 ack=501 len=5 win=512")
         PACKET(5010, S, "flags=R seq=501")},
    {"reset-crossed", true, /* as the capture at the writer's shows it: the data left before the FIN came */
     TRACE OPEN PACKET(2000, C, "flags=P. seq=101 ack=501 len=5 win=512") PACKET(2100, S, S_FIN_1)
         PACKET(2101, C, "flags=. seq=106 ack=502 win=512") PACKET(2110, S, "flags=R seq=501")},
    {"reset-crossed", false,
     TRACE OPEN PACKET(2000, S, S_FIN_1) PACKET(2100, C, "flags=P. seq=101 ack=502 len=5 win=512")
         PACKET(2110, S, "flags=R seq=502")},
    {"reset-crossed", false, TRACE OPEN PACKET(2100, C, C_DATA ROOM) PACKET(2110, S, "flags=R seq=501")},
    {"reset-old-duplicate", true,
     TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)
         PACKET(1020, WC, HANDSHAKE_ACK) ARRIVES(1021, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_DATA " opt=ts opt.ts_value=1")
             PACKET(302000, WC, C_DATA " opt=ts opt.ts_value=2") ARRIVES(302001, WC, C_DATA " opt=ts opt.ts_value=2")
                 PACKET(302010, WC, "flags=F. seq=106 ack=501") ARRIVES(302011, WC, "flags=F. seq=106 ack=501")
                     PACKET(302020, WS, "flags=F. seq=501 ack=107") ARRIVES(302021, WS, "flags=F. seq=501 ack=107")
                         PACKET(302030, WC, "flags=. seq=107 ack=502") ARRIVES(302031, WC, "flags=. seq=107 ack=502")
                             ARRIVES(402000, WC, C_DATA " opt=ts opt.ts_value=1") PACKET(402010, WS, "flags=R seq=501")},
    {"reset-old-duplicate", false,
     TRACE OPEN PACKET(2000, S, S_FIN_1) PACKET(2100, C, "flags=P. seq=101 ack=501 len=5 win=512")
         PACKET(2110, S, "flags=R seq=501")},
    {"zero-window", false, /* windows that nobody saw open */
     TRACE HANDSHAKE PACKET(2000, S, ZERO) PACKET(302000, S, ZERO)},
    {"reset-ignored", true,
     TRACE OPEN PACKET(2000, S, "flags=R seq=601") PACKET(2010, C, "flags=. seq=101 ack=501 win=512") PACKET(3000, S, S_DATA ROOM)},
    {"reset-ignored", false, TRACE OPEN PACKET(2000, S, "flags=R seq=601") PACKET(2010, C, "flags=. seq=101 ack=501 win=512")},
    {"reset-ignored", false, TRACE OPEN PACKET(2000, S, "flags=R seq=501")},
    {"reset-ignored", false, /* what it overtook on the way is no life */
     TRACE OPEN PACKET(2000, S, "flags=R seq=601") PACKET(2010, S, S_DATA ROOM)},
    /* Nobody has asked its sender whether it was meant: what it overtook may come for a while. */
    {"reset-ignored", true, TRACE OPEN PACKET(2000, S, "flags=R seq=601") PACKET(12090, S, S_DATA ROOM)},
    {"reset-ignored", false, TRACE OPEN PACKET(2000, S, "flags=R seq=601") PACKET(12070, S, S_DATA ROOM)},
    /* Asked, who had sent it would say so again within a round trip. */
    {"reset-ignored", true,
     TRACE OPEN PACKET(2000, S, "flags=R seq=601") PACKET(2010, C, "flags=. seq=101 ack=501 win=512") PACKET(2032, S, S_DATA ROOM)},
    {"reset-ignored", false,
     TRACE OPEN PACKET(2000, S, "flags=R seq=601") PACKET(2010, C, "flags=. seq=101 ack=501 win=512") PACKET(2029, S, S_DATA ROOM)},
    {"reset-ignored", false, /* who got it believed it */
     TRACE OPEN PACKET(2000, S, "flags=R seq=501") PACKET(3000, S, S_DATA ROOM) PACKET(3010, C, "flags=R seq=101")},
    {"reset-crossed", true, TRACE OPEN PACKET(2000, C, C_DATA ROOM) PACKET(2010, S, S_FIN_1) PACKET(2020, S, "flags=R seq=501")},
    {"reset-crossed", false, /* it was acknowledged */
     TRACE OPEN PACKET(2000, C, C_DATA ROOM) PACKET(2005, S, "flags=. seq=501 ack=106 win=512")
         PACKET(2010, S, "flags=F. seq=501 ack=106 win=512") PACKET(2020, S, "flags=R seq=501")},
    {"reset-forged", true,
     TRACE OPEN PACKET(2000, S, "flags=R seq=501") PACKET(3000, S, S_DATA ROOM) PACKET(3010, C, "flags=R seq=101")},
    {"reset-forged", false, /* until it aborts itself, it lives */
     TRACE OPEN PACKET(2000, S, "flags=R seq=501") PACKET(3000, S, S_DATA ROOM) PACKET(3010, C, "flags=R. seq=101 ack=506")},
    {"reset-forged", false, /* its sender does not go on */
     TRACE OPEN PACKET(2000, S, "flags=R seq=501") PACKET(3010, C, "flags=R seq=101")},
/* With this hop limit, as bare IPv4. */
#define HOPS(limit) " link=101 captured=40 wire=40 bytes=4500002800000000" limit "060000c0000202c00002010d059c40" ZEROS_16
#define ZEROS_16 "00000000000000000000000000000000"
#define STOOD(limit)                                                                                                               \
    PACKET(1000, WC, SYN ROOM)                                                                                                     \
    PACKET(1010, WS, SYN_ACK ROOM HOPS("3f"))                                                                                      \
    PACKET(1020, WC, HANDSHAKE_ACK ROOM)                                                                                           \
    PACKET(2000, WC, C_DATA ROOM) PACKET(2010, WS, "flags=. seq=501 ack=106 win=512" HOPS(limit))
#define NEXT_DATA(t) PACKET(t, WC, "flags=P. seq=106 ack=501 len=5 win=512")
#define NO_SUCH "flags=R seq=501"
    {"reset-unowned", true, TRACE STOOD("3f") NEXT_DATA(3000) PACKET(3010, WS, NO_SUCH)},
    {"reset-unowned", true, TRACE STOOD("3f") NEXT_DATA(3000) PACKET(3010, WS, NO_SUCH HOPS("3f"))},
    {"reset-unowned", true, TRACE STOOD("3f") NEXT_DATA(3000) PACKET(3010, WS, "flags=R. seq=501 ack=111" HOPS("40"))},
    {"reset-unowned", false, /* an abort, and nothing else says whose */
     TRACE STOOD("3f") NEXT_DATA(3000) PACKET(3010, WS, "flags=R. seq=501 ack=111" HOPS("3f"))},
    {"reset-unowned", false, /* one other was as far away */
     TRACE STOOD("40") NEXT_DATA(3000) PACKET(3010, WS, "flags=R. seq=501 ack=111" HOPS("40"))},
    {"reset-unowned", false, /* the others differ as well */
     TRACE STOOD("3e") NEXT_DATA(3000) PACKET(3010, WS, "flags=R. seq=501 ack=111" HOPS("40"))},
    {"reset-unowned", false, /* one is no rule */
     TRACE PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK HOPS("3f")) PACKET(1020, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_DATA)
         PACKET(3010, WS, "flags=R. seq=501 ack=106" HOPS("40"))},
    {"reset-unowned", false, /* an ACK alone: the handshake's, it may be */
     TRACE STOOD("3f") PACKET(3000, WC, "flags=. seq=106 ack=501 win=512") PACKET(3010, WS, NO_SUCH)},
    {"reset-unowned", true, /* a keepalive */
     TRACE STOOD("3f") PACKET(3002000, WC, "flags=. seq=105 ack=501 win=512") PACKET(3002010, WS, NO_SUCH)},
    {"reset-unowned", false, /* it had acknowledged that: its own abort, it may be */
     TRACE STOOD("3f") NEXT_DATA(3000) PACKET(3010, WS, "flags=. seq=501 ack=111 win=512") PACKET(13003010, WS, NO_SUCH)},
    {"reset-unowned", false, /* it had answered the probe */
     TRACE STOOD("3f") PACKET(3002000, WC, "flags=. seq=105 ack=501 win=512") PACKET(3002010, WS, "flags=. seq=501 ack=106 win=512")
         PACKET(4002010, WS, NO_SUCH)},
    {"reset-unowned", false, /* it had closed */
     TRACE STOOD("3f") PACKET(2500, WS, "flags=F. seq=501 ack=106 win=512") NEXT_DATA(3000) PACKET(3010, WS, NO_SUCH)},
    {"reset-unowned", false, /* its sender goes on */
     TRACE STOOD("3f") NEXT_DATA(3000) PACKET(3010, WS, NO_SUCH) PACKET(9000, WS, "flags=. seq=501 ack=111 win=512")},
    {"reset-unowned", false, /* its sender's host was watched */
     TRACE "vantage t=1 vantage=2 netns=10 name=far v4=192.0.2.2:0\n" STOOD("3f") NEXT_DATA(3000) PACKET(3010, WS, NO_SUCH)},
    {"reset-unowned", false, /* … by its kernel */
     TRACE STOOD("3f") NEXT_DATA(3000) MARK(3009, WS, NO_SUCH, "softirq=1") PACKET(3010, WS, NO_SUCH)},
    {"reset-unowned", false, /* … by its socket's calls */
     TRACE STOOD("3f") CALL(2100, 2110, S_THREAD, "read", WS_SOCK) NEXT_DATA(3000) PACKET(3010, WS, NO_SUCH)},
    {"reset-unowned", false, UNFILTERED STOOD("3f") NEXT_DATA(3000) PACKET(3010, WS, NO_SUCH)},
    {"reset-unowned", false, /* refused */
     TRACE PACKET(1000, WC, SYN) PACKET(1010, WS, "flags=R. seq=0 ack=101")},
    {"numbers-leap", true, TRACE OPEN PACKET(2000, C, "flags=P. seq=16777318 ack=16777718 len=5 win=512")},
    {"numbers-leap", false, TRACE OPEN PACKET(2000, C, "flags=P. seq=16777318 ack=16777717 len=5 win=512")},
    {"numbers-leap", true, TRACE OPEN PACKET(2000, C, "flags=P. seq=1073741924 ack=16777718 len=5 win=512")},
    {"numbers-leap", false, /* another connection */
     TRACE OPEN PACKET(2000, C, "flags=P. seq=1073741925 ack=16777718 len=5 win=512")},
    {"numbers-leap", false, /* nothing follows a FIN: another connection */
     TRACE OPEN PACKET(1500, C, C_FIN ROOM) PACKET(2000, C, "flags=P. seq=16777319 ack=16777718 len=5 win=512")},
    {"close-wait-idle", false, /* another has its place: how it ended was not captured */
     TRACE OPEN PACKET(2000, C, C_FIN ROOM) PACKET(2010, S, "flags=. seq=501 ack=102 win=512")
         PACKET(3000000, C, "flags=S seq=900000000") "lost t=3002010000 source=capture what=nothing\n"},
    {"epipe-after-shutdown", true,
     TRACE OPEN "enter t=1900000 " C_THREAD "name=shutdown fd=3 how=1 level=-1 " C_SOCK
                "\n" PACKET(2000, C, C_FIN) "exit t=2010000 " C_THREAD "name=shutdown fd=3 how=1 level=-1 slept=-1 ret=0 " C_SOCK
                                            "\n" FAILS(2100, 2110, C_THREAD, "sendto", C_SOCK, "-32")},
    {"epipe-after-rst", false, /* the same, though a RST came as well */
     TRACE OPEN "enter t=1900000 " C_THREAD "name=shutdown fd=3 how=1 level=-1 " C_SOCK "\n" PACKET(
         2000, C, C_FIN) "exit t=2010000 " C_THREAD "name=shutdown fd=3 how=1 level=-1 slept=-1 ret=0 " C_SOCK
                         "\n" PACKET(2050, S, "flags=R. seq=501 ack=102") FAILS(2100, 2110, C_THREAD, "sendto", C_SOCK, "-32")},
    {"epipe-after-shutdown", false, /* SHUT_RD ends nothing of one's own */
     TRACE OPEN "enter t=1900000 " C_THREAD "name=shutdown fd=3 how=0 level=-1 " C_SOCK "\n"
                "exit t=2010000 " C_THREAD "name=shutdown fd=3 how=0 level=-1 slept=-1 ret=0 " C_SOCK
                "\n" FAILS(2100, 2110, C_THREAD, "sendto", C_SOCK, "-32")},
    {"shutdown-read", true,
     TRACE OPEN "enter t=1900000 " C_THREAD "name=shutdown fd=3 how=0 level=-1 " C_SOCK "\n"
                "exit t=1910000 " C_THREAD "name=shutdown fd=3 how=0 level=-1 slept=-1 ret=0 " C_SOCK
                "\n" PACKET(2000, S, S_DATA ROOM)},
    {"shutdown-read", false,
     TRACE OPEN "enter t=1900000 " C_THREAD "name=shutdown fd=3 how=1 level=-1 " C_SOCK
                "\n" PACKET(1905, C, C_FIN) "exit t=1910000 " C_THREAD "name=shutdown fd=3 how=1 level=-1 slept=-1 ret=0 " C_SOCK
                                            "\n" PACKET(2000, S, S_DATA ROOM)},
    /* Idle in CLOSE_WAIT, for a second, and as long as was captured. */
    {"close-wait-idle", true,
     TRACE OPEN PACKET(2000, C, C_FIN ROOM)
         PACKET(2010, S, "flags=. seq=501 ack=102 win=512") "lost t=1002010000 source=capture what=nothing\n"},
    {"close-wait-idle", false,
     TRACE OPEN PACKET(2000, C, C_FIN ROOM)
         PACKET(2010, S, "flags=. seq=501 ack=102 win=512") "lost t=1002009999 source=capture what=nothing\n"},
    {"close-wait-idle", false,
     TRACE OPEN PACKET(2000, C, C_FIN ROOM)
         PACKET(2010, S, "flags=F. seq=501 ack=102 win=512") "lost t=1002010000 source=capture what=nothing\n"},
    {"close-wait-idle", false, /* a RST in its name acknowledged the FIN, and it goes on without having had it */
     TRACE OPEN PACKET(2000, C, C_FIN ROOM) PACKET(2010, S, "flags=R. seq=501 ack=102")
         PACKET(1002000, S, "flags=P. seq=501 ack=101 len=5 win=512") "lost t=3002010000 source=capture what=nothing\n"},
    {"close-wait-idle", false, /* its FIN may be what was not captured */
     TRACE OPEN PACKET(1900, C, "flags=. seq=101 ack=502 win=512") PACKET(2000, C, "flags=F. seq=101 ack=502 win=512")
         PACKET(2010, S, "flags=. seq=502 ack=102 win=512") "lost t=1002010000 source=capture what=nothing\n"},
    {"fin-maybe-missed", true,
     TRACE OPEN PACKET(1900, C, "flags=. seq=101 ack=502 win=512") PACKET(2000, C, "flags=F. seq=101 ack=502 win=512")},
    {"fin-maybe-missed", true, /* acknowledged by itself */
     TRACE OPEN PACKET(1800, C, "flags=. seq=101 ack=521 win=512") PACKET(1900, C, "flags=. seq=101 ack=522 win=512")},
    {"fin-maybe-missed", false, /* twenty bytes, and nobody closes */
     TRACE OPEN PACKET(1900, C, "flags=. seq=101 ack=521 win=512")},
    {"fin-maybe-missed", false, /* more came behind it: a byte */
     TRACE OPEN PACKET(1900, C, "flags=. seq=101 ack=502 win=512") PACKET(2500, S, "flags=P. seq=502 ack=101 len=5 win=512")},
    {"fin-maybe-missed", false, /* captured late */
     TRACE OPEN PACKET(1900, C, "flags=. seq=101 ack=502 win=512") PACKET(1901, S, "flags=P. seq=501 ack=101 len=1 win=512")},
#define CROSSING PACKET(2000, C, C_FIN) PACKET(2000, S, "flags=F. seq=501 ack=101")
#define SERVERS_AGAIN PACKET(302000, S, "flags=F. seq=501 ack=101")
    {"simultaneous-close", true, TRACE HANDSHAKE CROSSING},
    {"simultaneous-close", false, /* the server's, which nobody acknowledged, may have been lost each time */
     TRACE HANDSHAKE CROSSING SERVERS_AGAIN},
    {"simultaneous-close", true, TRACE HANDSHAKE CROSSING SERVERS_AGAIN PACKET(302010, C, "flags=. seq=102 ack=502")},
    {"simultaneous-close", false, /* what the client's first FIN acknowledged was not captured */
     TRACE OPEN PACKET(2000, S, "flags=F. seq=501 ack=101 win=512") PACKET(2010, S, "flags=. seq=502 ack=102 win=512")
         PACKET(400000, C, "flags=F. seq=101 ack=502 win=512") PACKET(400010, S, "flags=. seq=502 ack=102 win=512")},
    {"slow-answer", false, /* what the server said first was not captured */
     TRACE OPEN PACKET(2000, C, C_DATA ROOM) PACKET(502000, S, "flags=P. seq=901 ack=106 len=5 win=512")},
    {"half-close", true, /* as a capture shows it */
     TRACE OPEN PACKET(2000, C, C_FIN ROOM) PACKET(2010, S, "flags=. seq=501 ack=102 win=512")
         PACKET(3000, S, "flags=P. seq=501 ack=102 len=5 win=512") PACKET(3010, C, "flags=. seq=102 ack=506 win=512")},
    {"half-close", false, /* nobody took it */
     TRACE OPEN PACKET(2000, C, C_FIN ROOM) PACKET(2010, S, "flags=. seq=501 ack=102 win=512")
         PACKET(3000, S, "flags=P. seq=501 ack=102 len=5 win=512") PACKET(3010, C, "flags=R seq=102")},
    {"one-direction", true, TRACE PACKET(1000, C, SYN) PACKET(1020, C, HANDSHAKE_ACK) PACKET(2000, C, C_DATA)},
    {"one-direction", true, TRACE PACKET(1020, C, HANDSHAKE_ACK) PACKET(2000, C, "flags=P. seq=101 ack=502 len=5")},
    {"one-direction", false, /* what it acknowledges may have been sent before */
     TRACE PACKET(1020, C, HANDSHAKE_ACK) PACKET(2000, C, C_DATA)},
    {"one-direction", false, TRACE PACKET(1000, C, SYN) PACKET(1001000, C, SYN)},
    {"one-direction", false,
     TRACE PACKET(1000, C, SYN) PACKET(1020, C, HANDSHAKE_ACK) PACKET(2000, C, C_DATA) PACKET(2100, S, S_DATA)},
    {"black-hole", true,
     TRACE PACKET(1000, "src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=tcp ",
                  SYN) "lost t=1001000000 source=capture what=nothing\n"},
    {"black-hole", false,
     TRACE PACKET(1000, "src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=tcp ",
                  SYN) "lost t=1000999999 source=capture what=nothing\n"},
    {"black-hole", false, TRACE PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) PACKET(1001020, WC, HANDSHAKE_ACK)},
    {"split-handshake", true,
     TRACE PACKET(1000, WC, SYN) PACKET(1010, WS, "flags=S seq=500") PACKET(1020, WC, "flags=S. seq=100 ack=501")
         PACKET(1030, WS, "flags=. seq=501 ack=101")},
    {"split-handshake", false, /* nobody answered */
     TRACE PACKET(1000, WC, SYN) PACKET(1010, WS, "flags=S seq=500") PACKET(1001000, WC, SYN)
         PACKET(1001010, WS, "flags=S seq=500")},
    {"split-handshake", false,
     TRACE PACKET(1000, WC, SYN) PACKET(1001, WS, "flags=S seq=500") PACKET(1002, WC, "flags=S. seq=100 ack=501")
         PACKET(1003, WS, SYN_ACK)},
    {"simultaneous-open", false,
     TRACE PACKET(1000, WC, SYN) PACKET(1010, WS, "flags=S seq=500") PACKET(1020, WC, "flags=S. seq=100 ack=501")
         PACKET(1030, WS, "flags=. seq=501 ack=101")},
    {"fast-open-not-taken", true,
     TRACE PACKET(1000, C, "flags=S seq=100 len=5 opt=fastopen opt.cookie_bytes=8") PACKET(1010, S, SYN_ACK)},
    {"fast-open-not-taken", false, /* a FIN came with it */
     TRACE PACKET(1000, C, "flags=SF seq=100 len=5 opt=fastopen opt.cookie_bytes=8") PACKET(1010, S, "flags=S. seq=500 ack=107")},
    {"fast-open-not-taken", true, /* in part */
     TRACE PACKET(1000, C, "flags=S seq=100 len=5 opt=fastopen opt.cookie_bytes=8") PACKET(1010, S, "flags=S. seq=500 ack=103")},
    {"fast-open-not-taken", false,
     TRACE PACKET(1000, C, "flags=S seq=100 len=5 opt=fastopen opt.cookie_bytes=8") PACKET(1010, S, "flags=S. seq=500 ack=106")},
    {"fast-open-not-taken", false, TRACE PACKET(1000, C, "flags=S seq=100 len=5 opt=fastopen opt.cookie_bytes=8")},
    {"icmp-refused", true, TRACE PACKET(1000, C, SYN) ICMP(1010, "icmp", "3", "13", "tcp")},
    {"icmp-refused", false, TRACE HANDSHAKE ICMP(1100, "icmp", "3", "13", "tcp")},
    {"icmp-refused", false, TRACE PACKET(1000, C, "flags=S seq=101") ICMP(1010, "icmp", "3", "13", "tcp")}, /* it quotes 100 */
    {"icmp-unreachable", false, TRACE PACKET(1000, C, "flags=S seq=101") ICMP(1010, "icmp", "3", "1", "tcp")},
    {"icmp-unreachable", true, TRACE HANDSHAKE ICMP(1100, "icmp", "3", "1", "tcp")},
    {"icmp-unreachable", false, TRACE PACKET(1000, C, SYN) ICMP(1010, "icmp", "3", "1", "tcp")},
    {"icmp-too-big", true, TRACE HANDSHAKE PACKET(1050, C, C_DATA) ICMP(1100, "icmp", "3", "4", "tcp")},
    {"icmp-too-big", true, TRACE HANDSHAKE PACKET(1050, C, C_DATA) ICMP(1100, "icmp6", "2", "0", "tcp")},
    {"icmp-too-big", false, TRACE HANDSHAKE PACKET(1050, C, C_DATA) ICMP(1100, "icmp", "3", "3", "tcp")},
/* What the kernel, or the record of the calls, shows of a refusal. */
#define REFUSES(frames)                                                                                                            \
    PACKET(1000, C, SYN)                                                                                                           \
    MARK(1009, S, "flags=R. seq=0 ack=101", C_CUR RX_SYN CHAIN(frames)) PACKET(1010, S, "flags=R. seq=0 ack=101")
    {"refused-by-firewall", true,
     TRACE LISTEN REFUSES("nf_send_reset;nft_reject_inet_eval;nft_do_chain;nf_hook_slow;ip_local_deliver")},
    {"refused-by-firewall", false, TRACE REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"refused", false, TRACE LISTEN REFUSES("nf_send_reset;nft_reject_inet_eval;nft_do_chain;nf_hook_slow;ip_local_deliver")},
/* The rule is for what goes out: nothing left the host, and the RST is the rule's. */
#define C_REFUSED FAILS(999, 1020, C_THREAD, "connect", C_SOCK, "-111")
    {"refused-by-firewall", true, TRACE STUCK(1000, C, SYN, "connect") REJECTED(1001, "flags=R. ack=101", "connect") C_REFUSED},
    {"refused", false, TRACE STUCK(1000, C, SYN, "connect") REJECTED(1001, "flags=R. ack=101", "connect") C_REFUSED},
    {"firewall-dropped", false, TRACE STUCK(1000, C, SYN, "connect") REJECTED(1001, "flags=R. ack=101", "connect") C_REFUSED},
    {"reset-by-firewall", false, TRACE STUCK(1000, C, SYN, "connect") REJECTED(1001, "flags=R. ack=101", "connect") C_REFUSED},
    {"refused-by-firewall", true, TRACE REJECTED(1001, "flags=R. ack=101", "connect") C_REFUSED}, /* what it answers went unseen */
    {"refused-by-firewall", false, TRACE PACKET(1001, S, "flags=R. ack=101") C_REFUSED},
    /* The RST was not marked: but the SYN had not left, or one had. */
    {"refused-by-firewall", true, TRACE STUCK(1000, C, SYN, "connect") PACKET(1001, S, "flags=R. ack=101") C_REFUSED},
    {"refused-by-firewall", false,
     TRACE STUCK(1000, C, SYN, "connect") PACKET(1001000, C, SYN) PACKET(1001001, S, "flags=R. ack=101")},
    {"firewall-dropped", true, TRACE STUCK(1000, C, SYN, "connect") STUCK(1001000, C, SYN, "connect") C_REFUSED},
    {"icmp-refused", true, TRACE STUCK(1000, C, SYN, "connect") ICMP(1001, "icmp", "3", "3", "tcp") C_REFUSED},
    {"firewall-dropped", false, TRACE STUCK(1000, C, SYN, "connect") ICMP(1001, "icmp", "3", "3", "tcp") C_REFUSED},
    {"reset-by-firewall", true, TRACE HANDSHAKE REJECTED(2000, "flags=R seq=501", "write")},
    {"refused-by-firewall", false, TRACE HANDSHAKE REJECTED(2000, "flags=R seq=501", "write")},
    {"reset-by-firewall", false, TRACE HANDSHAKE PACKET(2000, S, "flags=R. seq=501 ack=101")},
    {"refused-despite-listener", true, TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101")},
    {"refused-despite-listener", false,
     TRACE LISTEN LISTENER_CLOSED(950) PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101")},
    {"refused", true, TRACE LISTEN LISTENER_CLOSED(950) PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101")},
/* listen() has returned, close() has not, and the process lives: all as the SYN comes, to the nanosecond. */
#define LISTEN_RETURNS(t)                                                                                                          \
    "enter t=900" US " " S_THREAD "name=listen fd=3 how=0 level=-1 args=\"3, 5\" " LISTENER "\n"                                   \
    "exit t=" t " " S_THREAD "name=listen fd=3 how=0 level=-1 slept=-1 " LISTENER "\n"
#define CLOSE_RETURNS(t)                                                                                                           \
    "enter t=950" US " " S_THREAD "name=close fd=3 how=-1 level=-1 " LISTENER "\n"                                                 \
    "exit t=" t " " S_THREAD "name=close fd=3 how=-1 level=-1 slept=-1 " LISTENER "\n"
#define REFUSED PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101")
    {"refused-despite-listener", true, TRACE LISTEN_RETURNS("1000000") REFUSED},
    {"refused-despite-listener", false, TRACE LISTEN_RETURNS("1000001") REFUSED},
    {"refused-despite-listener", true, TRACE LISTEN CLOSE_RETURNS("1000001") REFUSED},
    {"refused-despite-listener", false, TRACE LISTEN CLOSE_RETURNS("1000000") REFUSED},
    {"refused-despite-listener", true, TRACE LISTEN "process t=1000001 " S_THREAD "change=exit status=-1 signal=9\n" REFUSED},
    {"refused-despite-listener", false, TRACE LISTEN "process t=1000000 " S_THREAD "change=exit status=-1 signal=9\n" REFUSED},
/* Who listens at any address serves those of its own network: another's port of the same number is not its. */
#define LISTENS_AT_ANY(netns)                                                                                                      \
    "state t=890000 from=CLOSE to=LISTEN netns=" #netns " sock.cookie=5 sock.proto=tcp sock.local=0.0.0.0:3333\n"                  \
    "enter t=900000 " S_THREAD "name=listen fd=3 how=0 level=-1 sock.cookie=5 sock.proto=tcp sock.local=0.0.0.0:3333\n"            \
    "exit t=901000 " S_THREAD "name=listen fd=3 how=0 level=-1 slept=-1 sock.cookie=5 sock.proto=tcp sock.local=0.0.0.0:3333 "     \
    "sock.state=LISTEN\n"
#define SYN_LEAVES MARK(1000, WC, SYN, WC_SOCK) PACKET(1000, WC, SYN)
#define RST_COMES PACKET(1010, WS, "flags=R. seq=0 ack=101")
#define BY_DEVICE "# tcpwhy events 1\ntrace t=1 recorder=test\nvantage t=1 vantage=1 netns=9 name=eth0 v4=192.0.2.1:0\n"
    {"refused-despite-listener", true, TRACE LISTENS_AT_ANY(9) PACKET(1000, WC, SYN) RST_COMES},
    {"refused-despite-listener", true,
     TRACE LISTENS_AT_ANY(9) SYN_LEAVES MARK(1010, WS, "flags=R. seq=0 ack=101", "if=1") RST_COMES},
    {"refused-despite-listener", false, TRACE LISTENS_AT_ANY(9) SYN_LEAVES RST_COMES},
    {"refused-despite-listener", false, BY_DEVICE LISTENS_AT_ANY(9) MARK(1000, WC, SYN, WC_SOCK) PACKET(1000, WC, SYN) RST_COMES},
    {"refused", true, BY_DEVICE LISTENS_AT_ANY(9) SYN_LEAVES RST_COMES},
    {"refused-despite-listener", false, TRACE TWO_ENDS LISTENS_AT_ANY(10) SYN_LEAVES RST_COMES},
    {"refused-despite-listener", true,
     TRACE FAR_KNOWN LISTENS_AT_ANY(10) SYN_LEAVES ARRIVES(1005, WC, SYN) ARRIVES(1006, WS, "flags=R. seq=0 ack=101") RST_COMES},
    {"refused-despite-listener", true,
     TRACE TWO_ENDS LISTENS_AT_ANY(10) SYN_LEAVES "queue t=1005000 netns=10 " WC SYN
                                                  " sock.cookie=5 sock.proto=tcp sock.state=LISTEN accept_most=5\n" RST_COMES},
    {"refused-despite-listener", true,
     TRACE TWO_ENDS LISTENS_AT_ANY(10) SYN_LEAVES "drop t=1005000 netns=10 " WC SYN
                                                  " reason=TCP_MINTTL function=tcp_v4_rcv\n" RST_COMES},
    {"refused-despite-listener", false,
     TRACE TWO_ENDS LISTENS_AT_ANY(10) SYN_LEAVES "drop t=1005000 netns=10 " WC SYN " " FIREWALL "\n" RST_COMES},
/* The server's own SYN-ACK was captured too. Whose RST bears the number behind it knows that. */
#define GIVEN_UP                                                                                                                   \
    PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK) PACKET(9000000, S, "flags=R. seq=501 ack=101")
    {"refused-despite-listener", true,
     TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101") PACKET(1020, S, SYN_ACK)},
    {"refused-despite-listener", false, TRACE GIVEN_UP},
    {"refused", true, TRACE GIVEN_UP},
#define ITS_LISTENER LISTEN "state t=900500 from=CLOSE to=LISTEN netns=9 " S_CUR LISTENER "\n"
#define OTHER_CLOSED                                                                                                               \
    "enter t=950" US " " S_THREAD "name=close fd=3 how=-1 level=-1 sock.cookie=6 sock.proto=tcp sock.local=127.0.0.2:3333\n"       \
    "exit t=951" US " " S_THREAD                                                                                                   \
    "name=close fd=3 how=-1 level=-1 slept=-1 sock.cookie=6 sock.proto=tcp sock.local=127.0.0.2:3333\n"
#define OTHER_LISTENER(host)                                                                                                       \
    "enter t=900" US " " S_THREAD "name=listen fd=3 how=0 level=-1 sock.cookie=6 sock.proto=tcp sock.local=127.0.0.2:3333\n"       \
    "state t=900500 from=CLOSE to=LISTEN netns=" host " " S_CUR "sock.cookie=6 sock.proto=tcp sock.local=127.0.0.2:3333\n"         \
    "exit t=901" US " " S_THREAD                                                                                                   \
    "name=listen fd=3 how=0 level=-1 slept=-1 sock.cookie=6 sock.proto=tcp sock.local=127.0.0.2:3333 sock.state=LISTEN\n"
    {"listens-elsewhere", true, TRACE OTHER_LISTENER("9") REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"listens-elsewhere", false, /* on another host */
     TRACE OTHER_LISTENER("10") REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"listens-elsewhere", false, TRACE REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"listens-elsewhere", false, /* at this very address */
     TRACE ITS_LISTENER REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"refused-despite-listener", true, TRACE ITS_LISTENER REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"listens-elsewhere", true, /* for one device */
     TRACE ITS_LISTENER OPTION(950, S_THREAD, LISTENER, "1", "25", "0") REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"refused-despite-listener", false,
     TRACE ITS_LISTENER OPTION(950, S_THREAD, LISTENER, "1", "25", "0") REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"refused", false, TRACE ITS_LISTENER REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
    {"listens-elsewhere", false, /* no longer */
     TRACE OTHER_LISTENER("9") OTHER_CLOSED REFUSES("tcp_v4_send_reset;tcp_v4_rcv;net_rx_action")},
/* Calls. */
#define WRITES(from, to, bytes)                                                                                                    \
    "enter t=" #from US " " C_THREAD "name=sendto fd=3 how=-1 level=-1 args=\"3, ..., 5, MSG_NOSIGNAL\" " C_SOCK "\n"              \
    "exit t=" #to US " " C_THREAD "name=sendto fd=3 how=-1 level=-1 slept=0 ret=" #bytes " " C_SOCK "\n"
#define READS(from, to, bytes)                                                                                                     \
    "enter t=" #from US " " S_THREAD "name=recvfrom fd=4 how=-1 level=-1 " S_SOCK "\n"                                             \
    "exit t=" #to US " " S_THREAD "name=recvfrom fd=4 how=-1 level=-1 slept=0 ret=" #bytes " " S_SOCK "\n"
#define DATA_2 "flags=P. seq=106 ack=501 len=5"
#define TWO_WRITES WRITES(1990, 2010, 5) PACKET(2000, C, C_DATA) WRITES(2090, 2110, 5) PACKET(2100, C, DATA_2)
    {"stream-joined", true, TRACE HANDSHAKE TWO_WRITES READS(3000, 3010, 10)},
    {"stream-joined", false, TRACE HANDSHAKE TWO_WRITES READS(3000, 3010, 5) READS(3100, 3110, 5)},
    {"stream-joined", false, /* one write in two segments */
     TRACE HANDSHAKE WRITES(1990, 2010, 10) PACKET(2000, C, C_DATA) PACKET(2001, C, DATA_2) READS(3000, 3010, 10)},
    {"partial-write", true, TRACE HANDSHAKE WRITES(1990, 2010, 4) PACKET(2000, C, "flags=P. seq=101 ack=501 len=4")},
    {"partial-write", true, /* one that had waited */
     TRACE HANDSHAKE "enter t=1990000 " C_THREAD "name=sendto fd=3 how=-1 level=-1 args=\"3, ..., 5, 0\" " C_SOCK "\n"
                     "exit t=2010000 " C_THREAD "name=sendto fd=3 how=-1 level=-1 slept=9000 ret=4 " C_SOCK
                     "\n" PACKET(2000, C, "flags=P. seq=101 ack=501 len=4")},
    {"partial-write", false, TRACE HANDSHAKE WRITES(1990, 2010, 5) PACKET(2000, C, C_DATA)},
    {"send-unconfirmed", true,
     TRACE HANDSHAKE PACKET(1500, S, "flags=. seq=501 ack=101") WRITES(1990, 2010, 5) PACKET(2000, C, C_DATA)
         PACKET(202000, C, C_DATA)},
    {"send-unconfirmed", false,
     TRACE HANDSHAKE PACKET(1500, S, "flags=. seq=501 ack=101") WRITES(1990, 2010, 5) PACKET(2000, C, C_DATA)
         PACKET(201999, C, C_DATA)},
    {"send-unconfirmed", false,
     TRACE HANDSHAKE WRITES(1990, 2010, 5) PACKET(2000, C, C_DATA) PACKET(2100, S, "flags=. seq=501 ack=106")
         PACKET(302000, S, "flags=P. seq=501 ack=106 len=5")},
#define OTHER "src=10.0.0.7:8080 dst=127.0.0.1:40000 proto=tcp "
    /* Just inside, just outside of the bounds above. */
    {"nagle-delayed-ack", true,
     TRACE OPEN DATA(2000, 101, 501) ACKS(32000, 103) DATA(34000, 103, 501) ACKS(64000, 105) DATA(66000, 105, 501)},
    {"nagle-delayed-ack", true,
     TRACE OPEN DATA(2000, 101, 501) ACKS(602000, 103) DATA(602100, 103, 501) ACKS(1202100, 105) DATA(1202200, 105, 501)},
    {"nagle-delayed-ack", false, /* no stack delays an ACK for so long */
     TRACE OPEN DATA(2000, 101, 501) ACKS(602001, 103) DATA(602100, 103, 501) ACKS(1202101, 105) DATA(1202200, 105, 501)},
/* What an ACK lets go is captured at once at its sender, a way there and back later at the other end, and at no time between. */
#define FAR PACKET(1000, WC, SYN ROOM) PACKET(101000, WS, SYN_ACK ROOM) PACKET(101020, WC, HANDSHAKE_ACK ROOM)
#define FAR_DATA(t, seq) PACKET(t, WC, "flags=P. seq=" #seq " ack=501 len=2 win=512")
#define FAR_ACK(t, ack) PACKET(t, WS, "flags=. seq=501 ack=" #ack " win=512")
    {"nagle-delayed-ack", true,
     TRACE FAR FAR_DATA(200000, 101) FAR_ACK(350000, 103) FAR_DATA(450000, 103) FAR_ACK(600000, 105) FAR_DATA(600010, 105)},
    {"nagle-delayed-ack", false,
     TRACE FAR FAR_DATA(200000, 101) FAR_ACK(350000, 103) FAR_DATA(400000, 103) FAR_ACK(550000, 105) FAR_DATA(600000, 105)},
/* A segment as large as the peer's SYN allows is not small, nor is what was put together of several. */
#define LENGTH(t, seq, len) PACKET(t, C, "flags=P. seq=" #seq " ack=501 win=512 len=" #len)
#define ALLOWS PACKET(1000, C, SYN ROOM) PACKET(1010, S, SYN_ACK ROOM " opt=mss opt.mss=1460") PACKET(1020, C, HANDSHAKE_ACK ROOM)
    {"nagle-delayed-ack", true,
     TRACE ALLOWS LENGTH(2000, 101, 999) ACKS(42000, 1100) LENGTH(42100, 1100, 999) ACKS(82100, 2099) LENGTH(82200, 2099, 999)
         LENGTH(82300, 3098, 1000)},
    {"nagle-delayed-ack", false,
     TRACE ALLOWS LENGTH(2000, 101, 1000) ACKS(42000, 1101) LENGTH(42100, 1101, 1000) ACKS(82100, 2101) LENGTH(82200, 2101, 1000)
         LENGTH(82300, 3101, 17000)},
    {"nagle-delayed-ack", false,
     TRACE OPEN LENGTH(2000, 101, 1000) ACKS(42000, 1101) LENGTH(42100, 1101, 1000) ACKS(82100, 2101) LENGTH(82200, 2101, 1000)
         LENGTH(82300, 3101, 17000)},
    {"accept-late", true, TRACE LISTEN HANDSHAKE ACCEPT(11020, "4")},
    {"accept-late", false, TRACE LISTEN HANDSHAKE ACCEPT(11019, "4")},
    {"accept-late", false, /* it was asleep when the connection came: woken late, not called late */
     TRACE LISTEN "enter t=950000 " S_THREAD "name=accept fd=3 how=-1 level=-1 " LISTENER "\n" HANDSHAKE "exit t=21020000 " S_THREAD
                  "name=accept fd=3 how=-1 level=-1 slept=-1 ret=4 " LISTENER
                  " other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000\n"},
    {"stray", true,
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, S_DATA) PACKET(2020, OTHER, "flags=. seq=66041 ack=106 len=9")},
    {"stray", false,
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, S_DATA) PACKET(2020, OTHER, "flags=. seq=66042 ack=106 len=9")},
    {"stray", true,
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, S_DATA) PACKET(5002010, OTHER, "flags=. seq=506 ack=106 len=9")},
    {"stray", false,
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, S_DATA) PACKET(5002011, OTHER, "flags=. seq=506 ack=106 len=9")},
/* Two captures that were compared. */
#define COMPARED(fate) " same=1 fate=" fate
    {"syn-unanswered", true, /* it reached the other host, and was not answered */
     TRACE TWO_ENDS PACKET(1000, WC, SYN " same=1") ARRIVES(1010, WC, SYN " same=1") PACKET(1001000, WC, SYN " same=2")
         ARRIVES(1001010, WC, SYN " same=2")},
    {"syn-unanswered", false, /* it was answered, and the answer was lost */
     TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1010, WC, SYN) PACKET(1020, WS, SYN_ACK) PACKET(1001000, WC, SYN)
         ARRIVES(1001010, WC, SYN) PACKET(1001020, WS, SYN_ACK) ARRIVES(1001030, WS, SYN_ACK)},
    {"syn-unanswered", false, /* none of them reached it */
     TRACE TWO_ENDS PACKET(1000, WC, SYN COMPARED("lost")) PACKET(1001000, WC, SYN " same=2 fate=lost")},
    {"black-hole", true, TRACE TWO_ENDS PACKET(1000, WC, SYN COMPARED("lost")) PACKET(1001000, WC, SYN " same=2 fate=lost")},
    {"black-hole", false,
     TRACE TWO_ENDS PACKET(1000, WC, SYN " same=1") ARRIVES(1010, WC, SYN " same=1") PACKET(1001000, WC, SYN " same=2")
         ARRIVES(1001010, WC, SYN " same=2")},
    {"lost-to-server", true, TRACE TWO_ENDS PACKET(1000, WC, SYN COMPARED("lost"))},
    {"lost-to-server", false, TRACE TWO_ENDS PACKET(1000, WC, SYN COMPARED("passed"))},
    {"lost-to-client", true, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK COMPARED("lost"))},
    {"lost-to-client", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK COMPARED("passed"))},
    {"capture-missed-client", true, TRACE TWO_ENDS PACKET(1000, WC, SYN COMPARED("passed"))},
    {"capture-missed-client", false, TRACE TWO_ENDS PACKET(1000, WC, SYN COMPARED("lost"))},
    {"capture-missed-server", true, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK COMPARED("passed"))},
    {"capture-missed-server", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK COMPARED("lost"))},
    {"unsent-client", true, TRACE TWO_ENDS HANDSHAKE PACKET(2000, WC, C_DATA COMPARED("unsent"))},
    {"unsent-client", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(2000, WC, C_DATA COMPARED("came"))},
    {"unsent-server", true, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK COMPARED("unsent"))},
    {"unsent-server", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK COMPARED("came"))},
    {"reset-from-between", true,
     TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, "flags=R. seq=0 ack=101" COMPARED("unsent"))},
    {"reset-from-between", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, "flags=R. seq=0 ack=101" COMPARED("came"))},
    {"refused", false, /* not by its host */
     TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1010, WS, "flags=R. seq=0 ack=101" COMPARED("unsent"))},
    /* The nearest to what fires above. */
    {"no-arrow", true, TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=P. seq=501 ack=90 len=5")},
    {"no-arrow", false, TRACE HANDSHAKE PACKET(1100, S, S_DATA)},
    {"closed-by-exec", false,
     TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "write", C_SOCK) ENTER(1990, C_THREAD, "close", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;sock_close;__x64_sys_close")) PACKET(2001, C, C_FIN)
             EXIT(2010, C_THREAD, "close", C_SOCK, "")},
    {"closed-by-signal", false,
     TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN) "process t=2050000 " C_THREAD
                                                                                        "change=exit status=0\n"},
    {"closed-listener", false, TRACE HANDSHAKE SENT_BY_CLOSE("tcp_send_active_reset;tcp_disconnect;__tcp_close")},
    {"reset-by-disconnect", false, TRACE HANDSHAKE SENT_BY_CLOSE("tcp_send_active_reset;tcp_disconnect;__tcp_close")},
    {"half-open-rst", false, /* it did arrive */
     TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)
         PACKET(1020, WC, HANDSHAKE_ACK) ARRIVES(1021, WC, HANDSHAKE_ACK) PACKET(2100, WC, C_DATA) ARRIVES(2101, WC, C_DATA)
             PACKET(2110, WS, "flags=R seq=501") ARRIVES(2111, WS, "flags=R seq=501")},
    {"reset-unread-data", false,
     TRACE HANDSHAKE PACKET(1100, S, S_DATA) ENTER(1990, C_THREAD, "close", C_SOCK " sock.unread=0", "") PACKET(2000, C, C_RST)
         EXIT(2010, C_THREAD, "close", C_SOCK, "")},
    {"self-connect", false, TRACE HANDSHAKE},
    {"simultaneous-close", false,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")},
    {"syn-cookies", false,
     TRACE HANDSHAKE "state t=1021000 from=LISTEN to=SYN_RECV netns=9 " S_SOCK " " S_CUR
                     "chain=inet_csk_clone_lock;tcp_check_req;tcp_v4_rcv\n"},
    {"time-wait-answers", false,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")},
    {"time-wait-assassination", false, TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=R seq=501")},
    {"time-wait-assassination", false, /* the kernel's timers would show it */
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN)
         MARK(2019, C, "flags=. seq=102 ack=502", C_CUR C_SOCK CHAIN("tcp_send_ack;tcp_v4_rcv;net_rx_action"))
             PACKET(2020, C, "flags=. seq=102 ack=502") PACKET(2030, S, "flags=R seq=502")},
/* Captured more than once. */
#define OF_1 " conn=1"
#define SIGHT(t, from, what) "packet t=" t " vantage=1 number=1 " from what OF_1 " sight=1\n"
    {"two-places", true,
     TRACE PACKET(1000, WC, SYN OF_1) SIGHT("1100000", WC, SYN) PACKET(1200, WS, SYN_ACK OF_1) SIGHT("1300000", WS, SYN_ACK)},
    {"two-places", false, /* within one host it takes no longer */
     TRACE PACKET(1000, WC, SYN OF_1) SIGHT("1099999", WC, SYN) PACKET(1200, WS, SYN_ACK OF_1) SIGHT("1300000", WS, SYN_ACK)},
    {"two-places", false, /* one packet that was doubled */
     TRACE PACKET(1000, WC, SYN OF_1) SIGHT("1100000", WC, SYN) PACKET(1200, WS, SYN_ACK OF_1)},
    {"several-sights", true,
     TRACE PACKET(1000, WC, SYN OF_1) SIGHT("1099999", WC, SYN) PACKET(1200, WS, SYN_ACK OF_1) SIGHT("1300000", WS, SYN_ACK)},
    {"several-sights", false, TRACE PACKET(1000, WC, SYN OF_1) PACKET(1200, WS, SYN_ACK OF_1)},
#define OF_2 " conn=2"
#define HELD PACKET(1000, WC, SYN OF_1) PACKET(1010, WS, SYN_ACK OF_1) PACKET(1020, WC, HANDSHAKE_ACK OF_1)
    /* A SYN while the server holds a connection between the same ends: the list's numbers say whose each packet is. */
    {"syn-challenged", true, TRACE HELD PACKET(9000, WC, "flags=S seq=9000" OF_2) PACKET(9010, WS, "flags=. seq=501 ack=101" OF_1)},
    {"syn-challenged", false,
     TRACE HELD PACKET(9000, WC, "flags=S seq=9000" OF_2) PACKET(9010, WC, "flags=. seq=101 ack=501" OF_1)},
    {"syn-challenged", false, /* it was answered */
     TRACE HELD PACKET(9000, WC, "flags=S seq=9000" OF_2) PACKET(9010, WS, "flags=S. seq=7000 ack=9001" OF_2)
         PACKET(9020, WS, "flags=. seq=501 ack=101" OF_1)},
/* Another client at the same place. */
#define ELSE_C "src=192.0.2.3:50000 dst=192.0.2.2:3333 proto=tcp "
#define ELSE_S "src=192.0.2.2:3333 dst=192.0.2.3:50000 proto=tcp "
    {"syn-unanswered", true,
     TRACE PACKET(1000, WC, SYN) PACKET(900, ELSE_C, SYN) PACKET(1000, ELSE_S, SYN_ACK) PACKET(1001000, WC, SYN)},
    {"black-hole", false,
     TRACE PACKET(1000, WC, SYN) PACKET(900, ELSE_C, SYN) PACKET(1000, ELSE_S, SYN_ACK) PACKET(1001000, WC, SYN)},
    {"syn-unanswered", false,
     TRACE PACKET(900, ELSE_C, SYN) PACKET(999, ELSE_S, SYN_ACK) PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN)},
    {"black-hole", true,
     TRACE PACKET(900, ELSE_C, SYN) PACKET(999, ELSE_S, SYN_ACK) PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN)},
    {"black-hole", true, /* on another port */
     TRACE PACKET(1000, WC, SYN) PACKET(1010, "src=192.0.2.2:3334 dst=192.0.2.3:50000 proto=tcp ", SYN_ACK)
         PACKET(1001000, WC, SYN)},
    /* The same numbers under another address. */
    {"stray", true,
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, S_DATA) PACKET(2020, OTHER, "flags=. seq=506 ack=106 len=9")},
    {"stray", false,
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, S_DATA) PACKET(2020, OTHER, "flags=. seq=506 ack=107 len=9")},
    {"stray", false, TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2010, S, S_DATA)},
#define NATTED "src=10.0.0.7:4242 dst=10.0.0.8:3333 proto=tcp "
#define NATTED_BACK "src=10.0.0.8:3333 dst=10.0.0.7:4242 proto=tcp "
    {"translated", true, TRACE HANDSHAKE PACKET(1001, NATTED, SYN) PACKET(1009, NATTED_BACK, SYN_ACK)},
    /* The other side's SYN comes before this one's answer, and the other way round, to the microsecond. */
    {"translated", true, TRACE HANDSHAKE PACKET(1010, NATTED, SYN) PACKET(1019, NATTED_BACK, SYN_ACK)},
    {"translated", false, TRACE HANDSHAKE PACKET(1011, NATTED, SYN) PACKET(1019, NATTED_BACK, SYN_ACK)},
    {"translated", true, TRACE PACKET(990, NATTED, SYN) PACKET(1000, NATTED_BACK, SYN_ACK) HANDSHAKE},
    {"translated", false, TRACE PACKET(990, NATTED, SYN) PACKET(999, NATTED_BACK, SYN_ACK) HANDSHAKE},
    {"translated", false, TRACE HANDSHAKE PACKET(1001, NATTED, SYN) PACKET(1009, NATTED_BACK, "flags=S. seq=600 ack=101")},
};
