/* Findings of two hosts, comments, and what came alone. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/tell.h"
#include "two_vantages_own.h"

#define FILES "# tcpwhy events 1\nvantage t=1 vantage=1 name=a.pcap\nvantage t=1 vantage=2 name=b.pcap\n"

static const struct story_finding *finding_of(const struct story *story, const char *id)
{
    for (size_t i = 0; i < story->finding_count; i++)
        if (strcmp(story->findings[i].id, id) == 0) return &story->findings[i];
    return NULL;
}

void packets_that_are_said_to_be_the_same_are_one_segment_whatever_they_look_like(void **state)
{
    struct told *told = tell_text(FILES "packet t=1000 vantage=1 same=7 " SYN "\n"
                                        "packet t=1001 vantage=1 same=8 " SYN "\n"
                                        "packet t=2000 vantage=2 same=8 " SYN " win=9\n"
                                        "packet t=3000 vantage=2 same=7 " SYN "\n",
                                  0);
    (void)state;
    assert_int_equal(told->stories[0]->summary.segments, 2);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->received_ns, 3000);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 2)->received_ns, 2000);
    told_free(told);
}

void what_is_said_to_be_lost_is_lost_and_what_is_not_known_is_not(void **state)
{
    static const char *const fates[] = {"", "fate=lost ", "fate=lost early=1 ", "fate=passed "};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 FILES "packet t=1000 vantage=1 same=1 %s" SYN "\npacket t=9000 vantage=1 same=2 " SYN
                       "\npacket t=9500 vantage=2 same=2 " SYN "\n",
                 fates[i]);
        struct told *told = tell_text(text, 0);
        const struct story *story = told->stories[0];
        const struct story_segment *syn = told_segment(story, STORY_CLIENT, "SYN", 1);
        const struct story_finding *lost = finding_of(story, "lost-to-server"),
                                   *missed = finding_of(story, "capture-missed-client");
        bool is_lost = i == 1 || i == 2;
        assert_int_equal(syn->received_ns, 0);
        assert_int_equal(syn->lost, is_lost);
        assert_int_equal(lost != NULL, is_lost);
        assert_int_equal(missed != NULL, i == 3);
        if (is_lost) assert_int_equal(strstr(lost->text, "not running yet") != NULL, i == 2);
        if (is_lost) assert_non_null(strstr(lost->text, "192.0.2.1's side, where a.pcap saw it leave, and 192.0.2.2's"));
        if (i == 3)
            assert_string_equal(syn->missed_at, "b.pcap");
        else
            assert_null(syn->missed_at);
        told_free(told);
    }
}

void a_comment_that_stands_at_both_sights_is_told_once(void **state)
{
    struct told *told = tell_text("# tcpwhy events 1\nvantage t=1 vantage=1 name=veth\nvantage t=1 vantage=2 name=bridge\n"
                                  "packet t=1000 vantage=1 " SYN " comments=left\npacket t=2000 vantage=2 " SYN " comments=left\n",
                                  0);
    (void)state;
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->comment_count, 1);
    told_free(told);
}

/* Vantages of one host, and those of captures that don't say where they are. */
void interfaces_of_one_host_join_and_conclude_nothing(void **state)
{
    static const char *const places[] = {"netns=11 ", ""};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char text[2048];
        snprintf(text, sizeof(text),
                 "# tcpwhy events 1\nvantage t=1 vantage=1 %sname=veth\nvantage t=1 vantage=2 %sname=bridge\n"
                 "packet t=1000 vantage=1 %s comments=left\npacket t=2000 vantage=2 %s comments=right\n" /* passes both */
                 "packet t=200003000 vantage=1 %s\n" /* sent again, seen at one */
                 "packet t=200004000 vantage=1 %s\n",
                 places[i], places[i], SYN, SYN, SYN, SYN_ACK);
        struct told *told = tell_text(text, 0);
        const struct story_segment *first = told_segment(told->stories[0], STORY_CLIENT, "SYN", 1),
                                   *again = told_segment(told->stories[0], STORY_CLIENT, "SYN", 2);
        assert_int_equal(told->stories[0]->summary.segments, 3);
        assert_int_equal(first->received_ns, 0);
        assert_false(first->lost || first->copy || again->lost || again->copy);
        assert_true(again->retransmission);
        assert_int_equal(first->comment_count, 2);
        assert_string_equal(first->comments[0], "left");
        assert_string_equal(first->comments[1], "right");
        assert_int_equal(again->comment_count, 0);
        told_free(told);
    }
}

/* How far apart the kernel of a busy host may stamp them. */
void at_two_interfaces_timestamps_tell_what_is_the_same_and_time_only_without_them(void **state)
{
    static const struct {
        const char *first, *second;
        int64_t apart_ns;
        uint32_t segments;
    } cases[] = {
        {"", "", 100000000, 1},
        {"", "", 100000001, 2}, /* it may be sent again */
        {" opt=ts opt.ts_value=7 opt.ts_echo=3", " opt=ts opt.ts_value=7 opt.ts_echo=3", 10000000000, 1},
        {" opt=ts opt.ts_value=7 opt.ts_echo=3", " opt=ts opt.ts_value=7 opt.ts_echo=3", 10000000001, 2},
        {" opt=ts opt.ts_value=7 opt.ts_echo=3", " opt=ts opt.ts_value=8 opt.ts_echo=3", 1000000, 2}, /* it was sent again */
        {" opt=ts opt.ts_value=7 opt.ts_echo=3", "", 100000001, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[2048];
        snprintf(text, sizeof(text),
                 "# tcpwhy events 1\nvantage t=1 vantage=1 netns=11 name=v0\nvantage t=1 vantage=2 netns=11 name=v1\n"
                 "packet t=1000 vantage=1 " DATA "%s\npacket t=%" PRId64 " vantage=2 " DATA "%s\n",
                 cases[i].first, 1000 + cases[i].apart_ns, cases[i].second);
        struct told *told = tell_text(text, 0);
        if (told->stories[0]->summary.segments != cases[i].segments) fail_msg("case %zu", i);
        told_free(told);
    }
}

void what_came_and_never_left_is_a_copy_or_was_missed_or_made_on_the_way(void **state)
{
#define RESET "src=192.0.2.2:3333 dst=192.0.2.1:40000 proto=tcp flags=R. seq=500 ack=101"
    struct told *told = tell_text(FILES "packet t=1000 vantage=1 same=1 " SYN "\npacket t=1500 vantage=2 same=1 " SYN "\n"
                                        "packet t=1600 vantage=2 same=2 fate=copy " SYN "\n"
                                        "packet t=2000 vantage=1 same=3 fate=unsent " RESET "\n"
                                        "packet t=3000 vantage=2 same=4 fate=unsent " DATA "\n"
                                        "packet t=4000 vantage=2 same=5 fate=came " DATA "\n",
                                  0);
    const struct story *story = told->stories[0];
    (void)state;
    assert_true(told_segment(story, STORY_CLIENT, "SYN", 2)->copy);
    assert_string_equal(told_segment(story, STORY_SERVER, "RST", 1)->missed_at, "b.pcap");
    assert_non_null(finding_of(story, "reset-from-between"));
    const struct story_segment *data = told_segment(story, STORY_CLIENT, "data", 1),
                               *came = told_segment(story, STORY_CLIENT, "data", 2);
    assert_string_equal(data->missed_at, "a.pcap");
    assert_non_null(finding_of(story, "unsent-client"));
    assert_null(finding_of(story, "unsent-server"));
    assert_null(came->missed_at);
    assert_int_equal(came->received_ns, 4000);
    told_free(told);
}

#define ERROR(t, vantage, from)                                                                                                    \
    "packet t=" #t " vantage=" #vantage " src=" from ":0 dst=192.0.2.1:0 proto=icmp len=60 icmp.type=3 icmp.code=13 "              \
    "icmp.quotes=1 icmp.proto=tcp icmp.src=192.0.2.1:40000 icmp.dst=192.0.2.2:3333 icmp.seq=100\n"
#define SYN_AT(t, vantage) "packet t=" #t " vantage=" #vantage " " SYN "\n"

void an_icmp_error_that_was_captured_where_it_goes_has_arrived(void **state)
{
    static const struct {
        const char *text;
        enum story_outcome outcome;
    } cases[] = {
        {HOSTS SYN_AT(1000, 1) SYN_AT(2000, 2) ERROR(3000, 2, "192.0.2.2") ERROR(4000, 1, "192.0.2.2"), OUTCOME_REFUSED},
        /* it never came */
        {HOSTS SYN_AT(1000, 1) SYN_AT(2000, 2) ERROR(3000, 2, "192.0.2.2"), OUTCOME_HALF_OPEN},
        /* a router's is seen nowhere but where it goes */
        {HOSTS SYN_AT(1000, 1) ERROR(3000, 1, "192.0.2.9"), OUTCOME_REFUSED},
        {HOSTS SYN_AT(1000, 1) ERROR(3000, 2, "192.0.2.9"), OUTCOME_HALF_OPEN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        assert_int_equal(told->count, 1);
        assert_int_equal(told->stories[0]->outcome, cases[i].outcome);
        told_free(told);
    }
}
