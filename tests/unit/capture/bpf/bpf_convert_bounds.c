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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_icmp_error_names_an_mtu_where_its_kind_has_one),
        cmocka_unit_test(a_chain_may_fill_its_record_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
