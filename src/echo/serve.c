#include "echo/serve.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lang.h"
#include "echo/stop.h"

enum { RETRY_MS = 50 };

void serve_note(const struct serve *serve, const char *format, ...)
{
    if (!serve->options->note) return;
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), tr(format), args);
    va_end(args);
    serve->options->note(serve->options->note_data, text);
}

void serve_note_peer(const struct serve *serve, const struct endpoint *peer, int code)
{
    char name[TRANSFER_NAME_BYTES];
    transfer_name(peer, name);
    if (code == -EINTR) return;
    if (code == -EAGAIN)
        serve_note(serve, "%s: nothing moved for %d ms: closed", name, serve->options->timeout_ms);
    else if (code == -ECONNRESET || code == -EPIPE)
        serve_note(serve, "%s: reset the connection", name);
    else
        serve_note(serve, "%s: the connection broke: %s", name, err_errno_text(-code));
}

bool serve_wanted(const struct serve *serve)
{
    uint64_t most = serve->options->max_connections;
    return !stop_asked() && (most == 0 || serve->result->connections < most);
}

void serve_close_socket(struct serve *serve)
{
    if (serve->socket >= 0) close(serve->socket);
    serve->socket = -1;
}

bool serve_may_retry_accept(const struct serve *serve, int code)
{
    switch (-code) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        /* The connection stays in the queue; to ask again at once would only spin. */
        serve_note(serve, "can't accept a connection now: %s", err_errno_text(-code));
        stop_sleep_ms(RETRY_MS);
        return true;
    /* accept(2): errors of the new connection come out here too, and mean no more than "try again". */
    case EINTR:
    case EAGAIN:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

int serve_accept(struct serve *serve, struct endpoint *ret_peer, struct err *err)
{
    if (serve->options->accept_delay_ms) stop_sleep_ms(serve->options->accept_delay_ms);
    while (!stop_asked()) {
        ret_peer->length = sizeof(ret_peer->address);
        int fd = accept(serve->socket, (struct sockaddr *)&ret_peer->address, &ret_peer->length);
        if (fd >= 0) {
            serve->result->connections++;
            return fd;
        }
        int code = -errno;
        if (!serve_may_retry_accept(serve, code)) return err_set_errno(err, code, "can't accept connections any more");
    }
    return -EINTR;
}

size_t serve_share(const struct serve *serve, const char *bytes, size_t length, uint64_t *messages, bool *ret_last)
{
    *ret_last = false;
    if (!serve->options->close_first) return length;
    size_t at = 0;
    while (*messages < serve->options->messages) {
        const char *newline = memchr(bytes + at, '\n', length - at);
        if (!newline) return length;
        at = (size_t)(newline - bytes) + 1;
        ++*messages;
    }
    *ret_last = true;
    return at;
}

void serve_connection(const struct serve *serve, int fd, const struct endpoint *peer)
{
    char bytes[TRANSFER_BYTES];
    uint64_t messages = 0;
    bool last = false;
    int code = 0;
    int timeout = serve->options->timeout_ms;
    if (timeout) {
        code = transfer_set_timeout(fd, SO_RCVTIMEO, timeout, NULL);
        if (!code) code = transfer_set_timeout(fd, SO_SNDTIMEO, timeout, NULL);
    }
    while (!code && !last) {
        ssize_t n = transfer_read(fd, bytes, sizeof(bytes));
        if (n == 0) break;
        code = n < 0 ? (int)n : transfer_write(fd, bytes, serve_share(serve, bytes, (size_t)n, &messages, &last));
    }
    if (code) serve_note_peer(serve, peer, code);
    close(fd);
}
