/* Reading kernel call chains: chains as kernels gave them, and every row of the table by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "story/chain.h"

enum { FRAMES_MAX = 96, TEXT_BYTES = 4096 };

/* A chain out of its text form: functions joined by ';', as stored runs have them. */
struct frames {
    char text[TEXT_BYTES];
    const char *names[FRAMES_MAX];
    struct event_chain chain;
};

static void add_frames(struct frames *frames, const char *functions)
{
    const char *last = frames->chain.count ? frames->names[frames->chain.count - 1] : NULL;
    size_t from = last ? (size_t)(last + strlen(last) + 1 - frames->text) : 0;
    assert_true(from + strlen(functions) < TEXT_BYTES);
    strcpy(frames->text + from, functions);
    for (char *name = strtok(frames->text + from, ";"); name; name = strtok(NULL, ";")) {
        assert_true(frames->chain.count < FRAMES_MAX);
        frames->names[frames->chain.count++] = name;
    }
    frames->chain.names = frames->names;
}

static void assert_same_verdict(const struct chain_verdict *a, const struct chain_verdict *b, const char *of)
{
    bool same = a->meaning == b->meaning && a->notes == b->notes && a->decided_at == b->decided_at && a->hook == b->hook &&
                strcmp(a->name ? a->name : "", b->name ? b->name : "") == 0;
    if (!same) fail_msg("%s: %d %s became %d %s", of, (int)a->meaning, a->name, (int)b->meaning, b->name);
}

struct sample {
    const char *what, *functions;
    enum chain_meaning meaning;
    const char *name;
    unsigned notes; /* that must be among those found */
    enum chain_hook hook;
};

#include "chain_samples.h"

static void check_sample(const struct sample *sample)
{
    struct frames frames = {0};
    add_frames(&frames, sample->functions);
    struct chain_verdict verdict = chain_read(&frames.chain);
    if (verdict.meaning != sample->meaning || verdict.hook != sample->hook || (verdict.notes & sample->notes) != sample->notes ||
        (sample->name && strcmp(sample->name, verdict.name ? verdict.name : "") != 0))
        fail_msg("%s: %d %s, notes %x, hook %d", sample->what, (int)verdict.meaning, verdict.name, verdict.notes,
                 (int)verdict.hook);
}

static void chains_that_a_kernel_gave_are_read_as_what_they_were(void **data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) check_sample(&recorded[i]);
}

static void chains_of_other_kernels_and_machines_are_read_the_same(void **data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++) check_sample(&spelt[i]);
}

/* The chain's end is cut (48 frames are kept) and what an interrupt hit is anybody's: neither may change an answer. */
static const char *const below_a_border[] = {
    "__dev_queue_xmit;ip_finish_output2;ip_output;__ip_queue_xmit;__tcp_transmit_skb;tcp_connect;__sys_connect;__x64_sys_connect",
    "tcp_v4_rcv;ip_protocol_deliver_rcu;ip_local_deliver_finish;net_rx_action;__arm64_sys_sendto",
    "tcp_pace_kick;__hrtimer_run_queues;tcp_release_cb;release_sock;ip_forward;__ip_local_out",
    "sock_close;task_work_run;do_exit;do_group_exit;exit_to_user_mode_loop",
    "tcp_write_timer;call_timer_fn;nf_send_reset;packet_sendmsg;ksys_write;io_send",
    "tcp_xmit_retransmit_queue;tcp_ack;tcp_check_req;tcp_send_challenge_ack;mod_timer",
};
static const char *const borders[] = {"__netif_receive_skb_one_core",
                                      "net_rx_action",
                                      "process_backlog",
                                      "handle_softirqs",
                                      "call_timer_fn",
                                      "__hrtimer_run_queues",
                                      "asm_sysvec_apic_timer_interrupt",
                                      "process_one_work"};

static void nothing_below_a_border_changes_what_a_row_says(void **data)
{
    (void)data;
    size_t count;
    const struct chain_row *rows = chain_rows(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < sizeof(borders) / sizeof(borders[0]); b++)
            for (size_t k = 0; k < sizeof(below_a_border) / sizeof(below_a_border[0]); k++) {
                struct frames alone = {0};
                add_frames(&alone, "__dev_queue_xmit;made_by_whom");
                add_frames(&alone, rows[i].function);
                add_frames(&alone, borders[b]);
                struct chain_verdict before = chain_read(&alone.chain);
                add_frames(&alone, below_a_border[k]);
                struct chain_verdict after = chain_read(&alone.chain);
                assert_same_verdict(&before, &after, rows[i].function);
            }
}

static void nothing_below_a_border_changes_what_a_recorded_chain_says(void **data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++)
        for (size_t k = 0; k < sizeof(below_a_border) / sizeof(below_a_border[0]); k++) {
            struct frames frames = {0};
            add_frames(&frames, recorded[i].functions);
            add_frames(&frames, "asm_sysvec_apic_timer_interrupt");
            struct chain_verdict before = chain_read(&frames.chain);
            add_frames(&frames, below_a_border[k]);
            struct chain_verdict after = chain_read(&frames.chain);
            assert_same_verdict(&before, &after, recorded[i].what);
        }
}

static struct chain_verdict read_text(struct frames *frames, const char *functions)
{
    memset(frames, 0, sizeof(*frames));
    add_frames(frames, functions);
    return chain_read(&frames->chain);
}

/* The nearest thing that is no border: the call that sent it stands right there. */
static void without_a_border_the_call_is_the_maker(void **data)
{
    (void)data;
    struct frames frames;
    struct chain_verdict verdict = read_text(&frames, "__dev_queue_xmit;ip_output;made_by_whom;__x64_sys_connect");
    assert_int_equal(verdict.meaning, CHAIN_CALL);
    assert_string_equal(verdict.name, "connect");
    verdict = read_text(&frames, "__dev_queue_xmit;ip_output;made_by_whom;ip_local_deliver;__x64_sys_connect");
    assert_int_equal(verdict.meaning, CHAIN_OTHER);
    assert_string_equal(verdict.name, "made_by_whom");
}

/* tcp_pace_kick runs tcp_tsq_handler; another context's does not count. */
static void the_pacing_timer_is_the_reason_only_within_its_own_context(void **data)
{
    (void)data;
    struct frames frames;
    assert_string_equal(read_text(&frames, "tcp_write_xmit;tcp_tsq_handler;tcp_pace_kick;__hrtimer_run_queues").name, "pacing");
    assert_string_equal(read_text(&frames, "tcp_write_xmit;tcp_tsq_handler;tasklet_action;tcp_pace_kick").name, "small-queues");
}

static void a_chain_without_a_word_is_silent(void **data)
{
    (void)data;
    struct frames frames;
    assert_int_equal(read_text(&frames, "__dev_queue_xmit;arp_send_dst").meaning, CHAIN_SILENT);
    assert_int_equal(read_text(&frames, "__dev_queue_xmit;__arm64_compat_sys_").meaning, CHAIN_SILENT); /* a call without a name */
    assert_int_equal(chain_read(NULL).meaning, CHAIN_SILENT);
}

static void a_function_that_the_compiler_split_is_known_by_its_name(void **data)
{
    (void)data;
    struct frames frames;
    assert_int_equal(read_text(&frames, "tcp_delack_timer_handler.part.0;__x64_sys_outer").meaning, CHAIN_TIMER);
    assert_int_equal(read_text(&frames, "tcp_delack_timer_handler_of_another;__x64_sys_outer").meaning, CHAIN_CALL);
    assert_int_equal(read_text(&frames, "tcp_delack_time;__x64_sys_outer").meaning, CHAIN_CALL);
}

static void system_calls_are_known_on_both_architectures(void **data)
{
    (void)data;
    struct frames frames;
    assert_string_equal(read_text(&frames, "tcp_sendmsg;__arm64_sys_sendto").name, "sendto");
    assert_string_equal(read_text(&frames, "tcp_close;__x64_sys_close").name, "close");
    assert_string_equal(read_text(&frames, "tcp_close;__do_sys_close_range").name, "close_range");
}

#include "chain_expected.h"

static void every_row_decides_as_written_here(void **data)
{
    (void)data;
    size_t count;
    const struct chain_row *rows = chain_rows(&count);
    assert_int_equal(count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(rows[i].function, expected[i].function);
        struct frames frames = {0};
        add_frames(&frames, "made_by_whom");
        add_frames(&frames, expected[i].function);
        add_frames(&frames, "__x64_sys_outer");
        struct chain_verdict v = chain_read(&frames.chain);
        bool border = expected[i].meaning == CHAIN_BORDER || expected[i].meaning == CHAIN_BORDER_RECEIVE;
        enum chain_meaning meaning = border ? CHAIN_OTHER : expected[i].meaning == CHAIN_SILENT ? CHAIN_CALL : expected[i].meaning;
        if (border && expected[i].note & CHAIN_PASSED_ON) meaning = CHAIN_FORWARD;
        const char *name = meaning == CHAIN_OTHER                       ? "made_by_whom"
                           : meaning == CHAIN_CALL && !expected[i].name ? "outer"
                                                                        : expected[i].name;
        if (v.meaning != meaning || v.notes != expected[i].note || strcmp(v.name ? v.name : "", name ? name : "") != 0)
            fail_msg("%s decides %d %s, notes %x", expected[i].function, (int)v.meaning, v.name, v.notes);
    }
}

/* A row that an earlier one hides could never speak. */
static void no_row_is_hidden_by_an_earlier_one(void **data)
{
    (void)data;
    size_t count;
    const struct chain_row *rows = chain_rows(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) {
            size_t length = strcspn(rows[k].function, "*");
            bool hides = rows[k].function[length] ? strncmp(rows[k].function, rows[i].function, length) == 0
                                                  : strcmp(rows[k].function, rows[i].function) == 0;
            if (hides) fail_msg("%s hides %s", rows[k].function, rows[i].function);
        }
}

static void three_speak_in_anothers_name(void **state)
{
    static const struct {
        enum chain_meaning meaning;
        const char *name;
        bool is_so;
    } cases[] = {
        {CHAIN_KERNEL, "firewall", true}, {CHAIN_KERNEL, "synproxy", true}, {CHAIN_KERNEL, "raw-socket", true},
        {CHAIN_KERNEL, "other", false},   {CHAIN_TIMER, "firewall", false}, {CHAIN_CALL, "raw-socket", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct chain_verdict verdict = {.meaning = cases[i].meaning, .name = cases[i].name};
        if (chain_is_in_a_name(&verdict) != cases[i].is_so) fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_that_a_kernel_gave_are_read_as_what_they_were),
        cmocka_unit_test(chains_of_other_kernels_and_machines_are_read_the_same),
        cmocka_unit_test(nothing_below_a_border_changes_what_a_row_says),
        cmocka_unit_test(nothing_below_a_border_changes_what_a_recorded_chain_says),
        cmocka_unit_test(without_a_border_the_call_is_the_maker),
        cmocka_unit_test(the_pacing_timer_is_the_reason_only_within_its_own_context),
        cmocka_unit_test(a_chain_without_a_word_is_silent),
        cmocka_unit_test(a_function_that_the_compiler_split_is_known_by_its_name),
        cmocka_unit_test(system_calls_are_known_on_both_architectures),
        cmocka_unit_test(every_row_decides_as_written_here),
        cmocka_unit_test(no_row_is_hidden_by_an_earlier_one),
        cmocka_unit_test(three_speak_in_anothers_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
