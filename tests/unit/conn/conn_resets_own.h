/* Internal to conn_resets.c and conn_resets_life.c. */
#ifndef TCPWHY_CONN_RESETS_OWN_H
#define TCPWHY_CONN_RESETS_OWN_H

#include "support/exchange.h"

void who_answers_from_time_wait_with_a_bare_rst_waits_there_no_more(void **state);
/* It is on its way for four round trips (2 ms here) and 10 ms; a step is a millisecond. Times are kept in units of 1024 ns. */
void who_was_reset_lives_if_it_goes_on_past_the_bound(void **state);
void where_no_round_trip_was_seen_the_bound_is_a_second(void **state);
void the_times_of_both_bounds_may_step_back(void **state);
void who_sent_a_rst_lives_if_it_says_something_new_at_once(void **state);
void who_sent_a_rst_and_repeats_what_it_had_said_may_be_late(void **state);
void both_go_on_after_a_rst_from_between(void **state);
void a_refused_end_that_acknowledges_a_syn_ack_was_not_refused(void **state);
void what_came_while_an_end_was_taken_for_ended_is_not_forgotten(void **state);
void nor_what_it_said_itself(void **state);
void fins_after_a_rst_that_was_ignored_close_it(void **state);
void without_a_second_record_a_rst_ends_what_it_ends(void **state);
void who_acknowledges_what_was_said_after_a_rst_has_not_taken_it(void **state);
void an_icmp_error_that_quotes_another_number_refuses_no_syn(void **state);
void who_answers_the_syn_ack_with_rst_never_waited(void **state);
void who_answers_a_fin_with_rst_never_took_it(void **state);
void who_was_said_to_have_missed_a_fin_and_goes_on_had_taken_it(void **state);

#endif
