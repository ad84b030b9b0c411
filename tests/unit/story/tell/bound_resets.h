/* What a RST answers: where the kernel showed it that; else what came last by then, with the number that it carries. */
#define AT_PLACE(ns, place, from, what) "packet t=" ns " vantage=" place " number=1 " from what "\n"
#define FORGOTTEN                                                                                                                  \
    TRACE TWO_ENDS THERE(1000, 1001, SYN) BACK(1010, 1011, SYN_ACK) THERE(1020, 1021, HANDSHAKE_ACK)                               \
        ARRIVES(1500, WS, "flags=R. seq=501 ack=101")
#define THEN_DATA(ack) "flags=P. seq=106 ack=" ack " len=5"
#define TWICE THERE(2100, 2101, C_DATA) THERE(2102, 2105, THEN_DATA("501"))
#define IT_ANSWERS BACK(2110, 2210, "flags=R seq=501")
#define SHOWS_FIRST                                                                                                                \
    "mark t=2109000 netns=10 " WS                                                                                                  \
    "flags=R seq=501 cur.pid=0 softirq=1 receiving=1 rx.src=192.0.2.1:40000 rx.dst=192.0.2.2:3333 rx.proto=tcp rx.flags=P. "       \
    "rx.seq=101 rx.ack=501 rx.len=5 chain=tcp_v4_send_reset;tcp_v4_rcv;net_rx_action\n"
#define ANSWERED_WITH_RST "next segment of the client was answered with RST by="
static const struct bound resets_bounds[] = {
    {ANSWERED_WITH_RST "@10 by=@11", /* what came at that instant had come */
     FORGOTTEN THERE(2100, 2101, C_DATA) PACKET(2102, WC, THEN_DATA("501")) AT_PLACE("2110000", "2", WC, THEN_DATA("501"))
         IT_ANSWERS,
     FORGOTTEN THERE(2100, 2101, C_DATA) PACKET(2102, WC, THEN_DATA("501")) AT_PLACE("2110001", "2", WC, THEN_DATA("501"))
         IT_ANSWERS},
    {ANSWERED_WITH_RST "@9 by=@11", /* and what was lost had not */
     FORGOTTEN THERE(2100, 2101, C_DATA) PACKET(2102, WC, THEN_DATA("501")) IT_ANSWERS, FORGOTTEN TWICE IT_ANSWERS},
    {ANSWERED_WITH_RST "@9 by=@11", FORGOTTEN THERE(2100, 2101, C_DATA) THERE(2102, 2105, THEN_DATA("502")) IT_ANSWERS,
     FORGOTTEN TWICE IT_ANSWERS},
    {ANSWERED_WITH_RST "@9 by=@11", /* in the order in which they came; at one instant, in which they were sent */
     FORGOTTEN PACKET(2100, WC, C_DATA) THERE(2102, 2103, THEN_DATA("501")) ARRIVES(2105, WC, C_DATA) IT_ANSWERS,
     FORGOTTEN PACKET(2100, WC, C_DATA) THERE(2102, 2105, THEN_DATA("501")) ARRIVES(2105, WC, C_DATA) IT_ANSWERS},
    {ANSWERED_WITH_RST "@9 by=@11", FORGOTTEN TWICE SHOWS_FIRST IT_ANSWERS, FORGOTTEN TWICE IT_ANSWERS},
    {ANSWERED_WITH_RST, FORGOTTEN THERE(2100, 2101, C_DATA) IT_ANSWERS, /* one with an ACK answers nothing */
     FORGOTTEN THERE(2100, 2101, C_DATA) BACK(2110, 2210, "flags=R. seq=501 ack=106")},
};
