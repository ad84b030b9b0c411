/* Records at the bounds of what they may hold, and what ICMP errors of a whole host name. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/bpf/bpf_convert.h"
#include "capture/bpf/bpf_record.h"

static void an_icmp_error_names_an_mtu_where_its_kind_has_one(void **state)
{
    (void)state;
    static const struct {
        uint8_t protocol, type, code;
        uint32_t mtu;
    } cases[] = {
        {IPPROTO_ICMP, 3, 4, 1400}, /* fragmentation needed: RFC 1191 */
        {IPPROTO_ICMP, 3, 3, 0},    {IPPROTO_ICMP, 2, 4, 0},      {IPPROTO_ICMP, 4, 4, 0},
        {IPPROTO_ICMP, 2, 0, 0},    {IPPROTO_ICMPV6, 2, 0, 1400}, /* packet too big: RFC 4443 */
        {IPPROTO_ICMPV6, 3, 4, 0},  {IPPROTO_ICMPV6, 1, 4, 0},
    };
    struct bpf_convert convert = {.realtime_offset_ns = 1000};
    struct event_log *log = event_log_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_arrival arrival = {.head = {.kind = RECORD_ARRIVAL, .t_ns = 5}, .netns = 9};
        struct event event;
        arrival.packet = (struct record_packet){.protocol = cases[i].protocol,
                                                .flags = cases[i].type,
                                                .code = cases[i].code,
                                                .quoted_protocol = IPPROTO_TCP,
                                                .quoted_src = {{127, 0, 0, 1}, 40000, 4, 0},
                                                .quoted_dst = {{127, 0, 0, 2}, 3333, 4, 0},
                                                .seq = 77,
                                                .window = 1400};
        assert_int_equal(bpf_convert_record(&convert, &arrival, sizeof(arrival), log, &event), 1);
        assert_true(event.packet.icmp.quotes);
        assert_int_equal(event.packet.icmp.type, cases[i].type);
        assert_int_equal(event.packet.icmp.code, cases[i].code);
        assert_int_equal(event.packet.icmp.protocol, IPPROTO_TCP);
        assert_int_equal(event.packet.icmp.src.port, 40000);
        assert_int_equal(event.packet.icmp.dst.port, 3333);
        assert_int_equal(event.packet.icmp.seq, 77);
        assert_int_equal(event.packet.icmp.mtu, cases[i].mtu);
    }
    event_log_free(log);
}

static void a_chain_may_fill_its_record_and_no_more(void **state)
{
    (void)state;
    static const struct record_chain full = {.head = {.kind = RECORD_CHAIN},
                                             .signature = 1,
                                             .stack_bytes = (int)sizeof(full.stack),
                                             .word_count = RECORD_WORDS_MAX,
                                             .known = RECORD_KNOWN_MAX};
    struct record_known *known = calloc(RECORD_KNOWN_MAX, sizeof(*known));
    struct bpf_convert convert = {.chains = bpf_chains_new(known)};
    struct event_log *log = event_log_new();
    struct record_chain chain = full;
    struct event event;
    assert_non_null(convert.chains);
    assert_int_equal(bpf_convert_record(&convert, &chain, sizeof(chain), log, &event), 0);
    chain.stack_bytes += 1;
    assert_int_equal(bpf_convert_record(&convert, &chain, sizeof(chain), log, &event), -EINVAL);
    chain = full;
    chain.word_count += 1;
    assert_int_equal(bpf_convert_record(&convert, &chain, sizeof(chain), log, &event), -EINVAL);
    chain = full;
    chain.known += 1;
    assert_int_equal(bpf_convert_record(&convert, &chain, sizeof(chain), log, &event), -EINVAL);
    bpf_chains_free(convert.chains);
    event_log_free(log);
    free(known);
}

/* What one record becomes; it needs no symbols. */
static struct event converted(struct bpf_convert *convert, const void *record, size_t bytes)
{
    struct event_log *log = event_log_new();
    struct event event;
    assert_non_null(log);
    convert->chains = bpf_chains_new(NULL);
    assert_non_null(convert->chains);
    assert_int_equal(bpf_convert_record(convert, record, bytes, log, &event), 1);
    bpf_chains_free(convert->chains);
    event_log_free(log);
    return event;
}

/* The table ends with the reasons of the running kernel; a number behind it has no name. */
static void a_reason_beyond_the_table_has_no_name(void **state)
{
    (void)state;
    static const struct {
        uint32_t reason, has_reason;
        const char *reset, *drop;
    } cases[] = {
        {BPF_REASONS_MAX - 1, 1, "LAST_RESET", "SOME_DROP"},
        {BPF_REASONS_MAX - 1, 0, "", NULL}, /* a drop without a reason is told at TCP's entrance alone */
        {BPF_REASONS_MAX, 1, "", "64"},
        {BPF_DROPS_MAX - 1, 1, "", "LAST_DROP"},
        {BPF_DROPS_MAX, 1, "", "256"},
    };
    static struct bpf_convert convert;
    strcpy(convert.reasons[BPF_REASONS_MAX - 1], "LAST_RESET");
    strcpy(convert.drops[BPF_REASONS_MAX - 1], "SOME_DROP");
    strcpy(convert.drops[BPF_DROPS_MAX - 1], "LAST_DROP");
    strcpy(convert.drops[0], "FIRST_DROP"); /* behind the one table stands the other, */
    convert.tick_ns = 4000000;              /* and behind that some bytes that are no name */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct record_reset reset = {
            .head.kind = RECORD_RESET, .reason = cases[i].reason, .has_reason = cases[i].has_reason, .sent = cases[i].has_reason};
        struct event event = converted(&convert, &reset, sizeof(reset));
        assert_string_equal(event.reset.reason, cases[i].reset);
        assert_int_equal(event.reset.sent, cases[i].has_reason);
        const struct record_drop drop = {
            .head.kind = RECORD_DROP, .reason = cases[i].reason, .has_reason = cases[i].has_reason != 0};
        if (!cases[i].drop) continue;
        event = converted(&convert, &drop, sizeof(drop));
        assert_string_equal(event.drop.reason, cases[i].drop);
    }
}

/* A child of a listener is a copy of it in that one step: in any other what is being received may be another socket's. */
static void only_a_child_of_a_listener_takes_over_what_is_received(void **state)
{
    (void)state;
    enum { ESTABLISHED = 1, SYN_SENT = 2, SYN_RECV = 3, CLOSE = 7, LISTEN = 10 };
    static const struct {
        uint8_t from, to, receiving;
        uint16_t port, remote;
    } cases[] = {
        {LISTEN, SYN_RECV, 1, 3333, 40000}, {LISTEN, SYN_RECV, 1, 3334, 9},   {LISTEN, SYN_RECV, 0, 3333, 9},
        {LISTEN, CLOSE, 1, 3333, 9},        {SYN_SENT, SYN_RECV, 1, 3333, 9}, {SYN_RECV, ESTABLISHED, 1, 3333, 9},
    };
    struct bpf_convert convert = {.realtime_offset_ns = 0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_state record = {.head.kind = RECORD_STATE, .from = cases[i].from, .to = cases[i].to};
        record.socket.local = (struct record_address){{127, 0, 0, 1}, 3333, 4, 0};
        record.socket.remote = (struct record_address){{127, 0, 0, 1}, 9, 4, 0};
        record.context.receiving = cases[i].receiving;
        record.context.received.protocol = IPPROTO_TCP;
        record.context.received.src = (struct record_address){{127, 0, 0, 1}, 40000, 4, 0};
        record.context.received.dst = (struct record_address){{127, 0, 0, 1}, cases[i].port, 4, 0};
        struct event event = converted(&convert, &record, sizeof(record));
        if (event.state.socket.remote.port != cases[i].remote) fail_msg("case %zu", i);
    }
}

static void what_a_record_of_a_call_holds_is_all_taken(void **state)
{
    (void)state;
    struct bpf_convert convert = {.realtime_offset_ns = 0};
    struct record_call record = {.head.kind = RECORD_EXIT, .wake_unseen = 1, .watch_count = 2};
    record.socket.local = (struct record_address){{[15] = 1}, 3333, 6, 0};
    record.watch[1].data = 77;
    struct event event = converted(&convert, &record, sizeof(record));
    assert_true(event.call.wake_unseen);
    assert_int_equal(event.call.watch_count, 2);
    assert_int_equal(event.call.watch[1].data, 77);
    assert_int_equal(event.call.socket.local.version, 6);
    assert_int_equal(event.call.socket.local.ip[15], 1);
    record.socket.netns = 9;
    for (int ret = -1; ret <= 1; ret++) {
        record.ret = ret;
        assert_int_equal(converted(&convert, &record, sizeof(record)).call.socket.netns, ret < 0 ? 9 : 0);
    }
    record.wake_unseen = 0;
    record.watch_count = EVENT_WATCH_MAX + 1;
    event = converted(&convert, &record, sizeof(record));
    assert_false(event.call.wake_unseen);
    assert_int_equal(event.call.watch_count, EVENT_WATCH_MAX);
    const struct record_resend resends[] = {{.head.kind = RECORD_RESEND, .synack = 0}, {.head.kind = RECORD_RESEND, .synack = 1}};
    for (size_t i = 0; i < 2; i++) assert_int_equal(converted(&convert, &resends[i], sizeof(resends[i])).resend.synack, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_icmp_error_names_an_mtu_where_its_kind_has_one),
        cmocka_unit_test(a_chain_may_fill_its_record_and_no_more),
        cmocka_unit_test(a_reason_beyond_the_table_has_no_name),
        cmocka_unit_test(only_a_child_of_a_listener_takes_over_what_is_received),
        cmocka_unit_test(what_a_record_of_a_call_holds_is_all_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
