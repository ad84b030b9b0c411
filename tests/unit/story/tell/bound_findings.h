/* What a finding rests on, and what it says. */
#define DOES(from, to, who, name, sock, ret)                                                                                       \
    ENTER(from, who, name, sock, "")                                                                                               \
    "exit t=" #to US " " who "name=" name " fd=3 how=-1 level=-1 slept=-1 ret=" ret " " sock "\n"
#define SLEEPS(from, to, who, name, sock, slept)                                                                                   \
    ENTER(from, who, name, sock, "")                                                                                               \
    "exit t=" #to US " " who "name=" name " fd=3 how=-1 level=-1 slept=" slept " ret=0 " sock "\n"
#define SHUT PACKET(1500, S, "flags=. seq=501 ack=101 win=0")
#define OPENS(t) PACKET(t, S, "flags=. seq=501 ack=101 win=512")
#define PROBE(t) PACKET(t, C, "flags=. seq=100 ack=501 win=512")
#define NEXT(t) PACKET(t, C, C_DATA " win=512")
#define SMALL(t, seq) PACKET(t, C, "flags=P. seq=" seq " ack=501 len=2 win=512")
#define ACKED(t, ack) PACKET(t, S, "flags=. seq=501 ack=" ack " win=512")
#define LATE_TRIPLE SMALL(2000, "101") ACKED(42000, "103") SMALL(42100, "103")
#define ASKED PACKET(2000, C, C_DATA " win=512")
#define ANSWER PACKET(502000, S, "flags=P. seq=501 ack=106 len=5 win=512")
#define LOST_DATA(t) PACKET(t, WC, C_DATA ROOM)
/* As captures that were compared: the nth segment. */
#define IN_BOTH(sent, got, n, what) PACKET(sent, WC, what " same=" #n) ARRIVES(got, WC, what " same=" #n)
#define IN_BOTH_BACK(sent, got, n, what) ARRIVES(sent, WS, what " same=" #n) PACKET(got, WS, what " same=" #n)
#define FAR_OPEN THERE(1000, 1100, SYN ROOM) BACK(1110, 1210, SYN_ACK ROOM) THERE(1220, 1320, HANDSHAKE_ACK ROOM)
#define USED_AGAIN PACKET(5001020, C, "flags=P. seq=101 ack=501 len=5") PACKET(5001030, S, "flags=R seq=501")
#define BEHIND_EXIT                                                                                                                \
    ENTER(1990, C_THREAD, "close", C_SOCK, "")                                                                                     \
    EXIT(1995, C_THREAD, "close", C_SOCK, "")                                                                                      \
    MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;__tcp_close;sock_close;task_work_run;exit_to_user_mode_loop"))           \
    PACKET(2001, C, C_FIN)
#define LINGER(s)                                                                                                                  \
    "enter t=1500000 " C_THREAD "name=setsockopt fd=3 level=1 how=13 value=1 value=" s " " C_SOCK "\n"                             \
    "exit t=1500000 " C_THREAD "name=setsockopt fd=3 level=1 how=13 slept=-1 ret=0 " C_SOCK "\n"
#define NAMES_BY "src=127.0.0.1:40000 dst=127.0.0.1:53 proto=udp "
#define NAMES_BACK "src=127.0.0.1:53 dst=127.0.0.1:40000 proto=udp "
#define ZEROS "000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define HEADER_OF(id, flags) "len=30 captured=54 wire=72 link=1 bytes=" ZEROS id flags "0001000000000000"
/* "ab.c", and all of it captured. */
#define WHOLE(id, flags)                                                                                                           \
    "len=22 captured=64 wire=64 link=1 bytes=" ZEROS id flags "0001000000000000"                                                   \
    "02616201630000010001"

#define BAD_SUM(t) "drop t=" #t US " netns=9 " C C_DATA " reason=TCP_CSUM function=tcp_v4_rcv\n"

static const struct bound findings_bounds[] = {
    /* A closed window. */
    {"and probed 2 times; read faster", TRACE OPEN SHUT PROBE(300000) PROBE(700000) OPENS(1000000),
     TRACE OPEN SHUT PROBE(300000) OPENS(1000000)},
    {"and probed 1 time; read faster", /* of those while it was closed */
     TRACE OPEN SHUT PROBE(300000) OPENS(1000000) PROBE(1300000), TRACE OPEN SHUT OPENS(1000000) PROBE(1300000)},
    {"its process read, but too little", TRACE OPEN SHUT DOES(1490, 1501, S_THREAD, "read", S_SOCK, "3") OPENS(1000000),
     TRACE OPEN SHUT DOES(1490, 1500, S_THREAD, "read", S_SOCK, "3") OPENS(1000000)},
    {"its process read, but too little", TRACE OPEN SHUT DOES(1600, 999999, S_THREAD, "read", S_SOCK, "3") OPENS(1000000),
     TRACE OPEN SHUT DOES(1600, 1000000, S_THREAD, "read", S_SOCK, "3") OPENS(1000000)},
    {"its process read nothing", TRACE OPEN SHUT DOES(1600, 1700, S_THREAD, "read", S_SOCK, "0") OPENS(1000000),
     TRACE OPEN SHUT DOES(1600, 1700, S_THREAD, "read", S_SOCK, "1") OPENS(1000000)},
    {"its process read nothing", TRACE OPEN SHUT DOES(1600, 1700, S_THREAD, "write", S_SOCK, "3") OPENS(1000000),
     TRACE OPEN SHUT DOES(1600, 1700, C_THREAD, "read", C_SOCK, "3") OPENS(1000000)},
    {"its process took nothing, or too little", TRACE OPEN SHUT DOES(1600, 1700, C_THREAD, "read", C_SOCK, "3") OPENS(1000000),
     TRACE OPEN SHUT DOES(1600, 1700, S_THREAD, "read", S_SOCK, "3") OPENS(1000000)},
    {"so the client had to wait", TRACE OPEN SHUT OPENS(1000000) NEXT(2000000), TRACE OPEN SHUT OPENS(1000000) NEXT(2000001)},
    {"so the client could send nothing in that time", TRACE OPEN SHUT OPENS(1000000) PACKET(1000100, C, HANDSHAKE_ACK ROOM),
     TRACE OPEN SHUT OPENS(1000000) NEXT(1000100)},
    {"closed for 999 ms (#4 to #5)", /* the longest; of two that are as long the first */
     TRACE OPEN SHUT OPENS(1000000) PACKET(2000000, S, "flags=. seq=501 ack=101 win=0") OPENS(2998500),
     TRACE OPEN SHUT OPENS(1000000) PACKET(2000000, S, "flags=. seq=501 ack=101 win=0") OPENS(2998600)},
    /* Nagle's algorithm and a delayed ACK. */
    {"nagle-delayed-ack", TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE,
     TRACE OPEN DOES(2100, 2110, C_THREAD, "read", C_SOCK, "2") LATE_TRIPLE},
    {"nagle-delayed-ack", TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE,
     TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "0") LATE_TRIPLE},
    {"nagle-delayed-ack", TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE,
     TRACE OPEN DOES(2100, 2110, S_THREAD, "write", S_SOCK, "2") LATE_TRIPLE},
    {"nagle-delayed-ack", TRACE OPEN DOES(2100, 26999, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE,
     TRACE OPEN DOES(2100, 27000, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE},
    {"nagle-delayed-ack", TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE,
     TRACE OPEN ENTER(2100, C_THREAD, "write", C_SOCK, "") LATE_TRIPLE},
    {"nagle-delayed-ack",
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "1", "0") DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE,
     TRACE OPEN OPTION(1500, C_THREAD, C_SOCK, "6", "1", "1") DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE},
    {"nagle-delayed-ack", /* the instant at which the ACK came; not before */
     TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") SMALL(2000, "101") ACKED(42000, "103") SMALL(42000, "103"),
     TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") SMALL(2000, "101") ACKED(42000, "102") SMALL(42000, "103")},
    {"nagle-delayed-ack", /* an answer between the two may have been waited for */
     TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE,
     TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") SMALL(2000, "101")
         PACKET(42000, S, "flags=P. seq=501 ack=103 len=2 win=512") PACKET(42100, C, "flags=P. seq=103 ack=503 len=2 win=512")},
    {"nagle-delayed-ack", /* a second ACK: what it let go had waited for that */
     TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") LATE_TRIPLE,
     TRACE OPEN DOES(2100, 2110, C_THREAD, "write", C_SOCK, "2") SMALL(2000, "101") ACKED(42000, "103")
         PACKET(42010, S, "flags=. seq=501 ack=103 win=600") SMALL(42100, "103")},
    /* A slow answer. */
    {"slow-answer", TRACE OPEN ASKED PACKET(3000, C, "flags=. seq=106 ack=501 win=512") ANSWER,
     TRACE OPEN ASKED PACKET(3000, C, "flags=. seq=106 ack=501 win=0") ANSWER},
    {"slow-answer", /* the server's own window has nothing to do with it */
     TRACE OPEN ASKED PACKET(3000, S, "flags=. seq=501 ack=106 win=0") ANSWER,
     TRACE OPEN ASKED PACKET(3000, C, "flags=. seq=106 ack=501 win=0") ANSWER},
    {"it lay unread for 0 µs",
     TRACE OPEN ASKED DOES(1500, 2000, S_THREAD, "read", S_SOCK, "5") DOES(501000, 502500, S_THREAD, "write", S_SOCK, "5") ANSWER,
     TRACE OPEN ASKED DOES(1500, 2001, S_THREAD, "read", S_SOCK, "5") DOES(501000, 502500, S_THREAD, "write", S_SOCK, "5") ANSWER},
    {"it lay unread for 500 ms, and read() returned 0 µs before write()",
     TRACE OPEN ASKED DOES(2100, 502000, S_THREAD, "read", S_SOCK, "5") DOES(502000, 502500, S_THREAD, "write", S_SOCK, "5") ANSWER,
     TRACE OPEN ASKED DOES(2100, 502001, S_THREAD, "read", S_SOCK, "5") DOES(502001, 502500, S_THREAD, "write", S_SOCK, "5")
         ANSWER},
    {"it lay unread for 20 ms", /* by what was read */
     TRACE OPEN ASKED DOES(2100, 2200, S_THREAD, "read", S_SOCK, "0") DOES(12000, 22000, S_THREAD, "read", S_SOCK, "5")
         DOES(501000, 502500, S_THREAD, "write", S_SOCK, "5") ANSWER,
     TRACE OPEN ASKED DOES(2100, 2200, S_THREAD, "read", S_SOCK, "1") DOES(12000, 22000, S_THREAD, "read", S_SOCK, "5")
         DOES(501000, 502500, S_THREAD, "write", S_SOCK, "5") ANSWER},
    {"it lay unread for 20 ms", /* by the server */
     TRACE OPEN ASKED DOES(2100, 2200, C_THREAD, "read", C_SOCK, "5") DOES(12000, 22000, S_THREAD, "read", S_SOCK, "5")
         DOES(501000, 502500, S_THREAD, "write", S_SOCK, "5") ANSWER,
     TRACE OPEN ASKED DOES(2100, 2200, S_THREAD, "read", S_SOCK, "5") DOES(12000, 22000, S_THREAD, "read", S_SOCK, "5")
         DOES(501000, 502500, S_THREAD, "write", S_SOCK, "5") ANSWER},
    {"read() returned 479 ms before write()", /* the write that began by then: a later one is another answer */
     TRACE OPEN ASKED DOES(12000, 22000, S_THREAD, "read", S_SOCK, "5") DOES(501000, 502500, S_THREAD, "write", S_SOCK, "5")
         ANSWER DOES(502600, 502700, S_THREAD, "write", S_SOCK, "5"),
     TRACE OPEN ASKED DOES(12000, 22000, S_THREAD, "read", S_SOCK, "5") DOES(502001, 502500, S_THREAD, "write", S_SOCK, "5")
         ANSWER},
    /* What was never answered. */
    {"; the way lost all of them", TRACE TWO_ENDS FAR_OPEN LOST_DATA(2000) LOST_DATA(300000) LOST_DATA(900000),
     TRACE TWO_ENDS FAR_OPEN LOST_DATA(2000) LOST_DATA(300000) THERE(900000, 900100, C_DATA ROOM)},
    {"; all of them reached the server's host",
     TRACE FAR_KNOWN FAR_OPEN THERE(2000, 2100, C_DATA ROOM) THERE(300000, 300100, C_DATA ROOM) THERE(900000, 900100, C_DATA ROOM),
     TRACE FAR_KNOWN FAR_OPEN LOST_DATA(2000) THERE(300000, 300100, C_DATA ROOM) THERE(900000, 900100, C_DATA ROOM)},
    {"; all of them reached the server's host", /* another network may be a router's */
     TRACE FAR_KNOWN FAR_OPEN THERE(2000, 2100, C_DATA ROOM) THERE(300000, 300100, C_DATA ROOM) THERE(900000, 900100, C_DATA ROOM),
     TRACE TWO_ENDS FAR_OPEN THERE(2000, 2100, C_DATA ROOM) THERE(300000, 300100, C_DATA ROOM) THERE(900000, 900100, C_DATA ROOM)},
    {"; the kernel on the server's host threw all of them away",
     TRACE OPEN PACKET(2000, C, C_DATA) BAD_SUM(2001) PACKET(300000, C, C_DATA) BAD_SUM(300001) PACKET(900000, C, C_DATA)
         BAD_SUM(900001),
     TRACE OPEN PACKET(2000, C, C_DATA) BAD_SUM(2001) PACKET(300000, C, C_DATA) BAD_SUM(300001) PACKET(900000, C, C_DATA)},
    {"; the way lost", /* so it did not */
     TRACE TWO_ENDS FAR_OPEN LOST_DATA(2000) LOST_DATA(300000) LOST_DATA(900000),
     TRACE OPEN PACKET(2000, C, C_DATA) BAD_SUM(2001) PACKET(300000, C, C_DATA) BAD_SUM(300001) PACKET(900000, C, C_DATA)
         BAD_SUM(900001)},
    {"; far has all of them as well", /* nothing says whose host a capture is of that was compared */
     TRACE FAR_KNOWN FAR_OPEN IN_BOTH(2000, 2100, 4, C_DATA ROOM) IN_BOTH(300000, 300100, 5, C_DATA ROOM)
         IN_BOTH(900000, 900100, 6, C_DATA ROOM),
     TRACE FAR_KNOWN FAR_OPEN IN_BOTH(2000, 2100, 4, C_DATA ROOM) IN_BOTH(300000, 300100, 5, C_DATA ROOM)
         THERE(900000, 900100, C_DATA ROOM)},
    {"found error data-unanswered", /* what came so soon after it may have been under way before it */
     TRACE OPEN PACKET(2000, C, C_DATA) PACKET(202000, S, S_DATA ROOM) PACKET(300000, C, C_DATA) PACKET(900000, C, C_DATA),
     TRACE OPEN PACKET(2000, C, C_DATA) PACKET(202001, S, S_DATA ROOM) PACKET(300000, C, C_DATA) PACKET(900000, C, C_DATA)},
    {"no answer to the client's data #4", /* the FIN rides on it */
     TRACE OPEN PACKET(2000, C, "flags=FP. seq=101 ack=501 len=5") PACKET(300000, C, "flags=FP. seq=101 ack=501 len=5")
         PACKET(900000, C, "flags=FP. seq=101 ack=501 len=5"),
     TRACE OPEN PACKET(2000, C, C_FIN) PACKET(300000, C, C_FIN) PACKET(900000, C, C_FIN)},
    {"nothing came from it for 1.00 s, and it answered none of 2 keepalive probes", /* counted from its last word */
     TRACE OPEN PROBE(900000) PROBE(1001010), TRACE OPEN PROBE(900000) PROBE(996509)},
    {"keepalive-off", TRACE CALL(900, 901, C_THREAD, "socket", C_SOCK) OPEN USED_AGAIN,
     TRACE ENTER(900, C_THREAD, "socket", C_SOCK, "") OPEN USED_AGAIN},
    {"keepalive-off", TRACE CALL(900, 901, C_THREAD, "socket", C_SOCK) OPEN USED_AGAIN,
     TRACE CALL(900, 901, C_THREAD, "bind", C_SOCK) OPEN USED_AGAIN},
    {"keepalive-off", TRACE CALL(900, 901, C_THREAD, "socket", C_SOCK) OPTION(910, C_THREAD, C_SOCK, "1", "9", "0") OPEN USED_AGAIN,
     TRACE CALL(900, 901, C_THREAD, "socket", C_SOCK) OPTION(910, C_THREAD, C_SOCK, "1", "9", "1") OPEN USED_AGAIN},
    {"keepalive-off", TRACE CALL(900, 901, C_THREAD, "socket", C_SOCK) OPEN USED_AGAIN,
     TRACE CALL(900, 901, S_THREAD, "socket", S_SOCK) OPEN USED_AGAIN},
    /* SYNs that nobody answered: when, in tenths of a second. */
    {"3 SYNs, sent at 0.0, 1.0, 4.1 s", TRACE PACKET(1000, WC, SYN) PACKET(1050999, WC, SYN) PACKET(4051000, WC, SYN),
     TRACE PACKET(1000, WC, SYN) PACKET(1051000, WC, SYN) PACKET(4051000, WC, SYN)},
    {"the SYN (1 of 2) reached the server's host", TRACE FAR_KNOWN THERE(1000, 1100, SYN) PACKET(1001100, WC, SYN),
     TRACE FAR_KNOWN THERE(1000, 1100, SYN) THERE(1001000, 1001100, SYN)},
    {"the SYN (2 of 2) was seen in another network", TRACE TWO_ENDS THERE(1000, 1100, SYN) THERE(1001000, 1001100, SYN),
     TRACE FAR_KNOWN THERE(1000, 1100, SYN) THERE(1001000, 1001100, SYN)},
    {"the SYN (2 of 2) was seen in far, and nothing came back", /* the other capture may be a router's */
     TRACE FAR_KNOWN IN_BOTH(1000, 1100, 1, SYN) IN_BOTH(1001000, 1001100, 2, SYN),
     TRACE FAR_KNOWN THERE(1000, 1100, SYN) THERE(1001000, 1001100, SYN)},
    {"the SYN (2 of 2) reached the server's host", /* the network of its listener */
     TRACE TWO_ENDS FAR_LISTENER("10") THERE(1000, 1100, SYN) THERE(1001000, 1001100, SYN),
     TRACE TWO_ENDS FAR_LISTENER("11") THERE(1000, 1100, SYN) THERE(1001000, 1001100, SYN)},
    /* A write that took a part. */
    {"partial-write",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "write", C_SOCK,
                           " args=\"3, ..., 10\"") "exit t=2010000 " C_THREAD
                                                   "name=write fd=3 how=-1 level=-1 slept=-1 ret=9 " C_SOCK "\n",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "write", C_SOCK,
                           " args=\"3, ..., 10\"") "exit t=2010000 " C_THREAD
                                                   "name=write fd=3 how=-1 level=-1 slept=-1 ret=10 " C_SOCK "\n"},
    {"partial-write",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "write", C_SOCK,
                           " args=\"3, ..., 90\"") "exit t=2010000 " C_THREAD
                                                   "name=write fd=3 how=-1 level=-1 slept=-1 ret=9 " C_SOCK "\n",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "write", C_SOCK,
                           " args=\"3, ..., 90\"") "exit t=2010000 " C_THREAD
                                                   "name=write fd=3 how=-1 level=-1 slept=-1 ret=0 " C_SOCK "\n"},
    {"partial-write",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "sendto", C_SOCK,
                           " args=\"3, ..., 99, MSG_NOSIGNAL\"") "exit t=2010000 " C_THREAD
                                                                 "name=sendto fd=3 how=-1 level=-1 slept=-1 ret=9 " C_SOCK "\n",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "sendto", C_SOCK,
                           " args=\"3, ..., MSG_NOSIGNAL\"") "exit t=2010000 " C_THREAD
                                                             "name=sendto fd=3 how=-1 level=-1 slept=-1 ret=9 " C_SOCK "\n"},
    {"partial-write",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "write", C_SOCK,
                           " args=\"3, ..., 10\"") "exit t=2010000 " C_THREAD
                                                   "name=write fd=3 how=-1 level=-1 slept=-1 ret=9 " C_SOCK "\n",
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "write", C_SOCK,
                           " args=\"3, ...\"") "exit t=2010000 " C_THREAD "name=write fd=3 how=-1 level=-1 slept=-1 ret=9 " C_SOCK
                                               "\n"},
/* shutdown(SHUT_RD), and what came and was acknowledged all the same. */
#define SHUTS_READ                                                                                                                 \
    "enter t=1900000 " C_THREAD "name=shutdown fd=3 how=0 level=-1 " C_SOCK "\n"                                                   \
    "exit t=1910000 " C_THREAD "name=shutdown fd=3 how=0 level=-1 slept=-1 ret=0 " C_SOCK "\n"
    {"its data (#4) was acknowledged all the same",
     TRACE OPEN SHUTS_READ PACKET(2000, S, S_DATA ROOM) PACKET(2100, C, "flags=. seq=101 ack=506" ROOM),
     TRACE OPEN SHUTS_READ PACKET(2000, S, S_DATA ROOM) PACKET(2100, C, "flags=. seq=101 ack=501" ROOM)},
    {"its data (#4) was acknowledged all the same",
     TRACE OPEN SHUTS_READ PACKET(2000, S, S_DATA ROOM) PACKET(2100, C, "flags=. seq=101 ack=506" ROOM),
     TRACE OPEN SHUTS_READ PACKET(2000, S, S_DATA ROOM) PACKET(2100, C, "flags=R. seq=101 ack=506" ROOM)},
    {"its data (#5) was acknowledged all the same", /* the first behind the call that brings any */
     TRACE OPEN SHUTS_READ PACKET(1950, S, "flags=. seq=501 ack=101 win=600") PACKET(2000, S, S_DATA ROOM)
         PACKET(2100, C, "flags=. seq=101 ack=506" ROOM),
     TRACE OPEN SHUTS_READ PACKET(1950, S, S_DATA ROOM) PACKET(2000, S, "flags=P. seq=506 ack=101 len=5" ROOM)
         PACKET(2100, C, "flags=. seq=101 ack=511" ROOM)},
    /* close() that waits. */
    {"close() slept 7.0 ms", TRACE HANDSHAKE LINGER_0 BEHIND_EXIT PACKET(9000, S, "flags=. seq=501 ack=102"),
     TRACE HANDSHAKE LINGER_0 BEHIND_EXIT PACKET(9000, S, "flags=. seq=501 ack=101")},
    {"close() slept 5.0 ms",
     TRACE HANDSHAKE LINGER_0 ENTER(1990, C_THREAD, "close", C_SOCK, "") PACKET(2000, C, C_FIN)
         PACKET(4000, S, "flags=. seq=501 ack=102") EXIT(6990, C_THREAD, "close", C_SOCK, ""),
     TRACE HANDSHAKE LINGER_0 ENTER(1990, C_THREAD, "close", C_SOCK, "") PACKET(2000, C, C_FIN)
         EXIT(6990, C_THREAD, "close", C_SOCK, "") PACKET(6990, S, "flags=. seq=501 ack=102")},
    {"close() slept 400 µs", TRACE HANDSHAKE LINGER_0 SLEEPS(1990, 9000, C_THREAD, "close", C_SOCK, "400000"),
     TRACE HANDSHAKE LINGER_0 SLEEPS(1990, 9000, C_THREAD, "close", C_SOCK, "1000000")},
    {"linger-blocked", TRACE HANDSHAKE LINGER_0 SLEEPS(1990, 9000, C_THREAD, "close", C_SOCK, "1"),
     TRACE HANDSHAKE LINGER_0 SLEEPS(1990, 9000, C_THREAD, "close", C_SOCK, "0")},
    {"linger-blocked", TRACE HANDSHAKE LINGER_0 SLEEPS(1990, 9000, C_THREAD, "close", C_SOCK, "1"),
     TRACE HANDSHAKE LINGER_0 SLEEPS(1990, 9000, C_THREAD, "read", C_SOCK, "1")},
    /* Names. */
    {"a name lookup failed: ab.c: there is no such name",
     TRACE PACKET(1000, NAMES_BY, WHOLE("000a", "0100")) PACKET(2000, NAMES_BACK, WHOLE("000a", "8183")),
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("000a", "8183"))},
    {"the name server refused",
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("000a", "8185")),
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("000a", "8186"))},
    {"the name server answered with an error",
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("000a", "8186")),
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("000a", "8185"))},
    {"to 2 questions was seen in 2.00 s",
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2001000, NAMES_BY, HEADER_OF("000a", "0100")),
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2001000, NAMES_BY, HEADER_OF("010a", "0100"))},
    {"found warning name-lookup-failed", /* number 0 is a number; and both its bytes count */
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("0000", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("0000", "8183")),
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("0000", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("0001", "8183"))},
    {"found warning name-lookup-failed",
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("0200", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("0200", "8183")),
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("0200", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("0100", "8183"))},
    {"found warning name-lookup-failed", /* one question, or it is something else */
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("000a", "8183")),
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100"))
         PACKET(2000, NAMES_BACK, "len=30 captured=54 wire=72 link=1 bytes=" ZEROS "000a81830101000000000000")},
    {"found warning name-lookup-failed", /* an answer, or it is a question */
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("000a", "8183")),
     TRACE PACKET(1000, NAMES_BY, HEADER_OF("000a", "0100")) PACKET(2000, NAMES_BACK, HEADER_OF("000a", "0183"))},
    /* A RST that who it names did not send: by what it answers once that goes on, by a challenge, by new words alone. */
    {"answers with RST (#7) from then on",
     TRACE OPEN PACKET(2000, S, "flags=R seq=501") PACKET(2500, C, "flags=R seq=101") PACKET(3000, S, S_DATA ROOM) PACKET(
         3010, C, "flags=R seq=101") PACKET(3020, S, "flags=P. seq=506 ack=101 len=5" ROOM) PACKET(3030, C, "flags=R seq=101"),
     TRACE OPEN PACKET(2000, S, "flags=R seq=501") PACKET(2500, C, "flags=R seq=101") PACKET(3000, S, S_DATA ROOM)},
    {"a challenge ACK (#5) answered it",
     TRACE OPEN PACKET(2000, S, "flags=R seq=505") PACKET(2010, C, "flags=. seq=101 ack=501" ROOM) PACKET(3000, S, S_DATA ROOM)
         PACKET(3010, C, "flags=. seq=101 ack=506" ROOM),
     TRACE OPEN PACKET(2000, S, "flags=R seq=505") PACKET(3000, S, S_DATA ROOM) PACKET(3010, C, "flags=. seq=101 ack=506" ROOM)},
    {"the server itself went on afterwards (#6)", /* and what it only says once more is no going on */
     TRACE OPEN PACKET(1500, S, S_DATA ROOM) PACKET(2000, S, "flags=R seq=520")
         PACKET(13000, S, "flags=P. seq=506 ack=101 len=5" ROOM) PACKET(13010, C, "flags=. seq=101 ack=511" ROOM),
     TRACE OPEN PACKET(1500, S, S_DATA ROOM) PACKET(2000, S, "flags=R seq=520") PACKET(13000, S, S_DATA ROOM)
         PACKET(13010, C, "flags=. seq=101 ack=506" ROOM)},
    /* CLOSE_WAIT of a socket whose owner is not known to have forgotten it. */
    {"close-wait-idle",
     TRACE OPEN PACKET(2000, C, C_FIN ROOM)
         PACKET(2010, S, "flags=. seq=501 ack=102 win=512") "lost t=1002010000 source=capture what=nothing\n",
     TRACE OPEN PACKET(2000, C, C_FIN ROOM) "lost t=1002010000 source=capture what=nothing\n"},
};
