/* "127.0.0.1" "3333" → an address to connect to or listen on, with a sentence about which part is wrong.
 *
 * A text that can only be meant as an address (digits and dots, a colon) never reaches the resolver, so a slip of the pen is named
 * as one instead of becoming a name that nobody knows. Owns nothing. */
#ifndef TCPWHY_ECHO_ENDPOINT_H
#define TCPWHY_ECHO_ENDPOINT_H

#include <sys/socket.h>

#include "base/err.h"

enum endpoint_use {
    ENDPOINT_CONNECT,
    ENDPOINT_LISTEN,
    ENDPOINT_NUMERIC /* a bit to add: host and port must be numbers, no resolver and no list of services is asked */
};

enum { ENDPOINT_MAX = 16 }; /* as many as anyone here asks for */

struct endpoint {
    struct sockaddr_storage address;
    socklen_t length;
};

/* Host: an IPv4 or IPv6 literal (with %zone), or a name (resolved); for ENDPOINT_LISTEN also "*" and "" (any). Port: 1..65535, or 0
 * for ENDPOINT_LISTEN, or a service name. Writes up to `capacity` endpoints in the resolver's order. Returns how many, or -EINVAL /
 * -ENOENT with a sentence: what is wrong with which part. Rests on getaddrinfo(3), RFC 4007 for zones. */
int endpoint_parse(const char *host, const char *port, enum endpoint_use use, int socktype, struct endpoint *ret_endpoints,
                   int capacity, struct err *err);

#endif
