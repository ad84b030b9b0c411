#include "echo/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "echo/transfer.h"

int lines_open(struct lines *ret_lines, int fd, size_t capacity, bool whole, struct err *err)
{
    *ret_lines = (struct lines){.fd = fd, .whole = whole, .capacity = capacity, .bytes = malloc(capacity)};
    return ret_lines->bytes ? 0 : err_set_errno(err, -ENOMEM, "can't hold a line of input");
}

void lines_free(struct lines *lines)
{
    if (!lines) return;
    free(lines->bytes);
    lines->bytes = NULL;
}

static int give(struct lines *lines, size_t length, const char **ret_bytes, size_t *ret_length)
{
    *ret_bytes = lines->bytes + lines->start;
    *ret_length = length;
    lines->start += length;
    lines->length -= length;
    return 1;
}

int lines_next(struct lines *lines, const char **ret_bytes, size_t *ret_length, struct err *err)
{
    size_t searched = 0;
    for (;;) {
        const char *at = lines->bytes + lines->start;
        const char *newline = memchr(at + searched, '\n', lines->length - searched);
        if (newline) return give(lines, (size_t)(newline - at) + 1, ret_bytes, ret_length);
        if (lines->ended && lines->length == 0) return 0;
        if (lines->ended) return give(lines, lines->length, ret_bytes, ret_length);
        if (lines->length == lines->capacity) {
            if (!lines->whole) return give(lines, lines->length, ret_bytes, ret_length);
            return err_set(err, -EMSGSIZE, "a line of the input is longer than %zu bytes, more than a datagram holds",
                           lines->capacity);
        }
        searched = lines->length;
        memmove(lines->bytes, at, lines->length);
        lines->start = 0;
        ssize_t n = transfer_read(lines->fd, lines->bytes + lines->length, lines->capacity - lines->length);
        if (n == -EAGAIN) { /* a terminal that another program left non-blocking */
            poll(&(struct pollfd){.fd = lines->fd, .events = POLLIN}, 1, -1);
            continue;
        }
        if (n < 0) return err_set_errno(err, (int)n, "can't read the messages from the input");
        lines->ended = n == 0;
        lines->length += (size_t)n;
    }
}
