#include "viz/export/protobuf.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, LENGTH_BYTES = 4 };

static void put_varint(struct buf *out, uint64_t value)
{
    char bytes[10];
    size_t length = 0;
    do {
        bytes[length] = (char)(value & 0x7f);
        value >>= 7;
        if (value) bytes[length] = (char)(bytes[length] | 0x80);
        length++;
    } while (value);
    buf_append(out, bytes, length);
}

static void put_tag(struct buf *out, uint32_t field, unsigned wire)
{
    put_varint(out, (uint64_t)field << 3 | wire);
}

void protobuf_uint(struct buf *out, uint32_t field, uint64_t value)
{
    put_tag(out, field, WIRE_VARINT);
    put_varint(out, value);
}

void protobuf_int(struct buf *out, uint32_t field, int64_t value)
{
    protobuf_uint(out, field, (uint64_t)value);
}

void protobuf_fixed64(struct buf *out, uint32_t field, uint64_t value)
{
    char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (char)(value >> 8 * i);
    put_tag(out, field, WIRE_FIXED64);
    buf_append(out, bytes, sizeof(bytes));
}

void protobuf_string(struct buf *out, uint32_t field, const char *text)
{
    size_t length = strlen(text);
    put_tag(out, field, WIRE_LENGTH);
    put_varint(out, length);
    buf_append(out, text, length);
}

/* The length is written when it is known, into a varint of fixed size: leading zero groups are allowed. */
size_t protobuf_begin(struct buf *out, uint32_t field)
{
    put_tag(out, field, WIRE_LENGTH);
    buf_append(out, "\x80\x80\x80\x00", LENGTH_BYTES);
    return out->length;
}

void protobuf_end(struct buf *out, size_t begun)
{
    if (out->failed || begun < LENGTH_BYTES || begun > out->length) return;
    size_t length = out->length - begun;
    for (int i = 0; i < LENGTH_BYTES; i++) {
        unsigned more = i < LENGTH_BYTES - 1 ? 0x80 : 0;
        out->data[begun - LENGTH_BYTES + (size_t)i] = (char)((length >> 7 * i & 0x7f) | more);
    }
}
