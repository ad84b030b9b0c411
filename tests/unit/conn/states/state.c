/* The RFC 9293 table: every (state, input) pair against a matrix written down by hand from section 3.10, and the judge
 * against segments built one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "conn/conn.h"

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

enum { A, B };

/* Two ends, and what each sends and receives told apart, as a capture on each host and a recorder show it. */
struct pair {
    struct conn conn; /* first: its second record is found by it */
    struct conn_more more;
    struct conn_judge judge;
};

static struct conn_more *more_of(void *owner, struct conn *conn, bool make)
{
    (void)owner, (void)make;
    return &((struct pair *)conn)->more;
}

static void begin(struct pair *p, enum tcp_state a, enum tcp_state b)
{
    memset(p, 0, sizeof(*p));
    conn_judge_init(&p->judge, more_of, NULL);
    p->conn.flags = CONN_TWO_PLACES | CONN_OPENED;
    p->conn.end[A].state = (uint8_t)a;
    p->conn.end[B].state = (uint8_t)b;
}

static struct conn_segment segment(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length)
{
    return (struct conn_segment){.flags = flags, .seq = seq, .ack = ack, .length_bytes = length, .window = 1000};
}

static struct conn_verdict sent(struct pair *p, unsigned side, struct conn_segment one)
{
    struct conn_verdict verdict = {0};
    conn_sent(&p->judge, &p->conn, side, &one, &verdict);
    return verdict;
}

/* What it does at the other end. */
static struct conn_verdict arrives(struct pair *p, unsigned side, struct conn_segment one)
{
    struct conn_verdict verdict = {0};
    conn_received(&p->judge, &p->conn, !side, &one, &verdict);
    return verdict;
}

static struct conn_verdict carry(struct pair *p, unsigned side, struct conn_segment one)
{
    sent(p, side, one);
    return arrives(p, side, one);
}

static enum tcp_state state_of(const struct pair *p, unsigned side)
{
    return (enum tcp_state)p->conn.end[side].state;
}

static void assert_states(const struct pair *p, enum tcp_state a, enum tcp_state b)
{
    assert_string_equal(tcp_state_name(state_of(p, A)), tcp_state_name(a));
    assert_string_equal(tcp_state_name(state_of(p, B)), tcp_state_name(b));
}

static void establish(struct pair *p)
{
    begin(p, STATE_CLOSED, STATE_LISTEN);
    carry(p, A, segment(TCP_SYN, 100, 0, 0));
    assert_states(p, STATE_SYN_SENT, STATE_LISTEN); /* until it answers: a SYN may be dropped silently */
    carry(p, B, segment(TCP_SYN | TCP_ACK, 500, 101, 0));
    assert_states(p, STATE_ESTABLISHED, STATE_SYN_RCVD);
    carry(p, A, segment(TCP_ACK, 101, 501, 0));
    assert_states(p, STATE_ESTABLISHED, STATE_ESTABLISHED);
}

static void a_rst_in_answer_to_a_wrong_ack_ends_no_opening(void **data)
{
    (void)data;
    struct pair p;
    begin(&p, STATE_CLOSED, STATE_LISTEN);
    carry(&p, A, segment(TCP_SYN, 100, 0, 0));
    sent(&p, A, segment(TCP_RST, 999, 0, 0)); /* a peer that thinks the old connection is alive had sent an ACK of 999 */
    assert_int_equal(state_of(&p, A), STATE_SYN_SENT);
    sent(&p, B, segment(TCP_SYN | TCP_ACK, 500, 101, 0));
    sent(&p, B, segment(TCP_RST, 999, 0, 0));
    assert_int_equal(state_of(&p, B), STATE_SYN_RCVD);
    sent(&p, B, segment(TCP_RST, 501, 0, 0)); /* at SND.NXT: it gives up */
    assert_int_equal(state_of(&p, B), STATE_CLOSED);
}

static void a_fin_without_ack_closes_nothing(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    carry(&p, A, segment(TCP_FIN, 101, 0, 0));
    assert_int_equal(state_of(&p, B), STATE_ESTABLISHED);
}

static void a_stray_syn_does_not_hide_the_fin_that_follows(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    assert_int_equal(arrives(&p, A, segment(TCP_SYN, 77777, 0, 0)).move_count, 0);
    carry(&p, A, segment(TCP_FIN | TCP_ACK, 101, 501, 0));
    assert_int_equal(state_of(&p, B), STATE_CLOSE_WAIT);
}

static void a_three_way_handshake_passes_syn_rcvd(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
}

static void the_first_closer_passes_fin_wait_1_fin_wait_2_and_time_wait(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    carry(&p, A, segment(TCP_FIN | TCP_ACK, 101, 501, 0));
    assert_states(&p, STATE_FIN_WAIT_1, STATE_CLOSE_WAIT);
    carry(&p, B, segment(TCP_ACK, 501, 102, 0));
    assert_states(&p, STATE_FIN_WAIT_2, STATE_CLOSE_WAIT);
    carry(&p, B, segment(TCP_FIN | TCP_ACK, 501, 102, 0));
    assert_states(&p, STATE_TIME_WAIT, STATE_LAST_ACK);
    carry(&p, A, segment(TCP_ACK, 102, 502, 0));
    assert_states(&p, STATE_TIME_WAIT, STATE_CLOSED);
}

static void a_fin_that_also_acknowledges_ours_goes_straight_on_to_time_wait(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    carry(&p, A, segment(TCP_FIN | TCP_ACK, 101, 501, 0));
    carry(&p, B, segment(TCP_FIN | TCP_ACK, 501, 102, 0));
    assert_int_equal(state_of(&p, A), STATE_TIME_WAIT);
}

static void fins_that_cross_pass_closing_at_both_ends(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    struct conn_segment a = segment(TCP_FIN | TCP_ACK, 101, 501, 0), b = segment(TCP_FIN | TCP_ACK, 501, 101, 0);
    sent(&p, A, a);
    sent(&p, B, b);
    assert_states(&p, STATE_FIN_WAIT_1, STATE_FIN_WAIT_1);
    struct conn_verdict verdict = arrives(&p, B, b);
    assert_int_equal(verdict.move_count, 1);
    assert_int_equal(verdict.moves[0].input, INPUT_RCVD_FIN);
    arrives(&p, A, a);
    assert_states(&p, STATE_CLOSING, STATE_CLOSING);
    carry(&p, A, segment(TCP_ACK, 102, 502, 0));
    carry(&p, B, segment(TCP_ACK, 502, 102, 0));
    assert_states(&p, STATE_TIME_WAIT, STATE_TIME_WAIT);
}

static void syns_that_cross_pass_syn_rcvd_at_both_ends(void **data)
{
    (void)data;
    struct pair p;
    begin(&p, STATE_CLOSED, STATE_CLOSED);
    struct conn_segment syn_a = segment(TCP_SYN, 100, 0, 0), syn_b = segment(TCP_SYN, 500, 0, 0);
    sent(&p, A, syn_a);
    sent(&p, B, syn_b);
    assert_int_equal(arrives(&p, B, syn_b).move_count, 0);
    assert_int_equal(arrives(&p, A, syn_a).move_count, 0);
    struct conn_segment sa_a = segment(TCP_SYN | TCP_ACK, 100, 501, 0), sa_b = segment(TCP_SYN | TCP_ACK, 500, 101, 0);
    sent(&p, A, sa_a);
    sent(&p, B, sa_b);
    assert_states(&p, STATE_SYN_RCVD, STATE_SYN_RCVD);
    struct conn_verdict verdict = arrives(&p, B, sa_b);
    assert_int_equal(verdict.move_count, 1);
    assert_int_equal(verdict.moves[0].input, INPUT_RCVD_ACK_OF_SYN);
    assert_int_equal(state_of(&p, A), STATE_ESTABLISHED);
}

static void a_syn_sent_again_changes_nothing(void **data)
{
    (void)data;
    struct pair p;
    begin(&p, STATE_CLOSED, STATE_LISTEN);
    assert_int_equal(sent(&p, A, segment(TCP_SYN, 100, 0, 0)).move_count, 1);
    struct conn_verdict again = sent(&p, A, segment(TCP_SYN, 100, 0, 0));
    assert_int_equal(again.move_count, 0);
    assert_int_equal(again.class, CONN_AGAIN);
}

static void a_reset_answers_a_syn_only_with_its_number(void **data)
{
    (void)data;
    struct pair p;
    begin(&p, STATE_CLOSED, STATE_LISTEN);
    carry(&p, A, segment(TCP_SYN, 100, 0, 0));
    assert_int_equal(carry(&p, B, segment(TCP_RST | TCP_ACK, 0, 777, 0)).move_count, 0);
    assert_int_equal(carry(&p, B, segment(TCP_RST, 0, 0, 0)).move_count, 0);
    struct conn_verdict verdict = carry(&p, B, segment(TCP_RST | TCP_ACK, 0, 101, 0));
    assert_int_equal(verdict.move_count, 1);
    assert_int_equal(verdict.moves[0].input, INPUT_RCVD_RST);
    assert_int_equal(verdict.reset, RESET_TAKEN);
}

static void a_reset_counts_only_at_the_next_expected_number(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    assert_int_equal(arrives(&p, A, segment(TCP_RST, 900, 0, 0)).move_count, 0);
    assert_int_equal(arrives(&p, A, segment(TCP_RST, 101, 0, 0)).move_count, 1);
}

static void a_reset_in_syn_rcvd_returns_a_passive_end_to_listen(void **data)
{
    (void)data;
    struct pair p;
    begin(&p, STATE_CLOSED, STATE_LISTEN);
    carry(&p, A, segment(TCP_SYN, 100, 0, 0));
    sent(&p, B, segment(TCP_SYN | TCP_ACK, 500, 101, 0));
    struct conn_verdict verdict = arrives(&p, A, segment(TCP_RST, 101, 0, 0));
    assert_int_equal(verdict.move_count, 1);
    assert_int_equal(verdict.moves[0].input, INPUT_RCVD_RST_PASSIVE);
    assert_int_equal(state_of(&p, B), STATE_LISTEN);
}

static void a_fin_behind_a_gap_waits_for_the_missing_data(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    struct conn_segment missing = segment(TCP_ACK, 101, 501, 10);
    sent(&p, A, missing); /* and lost */
    assert_int_equal(carry(&p, A, segment(TCP_FIN | TCP_ACK, 111, 501, 5)).move_count, 0);
    struct conn_verdict verdict = carry(&p, A, missing);
    assert_int_equal(verdict.move_count, 1);
    assert_int_equal(verdict.moves[0].input, INPUT_RCVD_FIN);
    assert_int_equal(p.conn.end[A].got, 117);
}

static void sequence_numbers_wrap_around(void **data)
{
    (void)data;
    struct pair p;
    begin(&p, STATE_CLOSED, STATE_LISTEN);
    carry(&p, A, segment(TCP_SYN, 0xffffffff, 0, 0));
    carry(&p, B, segment(TCP_SYN | TCP_ACK, 0xfffffffe, 0, 0));
    carry(&p, A, segment(TCP_ACK, 0, 0xffffffff, 0));
    assert_int_equal(state_of(&p, B), STATE_ESTABLISHED);
    carry(&p, B, segment(TCP_FIN | TCP_ACK, 0xffffffff, 0, 4));
    carry(&p, A, segment(TCP_ACK, 0, 4, 0));
    assert_states(&p, STATE_CLOSE_WAIT, STATE_FIN_WAIT_2);
}

/* Nothing comes after a FIN: no captured or lost segment can explain it. */
static void an_ack_of_something_beyond_the_fin_is_ignored(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    sent(&p, A, segment(TCP_FIN | TCP_ACK, 101, 501, 0));
    assert_int_equal(carry(&p, B, segment(TCP_ACK, 501, 5000, 0)).move_count, 0);
    assert_states(&p, STATE_FIN_WAIT_1, STATE_ESTABLISHED);
    assert_int_equal(conn_bytes(&p.conn, A), 0);
}

/* A call or a timer shows what no segment does. */
static void an_input_that_no_segment_shows_is_taken_and_noted(void **data)
{
    (void)data;
    struct pair p;
    establish(&p);
    struct conn_verdict verdict = {0};
    conn_input(&p.judge, &p.conn, A, INPUT_TIMEOUT_GIVE_UP, &verdict);
    assert_states(&p, STATE_CLOSED, STATE_ESTABLISHED);
    assert_int_equal(verdict.move_count, 1);
    assert_int_equal(verdict.moves[0].from, STATE_ESTABLISHED);
    assert_int_equal(verdict.moves[0].to, STATE_CLOSED);
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
        cmocka_unit_test(an_ack_of_something_beyond_the_fin_is_ignored),
        cmocka_unit_test(an_input_that_no_segment_shows_is_taken_and_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
