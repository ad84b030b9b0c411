/* Causes that the kernel showed while it sent: whose call it was, which segment. */
#define BY_CALL CHAIN("__tcp_transmit_skb;tcp_write_xmit;__tcp_push_pending_frames;tcp_sendmsg;__x64_sys_sendto")
#define BY_CLOSING(call) CHAIN("__tcp_transmit_skb;tcp_write_xmit;tcp_send_fin;tcp_close;__fput;filp_close;__x64_sys_" call)
#define BY_RECEIVE CHAIN("__tcp_transmit_skb;__tcp_send_ack;tcp_rcv_established;tcp_v4_do_rcv;tcp_v4_rcv;net_rx_action")
#define OFF_BACKLOG                                                                                                                \
    CHAIN("__tcp_transmit_skb;__tcp_send_ack;tcp_rcv_established;tcp_v4_do_rcv;__release_sock;tcp_recvmsg;__x64_sys_recvfrom")
#define S_IS_KNOWN DOES(1100, 1101, S_THREAD, "getsockopt", S_SOCK, "0")
#define C_IS_KNOWN DOES(1100, 1101, C_THREAD, "getsockopt", C_SOCK, "0")
#define BOTH_KNOWN TRACE OPEN C_IS_KNOWN S_IS_KNOWN
#define OTHER_IS_S " other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000"
#define IN_CALL(who, name, fd, sock) "enter t=1900000 " who "name=" name " fd=" fd " how=-1 level=-1 " sock "\n"
#define DUP2_RETURNS(sock) "exit t=2100000 " C_THREAD "name=dup2 fd=3 how=-1 level=-1 slept=-1 ret=4 " sock "\n"
#define S_SENDS(cur) MARK(2000, S, S_DATA ROOM, cur S_SOCK BY_CALL) PACKET(2000, S, S_DATA ROOM)
#define S_ENDS(cur, call)                                                                                                          \
    MARK(2000, S, "flags=F. seq=501 ack=101" ROOM, cur S_SOCK BY_CLOSING(call)) PACKET(2000, S, "flags=F. seq=501 ack=101" ROOM)
#define RX_OF(src, dst, proto)                                                                                                     \
    "softirq=1 receiving=1 rx.src=" src " rx.dst=" dst " rx.proto=" proto " rx.flags=P. rx.seq=777 rx.ack=501 rx.len=5"
#define CAME TRACE OPEN PACKET(2000, C, C_DATA ROOM)
#define S_ACKS(t, context) MARK(t, S, "flags=. seq=501 ack=106" ROOM, context) PACKET(t, S, "flags=. seq=501 ack=106" ROOM)
#define SENT "segment #4 data P. 1:1:5 class=0 received=2000 window=2 bytes=65535 <- "
#define ANSWERED "segment #5 ACK . 1:6:0 class=4 received=2010 window=2 bytes=65535 <- "
#define WRITTEN_UNTIL(ns) "exit t=" ns " " C_THREAD "name=write fd=3 how=-1 level=-1 slept=-1 ret=2 " C_SOCK "\n"
#define LET_GO_BEHIND(length, next)                                                                                                \
    TRACE OPEN WRITTEN PACKET(2200, C, "flags=P. seq=103 ack=501 len=" length " win=512") ACKED(42000, next) SMALL(42100, next)
static const struct bound causes_bounds[] = {
    /* The side of a call is the side of the segment; descriptor 0 is one like others. */
    {SENT "call/stack/sendto by=@11", BOTH_KNOWN IN_CALL(S_THREAD, "sendto", "3", S_SOCK) S_SENDS(S_CUR),
     BOTH_KNOWN IN_CALL(C_THREAD, "sendto", "3", C_SOCK) S_SENDS(C_CUR)},
    {SENT "unknown/none", BOTH_KNOWN IN_CALL(C_THREAD, "sendto", "0", C_SOCK) S_SENDS(C_CUR),
     BOTH_KNOWN IN_CALL(S_THREAD, "sendto", "0", S_SOCK) S_SENDS(S_CUR)},
    {"<- call/stack/dup2 by=@11", /* that works on two sockets */
     BOTH_KNOWN IN_CALL(C_THREAD, "dup2", "3", C_SOCK) S_ENDS(C_CUR, "dup2") DUP2_RETURNS(C_SOCK OTHER_IS_S),
     BOTH_KNOWN IN_CALL(C_THREAD, "dup2", "3", C_SOCK) S_ENDS(C_CUR, "dup2") DUP2_RETURNS(C_SOCK)},
    {"<- call/stack/close_range by=@11", /* and that on many */
     BOTH_KNOWN IN_CALL(C_THREAD, "close_range", "-1", C_SOCK) S_ENDS(C_CUR, "close_range"),
     BOTH_KNOWN IN_CALL(C_THREAD, "close", "3", C_SOCK) S_ENDS(C_CUR, "close")},
    /* Where no call is known it is who ran: the process of the other end did not, any other may have had the socket. */
    {SENT "call/stack/sendto chain=5 sent by sendto() of server", BOTH_KNOWN S_SENDS(S_CUR), BOTH_KNOWN S_SENDS(C_CUR)},
    {SENT "call/stack/sendto chain=5 sent by sendto() of child", BOTH_KNOWN S_SENDS("cur.pid=30 cur.tid=30 cur.comm=child "),
     BOTH_KNOWN S_SENDS(C_CUR)},
    {SENT "call/stack/sendto chain=5 sent by sendto() of client", TRACE OPEN C_IS_KNOWN S_SENDS(C_CUR), BOTH_KNOWN S_SENDS(C_CUR)},
    {SENT "unknown/none", BOTH_KNOWN S_SENDS(C_CUR), TRACE OPEN S_IS_KNOWN S_SENDS(C_CUR)},
    {SENT "call/stack/sendto chain=5", TRACE OPEN S_IS_KNOWN S_SENDS(""), BOTH_KNOWN S_SENDS(C_CUR)},
    {SENT "call/stack/sendto chain=5 sent by sendto() of server", /* an older call that is all that is known of the thread */
     BOTH_KNOWN IN_CALL(S_THREAD, "recvfrom", "3", S_SOCK) S_SENDS(S_CUR),
     BOTH_KNOWN IN_CALL(S_THREAD, "sendto", "3", S_SOCK) S_SENDS(S_CUR)},
    /* What was being received: this connection's segment, or another's. */
    {ANSWERED "segment/stack by=@7", CAME S_ACKS(2010, C_CUR RX_C_DATA BY_RECEIVE),
     CAME S_ACKS(2010, C_CUR RX_OF("127.0.0.1:40000", "127.0.0.1:3333", "tcp") BY_RECEIVE)},
    {ANSWERED "unknown/none made while the kernel received a segment of this connection that was not captured",
     CAME S_ACKS(2010, C_CUR RX_OF("127.0.0.1:40000", "127.0.0.1:3333", "tcp") BY_RECEIVE),
     CAME S_ACKS(2010, C_CUR RX_OF("127.0.0.1:40001", "127.0.0.1:3333", "tcp") BY_RECEIVE)},
    {ANSWERED "unknown/none made while the kernel received a packet that is not of this connection",
     CAME S_ACKS(2010, C_CUR RX_OF("127.0.0.1:40000", "127.0.0.1:3334", "tcp") BY_RECEIVE),
     CAME S_ACKS(2010, C_CUR RX_OF("127.0.0.1:40000", "127.0.0.1:3333", "tcp") BY_RECEIVE)},
    {ANSWERED "unknown/none made while the kernel received a packet that is not of this connection",
     CAME S_ACKS(2010, C_CUR RX_OF("127.0.0.1:40000", "127.0.0.1:3333", "udp") BY_RECEIVE),
     CAME S_ACKS(2010, C_CUR RX_OF("127.0.0.1:40000", "127.0.0.1:3333", "tcp") BY_RECEIVE)},
    /* Without a chain it is the context, in a softirq alone, and where the segment acknowledges just what was being received. */
    {ANSWERED "segment/context by=@7", CAME S_ACKS(2010, C_CUR RX_C_DATA),
     CAME S_ACKS(2010,
                 C_CUR "receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=P. rx.seq=101 rx.ack=501 "
                       "rx.len=5")},
    {ANSWERED "segment/context by=@7", CAME S_ACKS(2010, C_CUR RX_C_DATA),
     CAME S_ACKS(2010, C_CUR RX_C_DATA CHAIN("some_function;other_function"))},
    {ANSWERED "unknown/none made while the kernel received another segment",
     CAME S_ACKS(2010, C_CUR RX_OF("127.0.0.1:40000", "127.0.0.1:3333", "tcp")), CAME S_ACKS(2010, C_CUR RX_C_DATA)},
    {ANSWERED "segment/rule by=@7", /* its own, or an earlier one */
     CAME S_ACKS(2010,
                 C_CUR "softirq=1 receiving=1 rx.src=127.0.0.1:3333 rx.dst=127.0.0.1:40000 rx.proto=tcp rx.flags=S. rx.seq=500 "
                       "rx.ack=101"),
     CAME S_ACKS(2010, C_CUR RX_C_DATA)},
    {ANSWERED "segment/rule by=@7",
     CAME S_ACKS(2010,
                 C_CUR "softirq=1 receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=. rx.seq=101 "
                       "rx.ack=501"),
     CAME S_ACKS(2010, C_CUR RX_C_DATA)},
    /* Off the backlog: what says nothing new answers what came last, not what it acknowledges. */
    {"segment #7 ACK . 1:6:0 class=5 received=2010 window=2 bytes=65535 <- segment/context by=@9",
     CAME S_ACKS(2005, S_CUR S_SOCK) PACKET(2007, C, "flags=P. seq=116 ack=501 len=5" ROOM) S_ACKS(2010, S_CUR S_SOCK OFF_BACKLOG),
     CAME S_ACKS(2005, S_CUR S_SOCK) PACKET(2007, C, "flags=P. seq=116 ack=501 len=5" ROOM) S_ACKS(2010, S_CUR S_SOCK)},
    {ANSWERED "segment/stack by=@7", CAME S_ACKS(2010, S_CUR S_SOCK OFF_BACKLOG), CAME S_ACKS(2010, S_CUR S_SOCK)},
    {"<- segment/context by=@12", /* data is let go by what came, not answers it */
     TRACE OPEN WRITTEN ACKED(42000, "103") RELEASED(42100, "103", "2", "103", OFF_BACKLOG),
     TRACE OPEN WRITTEN ACKED(42000, "103") RELEASED(42100, "103", "2", "103", "")},
    /* What a call had queued by then; and what an ACK of a little let go, which is two segments of an Ethernet. */
    {"<- unknown/none queued before by a call", TRACE OPEN WRITTEN_UNTIL("1999999") SMALL(2000, "101"),
     TRACE OPEN WRITTEN_UNTIL("2000000") SMALL(2000, "101")},
    {"<- unknown/none queued by a call that returned at this very moment", TRACE OPEN WRITTEN_UNTIL("2000000") SMALL(2000, "101"),
     TRACE OPEN WRITTEN_UNTIL("2000001") SMALL(2000, "101")},
    {"#7 data P. 2923:1:2 class=0 received=42100 window=2 bytes=512 <- segment/rule by=@13", LET_GO_BEHIND("2920", "3023"),
     LET_GO_BEHIND("2921", "3024")},
};
