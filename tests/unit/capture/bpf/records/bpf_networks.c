/* The vantages of a whole host: one for each network in which a segment was seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "capture/bpf/bpf_networks.h"

static uint32_t own_netns(void)
{
    struct stat own;
    assert_int_equal(stat("/proc/self/ns/net", &own), 0);
    return (uint32_t)own.st_ino;
}

static void append(struct bpf_networks *networks, struct event_log *log, bool sent, uint32_t netns, uint32_t seq)
{
    struct event event = {.kind = sent ? EVENT_MARK : EVENT_PACKET, .t_ns = 1000 + seq};
    if (sent) {
        event.mark.netns = netns;
        event.mark.header.seq = seq;
    } else {
        event.packet.vantage = netns;
        event.packet.header.seq = seq;
        event.packet.wire_bytes = 60;
    }
    const struct event_options options = {.present = OPTION_FASTOPEN, .fastopen_cookie_bytes = (uint8_t)seq};
    assert_int_equal(bpf_networks_append(networks, log, &event, &options), 0);
}

static void assert_vantage(const struct event *event, uint32_t number, uint32_t netns, const char *name)
{
    assert_int_equal(event->kind, EVENT_VANTAGE);
    assert_int_equal(event->vantage.number, number);
    assert_int_equal(event->vantage.netns, netns);
    assert_string_equal(event->vantage.name, name);
}

static void assert_segment(const struct event *event, bool sent, uint32_t vantage, uint64_t number, uint32_t seq)
{
    assert_int_equal(event->kind, EVENT_PACKET);
    assert_int_equal(event->t_ns, 1000 + seq);
    assert_int_equal(event->packet.vantage, vantage);
    assert_int_equal(event->packet.number, number);
    assert_int_equal(event->packet.header.seq, seq);
    assert_int_equal(event->packet.options.present, OPTION_FASTOPEN);
    assert_int_equal(event->packet.options.fastopen_cookie_bytes, seq);
    assert_int_equal(event->packet.wire_bytes, sent ? 0 : 60);
}

static void each_network_is_said_once_and_counts_its_own_segments(void **state)
{
    (void)state;
    struct bpf_networks networks = {0};
    struct event_log *log = event_log_new();
    char other_name[EVENT_NAME_BYTES];
    const uint32_t own = own_netns(), other = own + 1;
    snprintf(other_name, sizeof(other_name), "network %u", other);
    append(&networks, log, true, own, 1);
    append(&networks, log, true, other, 2);
    append(&networks, log, false, own, 3);
    append(&networks, log, false, other, 4);
    append(&networks, log, true, own, 5);
    assert_int_equal(event_log_count(log), 7);
    assert_vantage(event_log_at(log, 0), 1, own, "this network");
    assert_segment(event_log_at(log, 1), true, 1, 1, 1);
    assert_vantage(event_log_at(log, 2), 2, other, other_name);
    assert_segment(event_log_at(log, 3), true, 2, 1, 2);
    assert_segment(event_log_at(log, 4), false, 1, 2, 3);
    assert_segment(event_log_at(log, 5), false, 2, 2, 4);
    assert_segment(event_log_at(log, 6), true, 1, 3, 5);
    free(networks.entries);
    event_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_network_is_said_once_and_counts_its_own_segments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
