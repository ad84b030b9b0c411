/* What stands before a payload: what people said to each other is nobody's business. */
#ifndef TCPWHY_CAPTURE_PACKET_HEAD_H
#define TCPWHY_CAPTURE_PACKET_HEAD_H

#include <stdint.h>

/* How many of the captured bytes stand before a TCP or UDP payload, the DNS's header included; all where that can't be said. */
uint32_t packet_head_bytes(int link_type, const uint8_t *bytes, uint32_t captured_bytes, uint32_t wire_bytes);

#endif
