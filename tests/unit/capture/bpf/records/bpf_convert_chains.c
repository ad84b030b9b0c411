/* Chains that are known by heart: the kernel side need not copy the stack again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_convert_own.h"

/* Where the kernel side would look for it; NULL: it was not learned. */
static const struct record_known *learned(const struct fixture *fixture, const struct record_chain *chain)
{
    const struct record_known *place = &fixture->known[record_known_place(chain->signature)];

    return place->signature == chain->signature ? place : NULL;
}

#define SENT_WHILE_RECEIVING                                                                                                       \
    STACK("bpf_trace_run1", "__dev_queue_xmit", "tcp_v4_rcv", "__netif_receive_skb_one_core", "handle_softirqs", "ip_output",      \
          "__x64_sys_sendto")

void a_chain_is_learned_up_to_where_its_context_begins(void **state)
{
    struct fixture *fixture = *state;
    struct record_chain chain = chain_in(1, SENT_WHILE_RECEIVING);
    struct record_mark mark = mark_in(fixture, STACK("__dev_queue_xmit"));
    const struct record_known *known;
    struct event event;

    take(fixture, &chain);
    known = learned(fixture, &chain);
    assert_non_null(known);
    assert_int_equal(known->count, 4);
    assert_int_equal(known->at[0], 4);
    assert_int_equal(known->at[3], 13);
    assert_int_equal(known->bytes, 14 * sizeof(chain.words[0]));
    assert_int_equal(known->word[3], inside("handle_softirqs"));
    assert_int_equal(known->check, known->word[0] ^ known->word[1] ^ known->word[2] ^ known->word[3]);

    mark.context.sample = 0;
    mark.context.known = (uint16_t)(record_known_place(chain.signature) + 1);
    assert_int_equal(convert(fixture, &mark, &event), 1);
    assert_int_equal(event.mark.context.chain->count, 4);
    assert_string_equal(event.mark.context.chain->names[0], "__dev_queue_xmit");
    assert_string_equal(event.mark.context.chain->names[3], "handle_softirqs");
    assert_true(event.mark.context.receiving);
}

void a_chain_without_its_end_or_not_in_the_stack_is_not_learned(void **state)
{
    struct fixture *fixture = *state;
    struct record_chain endless = chain_in(1, STACK("__dev_queue_xmit", "ip_output")),
                        elsewhere = chain_in(2, SENT_WHILE_RECEIVING), cut = chain_in(3, SENT_WHILE_RECEIVING);

    take(fixture, &endless);
    assert_null(learned(fixture, &endless));
    elsewhere.words[7] = 0; /* as with return addresses that are signed, or that a tracer has replaced */
    take(fixture, &elsewhere);
    assert_null(learned(fixture, &elsewhere));
    cut.word_count = 13;
    take(fixture, &cut);
    assert_null(learned(fixture, &cut));
    cut.word_count = 14;
    take(fixture, &cut);
    assert_non_null(learned(fixture, &cut));
}

/* Which of two equal words is the return address can't be told, so both have to stand there. */
void a_word_that_may_be_the_return_address_is_compared_too(void **state)
{
    struct fixture *fixture = *state;
    struct record_chain chain = chain_in(1, SENT_WHILE_RECEIVING);
    const struct record_known *known;

    chain.words[8] = inside("tcp_v4_rcv");                   /* between its neighbours */
    chain.words[2] = chain.words[12] = inside("tcp_v4_rcv"); /* before the first of its neighbours, behind the second */
    chain.words[20] = inside("handle_softirqs");             /* behind the end */
    take(fixture, &chain);
    known = learned(fixture, &chain);
    assert_non_null(known);
    assert_int_equal(known->count, 6);
    assert_int_equal(known->at[1], 7);
    assert_int_equal(known->at[2], 8);
    assert_int_equal(known->at[5], 20);
}

void the_same_chain_is_learned_once_and_another_beside_it(void **state)
{
    struct fixture *fixture = *state;
    struct record_chain first = chain_in(1, SENT_WHILE_RECEIVING),
                        second = chain_in(2, STACK("__dev_queue_xmit", "__release_sock", "handle_softirqs"));
    uint32_t place = record_known_place(first.signature);

    take(fixture, &first);
    take(fixture, &first);
    assert_int_equal(fixture->known[place + 1].signature, 0);
    take(fixture, &second);
    assert_int_equal(fixture->known[place + 1].signature, second.signature);
    assert_int_equal(fixture->known[place + 1].count, 3);
}

/* The last place of the table is followed by its first; a chain has eight. */
void a_chain_has_eight_places_and_then_none(void **state)
{
    struct fixture *fixture = *state;
    struct record_chain chain = chain_in(1, SENT_WHILE_RECEIVING);
    struct record_mark mark = mark_in(fixture, STACK("__dev_queue_xmit"));
    struct event event;

    while (record_known_place(chain.signature) != RECORD_KNOWN_MAX - 1) chain.signature++;
    for (uint32_t n = 0; n <= RECORD_KNOWN_TRIES; n++) {
        const struct record_known *place = &fixture->known[(RECORD_KNOWN_MAX - 1 + n) % RECORD_KNOWN_MAX];
        take(fixture, &chain);
        if ((place->signature == chain.signature) != (n < RECORD_KNOWN_TRIES)) fail_msg("place %u", n);
        while (record_known_place(++chain.signature) != RECORD_KNOWN_MAX - 1) continue;
    }
    mark.context.sample = 0;
    mark.context.known = RECORD_KNOWN_MAX;
    assert_int_equal(convert(fixture, &mark, &event), 1);
    assert_int_equal(event.mark.context.chain->count, 4);
    mark.context.known = RECORD_KNOWN_MAX + 1;
    assert_int_equal(convert(fixture, &mark, &event), 1);
    assert_null(event.mark.context.chain);
}

void a_chain_that_was_taken_for_another_is_counted_and_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct record_chain chain = chain_in(1, SENT_WHILE_RECEIVING),
                        other = chain_in(2, STACK("__dev_queue_xmit", "__release_sock", "handle_softirqs"));

    take(fixture, &chain);
    chain.known = other.known = record_known_place(chain.signature) + 1;
    take(fixture, &chain); /* a sample that agrees */
    assert_non_null(learned(fixture, &chain));
    assert_int_equal(bpf_chains_counts(fixture->convert.chains).mistaken, 0);
    take(fixture, &other);
    assert_null(learned(fixture, &chain));
    assert_int_equal(bpf_chains_counts(fixture->convert.chains).mistaken, 1);
    chain.known = 0;
    take(fixture, &chain);
    assert_null(learned(fixture, &chain)); /* its place stays empty, it may have another */
    assert_int_equal(fixture->known[other.known].signature, chain.signature);
}

void the_innermost_frame_that_decides_says_whether_a_packet_is_received(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const char *const *stack;
        bool receiving;
        size_t count;
    } cases[] = {
        {STACK("__dev_queue_xmit", "__netif_receive_skb_one_core"), true, 2},
        {STACK("__dev_queue_xmit", "net_tx_action", "__netif_receive_skb_one_core"), false, 3},
        {STACK("__dev_queue_xmit", "__netif_receive_skb_one_core", "net_tx_action"), true, 3},
        {STACK("__dev_queue_xmit", "ip_sublist_rcv", "__netif_receive_skb_one_core"), false, 3}, /* one of a list: which? */
        {STACK("__dev_queue_xmit", "ip_output"), false, 2},
        {STACK("bpf_trace_run1", "__SCT__tp_func_net_dev_queue", "__dev_queue_xmit", "__netif_receive_skb_one_core"), true, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_mark mark = mark_in(fixture, cases[i].stack);
        struct event event;
        assert_int_equal(convert(fixture, &mark, &event), 1);
        if (event.mark.context.receiving != cases[i].receiving) fail_msg("case %zu", i);
        assert_int_equal(event.mark.context.chain->count, cases[i].count);
    }
}

/* What is further out than the end is no part of it: it may be missing or another, but none of the frames before. */
void a_sample_agrees_with_all_frames_up_to_the_end(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const char *const *stack;
        uint64_t mistaken;
    } cases[] = {
        {STACK("__dev_queue_xmit", "__run_timers", "ret_from_fork_asm"), 0},
        {STACK("__dev_queue_xmit", "__run_timers", "ret_from_fork_asm", "ip_output"), 0},
        {STACK("__dev_queue_xmit", "__run_timers"), 1},
        {STACK("__dev_queue_xmit", "__run_timers", "handle_softirqs"), 2},
    };
    struct record_chain chain = chain_in(1, STACK("__dev_queue_xmit", "__run_timers", "ret_from_fork_asm"));
    take(fixture, &chain);
    assert_int_equal(learned(fixture, &chain)->count, 3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_chain sample = chain_in(2 + i, cases[i].stack);
        sample.known = record_known_place(chain.signature) + 1;
        take(fixture, &sample);
        assert_int_equal(bpf_chains_counts(fixture->convert.chains).mistaken, cases[i].mistaken);
    }
}
