/* pcap-filter expressions on packets of any link type. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/dlt.h>

#include "capture/filter.h"
#include "support/frame.h"
#include "support/guard.h"

static struct filter *filter_of(const char *expression)
{
    struct filter *filter;
    struct err err = {""};
    if (filter_open(&filter, expression, &err) != 0) fail_msg("%s", err.text);
    return filter;
}

static int match(struct filter *filter, int link, const struct frame *frame)
{
    struct guard guard = guard_new(frame->bytes, frame->length);
    struct err err;
    bool passes = false;
    int code = filter_passes(filter, link, guard.bytes, (uint32_t)frame->length, (uint32_t)frame->length, &passes, &err);
    guard_free(&guard);
    return code ? code : passes;
}

static void a_packet_matches_on_every_link_type_it_comes_by(void **state)
{
    (void)state;
    struct filter *filter = filter_of("tcp port 3333 and host 10.0.0.1");
    struct filter *other = filter_of("tcp port 3334");
    struct frame ethernet = {0}, cooked = {0}, raw = {0};
    put_ethernet(&ethernet, 0x0800);
    put_v4_segment(&ethernet);
    put_zeroes(&cooked, 20);
    set16(&cooked, 0, 0x0800);
    put_v4_segment(&cooked);
    put_v4_segment(&raw);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(match(filter, DLT_EN10MB, &ethernet), 1);
        assert_int_equal(match(filter, DLT_LINUX_SLL2, &cooked), 1);
        assert_int_equal(match(filter, DLT_RAW, &raw), 1);
        assert_int_equal(match(filter, 101, &raw), 1);
        assert_int_equal(match(filter, DLT_EN10MB, &raw), 0);
        assert_int_equal(match(other, DLT_EN10MB, &ethernet), 0);
        assert_int_equal(match(other, DLT_RAW, &raw), 0);
    }
    filter_close(filter);
    filter_close(other);
}

static void an_empty_expression_matches_everything(void **state)
{
    (void)state;
    struct filter *filter = filter_of("");
    struct frame frame = {0};
    assert_int_equal(match(filter, DLT_EN10MB, &frame), 1);
    put_zeroes(&frame, 3);
    assert_int_equal(match(filter, DLT_EN10MB, &frame), 1);
    filter_close(filter);
}

static void a_cut_packet_that_can_not_be_judged_does_not_match(void **state)
{
    (void)state;
    struct filter *filter = filter_of("tcp[tcpflags] & tcp-push != 0");
    struct frame frame = {0};
    put_ethernet(&frame, 0x0800);
    put_v4_segment(&frame);
    assert_int_equal(match(filter, DLT_EN10MB, &frame), 1);
    frame.length = 14 + 20 + 13;
    assert_int_equal(match(filter, DLT_EN10MB, &frame), 0);
    filter_close(filter);
}

static void a_wrong_expression_is_refused_with_libpcaps_reason(void **state)
{
    (void)state;
    static const char *const wrong[] = {"tcp prot 80", "port", "tcp port 99999", "((tcp)", "host 10.0.0.300"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct filter *filter = (struct filter *)&wrong;
        struct err err = {""};
        assert_int_equal(filter_open(&filter, wrong[i], &err), -EINVAL);
        assert_null(filter);
        assert_non_null(strstr(err.text, wrong[i]));
        assert_non_null(strstr(err.text, "pcap-filter(7)"));
    }
}

/* An expression about one link layer is right, and is refused where a packet of another comes. */
static void an_expression_for_another_link_layer_is_refused_when_that_comes_up(void **state)
{
    (void)state;
    struct filter *wifi = filter_of("type mgt subtype beacon"), *ether = filter_of("ether host 02:00:00:00:00:01");
    struct frame raw = {0};
    put_v4_segment(&raw);
    struct err err = {""};
    bool passes;
    assert_int_equal(filter_passes(wifi, DLT_RAW, raw.bytes, 45, 45, &passes, &err), -EINVAL);
    assert_non_null(strstr(err.text, "Raw IP"));
    assert_int_equal(match(ether, DLT_RAW, &raw), -EINVAL);
    assert_int_equal(match(ether, DLT_EN10MB, &raw), 0); /* still of use for the next packet */
    assert_int_equal(match(wifi, 9999, &raw), -EINVAL);
    filter_close(wifi);
    filter_close(ether);
    filter_close(NULL);
}

static void an_expression_that_can_match_nothing_matches_nothing(void **state)
{
    (void)state;
    struct filter *filter = filter_of("tcp and udp");
    struct frame frame = {0};
    put_ethernet(&frame, 0x0800);
    put_v4_segment(&frame);
    assert_int_equal(match(filter, DLT_EN10MB, &frame), 0);
    filter_close(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_matches_on_every_link_type_it_comes_by),
        cmocka_unit_test(an_empty_expression_matches_everything),
        cmocka_unit_test(a_cut_packet_that_can_not_be_judged_does_not_match),
        cmocka_unit_test(a_wrong_expression_is_refused_with_libpcaps_reason),
        cmocka_unit_test(an_expression_for_another_link_layer_is_refused_when_that_comes_up),
        cmocka_unit_test(an_expression_that_can_match_nothing_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
