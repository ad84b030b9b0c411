/* A host's firewall: what its rules are, that they hold on that host alone, and what nft says of a wrong one. As this user and as
 * an ordinary one. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lab/wire/firewall.h"
#include "support/lab_child.h"
#include "support/two_hosts.h"

static struct two_hosts hosts;
static struct err err;

static void a_refusal_has_its_rule(void **state)
{
    char text[FIREWALL_RULE_BYTES];
    (void)state;
    assert_string_equal(firewall_rule_text(3333, ROUTER_SILENCE, text, sizeof(text)), "tcp dport 3333 drop");
    assert_string_equal(firewall_rule_text(80, ROUTER_RST, text, sizeof(text)), "tcp dport 80 reject with tcp reset");
    assert_string_equal(firewall_rule_text(80, ROUTER_ADMIN_PROHIBITED, text, sizeof(text)),
                        "tcp dport 80 reject with icmpx type admin-prohibited");
    for (unsigned answer = 0; answer < ROUTER_ANSWERS; answer++)
        assert_true(firewall_is_rule(firewall_rule_text(65535, (enum router_answer)answer, text, sizeof(text))));
}

static void a_rule_is_one_rule_and_nothing_else(void **state)
{
    static const char *const wrong[] = {
        "",         "drop; flush ruleset", "drop\nflush ruleset", "log prefix \"x\"", "drop # all", "drop $x", "drop \\",
        "drop 'x'", "drop \xc3\xa9"};
    char longest[FIREWALL_RULE_BYTES + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) assert_false(firewall_is_rule(wrong[i]));
    assert_true(firewall_is_rule("ip saddr { 192.0.2.0/24, 198.51.100.7 } tcp dport 1-1024 tcp flags & (syn|ack) == syn drop"));
    memset(longest, 'x', sizeof(longest));
    longest[FIREWALL_RULE_BYTES] = '\0';
    assert_false(firewall_is_rule(longest));
    longest[FIREWALL_RULE_BYTES - 1] = '\0';
    assert_true(firewall_is_rule(longest));
}

static int error_of(int fd)
{
    int error = -1;
    socklen_t length = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : -1;
}

static int on(enum network_place place, bool output, const char *rule)
{
    return firewall_add(network_fd(hosts.network, place), output, rule, &err);
}

static int refuses_body(void)
{
    char rule[FIREWALL_RULE_BYTES];
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(two_hosts_listen(&hosts, AF_INET) >= 0);
    /* On the client's host the rule meets nothing: what comes there goes to another port. */
    HOLDS(on(NETWORK_CLIENT, false, firewall_rule_text(TWO_HOSTS_PORT, ROUTER_RST, rule, sizeof(rule))) == 0);
    int client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(two_hosts_ready(client, POLLOUT, 3000) && error_of(client) == 0);
    HOLDS(on(NETWORK_SERVER, false, rule) == 0);
    client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(two_hosts_ready(client, POLLERR, 3000) && error_of(client) == ECONNREFUSED);
    HOLDS(firewall_open(network_fd(hosts.network, NETWORK_SERVER), &err) == 0);
    client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(two_hosts_ready(client, POLLOUT, 3000) && error_of(client) == 0);
    HOLDS(on(NETWORK_SERVER, false, "tcp dport 3333 reject with icmpx type host-unreachable") == 0);
    client = two_hosts_connect(&hosts, AF_INET);
    HOLDS(two_hosts_ready(client, POLLERR, 3000) && error_of(client) == EHOSTUNREACH);
    two_hosts_close(&hosts);
    return 0;
}

static int output_body(void)
{
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(on(NETWORK_SERVER, true, "tcp flags & (syn|ack) == (syn|ack) drop") == 0);
    HOLDS(two_hosts_listen(&hosts, AF_INET) >= 0 && two_hosts_connect(&hosts, AF_INET) >= 0);
    HOLDS(two_hosts_await(&hosts, NETWORK_SERVER, WIRE_FROM_CLIENT, WIRE_SYN, 2, 3000)); /* it is asked again: no answer left */
    HOLDS(two_hosts_count(&hosts, NETWORK_CLIENT, WIRE_FROM_SERVER, WIRE_SYN_ACK) == 0);
    two_hosts_close(&hosts);
    return 0;
}

static int wrong_body(void)
{
    HOLDS(two_hosts_open(&hosts) == 0);
    HOLDS(on(NETWORK_SERVER, false, "tcp dport 3333 dorp") == -EINVAL);
    HOLDS(strstr(err.text, "nft does not take the rule 'tcp dport 3333 dorp'") && strstr(err.text, "rror"));
    HOLDS(on(NETWORK_SERVER, false, "drop; drop") == -EINVAL && strstr(err.text, "not the text of a rule"));
    HOLDS(firewall_open(network_fd(hosts.network, NETWORK_SERVER), &err) == 0);
    two_hosts_close(&hosts);
    return 0;
}

FOR_ROOT_AND_OTHERS(a_rule_refuses_on_its_host_alone_until_the_firewall_opens, refuses_body)
FOR_ROOT_AND_OTHERS(a_rule_may_be_about_what_the_host_sends, output_body)
FOR_ROOT_AND_OTHERS(what_is_wrong_is_said_in_nfts_words, wrong_body)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_has_its_rule),
        cmocka_unit_test(a_rule_is_one_rule_and_nothing_else),
        cmocka_unit_test(a_rule_refuses_on_its_host_alone_until_the_firewall_opens),
        cmocka_unit_test(a_rule_may_be_about_what_the_host_sends),
        cmocka_unit_test(what_is_wrong_is_said_in_nfts_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
