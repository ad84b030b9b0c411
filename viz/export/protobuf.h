/* Writes protocol buffers (protobuf.dev/programming-guides/encoding): fields of messages, in the order in which they come.
 *
 * A failure (out of memory) is remembered in the buffer. Strings must be UTF-8: put through viz/pen/escape.h before. */
#ifndef TCPWHY_VIZ_PROTOBUF_H
#define TCPWHY_VIZ_PROTOBUF_H

#include <stdint.h>

#include "base/buf.h"

void protobuf_uint(struct buf *out, uint32_t field, uint64_t value);
/* int32, int64: negative numbers take ten bytes. */
void protobuf_int(struct buf *out, uint32_t field, int64_t value);
void protobuf_fixed64(struct buf *out, uint32_t field, uint64_t value);
void protobuf_string(struct buf *out, uint32_t field, const char *text);
/* A message inside: what is written until protobuf_end, which takes what this returned, is its content (below 256 MiB). */
size_t protobuf_begin(struct buf *out, uint32_t field);
void protobuf_end(struct buf *out, size_t begun);

#endif
