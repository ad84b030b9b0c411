/* What endpoint_parse makes of hosts and ports, and what it says when it makes nothing of them. No test needs a name server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/address.h"
#include "echo/endpoint.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct endpoint endpoints[ENDPOINT_MAX];
static struct err err;

static int parse(const char *host, const char *port, enum endpoint_use use)
{
    err.text[0] = '\0';
    return endpoint_parse(host, port, use, SOCK_STREAM, endpoints, ENDPOINT_MAX, &err);
}

static const char *text_of(int i)
{
    static char text[ADDRESS_TEXT_BYTES];
    struct address address;
    assert_true(address_from_sockaddr(&endpoints[i].address, endpoints[i].length, &address));
    return address_format(&address, text);
}

struct good {
    const char *host, *port, *endpoint;
};

static void literals_are_taken_as_they_stand(void **state)
{
    (void)state;
    static const struct good rows[] = {
        {"127.0.0.1", "3333", "127.0.0.1:3333"},
        {"0.0.0.0", "1", "0.0.0.0:1"},
        {"255.255.255.255", "65535", "255.255.255.255:65535"},
        {"::1", "3333", "[::1]:3333"},
        {"[::1]", "00080", "[::1]:80"},
        {"2001:db8::1", "80", "[2001:db8::1]:80"},
        {"::", "80", "[::]:80"},
        {"::ffff:1.2.3.4", "5", "1.2.3.4:5"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(parse(rows[i].host, rows[i].port, ENDPOINT_CONNECT), 1);
        assert_string_equal(text_of(0), rows[i].endpoint);
        assert_int_equal(parse(rows[i].host, rows[i].port, ENDPOINT_LISTEN | ENDPOINT_NUMERIC), 1);
        assert_string_equal(text_of(0), rows[i].endpoint);
    }
}

struct bad {
    const char *host, *port, *says;
};

static void check_bad(const struct bad *rows, size_t count, enum endpoint_use use)
{
    for (size_t i = 0; i < count; i++) {
        int code = parse(rows[i].host, rows[i].port, use);
        if (code != -EINVAL || !strstr(err.text, rows[i].says))
            fail_msg("'%s' '%s': %d '%s' instead of '%s'", rows[i].host, rows[i].port, code, err.text, rows[i].says);
    }
}

static void a_bad_host_is_told_by_its_wrong_part(void **state)
{
    (void)state;
    static const struct bad rows[] = {
        {"127.0.0.300", "3333", "host '127.0.0.300' is not an IPv4 address: its fourth number, 300, is larger than 255"},
        {"256.0.0.1", "3333", "its first number, 256, is larger"},
        {"1.99999999999999999999.3.4", "1", "its second number, 99999999999999999999, is larger"},
        {"127.0.1", "3333", "it has 3 numbers, not four"},
        {"1.2.3.4.", "3333", "it has 5 numbers, not four"},
        {"3333", "3333", "it has 1 number, not four"},
        {"1..2.3", "3333", "its second number is missing"},
        {".", "3333", "it has 2 numbers, not four"},
        {"127.0.0.010", "3333", "its fourth number begins with 0"},
        {"0x7f000001", "3333", "its last part is a number"},
        {"host.12", "3333", "its last part is a number"},
        {"127.0.0.1:3333", "3333", "give host and port as two words"},
        {"localhost:3333", "3333", "give host and port as two words"},
        {"[::1]:3333", "3333", "give host and port as two words"},
        {"[127.0.0.1]", "3333", "only an IPv6 address stands in brackets"},
        {"127.0.0.1%lo", "3333", "only an IPv6 address takes a %zone"},
        {"::g", "3333", "host '::g' is not an IPv6 address"},
        {"1:2:3:4:5:6:7:8:9", "3333", "is not an IPv6 address"},
        {":", "3333", "is not an IPv6 address"},
        {"::1%nosuch", "3333", "host '::1%nosuch': this host has no network interface 'nosuch'; it has: "},
        {"::1%999999999", "3333", "no network interface '999999999'"},
        {"::1%99999999999999999999", "3333", "no network interface"},
        {"::1%", "3333", "must follow the '%'"},
        {"fe80::1", "3333", "link-local address, which every interface may have: say which one"},
        {"ff02::1", "3333", "link-local"},
        {"a b", "3333", "a character that no host name has: ' '"},
        {"a\033[31mb", "3333", "host 'a\\x1b[31mb' has a character that no host name has: '\\x1b'"},
        {"m\303\274nchen.example", "3333", "xn--"},
        {".example", "3333", "nothing before a dot"},
        {"a..example", "3333", "nothing before a dot"},
        {"a-label-of-sixty-four-letters-is-one-letter-too-long-for-the-names.example", "3333", "more than 63 letters"},
    };
    check_bad(rows, COUNT(rows), ENDPOINT_CONNECT);
    check_bad(rows, COUNT(rows), ENDPOINT_LISTEN);
}

static void a_bad_port_is_told_as_one(void **state)
{
    (void)state;
    static const struct bad rows[] = {
        {"127.0.0.1", "70000", "port 70000 is too large: ports go from 1 to 65535"},
        {"127.0.0.1", "65536", "port 65536 is too large"},
        {"127.0.0.1", "99999999999999999999999", "is too large"},
        {"127.0.0.1", "", "the port is empty"},
        {"127.0.0.1", "-1", "port '-1' is neither a number"},
        {"127.0.0.1", " 80", "port ' 80' is neither a number"},
        {"127.0.0.1", "80x!", "port '80x!' is neither a number"},
        {"127.0.0.1", "no-such-service", "nor a TCP service that this host knows"},
        {"127.0.0.1", "\033[2J", "port '\\x1b[2J'"},
    };
    check_bad(rows, COUNT(rows), ENDPOINT_CONNECT);
    check_bad(rows, COUNT(rows), ENDPOINT_LISTEN);
}

static void what_only_a_server_may_ask_for_is_refused_to_a_client(void **state)
{
    (void)state;
    static const struct bad rows[] = {
        {"127.0.0.1", "0", "port 0 can't be connected to"},
        {"127.0.0.1", "000", "port 0 can't be connected to"},
        {"", "3333", "the host is empty"},
        {"*", "3333", "any address"},
    };
    check_bad(rows, COUNT(rows), ENDPOINT_CONNECT);
    assert_int_equal(parse("127.0.0.1", "0", ENDPOINT_LISTEN), 1);
    assert_string_equal(text_of(0), "127.0.0.1:0");
}

static void any_host_to_listen_on_is_ipv6_first_then_ipv4(void **state)
{
    (void)state;
    static const char *const hosts[] = {"", "*"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        assert_int_equal(parse(hosts[i], "3333", ENDPOINT_LISTEN), 2);
        assert_string_equal(text_of(0), "[::]:3333");
        assert_string_equal(text_of(1), "0.0.0.0:3333");
    }
}

static void a_zone_may_be_a_name_or_an_index(void **state)
{
    (void)state;
    unsigned index = if_nametoindex("lo");
    if (!index) skip();
    char by_index[32];
    snprintf(by_index, sizeof(by_index), "fe80::1%%%u", index);
    const char *const hosts[] = {"fe80::1%lo", by_index, "[fe80::1%lo]"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        assert_int_equal(parse(hosts[i], "3333", ENDPOINT_CONNECT), 1);
        struct sockaddr_in6 in6;
        memcpy(&in6, &endpoints[0].address, sizeof(in6));
        assert_int_equal(in6.sin6_scope_id, index);
    }
}

static void no_more_endpoints_are_written_than_there_is_room_for(void **state)
{
    (void)state;
    struct endpoint two[2];
    memset(two, 0x5a, sizeof(two));
    struct endpoint untouched = two[1];
    assert_int_equal(endpoint_parse("*", "3333", ENDPOINT_LISTEN, SOCK_STREAM, two, 1, &err), 1);
    assert_memory_equal(&two[1], &untouched, sizeof(untouched));
    assert_int_equal(endpoint_parse("*", "3333", ENDPOINT_LISTEN, SOCK_STREAM, two, 0, &err), -EINVAL);
}

static void numeric_asks_no_resolver_and_no_list_of_services(void **state)
{
    (void)state;
    assert_int_equal(parse("localhost", "3333", ENDPOINT_CONNECT | ENDPOINT_NUMERIC), -EINVAL);
    assert_non_null(strstr(err.text, "host 'localhost' is not an address"));
    assert_int_equal(parse("127.0.0.1", "http", ENDPOINT_CONNECT | ENDPOINT_NUMERIC), -EINVAL);
    assert_non_null(strstr(err.text, "port 'http'"));
}

static void a_name_that_does_not_resolve_is_not_found(void **state)
{
    (void)state;
    /* RFC 6761: no resolver may answer for .invalid; without a name server it is EAI_AGAIN, which has its own sentence. */
    assert_int_equal(parse("nosuch.invalid", "3333", ENDPOINT_CONNECT), -ENOENT);
    assert_non_null(strstr(err.text, "host 'nosuch.invalid' "));
}

static void a_long_host_is_cut_in_the_sentence(void **state)
{
    (void)state;
    char host[5000];
    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    assert_int_equal(parse(host, "3333", ENDPOINT_CONNECT), -EINVAL);
    assert_non_null(strstr(err.text, "is too long"));
    assert_true(strlen(err.text) < 200);
}

/* The text ends right before a page that can't be read. */
static void nothing_is_read_behind_the_end_of_a_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.300", "::1%nosuch", "::1%", "[::1]", "[", "]",   ":",         "%",
                                        ".",           "0",          "0x",   "1.",    "",  "a.1", "fe80::1%lo"};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t bytes = strlen(texts[i]) + 1;
        char *text = pages + page - bytes;
        memcpy(text, texts[i], bytes);
        parse(text, "1", ENDPOINT_LISTEN | ENDPOINT_NUMERIC);
        assert_int_equal(parse("127.0.0.1", text, ENDPOINT_CONNECT | ENDPOINT_NUMERIC), -EINVAL);
    }
    munmap(pages, 2 * page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_taken_as_they_stand),
        cmocka_unit_test(a_bad_host_is_told_by_its_wrong_part),
        cmocka_unit_test(a_bad_port_is_told_as_one),
        cmocka_unit_test(what_only_a_server_may_ask_for_is_refused_to_a_client),
        cmocka_unit_test(any_host_to_listen_on_is_ipv6_first_then_ipv4),
        cmocka_unit_test(a_zone_may_be_a_name_or_an_index),
        cmocka_unit_test(no_more_endpoints_are_written_than_there_is_room_for),
        cmocka_unit_test(numeric_asks_no_resolver_and_no_list_of_services),
        cmocka_unit_test(a_name_that_does_not_resolve_is_not_found),
        cmocka_unit_test(a_long_host_is_cut_in_the_sentence),
        cmocka_unit_test(nothing_is_read_behind_the_end_of_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
