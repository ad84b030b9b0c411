/* The wire between two real hosts, as this user and as an ordinary one. Each test has a network of its own, in a child process. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "support/lab_child.h"
#include "support/two_hosts.h"
#include "wire_own.h"

struct two_hosts hosts;
struct err err;

int rule(unsigned from, enum wire_match match, uint32_t nth, enum wire_action action, int64_t extra_ns, const char *name)
{
    struct wire_rule rule = {.from = from, .match = match, .nth = nth, .action = action, .extra_ns = extra_ns};
    snprintf(rule.name, sizeof(rule.name), "%s", name);
    return wire_rule(hosts.wire, &rule, &err);
}

/* Waits for exactly one report, which is this; what comes besides is a mistake. */
bool one_report(enum wire_fate fate, enum wire_from from, enum wire_match match)
{
    struct wire_report report, another;
    if (!two_hosts_ready(wire_fd(hosts.wire), POLLIN, 3000)) return false;
    if (wire_next_report(hosts.wire, &report, &err) != 1 || wire_next_report(hosts.wire, &another, &err) != 0) return false;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - report.t_ns;
    return report.fate == fate && report.from == from && report.is_tcp && wire_matches(match, &report.header) && age_ns >= 0 &&
           age_ns < 5000LL * MS;
}

bool no_report(void)
{
    struct wire_report report;
    return wire_next_report(hosts.wire, &report, &err) == 0;
}

bool receives(int fd, const char *expected)
{
    char text[64] = "";
    size_t length = 0;
    while (length < strlen(expected) && two_hosts_ready(fd, POLLIN, 3000)) {
        ssize_t got = recv(fd, text + length, sizeof(text) - 1 - length, 0);
        if (got <= 0) break;
        length += (size_t)got;
    }
    return strcmp(text, expected) == 0;
}

static int64_t between(enum wire_from from, enum wire_match match, size_t n)
{
    enum network_place sender = from == WIRE_FROM_CLIENT ? NETWORK_CLIENT : NETWORK_SERVER;
    const struct event *out = two_hosts_nth(&hosts, sender, from, match, n);
    int64_t sent_ns = out ? out->t_ns : 0;
    const struct event *in = two_hosts_nth(&hosts, sender == NETWORK_CLIENT ? NETWORK_SERVER : NETWORK_CLIENT, from, match, n);
    return sent_ns && in ? in->t_ns - sent_ns : -1;
}

static int passes_body(void)
{
    static char sent[300000], got[sizeof(sent)];
    int listener, client, server;
    size_t out = 0, in = 0;
    for (size_t i = 0; i < sizeof(sent); i++) sent[i] = (char)(i * 7 + i / 251);
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    while (in < sizeof(got)) {
        ssize_t moved = out < sizeof(sent) ? send(client, sent + out, sizeof(sent) - out, MSG_DONTWAIT) : 0;
        if (moved > 0) out += (size_t)moved;
        HOLDS(two_hosts_ready(server, POLLIN, 3000));
        moved = recv(server, got + in, sizeof(got) - in, MSG_DONTWAIT);
        HOLDS(moved > 0);
        in += (size_t)moved;
    }
    HOLDS(memcmp(sent, got, sizeof(sent)) == 0);
    HOLDS(no_report());
    /* What is captured is what a wire carries: no segment is larger than the MTU lets it be. */
    for (size_t n = 1; n <= two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_CLIENT, WIRE_DATA); n++)
        HOLDS(two_hosts_nth(&hosts, NETWORK_CLIENT, WIRE_FROM_CLIENT, WIRE_DATA, n)->packet.header.length_bytes <= 1460);
    two_hosts_close(&hosts);
    return 0;
}

static int vantage_body(void)
{
    static const char *const v4[] = {NETWORK_CLIENT_V4, NETWORK_SERVER_V4}, *const v6[] = {NETWORK_CLIENT_V6, NETWORK_SERVER_V6};
    struct address own_v4, own_v6;
    HOLDS(two_hosts_open(&hosts) == 0);
    for (enum network_place place = NETWORK_CLIENT; place <= NETWORK_SERVER; place++) {
        const struct event *event = event_log_at(hosts.log, place);
        HOLDS(event->kind == EVENT_VANTAGE && event->vantage.netns == network_netns(hosts.network, place));
        HOLDS(strcmp(event->vantage.name, network_place_name(place)) == 0);
        HOLDS(address_parse(v4[place], &own_v4) && address_equal(&event->vantage.v4, &own_v4));
        HOLDS(address_parse(v6[place], &own_v6) && address_equal(&event->vantage.v6, &own_v6));
    }
    two_hosts_close(&hosts);
    return 0;
}

static int v6_body(void)
{
    HOLDS(two_hosts_open(&hosts) == 0);
    int listener = two_hosts_listen(&hosts, AF_INET6), client = two_hosts_connect(&hosts, AF_INET6);
    HOLDS(listener >= 0 && client >= 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_DUPLICATE, 0, "") == 0);
    HOLDS(two_hosts_ready(listener, POLLIN, 3000));
    int server = accept(listener, NULL, NULL);
    HOLDS(send(client, "six", 3, 0) == 3);
    HOLDS(receives(server, "six"));
    HOLDS(one_report(WIRE_DUPLICATED, WIRE_FROM_CLIENT, WIRE_DATA)); /* IPv6 segments are known too */
    two_hosts_close(&hosts);
    return 0;
}

static int drop_body(void)
{
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_SYN, 1, WIRE_DROP, 0, "") == 0);
    int listener = two_hosts_listen(&hosts, AF_INET), client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(one_report(WIRE_DROPPED, WIRE_FROM_CLIENT, WIRE_SYN));
    HOLDS(two_hosts_ready(client, POLLOUT, 5000)); /* the second SYN got through */
    HOLDS(two_hosts_ready(listener, POLLIN, 1000));
    HOLDS(two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_CLIENT, WIRE_SYN) == 2);
    HOLDS(two_hosts_count(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_SYN) == 1);
    HOLDS(no_report());
    two_hosts_close(&hosts);
    return 0;
}

static int duplicate_body(void)
{
    int listener, client, server;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(rule(WIRE_FROM_SERVER, WIRE_DATA, 1, WIRE_DUPLICATE, 0, "") == 0);
    HOLDS(send(server, "once", 4, 0) == 4);
    HOLDS(receives(client, "once"));
    HOLDS(two_hosts_await(&hosts, NETWORK_CLIENT, WIRE_FROM_SERVER, WIRE_DATA, 2, 3000));
    HOLDS(two_hosts_count(&hosts, NETWORK_SERVER, WIRE_FROM_SERVER, WIRE_DATA) == 1);
    HOLDS(one_report(WIRE_DUPLICATED, WIRE_FROM_SERVER, WIRE_DATA));
    HOLDS(!two_hosts_ready(client, POLLIN, 20)); /* TCP took it once */
    two_hosts_close(&hosts);
    return 0;
}

static int hold_body(void)
{
    size_t count = 9;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(rule(WIRE_FROM_SERVER, WIRE_SYN_ACK, 1, WIRE_HOLD, 0, "answer") == 0);
    int listener = two_hosts_listen(&hosts, AF_INET), client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(listener >= 0 && one_report(WIRE_HELD, WIRE_FROM_SERVER, WIRE_SYN_ACK));
    HOLDS(!two_hosts_ready(client, POLLOUT, 100));
    HOLDS(two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_SERVER, WIRE_SYN_ACK) == 0);
    HOLDS(wire_release(hosts.wire, "another", &count, &err) == 0 && count == 0);
    HOLDS(wire_release(hosts.wire, "answer", &count, &err) == 0 && count == 1);
    HOLDS(two_hosts_ready(client, POLLOUT, 500));
    HOLDS(one_report(WIRE_RELEASED, WIRE_FROM_SERVER, WIRE_SYN_ACK));
    HOLDS(two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_CLIENT, WIRE_SYN) == 1); /* it did not have to ask again */
    HOLDS(wire_release(hosts.wire, NULL, &count, &err) == 0 && count == 0);
    two_hosts_close(&hosts);
    return 0;
}

static int reorder_body(void)
{
    int listener, client, server;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_REORDER, 0, "") == 0);
    HOLDS(send(client, "first", 5, 0) == 5 && send(client, "2nd", 3, 0) == 3);
    HOLDS(receives(server, "first2nd"));
    const struct event *a = two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1);
    HOLDS(a && a->packet.header.length_bytes == 3);
    a = two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 2);
    HOLDS(a && a->packet.header.length_bytes == 5);
    HOLDS(one_report(WIRE_REORDERED, WIRE_FROM_CLIENT, WIRE_DATA));
    two_hosts_close(&hosts);
    return 0;
}

static int delay_body(void)
{
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_CLIENT, 40LL * MS, &err) == 0);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_SERVER, 15LL * MS, &err) == 0);
    int listener = two_hosts_listen(&hosts, AF_INET), client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(listener >= 0 && client >= 0 && two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_ACK, 1, 3000));
    /* At least; how much more is the scheduler's affair, but it is no multiple. */
    HOLDS(between(WIRE_FROM_CLIENT, WIRE_SYN, 1) >= 40LL * MS && between(WIRE_FROM_CLIENT, WIRE_SYN, 1) < 79LL * MS);
    HOLDS(between(WIRE_FROM_SERVER, WIRE_SYN_ACK, 1) >= 15LL * MS && between(WIRE_FROM_SERVER, WIRE_SYN_ACK, 1) < 40LL * MS);
    HOLDS(between(WIRE_FROM_CLIENT, WIRE_ACK, 1) >= 40LL * MS);
    HOLDS(no_report()); /* a link has a length: nothing was done to the frames */
    /* A shorter delay does not let what comes later pass what is on the way. */
    int server = accept(listener, NULL, NULL), on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    HOLDS(send(client, "before", 6, 0) == 6);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_BOTH, 0, &err) == 0);
    HOLDS(send(client, "after", 5, 0) == 5);
    HOLDS(receives(server, "beforeafter"));
    HOLDS(two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1)->packet.header.length_bytes == 6);
    HOLDS(between(WIRE_FROM_CLIENT, WIRE_DATA, 1) >= 40LL * MS);
    two_hosts_close(&hosts);
    return 0;
}

static int delay_one_body(void)
{
    int listener, client, server;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(rule(WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_DELAY, 60LL * MS, "") == 0);
    HOLDS(send(client, "late", 4, 0) == 4 && send(client, "on time", 7, 0) == 7);
    HOLDS(two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1, 3000));
    HOLDS(two_hosts_nth(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA, 1)->packet.header.length_bytes == 7);
    HOLDS(receives(server, "lateon time"));
    HOLDS(one_report(WIRE_DELAYED, WIRE_FROM_CLIENT, WIRE_DATA));
    two_hosts_close(&hosts);
    return 0;
}

static int cut_body(void)
{
    int listener, client, server;
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_establish(&hosts, &listener, &client, &server) == 0);
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_CLIENT, 50LL * MS, &err) == 0);
    HOLDS(send(client, "a", 1, 0) == 1);
    HOLDS(wire_cut(hosts.wire, WIRE_FROM_CLIENT, &err) == 0); /* while it is on the way */
    HOLDS(one_report(WIRE_CUT_OFF, WIRE_FROM_CLIENT, WIRE_DATA));
    HOLDS(wire_delay(hosts.wire, WIRE_FROM_CLIENT, 0, &err) == 0);
    HOLDS(send(server, "the other way", 13, 0) == 13);
    HOLDS(receives(client, "the other way"));
    HOLDS(!two_hosts_ready(server, POLLIN, 100));
    HOLDS(two_hosts_count(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_DATA) == 0);
    HOLDS(wire_mend(hosts.wire, WIRE_FROM_BOTH, &err) == 0);
    HOLDS(receives(server, "a")); /* sent again */
    two_hosts_close(&hosts);
    return 0;
}

/* ---- frames made by hand: exact numbers without a TCP that answers ---- */

FOR_ROOT_AND_OTHERS(a_wire_carries_all_and_in_order, passes_body)
FOR_ROOT_AND_OTHERS(a_capture_knows_its_hosts_name_and_addresses, vantage_body)
FOR_ROOT_AND_OTHERS(ipv6_is_carried_and_its_segments_are_known, v6_body)
FOR_ROOT_AND_OTHERS(a_dropped_syn_is_seen_at_its_sender_alone_and_is_sent_again, drop_body)
FOR_ROOT_AND_OTHERS(a_duplicated_segment_is_sent_once_and_received_twice, duplicate_body)
FOR_ROOT_AND_OTHERS(a_held_segment_arrives_when_it_is_released_by_its_name, hold_body)
FOR_ROOT_AND_OTHERS(a_reordered_segment_arrives_right_behind_the_next, reorder_body)
FOR_ROOT_AND_OTHERS(a_delay_is_the_time_between_the_two_hosts_and_keeps_the_order, delay_body)
FOR_ROOT_AND_OTHERS(one_segment_can_be_late_and_others_pass_it, delay_one_body)
FOR_ROOT_AND_OTHERS(a_cut_loses_what_is_on_the_way_in_its_direction, cut_body)
FOR_ROOT_AND_OTHERS(a_command_is_in_force_for_what_is_sent_after_it_and_not_before, in_force_body)
FOR_ROOT_AND_OTHERS(numbered_frames_come_in_the_order_that_the_rules_say, every_body)
FOR_ROOT_AND_OTHERS(datagrams_pass_what_is_about_segments_but_not_a_cut, udp_body)
FOR_ROOT_AND_OTHERS(a_segment_in_an_ends_name_is_taken_for_its_own, inject_body)
FOR_ROOT_AND_OTHERS(datagrams_are_lost_doubled_and_turned_round_by_rules, datagrams_body)
FOR_ROOT_AND_OTHERS(a_router_carries_on_and_translates_as_the_kernels_at_both_ends_take_it, routed_body)
FOR_ROOT_AND_OTHERS(each_answer_of_the_router_is_what_connect_fails_with, router_answers_body)
FOR_ROOT_AND_OTHERS(what_the_wire_held_comes_to_the_router_when_it_is_released, held_before_router_body)
FOR_ROOT_AND_OTHERS(what_makes_no_sense_is_refused, refused_body)
FOR_ROOT_AND_OTHERS(a_wire_that_has_ended_is_told_as_that, ended_body)
FOR_ROOT_AND_OTHERS(the_wire_ends_with_its_parent, orphan_body)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wire_carries_all_and_in_order),
        cmocka_unit_test(a_capture_knows_its_hosts_name_and_addresses),
        cmocka_unit_test(ipv6_is_carried_and_its_segments_are_known),
        cmocka_unit_test(a_dropped_syn_is_seen_at_its_sender_alone_and_is_sent_again),
        cmocka_unit_test(a_duplicated_segment_is_sent_once_and_received_twice),
        cmocka_unit_test(a_held_segment_arrives_when_it_is_released_by_its_name),
        cmocka_unit_test(a_reordered_segment_arrives_right_behind_the_next),
        cmocka_unit_test(a_delay_is_the_time_between_the_two_hosts_and_keeps_the_order),
        cmocka_unit_test(one_segment_can_be_late_and_others_pass_it),
        cmocka_unit_test(a_cut_loses_what_is_on_the_way_in_its_direction),
        cmocka_unit_test(a_command_is_in_force_for_what_is_sent_after_it_and_not_before),
        cmocka_unit_test(numbered_frames_come_in_the_order_that_the_rules_say),
        cmocka_unit_test(a_segment_in_an_ends_name_is_taken_for_its_own),
        cmocka_unit_test(datagrams_are_lost_doubled_and_turned_round_by_rules),
        cmocka_unit_test(datagrams_pass_what_is_about_segments_but_not_a_cut),
        cmocka_unit_test(a_router_carries_on_and_translates_as_the_kernels_at_both_ends_take_it),
        cmocka_unit_test(each_answer_of_the_router_is_what_connect_fails_with),
        cmocka_unit_test(what_the_wire_held_comes_to_the_router_when_it_is_released),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_wire_that_has_ended_is_told_as_that),
        cmocka_unit_test(the_wire_ends_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
