/* Where the time went. */
#define WIDE PACKET(1000, WC, SYN ROOM) PACKET(1010, WS, SYN_ACK ROOM) PACKET(1020, WC, HANDSHAKE_ACK ROOM)
#define WC_DATA "flags=P. seq=101 ack=501 len=5 win=512"
#define WC_MORE "flags=P. seq=106 ack=501 len=5 win=512"
#define WS_DATA "flags=P. seq=501 ack=101 len=5 win=512"
#define LATER(t) PACKET(t, "src=192.0.2.9:4000 dst=192.0.2.8:3333 proto=tcp ", SYN)
static const struct bound times_bounds[] = {
    {"first-byte=4000", TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(9000, WS, WS_DATA), TRACE WIDE PACKET(9000, WS, WS_DATA)},
    {"first-byte=7980", TRACE WIDE PACKET(9000, WS, WS_DATA), TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(9000, WS, WS_DATA)},
    {"first-byte=4000", /* the first of them */
     TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(6000, WC, WC_MORE) PACKET(9000, WS, WS_DATA),
     TRACE WIDE PACKET(6000, WC, WC_MORE) PACKET(9000, WS, WS_DATA)},
    {"first-byte", TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(9000, WS, WS_DATA),
     TRACE WIDE PACKET(5000, WC, WC_DATA) PACKET(9000, WS, "flags=. seq=501 ack=106 win=512")},
    {"time-wait=60000000\n",
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502") LATER(60002021),
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502") LATER(59002009)},
};
