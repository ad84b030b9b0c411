/* Records as the kernel side writes them, with stacks of a made-up kernel. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "bpf_convert_own.h"
#include "capture/bpf/bpf_ability.h"

/* Function number i begins at 0x1000 * (i + 1). */
static const char *const functions[] = {
    "bpf_prog_1234_net_dev_queue",
    "bpf_trace_run1",
    "__dev_queue_xmit",
    "ip_output",
    "tcp_v4_rcv",
    "__netif_receive_skb_one_core",
    "process_backlog",
    "ip_sublist_rcv",
    "__release_sock",
    "__run_timers",
    "hrtimer_interrupt",
    "dev_hard_start_xmit",
    "vlan_dev_hard_start_xmit",
    "tpacket_rcv",
    "packet_rcv",
    "packet_rcv_fanout",
    "packet_rcv_spkt",
    "__x64_sys_sendto",
    "try_to_wake_up",
    "handle_softirqs",
    "net_tx_action",
    "__SCT__tp_func_net_dev_queue",
    "ret_from_fork_asm",
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char text[2048];
    size_t length = 0;

    assert_non_null(fixture);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%zx T %s\n", 0x1000 * (i + 1), functions[i]);
    assert_int_equal(kernel_symbols_parse(&fixture->symbols, text, length, NULL), 0);
    fixture->convert.symbols = fixture->symbols;
    fixture->known = calloc(RECORD_KNOWN_MAX, sizeof(*fixture->known));
    fixture->convert.chains = bpf_chains_new(fixture->known);
    assert_non_null(fixture->convert.chains);
    fixture->convert.realtime_offset_ns = 1000;
    fixture->log = event_log_new();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    kernel_symbols_free(fixture->symbols);
    bpf_chains_free(fixture->convert.chains);
    free(fixture->known);
    event_log_free(fixture->log);
    free(fixture);
    return 0;
}

uint64_t inside(const char *function)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (strcmp(functions[i], function) == 0) return 0x1000 * (i + 1) + 0x20;
    }
    fail_msg("no function %s", function);
    return 0;
}

struct record_chain chain_in(uint64_t sample, const char *const *stack)
{
    struct record_chain chain = {
        .head = {.kind = RECORD_CHAIN}, .sample = sample, .signature = (uint64_t)1 << 63 | 5, .word_count = RECORD_WORDS_MAX};
    size_t frames = 0;

    while (stack[frames]) {
        chain.words[3 * frames + 1] = chain.stack[frames] = inside(stack[frames]);
        frames++;
    }
    chain.stack_bytes = (int)(frames * sizeof(chain.stack[0]));
    return chain;
}

void take(struct fixture *fixture, const struct record_chain *chain)
{
    struct event event;

    assert_int_equal(bpf_convert_record(&fixture->convert, chain, sizeof(*chain), fixture->log, &event), 0);
}

struct record_mark mark_in(struct fixture *fixture, const char *const *stack)
{
    static uint64_t samples;
    struct record_mark mark = {
        .head = {.t_ns = 5, .kind = RECORD_MARK, .pid = 7, .tid = 8, .comm = "echo"},
        .packet = {.src = {{127, 0, 0, 1}, 3333, 4, 0},
                   .dst = {{127, 0, 0, 2}, 40000, 4, 0},
                   .protocol = IPPROTO_TCP,
                   .flags = TCP_ACK},
        .context = {.receiving = 1, .softirq = 1, .sample = ++samples, .received = {.protocol = IPPROTO_TCP, .flags = TCP_SYN}},
    };
    struct record_chain chain = chain_in(samples, stack);

    take(fixture, &chain);
    return mark;
}

int convert(struct fixture *fixture, const struct record_mark *mark, struct event *event)
{
    return bpf_convert_record(&fixture->convert, mark, sizeof(*mark), fixture->log, event);
}

static void a_record_becomes_an_event_on_the_common_clock(void **state)
{
    struct record_mark mark = mark_in(*state, STACK("__dev_queue_xmit"));
    struct event event;

    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.kind, EVENT_MARK);
    assert_int_equal(event.t_ns, 1005);
    assert_int_equal(event.mark.context.current.pid, 7);
    assert_int_equal(event.mark.context.current.tid, 8);
    assert_string_equal(event.mark.context.current.comm, "echo");
    assert_int_equal(event.mark.header.src.port, 3333);
    assert_int_equal(event.mark.header.dst.ip[3], 2);
}

static void what_a_sender_knew_of_the_way_is_in_its_units(void **state)
{
    struct record_mark mark = mark_in(*state, STACK("__dev_queue_xmit"));
    struct event event;

    mark.congestion =
        (struct record_congestion){.window = 10, .threshold = 0x7fffffff, .srtt = 8 * 250 + 7, .rto = 51, .mss = 1448};
    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.mark.congestion.window, 10);
    assert_int_equal(event.mark.congestion.threshold, 0); /* as long as nothing was lost there is none */
    assert_int_equal(event.mark.congestion.srtt_us, 250);
    assert_int_equal(event.mark.congestion.mss, 1448);
    assert_int_equal(event.mark.congestion.rto_us, 0); /* how long a tick is was not known */
    mark.congestion.threshold = 0x7ffffffe;
    ((struct fixture *)*state)->convert.tick_ns = 4000000;
    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.mark.congestion.rto_us, 204000);
    assert_int_equal(event.mark.congestion.threshold, 0x7ffffffe);
}

static void the_recorders_own_frames_are_cut_off(void **state)
{
    struct record_mark mark =
        mark_in(*state, STACK("bpf_prog_1234_net_dev_queue", "bpf_trace_run1", "__dev_queue_xmit", "ip_output"));
    struct event event;

    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.mark.context.chain->count, 2);
    assert_string_equal(event.mark.context.chain->names[0], "__dev_queue_xmit");
}

static void frames_of_a_program_that_has_no_name_are_cut_off_too(void **state)
{
    struct record_mark mark = mark_in(*state, STACK("__dev_queue_xmit"));
    struct record_chain chain = chain_in(1000, STACK("bpf_prog_1234_net_dev_queue", "bpf_trace_run1", "__dev_queue_xmit"));
    struct event event;

    chain.stack[0] = 0xffffffffc0000000;
    take(*state, &chain);
    mark.context.sample = 1000;
    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.mark.context.chain->count, 1);
}

static void a_program_that_an_interrupt_hit_stays_in_the_chain(void **state)
{
    struct record_mark mark = mark_in(*state, STACK("bpf_trace_run1", "try_to_wake_up", "hrtimer_interrupt",
                                                    "bpf_prog_1234_net_dev_queue", "bpf_trace_run1", "__x64_sys_sendto"));
    struct event event;

    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.mark.context.chain->count, 5);
    assert_string_equal(event.mark.context.chain->names[0], "try_to_wake_up");

    /* Nor where the stack does not begin in the recorder; nor behind a frame that has no name. */
    mark = mark_in(*state, STACK("try_to_wake_up", "hrtimer_interrupt", "bpf_trace_run1", "__x64_sys_sendto"));
    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.mark.context.chain->count, 4);
    struct record_chain chain = chain_in(1000, STACK("bpf_trace_run1", "ip_output", "bpf_trace_run1", "__x64_sys_sendto"));
    chain.stack[1] = 0xffffffffc0000000;
    take(*state, &chain);
    mark.context.sample = 1000;
    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.mark.context.chain->count, 3);
}

static void of_a_long_chain_the_innermost_frames_are_kept(void **state)
{
    struct record_mark mark = mark_in(*state, STACK("ip_output"));
    struct record_chain chain = chain_in(1000, STACK("ip_output"));
    struct event event;

    for (size_t frames = EVENT_CHAIN_MAX - 1; frames <= EVENT_CHAIN_MAX + 1; frames++) {
        for (size_t i = 0; i < frames; i++) chain.stack[i] = inside("ip_output");
        chain.stack_bytes = (int)(frames * sizeof(chain.stack[0]));
        mark.context.sample = chain.sample = 1000 + frames;
        take(*state, &chain);
        assert_int_equal(convert(*state, &mark, &event), 1);
        assert_int_equal(event.mark.context.chain->count, frames < EVENT_CHAIN_MAX ? frames : EVENT_CHAIN_MAX);
    }
}

static bool receives(void **state, const char *const *stack)
{
    struct record_mark mark = mark_in(*state, stack);
    struct event event;

    assert_int_equal(convert(*state, &mark, &event), 1);
    assert_int_equal(event.mark.context.received.flags, event.mark.context.receiving ? TCP_SYN : 0);
    return event.mark.context.receiving;
}

static void under_the_reception_the_received_packet_is_named(void **state)
{
    assert_true(receives(state, STACK("__dev_queue_xmit", "tcp_v4_rcv", "__netif_receive_skb_one_core", "process_backlog")));
}

static void on_the_backlog_it_is_another_packet(void **state)
{
    assert_false(receives(state, STACK("__dev_queue_xmit", "__release_sock", "__x64_sys_sendto")));
    assert_false(receives(state, STACK("__dev_queue_xmit", "__release_sock", "__netif_receive_skb_one_core")));
}

static void a_timer_or_an_interrupt_on_top_of_it_is_not_it(void **state)
{
    assert_false(receives(state, STACK("__dev_queue_xmit", "__run_timers")));
    assert_false(receives(state, STACK("try_to_wake_up", "hrtimer_interrupt", "tcp_v4_rcv", "__netif_receive_skb_one_core")));
}

static void of_a_list_of_packets_the_last_announced_need_not_be_it(void **state)
{
    assert_false(receives(state, STACK("__dev_queue_xmit", "tcp_v4_rcv", "ip_sublist_rcv", "process_backlog")));
}

static void a_call_that_sends_receives_nothing(void **state)
{
    assert_false(receives(state, STACK("__dev_queue_xmit", "ip_output", "__x64_sys_sendto")));
}

static void without_a_chain_what_the_kernel_side_saw_counts(void **state)
{
    struct fixture *fixture = *state;
    struct record_mark mark = mark_in(*state, STACK("__dev_queue_xmit", "__x64_sys_sendto"));
    struct event event;

    mark.context.sample = 0;
    assert_int_equal(convert(fixture, &mark, &event), 1);
    assert_null(event.mark.context.chain);
    assert_true(event.mark.context.receiving);
    assert_int_equal(bpf_chains_counts(fixture->convert.chains).unnamed, 0);
}

static void a_preempt_rt_kernel_is_known_by_its_version_or_its_flag(void **state)
{
    (void)state;
    assert_true(bpf_kernel_is_preempted("#1 SMP PREEMPT_RT Debian 6.1.192-2", ""));
    assert_true(bpf_kernel_is_preempted("#1 SMP", "1\n"));
    assert_false(bpf_kernel_is_preempted("#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2", "0\n"));
}

/* Softirqs are preempted there: the CPU's last packet may be another task's. */
static void on_preempt_rt_the_chain_alone_counts(void **state)
{
    struct fixture *fixture = *state;
    struct record_mark mark =
        mark_in(*state, STACK("__dev_queue_xmit", "tcp_v4_rcv", "__netif_receive_skb_one_core", "process_backlog"));
    struct event event;

    fixture->convert.preempted = true;
    assert_int_equal(convert(fixture, &mark, &event), 1);
    assert_non_null(event.mark.context.chain);
    assert_false(event.mark.context.receiving);
    assert_false(event.mark.context.softirq);
}

static void on_preempt_rt_nothing_is_said_of_a_context_without_a_chain(void **state)
{
    struct fixture *fixture = *state;
    struct record_mark mark = mark_in(*state, STACK("__dev_queue_xmit", "__x64_sys_sendto"));
    struct event event;

    fixture->convert.preempted = true;
    mark.context.sample = 0;
    mark.context.softirq = 0; /* so it looks as if the call had sent it */
    assert_int_equal(convert(fixture, &mark, &event), 1);
    assert_false(event.mark.context.receiving);
    assert_true(event.mark.context.softirq);
}

static void a_stack_without_symbols_is_counted(void **state)
{
    struct fixture *fixture = *state;
    struct record_mark mark;
    struct event event;

    fixture->convert.symbols = NULL;
    mark = mark_in(fixture, STACK("__dev_queue_xmit", "__x64_sys_sendto"));
    assert_int_equal(convert(fixture, &mark, &event), 1);
    assert_null(event.mark.context.chain);
    assert_int_equal(bpf_chains_counts(fixture->convert.chains).unnamed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_becomes_an_event_on_the_common_clock),
        TEST(what_a_sender_knew_of_the_way_is_in_its_units),
        TEST(the_recorders_own_frames_are_cut_off),
        TEST(frames_of_a_program_that_has_no_name_are_cut_off_too),
        TEST(a_program_that_an_interrupt_hit_stays_in_the_chain),
        TEST(of_a_long_chain_the_innermost_frames_are_kept),
        TEST(under_the_reception_the_received_packet_is_named),
        TEST(on_the_backlog_it_is_another_packet),
        TEST(a_timer_or_an_interrupt_on_top_of_it_is_not_it),
        TEST(of_a_list_of_packets_the_last_announced_need_not_be_it),
        TEST(a_call_that_sends_receives_nothing),
        TEST(without_a_chain_what_the_kernel_side_saw_counts),
        TEST(a_preempt_rt_kernel_is_known_by_its_version_or_its_flag),
        TEST(on_preempt_rt_the_chain_alone_counts),
        TEST(on_preempt_rt_nothing_is_said_of_a_context_without_a_chain),
        TEST(a_stack_without_symbols_is_counted),
        TEST(the_device_below_a_device_makes_no_second_mark),
        TEST(a_child_of_a_listener_takes_its_addresses_from_the_segment_that_made_it),
        TEST(an_address_without_anything_is_no_address),
        TEST(an_ended_process_has_a_status_or_a_signal),
        TEST(what_epoll_gives_back_names_no_socket),
        TEST(a_reset_has_the_kernels_name_for_its_reason),
        TEST(a_drop_has_the_kernels_name_for_its_reason_and_where_it_was_let_go),
        TEST(a_drop_without_a_reason_is_believed_at_tcps_entrance_alone),
        TEST(what_a_rule_rejects_was_sent_before_its_answer),
        TEST(a_captures_own_copy_is_no_packet_of_anybody),
        TEST(the_queues_of_a_listener_are_kept_as_the_kernel_counts_them),
        TEST(a_segment_from_outside_is_a_packet_of_its_network),
        TEST(the_timer_of_a_timewait_socket_keeps_what_it_stood_for),
        TEST(a_request_sockets_timer_has_its_own_name),
        TEST(a_cancelled_timer_keeps_what_was_received_and_the_chain),
        TEST(what_is_too_short_or_unknown_is_no_record),
        TEST(a_chain_is_learned_up_to_where_its_context_begins),
        TEST(a_chain_without_its_end_or_not_in_the_stack_is_not_learned),
        TEST(a_word_that_may_be_the_return_address_is_compared_too),
        TEST(the_same_chain_is_learned_once_and_another_beside_it),
        TEST(a_chain_has_eight_places_and_then_none),
        TEST(a_chain_that_was_taken_for_another_is_counted_and_forgotten),
        TEST(the_innermost_frame_that_decides_says_whether_a_packet_is_received),
        TEST(a_sample_agrees_with_all_frames_up_to_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
