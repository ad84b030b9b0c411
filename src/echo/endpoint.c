#include "echo/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/lang.h"

enum {
    HOST_BYTES = 256,  /* the longest name is 253 bytes (RFC 1035 section 2.3.4) */
    LABEL_BYTES = 63,  /* of it between two dots */
    SHOWN_BYTES = 100, /* of a bad text in a sentence */
    PORT_MAX = 65535
};

struct shown {
    char text[SHOWN_BYTES];
};

/* What was typed may be any bytes: in a sentence it is printable ASCII and not too long. */
static struct shown show(const char *text)
{
    struct shown shown;
    size_t used = 0;
    for (; *text && used < SHOWN_BYTES - 8; text++) {
        unsigned char c = (unsigned char)*text;
        used += (size_t)snprintf(shown.text + used, SHOWN_BYTES - used, c < 0x20 || c >= 0x7f ? "\\x%02x" : "%c", c);
    }
    snprintf(shown.text + used, SHOWN_BYTES - used, "%s", *text ? "..." : "");
    return shown;
}

static bool only(const char *text, const char *allowed)
{
    return *text && text[strspn(text, allowed)] == '\0';
}

static struct endpoint endpoint_v4(struct in_addr ip)
{
    struct endpoint endpoint = {.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = ip};
    memcpy(&endpoint.address, &in, sizeof(in));
    return endpoint;
}

static struct endpoint endpoint_v6(const struct in6_addr *ip, uint32_t scope)
{
    struct endpoint endpoint = {.length = sizeof(struct sockaddr_in6)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = *ip, .sin6_scope_id = scope};
    memcpy(&endpoint.address, &in6, sizeof(in6));
    return endpoint;
}

static void set_port(struct endpoint *endpoint, uint16_t port)
{
    in_port_t network = htons(port);
    size_t at =
        endpoint->address.ss_family == AF_INET ? offsetof(struct sockaddr_in, sin_port) : offsetof(struct sockaddr_in6, sin6_port);
    memcpy((char *)&endpoint->address + at, &network, sizeof(network));
}

/* Stricter than inet_aton(3), which takes 127.1 and reads 010 as eight: what is shown to students has one meaning. */
static int parse_v4(const char *host, struct endpoint *ret_endpoint, struct err *err)
{
    static const char *const ordinal[] = {TR("first"), TR("second"), TR("third"), TR("fourth")};
    struct shown shown = show(host);
    uint8_t ip[4] = {0};
    int numbers = 1;
    for (const char *c = host; *c; c++) numbers += *c == '.';
    if (numbers != 4)
        return err_set(err, -EINVAL, "host '%s' is not an IPv4 address: it has %d number%s, not four, as in 127.0.0.1", shown.text,
                       numbers, numbers == 1 ? "" : "s");
    const char *at = host;
    for (int i = 0; i < 4; i++) {
        size_t digits = strspn(at, "0123456789");
        if (digits == 0)
            return err_set(err, -EINVAL, "host '%s' is not an IPv4 address: its %s number is missing", shown.text, tr(ordinal[i]));
        if (digits > 1 && at[0] == '0')
            return err_set(
                err, -EINVAL,
                "host '%s' is not an IPv4 address: its %s number begins with 0, which some programs read as octal; leave the 0 out",
                shown.text, tr(ordinal[i]));
        int value = digits > 3 ? 256 : atoi(at);
        if (value > 255)
            return err_set(err, -EINVAL, "host '%s' is not an IPv4 address: its %s number, %.*s, is larger than 255", shown.text,
                           tr(ordinal[i]), digits > 20 ? 20 : (int)digits, at);
        ip[i] = (uint8_t)value;
        at += digits + (i < 3);
    }
    struct in_addr in;
    memcpy(&in, ip, sizeof(in));
    *ret_endpoint = endpoint_v4(in);
    return 0;
}

static int unknown_zone(const char *host, const char *zone, struct err *err)
{
    struct shown shown_host = show(host), shown_zone = show(zone);
    char names[200] = "";
    struct if_nameindex *interfaces = if_nameindex();
    size_t used = 0;
    for (struct if_nameindex *i = interfaces; i && i->if_index; i++) {
        if (used + strlen(i->if_name) + 3 >= sizeof(names)) break;
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", i->if_name);
    }
    if_freenameindex(interfaces);
    return err_set(err, -EINVAL, "host '%s': this host has no network interface '%s'; it has: %s", shown_host.text, shown_zone.text,
                   *names ? names : tr("none that can be seen"));
}

static int parse_zone(const char *host, const char *zone, uint32_t *ret_scope, struct err *err)
{
    if (!*zone) {
        struct shown shown = show(host);
        return err_set(err, -EINVAL, "host '%s': the name of a network interface must follow the '%%'", shown.text);
    }
    uint32_t scope = if_nametoindex(zone);
    /* RFC 4007 section 11.2: a zone may also be given by its index. */
    if (!scope && only(zone, "0123456789") && strlen(zone) <= 9) {
        char name[IF_NAMESIZE];
        scope = (uint32_t)atoi(zone);
        if (!if_indextoname(scope, name)) scope = 0;
    }
    if (!scope) return unknown_zone(host, zone, err);
    *ret_scope = scope;
    return 0;
}

static int parse_v6(const char *host, struct endpoint *ret_endpoint, struct err *err)
{
    struct shown shown = show(host);
    const char *percent = strchr(host, '%');
    size_t length = percent ? (size_t)(percent - host) : strlen(host);
    char text[INET6_ADDRSTRLEN + 1] = "";
    if (length < sizeof(text)) memcpy(text, host, length);
    struct in6_addr ip;
    if (inet_pton(AF_INET6, text, &ip) != 1)
        return err_set(
            err, -EINVAL,
            "host '%s' is not an IPv6 address: it must be up to eight groups of hexadecimal digits with ':' between them, as in "
            "2001:db8::1",
            shown.text);
    uint32_t scope = 0;
    if (percent) {
        int code = parse_zone(host, percent + 1, &scope, err);
        if (code) return code;
    }
    if (!scope && (IN6_IS_ADDR_LINKLOCAL(&ip) || IN6_IS_ADDR_MC_LINKLOCAL(&ip)))
        return err_set(err, -EINVAL,
                       "host '%s' is a link-local address, which every interface may have: say which one, as in %s%%eth0",
                       shown.text, text);
    *ret_endpoint = endpoint_v6(&ip, scope);
    return 0;
}

/* "127.0.0.1:3333", "localhost:3333", "[::1]:3333": a habit from URLs. */
static bool carries_port(const char *host)
{
    const char *colon = strrchr(host, ':');
    if (!colon || !only(colon + 1, "0123456789")) return false;
    return strchr(host, ':') == colon || (host[0] == '[' && colon[-1] == ']');
}

/* A name whose last label is a number can't be one (RFC 1123 section 2.1): "127.0.0.300", "3333", "0x7f000001". */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot ? dot + 1 : host;
    if (only(last, "0123456789")) return true;
    return last[0] == '0' && (last[1] == 'x' || last[1] == 'X') && only(last + 2, "0123456789abcdefABCDEF");
}

static int check_name(const char *host, struct err *err)
{
    struct shown shown = show(host);
    size_t label = 0;
    for (const char *c = host; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte >= 0x80)
            return err_set(err, -EINVAL, "host '%s' has a byte that is not ASCII: write an international name in its xn-- form",
                           shown.text);
        if (!isalnum(byte) && !strchr("-_.", byte))
            return err_set(err, -EINVAL, "host '%s' has a character that no host name has: '%s'", shown.text,
                           show((char[2]){*c, '\0'}).text);
        if (byte == '.' && label == 0) return err_set(err, -EINVAL, "host '%s' has nothing before a dot", shown.text);
        label = byte == '.' ? 0 : label + 1;
        if (label > LABEL_BYTES)
            return err_set(err, -EINVAL, "host '%s' has a part of more than %d letters between two dots", shown.text, LABEL_BYTES);
    }
    if (ends_in_number(host))
        return err_set(err, -EINVAL, "host '%s' is neither a name (its last part is a number) nor an IPv4 address, as in 127.0.0.1",
                       shown.text);
    return 0;
}

/* getaddrinfo(3)'s words, of which those that a name can bring about are known here. */
static const char *not_known(int failure)
{
    switch (failure) {
    case EAI_NONAME:
        return tr("Name or service not known");
    case EAI_FAIL:
        return tr("Non-recoverable failure in name resolution");
    default:
        return gai_strerror(failure);
    }
}

static int resolve(const char *host, int socktype, struct endpoint *ret_endpoints, int capacity, struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = socktype}, *list = NULL;
    int failure = getaddrinfo(host, NULL, &hints, &list);
    switch (failure) {
    case 0:
        break;
    case EAI_AGAIN:
        return err_set(err, -ENOENT, "host '%s' can't be looked up: no name server answers; give its address, or mend the network",
                       show(host).text);
    case EAI_SYSTEM:
        return err_set(err, -ENOENT, "host '%s' can't be looked up: %s", show(host).text, err_errno_text(errno));
    default:
        return err_set(err, -ENOENT, "host '%s' is not known (%s): check how it is spelt, or give its address", show(host).text,
                       not_known(failure));
    }
    int count = 0;
    for (struct addrinfo *i = list; i && count < capacity; i = i->ai_next) {
        if (i->ai_family != AF_INET && i->ai_family != AF_INET6) continue;
        struct endpoint endpoint = {.length = i->ai_addrlen};
        memcpy(&endpoint.address, i->ai_addr, i->ai_addrlen);
        bool known = false; /* /etc/hosts may say the same twice */
        for (int k = 0; k < count; k++)
            known = known || (ret_endpoints[k].length == endpoint.length &&
                              memcmp(&ret_endpoints[k].address, &endpoint.address, endpoint.length) == 0);
        if (!known) ret_endpoints[count++] = endpoint;
    }
    freeaddrinfo(list);
    return count ? count : err_set(err, -ENOENT, "host '%s' has no IPv4 and no IPv6 address", show(host).text);
}

static int parse_service(const char *port, int socktype, bool numeric, uint16_t *ret_port, struct err *err)
{
    const char *protocol = socktype == SOCK_DGRAM ? "UDP" : "TCP";
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = socktype}, *list = NULL;
    bool possible = !numeric && strlen(port) <= 32;
    bool letter = false;
    for (const char *c = port; *c; c++) {
        letter = letter || isalpha((unsigned char)*c);
        possible = possible && (isalnum((unsigned char)*c) || strchr("-_+.", *c));
    }
    if (!possible || !letter || getaddrinfo(NULL, port, &hints, &list) != 0)
        return err_set(err, -EINVAL, "port '%s' is neither a number from 1 to 65535 nor a %s service that this host knows",
                       show(port).text, protocol);
    struct sockaddr_in in;
    memcpy(&in, list->ai_addr, sizeof(in));
    freeaddrinfo(list);
    *ret_port = ntohs(in.sin_port);
    return 0;
}

static int parse_port(const char *port, bool listening, bool numeric, int socktype, uint16_t *ret_port, struct err *err)
{
    if (!*port) return err_set(err, -EINVAL, "the port is empty: give a number from 1 to 65535");
    if (!only(port, "0123456789")) return parse_service(port, socktype, numeric, ret_port, err);
    unsigned value = 0;
    for (const char *c = port; *c && value <= PORT_MAX; c++) value = value * 10 + (unsigned)(*c - '0');
    if (value > PORT_MAX)
        return err_set(err, -EINVAL, "port %s is too large: ports go from 1 to %d (16 bits)", show(port).text, PORT_MAX);
    if (value == 0 && !listening)
        return err_set(err, -EINVAL,
                       "port 0 can't be connected to: it stands for \"any free port\", which only a server can ask for");
    *ret_port = (uint16_t)value;
    return 0;
}

/* How many literal endpoints the host gives; 0: it is a name. */
static int parse_literal(const char *host, bool listening, struct endpoint *ret_endpoints, int capacity, struct err *err)
{
    if (!*host || strcmp(host, "*") == 0) {
        if (!listening)
            return err_set(err, -EINVAL,
                           *host ? TR("host '*' is any address: a server can listen there, but a client must be told one")
                                 : TR("the host is empty: give an address or a name"));
        int count = 0;
        /* :: first: it serves IPv4 as well. */
        if (count < capacity) ret_endpoints[count++] = endpoint_v6(&in6addr_any, 0);
        if (count < capacity) ret_endpoints[count++] = endpoint_v4((struct in_addr){htonl(INADDR_ANY)});
        return count;
    }
    struct shown shown = show(host);
    size_t length = strlen(host);
    if (length >= HOST_BYTES) return err_set(err, -EINVAL, "host '%s' is too long: no name has more than 253 letters", shown.text);
    if (carries_port(host)) return err_set(err, -EINVAL, "host '%s' has a port in it: give host and port as two words", shown.text);

    char inner[HOST_BYTES];
    bool brackets = host[0] == '[' && host[length - 1] == ']' && length > 2;
    if (brackets) {
        memcpy(inner, host + 1, length - 2);
        inner[length - 2] = '\0';
        host = inner;
    }
    int code;
    if (strchr(host, ':'))
        code = parse_v6(host, ret_endpoints, err);
    else if (brackets)
        code = err_set(err, -EINVAL, "host '%s': only an IPv6 address stands in brackets", shown.text);
    else if (strchr(host, '%'))
        code = err_set(err, -EINVAL, "host '%s': only an IPv6 address takes a %%zone", shown.text);
    else if (only(host, "0123456789."))
        code = parse_v4(host, ret_endpoints, err);
    else
        return check_name(host, err);
    return code ? code : 1;
}

int endpoint_parse(const char *host, const char *port, enum endpoint_use use, int socktype, struct endpoint *ret_endpoints,
                   int capacity, struct err *err)
{
    bool listening = use & ENDPOINT_LISTEN, numeric = use & ENDPOINT_NUMERIC;
    if (capacity < 1) return err_set(err, -EINVAL, "there is no room for an endpoint");
    int count = parse_literal(host, listening, ret_endpoints, capacity, err);
    if (count < 0) return count;
    uint16_t port_number = 0;
    int code = parse_port(port, listening, numeric, socktype, &port_number, err);
    if (code) return code;
    if (count == 0 && numeric) return err_set(err, -EINVAL, "host '%s' is not an address", show(host).text);
    if (count == 0) count = resolve(host, socktype, ret_endpoints, capacity, err);
    for (int i = 0; i < count; i++) set_port(&ret_endpoints[i], port_number);
    return count;
}
