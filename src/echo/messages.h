/* What a client says: given texts, numbered greetings, or lines of a descriptor, one message after the other.
 *
 * A message is a line: texts get a newline at their end; only the last line of a descriptor may lack it. Borrows the options. */
#ifndef TCPWHY_ECHO_MESSAGES_H
#define TCPWHY_ECHO_MESSAGES_H

#include <stdint.h>

#include "base/buf.h"
#include "echo/client.h"
#include "echo/lines.h"

struct messages {
    const struct client_options *options;
    struct buf text;
    struct lines lines;
    uint64_t rounds, round;
    size_t next; /* of options->messages */
};

/* 0 or -ENOMEM. Release with messages_free. */
int messages_open(struct messages *ret_messages, const struct client_options *options, struct err *err);
/* 1: *ret_bytes, *ret_length (valid until the next call); 0: that was all; -errno as lines_next. */
int messages_next(struct messages *messages, const char **ret_bytes, size_t *ret_length, struct err *err);
void messages_free(struct messages *messages);

#endif
