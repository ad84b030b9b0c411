/* Lines from a descriptor, byte for byte, with the newline that ends them. The last one may lack it.
 *
 * Owns its buffer, borrows the descriptor. Reads no further than it must, so that a person's line is handed on when it is typed. */
#ifndef TCPWHY_ECHO_LINES_H
#define TCPWHY_ECHO_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct lines {
    int fd;
    bool whole; /* a line longer than the buffer is an error; else it comes in pieces */
    bool ended;
    char *bytes;
    size_t capacity, start, length;
};

/* 0 or -ENOMEM. Release with lines_free. */
int lines_open(struct lines *ret_lines, int fd, size_t capacity, bool whole, struct err *err);
/* 1: *ret_bytes, *ret_length (valid until the next call); 0: the end; -EMSGSIZE: too long a line; -EINTR: a stop was asked;
 * other -errno: it can't be read. */
int lines_next(struct lines *lines, const char **ret_bytes, size_t *ret_length, struct err *err);
void lines_free(struct lines *lines);

#endif
