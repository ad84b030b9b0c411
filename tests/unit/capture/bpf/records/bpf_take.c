/* What becomes of the kernel side's records: events, who is followed and alive, and in which network. And one clock of two. */
#include "capture/bpf/bpf_take.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/bpf/bpf_chains.h"
#include "capture/bpf/bpf_record.h"

enum { OWN_CHILD = 100, ATTACHED = 200, MADE = 300, NETWORK = 77, OFFSET_NS = 1000 };

static struct bpf_take take;

static int setup(void **state)
{
    (void)state;
    take = (struct bpf_take){.convert.realtime_offset_ns = OFFSET_NS, .living = table_new(sizeof(pid_t)), .log = event_log_new()};
    take.convert.chains = bpf_chains_new(NULL);
    take.followed.entries = calloc(2, sizeof(*take.followed.entries));
    if (!take.living || !take.log || !take.convert.chains || !take.followed.entries) return -1;
    take.followed.entries[take.followed.count++] = (struct followed_process){.pid = ATTACHED};
    take.followed.entries[take.followed.count++] = (struct followed_process){.pid = OWN_CHILD, .is_child = true};
    take.followed.room = 2;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bpf_chains_free(take.convert.chains);
    free(take.followed.entries);
    free(take.networks.entries);
    table_free(take.living);
    event_log_free(take.log);
    return 0;
}

static struct record_process process(uint32_t change, uint32_t pid, int32_t code)
{
    return (struct record_process){
        .head = {.kind = RECORD_PROCESS, .t_ns = 5, .tid = 9}, .change = change, .pid = pid, .tid = pid, .code = code};
}

static void take_process(uint32_t change, uint32_t pid, int32_t code)
{
    struct record_process record = process(change, pid, code);
    assert_int_equal(bpf_take_record(&take, &record, sizeof(record)), 0);
}

static bool lives(pid_t pid)
{
    return table_get(take.living, &pid);
}

static void who_is_made_lives_until_its_end_is_seen(void **state)
{
    (void)state;
    take_process(PROCESS_FORK, MADE, 0);
    assert_true(lives(MADE));
    take_process(PROCESS_EXEC, MADE, 0);
    assert_true(lives(MADE));
    take_process(PROCESS_EXEC, MADE + 1, 0); /* of whom only that is seen */
    assert_false(lives(MADE + 1));
    take_process(PROCESS_EXIT, MADE, 0);
    assert_false(lives(MADE));
    assert_int_equal(event_log_count(take.log), 4);
    assert_int_equal(event_log_at(take.log, 0)->kind, EVENT_PROCESS);
    assert_int_equal(event_log_at(take.log, 0)->t_ns, 5 + OFFSET_NS);
    assert_int_equal(take.events, 4);
    assert_int_equal(take.drained, 4);
}

/* Of our own child wait(2) says it, after the last of its records; of another the record alone does. */
static void an_end_is_taken_from_its_record_where_wait_does_not_say_it(void **state)
{
    (void)state;
    static const struct {
        pid_t pid;
        int32_t code;
        bool has_ended;
        int status;
    } cases[] = {
        {ATTACHED, 0, true, 0}, {ATTACHED, 7 << 8, true, 7 << 8}, {ATTACHED, 9, true, 9}, {OWN_CHILD, 7 << 8, false, 0},
        {MADE, 0, false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        teardown(NULL), setup(NULL);
        int status = -1;
        take_process(PROCESS_EXIT, (uint32_t)cases[i].pid, cases[i].code);
        if (followed_ended(&take.followed, cases[i].pid, &status) != cases[i].has_ended) fail_msg("case %zu", i);
        if (cases[i].has_ended && status != cases[i].status) fail_msg("case %zu: %d", i, status);
        for (size_t k = 0; k < take.followed.count; k++)
            if (take.followed.entries[k].pid != cases[i].pid && take.followed.entries[k].ended) fail_msg("case %zu: another", i);
    }
}

static void what_is_no_record_is_counted(void **state)
{
    (void)state;
    struct record_process record = process(PROCESS_FORK, MADE, 0);
    assert_int_equal(bpf_take_record(&take, &record, sizeof(record) - 1), 0);
    assert_int_equal(take.malformed, 1);
    record.head.kind = 999;
    assert_int_equal(bpf_take_record(&take, &record, sizeof(record)), 0);
    assert_int_equal(take.malformed, 2);
    struct record_chain chain = {.head = {.kind = RECORD_CHAIN}}; /* no event of its own */
    assert_int_equal(bpf_take_record(&take, &chain, sizeof(chain)), 0);
    assert_int_equal(take.malformed, 2);
    assert_int_equal(take.events, 0);
    assert_int_equal(event_log_count(take.log), 0);
}

/* A host's packets are told from the kernel's records: a network is a vantage, said at its first. */
static void a_segment_is_a_packet_where_a_host_is_watched(void **state)
{
    (void)state;
    struct record_mark mark = {.head = {.kind = RECORD_MARK, .t_ns = 5}, .netns = NETWORK};
    struct record_arrival arrival = {.head = {.kind = RECORD_ARRIVAL, .t_ns = 6}, .netns = NETWORK};
    mark.packet = (struct record_packet){.seq = 7, .protocol = IPPROTO_TCP};
    arrival.packet = (struct record_packet){.seq = 8, .protocol = IPPROTO_TCP};
    assert_int_equal(bpf_take_record(&take, &mark, sizeof(mark)), 0);
    assert_int_equal(event_log_count(take.log), 1);
    assert_int_equal(event_log_at(take.log, 0)->kind, EVENT_MARK);
    take.host_wide = true;
    take_process(PROCESS_FORK, MADE, 0);
    assert_int_equal(event_log_count(take.log), 2); /* no segment */
    assert_int_equal(bpf_take_record(&take, &mark, sizeof(mark)), 0);
    assert_int_equal(bpf_take_record(&take, &arrival, sizeof(arrival)), 0);
    static const enum event_kind expected[] = {EVENT_MARK, EVENT_PROCESS, EVENT_MARK, EVENT_VANTAGE, EVENT_PACKET, EVENT_PACKET};
    assert_int_equal(event_log_count(take.log), sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (event_log_at(take.log, i)->kind != expected[i]) fail_msg("event %zu", i);
    assert_int_equal(event_log_at(take.log, 4)->packet.header.seq, 7); /* the mark's */
    assert_int_equal(event_log_at(take.log, 5)->packet.header.seq, 8);
    assert_int_equal(event_log_at(take.log, 5)->packet.number, 2);
    assert_int_equal(take.events, 4);
}

/* Of a SYN's options Fast Open's is known, by its cookie's bytes; what else `code` says is of another protocol. */
static void the_cookie_of_fast_open_is_known_of_a_whole_hosts_segment(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        uint8_t protocol, code;
        uint32_t present;
        uint8_t bytes;
    } cases[] = {
        {RECORD_MARK, IPPROTO_TCP, 0, 0, 0},
        {RECORD_MARK, IPPROTO_TCP, RECORD_FAST_OPEN, OPTION_FASTOPEN, 0},
        {RECORD_MARK, IPPROTO_TCP, RECORD_FAST_OPEN + 8, OPTION_FASTOPEN, 8},
        {RECORD_MARK, IPPROTO_ICMP, RECORD_FAST_OPEN + 8, 0, 0},
        {RECORD_ARRIVAL, IPPROTO_TCP, 0, 0, 0},
        {RECORD_ARRIVAL, IPPROTO_TCP, RECORD_FAST_OPEN + 16, OPTION_FASTOPEN, 16},
        {RECORD_ARRIVAL, IPPROTO_ICMP, RECORD_FAST_OPEN + 16, 0, 0},
    };
    take.host_wide = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct record_packet packet = {.protocol = cases[i].protocol, .code = cases[i].code};
        struct record_mark mark = {.head = {.kind = RECORD_MARK, .t_ns = 5}, .netns = NETWORK, .packet = packet};
        struct record_arrival arrival = {.head = {.kind = RECORD_ARRIVAL, .t_ns = 6}, .netns = NETWORK, .packet = packet};
        if (cases[i].kind == RECORD_MARK)
            assert_int_equal(bpf_take_record(&take, &mark, sizeof(mark)), 0);
        else
            assert_int_equal(bpf_take_record(&take, &arrival, sizeof(arrival)), 0);
        const struct event *event = event_log_at(take.log, event_log_count(take.log) - 1);
        assert_int_equal(event->kind, EVENT_PACKET);
        if (event->packet.options.present != cases[i].present) fail_msg("case %zu: options", i);
        if (event->packet.options.fastopen_cookie_bytes != cases[i].bytes) fail_msg("case %zu: cookie", i);
    }
}

static struct {
    int asked;
    pid_t tid;
    uint64_t netns;
} told;

static bool entered(void *data, pid_t tid, uint64_t netns)
{
    assert_ptr_equal(data, &told);
    told.asked++, told.tid = tid, told.netns = netns;
    return true;
}

static void a_network_is_told_of_where_it_is_another_than_the_last(void **state)
{
    (void)state;
    static const struct {
        uint32_t netns;
        int asked;
    } cases[] = {{NETWORK, 1}, {NETWORK, 1}, {0, 1}, {NETWORK, 1}, {NETWORK + 1, 2}, {NETWORK, 3}};
    struct record_process record = process(PROCESS_FORK, MADE, 0);
    record.netns = NETWORK;
    assert_int_equal(bpf_take_record(&take, &record, sizeof(record)), 0); /* nobody asks */
    take.entered = entered, take.entered_data = &told, told.asked = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        record.netns = cases[i].netns;
        assert_int_equal(bpf_take_record(&take, &record, sizeof(record)), 0);
        if (told.asked != cases[i].asked) fail_msg("case %zu: %d", i, told.asked);
        if (cases[i].netns && (told.netns != cases[i].netns || told.tid != MADE)) fail_msg("case %zu: another", i);
    }
}

static void a_drain_ends_after_65536_records(void **state)
{
    (void)state;
    struct record_process record = process(PROCESS_EXEC, MADE, 0);
    take.drained = 65534;
    assert_int_equal(bpf_take_record(&take, &record, sizeof(record)), 0);
    assert_int_equal(bpf_take_record(&take, &record, sizeof(record)), -EAGAIN);
    assert_int_equal(take.drained, 65536);
    assert_int_equal(take.failure, 0);
}

static void what_was_missed_is_told_where_there_was_any(void **state)
{
    (void)state;
    static const struct bpf_lost lost[] = {
        {"", "ring full", 0, true}, {"", "32-bit calls", 0, false}, {"no ", "tcp_probe", 1, false}, {"without ", "names", 0, true}};
    static const struct {
        const char *what;
        uint64_t count;
    } expected[] = {{"ring full", 0}, {"no tcp_probe", 1}, {"without names", 0}};
    assert_int_equal(bpf_lost_append(take.log, 9, lost, 4), 0);
    assert_int_equal(event_log_count(take.log), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct event_lost *told_of = &event_log_at(take.log, i)->lost;
        assert_string_equal(told_of->source, "bpf");
        assert_string_equal(told_of->what, expected[i].what);
        assert_int_equal(told_of->count, expected[i].count);
        assert_int_equal(told_of->received, 9);
    }
}

/* ---- one clock ---- */

static void of_several_looks_the_closest_counts(void **state)
{
    (void)state;
    struct bpf_clock clock = {.looks = 0};
    bpf_clock_look(&clock, 100, 5000, 110);
    assert_int_equal(clock.least_ns, 4890);
    assert_int_equal(clock.most_ns, 4900);
    bpf_clock_look(&clock, 200, 5101, 210); /* no closer */
    assert_int_equal(clock.most_ns, 4900);
    bpf_clock_look(&clock, 300, 5202, 309); /* by 1 ns */
    assert_int_equal(clock.least_ns, 4893);
    assert_int_equal(clock.most_ns, 4902);
    bpf_clock_look(&clock, 400, 5300, 420);
    assert_int_equal(clock.most_ns, 4902);
    assert_int_equal(clock.looks, 4);
}

static void inside_its_bounds_an_offset_stays(void **state)
{
    (void)state;
    const struct bpf_clock clock = {.least_ns = 4890, .most_ns = 4900};
    static const struct {
        int64_t before, now;
    } cases[] = {{0, 4895}, {4890, 4890}, {4889, 4890}, {4897, 4897}, {4900, 4900}, {4901, 4900}, {1, 4890}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (bpf_clock_offset(&clock, cases[i].before) != cases[i].now) fail_msg("case %zu", i);
}

int main(void)
{
#define OWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        OWN(who_is_made_lives_until_its_end_is_seen),
        OWN(an_end_is_taken_from_its_record_where_wait_does_not_say_it),
        OWN(what_is_no_record_is_counted),
        OWN(a_segment_is_a_packet_where_a_host_is_watched),
        OWN(the_cookie_of_fast_open_is_known_of_a_whole_hosts_segment),
        OWN(a_network_is_told_of_where_it_is_another_than_the_last),
        OWN(a_drain_ends_after_65536_records),
        OWN(what_was_missed_is_told_where_there_was_any),
        cmocka_unit_test(of_several_looks_the_closest_counts),
        cmocka_unit_test(inside_its_bounds_an_offset_stays),
    };
    return cmocka_run_group_tests_name("bpf_take", tests, NULL, NULL);
}
