/* Any frame decodes within its bounds: the first two bytes choose the link type and how much longer the wire's frame was. */
#include <stdlib.h>
#include <string.h>

#include "tcp/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int links[] = {1, 113, 276, 12, 101, 0, 108};
    if (size < 2) return 0;
    int link = links[data[0] % (sizeof(links) / sizeof(links[0]))];
    uint32_t captured = (uint32_t)size - 2, wire = captured + data[1];
    struct event_packet packet, before;
    memset(&packet, 0xee, sizeof(packet));
    memcpy(&before, &packet, sizeof(packet));
    enum segment_result result = segment_decode(link, data + 2, captured, wire, &packet);
    if (result >= SEGMENT_RESULTS) abort();
    if (result != SEGMENT_OK) {
        /* The very bytes, padding and all: nothing was written. */
        const unsigned char *now = (const unsigned char *)&packet, *then = (const unsigned char *)&before;
        if (memcmp(now, then, sizeof(packet)) != 0) abort();
        return 0;
    }
    /* Only a UDP datagram's first fragment may claim more than its packet holds. */
    if (packet.header.protocol != 17 && packet.header.length_bytes > wire) abort();
    if (packet.header.src.version != packet.header.dst.version && packet.header.src.version + packet.header.dst.version != 10)
        abort();
    char text[9];
    if (strlen(segment_flags(packet.header.flags, text)) > 8) abort();
    return 0;
}
