/* Bounds of the judge: a row is one of them, by what is said just inside and just outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/exchange.h"

struct bound {
    const char *inside, *inside_is, *outside, *outside_is; /* both ends' states, outcome, who closed first; the last class; which
                                                              connection it is; how many seconds it is kept without a word */
};

#define CLOSED_BOTH HANDSHAKE "c:FA:1:1:0 s:FA:1:2:0 c:A:2:2:0 "

static const struct bound bounds[] = {
    /* Beyond both FINs is another connection; what one of both had sent is not. */
    {CLOSED_BOTH "c:A:3:3:0", "ESTABLISHED ESTABLISHED open - ack #1 131s", CLOSED_BOTH "c:A:2:3:0",
     "TIME_WAIT CLOSED closed c ack #0 61s"},
    {CLOSED_BOTH "c:A:3:3:0", "ESTABLISHED ESTABLISHED open - ack #1 131s", CLOSED_BOTH "c:A:3:2:0",
     "TIME_WAIT CLOSED closed c ack #0 61s"},
    /* After a RST a little is enough. */
    {HANDSHAKE "s:RA:1:1:0 c:PA:65538:65538:5", "ESTABLISHED ESTABLISHED open - new #1 432000s",
     HANDSHAKE "s:RA:1:1:0 c:PA:65537:65537:5", "CLOSED CLOSED reset s new #0 61s"},
    /* A SYN alone is an attempt: it is kept as long as Linux tries; data makes it more. */
    {"c:S:0:0:0", "SYN_SENT CLOSED half-open - new #0 131s", "c:S:0:0:1", "SYN_SENT CLOSED half-open - new #0 432000s"},
    {"c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0", "SYN_SENT CLOSED half-open - again #0 131s",
     "c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0 c:S:0:0:0",
     "SYN_SENT CLOSED half-open - again #0 432000s"},
    /* One byte into a closed window asks, and sends nothing that counts. */
    {HANDSHAKE "s:A:1:1:0:0 c:PA:1:1:1", "ESTABLISHED ESTABLISHED open - window-probe #0 432000s",
     HANDSHAKE "s:A:1:1:0:0 c:PA:1:1:2", "ESTABLISHED ESTABLISHED open - new #0 432000s"},
    {HANDSHAKE "c:PA:1:1:5 s:A:1:3:0:0 c:PA:6:1:1", "ESTABLISHED ESTABLISHED open - window-probe #0 432000s",
     HANDSHAKE "c:PA:1:1:5 s:A:1:3:0:0 c:PA:7:1:1", "ESTABLISHED ESTABLISHED open - new #0 432000s"},
    {HANDSHAKE "c:PA:1:1:5 s:A:1:3:0:0 c:PA:3:1:1", "ESTABLISHED ESTABLISHED open - window-probe #0 432000s",
     HANDSHAKE "c:PA:1:1:5 s:A:1:3:0:0 c:PA:4:1:1", "ESTABLISHED ESTABLISHED open - again #0 432000s"},
    {HANDSHAKE "s:A:1:1:0:0 c:PA:1:1:1 c:PA:1:1:1", "ESTABLISHED ESTABLISHED open - window-probe #0 432000s",
     HANDSHAKE "s:A:1:1:0:0 c:PA:1:1:1 s:A:1:1:0:9 c:PA:1:1:1", "ESTABLISHED ESTABLISHED open - new #0 432000s"},
    {HANDSHAKE "c:PA:1:1:5 s:A:1:6:0:0 c:PA:6:1:1 c:PA:6:1:1", "ESTABLISHED ESTABLISHED open - window-probe #0 432000s",
     HANDSHAKE "c:PA:1:1:5 s:A:1:6:0:0 c:PA:6:1:1 c:PA:5:1:1", "ESTABLISHED ESTABLISHED open - again #0 432000s"},
    /* A RST that is not the next number is questioned, as far as a window reaches. */
    {HANDSHAKE "s:R:1073741825:0:0 c:A:1:1:0", "ESTABLISHED CLOSED reset s challenge-ack #0 432000s",
     HANDSHAKE "s:R:1073741826:0:0 c:A:1:1:0", "ESTABLISHED CLOSED reset s duplicate-ack #0 432000s"},
    {HANDSHAKE "s:R:2:0:0 c:A:1:1:0", "ESTABLISHED CLOSED reset s challenge-ack #0 432000s", HANDSHAKE "s:R:1:0:0 c:A:1:1:0",
     "CLOSED CLOSED reset s duplicate-ack #0 61s"},
    /* A keepalive: one below the next number, all acknowledged; behind a FIN only where nothing came for half a second. */
    {HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 c:A:5:1:0", "ESTABLISHED ESTABLISHED open - keepalive #0 432000s",
     HANDSHAKE "c:PA:1:1:5 s:A:1:5:0 c:A:5:1:0", "ESTABLISHED ESTABLISHED open - duplicate-ack #0 432000s"},
    {HANDSHAKE "c:FA:1:1:0 s:A:1:2:0 +499ms c:A:1:1:0", "FIN_WAIT_2 CLOSE_WAIT open c keepalive #0 432000s",
     HANDSHAKE "c:FA:1:1:0 s:A:1:2:0 +498ms c:A:1:1:0", "FIN_WAIT_2 CLOSE_WAIT open c duplicate-ack #0 432000s"},
    /* A lone byte again is sent again, until a keepalive timer has had its time; two bytes are data at any time. */
    {HANDSHAKE "c:PA:1:1:1 s:A:1:2:0 +899ms c:PA:1:1:1", "ESTABLISHED ESTABLISHED open - keepalive #0 432000s",
     HANDSHAKE "c:PA:1:1:1 s:A:1:2:0 +898ms c:PA:1:1:1", "ESTABLISHED ESTABLISHED open - again #0 432000s"},
    {HANDSHAKE "c:PA:1:1:1 s:A:1:2:0 +899ms c:PA:1:1:1", "ESTABLISHED ESTABLISHED open - keepalive #0 432000s",
     HANDSHAKE "c:PA:1:1:1 s:A:1:1:0 +899ms c:PA:1:1:1", "ESTABLISHED ESTABLISHED open - again #0 432000s"},
    {HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 c:PA:5:1:1", "ESTABLISHED ESTABLISHED open - keepalive #0 432000s",
     HANDSHAKE "c:PA:1:1:5 s:A:1:6:0 c:PA:4:1:2", "ESTABLISHED ESTABLISHED open - again #0 432000s"},
    /* A SYN of an end that is connected: the other half of a simultaneous open, or questioned. */
    {"c:S:0:0:0 s:S:0:0:0 c:SA:0:1:0 s:SA:0:1:0", "ESTABLISHED ESTABLISHED open - new #0 432000s", HANDSHAKE "c:S:7:0:0 s:A:1:1:0",
     "SYN_SENT CLOSED half-open - stray #1 432000s"},
    /* A RST against an end that is not open yet. */
    {"c:S:0:0:0 s:RA:0:1:0", "CLOSED CLOSED refused s reset #0 61s", "c:S:0:0:0 s:RA:0:2:0",
     "SYN_SENT CLOSED half-open - reset #0 432000s"},
};

static void describe(const char *steps, char text[static 200])
{
    struct exchange x;
    exchange_begin(&x);
    exchange_say(&x, steps);
    const char *last = strrchr(x.classes, ' ');
    snprintf(text, 200, "%s %.40s #%u %ds", exchange_stand(&x), last ? last + 1 : x.classes, x.anew,
             (int)(conn_keep_ns(&x.conn) / 1000000000));
}

static void each_bound_is_where_it_is(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        char inside[200], outside[200];
        describe(bounds[i].inside, inside);
        describe(bounds[i].outside, outside);
        assert_string_not_equal(inside, outside);
        if (strcmp(inside, bounds[i].inside_is) == 0 && strcmp(outside, bounds[i].outside_is) == 0) continue;
        print_error("%zu, %s:\n    \"%s\", outside \"%s\"\n", i, bounds[i].inside, inside, outside);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_bound_is_where_it_is)};
    return cmocka_run_group_tests_name("conn, bounds", tests, NULL, NULL);
}
