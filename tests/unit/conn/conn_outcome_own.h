/* Internal to conn_outcome.c and conn_outcome_untaken.c. */
#ifndef TCPWHY_CONN_OUTCOME_OWN_H
#define TCPWHY_CONN_OUTCOME_OWN_H

#include "support/exchange.h"

void data_on_a_syn_that_was_not_taken_is_sent_again(void **state);
void a_last_number_that_may_have_been_a_fin_is_no_byte(void **state);
void a_socket_connected_to_itself_passes_syn_rcvd_and_closing(void **state);
void without_a_second_record_the_ack_is_the_way_back(void **state);
void what_has_neither_syn_nor_ack_shows_no_connection(void **state);
void in_the_midst_of_a_connection_it_is_none_of_it(void **state);
void a_syn_ack_that_comes_again_to_who_said_nothing_was_not_taken(void **state);

#endif
