/* The table of system calls, and how a call is written for a person. */
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "capture/syscalls.h"
#include "event/call_traits.h"

static void every_row_is_found_by_its_number_and_named_once(void **state)
{
    (void)state;
    size_t count;
    const struct syscall_row *rows = syscall_rows(&count);
    assert_true(count >= 30);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(syscall_find(rows[i].number), &rows[i]);
        assert_true(strlen(rows[i].name) < EVENT_NAME_BYTES);
        for (size_t k = 0; k < 6; k++) assert_true(rows[i].shows[k] < ARGUMENT_KINDS);
        for (size_t k = 0; k < i; k++) assert_string_not_equal(rows[i].name, rows[k].name);
    }
    assert_null(syscall_find(-1));
    assert_null(syscall_find(SYS_getpid));
    assert_string_equal(syscall_find(SYS_accept4)->name, "accept4");
}

static struct syscall_raw with_address(long number, uint64_t first, const char *text)
{
    struct syscall_raw raw = {.number = number, .args = {first, 0x1000, sizeof(struct sockaddr_in)}};
    struct address address;
    assert_true(address_parse(text, &address));
    if (address.version == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address.port)};
        memcpy(&in.sin_addr, address.ip, 4);
        memcpy(raw.address, &in, sizeof(in));
        raw.address_bytes = sizeof(in);
    } else {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(address.port)};
        memcpy(&in6.sin6_addr, address.ip, 16);
        memcpy(raw.address, &in6, sizeof(in6));
        raw.address_bytes = sizeof(in6);
    }
    return raw;
}

static void assert_reads(const struct syscall_raw *raw, const char *name, const char *args)
{
    struct event_call call;
    memset(&call, 0xa5, sizeof(call)); /* nothing it writes may depend on what was there */
    syscall_describe(raw, &call);
    assert_string_equal(call.name, name);
    assert_string_equal(call.args, args);
}

static void arguments_read_as_strace_prints_them(void **state)
{
    (void)state;
    static const struct {
        struct syscall_raw raw;
        const char *name, *args;
    } cases[] = {
        {{.number = SYS_socket, .args = {AF_INET, SOCK_STREAM, 0}}, "socket", "AF_INET, SOCK_STREAM, 0"},
        {{.number = SYS_socket, .args = {AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP}},
         "socket",
         "AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_UDP"},
        {{.number = SYS_socket, .args = {99, 0x100f, 1}}, "socket", "99, 15|0x1000, IPPROTO_ICMP"},
        {{.number = SYS_listen, .args = {3, 128}}, "listen", "3, 128"},
        {{.number = SYS_accept, .args = {3, 0, 0}}, "accept", "3"},
        {{.number = SYS_accept4, .args = {3, 0, 0, SOCK_NONBLOCK}}, "accept4", "3, SOCK_NONBLOCK"},
        {{.number = SYS_accept4, .args = {3, 0, 0, 0}}, "accept4", "3, 0"},
        {{.number = SYS_read, .args = {4, 0x7f00, 4096}}, "read", "4, ..., 4096"},
        {{.number = SYS_recvfrom, .args = {4, 0x7f00, 4096, MSG_PEEK | MSG_DONTWAIT}},
         "recv",
         "4, ..., 4096, MSG_PEEK|MSG_DONTWAIT"},
        {{.number = SYS_sendto, .args = {4, 0x7f00, 5, MSG_NOSIGNAL}}, "send", "4, ..., 5, MSG_NOSIGNAL"},
        {{.number = SYS_recvfrom, .args = {4, 0x7f00, 5, 0, 0x7f40, 0x7f80}}, "recvfrom", "4, ..., 5, 0"},
        {{.number = SYS_sendmsg, .args = {4, 0x7f00, 0}}, "sendmsg", "4, ..., 0"},
        {{.number = SYS_shutdown, .args = {4, SHUT_WR}}, "shutdown", "4, SHUT_WR"},
        {{.number = SYS_shutdown, .args = {4, 7}}, "shutdown", "4, 7"},
        {{.number = SYS_close, .args = {(uint64_t)-1}}, "close", "-1"},
        {{.number = SYS_dup3, .args = {3, 1, O_CLOEXEC}}, "dup3", "3, 1, O_CLOEXEC"},
        {{.number = SYS_splice, .args = {7, 0, 4, 0x7f00, 65536, 3}},
         "splice",
         "7, NULL, 4, ..., 65536, SPLICE_F_MOVE|SPLICE_F_NONBLOCK"},
        {{.number = SYS_preadv2, .args = {4, 0x7f00, 2, (uint64_t)-1, 0, 0}}, "preadv2", "4, ..., 2"},
        {{.number = SYS_fcntl, .args = {4, F_DUPFD, 10}}, "fcntl", "4, F_DUPFD, 10"},
        {{.number = SYS_fcntl, .args = {4, F_DUPFD_CLOEXEC, 0}}, "fcntl", "4, F_DUPFD_CLOEXEC, 0"},
        {{.number = 426, .args = {5, 1, 1, 1}}, "io_uring_enter", "5, 1, 1"},
        {{.number = SYS_pidfd_getfd, .args = {8, 4, 0}}, "pidfd_getfd", "8, 4, 0"},
        {{.number = SYS_close_range, .args = {3, 0xffffffff, CLOSE_RANGE_CLOEXEC}},
         "close_range",
         "3, 4294967295, CLOSE_RANGE_CLOEXEC"},
        {{.number = SYS_ppoll, .args = {0x7f00, 2, 0, 0}}, "ppoll", "..., 2, NULL, NULL"},
        {{.number = SYS_epoll_pwait, .args = {5, 0x7f00, 16, (uint64_t)-1, 0}}, "epoll_pwait", "5, ..., 16, -1, NULL"},
        {{.number = SYS_epoll_ctl, .args = {5, EPOLL_CTL_ADD, 4, 0x7f00}, .epoll_events = EPOLLIN | EPOLLET, .epoll_data = 4},
         "epoll_ctl",
         "5, EPOLL_CTL_ADD, 4, {EPOLLIN|EPOLLET, 4}"},
        {{.number = SYS_epoll_ctl, .args = {5, EPOLL_CTL_ADD, 4, 0x7f00}, .epoll_events = EPOLLIN, .epoll_data = 65535},
         "epoll_ctl",
         "5, EPOLL_CTL_ADD, 4, {EPOLLIN, 65535}"},
        {{.number = SYS_epoll_ctl, .args = {5, EPOLL_CTL_ADD, 4, 0x7f00}, .epoll_events = EPOLLIN, .epoll_data = 65536},
         "epoll_ctl",
         "5, EPOLL_CTL_ADD, 4, {EPOLLIN, 0x10000}"},
        {{.number = SYS_epoll_ctl, .args = {5, EPOLL_CTL_DEL, 4, 0}}, "epoll_ctl", "5, EPOLL_CTL_DEL, 4, NULL"},
        {{.number = SYS_setsockopt, .args = {3, SOL_SOCKET, SO_REUSEADDR, 0x7f00, 4}, .option_value = {1}, .option_bytes = 4},
         "setsockopt",
         "3, SOL_SOCKET, SO_REUSEADDR, 1"},
        {{.number = SYS_setsockopt, .args = {3, IPPROTO_TCP, TCP_NODELAY, 0x7f00, 4}, .option_value = {1}, .option_bytes = 4},
         "setsockopt",
         "3, SOL_TCP, TCP_NODELAY, 1"},
        {{.number = SYS_setsockopt, .args = {3, SOL_SOCKET, SO_LINGER, 0x7f00, 8}, .option_value = {1, 0}, .option_bytes = 8},
         "setsockopt",
         "3, SOL_SOCKET, SO_LINGER, {on, 0}"},
        {{.number = SYS_setsockopt, .args = {3, SOL_SOCKET, SO_RCVTIMEO, 0x7f00, 16}, .option_value = {1, 0}, .option_bytes = 8},
         "setsockopt",
         "3, SOL_SOCKET, SO_RCVTIMEO, ..., 16"},
        {{.number = SYS_setsockopt, .args = {3, IPPROTO_IP, IP_TTL, 0x7f00, 4}, .option_value = {9}, .option_bytes = 4},
         "setsockopt",
         "3, SOL_IP, IP_TTL, 9"},
        {{.number = SYS_setsockopt, .args = {3, IPPROTO_IPV6, IPV6_V6ONLY, 0x7f00, 4}, .option_value = {1}, .option_bytes = 4},
         "setsockopt",
         "3, SOL_IPV6, IPV6_V6ONLY, 1"},
        {{.number = SYS_setsockopt,
          .args = {3, IPPROTO_IPV6, IPV6_MTU_DISCOVER, 0x7f00, 4},
          .option_value = {1},
          .option_bytes = 4},
         "setsockopt",
         "3, SOL_IPV6, IPV6_MTU_DISCOVER, 1"}, /* the last of them */
        {{.number = SYS_setsockopt, .args = {3, 1234, 5, 0, 0}}, "setsockopt", "3, 1234, 5, NULL"},
        {{.number = SYS_execve, .args = {0x7f00, 0x7f00, 0x7f00}, .address = "/bin/a\"\033b", .address_bytes = 11},
         "execve",
         "\"/bin/a\\\"\\x1bb\", ..., ..."},
        {{.number = SYS_execve, .args = {0x7f00, 0x7f00, 0x7f00}, .address = "\x1f ~\x7f", .address_bytes = 5},
         "execve",
         "\"\\x1f ~\\x7f\", ..., ..."},
        {{.number = SYS_execve, .args = {0x7f00, 0x7f00, 0x7f00}}, "execve", "..., ..., ..."},
        {{.number = SYS_exit_group, .args = {3}}, "exit_group", "3"},
        {{.number = SYS_connect, .args = {3, 0, 16}}, "connect", "3, NULL"},
        {{.number = SYS_connect, .args = {3, 1, 16}}, "connect", "3, ..."},
        {{.number = SYS_connect, .args = {3, 1, 1}, .address = {AF_UNIX}, .address_bytes = 1}, "connect", "3, ..."},
        {{.number = SYS_bind, .args = {3, 1, 2}, .address = {AF_UNIX}, .address_bytes = 2}, "bind", "3, AF_UNIX"},
        {{.number = SYS_connect, .args = {3, 1, 16}, .address = {AF_UNSPEC}, .address_bytes = 16}, "connect", "3, AF_UNSPEC"},
        {{.number = SYS_getpid, .args = {0}}, NULL, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char unknown[32];
        snprintf(unknown, sizeof(unknown), "syscall %ld", cases[i].raw.number);
        assert_reads(&cases[i].raw, cases[i].name ? cases[i].name : unknown, cases[i].args);
    }
}

static void addresses_read_as_people_write_them(void **state)
{
    (void)state;
    struct syscall_raw raw = with_address(SYS_connect, 3, "127.0.0.1:3333");
    assert_reads(&raw, "connect", "3, 127.0.0.1:3333");
    raw = with_address(SYS_bind, 3, "[::1]:3333");
    assert_reads(&raw, "bind", "3, [::1]:3333");
    raw = with_address(SYS_sendmsg, 4, "192.0.2.1:53");
    raw.args[2] = MSG_NOSIGNAL;
    assert_reads(&raw, "sendmsg", "4, {192.0.2.1:53, ...}, MSG_NOSIGNAL");
    raw = with_address(SYS_sendto, 4, "192.0.2.1:53");
    raw.args[2] = 12;
    raw.args[4] = 0x1000;
    assert_reads(&raw, "sendto", "4, ..., 12, 0, 192.0.2.1:53");
}

static void fields_that_a_story_needs_are_set(void **state)
{
    (void)state;
    struct event_call call;
    syscall_describe(&(struct syscall_raw){.number = SYS_shutdown, .args = {4, SHUT_RDWR}}, &call);
    assert_int_equal(call.fd, 4);
    assert_int_equal(call.how, SHUT_RDWR);
    assert_int_equal(call.level, -1);
    syscall_describe(
        &(struct syscall_raw){
            .number = SYS_setsockopt, .args = {3, SOL_SOCKET, SO_LINGER, 1, 8}, .option_value = {1, 9}, .option_bytes = 8},
        &call);
    assert_int_equal(call.level, SOL_SOCKET);
    assert_int_equal(call.how, SO_LINGER);
    assert_int_equal(call.value[0], 1);
    assert_int_equal(call.value[1], 9);
    for (uint32_t bytes = 3; bytes <= 8; bytes++) { /* what was not copied is nobody's value */
        syscall_describe(
            &(struct syscall_raw){
                .number = SYS_setsockopt, .args = {3, SOL_SOCKET, SO_LINGER, 1, 8}, .option_value = {1, 9}, .option_bytes = bytes},
            &call);
        assert_int_equal(call.value[0], bytes >= 4 ? 1 : 0);
        assert_int_equal(call.value[1], bytes >= 8 ? 9 : 0);
    }
    syscall_describe(&(struct syscall_raw){.number = SYS_listen, .args = {3, 1}}, &call);
    assert_int_equal(call.how, 1);
    assert_int_equal(call.value[1], 0);
    syscall_describe(&(struct syscall_raw){.number = SYS_epoll_ctl, .args = {5, EPOLL_CTL_ADD, 4}}, &call);
    assert_int_equal(call.fd, 4);
    assert_int_equal(call.epoll, 6);
    syscall_describe(&(struct syscall_raw){.number = SYS_epoll_pwait, .args = {5, 1, 4}}, &call);
    assert_int_equal(call.fd, 5);
    assert_int_equal(call.epoll, 6);
    syscall_describe(&(struct syscall_raw){.number = SYS_splice, .args = {4, 0, 7}}, &call);
    assert_int_equal(call.fd, 4);
    assert_int_equal(call.how, 0);
    syscall_describe(&(struct syscall_raw){.number = SYS_splice, .args = {7, 0, 4}, .second = 1}, &call);
    assert_int_equal(call.fd, 4);
    assert_int_equal(call.how, 1);
    syscall_describe(&(struct syscall_raw){.number = SYS_socket, .args = {2, 1, 0}}, &call);
    assert_int_equal(call.fd, -1);
    assert_int_equal(call.epoll, 0);
}

static void any_values_give_a_short_printable_text(void **state)
{
    (void)state;
    size_t count;
    const struct syscall_row *rows = syscall_rows(&count);
    srand(7);
    for (int round = 0; round < 20000; round++) {
        struct syscall_raw raw;
        for (size_t i = 0; i < sizeof(raw); i++) ((uint8_t *)&raw)[i] = (uint8_t)(rand() >> 7);
        raw.number = rows[(size_t)round % count].number;
        struct event_call call;
        syscall_describe(&raw, &call);
        assert_true(strnlen(call.args, sizeof(call.args)) < sizeof(call.args));
        for (const char *c = call.args; *c; c++) assert_in_range(*c, 0x20, 0x7e);
    }
}

/* A flag and a trait that say the same of a call. */
#define SAME(flags, traits)                                                                                                        \
    {                                                                                                                              \
        flags, traits, #flags " and " #traits                                                                                      \
    }
static const struct {
    uint32_t flags, traits;
    const char *names;
} same[] = {
    SAME(SYSCALL_POLL | SYSCALL_SELECT | SYSCALL_EPOLL_WAIT, CALL_WAITS_FOR_MANY),
    SAME(SYSCALL_SHUTDOWN, CALL_SHUTS_DOWN),
    SAME(SYSCALL_LISTEN, CALL_LISTENS),
    SAME(SYSCALL_RANGE, CALL_CLOSES_RANGE),
    SAME(SYSCALL_PATH_0 | SYSCALL_PATH_1, CALL_RUNS),
    SAME(SYSCALL_NEW_FD, CALL_ACCEPTS | CALL_MAKES_SOCKET | CALL_TAKES_COPY),
};

/* What it means to a connection (event/call_traits.h), and whether its flags say the same. */
static void every_row_that_concerns_a_socket_has_traits(void **state)
{
    (void)state;
    size_t count;
    const struct syscall_row *rows = syscall_rows(&count);
    for (size_t i = 0; i < count; i++) {
        uint32_t traits = call_traits(rows[i].name);
        if (!traits && !(rows[i].flags & SYSCALL_NO_RETURN)) fail_msg("%s has no row in event/call_traits.c", rows[i].name);
        for (size_t k = 0; k < sizeof(same) / sizeof(same[0]); k++)
            if (((rows[i].flags & same[k].flags) != 0) != ((traits & same[k].traits) != 0))
                fail_msg("%s: its flags in capture/syscalls.c and its traits in event/call_traits.c differ: one has any of %s, the "
                         "other not",
                         rows[i].name, same[k].names);
        if (traits & (CALL_WAITS_FOR_MANY | CALL_READS | CALL_WRITES | CALL_ACCEPTS | CALL_CONNECTS))
            assert_true(traits & CALL_SLEEPS);
    }
    assert_int_equal(call_traits("getpid"), 0);
    assert_int_equal(call_traits(""), 0);
}

static void a_path_that_fills_its_room_may_go_on(void **state)
{
    (void)state;
    struct syscall_raw raw = {.number = SYS_execve, .args = {0x7f00, 0, 0}};
    char longest[sizeof(raw.address) + 1], expected[sizeof(longest) + 32];
    for (size_t length = sizeof(raw.address) - 1; length <= sizeof(raw.address); length++) {
        memset(longest, 'a', length);
        longest[length] = '\0';
        memset(raw.address, 0, sizeof(raw.address));
        memcpy(raw.address, longest, length);
        raw.address_bytes = (uint32_t)sizeof(raw.address);
        snprintf(expected, sizeof(expected), "\"%s\"%s, ..., ...", longest, length < sizeof(raw.address) ? "" : "...");
        struct event_call call;
        syscall_describe(&raw, &call);
        expected[sizeof(call.args) - 1] = '\0';
        assert_string_equal(call.args, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_by_its_number_and_named_once),
        cmocka_unit_test(arguments_read_as_strace_prints_them),
        cmocka_unit_test(addresses_read_as_people_write_them),
        cmocka_unit_test(fields_that_a_story_needs_are_set),
        cmocka_unit_test(every_row_that_concerns_a_socket_has_traits),
        cmocka_unit_test(any_values_give_a_short_printable_text),
        cmocka_unit_test(a_path_that_fills_its_room_may_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
