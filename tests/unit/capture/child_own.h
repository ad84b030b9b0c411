/* Internal to child.c and child_set_up.c. */
#ifndef TCPWHY_CHILD_OWN_H
#define TCPWHY_CHILD_OWN_H

#include "capture/child.h"

/* Nothing is redirected, and nothing kept open. */
struct child_options options_of(char *const *argv);
/* Once it has ended. */
int status_of(pid_t pid);
/* What the child printed, once it has ended. */
void output_of(struct child_options options, char *text, size_t size, int *ret_status);

void each_of_the_descriptors_to_keep_stays_and_those_between_them_go(void **state);
void what_its_parent_ignores_is_ignored_and_what_it_handles_is_not(void **state);
void the_first_program_of_the_path_that_may_be_executed_runs(void **state);
void another_person_is_another_in_all(void **state);
void without_standard_descriptors_its_pipes_are_not_taken_for_them(void **state);

#endif
