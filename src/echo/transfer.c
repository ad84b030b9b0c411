#include "echo/transfer.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/err.h"
#include "echo/endpoint.h"
#include "echo/stop.h"

ssize_t transfer_read(int fd, void *bytes, size_t capacity)
{
    while (!stop_asked()) {
        ssize_t n = read(fd, bytes, capacity);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
    return -EINTR;
}

int transfer_write(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length) {
        if (stop_asked()) return -EINTR;
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

int transfer_set_timeout(int fd, int option, int milliseconds, struct err *err)
{
    struct timeval limit = {.tv_sec = milliseconds / 1000, .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};
    if (setsockopt(fd, SOL_SOCKET, option, &limit, sizeof(limit)) == 0) return 0;
    return err_set_errno(err, -errno, "can't set a timeout of %d ms", milliseconds);
}

const char *transfer_name(const struct endpoint *endpoint, char text[TRANSFER_NAME_BYTES])
{
    struct address address;
    address_from_sockaddr(&endpoint->address, endpoint->length, &address);
    char plain[ADDRESS_TEXT_BYTES], zone[IF_NAMESIZE];
    address_format(&address, plain);
    snprintf(text, TRANSFER_NAME_BYTES, "%s", plain);
    if (endpoint->address.ss_family != AF_INET6) return text;
    struct sockaddr_in6 in6;
    memcpy(&in6, &endpoint->address, sizeof(in6));
    if (!in6.sin6_scope_id || address.version != 6 || !if_indextoname(in6.sin6_scope_id, zone)) return text;
    address_format_ip(&address, plain);
    snprintf(text, TRANSFER_NAME_BYTES, "[%s%%%s]:%u", plain, zone, (unsigned)address.port);
    return text;
}
