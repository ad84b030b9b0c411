/* Addresses: made, parsed, printed, and v4-mapped ones folded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/address.h"
#include "support/guard.h"

static void what_is_parsed_prints_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "127.0.0.1:3333", "0.0.0.0:0",        "255.255.255.255:65535", "[::1]:3333",
        "[::]:0",         "[2001:db8::1]:80", "[fe80::1:2:3:4]:65535", "[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct address address;
        char text[ADDRESS_TEXT_BYTES];
        assert_true(address_parse(texts[i], &address));
        assert_string_equal(address_format(&address, text), texts[i]);
    }
}

static void an_address_without_a_port_has_port_0(void **state)
{
    (void)state;
    struct address address;
    char text[ADDRESS_TEXT_BYTES];
    assert_true(address_parse("10.1.2.3", &address));
    assert_string_equal(address_format(&address, text), "10.1.2.3:0");
    assert_string_equal(address_format_ip(&address, text), "10.1.2.3");
    assert_true(address_parse("::1", &address));
    assert_string_equal(address_format(&address, text), "[::1]:0");
    assert_string_equal(address_format_ip(&address, text), "::1");
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ":",
        ":80",
        "127.0.0.300:1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.0.0.1:1x",
        "127.0.0.1:99999999999999999999",
        "127.0.0:1",
        "[::1",
        "[::1]",
        "[::1]80",
        "[::1]:",
        "[::1]:70000",
        "[::g]:1",
        "[]:1",
        "::1::",
        "localhost:80",
        "fe80::1%lo",
        "[2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee]:1",
        "0000000000000000000000000000000000000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct address address = {.version = 9};
        if (address_parse(texts[i], &address)) fail_msg("\"%s\" was taken for an address", texts[i]);
        assert_int_equal(address.version, 0);
    }
}

static void a_v4_mapped_address_is_folded_by_every_maker(void **state)
{
    (void)state;
    const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    struct address plain = address_v4((const uint8_t[]){127, 0, 0, 1}, 3333), other;
    assert_int_equal(plain.version, 4);
    other = address_v6(mapped, 3333);
    assert_true(address_equal(&plain, &other));
    assert_true(address_parse("[::ffff:127.0.0.1]:3333", &other));
    assert_true(address_equal(&plain, &other));
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(3333)};
    memcpy(&in6.sin6_addr, mapped, 16);
    assert_true(address_from_sockaddr(&in6, sizeof(in6), &other));
    assert_true(address_equal(&plain, &other));
    /* ::127.0.0.1 and ::fffe:127.0.0.1 are others. */
    assert_true(address_parse("[::127.0.0.1]:3333", &other));
    assert_int_equal(other.version, 6);
    assert_true(address_parse("[::fffe:127.0.0.1]:3333", &other));
    assert_int_equal(other.version, 6);
}

static void a_sockaddr_is_read_within_its_length(void **state)
{
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x0a000001)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/x"};
    struct {
        const void *bytes;
        size_t length, needed; /* needed: for an address; more than length: never */
    } cases[] = {{&in, sizeof(in), sizeof(in)}, {&in6, sizeof(in6), 24}, {&un, 20, 99}};
    for (size_t i = 0; i < 3; i++) {
        for (size_t length = 0; length <= cases[i].length; length++) {
            struct guard guard = guard_new(cases[i].bytes, length);
            struct address address = {.version = 9};
            assert_int_equal(address_from_sockaddr(guard.bytes, length, &address), length >= cases[i].needed);
            assert_int_equal(address.version, length < cases[i].needed ? 0 : i == 0 ? 4 : 6);
            assert_int_equal(address.port, length < cases[i].needed ? 0 : 80);
            guard_free(&guard);
        }
    }
}

static void an_unknown_address_prints_as_a_question_mark(void **state)
{
    (void)state;
    struct address address = {0};
    char text[ADDRESS_TEXT_BYTES];
    assert_string_equal(address_format(&address, text), "?");
    assert_string_equal(address_format_ip(&address, text), "?");
    address.version = 77;
    assert_int_equal(address_format(&address, text)[0], '?');
}

static void equality_looks_at_version_address_and_port(void **state)
{
    (void)state;
    struct address a, b;
    assert_true(address_parse("10.0.0.1:80", &a));
    static const char *const others[] = {"10.0.0.1:81", "10.0.0.2:80", "[a00:1::]:80"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(address_parse(others[i], &b));
        assert_false(address_equal(&a, &b));
    }
    b = a;
    assert_true(address_equal(&a, &b));
}

static void any_is_all_zeroes_of_a_known_version(void **state)
{
    (void)state;
    struct address address = {0};
    assert_false(address_is_any(&address));
    assert_true(address_parse("0.0.0.0:80", &address));
    assert_true(address_is_any(&address));
    assert_true(address_parse("[::]:80", &address));
    assert_true(address_is_any(&address));
    assert_true(address_parse("[::1]:80", &address));
    assert_false(address_is_any(&address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_parsed_prints_the_same),
        cmocka_unit_test(an_address_without_a_port_has_port_0),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_v4_mapped_address_is_folded_by_every_maker),
        cmocka_unit_test(a_sockaddr_is_read_within_its_length),
        cmocka_unit_test(an_unknown_address_prints_as_a_question_mark),
        cmocka_unit_test(equality_looks_at_version_address_and_port),
        cmocka_unit_test(any_is_all_zeroes_of_a_known_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
