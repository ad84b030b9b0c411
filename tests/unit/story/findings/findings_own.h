/* Internal to findings.c and findings_proof.c. */
#ifndef TCPWHY_TESTS_FINDINGS_OWN_H
#define TCPWHY_TESTS_FINDINGS_OWN_H

void a_slow_answer_s_calls_are_those_between_request_and_answer(void **data);
void a_slow_answer_may_have_been_lost_where_nobody_watched_the_server(void **data);
void who_gave_an_unanswered_syn_up_is_named(void **data);
void a_close_that_was_not_the_last_is_told_of_both_ends(void **data);
void the_listener_s_own_end_is_the_proof_that_it_was_gone(void **data);

#endif
