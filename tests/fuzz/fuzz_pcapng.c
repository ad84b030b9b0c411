/* Any bytes are read block by block within their bounds, and every step moves on. What follows damage is searched for, as savefile
 * does. */
#include <stdlib.h>

#include "pcapng/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pcapng_reader *reader = pcapng_reader_new();
    struct pcapng_step step;
    size_t at = 0;
    volatile unsigned sum = 0;
    if (!reader) abort();
    while (at < size) {
        enum pcapng_result result = pcapng_reader_next(reader, data + at, size - at, &step);
        if (result == PCAPNG_NO_MEMORY) abort();
        if (result == PCAPNG_MORE && step.need <= size - at) abort();
        if (result == PCAPNG_PACKET) {
            const struct pcapng_packet *packet = &step.packet;
            if (packet->bytes < data + at || packet->captured > size - at || step.used > size - at) abort();
            if (!pcapng_reader_interface(reader, packet->interface)) abort();
            for (uint32_t i = 0; i < packet->captured; i++) sum += packet->bytes[i];
        }
        if (result == PCAPNG_BLOCK && step.used == 0) abort();
        if (result == PCAPNG_MORE || (result == PCAPNG_DAMAGED && step.used == 0)) {
            size_t need = 0;
            do at++;
            while (at < size && pcapng_reader_like(reader, data + at, size - at, 4096, &need) != PCAPNG_LIKE);
            continue;
        }
        if (step.used > size - at) break;
        at += step.used;
    }
    pcapng_reader_free(reader);
    (void)sum;
    return 0;
}
