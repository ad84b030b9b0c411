/* Internal to cause_wire.c, cause_wire_bounds.c and cause_wire_segments.c. */
#ifndef TCPWHY_CAUSE_WIRE_OWN_H
#define TCPWHY_CAUSE_WIRE_OWN_H

#include "support/lines.h"
#include "support/tell.h"

#define UNFILTERED "# tcpwhy events 1\ntrace t=1 recorder=test ports=3333 unfiltered=1\nvantage t=1 vantage=1 netns=9 name=lo\n"
#define W " win=512"
#define SACKS " opt=sackok"
/* Two hosts, 100 us apart. */
#define FAR TRACE TWO_ENDS THERE(1000, 1100, SYN W) BACK(1110, 1210, SYN_ACK W) THERE(1220, 1320, HANDSHAKE_ACK W)
#define FAR_SACK TRACE TWO_ENDS THERE(1000, 1100, SYN W SACKS) BACK(1110, 1210, SYN_ACK W SACKS) THERE(1220, 1320, HANDSHAKE_ACK W)
/* Two hosts, 10 ms apart. */
#define FARTHER TRACE TWO_ENDS THERE(1000, 11000, SYN W) BACK(11100, 21100, SYN_ACK W) THERE(21200, 31200, HANDSHAKE_ACK W)
/* One place, at the client's host; the round trip is 4 ms. */
#define NEAR TRACE PACKET(1000, WC, SYN W) PACKET(5000, WS, SYN_ACK W) PACKET(5010, WC, HANDSHAKE_ACK W)
#define DATA(seq, length) "flags=P. seq=" #seq " ack=501 len=" #length W
#define ACKS(ack, window) "flags=. seq=501 ack=" #ack " win=" #window

struct wire_case {
    const char *text;
    enum story_cause_kind kind;
    const char *name;     /* of a timer or a call; NULL none */
    uint32_t by;          /* number of the segment that made it; 0 none */
    const char *words[2]; /* both are in the sentence; NULL none */
};

void check_all(const struct wire_case *cases, size_t count);
#define CHECK(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))
#define TIMER(name)                                                                                                                \
    CAUSE_TIMER, name, 0,                                                                                                          \
    {                                                                                                                              \
        NULL, NULL                                                                                                                 \
    }
#define KERNEL(name)                                                                                                               \
    CAUSE_KERNEL, name, 0,                                                                                                         \
    {                                                                                                                              \
        NULL, NULL                                                                                                                 \
    }
#define BY(number)                                                                                                                 \
    CAUSE_SEGMENT, NULL, number,                                                                                                   \
    {                                                                                                                              \
        NULL, NULL                                                                                                                 \
    }
#define CALLED(name)                                                                                                               \
    CAUSE_CALL, name, 0,                                                                                                           \
    {                                                                                                                              \
        NULL, NULL                                                                                                                 \
    }
#define EITHER(one, other)                                                                                                         \
    CAUSE_UNKNOWN, NULL, 0,                                                                                                        \
    {                                                                                                                              \
        one, other                                                                                                                 \
    }

#define S_ACKS_FIN "flags=. seq=501 ack=102" W

#define PROBE "flags=. seq=105 ack=501" W
#define SHUT FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 0))

#define PROBED FAR THERE(2000, 2100, DATA(101, 5)) BACK(2110, 2210, ACKS(106, 507)) THERE(1003000, 1003100, PROBE)
#define S_CLOSED FAR BACK(2000, 2100, "flags=F. seq=501 ack=101" W) THERE(2110, 2210, "flags=. seq=101 ack=502" W)
#define LATE(seq) "flags=P. seq=" #seq " ack=502 len=5" W
#define S_RESETS "flags=R seq=502"

#define LOST(sent, what) PACKET(sent, WC, what)

void a_syn_is_repeated_by_its_timer_and_a_syn_ack_by_its_own_or_the_syn(void **state);
void the_third_duplicate_ack_makes_a_repeat_at_once(void **state);
void which_of_two_copies_was_acknowledged_only_a_time_stamp_tells(void **state);
void an_ack_that_is_late_by_more_than_the_way_is_nobodys_for_sure(void **state);
void the_last_byte_again_may_be_a_keepalive_probe_once_that_had_time(void **state);
void what_comes_from_afar_may_come_again(void **state);
void a_duplicate_ack_answers_nothing_that_was_answered_already(void **state);
void what_was_answered_already_is_nobodys_for_sure(void **state);
void an_icmp_error_that_says_too_big_repeats_at_once(void **state);
void data_is_a_sends_where_nothing_can_have_held_it(void **state);
void a_fin_is_a_closes_where_nothing_can_have_held_it(void **state);
void what_may_be_multipath_tcps_workers_is_no_call(void **state);
void what_lies_behind_a_fin_is_nobodys_send(void **state);
void a_rst_answers_what_came_last_and_had_not_been_taken(void **state);
void the_same_once_more_may_be_one_packet(void **state);

void a_reset_at_the_same_instant_or_just_beyond_an_answers_time(void **state);
void resets_answer_what_came_in_its_order(void **state);
void resets_that_are_as_many_as_what_came_answer_one_each(void **state);
void nothing_is_a_close_behind_a_fin(void **state);
void a_probe_is_answered_by_what_came_at_its_instant(void **state);
void the_first_syn_begins_the_syn_acks_time(void **state);
void half_a_window_of_segments_is_acknowledged_at_once(void **state);
void windows_are_scaled_where_both_ends_ask_for_it(void **state);
void nearness_to_the_nanosecond(void **state);
void what_may_have_been_held_back_to_the_nanosecond(void **state);
void a_syn_that_comes_again_only_after_a_doubled_time_may_not_be_the_first(void **state);
void behind_what_was_not_captured_nobody_knows_what_was_held(void **state);
void where_both_open_at_once_a_syn_ack_answers_the_syn(void **state);

#endif
