/* Packets captured on both hosts: what is one segment, what was lost, and what the way did to it. The stored runs are real ones:
 * two hosts, a wire with rules, the bpf recorder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/tell.h"
#include "two_vantages_own.h"

static struct told *tell_run(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/two-hosts-%s.events", EVENTS_DIR, name);
    struct told *told = tell_file(path, 0);
    assert_int_equal(told->count, 1);
    /* Each host's marks found each host's packets, in every run: none too many, none too few. */
    assert_int_equal(told->teller->marks_unjoined, 0);
    assert_int_equal(told->teller->packets_unmarked, 0);
    return told;
}

/* The segment that a cause refers to. */
static const struct story_segment *answered(const struct story *story, const struct story_segment *segment)
{
    assert_int_equal(segment->cause.kind, CAUSE_SEGMENT);
    assert_int_equal(segment->cause.evidence, EVIDENCE_STACK);
    assert_int_equal(story->steps[segment->cause.step].kind, STEP_SEGMENT);
    return story->steps[segment->cause.step].segment;
}

static size_t count_segments(const struct story *story)
{
    size_t count = 0;
    for (size_t i = 0; i < story->step_count; i++) count += story->steps[i].kind == STEP_SEGMENT;
    return count;
}

static void what_both_hosts_saw_is_one_segment_with_two_times(void **state)
{
    struct told *told = tell_run("data-reordered");
    const struct story *story = told->stories[0];
    (void)state;
    assert_int_equal(count_segments(story), story->summary.segments);
    for (size_t i = 0; i < story->step_count; i++) {
        if (story->steps[i].kind != STEP_SEGMENT) continue;
        const struct story_segment *segment = story->steps[i].segment;
        assert_true(segment->received_ns - segment->sent_ns >= 5000000); /* the wire's delay in that run */
        assert_false(segment->copy || segment->retransmission);
    }
    told_free(told);
}

static void segments_that_change_places_keep_their_own_times(void **state)
{
    struct told *told = tell_run("data-reordered");
    const struct story *story = told->stories[0];
    const struct story_segment *first = told_segment(story, STORY_CLIENT, "data", 1),
                               *second = told_segment(story, STORY_CLIENT, "data", 2);
    (void)state;
    assert_true(first->sent_ns < second->sent_ns);
    assert_true(first->received_ns > second->received_ns);
    /* The ACK of each says so too: the one that came early can't acknowledge anything new. */
    assert_ptr_equal(answered(story, told_segment(story, STORY_SERVER, "ACK", 1)), second);
    assert_ptr_equal(answered(story, told_segment(story, STORY_SERVER, "ACK", 2)), first);
    told_free(told);
}

static void a_lost_syn_never_arrives_and_its_repetition_does(void **state)
{
    struct told *told = tell_run("syn-lost");
    const struct story *story = told->stories[0];
    const struct story_segment *lost = told_segment(story, STORY_CLIENT, "SYN", 1),
                               *again = told_segment(story, STORY_CLIENT, "SYN", 2);
    (void)state;
    assert_int_equal(lost->received_ns, 0);
    assert_true(lost->lost && !again->lost);
    assert_false(lost->retransmission);
    assert_true(again->received_ns > again->sent_ns && again->retransmission);
    assert_int_equal(again->cause.kind, CAUSE_TIMER);
    assert_ptr_equal(answered(story, told_segment(story, STORY_SERVER, "SYN-ACK", 1)), again);
    told_states(story, STORY_SERVER, "CLOSED LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED");
    told_free(told);
}

static void where_nothing_arrives_the_server_stays_in_listen(void **state)
{
    struct told *told = tell_run("black-hole");
    const struct story *story = told->stories[0];
    (void)state;
    assert_int_equal(story->summary.segments, 3);
    for (size_t n = 1; n <= 3; n++) assert_int_equal(told_segment(story, STORY_CLIENT, "SYN", n)->received_ns, 0);
    assert_true(told_segment(story, STORY_CLIENT, "SYN", 1)->lost); /* nothing was ever seen there, but it would have been */
    told_states(story, STORY_CLIENT, "CLOSED SYN_SENT");
    told_states(story, STORY_SERVER, "CLOSED LISTEN");
    told_free(told);
}

static void a_copy_that_the_wire_made_is_no_retransmission(void **state)
{
    struct told *told = tell_run("data-duplicated");
    const struct story *story = told->stories[0];
    const struct story_segment *data = told_segment(story, STORY_CLIENT, "data", 1),
                               *copy = told_segment(story, STORY_CLIENT, "data", 2);
    (void)state;
    assert_true(copy->copy && !copy->retransmission);
    assert_false(data->copy || data->retransmission);
    assert_true(copy->received_ns > data->received_ns);
    assert_int_equal(copy->cause.kind, CAUSE_KERNEL);
    assert_int_equal(story->summary.retransmissions, 0);
    assert_int_equal(story->end[STORY_CLIENT].bytes_sent, data->length_bytes);
    assert_ptr_equal(answered(story, told_segment(story, STORY_SERVER, "ACK", 1)), data);
    assert_ptr_equal(answered(story, told_segment(story, STORY_SERVER, "ACK", 2)), copy);
    told_free(told);
}

static void equal_segments_are_answered_one_by_one_in_the_order_of_arrival(void **state)
{
    struct told *told = tell_run("syn-duplicated");
    const struct story *story = told->stories[0];
    (void)state;
    assert_true(told_segment(story, STORY_CLIENT, "SYN", 2)->copy);
    for (size_t n = 1; n <= 2; n++) {
        const struct story_segment *syn_ack = told_segment(story, STORY_SERVER, "SYN-ACK", n);
        assert_ptr_equal(answered(story, syn_ack), told_segment(story, STORY_CLIENT, "SYN", n));
        assert_ptr_equal(answered(story, told_segment(story, STORY_CLIENT, "ACK", n)), syn_ack);
    }
    told_free(told);
}

static void a_late_segment_that_was_overtaken_by_its_repetition_is_what_the_reset_answers(void **state)
{
    struct told *told = tell_run("data-late");
    const struct story *story = told->stories[0];
    const struct story_segment *late = told_segment(story, STORY_CLIENT, "data", 1),
                               *again = told_segment(story, STORY_CLIENT, "data", 2);
    (void)state;
    assert_true(again->retransmission && again->received_ns < late->received_ns);
    assert_true(late->received_ns - late->sent_ns > 500000000 && again->received_ns - again->sent_ns < 100000000);
    assert_ptr_equal(answered(story, told_segment(story, STORY_SERVER, "ACK", 1)), again);
    assert_ptr_equal(answered(story, told_segment(story, STORY_SERVER, "RST", 1)), late);
    told_free(told);
}

static void the_last_ack_ends_the_connection_only_when_it_arrives(void **state)
{
    struct told *told = tell_run("last-ack-lost");
    const struct story *story = told->stories[0];
    const struct story_segment *fin = told_segment(story, STORY_SERVER, "FIN", 1),
                               *again = told_segment(story, STORY_SERVER, "FIN", 2);
    int64_t closed_ns = 0;
    (void)state;
    const struct story_segment *lost = told_segment(story, STORY_CLIENT, "ACK", 3),
                               *second = told_segment(story, STORY_CLIENT, "ACK", 4);
    assert_int_equal(lost->received_ns, 0);
    assert_ptr_equal(answered(story, lost), fin);
    assert_ptr_equal(answered(story, second), again);
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        if (step->kind == STEP_STATE && step->side == STORY_SERVER && !step->state->kernel && step->state->to_state == STATE_CLOSED)
            closed_ns = step->t_ns;
    }
    assert_true(closed_ns >= second->received_ns);
    told_free(told);
}

/* ---- what runs as recorded do not show, in a few lines each ---- */

static void a_mark_belongs_to_a_packet_of_its_own_host(void **state)
{
    /* The wire's copy arrives between the mark of a retransmission and its packet, and looks just like it. */
    struct told *told =
        tell_text(HOSTS "mark t=999 netns=11 " DATA " cur.pid=1 cur.tid=1 chain=tcp_sendmsg;__x64_sys_write\n"
                        "packet t=1000 vantage=1 " DATA "\n"
                        "packet t=2000 vantage=2 " DATA "\n"
                        "mark t=3000 netns=11 " DATA " cur.pid=1 cur.tid=1 chain=tcp_retransmit_timer;tcp_write_timer\n"
                        "packet t=3001 vantage=2 " DATA "\n"
                        "packet t=3002 vantage=1 " DATA "\n"
                        "packet t=4000 vantage=2 " DATA "\n",
                  0);
    (void)state;
    const struct story *story = told->stories[0];
    const struct story_segment *again = told_segment(story, STORY_CLIENT, "data", 2),
                               *copy = told_segment(story, STORY_CLIENT, "data", 3);
    assert_int_equal(again->sent_ns, 3000);
    assert_int_equal(again->received_ns, 4000);
    assert_int_equal(again->cause.kind, CAUSE_TIMER);
    assert_false(again->copy);
    assert_true(copy->copy);
    assert_int_equal(copy->received_ns, 3001);
    assert_int_equal(told->teller->marks_unjoined, 0);
    told_free(told);
}

static void what_is_sent_again_behind_a_copy_is_no_copy(void **state)
{
    struct told *told = tell_text(HOSTS "packet t=1000 vantage=1 " DATA "\n"
                                        "packet t=2000 vantage=2 " DATA "\n"
                                        "packet t=2001 vantage=2 " DATA "\n"
                                        "packet t=300002000 vantage=1 " DATA "\n"
                                        "packet t=300003000 vantage=2 " DATA "\n",
                                  0);
    (void)state;
    const struct story *story = told->stories[0];
    assert_int_equal(story->summary.segments, 3);
    assert_true(told_segment(story, STORY_CLIENT, "data", 2)->copy);
    const struct story_segment *again = told_segment(story, STORY_CLIENT, "data", 3);
    assert_true(again->retransmission && !again->copy);
    assert_int_equal(again->received_ns, 300003000);
    told_free(told);
}

static void a_third_place_on_the_way_makes_no_copy(void **state)
{
    struct told *told = tell_text(HOSTS "vantage t=1 vantage=3 netns=22 name=inside\n"
                                        "packet t=1000 vantage=1 " SYN "\n"
                                        "packet t=2000 vantage=2 " SYN "\n"
                                        "packet t=2005 vantage=3 " SYN "\n",
                                  0);
    (void)state;
    assert_int_equal(told->stories[0]->summary.segments, 1);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->received_ns, 2005);
    told_free(told);
}

static void loopback_seen_at_two_vantages_makes_no_copy(void **state)
{
#define LO "src=127.0.0.1:40000 dst=127.0.0.1:3333 proto=tcp flags=S seq=100"
    struct told *told =
        tell_text("# tcpwhy events 1\nvantage t=1 vantage=1 netns=11 name=lo\nvantage t=1 vantage=2 netns=11 name=any\n"
                  "packet t=1000 vantage=1 " LO "\npacket t=1001 vantage=2 " LO "\n",
                  0);
    (void)state;
    assert_int_equal(told->stories[0]->summary.segments, 1);
    assert_false(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->copy);
    told_free(told);
}

static void datagrams_of_one_size_arrive_in_their_order(void **state)
{
    struct told *told = tell_text(HOSTS "packet t=1000 vantage=1 " UDP "\npacket t=1500 vantage=1 " UDP "\n"
                                        "packet t=2000 vantage=2 " UDP "\npacket t=2500 vantage=2 " UDP "\n",
                                  0);
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < told->stories[0]->step_count; i++) {
        const struct story_step *step = &told->stories[0]->steps[i];
        if (step->kind != STEP_DATAGRAM) continue;
        assert_int_equal(step->datagram->received_ns - step->datagram->sent_ns, 1000);
        count++;
    }
    assert_int_equal(count, 2);
    told_free(told);
}

static void the_very_bytes_tell_which_of_two_equals_arrived(void **state)
{
    /* No timestamps: only the IP header's number, here in the bytes, tells the first from the second; the first was lost. */
    struct told *told = tell_text(HOSTS "packet t=1000 vantage=1 captured=4 wire=4 link=1 bytes=00000001 " UDP "\n"
                                        "packet t=1500 vantage=1 captured=4 wire=4 link=1 bytes=00000002 " UDP "\n"
                                        "packet t=2500 vantage=2 captured=4 wire=4 link=1 bytes=00000002 " UDP "\n",
                                  0);
    int64_t received_ns[2] = {-1, -1};
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < told->stories[0]->step_count && count < 2; i++)
        if (told->stories[0]->steps[i].kind == STEP_DATAGRAM)
            received_ns[count++] = told->stories[0]->steps[i].datagram->received_ns;
    assert_int_equal(received_ns[0], 0);
    assert_int_equal(received_ns[1], 2500);
    told_free(told);
}

static void one_vantage_says_nothing_about_loss(void **state)
{
    /* The other vantage is on the same host, or its host is another than the one that this goes to. */
    static const char *const others[] = {"vantage t=1 vantage=2 netns=11 name=eth1 v4=192.0.2.2\n",
                                         "vantage t=1 vantage=2 netns=22 name=eth0 v4=192.0.2.9\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 "# tcpwhy events 1\nvantage t=1 vantage=1 netns=11 name=eth0 v4=192.0.2.1\n%spacket t=1000 vantage=1 %s\npacket "
                 "t=2000 vantage=1 %s\n",
                 others[i], SYN, SYN_ACK);
        struct told *told = tell_text(text, 0);
        assert_false(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->lost);
        told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD"); /* taken to have arrived */
        told_free(told);
    }
}

/* ---- what was compared before (read --merge): the events say what is the same, and what became of the rest ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_both_hosts_saw_is_one_segment_with_two_times),
        cmocka_unit_test(segments_that_change_places_keep_their_own_times),
        cmocka_unit_test(a_lost_syn_never_arrives_and_its_repetition_does),
        cmocka_unit_test(where_nothing_arrives_the_server_stays_in_listen),
        cmocka_unit_test(a_copy_that_the_wire_made_is_no_retransmission),
        cmocka_unit_test(equal_segments_are_answered_one_by_one_in_the_order_of_arrival),
        cmocka_unit_test(a_late_segment_that_was_overtaken_by_its_repetition_is_what_the_reset_answers),
        cmocka_unit_test(the_last_ack_ends_the_connection_only_when_it_arrives),
        cmocka_unit_test(a_mark_belongs_to_a_packet_of_its_own_host),
        cmocka_unit_test(what_is_sent_again_behind_a_copy_is_no_copy),
        cmocka_unit_test(a_third_place_on_the_way_makes_no_copy),
        cmocka_unit_test(loopback_seen_at_two_vantages_makes_no_copy),
        cmocka_unit_test(datagrams_of_one_size_arrive_in_their_order),
        cmocka_unit_test(the_very_bytes_tell_which_of_two_equals_arrived),
        cmocka_unit_test(one_vantage_says_nothing_about_loss),
        cmocka_unit_test(packets_that_are_said_to_be_the_same_are_one_segment_whatever_they_look_like),
        cmocka_unit_test(what_is_said_to_be_lost_is_lost_and_what_is_not_known_is_not),
        cmocka_unit_test(what_came_and_never_left_is_a_copy_or_was_missed_or_made_on_the_way),
        cmocka_unit_test(interfaces_of_one_host_join_and_conclude_nothing),
        cmocka_unit_test(at_two_interfaces_timestamps_tell_what_is_the_same_and_time_only_without_them),
        cmocka_unit_test(a_comment_that_stands_at_both_sights_is_told_once),
        cmocka_unit_test(an_icmp_error_that_was_captured_where_it_goes_has_arrived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
