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
     TRACE TWO_ENDS THERE(1000, 1001, SYN) BACK(1010, 1011, SYN_ACK) PACKET(
         1020, WC, HANDSHAKE_ACK) "packet t=1000999999 vantage=2 number=1 " WC HANDSHAKE_ACK "\n" ARRIVES(1001000, WS, SYN_ACK),
     TRACE TWO_ENDS THERE(1000, 1001, SYN) BACK(1010, 1011, SYN_ACK) PACKET(
         1020, WC, HANDSHAKE_ACK) "packet t=1001000000 vantage=2 number=1 " WC HANDSHAKE_ACK "\n" ARRIVES(1001000, WS, SYN_ACK)},
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
};
