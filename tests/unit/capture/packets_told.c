/* What a capture says of itself: ICMP errors, what was dropped, and why it can't begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/packets.h"
#include "packets_own.h"

void an_icmp_error_names_the_datagram_it_is_about(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct packets *packets = open_capture("lo", "icmp", false, log);
    send_udp(7); /* a closed port */
    drain(packets, log);
    packets_close(packets);
    assert_int_equal(count_packets(log, 0), 1);
    const struct event_packet *packet = &event_log_at(log, 1)->packet;
    assert_int_equal(packet->icmp.type, 3);
    assert_int_equal(packet->icmp.code, 3);
    assert_true(packet->icmp.quotes);
    assert_int_equal(packet->icmp.dst.port, 7);
    event_log_free(log);
}

static const struct event_lost *find_lost(const struct event_log *log, const char *what)
{
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        if (event->kind == EVENT_LOST && strcmp(event->lost.what, what) == 0) return &event->lost;
    }
    return NULL;
}

void the_report_says_zero_where_nothing_was_lost(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct packets *packets = open_capture("lo", "udp port 7", false, log);
    send_udp(7);
    send_udp(7);
    drain(packets, log);
    assert_int_equal(packets_report(packets, log, NULL), 0);
    packets_close(packets);
    const struct event_lost *kernel = find_lost(log, "dropped by kernel"), *interface = find_lost(log, "dropped by interface");
    assert_non_null(kernel);
    assert_non_null(interface);
    assert_string_equal(kernel->source, "capture lo");
    assert_int_equal(kernel->received, 2);
    assert_int_equal(kernel->count, 0);
    assert_int_equal(interface->count, 0);
    assert_null(find_lost(log, "malformed"));
    event_log_free(log);
}

void what_the_kernel_dropped_is_reported(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct packets *packets = open_capture("lo", "udp port 7", false, log);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(7)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const uint64_t sent = 40000; /* more than the buffer holds while nobody drains */
    for (uint64_t i = 0; i < sent; i++) sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
    close(fd);
    drain(packets, log);
    assert_int_equal(packets_report(packets, log, NULL), 0);
    packets_close(packets);
    const struct event_lost *lost = find_lost(log, "dropped by kernel");
    assert_true(lost->count > 0);
    if (lost->received + lost->count != sent)
        fail_msg("%lu received + %lu dropped is not %lu", (unsigned long)lost->received, (unsigned long)lost->count,
                 (unsigned long)sent);
    assert_true(lost->received == count_packets(log, 0));
    event_log_free(log);
}

void what_was_not_understood_is_reported_by_reason(void **state)
{
    (void)state;
    struct packets_options options = {.interface = "lo", .filter = "udp", .snap_bytes = 30};
    struct event_log *log = event_log_new();
    struct packets *packets;
    assert_int_equal(packets_open(&packets, &options, log, NULL), 0);
    send_udp(7);
    drain(packets, log);
    assert_int_equal(packets_report(packets, log, NULL), 0);
    packets_close(packets);
    assert_int_equal(count_packets(log, 0), 0);
    assert_non_null(find_lost(log, "cut by the capture"));
    assert_int_equal(find_lost(log, "cut by the capture")->count, 1);
    event_log_free(log);
    /* A TCP header that says it is of no bytes. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char zeroes[20] = {0};
    log = event_log_new();
    packets = open_capture("lo", "tcp", false, log);
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
    assert_int_equal(sendto(fd, zeroes, sizeof(zeroes), 0, (struct sockaddr *)&address, sizeof(address)), sizeof(zeroes));
    close(fd);
    drain(packets, log);
    assert_int_equal(packets_report(packets, log, NULL), 0);
    packets_close(packets);
    assert_int_equal(find_lost(log, "malformed")->count, 1);
    assert_null(find_lost(log, "cut by the capture"));
    event_log_free(log);
}

static int fail_to_open(const char *interface, const char *filter, struct err *err)
{
    struct packets_options options = {.interface = interface, .filter = filter};
    struct event_log *log = event_log_new();
    struct packets *packets;
    int code = packets_open(&packets, &options, log, err);
    assert_null(packets);
    assert_int_equal(event_log_count(log), 0);
    event_log_free(log);
    return code;
}

void a_wrong_filter_is_named_with_libpcaps_reason(void **state)
{
    (void)state;
    struct err err = {{0}};
    assert_int_equal(fail_to_open("lo", "tcp prot 80", &err), -EINVAL);
    assert_non_null(strstr(err.text, "tcp prot 80"));
    assert_non_null(strstr(err.text, "syntax error"));
}

void an_interface_that_is_not_there_is_named_with_those_that_are(void **state)
{
    (void)state;
    struct err err = {{0}};
    assert_int_equal(fail_to_open("nosuch0", NULL, &err), -ENODEV);
    assert_non_null(strstr(err.text, "nosuch0"));
    assert_non_null(strstr(err.text, "there are lo, any"));
    assert_int_equal(fail_to_open("a-name-that-is-much-too-long-for-an-interface", NULL, &err), -ENODEV);
}

void an_interface_that_is_down_is_said_so(void **state)
{
    (void)state;
    struct err err = {{0}};
    assert_true(set_interface("lo", false));
    int code = fail_to_open("lo", NULL, &err);
    assert_true(set_interface("lo", true));
    assert_int_equal(code, -ENETDOWN);
    assert_non_null(strstr(err.text, "down"));
}

void without_the_privilege_the_sentence_names_it_and_ways_to_get_it(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct none[2] = {{0}};
        struct packets_options options = {.interface = "lo"};
        struct packets *packets;
        struct err err = {{0}};
        if (syscall(SYS_capset, &header, none) != 0) _exit(100);
        struct event_log *log = event_log_new();
        int code = packets_open(&packets, &options, log, &err);
        event_log_free(log);
        if (write(ends[1], err.text, sizeof(err.text)) != sizeof(err.text)) _exit(101);
        _exit(code == -EPERM ? 0 : 1);
    }
    close(ends[1]);
    struct err err = {{0}};
    int status = -1;
    assert_int_equal(read(ends[0], err.text, sizeof(err.text)), sizeof(err.text));
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_non_null(strstr(err.text, "CAP_NET_RAW"));
    assert_non_null(strstr(err_long_story(&err), "sudo"));
    assert_non_null(strstr(err_long_story(&err), "setcap cap_net_raw+ep"));
}
