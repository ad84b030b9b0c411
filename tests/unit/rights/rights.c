/* What must fail once rights are given up: tried in children, because there is no way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka, which they belong to */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rights/rights.h"

static char secret[] = "/tmp/tcpwhy-rights.XXXXXX";

/* ---- what is tried: 0, or -errno ---- */

static int open_a_file_of_root(void)
{
    int fd = open(secret, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : close(fd);
}

static int write_a_file_of_root(void)
{
    int fd = open(secret, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : close(fd);
}

static int become_root(void)
{
    return setresuid(0, 0, 0) < 0 ? -errno : 0;
}

static int take_the_group_of_root(void)
{
    return setresgid(0, 0, 0) < 0 ? -errno : 0;
}

static int load_a_program(void)
{
    struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0}, {.code = BPF_JMP | BPF_EXIT}};
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.prog_type = BPF_PROG_TYPE_TRACEPOINT;
    attr.insns = (uintptr_t)insns;
    attr.insn_cnt = 2;
    attr.license = (uintptr_t) "GPL";
    return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int capture_packets(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : close(fd);
}

static int open_a_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : close(fd);
}

static int leave_the_network(void)
{
    return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

static int take_a_user_namespace(void)
{
    return unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
}

static int mount_a_folder(void)
{
    return mount("none", "/mnt", "tmpfs", 0, NULL) < 0 ? -errno : 0;
}

static int kill_a_process_of_root(void)
{
    return kill(getppid(), 0) < 0 ? -errno : 0;
}

static int trace_a_process_of_root(void)
{
    return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) < 0 ? -errno : 0;
}

static int execute_a_program(void)
{
    char program[] = "/bin/true", *argv[] = {program, NULL}, *none[] = {NULL};
    execve(program, argv, none);
    return -errno;
}

static int use_io_uring(void)
{
    char parameters[120] = {0};
    return syscall(SYS_io_uring_setup, 1, parameters) < 0 ? -errno : 0;
}

/* ---- the trying ---- */

/* Anybody may read it, and make files in that folder. */
static int open_a_file_of_all(void)
{
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : close(fd);
}

static int list_a_folder_of_all(void)
{
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : close(fd);
}

static int make_a_file(void)
{
    char name[] = "/tmp/tcpwhy-made.XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) return -errno;
    unlink(name);
    return close(fd);
}

static int read_a_file_that_is_needed(void)
{
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : close(fd);
}

enum { FILES_CLOSED = 4 /* in the place of `confined` */ };

static int try_after(unsigned keep, int confined, int (*attempt)(void))
{
    int ends[2], result = 1;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {""};
        int code = rights_drop(keep, &err);
        const char *const readable[] = {"/proc", "", "/no/such/file", NULL};
        if (!code && confined == FILES_CLOSED) code = rights_close_files(readable, &err);
        if (!code && confined) code = rights_confine(confined == 2, &err);
        if (code) fprintf(stderr, "%s\n", err.text);
        result = code ? 1000 : attempt();
        _exit(write(ends[1], &result, sizeof(result)) != (ssize_t)sizeof(result));
    }
    close(ends[1]);
    if (read(ends[0], &result, sizeof(result)) != (ssize_t)sizeof(result)) result = 2; /* it became another program */
    close(ends[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return result;
}

static bool refused(int result)
{
    return result == -EPERM || result == -EACCES;
}

#define assert_refused(result) assert_true(refused(result))

static void root_may_all_of_it_before(void **state)
{
    (void)state;
    assert_int_equal(geteuid(), 0); /* nothing is shown where nothing was there */
    assert_int_equal(open_a_file_of_root(), 0);
    assert_int_equal(load_a_program() < 0 && errno == EPERM, 0);
    assert_int_equal(capture_packets(), 0);
    assert_true(rights_any());
}

static void nothing_of_root_is_left_after_the_drop(void **state)
{
    (void)state;
    int (*const attempts[])(void) = {open_a_file_of_root,    write_a_file_of_root,   become_root,       take_the_group_of_root,
                                     load_a_program,         capture_packets,        leave_the_network, mount_a_folder,
                                     kill_a_process_of_root, trace_a_process_of_root};
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        int result = try_after(RIGHTS_NONE, 0, attempts[i]);
        if (!refused(result)) fail_msg("attempt %zu: %d", i, result);
    }
}

static void what_a_run_still_needs_is_left_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(try_after(RIGHTS_SIGNAL, 0, kill_a_process_of_root), 0);
    assert_refused(try_after(RIGHTS_SIGNAL, 0, trace_a_process_of_root));
    assert_refused(try_after(RIGHTS_SIGNAL, 0, open_a_file_of_root));
    assert_refused(try_after(RIGHTS_TRACE, 0, kill_a_process_of_root));
    assert_refused(try_after(RIGHTS_TRACE, 0, load_a_program));
    assert_int_equal(try_after(RIGHTS_STAGE, 0, leave_the_network), 0);
    assert_refused(try_after(RIGHTS_STAGE, 0, trace_a_process_of_root));
}

static int look_what_a_program_gets(void)
{
    /* NOLINTNEXTLINE(cert-env33-c): that programs are executed is the point */
    return system("test \"$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)\" = 0000000000000000") ? -EPERM : 0;
}

static void an_executed_program_gets_nothing_back(void **state)
{
    (void)state;
    assert_int_equal(try_after(RIGHTS_NONE, 0, look_what_a_program_gets), 0);
}

static void a_confined_process_opens_no_socket_and_runs_no_program(void **state)
{
    (void)state;
    int (*const attempts[])(void) = {open_a_socket,         load_a_program,    become_root,    take_the_group_of_root, use_io_uring,
                                     take_a_user_namespace, execute_a_program, mount_a_folder, capture_packets};
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        int result = try_after(RIGHTS_NONE, 1, attempts[i]);
        if (result != -EPERM) fail_msg("attempt %zu: %d", i, result);
    }
    assert_int_equal(try_after(RIGHTS_NONE, 0, open_a_socket), 0); /* that is the filter's doing */
    assert_int_equal(try_after(RIGHTS_NONE, 0, execute_a_program), 2);
}

static void names_can_be_looked_up_where_a_filter_has_some(void **state)
{
    (void)state;
    assert_int_equal(try_after(RIGHTS_NONE, 2, open_a_socket), 0);
    assert_refused(try_after(RIGHTS_NONE, 2, capture_packets));
    assert_refused(try_after(RIGHTS_NONE, 2, execute_a_program));
}

static void only_files_that_are_needed_can_be_opened(void **state)
{
    (void)state;
    int (*const attempts[])(void) = {open_a_file_of_all, list_a_folder_of_all, make_a_file};
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */) < 1)
        fail_msg("this kernel has no Landlock: %s", strerror(errno));
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        int before = try_after(RIGHTS_NONE, 1, attempts[i]), result = try_after(RIGHTS_NONE, FILES_CLOSED, attempts[i]);
        if (before || result != -EACCES) fail_msg("attempt %zu: %d before, %d", i, before, result);
    }
    assert_int_equal(try_after(RIGHTS_NONE, FILES_CLOSED, read_a_file_that_is_needed), 0);
}

static int give_up_again(void)
{
    struct err err = {""};
    int code = rights_drop(RIGHTS_SIGNAL, &err);
    return code ? code : kill_a_process_of_root();
}

static void what_was_given_up_can_not_be_kept_later(void **state)
{
    (void)state;
    assert_refused(try_after(RIGHTS_NONE, 0, give_up_again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_may_all_of_it_before),
        cmocka_unit_test(nothing_of_root_is_left_after_the_drop),
        cmocka_unit_test(what_a_run_still_needs_is_left_and_no_more),
        cmocka_unit_test(an_executed_program_gets_nothing_back),
        cmocka_unit_test(a_confined_process_opens_no_socket_and_runs_no_program),
        cmocka_unit_test(names_can_be_looked_up_where_a_filter_has_some),
        cmocka_unit_test(only_files_that_are_needed_can_be_opened),
        cmocka_unit_test(what_was_given_up_can_not_be_kept_later),
    };
    int fd = mkostemp(secret, O_CLOEXEC);
    if (fd < 0 || close(fd)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(secret);
    return failed;
}
