#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct address address_v4(const uint8_t ip[4], uint16_t port)
{
    struct address address = {.port = port, .version = 4};
    memcpy(address.ip, ip, 4);
    return address;
}

struct address address_v6(const uint8_t ip[16], uint16_t port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(ip, mapped, sizeof(mapped)) == 0) return address_v4(ip + sizeof(mapped), port);
    struct address address = {.port = port, .version = 6};
    memcpy(address.ip, ip, 16);
    return address;
}

bool address_from_sockaddr(const void *sockaddr, size_t length, struct address *ret_address)
{
    *ret_address = (struct address){0};
    sa_family_t family;
    if (length < sizeof(family)) return false;
    memcpy(&family, sockaddr, sizeof(family));
    if (family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, sockaddr, sizeof(in));
        *ret_address = address_v4((const uint8_t *)&in.sin_addr, ntohs(in.sin_port));
        return true;
    }
    /* SIN6_LEN_RFC2133: the kernel takes an address without its scope too. */
    if (family == AF_INET6 && length >= 24) {
        struct sockaddr_in6 in6 = {0};
        memcpy(&in6, sockaddr, length < sizeof(in6) ? length : sizeof(in6));
        *ret_address = address_v6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port));
        return true;
    }
    return false;
}

bool address_parse(const char *text, struct address *ret_address)
{
    *ret_address = (struct address){0};
    char host[ADDRESS_TEXT_BYTES];
    const char *port_text = NULL;
    size_t length;
    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (!end || end[1] != ':') return false;
        port_text = end + 2;
        text++;
        length = (size_t)(end - text);
    } else {
        const char *colon = strrchr(text, ':');
        if (colon && strchr(text, ':') == colon) {
            port_text = colon + 1;
            length = (size_t)(colon - text);
        } else {
            length = strlen(text);
        }
    }
    if (length >= sizeof(host)) return false;
    memcpy(host, text, length);
    host[length] = '\0';
    unsigned long port = 0;
    if (port_text) {
        if (*port_text < '0' || *port_text > '9') return false;
        char *end;
        port = strtoul(port_text, &end, 10);
        if (*end || port > 65535) return false;
    }
    uint8_t ip[16];
    if (inet_pton(AF_INET, host, ip) == 1)
        *ret_address = address_v4(ip, (uint16_t)port);
    else if (inet_pton(AF_INET6, host, ip) == 1)
        *ret_address = address_v6(ip, (uint16_t)port);
    else
        return false;
    return true;
}

const char *address_format_ip(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    if (address->version != 4 && address->version != 6) return strcpy(text, "?");
    inet_ntop(address->version == 4 ? AF_INET : AF_INET6, address->ip, text, ADDRESS_TEXT_BYTES);
    return text;
}

const char *address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    char ip[ADDRESS_TEXT_BYTES];
    address_format_ip(address, ip);
    if (address->version == 0) return strcpy(text, ip);
    snprintf(text, ADDRESS_TEXT_BYTES, address->version == 6 ? "[%.45s]:%u" : "%.45s:%u", ip, (unsigned)address->port);
    return text;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool address_is_any(const struct address *address)
{
    static const uint8_t zero[16];
    return address->version != 0 && memcmp(address->ip, zero, sizeof(zero)) == 0;
}
