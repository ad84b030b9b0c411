/* Internal to transitions.c and transitions_deferred.c. */
#ifndef TCPWHY_TRANSITIONS_OWN_H
#define TCPWHY_TRANSITIONS_OWN_H

#include "support/lines.h"
#include "support/tell.h"

#define CLOSE_FROM_CLIENT PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=. seq=501 ack=102")
#define S_FIN "flags=F. seq=501 ack=102"
#define LAST_ACK "flags=. seq=102 ack=502"
#define CLOSE_FROM_BOTH CLOSE_FROM_CLIENT PACKET(2020, S, S_FIN) PACKET(2030, C, LAST_ACK)
#define RX_S_FIN "softirq=1 receiving=1 rx.src=127.0.0.1:3333 rx.dst=127.0.0.1:40000 rx.proto=tcp rx.flags=F. rx.seq=501 rx.ack=102"
#define RX_ACK "softirq=1 receiving=1 rx.src=127.0.0.1:40000 rx.dst=127.0.0.1:3333 rx.proto=tcp rx.flags=. rx.seq=101 rx.ack=501"
/* The kernel is watched: something of the run has its mark. */
#define WATCHED MARK(1000, C, SYN, C_CUR C_SOCK " chain=tcp_connect;__x64_sys_connect")
#define TIMER(t, state) "timer t=" #t US " function=tw_timer_handler netns=9 " C_SOCK " sock.state=" state "\n"
/* Another connection's packet, so that the clock goes on. */
#define CLOCK(t) "packet t=" #t US " vantage=1 number=1 src=127.0.0.1:40001 dst=127.0.0.1:3333 proto=tcp flags=S seq=1\n"

#define REQUEST "sock.proto=tcp sock.local=127.0.0.1:3333 sock.remote=127.0.0.1:40000 sock.state=NEW_SYN_RECV"
#define REQUEST_TIMER(t) "timer t=" #t US " function=reqsk_timer_handler netns=9 " REQUEST "\n"
#define SYN_AND_SYN_ACK PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK)
#define LATE_ACK PACKET(4000000, C, HANDSHAKE_ACK) PACKET(4000010, S, "flags=R seq=501")

/* The n-th (from 1) step of the RFC's machine at this end; NULL where it has fewer. */
const struct story_state *change_of(const struct story *story, enum story_side side, size_t n);
int64_t time_of(const struct story *story, const struct story_state *state);
void an_ack_that_the_server_deferred_leaves_it_in_syn_rcvd(void **state);
void of_equal_acks_the_one_counts_that_the_kernel_took(void **state);
void a_syn_ack_that_the_requests_timer_repeats_shows_that_the_ack_was_dropped(void **state);
void a_reset_in_answer_to_the_ack_shows_that_it_completed_nothing(void **state);
void a_fin_that_reaches_syn_sent_is_told_and_moves_nothing(void **state);
void what_should_not_occur_is_told(void **state);
void what_stays_by_right_is_not_told(void **state);
void an_ack_that_is_answered_by_nobody_established_nobody(void **state);
void an_abort_of_its_own_accord_was_established(void **state);
void a_reset_that_answers_a_later_segment_says_nothing_of_the_ack(void **state);
void a_reset_answers_within_a_second_or_is_no_answer(void **state);
void a_connection_that_accept_took_was_established(void **state);
void a_rst_after_which_its_sender_goes_on_ends_nothing(void **state);
void a_syn_ack_that_comes_again_was_not_taken(void **state);

#endif
