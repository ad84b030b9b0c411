/* Internal to conn_classes.c and conn_classes_probes.c. */
#ifndef TCPWHY_CONN_CLASSES_OWN_H
#define TCPWHY_CONN_CLASSES_OWN_H

#include "support/exchange.h"

void the_ack_that_a_rst_in_the_window_asked_for_is_a_challenge(void **state);
void the_ack_that_a_syn_in_the_window_asked_for_is_a_challenge(void **state);
void a_syn_ack_again_is_again_and_its_ack_a_duplicate(void **state);
void an_answer_to_another_syn_is_a_stray(void **state);
void a_syn_ack_of_more_than_was_sent_is_a_stray(void **state);
void a_duplicate_count_stays_at_its_largest(void **state);
void a_zero_window_is_counted_but_not_of_a_syn_a_fin_or_a_rst(void **state);
void every_class_has_a_name_of_its_own(void **state);
void a_byte_that_the_peer_took_back_its_offer_for_probes(void **state);
void what_follows_a_probe_that_was_taken_is_no_answer(void **state);
void syn_acks_that_cross_move_each_end_through_syn_rcvd(void **state);
void a_syn_ack_captured_behind_what_proves_it_is_not_sent_again(void **state);

#endif
