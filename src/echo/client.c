#include "echo/client.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lang.h"
#include "echo/stop.h"
#include "echo/talk.h"

const char *talk_connect_advice(int code)
{
    static const struct {
        int number;
        const char *text;
    } rows[] = {
        {ECONNREFUSED, TR(" (nothing listens there, or a firewall refuses: is the server running, and is the port right?)")},
        {ETIMEDOUT, TR(" (no answer: is the host up, does a firewall drop the segments?)")},
        {ENETUNREACH, TR(" (no route leads there; 'ip route' lists them)")},
        {EHOSTUNREACH, TR(" (a router or the host itself says that it can't be reached)")},
        {EAFNOSUPPORT, TR(" (this host does not have that version of IP)")},
        {EADDRNOTAVAIL, TR(" (this host has no address or no free port to connect from; is that version of IP switched off?)")},
        {EPERM, TR(" (a firewall of this host forbids it)")},
        {EACCES, TR(" (a broadcast address, or a firewall of this host forbids it)")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].number == -code) return tr(rows[i].text);
    return "";
}

/* connect(2): after EINTR the handshake goes on by itself, and a second connect would only say EALREADY. */
static int finish_connect(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    while (!stop_asked()) {
        if (poll(&wait, 1, -1) > 0) {
            int code = 0;
            socklen_t length = sizeof(code);
            return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? -code : -errno;
        }
    }
    return -EINTR;
}

int talk_connect(struct talk *talk, const struct endpoint *endpoint, int socktype)
{
    transfer_name(endpoint, talk->name);
    talk->fd = socket(endpoint->address.ss_family, socktype, 0);
    if (talk->fd < 0) return -errno;
    int code = 0, timeout = talk->options->timeout_ms;
    if (timeout || socktype == SOCK_DGRAM)
        code = transfer_set_timeout(talk->fd, SO_RCVTIMEO, timeout ? timeout : CLIENT_UDP_TIMEOUT_MS, NULL);
    if (timeout && !code) code = transfer_set_timeout(talk->fd, SO_SNDTIMEO, timeout, NULL);
    if (!code && connect(talk->fd, (const struct sockaddr *)&endpoint->address, endpoint->length) != 0)
        code = errno == EINTR ? finish_connect(talk->fd) : errno == EINPROGRESS ? -ETIMEDOUT : -errno;
    if (code) talk_close(talk);
    return code;
}

void talk_close(struct talk *talk)
{
    if (talk->fd >= 0) close(talk->fd);
    talk->fd = -1;
}

int talk_output(const struct talk *talk, const char *bytes, size_t length, struct err *err)
{
    if (!talk->options->output) return 0;
    int code = talk->options->output(talk->options->output_data, bytes, length);
    return code ? err_set_errno(err, code, "can't write what came back") : 0;
}

int talk_compare(const struct talk *talk, const char *sent, size_t sent_length, const char *received, size_t length,
                 uint64_t offset, struct err *err)
{
    uint64_t number = talk->result->messages + 1;
    size_t both = length < sent_length ? length : sent_length;
    for (size_t i = 0; i < both; i++) {
        if (sent[i] == received[i]) continue;
        return err_set(err, -EBADMSG,
                       "the echo is wrong: byte %" PRIu64 " of message %" PRIu64 " was sent as 0x%02x and came back as 0x%02x",
                       offset + i + 1, number, (unsigned char)sent[i], (unsigned char)received[i]);
    }
    if (length > sent_length)
        return err_set(err, -EBADMSG,
                       "the echo is wrong: more came back than was sent; the first byte too many, behind byte %" PRIu64
                       " of message %" PRIu64 ", is 0x%02x",
                       offset + sent_length, number, (unsigned char)received[sent_length]);
    return 0;
}

static int connect_any(struct talk *talk, struct err *err)
{
    struct err tried = {""};
    int code = -EINVAL;
    for (int i = 0; i < talk->endpoint_count; i++) {
        code = talk_connect(talk, &talk->endpoints[i], SOCK_STREAM);
        if (!code || code == -EINTR) return code;
        size_t used = strlen(tried.text);
        snprintf(tried.text + used, sizeof(tried.text) - used, "%s%s: %s", used ? "; " : "", talk->name, err_errno_text(-code));
    }
    if (code == -ETIMEDOUT && talk->options->timeout_ms)
        return err_set(err, code, "can't connect to %s: no answer within %d ms", talk->name, talk->options->timeout_ms);
    return err_set(err, code, "can't connect to %s%s", tried.text, talk_connect_advice(code));
}

static int explain(const struct talk *talk, int code, uint64_t done, struct err *err)
{
    uint64_t number = talk->result->messages + 1;
    switch (-code) {
    case EINTR:
        return code;
    case EAGAIN:
        return err_set(err, -ETIMEDOUT, "%s: no answer within %d ms, with %" PRIu64 " bytes of message %" PRIu64 " back",
                       talk->name, talk->options->timeout_ms, done, number);
    case ECONNRESET:
    case EPIPE:
        return err_set(err, -ECONNRESET, "%s reset the connection after %" PRIu64 " bytes of message %" PRIu64 " had come back",
                       talk->name, done, number);
    default:
        return err_set_errno(err, code, "%s: the connection broke after %" PRIu64 " bytes of message %" PRIu64 " had come back",
                             talk->name, done, number);
    }
}

/* A message longer than TRANSFER_BYTES goes out and comes back piece by piece (see there why). */
static int exchange(struct talk *talk, const char *bytes, size_t length, struct err *err)
{
    char received[TRANSFER_BYTES];
    size_t done = 0;
    while (done < length) {
        size_t end = length - done > TRANSFER_BYTES ? done + TRANSFER_BYTES : length;
        int code = transfer_write(talk->fd, bytes + done, end - done);
        if (code) return explain(talk, code, done, err);
        while (done < end) {
            ssize_t n = transfer_read(talk->fd, received, sizeof(received));
            if (n < 0) return explain(talk, (int)n, done, err);
            if (n == 0)
                return err_set(err, -ECONNRESET,
                               "%s closed the connection when %zu of %zu bytes of message %" PRIu64 " had come back", talk->name,
                               done, length, talk->result->messages + 1);
            code = talk_compare(talk, bytes + done, end - done, received, (size_t)n, done, err);
            if (!code) code = talk_output(talk, received, (size_t)n, err);
            if (code) return code;
            done += (size_t)n;
        }
    }
    return 0;
}

static int await_close(struct talk *talk, struct err *err)
{
    char byte;
    ssize_t n = transfer_read(talk->fd, &byte, 1);
    if (n == -EAGAIN)
        return err_set(err, -ETIMEDOUT, "%s did not close the connection within %d ms (was it started with --close-first server?)",
                       talk->name, talk->options->timeout_ms);
    if (n < 0) return explain(talk, (int)n, 0, err);
    return n == 0 ? 0 : talk_compare(talk, "", 0, &byte, 1, 0, err);
}

static int talk_tcp(struct talk *talk, struct err *err)
{
    int code = connect_any(talk, err);
    while (!code) {
        const char *bytes;
        size_t length;
        int more = messages_next(&talk->messages, &bytes, &length, err);
        if (more < 0) code = more;
        if (more <= 0) break;
        code = exchange(talk, bytes, length, err);
        if (code) break;
        talk->result->messages++;
        talk->result->bytes += length;
    }
    if (!code && talk->options->await_close) code = await_close(talk, err);
    talk_close(talk);
    return code;
}

int client_run(const struct client_options *options, struct client_result *ret_result, struct err *err)
{
    *ret_result = (struct client_result){0};
    struct endpoint endpoints[ENDPOINT_MAX];
    /* Before the signals: a resolver that is slow to answer can be ended by ^C as anyone expects. */
    int count = endpoint_parse(options->host, options->port, ENDPOINT_CONNECT, options->udp ? SOCK_DGRAM : SOCK_STREAM, endpoints,
                               ENDPOINT_MAX, err);
    if (count < 0) return count;
    struct talk talk = {.options = options, .result = ret_result, .endpoints = endpoints, .endpoint_count = count, .fd = -1};
    struct stop stop;
    int code = stop_begin(&stop, err);
    if (code) return code;
    code = messages_open(&talk.messages, options, err);
    if (!code) code = options->udp ? talk_udp(&talk, err) : talk_tcp(&talk, err);
    messages_free(&talk.messages);
    ret_result->signal = stop_asked();
    stop_end(&stop);
    if (code == -EINTR && ret_result->signal) code = 0;
    /* An address that was passed over for the next one, or a read that was interrupted, has left its sentence. */
    return code ? code : err_set(err, 0, "%s", "");
}
