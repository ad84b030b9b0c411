/* An IP address with a port, IPv4 or IPv6, as a plain value that can be compared and printed.
 *
 * No allocation, no names, no DNS. A v4-mapped IPv6 address (::ffff:a.b.c.d) is folded to IPv4 by the makers, because the
 * wire carries IPv4 for it: a v4 client of a `::` server is one connection, not two. */
#ifndef TCPWHY_BASE_ADDRESS_H
#define TCPWHY_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

enum { ADDRESS_TEXT_BYTES = 64 };

struct address {
    uint8_t ip[16];  /* network byte order; IPv4 uses the first four, the rest are zero */
    uint16_t port;   /* host byte order; 0: none known */
    uint8_t version; /* 4 or 6; 0: no address known */
    uint8_t pad;     /* zero, so that whole structs can be compared and hashed */
};

struct address address_v4(const uint8_t ip[4], uint16_t port);
struct address address_v6(const uint8_t ip[16], uint16_t port);
/* `length` bytes of a sockaddr_in or sockaddr_in6; false (and version 0) for another family or too few bytes. */
bool address_from_sockaddr(const void *sockaddr, size_t length, struct address *ret_address);
/* "127.0.0.1:3333" or "[::1]:3333" (the brackets only where a port follows). False: not such a text. For stored logs and tests. */
bool address_parse(const char *text, struct address *ret_address);
/* Writes "127.0.0.1:3333", "[::1]:3333" or "?" (version 0) and returns `text`. */
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES]);
/* Without the port. */
const char *address_format_ip(const struct address *address, char text[ADDRESS_TEXT_BYTES]);
bool address_equal(const struct address *a, const struct address *b);
/* 0.0.0.0 or :: */
bool address_is_any(const struct address *address);

#endif
