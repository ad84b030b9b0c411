/* How much of an event is kept: all that says something, and no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event/extent.h"
#include "event/fields.h"
#include "event/log.h"

static bool is_call(int kind)
{
    return kind == EVENT_ENTER || kind == EVENT_EXIT;
}

/* With something in every byte; what is a pointer points nowhere. */
static struct event full_of(int kind, int byte)
{
    struct event event;
    memset(&event, byte, sizeof(event));
    event.kind = (enum event_kind)kind;
    event.t_ns = 1;
    if (kind == EVENT_PACKET) event.packet = (struct event_packet){.early = true, .number = 77, .vantage = 1};
    if (!is_call(kind)) return event;
    event.call.watch_count = EVENT_WATCH_MAX;
    memset(event.call.args, 'a', sizeof(event.call.args) - 1);
    event.call.args[sizeof(event.call.args) - 1] = 0;
    return event;
}

static void every_field_lies_within_the_extent_of_its_kind(void **state)
{
    (void)state;
    for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
        struct event event = full_of(kind, 1);
        size_t count, extent = event_extent(&event);
        const struct event_field *fields = event_fields_of(event.kind, &count);
        assert_true(extent <= sizeof(event));
        for (size_t i = 0; i < count; i++) assert_true(fields[i].offset + fields[i].bytes <= extent);
    }
}

static void a_log_gives_back_all_of_every_kind(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    for (int round = 0; round < 3; round++) { /* the later ones where the earlier were */
        for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
            struct event event = full_of(kind, 3 + round);
            assert_int_equal(event_log_append(log, &event), 0);
        }
        for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
            struct event kept, event = full_of(kind, 3 + round);
            event_assign(&kept, event_log_at(log, (size_t)kind - 1));
            event.order = kept.order;
            assert_memory_equal(&kept, &event, event_extent(&event));
        }
        event_log_forget(log, EVENT_KINDS);
    }
    event_log_free(log);
}

static void a_call_without_arguments_or_list_has_none_where_it_is_kept(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    for (int i = 0; i < 300; i++) { /* in places where others had some */
        struct event other = full_of(i % 2 ? EVENT_ENTER : EVENT_MARK, 'x');
        assert_int_equal(event_log_append(log, &other), 0);
    }
    event_log_forget(log, 300);
    for (int i = 0; i < 300; i++) {
        struct event kept, event = {.kind = i % 2 ? EVENT_ENTER : EVENT_EXIT, .call = {.name = "read", .ret = i, .value = {i, -i}}};
        if (i % 2) snprintf(event.call.args, sizeof(event.call.args), "%d, ..., 16384", i);
        assert_int_equal(event_log_append(log, &event), 0);
        const struct event *there = event_log_at(log, (size_t)i);
        assert_string_equal(there->call.args, event.call.args);
        event_assign(&kept, there);
        event.order = kept.order;
        assert_memory_equal(&kept, &event, sizeof(event));
    }
    event_log_free(log);
}

static void calls_take_less_without_what_few_have(void **state)
{
    (void)state;
    struct event end = {.kind = EVENT_EXIT}, begin = {.kind = EVENT_ENTER, .call.args = "3"}, waits = begin;
    waits.call.watch_count = 1;
    assert_true(event_extent(&end) < event_extent(&begin));
    assert_true(event_extent(&begin) < event_extent(&waits));
    assert_int_equal(event_extent(&waits), sizeof(waits));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_lies_within_the_extent_of_its_kind),
        cmocka_unit_test(a_log_gives_back_all_of_every_kind),
        cmocka_unit_test(a_call_without_arguments_or_list_has_none_where_it_is_kept),
        cmocka_unit_test(calls_take_less_without_what_few_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
