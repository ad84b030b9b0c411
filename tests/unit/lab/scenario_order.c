/* What must come before what, and how mistakes are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/catalogue.h"
#include "lab/scenario/scenario.h"
#include "scenario_own.h"
#include "support/guard.h"

void an_actor_that_is_gone_does_nothing_more(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nclient exit\nclient bind 1\nkill server SIGKILL\nserver bind 1\n"), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_string_equal(mistakes.list[0].text, "client is gone since line 2");
    assert_string_equal(mistakes.list[1].text, "server is gone since line 4");
}

void a_closed_socket_is_not_there_any_more(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nclient connect server:1\nclient dup as copy\nclient close copy\nclient send \"x\" on copy\n"),
                     -EINVAL);
    assert_string_equal(mistakes.list[0].text, "client has no socket called 'copy' here; it has socket");
    assert_int_equal(mistakes.list[0].column, 20);
}

void the_loopback_has_no_wire(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nplace loopback\nwire cut\nwait 1s\nexpect SYN from client lost\n"), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_non_null(strstr(mistakes.list[0].text, "no wire"));
}

void the_head_stands_before_the_steps(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nwait 1s\nlimit 5s\ntitle again\n"), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_non_null(strstr(mistakes.list[0].text, "before the first step (line 2)"));
}

void a_scenario_needs_a_title_and_a_step(void **state)
{
    (void)state;
    assert_int_equal(parse("wait 1s\n"), -EINVAL);
    assert_non_null(strstr(mistakes.list[0].text, "title"));
    assert_int_equal(parse("title t\ntell nothing happens\n"), -EINVAL);
    assert_non_null(strstr(mistakes.list[0].text, "no step"));
    assert_int_equal(parse(""), -EINVAL);
    assert_int_equal(parse("title a\ntitle b\nwait 1s\n"), -EINVAL);
    assert_non_null(strstr(mistakes.list[0].text, "already, in line 1"));
}

void limits_are_mistakes_not_crashes(void **state)
{
    (void)state;
    struct buf text = buf_new(1 << 21);
    buf_text(&text, "title t\n");
    for (int i = 0; i < SCENARIO_STEPS_MAX + 2; i++) buf_text(&text, "wait 1ms\n");
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_int_equal(parse("title t\nrepeat 1000 times\nwait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\n"
                           "wait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\nend\n"),
                     -EINVAL);
    assert_int_equal(mistakes.total, 10); /* of one round */
    assert_non_null(strstr(mistakes.list[0].text, "more than 10000 steps (round 910)"));
    buf_clear(&text);
    buf_text(&text, "title t\nrepeat 1000 times\nwait 1ms\n#");
    for (int i = 0; i < 1 << 13; i++) buf_char(&text, '#');
    buf_text(&text, "\nend\n");
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    assert_int_equal(mistakes.total, 1);
    assert_non_null(strstr(mistakes.list[0].text, "too much text"));
    buf_clear(&text);
    for (int i = 0; i < 200; i++) buf_text(&text, "nonsense\n");
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    assert_int_equal(mistakes.count, SCENARIO_MISTAKES_MAX);
    assert_int_equal(mistakes.total, 201);
    buf_clear(&text);
    buf_text(&text, "title t\nserver");
    for (int i = 0; i < 100; i++) buf_text(&text, " a");
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    buf_clear(&text);
    for (int i = 0; i < SCENARIO_SOURCE_BYTES; i++) buf_char(&text, '#');
    buf_char(&text, '#');
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    buf_free(&text);
}

void a_mistake_is_shown_with_its_line_and_a_caret(void **state)
{
    (void)state;
    static const char text[] = "title t\n\twire drop SIN from client\nwait 1s\n";
    struct buf out = buf_new(4096);
    assert_int_equal(parse(text), -EINVAL);
    assert_int_equal(scenario_explain(&out, "my\033.scn", text, strlen(text), &mistakes), 0);
    assert_string_equal(buf_string(&out), "my?.scn:2:12: no kind of segment 'SIN': did you mean 'SYN'?\n"
                                          "     wire drop SIN from client\n"
                                          "               ^~~\n");
    buf_free(&out);
}

void columns_count_characters_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nclient connect server:1\nclient send \"éé\" nonblockin\n"), -EINVAL);
    assert_int_equal(mistakes.list[0].column, 18);
}

void every_scenario_of_the_catalogue_is_right(void **state)
{
    (void)state;
    size_t count;
    const struct catalogue_entry *entries = catalogue(&count);
    assert_true(count >= 3);
    for (size_t i = 0; i < count; i++) {
        scenario_free(scenario);
        scenario = NULL;
        int code = scenario_parse(entries[i].text, entries[i].length, &(struct scenario_vocabulary){.findings = NULL}, &scenario,
                                  &mistakes);
        if (code) fail_msg("%s:%u: %s", entries[i].name, mistakes.list[0].line, mistakes.list[0].text);
        assert_true(scenario->expect_count > 0);
        assert_ptr_equal(catalogue_find(entries[i].name), &entries[i]);
    }
    assert_null(catalogue_find("no-such"));
}

void no_prefix_of_a_scenario_is_read_past_its_end(void **state)
{
    (void)state;
    static const char text[] =
        "title \xc3\xa9\nsection RFC 1 2\nserver listen 3333 on ::1 as a\nclient connect [::1]:3333 with \"\\\"\xc3\xa9\"\n"
        "wire hold every SYN-ACK from server as x\nexpect cause of FIN 1 from client: segment SYN\ntell\t\xe2\x86\x92";
    for (size_t length = 0; length <= sizeof(text) - 1; length++) {
        struct guard guard = guard_new(text, length);
        struct buf out = buf_new(1 << 16);
        scenario_free(scenario);
        scenario = NULL;
        if (scenario_parse((const char *)guard.bytes, length, &vocabulary, &scenario, &mistakes))
            assert_int_equal(scenario_explain(&out, "f", (const char *)guard.bytes, length, &mistakes), 0);
        buf_free(&out);
        guard_free(&guard);
    }
}
