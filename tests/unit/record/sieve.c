/* The sieve: what concerns those that are followed is kept, whoever owns the other end, and nothing of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "record/recent.h"
#include "record/sieve.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct world {
    struct event_log *log;
    struct sieve *sieve;
    uint64_t netns;   /* of what the kernel and calls say */
    uint32_t vantage; /* of packets */
};

static struct world world_new(bool names_both)
{
    struct world world = {.log = event_log_new()};
    world.sieve = sieve_new(world.log, names_both);
    assert_non_null(world.sieve);
    return world;
}

static void world_free(struct world *world)
{
    sieve_free(world->sieve);
    event_log_free(world->log);
}

static struct address at(const char *text)
{
    struct address address = {0};
    assert_true(address_parse(text, &address));
    return address;
}

static void call(struct world *world, enum event_kind kind, const char *name, uint64_t cookie, const char *local,
                 const char *remote, unsigned state)
{
    struct event event = {.kind = kind};
    snprintf(event.call.name, sizeof(event.call.name), "%s", name);
    event.call.thread.pid = event.call.thread.tid = 7;
    if (kind == EVENT_ENTER && remote) snprintf(event.call.args, sizeof(event.call.args), "3, %s", remote);
    event.call.socket =
        (struct event_socket){.cookie = cookie, .protocol = IPPROTO_TCP, .state = (uint8_t)state, .netns = world->netns};
    if (local) event.call.socket.local = at(local);
    if (local && remote) event.call.socket.remote = at(remote);
    assert_int_equal(event_log_append(world->log, &event), 0);
}

static void mark(struct world *world, uint64_t cookie, const char *from, const char *to, uint8_t flags)
{
    struct event event = {.kind = EVENT_MARK};
    event.mark.header = (struct event_packet_header){.src = at(from), .dst = at(to), .protocol = IPPROTO_TCP, .flags = flags};
    event.mark.socket = (struct event_socket){.cookie = cookie, .protocol = IPPROTO_TCP, .local = at(from), .remote = at(to)};
    event.mark.netns = world->netns;
    assert_int_equal(event_log_append(world->log, &event), 0);
}

/* Whether it was kept. */
static bool packet(struct world *world, const char *from, const char *to, uint8_t flags)
{
    static const uint8_t bytes[4] = {1, 2, 3, 4};
    struct event event = {.kind = EVENT_PACKET};
    event.packet.header = (struct event_packet_header){.src = at(from), .dst = at(to), .protocol = IPPROTO_TCP, .flags = flags};
    event.packet.vantage = world->vantage;
    event.packet.bytes = event_log_bytes(world->log, bytes, sizeof(bytes));
    size_t before = event_log_count(world->log);
    assert_int_equal(event_log_append(world->log, &event), 0);
    assert_int_equal(event_log_count(world->log), before); /* it waits */
    assert_int_equal(sieve_settle(world->sieve), 0);
    return event_log_count(world->log) > before;
}

#define HERE "127.0.0.1:40000"
#define THERE "127.0.0.1:80"

static void both_directions_of_a_followed_socket_are_kept_and_nothing_of_others(void **unused)
{
    (void)unused;
    struct world world = world_new(true);
    assert_false(packet(&world, HERE, THERE, SYN));
    call(&world, EVENT_ENTER, "connect", 5, NULL, THERE, KERNEL_CLOSE);
    mark(&world, 5, HERE, THERE, SYN);
    assert_true(packet(&world, HERE, THERE, SYN));
    assert_true(packet(&world, THERE, HERE, SYN | ACK));
    assert_false(packet(&world, "127.0.0.1:40001", THERE, SYN));
    size_t before = event_log_count(world.log);
    mark(&world, 9, "127.0.0.1:40001", THERE, SYN);
    assert_int_equal(event_log_count(world.log), before);
    assert_int_equal(sieve_refused(world.sieve), 2);
    world_free(&world);
}

static void drop(struct world *world, uint64_t cookie, const char *from, const char *to)
{
    struct event event = {.kind = EVENT_DROP};
    event.drop.header = (struct event_packet_header){.src = at(from), .dst = at(to), .protocol = IPPROTO_TCP, .flags = SYN};
    event.drop.outgoing = true;
    event.drop.socket = (struct event_socket){.cookie = cookie, .protocol = IPPROTO_TCP, .local = at(from), .remote = at(to)};
    assert_int_equal(event_log_append(world->log, &event), 0);
}

/* The kernel chooses a port for a SYN, and a rule rejects it on its way out: the RST, which no socket sends, is marked first. */
static void what_a_rule_answers_to_a_followed_socket_waits_until_it_is_known_whose_it_is(void **unused)
{
    (void)unused;
    for (uint64_t cookie = 5; cookie < 7; cookie++) { /* followed; and another's */
        struct world world = world_new(true);
        call(&world, EVENT_ENTER, "connect", 5, NULL, THERE, KERNEL_CLOSE);
        size_t before = event_log_count(world.log);
        mark(&world, 0, THERE, HERE, RST);
        drop(&world, cookie, HERE, THERE);
        assert_int_equal(event_log_count(world.log), before + (cookie == 5 ? 1 : 0)); /* the drop names its sender */
        assert_int_equal(sieve_settle(world.sieve), 0);
        assert_int_equal(event_log_count(world.log), before + (cookie == 5 ? 2 : 0));
        assert_int_equal(sieve_refused(world.sieve), 0); /* packets alone are counted */
        world_free(&world);
    }
}

static void where_a_followed_socket_listens_all_is_kept(void **unused)
{
    (void)unused;
    struct world world = world_new(true);
    call(&world, EVENT_EXIT, "listen", 5, "127.0.0.1:80", NULL, KERNEL_LISTEN);
    assert_true(packet(&world, HERE, THERE, SYN));
    assert_false(packet(&world, HERE, "127.0.0.2:80", SYN));
    call(&world, EVENT_EXIT, "listen", 6, "0.0.0.0:81", NULL, KERNEL_LISTEN);
    assert_true(packet(&world, HERE, "127.0.0.2:81", SYN));
    assert_false(packet(&world, "192.0.2.99:40000", "198.51.100.1:81", SYN)); /* not this host's */
    call(&world, EVENT_EXIT, "listen", 7, "[::]:82", NULL, KERNEL_LISTEN);
    assert_true(packet(&world, HERE, "127.0.0.1:82", SYN));
    world_free(&world);
}

static void an_address_that_is_learned_later_is_this_hosts_too(void **unused)
{
    (void)unused;
    struct world world = world_new(true);
    const struct address learned = at("198.51.100.1:9"); /* its port says nothing */
    call(&world, EVENT_EXIT, "listen", 6, "0.0.0.0:81", NULL, KERNEL_LISTEN);
    assert_false(packet(&world, "192.0.2.99:40000", "198.51.100.1:81", SYN));
    assert_int_equal(sieve_learn_own(world.sieve, &learned, 0), 0);
    assert_true(packet(&world, "192.0.2.99:40000", "198.51.100.1:81", SYN));
    assert_false(packet(&world, "192.0.2.99:40000", "198.51.100.2:81", SYN));
    world_free(&world);
}

static void without_the_kernels_word_a_connect_that_is_under_way_names_its_target(void **unused)
{
    (void)unused;
    struct world world = world_new(false);
    call(&world, EVENT_ENTER, "connect", 5, NULL, THERE, KERNEL_CLOSE);
    assert_true(packet(&world, HERE, THERE, SYN));
    call(&world, EVENT_EXIT, "connect", 5, HERE, THERE, KERNEL_ESTABLISHED);
    assert_true(packet(&world, THERE, HERE, ACK));
    assert_false(packet(&world, "127.0.0.1:40001", THERE, SYN));
    world_free(&world);
}

static void anothers_connection_between_the_same_two_addresses_is_not_kept(void **unused)
{
    (void)unused;
    struct world world = world_new(true);
    for (uint64_t cookie = 5; cookie < 7; cookie++) {
        call(&world, EVENT_ENTER, "connect", cookie, NULL, THERE, KERNEL_CLOSE);
        mark(&world, cookie, HERE, THERE, SYN);
        assert_true(packet(&world, HERE, THERE, SYN));
        assert_true(packet(&world, THERE, HERE, SYN | ACK));
        assert_false(sieve_is_closing(world.sieve));
        assert_true(packet(&world, THERE, HERE, FIN | ACK));
        assert_true(sieve_is_closing(world.sieve));
        assert_true(packet(&world, HERE, THERE, FIN | ACK));
        assert_false(sieve_is_closing(world.sieve));
        assert_true(packet(&world, THERE, HERE, ACK));
    }
    size_t before = event_log_count(world.log);
    mark(&world, 9, HERE, THERE, SYN);
    assert_int_equal(event_log_count(world.log), before);
    assert_false(packet(&world, HERE, THERE, SYN));
    assert_false(packet(&world, THERE, HERE, SYN | ACK));
    world_free(&world);
}

/* Networks 9 and 10 are captured at vantages 1 and 2; of vantage 3 nobody knows the network. */
static struct world world_of_two_networks(bool names_both)
{
    struct world world = world_new(names_both);
    for (uint32_t i = 1; i <= 3; i++) {
        struct event event = {.kind = EVENT_VANTAGE, .vantage = {.number = i, .netns = i < 3 ? 8 + i : 0}};
        assert_int_equal(event_log_append(world.log, &event), 0);
    }
    return world;
}

static bool packet_at(struct world *world, uint32_t vantage, const char *from, const char *to, uint8_t flags)
{
    world->vantage = vantage;
    return packet(world, from, to, flags);
}

/* Each network has a loopback of its own. */
static void between_loopback_addresses_that_is_kept_which_is_of_the_followed_sockets_network(void **unused)
{
    (void)unused;
    struct world world = world_of_two_networks(true);
    world.netns = 9;
    mark(&world, 5, HERE, THERE, SYN); /* not followed so far */
    call(&world, EVENT_ENTER, "connect", 5, NULL, THERE, KERNEL_CLOSE);
    mark(&world, 5, HERE, THERE, SYN);
    assert_true(packet_at(&world, 1, HERE, THERE, SYN));
    assert_true(packet_at(&world, 1, THERE, HERE, SYN | ACK));
    assert_false(packet_at(&world, 2, HERE, THERE, SYN));
    assert_true(packet_at(&world, 3, HERE, THERE, ACK));
    /* Another's end there is not this one's. */
    assert_false(packet_at(&world, 2, HERE, THERE, FIN | ACK));
    assert_false(sieve_is_closing(world.sieve));
    size_t before = event_log_count(world.log);
    world.netns = 10;
    mark(&world, 6, HERE, THERE, SYN);
    assert_int_equal(event_log_count(world.log), before);
    world.netns = 9;
    call(&world, EVENT_EXIT, "listen", 7, "127.0.0.1:90", NULL, KERNEL_LISTEN);
    assert_true(packet_at(&world, 1, HERE, "127.0.0.1:90", SYN));
    assert_false(packet_at(&world, 2, "127.0.0.1:40001", "127.0.0.1:90", SYN));
    assert_true(packet_at(&world, 3, "127.0.0.1:40002", "127.0.0.1:90", SYN));
    call(&world, EVENT_EXIT, "listen", 8, "0.0.0.0:91", NULL, KERNEL_LISTEN);
    assert_true(packet_at(&world, 1, HERE, "127.0.0.2:91", SYN));
    assert_false(packet_at(&world, 2, "127.0.0.1:40001", "127.0.0.2:91", SYN));
    world_free(&world);
}

static void who_listens_at_any_address_listens_at_those_of_its_network(void **unused)
{
    (void)unused;
    struct world world = world_of_two_networks(true);
    const struct address near = at("198.51.100.1:0"), far = at("198.51.100.2:0");
    assert_int_equal(sieve_learn_own(world.sieve, &near, 9), 0);
    assert_int_equal(sieve_learn_own(world.sieve, &far, 10), 0);
    world.netns = 9;
    call(&world, EVENT_EXIT, "listen", 5, "0.0.0.0:80", NULL, KERNEL_LISTEN);
    assert_false(packet_at(&world, 2, "192.0.2.99:40000", "198.51.100.2:80", SYN));
    assert_true(packet_at(&world, 1, "192.0.2.99:40000", "198.51.100.1:80", SYN));
    assert_true(packet_at(&world, 2, "192.0.2.99:40001", "198.51.100.1:80", SYN)); /* on its way there */
    world.netns = 0; /* of a socket that was there before: it may be in any of them */
    call(&world, EVENT_EXIT, "listen", 6, "0.0.0.0:81", NULL, KERNEL_LISTEN);
    assert_true(packet_at(&world, 2, "192.0.2.99:40000", "198.51.100.2:81", SYN));
    world_free(&world);
}

/* Both ends' networks show it. */
static void between_other_addresses_all_networks_show_one_connection(void **unused)
{
    (void)unused;
    struct world world = world_of_two_networks(true);
    world.netns = 9;
    call(&world, EVENT_ENTER, "connect", 5, NULL, "192.0.2.2:80", KERNEL_CLOSE);
    mark(&world, 5, "192.0.2.1:40000", "192.0.2.2:80", SYN);
    assert_true(packet_at(&world, 1, "192.0.2.1:40000", "192.0.2.2:80", SYN));
    assert_true(packet_at(&world, 2, "192.0.2.1:40000", "192.0.2.2:80", SYN));
    assert_true(packet_at(&world, 2, "192.0.2.2:80", "192.0.2.1:40000", FIN | ACK));
    assert_true(sieve_is_closing(world.sieve));
    assert_true(packet_at(&world, 1, "192.0.2.1:40000", "192.0.2.2:80", FIN | ACK));
    assert_false(sieve_is_closing(world.sieve));
    world_free(&world);
}

static void a_memory_keeps_what_is_asked_for_and_is_bounded(void **unused)
{
    (void)unused;
    struct recent *recent = recent_new(sizeof(uint64_t));
    uint64_t asked = UINT64_MAX, silent = UINT64_MAX - 1;
    assert_non_null(recent);
    assert_int_equal(recent_put(recent, &asked, 3), 0);
    assert_int_equal(recent_put(recent, &silent, 4), 0);
    for (uint64_t key = 0; key < 4 * RECENT_KEPT; key++) {
        assert_int_equal(recent_put(recent, &key, key + 1), 0);
        assert_int_equal(recent_get(recent, &asked), 3);
    }
    assert_int_equal(recent_get(recent, &silent), 0);
    uint64_t known = 0;
    for (uint64_t key = 0; key < 4 * RECENT_KEPT; key++) known += recent_get(recent, &key) != 0;
    assert_in_range(known, RECENT_KEPT - 1, 2 * RECENT_KEPT);
    assert_int_equal(recent_put(recent, &asked, 0), 0);
    assert_int_equal(recent_get(recent, &asked), 0);
    recent_free(recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_of_a_followed_socket_are_kept_and_nothing_of_others),
        cmocka_unit_test(what_a_rule_answers_to_a_followed_socket_waits_until_it_is_known_whose_it_is),
        cmocka_unit_test(where_a_followed_socket_listens_all_is_kept),
        cmocka_unit_test(an_address_that_is_learned_later_is_this_hosts_too),
        cmocka_unit_test(without_the_kernels_word_a_connect_that_is_under_way_names_its_target),
        cmocka_unit_test(anothers_connection_between_the_same_two_addresses_is_not_kept),
        cmocka_unit_test(between_loopback_addresses_that_is_kept_which_is_of_the_followed_sockets_network),
        cmocka_unit_test(who_listens_at_any_address_listens_at_those_of_its_network),
        cmocka_unit_test(between_other_addresses_all_networks_show_one_connection),
        cmocka_unit_test(a_memory_keeps_what_is_asked_for_and_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
