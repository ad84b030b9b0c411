/* Small pieces of the BPF recorder: how full the ring is, when a packet was answered, which chain an event belongs to. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/bpf/bpf_answer.h"
#include "capture/bpf/bpf_chains.h"
#include "capture/bpf/bpf_convert.h"
#include "capture/bpf/bpf_fill.h"
#include "capture/bpf/kernel_symbols.h"

/* The ring's first two pages say how much was taken and written: here they are a file's in memory. */
static void a_ring_is_as_full_as_what_was_written_and_not_taken(void **state)
{
    (void)state;
    static const struct {
        unsigned long taken, written;
        unsigned percent;
    } cases[] = {{0, 0, 0}, {0, 4096, 100}, {0, 2048, 50}, {5000, 5041, 1}, {5000, 5040, 0}, {5000, 9095, 99}};
    long page = sysconf(_SC_PAGESIZE);
    int fd = memfd_create("ring", MFD_CLOEXEC);
    struct bpf_fill fill = {NULL, NULL, 0};
    assert_int_equal(ftruncate(fd, 2 * page), 0);
    assert_int_equal(bpf_fill_map(&fill, fd, 4096), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pwrite(fd, &cases[i].taken, sizeof(long), 0), sizeof(long));
        assert_int_equal(pwrite(fd, &cases[i].written, sizeof(long), page), sizeof(long));
        if (bpf_fill_percent(&fill) != cases[i].percent) fail_msg("case %zu: %u", i, bpf_fill_percent(&fill));
    }
    bpf_fill_unmap(&fill);
    assert_null(fill.taken);
    close(fd);
    assert_int_equal(bpf_fill_map(&fill, fd, 4096), -EBADF);
    assert_null(fill.written);
}

/* An answer is a RST, or an error that quotes TCP; what it answers is let go at once, in the same thread, on its way out. */
static void what_is_answered_was_sent_right_before_its_answer(void **state)
{
    (void)state;
    enum { AT_ONCE_NS = 5000000, THREAD = 7, ANSWERED_NS = 100 };
    const struct record_address here = {{10, 0, 0, 1}, 40000, 4, 0}, there = {{10, 0, 0, 2}, 80, 4, 0};
    static const struct {
        const char *name;
        uint8_t protocol, flags, quoted;
        uint64_t dropped_ns;
        uint64_t told_ns;
    } cases[] = {
        {"a RST", IPPROTO_TCP, TCP_RST, 0, 150, 99},
        {"at the same time", IPPROTO_TCP, TCP_RST, 0, 100, 99},
        {"earlier", IPPROTO_TCP, TCP_RST, 0, 98, 98},
        {"not at once any more", IPPROTO_TCP, TCP_RST, 0, ANSWERED_NS + AT_ONCE_NS + 1, ANSWERED_NS + AT_ONCE_NS + 1},
        {"the last moment", IPPROTO_TCP, TCP_RST, 0, ANSWERED_NS + AT_ONCE_NS, 99},
        {"TCP, and no RST", IPPROTO_TCP, TCP_ACK, 0, 150, 150},
        {"UDP, whose flags are none", IPPROTO_UDP, TCP_RST, 0, 150, 150},
        {"an error that quotes TCP", IPPROTO_ICMP, 3, IPPROTO_TCP, 150, 99},
        {"an error that quotes UDP", IPPROTO_ICMP, 3, IPPROTO_UDP, 150, 150},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bpf_answer answer = {.t_ns = 0};
        struct record_mark mark = {.head = {.t_ns = ANSWERED_NS, .tid = THREAD}};
        struct record_drop drop = {.head = {.t_ns = cases[i].dropped_ns, .tid = THREAD}, .outgoing = 1};
        mark.packet = (struct record_packet){.protocol = cases[i].protocol, .flags = cases[i].flags, .src = there, .dst = here};
        mark.packet.quoted_protocol = cases[i].quoted;
        mark.packet.quoted_src = here, mark.packet.quoted_dst = there;
        drop.packet = (struct record_packet){.protocol = IPPROTO_TCP, .src = here, .dst = there};
        bpf_answer_note(&answer, &mark);
        if (bpf_answer_time(&answer, &drop) != cases[i].told_ns) fail_msg("%s", cases[i].name);
    }
    /* Each end has to be that of the answer. */
    for (int part = 0; part < 6; part++) {
        struct bpf_answer answer = {.t_ns = 0};
        struct record_mark mark = {.head = {.t_ns = ANSWERED_NS, .tid = THREAD},
                                   .packet = {.protocol = IPPROTO_TCP, .flags = TCP_RST, .src = there, .dst = here}};
        struct record_drop drop = {.head = {.t_ns = 150, .tid = THREAD}, .outgoing = 1, .packet = {.src = here, .dst = there}};
        struct record_address *end = part % 2 ? &drop.packet.src : &drop.packet.dst;
        if (part / 2 == 0) end->port++;
        if (part / 2 == 1) end->ip[3]++;
        if (part / 2 == 2) end->version = 6;
        bpf_answer_note(&answer, &mark);
        if (bpf_answer_time(&answer, &drop) != 150) fail_msg("part %d", part);
    }
}

/* ---- chains ---- */

static const char functions[] = "1000 t bpf_trace_run1\n2000 t __dev_queue_xmit\n3000 t dev_hard_start_xmit\n4000 t tcp_v4_rcv\n"
                                "5000 t __netif_receive_skb_core\n6000 t ip_output\n";
enum { TRACING = 0x1008, QUEUE = 0x2008, XMIT = 0x3008, RECEIVE = 0x4008, CORE = 0x5008, OUTPUT = 0x6008, UNKNOWN = 0x10 };

static struct bpf_chain told_of(struct bpf_chains *chains, struct event_log *log, uint64_t sample)
{
    struct record_context context = {.sample = sample};
    return bpf_chains_find(chains, &context, log);
}

static void a_chain_begins_behind_what_took_it(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t stack[4];
        size_t frames;
        uint16_t count; /* of the chain that is told */
        const char *first;
        bool is_stacked, receives;
    } cases[] = {
        {"nothing", {0}, 0, 0, NULL, false, false},
        {"what took it alone", {TRACING}, 1, 0, NULL, false, false},
        {"and one more", {TRACING, QUEUE}, 2, 1, "__dev_queue_xmit", false, false},
        {"a program without a name before it", {UNKNOWN, TRACING, QUEUE}, 3, 1, "__dev_queue_xmit", false, false},
        {"a function without a name", {UNKNOWN, QUEUE}, 2, 2, "?", false, false},
        {"a device below a device, the last of it", {QUEUE, XMIT}, 2, 2, "__dev_queue_xmit", true, false},
        {"one that receives on its way", {QUEUE, CORE, XMIT}, 3, 3, "__dev_queue_xmit", false, true},
        {"one that receives, the last of it", {QUEUE, OUTPUT, CORE}, 3, 3, "__dev_queue_xmit", false, true},
    };
    struct kernel_symbols *symbols = NULL;
    struct err err = {{0}};
    assert_int_equal(kernel_symbols_parse(&symbols, functions, sizeof(functions) - 1, &err), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bpf_chains *chains = bpf_chains_new(NULL);
        struct event_log *log = event_log_new();
        struct record_chain chain;
        memset(&chain, 0, sizeof(chain));
        chain.sample = 9;
        chain.stack_bytes = (int)(cases[i].frames * sizeof(chain.stack[0]));
        for (size_t k = 0; k < cases[i].frames; k++) chain.stack[k] = cases[i].stack[k];
        bpf_chains_take(chains, symbols, &chain, log);
        struct bpf_chain told = told_of(chains, log, 9);
        if ((told.chain ? told.chain->count : 0) != cases[i].count) fail_msg("%s: count", cases[i].name);
        if (cases[i].first) assert_string_equal(told.chain->names[0], cases[i].first);
        if (told.is_stacked_device != cases[i].is_stacked) fail_msg("%s: stacked", cases[i].name);
        if (told.receives != cases[i].receives) fail_msg("%s: receives", cases[i].name);
        assert_int_equal(bpf_chains_counts(chains).unnamed, 0);
        bpf_chains_free(chains);
        event_log_free(log);
    }
    kernel_symbols_free(symbols);
}

/* Each record comes soon after its own chain: the last 64 are kept. */
static void an_event_has_the_chain_of_its_number(void **state)
{
    (void)state;
    enum { KEPT = 64 };
    struct kernel_symbols *symbols = NULL;
    struct err err = {{0}};
    struct bpf_chains *chains = bpf_chains_new(NULL);
    struct event_log *log = event_log_new();
    struct record_chain chain;
    memset(&chain, 0, sizeof(chain));
    assert_int_equal(kernel_symbols_parse(&symbols, functions, sizeof(functions) - 1, &err), 0);
    chain.stack[0] = QUEUE;
    bpf_chains_take(chains, NULL, &chain, log); /* empty: nobody misses its names */
    assert_int_equal(bpf_chains_counts(chains).unnamed, 0);
    chain.stack_bytes = sizeof(chain.stack[0]);
    for (uint64_t n = 1; n <= KEPT; n++) {
        chain.sample = n;
        bpf_chains_take(chains, symbols, &chain, log);
    }
    assert_non_null(told_of(chains, log, 1).chain);
    assert_non_null(told_of(chains, log, KEPT).chain);
    assert_null(told_of(chains, log, KEPT + 1).chain);
    assert_null(told_of(chains, log, 0).chain); /* none was taken for it */
    chain.sample = KEPT + 1;
    bpf_chains_take(chains, symbols, &chain, log);
    assert_null(told_of(chains, log, 1).chain);
    assert_non_null(told_of(chains, log, 2).chain);
    bpf_chains_take(chains, NULL, &chain, log);
    assert_int_equal(bpf_chains_counts(chains).unnamed, 1);
    bpf_chains_free(chains);
    event_log_free(log);
    kernel_symbols_free(symbols);
}

/* A path is cut at what a record holds of it; more than that is not there. */
static void an_argument_is_as_long_as_its_record_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t bytes;
        bool is_there;
    } cases[] = {{1, true}, {128, true}, {129, false}};
    struct bpf_convert convert = {.realtime_offset_ns = 1};
    struct event_log *log = event_log_new();
    convert.chains = bpf_chains_new(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_call call;
        struct event event;
        memset(&call, 0, sizeof(call));
        call.head.kind = RECORD_ENTER;
        call.number = SYS_execve;
        call.args[0] = 1;
        memset(call.address, 'p', sizeof(call.address));
        call.address_bytes = cases[i].bytes;
        assert_int_equal(bpf_convert_record(&convert, &call, sizeof(call), log, &event), 1);
        if ((strstr(event.call.args, "\"p") != NULL) != cases[i].is_there)
            fail_msg("%u bytes: %s", cases[i].bytes, event.call.args);
    }
    struct record_head head = {.kind = RECORD_CHAIN + 1};
    struct event event;
    assert_int_equal(bpf_convert_record(&convert, &head, sizeof(head), log, &event), -EINVAL);
    bpf_chains_free(convert.chains);
    event_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_is_as_full_as_what_was_written_and_not_taken),
        cmocka_unit_test(what_is_answered_was_sent_right_before_its_answer),
        cmocka_unit_test(a_chain_begins_behind_what_took_it),
        cmocka_unit_test(an_event_has_the_chain_of_its_number),
        cmocka_unit_test(an_argument_is_as_long_as_its_record_says),
    };
    return cmocka_run_group_tests_name("bpf_pieces", tests, NULL, NULL);
}
