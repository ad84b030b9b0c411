/* Internal to scenario.c and scenario_order.c. */
#ifndef TCPWHY_SCENARIO_OWN_H
#define TCPWHY_SCENARIO_OWN_H

#include "lab/scenario/catalogue.h"
#include "lab/scenario/scenario.h"
#include "support/guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const findings[] = {"refused", "reset-unread-data"}, *const calls[] = {"recvfrom", "io_uring send"};
static const struct scenario_vocabulary vocabulary = {findings, COUNT(findings), calls, COUNT(calls)};
extern struct scenario *scenario;
extern struct scenario_mistakes mistakes;

int parse(const char *text);
void an_actor_that_is_gone_does_nothing_more(void **state);
void a_closed_socket_is_not_there_any_more(void **state);
void the_loopback_has_no_wire(void **state);
void the_head_stands_before_the_steps(void **state);
void a_scenario_needs_a_title_and_a_step(void **state);
void limits_are_mistakes_not_crashes(void **state);
void a_mistake_is_shown_with_its_line_and_a_caret(void **state);
void columns_count_characters_not_bytes(void **state);
void every_scenario_of_the_catalogue_is_right(void **state);
void no_prefix_of_a_scenario_is_read_past_its_end(void **state);

const struct scenario_expect *only_expect(const char *text);
void an_icmp_error_is_expected_of_a_host_or_of_the_router(void **state);
void an_expectation_may_stand_before_its_step(void **state);
void every_mistake_says_where_and_what(void **state);
void a_file_with_a_mistake_in_every_line_has_a_message_for_each(void **state);
void one_mistake_is_not_blamed_on_the_lines_behind_it(void **state);

/* The model of a text that must be right; a title is put before it. */
const struct scenario *good(const char *text);
const struct scenario_step *last_step(const char *text);
void the_wire_is_told_what_to_do(void **state);
void the_router_is_told_what_to_do(void **state);
void a_host_has_a_firewall(void **state);
void a_segment_to_be_made_is_kept(void **state);
void expectations_are_kept(void **state);

#endif
