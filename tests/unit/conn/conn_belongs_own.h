/* Internal to conn_belongs.c and conn_belongs_far.c. */
#ifndef TCPWHY_CONN_BELONGS_OWN_H
#define TCPWHY_CONN_BELONGS_OWN_H

#include "support/exchange.h"

/* After a RST that ended both, less is enough. */
void after_a_reset_numbers_that_are_far_begin_anew(void **state);
void an_old_segment_behind_two_fins_begins_nothing(void **state);
void a_syn_ack_alone_begins_anew_where_neither_number_is_this_connections(void **state);
void a_leap_goes_far_ahead_in_both_numbers(void **state);
void a_segment_is_of_the_connection_that_it_is_nearer_to(void **state);
/* RFC 5961 section 4: what says nothing new asks what the SYN of another connection means; where something else asked for an ACK
 * too, that may be it. */
void who_holds_a_connection_questions_the_syn_of_another(void **state);

#endif
