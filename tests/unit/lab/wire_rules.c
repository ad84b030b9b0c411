#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lab/wire/wire_rules.h"

static struct event_packet_header tcp(uint8_t flags, uint32_t length_bytes)
{
    return (struct event_packet_header){.protocol = IPPROTO_TCP, .flags = flags, .length_bytes = length_bytes};
}

static enum wire_action act(struct wire_rules *rules, enum wire_from from, uint8_t flags, uint32_t length_bytes)
{
    struct event_packet_header header = tcp(flags, length_bytes);
    const struct wire_rule *rule = wire_rules_take(rules, from, &header);
    return rule ? rule->action : WIRE_PASS;
}

static void add(struct wire_rules *rules, unsigned from, enum wire_match match, uint32_t nth, enum wire_action action)
{
    assert_int_equal(wire_rules_add(rules, &(struct wire_rule){.from = from, .match = match, .nth = nth, .action = action}), 0);
}

static void every_segment_is_of_the_kinds_that_it_shows(void **state)
{
    static const struct {
        uint8_t flags;
        uint32_t length_bytes;
        const char *kinds; /* a letter for each enum wire_match, "." where it is not */
    } cases[] = {
        {TCP_SYN, 0, "aS......"},
        {TCP_SYN | TCP_ECE | TCP_CWR, 0, "aS......"},
        {TCP_SYN, 100, "aS....d."},
        {TCP_SYN | TCP_ACK, 0, "a.Y....."},
        {TCP_ACK, 0, "a..A...."},
        {TCP_ACK | TCP_ECE, 0, "a..A...."},
        {TCP_ACK, 1, "a.....d."},
        {TCP_ACK | TCP_PSH, 5, "a.....d."},
        {TCP_FIN | TCP_ACK, 0, "a...F..."},
        {TCP_FIN | TCP_ACK | TCP_PSH, 5, "a...F.d."},
        {TCP_RST, 0, "a....R.."},
        {TCP_RST | TCP_ACK, 0, "a....R.."},
        {0, 0, "a......."},
        {TCP_FIN | TCP_RST, 0, "a...FR.."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char kinds[] = "aSYAFRdU";
        struct event_packet_header header = tcp(cases[i].flags, cases[i].length_bytes);
        for (unsigned k = 0; k < WIRE_MATCHES; k++)
            if (!wire_matches((enum wire_match)k, &header)) kinds[k] = '.';
        assert_string_equal(kinds, cases[i].kinds);
    }
}

static void a_datagram_is_one_and_any_and_data_where_it_has_some(void **state)
{
    struct event_packet_header full = {.protocol = IPPROTO_UDP, .length_bytes = 5}, empty = {.protocol = IPPROTO_UDP};
    (void)state;
    for (unsigned k = 0; k < WIRE_MATCHES; k++) {
        enum wire_match match = (enum wire_match)k;
        assert_int_equal(wire_matches(match, &full), match == WIRE_ANY || match == WIRE_DATA || match == WIRE_DATAGRAM);
        assert_int_equal(wire_matches(match, &empty), match == WIRE_ANY || match == WIRE_DATAGRAM);
    }
}

static void what_a_rule_has_seen_is_known_by_its_id(void **state)
{
    struct wire_rules rules = {.count = 0};
    struct wire_rule rule = {.from = WIRE_FROM_CLIENT, .match = WIRE_SYN, .nth = 3, .action = WIRE_DROP, .id = 7};
    (void)state;
    assert_int_equal(wire_rules_add(&rules, &rule), 0);
    rule.id = 8, rule.match = WIRE_FIN;
    assert_int_equal(wire_rules_add(&rules, &rule), 0);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_SYN, 0), WIRE_PASS);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_SYN, 0), WIRE_PASS);
    assert_int_equal(wire_rules_seen(&rules, 7), 2);
    assert_int_equal(wire_rules_seen(&rules, 8), 0);
    assert_int_equal(wire_rules_seen(&rules, 9), -ENOENT);
}

static void what_is_neither_tcp_nor_udp_is_of_no_kind_and_is_not_counted(void **state)
{
    struct wire_rules rules = {.count = 0};
    struct event_packet_header icmp = {.protocol = IPPROTO_ICMP};
    (void)state;
    add(&rules, WIRE_FROM_CLIENT, WIRE_ANY, 1, WIRE_DROP);
    assert_null(wire_rules_take(&rules, WIRE_FROM_CLIENT, &icmp));
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_SYN, 0), WIRE_DROP);
}

static void a_rule_acts_on_the_nth_match_alone(void **state)
{
    struct wire_rules rules = {.count = 0};
    (void)state;
    add(&rules, WIRE_FROM_CLIENT, WIRE_DATA, 3, WIRE_DROP);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_ACK, 10), WIRE_PASS);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_ACK, 0), WIRE_PASS);  /* another kind */
    assert_int_equal(act(&rules, WIRE_FROM_SERVER, TCP_ACK, 10), WIRE_PASS); /* the other side */
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_ACK, 10), WIRE_PASS);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_ACK, 10), WIRE_DROP);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_ACK, 10), WIRE_PASS);
}

static void a_rule_for_every_match_acts_each_time(void **state)
{
    struct wire_rules rules = {.count = 0};
    (void)state;
    add(&rules, WIRE_FROM_BOTH, WIRE_RST, 0, WIRE_HOLD);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_RST, 0), WIRE_HOLD);
        assert_int_equal(act(&rules, WIRE_FROM_SERVER, TCP_RST | TCP_ACK, 0), WIRE_HOLD);
        assert_int_equal(act(&rules, WIRE_FROM_SERVER, TCP_ACK, 0), WIRE_PASS);
    }
}

static void a_rule_counts_from_when_it_was_added(void **state)
{
    struct wire_rules rules = {.count = 0};
    (void)state;
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_SYN, 0), WIRE_PASS);
    add(&rules, WIRE_FROM_CLIENT, WIRE_SYN, 1, WIRE_DROP);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_SYN, 0), WIRE_DROP);
}

static void all_rules_count_and_the_first_added_acts(void **state)
{
    struct wire_rules rules = {.count = 0};
    (void)state;
    add(&rules, WIRE_FROM_CLIENT, WIRE_DATA, 1, WIRE_DUPLICATE);
    add(&rules, WIRE_FROM_CLIENT, WIRE_ANY, 1, WIRE_DROP);
    add(&rules, WIRE_FROM_CLIENT, WIRE_DATA, 2, WIRE_DELAY);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_ACK, 4), WIRE_DUPLICATE);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_ACK, 4), WIRE_DELAY); /* the drop was for the one before */
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_ACK, 4), WIRE_PASS);
}

static void a_rule_that_makes_no_sense_is_refused(void **state)
{
    static const struct wire_rule bad[] = {
        {.from = 0, .match = WIRE_SYN, .action = WIRE_DROP},
        {.from = 4, .match = WIRE_SYN, .action = WIRE_DROP},
        {.from = WIRE_FROM_CLIENT, .match = WIRE_MATCHES, .action = WIRE_DROP},
        {.from = WIRE_FROM_CLIENT, .match = WIRE_SYN, .action = WIRE_ACTIONS},
        {.from = WIRE_FROM_CLIENT, .match = WIRE_SYN, .action = WIRE_DELAY, .extra_ns = -1},
    };
    struct wire_rules rules = {.count = 0};
    struct wire_rule endless = {.from = WIRE_FROM_CLIENT, .action = WIRE_HOLD};
    (void)state;
    memset(endless.name, 'x', sizeof(endless.name));
    assert_int_equal(wire_rules_add(&rules, &endless), -EINVAL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) assert_int_equal(wire_rules_add(&rules, &bad[i]), -EINVAL);
    assert_int_equal(rules.count, 0);
}

static void a_full_table_makes_room_by_forgetting_what_is_spent(void **state)
{
    struct wire_rules rules = {.count = 0};
    struct wire_rule lasting = {.from = WIRE_FROM_CLIENT, .match = WIRE_FIN, .action = WIRE_HOLD};
    (void)state;
    add(&rules, WIRE_FROM_CLIENT, WIRE_SYN, 1, WIRE_DROP);
    add(&rules, WIRE_FROM_CLIENT, WIRE_SYN, 2, WIRE_DUPLICATE);
    while (rules.count < WIRE_RULES_MAX) assert_int_equal(wire_rules_add(&rules, &lasting), 0);
    assert_int_equal(wire_rules_add(&rules, &lasting), -ENOSPC);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_SYN, 0), WIRE_DROP);
    assert_int_equal(wire_rules_add(&rules, &lasting), 0);
    assert_int_equal(rules.count, WIRE_RULES_MAX);
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_SYN, 0), WIRE_DUPLICATE); /* its count went on */
    assert_int_equal(act(&rules, WIRE_FROM_CLIENT, TCP_FIN, 0), WIRE_HOLD);
}

static void names_are_read_as_they_are_written(void **state)
{
    enum wire_match match;
    enum wire_action action;
    (void)state;
    for (unsigned i = 0; i < WIRE_MATCHES; i++) {
        assert_true(wire_match_parse(wire_match_name((enum wire_match)i), &match));
        assert_int_equal(match, i);
    }
    for (unsigned i = 0; i < WIRE_ACTIONS; i++) {
        assert_true(wire_action_parse(wire_action_name((enum wire_action)i), &action));
        assert_int_equal(action, i);
    }
    assert_true(wire_match_parse("syn-ack", &match));
    assert_int_equal(match, WIRE_SYN_ACK);
    assert_false(wire_match_parse("SYNACK", &match));
    assert_false(wire_action_parse("", &action));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_segment_is_of_the_kinds_that_it_shows),
        cmocka_unit_test(a_datagram_is_one_and_any_and_data_where_it_has_some),
        cmocka_unit_test(what_a_rule_has_seen_is_known_by_its_id),
        cmocka_unit_test(what_is_neither_tcp_nor_udp_is_of_no_kind_and_is_not_counted),
        cmocka_unit_test(a_rule_acts_on_the_nth_match_alone),
        cmocka_unit_test(a_rule_for_every_match_acts_each_time),
        cmocka_unit_test(a_rule_counts_from_when_it_was_added),
        cmocka_unit_test(all_rules_count_and_the_first_added_acts),
        cmocka_unit_test(a_rule_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_full_table_makes_room_by_forgetting_what_is_spent),
        cmocka_unit_test(names_are_read_as_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
