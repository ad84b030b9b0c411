/* A packet's headers as bytes, made from what an event says of it: for who needs a packet where none was captured. */
#ifndef TCPWHY_EVENT_PACKET_BYTES_H
#define TCPWHY_EVENT_PACKET_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

enum { PACKET_BYTES_MAX = 60 };

/* IP and TCP headers without options, none of the payload. How many bytes; *ret_wire_bytes (may be NULL): how many the packet had
 * with its payload. 0: it is no TCP segment, or between addresses of two kinds. Checksums are right where there is no payload; else
 * TCP's is 0. */
size_t packet_bytes_make(const struct event_packet_header *header, uint8_t bytes[PACKET_BYTES_MAX], uint32_t *ret_wire_bytes);

#endif
