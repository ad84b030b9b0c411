/* Internal to two_vantages.c and two_vantages_alone.c. */
#ifndef TCPWHY_TWO_VANTAGES_OWN_H
#define TCPWHY_TWO_VANTAGES_OWN_H

#include "support/tell.h"

#define C "src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=tcp "
#define SYN C "flags=S seq=100"
#define SYN_ACK "src=192.0.2.2:3333 dst=192.0.2.1:40000 proto=tcp flags=S. seq=500 ack=101"
#define DATA C "flags=P. seq=101 ack=501 len=5"
#define UDP "src=192.0.2.1:40000 dst=192.0.2.2:3333 proto=udp len=5"
#define HOSTS                                                                                                                      \
    "# tcpwhy events 1\nvantage t=1 vantage=1 netns=11 name=client v4=192.0.2.1\nvantage t=1 vantage=2 netns=22 name=server "      \
    "v4=192.0.2.2\n"

void packets_that_are_said_to_be_the_same_are_one_segment_whatever_they_look_like(void **state);
void what_is_said_to_be_lost_is_lost_and_what_is_not_known_is_not(void **state);
void a_comment_that_stands_at_both_sights_is_told_once(void **state);
/* Vantages of one host, and those of captures that don't say where they are. */
void interfaces_of_one_host_join_and_conclude_nothing(void **state);
void at_two_interfaces_timestamps_tell_what_is_the_same_and_time_only_without_them(void **state);
void what_came_and_never_left_is_a_copy_or_was_missed_or_made_on_the_way(void **state);
void an_icmp_error_that_was_captured_where_it_goes_has_arrived(void **state);

#endif
