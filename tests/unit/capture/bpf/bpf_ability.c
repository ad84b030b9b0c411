/* Whether BPF may be used, by what the kernel says; and its type information, here one that is made by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "capture/bpf/bpf_ability.h"
#include "capture/bpf/bpf_entered.h"
#include "capture/bpf/bpf_record.h"

static void the_initial_user_namespace_maps_every_id_to_itself(void **state)
{
    (void)state;
    assert_true(bpf_maps_every_id("         0          0 4294967295\n"));
    assert_false(bpf_maps_every_id("         0          0 4294967294\n"));
    assert_false(bpf_maps_every_id("         0       1000 4294967295\n"));
    assert_false(bpf_maps_every_id("      1000          0 4294967295\n"));
    assert_false(bpf_maps_every_id("         0       1000          1\n"));
    assert_false(bpf_maps_every_id("         0          0"));
    assert_false(bpf_maps_every_id("")); /* a new one, that maps none yet */
}

/* The verifier's reason stands in its last line but for the statistics behind it. */
static void a_refusal_is_told_with_the_reason_that_the_log_ends_with(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *log, *text;
    } cases[] = {
        {-EPERM, NULL, "loading: the kernel refuses (Operation not permitted), as a container's"},
        {-EACCES, "", "loading: the kernel refuses (Permission denied), as a container's"},
        {-EPERM, "invalid access\n", "refuses (Operation not permitted): invalid access, as a container's"},
        {-EACCES, "0: (b7) r0 = 0\nR1 type\nverification time 9 usec\nprocessed 7 insns\n", "denied): R1 type, as"},
        {-EACCES, "first\n\nlast", "denied): last, as"},
        {-ENOSYS, "some reason", "loading: this kernel has no bpf(2) (CONFIG_BPF_SYSCALL)"},
        {-EINVAL, "some reason", "loading: the kernel says: some reason: Invalid argument"},
        {-EINVAL, "verification is long\nprocessed 5 insns", "the kernel says: verification is long: Invalid"},
        {-EINVAL, NULL, "loading: Invalid argument"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {{0}};
        assert_int_equal(bpf_ability_refused(cases[i].code, "loading", cases[i].log, &err), cases[i].code);
        if (!strstr(err.text, cases[i].text)) fail_msg("case %zu: %s", i, err.text);
    }
}

static void the_names_of_an_enum_are_those_of_its_values_below_the_most(void **state)
{
    (void)state;
    enum { MOST = 4 };
    char names[MOST][EVENT_NAME_BYTES] = {{0}};
    struct btf *btf = btf__new_empty();
    assert_non_null(btf);
    assert_true(btf__add_enum(btf, "drop_reason", 4) > 0);
    btf__add_enum_value(btf, "SKB_NOT_SPECIFIED", 0);
    btf__add_enum_value(btf, "NO_SOCKET", 2); /* without the prefix */
    btf__add_enum_value(btf, "SKB_LAST", 3);
    btf__add_enum_value(btf, "SKB_MAX", 4);
    btf__add_enum_value(btf, "SKB_ERROR", -1);
    bpf_enum_names(btf, "drop_reason", "SKB_", names, MOST);
    assert_string_equal(names[0], "NOT_SPECIFIED");
    assert_string_equal(names[1], "");
    assert_string_equal(names[2], "NO_SOCKET");
    assert_string_equal(names[3], "LAST");
    memset(names, 0, sizeof(names));
    bpf_enum_names(btf, "another", "SKB_", names, MOST);
    assert_string_equal(names[0], "");
    btf__free(btf);
}

/* typedef void (*btf_trace_NAME)(void *, …): the first is internal. */
static void the_arguments_of_a_tracepoint_are_counted_without_the_internal_one(void **state)
{
    (void)state;
    struct btf *btf = btf__new_empty();
    assert_non_null(btf);
    int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), function = btf__add_func_proto(btf, 0);
    for (int i = 0; i < 4; i++) assert_int_equal(btf__add_func_param(btf, "argument", number), 0);
    assert_true(btf__add_typedef(btf, "btf_trace_tcp_send_reset", btf__add_ptr(btf, function)) > 0);
    assert_true(btf__add_typedef(btf, "btf_trace_no_pointer", function) > 0);
    assert_true(btf__add_typedef(btf, "btf_trace_no_function", btf__add_ptr(btf, number)) > 0);
    assert_int_equal(bpf_tracepoint_arguments(btf, "tcp_send_reset"), 3);
    assert_int_equal(bpf_tracepoint_arguments(btf, "tcp_probe"), -1);
    assert_int_equal(bpf_tracepoint_arguments(btf, "no_pointer"), -1);
    assert_int_equal(bpf_tracepoint_arguments(btf, "no_function"), -1);
    btf__free(btf);
}

/* Only as much is looked at as the ring holds of it. */
static void where_a_thread_is_is_said_by_whole_records_of_calls_and_processes(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        size_t bytes;
        uint32_t netns;
        pid_t tid;
    } cases[] = {
        {RECORD_PROCESS, sizeof(struct record_process), 9, 12}, {RECORD_PROCESS, sizeof(struct record_process) - 1, 0, 11},
        {RECORD_ENTER, sizeof(struct record_call), 8, 11},      {RECORD_EXIT, sizeof(struct record_call), 8, 11},
        {RECORD_EXIT, sizeof(struct record_call) - 1, 0, 11},   {RECORD_MARK, sizeof(struct record_call), 0, 11},
        {RECORD_ENTER, sizeof(struct record_head), 0, 11},      {RECORD_ENTER, sizeof(struct record_head) - 1, 0, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        union {
            struct record_head head;
            struct record_call call;
            struct record_process process;
        } record;
        pid_t tid = -1;
        memset(&record, 0, sizeof(record));
        if (cases[i].kind == RECORD_PROCESS) {
            record.process.tid = 12;
            record.process.netns = 9;
        } else
            record.call.socket.netns = 8;
        record.head.kind = cases[i].kind;
        record.head.tid = 11;
        uint32_t netns = bpf_entered(&record, cases[i].bytes, &tid);
        if (netns != cases[i].netns || tid != cases[i].tid) fail_msg("case %zu: %u of %d", i, netns, (int)tid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initial_user_namespace_maps_every_id_to_itself),
        cmocka_unit_test(a_refusal_is_told_with_the_reason_that_the_log_ends_with),
        cmocka_unit_test(the_names_of_an_enum_are_those_of_its_values_below_the_most),
        cmocka_unit_test(the_arguments_of_a_tracepoint_are_counted_without_the_internal_one),
        cmocka_unit_test(where_a_thread_is_is_said_by_whole_records_of_calls_and_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
