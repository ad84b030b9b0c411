/* A datagram out, the same datagram back. There is no connection: connect() only names the peer, so that send() knows where to and
 * an ICMP error finds its way to this socket. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "echo/stop.h"
#include "echo/talk.h"

enum { DATAGRAM_BYTES = 65536 };

static int explain(const struct talk *talk, int code, size_t length, struct err *err)
{
    uint64_t number = talk->result->messages + 1;
    switch (-code) {
    case EINTR:
        return code;
    case ECONNREFUSED:
        return err_set(err, code,
                       "%s: port unreachable (ICMP): no UDP socket is open there: is the server running, and is the port right?",
                       talk->name);
    case EAGAIN:
        return err_set(err, -ETIMEDOUT,
                       "%s: no answer to message %" PRIu64 " within %d ms (a datagram may get lost, or nobody answers there)",
                       talk->name, number, talk->options->timeout_ms ? talk->options->timeout_ms : CLIENT_UDP_TIMEOUT_MS);
    case EMSGSIZE:
        return err_set(err, code, "message %" PRIu64 " has %zu bytes, more than a datagram to %s holds", number, length,
                       talk->name);
    default:
        return err_set_errno(err, code, "%s: message %" PRIu64 " could not be exchanged", talk->name, number);
    }
}

/* As transfer_write and transfer_read, but a datagram is whole or not at all. */
static int send_whole(const struct talk *talk, const char *bytes, size_t length)
{
    while (!stop_asked()) {
        if (send(talk->fd, bytes, length, 0) >= 0) return 0;
        if (errno != EINTR) return -errno;
    }
    return -EINTR;
}

static ssize_t receive(const struct talk *talk, char *bytes)
{
    while (!stop_asked()) {
        ssize_t n = recv(talk->fd, bytes, DATAGRAM_BYTES, 0);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
    return -EINTR;
}

static int exchange(const struct talk *talk, char *received, const char *bytes, size_t length, struct err *err)
{
    int code = send_whole(talk, bytes, length);
    ssize_t n = code ? code : receive(talk, received);
    if (n < 0) return explain(talk, (int)n, length, err);
    code = talk_compare(talk, bytes, length, received, (size_t)n, 0, err);
    if (code) return code;
    if ((size_t)n < length)
        return err_set(err, -EBADMSG, "the echo is wrong: of %zu bytes of message %" PRIu64 " only the first %zd came back", length,
                       talk->result->messages + 1, n);
    return talk_output(talk, received, (size_t)n, err);
}

/* The next address that a datagram can be sent towards; *next moves on. */
static int connect_next(struct talk *talk, int *next, struct err *err)
{
    int code = -EINVAL;
    talk_close(talk);
    while (*next < talk->endpoint_count) {
        code = talk_connect(talk, &talk->endpoints[(*next)++], SOCK_DGRAM);
        if (!code || code == -EINTR) return code;
    }
    return err_set(err, code, "can't send datagrams to %s: %s%s", talk->name, err_errno_text(-code), talk_connect_advice(code));
}

int talk_udp(struct talk *talk, struct err *err)
{
    char *received = malloc(DATAGRAM_BYTES);
    if (!received) return err_set_errno(err, -ENOMEM, "can't hold a datagram");
    int next = 0, code = connect_next(talk, &next, err);
    while (!code) {
        const char *bytes;
        size_t length;
        int more = messages_next(&talk->messages, &bytes, &length, err);
        if (more < 0) code = more;
        if (more <= 0) break;
        code = exchange(talk, received, bytes, length, err);
        /* A name may have an address where nobody listens and another where somebody does; only the first answer can tell. */
        while (code == -ECONNREFUSED && talk->result->messages == 0 && next < talk->endpoint_count) {
            code = connect_next(talk, &next, err);
            if (!code) code = exchange(talk, received, bytes, length, err);
        }
        if (code) break;
        talk->result->messages++;
        talk->result->bytes += length;
    }
    talk_close(talk);
    free(received);
    return code;
}
