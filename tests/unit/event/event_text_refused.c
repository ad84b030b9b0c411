/* What is refused, and where it says the mistake is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "event/fields.h"
#include "event/text.h"
#include "event_text_own.h"
#include "support/guard.h"

void a_kind_outside_the_enum_is_not_written(void **state)
{
    (void)state;
    struct buf text = buf_new(TEXT_LIMIT);
    struct event event = {.kind = EVENT_NONE};
    assert_true(event_text_write(&text, &event) < 0);
    event.kind = EVENT_KINDS;
    assert_true(event_text_write(&text, &event) < 0);
    assert_int_equal(text.length, 0);
    buf_free(&text);
}

void a_full_buffer_is_reported(void **state)
{
    (void)state;
    struct buf text = buf_new(30);
    struct event event = {.kind = EVENT_LOST, .lost = {.source = "capture lo", .what = "dropped by kernel"}};
    assert_true(event_text_write(&text, &event) < 0);
    buf_free(&text);
}

void comments_and_empty_lines_are_skipped(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    const char *text = FIRST "\n# packet t=1\n\nlost t=2\n#\nlost t=1";
    assert_int_equal(event_text_read("log", text, strlen(text), log, NULL), 0);
    assert_int_equal(event_log_count(log), 2);
    assert_int_equal(event_log_at(log, 0)->t_ns, 2);
    assert_int_equal(event_log_at(log, 1)->t_ns, 1);
    event_log_free(log);
}

void a_mistake_is_named_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "log:1:1: expected \"# tcpwhy events 1\" as the first line"},
        {"# tcpwhy events 2\n", "log:1:1: expected \"# tcpwhy events 1\" as the first line"},
        {"# tcpwhy events 10\n", "log:1:1: "},
        {"lost t=1\n", "log:1:1: "},
        {FIRST "pakcet t=1\n", "log:2:1: expected a kind of event"},
        {FIRST " lost t=1\n", "log:2:1: "},
        {FIRST "\n\nlost t=1 nmae=x\n", "log:4:10: expected a key that a lost has"},
        {FIRST "lost t=1  count=1\n", "log:2:10: expected a key"},
        {FIRST "lost t=1 \n", "log:2:10: expected a key"},
        {FIRST "lost t=1 count\n", "log:2:15: expected = and a value"},
        {FIRST "lost t=1 count count=2\n", "log:2:15: expected = and a value"},
        {FIRST "lost=1\n", "log:2:5: expected a space"},
        {FIRST "lost t=1 t=1\n", "log:2:10: expected each key once"},
        {FIRST "lost t=\n", "log:2:8: expected a value"},
        {FIRST "lost t= count=1\n", "log:2:8: expected a value"},
        {FIRST "lost t=1x\n", "log:2:8: expected a whole number"},
        {FIRST "lost t=+1\n", "log:2:8: "},
        {FIRST "lost t=\" 1\"\n", "log:2:9: "},
        {FIRST "lost t=-\n", "log:2:8: "},
        {FIRST "lost t=9223372036854775808\n", "log:2:8: expected a whole number that fits"},
        {FIRST "lost t=-9223372036854775809\n", "log:2:8: "},
        {FIRST "lost count=18446744073709551616\n", "log:2:12: expected a number from 0 that fits"},
        {FIRST "lost count=-1\n", "log:2:12: "},
        {FIRST "packet win=65536\n", "log:2:12: "},
        {FIRST "packet icmp.type=256\n", "log:2:18: "},
        {FIRST "packet src=127.0.0.300:1\n", "log:2:12: expected an address"},
        {FIRST "packet src=127.0.0.1:65536\n", "log:2:12: "},
        {FIRST "packet src=?:65536\n", "log:2:12: "},
        {FIRST "packet src=?\n", "log:2:12: "},
        {FIRST "packet flags=SX\n", "log:2:14: expected letters"},
        {FIRST "packet flags=SS\n", "log:2:14: expected letters"},
        {FIRST "packet proto=sctp\n", "log:2:14: expected a known word"},
        {FIRST "packet proto=256\n", "log:2:14: "},
        {FIRST "packet opt=mss,,ts\n", "log:2:12: expected known words"},
        {FIRST "packet bytes=00\n", "log:2:14: expected captured=1 before these 1 bytes"},
        {FIRST "packet captured=2 bytes=00\n", "log:2:25: expected captured=1"},
        {FIRST "packet captured=1 bytes=0\n", "log:2:25: expected an even number"},
        {FIRST "packet captured=1 bytes=0G\n", "log:2:25: expected an even number"},
        {FIRST "state from=SYN_RCVD\n", "log:2:12: expected a known word"},
        {FIRST "reset sent=2\n", "log:2:12: expected 0 or 1"},
        {FIRST "reset sent=01\n", "log:2:12: expected 0 or 1"},
        {FIRST "process comm=0123456789abcdef\n", "log:2:14: expected a text of at most 15 bytes"},
        {FIRST "process comm=\"a\\x00\"\n", "log:2:15: expected a text of at most 15 bytes"},
        {FIRST "process comm=\"a\n", "log:2:16: expected \" at the end"},
        {FIRST "process comm=\"a\"b\n", "log:2:17: expected a space after the value"},
        {FIRST "process comm=a\"b\n", "log:2:15: expected a value in double quotes"},
        {FIRST "process comm=a=b\n", "log:2:15: expected a value in double quotes"},
        {FIRST "process comm=a#b\n", "log:2:15: expected a value in double quotes"},
        {FIRST "process comm=a\tb\n", "log:2:15: expected a value in double quotes"},
        {FIRST "process comm=\"a\tb\"\n", "log:2:16: expected \\x09 for this byte"},
        {FIRST "process comm=\"\xc3\xa9\"\n", "log:2:15: expected \\xc3 for this byte"},
        {FIRST "process comm=\"\\n\"\n", "log:2:15: expected \\\\"},
        {FIRST "process comm=\"\\x4\"\n", "log:2:15: expected \\\\"},
        {FIRST "process comm=\"\\xAB\"\n", "log:2:15: expected \\\\"},
        {FIRST "process comm=a\r\n", "log:2:15: "},
        {FIRST "trace ports=1,2,3,4,5,6,7,8,9\n", "log:2:13: expected up to 8"},
        {FIRST "trace ports=65536\n", "log:2:13: "},
        {FIRST "enter watch=1:2\n", "log:2:13: expected up to 8 entries"},
        {FIRST "enter watch=1:2:3:4\n", "log:2:13: "},
        {FIRST "enter watch=1:2:4294967296\n", "log:2:13: "},
        {FIRST "enter watch=1:1:1,1:1:1,1:1:1,1:1:1,1:1:1,1:1:1,1:1:1,1:1:1,1:1:1\n", "log:2:13: "},
        {FIRST "mark chain=a\\x00\n", NULL}, /* a backslash without quotes is itself */
        {FIRST "mark chain=\"a\\x00\"\n", "log:2:13: expected at most 48 function names"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_log *log = event_log_new();
        struct err err = {{0}};
        int code = event_text_read("log", cases[i].text, strlen(cases[i].text), log, &err);
        if (cases[i].says ? code != -22 || strncmp(err.text, cases[i].says, strlen(cases[i].says)) != 0 : code != 0)
            fail_msg("%s\ngave %d \"%s\", not \"%s\"", cases[i].text, code, err.text, cases[i].says ? cases[i].says : "");
        event_log_free(log);
    }
}

void a_nul_byte_is_not_accepted_anywhere(void **state)
{
    (void)state;
    static const char text[] = FIRST "lost t=1 what=ab\n";
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        struct event_log *log = event_log_new();
        char broken[sizeof(text)];
        memcpy(broken, text, sizeof(text));
        broken[i] = '\0';
        assert_int_equal(event_text_read("log", broken, sizeof(text) - 1, log, NULL), -22);
        event_log_free(log);
    }
}

void a_chain_longer_than_a_log_takes_is_refused(void **state)
{
    (void)state;
    struct buf text = buf_new(TEXT_LIMIT);
    buf_text(&text, FIRST "wake chain=f");
    for (int i = 1; i < EVENT_CHAIN_MAX; i++) buf_text(&text, ";f");
    struct event_log *log = event_log_new();
    read_or_fail(&text, log);
    buf_text(&text, ";f");
    assert_int_equal(event_text_read("log", buf_string(&text), text.length, log, NULL), -22);
    buf_free(&text);
    event_log_free(log);
}

void what_stands_before_a_mistake_stays(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    const char *text = FIRST "lost t=1\nlost t=2\nlots t=3\nlost t=4\n";
    assert_int_equal(event_text_read("log", text, strlen(text), log, NULL), -22);
    assert_int_equal(event_log_count(log), 2);
    event_log_free(log);
}

/* The text ends where memory ends, wherever it is cut. */
void a_text_cut_anywhere_is_read_within_its_bounds(void **state)
{
    (void)state;
    static const char text[] =
        FIRST "packet t=1 src=[::1]:3333 proto=tcp flags=S. opt=mss,ts captured=2 bytes=00ff\n"
              "exit t=2 comm=\"a\\x1b\\\"\" watch=1:2:3,4:5:6 ret=-1\nmark chain=\"a;b\\x3b\"\ntrace ports=1,2";
    for (size_t length = 0; length <= strlen(text); length++) {
        struct guard guard = guard_new(text, length);
        struct event_log *log = event_log_new();
        event_text_read("log", (const char *)guard.bytes, length, log, NULL);
        if (length == strlen(text)) assert_int_equal(event_log_count(log), 4);
        event_log_free(log);
        guard_free(&guard);
    }
}
