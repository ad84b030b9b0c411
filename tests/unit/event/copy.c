/* An event that is taken over into another log needs nothing of the first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event/copy.h"
#include "event/text.h"

static const char lines[] = EVENT_TEXT_FIRST_LINE
    "\n"
    "trace t=1 recorder=bpf reason=\"asked for\" ports=3333\n"
    "mark t=2 src=127.0.0.1:40112 dst=127.0.0.1:3333 proto=tcp flags=S seq=7 cur.pid=7 cur.comm=x chain=a;b;c\n"
    "packet t=3 vantage=1 number=1 src=127.0.0.1:40112 dst=127.0.0.1:3333 proto=tcp flags=S seq=7 comments=\"one thing;another\" "
    "link=1 "
    "wire=60 captured=4 bytes=01020304\n"
    "packet t=4 vantage=1 number=2 captured=9\n"
    "wake t=5 pid=7 tid=7 chain=a;b;c\n"
    "lost t=6 source=bpf what=\"ring full\" received=2\n";

static void it_outlives_the_log_that_it_came_from(void **state)
{
    (void)state;
    struct event_log *from = event_log_new(), *to = event_log_new();
    struct err err = {""};
    struct buf text = buf_new(1 << 16);
    if (event_text_read("lines", lines, strlen(lines), from, &err)) fail_msg("%s", err.text);
    for (size_t i = 0; i < event_log_count(from); i++) assert_int_equal(event_copy(to, event_log_at(from, i)), 0);
    event_log_free(from);
    assert_int_equal(event_text_write_log(&text, to), 0);
    assert_string_equal(buf_string(&text), lines);
    /* Captured bytes go with their event, and no other's. */
    event_log_forget(to, 3);
    assert_int_equal(event_log_count(to), 3);
    event_log_free(to);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_outlives_the_log_that_it_came_from)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
