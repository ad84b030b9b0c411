/* Internal to borders.c and borders_repeats.c. */
#ifndef TCPWHY_BORDERS_OWN_H
#define TCPWHY_BORDERS_OWN_H

#include "support/lines.h"
#include "support/tell.h"

#define S_RST "flags=R. seq=0 ack=101"
#define S_RST_LATER "flags=R. seq=501 ack=101"
#define IN_CONNECT                                                                                                                 \
    ";__netif_receive_skb_one_core;net_rx_action;do_softirq;__dev_queue_xmit;tcp_connect;__sys_connect;__x64_sys_connect"
#define RX_ICMP "softirq=1 receiving=1 rx.src=127.0.0.1:0 rx.dst=127.0.0.1:0 rx.proto=icmp rx.len=60"
#define ICMP_ERROR(t)                                                                                                              \
    "packet t=" #t " vantage=1 number=2 src=127.0.0.1:0 dst=127.0.0.1:0 proto=icmp len=60 icmp.type=3 icmp.code=4 icmp.quotes=1 "  \
    "icmp.proto=tcp icmp.src=127.0.0.1:40000 icmp.dst=127.0.0.1:3333\n"
#define RX_C_ACK "softirq=1 receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=. rx.seq=101 rx.ack=501"
#define S_DATA_2 "flags=P. seq=506 ack=101 len=5"
#define LISTENER "sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"
#define C_ACK "flags=. seq=101 ack=501"

/* tcp_xmit_retransmit_queue sends both: until what had been sent before a timeout is acknowledged, it is that timeout's work. */
void a_timeouts_recovery_lasts_until_all_that_was_sent_before_is_acknowledged(void **data);
void a_reset_has_the_kernels_reason_that_was_reported_with_it(void **data);
void a_firewalls_reset_does_not_take_the_reason_of_anothers(void **data);
void who_hands_over_operations_by_a_ring_may_have_closed_before_its_end(void **data);

#endif
