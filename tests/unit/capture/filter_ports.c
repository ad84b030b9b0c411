/* Which ports an expression takes for granted: never fewer than it may be true of. */
#include "capture/filter_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ANY = -1, MOST = 4 };

static const struct {
    const char *expression;
    int ports[MOST]; /* ANY: of any; 0 ends */
} rows[] = {
    {"port 80", {80}},
    {"tcp dst port 80", {80}},
    {"ip6 and tcp src port 443", {443}},
    {"port https", {443}},
    {"port 80 or port 443", {80, 443}},
    {"port 80 or 443", {80, 443}},
    {"port 80||443", {80, 443}},
    {"portrange 80-82", {80, 81, 82}},
    {"port 80 and port 443", {80}},
    {"host 192.0.2.1 and port 80", {80}},
    {"port 80 and not host 192.0.2.1", {80}},
    {"port 80 && !(host 192.0.2.1 or port 22)", {80}},
    {"(port 80 or port 443) and host 192.0.2.1", {80, 443}},
    /* "and" and "or" bind alike, to the left */
    {"host 192.0.2.1 or port 80 and port 443", {443}},
    {"port 443 and host 192.0.2.1 or port 80", {443, 80}},
    {"port 80 and host 192.0.2.1 or host 192.0.2.2", {ANY}},
    {"src and dst port 80", {80}},
    {"src or dst port 80", {ANY}},
    {"not port 80", {ANY}},
    {"!port 80", {ANY}},
    {"not port 80 or 443", {ANY}},
    {"port 80 or host 192.0.2.1", {ANY}},
    {"port 80 or tcp", {ANY}},
    {"port 80 or tcp[13] & 2 != 0", {ANY}},
    {"tcp[13] & 2 != 0 and port 80", {ANY}}, /* not understood: it would be 80 */
    {"port 80 or (port 443", {ANY}},
    {"port (80 or 443)", {ANY}},
    {"port 80 or", {ANY}},
    {"or port 80", {ANY}},
    {"portrange 80-82 or 90", {ANY}},
    {"port 65536", {ANY}},
    {"port no-such-service", {ANY}},
    {"portrange 82-80", {ANY}},
    {"tcp", {ANY}},
    {"", {ANY}},
    {"((((((((((port 80))))))))))", {ANY}}, /* deeper than anybody writes */
    {"port 80 port 443", {ANY}},
};

static bool is_among(const int *ports, int port)
{
    for (int i = 0; i < MOST; i++)
        if (ports[i] == port) return true;
    return false;
}

static void an_expression_takes_these_ports_for_granted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct port_set set;
        memset(&set, 0, sizeof(set));
        bool known = filter_ports(rows[i].expression, &set);
        if (known != (rows[i].ports[0] != ANY)) fail_msg("'%s' is %s", rows[i].expression, known ? "known" : "not known");
        for (int port = 1; known && port <= UINT16_MAX; port++)
            if (port_set_has(&set, (uint16_t)port) != is_among(rows[i].ports, port))
                fail_msg("'%s': port %d", rows[i].expression, port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_takes_these_ports_for_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
