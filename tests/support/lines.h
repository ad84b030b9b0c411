/* Event lines as C strings, for stories of a few lines. */
#ifndef TCPWHY_TESTS_LINES_H
#define TCPWHY_TESTS_LINES_H

/* Times are in microseconds here; 127.0.0.1:40000 is the client, port 3333 the server; client ISN 100, server ISN 500. */
#define US "000"
#define TRACE "# tcpwhy events 1\ntrace t=1 recorder=test ports=3333\nvantage t=1 vantage=1 netns=9 name=lo\n"
/* The same, in a network that was made for the run: nothing filters there. */
#define UNFILTERED "# tcpwhy events 1\ntrace t=1 recorder=test ports=3333 unfiltered=1\nvantage t=1 vantage=1 netns=9 name=lo\n"
#define C "src=127.0.0.1:40000 dst=127.0.0.1:3333 proto=tcp "
#define S "src=127.0.0.1:3333 dst=127.0.0.1:40000 proto=tcp "
/* Addresses of two hosts: those of a loopback are another network in each namespace. */
#define WC "src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=tcp "
#define WS "src=192.0.2.2:3333 dst=192.0.2.1:40000 proto=tcp "
#define PACKET(t, from, what) "packet t=" #t US " vantage=1 number=1 " from what "\n"
/* At the other end of the wire. */
#define ARRIVES(t, from, what) "packet t=" #t US " vantage=2 number=1 " from what "\n"
#define TWO_ENDS "vantage t=1 vantage=2 netns=10 name=far\n"
/* The same, whose address is known. */
#define FAR_KNOWN "vantage t=1 vantage=2 netns=10 name=far v4=192.0.2.2:0\n"
#define FAR_LISTENER(network)                                                                                                      \
    "state t=900000 from=CLOSE to=LISTEN netns=" network " sock.cookie=5 sock.proto=tcp sock.local=192.0.2.2:3333\n"
#define MARK(t, from, what, context) "mark t=" #t US " netns=9 " from what " " context "\n"
#define C_SOCK "sock.cookie=7 sock.proto=tcp sock.local=127.0.0.1:40000 sock.remote=127.0.0.1:3333"
#define S_SOCK "sock.cookie=8 sock.proto=tcp sock.local=127.0.0.1:3333 sock.remote=127.0.0.1:40000"
#define C_THREAD "pid=10 tid=10 comm=client "
#define S_THREAD "pid=20 tid=20 comm=server "
#define C_CUR "cur.pid=10 cur.tid=10 cur.comm=client "
#define S_CUR "cur.pid=20 cur.tid=20 cur.comm=server "
#define ENTER(t, who, name, sock, more) "enter t=" #t US " " who "name=" name " fd=3 how=-1 level=-1 " sock more "\n"
#define EXIT(t, who, name, sock, more) "exit t=" #t US " " who "name=" name " fd=3 how=-1 level=-1 slept=-1 " sock more "\n"
#define CALL(from, to, who, name, sock) ENTER(from, who, name, sock, "") EXIT(to, who, name, sock, "")

#define SYN "flags=S seq=100"
#define SYN_ACK "flags=S. seq=500 ack=101"
#define HANDSHAKE_ACK "flags=. seq=101 ack=501"
#define HANDSHAKE PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1020, C, HANDSHAKE_ACK)
/* Each offers some room. */
#define ROOMY PACKET(1000, C, SYN " win=512") PACKET(1010, S, SYN_ACK " win=512") PACKET(1020, C, HANDSHAKE_ACK " win=512")
#define C_DATA "flags=P. seq=101 ack=501 len=5"
#define S_DATA "flags=P. seq=501 ack=101 len=5"
#define C_FIN "flags=F. seq=101 ack=501"

#define RX_SYN "softirq=1 receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=S rx.seq=100"
#define RX_C_DATA                                                                                                                  \
    "softirq=1 receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=P. rx.seq=101 rx.ack=501 rx.len=5"

/* Between two hosts, with TWO_ENDS: sent here and received there, by the client; by the server. */
#define THERE(sent, got, what) PACKET(sent, WC, what) ARRIVES(got, WC, what)
#define BACK(sent, got, what) ARRIVES(sent, WS, what) PACKET(got, WS, what)
#define WC_SOCK "sock.cookie=7 sock.proto=tcp sock.local=192.0.2.1:40000 sock.remote=192.0.2.2:3333"
#define WS_SOCK "sock.cookie=8 sock.proto=tcp sock.local=192.0.2.2:3333 sock.remote=192.0.2.1:40000"
#define FAR_HANDSHAKE THERE(1000, 1100, SYN) BACK(1110, 1210, SYN_ACK) THERE(1220, 1320, HANDSHAKE_ACK)

#define UDP_C "src=127.0.0.1:40000 dst=127.0.0.1:3333 proto=udp "

#endif
