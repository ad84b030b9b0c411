/* Internal to bpf_convert.c, bpf_convert_records.c and bpf_convert_chains.c. */
#ifndef TCPWHY_BPF_CONVERT_OWN_H
#define TCPWHY_BPF_CONVERT_OWN_H

#include "capture/bpf/bpf_convert.h"

struct fixture {
    struct bpf_convert convert;
    struct kernel_symbols *symbols;
    struct record_known *known;
    struct event_log *log;
};

/* The address that a call inside this function returns to. */
uint64_t inside(const char *function);
/* The chain of these functions, innermost first, as the kernel side unwinds it; NULL ends. Its addresses stand in every third word
 * of the stack, from the second on. */
struct record_chain chain_in(uint64_t sample, const char *const *stack);
void take(struct fixture *fixture, const struct record_chain *chain);
/* A mark made while a SYN was the last packet received, in the chain of these functions. */
struct record_mark mark_in(struct fixture *fixture, const char *const *stack);
int convert(struct fixture *fixture, const struct record_mark *mark, struct event *event);

#define STACK(...) ((const char *const[]){__VA_ARGS__, NULL})

void the_device_below_a_device_makes_no_second_mark(void **state);
void a_child_of_a_listener_takes_its_addresses_from_the_segment_that_made_it(void **state);
void an_address_without_anything_is_no_address(void **state);
void what_epoll_gives_back_names_no_socket(void **state);
void an_ended_process_has_a_status_or_a_signal(void **state);
void a_reset_has_the_kernels_name_for_its_reason(void **state);
void a_drop_has_the_kernels_name_for_its_reason_and_where_it_was_let_go(void **state);
void a_drop_without_a_reason_is_believed_at_tcps_entrance_alone(void **state);
void what_a_rule_rejects_was_sent_before_its_answer(void **state);
void a_captures_own_copy_is_no_packet_of_anybody(void **state);
void the_queues_of_a_listener_are_kept_as_the_kernel_counts_them(void **state);
void a_segment_from_outside_is_a_packet_of_its_network(void **state);
void the_timer_of_a_timewait_socket_keeps_what_it_stood_for(void **state);
void a_request_sockets_timer_has_its_own_name(void **state);
void a_cancelled_timer_keeps_what_was_received_and_the_chain(void **state);
void what_is_too_short_or_unknown_is_no_record(void **state);
void a_chain_is_learned_up_to_where_its_context_begins(void **state);
void a_chain_without_its_end_or_not_in_the_stack_is_not_learned(void **state);
void a_word_that_may_be_the_return_address_is_compared_too(void **state);
void the_same_chain_is_learned_once_and_another_beside_it(void **state);
void a_chain_has_eight_places_and_then_none(void **state);
void a_chain_that_was_taken_for_another_is_counted_and_forgotten(void **state);
void the_innermost_frame_that_decides_says_whether_a_packet_is_received(void **state);
void a_sample_agrees_with_all_frames_up_to_the_end(void **state);

#endif
