/* What a story says of what nobody captured: of segments whose cause is not known, and of bytes that numbers alone tell of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

static void unknown_because(const char *text, enum story_side side, const char *label, unsigned n, const char *words)
{
    struct told *told = tell_text(text, 0);
    const struct story_segment *segment = told_segment(told->stories[0], side, label, n);
    assert_non_null(segment);
    assert_int_equal(segment->cause.kind, CAUSE_UNKNOWN);
    if (!strstr(segment->cause.why, words)) fail_msg("'%s' does not say '%s'", segment->cause.why, words);
    told_free(told);
}

static void a_reset_with_the_senders_next_number_and_an_ack_is_an_abort(void **state)
{
    (void)state;
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=R. seq=106 ack=501"), STORY_CLIENT, "RST", 1,
                    "an abort, not an answer");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=R. seq=999 ack=501"), STORY_CLIENT, "RST", 1,
                    "nothing that was recorded");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=R seq=106"), STORY_CLIENT, "RST", 1,
                    "nothing that was recorded");
}

static void an_ack_says_why_nothing_explains_it(void **state)
{
    (void)state;
    unknown_because(TRACE PACKET(1000, C, SYN) PACKET(1020, C, HANDSHAKE_ACK), STORY_CLIENT, "ACK", 1, "what was not captured");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, "flags=. seq=101 ack=777"), STORY_CLIENT, "ACK", 2, "what was not captured");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, HANDSHAKE_ACK), STORY_CLIENT, "ACK", 2, "came twice");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, HANDSHAKE_ACK " win=9"), STORY_CLIENT, "ACK", 2, "another window");
    unknown_because(TRACE HANDSHAKE PACKET(2000, C, HANDSHAKE_ACK " opt=mptcp"), STORY_CLIENT, "ACK", 2, "Multipath TCP option");
}

static void missed(const char *text, uint64_t client, uint64_t server)
{
    struct told *told = tell_text(text, 0);
    assert_int_equal(told->stories[0]->end[STORY_CLIENT].bytes_missed, client);
    assert_int_equal(told->stories[0]->end[STORY_SERVER].bytes_missed, server);
    told_free(told);
}

static void numbers_and_acks_tell_of_bytes_that_nobody_captured(void **state)
{
    (void)state;
    missed(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, S, "flags=. seq=501 ack=106"), 0, 0);
    missed(TRACE HANDSHAKE PACKET(2100, S, "flags=. seq=501 ack=141"), 40, 0);
    missed(TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(2100, C, "flags=P. seq=116 ack=501 len=4"), 10, 0);
    /* one direction alone */
    missed(TRACE PACKET(1000, C, SYN) PACKET(1020, C, HANDSHAKE_ACK) PACKET(2000, C, "flags=. seq=101 ack=601"), 0, 100);
    /* its beginning was not captured */
    missed(TRACE PACKET(2000, C, C_DATA) PACKET(2100, S, "flags=. seq=501 ack=126"), 20, 0);
}

static void numbers_that_may_mean_something_else_are_not_counted(void **state)
{
    (void)state;
    /* The ACK of a FIN; of one that was not captured. */
    missed(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2100, S, "flags=. seq=501 ack=102"), 0, 0);
    missed(TRACE HANDSHAKE PACKET(2100, S, "flags=. seq=501 ack=102"), 0, 0);
    /* A challenge ACK to a SYN is of another connection; a RST acknowledges nothing. */
    missed(TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=. seq=9000 ack=8000"), 0, 0);
    missed(TRACE HANDSHAKE PACKET(2000, S, "flags=R. seq=501 ack=8000"), 0, 0);
    /* Further than any window. */
    missed(TRACE HANDSHAKE PACKET(2000, S, "flags=. seq=501 ack=1500000000"), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_with_the_senders_next_number_and_an_ack_is_an_abort),
        cmocka_unit_test(an_ack_says_why_nothing_explains_it),
        cmocka_unit_test(numbers_and_acks_tell_of_bytes_that_nobody_captured),
        cmocka_unit_test(numbers_that_may_mean_something_else_are_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
