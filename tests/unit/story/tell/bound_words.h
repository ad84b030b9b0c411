/* Sentences: how long something took, and why a call sent nothing. */
#define SILENT(t) TRACE OPEN PROBE(900000) "packet t=" t " vantage=1 number=1 " C "flags=. seq=100 ack=501\n"
#define NEW_SOCK(n) "sock.cookie=" #n " sock.proto=tcp"
#define BOUND_SOCK(n, at) NEW_SOCK(n) " sock.local=" at
#define REFUSES(t, who, name, sock, args, ret)                                                                                     \
    ENTER(t, who, name, sock, " args=\"" args "\"") "exit t=" #t "001 " who "name=" name " fd=3 " sock " ret=" ret "\n"
#define BINDS_IT(t, more)                                                                                                          \
    ENTER(t, S_THREAD, "bind", NEW_SOCK(6), " args=\"3, 0.0.0.0:3333\"")                                                           \
    EXIT(t, S_THREAD, "bind", BOUND_SOCK(6, "0.0.0.0:3333"), more)
#define LISTENS_ON(t, ret)                                                                                                         \
    ENTER(t, S_THREAD, "listen", BOUND_SOCK(6, "127.0.0.1:3333"), " args=\"3, 128\"")                                              \
    EXIT(t, S_THREAD, "listen", BOUND_SOCK(6, "127.0.0.1:3333"), " ret=" ret)
#define CANT_BIND(t, name, ret) REFUSES(t, C_THREAD, name, NEW_SOCK(4), "3, 127.0.0.1:3333", ret)
#define READ_UNTIL(ns)                                                                                                             \
    TRACE OPEN ASKED ENTER(1500, S_THREAD, "read", S_SOCK, "") "exit t=" ns " " S_THREAD                                           \
                                                               "name=read fd=3 how=-1 level=-1 slept=-1 ret=5 " S_SOCK             \
                                                               "\n" DOES(501000, 502500, S_THREAD, "write", S_SOCK, "5") ANSWER
#define NO_FIREWALL                                                                                                                \
    "# tcpwhy events 1\ntrace t=1 recorder=test ports=3333 unfiltered=1\nvantage t=1 vantage=1 netns=9 name=lo\n" HANDSHAKE
static const struct bound words_bounds[] = {
    /* Who had closed, and who was about to be accepted: a full queue resets, too. */
    {"nobody held this end of the connection any more",
     NO_FIREWALL PACKET(2000, S, "flags=F. seq=501 ack=101") PACKET(2010, C, "flags=P. seq=101 ack=502 len=5")
         PACKET(2020, S, "flags=R seq=502"),
     NO_FIREWALL PACKET(1030, S, "flags=R seq=501")},
    {"for 9.9 s, and it answered", SILENT("9951010000"), SILENT("9951009999")},
    {"it lay unread for 10 ms", READ_UNTIL("12000000"), READ_UNTIL("11999999")},
    {"it lay unread for 1.0 ms", READ_UNTIL("3000000"), READ_UNTIL("2999999")},
    {"it lay unread for 1 µs", READ_UNTIL("2000500"), READ_UNTIL("2000499")},
    {"for 1.00 s, and it answered", SILENT("1000510000"), SILENT("1000509999")},
    {"for 999 ms, and it answered", SILENT("1000509999"), SILENT("1000510000")},
    {"for 999 ms, and it answered", SILENT("999510000"), SILENT("999509999")},
    /* Who has the port: a socket of that protocol and port whose bind() had succeeded by then. */
    {"taken by server[20]", TRACE BINDS_IT(100, "") CANT_BIND(120, "bind", "-98"),
     TRACE BINDS_IT(100, " ret=-13") CANT_BIND(120, "bind", "-98")},
    {"taken by server[20]", TRACE BINDS_IT(100, "") CANT_BIND(120, "bind", "-98"),
     TRACE CANT_BIND(90, "bind", "-98") BINDS_IT(100, "")},
    {"taken by server[20]", TRACE BINDS_IT(100, "") CANT_BIND(120, "bind", "-98"),
     TRACE BINDS_IT(100, "") REFUSES(120, C_THREAD, "bind", "sock.cookie=4 sock.proto=udp", "3, 127.0.0.1:3333", "-98")},
    {"taken by server[20]", TRACE BINDS_IT(100, "") CANT_BIND(120, "bind", "-98"),
     TRACE BINDS_IT(100, "") REFUSES(120, C_THREAD, "bind", NEW_SOCK(4), "3, 127.0.0.1:3334", "-98")},
    {"taken by server[20]", TRACE BINDS_IT(100, "") CANT_BIND(120, "bind", "-98"),
     TRACE BINDS_IT(100, "") CANT_BIND(120, "bind", "-99")},
    {"taken by server[20]", TRACE BINDS_IT(100, "") CANT_BIND(120, "bind", "-98"),
     TRACE BINDS_IT(100, "") CANT_BIND(120, "listen", "-98")},
    {"no connection to 127.0.0.1:3333 was seen; it listens on that address alone", TRACE LISTENS_ON(100, "0"),
     TRACE LISTENS_ON(100, "-98")},
    {"another socket listens on that port", TRACE LISTENS_ON(100, "-98"), TRACE LISTENS_ON(100, "0")},
    {"are still taken as a pair", TRACE REFUSES(100, C_THREAD, "connect", BOUND_SOCK(4, "192.0.2.1:700"), "3, 192.0.2.2:80", "-99"),
     TRACE REFUSES(100, C_THREAD, "connect", BOUND_SOCK(4, "192.0.2.1:700"), "3, 192.0.2.2:80", "-101")},
    {"are still taken as a pair", TRACE REFUSES(100, C_THREAD, "connect", BOUND_SOCK(4, "192.0.2.1:700"), "3, 192.0.2.2:80", "-99"),
     TRACE REFUSES(100, C_THREAD, "bind", BOUND_SOCK(4, "192.0.2.1:700"), "3, 192.0.2.2:80", "-99")},
    {"no route leads to that network", TRACE REFUSES(100, C_THREAD, "connect", NEW_SOCK(4), "3, 192.0.2.2:80", "-101"),
     TRACE REFUSES(100, C_THREAD, "connect", NEW_SOCK(4), "3, 192.0.2.2:80", "-113")},
};
