/* Capture files made by hand, byte by byte, in either byte order. For tests; aborts when there is no memory.
 *
 * A `struct buf` collects them; `big` is the byte order that is written. */
#ifndef TCPWHY_SUPPORT_CAPTURES_H
#define TCPWHY_SUPPORT_CAPTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

void put_u16(struct buf *buf, uint16_t value, bool big);
void put_u32(struct buf *buf, uint32_t value, bool big);
void put_fill(struct buf *buf, uint8_t value, size_t count);

void put_pcap(struct buf *buf, uint32_t magic, uint16_t major, uint16_t minor, uint32_t link_type, bool big);
/* A record of `captured` bytes, all of them `fill`. */
void put_record(struct buf *buf, uint32_t s, uint32_t fraction, uint32_t captured, uint32_t wire, uint8_t fill, bool big);

/* A pcapng block around `length` bytes of content (a multiple of 4). */
void put_block(struct buf *buf, uint32_t type, const void *content, size_t length, bool big);
void put_section(struct buf *buf, bool big);
/* An interface with its options (ready bytes, or NULL). */
void put_interface(struct buf *buf, uint16_t link_type, uint32_t snap, const void *options, size_t length, bool big);
/* An enhanced packet block. */
void put_packet(struct buf *buf, uint32_t interface, uint64_t ticks, uint32_t captured, uint32_t wire, uint8_t fill, bool big);

#endif
