/* By which addresses others reach a host through an interface: chosen from a list as getifaddrs(3) gives it. */
#include "capture/own_addresses.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 4 };

struct entry {
    const char *interface;
    const char *address; /* NULL: it has none; "": of another family */
    unsigned flags;
};

union name {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static void make(struct ifaddrs *made, union name *name, const struct entry *entry, struct ifaddrs *next)
{
    memset(name, 0, sizeof(*name));
    *made = (struct ifaddrs){.ifa_next = next, .ifa_name = (char *)(uintptr_t)entry->interface, .ifa_flags = entry->flags};
    if (!entry->address) return;
    made->ifa_addr = &name->any;
    name->any.sa_family = AF_PACKET;
    if (inet_pton(AF_INET, entry->address, &name->four.sin_addr) == 1) {
        name->four.sin_family = AF_INET;
    } else if (*entry->address) {
        assert_int_equal(inet_pton(AF_INET6, entry->address, &name->six.sin6_addr), 1);
        name->six.sin6_family = AF_INET6;
    }
}

static void the_first_of_each_kind_that_others_can_reach_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct entry list[MOST];
        const char *v4, *v6;
    } cases[] = {
        {"none", {{NULL, NULL, 0}}, "?", "?"},
        {"one of each", {{"e0", "", 0}, {"e0", "10.0.0.1", 0}, {"e0", "2001:db8::1", 0}}, "10.0.0.1", "2001:db8::1"},
        {"the first",
         {{"e0", "10.0.0.1", 0}, {"e0", "10.0.0.2", 0}, {"e0", "2001:db8::1", 0}, {"e0", "2001:db8::2", 0}},
         "10.0.0.1",
         "2001:db8::1"},
        {"of this interface", {{"e1", "10.0.0.1", 0}, {"e0", "10.0.0.2", 0}, {"e01", "10.0.0.3", 0}}, "10.0.0.2", "?"},
        {"one without an address", {{"e0", NULL, 0}, {"e0", "10.0.0.2", 0}}, "10.0.0.2", "?"},
        {"of loopback none", {{"e0", "10.0.0.1", IFF_LOOPBACK | IFF_UP}, {"e0", "10.0.0.2", IFF_UP}}, "10.0.0.2", "?"},
        {"link-local", {{"e0", "169.254.0.1", 0}, {"e0", "fe80::1", 0}}, "?", "?"},
        {"the last link-local", {{"e0", "169.254.255.255", 0}, {"e0", "febf::1", 0}}, "?", "?"},
        {"just before", {{"e0", "169.253.255.255", 0}, {"e0", "fe7f::1", 0}}, "169.253.255.255", "fe7f::1"},
        {"just behind", {{"e0", "169.255.0.0", 0}, {"e0", "fec0::1", 0}}, "169.255.0.0", "fec0::1"},
        {"like it in one byte", {{"e0", "170.254.0.1", 0}, {"e0", "fd80::1", 0}}, "170.254.0.1", "fd80::1"},
        {"behind one that is not taken", {{"e0", "fe80::1", 0}, {"e0", "2001:db8::9", 0}}, "?", "2001:db8::9"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ifaddrs list[MOST], *first = NULL;
        union name names[MOST];
        struct event_vantage vantage = {.number = 1};
        char v4[ADDRESS_TEXT_BYTES], v6[ADDRESS_TEXT_BYTES];
        for (size_t k = MOST; k-- > 0;) {
            if (!cases[i].list[k].interface) continue;
            make(&list[k], &names[k], &cases[i].list[k], first);
            first = &list[k];
        }
        own_addresses_choose(first, "e0", &vantage);
        if (strcmp(address_format_ip(&vantage.v4, v4), cases[i].v4) != 0) fail_msg("%s: %s", cases[i].name, v4);
        if (strcmp(address_format_ip(&vantage.v6, v6), cases[i].v6) != 0) fail_msg("%s: %s", cases[i].name, v6);
    }
}

static void of_lo_and_of_none_there_are_none(void **state)
{
    (void)state;
    struct event_vantage vantage = {.number = 1};
    own_addresses("lo", &vantage);
    own_addresses("no-such-interface", &vantage);
    assert_int_equal(vantage.v4.version, 0);
    assert_int_equal(vantage.v6.version, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_each_kind_that_others_can_reach_is_taken),
        cmocka_unit_test(of_lo_and_of_none_there_are_none),
    };
    return cmocka_run_group_tests_name("own_addresses", tests, NULL, NULL);
}
