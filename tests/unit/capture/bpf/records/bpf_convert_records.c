/* Each kind of record, and the event that it becomes. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "bpf_convert_own.h"

void the_device_below_a_device_makes_no_second_mark(void **state)
{
    struct record_mark mark =
        mark_in(*state, STACK("__dev_queue_xmit", "vlan_dev_hard_start_xmit", "dev_hard_start_xmit", "__dev_queue_xmit"));
    /* The receiver's answer on loopback, on top of the sender's transmission, is a mark of its own. */
    struct record_mark answer =
        mark_in(*state, STACK("__dev_queue_xmit", "tcp_v4_rcv", "__netif_receive_skb_one_core", "dev_hard_start_xmit"));
    struct event event;

    assert_int_equal(convert(*state, &mark, &event), 0);
    assert_int_equal(convert(*state, &answer, &event), 1);
}

void a_child_of_a_listener_takes_its_addresses_from_the_segment_that_made_it(void **state)
{
    struct fixture *fixture = *state;
    struct record_state born = {
        .head = {.kind = RECORD_STATE},
        .from = KERNEL_LISTEN,
        .to = KERNEL_SYN_RECV,
        .socket = {.id = 3, .protocol = IPPROTO_TCP, .local = {{0}, 3333, 4, 0}},
        .context = {.receiving = 1,
                    .received = {.protocol = IPPROTO_TCP, .src = {{10, 0, 0, 1}, 40000, 4, 0}, .dst = {{10, 0, 0, 2}, 3333, 4, 0}}},
    };
    struct event event;

    assert_int_equal(bpf_convert_record(&fixture->convert, &born, sizeof(born), fixture->log, &event), 1);
    assert_int_equal(event.state.socket.local.ip[3], 2);
    assert_int_equal(event.state.socket.remote.port, 40000);
    /* A packet to another port made no child here. */
    born.context.received.dst.port = 22;
    assert_int_equal(bpf_convert_record(&fixture->convert, &born, sizeof(born), fixture->log, &event), 1);
    assert_int_equal(event.state.socket.remote.version, 0);
}

void an_address_without_anything_is_no_address(void **state)
{
    struct fixture *fixture = *state;
    struct record_call enter = {
        .head = {.kind = RECORD_ENTER},
        .number = SYS_connect,
        .socket = {.id = 1, .protocol = IPPROTO_TCP, .local = {{0}, 0, 4, 0}, .remote = {{127, 0, 0, 1}, 0, 4, 0}},
    };
    struct event event;

    assert_int_equal(bpf_convert_record(&fixture->convert, &enter, sizeof(enter), fixture->log, &event), 1);
    assert_int_equal(event.call.socket.local.version, 0);
    assert_int_equal(event.call.socket.remote.version, 0);
    assert_string_equal(event.call.name, "connect");
}

/* The ring is not cleared before it is written again. */
void what_epoll_gives_back_names_no_socket(void **state)
{
    struct fixture *fixture = *state;
    struct record_call call = {
        .head = {.kind = RECORD_EXIT},
        .number = SYS_epoll_pwait,
        .args = {3, 0x7f00, 16, (__u64)-1, 0},
        .ret = 1,
        .watch_count = 1,
        .watch_total = 1,
        .watch = {{.id = 16777343, .data = 9, .events = 4}},
    };
    struct event event;

    assert_int_equal(bpf_convert_record(&fixture->convert, &call, sizeof(call), fixture->log, &event), 1);
    assert_int_equal(event.call.watch_count, 1);
    assert_int_equal(event.call.watch[0].cookie, 0);
    assert_int_equal(event.call.watch[0].data, 9);
    call.number = SYS_ppoll; /* which says whose they are */
    assert_int_equal(bpf_convert_record(&fixture->convert, &call, sizeof(call), fixture->log, &event), 1);
    assert_int_equal(event.call.watch[0].cookie, 16777343);
    call.head.kind = RECORD_ENTER;
    call.number = SYS_epoll_ctl;
    assert_int_equal(bpf_convert_record(&fixture->convert, &call, sizeof(call), fixture->log, &event), 1);
    assert_int_equal(event.call.watch[0].cookie, 16777343);
}

void an_ended_process_has_a_status_or_a_signal(void **state)
{
    struct fixture *fixture = *state;
    struct record_process process = {.head = {.kind = RECORD_PROCESS}, .change = PROCESS_EXIT, .code = 3 << 8};
    struct event event;

    assert_int_equal(bpf_convert_record(&fixture->convert, &process, sizeof(process), fixture->log, &event), 1);
    assert_int_equal(event.process.status, 3);
    assert_int_equal(event.process.signal, 0);
    process.code = 11 | 0x80; /* SIGSEGV, with a core */
    assert_int_equal(bpf_convert_record(&fixture->convert, &process, sizeof(process), fixture->log, &event), 1);
    assert_int_equal(event.process.status, -1);
    assert_int_equal(event.process.signal, 11);
}

void a_reset_has_the_kernels_name_for_its_reason(void **state)
{
    struct fixture *fixture = *state;
    struct record_reset reset = {.head = {.kind = RECORD_RESET}, .sent = 1, .has_reason = 1, .reason = 1};
    struct event event;

    strcpy(fixture->convert.reasons[1], "NO_SOCKET");
    assert_int_equal(bpf_convert_record(&fixture->convert, &reset, sizeof(reset), fixture->log, &event), 1);
    assert_string_equal(event.reset.reason, "NO_SOCKET");
    reset.reason = BPF_REASONS_MAX;
    assert_int_equal(bpf_convert_record(&fixture->convert, &reset, sizeof(reset), fixture->log, &event), 1);
    assert_string_equal(event.reset.reason, "");
}

void a_drop_has_the_kernels_name_for_its_reason_and_where_it_was_let_go(void **state)
{
    struct fixture *fixture = *state;
    struct record_drop drop = {.head = {.kind = RECORD_DROP, .t_ns = 5}, .has_reason = 1, .reason = 12, .netns = 9, .outgoing = 1};
    struct event event;

    strcpy(fixture->convert.drops[12], "NETFILTER_DROP");
    drop.location = inside("tcp_v4_rcv");
    drop.packet = (struct record_packet){.protocol = IPPROTO_TCP, .flags = TCP_SYN, .seq = 7};
    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
    assert_int_equal(event.kind, EVENT_DROP);
    assert_string_equal(event.drop.reason, "NETFILTER_DROP");
    assert_string_equal(event.drop.function, "tcp_v4_rcv");
    assert_int_equal(event.drop.header.seq, 7);
    assert_int_equal(event.drop.netns, 9);
    assert_true(event.drop.outgoing);
    drop.reason = 65537; /* of a subsystem, whose names stand elsewhere */
    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
    assert_string_equal(event.drop.reason, "65537");
}

void a_drop_without_a_reason_is_believed_at_tcps_entrance_alone(void **state)
{
    struct fixture *fixture = *state;
    struct record_drop drop = {.head = {.kind = RECORD_DROP}, .location = inside("tcp_v4_rcv")};
    struct event event;

    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
    assert_string_equal(event.drop.reason, "");
    drop.location = inside("__release_sock");
    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 0);
    fixture->convert.symbols = NULL;
    drop.location = inside("tcp_v4_rcv");
    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 0);
}

void what_a_rule_rejects_was_sent_before_its_answer(void **state)
{
    enum { AT_ONCE_NS = 5000000 };
    const struct record_address here = {{10, 0, 0, 1}, 40000, 4, 0}, there = {{10, 0, 0, 2}, 80, 4, 0};
    struct fixture *fixture = *state;
    const struct record_mark reset = {.head = {.kind = RECORD_MARK, .t_ns = 100, .tid = 7},
                                      .packet = {.protocol = IPPROTO_TCP, .flags = TCP_RST, .src = there, .dst = here}};
    const struct record_mark error = {
        .head = {.kind = RECORD_MARK, .t_ns = 200, .tid = 7},
        .packet = {.protocol = IPPROTO_ICMP, .quoted_protocol = IPPROTO_TCP, .quoted_src = here, .quoted_dst = there}};
    const struct record_drop rejected = {.head = {.kind = RECORD_DROP, .t_ns = 250, .tid = 7},
                                         .packet = {.protocol = IPPROTO_TCP, .flags = TCP_SYN, .src = here, .dst = there},
                                         .socket = {.id = 3, .protocol = IPPROTO_TCP},
                                         .has_reason = 1,
                                         .reason = 1,
                                         .outgoing = 1};
    struct record_drop drop = rejected;
    struct event event;
    int64_t offset_ns = fixture->convert.realtime_offset_ns;

    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
    assert_int_equal(event.t_ns, 250 + offset_ns); /* nothing was answered yet */
    assert_int_equal(event.drop.socket.cookie, 3);
    assert_int_equal(bpf_convert_record(&fixture->convert, &reset, sizeof(reset), fixture->log, &event), 1);
    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
    assert_int_equal(event.t_ns, 99 + offset_ns);
    assert_int_equal(bpf_convert_record(&fixture->convert, &error, sizeof(error), fixture->log, &event), 1);
    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
    assert_int_equal(event.t_ns, 199 + offset_ns);
    drop.head.t_ns = 200 + AT_ONCE_NS;
    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
    assert_int_equal(event.t_ns, 199 + offset_ns);
    drop.head.t_ns++;
    assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
    assert_int_equal(event.t_ns, 201 + AT_ONCE_NS + offset_ns);
    /* Another thread's; of another port; that came in. */
    for (int other = 0; other < 3; other++) {
        drop = rejected;
        if (other == 0) drop.head.tid = 8;
        if (other == 1) drop.packet.src.port = 40001;
        if (other == 2) drop.outgoing = 0;
        assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 1);
        assert_int_equal(event.t_ns, 250 + offset_ns);
    }
}

void a_captures_own_copy_is_no_packet_of_anybody(void **state)
{
    struct fixture *fixture = *state;
    static const char *const functions[] = {"packet_rcv", "tpacket_rcv", "packet_rcv_fanout", "packet_rcv_spkt"};
    struct event event;

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        struct record_drop drop = {.head = {.kind = RECORD_DROP}, .has_reason = 1, .reason = 106, .location = inside(functions[i])};
        assert_int_equal(bpf_convert_record(&fixture->convert, &drop, sizeof(drop), fixture->log, &event), 0);
    }
}

void the_queues_of_a_listener_are_kept_as_the_kernel_counts_them(void **state)
{
    struct fixture *fixture = *state;
    struct record_queue queue = {
        .head = {.kind = RECORD_QUEUE}, .accept_length = 2, .accept_most = 1, .request_length = 3, .dropped = 1, .netns = 9};
    struct event event;

    queue.socket = (struct record_socket){.id = 4, .protocol = IPPROTO_TCP, .state = KERNEL_LISTEN};
    assert_int_equal(bpf_convert_record(&fixture->convert, &queue, sizeof(queue), fixture->log, &event), 1);
    assert_int_equal(event.kind, EVENT_QUEUE);
    assert_int_equal(event.queue.accept_length, 2);
    assert_int_equal(event.queue.accept_most, 1);
    assert_int_equal(event.queue.request_length, 3);
    assert_int_equal(event.queue.socket.cookie, 4);
    assert_true(event.queue.dropped);
    assert_int_equal(bpf_convert_record(&fixture->convert, &queue, sizeof(queue) - 1, fixture->log, &event), -EINVAL);
}

void a_segment_from_outside_is_a_packet_of_its_network(void **state)
{
    struct fixture *fixture = *state;
    struct record_arrival arrival = {.head = {.kind = RECORD_ARRIVAL, .t_ns = 5}, .netns = 9};
    struct event event;

    arrival.packet = (struct record_packet){.seq = 7, .flags = TCP_SYN, .protocol = IPPROTO_TCP, .length_bytes = 3};
    assert_int_equal(bpf_convert_record(&fixture->convert, &arrival, sizeof(arrival), fixture->log, &event), 1);
    assert_int_equal(event.kind, EVENT_PACKET);
    assert_int_equal(event.packet.vantage, 9);
    assert_int_equal(event.packet.header.seq, 7);
    assert_int_equal(event.packet.header.flags, TCP_SYN);
    assert_int_equal(event.packet.header.length_bytes, 3);
    assert_int_equal(bpf_convert_record(&fixture->convert, &arrival, sizeof(arrival) - 1, fixture->log, &event), -EINVAL);
}

void the_timer_of_a_timewait_socket_keeps_what_it_stood_for(void **state)
{
    struct fixture *fixture = *state;
    struct record_timer timer = {.head = {.kind = RECORD_TIMER, .t_ns = 5}, .netns = 9};
    struct event event;

    timer.socket = (struct record_socket){.id = 7, .protocol = IPPROTO_TCP, .state = KERNEL_FIN_WAIT2};
    timer.socket.local = (struct record_address){.ip = {127, 0, 0, 1}, .port = 40000, .version = 4};
    assert_int_equal(bpf_convert_record(&fixture->convert, &timer, sizeof(timer), fixture->log, &event), 1);
    assert_int_equal(event.kind, EVENT_TIMER);
    assert_int_equal(event.t_ns, 1005);
    assert_string_equal(event.timer.function, "tw_timer_handler");
    assert_int_equal(event.timer.socket.cookie, 7);
    assert_int_equal(event.timer.socket.state, KERNEL_FIN_WAIT2);
    assert_int_equal(event.timer.socket.local.port, 40000);
    assert_int_equal(event.timer.netns, 9);
    assert_int_equal(bpf_convert_record(&fixture->convert, &timer, sizeof(timer) - 1, fixture->log, &event), -EINVAL);
}

void a_request_sockets_timer_has_its_own_name(void **state)
{
    struct fixture *fixture = *state;
    struct record_timer timer = {.head = {.kind = RECORD_TIMER}, .timer = RECORD_TIMER_REQUEST};
    struct event event;

    timer.socket = (struct record_socket){.protocol = IPPROTO_TCP, .state = KERNEL_NEW_SYN_RECV};
    assert_int_equal(bpf_convert_record(&fixture->convert, &timer, sizeof(timer), fixture->log, &event), 1);
    assert_string_equal(event.timer.function, "reqsk_timer_handler");
    assert_int_equal(event.timer.socket.state, KERNEL_NEW_SYN_RECV);
    assert_false(event.timer.cancelled);
}

void a_cancelled_timer_keeps_what_was_received_and_the_chain(void **state)
{
    struct fixture *fixture = *state;
    struct record_cancel cancel = {.head = {.kind = RECORD_CANCEL, .t_ns = 5}, .timer = RECORD_TIMER_TIMEWAIT, .netns = 9};
    struct event event;

    cancel.socket = (struct record_socket){.id = 7, .protocol = IPPROTO_TCP, .state = KERNEL_TIME_WAIT};
    cancel.context = (struct record_context){.receiving = 1, .softirq = 1, .received = {.protocol = IPPROTO_TCP, .flags = TCP_RST}};
    cancel.context.sample = mark_in(fixture, STACK("tcp_v4_rcv", "__netif_receive_skb_one_core")).context.sample;
    assert_int_equal(bpf_convert_record(&fixture->convert, &cancel, sizeof(cancel), fixture->log, &event), 1);
    assert_int_equal(event.kind, EVENT_TIMER);
    assert_int_equal(event.t_ns, 1005);
    assert_true(event.timer.cancelled);
    assert_string_equal(event.timer.function, "tw_timer_handler");
    assert_int_equal(event.timer.socket.cookie, 7);
    assert_int_equal(event.timer.netns, 9);
    assert_true(event.timer.context.receiving);
    assert_int_equal(event.timer.context.received.flags, TCP_RST);
    assert_int_equal(event.timer.context.chain->count, 2);
    /* A timer that expires in the midst of it: then that segment did not. */
    cancel.context.sample = mark_in(fixture, STACK("__run_timers", "__netif_receive_skb_one_core")).context.sample;
    assert_int_equal(bpf_convert_record(&fixture->convert, &cancel, sizeof(cancel), fixture->log, &event), 1);
    assert_false(event.timer.context.receiving);
    assert_int_equal(bpf_convert_record(&fixture->convert, &cancel, sizeof(cancel) - 1, fixture->log, &event), -EINVAL);
}

void what_is_too_short_or_unknown_is_no_record(void **state)
{
    struct fixture *fixture = *state;
    struct record_mark mark = mark_in(fixture, STACK("__dev_queue_xmit"));
    struct record_chain chain = chain_in(1, STACK("__dev_queue_xmit"));
    struct event event;

    assert_int_equal(bpf_convert_record(&fixture->convert, &mark, sizeof(mark), fixture->log, &event), 1);
    assert_int_equal(bpf_convert_record(&fixture->convert, &mark, sizeof(mark) - 1, fixture->log, &event), -EINVAL);
    assert_int_equal(bpf_convert_record(&fixture->convert, &mark, 3, fixture->log, &event), -EINVAL);
    assert_int_equal(bpf_convert_record(&fixture->convert, &chain, sizeof(chain) - 1, fixture->log, &event), -EINVAL);
    chain.stack_bytes = sizeof(chain.stack) + 8; /* more than is there */
    assert_int_equal(bpf_convert_record(&fixture->convert, &chain, sizeof(chain), fixture->log, &event), -EINVAL);
    chain.stack_bytes = 8;
    chain.word_count = RECORD_WORDS_MAX + 1;
    assert_int_equal(bpf_convert_record(&fixture->convert, &chain, sizeof(chain), fixture->log, &event), -EINVAL);
    mark.head.kind = 0;
    assert_int_equal(convert(fixture, &mark, &event), -EINVAL);
    mark.head.kind = RECORD_CHAIN + 1;
    assert_int_equal(convert(fixture, &mark, &event), -EINVAL);
}
