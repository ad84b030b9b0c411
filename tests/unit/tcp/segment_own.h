/* Internal to segment.c and segment_options.c. */
#ifndef TCPWHY_SEGMENT_OWN_H
#define TCPWHY_SEGMENT_OWN_H

#include "support/frame.h"
#include "support/guard.h"
#include "tcp/segment.h"

struct event_options options_of(const void *bytes, size_t length);
void fast_open_mptcp_and_sack_are_seen(void **state);
void every_subtype_of_mptcp_and_accurate_ecn_are_seen(void **state);
void the_bits_above_the_flags_are_kept(void **state);
/* 68 bytes of each packet, tcpdump's habit for long, hold an IPv6 segment's header up to its flags. */
void a_tcp_header_cut_behind_its_flags_is_a_segment_without_a_window(void **state);
void bad_options_end_the_walk_and_spoil_nothing(void **state);
void payload_is_not_taken_for_options(void **state);
void an_icmp_error_quotes_the_packet_it_is_about(void **state);
void an_icmpv6_error_quotes_the_packet_it_is_about(void **state);
void an_icmp_error_about_something_else_quotes_nothing(void **state);
void icmp_that_is_no_error_is_other(void **state);
/* The first captured length at which each sample's needed headers are there: of TCP's, up to the flags. */
void a_frame_cut_anywhere_is_cut_until_its_headers_are_there(void **state);
void a_broken_frame_is_decoded_within_its_bounds(void **state);
void flags_are_written_as_tcpdump_writes_them(void **state);
void syn_and_fin_take_a_sequence_number_each(void **state);

void lengths_that_lie_are_malformed(void **state);
/* What was not on the wire is no payload, whatever the header claims (and a file may have lost the wire's length). */
void a_packet_that_claims_more_than_its_frame_held_is_as_long_as_that(void **state);
void udp_lengths_are_checked(void **state);
void the_options_of_a_linux_syn_are_read(void **state);

#endif
