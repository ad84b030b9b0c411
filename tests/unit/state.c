/* The RFC 9293 table: every (state, input) pair against a matrix written down by hand from section 3.10, and the classifier
 * against segments built one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "tcp/state.h"

/* A letter a state: where the input leads; '.' is "stay, and say it was unexpected". */
static const char letters[] = "?CLSRE12WGAT";

/*                                    columns: in the order of enum tcp_input
 * CALL_LISTEN, CALL_CLOSE, SENT_SYN, SENT_SYN_ACK, RCVD_SYN_ACK, RCVD_ACK_OF_SYN, SENT_FIN, RCVD_FIN, RCVD_ACK_OF_FIN, SENT_RST,
 * RCVD_RST, RCVD_RST_PASSIVE, TIMEOUT_2MSL, TIMEOUT_GIVE_UP */
static const char *const matrix[STATE_COUNT] = {
    [STATE_UNKNOWN] = "..............",    [STATE_CLOSED] = "L.S......C....",     [STATE_LISTEN] = ".CSR.....L....",
    [STATE_SYN_SENT] = ".C.RE....SC..C",   [STATE_SYN_RCVD] = ".....E1W.CCL.C",   [STATE_ESTABLISHED] = "......1W.CC..C",
    [STATE_FIN_WAIT_1] = ".......G2CC..C", [STATE_FIN_WAIT_2] = ".......T.CC..C", [STATE_CLOSE_WAIT] = "......A..CC..C",
    [STATE_CLOSING] = "........TCC..C",    [STATE_LAST_ACK] = "........CCC..C",   [STATE_TIME_WAIT] = "..........C.C.",
};

static void every_state_and_input_leads_where_the_rfc_says(void **data)
{
    (void)data;
    assert_int_equal(strlen(letters), STATE_COUNT);
    for (int state = 0; state < STATE_COUNT; state++) {
        assert_int_equal(strlen(matrix[state]), INPUT_COUNT);
        for (int input = 0; input < INPUT_COUNT; input++) {
            const struct tcp_arrow *arrow = tcp_next((enum tcp_state)state, (enum tcp_input)input);
            char got = arrow ? letters[arrow->to] : '.';
            if (got != matrix[state][input])
                fail_msg("%s on \"%s\" leads to %c, not %c", tcp_state_name((enum tcp_state)state),
                         tcp_input_name((enum tcp_input)input), got, matrix[state][input]);
        }
    }
}

static void every_arrow_has_a_sentence_and_a_section_and_stands_once(void **data)
{
    (void)data;
    size_t count;
    const struct tcp_arrow *arrows = tcp_arrows(&count);
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(arrows[i].why) > 10);
        assert_true(arrows[i].why[strlen(arrows[i].why) - 1] != '.');
        assert_int_equal(strncmp(arrows[i].section, "3.10", 4), 0);
        assert_ptr_equal(tcp_next(arrows[i].from, arrows[i].input), &arrows[i]);
    }
}

static struct event_packet_header segment(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length)
{
    return (struct event_packet_header){.protocol = IPPROTO_TCP, .flags = flags, .seq = seq, .ack = ack, .length_bytes = length};
}

struct pair {
    struct tcp_end a, b;
};

/* Takes a segment from one end to the other as the story engine does, and walks both states. */
static void carry(struct tcp_end *from, struct tcp_end *to, struct event_packet_header header)
{
    enum tcp_input inputs[TCP_INPUTS_MAX];
    size_t count = tcp_classify_sent(from, &header, inputs);
    for (size_t i = 0; i < count; i++) {
        const struct tcp_arrow *arrow = tcp_next(from->state, inputs[i]);
        if (arrow) from->state = arrow->to;
    }
    if (!to) return; /* lost */
    count = tcp_classify_received(to, &header, inputs);
    for (size_t i = 0; i < count; i++) {
        const struct tcp_arrow *arrow = tcp_next(to->state, inputs[i]);
        if (arrow) to->state = arrow->to;
    }
}

static struct pair established(void)
{
    struct pair p = {.a = {.state = STATE_CLOSED}, .b = {.state = STATE_LISTEN}};
    carry(&p.a, &p.b, segment(TCP_SYN, 100, 0, 0));
    assert_int_equal(p.a.state, STATE_SYN_SENT);
    assert_int_equal(p.b.state, STATE_LISTEN); /* until it answers: a SYN may be dropped silently */
    carry(&p.b, &p.a, segment(TCP_SYN | TCP_ACK, 500, 101, 0));
    assert_int_equal(p.b.state, STATE_SYN_RCVD);
    assert_int_equal(p.a.state, STATE_ESTABLISHED);
    carry(&p.a, &p.b, segment(TCP_ACK, 101, 501, 0));
    assert_int_equal(p.b.state, STATE_ESTABLISHED);
    return p;
}

static void a_rst_in_answer_to_a_wrong_ack_ends_no_opening(void **data)
{
    (void)data;
    struct tcp_end a = {.state = STATE_CLOSED}, b = {.state = STATE_LISTEN};
    carry(&a, &b, segment(TCP_SYN, 100, 0, 0));
    carry(&a, NULL, segment(TCP_RST, 999, 0, 0)); /* a peer that thinks the old connection is alive had sent an ACK of 999 */
    assert_int_equal(a.state, STATE_SYN_SENT);
    carry(&b, NULL, segment(TCP_SYN | TCP_ACK, 500, 101, 0));
    carry(&b, NULL, segment(TCP_RST, 999, 0, 0));
    assert_int_equal(b.state, STATE_SYN_RCVD);
    carry(&b, NULL, segment(TCP_RST, 501, 0, 0)); /* at SND.NXT: it gives up */
    assert_int_equal(b.state, STATE_CLOSED);
}

static void a_fin_without_ack_closes_nothing(void **data)
{
    (void)data;
    struct pair p = established();
    carry(&p.a, &p.b, segment(TCP_FIN, 101, 0, 0));
    assert_int_equal(p.b.state, STATE_ESTABLISHED);
}

static void a_stray_syn_does_not_hide_the_fin_that_follows(void **data)
{
    (void)data;
    struct pair p = established();
    enum tcp_input inputs[TCP_INPUTS_MAX];
    struct event_packet_header stray = segment(TCP_SYN, 77777, 0, 0);
    assert_int_equal(tcp_classify_received(&p.b, &stray, inputs), 0);
    carry(&p.a, &p.b, segment(TCP_FIN | TCP_ACK, 101, 501, 0));
    assert_int_equal(p.b.state, STATE_CLOSE_WAIT);
}

static void a_three_way_handshake_passes_syn_rcvd(void **data)
{
    (void)data;
    established();
}

static void the_first_closer_passes_fin_wait_1_fin_wait_2_and_time_wait(void **data)
{
    (void)data;
    struct pair p = established();
    carry(&p.a, &p.b, segment(TCP_FIN | TCP_ACK, 101, 501, 0));
    assert_int_equal(p.a.state, STATE_FIN_WAIT_1);
    assert_int_equal(p.b.state, STATE_CLOSE_WAIT);
    carry(&p.b, &p.a, segment(TCP_ACK, 501, 102, 0));
    assert_int_equal(p.a.state, STATE_FIN_WAIT_2);
    carry(&p.b, &p.a, segment(TCP_FIN | TCP_ACK, 501, 102, 0));
    assert_int_equal(p.b.state, STATE_LAST_ACK);
    assert_int_equal(p.a.state, STATE_TIME_WAIT);
    carry(&p.a, &p.b, segment(TCP_ACK, 102, 502, 0));
    assert_int_equal(p.b.state, STATE_CLOSED);
}

static void a_fin_that_also_acknowledges_ours_goes_straight_on_to_time_wait(void **data)
{
    (void)data;
    struct pair p = established();
    carry(&p.a, &p.b, segment(TCP_FIN | TCP_ACK, 101, 501, 0));
    carry(&p.b, &p.a, segment(TCP_FIN | TCP_ACK, 501, 102, 0));
    assert_int_equal(p.a.state, STATE_TIME_WAIT);
}

static void fins_that_cross_pass_closing_at_both_ends(void **data)
{
    (void)data;
    struct pair p = established();
    struct event_packet_header a = segment(TCP_FIN | TCP_ACK, 101, 501, 0), b = segment(TCP_FIN | TCP_ACK, 501, 101, 0);
    carry(&p.a, NULL, a);
    carry(&p.b, NULL, b);
    enum tcp_input inputs[TCP_INPUTS_MAX];
    assert_int_equal(tcp_classify_received(&p.a, &b, inputs), 1);
    assert_int_equal(inputs[0], INPUT_RCVD_FIN);
    p.a.state = tcp_next(p.a.state, inputs[0])->to;
    assert_int_equal(tcp_classify_received(&p.b, &a, inputs), 1);
    p.b.state = tcp_next(p.b.state, inputs[0])->to;
    assert_int_equal(p.a.state, STATE_CLOSING);
    assert_int_equal(p.b.state, STATE_CLOSING);
    carry(&p.a, &p.b, segment(TCP_ACK, 102, 502, 0));
    carry(&p.b, &p.a, segment(TCP_ACK, 502, 102, 0));
    assert_int_equal(p.a.state, STATE_TIME_WAIT);
    assert_int_equal(p.b.state, STATE_TIME_WAIT);
}

static void syns_that_cross_pass_syn_rcvd_at_both_ends(void **data)
{
    (void)data;
    struct tcp_end a = {.state = STATE_CLOSED}, b = {.state = STATE_CLOSED};
    struct event_packet_header syn_a = segment(TCP_SYN, 100, 0, 0), syn_b = segment(TCP_SYN, 500, 0, 0);
    carry(&a, NULL, syn_a);
    carry(&b, NULL, syn_b);
    enum tcp_input inputs[TCP_INPUTS_MAX];
    assert_int_equal(tcp_classify_received(&a, &syn_b, inputs), 0);
    assert_int_equal(tcp_classify_received(&b, &syn_a, inputs), 0);
    struct event_packet_header sa_a = segment(TCP_SYN | TCP_ACK, 100, 501, 0), sa_b = segment(TCP_SYN | TCP_ACK, 500, 101, 0);
    carry(&a, NULL, sa_a);
    carry(&b, NULL, sa_b);
    assert_int_equal(a.state, STATE_SYN_RCVD);
    assert_int_equal(b.state, STATE_SYN_RCVD);
    assert_int_equal(tcp_classify_received(&a, &sa_b, inputs), 1);
    assert_int_equal(inputs[0], INPUT_RCVD_ACK_OF_SYN);
    assert_int_equal(tcp_next(a.state, inputs[0])->to, STATE_ESTABLISHED);
}

static void a_syn_sent_again_changes_nothing(void **data)
{
    (void)data;
    struct tcp_end a = {.state = STATE_CLOSED};
    enum tcp_input inputs[TCP_INPUTS_MAX];
    struct event_packet_header syn = segment(TCP_SYN, 100, 0, 0);
    assert_int_equal(tcp_classify_sent(&a, &syn, inputs), 1);
    assert_int_equal(tcp_classify_sent(&a, &syn, inputs), 0);
}

static void a_reset_answers_a_syn_only_with_its_number(void **data)
{
    (void)data;
    struct tcp_end a = {.state = STATE_CLOSED};
    carry(&a, NULL, segment(TCP_SYN, 100, 0, 0));
    enum tcp_input inputs[TCP_INPUTS_MAX];
    struct event_packet_header wrong = segment(TCP_RST | TCP_ACK, 0, 777, 0), bare = segment(TCP_RST, 0, 0, 0),
                               right = segment(TCP_RST | TCP_ACK, 0, 101, 0);
    assert_int_equal(tcp_classify_received(&a, &wrong, inputs), 0);
    assert_int_equal(tcp_classify_received(&a, &bare, inputs), 0);
    assert_int_equal(tcp_classify_received(&a, &right, inputs), 1);
    assert_int_equal(inputs[0], INPUT_RCVD_RST);
}

static void a_reset_counts_only_at_the_next_expected_number(void **data)
{
    (void)data;
    struct pair p = established();
    enum tcp_input inputs[TCP_INPUTS_MAX];
    struct event_packet_header blind = segment(TCP_RST, 900, 0, 0), exact = segment(TCP_RST, 101, 0, 0);
    assert_int_equal(tcp_classify_received(&p.b, &blind, inputs), 0);
    assert_int_equal(tcp_classify_received(&p.b, &exact, inputs), 1);
}

static void a_reset_in_syn_rcvd_returns_a_passive_end_to_listen(void **data)
{
    (void)data;
    struct tcp_end b = {.state = STATE_LISTEN};
    enum tcp_input inputs[TCP_INPUTS_MAX];
    struct event_packet_header syn = segment(TCP_SYN, 100, 0, 0), reset = segment(TCP_RST, 101, 0, 0);
    tcp_classify_received(&b, &syn, inputs);
    carry(&b, NULL, segment(TCP_SYN | TCP_ACK, 500, 101, 0));
    assert_int_equal(tcp_classify_received(&b, &reset, inputs), 1);
    assert_int_equal(inputs[0], INPUT_RCVD_RST_PASSIVE);
}

static void a_fin_behind_a_gap_waits_for_the_missing_data(void **data)
{
    (void)data;
    struct pair p = established();
    enum tcp_input inputs[TCP_INPUTS_MAX];
    struct event_packet_header fin = segment(TCP_FIN | TCP_ACK, 111, 501, 5), missing = segment(TCP_ACK, 101, 501, 10);
    assert_int_equal(tcp_classify_received(&p.b, &fin, inputs), 0);
    assert_int_equal(tcp_classify_received(&p.b, &missing, inputs), 1);
    assert_int_equal(inputs[0], INPUT_RCVD_FIN);
    assert_int_equal(p.b.received_next, 117);
}

static void sequence_numbers_wrap_around(void **data)
{
    (void)data;
    struct pair p = {.a = {.state = STATE_CLOSED}, .b = {.state = STATE_LISTEN}};
    carry(&p.a, &p.b, segment(TCP_SYN, 0xffffffff, 0, 0));
    carry(&p.b, &p.a, segment(TCP_SYN | TCP_ACK, 0xfffffffe, 0, 0));
    carry(&p.a, &p.b, segment(TCP_ACK, 0, 0xffffffff, 0));
    assert_int_equal(p.b.state, STATE_ESTABLISHED);
    carry(&p.b, &p.a, segment(TCP_FIN | TCP_ACK, 0xffffffff, 0, 4));
    carry(&p.a, &p.b, segment(TCP_ACK, 0, 4, 0));
    assert_int_equal(p.b.state, STATE_FIN_WAIT_2);
    assert_int_equal(p.a.state, STATE_CLOSE_WAIT);
}

static void an_ack_of_something_never_sent_is_ignored(void **data)
{
    (void)data;
    struct pair p = established();
    enum tcp_input inputs[TCP_INPUTS_MAX];
    carry(&p.a, NULL, segment(TCP_FIN | TCP_ACK, 101, 501, 0));
    struct event_packet_header ahead = segment(TCP_ACK, 501, 5000, 0);
    assert_int_equal(tcp_classify_received(&p.a, &ahead, inputs), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_and_input_leads_where_the_rfc_says),
        cmocka_unit_test(every_arrow_has_a_sentence_and_a_section_and_stands_once),
        cmocka_unit_test(a_rst_in_answer_to_a_wrong_ack_ends_no_opening),
        cmocka_unit_test(a_fin_without_ack_closes_nothing),
        cmocka_unit_test(a_stray_syn_does_not_hide_the_fin_that_follows),
        cmocka_unit_test(a_three_way_handshake_passes_syn_rcvd),
        cmocka_unit_test(the_first_closer_passes_fin_wait_1_fin_wait_2_and_time_wait),
        cmocka_unit_test(a_fin_that_also_acknowledges_ours_goes_straight_on_to_time_wait),
        cmocka_unit_test(fins_that_cross_pass_closing_at_both_ends),
        cmocka_unit_test(syns_that_cross_pass_syn_rcvd_at_both_ends),
        cmocka_unit_test(a_syn_sent_again_changes_nothing),
        cmocka_unit_test(a_reset_answers_a_syn_only_with_its_number),
        cmocka_unit_test(a_reset_counts_only_at_the_next_expected_number),
        cmocka_unit_test(a_reset_in_syn_rcvd_returns_a_passive_end_to_listen),
        cmocka_unit_test(a_fin_behind_a_gap_waits_for_the_missing_data),
        cmocka_unit_test(sequence_numbers_wrap_around),
        cmocka_unit_test(an_ack_of_something_never_sent_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
