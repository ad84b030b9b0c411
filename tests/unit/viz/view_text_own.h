/* Internal to view_text.c and view_text_words.c. */
#ifndef TCPWHY_VIEW_TEXT_OWN_H
#define TCPWHY_VIEW_TEXT_OWN_H

#include "support/drawing.h"
#include "support/golden.h"
#include "viz/pen/escape.h"
#include "viz/plan/words.h"

struct buf draw(const char *fixture, const struct view_options *options);
void no_cause_argument_or_finding_is_cut_at_any_width(void **state);
void a_packet_is_crossed_out_only_where_it_is_known_not_to_have_arrived(void **state);
void causes_of_data_segments_and_kernel_states_come_with_verbosity(void **state);
void a_closed_pipe_is_returned_from_wherever_it_happens(void **state);
void durations_have_three_digits_at_most(void **state);
void times_are_milliseconds_to_the_microsecond(void **state);
void views_are_found_by_name_and_by_a_files_ending(void **state);

#endif
