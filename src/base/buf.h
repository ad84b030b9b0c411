/* A growable run of bytes whose largest size is given at birth, so that no input can make it grow without bound.
 *
 * It owns its memory. After a failed append it keeps what it had, remembers the failure and refuses the rest: a writer can
 * append many times and ask once at the end. The content always has a NUL behind it that does not count. */
#ifndef TCPWHY_BASE_BUF_H
#define TCPWHY_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* `length` bytes and a NUL; NULL while nothing was appended */
    size_t length;
    size_t capacity;
    size_t limit; /* bytes it may hold at most */
    bool failed;  /* an append was refused: out of memory, or past the limit */
};

/* An empty buffer that may hold `limit` bytes. Release with buf_free. */
struct buf buf_new(size_t limit);
void buf_free(struct buf *buf);
/* Forgets the content and a failure, keeps the memory. */
void buf_clear(struct buf *buf);

/* Each returns 0, or -ENOMEM / -EMSGSIZE and sets `failed`. */
int buf_append(struct buf *buf, const void *bytes, size_t length);
int buf_text(struct buf *buf, const char *text);
int buf_char(struct buf *buf, char c);
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For who writes in place: `more` bytes of room behind the content, or NULL (failed). What was written there counts once buf_grew
 * says how much it was. */
char *buf_room(struct buf *buf, size_t more);
void buf_grew(struct buf *buf, size_t length);

/* The content as a string; "" while empty. Valid until the next append or buf_free. */
const char *buf_string(const struct buf *buf);

#endif
