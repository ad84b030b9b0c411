/* Packets of a whole network: read from the ring that the kernel fills, told as events. In a network of its own, on lo. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/if_packet.h>

#include "base/clock.h"
#include "capture/anywhere.h"
#include "capture/anywhere_take.h"
#include "support/own_network.h"

enum { NETWORK = 77, BLOCK = 65536, PORT = 4000 };

struct host {
    struct anywhere *anywhere;
    struct event_log *log;
    uint32_t vantages;
    int sender, receiver;
    struct err err;
};

/* At 127.0.0.1:4000: what it has got has come past all who look at lo. */
static int receiver_open(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

static int host_open(struct host *host, struct anywhere_options options)
{
    *host = (struct host){.log = event_log_new(),
                          .vantages = 2,
                          .sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                          .receiver = receiver_open()};
    options.vantages = &host->vantages;
    options.vantages_most = 4;
    options.netns = NETWORK;
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    errno = EIO; /* of something before */
    return anywhere_open(&host->anywhere, fd, &options, &host->err);
}

static void host_begin(struct host *host, struct anywhere_options options)
{
    if (host_open(host, options)) fail_msg("%s", host->err.text);
}

static void host_end(struct host *host)
{
    anywhere_close(host->anywhere);
    event_log_free(host->log);
    close(host->sender), close(host->receiver);
}

static void send_to(const struct host *host, uint16_t port, size_t bytes)
{
    static const char zeros[2000];
    char received[sizeof(zeros)];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(sendto(host->sender, zeros, bytes, 0, (const struct sockaddr *)&to, sizeof(to)), bytes);
    if (port == PORT) assert_int_equal(recv(host->receiver, received, sizeof(received), 0), bytes);
}

static int drain(struct host *host)
{
    int got = anywhere_drain(host->anywhere, host->log, &host->err);
    if (got < 0) fail_msg("%s", host->err.text);
    return got;
}

static const struct event *event_at(const struct host *host, size_t i)
{
    assert_true(i < event_log_count(host->log));
    return event_log_at(host->log, i);
}

#define ONLY_DATAGRAMS .ring.filter = "udp dst port 4000", .ring.ring_bytes = BLOCK

/* The protocol is one for experiments (RFC 3692). */
static void what_is_not_decoded_is_no_event_and_no_error(void **state)
{
    (void)state;
    struct host host;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    host_begin(&host, (struct anywhere_options){.ring.filter = "ip proto 253", .ring.ring_bytes = BLOCK, .ring.snap_bytes = 256});
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253);
    assert_int_equal(sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
    close(fd);
    assert_int_equal(drain(&host), 0);
    host_end(&host);
}

/* What is not told holds up nothing that stands behind it. */
static void what_is_not_decoded_is_passed_over(void **state)
{
    (void)state;
    struct host host;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    host_begin(&host, (struct anywhere_options){
                          .ring.filter = "ip proto 253 or udp dst port 4000", .ring.ring_bytes = BLOCK, .ring.snap_bytes = 256});
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253);
    for (int i = 0; i < 2; i++) assert_int_equal(sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
    close(fd);
    send_to(&host, PORT, 100);
    assert_int_equal(drain(&host), 1);
    host_end(&host);
}

static void a_datagram_on_lo_is_seen_once_with_its_time_and_bytes(void **state)
{
    (void)state;
    struct host host;
    host_begin(&host, (struct anywhere_options){ONLY_DATAGRAMS, .ring.snap_bytes = 256});
    int64_t before_ns = clock_wall_ns();
    send_to(&host, PORT, 100);
    send_to(&host, PORT + 1, 100); /* filtered out, and so is ICMP's answer */
    int64_t after_ns = clock_wall_ns();
    assert_int_equal(drain(&host), 1);
    assert_int_equal(drain(&host), 0);
    assert_int_equal(event_log_count(host.log), 2);
    assert_int_equal(event_at(&host, 0)->kind, EVENT_VANTAGE);
    assert_int_equal(event_at(&host, 0)->vantage.number, 3);
    assert_string_equal(event_at(&host, 0)->vantage.name, "network 77 lo");
    const struct event *event = event_at(&host, 1);
    assert_int_equal(event->kind, EVENT_PACKET);
    assert_true(event->t_ns >= before_ns && event->t_ns <= after_ns);
    assert_int_equal(event->packet.vantage, 3);
    assert_int_equal(event->packet.number, 1);
    assert_int_equal(event->packet.wire_bytes, 128); /* IP and UDP have 28 */
    assert_int_equal(event->packet.captured_bytes, 128);
    assert_int_equal(event->packet.bytes[0], 0x45);
    assert_int_equal(anywhere_report(host.anywhere, host.log, &host.err), 0);
    const struct event_lost *lost = &event_at(&host, 2)->lost;
    assert_string_equal(lost->source, "capture network 77");
    assert_string_equal(lost->what, "dropped by kernel");
    assert_int_equal(lost->received, 1);
    assert_int_equal(lost->count, 0);
    assert_int_equal(event_log_count(host.log), 3);
    host_end(&host);
}

static void a_packet_is_cut_at_what_was_asked_for(void **state)
{
    (void)state;
    static const struct {
        uint32_t snap;
        size_t sent;
        bool headers_alone;
        uint32_t captured;
    } cases[] = {
        {200, 172, false, 200}, {200, 173, false, 200}, {200, 171, false, 199}, {1500, 1400, false, 1428}, {200, 500, true, 28},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct host host;
        host_begin(&host, (struct anywhere_options){ONLY_DATAGRAMS, .ring.snap_bytes = cases[i].snap,
                                                    .headers_alone = cases[i].headers_alone});
        send_to(&host, PORT, cases[i].sent);
        assert_int_equal(drain(&host), 1);
        const struct event_packet *packet = &event_at(&host, 1)->packet;
        if (packet->captured_bytes != cases[i].captured) fail_msg("case %zu: %u", i, packet->captured_bytes);
        if (packet->wire_bytes != cases[i].sent + 28) fail_msg("case %zu: on the wire %u", i, packet->wire_bytes);
        host_end(&host);
    }
}

/* Frames have the least power of two from 256 on in which the head's 128 bytes find room too; blocks have 64 KiB, or a frame's. */
static void as_many_packets_find_room_as_the_ring_has_frames(void **state)
{
    (void)state;
    static const struct {
        uint32_t snap, ring;
        uint64_t frames;
    } cases[] = {
        {100, BLOCK, 256}, {128, BLOCK, 256},        {129, BLOCK, 128},     {384, BLOCK, 128},     {385, BLOCK, 64},
        {100, 1, 256},     {385, 2 * BLOCK - 1, 64}, {385, 2 * BLOCK, 128}, {65536, 3 * BLOCK, 1},
    };
    enum { SENT = 300 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct host host;
        host_begin(&host, (struct anywhere_options){
                              .ring = {.filter = "udp dst port 4000", .snap_bytes = cases[i].snap, .ring_bytes = cases[i].ring}});
        for (int k = 0; k < SENT; k++) send_to(&host, PORT, 8);
        if ((uint64_t)drain(&host) != cases[i].frames) fail_msg("case %zu: another number of frames", i);
        for (int k = 0; k < 3; k++) send_to(&host, PORT, 8); /* from its beginning again */
        assert_int_equal(drain(&host), cases[i].frames < 3 ? cases[i].frames : 3);
        for (int k = 0; k < 2; k++) { /* what the kernel forgets where it is asked is added up */
            size_t at = event_log_count(host.log);
            assert_int_equal(anywhere_report(host.anywhere, host.log, &host.err), 0);
            uint64_t dropped = SENT + 3 - cases[i].frames - (cases[i].frames < 3 ? cases[i].frames : 3);
            if (event_at(&host, at)->lost.count != dropped)
                fail_msg("case %zu: %lu", i, (unsigned long)event_at(&host, at)->lost.count);
        }
        host_end(&host);
    }
}

static void interfaces_that_others_look_at_are_left_out(void **state)
{
    (void)state;
    int excluded[RING_EXCLUDED_MAX + 1], lo = (int)if_nametoindex("lo");
    static const struct {
        size_t count, at; /* lo's place among them */
        bool is_seen;
    } cases[] = {{0, 0, true}, {1, 0, false}, {2, 1, false}, {1, 1, true}, {64, 63, false}, {65, 63, false}, {65, 64, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct host host;
        for (size_t k = 0; k <= RING_EXCLUDED_MAX; k++) excluded[k] = lo + 1000 + (int)k;
        excluded[cases[i].at] = lo;
        host_begin(&host, (struct anywhere_options){ONLY_DATAGRAMS, .ring.snap_bytes = 256, .ring.excluded = excluded,
                                                    .ring.excluded_count = cases[i].count, .is_own = true});
        send_to(&host, PORT, 8);
        if (drain(&host) != cases[i].is_seen) fail_msg("case %zu", i);
        if (cases[i].is_seen) assert_string_equal(event_at(&host, 0)->vantage.name, "lo");
        host_end(&host);
    }
}

static void a_filter_that_asks_for_a_link_layer_is_refused(void **state)
{
    (void)state;
    struct host host;
    assert_int_equal(
        host_open(&host,
                  (struct anywhere_options){.ring = {.filter = "ether host 1:2:3:4:5:6", .snap_bytes = 256, .ring_bytes = BLOCK}}),
        -EINVAL);
    assert_non_null(strstr(host.err.text, "the filter \"ether host 1:2:3:4:5:6\" asks for a link layer"));
    host_end(&host);
    /* What is no packet socket takes no ring; it is closed all the same. */
    struct anywhere *none = NULL;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct anywhere_options options = {ONLY_DATAGRAMS, .ring.snap_bytes = 256};
    assert_true(anywhere_open(&none, fd, &options, &host.err) < 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    anywhere_close(NULL);
}

/* ---- without a ring ---- */

/* To 127.0.0.1:4000, with 4 bytes of payload. */
static const uint8_t datagram[32] = {0x45, 0, 0, 32, 0,  0,   0,  0,   64, 17, 0, 0, 127, 0,   0,   1,
                                     127,  0, 0, 1,  15, 159, 15, 160, 0,  12, 0, 0, 'a', 'b', 'c', 'd'};

static struct ring_packet packet_on(int interface, uint16_t hardware)
{
    return (struct ring_packet){.t_ns = 1000 + interface,
                                .bytes = datagram,
                                .captured_bytes = sizeof(datagram),
                                .wire_bytes = sizeof(datagram),
                                .interface = interface,
                                .hardware = hardware};
}

static void an_interface_is_a_vantage_said_at_its_first_packet(void **state)
{
    (void)state;
    uint32_t vantages = 5;
    struct event_log *log = event_log_new();
    struct anywhere_taken taken = {.options = {.netns = NETWORK, .vantages = &vantages, .vantages_most = 7}};
    static const struct {
        int interface;
        uint16_t hardware;
        int got;
        const char *name; /* of a vantage said before it; NULL: none is */
        uint32_t vantage, number;
    } cases[] = {
        {4, ARPHRD_ETHER, 1, "network 77 if4", 6, 1},
        {4, ARPHRD_ETHER, 1, NULL, 6, 2},
        {1, ARPHRD_LOOPBACK, 1, "network 77 lo", 7, 1},
        {4, ARPHRD_ETHER, 1, NULL, 6, 3},
        {1, ARPHRD_LOOPBACK, 1, NULL, 7, 2},
        {9, ARPHRD_ETHER, 0, NULL, 0, 0},
        {9, ARPHRD_ETHER, 0, NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ring_packet packet = packet_on(cases[i].interface, cases[i].hardware);
        size_t at = event_log_count(log);
        if (anywhere_take(&taken, &packet, log) != cases[i].got) fail_msg("case %zu", i);
        if (cases[i].name) {
            assert_int_equal(event_log_at(log, at)->kind, EVENT_VANTAGE);
            assert_string_equal(event_log_at(log, at)->vantage.name, cases[i].name);
            assert_int_equal(event_log_at(log, at)->vantage.number, cases[i].vantage);
            assert_int_equal(event_log_at(log, at)->vantage.netns, NETWORK);
            at++;
        }
        assert_int_equal(event_log_count(log), at + (size_t)cases[i].got);
        if (!cases[i].got) continue;
        assert_int_equal(event_log_at(log, at)->packet.vantage, cases[i].vantage);
        assert_int_equal(event_log_at(log, at)->packet.number, cases[i].number);
    }
    assert_int_equal(vantages, 7);
    size_t at = event_log_count(log);
    assert_int_equal(anywhere_take_report(&taken, 3, log), 0);
    assert_int_equal(event_log_at(log, at)->lost.count, 3);
    assert_int_equal(event_log_at(log, at)->lost.received, 7);
    assert_string_equal(event_log_at(log, at + 1)->lost.what, "on too many interfaces");
    assert_int_equal(event_log_at(log, at + 1)->lost.count, 2);
    event_log_free(log);
}

static void of_the_networks_own_interfaces_the_names_are_known(void **state)
{
    (void)state;
    uint32_t vantages = 0;
    struct event_log *log = event_log_new();
    struct anywhere_taken taken = {.options = {.netns = NETWORK, .is_own = true, .vantages = &vantages, .vantages_most = 9}};
    const struct ring_packet lo = packet_on((int)if_nametoindex("lo"), ARPHRD_ETHER), gone = packet_on(1000, ARPHRD_ETHER);
    assert_int_equal(anywhere_take(&taken, &lo, log), 1);
    assert_int_equal(anywhere_take(&taken, &gone, log), 1);
    assert_string_equal(event_log_at(log, 0)->vantage.name, "lo");
    assert_string_equal(event_log_at(log, 2)->vantage.name, "network 77 if1000");
    assert_int_equal(anywhere_take_report(&taken, 0, log), 0);
    assert_string_equal(event_log_at(log, 4)->lost.source, "capture of later ones");
    assert_int_equal(event_log_count(log), 5);
    event_log_free(log);
}

static void sixty_four_interfaces_are_told_apart(void **state)
{
    (void)state;
    enum { MOST = 64 };
    uint32_t vantages = 0;
    struct event_log *log = event_log_new();
    struct anywhere_taken taken = {.options = {.vantages = &vantages, .vantages_most = 1000}};
    for (int i = 1; i <= MOST + 1; i++) {
        const struct ring_packet packet = packet_on(i, ARPHRD_ETHER);
        assert_int_equal(anywhere_take(&taken, &packet, log), i <= MOST);
    }
    const struct ring_packet last = packet_on(MOST, ARPHRD_ETHER);
    assert_int_equal(anywhere_take(&taken, &last, log), 1);
    assert_int_equal(vantages, MOST);
    event_log_free(log);
}

/* What is no segment says no interface either. */
static void what_is_not_understood_is_counted_and_not_told(void **state)
{
    (void)state;
    uint32_t vantages = 0;
    struct event_log *log = event_log_new();
    struct anywhere_taken taken = {.options = {.vantages = &vantages, .vantages_most = 9}};
    struct ring_packet packet = packet_on(4, ARPHRD_ETHER);
    packet.captured_bytes = 0;
    assert_int_equal(anywhere_take(&taken, &packet, log), 0);
    assert_int_equal(event_log_count(log), 0);
    assert_int_equal(anywhere_take_report(&taken, 0, log), 0);
    assert_int_equal(event_log_at(log, 0)->lost.received, 1);
    event_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_on_lo_is_seen_once_with_its_time_and_bytes),
        cmocka_unit_test(what_is_not_decoded_is_no_event_and_no_error),
        cmocka_unit_test(what_is_not_decoded_is_passed_over),
        cmocka_unit_test(a_packet_is_cut_at_what_was_asked_for),
        cmocka_unit_test(as_many_packets_find_room_as_the_ring_has_frames),
        cmocka_unit_test(interfaces_that_others_look_at_are_left_out),
        cmocka_unit_test(a_filter_that_asks_for_a_link_layer_is_refused),
        cmocka_unit_test(an_interface_is_a_vantage_said_at_its_first_packet),
        cmocka_unit_test(of_the_networks_own_interfaces_the_names_are_known),
        cmocka_unit_test(sixty_four_interfaces_are_told_apart),
        cmocka_unit_test(what_is_not_understood_is_counted_and_not_told),
    };
    if (!own_network_enter()) {
        fprintf(stderr, "this test needs root, or user namespaces\n");
        return 1;
    }
    return cmocka_run_group_tests_name("anywhere", tests, NULL, NULL);
}
