/* Where the time went. */
#define WIDE PACKET(1000, WC, SYN ROOM) PACKET(1010, WS, SYN_ACK ROOM) PACKET(1020, WC, HANDSHAKE_ACK ROOM)
#define WC_DATA "flags=P. seq=101 ack=501 len=5 win=512"
#define WC_MORE "flags=P. seq=106 ack=501 len=5 win=512"
#define WS_DATA "flags=P. seq=501 ack=101 len=5 win=512"
#define LATER(t) PACKET(t, "src=192.0.2.9:4000 dst=192.0.2.8:3333 proto=tcp ", SYN)
#define GOODBYE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
#define CONNECTS_ASLEEP(slept, ret)                                                                                                \
    ENTER(900, C_THREAD, "connect", C_SOCK, "")                                                                                    \
    OPEN "exit t=1110000 " C_THREAD "name=connect fd=3 how=-1 level=-1 slept=" slept " ret=" ret " " C_SOCK "\n"
#define TAKES_IT(from, to, ret)                                                                                                    \
    "enter t=" #from US " " S_THREAD "name=accept fd=3 how=-1 level=-1 " LISTENER "\n"                                             \
    "exit t=" #to US " " S_THREAD "name=accept fd=3 how=-1 level=-1 slept=-1 ret=" ret " " LISTENER                                \
    " other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000\n"
#define C_ASKS PACKET(5000, C, C_DATA " win=512")
#define TAKES(from, to, ret) DOES(from, to, S_THREAD, "read", S_SOCK, ret)
#define BY_ACK(ack)                                                                                                                \
    "softirq=1 receiving=1 rx.src=127.0.0.1:3333 rx.dst=127.0.0.1:40000 rx.proto=tcp rx.flags=. rx.seq=501 rx.ack=" ack
#define SIZED(t, seq, len) PACKET(t, C, "flags=P. seq=" seq " ack=501 len=" len " win=512")
#define RELEASED(t, seq, len, ack, chain)                                                                                          \
    MARK(t, C, "flags=P. seq=" seq " ack=501 len=" len " win=512", S_CUR C_SOCK " " BY_ACK(ack) chain) SIZED(t, seq, len)
#define LET_GO_OF(t, seq, len, ack)                                                                                                \
    RELEASED(t, seq, len, ack, CHAIN("__tcp_transmit_skb;tcp_write_xmit;tcp_ack;tcp_rcv_established;tcp_v4_rcv;net_rx_action"))
#define MAKES_ROOM PACKET(42000, S, "flags=. seq=501 ack=103" ROOM)
#define LET_GO(t, seq, ack) LET_GO_OF(t, seq, "2", ack)
#define WAKES(t) "wake t=" #t US " " S_THREAD C_CUR "chain=try_to_wake_up;signal_wake_up_state\n"
#define ASLEEP(from, woken, to)                                                                                                    \
    ENTER(from, S_THREAD, "read", S_SOCK, "")                                                                                      \
    C_ASKS WAKES(woken) "exit t=" #to US " " S_THREAD "name=read fd=3 how=-1 level=-1 slept=1000 ret=5 " S_SOCK "\n"
#define SERVED(fd) TRACE LISTEN HANDSHAKE TAKES_IT(21020, 21030, fd)
#define DELAYED(t, ack)                                                                                                            \
    MARK(t, S, "flags=. seq=501 ack=" ack " win=512",                                                                              \
         S_CUR S_SOCK CHAIN(                                                                                                       \
             "__tcp_transmit_skb;tcp_send_ack;tcp_delack_timer_handler;tcp_delack_timer;call_timer_fn;run_timer_softirq"))         \
    ACKED(t, ack)
#define WRITTEN DOES(1990, 1999, C_THREAD, "write", C_SOCK, "2") SMALL(2000, "101") DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2")
#define OFF_THE_BACKLOG                                                                                                            \
    CHAIN("__tcp_transmit_skb;tcp_write_xmit;tcp_ack;tcp_rcv_established;tcp_v4_do_rcv;__release_sock;tcp_recvmsg;"                \
          "__x64_sys_recvfrom")
static const struct bound times_bounds[] = {
    {"first-byte=4000", TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(9000, WS, WS_DATA), TRACE WIDE PACKET(9000, WS, WS_DATA)},
    {"first-byte=7980", TRACE WIDE PACKET(9000, WS, WS_DATA), TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(9000, WS, WS_DATA)},
    {"first-byte=4000", /* the first of them */
     TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(6000, WC, WC_MORE) PACKET(9000, WS, WS_DATA),
     TRACE WIDE PACKET(6000, WC, WC_MORE) PACKET(9000, WS, WS_DATA)},
    {"first-byte", TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(9000, WS, WS_DATA),
     TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(9000, WS, "flags=. seq=501 ack=106 win=512")},
    {"time-wait=60000000\n", TRACE HANDSHAKE GOODBYE LATER(60002021), TRACE HANDSHAKE GOODBYE LATER(59002009)},
    /* connect() that slept until the SYN-ACK came, and what it took to run again. */
    {"run-queue=100", TRACE CONNECTS_ASLEEP("100000", "0"), TRACE CONNECTS_ASLEEP("0", "-115")},
    /* accept() that was called before there was something to take, or only then, or so much later. */
    {"run-queue=20000", TRACE LISTEN TAKES_IT(1019, 21020, "8") HANDSHAKE PACKET(40000, C, C_DATA),
     TRACE LISTEN TAKES_IT(1020, 21020, "8") HANDSHAKE PACKET(40000, C, C_DATA)},
    {" accept=20000", TRACE LISTEN HANDSHAKE TAKES_IT(21020, 21030, "8") PACKET(40000, C, C_DATA),
     TRACE LISTEN HANDSHAKE TAKES_IT(21020, 21030, "-11") PACKET(40000, C, C_DATA)},
    /* Unread: from its arrival to the call that asks. */
    {"unread=3000", TRACE OPEN C_ASKS TAKES(4000, 4999, "1") TAKES(8000, 8010, "5"),
     TRACE OPEN C_ASKS TAKES(4000, 5000, "1") TAKES(8000, 8010, "5")},
    {"unread=3000", TRACE OPEN C_ASKS TAKES(4999, 5001, "-11") TAKES(8000, 8010, "5"),
     TRACE OPEN C_ASKS TAKES(5000, 5001, "-11") TAKES(8000, 8010, "5")},
    {"run-queue=500", TRACE OPEN C_ASKS TAKES(5000, 5500, "5"), TRACE OPEN C_ASKS TAKES(5001, 5500, "5")},
    {"unread=3000", /* nobody asked, to the end; a call of the other end is no asking */
     TRACE OPEN TAKES(2000, 2010, "-11") C_ASKS DOES(6000, 8000, C_THREAD, "read", C_SOCK, "5"),
     TRACE OPEN TAKES(2000, 2010, "-11") C_ASKS TAKES(6000, 8000, "5")},
    {"unread=3000", /* a read of no bytes takes none */
     TRACE OPEN C_ASKS TAKES(4999, 5001, "0") TAKES(8000, 8010, "5"),
     TRACE OPEN C_ASKS TAKES(4999, 5001, "5") TAKES(8000, 8010, "5")},
    /* Whoever sleeps runs again once there is what it waits for and it was woken: a wake before that was for something else. */
    {"run-queue=500", TRACE OPEN ASLEEP(4000, 4500, 5500), TRACE OPEN ASLEEP(4000, 5001, 5500)},
    {"run-queue=100", TRACE OPEN ASLEEP(4000, 5400, 5500), TRACE OPEN ASLEEP(4000, 4500, 5500)},
    /* A connect() whose beginning nobody saw, or whose SYN: what was before it is nobody's. */
    {"client=1970",
     TRACE DOES(800, 810, C_THREAD, "bind", C_SOCK, "0") OPEN EXIT(1030, C_THREAD, "connect", C_SOCK, " ret=0")
         DOES(3000, 3000, C_THREAD, "write", C_SOCK, "5"),
     TRACE DOES(800, 810, C_THREAD, "bind", C_SOCK, "0") DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0")
         OPEN DOES(3000, 3000, C_THREAD, "write", C_SOCK, "5")},
    {"client=1970",
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") PACKET(1010, S, SYN_ACK ROOM) PACKET(1020, C, HANDSHAKE_ACK ROOM)
         DOES(3000, 3000, C_THREAD, "write", C_SOCK, "5"),
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") OPEN DOES(3000, 3000, C_THREAD, "write", C_SOCK, "5")},
    /* The queue was left once: another accept(), which has not returned, waits for others. Descriptor 0 is one as well. */
    {" accept=20000", SERVED("0") PACKET(40000, C, C_DATA), SERVED("-11") PACKET(40000, C, C_DATA)},
    {" accept=20000", SERVED("8") ENTER(21040, S_THREAD, "accept", LISTENER, "") PACKET(40000, C, C_DATA),
     TRACE LISTEN HANDSHAKE TAKES_IT(21021, 21030, "8") ENTER(21040, S_THREAD, "accept", LISTENER, "") PACKET(40000, C, C_DATA)},
    {"client=1070", /* the FIN that came at that moment had come */
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") OPEN DOES(2000, 2000, C_THREAD, "close", C_SOCK, "0")
         PACKET(2001, S, "flags=F. seq=501 ack=101" ROOM),
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") OPEN PACKET(2000, S, "flags=F. seq=501 ack=101" ROOM)
         DOES(2000, 2000, C_THREAD, "close", C_SOCK, "0")},
    /* A process, from what it had to what it did; with descriptor 0, too. */
    {"server=1970", TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1030, "0") DOES(3000, 3000, S_THREAD, "write", S_SOCK, "5"),
     TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1030, "-11") DOES(3000, 3000, S_THREAD, "write", S_SOCK, "5")},
    {"server=1970", TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1030, "8") DOES(3000, 3000, S_THREAD, "write", S_SOCK, "5"),
     TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1030, "8") DOES(3000, 3000, S_THREAD, "read", S_SOCK, "5")},
    {"client=2070", /* connect() until its SYN, and from its end to the write */
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") OPEN DOES(3000, 3000, C_THREAD, "write", C_SOCK, "5"),
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "-115") OPEN DOES(3000, 3000, C_THREAD, "write", C_SOCK, "5")},
    {"server=1980", /* and the write, where it did not have to wait */
     TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1030, "8") SLEEPS(3000, 3010, S_THREAD, "write", S_SOCK, "0"),
     TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1030, "8") SLEEPS(3000, 3010, S_THREAD, "write", S_SOCK, "1")},
    {"client=1069", /* what is done once the peer has closed is another wait */
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") OPEN PACKET(2000, S, "flags=F. seq=501 ack=101" ROOM)
         DOES(1999, 1999, C_THREAD, "close", C_SOCK, "0"),
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") OPEN PACKET(2000, S, "flags=F. seq=501 ack=101" ROOM)
         DOES(2000, 2000, C_THREAD, "close", C_SOCK, "0")},
    {"server=500", /* from what was read last; the end of the stream is read, too */
     TRACE OPEN C_ASKS TAKES(5000, 5500, "5") TAKES(5600, 5700, "0") DOES(6200, 6200, S_THREAD, "write", S_SOCK, "5"),
     TRACE OPEN C_ASKS TAKES(5000, 5500, "5") TAKES(5600, 5700, "-11") DOES(6200, 6200, S_THREAD, "write", S_SOCK, "5")},
    /* Nagle's algorithm, and the delayed ACK that it met. */
    {" nagle=39990", TRACE OPEN WRITTEN ACKED(42000, "103") LET_GO(42100, "103", "103"),
     TRACE OPEN WRITTEN ACKED(42000, "103") SMALL(42100, "103")},
    {" nagle=39990", TRACE OPEN WRITTEN ACKED(42000, "103") LET_GO(42100, "103", "103"),
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "1", "1") WRITTEN ACKED(42000, "103") LET_GO(42100, "103", "103")},
    {" nagle=39990",
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "1", "0") WRITTEN ACKED(42000, "103") LET_GO(42100, "103", "103"),
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "1", "1") WRITTEN ACKED(42000, "103") LET_GO(42100, "103", "103")},
    {" nagle=39990", /* an ACK of just what had been sent */
     TRACE OPEN WRITTEN ACKED(42000, "103") LET_GO(42100, "103", "103"),
     TRACE OPEN WRITTEN ACKED(42000, "102") LET_GO(42100, "103", "102")},
    {"delayed-ack=40000", TRACE OPEN WRITTEN DELAYED(42000, "103") LET_GO(42100, "103", "103"),
     TRACE OPEN WRITTEN ACKED(42000, "103") LET_GO(42100, "103", "103")},
    {"delayed-ack=40000", TRACE OPEN WRITTEN DELAYED(42000, "103") LET_GO(42100, "103", "103"),
     TRACE OPEN WRITTEN DELAYED(42000, "102") LET_GO(42100, "103", "102")},
    {"delayed-ack=40000", TRACE OPEN WRITTEN DELAYED(42000, "103") LET_GO(42100, "103", "103"),
     TRACE OPEN WRITTEN DELAYED(42000, "103") SMALL(42100, "103")},
    {" nagle=39990", /* only a segment that is not full waits: 536 bytes, or as many as the largest had (RFC 9293 section 3.7.4) */
     TRACE OPEN WRITTEN MAKES_ROOM LET_GO_OF(42100, "103", "535", "103"),
     TRACE OPEN WRITTEN MAKES_ROOM LET_GO_OF(42100, "103", "536", "103")},
    {" nagle=39990", TRACE OPEN WRITTEN MAKES_ROOM LET_GO_OF(42100, "103", "536", "103") SIZED(42200, "639", "537"),
     TRACE OPEN WRITTEN MAKES_ROOM LET_GO_OF(42100, "103", "536", "103") SIZED(42200, "639", "536")},
    {" nagle=39990", /* an ACK off the backlog, which the chain does not name, is known by the context */
     TRACE OPEN WRITTEN ACKED(42000, "103")
         RELEASED(42100, "103", "2", "103",
                  CHAIN("__tcp_transmit_skb;tcp_write_xmit;tcp_ack;tcp_rcv_established;tcp_v4_do_rcv;__release_sock;tcp_recvmsg;"
                        "__x64_sys_recvfrom")),
     TRACE OPEN WRITTEN ACKED(42000, "103") SIZED(42100, "103", "2")},
    {" nagle=39990", /* the peer's write holds nothing of this end's */
     TRACE OPEN WRITTEN DOES(2200, 2210, S_THREAD, "write", S_SOCK, "2") TAKES(41900, 42000, "2") ACKED(42000, "103")
         LET_GO(42100, "103", "103"),
     TRACE OPEN WRITTEN DOES(2200, 2210, C_THREAD, "write", C_SOCK, "2") TAKES(41900, 42000, "2") ACKED(42000, "103")
         LET_GO(42100, "103", "103")},
    /* What this host added to the handshake: connect() before its SYN and behind its answer. */
    {" process=120", TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") HANDSHAKE,
     TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "-115") HANDSHAKE},
    {" process=120", TRACE DOES(900, 1030, C_THREAD, "connect", C_SOCK, "0") HANDSHAKE,
     TRACE DOES(900, 1030, C_THREAD, "bind", C_SOCK, "0") HANDSHAKE},
    {" process=10", TRACE DOES(1000, 1020, C_THREAD, "connect", C_SOCK, "0") HANDSHAKE,
     TRACE DOES(1000, 1019, C_THREAD, "connect", C_SOCK, "0") HANDSHAKE},
    {" process=10", TRACE DOES(1000, 1020, C_THREAD, "connect", C_SOCK, "0") HANDSHAKE,
     TRACE DOES(1001, 1020, C_THREAD, "connect", C_SOCK, "0") HANDSHAKE},
    {" accept=0", TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1020, "0"), TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1020, "-11")},
    {" accept=0", TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1020, "8"), TRACE LISTEN HANDSHAKE TAKES_IT(1000, 1021, "8")},
    /* A SYN, or its answer, that a timer sent again. */
    {"network=10 timer=1000000",
     TRACE PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) PACKET(1001010, WS, SYN_ACK) PACKET(1001020, WC, HANDSHAKE_ACK),
     TRACE PACKET(1000, WC, SYN) PACKET(1001000, WS, SYN_ACK) PACKET(1001020, WC, HANDSHAKE_ACK)},
    {"network=210 timer=1000000",
     TRACE TWO_ENDS THERE(1000, 1100, SYN) ARRIVES(1110, WS, SYN_ACK) BACK(1001110, 1001210, SYN_ACK)
         THERE(1001220, 1001320, HANDSHAKE_ACK),
     TRACE TWO_ENDS THERE(1000, 1100, SYN) BACK(1001110, 1001210, SYN_ACK) THERE(1001220, 1001320, HANDSHAKE_ACK)},
    /* The way of what brings something; an ACK is waited for by nobody. */
    {"times: total=4100 network=210 ", TRACE TWO_ENDS FAR_OPEN THERE(5000, 5100, "flags=. seq=101 ack=501" ROOM),
     TRACE TWO_ENDS FAR_OPEN THERE(5000, 5100, C_DATA ROOM)},
    /* Off the backlog it is the context that says what let it go; and the data that is acknowledged counts, not an ACK behind it.
     */
    {"delayed-ack=40000", TRACE OPEN WRITTEN DELAYED(42000, "103") RELEASED(42100, "103", "2", "103", OFF_THE_BACKLOG),
     TRACE OPEN WRITTEN ACKED(42000, "103") RELEASED(42100, "103", "2", "103", OFF_THE_BACKLOG)},
    {"delayed-ack=40000",
     TRACE OPEN WRITTEN PACKET(3000, C, "flags=. seq=103 ack=501 win=600") DELAYED(42000, "103") LET_GO(42100, "103", "103"),
     TRACE OPEN WRITTEN PACKET(3000, C, "flags=. seq=103 ack=501 win=600") ACKED(42000, "103") LET_GO(42100, "103", "103")},
};
