/* Capturing with libpcap, on the loopback of a network namespace of its own. */
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

bool set_interface(const char *name, bool up)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_flags = 0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    bool done = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    done = done && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, text, strlen(text)) < 0) perror(path);
    close(fd);
}

/* As root a network namespace; as anybody else a user namespace around it. */
static bool enter_namespace(void)
{
    char map[64];
    if (unshare(CLONE_NEWNET) == 0) return true;
    snprintf(map, sizeof(map), "0 %u 1", (unsigned)getuid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", map);
    return true;
}

struct packets *open_capture(const char *interface, const char *filter, bool keep_bytes, struct event_log *log)
{
    struct packets_options options = {.interface = interface, .filter = filter, .vantage = 3, .keep_bytes = keep_bytes};
    struct packets *packets;
    struct err err = {{0}};
    if (packets_open(&packets, &options, log, &err)) fail_msg("%s", err.text);
    return packets;
}

/* Drains until nothing has come for 50 ms. */
void drain(struct packets *packets, struct event_log *log)
{
    struct err err = {{0}};
    struct pollfd fd = {.fd = packets_fd(packets), .events = POLLIN};
    do {
        if (packets_drain(packets, log, &err) < 0) fail_msg("%s", err.text);
    } while (poll(&fd, 1, 50) > 0);
}

static uint16_t listen_on(int *ret_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*ret_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(*ret_fd, 5), 0);
    assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

/* A connection, "hello", and an end that the client begins. */
static void talk(int listener, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    char text[8];
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    int server = accept(listener, NULL, NULL);
    assert_int_equal(write(client, "hello", 5), 5);
    assert_int_equal(read(server, text, sizeof(text)), 5);
    close(client);
    assert_int_equal(read(server, text, sizeof(text)), 0);
    close(server);
}

void send_udp(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
    close(fd);
}

size_t count_packets(const struct event_log *log, uint8_t flags)
{
    size_t count = 0;
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        if (event->kind == EVENT_PACKET && (!flags || event->packet.header.flags == flags)) count++;
    }
    return count;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void a_connection_is_seen_whole_and_once(const char *interface)
{
    int listener;
    uint16_t port = listen_on(&listener);
    char filter[32];
    snprintf(filter, sizeof(filter), "tcp port %u", port);
    struct event_log *log = event_log_new();
    int64_t before = now_ns();
    struct packets *packets = open_capture(interface, filter, false, log);
    send_udp(port);
    talk(listener, port);
    drain(packets, log);
    int64_t after = now_ns();

    assert_int_equal(event_log_at(log, 0)->kind, EVENT_VANTAGE);
    assert_int_equal(event_log_at(log, 0)->vantage.number, 3);
    assert_string_equal(event_log_at(log, 0)->vantage.name, interface);
    assert_true(event_log_at(log, 0)->vantage.netns > 0);
    assert_int_equal(count_packets(log, TCP_SYN), 1);
    assert_int_equal(count_packets(log, TCP_SYN | TCP_ACK), 1);
    assert_int_equal(count_packets(log, TCP_PSH | TCP_ACK), 1);
    assert_int_equal(count_packets(log, TCP_FIN | TCP_ACK), 2);
    assert_in_range(count_packets(log, 0), 7, 9); /* and the pure ACKs, of which some ride along */
    bool finer = false;
    for (size_t i = 1; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        assert_true(event->t_ns >= before && event->t_ns <= after);
        finer = finer || event->t_ns % 1000;
        assert_int_equal(event->packet.number, i);
        assert_int_equal(event->packet.vantage, 3);
        assert_null(event->packet.bytes);
        assert_true(event->packet.wire_bytes >= 54);
        assert_true(event->packet.header.src.port == port || event->packet.header.dst.port == port);
        assert_int_equal(event->packet.header.length_bytes, event->packet.header.flags & TCP_PSH ? 5 : 0);
    }
    assert_true(finer); /* nanoseconds, not microseconds times 1000 */
    assert_true(packets_last_ns(packets) == event_log_at(log, event_log_count(log) - 1)->t_ns);
    packets_close(packets);
    event_log_free(log);
    close(listener);
}

static void on_lo_a_connection_is_seen_whole_and_once(void **state)
{
    (void)state;
    a_connection_is_seen_whole_and_once("lo");
}

static void on_any_a_connection_is_seen_whole_and_once(void **state)
{
    (void)state;
    a_connection_is_seen_whole_and_once("any");
}

static void the_first_packet_after_opening_is_seen(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct event_log *log = event_log_new();
        struct packets *packets = open_capture("lo", "udp port 7", false, log);
        send_udp(7);
        drain(packets, log);
        assert_int_equal(count_packets(log, 0), 1);
        assert_int_equal(event_log_at(log, 1)->packet.header.length_bytes, 1);
        packets_close(packets);
        event_log_free(log);
    }
}

/* Packets that came between the capture's start and its filter must not be seen. */
static void nothing_gets_past_the_filter_while_it_is_being_set(void **state)
{
    (void)state;
    pid_t flood = fork();
    if (flood == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) send_udp(9);
    }
    size_t unfiltered = 0;
    for (int i = 0; i < 10; i++) {
        struct event_log *log = event_log_new();
        struct packets *packets = open_capture("lo", "udp port 7", false, log);
        send_udp(7);
        for (int round = 0; round < 20; round++) {
            struct pollfd fd = {.fd = packets_fd(packets), .events = POLLIN};
            poll(&fd, 1, 1);
            assert_true(packets_drain(packets, log, NULL) >= 0);
        }
        assert_int_equal(count_packets(log, 0), 1);
        assert_int_equal(event_log_at(log, 1)->packet.header.dst.port, 7);
        packets_close(packets);

        /* The flood goes on: without a filter it is seen, however busy the machine is. */
        packets = open_capture("lo", NULL, false, log);
        size_t before = count_packets(log, 0);
        for (time_t deadline = time(NULL) + 10; time(NULL) < deadline && count_packets(log, 0) == before;) {
            struct pollfd fd = {.fd = packets_fd(packets), .events = POLLIN};
            poll(&fd, 1, 10);
            assert_true(packets_drain(packets, log, NULL) >= 0);
        }
        unfiltered += count_packets(log, 0) - before;
        packets_close(packets);
        event_log_free(log);
    }
    kill(flood, SIGKILL);
    waitpid(flood, NULL, 0);
    assert_true(unfiltered >= 10); /* else the flood proved nothing */
}

static void draining_does_not_block(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct packets *packets = open_capture("lo", "udp port 7", false, log);
    int64_t before = now_ns();
    assert_int_equal(packets_drain(packets, log, NULL), 0);
    assert_true(now_ns() - before < 500000000);
    assert_int_equal(packets_last_ns(packets), 0);
    packets_close(packets);
    event_log_free(log);
}

static void kept_bytes_are_those_of_the_frame(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct packets *packets = open_capture("lo", "udp port 7", true, log);
    send_udp(7);
    drain(packets, log);
    packets_close(packets);
    const struct event_packet *packet = &event_log_at(log, 1)->packet;
    assert_int_equal(packet->link_type, 1);
    assert_int_equal(packet->captured_bytes, 14 + 20 + 8 + 1);
    assert_int_equal(packet->wire_bytes, 14 + 20 + 8 + 1);
    assert_non_null(packet->bytes);
    assert_int_equal(packet->bytes[14 + 20 + 8], 'x');
    event_log_free(log);
}

static void a_frame_is_cut_at_the_asked_length_but_its_payload_counted_whole(void **state)
{
    (void)state;
    struct packets_options options = {.interface = "lo", .filter = "udp port 7", .snap_bytes = 60, .keep_bytes = true};
    struct event_log *log = event_log_new();
    struct packets *packets;
    assert_int_equal(packets_open(&packets, &options, log, NULL), 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(7)};
    char big[1000] = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sendto(fd, big, sizeof(big), 0, (struct sockaddr *)&address, sizeof(address)), sizeof(big));
    close(fd);
    drain(packets, log);
    packets_close(packets);
    const struct event_packet *packet = &event_log_at(log, 1)->packet;
    assert_in_range(packet->captured_bytes, 43, 60); /* libpcap's ring takes up to two bytes off, for alignment */
    assert_int_equal(packet->wire_bytes, 42 + 1000);
    assert_int_equal(packet->header.length_bytes, 1000);
    event_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_lo_a_connection_is_seen_whole_and_once),
        cmocka_unit_test(on_any_a_connection_is_seen_whole_and_once),
        cmocka_unit_test(the_first_packet_after_opening_is_seen),
        cmocka_unit_test(nothing_gets_past_the_filter_while_it_is_being_set),
        cmocka_unit_test(draining_does_not_block),
        cmocka_unit_test(kept_bytes_are_those_of_the_frame),
        cmocka_unit_test(a_frame_is_cut_at_the_asked_length_but_its_payload_counted_whole),
        cmocka_unit_test(an_icmp_error_names_the_datagram_it_is_about),
        cmocka_unit_test(the_report_says_zero_where_nothing_was_lost),
        cmocka_unit_test(what_the_kernel_dropped_is_reported),
        cmocka_unit_test(what_was_not_understood_is_reported_by_reason),
        cmocka_unit_test(a_wrong_filter_is_named_with_libpcaps_reason),
        cmocka_unit_test(an_interface_that_is_not_there_is_named_with_those_that_are),
        cmocka_unit_test(an_interface_that_is_down_is_said_so),
        cmocka_unit_test(without_the_privilege_the_sentence_names_it_and_ways_to_get_it),
    };
    if (!enter_namespace() || !set_interface("lo", true)) {
        fprintf(stderr, "no network namespace can be made here: %s\n", strerror(errno));
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
