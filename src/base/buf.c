#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buf buf_new(size_t limit)
{
    return (struct buf){.limit = limit};
}

void buf_free(struct buf *buf)
{
    if (!buf) return;
    free(buf->data);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_clear(struct buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data) buf->data[0] = '\0';
}

static int refuse(struct buf *buf, int code)
{
    buf->failed = true;
    return code;
}

static int reserve(struct buf *buf, size_t more)
{
    if (buf->failed) return -EMSGSIZE;
    if (more > buf->limit - buf->length) return refuse(buf, -EMSGSIZE);
    size_t need = buf->length + more + 1;
    if (need <= buf->capacity) return 0;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < need) capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (!data) return refuse(buf, -ENOMEM);
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

int buf_append(struct buf *buf, const void *bytes, size_t length)
{
    int code = reserve(buf, length);
    if (code) return code;
    if (length) memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
    return 0;
}

char *buf_room(struct buf *buf, size_t more)
{
    return reserve(buf, more) ? NULL : buf->data + buf->length;
}

void buf_grew(struct buf *buf, size_t length)
{
    buf->length += length;
    buf->data[buf->length] = '\0';
}

int buf_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

int buf_char(struct buf *buf, char c)
{
    int code = reserve(buf, 1);
    if (code) return code;
    buf->data[buf->length++] = c;
    buf->data[buf->length] = '\0';
    return 0;
}

/* How many bytes may follow without another look at the memory; 0: none, not even the NUL. */
static size_t room(const struct buf *buf)
{
    if (buf->failed || !buf->capacity) return 0;
    size_t free_bytes = buf->capacity - 1 - buf->length, allowed = buf->limit - buf->length;
    return free_bytes < allowed ? free_bytes : allowed;
}

int buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    size_t most = room(buf);
    char *end = most ? buf->data + buf->length : NULL;
    int length = vsnprintf(end, most ? most + 1 : 0, format, args); /* it fits nearly always, and then that was all */
    va_end(args);
    bool fits = end && length >= 0 && (size_t)length <= most;
    if (end && !fits) *end = '\0';
    int code = length < 0 ? refuse(buf, -EINVAL) : fits ? 0 : reserve(buf, (size_t)length);
    if (!code) {
        if (!fits) vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
    return code;
}

const char *buf_string(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}
