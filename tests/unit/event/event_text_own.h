/* Internal to event_text.c and event_text_refused.c. */
#ifndef TCPWHY_EVENT_TEXT_OWN_H
#define TCPWHY_EVENT_TEXT_OWN_H

#include "event/fields.h"
#include "event/text.h"
#include "support/guard.h"

#define FIRST EVENT_TEXT_FIRST_LINE "\n"

enum { TEXT_LIMIT = 64 << 20 };

static inline void assert_same_chain(const struct event_chain *a, const struct event_chain *b)
{
    assert_int_equal(!a, !b);
    if (!a) return;
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) assert_string_equal(a->names[i], b->names[i]);
}

void read_or_fail(const struct buf *text, struct event_log *log);
void a_kind_outside_the_enum_is_not_written(void **state);
void a_full_buffer_is_reported(void **state);
void comments_and_empty_lines_are_skipped(void **state);
void a_mistake_is_named_with_line_and_column(void **state);
void a_nul_byte_is_not_accepted_anywhere(void **state);
void a_chain_longer_than_a_log_takes_is_refused(void **state);
void what_stands_before_a_mistake_stays(void **state);
/* The text ends where memory ends, wherever it is cut. */
void a_text_cut_anywhere_is_read_within_its_bounds(void **state);

#endif
