/* Internal to packets.c and packets_told.c. */
#ifndef TCPWHY_PACKETS_OWN_H
#define TCPWHY_PACKETS_OWN_H

#include "capture/packets.h"

bool set_interface(const char *name, bool up);
struct packets *open_capture(const char *interface, const char *filter, bool keep_bytes, struct event_log *log);
/* Drains until nothing has come for 50 ms. */
void drain(struct packets *packets, struct event_log *log);
void send_udp(uint16_t port);
size_t count_packets(const struct event_log *log, uint8_t flags);
void an_icmp_error_names_the_datagram_it_is_about(void **state);
void the_report_says_zero_where_nothing_was_lost(void **state);
void what_the_kernel_dropped_is_reported(void **state);
void what_was_not_understood_is_reported_by_reason(void **state);
void a_wrong_filter_is_named_with_libpcaps_reason(void **state);
void an_interface_that_is_not_there_is_named_with_those_that_are(void **state);
void an_interface_that_is_down_is_said_so(void **state);
void without_the_privilege_the_sentence_names_it_and_ways_to_get_it(void **state);

#endif
