/* Event lines that findings rest on. */
#ifndef TCPWHY_TESTS_FINDING_LINES_H
#define TCPWHY_TESTS_FINDING_LINES_H

#include "support/lines.h"

/* The same ends on a wire, where what arrives is seen apart. */
#define S_FIN "flags=F. seq=501 ack=102"
#define CHAIN(frames) " chain=" frames
#define OPTION(t, who, sock, level, name, value)                                                                                   \
    "enter t=" #t US " " who "name=setsockopt fd=3 level=" level " how=" name " value=" value " " sock "\n"                        \
    "exit t=" #t US " " who "name=setsockopt fd=3 level=" level " how=" name " slept=-1 ret=0 " sock "\n"
#define CLOSE(from, to, who, sock, more) ENTER(from, who, "close", sock, more) EXIT(to, who, "close", sock, "")
#define FAILS(from, to, who, name, sock, ret)                                                                                      \
    ENTER(from, who, name, sock, "") "exit t=" #to US " " who "name=" name " fd=3 how=-1 level=-1 slept=-1 ret=" ret " " sock "\n"
#define LISTENER "sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"
#define LISTEN                                                                                                                     \
    "enter t=900" US " " S_THREAD "name=listen fd=3 how=0 level=-1 " LISTENER "\n"                                                 \
    "exit t=901" US " " S_THREAD "name=listen fd=3 how=0 level=-1 slept=-1 " LISTENER "\n"
#define ACCEPT(t, fd)                                                                                                              \
    "enter t=" #t US " " S_THREAD "name=accept fd=3 how=-1 level=-1 " LISTENER "\n"                                                \
    "exit t=" #t US " " S_THREAD "name=accept fd=3 how=-1 level=-1 slept=-1 ret=" fd " " LISTENER                                  \
    " other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000\n"
#define C_RST "flags=R. seq=101 ack=501"
#define SENT_BY_CLOSE(frames)                                                                                                      \
    ENTER(1990, C_THREAD, "close", C_SOCK, "")                                                                                     \
    MARK(2000, C, C_RST, C_CUR C_SOCK CHAIN(frames ";__x64_sys_close"))                                                            \
    PACKET(2001, C, C_RST) EXIT(2010, C_THREAD, "close", C_SOCK, "")
#define ICMP(t, protocol, type, code, about)                                                                                       \
    PACKET(t, "src=127.0.0.1:0 dst=127.0.0.1:0 proto=" protocol " ",                                                               \
           "icmp.type=" type " icmp.code=" code " icmp.quotes=1 icmp.proto=" about                                                 \
           " icmp.src=127.0.0.1:40000 icmp.dst=127.0.0.1:3333 icmp.seq=100")
#define ROOM " win=65535"
#define OPEN PACKET(1000, C, SYN ROOM) PACKET(1010, S, SYN_ACK ROOM) PACKET(1020, C, HANDSHAKE_ACK ROOM)
#define DROP(t, from, what, why) "drop t=" #t US " netns=9 " from what " " why "\n"
#define QUEUE(t, from, what, how) "queue t=" #t US " netns=9 " from what " sock.cookie=5 sock.proto=tcp sock.state=LISTEN " how "\n"
#define FIREWALL "reason=NETFILTER_DROP function=nft_do_chain"
/* A rule for what goes out, as TCP sends: what it lets go is on no device yet, and what it answers comes back over the loopback. */
#define ON_ITS_WAY "nf_hook_slow;__ip_local_out;ip_local_out;__ip_queue_xmit;__tcp_transmit_skb;"
#define STUCK(t, from, what, call)                                                                                                 \
    DROP(t, from, what,                                                                                                            \
         FIREWALL " outgoing=1 " C_CUR C_SOCK CHAIN("sk_skb_reason_drop;nft_do_chain;" ON_ITS_WAY call ";__x64_sys_" call))
#define REJECTED(t, what, call)                                                                                                    \
    MARK(t, S, what,                                                                                                               \
         C_CUR "chain=__dev_queue_xmit;ip_output;nf_send_reset;nft_reject_inet_eval;" ON_ITS_WAY call ";__x64_sys_" call)          \
    PACKET(t, S, what)
#define UDP_S "src=127.0.0.1:3333 dst=127.0.0.1:40000 proto=udp "
#define LINGER_0 OPTION(1500, C_THREAD, C_SOCK, "1", "13", "1")

#endif
