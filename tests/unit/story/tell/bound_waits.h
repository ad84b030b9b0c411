/* Which state an end is in, and what ended a wait. */
#define CHANGES(t, from, to, who, sock, chain) "state t=" #t US " from=" from " to=" to " netns=9 " who sock CHAIN(chain) "\n"
#define ENDS_UNANSWERED(chain) TRACE PACKET(1000, C, SYN) CHANGES(2000, "SYN_SENT", "CLOSE", C_CUR, C_SOCK, chain)
#define SAME_ISNS                                                                                                                  \
    PACKET(1000, C, "flags=S seq=500" ROOM)                                                                                        \
    PACKET(1010, S, "flags=S. seq=500 ack=501" ROOM) PACKET(1020, C, "flags=. seq=501 ack=501" ROOM)
#define CD(t, seq) PACKET(t, C, "flags=P. seq=" seq " ack=501 len=5" ROOM)
#define SD(t, seq) PACKET(t, S, "flags=P. seq=" seq " ack=501 len=5" ROOM)
#define C_READS(ret) DOES(500000, 500010, C_THREAD, "read", C_SOCK, ret)
#define UDP_C_SOCK "sock.cookie=7 sock.proto=udp sock.local=127.0.0.1:40000 sock.remote=127.0.0.1:3333"
#define UDP_READS(t, ret) DOES(t, t, C_THREAD, "recvfrom", UDP_C_SOCK, ret)
#define REFUSES_IT(t)                                                                                                              \
    PACKET(t, "src=127.0.0.1:0 dst=127.0.0.1:0 proto=icmp ",                                                                       \
           "icmp.type=3 icmp.code=3 icmp.quotes=1 icmp.proto=udp icmp.src=127.0.0.1:40000 icmp.dst=127.0.0.1:3333")
#define SLEPT_READ(waker)                                                                                                          \
    TRACE OPEN ENTER(1500, C_THREAD, "read", C_SOCK, "")                                                                           \
        PACKET(2000, S, S_DATA ROOM) "wake t=2001000 " C_THREAD waker "\nexit t=2010000 " C_THREAD                                 \
                                     "name=read fd=3 how=-1 level=-1 slept=500000 ret=5 " C_SOCK "\n"
#define WAKER_RECEIVES(from, to, more)                                                                                             \
    "softirq=1 receiving=1 rx.src=127.0.0.1:" from " rx.dst=127.0.0.1:" to " rx.proto=tcp " more " chain=try_to_wake_up;tcp_v4_"   \
    "rcv"
#define READY(from, at, to)                                                                                                        \
    TRACE OPEN "exit t=1100000 " S_THREAD "name=epoll_ctl fd=4 how=-1 level=-1 slept=-1 epoll=10 watch=0:77:1 " S_SOCK "\n"        \
               "enter t=" #from US " " S_THREAD "name=epoll_wait fd=9 how=-1 level=-1 epoll=10\n" PACKET(                          \
                   at, C, C_DATA ROOM) "exit t=" #to US " " S_THREAD                                                               \
                                       "name=epoll_wait fd=9 how=-1 level=-1 epoll=10 ret=1 slept=-1 watch=0:77:1\n"
#define ORPHANED TRACE TWO_ENDS FAR_OPEN THERE(2000, 2100, C_FIN ROOM) BACK(2110, 2210, "flags=. seq=501 ack=102" ROOM)
#define FIN_COMES(ns) "packet t=" ns " vantage=2 number=1 " WS S_FIN "\npacket t=" ns " vantage=1 number=1 " WS S_FIN "\n"
#define TOO_LATE THERE(902220, 902300, "flags=R seq=102")
#define READ_UNTIL_2000(data_ns)                                                                                                   \
    TRACE HANDSHAKE "packet t=" data_ns " vantage=1 number=1 " S S_DATA "\n" DOES(1500, 2000, C_THREAD, "read", C_SOCK, "5")
#define CONNECTS_AND(ret, answer)                                                                                                  \
    TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN) PACKET(1010, S, answer)                                 \
        EXIT(1030, C_THREAD, "connect", C_SOCK, " ret=" ret)
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
    {"the data (#4) came", TRACE HANDSHAKE PACKET(2000, S, S_DATA) DOES(1500, 2000, C_THREAD, "read", C_SOCK, "5"),
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
    /* Of what brought it the peer's data alone counts, each byte once, and nothing beyond. */
    {"took:2,", TRACE SAME_ISNS SD(2000, "501") CD(2001, "501") CD(2002, "506") SD(2010, "506") C_READS("10"),
     TRACE SAME_ISNS SD(2000, "501") CD(2001, "501") CD(2002, "506") SD(2010, "506") C_READS("5")},
    {"took:2,", TRACE SAME_ISNS SD(2000, "501") PACKET(2001, S, "flags=. seq=506 ack=501" ROOM) SD(2010, "506") C_READS("10"),
     TRACE SAME_ISNS SD(2000, "501") PACKET(2001, S, "flags=. seq=506 ack=501" ROOM) SD(2010, "506") C_READS("4")},
    {"took:2,", TRACE SAME_ISNS SD(2000, "501") ICMP(2005, "icmp", "3", "1", "tcp") SD(2010, "506") C_READS("10"),
     TRACE SAME_ISNS SD(2000, "501") ICMP(2005, "icmp", "3", "1", "tcp") SD(2010, "506") C_READS("11")},
    {"took:2,", TRACE SAME_ISNS SD(2000, "501") SD(2005, "511") SD(2010, "506") C_READS("10"),
     TRACE SAME_ISNS SD(2000, "501") SD(2005, "511") SD(2010, "506") C_READS("11")},
    {"took:3,", /* what was lost came when it was sent again; from one place, too */
     TRACE TWO_ENDS FAR_OPEN BACK(2000, 2100, S_DATA ROOM) ARRIVES(2200, WS, "flags=P. seq=506 ack=101 len=5" ROOM)
         BACK(2300, 2400, "flags=P. seq=511 ack=101 len=5" ROOM) BACK(402200, 402300, "flags=P. seq=506 ack=101 len=5" ROOM)
             DOES(403000, 403010, C_THREAD, "read", WC_SOCK, "15"),
     TRACE TWO_ENDS FAR_OPEN BACK(2000, 2100, S_DATA ROOM) BACK(2200, 2300, "flags=P. seq=506 ack=101 len=5" ROOM)
         BACK(402200, 402300, "flags=P. seq=506 ack=101 len=5" ROOM) DOES(403000, 403010, C_THREAD, "read", WC_SOCK, "10")},
    {"took:3,", TRACE SAME_ISNS SD(2000, "501") SD(2005, "511") SD(402000, "506") C_READS("15"),
     TRACE SAME_ISNS SD(2000, "501") SD(2005, "506") SD(402000, "506") C_READS("10")},
    /* A datagram without a byte is one; a refusal is the ICMP error's, not any datagram's. */
    {"wake:never-slept/interval by=@2 datagram #3 was there already",
     TRACE PACKET(1000, UDP_C, "len=3") PACKET(1005, UDP_S, "len=0") PACKET(1006, UDP_S, "len=4") UDP_READS(1100, "0")
         UDP_READS(1120, "4"),
     TRACE PACKET(1000, UDP_C, "len=3") PACKET(1005, UDP_S, "len=4") PACKET(1006, UDP_S, "len=4") UDP_READS(1100, "-11")
         UDP_READS(1120, "4")},
    {"wake:never-slept/interval by=@1 datagram #2 was there already",
     TRACE PACKET(1000, UDP_C, "len=3") PACKET(1005, UDP_S, "len=0") UDP_READS(1100, "0"),
     TRACE PACKET(1000, UDP_C, "len=3") PACKET(1005, UDP_S, "len=1") UDP_READS(1100, "0")},
    {"wake:never-slept/interval by=@3 the ICMP error was there already",
     TRACE PACKET(1000, UDP_C, "len=3") PACKET(1005, UDP_S, "len=4") PACKET(1006, UDP_C, "len=3") REFUSES_IT(1010)
         UDP_READS(1100, "-111"),
     TRACE PACKET(1000, UDP_C, "len=3") PACKET(1005, UDP_S, "len=4") PACKET(1006, UDP_C, "len=3") REFUSES_IT(1010)
         UDP_READS(1100, "-11")},
    /* What woke it: what its waker was receiving for this end; a timer; somebody else. */
    {"wake:segment/interval by=@8", SLEPT_READ(WAKER_RECEIVES("41111", "3333", "rx.flags=.")),
     SLEPT_READ(WAKER_RECEIVES("3333", "40000", "rx.flags=P. rx.seq=501 rx.ack=101 rx.len=5"))},
    {"wake:segment/interval by=@8", SLEPT_READ(WAKER_RECEIVES("40000", "3333", "rx.flags=. rx.seq=101 rx.ack=501")),
     SLEPT_READ(WAKER_RECEIVES("3333", "40000", "rx.flags=P. rx.seq=501 rx.ack=101 rx.len=5"))},
    {"woken because somebody else ended the connection", SLEPT_READ("chain=try_to_wake_up;sock_def_error_report;tcp_abort"),
     SLEPT_READ("chain=try_to_wake_up;sock_def_error_report;tcp_v4_err;icmp_rcv")},
    {"woken by its timeout", SLEPT_READ("chain=try_to_wake_up;hrtimer_wakeup"),
     SLEPT_READ("chain=try_to_wake_up;tcp_write_timer_handler;tcp_write_timer;call_timer_fn;run_timer_softirq")},
    {"woken by a TCP timer", SLEPT_READ("chain=try_to_wake_up;tcp_write_timer_handler;tcp_write_timer;call_timer_fn"),
     SLEPT_READ("chain=try_to_wake_up;hrtimer_wakeup")},
    {"made a descriptor ready", READY(1999, 2000, 2010),
     READY(2000, 2000, 2010)}, /* what had come by then, it would not have waited for */
    {"made a descriptor ready", READY(1500, 2000, 2000), READY(1500, 2000, 1999)},
    /* An orphan waits for a FIN for a second at least, a tenth less as ticks fall. */
    {"c state FIN_WAIT_2>CLOSED <- timer", ORPHANED FIN_COMES("902210000") TOO_LATE, ORPHANED FIN_COMES("902209999") TOO_LATE},
    {"c state FIN_WAIT_2>CLOSED <- timer", ORPHANED FIN_COMES("902210000") TOO_LATE,
     ORPHANED FIN_COMES("902210000") THERE(902220, 902300, "flags=. seq=102 ack=502" ROOM)},
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
    /* What came at the instant at which read() returned had come; and what a connect() learnt. */
    {"took:1,8-8 the data (#4) came", READ_UNTIL_2000("2000000"), READ_UNTIL_2000("2000001")},
    {"the SYN-ACK (#2) answered the SYN", CONNECTS_AND("0", SYN_ACK), CONNECTS_AND("-111", "flags=R. seq=0 ack=101")},
    {"the RST (#2) refused the connection", CONNECTS_AND("-111", "flags=R. seq=0 ack=101"), CONNECTS_AND("0", SYN_ACK)},
};
