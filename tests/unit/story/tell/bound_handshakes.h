/* Handshakes: full queues, listeners that went, and how long one took. */
#define LISTENS_FOR(backlog)                                                                                                       \
    "enter t=900" US " " S_THREAD "name=listen fd=3 how=0 level=-1 args=\"3, " backlog "\" " LISTENER "\n"                         \
    "exit t=901" US " " S_THREAD "name=listen fd=3 how=0 level=-1 slept=-1 " LISTENER "\n"
#define FULL(t, what) QUEUE(t, C, what, "accept=2 accept_most=1 requests=0 dropped=0")
#define FULL_OF(n, t, what) QUEUE(t, C, what, "accept=" n " accept_most=1 requests=0 dropped=0")
#define DROPS_ACK QUEUE(1021, C, HANDSHAKE_ACK, "accept=2 accept_most=1 requests=1 dropped=1")
#define AT_NS(ns, from, what) "packet t=" ns " vantage=1 number=1 " from what "\n"
#define ENDS_LISTENER                                                                                                              \
    "enter t=1015000 " S_THREAD "name=close fd=3 how=-1 level=-1 " LISTENER "\n"                                                   \
    "exit t=1015000 " S_THREAD "name=close fd=3 how=-1 level=-1 slept=-1 " LISTENER "\n"
#define S_RST PACKET(1030, S, "flags=R seq=501")
#define FIREWALLS_RST                                                                                                              \
    MARK(2010, S, "flags=R. seq=501 ack=106",                                                                                      \
         C_CUR RX_C_DATA CHAIN("ip_output;nf_send_reset;nft_reject_inet_eval;nf_hook_slow;ip_local_deliver;net_rx_action"))        \
    PACKET(2011, S, "flags=R. seq=501 ack=106")
#define REFUSED_SYN PACKET(1010, S, "flags=R. seq=0 ack=101")
#define NO_SOCKET_SAID(reason)                                                                                                     \
    "reset t=1009000 netns=9 sent=1 reason=" reason                                                                                \
    " sock.local=127.0.0.1:3333 sock.remote=127.0.0.1:40000 sock.proto=tcp " C_CUR RX_SYN "\n"
#define CLOSES_LISTENER                                                                                                            \
    "enter t=1500000 " S_THREAD "name=close fd=3 how=-1 level=-1 " LISTENER "\n"                                                   \
    "exit t=1501000 " S_THREAD "name=close fd=3 how=-1 level=-1 slept=-1 ret=0 " LISTENER "\n"
#define SERVER_KNOWN DOES(1100, 1101, S_THREAD, "getsockopt", S_SOCK, "0")
#define BIND_REFUSED_AT(ns)                                                                                                        \
    TRACE LISTEN "enter t=900000 " C_THREAD "name=bind fd=3 args=\"3, 127.0.0.1:3333\" sock.cookie=44 sock.proto=tcp\n"            \
                 "exit t=" ns " " C_THREAD "name=bind fd=3 sock.cookie=44 sock.proto=tcp ret=-98\n" HANDSHAKE
static const struct bound handshakes_bounds[] = {
    /* What was answered before it came once more was not dropped. */
    {"found warning syn-dropped-full-queue",
     TRACE LISTEN PACKET(1000, C, SYN) FULL(1001, SYN) AT_NS("1001000000", C, SYN) AT_NS("1001000000", S, SYN_ACK),
     TRACE LISTEN PACKET(1000, C, SYN) FULL(1001, SYN) AT_NS("1001000000", C, SYN) AT_NS("1000999999", S, SYN_ACK)},
    {"found warning syn-dropped-full-queue", TRACE LISTEN PACKET(1000, C, SYN) FULL_OF("2", 1001, SYN),
     TRACE LISTEN PACKET(1000, C, SYN) FULL_OF("1", 1001, SYN)},
    /* How much listen() had asked for. */
    {"found warning backlog-clipped", TRACE LISTENS_FOR("2") PACKET(1000, C, SYN) FULL(1001, SYN),
     TRACE LISTENS_FOR("1") PACKET(1000, C, SYN) FULL(1001, SYN)},
    {"asked for a queue of 12, and got one of 1", TRACE LISTENS_FOR("12") PACKET(1000, C, SYN) FULL(1001, SYN),
     TRACE LISTENS_FOR("13") PACKET(1000, C, SYN) FULL(1001, SYN)},
    /* A SYN-ACK comes again where the ACK was dropped, and where accept() waits for data. */
    {"found warning handshake-ack-ignored",
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "0") LISTEN HANDSHAKE PACKET(1001000, S, SYN_ACK),
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "1") LISTEN HANDSHAKE PACKET(1001000, S, SYN_ACK)},
    {"found warning handshake-ack-ignored",
     TRACE FAR_KNOWN THERE(1000, 1001, SYN) BACK(1010, 1011, SYN_ACK) PACKET(
         1020, WC, HANDSHAKE_ACK) "packet t=1000999999 vantage=2 number=1 " WC HANDSHAKE_ACK "\n" ARRIVES(1001000, WS, SYN_ACK),
     TRACE FAR_KNOWN THERE(1000, 1001, SYN) BACK(1010, 1011, SYN_ACK) PACKET(
         1020, WC, HANDSHAKE_ACK) "packet t=1001000000 vantage=2 number=1 " WC HANDSHAKE_ACK "\n" ARRIVES(1001000, WS, SYN_ACK)},
    {"was seen in far as well, and the SYN-ACK came again all the same", /* the other capture may be a router's */
     TRACE FAR_KNOWN IN_BOTH(1000, 1001, 1, SYN) IN_BOTH_BACK(1010, 1011, 2, SYN_ACK) IN_BOTH(1020, 1021, 3, HANDSHAKE_ACK)
         IN_BOTH_BACK(1001000, 1001001, 4, SYN_ACK),
     TRACE FAR_KNOWN IN_BOTH(1000, 1001, 1, SYN) IN_BOTH_BACK(1010, 1011, 2, SYN_ACK) THERE(1020, 1021, HANDSHAKE_ACK)
         IN_BOTH_BACK(1001000, 1001001, 4, SYN_ACK)},
    /* The RST that answers the handshake's last ACK, or what came later. */
    {"found error listener-gone",
     UNFILTERED LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) ENDS_LISTENER PACKET(1020, C, HANDSHAKE_ACK) S_RST,
     UNFILTERED LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) ENDS_LISTENER PACKET(1020, C, HANDSHAKE_ACK)
         PACKET(1025, C, C_DATA) S_RST},
    {"found error listener-gone", /* data may come with it */
     UNFILTERED LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) ENDS_LISTENER PACKET(1020, C, C_DATA) S_RST,
     UNFILTERED LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) ENDS_LISTENER PACKET(1020, C, C_FIN) S_RST},
    /* How long the handshake took: of the SYN-ACK that had come when the last ACK left, of the SYN that had come when that left. */
    {" handshake=220 network=",
     TRACE TWO_ENDS THERE(1000, 1100, SYN) ARRIVES(1110, WS, SYN_ACK) AT_NS("1220000", WS, SYN_ACK)
         THERE(1220, 1320, HANDSHAKE_ACK),
     TRACE TWO_ENDS THERE(1000, 1100, SYN) ARRIVES(1110, WS, SYN_ACK) AT_NS("1220001", WS, SYN_ACK)
         THERE(1220, 1320, HANDSHAKE_ACK)},
    {" timer=1000000",
     TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) "packet t=1001100000 vantage=2 number=1 " WC SYN "\n" BACK(
         1001100, 1001200, SYN_ACK) THERE(1001210, 1001300, HANDSHAKE_ACK),
     TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) "packet t=1001100001 vantage=2 number=1 " WC SYN "\n" BACK(
         1001100, 1001200, SYN_ACK) THERE(1001210, 1001300, HANDSHAKE_ACK)},
    /* What a firewall dropped: all of it is counted; where it refused with an answer, that says more. */
    {"dropped 1 segment of the client, the first the SYN (#1)", TRACE LISTEN PACKET(1000, C, SYN) DROP(1001, C, SYN, FIREWALL),
     TRACE LISTEN PACKET(1000, C, SYN) DROP(1001, C, SYN, FIREWALL) PACKET(1001000, C, SYN) DROP(1001001, C, SYN, FIREWALL)},
    {"dropped 2 segments of the client, the first the SYN (#1)",
     TRACE LISTEN PACKET(1000, C, SYN) DROP(1001, C, SYN, FIREWALL) PACKET(1001000, C, SYN) DROP(1001001, C, SYN, FIREWALL),
     TRACE LISTEN PACKET(1000, C, SYN) DROP(1001, C, SYN, FIREWALL)},
    {"found warning firewall-dropped",
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) DROP(2001, C, C_DATA, FIREWALL) PACKET(2011, S, "flags=R. seq=501 ack=106"),
     TRACE HANDSHAKE PACKET(2000, C, C_DATA) DROP(2001, C, C_DATA, FIREWALL) FIREWALLS_RST},
    /* Refused by whom: the kernel's word that there is no socket; a SYN-ACK of the server itself. */
    {"no process listens on port 3333 there; start the server",
     TRACE PACKET(1000, C, SYN) DROP(1001, C, SYN, "reason=NO_SOCKET function=tcp_v4_rcv") REFUSED_SYN,
     TRACE PACKET(1000, C, SYN) DROP(1001, C, SYN, "reason=TCP_FLAGS function=tcp_v4_rcv") REFUSED_SYN},
    {"no process listens on port 3333 there; start the server", TRACE PACKET(1000, C, SYN) NO_SOCKET_SAID("NO_SOCKET") REFUSED_SYN,
     TRACE PACKET(1000, C, SYN) NO_SOCKET_SAID("TCP_ABORT") REFUSED_SYN},
    {"although the server itself answered with SYN-ACK #3", TRACE PACKET(1000, C, SYN) REFUSED_SYN PACKET(1020, S, SYN_ACK),
     TRACE PACKET(1000, C, SYN) REFUSED_SYN},
    /* SYNs, in tenths of a second. */
    {"3 SYNs, sent at 0.0, 1.0, 4.1 s", TRACE PACKET(1000, WC, SYN) AT_NS("1050999999", WC, SYN) PACKET(4051000, WC, SYN),
     TRACE PACKET(1000, WC, SYN) AT_NS("1051000000", WC, SYN) PACKET(4051000, WC, SYN)},
    /* The listener's end concerns a connection that nobody accepted; a bind() that failed, whoever was there by then. */
    {" close server[20] listener", TRACE LISTEN HANDSHAKE TAKES_IT(1060, 1060, "-11") SERVER_KNOWN CLOSES_LISTENER,
     TRACE LISTEN HANDSHAKE TAKES_IT(1060, 1060, "0") SERVER_KNOWN CLOSES_LISTENER},
    {" close server[20] listener", TRACE LISTEN HANDSHAKE SERVER_KNOWN CLOSES_LISTENER,
     TRACE LISTEN HANDSHAKE TAKES_IT(1060, 1060, "8") SERVER_KNOWN CLOSES_LISTENER},
    {" s exit bind client[10] listener", BIND_REFUSED_AT("1000000"), BIND_REFUSED_AT("999999")},
};
