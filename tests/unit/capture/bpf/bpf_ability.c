/* Whether BPF may be used, by what the kernel says; its type information, here one that is made by hand; and what its kernel side
 * is told to do by these. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "capture/bpf/bpf_ability.h"
#include "capture/bpf/bpf_config.h"
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

static void a_right_that_is_missing_is_named(void **state)
{
    (void)state;
    enum { ADMIN = 21, PERFMON = 38, BPF = 39 }; /* CAP_SYS_ADMIN and so on, linux/capability.h */
    static const struct {
        uint64_t set;
        const char *missing;
    } cases[] = {
        {1ULL << ADMIN, NULL},
        {1ULL << BPF | 1ULL << PERFMON, NULL},
        {1ULL << BPF, "CAP_PERFMON is missing"},
        {1ULL << PERFMON, "CAP_BPF is missing"},
        {0, "CAP_BPF and CAP_PERFMON are missing"},
        {~(1ULL << ADMIN | 1ULL << BPF | 1ULL << PERFMON), "CAP_BPF and CAP_PERFMON are missing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *missing = bpf_ability_missing(cases[i].set);
        if (!missing != !cases[i].missing || (missing && !strstr(missing, cases[i].missing))) fail_msg("case %zu: %s", i, missing);
    }
}

/* Who has none of root's rights but these two is not told that one is missing: their numbers are beyond 32. */
static void the_two_rights_are_enough_for_who_has_them(void **state)
{
    (void)state;
    enum { PERFMON = 38, BPF = 39 };
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct two[2] = {{.effective = 0}, {.effective = 1U << (PERFMON - 32) | 1U << (BPF - 32)}};
        struct err err = {{0}};
        two[1].permitted = two[1].effective;
        bool has_them = syscall(SYS_capset, &header, two) == 0; /* an ordinary user has none to keep */
        (void)bpf_ability_check(&err);
        bool is_missing = strstr(err.text, "missing") || strstr(err.text, "user namespace");
        _exit(is_missing == !has_them ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
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
    char names[MOST + 1][EVENT_NAME_BYTES] = {{0}};
    struct btf *btf = btf__new_empty();
    assert_non_null(btf);
    assert_true(btf__add_enum(btf, "drop_reason", 4) > 0);
    btf__add_enum_value(btf, "SKB_NOT_SPECIFIED", 0);
    btf__add_enum_value(btf, "NO_SOCKET", 2); /* without the prefix */
    btf__add_enum_value(btf, "SKB_MAX", 4);
    btf__add_enum_value(btf, "SKB_ERROR", -1);
    btf__add_enum_value(btf, "SKB_LAST", 3);
    bpf_enum_names(btf, "drop_reason", "SKB_", names, MOST);
    assert_string_equal(names[0], "NOT_SPECIFIED");
    assert_string_equal(names[1], "");
    assert_string_equal(names[2], "NO_SOCKET");
    assert_string_equal(names[3], "LAST");
    assert_string_equal(names[4], ""); /* behind the most */
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
    assert_true(btf__add_typedef(btf, "btf_trace_no_pointer", btf__add_const(btf, function)) > 0);
    int members = btf__add_enum(btf, "two", 4);
    assert_int_equal(btf__add_enum_value(btf, "A", 0) | btf__add_enum_value(btf, "B", 1), 0);
    assert_true(btf__add_typedef(btf, "btf_trace_no_function", btf__add_ptr(btf, members)) > 0);
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

/* A kernel with these tracepoints, each with so many arguments behind the internal one. */
static struct btf *kernel_with(int reset, int drop, int change)
{
    const struct {
        const char *name;
        int arguments;
    } tracepoints[] = {{"btf_trace_tcp_send_reset", reset}, {"btf_trace_kfree_skb", drop}, {"btf_trace_sched_switch", change}};
    struct btf *btf = btf__new_empty();
    assert_non_null(btf);
    int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
    for (size_t i = 0; i < sizeof(tracepoints) / sizeof(tracepoints[0]); i++) {
        int function = btf__add_func_proto(btf, 0);
        for (int k = 0; k < 1 + tracepoints[i].arguments; k++) assert_int_equal(btf__add_func_param(btf, "argument", number), 0);
        assert_true(btf__add_typedef(btf, tracepoints[i].name, btf__add_ptr(btf, function)) > 0);
    }
    return btf;
}

/* Linux 5.15 hands out two arguments of each (three of sched_switch); 5.17 a drop's reason, 5.18 the state, 6.10 a RST's
 * reason, 6.11 the socket of what is dropped. */
static void what_a_tracepoint_hands_out_is_read_where_it_does(void **state)
{
    (void)state;
    static struct bpf_convert names;
    static const struct {
        int reset, drop, change;
        bool has_reset_reason, has_drop_reason, has_socket, has_state;
    } cases[] = {
        {2, 2, 3, false, false, false, false}, {3, 2, 3, true, false, false, false}, {2, 3, 3, false, true, false, false},
        {2, 4, 3, false, true, true, false},   {2, 2, 4, false, false, false, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct btf *btf = kernel_with(cases[i].reset, cases[i].drop, cases[i].change);
        struct record_config config = bpf_config(&(struct calls_options){.no_stacks = false}, btf, &names, 4);
        assert_int_equal(bpf_config_reset_has_reason(btf), cases[i].has_reset_reason);
        assert_int_equal(config.reset_has_reason, cases[i].has_reset_reason);
        assert_int_equal(bpf_config_drop_has_reason(btf), cases[i].has_drop_reason);
        assert_int_equal(config.drop_has_socket, cases[i].has_socket);
        assert_int_equal(config.switch_has_state, cases[i].has_state);
        assert_int_equal(config.cpus, 4);
        btf__free(btf);
    }
}

/* Linux 7.0 guards tracepoints by SRCU: their programs are preempted. A kernel that has such guards for other things is none. */
static void system_calls_have_two_programs_where_programs_are_preempted(void **state)
{
    (void)state;
    static struct bpf_convert names;
    const struct calls_options once = {.twice = false};
    struct btf *btf = kernel_with(3, 4, 4);
    assert_true(btf__add_typedef(btf, "class_srcu_t", 1) > 0);
    assert_int_equal(bpf_config(&once, btf, &names, 1).twice, false);
    assert_int_equal(bpf_config(&(struct calls_options){.twice = true}, btf, &names, 1).twice, true);
    assert_true(btf__add_typedef(btf, "class_srcu_fast_notrace_t", 1) > 0);
    assert_int_equal(bpf_config(&once, btf, &names, 1).twice, true);
    btf__free(btf);
    assert_true(bpf_config_is_again("sys_enter_again"));
    assert_false(bpf_config_is_again("sys_enter"));
}

/* Of Linux 5.17 NOT_SPECIFIED is 0, later 2; each may stand last in the table, or not at all. */
static void reasons_are_known_to_the_kernel_side_by_the_numbers_of_this_kernel(void **state)
{
    (void)state;
    static struct bpf_convert names;
    struct btf *btf = kernel_with(2, 3, 3);
    struct record_config none = bpf_config(&(struct calls_options){.no_stacks = false}, btf, &names, 1);
    assert_int_equal(none.drop_has_reason, false);
    assert_int_equal(none.drop_overflow, false);
    assert_int_equal(none.drop_other + none.drop_purge + none.drop_unspecified, 0);
    strcpy(names.drops[0], "NOT_SPECIFIED");
    struct record_config first = bpf_config(&(struct calls_options){.no_stacks = false}, btf, &names, 1);
    assert_int_equal(first.drop_has_reason, true);
    assert_int_equal(first.drop_unspecified, 0);
    strcpy(names.drops[0], "TCP_LISTEN_OVERFLOW");
    strcpy(names.drops[2], "NOT_SPECIFIED");
    strcpy(names.drops[7], "OTHERHOST");
    strcpy(names.drops[BPF_DROPS_MAX - 1], "QUEUE_PURGE");
    struct record_config all = bpf_config(&(struct calls_options){.no_stacks = false}, btf, &names, 1);
    assert_int_equal(all.drop_has_reason, true);
    assert_int_equal(all.drop_overflow, true);
    assert_int_equal(all.drop_unspecified, 2);
    assert_int_equal(all.drop_other, 7);
    assert_int_equal(all.drop_purge, BPF_DROPS_MAX - 1);
    btf__free(btf);
}

static void what_is_asked_for_reaches_the_kernel_side(void **state)
{
    (void)state;
    static struct bpf_convert names;
    static struct port_set ports;
    struct btf *btf = kernel_with(2, 2, 3);
    struct calls_options options = {
        .ports = {80, 443}, .port_count = 2, .netns = {11, 12, 13}, .netns_count = 3, .only_ports = &ports};
    struct record_config config = bpf_config(&options, btf, &names, 1);
    assert_int_equal(config.port_count, 2);
    assert_int_equal(config.ports[1], 443);
    assert_int_equal(config.netns_count, 3);
    assert_int_equal(config.netns[2], 13);
    assert_int_equal(config.only_ports, false); /* of a whole host alone */
    assert_int_equal(config.skip_every, 1);
    options.host_wide = true;
    options.skip_every = 3;
    config = bpf_config(&options, btf, &names, 1);
    assert_int_equal(config.only_ports, true);
    assert_int_equal(config.skip_every, 3);
    options.only_ports = NULL;
    assert_int_equal(bpf_config(&options, btf, &names, 1).only_ports, false);
    btf__free(btf);
}

/* What only sleeps or carries data is left out where a whole host is watched. */
static void a_whole_host_is_watched_without_what_costs_too_much(void **state)
{
    (void)state;
    const struct calls_options one = {.host_wide = false}, host = {.host_wide = true};
    static const struct {
        const char *tracepoint;
        bool host, timers;
    } tracepoints[] = {{"sched_switch", false, false}, {"sched_waking", false, false},      {"timer_start", false, true},
                       {"kfree_skb", true, false},     {"sched_process_exit", true, false}, {"", true, false}};
    static const struct {
        struct syscall_row row;
        bool host;
    } calls[] = {{{.name = "connect"}, true},
                 {{.name = "close"}, true},
                 {{.name = "accept4"}, true},
                 {{.name = "execveat"}, true},
                 {{.name = "listen", .flags = SYSCALL_LISTEN}, true},
                 {{.name = "dup2", .flags = SYSCALL_DUP}, true},
                 {{.name = "dup"}, true},
                 {{.name = "fcntl", .flags = SYSCALL_FCNTL}, true},
                 {{.name = "setsockopt", .flags = SYSCALL_SOCKOPT}, true},
                 {{.name = "read", .flags = SYSCALL_POLL}, false}};
    for (size_t i = 0; i < sizeof(tracepoints) / sizeof(tracepoints[0]); i++) {
        assert_true(bpf_config_wants(&one, tracepoints[i].tracepoint));
        assert_int_equal(bpf_config_wants(&host, tracepoints[i].tracepoint), tracepoints[i].host);
        assert_int_equal(bpf_config_is_of_timers(tracepoints[i].tracepoint), tracepoints[i].timers);
    }
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_true(bpf_config_wants_call(&one, &calls[i].row));
        assert_int_equal(bpf_config_wants_call(&host, &calls[i].row), calls[i].host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initial_user_namespace_maps_every_id_to_itself),
        cmocka_unit_test(a_right_that_is_missing_is_named),
        cmocka_unit_test(the_two_rights_are_enough_for_who_has_them),
        cmocka_unit_test(a_refusal_is_told_with_the_reason_that_the_log_ends_with),
        cmocka_unit_test(the_names_of_an_enum_are_those_of_its_values_below_the_most),
        cmocka_unit_test(the_arguments_of_a_tracepoint_are_counted_without_the_internal_one),
        cmocka_unit_test(where_a_thread_is_is_said_by_whole_records_of_calls_and_processes),
        cmocka_unit_test(what_a_tracepoint_hands_out_is_read_where_it_does),
        cmocka_unit_test(system_calls_have_two_programs_where_programs_are_preempted),
        cmocka_unit_test(reasons_are_known_to_the_kernel_side_by_the_numbers_of_this_kernel),
        cmocka_unit_test(what_is_asked_for_reaches_the_kernel_side),
        cmocka_unit_test(a_whole_host_is_watched_without_what_costs_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
