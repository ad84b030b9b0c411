/* Pieces of datagrams, whatever they claim: nothing outside of their bytes is read, no more waits than there is room for, and what
 * is handed out is no longer than it says. Each piece of input is 8 bytes that say what it is, and then its bytes. */
#include <stdlib.h>
#include <string.h>

#include "tcp/fragments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fragments *fragments = calloc(1, sizeof(*fragments));
    if (!fragments) abort();
    uint64_t number = 0;
    int64_t t_ns = 0;
    while (size >= 8) {
        struct segment_fragment piece = {.version = data[0] & 0x80 ? 6 : 4, .more = data[0] & 1, .id = data[1], .protocol = 6};
        piece.offset_bytes = ((uint32_t)data[2] << 8 | data[3]) & 0xfff8;
        piece.length_bytes = (uint32_t)data[4] << 8 | data[5];
        t_ns += (int64_t)data[6] * 1000000000 - ((int64_t)16 * 1000000000);
        size_t captured = data[7] < size - 8 ? data[7] : size - 8;
        if (captured > piece.length_bytes) captured = piece.length_bytes;
        piece.bytes = data + 8;
        piece.captured = (uint32_t)captured;
        const struct event_packet_header header = {.protocol = 6, .src = {.port = data[1]}, .dst = {.port = 1}};
        if (data[0] & 2) fragments_due(fragments, &header);
        fragments_take(fragments, &piece, data[0] & 4 && !piece.offset_bytes ? &header : NULL, t_ns, ++number);
        const struct fragments_datagram *ready;
        for (size_t i = 0; (ready = fragments_out(fragments, i)); i++) {
            struct event_packet packet;
            if (ready->captured > ready->wire || ready->captured > FRAGMENTS_HEADER_MAX + FRAGMENTS_HEAD) abort();
            segment_decode(101, ready->bytes, ready->captured, ready->wire, &packet);
        }
        if (fragments->waiting_count > FRAGMENTS_WAITING) abort();
        if (number % FRAGMENTS_WAITING == 0) fragments_clear(fragments);
        data += 8 + captured;
        size -= 8 + captured;
    }
    fragments_finish(fragments);
    if (fragments_any(fragments)) abort();
    free(fragments);
    return 0;
}
